"""Jumps of the membrane (`Delta`): when they act, on whom, and what they stand for in the balance
of currents.
"""

import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from circuits import FIRES
from jtfne._check import JtfneError
from jtfne.emitters import EMITTERS, LIF, Conductances, SynapticInput
from jtfne.synapses import Delta, Exponential

# Of `iaf_psc_delta` in NEST 3.10 (resolution 0.1): C_m 250, tau_m 20, E_L 0, V_th 20, V_reset 10,
# t_ref 2, V_m 0;
# spikes at 1, 3, 4 and 5.5 ms of 5, 5, 25 and 5 mV with a delay of 0.1, one spike_generator each.
NEST_v_mV = {
    1.1: 5.0,
    1.2: 4.9750624,
    3.1: 9.52418709,
    4.0: 9.10509887,
    4.2: 10.0,
    6.1: 10.0,
    6.2: 9.95012479,
}
NEST_SPIKES_ms = [4.1]
CELL = LIF(tau_m_ms=20.0, v_rest_mV=0.0, v_th_mV=20.0, v_reset_mV=10.0)
JUMPS_mV = {1.0: 5.0, 3.0: 5.0, 4.0: 25.0, 5.5: 5.0}  # the last meets a refractory cell
MEMBRANES = [kind for kind, cls in EMITTERS.items() if getattr(cls, "receives", True)]


def config(**cells):
    """A cell of each model, in double precision; `d` is a jump."""
    return (
        jtfne.Config()
        .runtime(dtype="float64", duration_ms=10.0, dt_ms=0.1)
        .areas(["V1"])
        .layers(["L4"])
        .cells(dict.fromkeys(cells, 1))
        .emitters(cells)
        .mechanisms({"d": Delta()})
        .probes(["spk", {"kind": "vm", "interval_ms": 0.1}, {"kind": "source", "interval_ms": 0.1}])
    )


def jumps(target, table):
    """Stimuli that move `target` at the times of `table`, which have arrived a step later."""
    return [
        {"target": target, "label": f"{target} {at_ms}",
         "drive": {"kind": "SpikeTimes", "times_ms": [at_ms], "weight_mV": mV, "mechanism": "d"}}
        for at_ms, mV in table.items()
    ]  # fmt: skip


def step_of_arrival(signals, cell_type="A"):
    """Where the first jump stands in `vm`: the grid on which stimuli lie is no matter of these
    tests.
    """
    v_mV = signals.get("vm", cell_type=cell_type).values[:, 0]
    return int(np.flatnonzero(np.abs(np.diff(v_mV)) > 1.0)[0]) + 1


def test_a_cell_is_that_of_nest():
    """A jump moves v at its arrival; one across the threshold is a spike there; one into a
    refractory cell is lost.
    """
    cfg = (
        config(A=CELL)
        .cell_params({"A": {"v_init_mV": 0.0}})
        .stimuli(jumps("A", JUMPS_mV))
        .source("synaptic_current")
    )
    signals = jtfne.construct(cfg).simulate()
    # steps of 0.1 ms from 1.1 ms
    v_mV, late = signals.get("vm").values[:, 0], step_of_arrival(signals) - 10
    for at_ms, want_mV in NEST_v_mV.items():
        np.testing.assert_allclose(v_mV[round(at_ms / 0.1) - 1 + late], want_mV, atol=1e-7)
    np.testing.assert_allclose(
        signals.spikes["time_ms"], np.array(NEST_SPIKES_ms) + 0.1 * late, atol=1e-9
    )
    charge_fC = -signals.get("source").values.sum() * 0.1
    # not that which is lost
    np.testing.assert_allclose(charge_fC, CELL.c_m_pF * (5.0 + 5.0 + 25.0), rtol=1e-9)


