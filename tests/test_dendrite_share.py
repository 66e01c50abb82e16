"""Where on a cell of two compartments each receptor lies: closed forms of what it holds the
membrane at.
"""

import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from circuits import Watch, clock, inputs
from jtfne import delivery, engine
from jtfne._precision import precision
from jtfne.emitters import LIF, TwoCompartment
from jtfne.flatnet import FlatNet
from jtfne.synapses import NMDA, BiExponential, BiExponentialConductance, Conductance, Exponential

CELL = TwoCompartment(v_th_mV=1e3, dendrite_share=0.6)
FOREVER_ms = 1e12
LASTING = {"tau_rise_ms": 0.5, "tau_decay_ms": FOREVER_ms}
# Currents and conductances, of one row and of two, with a share of their own or without; weight in
# pA or nS.
GIVEN = {
    "soma": (Conductance(tau_ms=FOREVER_ms, e_rev_mV=-80.0, dendrite_share=0.0), 7.0),
    "lent": (Exponential(tau_ms=FOREVER_ms, dendrite_share=0.25), 90.0),
    "tuft": (BiExponentialConductance(**LASTING, e_rev_mV=0.0, dendrite_share=1.0), 5.0),
    "cell": (Conductance(tau_ms=FOREVER_ms, e_rev_mV=-10.0), 3.0),
    "both": (BiExponential(**LASTING, dendrite_share=0.75), 120.0),
    "mg": (NMDA(**LASTING, dendrite_share=0.9), 8.0),
    "own": (Exponential(tau_ms=FOREVER_ms), -60.0),
}


def net_of(names, emitter=CELL):
    """Cell A, which a pulse makes spike at once, and cell B, on which it opens the receptors
    `names` for ever.
    """
    edges = [
        {
            "source": "A",
            "target": "B",
            "mechanism": name,
            "weight": GIVEN[name][1],
            "delay_ms": 1.0,
            "rule": "AllToAll",
        }
        for name in names
    ]
    cfg = (
        jtfne.Config().runtime(dtype="float64").areas(["V1"]).layers(["L4"]).cells({"A": 1, "B": 1})
    )
    cfg = cfg.emitters({"A": LIF(), "B": emitter}).mechanisms(
        {name: GIVEN[name][0] for name in names}
    )
    return jtfne.construct(cfg.connections(edges))


def at_last(net):
    """v and v_d of cell B after 400 ms, forty times its longest time constant."""
    pulse = np.zeros(4000)
    pulse[0] = 1.0
    with precision("float64"):
        flat = net.to_flat()
        given = inputs(2, [1e6, 0.0], np.float64)
        carry = engine.start(flat.circuit, given, jtfne._keys.streams(jtfne._keys.key(0)))
        watch = Watch(lambda view: jnp.stack([view.cells[1].v_mV, view.cells[1].v_d_mV]))
        _, chunk = engine.advance_jit(
            flat.circuit, given, (watch,), carry, clock(4000, pulse, np.float64), 0.1
        )
    return np.asarray(chunk.recorded[0])[-1, :, 0]


def steady_mV(names):
    """Where both membrane equations, g_s (E - v) + g_c (v_d - v) + sum (1 - s) (i + g (e - v)) and
    so on, are zero.

    They are linear but for the block, which is found by putting in the v that it gives.
    """
    v_mV = np.full(2, -60.0)
    for _ in range(100):
        opened_nS, driven_pA = np.diag([10.0 + 10.0, 20.0 + 10.0]), np.array([10.0, 20.0]) * -70.6
        for synapse, weight in map(GIVEN.get, names):
            share = 0.6 if synapse.dendrite_share is None else synapse.dendrite_share
            onto = weight * np.array([1.0 - share, share])
            if synapse.unit == "nS":
                onto /= 1.0 + getattr(synapse, "mg_mM", 0.0) / 3.57 * np.exp(-0.062 * v_mV[0])
                opened_nS += np.diag(onto)
            driven_pA += onto * (1.0 if synapse.unit == "pA" else synapse.e_rev_mV)
        v_mV = np.linalg.solve(opened_nS - 10.0 * (1.0 - np.eye(2)), driven_pA)
    return v_mV


@pytest.mark.parametrize(
    "names", [("soma",), ("tuft",), ("cell",), ("mg",), ("lent", "own"), tuple(GIVEN)]
)
def test_both_compartments_rest_where_their_receptors_hold_them(names):
    """A receptor of e^-(400/1e12) decay; dt enters only by the 1 - O(dt/tau) of a mean."""
    found = at_last(net_of(names))
    np.testing.assert_allclose(found, steady_mV(names), rtol=1e-8)
    assert np.abs(found - CELL.v_rest_mV).max() > 0.5


def test_a_synapse_at_the_soma_and_one_on_the_dendrite_are_mirrored():
    """The near compartment moves further than the far one, and the far one by g_c / (g_c + g_leak)
    of it.
    """
    (soma, soma_d), (tuft, tuft_d) = (at_last(net_of((name,))) + 70.6 for name in ("soma", "tuft"))
    np.testing.assert_allclose(soma_d / soma, 10.0 / (10.0 + 20.0), rtol=1e-8)
    np.testing.assert_allclose(tuft / tuft_d, 10.0 / (10.0 + 10.0), rtol=1e-8)


def test_receptors_at_different_places_have_a_row_each():
    names = ("lent", "own")
    for share, rows in ((0.25, (("lent",), ("own",))), (None, (("lent", "own"),))):
        net = net_of(names)
        kinds = {
            "lent": Exponential(tau_ms=FOREVER_ms, dendrite_share=share),
            "own": GIVEN["own"][0],
        }
        net = jtfne.construct(net.config.mechanisms(kinds).runtime(dtype="float32"))
        assert FlatNet.of(net, dt_ms=0.1, tracked=False).receptors == rows
        assert (net.to_flat().circuit.dendrite_share is None) == (share is None)


def test_a_cell_without_a_dendrite_does_not_look_at_it():
    found = []
    for share in (None, 0.3):
        opened = Conductance(tau_ms=5.0, e_rev_mV=0.0, dendrite_share=share)
        cfg = net_of(("cell",), LIF()).config.mechanisms({"cell": opened})
        found.append(
            jtfne.construct(cfg.probes(["vm"]).runtime(duration_ms=20.0))
            .simulate()
            .get("vm")
            .values
        )
    np.testing.assert_array_equal(*found)


@pytest.mark.as_users
def test_sharded_runs_know_where_receptors_lie():
    cfg = net_of(("tuft", "soma", "own")).config.cell_params({"A": {"drive": 600.0}}).probes(["vm"])
    cfg = cfg.runtime(duration_ms=30.0, dtype="float32")
    one, other = (
        jtfne.construct(cfg).simulate(delivery=each)
        for each in (delivery.Event(), delivery.Sharded())
    )
    np.testing.assert_array_equal(one.get("vm").values, other.get("vm").values)
    assert np.ptp(one.get("vm").values[:, 1]) > 1.0


def test_a_share_is_written_only_where_there_is_one():
    """So that configs without any keep the hash that they had before there were shares."""
    plain, sited = (net_of(names).config for names in (("cell",), ("tuft",)))
    assert [each.to_json().count("dendrite_share") for each in (plain, sited)] == [1, 2], (
        "one is that of the cell"
    )
    for cfg in (plain, sited):
        assert jtfne.Config.from_json(cfg.to_json()) == cfg == jtfne.Config.from_toml(cfg.to_toml())
