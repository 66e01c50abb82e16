"""Physical readouts: each against a closed form, or the operator that it says it is, on currents
that are known.
"""

import json

import mne
import numpy as np
import pytest

import heads
import jtfne
from jtfne import operators
from jtfne.config import AtDepth, AtSoma, Between, SourceMap, closed_field, open_field
from jtfne.emitters import LIF, TwoCompartment
from jtfne.measures.csd import SecondDifference
from jtfne.measures.icsd import SplineICSD
from jtfne.probes import mechanism_signs, plan
from jtfne.probes._cell_loops import build_source_maps
from jtfne.simulation import simulate
from jtfne.sources import EXTERNAL
from jtfne.synapses import BiExponentialConductance, Exponential

DRIVE_pA = 100.0  # 10 mV at the default LIF: it never fires
QUIET = LIF()
INHIBITS = BiExponentialConductance(tau_rise_ms=0.5, tau_decay_ms=6.0, e_rev_mV=-80.0)
R_mm, SIGMA = 0.25, 0.3
N_CELLS = 12


def still(
    *maps,
    areas=("V1",),
    emitter=QUIET,
    drive=DRIVE_pA,
    probes=("dipole",),
    layers=("L5",),
    **source,
):
    """Cells that only carry a constant external current, in float64."""
    return (
        jtfne.Config()
        .runtime(seed=1, duration_ms=3.0, dt_ms=0.1, dtype="float64")
        .areas(list(areas))
        .layers(list(layers))
        .cells({"E": 1.0}, n=N_CELLS)
        .emitters({"E": emitter})
        .cell_params({"E": {"drive": drive}})
        .source(maps=list(maps), **source)
        .probes(list(probes))
    )


def recorded(config, name, **how):
    return simulate(jtfne.construct(config), **how).get(name)


def at_depths(first, last):
    """Everything enters at one relative depth and returns at the other."""
    return SourceMap(enters=AtDepth(depth=first), returns=AtDepth(depth=last))


def busy(probes, *maps, **run):
    """Two areas of excitatory and inhibitory cells that fire, with conductances among their
    synapses.
    """
    edges = [
        ("E", "PV", "AMPA", 200.0),
        ("PV", "E", "GABA_A", -50.0),
        ("E", "E", "NMDA", 20.0),
        ("PV", "E", "g", 2.0),
    ]
    rule = {"kind": "FixedProbability", "p": 0.3}
    return (
        jtfne.Config()
        .runtime(**{"seed": 1, "duration_ms": 30.0, "dt_ms": 0.1, **run})
        .areas(["V1", "M1"])
        .layers(["L2/3", "L5"])
        .cells({"E": 0.7, "PV": 0.3}, n=30)
        .mechanisms({"g": INHIBITS})
        .emitters({"PV": LIF()})
        .cell_params({"E": {"drive": 8.0}, "PV": {"drive": 260.0}})
        .connections(
            [
                {"source": s, "target": t, "mechanism": m, "weight": w, "rule": rule}
                for s, t, m, w in edges
            ]
        )
        .source(maps=list(maps))
        .probes(list(probes))
    )


# The map


def test_columns_of_the_source_map_sum_to_zero_and_moments_are_those_of_the_profiles():
    tuft = Between(first=AtDepth(depth=0.0), last=AtSoma(above_mm=0.13))
    config = still(SourceMap(enters=tuft, returns=AtSoma(above_mm=-0.07)), layers=("L2/3", "L5"))
    net = jtfne.construct(config)
    loops = build_source_maps(net, config, mechanism_signs(net, config))
    (spread,) = loops.maps
    assert np.abs(spread).sum(0).min() > 0.1 and spread.shape[1:] == (1, N_CELLS)
    assert np.abs(spread.sum(0)).max() < 1e-14
    soma_mm = net.identity.position_mm[:, 2]
    inward_mm = 0.5 * np.maximum(soma_mm - 0.13, 0.0)
    # the return is deeper: the moment points inward
    want_m = 1e-3 * (inward_mm - np.minimum(soma_mm + 0.07, 1.5))
    np.testing.assert_allclose(loops.moments_m()[0][0], want_m, rtol=1e-12)


