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
from jtfne._check import POSITIVE, Limit, narrow_dtype, number, one_of, refuse, whole_number
from jtfne._grid import nearest_steps
from jtfne._precision import defined_jax_flags
from jtfne._tree import register
from jtfne.config import Config, Population
from jtfne.config.source_maps import sign_of, words_of
from jtfne.delivery import (
    Choice,
    Delivery,
    EdgeList,
    Event,
    Ring,
    Sharded,
    Synapses,
    check_choice,
    default_delivery,
)
from jtfne.emitters import Trains, join_trains
from jtfne.net import Identity, Net, Projection
from jtfne.plastic import PlasticDelivery, build_plastic
from jtfne.stimuli import SYNAPTIC
from jtfne.synapses import NMDA, PairSTDP, Second, Synapse

# edges sorted at a time, on each core, while rows are packed: some 100 MB of work area
CHUNK_EDGES = 1_000_000


@dataclasses.dataclass(frozen=True, eq=False)
class TrackingMaps:
    """What the arrays of a FlatNet stand for: names of rows, and the rule that drew each synapse.

    identity: row -> area, layer, cell type (codes and vocabularies), or None for a circuit without
    names. connections: code in `FlatNet.circuit.delivery.connection` -> index in
    `config.circuit.connections`.
    """

    config: Config
    identity: Identity | None
    connections: tuple[int, ...]


