"""The loop for a backward pass that keeps few states: those between chunks and in one chunk."""

import math

import jax
import jax.numpy as jnp

from jtfne.engine._arrays import Carry, Chunk, Circuit, InputChunk, Inputs, Recorder
from jtfne.engine._loop import advance
from jtfne.engine._step import add_first_spikes


def advance_checkpointed(
    circuit: Circuit,
    inputs: Inputs,
    recorders: tuple[Recorder, ...],
    carry: Carry,
    input_chunk: InputChunk,
    dt_ms: jax.Array | float,
) -> tuple[Carry, Chunk]:
    """Same result as `advance`; the backward pass runs each chunk again (sqrt checkpointing).

    With chunks of about sqrt(n_steps), a gradient's memory grows as sqrt(n_steps): one state a
    chunk, and the residuals of each step of one chunk. Chunks are whole intervals of all recorders;
    the remainder is a chunk of its own.
    Source: Chen et al. (2016), arXiv:1604.06174.
    """
    n_steps, at_start = input_chunk.waveforms.shape[0], input_chunk.at_start
    if at_start:
        carry, input_chunk = (
            add_first_spikes(circuit, inputs, carry, at_start, dt_ms),
            input_chunk._replace(at_start=()),
        )
    interval = math.lcm(*(recorder.every for recorder in recorders))
    length = interval * max(round(math.sqrt(n_steps) / interval), 1)
    n_chunks = n_steps // length

    @jax.checkpoint
    def run_chunk(carry: Carry, chunk_inputs: InputChunk) -> tuple[Carry, Chunk]:
        return advance(circuit, inputs, recorders, carry, chunk_inputs, dt_ms)

    def split_into_chunks(column: jax.Array) -> jax.Array:
        return column[: n_chunks * length].reshape(n_chunks, length, *column.shape[1:])

    carry, chunks = jax.lax.scan(run_chunk, carry, jax.tree.map(split_into_chunks, input_chunk))
    chunk_output: Chunk = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), chunks)
    if n_chunks * length == n_steps:
        return carry, chunk_output
    carry, last_chunk = run_chunk(
        carry, jax.tree.map(lambda column: column[n_chunks * length :], input_chunk)
    )
    return carry, jax.tree.map(lambda *parts: jnp.concatenate(parts), chunk_output, last_chunk)
