"""The loop for a backward pass that keeps few states: those between chunks, and those within one."""

import math

import jax
import jax.numpy as jnp

from jtfne.engine._arrays import Carry, Chunk, Circuit, Clock, Inputs, Recorder
from jtfne.engine._loop import advance
from jtfne.engine._step import add_first_spikes


def checkpointed(
    circuit: Circuit,
    inputs: Inputs,
    recorders: tuple[Recorder, ...],
    carry: Carry,
    clock: Clock,
    dt_ms: jax.Array | float,
) -> tuple[Carry, Chunk]:
    """As `advance`, of which it gives the values; a gradient through it runs each chunk a second time.

    With chunks of about sqrt(n_steps), what a gradient keeps grows as sqrt(n_steps): a state a chunk, and what each
    step of one chunk leaves. Chunks are whole intervals of all recorders; what is left over is a chunk of its own.
    Source: Chen et al. (2016), arXiv:1604.06174.
    """
    n_steps, at_start = clock.waveforms.shape[0], clock.at_start
    if at_start:
        carry, clock = add_first_spikes(circuit, inputs, carry, at_start, dt_ms), clock._replace(at_start=())
    interval = math.lcm(*(each.every for each in recorders))
    length = interval * max(round(math.sqrt(n_steps) / interval), 1)
    n_chunks = n_steps // length

    @jax.checkpoint
    def chunk(carry: Carry, ticks: Clock) -> tuple[Carry, Chunk]:
        return advance(circuit, inputs, recorders, carry, ticks, dt_ms)

    def several(column: jax.Array) -> jax.Array:
        return column[: n_chunks * length].reshape(n_chunks, length, *column.shape[1:])

    carry, many = jax.lax.scan(chunk, carry, jax.tree.map(several, clock))
    done: Chunk = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), many)
    if n_chunks * length == n_steps:
        return carry, done
    carry, last = chunk(carry, jax.tree.map(lambda column: column[n_chunks * length :], clock))
    return carry, jax.tree.map(lambda *parts: jnp.concatenate(parts), done, last)