def test_dipole_of_two_monopoles_is_current_times_distance():
    config = still(SourceMap(enters=AtSoma(above_mm=0.3), returns=AtSoma()))
    dipole = recorded(config, "dipole")
    assert (
        dipole.dims == ("time", "area")
        and dipole.attrs["units"] == "A m"
        and dipole.attrs["proxy"] == 0
    )
    np.testing.assert_allclose(dipole, -N_CELLS * DRIVE_pA * 1e-12 * 0.3e-3, rtol=1e-12)


def test_the_default_of_a_pyramidal_cell_is_half_its_dendrite():
    config = still()
    soma_mm = jtfne.construct(config).identity.position_mm[:, 2]
    np.testing.assert_allclose(
        recorded(config, "dipole"), -DRIVE_pA * 1e-15 * soma_mm.sum() / 2.0, rtol=1e-12
    )


def test_closed_fields_give_nothing_and_scale_is_a_factor():
    assert not recorded(still(*closed_field("E"), probes=("lfp",)), "lfp").any()
    many = recorded(still(scale=50.0), "dipole")
    np.testing.assert_allclose(many, 50.0 * recorded(still(), "dipole"), rtol=1e-13)
    assert json.loads(many.attrs["operator"])["scale"] == 50.0


def test_source_modes_say_which_currents_make_loops():
    config = busy(["dipole", "source"], *open_field("E"), dtype="float64")
    dipoles = {
        mode: recorded(config.source(mode), "dipole")
        for mode in ("input_current", "synaptic_current")
    }
    drive = config.connections([])
    # 8 units of Izhikevich's, constant: excitation along the dendrite
    alone = recorded(drive, "dipole")
    np.testing.assert_allclose(
        dipoles["input_current"] - dipoles["synaptic_current"],
        alone,
        rtol=1e-9,
        atol=1e-9 * float(abs(alone).max()),
    )
    total = recorded(config.source("total_membrane_current"), "dipole")
    # electrodes are not of the tissue
    np.testing.assert_array_equal(total, dipoles["synaptic_current"])


# The column


def test_lfp_is_the_disc_source_of_the_currents():
    lfp = recorded(still(at_depths(0.2, 0.8), probes=("lfp",)), "lfp")
    of = operators.DiscSource(
        np.linspace(0.0, 1.5, 16), [0.3, 1.2], radius_mm=R_mm, sigma_S_m=SIGMA
    )
    want_V = of.matrix @ (N_CELLS * DRIVE_pA * 1e-12 * np.array([-1.0, 1.0]))
    assert lfp.dims == ("time", "area", "channel") and lfp.attrs["units"] == "V"
    np.testing.assert_allclose(lfp.isel(area=0), np.broadcast_to(want_V, (3, 16)), rtol=1e-9)
    assert lfp["z_mm"].values[want_V.argmin()] == 0.3  # a sink where the current enters
    about = json.loads(lfp.attrs["operator"])
    assert (
        about["name"] == "disc source"
        and about["sigma_S_m"] == SIGMA
        and about["radius_mm"] == R_mm
    )
    assert about["maps"][0]["enters"] == {"kind": "AtDepth", "depth": 0.2}


