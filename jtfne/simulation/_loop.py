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
from jtfne.probes import ROWS, Recording, SpikeEvents
from jtfne.runner import Runner, make_runner
from jtfne.simulation._inputs import RunInputs
from jtfne.simulation._replay import ReplayRecorder

CHUNK_STEPS = 1000  # progress and memory live between chunks, at no cost inside
# chunks by which a run may be ahead of the recorders that follow it, so that neither waits at once
AHEAD = 4


class Piece(NamedTuple):
    """The rows and spikes that a run keeps of one chunk, and which chunk it is.

    rows: by readout name, (n_rows, ...).
    """

    rows: dict[str, np.ndarray[Any, Any]]
    spikes: SpikeEvents
    trial: int
    first_step: int
    n_steps: int


class Sink(Protocol):
    """Where chunks go, trial after trial, and where a resumed run finds them."""

    keeps_state: ClassVar[bool]  # whether `add_chunk` is to be given the state after each chunk

    @property
    def n_done(self) -> int:
        """The number of chunks that are there."""
        ...

    def add_chunk(self, piece: Piece, carry: engine.Carry | None) -> None:
        """Take the next chunk and, if the sink keeps states, the state after it.

        carry: None at the end of a trial.
        """
        ...

    def carry(self, start: engine.Carry) -> engine.Carry:
        """Return the state after the last chunk, in the structure of `start`.

        Its arrays are in host memory; the runner copies them to its devices.
        """
        ...

    def recording(self, *, n_trials: int, n_steps: int, dt_ms: float) -> Recording:
        """Return all chunks as one recording; called once, at the end."""
        ...

    def discard(self) -> None:
        """Forget all chunks: the run cannot end well."""
        ...


class InMemory:
    """A sink in memory that lays each chunk where it will stay, so that recordings are held once.

    It keeps no state. Trials come in any order. every: steps of a row, by readout.
    """

    keeps_state: ClassVar[bool] = False

    def __init__(self, every: Mapping[str, int], n_trials: int, n_steps: int) -> None:
        self._every, self._n_trials, self._n_steps = every, n_trials, n_steps
        self._lock = threading.Lock()
        self.discard()

    @property
    def n_done(self) -> int:
        """The number of chunks that are there."""
        return len(self._spikes)

    def add_chunk(self, piece: Piece, carry: engine.Carry | None) -> None:
        """Copy the rows of a chunk into the recordings."""
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
        """Return `start`; never called, since each run begins with an empty sink."""
        return start

    def recording(self, *, n_trials: int, n_steps: int, dt_ms: float) -> Recording:
        """Return all chunks as one recording; nothing is held here afterwards."""
        spikes = join_spikes([self._spikes[place] for place in sorted(self._spikes)])
        recording = Recording(n_trials, n_steps, dt_ms, self._kept, spikes)
        self.discard()
        return recording

    def discard(self) -> None:
        """Forget all chunks."""
        self._kept: dict[str, np.ndarray[Any, Any]] = {}
        self._spikes: dict[tuple[int, int], SpikeEvents] = {}


def join_spikes(parts: list[SpikeEvents]) -> SpikeEvents:
    """Return the spikes of consecutive chunks as one table."""
    return SpikeEvents(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("trial", "step", "row")
        )
    )


