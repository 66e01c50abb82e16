"""The one loop: cells step, spikes travel, recorders watch. Knows dt and state; no names, no probes."""

import dataclasses
import math
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from jtfne import noise
from jtfne._check import refuse
from jtfne._tree import register
from jtfne.delivery import Delivery, pack
from jtfne.emitters import Balance, Emitter, SynapticInput
from jtfne.plastic import Plastic
from jtfne.synapses import Second, advanced
from jtfne.synaptic import input_of


@register
@dataclasses.dataclass(frozen=True)
class Group:
    """Cells of one model. index: int32 (n_group,), the rows they stand in, or None if they are all rows."""

    emitter: Emitter
    index: jax.Array | None

    def take(self, rows: jax.Array) -> jax.Array:
        """The entries of `rows` (..., n_cells) that belong to this group."""
        return rows if self.index is None else rows[..., self.index]


@register
@dataclasses.dataclass(frozen=True)
class Circuit:
    """Everything that a step needs, as arrays. drive_pA, noise_pA: (n_cells,); noise_pA None if there is none.

    tau_syn_ms: (n_receptors,), and behind them that of each of `second`, the receptors' second rows of state, if any
    has one. delivery: of the synapses that do not change, None without any; plastic: the others. conductive: which
    receptors are conductances (nS) and not currents (pA), empty if none is; e_rev_mV: (n_receptors,), 0 for currents,
    or None. blocked: which of these magnesium blocks, empty if none; mg_mM: (n_receptors,), 0 for the others, or None.
    """

    groups: tuple[Group, ...]
    tau_syn_ms: jax.Array
    delivery: Delivery | None
    drive_pA: jax.Array
    noise_pA: jax.Array | None
    n_cells: int = dataclasses.field(metadata={"static": True})
    e_rev_mV: jax.Array | None = None
    conductive: tuple[bool, ...] = dataclasses.field(default=(), metadata={"static": True})
    second: tuple[Second, ...] = dataclasses.field(default=(), metadata={"static": True})
    mg_mM: jax.Array | None = None
    blocked: tuple[bool, ...] = dataclasses.field(default=(), metadata={"static": True})
    plastic: tuple[Plastic, ...] = ()

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """All of them; they share one ring."""
        fixed = () if self.delivery is None else (self.delivery,)
        return (*fixed, *(each.delivery for each in self.plastic))

    @property
    def leading(self) -> Delivery | None:
        """The one that tells the ring and packs spikes; None in a circuit without synapses."""
        return next(iter(self.deliveries), None)

    @property
    def n_receptors(self) -> int:
        """How many there are."""
        return self.tau_syn_ms.shape[0] - len(self.second)


@register
@dataclasses.dataclass(frozen=True)
class PoissonInput:
    """Poisson spikes onto one receptor.

    thresholds: uint32 (n_rows, n_targets) or (n_rows, 1), a table of `jtfne.noise`. weight: (n_targets,) or (1,), pA
    or nS added by each spike. targets: int32 (n_targets,), all different.
    """

    targets: jax.Array | None
    thresholds: jax.Array
    weight: jax.Array
    receptor: int = dataclasses.field(metadata={"static": True})
    shared: bool = dataclasses.field(metadata={"static": True})

    def n_targets(self, n_cells: int) -> int:
        """How many cells it reaches, of `n_cells`."""
        return n_cells if self.targets is None else int(self.targets.shape[0])


class Inputs(NamedTuple):
    """What drives a run. patterns_pA: (n_waveforms, n_cells), what one unit of each waveform is to each cell."""

    patterns_pA: jax.Array
    poisson: tuple[PoissonInput, ...] = ()


class Clock(NamedTuple):
    """The inputs of a chunk in time. waveforms: (n_steps, n_waveforms). gates: (n_steps, n_poisson), 0 or 1."""

    waveforms: jax.Array
    gates: jax.Array


class Rain(NamedTuple):
    """What draws Poisson spikes, and those that come next.

    Drawn a step ahead, they stand in memory; drawn where they are added, XLA fuses the draw into every user of the
    sum, and repeats it. waiting: int32 (n_targets,) or (1,).
    """

    streams: noise.Streams
    waiting: jax.Array


class Carry(NamedTuple):
    """The state between two steps. noise: generator states. poisson: one an input.

    syn: (n_receptors * n_cells,), second: (n_second * n_cells,), or None. plastic: one of each of the circuit's.
    """

    step: jax.Array
    cells: tuple[Any, ...]
    syn: jax.Array
    ring: jax.Array | None
    noise: noise.Streams | None
    poisson: tuple[Rain, ...]
    plastic: tuple[Any, ...] = ()
    second: jax.Array | None = None