def test_a_spike_arrives_after_its_delay():
    """From spike to the spike that a jump makes, over one step and over many, it takes the
    delay.
    """
    edges = [{"source": "A", "target": name, "mechanism": "d", "weight": 30.0, "delay_ms": delay_ms,
              "rule": "AllToAll"} for name, delay_ms in (("B", 0.1), ("C", 1.5))]  # fmt: skip
    cfg = config(A=CELL, B=CELL, C=CELL).mechanisms({"d": Delta(sign=1)}).connections(edges)
    signals = jtfne.construct(cfg.stimuli(jumps("A", {1.0: 30.0}))).simulate()
    by_type = {
        name: list(part["time_ms"])
        for name, part in signals.spikes.groupby("cell_type", observed=True)
    }
    first_ms = by_type["A"][0]
    np.testing.assert_allclose(
        [by_type["B"][0] - first_ms, by_type["C"][0] - first_ms], [0.1, 1.5], atol=1e-9
    )


@pytest.mark.parametrize("kind", MEMBRANES)
def test_every_membrane_jumps_once_and_its_currents_balance(kind):
    """A step with a jump of J ends J above one without, unless it ends in a spike, and the terms
    sum to zero.
    """
    cell = EMITTERS[kind]()
    state = cell.init(jnp.zeros(3))
    none = SynapticInput(jnp.full((1, 3), 40.0), jnp.array([2.0]),
                         Conductances(jnp.full((1, 3), 2.0), jnp.array([5.0]), jnp.array([-10.0])))  # fmt: skip
    jump_mV = jnp.array([[0.5, -0.5, 0.0], [0.25, 0.0, 0.0]])
    syn = none._replace(jumps_mV=jump_mV, dendrite_share=jnp.array([0.0, 0.0, 0.25, 0.0]))
    i_pA = jnp.full(3, FIRES[kind] * float(cell.input_pA) * 0.1)
    quiet, _ = cell.step(state, i_pA, none._replace(dendrite_share=jnp.zeros(2)), 0.1)
    after, spikes = cell.step(state, i_pA, syn, 0.1)
    at_soma = jnp.array([0.75, 1.0]) if kind == "TwoCompartment" else jnp.ones(2)
    assert not spikes.any()
    np.testing.assert_allclose(after.v_mV - quiet.v_mV, at_soma @ jump_mV, atol=1e-4)
    if kind == "TwoCompartment":
        np.testing.assert_allclose(after.v_d_mV - quiet.v_d_mV, 0.25 * jump_mV[0], atol=1e-4)
    balance = cell.balance(state, after, i_pA, syn, 0.1)
    scale = float(jnp.abs(jnp.stack(balance)).max())
    assert scale > 100.0
    np.testing.assert_allclose(sum(balance), 0.0, atol=1e-3 * scale)
    without = cell.balance(state, quiet, i_pA, none._replace(dendrite_share=jnp.zeros(2)), 0.1)
    brought = cell.jumped_pA(state, syn, 0.1).sum(0)
    np.testing.assert_allclose(balance.synaptic - without.synaptic, -brought, atol=2e-3 * scale)


@pytest.mark.parametrize("kind", MEMBRANES)
def test_a_jump_across_the_threshold_is_a_spike(kind):
    cell = EMITTERS[kind]()
    silent = SynapticInput(jnp.zeros((0, 2)), jnp.zeros(0), jumps_mV=jnp.array([[150.0, 0.0]]),
                           dendrite_share=jnp.zeros(1))  # fmt: skip
    _, spikes = cell.step(cell.init(jnp.zeros(2)), jnp.zeros(2), silent, 0.1)
    assert spikes.tolist() == [True, False]


