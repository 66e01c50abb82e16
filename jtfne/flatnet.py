"""Net -> index arrays and weights: the last place that has names."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne import _keys, engine
from jtfne._arguments import check_flag, check_instance, check_list, check_names, describe_argument
from jtfne._check import POSITIVE, Limit, narrowed, number, one_of, refuse, whole_number
from jtfne._grid import nearest_steps
from jtfne._precision import settled
from jtfne._tree import register
from jtfne.config import Config, Population
from jtfne.config.source_maps import sign_of, words_of
from jtfne.delivery import Choice, Delivery, EdgeList, Event, Ring, Sharded, Synapses, check_choice, choose
from jtfne.emitters import Trains, joined
from jtfne.net import Identity, Net, Projection
from jtfne.plastic import Plastic, plastic_of
from jtfne.stimuli import SYNAPTIC
from jtfne.synapses import NMDA, PairSTDP, Second, Synapse

CHUNK_EDGES = 1_000_000  # edges sorted at a time, on each core, while rows are packed: some 100 MB of work area


@dataclasses.dataclass(frozen=True, eq=False)
class TrackingMaps:
    """What the arrays of a FlatNet stand for: names of rows, and the rule that drew each synapse.

    identity: row -> area, layer, cell type (codes and vocabularies), or None for a circuit without names.
    connections: code in `FlatNet.circuit.delivery.connection` -> index in `config.circuit.connections`.
    """

    config: Config
    identity: Identity | None
    connections: tuple[int, ...]


@register
@dataclasses.dataclass(frozen=True)
class FlatNet:
    """A circuit as a pytree of arrays, ready to `jit`, `vmap` and shard; `FlatModel` is the same object.

    Attributes
    ----------
    circuit : jtfne.engine.Circuit
        Cell parameters, synapses, drive and noise as arrays; what an optimizer may touch.
    receptors : tuple of tuple of str
        Mechanisms of each row of the synaptic currents: one each, or, without tracking, all that decay alike, since
        such currents may be added up as they arrive.
    dt_ms : float
        The grid on which delays were laid.
    tracking : TrackingMaps
        From rows and synapses back to names.
    """

    circuit: engine.Circuit
    receptors: tuple[tuple[str, ...], ...] = dataclasses.field(metadata={"static": True})
    dt_ms: float = dataclasses.field(metadata={"static": True})
    tracking: TrackingMaps = dataclasses.field(metadata={"static": True})

    @classmethod
    def of(
        cls,
        net: Net,
        *,
        dt_ms: float,
        mechanisms: Iterable[str] = (),
        tracked: bool = True,
        delivery: Choice | None = None,
    ) -> Self:
        """The arrays of `net` on a grid of `dt_ms`, with receptors for `mechanisms` besides those in use.

        Raises: JtfneError for an unknown mechanism, and as `delivery` does.
        """
        check_instance(net, Net, allowed="a Net, from jtfne.construct(config)", name="net", where="FlatNet.of")
        check_layout(dt_ms, mechanisms, tracked, delivery, "FlatNet.of")
        known = net.config.circuit.mechanisms
        receptors = receptors_of(net, mechanisms, shared=not tracked)
        populations = net.config.populations()
        dtype = np.dtype(net.config.run.dtype)
        delivered, plastic = _deliveries(net, receptors, dt_ms, delivery, tracked=tracked)
        drive, noise = (_spread(populations, name) for name in ("drive", "noise"))
        circuit = engine.Circuit(
            groups=_groups(populations, dtype, dt_ms),
            delivery=delivered,
            drive_pA=jnp.asarray(drive, dtype),
            noise_pA=jnp.asarray(noise, dtype) if noise.any() else None,
            v_init_mV=_first_potentials(populations, dtype),
            n_cells=net.n_neurons,
            plastic=plastic,
            cell_names=jnp.asarray(_cell_names(populations)),
            **_kinetic([known[names[0]] for names in receptors], dtype),
        )
        tracking = TrackingMaps(net.config, net.identity, tuple(each.connection for each in net.projections))
        return cls(circuit, receptors, dt_ms, tracking)

    def run(
        self,
        key: jax.Array,
        *,
        n_steps: int,
        inputs: engine.Inputs | None = None,
        clock: engine.Clock | None = None,
        recorders: tuple[engine.Recorder, ...] = (),
    ) -> tuple[engine.Carry, engine.Chunk]:
        """Simulate `n_steps` from the start: a pure function, to `jit` and `vmap`.

        Parameters
        ----------
        key : jax.Array
            Base key; initial state, noise and stimulus draw from named streams under it.
        n_steps : int
            Steps of `dt_ms`.
        inputs, clock : optional
            Stimuli as arrays (see `jtfne.engine`); none by default.
        recorders : tuple
            What to watch.

        Returns
        -------
        tuple of Carry and Chunk
            The state at the end, and packed spikes with what was recorded.
        """
        _check_run(key, n_steps, inputs, clock, recorders)
        with settled():
            inputs = engine.Inputs(jnp.zeros((0, self.circuit.n_cells))) if inputs is None else inputs
            clock = engine.Clock(jnp.zeros((n_steps, 0)), jnp.zeros((n_steps, 0))) if clock is None else clock
            carry = engine.start(self.circuit, inputs, _keys.streams(key))
            return engine.advance(self.circuit, inputs, recorders, carry, clock, self.dt_ms)

    def to_net(self) -> Net:
        """The Net of these arrays: synapses that met in delay, receptor and target stay merged, delays on the grid.

        Raises: JtfneError if the arrays were made without tracking.
        """
        deliveries = self.circuit.deliveries
        if not deliveries:
            return Net(self.tracking.config, self.tracking.identity, ())
        if deliveries[0].connection is None:
            raise refuse("a FlatNet without tracking", "one made by Net.to_flat()", "FlatNet.to_net")
        edges = _all_edges([each.edges() for each in deliveries])
        codes = range(len(self.tracking.connections))
        projections = tuple(self._projection(edges, code) for code in codes)
        return Net(self.tracking.config, self.tracking.identity, projections)

    def learned(self, carry: engine.Carry) -> Self:
        """The same circuit with the weights that PairSTDP has made by the state `carry`."""
        plastic = tuple(each.learned(state) for each, state in zip(self.circuit.plastic, carry.plastic, strict=True))
        return dataclasses.replace(self, circuit=dataclasses.replace(self.circuit, plastic=plastic))

    def _projection(self, edges: EdgeList, code: int) -> Projection:
        """The synapses of one rule."""
        mine = np.flatnonzero(edges.connection == code)
        counts = np.bincount(edges.source[mine], minlength=self.circuit.n_cells)
        index = self.tracking.connections[code]
        return Projection(
            connection=index,
            mechanism=self.tracking.config.circuit.connections[index].mechanism,
            indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            target=edges.target[mine],
            weight=edges.weight[mine].astype(np.float32),
            delay_ms=(edges.delay_steps[mine] * self.dt_ms).astype(np.float32),
        )


def check_layout(dt_ms: Any, mechanisms: Any, tracked: Any, delivery: Any, where: str) -> None:
    """Raises: JtfneError for what cannot lay out the arrays of a net: a step of no length, a list that is none."""
    number(dt_ms, POSITIVE, name="dt_ms", where=where)
    check_names(mechanisms, name="mechanisms", where=where)
    check_flag(tracked, name="tracked", where=where)
    check_choice(delivery, where)


def _check_run(key: Any, n_steps: Any, inputs: Any, clock: Any, recorders: Any) -> None:
    """Raises: JtfneError for arguments of `FlatNet.run` of another type. Only types are looked at, not values."""
    where, dtype = "FlatNet.run", getattr(key, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key) or np.shape(key) != ():
        raise refuse(f"key={describe_argument(key)}", "one key, as jax.random.key(0)", where)
    whole_number(n_steps, Limit(low=1, high=2**31 - 1), name="n_steps", where=where)
    if inputs is not None:
        check_instance(inputs, engine.Inputs, allowed="jtfne.engine.Inputs, or None", name="inputs", where=where)
    if clock is not None:
        check_instance(clock, engine.Clock, allowed="a jtfne.engine.Clock, or None", name="clock", where=where)
    allowed = "a tuple of recorders"
    for recorder in check_list(recorders, allowed=allowed, name="recorders", where=where):
        if isinstance(recorder, type) or not callable(getattr(recorder, "finish", None)):
            raise refuse(f"recorders with {describe_argument(recorder)}", allowed, where)


def mechanisms_of(config: Config) -> tuple[str, ...]:
    """The receptors of the stimuli by spikes."""
    return tuple(each.drive.mechanism for each in config.task.stimuli if isinstance(each.drive, SYNAPTIC))


def row_of(mechanism: str, receptors: tuple[tuple[str, ...], ...]) -> int:
    """The row of the synaptic currents that holds `mechanism`."""
    return next(row for row, names in enumerate(receptors) if mechanism in names)


def _spread(populations: tuple[Population, ...], name: str) -> npt.NDArray[np.float64]:
    """`drive` or `noise` of every cell, in pA: (n_cells,)."""
    return np.concatenate(
        [each.spread(getattr(each, name)) * each.spread(each.emitter.input_pA) for each in populations]
    )


def _cell_names(populations: tuple[Population, ...]) -> npt.NDArray[np.uint32]:
    """The words of the name from which each cell draws, (2, n_cells): its population, and its place in it."""
    parts = [_keys.numbered_of(each.area, each.layer, each.cell_type, n=each.n_cells) for each in populations]
    return np.concatenate([np.zeros((2, 0), np.uint32), *parts], axis=1)


def _first_potentials(populations: tuple[Population, ...], dtype: np.dtype[Any]) -> jax.Array | None:
    """Potentials before the first step, (n_cells,), NaN where none is declared; None where none is at all."""
    if all(population.v_init_mV is None for population in populations):
        return None
    declared = (np.nan if population.v_init_mV is None else population.v_init_mV for population in populations)
    v_mV = [population.spread(value) for population, value in zip(populations, declared, strict=True)]
    return jnp.asarray(np.concatenate(v_mV), dtype)


def kinds_of(populations: tuple[Population, ...]) -> list[tuple[list[Population], npt.NDArray[np.int64] | None]]:
    """Populations of each cell model, and their rows; None where all rows are of one model.

    Emitters of one class are one model if their static fields agree too: these choose the program, not a number in it.
    """
    starts = np.cumsum([0, *(each.n_cells for each in populations)])
    models = [(type(each.emitter), *_static(each.emitter).values()) for each in populations]
    kinds = dict.fromkeys(models)
    if len(kinds) == 1:
        return [(list(populations), None)]
    found: list[tuple[list[Population], npt.NDArray[np.int64] | None]] = []
    for kind in kinds:
        mine = [k for k, model in enumerate(models) if model == kind]
        rows = np.concatenate([np.arange(starts[k], starts[k + 1]) for k in mine])
        found.append(([populations[k] for k in mine], rows))
    return found


def _groups(populations: tuple[Population, ...], dtype: np.dtype[Any], dt_ms: float) -> tuple[engine.Group, ...]:
    """Populations of one model as one group, in row order within it."""
    return tuple(
        engine.Group(_merged(mine, dtype, dt_ms), None if rows is None else jnp.asarray(rows, jnp.int32))
        for mine, rows in kinds_of(populations)
    )


def _merged(populations: list[Population], dtype: np.dtype[Any], dt_ms: float) -> Any:
    """One emitter for all: a parameter is a number where they agree, else one value a cell; trains are on the grid."""
    emitter: Any = populations[0].emitter
    merged = _static(emitter)
    for field in dataclasses.fields(emitter):
        if field.name in merged:
            continue
        values = [getattr(each.emitter, field.name) for each in populations]
        if isinstance(values[0], Trains):
            merged[field.name] = jnp.asarray(joined(values).table(dt_ms))
            continue
        same = all(np.ndim(value) == 0 and value == values[0] for value in values)
        spread = [each.spread(value) for each, value in zip(populations, values, strict=True)]
        merged[field.name] = jnp.asarray(values[0] if same else np.concatenate(spread), dtype)
    return dataclasses.replace(emitter, **merged)


def _static(emitter: Any) -> dict[str, Any]:
    """The fields of an emitter that are not traced, by name."""
    return {
        each.name: getattr(emitter, each.name) for each in dataclasses.fields(emitter) if each.metadata.get("static")
    }


def _longest_steps(projections: tuple[Projection, ...], dt_ms: float) -> int:
    """The longest delay of all, in steps."""
    return max(int(_steps(each.longest_ms, dt_ms)[0]) for each in projections if each.n_edges)


def _steps(delay_ms: npt.NDArray[np.float32], dt_ms: float) -> npt.NDArray[np.int32]:
    """Delays rounded to the nearest step, at least one."""
    steps = np.maximum(nearest_steps(delay_ms, dt_ms), 1)
    return narrowed(steps, np.int32, name="a delay in steps", where="FlatNet")


def receptors_of(net: Net, mechanisms: Iterable[str], *, shared: bool) -> tuple[tuple[str, ...], ...]:
    """The mechanisms of each row of the synaptic currents: those in use, and `mechanisms`.

    shared: mechanisms that decay alike have one row, unless declared source maps tell them apart; a probe does not.
    Raises: JtfneError for an unknown one.
    """
    known, maps = net.config.circuit.mechanisms, net.config.readouts.maps
    rows: dict[Any, list[str]] = {}
    for name in dict.fromkeys([*(each.mechanism for each in net.projections), *mechanisms]):
        mechanism = known[one_of(name, known, name="mechanism", where="FlatNet")]
        sign = sign_of(mechanism) if maps else 0
        apart = (sign, *(each.holds(*words_of(name, sign)) for each in maps))
        rows.setdefault((_kinetics(mechanism), apart) if shared else name, []).append(name)
    return tuple(map(tuple, rows.values()))


def _kinetic(synapses: list[Synapse], dtype: np.dtype[Any]) -> dict[str, Any]:
    """What a circuit knows of its receptors, by field: a row of state each, then the second rows."""
    seconds = [(k, each) for k, each in enumerate(synapses) if each.linked is not None]
    taus_ms = [*(each.taus_ms[0] for each in synapses), *(each.taus_ms[1] for _, each in seconds)]
    conductive = tuple(each.unit == "nS" for each in synapses)
    e_rev_mV, mg_mM = ([getattr(each, name, 0.0) for each in synapses] for name in ("e_rev_mV", "mg_mM"))
    blocked = tuple(isinstance(each, NMDA) for each in synapses)
    jumps = tuple(each.unit == "mV" for each in synapses)
    shares = [each.dendrite_share for each in synapses]
    return {
        "tau_syn_ms": jnp.asarray(taus_ms, dtype),
        "e_rev_mV": jnp.asarray(e_rev_mV, dtype) if any(conductive) else None,
        "conductive": conductive if any(conductive) else (),
        "mg_mM": jnp.asarray(mg_mM, dtype) if any(blocked) else None,
        "blocked": blocked if any(blocked) else (),
        "jumps": jumps if any(jumps) else (),
        "second": tuple(Second(k, bool(each.linked)) for k, each in seconds),
        "dendrite_share": _shares(shares, dtype) if any(each is not None for each in shares) else None,
    }


def _shares(shares: list[jax.Array | float | None], dtype: np.dtype[Any]) -> jax.Array:
    """`dendrite_share` of receptors, NaN where a cell's own counts."""
    return jnp.asarray([np.nan if each is None else each for each in shares], dtype)