def test_lfp_of_points_is_that_of_each_cell_and_may_be_anisotropic():
    surface = {"z_mm": -0.1, "sigma_above_S_m": 0.0}
    declared = {"kind": "lfp", "sources": {"kind": "Points", "radius_mm": 0.005}, "sigma_S_m": [0.3, 0.3, 0.45],
                "contacts_mm": [[0.1, 0.0, 0.3], [0.0, 0.2, 0.9]], "surface": surface}  # fmt: skip
    config = still(at_depths(0.2, 0.8), probes=(declared,))
    lfp = recorded(config, "lfp")
    cells_mm = jtfne.construct(config).identity.position_mm
    at_mm = np.concatenate(
        [np.column_stack([cells_mm[:, :2], np.full(N_CELLS, z)]) for z in (0.3, 1.2)]
    )
    of = operators.PointSource(
        declared["contacts_mm"],
        at_mm,
        (0.3, 0.3, 0.45),
        0.005,
        surface=operators.Surface(z_mm=-0.1),
    )
    want_V = of.matrix @ (DRIVE_pA * 1e-12 * np.repeat([-1.0, 1.0], N_CELLS))
    np.testing.assert_allclose(lfp.isel(time=0, area=0), want_V, rtol=1e-9)
    assert (
        lfp["x_mm"].values.tolist() == [0.1, 0.0]
        and json.loads(lfp.attrs["operator"])["radius_mm"] == 0.005
    )


def test_shanks_stand_side_by_side():
    declared = {
        "kind": "lfp",
        "n_channels": 5,
        "shanks_mm": [[0.0, 0.0], [0.2, -0.1]],
        "sources": "Points",
    }
    lfp = recorded(still(probes=(declared,)), "lfp")
    assert lfp.sizes["channel"] == 10 and len(set(lfp["channel"].values)) == 10
    assert lfp["y_mm"].values.tolist() == [0.0] * 5 + [-0.1] * 5
    one = recorded(still(probes=({**declared, "shanks_mm": [[0.2, -0.1]]},)), "lfp")
    np.testing.assert_array_equal(one, lfp[..., 5:])


def test_far_away_the_potential_is_that_of_the_dipole():
    """No monopole is left: it falls as 1 / r^2, and what is neglected as (length / r)^2."""
    r_mm = np.array([100.0, 200.0])
    contacts = [[0.0, 0.0, -each] for each in r_mm]
    config = still(probes=("dipole", {"kind": "lfp", "sources": "Points", "contacts_mm": contacts}))
    signals = simulate(jtfne.construct(config))
    lfp, dipole = signals.get("lfp").values[0, 0], float(signals.get("dipole")[0, 0])
    assert abs(lfp[0] / lfp[1] / 4.0 - 1.0) < 3.0 * 1.5 / r_mm[0]
    middle_mm = 0.5 * 1.0  # of the dendrite, about: the closer its centre, the nearer the value
    want_V = dipole / (4.0 * np.pi * SIGMA * (1e-3 * (r_mm + middle_mm)) ** 2)
    np.testing.assert_allclose(lfp, want_V, rtol=2.0 * 0.75 / r_mm[0])


def test_far_adds_the_dipoles_of_the_other_areas():
    near, both = (
        simulate(
            jtfne.construct(
                still(areas=("V1", "V2"), probes=("dipole", {"kind": "lfp", "far": far}))
            )
        )
        for far in (False, True)
    )
    added = (both.get("lfp") - near.get("lfp")).values[0]
    areas = still(areas=("V1", "V2")).circuit.areas
    depths_mm = np.linspace(0.0, 1.5, 16)
    here, there = areas
    contacts_mm = np.array(here.position_mm) - depths_mm[:, None] * np.array(here.normal)
    dipole_mm = np.array(there.position_mm) - 0.75 * np.array(there.normal)
    of = operators.InfiniteDipole(contacts_mm, [dipole_mm], SIGMA).along([there.normal])
    np.testing.assert_allclose(added[0], of.matrix @ near.get("dipole").values[0, 1:], rtol=1e-6)


@pytest.mark.parametrize("n_channels", [16, 31])
def test_csd_recovers_sinks_and_sources(n_channels):
    """Discs at contacts are what DeltaICSD assumes: their density is exact, and zero elsewhere."""
    csd = recorded(
        still(at_depths(0.2, 0.8), probes=({"kind": "csd", "n_channels": n_channels},)), "csd"
    )
    density = N_CELLS * DRIVE_pA * 1e-12 / (np.pi * (1e-3 * R_mm) ** 2 * 1.5e-3 / (n_channels - 1))
    want = np.where(
        np.isclose(csd["z_mm"], 0.3), -density, np.where(np.isclose(csd["z_mm"], 1.2), density, 0.0)
    )
    assert csd.attrs["units"] == "A/m^3" and "DeltaICSD(diameter_mm=0.5" in csd.attrs["operator"]
    np.testing.assert_allclose(csd[0, 0], want, atol=1e-6 * density)


