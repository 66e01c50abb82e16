"""The outer loop: trials and chunks, from the engine's arrays to one Recording."""

import dataclasses
import itertools
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from jtfne import _keys, engine
from jtfne._check import JtfneError
from jtfne._cores import n_cores
from jtfne._precision import precision
from jtfne.flatnet import FlatNet
from jtfne.probes import ROWS, Recording, Spikes
from jtfne.runner import OnOne, Runner, runner_of
from jtfne.simulation._inputs import Drive

CHUNK_STEPS = 1000  # progress and memory live between chunks, at no cost inside


class Piece(NamedTuple):
    """What is kept of one chunk: `rows` by readout name (n_rows, ...), and its spikes; and which chunk it is."""

    rows: dict[str, np.ndarray[Any, Any]]
    spikes: Spikes
    trial: int
    first_step: int
    n_steps: int


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
    """Lays each chunk where it will stay, so that recordings are held once; keeps no state. Trials come in any order.

    every: steps of a row, by readout.
    """

    def __init__(self, every: Mapping[str, int], n_trials: int, n_steps: int) -> None:
        self._every, self._n_trials, self._n_steps = every, n_trials, n_steps
        self._lock = threading.Lock()
        self.discard()

    @property
    def n_done(self) -> int:
        """As `Sink`."""
        return len(self._spikes)

    def put(self, piece: Piece, carry: engine.Carry | None) -> None:
        """As `Sink`."""
        with self._lock:
            for name, rows in piece.rows.items():
                every = self._every[name]
                if name not in self._kept:
                    shape = (self._n_trials, self._n_steps // every, *rows.shape[1:])
                    self._kept[name] = np.empty(shape, rows.dtype)
                first = piece.first_step // every
                self._kept[name][piece.trial, first : first + len(rows)] = rows
            self._spikes[piece.trial, piece.first_step] = piece.spikes

    def carry(self, start: engine.Carry) -> engine.Carry:
        """As `Sink`; never asked, since each run begins with an empty one."""
        return start

    def recording(self, *, n_trials: int, n_steps: int, dt_ms: float) -> Recording:
        """As `Sink`; nothing is held here afterwards."""
        spikes = all_spikes([self._spikes[place] for place in sorted(self._spikes)])
        recording = Recording(n_trials, n_steps, dt_ms, self._kept, spikes)
        self.discard()
        return recording

    def discard(self) -> None:
        """As `Sink`."""
        self._kept: dict[str, np.ndarray[Any, Any]] = {}
        self._spikes: dict[tuple[int, int], Spikes] = {}


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

    Trials run side by side, a core each, if nothing of them has to be in order and one run would leave cores idle.
    Raises: JtfneError if a membrane potential is not finite at the end of a trial.
    """
    run = _Run(runner_of(flat.circuit, drive.inputs, recorders, flat.dt_ms), drive, recorders, seed, n_steps, length)
    done, n_chunks = sink.n_done, run.n_chunks
    tick(done // n_chunks * n_steps + done % n_chunks * length)
    trials = [
        run.trial(k, sink, done % n_chunks if k == done // n_chunks else 0) for k in range(done // n_chunks, n_trials)
    ]
    if n_trials > 1 and isinstance(sink, InMemory) and isinstance(run.runner, OnOne) and jax.default_backend() == "cpu":
        tick(next(trials[0]))  # compiles, which each thread would do else
        _side_by_side(trials, str(flat.circuit.drive_pA.dtype), tick)
    else:
        for steps in itertools.chain.from_iterable(trials):
            tick(steps)
    return sink.recording(n_trials=n_trials, n_steps=n_steps, dt_ms=flat.dt_ms)


@dataclasses.dataclass(frozen=True)
class _Run:
    """What all trials share. length: steps of a chunk."""

    runner: Runner
    drive: Drive
    recorders: tuple[engine.Recorder, ...]
    seed: int
    n_steps: int
    length: int

    @property
    def n_chunks(self) -> int:
        """Chunks of a trial."""
        return math.ceil(self.n_steps / self.length)

    def trial(self, trial: int, sink: Sink, done: int) -> Iterator[int]:
        """Run a trial into `sink`, from chunk `done` on, and tell the steps of each chunk.

        Raises: JtfneError if a membrane potential is not finite at the end.
        """
        carry = self.runner.start(np.uint32(self.seed), _keys.codes("trial", str(trial)))
        carry = self.runner.placed(sink.carry(carry)) if done else carry
        for k in range(done, self.n_chunks):
            first, last = k * self.length, k == self.n_chunks - 1
            carry, chunk = self.runner.advance(carry, self.drive.clock(first, self.length))
            # the chunk may run past the end, so that all chunks have one shape; the rest is dropped
            here = min(self.length, self.n_steps - first)
            step, row = self.runner.spikes(np.asarray(chunk.words)[:here])
            spikes = Spikes(np.full(step.size, trial, np.int32), step + first, row)
            if last:
                _refuse_non_finite(self.runner.runaways(carry), sink)
            piece = Piece(_trimmed(chunk, self.recorders, here), spikes, trial, first, here)
            sink.put(piece, None if last else carry)
            yield here


def _side_by_side(trials: list[Iterator[int]], dtype: str, tick: Callable[[int], None]) -> None:
    """Finish all trials, on as many threads as there are cores. Raises: what a trial does; the others stop then."""
    stopped = threading.Event()

    def finish(trial: Iterator[int]) -> None:
        with precision(dtype):  # which each thread must be told
            for steps in trial:
                tick(steps)
                if stopped.is_set():
                    return

    with ThreadPoolExecutor(n_cores()) as pool:
        try:
            for finished in [pool.submit(finish, each) for each in trials]:
                finished.result()
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)


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