def _kinetics(mechanism: Synapse) -> tuple[Any, ...]:
    """All of a synapse but which sign its weights have: what two of them must share to be added up as they arrive."""
    fields = (getattr(mechanism, each.name) for each in dataclasses.fields(mechanism) if each.name != "sign")
    return type(mechanism), *(None if each is None else float(each) for each in fields)


def _deliveries(
    net: Net, receptors: tuple[tuple[str, ...], ...], dt_ms: float, delivery: Choice | None, *, tracked: bool
) -> tuple[Delivery | None, tuple[Plastic, ...]]:
    """The delivery of the synapses that do not change, and one for each rule by which others do."""
    if not net.n_edges:
        return None, ()
    connections = net.config.circuit.connections
    rules: dict[Any, list[int]] = {}
    for code, each in enumerate(net.projections):
        rules.setdefault(connections[each.connection].plasticity, []).append(code)
    choice = choose(synapses_of(net, receptors, dt_ms, tracked=tracked)) if delivery is None else delivery
    if delivery is None and isinstance(choice, Sharded) and any(isinstance(rule, PairSTDP) for rule in rules):
        choice = Event()
    made = {rule: synapses_of(net, receptors, dt_ms, tracked=tracked, codes=codes) for rule, codes in rules.items()}
    dtype = np.dtype(net.config.run.dtype)
    return (
        choice.build(made[None]) if None in made and made[None].n_edges else None,
        tuple(plastic_of(rule, synapses, choice, dtype) for rule, synapses in made.items() if rule is not None),
    )