def chunk_length(recorders: tuple[engine.Recorder, ...], n_steps: int, chunk_steps: int) -> int:
    """Return the steps of each chunk: about `chunk_steps`, whole blocks of all recorders' rows.

    It is chosen so that few steps run past the end.
    """
    block = math.lcm(*(recorder.every for recorder in recorders)) * ROWS if recorders else 1
    n_blocks, target_blocks = (
        math.ceil(n_steps / block),
        max(1, round(min(chunk_steps, n_steps) / block)),
    )
    lengths = range(max(1, target_blocks * 3 // 4), max(1, target_blocks * 5 // 4) + 1)
    length = min(lengths, key=lambda n: (math.ceil(n_blocks / n) * n, abs(n - target_blocks)))
    return max(min(length, n_blocks) * block, 2)  # XLA unrolls a loop of one step, and rounds anew


def record(
    flat: FlatNet,
    run_inputs: RunInputs,
    recorders: tuple[engine.Recorder, ...],
    *,
    seed: int,
    n_steps: int,
    n_trials: int,
    length: int,
    sink: Sink,
    on_progress: Callable[[int], None],
    replayed: Sequence[bool] = (),
) -> Recording:
    """Run all trials in chunks of `length` steps, from where `sink` left off; return the recording.

    Trials run side by side, a core each, if nothing of them has to be in order and one run would
    leave cores idle. on_progress: called with the steps of each chunk. replayed: which recorders to
    replay on another core, from `choose_replay`; none if left out. The bits are the same.
    Raises: JtfneError if a membrane potential is not finite at the end of a trial.
    """
    run_recorders: list[engine.Recorder] = []
    replay_recorders: list[engine.Recorder] = []
    for recorder, is_replayed in zip(recorders, replayed or [False] * len(recorders), strict=True):
        (replay_recorders if is_replayed else run_recorders).append(recorder)
    in_run, in_replay = tuple(run_recorders), tuple(replay_recorders)
    runner = make_runner(flat.circuit, run_inputs.inputs, in_run, flat.dt_ms)
    run = _Run(flat, runner, run_inputs, in_run, in_replay, seed, n_steps, length)
    n_done, n_chunks = sink.n_done, run.n_chunks
    on_progress(n_done // n_chunks * n_steps + n_done % n_chunks * length)
    trials = [
        run.trial(k, sink, n_done % n_chunks if k == n_done // n_chunks else 0)
        for k in range(n_done // n_chunks, n_trials)
    ]
    if (
        n_trials > 1
        and not sink.keeps_state
        and run.runner.on_threads
        and jax.default_backend() == "cpu"
    ):
        on_progress(next(trials[0]))  # compiles once, before all threads would
        _run_trials_on_threads(trials, str(flat.circuit.drive_pA.dtype), on_progress)
    else:
        for steps in itertools.chain.from_iterable(trials):
            on_progress(steps)
    return sink.recording(n_trials=n_trials, n_steps=n_steps, dt_ms=flat.dt_ms)


@dataclasses.dataclass(frozen=True)
class _Run:
    """The circuit, inputs, recorders and sizes that all trials share.

    recorded: recorders in the loop; replayed: those that are replayed from the spikes. length:
    steps of a chunk.
    """

    flat: FlatNet
    runner: Runner
    run_inputs: RunInputs
    recorded: tuple[engine.Recorder, ...]
    replayed: tuple[engine.Recorder, ...]
    seed: int
    n_steps: int
    length: int

    @property
    def n_chunks(self) -> int:
        """The number of chunks of a trial."""
        return math.ceil(self.n_steps / self.length)

    def trial(self, trial: int, sink: Sink, first_chunk: int) -> Iterator[int]:
        """Run a trial into `sink`, from chunk `first_chunk` on, and yield the steps of each chunk.

        The output of a chunk is taken in while the next one runs, on a thread if recorders are
        replayed, unless the sink wants the state between them.
        Raises: JtfneError if a membrane potential is not finite at the end.
        """
        carry = self.runner.start(np.uint32(self.seed), _keys.codes("trial", str(trial)))
        carry = self.runner.to_device(sink.carry(carry)) if first_chunk else carry
        arguments = self.flat.circuit, self.run_inputs.inputs, self.replayed, self.flat.dt_ms
        replayer = ReplayRecorder(*arguments, carry) if self.replayed else None
        pending_pieces: collections.deque[Callable[[], Piece]] = collections.deque()
        max_pending = AHEAD if replayer and not self.recorded else 1
        with ThreadPoolExecutor(1) if replayer else contextlib.nullcontext() as thread:
            for k in range(first_chunk, self.n_chunks):
                inputs_t = self.run_inputs.chunk(k * self.length, self.length, trial)
                carry, chunk = self.runner.advance(carry, inputs_t)
                is_last = k == self.n_chunks - 1
                if is_last:
                    _refuse_non_finite(self.runner.count_nonfinite(carry), sink)
                piece = functools.partial(self._take_piece, chunk, inputs_t, trial, k, replayer)
                pending_pieces.append(thread.submit(piece).result if thread else piece)
                while len(pending_pieces) > (0 if is_last or sink.keeps_state else max_pending):
                    state = carry if sink.keeps_state and not is_last else None
                    yield _store(pending_pieces.popleft()(), sink, state)

    def _take_piece(
        self,
        chunk: engine.Chunk,
        inputs_t: engine.InputChunk,
        trial: int,
        k: int,
        replayer: ReplayRecorder | None,
    ) -> Piece:
        """Return the rows and spikes of chunk `k`.

        It may run past the end, as all chunks have one shape: the rest is dropped.
        """
        first_step = k * self.length
        n_steps = min(self.length, self.n_steps - first_step)
        # JAX's precision is set by thread: this may be another than the caller's
        with precision(str(self.flat.circuit.drive_pA.dtype)):
            step, row = self.runner.spikes(np.asarray(chunk.words))
            rows = _trim_rows(self.recorded, chunk.recorded, n_steps)
            if replayer is not None:
                rows |= _trim_rows(self.replayed, replayer.replay(inputs_t, (step, row)), n_steps)
        in_trial = slice(int(np.searchsorted(step, n_steps)))
        spikes = SpikeEvents(
            np.full(step[in_trial].size, trial, np.int32),
            step[in_trial] + first_step,
            row[in_trial],
        )
        return Piece(rows, spikes, trial, first_step, n_steps)


def _run_trials_on_threads(
    trials: list[Iterator[int]], dtype: str, on_progress: Callable[[int], None]
) -> None:
    """Finish all trials, on as many threads as there are cores.

    Raises: what a trial does; the others stop then.
    """
    stop_event = threading.Event()

    def finish(trial: Iterator[int]) -> None:
        with precision(dtype):  # JAX's precision is set by thread
            for steps in trial:
                on_progress(steps)
                if stop_event.is_set():
                    return

    with ThreadPoolExecutor(n_cores()) as pool:
        try:
            for future in [pool.submit(finish, trial) for trial in trials]:
                future.result()
        finally:
            stop_event.set()
            pool.shutdown(cancel_futures=True)


def _store(piece: Piece, sink: Sink, carry: engine.Carry | None) -> int:
    """Put a chunk into `sink`; return its steps."""
    sink.add_chunk(piece, carry)
    return piece.n_steps


def _trim_rows(
    recorders: tuple[engine.Recorder, ...], outputs: tuple[Any, ...], n_steps: int
) -> dict[str, Any]:
    """Return what recorders kept of a chunk in host memory, cut to its first `n_steps`."""
    parts: dict[str, Any] = {}
    for recorder, rows_by_readout in zip(recorders, outputs, strict=True):
        parts |= {
            name: np.asarray(rows)[: n_steps // recorder.every]
            for name, rows in rows_by_readout.items()
        }
    return parts


class RunawayError(JtfneError):
    """A membrane potential that is not finite: the run went wrong, and would again."""


def _refuse_non_finite(n_cells: int, sink: Sink) -> None:
    """Raises: RunawayError if the state of any cell ran away."""
    if n_cells:
        sink.discard()
        raise RunawayError(
            f"membrane potential of {n_cells} cells is not finite at the end of the trial; "
            "allowed: finite "
            "values; a smaller dt_ms or a weaker input keeps Euler's scheme stable (in simulate)"
        )
