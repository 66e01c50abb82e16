"""Chunks and the engine's state as named arrays of a run folder, and what tells one run from another."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import jax
import numpy as np

from jtfne import _json, _rows, engine
from jtfne._check import refuse
from jtfne._rows import Array
from jtfne.chunk_files import ChunkFiles
from jtfne.config import Config
from jtfne.net import Net
from jtfne.partial_run import PartialRun
from jtfne.probes import Probe, Recording, Spikes
from jtfne.reports import machine, software
from jtfne.run_folder import array_hash
from jtfne.simulation._loop import Piece

BITS = ("jtfne", "jax", "jaxlib", "numpy", "scipy", "machine", "backend", "device_kind")  # what the bits depend on


def run_of(net: Net, config: Config, n_trials: int) -> dict[str, Any]:
    """What tells this run from any other: a resumed run has the bits of one that was never stopped."""
    about = {**software(), **machine()}
    return {
        **{name: about[name] for name in BITS},
        **config.run.model_dump(mode="json"),
        "trials": n_trials,
        "config_sha256": net.config.hash,
        "paradigm_sha256": _json.sha256(config.task.model_dump(mode="json")),
        "net_sha256": net_hash(net),
    }


def net_hash(net: Net) -> str:
    """SHA-256 of the cells and edges of a circuit."""
    return _json.sha256([_fields_hash(each) for each in (net.identity, *net.projections) if each is not None])


def _fields_hash(part: Any) -> dict[str, str]:
    """The hash of each field of a dataclass of arrays, text and numbers."""
    return {each.name: array_hash(getattr(part, each.name)) for each in dataclasses.fields(part)}


class OnDisk:
    """A sink that puts chunks into `partial`, and goes on from those that are there. n_chunks: of the whole run."""

    keeps_state: ClassVar[bool] = True

    def __init__(self, partial: PartialRun, probes: tuple[Probe, ...], n_chunks: int) -> None:
        self._partial, self._n_chunks = partial, n_chunks
        self._every = {each.name: each.every for each in probes}

    @property
    def n_done(self) -> int:
        """As `Sink`."""
        return self._partial.n_chunks

    def put(self, piece: Piece, carry: engine.Carry | None) -> None:
        """As `Sink`. Raises: OSError if the disk is full or fails."""
        spikes = {each.name: getattr(piece.spikes, each.name) for each in dataclasses.fields(piece.spikes)}
        self._partial.put(piece.rows, spikes, None if carry is None else _named(carry), of=self._n_chunks)

    def carry(self, start: engine.Carry) -> engine.Carry:
        """As `Sink`. Raises: JtfneError if the arrays on disk are not those of `start`."""
        wanted, found = _named(start), self._partial.carry()
        if list(found) != list(wanted) or any(
            (found[name].dtype, found[name].shape) != (each.dtype, each.shape) for name, each in wanted.items()
        ):
            raise refuse("a state on disk that is not one of this circuit", "the same run", "simulate(out=)")
        carry: engine.Carry = jax.tree.unflatten(jax.tree.structure(start), list(found.values()))
        return carry

    def recording(self, *, n_trials: int, n_steps: int, dt_ms: float) -> Recording:
        """As `Sink`; rows stay on disk until they are read. Raises: JtfneError if a file is not what was written."""
        files, n_chunks = self._partial.files, self._n_chunks // n_trials
        rows = {name: ChunkRows(files, name, n_trials, n_steps // self._every[name], n_chunks) for name in files.arrays}
        spikes = Spikes(**files.spikes(self.n_done))
        return Recording(n_trials, n_steps, dt_ms, kept=Whole(rows), spikes=spikes, on_disk=rows)

    def discard(self) -> None:
        """As `Sink`."""
        self._partial.discard()


@dataclasses.dataclass(frozen=True)
class ChunkRows:
    """What one probe keeps of a run, in the files of its chunks. n_chunks: of a trial."""

    files: ChunkFiles
    name: str
    n_trials: int
    n_rows: int
    n_chunks: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_trials, n_rows, ...)."""
        return (self.n_trials, self.n_rows, *self.files.arrays[self.name][0][1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of each value."""
        return self.files.arrays[self.name][1]

    def read(self, trial: int, start: int, stop: int) -> Array:
        """Rows `start` to `stop` of a trial. Raises: JtfneError if a file is not what was written."""
        a_chunk = self.files.arrays[self.name][0][0]
        parts = [np.empty((0, *self.shape[2:]), self.dtype)]
        for k in range(start // max(a_chunk, 1), -(-stop // max(a_chunk, 1))):
            first, last = max(start, k * a_chunk), min(stop, (k + 1) * a_chunk)
            number = trial * self.n_chunks + k
            parts.append(self.files.rows(self.name, number, first - k * a_chunk, last - k * a_chunk))
        return np.concatenate(parts)


class Whole(Mapping[str, Array]):
    """The same, read whole when asked for."""

    def __init__(self, rows: Mapping[str, _rows.Rows]) -> None:
        self._rows = rows

    def __getitem__(self, name: str) -> Array:
        """All rows of a probe."""
        return _rows.whole(self._rows[name])

    def __iter__(self) -> Iterator[str]:
        """Names of probes."""
        return iter(self._rows)

    def __len__(self) -> int:
        """How many probes there are."""
        return len(self._rows)


def _named(carry: engine.Carry) -> dict[str, Array]:
    """Every leaf of the state by its path, such as `.cells[0].v_mV`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(carry)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}
