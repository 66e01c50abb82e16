"""The outer loop: trials and chunks, from the engine's arrays to one Recording."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jtfne import _keys, engine
from jtfne._check import JtfneError
from jtfne.delivery import unpack
from jtfne.flatnet import FlatNet
from jtfne.probes import Recording, Spikes
from jtfne.simulation._inputs import Drive

CHUNK_STEPS = 1000  # progress and memory live between chunks, at no cost inside

Arrays = list[dict[str, np.ndarray[Any, Any]]]


def record(
    flat: FlatNet,
    drive: Drive,
    recorders: tuple[engine.Recorder, ...],
    *,
    seed: int,
    n_steps: int,
    n_trials: int,
    chunk_steps: int,
    tick: Callable[[int], None],
) -> Recording:
    """Run all trials. `tick` hears of the steps of each chunk as it ends.

    Raises: JtfneError if a recorded value is not finite, by readout and time.
    """
    block = math.lcm(*(each.every for each in recorders)) if recorders else 1
    n_chunks = max(1, math.ceil(n_steps / chunk_steps))
    length = max(math.ceil(n_steps / n_chunks / block) * block, 2)  # XLA unrolls a loop of one step, and rounds anew
    kept: list[dict[str, Any]] = []
    spikes: list[Spikes] = []
    for trial in range(n_trials):
        keys = _keys.streams(_keys.key(seed, "trial", str(trial)))
        carry = engine.start(flat.circuit, drive.inputs, keys)
        chunks: Arrays = []
        for first in range(0, n_steps, length):
            clock = drive.clock(first, length)
            carry, chunk = engine.advance_jit(flat.circuit, drive.inputs, recorders, carry, clock, flat.dt_ms)
            # the chunk may run past the end, so that all chunks have one shape; the rest is dropped
            here = min(length, n_steps - first)
            step, row = unpack(np.asarray(chunk.words)[:here])
            spikes.append(Spikes(np.full(step.size, trial, np.int32), step + first, row))
            chunks.append(_trimmed(chunk, recorders, here))
            tick(here)
        _refuse_non_finite(carry)
        kept.append({name: np.concatenate([each[name] for each in chunks]) for name in chunks[0]})
    return Recording(
        n_trials=n_trials,
        n_steps=n_steps,
        dt_ms=flat.dt_ms,
        kept={name: np.stack([each[name] for each in kept]) for name in kept[0]},
        spikes=Spikes(*(np.concatenate([getattr(each, name) for each in spikes]) for name in ("trial", "step", "row"))),
    )


def _trimmed(chunk: engine.Chunk, recorders: tuple[engine.Recorder, ...], n_steps: int) -> dict[str, Any]:
    """The chunk's recordings on the host, cut to its first `n_steps`."""
    parts: dict[str, Any] = {}
    for recorder, recorded in zip(recorders, chunk.recorded, strict=True):
        parts |= {name: np.array(rows)[: n_steps // recorder.every] for name, rows in recorded.items()}
    return parts


def _refuse_non_finite(carry: engine.Carry) -> None:
    """Raises: JtfneError if the state of a cell ran away."""
    for state in carry.cells:
        away = np.flatnonzero(~np.isfinite(np.asarray(state.v_mV)))
        if away.size:
            raise JtfneError(
                f"membrane potential of {away.size} cells is not finite at the end of the trial; allowed: finite "
                "values; a smaller dt_ms or a weaker input keeps Euler's scheme stable (in simulate)"
            )