class View(NamedTuple):
    """What a recorder may look at, once a step. i_ext_pA, spikes: (n_cells,); cells: one state a group."""

    circuit: Circuit
    before: tuple[Any, ...]
    cells: tuple[Any, ...]
    syn: SynapticInput
    i_ext_pA: jax.Array
    spikes: jax.Array
    dt_ms: jax.Array | float

    def v_m_mV(self) -> jax.Array:
        """Membrane potential of every cell, before reset where it spiked: (n_cells,)."""
        return _joined(self.circuit, [state.v_mV for state in self.cells])

    def balance(self) -> Balance:
        """The mean membrane currents of this step, of every cell."""
        each = []
        for group, before, after in zip(self.circuit.groups, self.before, self.cells, strict=True):
            i_ext_pA, syn = group.take(self.i_ext_pA), self.syn.of(group.take)
            each.append(group.emitter.balance(before, after, i_ext_pA, syn, self.dt_ms))
        return Balance(*(_joined(self.circuit, list(rows)) for rows in zip(*each, strict=True)))


class Recorder(Protocol):
    """Watches the run."""

    @property
    def every(self) -> int:
        """Steps that one row is the mean of (static)."""
        ...

    @property
    def index(self) -> jax.Array | None:
        """The cells that a row keeps, int32 (n,), or None for all of them."""
        ...

    def read(self, view: View) -> jax.Array:
        """What to add to the row: (..., n_cells), each cell by itself."""
        ...

    def finish(self, rows: jax.Array) -> Any:
        """What to keep of a chunk's rows (n_rows, ...): a pytree whose leaves lead with n_rows."""
        ...


class Chunk(NamedTuple):
    """What a chunk leaves. words: packed spikes, uint32 (n_steps, n_words). recorded: one entry a recorder."""

    words: jax.Array
    recorded: tuple[Any, ...]


def start(circuit: Circuit, inputs: Inputs, keys: dict[str, jax.Array]) -> Carry:
    """The state before the first step; `keys` has "initial state", "noise" and "stimulus"."""
    dtype = circuit.drive_pA.dtype
    uniform = jax.random.uniform(keys["initial state"], (circuit.n_cells,), dtype)
    draws = (1 if each.shared else each.n_targets(circuit.n_cells) for each in inputs.poisson)
    streams = (jax.random.fold_in(keys["stimulus"], i) for i in range(len(inputs.poisson)))
    return Carry(
        step=jnp.int32(0),
        cells=tuple(group.emitter.init(group.take(uniform)) for group in circuit.groups),
        syn=jnp.zeros(circuit.n_receptors * circuit.n_cells, dtype),
        ring=None if circuit.leading is None else circuit.leading.ring.empty(dtype),
        noise=None if circuit.noise_pA is None else noise.seed(keys["noise"], circuit.n_cells),
        poisson=tuple(
            Rain(*noise.poisson(noise.seed(key, n), each.thresholds))
            for key, n, each in zip(streams, draws, inputs.poisson, strict=True)
        ),
        plastic=tuple(each.start(dtype) for each in circuit.plastic),
        second=jnp.zeros(len(circuit.second) * circuit.n_cells, dtype) if circuit.second else None,
    )


def advance(
    circuit: Circuit,
    inputs: Inputs,
    recorders: tuple[Recorder, ...],
    carry: Carry,
    clock: Clock,
    dt_ms: jax.Array | float,
) -> tuple[Carry, Chunk]:
    """Run the steps of `clock` from `carry`. Traceable; `advance_jit` is the same, compiled, and eats its carry."""
    carry, words, kept = watched(circuit, inputs, recorders, carry, clock, dt_ms)
    return carry, Chunk(words, tuple(r.finish(rows) for r, rows in zip(recorders, kept, strict=True)))