def test_csd_knows_of_a_surface_at_the_pia():
    """Contacts from 0.1 mm on, in discs below air: without the image DeltaICSD would see other
    currents.
    """
    declared = {"kind": "csd", "depths_mm": np.linspace(0.1, 1.5, 15).tolist(), "surface": {}}
    csd = recorded(still(at_depths(0.2, 0.8), probes=(declared,)), "csd")
    density = N_CELLS * DRIVE_pA * 1e-12 / (np.pi * (1e-3 * R_mm) ** 2 * 1e-4)
    want = np.where(
        np.isclose(csd["z_mm"], 0.3), -density, np.where(np.isclose(csd["z_mm"], 1.2), density, 0.0)
    )
    np.testing.assert_allclose(csd[0, 0], want, atol=1e-6 * density)
    blind = recorded(
        still(at_depths(0.2, 0.8), probes=({**declared, "method": "DeltaICSD"},)), "csd"
    )
    assert np.abs(blind[0, 0] - want).max() > 0.01 * density


@pytest.mark.parametrize("method", [SecondDifference(vaknin=True), SplineICSD(step_mm=0.05)])
def test_csd_is_what_the_method_makes_of_the_lfp(method):
    signals = simulate(
        jtfne.construct(busy(["lfp", {"kind": "csd", "method": method}], dtype="float64"))
    )
    lfp, csd = signals.get("lfp"), signals.get("csd")
    want = lfp.values @ method.matrix(lfp["z_mm"].values, SIGMA).T
    np.testing.assert_allclose(csd, want, atol=1e-9 * np.abs(want).max())
    np.testing.assert_allclose(csd["z_mm"], method.places_mm(lfp["z_mm"].values))


# The head


def test_eeg_and_meg_are_lead_fields_of_the_dipoles():
    signals = simulate(jtfne.construct(busy(["dipole", "eeg", "meg"], dtype="float64")))
    dipole, eeg, meg = (signals.get(name) for name in ("dipole", "eeg", "meg"))
    head = json.loads(eeg.attrs["operator"])
    assert head["radii_mm"] == [79.0, 80.0, 85.0, 90.0] and head["centre_mm"] == [0.0, 0.0, 40.0]
    assert (
        head["montage"] == "biosemi64" and head["frame"].startswith("head") and head["scale"] == 1.0
    )
    scalp_mm = np.column_stack([eeg[f"{axis}_mm"] for axis in "xyz"])
    np.testing.assert_allclose(np.linalg.norm(scalp_mm - head["centre_mm"], axis=1), 90.0)
    dipoles_mm, normals = head["dipoles_mm"], head["normals"]
    areas = busy([]).circuit.areas
    assert normals == [list(each.normal) for each in areas]
    # half of 1.5 mm
    want_mm = [np.array(each.position_mm) - 0.75 * np.array(each.normal) for each in areas]
    np.testing.assert_allclose(dipoles_mm, want_mm, rtol=1e-12)
    of_eeg = operators.FourSphere(scalp_mm, dipoles_mm, head["centre_mm"]).along(normals)
    np.testing.assert_allclose(
        eeg, dipole.values @ of_eeg.matrix.T, atol=1e-12 * float(abs(eeg).max())
    )
    assert eeg.attrs["units"] == "V" and eeg.shape == (30, 64) and abs(eeg).max() > 0.0
    assert meg.attrs["units"] == "T and T/m" and meg.shape == (30, 306)
    assert set(meg["unit"].values[meg["channel"].str.endswith("1").values]) == {"T"}
    coils, _, _ = jtfne.readouts._sensors.helmet_coils("neuromag", None)
    of_meg = operators.SarvasSphere.of_coils(coils, dipoles_mm, head["centre_mm"]).along(normals)
    want = dipole.values @ of_meg.matrix.T
    for unit in ("T", "T/m"):
        mine = (meg["unit"] == unit).values
        np.testing.assert_allclose(
            meg[:, mine], want[:, mine], atol=1e-12 * np.abs(want[:, mine]).max()
        )


