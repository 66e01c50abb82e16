"""Which device holds which cell."""

import dataclasses
import functools
import itertools
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Layout:
    """The order in which cells lie on the devices of a mesh, each population split evenly.

    Words of 32 cells go to the devices in turn.

    runs: (first row, n_rows) of neighbours of one cell model, in the order of rows. Each run begins
    at a multiple of 32 * n_devices *positions*, so all devices hold as many cells of each model,
    and positions keep the order of rows. Positions past the end of a run are filled by copies of
    its last cell, whose spikes are not counted.
    """

    runs: tuple[tuple[int, int], ...]
    n_devices: int

    @classmethod
    def build(cls, n_cells: int, indices: list[npt.NDArray[Any] | None], n_devices: int) -> Self:
        """The layout of the cells of several models.

        indices: the rows of each model; None for all rows.
        """
        model = np.zeros(n_cells, np.int64)
        for model_index, rows in enumerate(indices):
            model[slice(None) if rows is None else rows] = model_index
        starts = [0, *(np.flatnonzero(np.diff(model)) + 1).tolist(), n_cells]
        return cls(
            tuple((start, stop - start) for start, stop in itertools.pairwise(starts)), n_devices
        )

    @functools.cached_property
    def row_of(self) -> Ints:
        """The row that each position holds or copies: (n_devices * n_local,)."""
        parts = []
        for (first_row, n_rows), room in self._rooms():
            parts.append(first_row + np.minimum(np.arange(room), n_rows - 1))
        return np.concatenate(parts)

    @functools.cached_property
    def real(self) -> npt.NDArray[np.bool_]:
        """Whether a position holds a cell, or a copy: (n_devices * n_local,)."""
        return np.concatenate([np.arange(room) < n_rows for (_, n_rows), room in self._rooms()])

    @functools.cached_property
    def position_of(self) -> Ints:
        """The position of each row: (n_cells,)."""
        return np.flatnonzero(self.real)

    @property
    def n_local(self) -> int:
        """Positions of one device."""
        return self.row_of.size // self.n_devices

    def locate(self, position: Ints) -> tuple[Ints, Ints]:
        """Device of each position, and its place on that device."""
        word, bit = np.divmod(position, 32)
        turn, device = np.divmod(word, self.n_devices)
        return device, turn * 32 + bit

    @functools.cached_property
    def positions(self) -> Ints:
        """The position of every place on each device: (n_devices, n_local)."""
        device, local = self.locate(np.arange(self.row_of.size))
        positions = np.empty((self.n_devices, self.n_local), np.int64)
        positions[device, local] = np.arange(self.row_of.size)
        return positions

    @functools.cached_property
    def rows(self) -> Ints:
        """The row that every place holds or copies: (n_devices, n_local)."""
        return self.row_of[self.positions]

    def _rooms(self) -> list[tuple[tuple[int, int], int]]:
        """Each run, and the positions that it takes."""
        step = 32 * self.n_devices
        return [((first_row, n_rows), -(-n_rows // step) * step) for first_row, n_rows in self.runs]
