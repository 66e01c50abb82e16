"""How a circuit runs where it lies: on one device, or its cells dealt over a mesh. Knows no names, no probes.

Both give the same bits for the same circuit: every cell keeps its streams of noise, and spikes are delivered in the
order of cells.
"""

import dataclasses
import functools
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.sharding import NamedSharding

from jtfne import _keys, engine
from jtfne.delivery import Layout, ShardedDelivery, everywhere, over, own_devices, stacked, unpack

Spiking = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


class Runner(Protocol):
    """A circuit with its inputs and recorders, ready to run."""

    on_threads: ClassVar[bool]  # whether trials may run side by side, each on a thread of its own

    def start(self, seed: np.uint32, trial: npt.NDArray[np.uint32]) -> engine.Carry:
        """The state before the first step of a trial, told by `_keys.codes`."""
        ...

    def advance(self, carry: engine.Carry, clock: engine.Clock) -> tuple[engine.Carry, engine.Chunk]:
        """Run the steps of `clock`; eats `carry`."""
        ...

    def spikes(self, words: npt.NDArray[np.uint32]) -> Spiking:
        """(step, row) of every spike in the words of a chunk (n_steps, n_words)."""
        ...

    def placed(self, carry: engine.Carry) -> engine.Carry:
        """A state of host arrays where a state of this run lies."""
        ...

    def runaways(self, carry: engine.Carry) -> int:
        """How many cells have a membrane potential that is not finite."""
        ...


def runner_of(
    circuit: engine.Circuit, inputs: engine.Inputs, recorders: tuple[engine.Recorder, ...], dt_ms: float
) -> Runner:
    """The runner of a circuit, by where its delivery lies."""
    if isinstance(circuit.leading, ShardedDelivery):
        return OverDevices(circuit, inputs, recorders, dt_ms)
    return OnOne(circuit, inputs, recorders, dt_ms)


@dataclasses.dataclass(frozen=True)
class OnOne:
    """One device."""

    circuit: engine.Circuit
    inputs: engine.Inputs
    recorders: tuple[engine.Recorder, ...]
    dt_ms: float

    on_threads: ClassVar[bool] = True

    def start(self, seed: np.uint32, trial: npt.NDArray[np.uint32]) -> engine.Carry:
        """As `Runner`."""
        carry: engine.Carry = _start(self.circuit, self.inputs, seed, trial)
        return carry

    def advance(self, carry: engine.Carry, clock: engine.Clock) -> tuple[engine.Carry, engine.Chunk]:
        """As `Runner`."""
        done: tuple[engine.Carry, engine.Chunk] = engine.advance_jit(
            self.circuit, self.inputs, self.recorders, carry, clock, self.dt_ms
        )
        return done

    def spikes(self, words: npt.NDArray[np.uint32]) -> Spiking:
        """As `Runner`."""
        return unpack(words)

    def placed(self, carry: engine.Carry) -> engine.Carry:
        """As `Runner`."""
        placed: engine.Carry = jax.tree.map(jnp.array, carry)
        return placed

    def runaways(self, carry: engine.Carry) -> int:
        """As `Runner`."""
        return sum(int((~np.isfinite(np.asarray(state.v_mV))).sum()) for state in carry.cells)


@functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
def _start(circuit: engine.Circuit, inputs: engine.Inputs, seed: jax.Array, trial: jax.Array) -> engine.Carry:
    """The state before the first step. One program, run once: a quarter of the time to compile if not optimized.

    Nor does it then contract a product and a sum into one rounding: the bits are those of `engine.start` op by op.
    """
    return engine.start(circuit, inputs, _keys.streams(_keys.folded(seed, trial)))


class _Kept(NamedTuple):
    """The cells that a recorder keeps. local: int32 (n_devices, n), or None for all. at: (n_kept,), where each of them
    stands in what the devices keep, one after the other."""

    local: jax.Array | None
    at: jax.Array


