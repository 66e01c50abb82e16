"""The one loop: cells step, spikes travel, recorders read.

Knows dt and state; no names, no probes.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jtfne._check import refuse
from jtfne.delivery import EventDelivery, SpikingCells
from jtfne.engine._arrays import (
    Carry,
    Chunk,
    Circuit,
    InputChunk,
    Inputs,
    KnownSpikes,
    Recorder,
    View,
)
from jtfne.engine._step import add_first_spikes, replay_step, step_circuit, synaptic_input

# A recorder and the cells that it keeps.
_RecordedCells = tuple[Recorder, jax.Array | None]
# The state, and each recorder's sums over the interval.
_StateAndSums = tuple[Carry, list[jax.Array]]
# The inputs of a step; where its spikes begin and end among the known ones, if they are known.
_StepInputs = tuple[InputChunk, tuple[jax.Array, jax.Array] | None]


def advance(
    circuit: Circuit,
    inputs: Inputs,
    recorders: tuple[Recorder, ...],
    carry: Carry,
    input_chunk: InputChunk,
    dt_ms: jax.Array | float,
) -> tuple[Carry, Chunk]:
    """Run the steps of `input_chunk`; return the state after them and the chunk's output.

    Traceable. `advance_jit` is the same function compiled, and donates `carry`: do not use it
    afterwards.
    """
    carry, spike_bits, rows_by_recorder = run_recorded(
        circuit, inputs, recorders, carry, input_chunk, dt_ms
    )
    return carry, Chunk(
        spike_bits,
        tuple(r.finish(rows) for r, rows in zip(recorders, rows_by_recorder, strict=True)),
    )


def run_recorded(
    circuit: Circuit,
    inputs: Inputs,
    recorders: tuple[Recorder, ...],
    carry: Carry,
    input_chunk: InputChunk,
    dt_ms: jax.Array | float,
    indices: tuple[jax.Array | None, ...] | None = None,
    known_spikes: KnownSpikes | None = None,
) -> tuple[Carry, Any, list[jax.Array]]:
    """Run a chunk; return its state, packed spikes and the recorders' rows before `finish`.

    indices: the cells that each recorder keeps, if not its own `index`. known_spikes: the spikes,
    if they are known; cells then stand still, and there are no packed spikes.
    Raises: JtfneError if the steps are not a whole number of each recorder's intervals.
    """
    n_steps = input_chunk.waveforms.shape[0]
    if input_chunk.at_start:
        carry = add_first_spikes(circuit, inputs, carry, input_chunk.at_start, dt_ms)
        input_chunk = input_chunk._replace(at_start=())
    cell_indices = [r.index for r in recorders] if indices is None else indices
    mean_recorders: list[_RecordedCells] = []
    step_recorders: list[_RecordedCells] = []
    for recorder, index in zip(recorders, cell_indices, strict=True):
        (mean_recorders if recorder.every > 1 else step_recorders).append((recorder, index))
    if any(n_steps % r.every for r, _ in mean_recorders):
        raise refuse(
            f"{n_steps} steps",
            f"whole intervals of {[r.every for r, _ in mean_recorders]} steps",
            "engine",
        )
    decay = jnp.exp(-dt_ms / circuit.tau_syn_ms[: circuit.n_receptors])
    spiking_cells = None if known_spikes is None else known_spikes.cells
    step = _make_step(circuit, inputs, decay, dt_ms, mean_recorders, step_recorders, spiking_cells)
    spike_ranges = (
        None if known_spikes is None else (known_spikes.first[:-1], known_spikes.first[1:])
    )
    steps: _StepInputs = input_chunk, spike_ranges
    if not mean_recorders:
        no_sums: list[jax.Array] = []
        (carry, _), (spike_bits, rows) = jax.lax.scan(step, (carry, no_sums), steps)
        return carry, spike_bits, rows
    zero_sums = _make_zero_sums(circuit, carry, mean_recorders, dt_ms)
    carry, buffers, (spike_bits, rows) = _scan_intervals(
        step, carry, steps, n_steps, mean_recorders, zero_sums
    )
    return carry, spike_bits, [(buffers if r.every > 1 else rows).pop(0) for r in recorders]


def _make_zero_sums(
    circuit: Circuit,
    carry: Carry,
    mean_recorders: list[_RecordedCells],
    dt_ms: jax.Array | float,
) -> list[jax.Array]:
    """Return the sums of an interval before its first step: zeros of the shape that is read."""
    syn, no_spikes = synaptic_input(circuit, carry, dt_ms), jnp.zeros(circuit.n_cells, bool)
    view = View(circuit, carry.cells, carry.cells, syn, circuit.drive_pA, no_spikes, dt_ms)
    return [
        jnp.zeros(_read(recorder, index, view).shape, circuit.drive_pA.dtype)
        for recorder, index in mean_recorders
    ]


def _scan_intervals(
    step: Callable[[_StateAndSums, _StepInputs], tuple[_StateAndSums, Any]],
    carry: Carry,
    steps: _StepInputs,
    n_steps: int,
    mean_recorders: list[_RecordedCells],
    zero_sums: list[jax.Array],
) -> tuple[Carry, list[jax.Array], Any]:
    """Return the state, the means of each of `mean_recorders`, and what each step yields.

    Means over intervals are summed by a loop of their own within the loop over intervals: a sum of
    the size of a row stays where it is, while adding to one row of all rows is three operations a
    step.
    """
    first_step = carry.step

    def interval(state: _StateAndSums, interval_inputs: _StepInputs) -> tuple[_StateAndSums, Any]:
        carry, buffers = state
        step_in_chunk = carry.step - first_step
        (carry, sums), step_outputs = jax.lax.scan(step, (carry, zero_sums), interval_inputs)
        sums_by_recorder = zip(buffers, sums, mean_recorders, strict=True)
        new_buffers = []
        for buffer, total, (recorder, _) in sums_by_recorder:
            row_index, row = step_in_chunk // recorder.every, total / recorder.every
            new_buffers.append(_add_to_row(buffer, row_index, row))
        return (carry, new_buffers), step_outputs

    length = math.gcd(*(r.every for r, _ in mean_recorders))
    inputs_by_interval = jax.tree.map(
        lambda column: column.reshape(n_steps // length, length, *column.shape[1:]), steps
    )
    buffers = []
    for (recorder, _), row in zip(mean_recorders, zero_sums, strict=True):
        buffers.append(jnp.zeros((n_steps // recorder.every, *row.shape), row.dtype))
    (carry, buffers), step_outputs = jax.lax.scan(interval, (carry, buffers), inputs_by_interval)
    step_outputs = jax.tree.map(lambda leaf: leaf.reshape(n_steps, *leaf.shape[2:]), step_outputs)
    return carry, buffers, step_outputs


def _make_step(
    circuit: Circuit,
    inputs: Inputs,
    decay: jax.Array,
    dt_ms: jax.Array | float,
    mean_recorders: list[_RecordedCells],
    step_recorders: list[_RecordedCells],
    spiking_cells: jax.Array | None,
) -> Callable[[_StateAndSums, _StepInputs], tuple[_StateAndSums, Any]]:
    """Return the scan body: one step of the state and of the sums of `mean_recorders`.

    It yields the packed spikes (None if `spiking_cells` are known) and the rows of
    `step_recorders`.
    """

    def step(state: _StateAndSums, step_inputs: _StepInputs) -> tuple[_StateAndSums, Any]:
        inputs_t, spike_range = step_inputs

        def read_sums(view: View) -> list[jax.Array]:
            sums = []
            for total, (recorder, index) in zip(state[1], mean_recorders, strict=True):
                sums.append(total + _read(recorder, index, view))
            return sums

        arguments = circuit, inputs, decay, dt_ms, state[0], inputs_t, read_sums
        if spiking_cells is None or spike_range is None:
            next_carry, spike_bits, view, sums = step_circuit(*arguments)
        else:
            spike_bits, (next_carry, view, sums) = (
                None,
                replay_step(*arguments, SpikingCells(spiking_cells, *spike_range)),
            )
        return (next_carry, sums), (spike_bits, [_read(r, i, view) for r, i in step_recorders])

    return step


def _read(recorder: Recorder, index: jax.Array | None, view: View) -> jax.Array:
    """Return what a recorder reads of the cells `index` (all if None)."""
    values = recorder.read(view)
    return values if index is None else values[..., index]


advance_jit = jax.jit(advance, donate_argnames=("carry",))


def replay(
    circuit: Circuit,
    inputs: Inputs,
    recorders: tuple[Recorder, ...],
    carry: Carry,
    input_chunk: InputChunk,
    known_spikes: KnownSpikes,
    dt_ms: jax.Array | float,
) -> tuple[Carry, tuple[Any, ...]]:
    """Return the state after a chunk whose spikes are known, and what `recorders` keep of it.

    Equal to `advance` to the bit, for recorders with `by_inputs` in circuits that `supports_replay`
    allows. carry: without cells.
    """
    carry, _, rows_by_recorder = run_recorded(
        circuit, inputs, recorders, carry, input_chunk, dt_ms, known_spikes=known_spikes
    )
    return carry, tuple(r.finish(rows) for r, rows in zip(recorders, rows_by_recorder, strict=True))


ONE_THREAD = {"xla_cpu_multi_thread_eigen": False}  # the run that is followed needs the other cores
replay_jit = jax.jit(replay, donate_argnames=("carry",), compiler_options=ONE_THREAD)


def supports_replay(circuit: Circuit) -> bool:
    """Whether the cells' input follows from their spikes alone: event delivery, fixed synapses."""
    return not circuit.plastic and (
        circuit.delivery is None or isinstance(circuit.delivery, EventDelivery)
    )


def _add_to_row(buffer: jax.Array, row: jax.Array, values: jax.Array) -> jax.Array:
    """Return `buffer` with `values` added to one row, in place inside a loop."""
    row_before = jax.lax.dynamic_index_in_dim(buffer, row, keepdims=False)
    new_buffer: jax.Array = jax.lax.dynamic_update_index_in_dim(
        buffer, row_before + values.astype(buffer.dtype), row, 0
    )
    return new_buffer
