"""Conductance synapses: against an integrator, closed forms at a held membrane, balance, and what a
config says.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jtfne
from circuits import FIRES, circuit, inputs, run
from jtfne._precision import precision
from jtfne.config import FromTable
from jtfne.emitters import EMITTERS, LIF, Conductances, Izhikevich2003, SynapticInput
from jtfne.sources import SOURCES
from jtfne.synapses import Conductance, Exponential

TAU_M, C_M, REST = 10.0, 250.0, -65.0
# the last one a current, pA
TAU_MS, E_REV_MV, W_NS = (2.0, 5.0, 3.0), (0.0, -80.0, None), (12.0, 30.0, 40.0)


def answer(dt_ms, weights=W_NS, delay_ms=0.8, stop_ms=12.8, **cell):
    """v of a cell at rest onto whose receptors one spike arrives, and its synaptic current, of
    every step from there.

    Cell 0 spikes at the end of step 0 and never again, cell 1 hears of it `delay_ms` later.
    """
    cells = LIF(v_th_mV=jnp.array([-50.0, 1e3]), tau_m_ms=TAU_M, c_m_pF=C_M, **cell)
    edges = [(0, 1, r, round(delay_ms / dt_ms), weight) for r, weight in enumerate(weights)]
    flat = circuit(cells, 2, edges=edges, tau_syn_ms=TAU_MS, e_rev_mV=E_REV_MV, dtype=np.float64)
    first, n_steps = round(delay_ms / dt_ms) + 1, round(stop_ms / dt_ms)
    pulse = np.zeros(first + n_steps)
    pulse[0] = 1.0
    watch = (lambda view: view.v_m_mV(), lambda view: view.balance().synaptic)
    given = inputs(2, [1e6, 0.0], np.float64)
    spikes, (v_mV, i_pA) = run(
        flat, first + n_steps, dt_ms, watch=watch, given=given, waveform=pulse
    )
    assert spikes.sum() == 1
    return v_mV[first:, 1], i_pA[first:, 1]


def reference_mV(t_ms):
    """The same by an adaptive integrator, `t_ms` after the spike arrived."""
    g_e, g_i, i_pA = W_NS

    def rate(t, v):
        decayed = [w * np.exp(-t / tau) for w, tau in zip((g_e, g_i, i_pA), TAU_MS, strict=True)]
        synaptic = decayed[0] * (0.0 - v) + decayed[1] * (-80.0 - v) + decayed[2]
        return (C_M / TAU_M * (REST - v) + synaptic) / C_M

    return solve_ivp(
        rate, (0.0, t_ms[-1]), [REST], t_eval=t_ms, rtol=1e-11, atol=1e-11, method="DOP853"
    ).y[0]


def test_psp_converges_to_the_integrator_at_second_order():
    """The step holds each conductance at its mean, so that its error is of second order."""
    dts_ms = np.array([0.4, 0.2, 0.1])
    errors = []
    with precision("float64"):
        for dt_ms in dts_ms:
            v_mV, _ = answer(dt_ms)
            errors.append(np.abs(v_mV - reference_mV(dt_ms * np.arange(1, v_mV.size + 1))).max())
    assert np.ptp(v_mV) > 1.0  # it moved
    assert errors[0] < 0.05
    assert abs(np.polyfit(np.log2(dts_ms), np.log2(errors), 1)[0] - 2.0) < 0.1


@pytest.mark.parametrize("dt_ms", [0.1, 0.4, 0.8])
def test_without_conductance_the_step_stays_exact(dt_ms):
    """Receptors of conductances that nothing opened leave the propagator of the currents what it
    is.
    """
    with precision("float64"):
        v_mV, _ = answer(dt_ms, weights=(0.0, 0.0, 40.0))
    t_ms, tau_ms = dt_ms * np.arange(1, v_mV.size + 1), TAU_MS[2]
    want = (
        40.0 / C_M / (1.0 / tau_ms - 1.0 / TAU_M) * (np.exp(-t_ms / TAU_M) - np.exp(-t_ms / tau_ms))
    )
    np.testing.assert_allclose(v_mV - REST, want, atol=1e-12)


@pytest.mark.as_users
def test_a_circuit_of_currents_is_stepped_to_the_bit_as_ever():
    """The plain propagator, written out: no operation is added where there is no conductance."""
    cell = LIF(tau_m_ms=jnp.float32(9.7), c_m_pF=jnp.float32(243.0))
    start = cell.init(jnp.linspace(0.0, 0.99, 8))
    i_pA, dt_ms = jnp.linspace(-200.0, 900.0, 8), 0.1
    syn = SynapticInput(jnp.ones((2, 8)) * jnp.array([[30.0], [-70.0]]), jnp.array([2.0, 5.0]))

    def plain(cell, state, i_pA, syn):
        free_mV = cell.v_rest_mV + (state.v_mV - cell.v_rest_mV) * jnp.exp(-dt_ms / cell.tau_m_ms)
        free_mV = free_mV + i_pA * (
            -cell.tau_m_ms / cell.c_m_pF * jnp.expm1(-dt_ms / cell.tau_m_ms)
        )
        for tau_ms, row_pA in zip(syn.tau_ms, syn.i_pA, strict=True):
            x = dt_ms * jnp.abs(1.0 / tau_ms - 1.0 / cell.tau_m_ms)
            near = x < 1e-4
            ratio = jnp.where(near, 1.0 - 0.5 * x, -jnp.expm1(-x) / jnp.where(near, 1.0, x))
            gain = (
                dt_ms / cell.c_m_pF * jnp.exp(-dt_ms / jnp.maximum(tau_ms, cell.tau_m_ms)) * ratio
            )
            free_mV = free_mV + gain * row_pA
        return free_mV

    def ours(cell, state, i_pA, syn):
        return cell.step(state, i_pA, syn, dt_ms)[0].v_mV

    np.testing.assert_array_equal(
        *(jax.jit(step)(cell, start, i_pA, syn) for step in (ours, plain))
    )


@pytest.mark.parametrize("dt_ms", [0.1, 0.4])
@pytest.mark.parametrize(
    ("weights", "e_rev_mV"), [((10.0, 0.0, 0.0), 0.0), ((0.0, 10.0, 0.0), -80.0)]
)
def test_voltage_clamp(weights, e_rev_mV, dt_ms, held_mV=-72.0):
    """A refractory cell is a clamp: the current is g (e_rev - v), its means over a step those of an
    exponential.
    """
    cells = LIF(v_reset_mV=held_mV, v_rest_mV=held_mV, v_th_mV=-50.0, t_ref_ms=1e3)
    edges = [(0, 1, r, 1, weight) for r, weight in enumerate(weights)]
    with precision("float64"):
        flat = circuit(
            cells, 2, edges=edges, tau_syn_ms=TAU_MS, e_rev_mV=E_REV_MV, dtype=np.float64
        )
        n_steps, pulse = round(60.0 / dt_ms), np.zeros(round(60.0 / dt_ms) + 2)
        pulse[0] = 1.0  # both cells spike in step 0, and are held from then on
        given = inputs(2, [1e6, 1e6], np.float64)
        watch = (lambda view: view.balance().synaptic,)
        _, (out_pA,) = run(flat, n_steps + 2, dt_ms, watch=watch, given=given, waveform=pulse)
    tau_ms = TAU_MS[int(np.argmax(weights))]
    edge = np.exp(-dt_ms * np.arange(n_steps + 1) / tau_ms)
    want_pA = 10.0 * (e_rev_mV - held_mV) * tau_ms / dt_ms * (edge[:-1] - edge[1:])
    np.testing.assert_allclose(-out_pA[2:, 1], want_pA, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("rest_mV", "sign"), [(-90.0, 1), (-80.0, 0), (-65.0, -1)])
def test_the_driving_force_reverses(rest_mV, sign):
    """A conductance with e_rev -80 mV moves the membrane towards it, from either side, and not
    where it is there.
    """
    with precision("float64"):
        v_mV, i_pA = answer(0.1, weights=(0.0, 30.0, 0.0), v_rest_mV=rest_mV, v_reset_mV=rest_mV)
    assert (
        (np.sign(v_mV - rest_mV).round() == sign).all()
        if sign
        else np.abs(v_mV - rest_mV).max() < 1e-12
    )
    assert (np.sign(-i_pA) == sign).all() if sign else np.abs(i_pA).max() < 1e-10
    assert (np.abs(v_mV + 80.0) <= abs(rest_mV + 80.0) + 1e-12).all()


STEP = jax.jit(lambda cell, state, i_pA, syn, dt_ms: cell.step(state, i_pA, syn, dt_ms))


@pytest.fixture(scope="module", params=FIRES)
def busy(request):
    """Spikes, balance and source modes of three cells with conductances and a current, that spike
    and are reset.
    """
    cell = EMITTERS[request.param]()
    with precision("float64"):
        flat = circuit(
            cell, 3, drive_pA=FIRES[request.param] * float(cell.input_pA), tau_syn_ms=TAU_MS,
            e_rev_mV=E_REV_MV, edges=[(0, 1, 0, 5, 4.0), (1, 2, 1, 9, 6.0), (2, 0, 2, 3, 30.0)], dtype=np.float64,
        )  # fmt: skip
        watch = (
            lambda view: jnp.stack(view.balance()),
            *(SOURCES[kind]().read for kind in SOURCES),
        )
        spikes, (balance, *sources) = run(flat, 3000, 0.1, watch=watch)
    return spikes, balance, dict(zip(SOURCES, sources, strict=True))


def test_currents_balance(busy):
    """capacitive + ionic + synaptic + external = 0 at every step, spikes, resets and refractory
    steps included.
    """
    spikes, balance, _ = busy
    assert (spikes.sum(0) > 2).all() and (np.abs(balance[:, 2]).max(0) > 1.0).all()
    # an excited cell, an inhibited one
    assert balance[:, 2, 1].min() < -1.0 and balance[:, 2, 2].max() > 1.0
    np.testing.assert_allclose(balance.sum(1), 0.0, atol=1e-9 * np.abs(balance).max())


@pytest.mark.parametrize("kind", [kind for kind in SOURCES if kind != "spike_proxy"])
def test_each_source_mode_sums_its_terms(busy, kind):
    _, balance, sources = busy
    terms = dict(
        zip(
            ("capacitive", "ionic", "synaptic", "external"), np.moveaxis(balance, 1, 0), strict=True
        )
    )
    for k, (_, names) in enumerate(SOURCES[kind].parts):
        want = sum(terms[name] for name in names)
        np.testing.assert_allclose(
            sources[kind][:, k], want, atol=1e-9 * np.abs(terms["ionic"]).max()
        )


def config(**mechanisms):
    """Two LIF cells of so large a capacitance that nothing moves them from rest, with these
    mechanisms.
    """
    still = LIF(c_m_pF=1e9, tau_m_ms=1.0)
    return (
        jtfne.Config()
        .runtime(duration_ms=500.0)
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 300, "I": 100})
        .emitters({"E": still, "I": still})
        .mechanisms(mechanisms)
    )


GATE = Conductance(tau_ms=2.0, e_rev_mV=-5.0)
EDGE = {"source": "E", "target": "I", "rule": {"kind": "FixedIndegree", "n": 3}, "weight": 2.5}


def test_poisson_opens_a_conductance():
    """The charge at a membrane that stays at rest is counts x weight x tau x driving force, of
    Poisson counts.
    """
    rain = jtfne.Paradigm.poisson(
        target="E", rate_Hz=800.0, weight_nS=1.5, mechanism="g", start_ms=20.0, stop_ms=420.0
    )
    cfg = (
        config(g=GATE).source("synaptic_current").probes([{"kind": "source", "interval_ms": 500.0}])
    )
    source = jtfne.construct(cfg).simulate(rain).get("source", cell_type="E")
    counts = -source.values.ravel() * 500.0 / (1.5 * 2.0 * (-5.0 - REST))
    np.testing.assert_allclose(counts, np.rint(counts), atol=0.02)
    assert abs(counts.mean() - 320.0) < 4.0 * np.sqrt(320.0 / 300)


def test_both_kinds_reach_their_receptors():
    """Receptors of a net in which currents and conductances alternate."""
    edges = [{**EDGE, "mechanism": name} for name in ("g", "AMPA", "h")]
    cfg = config(g=GATE, h=Conductance(tau_ms=7.0, e_rev_mV=-70.0)).connections(edges)
    flat = jtfne.construct(cfg).to_flat()
    assert flat.receptors == (("g",), ("AMPA",), ("h",)) and flat.circuit.conductive == (
        True,
        False,
        True,
    )
    np.testing.assert_array_equal(flat.circuit.e_rev_mV, np.float32([-5.0, 0.0, -70.0]))
    np.testing.assert_array_equal(flat.circuit.tau_syn_ms, np.float32([2.0, 2.0, 7.0]))


def test_a_net_without_conductances_has_none():
    circuit = (
        jtfne.construct(config(g=GATE).connections([{**EDGE, "mechanism": "AMPA"}]))
        .to_flat()
        .circuit
    )
    assert circuit.e_rev_mV is None and circuit.conductive == ()


def test_edges_have_a_column_for_each_unit():
    net = jtfne.construct(
        config(g=GATE).connections([{**EDGE, "mechanism": name} for name in ("AMPA", "g")])
    )
    frame = net.edges.to_pandas()
    opens = frame["mechanism"] == "g"
    assert opens.sum() == 300 and (frame["weight_nS"].notna() == opens).all()
    assert (frame["weight_pA"].notna() == ~opens).all()
    assert set(frame.loc[opens, "weight_nS"]) == set(frame.loc[~opens, "weight_pA"]) == {2.5}
    only = FromTable.from_table(frame[opens])
    assert set(only.weight) == {2.5} and len(only.weight) == 300
    with pytest.raises(jtfne.JtfneError, match="weight_pA and weight_nS; expected weights in one"):
        FromTable.from_table(net.edges.drop_columns("connection"))
    with pytest.raises(
        jtfne.JtfneError,
        match="a table of 2 connections; expected connection= one of",
    ):
        FromTable.from_table(net.edges)


def test_a_mechanism_says_its_kind():
    table = {"kind": "Conductance", "tau_ms": 2, "e_rev_mV": -5}
    cfg = config(g=table, i={"tau_ms": 2.0, "sign": -1})
    assert cfg.circuit.mechanisms["g"] == GATE
    assert cfg.circuit.mechanisms["i"] == Exponential(tau_ms=2.0, sign=-1), (
        "a table without kind is a current"
    )
    for again in (jtfne.Config.from_json(cfg.to_json()), jtfne.Config.from_toml(cfg.to_toml())):
        assert again == cfg and again.hash == cfg.hash


def test_izhikevich_is_pulled_to_the_reversal():
    """A strong conductance holds the quadratic membrane near its reversal: i = C (0.04 v^2 + 5 v +
    140 - u).
    """
    cell = Izhikevich2003()
    state = cell.init(jnp.zeros(1))
    g = Conductances(jnp.full((1, 1), 1e3), jnp.array([1e9]), jnp.array([-80.0]))
    with precision("float64"):
        for _ in range(2000):
            state, _ = STEP(
                cell, state, jnp.zeros(1), SynapticInput(jnp.zeros((0, 1)), jnp.zeros(0), g), 0.05
            )
    v_mV, u = float(state.v_mV[0]), float(state.u[0])
    np.testing.assert_allclose(
        1e3 * (v_mV + 80.0), 100.0 * (0.04 * v_mV**2 + 5.0 * v_mV + 140.0 - u), rtol=1e-3
    )
