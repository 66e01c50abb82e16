"""A candidate is the circuit that is constructed with its values: to the bit, by the program that
was there before.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from jtfne import JtfneError, delivery
from jtfne.batch import names_of, run_batch
from jtfne.candidates import ParameterMap, choose_probe_values
from jtfne.config import Trainable
from jtfne.synapses import BiExponentialConductance

SPREAD = {"kind": "Uniform", "low": 0.2, "high": 0.6}
# of few cells, with multapses: synapses that meet and are merged
TWICE = {"kind": "FixedIndegree", "n": 30}


def config(**changed):
    """Two models, conductances with two rows beside currents, constant and drawn weights, merged
    synapses.
    """
    edges = [
        {"source": "E", "target": {}, "mechanism": "AMPA", "weight": 12.0, "rule": TWICE, "delay_ms": SPREAD},
        {"source": "E", "target": "L", "mechanism": "NMDA", "weight": {"kind": "Normal", "mean": 6.0, "sd": 1.0},
         "rule": TWICE, "delay_ms": SPREAD},
        {"source": "L", "target": "E", "mechanism": "inh", "weight": {"kind": "LogNormal", "mean": 0.4, "sd": 0.1},
         "rule": TWICE, "delay_ms": SPREAD},
    ]  # fmt: skip
    return (
        jtfne.Config()
        .runtime(seed=4, duration_ms=60.0)
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells({"E": 0.7, "L": 0.3}, n=60)
        .emitters({"L": {"kind": "LIF"}})
        .cell_params({"E": {"drive": 12.0}, "L": {"drive": 260.0, "noise": 20.0}})
        .mechanisms({"inh": BiExponentialConductance(tau_rise_ms=0.5, tau_decay_ms=6.0, e_rev_mV=-80.0)})
        .connections(edges)
        .probes(["spk", "vm"])
    )  # fmt: skip


NET = jtfne.construct(config())
EXACT = {
    "gains.E->L": 1.3,
    "gains.E->E": 0.0,
    "connections.E->all.weight": 17.7,
    "cells.E.drive": 11.3,
    "cells.L.noise": 31.0,
    "cells.E.d": 6.7,
    "cells.L.tau_m_ms": 13.1,
    "mechanisms.AMPA.tau_ms": 3.3,
    "mechanisms.inh.tau_rise_ms": 0.7,
    "mechanisms.inh.tau_decay_ms": 7.1,
    "mechanisms.inh.e_rev_mV": -71.0,
}
ROUNDED = {"connections.E->L.weight": 7.9, "connections.L->E.weight": 0.31}
each_delivery = pytest.mark.parametrize(
    "choice",
    [delivery.Event(), delivery.Sparse(), delivery.Dense()],
    ids=lambda choice: type(choice).__name__,
)


def leaves_of(flat):
    return dict(zip(names_of(flat), map(np.asarray, jax.tree.leaves(flat)), strict=True))


def map_of(values, net=NET, choice=None):
    return ParameterMap.build(
        net, list(values), [1.01 * each + 0.01 for each in values.values()], delivery=choice
    )


@each_delivery
@pytest.mark.parametrize(
    "paths", [[name] for name in EXACT] + [list(EXACT)], ids=lambda paths: "+".join(paths[:2])
)
@pytest.mark.as_users
def test_leaves_are_those_of_the_constructed_circuit_to_the_bit(paths, choice):
    values = {name: EXACT[name] for name in paths}
    leaves = map_of(values, choice=choice)
    built = jtfne.construct(leaves.config(list(values.values())))
    for net in (built, leaves.circuit(list(values.values()))):
        want, got = (
            leaves_of(net.to_flat(tracked=False, delivery=choice)),
            leaves_of(leaves.with_values(list(values.values()))),
        )
        assert list(want) == list(got)
        for name, each in want.items():
            np.testing.assert_array_equal(
                np.broadcast_to(each, got[name].shape), got[name], err_msg=name
            )


def test_weights_of_distributions_agree_to_rounding_and_spike_alike():
    values = {**EXACT, **ROUNDED, "gains.E->E": 0.8}
    leaves = map_of(values)
    numbers = list(values.values())
    built, mine = (
        leaves_of(net.to_flat(tracked=False))
        for net in (jtfne.construct(leaves.config(numbers)), leaves.circuit(numbers))
    )
    got = leaves_of(leaves.with_values(numbers))["circuit.delivery.weights"]
    np.testing.assert_array_equal(mine["circuit.delivery.weights"], got)
    # 4 roundings
    np.testing.assert_allclose(
        built["circuit.delivery.weights"], got, rtol=4 * np.finfo(np.float32).eps
    )
    assert np.any(built["circuit.delivery.weights"] != got)
    spikes = [
        net.simulate(progress=False).spikes
        for net in (jtfne.construct(leaves.config(numbers)), leaves.circuit(numbers))
    ]
    assert spikes[0].equals(spikes[1]) and len(spikes[0]) > 50


@each_delivery
def test_the_traced_map_is_the_same_and_has_a_slope(choice):
    values = {**EXACT, **ROUNDED}
    leaves = map_of(values, choice=choice)
    x = np.array(list(values.values()))
    traced = jax.jit(lambda x: leaves(x, jnp))(x)
    for name, each in leaves(x).items():
        np.testing.assert_allclose(traced[name], each, rtol=1e-6, err_msg=name)

    def total(x):
        return sum(jnp.sum(each) for each in leaves(x, jnp).values())

    slope = jax.grad(total)(jnp.asarray(x, jnp.float32))
    at = list(values).index("gains.E->L")
    one, two = (
        leaves({**dict(enumerate(x)), at: gain})["circuit.delivery.weights"].sum(dtype=float)
        for gain in (1, 2)
    )
    np.testing.assert_allclose(slope[at], two - one, rtol=1e-5)  # linear in a gain
    # one a cell, in pA
    np.testing.assert_allclose(slope[list(values).index("cells.L.noise")], 0.3 * 60, rtol=1e-6)


def test_a_batch_of_candidates_runs_by_one_program():
    names = ["gains.E->L", "cells.E.drive", "cells.L.tau_m_ms", "mechanisms.AMPA.tau_ms"]
    leaves = map_of({name: EXACT[name] for name in names}, choice=delivery.Event())
    candidates = [[1.3, 11.3, 13.1, 3.3], [0.0, 14.0, 10.0, 2.0], [2.0, 9.0, 20.0, 20.0]]
    each = [leaves(values) for values in candidates]
    stacked = {name: np.stack([one[name] for one in each]) for name in each[0]}
    keys = jax.random.split(jax.random.key(0), 1)[np.zeros(3, int)]
    words = run_batch(leaves.flat, keys, n_steps=600, values=stacked).words
    counts = jax.lax.population_count(words).sum((1, 2)).tolist()
    assert len(set(counts)) == 3
    for k, values in enumerate(candidates):
        alone = run_batch(leaves.with_values(values), keys[:1], n_steps=600).words
        np.testing.assert_array_equal(words[k], alone[0])


def test_gains_that_are_declared_already_are_replaced():
    net = jtfne.construct(config().connections(gains={"E->L": 0.5, "E->E": 2.0}))
    leaves = map_of({"gains.E->L": 1.3}, net)
    built = jtfne.construct(net.config.connections(gains={"E->L": 1.3, "E->E": 2.0}))
    for made in (leaves.circuit([1.3]), leaves):
        flat = made.with_values([1.3]) if made is leaves else made.to_flat(tracked=False)
        np.testing.assert_array_equal(
            leaves_of(flat)["circuit.delivery.weights"],
            leaves_of(built.to_flat(tracked=False))["circuit.delivery.weights"],
        )


def tunable(net, trainables, where, **given):
    typical = choose_probe_values(net.config, trainables, where)
    return ParameterMap.build(
        net, [each.path for each in trainables], typical, where=where, **given
    )


def tuned(path, bounds, net=NET, **given):
    return tunable(net, [Trainable(path=path, bounds=bounds)], "here", **given)


def test_what_nothing_depends_on_is_refused_by_name():
    with pytest.raises(
        JtfneError,
        match=r"'mechanisms\.GABA_B\.tau_ms', on which nothing depends.*'AMPA', 'NMDA', 'inh'",
    ):
        tuned("mechanisms.GABA_B.tau_ms", (5.0, 40.0))
    none = {
        "source": "L",
        "target": "E",
        "mechanism": "inh",
        "weight": 0.4,
        "rule": {"kind": "FixedProbability", "p": 0.0},
    }
    net = jtfne.construct(config().connections([*config().circuit.connections[:2], none]))
    for path in ("gains.L->E", "connections.L->E.weight"):
        with pytest.raises(JtfneError, match=f"{path!r}, on which nothing depends: no synapse"):
            tuned(path, (0.0, 2.0), net)


def test_synapses_that_change_are_refused_by_name_and_others_are_not():
    first, *rest = config().circuit.connections
    learning = first.model_copy(
        update={"plasticity": jtfne.synapses.ShortTerm(u=0.3, tau_rec_ms=100.0, tau_facil_ms=10.0)}
    )
    net = jtfne.construct(config().connections([learning, *rest]))
    for path in ("gains.E->L", "connections.E->all.weight"):
        with pytest.raises(JtfneError, match=f"{path!r}, to synapses that change as the run goes"):
            tuned(path, (0.0, 20.0), net)
    leaves = map_of({"connections.L->E.weight": 0.31}, net)
    want = leaves_of(leaves.circuit([0.31]).to_flat(tracked=False))
    got = leaves_of(leaves.with_values([0.31]))
    assert all(np.array_equal(each, got[name]) for name, each in want.items())


def test_other_circuits_that_cannot_be_tuned_are_refused():
    with pytest.raises(JtfneError, match=r"weights spread over devices.*Event\(\)"):
        tuned("gains.E->L", (0.0, 2.0), delivery=delivery.Sharded())
    nameless = jtfne.net.Net(NET.config, None, NET.projections)
    with pytest.raises(JtfneError, match="without identity"):
        tuned("gains.E->L", (0.0, 2.0), nameless)
    with pytest.raises(JtfneError, match=r"'cells\.E\.c_m_pF', with which the input unit"):
        tuned("cells.E.c_m_pF", (50.0, 200.0))
    with pytest.raises(JtfneError, match="nothing to tune"):
        tunable(NET, [], "here")


@pytest.mark.parametrize(
    ("path", "bounds", "told"),
    [
        ("cells.L.tau_m_ms", (-1.0, 20.0), ["'cells.L.tau_m_ms'", "tau_m_ms=-1"]),
        (
            "connections.E->all.weight",
            (-5.0, 20.0),
            ["'connections.E->all.weight'", "weight=-5", "positive"],
        ),
        ("gains.E->L", (-1.0, 2.0), ["'gains.E->L'", "at least 0"]),
        ("cells.L.v_th_mV", (-90.0, -40.0), ["'cells.L.v_th_mV'", "v_th_mV"]),
        ("cells.L.noise", (-1.0, 30.0), ["'cells.L.noise'", "noise=-1"]),
        (
            "mechanisms.inh.tau_rise_ms",
            (0.1, 9.0),
            ["'mechanisms.inh.tau_rise_ms'", "less than tau_decay_ms"],
        ),
    ],
)
def test_bounds_at_which_the_circuit_is_refused_are_told(path, bounds, told):
    with pytest.raises(JtfneError, match="(?s)bounds of " + ".*".join(told)):
        tuned(path, bounds)


def test_bounds_that_cross_between_two_are_told():
    pair = [
        Trainable(path="cells.L.v_th_mV", bounds=(-64.0, -40.0)),
        Trainable(path="cells.L.v_reset_mV", bounds=(-70.0, -60.0)),
    ]
    assert tunable(NET, pair[:1], "here") and tunable(NET, pair[1:], "here")
    with pytest.raises(
        JtfneError, match=r"(?s)bounds of 'cells\.L\.v_th_mV', at which.*v_reset_mV"
    ):
        tunable(NET, pair, "here")


def test_the_map_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        map_of({"cells.E.drive": 11.3}).net = NET


def fallen(weight):
    """Two types of cells in one area, whose weights fall with distance, onto a receptor on the
    dendrite.
    """
    edge = {"source": "E", "target": "T", "mechanism": "tuft", "rule": "AllToAll", "weight": weight,
            "weight_decay": {"length_mm": 0.3}}  # fmt: skip
    tuft = BiExponentialConductance(
        tau_rise_ms=0.5, tau_decay_ms=6.0, e_rev_mV=0.0, dendrite_share=0.9
    )
    made = (
        jtfne.Config()
        .runtime(seed=4)
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 0.7, "T": 0.3}, n=60)
    )
    made = made.emitters({"T": {"kind": "TwoCompartment"}}).mechanisms({"tuft": tuft})
    return jtfne.construct(made.connections([edge]))


def test_weights_that_fall_and_shares_of_dendrites_are_told_from_their_values():
    values = {"connections.E->T.weight": 7.9, "mechanisms.tuft.dendrite_share": 0.3}
    leaves = map_of(values, net=fallen(2.0))
    numbers = list(values.values())
    got = leaves_of(leaves.with_values(numbers))
    want = leaves_of(jtfne.construct(leaves.config(numbers)).to_flat(tracked=False))
    np.testing.assert_array_equal(want["circuit.dendrite_share"], got["circuit.dendrite_share"])
    weights = want["circuit.delivery.weights"]
    np.testing.assert_allclose(
        weights, got["circuit.delivery.weights"], rtol=4 * np.finfo(np.float32).eps
    )
    assert 0.0 < weights.max() <= 7.9 and np.unique(weights).size > 100
    with pytest.raises(JtfneError, match="a weight of 0 that falls with distance"):
        map_of({"connections.E->T.weight": 1.0}, net=fallen(0.0))
    with pytest.raises(JtfneError, match=r"mechanisms\.AMPA\.dendrite_share"):
        map_of({"mechanisms.AMPA.dendrite_share": 0.5})