@register
@dataclasses.dataclass(frozen=True)
class FlatNet:
    """A circuit as a pytree of arrays, ready to `jit`, `vmap` and shard; `FlatModel` is the same
    object.

    Attributes
    ----------
    circuit : jtfne.engine.Circuit
        Cell parameters, synapses, drive and noise as arrays; what an optimizer may touch.
    receptors : tuple of tuple of str
        Mechanisms of each row of the synaptic currents: one each, or, without tracking, all that
        decay alike, since such currents may be added up as they arrive.
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
        """The arrays of `net` on a grid of `dt_ms`, with receptors for `mechanisms` besides those
        in use.

        Raises: JtfneError for an unknown mechanism, and as `delivery` does.
        """
        check_instance(
            net, Net, allowed="a Net, from jtfne.construct(config)", name="net", where="FlatNet.of"
        )
        check_layout(dt_ms, mechanisms, tracked, delivery, "FlatNet.of")
        synapse_by_name = net.config.circuit.mechanisms
        receptors = list_receptors(net, mechanisms, shared=not tracked)
        populations = net.config.populations()
        dtype = np.dtype(net.config.run.dtype)
        static_delivery, plastic = _deliveries(net, receptors, dt_ms, delivery, tracked=tracked)
        drive, noise = (_spread_over_cells(populations, name) for name in ("drive", "noise"))
        circuit = engine.Circuit(
            groups=_groups(populations, dtype, dt_ms),
            delivery=static_delivery,
            drive_pA=jnp.asarray(drive, dtype),
            noise_pA=jnp.asarray(noise, dtype) if noise.any() else None,
            v_init_mV=_first_potentials(populations, dtype),
            n_cells=net.n_neurons,
            plastic=plastic,
            cell_names=jnp.asarray(_cell_names(populations)),
            **_receptor_fields([synapse_by_name[names[0]] for names in receptors], dtype),
        )
        tracking = TrackingMaps(
            net.config, net.identity, tuple(projection.connection for projection in net.projections)
        )
        return cls(circuit, receptors, dt_ms, tracking)

    def run(
        self,
        key: jax.Array,
        *,
        n_steps: int,
        inputs: engine.Inputs | None = None,
        clock: engine.InputChunk | None = None,
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
        with defined_jax_flags():
            inputs = (
                engine.Inputs(jnp.zeros((0, self.circuit.n_cells))) if inputs is None else inputs
            )
            clock = (
                engine.InputChunk(jnp.zeros((n_steps, 0)), jnp.zeros((n_steps, 0)))
                if clock is None
                else clock
            )
            carry = engine.start(self.circuit, inputs, _keys.streams(key))
            return engine.advance(self.circuit, inputs, recorders, carry, clock, self.dt_ms)

    def to_net(self) -> Net:
        """The Net of these arrays: synapses that met in delay, receptor and target stay merged,
        delays on the grid.

        Raises: JtfneError if the arrays were made without tracking.
        """
        deliveries = self.circuit.deliveries
        if not deliveries:
            return Net(self.tracking.config, self.tracking.identity, ())
        if deliveries[0].connection is None:
            raise refuse(
                "a FlatNet without tracking", "one made by Net.to_flat()", "FlatNet.to_net"
            )
        edges = _all_edges([delivery.edges() for delivery in deliveries])
        codes = range(len(self.tracking.connections))
        projections = tuple(self._projection(edges, code) for code in codes)
        return Net(self.tracking.config, self.tracking.identity, projections)

    def learned(self, carry: engine.Carry) -> Self:
        """The same circuit with the weights that PairSTDP had reached in the state `carry`."""
        plastic = tuple(
            plastic_delivery.learned(state)
            for plastic_delivery, state in zip(self.circuit.plastic, carry.plastic, strict=True)
        )
        return dataclasses.replace(self, circuit=dataclasses.replace(self.circuit, plastic=plastic))

    def _projection(self, edges: EdgeList, code: int) -> Projection:
        """The synapses of one connection as a Projection."""
        edge_rows = np.flatnonzero(edges.connection == code)
        counts = np.bincount(edges.source[edge_rows], minlength=self.circuit.n_cells)
        index = self.tracking.connections[code]
        return Projection(
            connection=index,
            mechanism=self.tracking.config.circuit.connections[index].mechanism,
            indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            target=edges.target[edge_rows],
            weight=edges.weight[edge_rows].astype(np.float32),
            delay_ms=(edges.delay_steps[edge_rows] * self.dt_ms).astype(np.float32),
        )


def check_layout(dt_ms: Any, mechanisms: Any, tracked: Any, delivery: Any, where: str) -> None:
    """Raises: JtfneError for arguments of `Net.to_flat` of a wrong type, or a step of no length."""
    number(dt_ms, POSITIVE, name="dt_ms", where=where)
    check_names(mechanisms, name="mechanisms", where=where)
    check_flag(tracked, name="tracked", where=where)
    check_choice(delivery, where)


def _check_run(key: Any, n_steps: Any, inputs: Any, clock: Any, recorders: Any) -> None:
    """Raises: JtfneError for arguments of `FlatNet.run` of a wrong type; values are not checked."""
    where, dtype = "FlatNet.run", getattr(key, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key) or np.shape(key) != ():
        raise refuse(f"key={describe_argument(key)}", "one key, as jax.random.key(0)", where)
    whole_number(n_steps, Limit(low=1, high=2**31 - 1), name="n_steps", where=where)
    if inputs is not None:
        check_instance(
            inputs,
            engine.Inputs,
            allowed="jtfne.engine.Inputs, or None",
            name="inputs",
            where=where,
        )
    if clock is not None:
        check_instance(
            clock,
            engine.InputChunk,
            allowed="a jtfne.engine.Clock, or None",
            name="clock",
            where=where,
        )
    allowed = "a tuple of recorders"
    for recorder in check_list(recorders, allowed=allowed, name="recorders", where=where):
        if isinstance(recorder, type) or not callable(getattr(recorder, "finish", None)):
            raise refuse(f"recorders with {describe_argument(recorder)}", allowed, where)


def mechanisms_of(config: Config) -> tuple[str, ...]:
    """The mechanisms through which stimuli send spikes."""
    return tuple(
        stimulus.drive.mechanism
        for stimulus in config.task.stimuli
        if isinstance(stimulus.drive, SYNAPTIC)
    )


def row_of(mechanism: str, receptors: tuple[tuple[str, ...], ...]) -> int:
    """The row of the synaptic currents that holds `mechanism`."""
    return next(row for row, names in enumerate(receptors) if mechanism in names)


def _spread_over_cells(populations: tuple[Population, ...], name: str) -> npt.NDArray[np.float64]:
    """`drive` or `noise` of every cell, in pA: (n_cells,)."""
    return np.concatenate(
        [
            population.spread(getattr(population, name))
            * population.spread(population.emitter.input_pA)
            for population in populations
        ]
    )


def _cell_names(populations: tuple[Population, ...]) -> npt.NDArray[np.uint32]:
    """The name of each cell's random stream, (2, n_cells) words: population, and number in it."""
    parts = [
        _keys.number_named_streams(
            population.area, population.layer, population.cell_type, n=population.n_cells
        )
        for population in populations
    ]
    return np.concatenate([np.zeros((2, 0), np.uint32), *parts], axis=1)