class OverDevices:
    """The devices of the mesh over which `circuit.delivery` is dealt; every array leads with the axis of devices."""

    on_threads: ClassVar[bool] = False  # every device is busy with one

    def __init__(
        self,
        circuit: engine.Circuit,
        inputs: engine.Inputs,
        recorders: tuple[engine.Recorder, ...],
        dt_ms: float,
    ) -> None:
        delivery: Any = circuit.leading
        self._delivery: ShardedDelivery = delivery
        self._whole = dataclasses.replace(circuit, delivery=None, plastic=()), inputs
        self._recorders, self._dt_ms = recorders, dt_ms
        deal = _Dealer(self._delivery.layout, self._delivery.mesh)
        self._deal = deal
        self._circuit = deal.circuit(circuit)
        self._inputs = deal.inputs(inputs, circuit.n_cells)
        self._kept = tuple(deal.kept(r.index) for r in recorders)

    def start(self, seed: np.uint32, trial: npt.NDArray[np.uint32]) -> engine.Carry:
        """As `Runner`."""
        circuit, inputs = self._whole
        carry = self._deal.carry(_start(circuit, inputs, seed, trial), circuit, inputs, self._delivery.ring)
        return carry._replace(plastic=self._deal.plastic(self._circuit))

    def advance(self, carry: engine.Carry, clock: engine.Clock) -> tuple[engine.Carry, engine.Chunk]:
        """As `Runner`."""
        done: tuple[engine.Carry, engine.Chunk] = _advance_over(
            self._circuit, self._inputs, self._recorders, self._kept, carry, clock, self._dt_ms
        )
        return done

    def spikes(self, words: npt.NDArray[np.uint32]) -> Spiking:
        """As `Runner`; words are in the order of positions, which is that of rows."""
        step, position = unpack(words)
        return step, self._delivery.layout.row_of[position]

    def placed(self, carry: engine.Carry) -> engine.Carry:
        """As `Runner`."""
        placed: engine.Carry = jax.tree.map(lambda leaf: stacked(list(np.asarray(leaf)), self._delivery.mesh), carry)
        return placed

    def runaways(self, carry: engine.Carry) -> int:
        """As `Runner`; the same in every process."""
        return int(_runaways(carry.cells, self._deal.real(self._circuit)))


def _advance_over_devices(
    circuit: engine.Circuit,
    inputs: engine.Inputs,
    recorders: tuple[engine.Recorder, ...],
    kept: tuple[_Kept, ...],
    carry: engine.Carry,
    clock: engine.Clock,
    dt_ms: float,
) -> tuple[engine.Carry, engine.Chunk]:
    """`engine.advance` on each device's cells; rows are put into the order of cells before recorders finish them."""
    sharded: Any = circuit.leading
    mesh = sharded.mesh

    def on_one(parts: Any, clock: engine.Clock, dt_ms: jax.Array) -> Any:
        circuit, inputs, carry, local = jax.tree.map(lambda leaf: leaf[0], parts)
        carry, words, rows = engine.watched(circuit, inputs, recorders, carry, clock, dt_ms, local)
        return jax.tree.map(lambda leaf: leaf[None], (carry, rows)), words

    dealt, same = over(mesh), everywhere()
    run = jax.shard_map(on_one, mesh=mesh, in_specs=(dealt, same, same), out_specs=(dealt, same), check_vma=False)
    parts = (circuit, inputs, carry, tuple(each.local for each in kept))
    (carry, rows), words = run(parts, clock, jnp.asarray(dt_ms, circuit.drive_pA.dtype))
    recorded = []
    place: Any = jax.lax.with_sharding_constraint  # untyped
    for recorder, each, row in zip(recorders, kept, rows, strict=True):
        side_by_side = jnp.moveaxis(row, 0, -2)
        cells = side_by_side.reshape(*side_by_side.shape[:-2], -1)[..., each.at]
        recorded.append(recorder.finish(place(cells, NamedSharding(mesh, same))))  # as on one device, to the bit
    return carry, engine.Chunk(words, tuple(recorded))


@jax.jit
def _runaways(cells: tuple[Any, ...], real: tuple[jax.Array, ...]) -> jax.Array:
    """How many real cells are not finite."""
    return jnp.asarray(sum((~jnp.isfinite(s.v_mV) & mine).sum() for s, mine in zip(cells, real, strict=True)))


_advance_over = jax.jit(_advance_over_devices, donate_argnames=("carry",))


