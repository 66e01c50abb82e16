"""The column after HNN: cells lumped from its sections, its polarities and what makes each, and
where currents flow.
"""

import functools

import numpy as np
import pytest

import jtfne
from docs.validation._hnn_like_column import CUTS, DEFLECTIONS, dipoles, peaks
from jtfne.presets import hnn_like_column

pytestmark = pytest.mark.as_users  # simulates for long

TRIALS = 4


@functools.cache
def run(cut):
    """The trials of a circuit that may lack a drive."""
    return jtfne.construct(hnn_like_column(**CUTS[cut])).simulate(trials=TRIALS, progress=False)


def sizes(cut, deflection):
    """nA m, of each trial."""
    return peaks(*dipoles(run(cut)), deflection)[1]


def test_each_deflection_has_its_polarity():
    for each in DEFLECTIONS:
        found = each.sign * sizes("all drives", each)
        assert found.mean() > 4.0 * found.std(ddof=1) / np.sqrt(TRIALS), each
    p50, n100, p200 = (np.abs(sizes("all drives", each)).mean() for each in DEFLECTIONS)
    assert p50 < 0.5 * min(n100, p200), "the first one is small"


@pytest.mark.parametrize("deflection", DEFLECTIONS, ids=lambda each: each.name)
def test_each_deflection_goes_with_its_drive_and_stays_without_the_others(deflection):
    whole = deflection.sign * sizes("all drives", deflection).mean()
    for cut in CUTS:
        left = deflection.sign * sizes(cut, deflection).mean()
        assert (left < 0.5 * whole) == (cut == f"no {deflection.drive}"), (cut, left, whole)


def test_they_come_in_order_after_their_drives():
    time_ms, dipole_nAm = dipoles(run("all drives"))
    onsets = run("all drives").events.set_index("label")["onset_ms"].groupby(level=0).first()
    # half a window of smoothing earlier than the mean of the drive, the first may begin
    for each in DEFLECTIONS[1:]:
        at_ms = peaks(time_ms, dipole_nAm, each)[0].mean()
        assert onsets[each.drive] < at_ms < onsets[each.drive] + 25.0, each


def test_proximal_input_sinks_at_the_somata_and_distal_input_above_them():
    csd = run("all drives").get("csd").isel(area=0).mean("trial")
    soma, tuft = (int(np.abs(csd["z_mm"].values - depth_mm).argmin()) for depth_mm in (1.887, 0.3))
    for onset_ms, deep_sinks in ((63.63, False), (138.12, True)):
        there = csd.sel(time=slice(onset_ms, onset_ms + 15.0)).mean("time").values
        assert (there[soma] < 0.0) == deep_sinks and (there[tuft] < 0.0) != deep_sinks


def r_MOhm(length_um, diameter_um):
    """Of a section of 200 Ohm cm: 4 Ra L / (pi d^2)."""
    return 8.0 * length_um / (np.pi * diameter_um**2)


def test_cells_are_hnns_sections_lumped():
    """C = c A and g = g A over all of HNN's sections, by hand; and what lies between the
    compartments.
    """
    cell = {each.cell_type: each.emitter for each in hnn_like_column().populations()}[
        "L5_pyramidal"
    ]
    lengths_um = np.array([39.0, 102.0, 255.0, 85.0, 255.0, 255.0, 680.0, 680.0, 425.0])
    area_um2 = np.pi * lengths_um @ [28.9, 10.2, 5.1, 6.8, 8.5, 8.5, 7.48, 4.93, 3.4]
    # 1 uF/cm2 is 0.01 pF/um2
    assert float(cell.c_s_pF + cell.c_d_pF) == pytest.approx(0.85e-2 * area_um2)
    assert float(cell.c_d_pF / cell.g_d_nS) == pytest.approx(0.85 / 42.6e-3)  # tau = c / g, ms
    trunk, first = r_MOhm(102.0, 10.2), r_MOhm(680.0, 7.48)
    # the middle is near the first section's end
    assert trunk + 0.9 * first < 1e3 / float(cell.g_c_nS) < trunk + first


def test_weights_are_hnns_behind_their_branches():
    """0.5 nS on three branches is little less than 1.5; 1.4 uS is no more than what the branches
    let through.
    """
    circuit, stimuli = hnn_like_column().circuit, hnn_like_column().task.stimuli
    driven = {
        (each.label, each.target.cell_type[0], each.drive.mechanism): each.drive.weight_nS
        for each in stimuli
    }
    assert driven["prox1", "L5_basket", "AMPA"] == 199.34
    basal = r_MOhm(85.0, 4.25) + 0.5 * r_MOhm(255.0, 2.72)
    oblique = r_MOhm(59.5, 4.25) + 0.5 * r_MOhm(340.0, 3.91)
    assert 0.95 < driven["prox2", "L2_pyramidal", "AMPA"] / (2e3 / basal + 1e3 / oblique) < 1.0
    weights = {
        (e.source.cell_type[0], e.target.cell_type[0], e.mechanism): e.weight
        for e in circuit.connections
    }
    assert 0.95 < weights["L5_pyramidal", "L5_pyramidal", "AMPA"] / (0.2 * 1.5) < 1.0
    assert weights["L5_basket", "L5_basket", "GABA_A"] == 20.0
    shares = {name: each.dendrite_share for name, each in circuit.mechanisms.items()}
    assert (
        shares["AMPA"] == shares["GABA_B"] == 0.0
        and shares["AMPA_tuft"] == shares["NMDA_tuft"] == 1.0
    )


def test_weights_fall_with_distance_as_hnns_do():
    """All to all, times exp(-d^2 / (3 steps)^2), in steps of a grid of 10 x 10 that has the area of
    the column.
    """
    net = jtfne.construct(hnn_like_column())
    table, cells = net.edges.to_pandas(), net.neurons.set_index("neuron")
    mine = table[table["connection"] == "L5_pyramidal->L5_pyramidal:AMPA"]
    assert len(mine) == 100 * 99
    place = cells[["x_mm", "y_mm"]]
    apart_mm = np.linalg.norm(
        place.loc[mine["source"]].to_numpy() - place.loc[mine["target"]].to_numpy(), axis=1
    )
    steps = 10.0 * apart_mm / (net.config.circuit.geometry.radius_mm * np.sqrt(np.pi))
    declared = {
        (e.source.cell_type[0], e.target.cell_type[0], e.mechanism): e
        for e in net.config.circuit.connections
    }
    whole_nS = declared["L5_pyramidal", "L5_pyramidal", "AMPA"].weight
    np.testing.assert_allclose(
        mine["weight_nS"], whole_nS * np.exp(-((steps / 3.0) ** 2)), rtol=1e-5
    )


def test_nothing_flows_before_the_first_drive():
    """Cells begin at rest: an LFP of the start would be none of the drives'."""
    lfp_V = np.abs(run("all drives").get("lfp"))
    before_V, all_V = float(lfp_V.sel(time=slice(0.0, 12.0)).max()), float(lfp_V.max())
    assert before_V < 0.02 * all_V
    assert all_V == pytest.approx(10e-3, rel=0.2)  # as the docstring says, of a scale of 3,000


def test_every_type_fires_and_a_gain_below_zero_is_refused():
    assert (run("all drives").rates()["rate_Hz"] * 0.17 > 0.5).all()
    with pytest.raises(jtfne.JtfneError, match="dist1=-1"):
        hnn_like_column(dist1=-1.0)
