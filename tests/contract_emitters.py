"""What every emitter of the catalogue keeps; a new one is a row here. Exceptions are data on its
row.
"""

import dataclasses
import math
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from circuits import FIRES, circuit, run
from jtfne._precision import precision
from jtfne.config import Config
from jtfne.emitters import EMITTERS, Conductances, Emitter, SynapticInput, Trains

EXACT = None


@dataclasses.dataclass(frozen=True)
class Row:
    """order: of the membrane in dt between spikes, EXACT if it is off by rounding only; order_g:
    the same with a conductance that decays. crossed: what breaks a pair of BELOW, where it is not
    enough to put one at the other. coarsest_ms: the longest of the steps for the orders, below the
    fastest time constant. fires: fields at which cells that only send, which have no membrane, fire
    more than ten times a second; None of cells that receive.
    """

    order: int | None = EXACT
    order_g: int = 2
    crossed: dict = dataclasses.field(default_factory=dict)
    coarsest_ms: float = 0.4
    fires: dict | None = None

    @property
    def dts_ms(self) -> np.ndarray:
        """Steps at which orders are told."""
        return self.coarsest_ms / np.array([1.0, 2.0, 4.0, 8.0])


ROWS = {
    "LIF": Row(EXACT, 2),
    "AdaptiveLIF": Row(EXACT, 2),
    "GLIF1": Row(EXACT, 2),
    "GLIF2": Row(
        EXACT,
        2,
        {
            ("reset_mV", "v_th_mV"): {"reset_add_mV": 22.0},
            ("e_l_mV", "v_th_mV"): {"e_l_mV": -50.0, "reset_add_mV": -20.0},
        },
    ),
    "GLIF3": Row(EXACT, 2),
    "AdEx": Row(2, 2),
    "Izhikevich2003": Row(1, 1),
    "Izhikevich2007": Row(1, 1),
    "HodgkinHuxley": Row(2, 2, coarsest_ms=0.2),
    "TwoCompartment": Row(2, 2),
    "PoissonSource": Row(fires={"rate_Hz": 100.0}),
    "SpikeSource": Row(fires={"times_ms": Trains(3 * [[0.1, 5.0, 9.3, 60.0, 99.9, 299.9]])}),
}
KINDS = pytest.mark.parametrize("kind", ROWS)
MEMBRANES = pytest.mark.parametrize(
    "kind", [kind for kind, row in ROWS.items() if row.fires is None]
)
SENDERS = pytest.mark.parametrize(
    "kind", [kind for kind, row in ROWS.items() if row.fires is not None]
)
SYN = SynapticInput(
    jnp.array([[30.0, -20.0, 0.0]]),
    jnp.array([2.0]),
    Conductances(jnp.array([[3.0, 1.0, 0.0]]), jnp.array([5.0]), jnp.array([-10.0])),
)
NUMBERS = [(kind, name) for kind, cls in EMITTERS.items() for name in cls.LIMITS]
PAIRS = [(kind, pair) for kind, cls in EMITTERS.items() for pair in cls.BELOW]
STEP = jax.jit(lambda cell, state, i_pA, syn, dt_ms: cell.step(state, i_pA, syn, dt_ms))


def test_the_rows_are_the_catalogue() -> None:
    assert set(ROWS) == set(EMITTERS)


def test_the_documentation_lists_the_catalogue() -> None:
    page = (Path(__file__).parent.parent / "docs" / "configuration.rst").read_text(encoding="utf-8")
    catalogue = page.split("Rates and the step")[0]
    listed = dict(re.findall(r"^``([A-Z]\w+)``.*  (\S+)$", catalogue, flags=re.MULTILINE))
    assert listed == {kind: cls.input_unit for kind, cls in EMITTERS.items()}


def numbers_of(cell: Emitter) -> dict[str, float]:
    """Its fields that are traced."""
    fields = [field for field in dataclasses.fields(cell) if not field.metadata.get("static")]
    return {field.name: getattr(cell, field.name) for field in fields}