def _all_edges(parts: list[EdgeList]) -> EdgeList:
    """Edges of several deliveries, one after the other."""
    columns = {
        each.name: np.concatenate([getattr(p, each.name) for p in parts]) for each in dataclasses.fields(EdgeList)
    }
    return EdgeList(**columns)


def synapses_of(
    net: Net,
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
    *,
    tracked: bool,
    codes: list[int] | None = None,
) -> Synapses:
    """What a delivery of the synapses of a net that has any is built from; nothing is laid out yet.

    codes: which of its projections, all by default. Whichever, the ring is that of all.
    """
    n_slots = _longest_steps(net.projections, dt_ms) + 1
    chosen = dict(enumerate(net.projections)) if codes is None else {code: net.projections[code] for code in codes}
    mine = tuple(chosen.values())
    spread = any(each.delay_ms.size > 1 for each in mine)
    return Synapses(
        chunks=lambda: _edge_lists(chosen, receptors, dt_ms),
        degrees=lambda device_of, n_devices: _degrees(mine, device_of, n_devices),
        models=[rows for _, rows in kinds_of(net.config.populations())],
        n_edges=sum(each.n_edges for each in mine),
        n_delays=n_slots - 1 if spread else len({float(each.delay_ms[0]) for each in mine if each.n_edges}),
        ring=Ring(n_slots, len(receptors), net.n_neurons),
        dtype=np.dtype(net.config.run.dtype),
        tracked=tracked,
    )


