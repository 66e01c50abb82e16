"""Short-term plasticity against its closed form, STDP against its window; both in the loop, however
it is run.
"""

import dataclasses
import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from circuits import Watch, clock, inputs
from jtfne import batch, delivery, engine
from jtfne._precision import precision
from jtfne.emitters import EMITTERS, LIF
from jtfne.synapses import PLASTICITIES, Conductance, Exponential, PairSTDP, ShortTerm

DEPRESSING = ShortTerm(u=0.5, tau_rec_ms=800.0)
FACILITATING = ShortTerm(u=0.03, tau_rec_ms=130.0, tau_facil_ms=530.0)
BOTH = ShortTerm(u=0.2, tau_rec_ms=200.0, tau_facil_ms=100.0)
STDP = PairSTDP(w_max=64.0, a_plus=0.02, a_minus=0.03, tau_plus_ms=15.0, tau_minus_ms=30.0)
RULES = (BOTH, STDP)
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)


def test_the_tests_hold_the_whole_catalogue():
    assert [type(each) for each in RULES] == list(PLASTICITIES.values())


@functools.partial(jax.jit, static_argnames=("n_steps",))
def amplitudes(rule, spiked, dt_ms, n_steps):
    """u x of a spike in each step, under the train `spiked` (n_steps,)."""
    start = rule.start(1, jnp.float64)
    _, released = jax.lax.scan(
        lambda s, k: rule.step(s, spiked[k][None], dt_ms), start, jnp.arange(n_steps)
    )
    return released[:, 0]


@pytest.mark.parametrize("rate_Hz", [2.0, 10.0, 40.0])
@pytest.mark.parametrize(
    "rule", [DEPRESSING, FACILITATING, BOTH], ids=["depressing", "facilitating", "both"]
)
def test_steady_state_is_the_closed_form(rule, rate_Hz, dt_ms=0.5):
    """u = U / (1 - (1 - U) e_f) and x = (1 - e_r) / (1 - (1 - u) e_r), e = exp(-interval / tau)."""
    interval_ms = 1e3 / rate_Hz
    every, n_spikes = round(interval_ms / dt_ms), 3 + round(30.0 * 800.0 / interval_ms)
    with precision("float64"):
        train = np.arange(every * n_spikes) % every == every - 1
        got = np.asarray(amplitudes(rule, jnp.asarray(train), dt_ms, train.size))[train]
    kept = np.exp(-interval_ms / rule.tau_facil_ms) if rule.tau_facil_ms else 0.0
    recovered = np.exp(-interval_ms / rule.tau_rec_ms)
    u = rule.u / (1.0 - (1.0 - rule.u) * kept)
    x = (1.0 - recovered) / (1.0 - (1.0 - u) * recovered)
    assert abs(got[0] - rule.u) < 1e-12, "a rested synapse releases U"
    assert abs(got[-1] - u * x) < 1e-9


@pytest.mark.parametrize(
    "rule", [DEPRESSING, FACILITATING, BOTH], ids=["depressing", "facilitating", "both"]
)
def test_any_train_is_that_of_the_event_form(rule, dt_ms=0.25):
    """From spike to spike by the time between them, in plain numbers."""
    rng = np.random.default_rng(4)
    train = rng.random(8000) < 0.01
    want, u, x, last = [], 0.0, 1.0, None
    for k in np.flatnonzero(train):
        if last is not None:
            waited = dt_ms * (k - last)
            u *= np.exp(-waited / rule.tau_facil_ms) if rule.tau_facil_ms else 0.0
            x = 1.0 - (1.0 - x) * np.exp(-waited / rule.tau_rec_ms)
        u += rule.u * (1.0 - u)
        want.append(u * x)
        x -= u * x
        last = k
    with precision("float64"):
        got = np.asarray(amplitudes(rule, jnp.asarray(train), dt_ms, train.size))[train]
    assert len(want) > 50
    np.testing.assert_allclose(got, want, rtol=1e-10)


def pair(rule, *, n_targets=1, weight=32.0, delay_ms=1.0, choice=None):
    """A and the cells B, that spike when and only when they are told to; A -> B by `rule`, in
    double precision.
    """
    cells = LIF(v_th_mV=1e3, t_ref_ms=0.0, tau_m_ms=1e-6)
    cfg = (
        jtfne.Config()
        .runtime(dtype="float64", dt_ms=0.5, duration_ms=100.0)
        .areas(["V1"])
        .layers(["L4"])
        .cells({"A": 1, "B": n_targets})
        .emitters({"A": cells, "B": cells})
        .mechanisms({"m": Exponential(tau_ms=3.0, sign=1)})
        .connections([{"source": "A", "target": "B", "mechanism": "m", "weight": weight, "delay_ms": delay_ms,
                       "rule": "AllToAll", "plasticity": rule}])
    )  # fmt: skip
    return jtfne.construct(cfg).to_flat(delivery=choice)