def cell_of(kind: str) -> Emitter:
    """As it stands in a circuit of three cells on a grid of 0.1 ms; it fires, if it only sends."""
    fields = ROWS[kind].fires or {}
    on_grid = {
        name: jnp.asarray(each.table(0.1))
        for name, each in fields.items()
        if isinstance(each, Trains)
    }
    return EMITTERS[kind](**fields | on_grid)


def in_pA(kind: str) -> float:
    """The drive at which it fires, or, where nothing drives it, 1 nA."""
    return FIRES.get(kind, 1000.0) * float(EMITTERS[kind]().input_pA)


@KINDS
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_state_keeps_its_form_and_the_step_is_traced_once(kind: str, dtype: str) -> None:
    traced = []

    def step(cell, state):
        traced.append(state)
        return cell.step(state, jnp.zeros(3, dtype), syn, 0.1)

    with precision(dtype):
        cell, syn = cell_of(kind), jax.tree.map(lambda leaf: leaf.astype(dtype), SYN)
        jitted, start = jax.jit(step), cell.init(jnp.zeros(3, dtype))
        once, spikes = jitted(cell, start)
        again, _ = jitted(dataclasses.replace(cell), once)
    assert jax.tree.structure(again) == jax.tree.structure(start)
    assert [(leaf.dtype, leaf.shape) for leaf in again] == [
        (leaf.dtype, leaf.shape) for leaf in start
    ]
    assert again.v_mV.dtype == dtype and spikes.dtype == bool and spikes.shape == (3,)
    assert len(traced) == 1, "state changed shape or dtype after one step"


@KINDS
def test_one_cell_does_not_touch_another(kind: str) -> None:
    """A step of cells in another order is the step in another order, and so are their currents."""
    cell, order = cell_of(kind), np.array([2, 0, 1])
    start = cell.init(jnp.array([0.1, 0.5, 0.9]))
    i_pA = in_pA(kind) * jnp.array([0.0, 0.5, 1.0])

    def both(state, i_pA, syn):
        after, spikes = cell.step(state, i_pA, syn, 0.1)
        return after, spikes, cell.balance(state, after, i_pA, syn, 0.1)

    moved = jax.tree.map(lambda leaf: leaf[order], (start, i_pA))
    here, there = (
        both(start, i_pA, SYN),
        both(*moved, SYN.select_cells(lambda rows: rows[..., order])),
    )
    for one, other in zip(jax.tree.leaves(here), jax.tree.leaves(there), strict=True):
        np.testing.assert_array_equal(one[order], other)


@KINDS
def test_a_batch_is_its_members(kind: str) -> None:
    """vmap over input and over every parameter that is a number."""
    cell = cell_of(kind)
    start = cell.init(jnp.linspace(0.0, 0.9, 3))
    many = {
        name: jnp.stack([value] * 3) if np.ndim(value) else value * jnp.array([1.0, 1.01, 0.99])
        for name, value in numbers_of(cell).items()
    }
    batch = dataclasses.replace(cell, **many)
    inputs = in_pA(kind) * jnp.arange(3.0)

    def v_mV(cell, i_pA):
        return cell.step(start, jnp.full(3, i_pA), SYN, 0.1)[0].v_mV

    found = jax.vmap(v_mV)(batch, inputs)
    for k in range(3):
        one = dataclasses.replace(cell, **{name: value[k] for name, value in many.items()})
        # sums may be taken in another order
        np.testing.assert_allclose(found[k], v_mV(one, inputs[k]), rtol=2e-6)


