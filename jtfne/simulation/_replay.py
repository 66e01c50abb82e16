"""Replay of recorders that read inputs alone: computed from the spikes, beside the run.

The run then takes as long as one that records spikes only, if there is a core to spare.
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
"""Number of chunks of a short run, and the least steps of a chunk.

The recorders end one chunk after the run.
"""

SHARE = 128
"""One in so many of all steps of all cells may be a spike.

With more spikes a chunk needs a program with more room for them.
"""

LEAST_WORK = 20_000_000
"""Cells times steps from which on a second program pays: about 1 s to compile on its own core."""


def choose_replay(
    circuit: engine.Circuit, recorders: tuple[engine.Recorder, ...], n_steps: int
) -> tuple[bool, ...]:
    """Return which recorders to replay beside a run that has this machine to itself."""
    pays = (
        jax.default_backend() == "cpu" and n_cores() > 1 and circuit.n_cells * n_steps >= LEAST_WORK
    )
    can_replay = pays and engine.supports_replay(circuit)
    return tuple(can_replay and recorder.by_inputs(circuit) for recorder in recorders)


def shorten_chunk(n_steps: int, chunk_steps: int) -> int:
    """Return the steps of a chunk in a run with a replay, at most `chunk_steps`."""
    return min(chunk_steps, max(n_steps // CHUNKS, LEAST_STEPS))


class ReplayRecorder:
    """Replays the recorders of one trial by chunks; `carry` is the state before the first."""

    def __init__(
        self,
        circuit: engine.Circuit,
        inputs: engine.Inputs,
        recorders: tuple[engine.Recorder, ...],
        dt_ms: float,
        carry: engine.Carry,
    ) -> None:
        self._arguments, self._dt_ms = (circuit, inputs, recorders), dt_ms
        self._carry = jax.tree.map(jnp.copy, carry._replace(cells=()))

    def replay(self, inputs_t: engine.InputChunk, spiking: Spiking) -> tuple[Any, ...]:
        """Return what the recorders keep of the next chunk, whose spikes are known."""
        n_steps, n_cells = inputs_t.waveforms.shape[0], self._arguments[0].n_cells
        self._carry, recorded = engine.replay_jit(
            *self._arguments,
            self._carry,
            inputs_t,
            _pack_known_spikes(spiking, n_steps, n_cells),
            self._dt_ms,
        )
        rows: tuple[Any, ...] = jax.tree.map(np.asarray, recorded)
        return rows


def _pack_known_spikes(spiking: Spiking, n_steps: int, n_cells: int) -> engine.KnownSpikes:
    """Pack the spikes of a chunk, with room for as many as any chunk is likely to have."""
    step, row = spiking
    room = n_steps * n_cells // SHARE + 1
    while room < row.size:
        room *= 4
    cells: npt.NDArray[np.int32] = np.zeros(room, np.int32)
    cells[: row.size] = row
    return engine.KnownSpikes(
        jnp.asarray(cells), jnp.asarray(np.searchsorted(step, np.arange(n_steps + 1)), jnp.int32)
    )
