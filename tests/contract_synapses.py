"""One contract for all synapses: closed forms, the order that each states, and the same run however
it is run.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jtfne
from circuits import Watch, clock, inputs
from jtfne import batch, delivery, engine
from jtfne._precision import precision
from jtfne.emitters import EMITTERS, LIF
from jtfne.flatnet import FlatNet
from jtfne.sources import SOURCES
from jtfne.synapses import (
    NMDA,
    SYNAPSES,
    Alpha,
    AlphaConductance,
    BiExponential,
    BiExponentialConductance,
    BoltzmannConductance,
    Conductance,
    Delta,
    Exponential,
)

TAU_M, C_M, REST = 10.0, 250.0, -65.0
DELAY_MS, WEIGHT = 1.6, 30.0
OBJECTS = (
    Exponential(tau_ms=2.0, sign=1),
    Alpha(tau_ms=2.0, sign=1),
    BiExponential(tau_rise_ms=0.5, tau_decay_ms=4.0, sign=1),
    Conductance(tau_ms=3.0, e_rev_mV=0.0),
    AlphaConductance(tau_ms=1.5, e_rev_mV=-80.0),
    BiExponentialConductance(tau_rise_ms=0.4, tau_decay_ms=5.0, e_rev_mV=-10.0),
    NMDA(tau_rise_ms=1.0, tau_decay_ms=12.0, e_rev_mV=0.0, mg_mM=0.7),
    # half is open 9 mV above rest
    BoltzmannConductance(
        tau_rise_ms=1.0, tau_decay_ms=8.0, e_rev_mV=-20.0, v_half_mV=-56.0, slope_per_mV=0.09
    ),
    Delta(sign=1),
)
# a jump has no course: see test_jumps.py
LASTING = tuple(synapse for synapse in OBJECTS if synapse.unit != "mV")
each_synapse = pytest.mark.parametrize(
    "synapse", OBJECTS, ids=lambda synapse: type(synapse).__name__
)
each_lasting = pytest.mark.parametrize(
    "synapse", LASTING, ids=lambda synapse: type(synapse).__name__
)
CHOICES = (delivery.Event(), delivery.Sparse(), delivery.Dense(), delivery.Sharded())


def test_the_contract_holds_the_whole_catalogue():
    assert [type(each) for each in OBJECTS] == list(SYNAPSES.values())


def kernel(synapse, t):
    """What a spike of weight 1 adds, t >= 0 after it arrived; as its docstring says."""
    if len(synapse.taus_ms) == 1:
        return np.exp(-t / synapse.tau_ms)
    if synapse.equal_taus:
        return t / synapse.tau_ms * np.exp(1.0 - t / synapse.tau_ms)
    rise, decay = synapse.taus_ms
    ratio = rise / decay
    return (
        ratio ** (-ratio / (1.0 - ratio)) / (1.0 - ratio) * (np.exp(-t / decay) - np.exp(-t / rise))
    )


def charge(synapse, t):
    """Its integral from 0 to t."""
    if len(synapse.taus_ms) == 1:
        return synapse.tau_ms * -np.expm1(-t / synapse.tau_ms)
    if synapse.equal_taus:
        tau = synapse.tau_ms
        return np.e * tau * (1.0 - (1.0 + t / tau) * np.exp(-t / tau))
    rise, decay = synapse.taus_ms
    ratio = rise / decay
    scale = ratio ** (-ratio / (1.0 - ratio)) / (1.0 - ratio)
    return scale * (decay * -np.expm1(-t / decay) - rise * -np.expm1(-t / rise))


def share(synapse, v_mV):
    """Which part of a conductance is open at a potential."""
    if isinstance(synapse, BoltzmannConductance):
        return 1.0 / (1.0 + np.exp(-synapse.slope_per_mV * (v_mV - synapse.v_half_mV)))
    if not isinstance(synapse, NMDA):
        return 1.0
    return 1.0 / (1.0 + synapse.mg_mM / 3.57 * np.exp(-0.062 * v_mV))


def pair(synapse, dt_ms, *, stop_ms=40.0, emitter=None, rest_mV=REST, choice=None, weight=WEIGHT):
    """The circuit of cell A, which a pulse makes spike in step 0, and cell B, which hears of it;
    and its carry.
    """
    quiet = LIF(v_th_mV=1e3, tau_m_ms=TAU_M, c_m_pF=C_M, v_rest_mV=rest_mV, v_reset_mV=rest_mV)
    cfg = (
        jtfne.Config()
        .runtime(dtype="float64", duration_ms=stop_ms, dt_ms=dt_ms)
        .areas(["V1"])
        .layers(["L4"])
        .cells({"A": 1, "B": 1})
        .emitters({"A": LIF(), "B": emitter or quiet})
        .mechanisms({"m": synapse})
        .connections([{"source": "A", "target": "B", "mechanism": "m", "weight": weight, "delay_ms": DELAY_MS,
                       "rule": "AllToAll"}])
    )  # fmt: skip
    return jtfne.construct(cfg).to_flat(delivery=choice)


def answer(flat, watch, *, stop_ms=40.0, alone=True):
    """What `watch` saw of cell B in every step since the spike arrived."""
    n_steps, first = round(stop_ms / flat.dt_ms), round(DELAY_MS / flat.dt_ms) + 1
    pulse = np.zeros(first + n_steps)
    pulse[0] = 1.0
    given = inputs(2, [1e6, 0.0], np.float64)
    carry = engine.start(
        flat.circuit,
        given,
        {name: jax.random.key(0) for name in ("initial state", "noise", "stimulus")},
    )
    cells = tuple(g.emitter.init(g.take(jnp.zeros(2))) for g in flat.circuit.groups)
    carry = carry._replace(cells=cells)
    ticks = clock(pulse.size, pulse, np.float64)
    _, chunk = engine.advance_jit(flat.circuit, given, (Watch(watch),), carry, ticks, flat.dt_ms)
    assert not alone or int(jax.lax.population_count(chunk.words).sum()) == 1
    return np.asarray(chunk.recorded[0])[first:]


def mean_of(view):
    """The mean of a current, or of a conductance, over the step."""
    g = view.syn.conductances
    return view.syn.mean_pA(view.dt_ms)[1] if g is None else g.mean(view.dt_ms)[0][1]


def v_m(view):
    return view.v_m_mV()[1]


@each_lasting
@pytest.mark.parametrize("dt_ms", [0.1, pytest.param(0.4, marks=pytest.mark.slow), 0.8])
def test_kinetics_are_the_closed_form_on_any_grid(synapse, dt_ms):
    """The mean over each step, and with it the charge; at a membrane that a leak of its own
    clamps.
    """
    clamp = LIF(v_th_mV=1e3, tau_m_ms=1e-9, c_m_pF=C_M, v_rest_mV=-40.0)
    with precision("float64"):
        got = answer(pair(synapse, dt_ms, emitter=clamp, rest_mV=-40.0), mean_of)
    edges = charge(synapse, dt_ms * np.arange(got.size + 1))
    np.testing.assert_allclose(
        got, WEIGHT * share(synapse, -40.0) * np.diff(edges) / dt_ms, rtol=1e-9, atol=1e-10
    )
    grid = np.linspace(0.0, 20.0, 2001)
    fine = kernel(synapse, grid)
    assert abs(fine.max() - 1.0) < 1e-4, "a weight is a peak"
    np.testing.assert_allclose(np.gradient(edges, dt_ms)[4:-1], kernel(synapse, dt_ms * np.arange(edges.size))[4:-1],
                               atol=dt_ms**2)  # fmt: skip


def reference_mV(synapse, t_ms):
    """The potential of B by an adaptive integrator, `t_ms` after the spike arrived at rest."""

    def rate(t, v):
        opened = WEIGHT * kernel(synapse, t)
        current = (
            opened if synapse.unit == "pA" else opened * share(synapse, v) * (synapse.e_rev_mV - v)
        )
        return (C_M / TAU_M * (REST - v) + current) / C_M

    return solve_ivp(
        rate, (0.0, t_ms[-1]), [REST], t_eval=t_ms, rtol=1e-12, atol=1e-12, method="DOP853"
    ).y[0]


@each_lasting
def test_psp_is_of_the_stated_order(synapse):
    """LIF is exact where the synapse says so; else the error falls with the order that it
    states.
    """
    dts_ms, errors = np.array([0.4, 0.1]), []  # a step between would not move the slope
    with precision("float64"):
        for dt_ms in dts_ms:
            v_mV = answer(pair(synapse, dt_ms), v_m)
            errors.append(
                np.abs(v_mV - reference_mV(synapse, dt_ms * np.arange(1, v_mV.size + 1))).max()
            )
    assert np.ptp(v_mV) > 0.05
    if synapse.order is None:
        assert max(errors) < 1e-9
    else:
        assert errors[0] < 0.2 * np.ptp(v_mV) and errors[-1] > 1e-9
        assert abs(np.polyfit(np.log2(dts_ms), np.log2(errors), 1)[0] - synapse.order) < 0.15


# Of `iaf_psc_alpha` in NEST 3.10 (resolution 0.1): C_m 250, tau_m 10, tau_syn_ex 2, E_L -65; a
# spike of 100 pA arrives
# at 1.1 ms. Time -> v - E_L.
NEST_ALPHA_mV = {
    1.2: 0.0026205333,
    2.0: 0.1588730364,
    3.1: 0.5319261606,
    6.1: 1.2241634878,
    11.1: 1.1355272569,
}


def test_an_alpha_current_moves_a_membrane_as_in_nest():
    with precision("float64"):
        v_mV = answer(pair(Alpha(tau_ms=2.0, sign=1), 0.1, weight=100.0), v_m)
    got = {t_ms: v_mV[round((t_ms - 1.1) / 0.1) - 1] - REST for t_ms in NEST_ALPHA_mV}
    np.testing.assert_allclose(list(got.values()), list(NEST_ALPHA_mV.values()), atol=1e-9)


def test_nmda_is_a_boltzmann_gate():
    """Of a slope of 0.062 / mV, half open where [Mg] / 3.57 mM exp(-0.062 v) is 1."""
    v_mV = np.linspace(-120.0, 60.0, 37)
    for mg_mM in (0.1, 1.0, 2.0):
        boltzmann = BoltzmannConductance(
            tau_rise_ms=2.0, tau_decay_ms=100.0, e_rev_mV=0.0,
            v_half_mV=np.log(mg_mM / 3.57) / 0.062, slope_per_mV=0.062,
        )  # fmt: skip
        with precision("float64"):
            np.testing.assert_allclose(
                boltzmann.gate(jnp.asarray(v_mV)), NMDA(mg_mM=mg_mM).gate(v_mV), rtol=1e-12
            )


@pytest.mark.parametrize("tau_m_ms", [TAU_M, 2.0, 2.0001, 0.05])
def test_an_alpha_current_is_exact_with_any_membrane(tau_m_ms):
    """Equal time constants, nearly equal ones, and a membrane faster than the step."""
    y, tau_ms, dt_ms = 1.0 / 2.0 - 1.0 / tau_m_ms, 2.0, 0.4
    with precision("float64"):
        cell = LIF(tau_m_ms=tau_m_ms, c_m_pF=C_M)
        got_mV = float(cell._gain_ramp(tau_m_ms, jnp.asarray(tau_ms), dt_ms))
    t_ms, weights = np.polynomial.legendre.leggauss(60)
    t_ms, weights = 0.5 * dt_ms * (t_ms + 1.0), 0.5 * dt_ms * weights
    want_mV = np.sum(weights * t_ms * np.exp(-t_ms * y)) * np.exp(-dt_ms / tau_m_ms) / C_M
    np.testing.assert_allclose(got_mV, want_mV, rtol=1e-12)


@each_synapse
def test_state_keeps_its_form_and_is_compiled_once(synapse):
    flat = pair(synapse, 0.1)
    circuit = jax.tree.map(
        lambda leaf: leaf.astype(jnp.float32) if leaf.dtype == jnp.float64 else leaf, flat.circuit
    )
    given, ticks = inputs(2), clock(20)
    keys = {name: jax.random.key(0) for name in ("initial state", "noise", "stimulus")}
    before, compiled = engine.start(circuit, given, keys), None
    form = [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(before)]
    carry, _ = engine.advance_jit(circuit, given, (), before, ticks, 0.1)
    compiled = engine.advance_jit._cache_size()
    carry, _ = engine.advance_jit(circuit, given, (), carry, ticks, 0.2)
    assert engine.advance_jit._cache_size() == compiled
    assert [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(carry)] == form
    assert (
        form[[leaf is before.syn for leaf in jax.tree.leaves(before)].index(True)][1] == jnp.float32
    )


@each_synapse
def test_differentiable_in_every_parameter(synapse, dt_ms=0.2, stop_ms=12.0):
    """The mean potential, by tau, reversal and weight: reverse mode agrees with central
    differences.
    """
    with precision("float64"):
        flat = pair(synapse, dt_ms, stop_ms=stop_ms, choice=delivery.Sparse())
        circuit, gate_fields = flat.circuit, synapse.gate_fields

        def mean_mV(numbers):
            made = dataclasses.replace(circuit.delivery, weights=numbers.pop("weights"))
            gates = tuple(
                dataclasses.replace(gate, **{name: numbers.pop(name)[0] for name in gate_fields})
                for gate in circuit.gates
            )
            again = dataclasses.replace(circuit, delivery=made, gates=gates, **numbers)
            given = inputs(2, [1e6, 0.0], np.float64)
            pulse = np.zeros(round(stop_ms / dt_ms))
            pulse[0] = 1.0
            carry = engine.start(
                again, given, {n: jax.random.key(0) for n in ("initial state", "noise", "stimulus")}
            )
            ticks = clock(pulse.size, pulse, np.float64)
            return (
                engine.advance(again, given, (Watch(v_m),), carry, ticks, dt_ms)[1]
                .recorded[0]
                .mean()
            )

        names = [
            each for each in ("tau_syn_ms", "e_rev_mV") if getattr(circuit, each, None) is not None
        ]
        names = [] if synapse.unit == "mV" else names  # a jump has a weight and nothing else
        numbers = {name: getattr(circuit, name) for name in names} | {
            "weights": circuit.delivery.weights
        }
        for name in gate_fields:
            numbers[name] = getattr(circuit.gates[0], name)[None]
        slopes = jax.jit(jax.grad(lambda given: mean_mV(dict(given))))(numbers)
        value = jax.jit(lambda given: mean_mV(dict(given)))
        for name, array in numbers.items():
            for k in range(array.size):
                by = (
                    1e-5 * jnp.abs(array[k]) * jnp.eye(array.size)[k]
                    + 1e-6 * jnp.eye(array.size)[k]
                )
                ends = [float(value({**numbers, name: array + sign * by})) for sign in (1, -1)]
                want = (ends[0] - ends[1]) / float(2.0 * by[k])
                assert abs(float(slopes[name][k]) - want) < 1e-5 * max(abs(want), 1e-3), name
                assert abs(want) > 1e-6, f"{name} has no effect"


NAMES = {type(each).__name__: each for each in OBJECTS}


def config():
    """Cells of two models in two layers, joined by all synapses at once; Poisson spikes onto each
    of these; noise.

    Weights are powers of two, so that the order of a sum cannot tell.
    """
    weights = {name: 16.0 if each.unit == "pA" else 1.0 for name, each in NAMES.items()}
    spread = {"kind": "Uniform", "low": 0.2, "high": 1.5}
    rule = {"kind": "FixedIndegree", "n": 3}
    rain = {"kind": "Poisson", "rate_Hz": 300.0}
    return (
        jtfne.Config()
        .runtime(seed=5, duration_ms=30.0)
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells({"A": 0.5, "B": 0.5}, n=90)
        .emitters({"A": LIF(), "B": EMITTERS["Izhikevich2003"]()})
        .cell_params({"A": {"drive": 420.0, "noise": 64.0}, "B": {"drive": 8.0, "noise": 2.0}})
        .mechanisms(NAMES)
        .connections([{"source": "A", "target": {}, "mechanism": name, "weight": weight, "delay_ms": spread,
                       "rule": rule} for name, weight in weights.items()])
        .stimuli([{"target": "B", "label": name,
                   "drive": {**rain, f"weight_{NAMES[name].unit}": weight / 4, "mechanism": name}}
                  for name, weight in weights.items()])
        .probes(["spk", "vm", "source"])
    )  # fmt: skip


@functools.cache
def whole():
    """The run that all others must equal."""
    signals = jtfne.construct(config()).simulate(trials=2)
    assert signals.spikes.shape[0] > 100
    return signals


def assert_same(got, want, within_mV=0.0):
    """The same spikes, and the same bits but for `within_mV`."""
    assert got.spikes.equals(want.spikes)
    np.testing.assert_allclose(got.get("vm"), want.get("vm"), rtol=0.0, atol=within_mV)
    if not within_mV:
        np.testing.assert_array_equal(got.get("source"), want.get("source"))


@pytest.mark.parametrize("choice", CHOICES[1:], ids=lambda choice: type(choice).__name__)
@pytest.mark.as_users
def test_same_run_by_every_delivery(choice):
    """The same bits on one device; on several, exp and products are rounded otherwise where loops
    end.

    Such an error is of one rounding a step, which the leak of tau = 10 ms forgets.
    """
    rounding_mV = 100.0 * np.finfo(np.float32).eps * (TAU_M / 0.1)
    within_mV = rounding_mV if isinstance(choice, delivery.Sharded) else 0.0
    assert_same(jtfne.construct(config()).simulate(trials=2, delivery=choice), whole(), within_mV)


@pytest.mark.as_users
def test_same_bits_in_chunks_and_from_disk(tmp_path):
    net = jtfne.construct(config())
    net.save(tmp_path / "net")
    again = jtfne.simulate(
        jtfne.Net.open(tmp_path / "net"), trials=2, out=tmp_path / "run", chunk_steps=50
    )
    assert_same(again, whole())


@pytest.mark.parametrize("choice", CHOICES[:3], ids=lambda choice: type(choice).__name__)
@pytest.mark.as_users
def test_a_member_of_a_batch_is_what_it_is_alone(choice):
    flat = jtfne.construct(config()).to_flat(tracked=False, delivery=choice)
    keys = jax.random.split(jax.random.key(1), 2)
    taus = flat.circuit.tau_syn_ms * jnp.array([[1.0], [1.25]])
    together = batch.run_batch(flat, keys, n_steps=200, values={"circuit.tau_syn_ms": taus})
    assert int(jax.lax.population_count(together.words).sum()) > 20
    for k in range(2):
        circuit = dataclasses.replace(flat.circuit, tau_syn_ms=taus[k])
        alone = FlatNet(circuit, flat.receptors, flat.dt_ms, flat.tracking).run(
            keys[k], n_steps=200
        )[1]
        np.testing.assert_array_equal(together.words[k], alone.words)


@pytest.mark.parametrize(
    "kind",
    [
        # GLIF3 has what they have
        pytest.param(name, marks=pytest.mark.slow) if name in ("GLIF1", "GLIF2") else name
        for name, cls in EMITTERS.items()
        if getattr(cls, "receives", True)
    ],
)
def test_currents_balance_under_every_emitter_that_receives(kind):
    """All synapses at once: the terms sum to zero at every step, and each source mode is the sum of
    its terms.
    """
    cell = EMITTERS[kind]()
    drive = 500.0 if cell.input_unit == "pA" else 9.0
    busy = config().runtime(dtype="float64").emitters({"A": LIF(), "B": cell}).stimuli([])
    busy = busy.cell_params({"A": {"drive": 420.0}, "B": {"drive": drive}})
    with precision("float64"):
        modes = {name: cls() for name, cls in SOURCES.items() if name != "spike_proxy"}
        watch = (
            Watch(lambda view: jnp.stack(view.balance())),
            *(Watch(mode.read) for mode in modes.values()),
        )
        flat = jtfne.construct(busy).to_flat()
        _, chunk = flat.run(jax.random.key(2), n_steps=600, recorders=watch, **quiet_inputs(flat))
    balance, *sources = (np.asarray(each) for each in chunk.recorded)
    scale = np.abs(balance).max()
    assert np.abs(balance[:, 2]).max() > 1.0
    np.testing.assert_allclose(balance.sum(1), 0.0, atol=1e-9 * scale)
    terms = dict(
        zip(
            ("capacitive", "ionic", "synaptic", "external"), np.moveaxis(balance, 1, 0), strict=True
        )
    )
    for mode, rows in zip(modes.values(), sources, strict=True):
        for k, (_, parts) in enumerate(mode.parts):
            np.testing.assert_allclose(
                rows[:, k], sum(terms[name] for name in parts), atol=1e-9 * scale
            )


def quiet_inputs(flat, n_steps=600):
    """No stimulus, in double precision."""
    return {
        "inputs": inputs(flat.circuit.n_cells, dtype=np.float64),
        "clock": clock(n_steps, dtype=np.float64),
    }


@each_synapse
def test_a_config_holds_it_and_refuses_what_it_cannot_be(synapse):
    edge = {"source": "A", "target": "B", "mechanism": "m", "weight": 1.0, "rule": "AllToAll"}
    cfg = config().mechanisms({**NAMES, "m": synapse}).connections([edge])
    for again in (jtfne.Config.from_json(cfg.to_json()), jtfne.Config.from_toml(cfg.to_toml())):
        assert again == cfg and again.hash == cfg.hash and again.circuit.mechanisms["m"] == synapse
    assert type(synapse).__name__ in str(jtfne.Config.json_schema())
    for name, limit in synapse.LIMITS.items():
        low = limit.low if limit.open_low else np.nan if np.isinf(limit.low) else limit.low - 1
        with pytest.raises(jtfne.JtfneError, match=rf"{name}=.*mechanisms\.m"):
            cfg.mechanisms({"m": dataclasses.replace(synapse, **{name: low})})
    for below, above in getattr(synapse, "BELOW", ()):
        with pytest.raises(jtfne.JtfneError, match=rf"{below}=.*less than {above}=.*mechanisms\.m"):
            cfg.mechanisms({"m": dataclasses.replace(synapse, **{below: getattr(synapse, above)})})
    with pytest.raises(jtfne.JtfneError, match=rf"weight=-1 {synapse.unit}; expected positive"):
        cfg.connections([{**edge, "weight": -1.0}])