@MEMBRANES
def test_it_differentiates_where_it_says_so(kind: str) -> None:
    """By input, state and parameters, against central differences: off by the square of the step,
    1e-5 relative.
    """
    with precision("float64"):
        cell = EMITTERS[kind]()
        state = cell.init(jnp.array([0.3]))
        point = {
            "i_pA": 20.0,
            **numbers_of(cell),
            **{f"state.{name}": each for name, each in state._asdict().items()},
        }
        point = {name: jnp.asarray(value, jnp.float64).reshape(()) for name, value in point.items()}
        syn = SynapticInput(
            jnp.array([[30.0]]),
            jnp.array([2.0]),
            Conductances(*map(jnp.asarray, ([[3.0]], [5.0], [-10.0]))),
        )

        def v_mV(point):
            here = dataclasses.replace(cell, **{name: point[name] for name in numbers_of(cell)})
            at = type(state)(*(point[f"state.{name}"].reshape(1) for name in state._fields))
            for _ in range(2):  # parameters of slow variables show in the second step
                at, _ = here.step(at, point["i_pA"].reshape(1), syn, 0.1)
            return at.v_mV[0]

        slopes = jax.grad(v_mV)(point)
        assert float(slopes["i_pA"]) > 0
        for name, value in point.items():
            h = 1e-5 * max(1.0, abs(float(value)))
            ends = [float(v_mV({**point, name: value + sign * h})) for sign in (1.0, -1.0)]
            want = (ends[0] - ends[1]) / (2.0 * h)
            # rounding of v, 100 mV at 1e-16, over h; truncation, h^2
            np.testing.assert_allclose(slopes[name], want, rtol=1e-6, atol=1e-8, err_msg=name)


def errors_of(end, dts_ms: np.ndarray) -> np.ndarray:
    """How far `end(dt_ms)` is from what it is at a step of 2.5 us."""
    with precision("float64"):
        reference = end(0.0025)
        return np.array([abs(end(dt_ms) - reference) for dt_ms in dts_ms])


def order_of(errors: np.ndarray) -> float:
    """The slope of the errors by halves; the reference, off as well, biases a first order by less
    than 0.1.
    """
    return float(-np.polyfit(np.arange(errors.size), np.log2(errors), 1)[0])


@MEMBRANES
def test_order_in_dt(kind: str) -> None:
    """Below threshold the error at 8 ms shrinks with the stated order, or is rounding where the
    step is exact.
    """
    cell = EMITTERS[kind]()

    def end(dt_ms):
        flat = circuit(cell, 1, drive_pA=1.0 * cell.input_pA, dtype=np.float64)
        return run(flat, round(8.0 / dt_ms), dt_ms)[1][0][-1, 0]

    errors = errors_of(end, ROWS[kind].dts_ms)
    if ROWS[kind].order is EXACT:
        assert errors.max() < 1e-11
    else:
        assert abs(order_of(errors) - ROWS[kind].order) < 0.1
        assert cell.order == ROWS[kind].order


@MEMBRANES
def test_order_in_dt_with_a_conductance(kind: str) -> None:
    """A conductance that decays, and that each step holds at its mean."""
    cell = EMITTERS[kind]()

    def end(dt_ms):
        state, g_nS = cell.init(jnp.zeros(1)), jnp.full((1, 1), 8.0)
        for k in range(round(4.0 / dt_ms)):
            g = Conductances(g_nS * jnp.exp(-k * dt_ms / 5.0), jnp.array([5.0]), jnp.array([-80.0]))
            state, _ = STEP(
                cell, state, jnp.zeros(1), SynapticInput(jnp.zeros((0, 1)), jnp.zeros(0), g), dt_ms
            )
        return float(state.v_mV[0])

    assert abs(order_of(errors_of(end, ROWS[kind].dts_ms)) - ROWS[kind].order_g) < 0.15


@MEMBRANES
@pytest.mark.parametrize("opened", [False, True], ids=["currents", "conductances"])
def test_currents_balance(kind: str, opened: bool) -> None:
    """capacitive + ionic + synaptic + external = 0 at every step, spikes, resets and refractory
    steps included.
    """
    cell = EMITTERS[kind]()
    edges = [
        (0, 1, 0, 5, 4.0 if opened else 30.0),
        (1, 2, 1, 9, 6.0 if opened else -20.0),
        (2, 0, 2, 3, 30.0),
    ]
    with precision("float64"):
        flat = circuit(
            cell,
            3,
            drive_pA=in_pA(kind),
            # LIF is 0/0 where tau is its own
            tau_syn_ms=(2.0, 5.0, 3.0) if opened else (10.0, 10.0 + 1e-7, 0.5),
            e_rev_mV=(0.0, -80.0, None) if opened else None,
            edges=edges,
            dtype=np.float64,
        )
        spikes, (balance,) = run(flat, 3000, 0.1, watch=(lambda view: jnp.stack(view.balance()),))
    assert (spikes.sum(0) > 2).all()
    assert (np.abs(balance[:, 2]).max(0) > 1.0).all(), "synaptic currents did flow"
    np.testing.assert_allclose(balance.sum(1), 0.0, atol=1e-9 * np.abs(balance).max())
    np.testing.assert_array_equal(balance[:, 3], -in_pA(kind))