def test_sensors_and_head_are_those_declared():
    spheres = {"centre_mm": [0.0, 0.0, 45.0], "radii_mm": [80.0, 82.0, 86.0, 92.0]}
    probes = ({"kind": "eeg", "montage": "colin27_1020", "sites": ["Oz", "Cz"], "head": spheres},
              {"kind": "meg", "helmet": "ctf275", "head": spheres})  # fmt: skip
    signals = simulate(jtfne.construct(still(probes=probes)))
    eeg, meg = signals.get("eeg"), signals.get("meg")
    assert eeg["channel"].values.tolist() == ["Oz", "Cz"] and eeg["y_mm"][0] < eeg["y_mm"][1]
    away = np.linalg.norm(
        np.column_stack([eeg[f"{a}_mm"] for a in "xyz"]) - [0.0, 0.0, 45.0], axis=1
    )
    np.testing.assert_allclose(away, 92.0)
    assert (
        meg.sizes["channel"] > 270
        and meg.attrs["units"] in ("T", "T and T/m")
        and abs(meg).max() > 0.0
    )


@pytest.fixture(scope="module")
def forwards(tmp_path_factory):
    """Forward solutions of MNE for dipoles at two areas and elsewhere: EEG and MEG."""
    folder = tmp_path_factory.mktemp("forwards")
    areas = [
        np.array(each.position_mm) - 0.75 * np.array(each.normal)
        for each in still(areas=("V1", "V2")).circuit.areas
    ]
    places_mm = np.concatenate([heads.dipoles_mm(0.5), areas])
    made = {
        "eeg": heads.forward(heads.eeg_info(), places_mm),
        "meg": heads.forward(heads.meg_info(), places_mm),
    }
    for name, each in made.items():
        mne.write_forward_solution(folder / f"{name}-fwd.fif", each, verbose="error")
    return folder, places_mm


def seen_by(forwards, name, **declared):
    """A readout of two areas by a forward, their moments, and the operator of the forward."""
    path = forwards[0] / f"{name}-fwd.fif"
    kind = "meg" if name == "meg" else "eeg"
    probe = {"kind": kind, "head": {"kind": "Forward", "path": str(path)}, **declared}
    signals = simulate(jtfne.construct(still(areas=("V1", "V2"), probes=("dipole", probe))))
    forward = mne.read_forward_solution(path, verbose="error")
    return signals.get(kind), signals.get("dipole").values, forward


def test_a_forward_is_applied_to_the_nearest_sources(forwards):
    normals = [each.normal for each in still(areas=("V1", "V2")).circuit.areas]
    for name, unit in (("eeg", "V"), ("meg", "T and T/m")):
        found, dipole, forward = seen_by(forwards, name)
        # the areas are its last two sources
        lead = np.asarray(operators.FromForward(forward).matrix)[:, -2:]
        want = dipole @ np.einsum("cak,ak->ac", lead, normals)
        np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-12 * np.abs(want).max())
        assert (
            found.attrs["units"] == unit
            and found["channel"].values.tolist() == forward["sol"]["row_names"]
        )
        about = json.loads(found.attrs["operator"])
        assert about["forward_sources"] == [8, 9] and len(about["forward_sha256"]) == 64
        # metres in single precision
        np.testing.assert_allclose(about["dipoles_mm"], forwards[1][-2:], atol=1e-3)
    # coils round the head
    assert np.linalg.norm([found[f"{axis}_mm"] for axis in "xyz"], axis=0).min() > 60.0