def _out_degrees(projections: tuple[Projection, ...]) -> npt.NDArray[np.int64]:
    """Edges of each source: (n_cells,)."""
    degrees: npt.NDArray[np.int64] = np.sum([np.diff(each.indptr) for each in projections], axis=0)
    return degrees


def _degrees(projections: tuple[Projection, ...], device_of: npt.NDArray[Any], n_devices: int) -> npt.NDArray[np.int64]:
    """Edges of each source to the cells of each device: (n_devices, n_cells)."""
    if n_devices == 1:
        return _out_degrees(projections)[None]
    found = np.zeros((n_devices, device_of.size), np.int64)
    small = narrowed(device_of, np.int16, name="a device", where="FlatNet")
    for each in projections:
        at = small[each.target]
        for k in range(n_devices):
            wide = np.int32 if at.size <= np.iinfo(np.int32).max else np.int64  # half the memory where it will do
            before = np.concatenate([[0], np.cumsum(at == k, dtype=wide)])
            found[k] += np.diff(before[each.indptr])
    return found


def _edge_lists(
    projections: dict[int, Projection], receptors: tuple[tuple[str, ...], ...], dt_ms: float
) -> Iterator[Callable[[], EdgeList]]:
    """All synapses of projections by code, in chunks of whole rows of some 10^6 edges, each made when called."""
    degrees = _out_degrees(tuple(projections.values()))
    chunk_of = np.cumsum(degrees) // CHUNK_EDGES
    bounds = [0, *(np.flatnonzero(np.diff(chunk_of)) + 1).tolist(), degrees.size]
    for first, last in itertools.pairwise(bounds):
        yield functools.partial(_edge_list, projections, receptors, dt_ms, first, last)


