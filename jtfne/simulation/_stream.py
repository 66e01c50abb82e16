"""Chunks and the engine's state as named arrays of a run folder, and the identity of a run."""

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
from jtfne.partial_run import PartialRun
from jtfne.probes import Probe, Recording, SpikeEvents
from jtfne.reports import bit_conditions
from jtfne.run_folder import array_hash
from jtfne.simulation._loop import Piece
from jtfne.wiring import NetData


def run_identity(net: NetData, config: Config, n_trials: int) -> dict[str, Any]:
    """Return the identity of a run: everything that its bits depend on.

    A resumed run with the same identity has the bits of one that was never stopped.
    """
    return {
        **bit_conditions(),
        **config.run.model_dump(mode="json"),
        "trials": n_trials,
        "config_sha256": net.config.hash,
        "paradigm_sha256": _json.sha256(config.task.model_dump(mode="json")),
        "net_sha256": net_hash(net),
    }


def net_hash(net: NetData) -> str:
    """Return the SHA-256 of the cells and edges of a circuit."""
    return _json.sha256(
        [_fields_hash(part) for part in (net.identity, *net.projections) if part is not None]
    )


def _fields_hash(part: Any) -> dict[str, str]:
    """Return the hash of each field of a dataclass of arrays, text and numbers."""
    return {field.name: array_hash(getattr(part, field.name)) for field in dataclasses.fields(part)}


class OnDisk:
    """A sink that writes chunks into `partial`, and goes on after those that are there.

    n_chunks: of the whole run.
    """

    keeps_state: ClassVar[bool] = True

    def __init__(self, partial: PartialRun, probes: tuple[Probe, ...], n_chunks: int) -> None:
        self._partial, self._n_chunks = partial, n_chunks
        self._every = {probe.name: probe.every for probe in probes}

    @property
    def n_done(self) -> int:
        """The number of chunks that are there."""
        return self._partial.n_chunks

    def add_chunk(self, piece: Piece, carry: engine.Carry | None) -> None:
        """Write the next chunk, and the state after it.

        Raises: OSError if the disk is full or fails.
        """
        spikes: dict[str, Array] = {
            "trial": piece.spikes.trial,
            "step": piece.spikes.step,
            "row": piece.spikes.row,
        }
        leaves = None if carry is None else _name_leaves(carry)
        self._partial.write_chunk(piece.rows, spikes, leaves, of=self._n_chunks)

    def carry(self, start: engine.Carry) -> engine.Carry:
        """Return the state after the last chunk, in the structure of `start`.

        Raises: JtfneError if the arrays on disk are not those of `start`.
        """
        expected, stored = _name_leaves(start), self._partial.carry()
        is_same = list(stored) == list(expected)
        for name, array in expected.items():
            is_same = is_same and stored[name].dtype == array.dtype
            is_same = is_same and stored[name].shape == array.shape
        if not is_same:
            raise refuse(
                "a state on disk that is not one of this circuit", "the same run", "simulate(out=)"
            )
        carry: engine.Carry = jax.tree.unflatten(jax.tree.structure(start), list(stored.values()))
        return carry

    def recording(self, *, n_trials: int, n_steps: int, dt_ms: float) -> Recording:
        """Return all chunks as one recording; rows stay on disk until they are read.

        Raises: JtfneError if a file is not what was written.
        """
        files, n_chunks = self._partial.files, self._n_chunks // n_trials
        rows = {
            name: ChunkRows(files, name, n_trials, n_steps // self._every[name], n_chunks)
            for name in files.arrays
        }
        spikes = SpikeEvents(**files.spikes(self.n_done))
        return Recording(n_trials, n_steps, dt_ms, kept=Whole(rows), spikes=spikes, on_disk=rows)

    def discard(self) -> None:
        """Delete all chunks."""
        self._partial.discard()


@dataclasses.dataclass(frozen=True)
class ChunkRows:
    """The rows of one probe in a run, in the files of its chunks. n_chunks: of a trial."""

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
        """The dtype of each value."""
        return self.files.arrays[self.name][1]

    def read(self, trial: int, start: int, stop: int) -> Array:
        """Return rows `start` to `stop` of a trial.

        Raises: JtfneError if a file is not what was written.
        """
        rows_per_chunk = self.files.arrays[self.name][0][0]
        parts = [np.empty((0, *self.shape[2:]), self.dtype)]
        for k in range(start // max(rows_per_chunk, 1), -(-stop // max(rows_per_chunk, 1))):
            first, last = max(start, k * rows_per_chunk), min(stop, (k + 1) * rows_per_chunk)
            number = trial * self.n_chunks + k
            parts.append(
                self.files.rows(
                    self.name, number, first - k * rows_per_chunk, last - k * rows_per_chunk
                )
            )
        return np.concatenate(parts)


class Whole(Mapping[str, Array]):
    """The same rows as a mapping by probe, each read whole when asked for."""

    def __init__(self, rows: Mapping[str, _rows.Rows]) -> None:
        self._rows = rows

    def __getitem__(self, name: str) -> Array:
        """Return all rows of a probe."""
        return _rows.whole(self._rows[name])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of probes."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Return the number of probes."""
        return len(self._rows)


def _name_leaves(carry: engine.Carry) -> dict[str, Array]:
    """Return every leaf of the state by its path, such as `.cells[0].v_mV`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(carry)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}
