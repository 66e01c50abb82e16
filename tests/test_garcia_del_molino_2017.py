"""The circuit of Garcia del Molino et al. (2017): its W in synapses, its rates by Siegert, its
reversal in spikes.
"""

import numpy as np
import pytest

import jtfne
from docs.validation._garcia_del_molino_2017 import (
    ONTO_VIP,
    BACKGROUND_pA,
    BASELINES_Hz,
    G_L_nS,
    MeanField,
    TAU_M_ms,
    W_pA_PER_Hz,
    before_and_change_Hz,
    binned_Hz,
    gain_Hz_per_pA,
    noise_of_the_gain_mV,
    phi_Hz,
    response_Hz,
)
from jtfne.presets import garcia_del_molino_2017 as preset
from jtfne.presets.garcia_del_molino_2017 import TYPES, NOISE_mV, STEP_ms, TOP_DOWN_pA
from jtfne.presets.garcia_del_molino_2017 import BACKGROUND_pA as LIF_BACKGROUND_pA

pytestmark = pytest.mark.as_users  # simulates for long

SST, N_SEEDS = 2, 3
# At the low baseline, sd between seeds of rates and of their change:
# docs/validation/garcia_del_molino_2017.rst.
SPREAD_Hz = np.array([[0.04, 0.08, 0.23, 0.16], [0.09, 0.06, 0.20, 0.32]])


def test_synapses_carry_the_published_pA_a_hertz():
    net = jtfne.construct(preset())
    kind = net.neurons["cell_type"].map({name: k for k, name in enumerate(TYPES)}).to_numpy()
    edges, mechanisms = net.edges, net.config.circuit.mechanisms
    onto, of = (kind[edges[name].to_numpy()] for name in ("target", "source"))
    tau_ms = np.array([mechanisms[name].tau_ms for name in TYPES])
    charge_pA_ms = edges["weight_pA"].to_numpy().astype(np.float64) * tau_ms[of]
    total = np.zeros((4, 4))
    np.add.at(total, (onto, of), charge_pA_ms)
    per_cell = total / np.bincount(kind)[:, None] / 1e3  # pA s, which is pA a Hz
    np.testing.assert_allclose(per_cell, W_pA_PER_Hz, rtol=1e-5)


def test_membranes_are_the_published_ones_and_noise_is_that_of_the_free_membrane():
    for k, population in enumerate(preset().populations()):
        cell = population.emitter
        assert population.cell_type == TYPES[k]
        assert (cell.tau_m_ms, cell.c_m_pF / cell.tau_m_ms) == (
            TAU_M_ms[k],
            pytest.approx(G_L_nS[k]),
        )
        assert (cell.v_rest_mV, cell.v_th_mV, cell.v_reset_mV, cell.t_ref_ms) == (
            -70.0,
            -50.0,
            -60.0,
            0.0,
        )
        # The sd of v' = -v / tau + noise / C, noise white of `population.noise`^2 times 1 ms.
        sd_mV = population.noise / cell.c_m_pF * np.sqrt(cell.tau_m_ms / 2.0)
        assert sd_mV == pytest.approx(NOISE_mV[k])
        assert population.drive == LIF_BACKGROUND_pA["low"][k]


def test_the_published_rates_rest_where_they_are_said_to_and_top_down_input_reverses():
    """The sign of what 1 pA onto VIP does to SST, by linear algebra, and of what 10 pA do, in
    time.
    """
    for baseline, sign in (("low", -1.0), ("high", 1.0)):
        rates_Hz = BASELINES_Hz[baseline]
        total_pA = BACKGROUND_pA[baseline] + W_pA_PER_Hz @ rates_Hz
        # currents are printed to 0.01 pA
        np.testing.assert_allclose(phi_Hz(total_pA), rates_Hz, rtol=2e-3)
        linear = np.linalg.solve(np.diag(1.0 / gain_Hz_per_pA(total_pA)) - W_pA_PER_Hz, ONTO_VIP)
        assert np.sign(linear[SST]) == sign == np.sign(response_Hz(baseline)[SST])
        assert response_Hz(baseline)[3] > 0.0


def test_noise_and_currents_of_the_preset_are_those_derived():
    np.testing.assert_allclose(noise_of_the_gain_mV(), NOISE_mV, atol=0.006)  # rounded to 0.01
    for baseline, rates_Hz in BASELINES_Hz.items():
        currents_pA = MeanField(np.array(NOISE_mV)).background_pA(rates_Hz)
        np.testing.assert_allclose(currents_pA, LIF_BACKGROUND_pA[baseline], atol=0.006)
    assert STEP_ms == preset().run.dt_ms


def test_with_noise_of_1_mV_lif_cells_are_too_steep_for_it():
    """Why noise is derived: SST falls at 1 pA onto VIP, but at the low baseline it rises at 10
    pA.
    """
    field, rates_Hz = MeanField(np.ones(4)), BASELINES_Hz["low"]
    currents_pA = field.background_pA(rates_Hz)
    one, ten = (
        field.settled_Hz(currents_pA + more_pA * ONTO_VIP, rates_Hz)[SST]
        for more_pA in (1.0, TOP_DOWN_pA)
    )
    assert one < rates_Hz[SST] < ten


@pytest.mark.parametrize(("baseline", "sign"), [("low", -1.0), ("high", 1.0)])
def test_the_spiking_network_reverses_too(baseline, sign):
    """Of SST, whose change is beyond four standard errors, and has one sign with every seed."""
    runs = [
        jtfne.construct(preset(baseline, seed)).simulate(progress=False) for seed in range(N_SEEDS)
    ]
    # (4, n_seeds)
    before, change = np.transpose([before_and_change_Hz(binned_Hz(run)) for run in runs], (1, 2, 0))
    error = change.std(axis=1, ddof=1) / np.sqrt(N_SEEDS)
    assert (sign * change[SST] > 0.0).all() and sign * change[SST].mean() > 4.0 * error[SST]
    assert (change[3] > 0.0).all() and (change[0] > 0.0).all(), "VIP is driven, and E is set free"
    if baseline == "low":  # where cells are nearly independent, the mean field holds
        field, currents_pA = MeanField(np.array(NOISE_mV)), np.array(LIF_BACKGROUND_pA[baseline])
        expected = (
            field.settled_Hz(currents_pA + TOP_DOWN_pA * ONTO_VIP, BASELINES_Hz[baseline])
            - BASELINES_Hz["low"]
        )
        margin = 4.0 / np.sqrt(N_SEEDS)
        assert (np.abs(before.mean(axis=1) - BASELINES_Hz[baseline]) < margin * SPREAD_Hz[0]).all()
        assert (np.abs(change.mean(axis=1) - expected) < margin * SPREAD_Hz[1]).all()
    else:  # 6 % below the mean field, and four standard errors of at most 0.7 Hz between seeds
        np.testing.assert_allclose(
            before.mean(axis=1), BASELINES_Hz[baseline], rtol=0.06, atol=4.0 * 0.7 / N_SEEDS**0.5
        )


def test_an_unknown_baseline_is_refused():
    with pytest.raises(
        jtfne.JtfneError,
        match="unknown baseline 'lwo'; expected 'low', 'high'; nearest: 'low'",
    ):
        preset("lwo")