class _Dealer:
    """Lays arrays over cells out on the devices of a mesh."""

    def __init__(self, layout: Layout, mesh: Any) -> None:
        self._layout, self._mesh = layout, mesh
        self._here = own_devices(mesh)

    def cells(self, rows: Any) -> jax.Array:
        """(..., n_cells) -> (n_devices, ..., n_local)."""
        whole = np.asarray(rows)
        return self._stacked(lambda k: whole[..., self._layout.rows[k]])

    def same(self, value: Any) -> jax.Array:
        """A copy on each device."""
        whole = np.asarray(value)
        return self._stacked(lambda k: whole)

    def real(self, circuit: engine.Circuit) -> tuple[jax.Array, ...]:
        """Which places of each group of a dealt circuit hold a cell, not a copy: (n_devices, n) each."""
        places = self._layout.real[self._layout.dealt]
        indices = [each.index for each in circuit.groups]
        local = [None if each is None else np.asarray(each.addressable_data(0))[0] for each in indices]
        return tuple(self._stacked(lambda k, at=at: places[k] if at is None else places[k][at]) for at in local)

    def group(self, model: engine.Group, part: Any) -> Any:
        """A pytree of arrays over the cells of a group; numbers are copied."""
        ranks = self._ranks(model.index)
        return jax.tree.map(lambda leaf: self._by(ranks, leaf) if np.ndim(leaf) else self.same(leaf), part)

    def circuit(self, circuit: engine.Circuit) -> engine.Circuit:
        """A circuit whose delivery is dealt already."""
        groups = []
        for each in circuit.groups:
            index = None if each.index is None else self.same(self._local_rows(each.index).astype(np.int32))
            groups.append(engine.Group(self.group(each, each.emitter), index))
        return dataclasses.replace(
            circuit,
            groups=tuple(groups),
            tau_syn_ms=self.same(circuit.tau_syn_ms),
            e_rev_mV=None if circuit.e_rev_mV is None else self.same(circuit.e_rev_mV),
            mg_mM=None if circuit.mg_mM is None else self.same(circuit.mg_mM),
            dendrite_share=None if circuit.dendrite_share is None else self.same(circuit.dendrite_share),
            plastic=tuple(each.with_rule(jax.tree.map(self.same, each.rule)) for each in circuit.plastic),
            drive_pA=self.cells(circuit.drive_pA),
            noise_pA=None if circuit.noise_pA is None else self.cells(circuit.noise_pA),
            v_init_mV=None if circuit.v_init_mV is None else self.cells(circuit.v_init_mV),
            n_cells=self._layout.n_local,
            cell_names=None,  # all that they name is drawn before it is dealt
        )

    def _rows(self, flat: Any, n_cells: int) -> jax.Array:
        """Rows over all cells, flat, as rows over those of each device, flat."""
        rows = np.asarray(flat).reshape(-1, n_cells)
        return self._stacked(lambda k: rows[:, self._layout.rows[k]].reshape(-1))

    def plastic(self, circuit: engine.Circuit) -> tuple[Any, ...]:
        """The states of what is plastic in a dealt circuit, the same on every device."""
        return tuple(jax.tree.map(self.same, each.start(circuit.drive_pA.dtype)) for each in circuit.plastic)

    def inputs(self, inputs: engine.Inputs, n_cells: int) -> engine.Inputs:
        """Stimuli; Poisson spikes are drawn for all cells of a device, of which some never get any."""
        return engine.Inputs(
            self.cells(inputs.patterns_pA),
            tuple(self._rain(each, n_cells) for each in inputs.poisson),
            tuple(
                engine.Fluctuation(self.cells(each.sd_pA), self.same(each.tau_ms), self.same(each.stream), each.shared)
                for each in inputs.fluctuations
            ),
            tuple(
                engine.SpikeTrains(self.cells(each.weight), self.cells(each.train), each.receptor)
                for each in inputs.trains
            ),
        )

    def carry(self, carry: engine.Carry, circuit: engine.Circuit, inputs: engine.Inputs, ring: Any) -> engine.Carry:
        """A state before the first step; ring: that of one device."""
        dtype = circuit.drive_pA.dtype
        poisson = []
        for each, rain in zip(inputs.poisson, carry.poisson, strict=True):
            ranks = None if each.shared else self._target_ranks(each, circuit.n_cells)
            poisson.append(jax.tree.map(self.same if ranks is None else functools.partial(self._by, ranks), rain))
        return engine.Carry(
            step=self.same(carry.step),
            cells=tuple(self.group(g, state) for g, state in zip(circuit.groups, carry.cells, strict=True)),
            syn=self._rows(carry.syn, circuit.n_cells),
            second=None if carry.second is None else self._rows(carry.second, circuit.n_cells),
            ring=self._stacked(lambda k: np.zeros(ring.size, dtype)),
            noise=None if carry.noise is None else jax.tree.map(self.cells, carry.noise),
            poisson=tuple(poisson),
            fluctuations=tuple(
                jax.tree.map(self.same if each.shared else self.cells, now)
                for each, now in zip(inputs.fluctuations, carry.fluctuations, strict=True)
            ),
        )

    def kept(self, index: jax.Array | None) -> _Kept:
        """What each device keeps for a recorder of the cells `index`."""
        rows = np.arange(self._layout.position_of.size) if index is None else np.asarray(index)
        device, local = self._layout.place(self._layout.position_of[rows])
        if index is None:
            return _Kept(None, self._copied(device * self._layout.n_local + local))
        counts = np.bincount(device, minlength=self._layout.n_devices)
        order = np.argsort(device, kind="stable")
        rank = np.empty(rows.size, np.int64)
        rank[order] = np.arange(rows.size) - np.repeat(np.cumsum(counts) - counts, counts)
        picked = np.zeros((self._layout.n_devices, counts.max()), np.int32)
        picked[device, rank] = local
        return _Kept(self._stacked(lambda k: picked[k]), self._copied(device * counts.max() + rank))

    def _rain(self, each: engine.PoissonInput, n_cells: int) -> engine.PoissonInput:
        """One Poisson input over all cells; where it does not reach, a weight of zero."""
        ranks = self._target_ranks(each, n_cells)
        hit = ranks >= 0
        weight = np.asarray(each.weight)
        weights = np.where(hit, weight[np.where(hit, ranks, 0)] if weight.size > 1 else weight[0], 0.0)
        table = np.asarray(each.thresholds)
        spread = each.shared or table.shape[1] == 1
        return engine.PoissonInput(
            targets=None,
            thresholds=self.same(table) if spread else self._stacked(lambda k: table[:, ranks[k]]),
            weight=self._stacked(lambda k: weights[k].astype(weight.dtype)),
            receptor=each.receptor,
            shared=each.shared,
        )

    def _target_ranks(self, each: engine.PoissonInput, n_cells: int) -> npt.NDArray[np.int64]:
        """Which target stands at each place, -1 where none does: (n_devices, n_local)."""
        rank = np.full(n_cells, -1, np.int64)
        rank[slice(None) if each.targets is None else np.asarray(each.targets)] = np.arange(each.n_targets(n_cells))
        return rank[self._layout.rows]

    def _ranks(self, index: jax.Array | None) -> npt.NDArray[np.int64]:
        """Which cell of a group stands at each place of the group: (n_devices, n)."""
        if index is None:
            return self._layout.rows
        rank = np.zeros(self._layout.position_of.size, np.int64)
        rank[np.asarray(index)] = np.arange(np.size(index))
        return rank[self._layout.rows[:, self._local_rows(index)]]

    def _local_rows(self, index: jax.Array) -> npt.NDArray[np.int64]:
        """The places of a group, the same on every device."""
        mine = np.zeros(self._layout.position_of.size, bool)
        mine[np.asarray(index)] = True
        return np.flatnonzero(mine[self._layout.rows[0]])

    def _by(self, ranks: npt.NDArray[np.int64], rows: Any) -> jax.Array:
        """Rows (n,) by rank."""
        whole = np.asarray(rows)
        return self._stacked(lambda k: whole[ranks[k]])

    def _copied(self, at: npt.NDArray[np.int64]) -> jax.Array:
        """An index that all devices of all processes know."""
        whole = at.astype(np.int32)
        sharding = NamedSharding(self._mesh, everywhere())
        return jax.make_array_from_callback(whole.shape, sharding, lambda part: whole[part])

    def _stacked(self, part: Any) -> jax.Array:
        """An array over the mesh from the part of each device."""
        return stacked([np.asarray(part(k)) for k in self._here], self._mesh)