def test_a_forward_that_does_not_fit_is_refused(forwards, monkeypatch):
    with pytest.raises(jtfne.JtfneError, match=r"unknown channel 'Ozz'.*nearest: 'Oz'.*EEG\.head"):
        seen_by(forwards, "eeg", sites=["Ozz"])
    with pytest.raises(
        jtfne.JtfneError, match=r"area 0 at.* mm from the nearest source.*within 10 mm"
    ):
        head = {"kind": "Forward", "path": str(forwards[0] / "eeg-fwd.fif")}
        simulate(jtfne.construct(still(areas=("M1",), probes=({"kind": "eeg", "head": head},))))
    with pytest.raises(jtfne.JtfneError, match="a forward without MEG channels"):
        simulate(jtfne.construct(still(probes=({"kind": "meg", "head": head},))))
    broken = forwards[0] / "broken-fwd.fif"
    broken.write_bytes(b"none")
    with pytest.raises(jtfne.JtfneError, match="which MNE cannot read"):
        simulate(
            jtfne.construct(still(probes=({"kind": "meg", "head": {**head, "path": str(broken)}},)))
        )
    free = mne.read_forward_solution(head["path"], verbose="error")
    fixed = mne.convert_forward_solution(free, force_fixed=True, use_cps=False, verbose="error")
    monkeypatch.setattr(mne, "read_forward_solution", lambda path, verbose: fixed)
    with pytest.raises(jtfne.JtfneError, match=r"fixed orientation.*free orientation"):
        seen_by(forwards, "eeg")


# What they rest on


def test_silence_is_zero():
    names = ("lfp", "csd", "dipole", "eeg", "meg")
    signals = simulate(jtfne.construct(still(drive=0.0, probes=names)))
    assert not any(signals.get(name).values.any() for name in names)


def test_a_cell_of_two_compartments_is_its_axial_current():
    """At rest but for a current into the soma: what the dendrite draws is g_c (v_d - v), drawn down
    inside the cell.
    """
    cell = TwoCompartment(v_th_mV=0.0)
    config = still(emitter=cell, drive=300.0, probes=("dipole",)).runtime(duration_ms=300.0)
    dipole = recorded(config, "dipole")
    assert [each["mechanism"] for each in json.loads(dipole.attrs["operator"])["maps"]] == [
        ["axial"]
    ]
    soma_mm = jtfne.construct(config).identity.position_mm[:, 2]
    # from the soma through the dendrite
    g_through_nS = 1.0 / (1.0 / cell.g_c_nS + 1.0 / cell.g_d_nS)
    axial_pA = -300.0 * g_through_nS / (g_through_nS + cell.g_s_nS)  # towards the dendrite
    want = -axial_pA * 1e-15 * soma_mm.sum() / 2.0
    np.testing.assert_allclose(dipole.values[-1], want, rtol=1e-9)


NAMES = ("spk", "lfp", "csd", "dipole", "eeg", "meg", "lfp_proxy", "source")


def hashes(config, **how):
    signals = simulate(jtfne.construct(config), **how)
    return {name: each["sha256"] for name, each in signals.manifest["readouts"].items()}


@pytest.fixture(scope="module")
def whole():
    return hashes(busy(NAMES), chunk_steps=1000)


@pytest.mark.parametrize("chunk_steps", [1, 33, 100])
@pytest.mark.as_users
def test_same_bits_for_any_chunk(whole, chunk_steps):
    assert hashes(busy(NAMES), chunk_steps=chunk_steps) == whole


@pytest.mark.parametrize(
    "names", [("spk",), ("lfp",), ("spk", "dipole"), ("meg", "eeg"), ("csd", "source")]
)
@pytest.mark.as_users
def test_a_probe_changes_no_other(whole, names):
    assert hashes(busy(names)) == {name: whole[name] for name in names}