@MEMBRANES
def test_a_spike_is_where_threshold_distance_is_not_negative(kind: str) -> None:
    """In every step, resets and refractory steps included; and it rises with v, by threshold
    distances.
    """
    cell = EMITTERS[kind]()
    with precision("float64"):
        flat = circuit(cell, 3, drive_pA=in_pA(kind), dtype=np.float64)

        def distance(view):
            return view.circuit.groups[0].emitter.threshold_distance(view.before[0], view.cells[0])

        spikes, (found,) = run(flat, 3000, 0.1, watch=(distance,))
        start = cell.init(jnp.zeros(3))
        higher = start._replace(v_mV=start.v_mV + 1.0)
        gained = np.asarray(
            cell.threshold_distance(start, higher) - cell.threshold_distance(start, start)
        )
    assert (spikes.sum(0) > 2).all()
    np.testing.assert_array_equal(found >= 0.0, spikes)
    # 1 mV of what is between 5 and 200
    assert ((gained > 1.0 / 200.0) & (gained < 1.0 / 5.0)).all()


@pytest.mark.parametrize("kind", ["LIF", "AdaptiveLIF", "AdEx", "TwoCompartment"])
def test_a_cell_that_rests_above_threshold_has_a_positive_distance_above_it(kind: str) -> None:
    """Its distance is that of the reset."""
    cell = dataclasses.replace(EMITTERS[kind](), v_rest_mV=10.0)
    th_mV = cell.v_peak_mV if kind == "AdEx" else cell.v_th_mV
    at = cell.init(jnp.zeros(1))._replace(v_mV=th_mV + jnp.array([1.0]))
    np.testing.assert_allclose(
        cell.threshold_distance(at, at), 1.0 / (th_mV - cell.v_reset_mV), rtol=1e-5
    )


@MEMBRANES
def test_cells_differ_at_the_start(kind: str) -> None:
    state = EMITTERS[kind]().init(jnp.linspace(0.0, 0.99, 8))
    assert np.unique(np.asarray(state.v_mV)).size == 8


@MEMBRANES
def test_an_inward_synaptic_current_depolarises(kind: str) -> None:
    """Within 5 ms, whether it is a current or a conductance that reverses above; a synapse is not
    lost on the way.
    """
    cell = EMITTERS[kind]()

    def v_mV(i_pA, g_nS):
        state = cell.init(jnp.zeros(1))
        for _ in range(50):
            g = Conductances(jnp.full((1, 1), g_nS), jnp.array([5.0]), jnp.array([0.0]))
            syn = SynapticInput(jnp.full((1, 1), i_pA), jnp.array([5.0]), g)
            state, _ = STEP(cell, state, jnp.zeros(1), syn, 0.1)
        return float(state.v_mV[0])

    assert min(v_mV(20.0, 0.0), v_mV(0.0, 1.0)) > v_mV(0.0, 0.0) + 0.01  # rounding: 1e-5 a step


