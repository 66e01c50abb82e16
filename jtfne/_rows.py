"""Arrays (n_trials, n_rows, ...) too large for memory, read some rows at a time."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Key = int | np.integer[Any] | slice | Array
BLOCK_BYTES = 4 * 2**20  # what is read, hashed or written at a time, if it is more than one row


class Rows(Protocol):
    """An array (n_trials, n_rows, ...) that is read some rows at a time."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_trials, n_rows, ...)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of each value."""
        ...

    def read(self, trial: int, start: int, stop: int) -> Array:
        """Rows `start` to `stop` of a trial: (stop - start, ...)."""
        ...


@dataclasses.dataclass(frozen=True)
class MappedRows:
    """`rows` with a function applied as they are read.

    change: (n_trials, n_rows, ...) -> an array with the same first two axes.
    """

    rows: Rows
    change: Callable[[Array], Array]

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_trials, n_rows, ...)."""
        return (*self.rows.shape[:2], *self._sample_row.shape[2:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of each value."""
        return self._sample_row.dtype

    def read(self, trial: int, start: int, stop: int) -> Array:
        """Rows `start` to `stop` of a trial: (stop - start, ...)."""
        rows: Array = self.change(self.rows.read(trial, start, stop)[np.newaxis])[0]
        return rows

    @functools.cached_property
    def _sample_row(self) -> Array:
        """`change` of one row of zeros, whose shape and dtype are those of all rows."""
        return self.change(np.zeros((1, 1, *self.rows.shape[2:]), self.rows.dtype))


def rows_a_block(shape: tuple[int, ...], itemsize: int) -> int:
    """How many rows of an array (n_trials, n_rows, ...) make a block: 1 or more.

    >>> rows_a_block((1, 10**6, 1000), 4), rows_a_block((1, 20, 1000), 4)
    (1048, 20)
    """
    row_bytes = int(np.prod(shape[2:], dtype=np.int64)) * itemsize
    return max(1, min(shape[1], BLOCK_BYTES // max(row_bytes, 1)))


def spans(shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[int, int, int]]:
    """Trial, first row and end of each block, in C order.

    >>> list(spans((2, 3, 1000, 1000), 4))[:4]
    [(0, 0, 1), (0, 1, 2), (0, 2, 3), (1, 0, 1)]
    """
    size = rows_a_block(shape, itemsize)
    return (
        (trial, k, min(k + size, shape[1]))
        for trial in range(shape[0])
        for k in range(0, shape[1], size)
    )


def whole(rows: Rows) -> Array:
    """The whole array, in memory."""
    return read_part(rows, (slice(None),) * len(rows.shape))


def read_part(rows: Rows, key: tuple[Key, ...]) -> Array:
    """The part at `key`, one index an axis (outer indexing); needs memory for it and one block."""
    indices_by_axis = [
        _resolve_key(axis_key, size) for axis_key, size in zip(key, rows.shape, strict=True)
    ]
    part = np.empty([indices.size for indices in indices_by_axis], rows.dtype)
    trials, row_indices, inner_indices = (
        indices_by_axis[0],
        indices_by_axis[1],
        np.ix_(*indices_by_axis[2:]),
    )
    takes_all_inner = all(
        _is_all(axis_key, size) for axis_key, size in zip(key[2:], rows.shape[2:], strict=True)
    )
    order = np.argsort(row_indices, kind="stable")
    sorted_rows, size = row_indices[order], rows_a_block(rows.shape, rows.dtype.itemsize)
    # Each block is read once, in whatever order its rows are asked for.
    for start in np.unique(sorted_rows // size) * size:
        start_index, stop_index = np.searchsorted(sorted_rows, (start, start + size))
        first_row, last_row = int(sorted_rows[start_index]), int(sorted_rows[stop_index - 1])
        for trial_index, trial in enumerate(trials):
            block = rows.read(int(trial), first_row, last_row + 1)[
                sorted_rows[start_index:stop_index] - first_row
            ]
            part[trial_index, order[start_index:stop_index]] = (
                block if takes_all_inner else block[(slice(None), *inner_indices)]
            )
    return part[
        tuple(slice(None) if isinstance(axis_key, slice | np.ndarray) else 0 for axis_key in key)
    ]


def _resolve_key(key: Key, size: int) -> Array:
    """The indices that `key` takes of an axis of `size`."""
    return (
        np.arange(*key.indices(size))
        if isinstance(key, slice)
        else np.atleast_1d(np.arange(size)[key])
    )


def _is_all(key: Key, size: int) -> bool:
    """Whether `key` takes a whole axis as it is."""
    return isinstance(key, slice) and key.indices(size) == (0, size, 1)