def told(flat, trains, watch=()):
    """The state after spikes of A and of the cells B as in `trains` (n_steps, 2), and what `watch`
    saw.
    """
    n_cells = flat.circuit.n_cells
    patterns = np.zeros((2, n_cells))
    patterns[0, 0], patterns[1, 1:] = 1e12, 1e12
    given = engine.Inputs(jnp.asarray(patterns))
    ticks = engine.InputChunk(jnp.asarray(trains, jnp.float64), jnp.zeros((len(trains), 0)))
    carry = engine.start(
        flat.circuit,
        given,
        {name: jax.random.key(0) for name in ("initial state", "noise", "stimulus")},
    )
    cells = tuple(
        g.emitter.init(jnp.zeros_like(s.v_mV))
        for g, s in zip(flat.circuit.groups, carry.cells, strict=True)
    )
    carry, chunk = engine.advance_jit(
        flat.circuit,
        given,
        tuple(map(Watch, watch)),
        carry._replace(cells=cells),
        ticks,
        flat.dt_ms,
    )
    spikes = int(jax.lax.population_count(chunk.words).sum())
    assert spikes == int((np.asarray(trains) * [1, n_cells - 1]).sum()), (
        "cells spike as they are told"
    )
    return carry, [np.asarray(each) for each in chunk.recorded]


def arriving(view):
    """The synaptic current at the start of the step, of the first cell B."""
    return view.syn.i_pA[0, 1]


@pytest.mark.parametrize(
    "choice",
    [delivery.Event(), delivery.Sparse(), delivery.Dense()],
    ids=lambda c: type(c).__name__,
)
def test_spikes_arrive_scaled_by_what_is_released(choice):
    with precision("float64"):
        train = np.zeros((120, 2))
        train[[0, 10, 14, 60], 0] = 1.0
        flat = pair(BOTH, choice=choice)
        assert flat.circuit.delivery is None and len(flat.circuit.plastic) == 1
        _, (i_pA,) = told(flat, train, (arriving,))
        released = np.asarray(amplitudes(BOTH, jnp.asarray(train[:, 0] > 0), 0.5, 120))
    jumps = i_pA[1:] - i_pA[:-1] * np.exp(-0.5 / 3.0)
    want = np.zeros(119)
    for k in (0, 10, 14, 60):
        want[k + 2] = 32.0 * released[k]  # after 1 ms of delay, seen a step later
    np.testing.assert_allclose(jumps, want, atol=1e-9)


def weight_after(lag_steps, *, rule=STDP, weight=32.0):
    """The weight after one pair of spikes."""
    train = np.zeros((400, 2))
    train[200, 0] = train[200 + lag_steps, 1] = 1.0
    flat = pair(rule, weight=weight)
    return flat, told(flat, train)[0]


def learned(flat, carry):
    """All weights, pA."""
    return flat.with_learned_weights(carry).to_net().edges.to_pandas()["weight_pA"].to_numpy()


def test_the_older_name_of_with_learned_weights_warns():
    with precision("float64"):
        flat = pair(STDP)
        state, _ = flat.run(jax.random.key(0), n_steps=2)
        with pytest.warns(DeprecationWarning, match="learned is now FlatNet.with_learned_weights"):
            older = flat.learned(state)
        newer = flat.with_learned_weights(state)
        assert jax.tree.all(jax.tree.map(np.array_equal, older, newer))


def test_the_window_of_stdp():
    """A pair at each lag: potentiation if the source came first, depression if it came last, both
    exponential.
    """
    lags = np.array([-160, -60, -20, -4, -1, 0, 1, 4, 20, 60, 160])
    with precision("float64"):
        change = [learned(*weight_after(lag))[0] - 32.0 for lag in lags]
    lags_ms = 0.5 * lags
    want = np.where(
        lags > 0, 64.0 * 0.02 * np.exp(-lags_ms / 15.0), -64.0 * 0.03 * np.exp(lags_ms / 30.0)
    )
    np.testing.assert_allclose(
        change, np.where(lags == 0, 0.0, want), atol=32.0 * np.finfo(np.float32).eps
    )