@SENDERS
def test_without_a_membrane_nothing_is_heard(kind: str) -> None:
    """Currents and conductances change neither state nor spikes, and the balance is one of
    zeros.
    """
    cell = cell_of(kind)
    at = still = cell.init(jnp.linspace(0.0, 0.9, 3))
    silent, spiked = SynapticInput(jnp.zeros((0, 3)), jnp.zeros(0)), 0
    for _ in range(3000):
        before = at
        (at, spikes), (still, alone) = (
            STEP(cell, at, in_pA(kind) * jnp.ones(3), SYN, 0.1),
            STEP(cell, still, jnp.zeros(3), silent, 0.1),
        )
        np.testing.assert_array_equal(spikes, alone)
        spiked += np.asarray(spikes)
    for one, other in zip(at, still, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (spiked > 2).all() and not cell.receives and not np.any(at.v_mV)
    assert not np.any(cell.balance(before, at, in_pA(kind) * jnp.ones(3), SYN, 0.1))


def test_only_cells_without_a_membrane_are_deaf() -> None:
    assert {kind for kind, cls in EMITTERS.items() if not getattr(cls, "receives", True)} == set(
        ROWS
    ) - set(FIRES)


@KINDS
def test_round_trips(kind: str) -> None:
    """As a pytree, and through a config as JSON; static fields are no leaves."""
    cell = EMITTERS[kind]()
    leaves, structure = jax.tree.flatten(cell)
    assert jax.tree.unflatten(structure, leaves) == cell
    assert leaves == list(numbers_of(cell).values())
    first = {
        name: value + 0.5
        for name, value in list(numbers_of(cell).items())[:1]
        if not isinstance(value, Trains)
    }
    changed = dataclasses.replace(cell, **first or ROWS[kind].fires)
    assert changed != cell
    config = Config().emitters({"E": changed})
    assert Config.from_json(config.to_json()).circuit.emitters["E"] == changed
    assert Config.from_toml(config.to_toml()).circuit.emitters["E"] == changed


@KINDS
def test_every_number_has_a_limit_and_every_class_its_source(kind: str) -> None:
    cls = EMITTERS[kind]
    limited = set(cls.LIMITS) | {
        field.name for field in dataclasses.fields(cls) if field.type in (bool, "bool")
    }
    assert limited == {field.name for field in dataclasses.fields(cls)}
    told = cls.__doc__ + (__import__(cls.__module__, fromlist=["_"]).__doc__ or "")
    assert re.search(r"\(\d{4}\), ", told), (
        "a parameter set and its equations were published somewhere"
    )
    assert cls.input_unit and cls.order >= 1 and isinstance(cls.differentiable, bool)


def refused(kind: str, **changed: float) -> str:
    """What Config says against the emitter."""
    with pytest.raises(jtfne.JtfneError) as caught:
        Config().emitters({"E": dataclasses.replace(EMITTERS[kind](), **changed)})
    return str(caught.value)


@pytest.mark.parametrize(("kind", "name"), NUMBERS)
def test_a_parameter_beyond_its_limit_is_refused(kind: str, name: str) -> None:
    limit = EMITTERS[kind].LIMITS[name]
    beyond = [math.nan, math.inf]
    beyond += (
        [limit.low if limit.open_low else limit.low - 1]
        if math.isfinite(limit.low)
        else [-math.inf]
    )
    beyond += (
        [limit.high if limit.open_high else limit.high + 1] if math.isfinite(limit.high) else []
    )
    for value in beyond:
        message = refused(kind, **{name: value})
        assert f"{name}={value!r}" in message and f"emitters.E.{name}" in message


@pytest.mark.parametrize(("kind", "pair"), PAIRS)
def test_a_pair_in_the_wrong_order_is_refused(kind: str, pair: tuple[str, str]) -> None:
    low, high = pair
    changed = ROWS[kind].crossed.get(pair, {low: getattr(EMITTERS[kind](), high)})
    message = refused(kind, **changed)
    assert f"{low}=" in message and f"less than {high}=" in message


def test_a_mixed_circuit() -> None:
    """All emitters in one net, with currents and conductances between them: all fire, and all stay
    finite.
    """
    counts = dict.fromkeys(EMITTERS, 3)
    edge = {
        "source": {},
        "target": {"cell_type": list(FIRES)},
        "rule": {"kind": "FixedIndegree", "n": 4},
        "delay_ms": 1.0,
    }
    config = (
        Config()
        .runtime(seed=5, duration_ms=300.0, dt_ms=0.1)
        .areas(["V1"])
        .layers(["L4"])
        .cells(counts)
        .emitters({kind: cls(**ROWS[kind].fires or {}) for kind, cls in EMITTERS.items()})
        .cell_params({kind: {"drive": drive} for kind, drive in FIRES.items()})
        .mechanisms({"g": {"kind": "Conductance", "tau_ms": 5.0, "e_rev_mV": 0.0}})
        .connections(
            [
                {**edge, "mechanism": "AMPA", "weight": 10.0},
                {**edge, "mechanism": "g", "weight": 0.2},
            ]
        )
        .probes(["spk", "vm", "source"])
        .source("decomposed")
    )
    net = jtfne.construct(config)
    signals = net.simulate(progress=False)
    fired = signals.spikes.groupby("neuron").size().reindex(range(net.n_neurons), fill_value=0)
    by_kind = fired.groupby(net.neurons["cell_type"].to_numpy()).min()
    assert (by_kind >= 3).all(), by_kind
    for name in ("vm", "source"):
        assert np.isfinite(signals.get(name).values).all()
    assert len(net.to_flat().circuit.groups) == len(EMITTERS)


# Cells of the table "Rates and the step" in docs/configuration.rst, row by row: model, fields,
# drive.
NAUD_TONIC = {"c_m_pF": 200.0, "g_nS": 10.0, "v_rest_mV": -70.0, "v_t_mV": -50.0, "delta_mV": 2.0, "a_nS": 2.0,
              "tau_w_ms": 30.0, "b_pA": 0.0, "v_reset_mV": -58.0}  # fmt: skip
FAST = {"a": 0.1, "b": 0.2, "c_mV": -65.0, "d": 2.0}
TOLD = (
    ("LIF", {}, 600.0),
    ("TwoCompartment", {}, 900.0),
    ("AdEx", {}, 800.0),
    ("AdEx", NAUD_TONIC, 500.0),
    ("Izhikevich2003", {}, 10.0),
    ("Izhikevich2003", FAST, 10.0),
    ("Izhikevich2003", {**FAST, "half_steps": True}, 10.0),
    ("Izhikevich2003", {"a": 0.02, "b": 0.25, "c_mV": -65.0, "d": 2.0}, 10.0),
    ("Izhikevich2007", {}, 200.0),
    ("HodgkinHuxley", {}, 500.0),
)


def table_of_rates() -> list[tuple[str, float, list[float]]]:
    """The rows of the table: model, rate in Hz, and by how many percent it is off at 0.1 and at
    0.05 ms.
    """
    page = (Path(__file__).parent.parent / "docs" / "configuration.rst").read_text(encoding="utf-8")
    section = page.split("Rates and the step\n")[1].split("Where that matters")[0]
    rows = re.findall(
        r"^``(\w+)``.*?  +\d+ \S+ +([\d.]+) +(-[\d.]+) +(-[\d.]+)$", section, flags=re.MULTILINE
    )
    return [(kind, float(rate), [float(coarse), float(fine)]) for kind, rate, coarse, fine in rows]


@pytest.mark.slow
@pytest.mark.parametrize("row", range(len(TOLD)), ids=lambda row: f"{TOLD[row][0]}-{row}")
def test_rates_are_off_by_what_the_documentation_says(row: int) -> None:
    """A constant drive, one cell from its reset state; intervals after half a second."""
    rows = table_of_rates()
    assert [kind for kind, *_ in rows] == [kind for kind, *_ in TOLD]
    kind, fields, drive = TOLD[row]
    cell = EMITTERS[kind](**fields)

    def rate_Hz(dt_ms: float) -> float:
        with precision("float64"):
            flat = circuit(cell, 1, drive_pA=drive * float(cell.input_pA), dtype=np.float64)
            step = np.flatnonzero(run(flat, round(3000.0 / dt_ms), dt_ms, watch=())[0][:, 0])
        step = step[step * dt_ms > 500.0]
        return 1e3 * (step.size - 1) / (np.ptp(step) * dt_ms)

    converged_Hz = rate_Hz(0.005)
    _, told_Hz, told_percent = rows[row]
    np.testing.assert_allclose(converged_Hz, told_Hz, rtol=5e-3)
    found_percent = [100.0 * (rate_Hz(dt_ms) / converged_Hz - 1.0) for dt_ms in (0.1, 0.05)]
    np.testing.assert_allclose(found_percent, told_percent, atol=0.35)