def test_what_each_mechanism_brings_is_told_apart():
    """Weighted sums and source maps see a jump as the current C J / dt of its mechanism, beside
    currents.
    """
    cfg = (
        config(E=LIF())
        .mechanisms({"d": Delta(sign=1), "i": Delta(sign=-1), "x": Exponential(tau_ms=2.0, sign=1)})
        .stimuli([
            {"target": "E", "label": name,
             "drive": {"kind": "SpikeTimes", "times_ms": [2.0], "mechanism": name, **weight}}
            for name, weight in {"d": {"weight_mV": 0.5}, "i": {"weight_mV": -0.25}, "x": {"weight_pA": 60.0}}.items()
        ])
        .cell_params({"E": {"v_init_mV": -65.0}})
        .probes(["spk", {"kind": "vm", "interval_ms": 0.1}, {"kind": "source", "interval_ms": 0.1}])
    )  # fmt: skip
    flat_charge = {}
    for mode in ("synaptic_current", "total_membrane_current", "input_current"):
        signals = jtfne.construct(cfg.source(mode)).simulate()
        flat_charge[mode] = signals.get("source").values.sum() * 0.1
    received = 250.0 * (0.5 - 0.25) + 60.0 * 2.0 * -np.expm1(-(10.0 - 2.1) / 2.0)
    # 2 %: a step of the decay
    np.testing.assert_allclose(-flat_charge["synaptic_current"], received, rtol=2e-2)
    np.testing.assert_allclose(
        flat_charge["input_current"], flat_charge["synaptic_current"], rtol=1e-9
    )
    np.testing.assert_allclose(flat_charge["total_membrane_current"], 0.0, atol=1e-6)


def test_what_cannot_jump_is_refused():
    edge = {"source": "A", "target": "P", "mechanism": "d", "weight": 1.0, "rule": "AllToAll"}
    cfg = config(A=CELL, P=EMITTERS["PoissonSource"](rate_Hz=5.0)).mechanisms({"d": Delta(sign=1)})
    with pytest.raises(JtfneError, match="which only send"):
        cfg.connections([edge])
    with pytest.raises(
        JtfneError, match=r"weight_pA=3.*weight_mV, since mechanism 'd' is of kind Delta"
    ):
        cfg.stimuli(
            [
                {
                    "target": "A",
                    "drive": {
                        "kind": "Poisson",
                        "rate_Hz": 5.0,
                        "weight_pA": 3.0,
                        "mechanism": "d",
                    },
                }
            ]
        )
    with pytest.raises(JtfneError, match=r"weight=-1 mV; expected positive"):
        cfg.connections([{**edge, "target": "A", "weight": -1.0}])
    with pytest.raises(JtfneError, match="exactly one"):
        jtfne.Paradigm.poisson(target="A", rate_Hz=5.0, weight_mV=1.0, weight_pA=1.0, mechanism="d")


def test_a_rate_of_the_mean_field_knows_jumps():
    """The rate to be expected of cells under jumps is that under currents so short that they are
    jumps.
    """

    def expected_Hz(mechanism, **weight):
        rain = {"kind": "Poisson", "rate_Hz": 1e4, "mechanism": "d", **weight}
        cfg = config(A=CELL).mechanisms({"d": mechanism}).stimuli([{"target": "A", "drive": rain}])
        return float(jtfne.construct(cfg).summary().populations["expected_rate_Hz"].iloc[0])

    jumps_Hz = expected_Hz(Delta(sign=1), weight_mV=0.1)
    assert 10.0 < jumps_Hz < 25.0
    currents_Hz = expected_Hz(Exponential(tau_ms=1e-6, sign=1), weight_pA=0.1 * 250.0 / 1e-6)
    np.testing.assert_allclose(jumps_Hz, currents_Hz, rtol=2e-3)


def test_cells_that_cannot_jump_may_stand_beside_those_that_do():
    """A source of spikes, which no jump reaches, brings no current into the readouts of the
    circuit.
    """
    cfg = config(A=CELL, P=EMITTERS["PoissonSource"](rate_Hz=0.0)).mechanisms({"d": Delta(sign=1)})
    cfg = cfg.stimuli(jumps("A", {1.0: 5.0}))
    cfg = cfg.source(maps=[{"enters": "AtSoma", "returns": {"kind": "AtDepth", "depth": 0}}])
    signals = jtfne.construct(cfg.probes(["source", {"kind": "lfp", "n_channels": 3}])).simulate()
    assert np.abs(signals.get("source", cell_type="A")).max() > 0.0
    assert not signals.get("source", cell_type="P").any()
    assert np.abs(signals.get("lfp")).max() > 0.0