def test_all_pairs_count_and_bounds_hold():
    """Random trains: the sum over all pairs, in the order of spikes, clipped as it goes."""
    rng = np.random.default_rng(8)
    train = (rng.random((600, 2)) < [0.03, 0.03]).astype(float)
    rule = dataclasses.replace(STDP, a_plus=0.3, a_minus=0.25)
    weight, floor, ceiling = 32.0, 0, 0
    for k in range(600):
        lag_ms = 0.5 * (k - np.arange(k))
        if train[k, 0]:
            weight -= 64.0 * rule.a_minus * (train[:k, 1] * np.exp(-lag_ms / 30.0)).sum()
            floor, weight = floor + (weight < 0), max(weight, 0.0)
        if train[k, 1]:
            weight += 64.0 * rule.a_plus * (train[:k, 0] * np.exp(-lag_ms / 15.0)).sum()
            ceiling, weight = ceiling + (weight > 64.0), min(weight, 64.0)
    assert floor and ceiling, "both bounds are met: mend this test"
    with precision("float64"):
        flat = pair(rule, n_targets=40)  # a row of more than one vector, beside padding
        carry, _ = told(flat, train)
        np.testing.assert_allclose(
            learned(flat, carry), weight, atol=64.0 * np.finfo(np.float32).eps
        )
        padding = (
            np.asarray(flat.circuit.plastic[0].delivery.offsets).reshape(-1)
            < flat.circuit.leading.ring.width
        )
        assert padding.any() and not np.asarray(carry.plastic[0].weights)[padding].any()


def test_a_spike_brings_the_weight_as_it_has_become():
    with precision("float64"):
        train = np.zeros((60, 2))
        train[[0, 40], 0] = train[20, 1] = 1.0
        _, (i_pA,) = told(pair(STDP), train, (arriving,))
    jumps = (i_pA[1:] - i_pA[:-1] * np.exp(-0.5 / 3.0))[[2, 42]]
    grown = 32.0 + 64.0 * 0.02 * np.exp(-10.0 / 15.0)
    np.testing.assert_allclose(jumps, [32.0, grown - 64.0 * 0.03 * np.exp(-10.0 / 30.0)], atol=1e-9)


def config(rule, *, weight=16.0):
    """Two models in two layers, with noise; plastic connections of `rule` beside plain ones.
    Weights: powers of two.
    """
    edge = {"target": {}, "rule": {"kind": "FixedIndegree", "n": 12, "multapses": False}}
    return (
        jtfne.Config()
        .runtime(seed=5, duration_ms=40.0)
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells({"A": 0.5, "B": 0.5}, n=96)
        .emitters({"A": LIF(), "B": EMITTERS["Izhikevich2003"]()})
        .cell_params({"A": {"drive": 420.0, "noise": 64.0}, "B": {"drive": 8.0, "noise": 2.0}})
        .mechanisms({"g": Conductance(tau_ms=6.0, e_rev_mV=-75.0)})
        .connections([
            {**edge, "source": "A", "mechanism": "AMPA", "weight": weight, "plasticity": rule, "delay_ms": 0.5},
            {**edge, "source": "B", "mechanism": "AMPA", "weight": weight, "plasticity": rule,
             "delay_ms": {"kind": "Uniform", "low": 0.2, "high": 1.5}},
            {**edge, "source": "B", "mechanism": "g", "weight": 1.0},
        ])
        .probes(["spk", "vm"])
    )  # fmt: skip


@functools.cache
def whole(rule):
    """The run that all others must equal."""
    signals = jtfne.simulate(jtfne.construct(config(rule)), trials=2, delivery=delivery.Event())
    assert signals.spikes.shape[0] > 100
    return signals


@each_rule
def test_it_matters(rule):
    plain = jtfne.simulate(jtfne.construct(config(None)), trials=2, delivery=delivery.Event())
    assert not plain.get("vm").equals(whole(rule).get("vm"))


