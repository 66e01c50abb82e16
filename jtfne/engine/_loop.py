"""The one loop: cells step, spikes travel, recorders watch. Knows dt and state; no names, no probes."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jtfne import _keys, noise
from jtfne._check import refuse
from jtfne.delivery import EventDelivery, Spiked
from jtfne.engine._arrays import Carry, Chunk, Circuit, Clock, Group, Heard, Inputs, PoissonInput, Rain, Recorder, View
from jtfne.engine._step import add_first_spikes, followed, stepped, synaptic_input

_Watching = tuple[Recorder, jax.Array | None]  # a recorder and the cells that it keeps
_Summed = tuple[Carry, list[jax.Array]]  # the state, and sums over the interval
_Now = tuple[Clock, tuple[jax.Array, jax.Array] | None]  # of a step, and where its spikes are, if they are known


def start(circuit: Circuit, inputs: Inputs, keys: dict[str, jax.Array]) -> Carry:
    """The state before the first step; `keys` has "initial state", "noise" and "stimulus".

    What a cell draws hangs on the key and on its name, not on which others there are.
    """
    dtype = circuit.drive_pA.dtype
    names = _keys.numbered(circuit.n_cells) if circuit.cell_names is None else circuit.cell_names
    drawn = _keys.words(_keys.named(keys["initial state"], names))
    return Carry(
        step=jnp.int32(0),
        cells=tuple(_first_state(circuit, group, drawn, dtype) for group in circuit.groups),
        syn=jnp.zeros(circuit.n_receptors * circuit.n_cells, dtype),
        ring=None if circuit.leading is None else circuit.leading.ring.empty(dtype),
        noise=None if circuit.noise_pA is None else noise.seed(keys["noise"], names),
        poisson=tuple(_rain(keys["stimulus"], k, each, names) for k, each in enumerate(inputs.poisson)),
        fluctuations=tuple(
            noise.wander(_keys.named(keys["stimulus"], each.stream[:, None])[0], ONE if each.shared else names, dtype)
            for each in inputs.fluctuations
        ),
        plastic=tuple(each.start(dtype) for each in circuit.plastic),
        second=jnp.zeros(len(circuit.second) * circuit.n_cells, dtype) if circuit.second else None,
    )


ONE = _keys.numbered(1)  # the name of the stream that all cells share


def _first_state(circuit: Circuit, group: Group, drawn: tuple[jax.Array, jax.Array], dtype: jnp.dtype) -> Any:
    """The state of a group before the first step: where the circuit says, else spread.

    drawn: two random words of each cell of the circuit.
    """
    emitter: Any = group.emitter
    words = group.take(drawn[0]), group.take(drawn[1])
    spread = emitter.init(_keys.uniform(words, dtype))
    if hasattr(emitter, "seeded"):  # a model whose cells draw as they run
        spread = emitter.seeded(spread, *words)
    if circuit.v_init_mV is None or not hasattr(emitter, "at_potential"):
        return spread
    v_mV = group.take(circuit.v_init_mV)
    declared = ~jnp.isnan(v_mV)
    placed = emitter.at_potential(jnp.where(declared, v_mV, spread.v_mV))
    return jax.tree.map(functools.partial(jnp.where, declared), placed, spread)


def _rain(key: jax.Array, place: int, given: PoissonInput, names: Any) -> Rain:
    """What draws the spikes of a Poisson input, and those of the first step. place: among those without a name."""
    stream = _keys.numbered(place + 1)[:, -1:] if given.stream is None else given.stream
    streams = _keys.named(key, stream)  # (n_stimuli,)
    if given.shared:
        return Rain(*noise.poisson(noise.seed(streams[0], ONE), given.thresholds))
    own = names if given.targets is None else names[:, given.targets]
    keys = streams[0] if given.stimulus is None else streams[given.stimulus]
    return Rain(*noise.poisson(noise.seed(keys, own), given.thresholds))


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
    heard: Heard | None = None,
) -> tuple[Carry, Any, list[jax.Array]]:
    """`advance` before the recorders finish: the state, the words, and the rows of each recorder.

    Means over intervals are summed by a loop of their own within the loop over intervals: a sum of the size of a row
    stays where it is, while to add to one row of all rows is three operations a step.
    indices: the cells that each recorder keeps, if not its own `index`. heard: the spikes, if they are known; cells
    then stand still, and there are no words.
    Raises: JtfneError if the steps are not a whole number of each recorder's intervals.
    """
    n_steps = clock.waveforms.shape[0]
    if clock.at_start:
        carry = add_first_spikes(circuit, inputs, carry, clock.at_start, dt_ms)
        clock = clock._replace(at_start=())
    cells = [r.index for r in recorders] if indices is None else indices
    slow, fast = (
        [(r, i) for r, i in zip(recorders, cells, strict=True) if (r.every > 1) is kind] for kind in (True, False)
    )
    if any(n_steps % r.every for r, _ in slow):
        raise refuse(f"{n_steps} steps", f"whole intervals of {[r.every for r, _ in slow]} steps", "engine")
    decay = jnp.exp(-dt_ms / circuit.tau_syn_ms[: circuit.n_receptors])
    step = _step_of(circuit, inputs, decay, dt_ms, slow, fast, None if heard is None else heard.cells)
    steps: _Now = clock, None if heard is None else (heard.first[:-1], heard.first[1:])
    if not slow:
        no_sums: list[jax.Array] = []
        (carry, _), (words, rows) = jax.lax.scan(step, (carry, no_sums), steps)
        return carry, words, rows

    first, silent, syn = carry.step, jnp.zeros(circuit.n_cells, bool), synaptic_input(circuit, carry, dt_ms)
    blank = View(circuit, carry.cells, carry.cells, syn, circuit.drive_pA, silent, dt_ms)
    nothing = [jnp.zeros(_read(r, i, blank).shape, circuit.drive_pA.dtype) for r, i in slow]

    def interval(state: _Summed, ticks: _Now) -> tuple[_Summed, Any]:
        carry, buffers = state
        began = carry.step - first
        (carry, sums), kept = jax.lax.scan(step, (carry, nothing), ticks)
        added = zip(buffers, sums, slow, strict=True)
        return (carry, [_added(buffer, began // r.every, total / r.every) for buffer, total, (r, _) in added]), kept

    length = math.gcd(*(r.every for r, _ in slow))
    turns = jax.tree.map(lambda column: column.reshape(n_steps // length, length, *column.shape[1:]), steps)
    buffers = [
        jnp.zeros((n_steps // r.every, *row.shape), row.dtype) for (r, _), row in zip(slow, nothing, strict=True)
    ]
    (carry, buffers), kept = jax.lax.scan(interval, (carry, buffers), turns)
    words, rows = jax.tree.map(lambda leaf: leaf.reshape(n_steps, *leaf.shape[2:]), kept)
    return carry, words, [(buffers if r.every > 1 else rows).pop(0) for r in recorders]


def _step_of(
    circuit: Circuit,
    inputs: Inputs,
    decay: jax.Array,
    dt_ms: jax.Array | float,
    slow: list[_Watching],
    fast: list[_Watching],
    cells: jax.Array | None,
) -> Callable[[_Summed, _Now], tuple[_Summed, Any]]:
    """What a step makes of the state and of the sums of `slow`; the words, if the cells that spike are not known."""

    def step(state: _Summed, now: _Now) -> tuple[_Summed, Any]:
        tick, ends = now

        def watch(view: View) -> list[jax.Array]:
            return [total + _read(r, i, view) for total, (r, i) in zip(state[1], slow, strict=True)]

        given = circuit, inputs, decay, dt_ms, state[0], tick, watch
        if cells is None or ends is None:
            after, words, view, sums = stepped(*given)
        else:
            words, (after, view, sums) = None, followed(*given, Spiked(cells, *ends))
        return (after, sums), (words, [_read(r, i, view) for r, i in fast])

    return step


def _read(recorder: Recorder, index: jax.Array | None, view: View) -> jax.Array:
    """What a recorder reads of the cells `index`."""
    values = recorder.read(view)
    return values if index is None else values[..., index]


advance_jit = jax.jit(advance, donate_argnames=("carry",))


def follow(
    circuit: Circuit,
    inputs: Inputs,
    recorders: tuple[Recorder, ...],
    carry: Carry,
    clock: Clock,
    heard: Heard,
    dt_ms: jax.Array | float,
) -> tuple[Carry, tuple[Any, ...]]:
    """What `recorders` keep of a chunk whose spikes are known, to the bit as `advance` has it, and the state after it.

    For recorders `by_inputs`, in circuits that `can_follow` holds of. carry: without cells.
    """
    carry, _, kept = watched(circuit, inputs, recorders, carry, clock, dt_ms, heard=heard)
    return carry, tuple(r.finish(rows) for r, rows in zip(recorders, kept, strict=True))


ONE_THREAD = {"xla_cpu_multi_thread_eigen": False}  # the run that is followed needs the other cores
follow_jit = jax.jit(follow, donate_argnames=("carry",), compiler_options=ONE_THREAD)


def can_follow(circuit: Circuit) -> bool:
    """Whether what reaches the cells can be worked out from their spikes: the loop over events, fixed synapses."""
    return not circuit.plastic and (circuit.delivery is None or isinstance(circuit.delivery, EventDelivery))


def _added(buffer: jax.Array, row: jax.Array, values: jax.Array) -> jax.Array:
    """`buffer` with `values` added to one row, in place inside a loop."""
    old = jax.lax.dynamic_index_in_dim(buffer, row, keepdims=False)
    added: jax.Array = jax.lax.dynamic_update_index_in_dim(buffer, old + values.astype(buffer.dtype), row, 0)
    return added
