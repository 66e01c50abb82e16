"""Tables of an NWB file: trials, events, electrodes and units."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne import _time
from jtfne._check import one_of, refuse
from jtfne._units import Floats
from jtfne.recordings._hdf5 import (
    iterate_groups,
    open_member,
    read_numbers,
    read_text,
    read_values,
)
from jtfne.recordings._spikes import build_spikes

if TYPE_CHECKING:
    import h5py
    import xarray as xr

TRIALS = "intervals/trials"
# Columns that say what an event is, in this order.
LABEL_COLUMNS = ("label", "annotation", "stimulus_name", "condition", "trial_type")
# Columns of units by the label of jtfne that they stand for.
UNIT_COLUMNS = {
    "area": ("area", "location", "brain_area", "brain_region"),
    "layer": ("layer",),
    "cell_type": ("cell_type",),
}
EVENTS_TYPE, INTERVALS_TYPE = "EventsTable", "TimeIntervals"
END_TO_END_ms = 1e-3  # how far the end of a trial may be from the start of the next


@dataclasses.dataclass(frozen=True)
class Trials:
    """The trials of a file: where each starts and stops on its clock, ms."""

    start_ms: Floats
    stop_ms: Floats

    @property
    def length_ms(self) -> float | None:
        """The length of trials that stand end to end from time 0, equally long; None of others."""
        lengths_ms = self.stop_ms - self.start_ms
        if lengths_ms.size == 0 or not lengths_ms[0] > 0.0:
            return None
        length_ms = float(lengths_ms[0])
        expected_ms = length_ms * np.arange(lengths_ms.size)
        is_even = np.abs(self.start_ms - expected_ms).max() <= END_TO_END_ms
        is_equal = np.abs(lengths_ms - length_ms).max() <= END_TO_END_ms
        return length_ms if is_even and is_equal else None


def read_column(table: "h5py.Group", name: str, where: str) -> NDArray[Any] | None:
    """A column with one value a row; None where the table has none of that name."""
    dataset = open_member(table, name, where)
    if dataset is None or open_member(table, f"{name}_index", where) is not None:
        return None
    values = read_values(dataset, where)
    return values if values.ndim == 1 else None


def read_trials(file: "h5py.File", where: str) -> Trials | None:
    """The trials of a file; None where it has no table of them."""
    table = open_member(file, TRIALS, where)
    if table is None:
        return None
    start_ms, stop_ms = (
        _time.times_to_ms(
            read_numbers(open_member(table, name, where), where), "s", where=where, name=name
        )
        for name in ("start_time", "stop_time")
    )
    if start_ms.shape != stop_ms.shape or start_ms.ndim != 1:
        raise refuse("trials with more starts than stops", "both for each trial", where)
    return Trials(start_ms, stop_ms)


def read_events(file: "h5py.File", events: str | None, where: str) -> tuple[list[float], list[str]]:
    """Onsets, ms, and labels of the events of a file, in the order of time.

    events: the name of a table, or "table.column" for another column than its start; None takes
    the only table of events, and else the trials.
    Raises: JtfneError for a table or column that the file has not.
    """
    tables = _list_tables(file, where)
    name, column = _choose_table(tables, events, where)
    if name is None:
        return [], []
    table = tables[name]
    times_s = read_numbers(_need_column(table, column, name, where), where)
    if times_s.ndim != 1:
        raise refuse(f"{name}.{column} of shape {times_s.shape}", "a time for each row", where)
    labels = _label_rows(table, name, times_s.size, where)
    rows = np.flatnonzero(np.isfinite(times_s))  # a trial without the event has NaN
    rows = rows[np.argsort(times_s[rows], kind="stable")]
    times_ms = _time.times_to_ms(times_s[rows], "s", where=where, name=f"{name}.{column}")
    return times_ms.tolist(), [labels[row] for row in rows]


def _list_tables(file: "h5py.File", where: str) -> dict[str, "h5py.Group"]:
    """The tables of events and of intervals of a file, by name."""
    tables = {}
    for path, group in iterate_groups(file, where):
        if read_text(group, "neurodata_type") in (EVENTS_TYPE, INTERVALS_TYPE):
            tables[path.rpartition("/")[2]] = group
    return tables


def _choose_table(
    tables: dict[str, "h5py.Group"], events: str | None, where: str
) -> tuple[str | None, str]:
    """The name of the table of events, None where there is none; and its column of times.

    Raises: JtfneError for a name that no table has.
    """
    if events is not None:
        name, _, column = events.partition(".")
        one_of(name, tables, name="events", where=where)
        return name, column or _name_start(tables[name])
    event_tables = [
        name for name, table in tables.items() if read_text(table, "neurodata_type") == EVENTS_TYPE
    ]
    if len(event_tables) == 1:
        return event_tables[0], "timestamp"
    return ("trials", "start_time") if "trials" in tables else (None, "")


def _name_start(table: "h5py.Group") -> str:
    """The name of a table's column of onsets."""
    return "timestamp" if read_text(table, "neurodata_type") == EVENTS_TYPE else "start_time"


