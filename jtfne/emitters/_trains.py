"""Trains of spikes: the times of each cell, which cannot be changed, at 8 bytes a spike."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import UNREADABLE, JtfneError, one_of, refuse
from jtfne._files import resolve_path
from jtfne._stored import read_csv, read_parquet

NEVER = 2**31 - 1  # a step that no run reaches
MOST_CELLS = 10_000_000  # of a table without `cells`; a train takes 8 bytes and its spikes
# of a step: how far a time may lie behind the end of its step, as one that was computed does
SLACK = 1e-3
TABLE_READERS = {".parquet": read_parquet, ".csv": read_csv}  # of files of spikes, by suffix
# of tables of spikes; the second are those of `Signals.spikes`
COLUMNS = (("cell", "t_ms"), ("neuron", "time_ms"))


class Trains:
    """Spike times in ms of cells 0, 1, ...; it compares and hashes as the lists of them.

    >>> Trains([[1.0, 2.5], []]), len(Trains([[1.0, 2.5], []]))
    (Trains(2 cells, 2 spikes), 2)
    """

    __slots__ = ("sizes", "t_ms")

    def __init__(self, trains: Iterable[Any] = ()) -> None:
        try:
            rows = [np.asarray(train, np.float64) for train in trains]
        except (TypeError, ValueError):
            rows = [np.zeros(())]
        if any(row.ndim != 1 for row in rows):
            raise refuse(
                "times_ms of another form",
                "a list of trains, each a list of times in ms",
                "SpikeSource",
            )
        self._keep(
            np.concatenate([np.zeros(0), *rows]), np.array([row.size for row in rows], np.int64)
        )

    def _keep(self, t_ms: npt.NDArray[np.float64], sizes: npt.NDArray[np.int64]) -> None:
        """Set the times of all cells, one after the other, and how many each cell has."""
        for array in (t_ms, sizes):
            array.flags.writeable = False
        self.t_ms, self.sizes = t_ms, sizes

    @classmethod
    def of_table(cls, table: Any, cells: Sequence[int] | None = None) -> "Trains":
        """From columns `cell` and `t_ms`, or `neuron` and `time_ms`, in any order of rows.

        table: in memory, or the path of a file of `TABLE_READERS`. cells: ids; train k is that of
        `cells[k]`, and spikes of others are left out. Without, train k is that of id k.
        Raises: JtfneError for no such table, a column that is missing or no numbers, ids that are
        not whole, or several trials.
        """
        where = "SpikeSource.from_table"
        table = _read_table(table, where)
        names = [str(name) for name in getattr(table, "column_names", table)]
        cell_column, time_column = next((pair for pair in COLUMNS if pair[0] in names), COLUMNS[0])
        for name in (cell_column, time_column):
            one_of(name, names, name="column", where=where)
        if "trial" in names and np.unique(np.asarray(table["trial"])).size > 1:
            raise refuse("spikes of several trials", "those of one", where)
        try:
            ids, t_ms = (np.asarray(table[name], np.float64) for name in (cell_column, time_column))
        except (TypeError, ValueError):
            raise refuse(
                f"{cell_column} and {time_column} that are no numbers",
                "ids, and times in ms",
                where,
            ) from None
        if not np.all((ids >= 0) & (ids == np.floor(ids)) & (ids < NEVER)):
            raise refuse(f"a {cell_column} that is no id", "whole numbers of at least 0", where)
        largest = int(ids.max(initial=-1))
        if cells is None and largest >= MOST_CELLS:
            description = (
                f"a {cell_column} of id {largest}, which would take a train for each id up to it,"
            )
            allowed = (
                f"ids below {MOST_CELLS}, or cells=[...], the ids in the order of the cells of "
                "the type"
            )
            raise refuse(description, allowed, where)
        order = np.lexsort((t_ms, ids))
        ids, t_ms = ids[order].astype(np.int64), t_ms[order]
        trains = cls()
        if cells is None:
            trains._keep(np.array(t_ms), np.bincount(ids, minlength=largest + 1).astype(np.int64))
            return trains
        cell_ids = np.asarray(cells, np.int64)
        starts, stops = (np.searchsorted(ids, cell_ids, side) for side in ("left", "right"))
        return cls([t_ms[start:stop] for start, stop in zip(starts, stops, strict=True)])

    def tolist(self) -> list[list[float]]:
        """The times of each cell."""
        return [row.tolist() for row in np.split(self.t_ms, np.cumsum(self.sizes))[:-1]]

    def of_cells(self, first: int, n_cells: int) -> "Trains":
        """The trains of `n_cells` cells from `first` on; empty where there is no train."""
        sizes = np.zeros(n_cells, np.int64)
        part_sizes = self.sizes[first : first + n_cells]
        sizes[: part_sizes.size] = part_sizes
        start = int(self.sizes[:first].sum())
        part = Trains()
        part._keep(self.t_ms[start : start + int(part_sizes.sum())].copy(), sizes)
        return part

    def at_once(self, dt_ms: float) -> tuple[int, float] | None:
        """Cell and time, ms, of the first spike in the same step as the one before it, or None."""
        cell = np.repeat(np.arange(len(self)), self.sizes)
        clashes = np.flatnonzero((np.diff(self._steps(dt_ms)) <= 0) & (np.diff(cell) == 0))
        return (
            (int(cell[clashes[0] + 1]), float(self.t_ms[clashes[0] + 1])) if clashes.size else None
        )

    def table(self, dt_ms: float) -> npt.NDArray[np.int32]:
        """The step of each spike, then NEVER: (n_cells, most spikes of a cell + 1).

        A spike comes in the step that ends at its time, or first after it; one at 0 ms in the
        first. Raises: JtfneError if two spikes of a cell fall into one step.
        """
        clash = self.at_once(dt_ms)
        if clash is not None:
            raise refuse(
                "two spikes of a cell in one step", f"at most one in {dt_ms:g} ms", "SpikeSource"
            )
        steps = np.full((len(self), int(self.sizes.max(initial=0)) + 1), NEVER, np.int32)
        place = np.arange(self.t_ms.size) - np.repeat(
            np.cumsum(self.sizes) - self.sizes, self.sizes
        )
        steps[np.repeat(np.arange(len(self)), self.sizes), place] = self._steps(dt_ms)
        return steps

    def _steps(self, dt_ms: float) -> npt.NDArray[np.int64]:
        """The step of each spike.

        A time that is a float32 may have been rounded to one, by half the gap to the next, which
        grows with time: 3e-8 of the time, and lie behind the end of its step by rounding only. (One
        in 2^29 of other times is a float32.)
        """
        with np.errstate(over="ignore", invalid="ignore"):  # of times that no float32 holds
            t_float32_ms = self.t_ms.astype(np.float32)
            gap_ms = np.where(
                t_float32_ms == self.t_ms, 0.5 * np.spacing(t_float32_ms).astype(np.float64), 0.0
            )
        slack = np.minimum(SLACK + gap_ms / dt_ms, 0.5)
        ends = np.maximum(np.ceil(self.t_ms / dt_ms - slack) - 1, 0)
        # a time far off has no integer
        steps: npt.NDArray[np.int64] = np.minimum(ends, NEVER).astype(np.int64)
        return steps

    def __len__(self) -> int:
        return int(self.sizes.size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trains):
            return False
        return np.array_equal(self.sizes, other.sizes) and np.array_equal(self.t_ms, other.t_ms)

    def __hash__(self) -> int:
        return hash((self.t_ms.tobytes(), self.sizes.tobytes()))

    def __repr__(self) -> str:
        return f"Trains({len(self)} cells, {self.t_ms.size} spikes)"

    def __reduce__(self) -> tuple[type, tuple[list[list[float]]]]:
        """Pickle and copy as a list of all times."""
        return Trains, (self.tolist(),)


def join_trains(parts: Iterable[Trains]) -> Trains:
    """The trains of all cells from those of each population.

    Examples
    --------
    >>> from jtfne.emitters import Trains, join_trains
    >>> join_trains([Trains([[1.0, 2.5], []]), Trains([[4.0]])])
    Trains(3 cells, 3 spikes)
    """
    all_trains, part_list = Trains(), list(parts)
    all_trains._keep(
        np.concatenate([part.t_ms for part in part_list]),
        np.concatenate([part.sizes for part in part_list]),
    )
    return all_trains


def _read_table(table: Any, where: str) -> Any:
    """A table with columns by name: `table` itself, that of a file, or that of an array of events.

    Raises: JtfneError for what is none, and for a file of another kind.
    """
    if isinstance(table, str | os.PathLike):
        path = resolve_path(table, where)
        read = TABLE_READERS.get(path.suffix.lower())
        if read is None:
            allowed = (
                f"a file {' or '.join(TABLE_READERS)}, or the spikes of any recording: "
                "analysis.load_recording(path, readout='spk')"
            )
            raise refuse(f"the file {str(table)!r}", allowed, where)
        if not path.is_file():
            raise refuse(f"{str(path)!r}, which is not there,", "a file", where)
        try:
            return read(path)
        except JtfneError:
            raise
        except UNREADABLE as error:
            reason = " ".join(str(error).split())
            raise refuse(
                f"{path.name}, which cannot be read ({reason}),",
                f"a whole {path.suffix} file",
                where,
            ) from error
    dims = getattr(table, "dims", None)
    if dims == ("event",):  # an xarray.DataArray, as `Signals.get("spk")` gives it
        return {"neuron": table["neuron"], "time_ms": table, "trial": table["trial"]}
    if dims is None and (isinstance(table, Mapping) or hasattr(table, "columns")):
        return table
    raise refuse(
        f"a table of type {type(table).__name__}",
        "a DataFrame, an Arrow table, a mapping of columns, spikes as Signals.get('spk') gives "
        f"them, or the path of a file {' or '.join(TABLE_READERS)}",
        where,
    )
