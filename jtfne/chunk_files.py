"""The files of chunks: rows as Zarr, spikes as Parquet, the state as npz.

`rows.zarr` holds arrays (chunk, row, ...) of Zarr, version 2, not compressed: the rows of a chunk
are the bytes of one file, written beside its place, synced and renamed like any other.
"""

import dataclasses
import math
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np

from jtfne import _json
from jtfne._check import UNREADABLE, JtfneError, altered, refuse
from jtfne._files import (
    create_temporary,
    discard_temporary,
    path_inside,
    put_in_place,
    remove,
)
from jtfne._rows import Array
from jtfne._stored import NUMBERS, read_parquet
from jtfne._system import sync_path
from jtfne.run_folder import file_hash

ROWS = "rows.zarr"
Arrays = Mapping[str, Array]
Write = Callable[[IO[bytes]], Any]


@dataclasses.dataclass(frozen=True)
class ChunkFiles:
    """The chunks of a run in `folder`.

    arrays: shape (n_rows, ...) and dtype of each array of a full chunk.
    """

    folder: Path
    arrays: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]

    @classmethod
    def like(cls, folder: Path, rows: Arrays) -> "ChunkFiles":
        """Chunk files whose arrays have the shapes and dtypes of `rows`, a full chunk."""
        return cls(folder, {name: (values.shape, values.dtype) for name, values in rows.items()})

    @classmethod
    def of_json(cls, folder: Path, arrays: Mapping[str, Any]) -> "ChunkFiles":
        """Chunk files as `to_json` describes them.

        Raises: JtfneError for what is no array of numbers, or lies outside of the folder.
        """
        index, array_specs = str(folder / "index.json"), {}
        for name, spec in arrays.items():
            path_inside(folder / ROWS, name, index)
            try:
                shape, dtype = tuple(spec["shape"]), np.dtype(str(spec["dtype"]))
            except (TypeError, KeyError, ValueError, SyntaxError) as error:
                raise refuse(
                    f"{name!r} of {spec!r}", "an array's shape and dtype", index
                ) from error
            sizes_fit = shape and all(type(size) is int and size >= 0 for size in shape)
            if dtype.kind not in NUMBERS or not sizes_fit:
                raise refuse(
                    f"{name!r} of {spec!r}", "the shape and dtype of an array of numbers", index
                )
            array_specs[name] = (shape, dtype)
        return cls(folder, array_specs)

    def to_json(self) -> dict[str, Any]:
        """The arrays as JSON."""
        return {
            name: {"shape": list(shape), "dtype": dtype.str}
            for name, (shape, dtype) in self.arrays.items()
        }

    def begin(self, n_chunks: int) -> None:
        """Make `rows.zarr` with the metadata of its arrays. n_chunks: of the whole run."""
        store = self.folder / ROWS
        metadata_by_path: dict[Path, dict[str, Any]] = {store / ".zgroup": {"zarr_format": 2}}
        for name, (shape, dtype) in self.arrays.items():
            dims = ["chunk", *(f"{name}_{k}" for k in range(len(shape)))]
            metadata_by_path[store / name / ".zattrs"] = {"_ARRAY_DIMENSIONS": dims}
            metadata_by_path[store / name / ".zarray"] = {
                "zarr_format": 2,
                "shape": [n_chunks, *shape],
                "chunks": [1, *(max(size, 1) for size in shape)],
                "dtype": dtype.str,
                "order": "C",
                "compressor": None,
                "filters": None,
                "fill_value": "NaN" if dtype.kind == "f" else 0,  # chunks to come
            }
        for path in metadata_by_path:
            path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(
            {
                path: _make_writer(_json.dumps(metadata).encode())
                for path, metadata in metadata_by_path.items()
            }
        )
        sync_path(self.folder)

    def write(self, number: int, rows: Arrays, spikes: Arrays, others: Mapping[Path, Write]) -> str:
        """Write a chunk and `others` durably; the chunk's hash. Its rows may be fewer than full."""
        import pyarrow as pa
        from pyarrow import parquet

        writes = dict(others)
        for name, values in rows.items():
            shape, dtype = self.arrays[name]
            n_padding_bytes = math.prod(shape) * dtype.itemsize - values.nbytes
            writes[self._row_file(name, number)] = _make_writer(
                np.ascontiguousarray(values).data, bytes(n_padding_bytes)
            )
        table = pa.table({name: pa.array(values) for name, values in spikes.items()})
        writes[self._spike_file(number)] = lambda stream: parquet.write_table(table, stream)
        write_durably(writes)
        return self.hash(number)

    def rows(self, name: str, number: int, start: int, stop: int) -> Array:
        """Rows `start` to `stop` of an array of a chunk.
        Raises: JtfneError if its file was cut short or lost.
        """
        (n_rows, *row_shape), dtype = self.arrays[name]
        path, per_row = self._row_file(name, number), math.prod(row_shape)
        if not path.is_file() or path.stat().st_size != n_rows * per_row * dtype.itemsize:
            raise self.altered(path)
        count, offset = (stop - start) * per_row, start * per_row * dtype.itemsize
        return np.fromfile(path, dtype, count, offset=offset).reshape(stop - start, *row_shape)

    def spikes(self, n_chunks: int) -> dict[str, Array]:
        """The spikes of all chunks, by column. Raises: JtfneError if a file is broken or lost."""
        parts: dict[str, list[Array]] = {}
        for number in range(n_chunks):
            for name, values in self._read_spikes(number).items():
                parts.setdefault(name, []).append(values)
        return {name: np.concatenate(parts.pop(name)) for name in list(parts)}

    def hash(self, number: int) -> str:
        """SHA-256 of the names and hashes of a chunk's files. Raises: JtfneError if one is lost."""
        lost_file = next((path for path in self.files(number) if not path.is_file()), None)
        if lost_file:
            raise self.altered(lost_file)
        return _json.sha256(
            {
                path.relative_to(self.folder).as_posix(): file_hash(path)
                for path in self.files(number)
            }
        )

    def files(self, number: int) -> list[Path]:
        """All files of a chunk."""
        return [*(self._row_file(name, number) for name in self.arrays), self._spike_file(number)]

    def clear(self, n_chunks: int, others: set[Path]) -> None:
        """Remove what is in the folder beyond `n_chunks` and `others`."""
        store, kept_paths = (
            self.folder / ROWS,
            {path for number in range(n_chunks) for path in self.files(number)} | others,
        )
        arrays = [store / name for name in self.arrays]
        if n_chunks:
            kept_paths |= {
                store,
                store / ".zgroup",
                *arrays,
                *(
                    array_folder / name
                    for array_folder in arrays
                    for name in (".zarray", ".zattrs")
                ),
            }
        for folder in (self.folder, store, *arrays):
            for path in folder.iterdir() if folder.is_dir() else ():
                if path not in kept_paths:
                    remove(path)

    def altered(self, path: Path, part: str = "") -> JtfneError:
        """The error for a file, or a `part` of it, that is not what was written."""
        allowed = f"what the run wrote there; without {str(self.folder)!r} it starts anew"
        return altered(path, part, allowed=allowed, where="simulate(out=)")

    def _row_file(self, name: str, number: int) -> Path:
        """The file of the rows of a chunk."""
        return (
            self.folder
            / ROWS
            / name
            / ".".join(map(str, (number, *(0 for _ in self.arrays[name][0]))))
        )

    def _spike_file(self, number: int) -> Path:
        """The file of the spikes of a chunk."""
        return self.folder / f"spikes_{number:08d}.parquet"

    def _read_spikes(self, number: int) -> dict[str, Array]:
        """The spikes of a chunk."""
        try:
            table = read_parquet(self._spike_file(number))
        except UNREADABLE as error:
            raise self.altered(self._spike_file(number)) from error
        return {name: np.array(table[name].to_numpy()) for name in table.column_names}


def _make_writer(*parts: Any) -> Write:
    """A function that writes `parts` to a stream, one after the other."""
    return lambda stream: stream.writelines(parts)


def write_durably(writes: Mapping[Path, Write]) -> None:
    """Write files so that they survive a crash: beside their places, synced, renamed, synced again.

    No half-written file stays. They are synced in parallel, which takes little longer than one.
    """
    temporary_files: dict[Path, tuple[IO[bytes], Path]] = {}
    try:
        for path, write in writes.items():
            temporary_files[path] = create_temporary(path.parent)
            write(temporary_files[path][0])
            temporary_files[path][0].flush()
        with ThreadPoolExecutor(len(writes)) as threads:
            list(threads.map(os.fsync, [stream.fileno() for stream, _ in temporary_files.values()]))
            for path, (stream, temporary_path) in temporary_files.items():
                put_in_place(stream, temporary_path, path)
            list(threads.map(sync_path, {path.parent for path in writes}))
    finally:
        for stream, temporary_path in temporary_files.values():
            discard_temporary(stream, temporary_path)