def _need_column(table: "h5py.Group", column: str, name: str, where: str) -> Any:
    """The dataset of a column. Raises: JtfneError where the table has none of that name."""
    dataset = open_member(table, column, where)
    if dataset is None:
        columns = [key for key in table if key != "id"]
        one_of(column, columns, name=f"column of {name}", where=where)
    return dataset


def _label_rows(table: "h5py.Group", name: str, n_rows: int, where: str) -> list[str]:
    """A label for each row of a table: by the first of LABEL_COLUMNS, or else the table's name."""
    for column in LABEL_COLUMNS:
        values = read_column(table, column, where)
        if values is not None and values.dtype.kind == "U" and values.size == n_rows:
            return [str(text) for text in values]
    return [name] * n_rows


def read_units(file: "h5py.File", where: str) -> "xr.DataArray":
    """The spikes of a file as `Signals.get("spk")` gives them.

    Trials that stand end to end from time 0, equally long, are trials of the result; otherwise it
    has one, on the clock of the file.
    Raises: JtfneError for a file without units, and for tables that do not fit together.
    """
    table = open_member(file, "units", where)
    times, ends, ids = (
        None if table is None else open_member(table, name, where)
        for name in ("spike_times", "spike_times_index", "id")
    )
    if times is None or ends is None or ids is None:
        raise refuse("a file without spikes of units", "a table of units with spike_times", where)
    n_neurons = int(read_values(ids, where).size)
    time_ms = _time.times_to_ms(read_numbers(times, where), "s", where=where, name="spike_times")
    row_ends = read_numbers(ends, where).astype(np.int64)
    n_spikes = np.diff(row_ends, prepend=0)
    if row_ends.size != n_neurons or (n_spikes < 0).any() or n_spikes.sum() != time_ms.size:
        raise refuse(
            f"{time_ms.size} spikes with an index of other spikes", "an end for each unit", where
        )
    neuron = np.repeat(np.arange(n_neurons), n_spikes)
    trials = read_trials(file, where)
    length_ms = None if trials is None else trials.length_ms
    if trials is None or length_ms is None:
        trial, n_trials = np.zeros(time_ms.size, np.int64), 1
        duration_ms = _find_end_ms(table, trials, time_ms, where)
    else:
        n_trials, duration_ms = trials.start_ms.size, length_ms
        # (start, stop], as everywhere: a spike is dated by the end of its step
        trial = np.ceil((time_ms - _time.CLOCK_ms) / length_ms).astype(np.int64) - 1
        trial = np.clip(trial, 0, n_trials - 1)
        time_ms = np.asarray(np.round(time_ms - length_ms * trial, _time.DECIMALS), np.float64)
    labels = _read_unit_labels(table, n_neurons, where)
    sizes = {"n_neurons": n_neurons, "n_trials": n_trials, "duration_ms": duration_ms}
    spikes = build_spikes(time_ms, neuron, trial, labels, sizes)
    resolution_s = times.attrs.get("resolution")
    if resolution_s is not None and np.size(resolution_s) == 1 and float(resolution_s) > 0.0:
        step_ms = round(float(resolution_s) * 1e3, _time.DECIMALS)
        spikes.attrs["interval_ms"] = spikes.attrs["dt_ms"] = step_ms
    return spikes


def _read_unit_labels(table: Any, n_neurons: int, where: str) -> dict[str, NDArray[Any]]:
    """Area, layer and cell type of each unit, as far as the table has columns for them."""
    labels = {}
    for label, columns in UNIT_COLUMNS.items():
        for column in columns:
            values = read_column(table, column, where)
            if values is not None and values.dtype.kind == "U" and values.size == n_neurons:
                labels[label] = values
                break
    return labels


def _find_end_ms(table: Any, trials: Trials | None, time_ms: Floats, where: str) -> float:
    """The end of what is observed: of intervals, of trials, or the last spike.

    Raises: JtfneError where nothing says it.
    """
    ends_ms: Sequence[float] = [float(time_ms.max(initial=0.0))]
    observed = open_member(table, "obs_intervals", where)
    if observed is not None:
        intervals_s = read_numbers(observed, where)
        ends_ms = [*ends_ms, round(float(intervals_s.max(initial=0.0)) * 1e3, _time.DECIMALS)]
    if trials is not None:
        ends_ms = [*ends_ms, float(trials.stop_ms.max(initial=0.0))]
    if not max(ends_ms) > 0.0:
        raise refuse(
            "units without spikes, trials and observed intervals",
            "one that says how long the recording is",
            where,
        )
    return max(ends_ms)