def watched(
    circuit: Circuit,
    inputs: Inputs,
    recorders: tuple[Recorder, ...],
    carry: Carry,
    clock: Clock,
    dt_ms: jax.Array | float,
    indices: tuple[jax.Array | None, ...] | None = None,
) -> tuple[Carry, jax.Array, list[jax.Array]]:
    """`advance` before the recorders finish: the state, the words, and the rows of each recorder.

    Means over intervals are summed by a loop of their own within the loop over intervals: a sum of the size of a row
    stays where it is, while to add to one row of all rows is three operations a step.
    indices: the cells that each recorder keeps, if not its own `index`.
    Raises: JtfneError if the steps are not a whole number of each recorder's intervals.
    """
    n_steps = clock.waveforms.shape[0]
    cells = [r.index for r in recorders] if indices is None else indices
    slow, fast = (
        [(r, i) for r, i in zip(recorders, cells, strict=True) if (r.every > 1) is kind] for kind in (True, False)
    )
    if any(n_steps % r.every for r, _ in slow):
        raise refuse(f"{n_steps} steps", f"whole intervals of {[r.every for r, _ in slow]} steps", "engine")
    first_ms = circuit.tau_syn_ms[: circuit.n_receptors] if circuit.second else circuit.tau_syn_ms
    decay = jnp.repeat(jnp.exp(-dt_ms / first_ms), circuit.n_cells)

    def step(state: tuple[Carry, list[jax.Array]], tick: Clock) -> tuple[tuple[Carry, list[jax.Array]], Any]:
        carry, sums = state
        after, view = _step(circuit, inputs, decay, dt_ms, carry, tick)
        sums = [total + _read(r, i, view) for total, (r, i) in zip(sums, slow, strict=True)]
        words = pack(view.spikes) if circuit.leading is None else circuit.leading.words(view.spikes)
        after = _delivered(circuit, after, view.spikes, words, dt_ms)
        return (after._replace(step=carry.step + 1), sums), (words, [_read(r, i, view) for r, i in fast])

    if not slow:
        none: list[jax.Array] = []
        (carry, _), (words, rows) = jax.lax.scan(step, (carry, none), clock)
        return carry, words, rows

    first, silent = carry.step, jnp.zeros(circuit.n_cells, bool)
    syn = _syn(circuit, carry, dt_ms)
    blank = View(circuit, carry.cells, carry.cells, syn, circuit.drive_pA, silent, dt_ms)
    nothing = [jnp.zeros(_read(r, i, blank).shape, circuit.drive_pA.dtype) for r, i in slow]

    def interval(state: tuple[Carry, list[jax.Array]], ticks: Clock) -> tuple[tuple[Carry, list[jax.Array]], Any]:
        carry, buffers = state
        began = carry.step - first
        (carry, sums), kept = jax.lax.scan(step, (carry, nothing), ticks)
        added = zip(buffers, sums, slow, strict=True)
        return (carry, [_added(buffer, began // r.every, total / r.every) for buffer, total, (r, _) in added]), kept

    length = math.gcd(*(r.every for r, _ in slow))
    turns = jax.tree.map(lambda column: column.reshape(n_steps // length, length, *column.shape[1:]), clock)
    buffers = [
        jnp.zeros((n_steps // r.every, *row.shape), row.dtype) for (r, _), row in zip(slow, nothing, strict=True)
    ]
    (carry, buffers), kept = jax.lax.scan(interval, (carry, buffers), turns)
    words, rows = jax.tree.map(lambda leaf: leaf.reshape(n_steps, *leaf.shape[2:]), kept)
    return carry, words, [(buffers if r.every > 1 else rows).pop(0) for r in recorders]


def _read(recorder: Recorder, index: jax.Array | None, view: View) -> jax.Array:
    """What a recorder reads of the cells `index`."""
    values = recorder.read(view)
    return values if index is None else values[..., index]


advance_jit = jax.jit(advance, donate_argnames=("carry",))


def _step(
    circuit: Circuit, inputs: Inputs, decay: jax.Array, dt_ms: jax.Array | float, carry: Carry, tick: Clock
) -> tuple[Carry, View]:
    """One step but for its spikes' delivery: cells move under what stood at its start, then inputs arrive."""
    noise_state, i_ext_pA = _external(circuit, inputs, carry, tick, dt_ms)
    syn = _syn(circuit, carry, dt_ms)
    stepped = [
        group.emitter.step(state, group.take(i_ext_pA), syn.of(group.take), dt_ms)
        for group, state in zip(circuit.groups, carry.cells, strict=True)
    ]
    cells = tuple(state for state, _ in stepped)
    spikes = _joined(circuit, [spiked for _, spiked in stepped])
    i_syn_pA, ring = decay * carry.syn, carry.ring
    if circuit.leading is not None and ring is not None:
        i_syn_pA = i_syn_pA + circuit.leading.ring.due(ring, carry.step)
    i_syn_pA, poisson = _rained(circuit, inputs, i_syn_pA, carry, tick)
    if circuit.leading is not None and ring is not None:
        ring = circuit.leading.ring.cleared(ring, carry.step, i_syn_pA)
    second = carry.second
    if second is not None:
        rows, fed = carry.syn.reshape(-1, circuit.n_cells), second.reshape(-1, circuit.n_cells)
        second = advanced(rows, fed, circuit.tau_syn_ms, circuit.second, dt_ms).reshape(-1)
    view = View(circuit, carry.cells, cells, syn, i_ext_pA, spikes, dt_ms)
    return Carry(carry.step, cells, i_syn_pA, ring, noise_state, poisson, carry.plastic, second), view


def _delivered(circuit: Circuit, carry: Carry, spikes: jax.Array, words: jax.Array, dt_ms: jax.Array | float) -> Carry:
    """The state with the spikes of its step on their way."""
    ring, states = carry.ring, []
    if ring is None:
        return carry
    if circuit.delivery is not None:
        ring = circuit.delivery.deliver(ring, spikes, words, carry.step)
    for each, state in zip(circuit.plastic, carry.plastic, strict=True):
        ring, state = each.deliver(ring, state, spikes, words, carry.step, dt_ms)
        states.append(state)
    return carry._replace(ring=ring, plastic=tuple(states))


def _external(
    circuit: Circuit, inputs: Inputs, carry: Carry, tick: Clock, dt_ms: jax.Array | float
) -> tuple[noise.Streams | None, jax.Array]:
    """The noise state, and drive + stimuli + noise * sqrt(1 ms / dt): (n_cells,) pA, constant over the step."""
    i_ext_pA = circuit.drive_pA
    for k in range(inputs.patterns_pA.shape[0]):  # spelled out: fuses into the step
        i_ext_pA = i_ext_pA + tick.waveforms[k] * inputs.patterns_pA[k]
    if circuit.noise_pA is None or carry.noise is None:
        return None, i_ext_pA
    state, drawn = noise.normal(carry.noise, i_ext_pA.dtype)
    return state, i_ext_pA + circuit.noise_pA * jnp.sqrt(1.0 / dt_ms).astype(drawn.dtype) * drawn


def _rained(
    circuit: Circuit, inputs: Inputs, syn: jax.Array, carry: Carry, tick: Clock
) -> tuple[jax.Array, tuple[Rain, ...]]:
    """The synaptic state with this step's Poisson spikes added, and those of the next step."""
    after = []
    for k, (each, rain) in enumerate(zip(inputs.poisson, carry.poisson, strict=True)):
        after.append(Rain(*noise.poisson(rain.streams, each.thresholds)))
        n_targets = each.n_targets(circuit.n_cells)
        added = jnp.broadcast_to(tick.gates[k] * each.weight * rain.waiting.astype(syn.dtype), (n_targets,))
        row = each.receptor * circuit.n_cells
        if each.targets is None:
            rest = syn.shape[0] - row - n_targets
            syn = syn + (jnp.pad(added, (row, rest)) if row or rest else added)
        else:
            syn = syn.at[row + each.targets].add(added, mode="promise_in_bounds", unique_indices=True)
    return syn, tuple(after)


def _syn(circuit: Circuit, carry: Carry, dt_ms: jax.Array | float) -> SynapticInput:
    """The synaptic input of the step that begins."""

    def v_mV() -> jax.Array:
        return _joined(circuit, [state.v_mV for state in carry.cells])

    second = None if carry.second is None else carry.second.reshape(-1, circuit.n_cells)
    return input_of(circuit, carry.syn.reshape(-1, circuit.n_cells), second, v_mV, dt_ms)


def _joined(circuit: Circuit, parts: list[jax.Array]) -> jax.Array:
    """One array over all cells from one a group."""
    if circuit.groups[0].index is None:
        return parts[0]
    joined = jnp.zeros(circuit.n_cells, parts[0].dtype)
    for group, part in zip(circuit.groups, parts, strict=True):
        joined = joined.at[group.index].set(part, unique_indices=True)
    return joined


def _added(buffer: jax.Array, row: jax.Array, values: jax.Array) -> jax.Array:
    """`buffer` with `values` added to one row, in place inside a loop."""
    old = jax.lax.dynamic_index_in_dim(buffer, row, keepdims=False)
    added: jax.Array = jax.lax.dynamic_update_index_in_dim(buffer, old + values.astype(buffer.dtype), row, 0)
    return added
