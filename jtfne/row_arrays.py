"""Arrays over (trial, time, ...) of xarray and Zarr, read some rows at a time when they are used.

Imported inside the functions that use it, since it loads xarray.
"""

import dataclasses
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from jtfne import _rows
from jtfne._check import UNREADABLE, altered
from jtfne._rows import Array

ROW_DIMS = ("trial", "time")


class OnDisk(BackendArray):
    """An array with rows as xarray reads it."""

    def __init__(self, rows: _rows.Rows) -> None:
        self.rows, self.shape, self.dtype = rows, rows.shape, rows.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """The part at `key`, in memory."""
        support = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, support, self._read_part)

    def _read_part(self, key: tuple[_rows.Key, ...]) -> Array:
        """The part at `key`, one index an axis."""
        return _rows.read_part(self.rows, key)


def variable(dims: tuple[Hashable, ...], rows: _rows.Rows, attrs: Any) -> xr.Variable:
    """A variable over `rows` that caches nothing: each access reads a new, writable copy."""
    return xr.Variable(dims, indexing.LazilyIndexedArray(OnDisk(rows)), attrs)


def has_rows(variable: xr.Variable) -> bool:
    """Whether a variable holds numbers over (trial, time, ...), perhaps too many for memory."""
    return variable.dims[:2] == ROW_DIMS and variable.dtype.kind in "biuf"


def blocks(variable: xr.Variable) -> Iterator[Array]:
    """The values in C order: some rows at a time if it has rows, or else all at once."""
    if not has_rows(variable):
        yield np.asarray(variable.values)
        return
    for trial, start, stop in _rows.spans(variable.shape, variable.dtype.itemsize):
        yield np.asarray(variable[trial, start:stop].values)


def write_rows(store: Path, name: str, variable: xr.Variable) -> None:
    """Add an array with rows to a Zarr store."""
    import zarr

    block_rows, attrs = _rows.rows_a_block(variable.shape, variable.dtype.itemsize), variable.attrs
    array = zarr.open_group(store, mode="r+", zarr_format=2).create_array(
        name,
        shape=variable.shape,
        chunks=(1, block_rows, *(max(size, 1) for size in variable.shape[2:])),
        dtype=variable.dtype,
        fill_value=None,  # xarray takes any other for what masks a missing value
        attributes={
            "_ARRAY_DIMENSIONS": [str(dim) for dim in variable.dims],
            **{
                key: value.tolist() if isinstance(value, np.generic | np.ndarray) else value
                for key, value in attrs.items()
            },
        },
        config={"write_empty_chunks": True},
    )
    spans = _rows.spans(variable.shape, variable.dtype.itemsize)
    for (trial, start, stop), values in zip(spans, blocks(variable), strict=True):
        array[trial, start:stop] = values


@dataclasses.dataclass(frozen=True)
class StoredRows:
    """An array with rows in a Zarr store that `write_tree` made. path: of the array."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def read(self, trial: int, start: int, stop: int) -> Array:
        """Rows `start` to `stop` of a trial.
        Raises: JtfneError if a file is not there, or broken.
        """
        import zarr

        try:
            array = zarr.open_array(self.path, mode="r", zarr_format=2)
            size = array.chunks[1]
            # Zarr would take a file that is lost for zeros
            for k in range(start // size, -(-stop // size)):
                (self.path / ".".join(map(str, (trial, k, *(0 for _ in self.shape[2:]))))).stat()
            return np.asarray(array[trial, start:stop], self.dtype)
        except UNREADABLE as error:
            raise altered(self.path) from error


def link_rows(tree: xr.DataTree, store: Path) -> xr.DataTree:
    """`tree`, which was written to `store`, with arrays that have rows read from there."""

    def link_node(node: str, dataset: xr.Dataset) -> xr.Dataset:
        return dataset.assign(
            {
                name: variable(
                    on_disk.dims,
                    StoredRows(store / node / str(name), on_disk.shape, on_disk.dtype),
                    on_disk.attrs,
                )
                for name, on_disk in dataset.variables.items()
                if has_rows(on_disk) and name not in dataset.coords
            }
        )

    nodes = {
        tree_node.path: link_node(tree_node.path.strip("/"), tree_node.to_dataset(inherit=False))
        for tree_node in tree.subtree
    }
    return xr.DataTree.from_dict(nodes)
