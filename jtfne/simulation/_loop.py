"""The outer loop: trials and chunks, from the engine's arrays to one Recording."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from jtfne import _keys, engine
from jtfne._check import JtfneError
from jtfne.flatnet import FlatNet
from jtfne.probes import ROWS, Recording, Spikes
from jtfne.runner import runner_of
from jtfne.simulation._inputs import Drive

CHUNK_STEPS = 1000  # progress and memory live between chunks, at no cost inside


class Piece(NamedTuple):
    """What is kept of one chunk: `rows` by readout name (n_rows, ...), and its spikes."""

    rows: dict[str, np.ndarray[Any, Any]]
    spikes: Spikes


class Sink(Protocol):
    """Where chunks go, trial after trial, and what a run that goes on finds there."""

    @property
    def n_done(self) -> int:
        """Chunks that are there."""
        ...

    def put(self, piece: Piece, carry: engine.Carry | None) -> None:
        """Take the next chunk, and the state after it; None at the end of a trial."""
        ...

    def carry(self, start: engine.Carry) -> engine.Carry:
        """The state after the last chunk, in the structure of `start`; host arrays, for the runner to place."""
        ...

    def recording(self, *, n_trials: int, n_steps: int, dt_ms: float) -> Recording:
        """All chunks as one; asked for once, at the end."""
        ...

    def discard(self) -> None:
        """Forget all chunks: the run cannot end well."""
        ...


class InMemory:
    """Lays each chunk where it will stay, so that recordings are held once; keeps no state.

    n_rows: rows of a trial by readout.
    """

    def __init__(self, n_rows: Mapping[str, int], n_trials: int) -> None:
        self._n_rows, self._n_trials = n_rows, n_trials
        self.discard()

    @property
    def n_done(self) -> int:
        """As `Sink`."""
        return len(self._spikes)

    def put(self, piece: Piece, carry: engine.Carry | None) -> None:
        """As `Sink`."""
        for name, rows in piece.rows.items():
            if name not in self._kept:
                shape = (self._n_trials * self._n_rows[name], *rows.shape[1:])
                self._kept[name], self._n_filled[name] = np.empty(shape, rows.dtype), 0
            first = self._n_filled[name]
            self._n_filled[name] += len(rows)
            self._kept[name][first : self._n_filled[name]] = rows
        self._spikes.append(piece.spikes)

    def carry(self, start: engine.Carry) -> engine.Carry:
        """As `Sink`; never asked, since each run begins with an empty one."""
        return start

    def recording(self, *, n_trials: int, n_steps: int, dt_ms: float) -> Recording:
        """As `Sink`; nothing is held here afterwards."""
        kept = {name: rows.reshape(n_trials, self._n_rows[name], *rows.shape[1:]) for name, rows in self._kept.items()}
        recording = Recording(n_trials, n_steps, dt_ms, kept, all_spikes(self._spikes))
        self.discard()
        return recording

    def discard(self) -> None:
        """As `Sink`."""
        self._kept: dict[str, np.ndarray[Any, Any]] = {}
        self._n_filled: dict[str, int] = {}
        self._spikes: list[Spikes] = []


def all_spikes(parts: list[Spikes]) -> Spikes:
    """Spikes of consecutive chunks as one table."""
    return Spikes(*(np.concatenate([getattr(each, name) for each in parts]) for name in ("trial", "step", "row")))


def chunk_length(recorders: tuple[engine.Recorder, ...], n_steps: int, chunk_steps: int) -> int:
    """Steps of each chunk: about `chunk_steps`, and whole blocks of every recorder's rows."""
    block = math.lcm(*(each.every for each in recorders)) * ROWS if recorders else 1
    n_chunks = max(1, math.ceil(n_steps / chunk_steps))
    return max(math.ceil(n_steps / n_chunks / block) * block, 2)  # XLA unrolls a loop of one step, and rounds anew


def record(
    flat: FlatNet,
    drive: Drive,
    recorders: tuple[engine.Recorder, ...],
    *,
    seed: int,
    n_steps: int,
    n_trials: int,
    length: int,
    sink: Sink,
    tick: Callable[[int], None],
) -> Recording:
    """Run all trials in chunks of `length` steps, from where `sink` left off. `tick` hears of the steps of each chunk.

    Raises: JtfneError if a membrane potential is not finite at the end of a trial.
    """
    runner = runner_of(flat.circuit, drive.inputs, recorders, flat.dt_ms)
    n_chunks, done = math.ceil(n_steps / length), sink.n_done
    tick(done // n_chunks * n_steps + done % n_chunks * length)
    carry: engine.Carry | None = None
    for number in range(done, n_trials * n_chunks):
        trial, k = divmod(number, n_chunks)
        if k == 0 or carry is None:
            carry = runner.start(np.uint32(seed), _keys.codes("trial", str(trial)))
            carry = runner.placed(sink.carry(carry)) if k else carry
        first = k * length
        clock = drive.clock(first, length, trial)
        carry, chunk = runner.advance(carry, clock)
        # the chunk may run past the end, so that all chunks have one shape; the rest is dropped
        here = min(length, n_steps - first)
        step, row = runner.spikes(np.asarray(chunk.words)[:here])
        spikes = Spikes(np.full(step.size, trial, np.int32), step + first, row)
        last = k == n_chunks - 1
        if last:
            _refuse_non_finite(runner.runaways(carry), sink)
        sink.put(Piece(_trimmed(chunk, recorders, here), spikes), None if last else carry)
        tick(here)
    return sink.recording(n_trials=n_trials, n_steps=n_steps, dt_ms=flat.dt_ms)


def _trimmed(chunk: engine.Chunk, recorders: tuple[engine.Recorder, ...], n_steps: int) -> dict[str, Any]:
    """The chunk's recordings as the host sees them, cut to its first `n_steps`."""
    parts: dict[str, Any] = {}
    for recorder, recorded in zip(recorders, chunk.recorded, strict=True):
        parts |= {name: np.asarray(rows)[: n_steps // recorder.every] for name, rows in recorded.items()}
    return parts


def _refuse_non_finite(n_cells: int, sink: Sink) -> None:
    """Raises: JtfneError if the state of any cell ran away."""
    if n_cells:
        sink.discard()
        raise JtfneError(
            f"membrane potential of {n_cells} cells is not finite at the end of the trial; allowed: finite "
            "values; a smaller dt_ms or a weaker input keeps Euler's scheme stable (in simulate)"
        )