@each_rule
@pytest.mark.as_users
def test_same_bits_in_chunks_from_disk_and_by_the_sparse_form(rule, tmp_path):
    net = jtfne.construct(config(rule))
    net.save(tmp_path / "net")
    again = jtfne.simulate(
        jtfne.Net.open(tmp_path / "net"), trials=2, out=tmp_path / "run", chunk_steps=50
    )
    assert again.spikes.equals(whole(rule).spikes)
    np.testing.assert_array_equal(again.get("vm"), whole(rule).get("vm"))
    # what a plastic synapse adds is no power of two: another order of sums is another rounding, of
    # one a step
    sparse = jtfne.simulate(net, trials=2, delivery=delivery.Sparse())
    assert sparse.spikes.equals(whole(rule).spikes)
    within_mV = 100.0 * np.finfo(np.float32).eps * 400
    np.testing.assert_allclose(sparse.get("vm"), whole(rule).get("vm"), rtol=0.0, atol=within_mV)


@pytest.mark.as_users
def test_short_term_plasticity_is_the_same_on_two_devices():
    sharded = jtfne.simulate(jtfne.construct(config(BOTH)), trials=2, delivery=delivery.Sharded())
    assert sharded.spikes.equals(whole(BOTH).spikes)
    within_mV = 100.0 * np.finfo(np.float32).eps * 400
    np.testing.assert_allclose(sharded.get("vm"), whole(BOTH).get("vm"), rtol=0.0, atol=within_mV)


def test_stdp_on_several_devices_is_refused():
    net = jtfne.construct(config(STDP))
    with pytest.raises(
        jtfne.JtfneError, match=r"PairSTDP on cells spread over devices.* such as Event\(\)"
    ):
        net.to_flat(delivery=delivery.Sharded())


@each_rule
@pytest.mark.as_users
def test_a_member_of_a_batch_learns_alone(rule):
    flat = jtfne.construct(config(rule)).to_flat(tracked=False)
    name, numbers = {"ShortTerm": ("u", [0.2, 0.9]), "PairSTDP": ("a_plus", [0.02, 0.2])}[
        type(rule).__name__
    ]
    keys = jnp.stack([jax.random.key(1)] * 2)
    values = {f"circuit.plastic[0].rule.{name}": jnp.array(numbers, jnp.float32)}
    words = batch.run_batch(flat, keys, n_steps=400, values=values).words
    assert not (np.asarray(words[0]) == np.asarray(words[1])).all()
    np.testing.assert_array_equal(words[0], flat.run(keys[0], n_steps=400)[1].words)


@each_rule
def test_rules_that_are_equal_share_a_delivery_and_edges_come_back(rule):
    net = jtfne.construct(config(rule))
    flat = net.to_flat()
    assert len(flat.circuit.plastic) == 1 and flat.circuit.delivery is not None
    columns = ["source", "target", "connection"]
    want, got = (
        each.edges.to_pandas()[columns].sort_values(columns) for each in (net, flat.to_net())
    )
    np.testing.assert_array_equal(got.to_numpy(), want.to_numpy())


@each_rule
def test_no_step_copies_the_ring_or_the_weights(rule):
    flat = jtfne.construct(config(rule)).to_flat(tracked=False)
    given, ticks = inputs(flat.circuit.n_cells), clock(100)
    keys = {name: jax.random.key(0) for name in ("initial state", "noise", "stimulus")}
    carry = engine.start(flat.circuit, given, keys)
    sizes = {
        flat.circuit.leading.ring.size,
        *(leaf.size for leaf in jax.tree.leaves(carry.plastic) if leaf.size > 192),
    }
    assert len(sizes) == (2 if rule is STDP else 1)
    text = engine.advance_jit.lower(flat.circuit, given, (), carry, ticks, 0.1).compile().as_text()
    inside = "\n".join(re.findall(r"^%?(?:wide|region|body).*?^}", text, flags=re.M | re.S))
    for size in sizes:
        assert f"f32[{size}]" in inside, "not in the compiled loops: mend this test"
        assert not re.findall(rf"= f32\[{size}\]\S* copy\(", inside)


@each_rule
def test_a_config_holds_it_and_refuses_what_it_cannot_be(rule):
    cfg = config(rule)
    for again in (jtfne.Config.from_json(cfg.to_json()), jtfne.Config.from_toml(cfg.to_toml())):
        assert (
            again == cfg
            and again.hash == cfg.hash
            and again.circuit.connections[0].plasticity == rule
        )
    assert type(rule).__name__ in str(jtfne.Config.json_schema())
    for name, limit in rule.LIMITS.items():
        low = limit.low if limit.open_low else limit.low - 1
        with pytest.raises(jtfne.JtfneError, match=rf"{name}=.*connections\[0\]\.plasticity"):
            config(dataclasses.replace(rule, **{name: low}))