def _first_potentials(
    populations: tuple[Population, ...], dtype: np.dtype[Any]
) -> jax.Array | None:
    """Potentials before the first step, (n_cells,), NaN where none is declared, or None for all."""
    if all(population.v_init_mV is None for population in populations):
        return None
    values_mV = (
        np.nan if population.v_init_mV is None else population.v_init_mV
        for population in populations
    )
    v_mV = [
        population.spread(value) for population, value in zip(populations, values_mV, strict=True)
    ]
    return jnp.asarray(np.concatenate(v_mV), dtype)


def kinds_of(
    populations: tuple[Population, ...],
) -> list[tuple[list[Population], npt.NDArray[np.int64] | None]]:
    """Populations of each cell model, and their rows; None where all rows are of one model.

    Emitters of one class are one model if their static fields agree too: these choose the program,
    not a number in it.
    """
    starts = np.cumsum([0, *(population.n_cells for population in populations)])
    models = [
        (type(population.emitter), *_static_fields(population.emitter).values())
        for population in populations
    ]
    kinds = dict.fromkeys(models)
    if len(kinds) == 1:
        return [(list(populations), None)]
    members_and_rows: list[tuple[list[Population], npt.NDArray[np.int64] | None]] = []
    for kind in kinds:
        indices = [k for k, model in enumerate(models) if model == kind]
        rows = np.concatenate([np.arange(starts[k], starts[k + 1]) for k in indices])
        members_and_rows.append(([populations[k] for k in indices], rows))
    return members_and_rows


def _groups(
    populations: tuple[Population, ...], dtype: np.dtype[Any], dt_ms: float
) -> tuple[engine.Group, ...]:
    """Populations of one model as one group, in row order within it."""
    return tuple(
        engine.Group(
            _merge_emitters(members, dtype, dt_ms),
            None if rows is None else jnp.asarray(rows, jnp.int32),
        )
        for members, rows in kinds_of(populations)
    )


def _merge_emitters(populations: list[Population], dtype: np.dtype[Any], dt_ms: float) -> Any:
    """One emitter for all: a parameter is one number if populations agree, else one value a cell.

    Spike trains become steps of the grid.
    """
    emitter: Any = populations[0].emitter
    fields = _static_fields(emitter)
    for field in dataclasses.fields(emitter):
        if field.name in fields:
            continue
        values = [getattr(population.emitter, field.name) for population in populations]
        if isinstance(values[0], Trains):
            fields[field.name] = jnp.asarray(join_trains(values).table(dt_ms))
            continue
        is_uniform = all(np.ndim(value) == 0 and value == values[0] for value in values)
        cell_values = [
            population.spread(value) for population, value in zip(populations, values, strict=True)
        ]
        fields[field.name] = jnp.asarray(
            values[0] if is_uniform else np.concatenate(cell_values), dtype
        )
    return dataclasses.replace(emitter, **fields)


def _static_fields(emitter: Any) -> dict[str, Any]:
    """The fields of an emitter that are not traced, by name."""
    return {
        field.name: getattr(emitter, field.name)
        for field in dataclasses.fields(emitter)
        if field.metadata.get("static")
    }


def _longest_steps(projections: tuple[Projection, ...], dt_ms: float) -> int:
    """The longest delay of all, in steps."""
    return max(
        int(_steps(projection.longest_ms, dt_ms)[0])
        for projection in projections
        if projection.n_edges
    )


def _steps(delay_ms: npt.NDArray[np.float32], dt_ms: float) -> npt.NDArray[np.int32]:
    """Delays rounded to the nearest step, at least one."""
    steps = np.maximum(nearest_steps(delay_ms, dt_ms), 1)
    return narrow_dtype(steps, np.int32, name="a delay in steps", where="FlatNet")


def list_receptors(
    net: Net, mechanisms: Iterable[str], *, shared: bool
) -> tuple[tuple[str, ...], ...]:
    """The mechanisms of each row of the synaptic currents: those in use, and `mechanisms`.

    shared: mechanisms that decay alike have one row, unless declared source maps tell them apart; a
    probe does not. Raises: JtfneError for an unknown one.
    """
    synapse_by_name, maps = net.config.circuit.mechanisms, net.config.readouts.maps
    rows: dict[Any, list[str]] = {}
    for name in dict.fromkeys(
        [*(projection.mechanism for projection in net.projections), *mechanisms]
    ):
        mechanism = synapse_by_name[
            one_of(name, synapse_by_name, name="mechanism", where="FlatNet")
        ]
        sign = sign_of(mechanism) if maps else 0
        map_key = (sign, *(source_map.holds(*words_of(name, sign)) for source_map in maps))
        rows.setdefault((_kinetics(mechanism), map_key) if shared else name, []).append(name)
    return tuple(map(tuple, rows.values()))


