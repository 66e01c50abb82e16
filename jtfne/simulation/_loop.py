"""The outer loop: trials and chunks, from the engine's arrays to one Recording."""

import collections
import contextlib
import dataclasses
import functools
import itertools
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import numpy as np

from jtfne import _keys, engine
from jtfne._check import JtfneError
from jtfne._cores import n_cores
from jtfne._precision import precision
from jtfne.flatnet import FlatNet
from jtfne.probes import ROWS, Recording, Spikes
from jtfne.runner import Runner, runner_of
from jtfne.simulation._follower import Follower
from jtfne.simulation._inputs import Drive

CHUNK_STEPS = 1000  # progress and memory live between chunks, at no cost inside
AHEAD = 4  # chunks by which a run may be ahead of the recorders that follow it, so that neither waits at once


class Piece(NamedTuple):
    """What is kept of one chunk: `rows` by readout name (n_rows, ...), and its spikes; and which chunk it is."""

    rows: dict[str, np.ndarray[Any, Any]]
    spikes: Spikes
    trial: int
    first_step: int
    n_steps: int


class Sink(Protocol):
    """Where chunks go, trial after trial, and what a run that goes on finds there."""

    keeps_state: ClassVar[bool]  # whether `put` is to be given the state after each chunk

    @property
    def n_done(self) -> int:
        """Chunks that are there."""
        ...

    def put(self, piece: Piece, carry: engine.Carry | None) -> None:
        """Take the next chunk, and the state after it if it keeps states; None at the end of a trial."""
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

    keeps_state: ClassVar[bool] = False

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
    """Steps of each chunk: whole blocks of every recorder's rows, about `chunk_steps`, so that few run past the end."""
    block = math.lcm(*(each.every for each in recorders)) * ROWS if recorders else 1
    n_blocks, about = math.ceil(n_steps / block), max(1, round(min(chunk_steps, n_steps) / block))
    lengths = range(max(1, about * 3 // 4), max(1, about * 5 // 4) + 1)
    length = min(lengths, key=lambda each: (math.ceil(n_blocks / each) * each, abs(each - about)))
    return max(min(length, n_blocks) * block, 2)  # XLA unrolls a loop of one step, and rounds anew


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
    beside: Sequence[bool] = (),
) -> Recording:
    """Run all trials in chunks of `length` steps, from where `sink` left off. `tick` hears of the steps of each chunk.

    Trials run side by side, a core each, if nothing of them has to be in order and one run would leave cores idle.
    beside: which recorders follow on another core, as `following` tells; none if left out. The bits are the same.
    Raises: JtfneError if a membrane potential is not finite at the end of a trial.
    """
    placed = list(zip(recorders, beside or [False] * len(recorders), strict=True))
    inside, follow = (tuple(each for each, apart in placed if apart is kind) for kind in (False, True))
    runner = runner_of(flat.circuit, drive.inputs, inside, flat.dt_ms)
    run = _Run(flat, runner, drive, inside, follow, seed, n_steps, length)
    done, n_chunks = sink.n_done, run.n_chunks
    tick(done // n_chunks * n_steps + done % n_chunks * length)
    trials = [
        run.trial(k, sink, done % n_chunks if k == done // n_chunks else 0) for k in range(done // n_chunks, n_trials)
    ]
    if n_trials > 1 and not sink.keeps_state and run.runner.on_threads and jax.default_backend() == "cpu":
        tick(next(trials[0]))  # compiles, which each thread would do else
        _side_by_side(trials, str(flat.circuit.drive_pA.dtype), tick)
    else:
        for steps in itertools.chain.from_iterable(trials):
            tick(steps)
    return sink.recording(n_trials=n_trials, n_steps=n_steps, dt_ms=flat.dt_ms)


@dataclasses.dataclass(frozen=True)
class _Run:
    """What all trials share. inside: recorders in the loop; beside: those that follow it. length: steps of a chunk."""

    flat: FlatNet
    runner: Runner
    drive: Drive
    inside: tuple[engine.Recorder, ...]
    beside: tuple[engine.Recorder, ...]
    seed: int
    n_steps: int
    length: int

    @property
    def n_chunks(self) -> int:
        """Chunks of a trial."""
        return math.ceil(self.n_steps / self.length)

    def trial(self, trial: int, sink: Sink, done: int) -> Iterator[int]:
        """Run a trial into `sink`, from chunk `done` on, and tell the steps of each chunk.

        What a chunk left is taken in while the next one runs, on a thread if recorders follow, unless the sink wants
        the state between them.
        Raises: JtfneError if a membrane potential is not finite at the end.
        """
        carry = self.runner.start(np.uint32(self.seed), _keys.codes("trial", str(trial)))
        carry = self.runner.placed(sink.carry(carry)) if done else carry
        given = self.flat.circuit, self.drive.inputs, self.beside, self.flat.dt_ms
        follower = Follower(*given, carry) if self.beside else None
        waiting: collections.deque[Callable[[], Piece]] = collections.deque()
        behind = AHEAD if follower and not self.inside else 1
        with ThreadPoolExecutor(1) if follower else contextlib.nullcontext() as thread:
            for k in range(done, self.n_chunks):
                clock = self.drive.clock(k * self.length, self.length, trial)
                carry, chunk = self.runner.advance(carry, clock)
                last = k == self.n_chunks - 1
                if last:
                    _refuse_non_finite(self.runner.runaways(carry), sink)
                piece = functools.partial(self._piece, chunk, clock, trial, k, follower)
                waiting.append(thread.submit(piece).result if thread else piece)
                while len(waiting) > (0 if last or sink.keeps_state else behind):
                    state = carry if sink.keeps_state and not last else None
                    yield _put(waiting.popleft()(), sink, state)

    def _piece(self, chunk: engine.Chunk, clock: engine.Clock, trial: int, k: int, follower: Follower | None) -> Piece:
        """Chunk `k`, taken in. It may run past the end, as all have one shape: the rest is dropped."""
        first = k * self.length
        here = min(self.length, self.n_steps - first)
        with precision(str(self.flat.circuit.drive_pA.dtype)):  # which each thread must be told
            step, row = self.runner.spikes(np.asarray(chunk.words))
            rows = _trimmed(self.inside, chunk.recorded, here)
            if follower is not None:
                rows |= _trimmed(self.beside, follower.recorded(clock, (step, row)), here)
        mine = slice(int(np.searchsorted(step, here)))
        spikes = Spikes(np.full(step[mine].size, trial, np.int32), step[mine] + first, row[mine])
        return Piece(rows, spikes, trial, first, here)


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


def _put(piece: Piece, sink: Sink, carry: engine.Carry | None) -> int:
    """A chunk into `sink`; its steps."""
    sink.put(piece, carry)
    return piece.n_steps


def _trimmed(recorders: tuple[engine.Recorder, ...], recorded: tuple[Any, ...], n_steps: int) -> dict[str, Any]:
    """What recorders kept of a chunk as the host sees it, cut to its first `n_steps`."""
    parts: dict[str, Any] = {}
    for recorder, kept in zip(recorders, recorded, strict=True):
        parts |= {name: np.asarray(rows)[: n_steps // recorder.every] for name, rows in kept.items()}
    return parts


class RunawayError(JtfneError):
    """A membrane potential that is not finite: the run went wrong, and would again."""


def _refuse_non_finite(n_cells: int, sink: Sink) -> None:
    """Raises: RunawayError if the state of any cell ran away."""
    if n_cells:
        sink.discard()
        raise RunawayError(
            f"membrane potential of {n_cells} cells is not finite at the end of the trial; allowed: finite "
            "values; a smaller dt_ms or a weaker input keeps Euler's scheme stable (in simulate)"
        )