def test_declared_maps_keep_currents_apart_that_decay_alike():
    alike = busy(["lfp"]).connections(
        [{"source": s, "target": "E", "mechanism": m, "weight": w, "rule": "AllToAll"}
         for s, m, w in (("E", "NMDA", 1.0), ("PV", "GABA_B", -1.0))]
    )  # fmt: skip
    assert len(jtfne.construct(alike).to_flat(tracked=False).receptors) == 1
    with pytest.raises(
        jtfne.JtfneError, match=r"'NMDA' and 'GABA_B', which decay alike.*keep them apart"
    ):
        simulate(jtfne.construct(alike))
    apart = jtfne.construct(alike.source(maps=open_field("E")))
    assert apart.to_flat(tracked=False).receptors == (("NMDA",), ("GABA_B",))
    assert abs(simulate(apart).get("lfp")).max() > 0.0


def test_a_mechanism_without_sign_goes_by_its_weights():
    """And one of both signs, whose excitation and inhibition could not be told apart, is
    refused.
    """
    edges = [{"source": s, "target": "E", "mechanism": "own", "weight": w, "rule": "AllToAll"}
             for s, w in (("E", 1.0), ("PV", -1.0))]  # fmt: skip
    own = (
        busy(["dipole"]).connections([]).mechanisms({"own": Exponential(tau_ms=3.0), "g": INHIBITS})
    )

    def loops(edge):
        net = jtfne.construct(own.connections([edge]))
        return plan(net, net.config).recorders[0].source.slots[0]

    for edge, sign, mechanism in zip(edges, (1, -1), ("AMPA", "GABA_A"), strict=True):
        assert (
            loops(edge) == (((0, 1), (EXTERNAL, sign)),) == loops(edge | {"mechanism": mechanism})
        )
    # reverses at -80 mV: inhibits, though no weight is negative
    opened = edges[0] | {"mechanism": "g"}
    assert loops(opened) == (((0, 1), (EXTERNAL, -1)),)
    with pytest.raises(
        jtfne.JtfneError, match="mechanism 'own' with weights of both signs onto 'E'"
    ):
        simulate(jtfne.construct(own.connections(edges)))
    with pytest.raises(
        jtfne.JtfneError, match=r"mechanism 'own' with weights of both signs.*for each sign"
    ):
        simulate(jtfne.construct(own.connections(edges).probes(["rws"])))
    mapped = own.connections(edges).source(
        maps=[SourceMap(mechanism="own", enters="AtSoma", returns="AtSoma")]
    )
    assert plan(net := jtfne.construct(mapped), net.config).recorders[0].source.slots[0] == (
        ((EXTERNAL, 1),),
    )


def test_a_run_on_disk_has_the_same_fields(tmp_path, whole):
    signals = simulate(jtfne.construct(busy(NAMES)), out=tmp_path / "run", chunk_steps=100)
    assert {name: each["sha256"] for name, each in signals.manifest["readouts"].items()} == whole
    again = jtfne.load(tmp_path / "run")
    assert (
        again.get("lfp").shape == (30, 2, 16)
        and again.manifest["operators"]["meg"]["helmet"] == "neuromag"
    )


def test_what_has_no_place_is_refused():
    bare = still().set("circuit.cell_params", {}).set("circuit.emitters", {})
    own = bare.cells({"X": 1.0}, n=N_CELLS).emitters({"X": LIF()})
    with pytest.raises(jtfne.JtfneError, match="cell type 'X' without a source map"):
        simulate(jtfne.construct(own))
    assert not simulate(jtfne.construct(own.source(maps=closed_field("X")))).get("dipole").any()


def test_probes_share_one_pass():
    config = busy(["lfp", "csd", "dipole", "eeg", "meg"])
    planned = plan(jtfne.construct(config), config)
    (recorder,) = planned.recorders
    # excitation minus inhibition, and drive
    assert len(recorder.parts) == 5 and len(recorder.source.parts) == 1
    assert [probe.name for probe in planned.probes] == ["lfp", "csd", "dipole", "eeg", "meg"]