def _receptor_fields(synapses: list[Synapse], dtype: np.dtype[Any]) -> dict[str, Any]:
    """Fields of `engine.Circuit` that describe receptors: one row each, then the second rows."""
    seconds = [(k, synapse) for k, synapse in enumerate(synapses) if synapse.linked is not None]
    taus_ms = [
        *(synapse.taus_ms[0] for synapse in synapses),
        *(synapse.taus_ms[1] for _, synapse in seconds),
    ]
    conductive = tuple(synapse.unit == "nS" for synapse in synapses)
    e_rev_mV, mg_mM = (
        [getattr(synapse, name, 0.0) for synapse in synapses] for name in ("e_rev_mV", "mg_mM")
    )
    has_mg_block = tuple(isinstance(synapse, NMDA) for synapse in synapses)
    jumps = tuple(synapse.unit == "mV" for synapse in synapses)
    shares = [synapse.dendrite_share for synapse in synapses]
    return {
        "tau_syn_ms": jnp.asarray(taus_ms, dtype),
        "e_rev_mV": jnp.asarray(e_rev_mV, dtype) if any(conductive) else None,
        "conductive": conductive if any(conductive) else (),
        "mg_mM": jnp.asarray(mg_mM, dtype) if any(has_mg_block) else None,
        "blocked": has_mg_block if any(has_mg_block) else (),
        "jumps": jumps if any(jumps) else (),
        "second": tuple(Second(k, bool(synapse.linked)) for k, synapse in seconds),
        "dendrite_share": _shares(shares, dtype)
        if any(share is not None for share in shares)
        else None,
    }


def _shares(shares: list[jax.Array | float | None], dtype: np.dtype[Any]) -> jax.Array:
    """`dendrite_share` of each receptor, NaN where the cell's own value applies."""
    return jnp.asarray([np.nan if share is None else share for share in shares], dtype)


def _kinetics(mechanism: Synapse) -> tuple[Any, ...]:
    """Key under which synapses share one row of state: class and parameters, without the sign.

    Inputs of synapses with equal keys may be added up as they arrive.
    """
    fields = (
        getattr(mechanism, field.name)
        for field in dataclasses.fields(mechanism)
        if field.name != "sign"
    )
    return type(mechanism), *(None if value is None else float(value) for value in fields)


def _deliveries(
    net: Net,
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
    delivery: Choice | None,
    *,
    tracked: bool,
) -> tuple[Delivery | None, tuple[PlasticDelivery, ...]]:
    """One delivery for the static synapses (or None), and one for each plasticity rule."""
    if not net.n_edges:
        return None, ()
    connections = net.config.circuit.connections
    rules: dict[Any, list[int]] = {}
    for code, projection in enumerate(net.projections):
        rules.setdefault(connections[projection.connection].plasticity, []).append(code)
    choice = (
        default_delivery(describe_synapses(net, receptors, dt_ms, tracked=tracked))
        if delivery is None
        else delivery
    )
    if (
        delivery is None
        and isinstance(choice, Sharded)
        and any(isinstance(rule, PairSTDP) for rule in rules)
    ):
        choice = Event()
    synapses_by_rule = {
        rule: describe_synapses(net, receptors, dt_ms, tracked=tracked, codes=codes)
        for rule, codes in rules.items()
    }
    dtype = np.dtype(net.config.run.dtype)
    return (
        choice.build(synapses_by_rule[None])
        if None in synapses_by_rule and synapses_by_rule[None].n_edges
        else None,
        tuple(
            build_plastic(rule, synapses, choice, dtype)
            for rule, synapses in synapses_by_rule.items()
            if rule is not None
        ),
    )


def _all_edges(parts: list[EdgeList]) -> EdgeList:
    """Edges of several deliveries, one after the other."""
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in dataclasses.fields(EdgeList)
    }
    return EdgeList(**columns)


def describe_synapses(
    net: Net,
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
    *,
    tracked: bool,
    codes: list[int] | None = None,
) -> Synapses:
    """Describe the synapses of a net (at least one) to build a delivery from; allocates nothing.

    codes: the projections to take, all by default; the ring buffer is that of all projections.
    """
    n_slots = _longest_steps(net.projections, dt_ms) + 1
    projection_by_code = (
        dict(enumerate(net.projections))
        if codes is None
        else {code: net.projections[code] for code in codes}
    )
    projections = tuple(projection_by_code.values())
    has_delay_per_edge = any(projection.delay_ms.size > 1 for projection in projections)
    return Synapses(
        chunks=lambda: _edge_lists(projection_by_code, receptors, dt_ms),
        degrees=lambda device_of, n_devices: _degrees(projections, device_of, n_devices),
        models=[rows for _, rows in kinds_of(net.config.populations())],
        n_edges=sum(projection.n_edges for projection in projections),
        n_delays=n_slots - 1
        if has_delay_per_edge
        else len(
            {float(projection.delay_ms[0]) for projection in projections if projection.n_edges}
        ),
        ring=Ring(n_slots, len(receptors), net.n_neurons),
        dtype=np.dtype(net.config.run.dtype),
        tracked=tracked,
    )


