"""Recorders that look at inputs alone: what they keep of a trial is worked out from its spikes, beside the run.

The run then takes as long as one that records spikes only, as long as there is a core to spare.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne import engine
from jtfne._cores import n_cores
from jtfne.runner import Spiking

CHUNKS, LEAST_STEPS = 32, 300
"""A short run has so many chunks, of at least so many steps: the recorders end one chunk after it."""

SHARE = 128
"""Of all steps of all cells, one in so many may be a spike before a chunk needs a program with more room for them."""

LEAST_WORK = 20_000_000
"""Cells times steps from which on it pays to compile a second program, about 1 s on a core of its own."""


def following(circuit: engine.Circuit, recorders: tuple[engine.Recorder, ...], n_steps: int) -> tuple[bool, ...]:
    """Which recorders are to follow a run of `n_steps` that has this machine to itself."""
    pays = jax.default_backend() == "cpu" and n_cores() > 1 and circuit.n_cells * n_steps >= LEAST_WORK
    here = pays and engine.can_follow(circuit)
    return tuple(here and each.by_inputs(circuit) for each in recorders)


def steps_of_chunk(n_steps: int, chunk_steps: int) -> int:
    """Of a run that is followed, at most `chunk_steps`."""
    return min(chunk_steps, max(n_steps // CHUNKS, LEAST_STEPS))


class Follower:
    """One trial, chunk after chunk; `carry` is the state before the first."""

    def __init__(
        self,
        circuit: engine.Circuit,
        inputs: engine.Inputs,
        recorders: tuple[engine.Recorder, ...],
        dt_ms: float,
        carry: engine.Carry,
    ) -> None:
        self._given, self._dt_ms = (circuit, inputs, recorders), dt_ms
        self._carry = jax.tree.map(jnp.copy, carry._replace(cells=()))

    def recorded(self, clock: engine.Clock, spiking: Spiking) -> tuple[Any, ...]:
        """What the recorders keep of the next chunk, whose spikes are known."""
        n_steps, n_cells = clock.waveforms.shape[0], self._given[0].n_cells
        self._carry, recorded = engine.follow_jit(
            *self._given, self._carry, clock, _heard(spiking, n_steps, n_cells), self._dt_ms
        )
        done: tuple[Any, ...] = jax.tree.map(np.asarray, recorded)
        return done


def _heard(spiking: Spiking, n_steps: int, n_cells: int) -> engine.Heard:
    """The spikes of a chunk, with room for as many as any chunk is likely to have."""
    step, row = spiking
    room = n_steps * n_cells // SHARE + 1
    while room < row.size:
        room *= 4
    cells: npt.NDArray[np.int32] = np.zeros(room, np.int32)
    cells[: row.size] = row
    return engine.Heard(jnp.asarray(cells), jnp.asarray(np.searchsorted(step, np.arange(n_steps + 1)), jnp.int32))