def edges_of(
    projections: tuple[Projection, ...], code: int, receptors: tuple[tuple[str, ...], ...], dt_ms: float
) -> EdgeList:
    """All synapses of one projection, as deliveries are built from them."""
    return _edge_list({code: projections[code]}, receptors, dt_ms, 0, projections[code].indptr.size - 1)


def _edge_list(
    projections: dict[int, Projection], receptors: tuple[tuple[str, ...], ...], dt_ms: float, first: int, last: int
) -> EdgeList:
    """The synapses of sources `first` to before `last`."""
    rows: dict[str, list[npt.NDArray[Any]]] = {field.name: [] for field in dataclasses.fields(EdgeList)}
    receptor_code = narrowed(len(receptors), np.int16, name="receptors", where="FlatNet").dtype
    connection_code = narrowed(max(projections, default=0), np.int16, name="a connection", where="FlatNet").dtype
    for code, each in projections.items():
        part = slice(int(each.indptr[first]), int(each.indptr[last]))
        n_edges = part.stop - part.start
        delay_ms = each.delay_ms if each.delay_ms.size == 1 else each.delay_ms[part]
        weight = each.weight if each.weight.size == 1 else each.weight[part]
        counts = np.diff(each.indptr[first : last + 1])
        rows["source"].append(np.repeat(np.arange(first, last, dtype=np.int32), counts))
        rows["target"].append(each.target[part])
        rows["receptor"].append(np.full(n_edges, row_of(each.mechanism, receptors), receptor_code))
        rows["delay_steps"].append(np.broadcast_to(_steps(delay_ms, dt_ms), n_edges))
        rows["weight"].append(np.broadcast_to(weight.astype(np.float64), n_edges))
        rows["connection"].append(np.full(n_edges, code, connection_code))
    columns: dict[str, Any] = {name: np.concatenate(parts) for name, parts in rows.items()}
    return EdgeList(**columns)