def _out_degrees(projections: tuple[Projection, ...]) -> npt.NDArray[np.int64]:
    """Edges of each source: (n_cells,)."""
    degrees: npt.NDArray[np.int64] = np.sum(
        [np.diff(projection.indptr) for projection in projections], axis=0
    )
    return degrees


def _degrees(
    projections: tuple[Projection, ...], device_of: npt.NDArray[Any], n_devices: int
) -> npt.NDArray[np.int64]:
    """Edges of each source to the cells of each device: (n_devices, n_cells)."""
    if n_devices == 1:
        return _out_degrees(projections)[None]
    degrees = np.zeros((n_devices, device_of.size), np.int64)
    device_codes = narrow_dtype(device_of, np.int16, name="a device", where="FlatNet")
    for projection in projections:
        device_of_edge = device_codes[projection.target]
        for device in range(n_devices):
            count_dtype = (
                np.int32 if device_of_edge.size <= np.iinfo(np.int32).max else np.int64
            )  # half the memory where it will do
            # edges to this device that come before each edge; row pointers cut the sum into sources
            n_before = np.concatenate([[0], np.cumsum(device_of_edge == device, dtype=count_dtype)])
            degrees[device] += np.diff(n_before[projection.indptr])
    return degrees


def _edge_lists(
    projections: dict[int, Projection], receptors: tuple[tuple[str, ...], ...], dt_ms: float
) -> Iterator[Callable[[], EdgeList]]:
    """All synapses of projections by code, in chunks of whole rows of some 10^6 edges, each made
    when called.
    """
    degrees = _out_degrees(tuple(projections.values()))
    chunk_of = np.cumsum(degrees) // CHUNK_EDGES
    bounds = [0, *(np.flatnonzero(np.diff(chunk_of)) + 1).tolist(), degrees.size]
    for start, stop in itertools.pairwise(bounds):
        yield functools.partial(_edge_list, projections, receptors, dt_ms, start, stop)


def edges_of(
    projections: tuple[Projection, ...],
    code: int,
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
) -> EdgeList:
    """All synapses of one projection, as deliveries are built from them."""
    return _edge_list(
        {code: projections[code]}, receptors, dt_ms, 0, projections[code].indptr.size - 1
    )


def _edge_list(
    projections: dict[int, Projection],
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
    start: int,
    stop: int,
) -> EdgeList:
    """The synapses of the sources from `start` to before `stop`."""
    rows: dict[str, list[npt.NDArray[Any]]] = {
        field.name: [] for field in dataclasses.fields(EdgeList)
    }
    receptor_code = narrow_dtype(len(receptors), np.int16, name="receptors", where="FlatNet").dtype
    connection_code = narrow_dtype(
        max(projections, default=0), np.int16, name="a connection", where="FlatNet"
    ).dtype
    for code, projection in projections.items():
        part = slice(int(projection.indptr[start]), int(projection.indptr[stop]))
        n_edges = part.stop - part.start
        delay_ms = (
            projection.delay_ms if projection.delay_ms.size == 1 else projection.delay_ms[part]
        )
        weight = projection.weight if projection.weight.size == 1 else projection.weight[part]
        counts = np.diff(projection.indptr[start : stop + 1])
        rows["source"].append(np.repeat(np.arange(start, stop, dtype=np.int32), counts))
        rows["target"].append(projection.target[part])
        rows["receptor"].append(
            np.full(n_edges, row_of(projection.mechanism, receptors), receptor_code)
        )
        rows["delay_steps"].append(np.broadcast_to(_steps(delay_ms, dt_ms), n_edges))
        rows["weight"].append(np.broadcast_to(weight.astype(np.float64), n_edges))
        rows["connection"].append(np.full(n_edges, code, connection_code))
    columns: dict[str, Any] = {name: np.concatenate(parts) for name, parts in rows.items()}
    return EdgeList(**columns)
