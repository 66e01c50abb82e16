"""Selects parts of a readout: neurons and channels, windows of time, layouts."""

import numbers
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import _time, run_folder
from jtfne._arguments import refuse_repeats
from jtfne._check import describe_value, one_of, refuse

if TYPE_CHECKING:
    import xarray as xr

Names = str | Iterable[str] | None
Ids = int | str | Sequence[int] | Sequence[str] | np.ndarray[Any, Any] | None
Bounds = tuple[float, float]


def read_window(time: Any, where: str) -> Bounds:
    """The window `time` as (start, stop) in ms. Raises: JtfneError unless it is one."""
    # A text of two digits, or a set, would be read as two numbers; an infinite end is one.
    is_sequence = isinstance(time, Sequence | np.ndarray) and not isinstance(time, str | bytes)
    ends = list(time) if is_sequence and getattr(time, "ndim", 1) == 1 else []
    if len(ends) != 2 or not all(
        isinstance(end, numbers.Real) and not isinstance(end, bool) for end in ends
    ):
        raise refuse(f"time={describe_value(time)}", "(start, stop) in ms", where)
    try:
        start, stop = map(float, ends)
    except OverflowError:  # an integer of more than 308 digits
        raise refuse(f"time={describe_value(time)}", "(start, stop) in ms", where) from None
    if not start < stop:
        raise refuse(
            f"time={describe_value(time)}", "(start, stop) in ms, start before stop", where
        )
    return start, stop


def select_ids(readout: "xr.DataArray", ids: Ids, where: str) -> "xr.DataArray":
    """The neurons with these ids, or channels with these names, in the order of `ids`."""
    axis = next((dim for dim in ("neuron", "channel") if dim in readout.dims), None)
    if axis is None:
        raise refuse(
            f"ids={describe_value(ids)}", "no ids for a readout without neurons or channels", where
        )
    try:
        known_ids, wanted_ids = readout[axis].values, np.ravel(np.asarray(ids))
    except (ValueError, TypeError):  # lists of unequal lengths or nested too deep; a Dataset
        raise refuse(
            f"ids={describe_value(ids)}", "ids of neurons, or names of channels", where
        ) from None
    kinds, what = (
        ("iu", "ids of neurons, integers") if axis == "neuron" else ("UT", "names of channels")
    )
    if wanted_ids.size and wanted_ids.dtype.kind not in kinds:
        raise refuse(f"ids={describe_value(ids)}", what, where)
    refuse_repeats(wanted_ids.tolist(), name="ids", where=where)
    missing_ids = wanted_ids[~np.isin(wanted_ids, known_ids)].tolist()
    if missing_ids and axis == "channel":
        one_of(missing_ids[0], known_ids.tolist(), name="ids", where=where)
    if missing_ids:
        allowed = (
            f"ids of the {known_ids.size} neurons there, within {known_ids.min()} .. "
            f"{known_ids.max()}"
        )
        raise refuse(f"ids={describe_value(missing_ids[:5])}", allowed, where)
    return readout.isel(
        {axis: run_folder.locate_ids(known_ids, wanted_ids) if wanted_ids.size else []}
    )


def inside(time_ms: np.ndarray[Any, Any], bounds: Bounds, where: str) -> np.ndarray[Any, Any]:
    """Indices of the samples with start < t <= stop. Raises: JtfneError if there is none."""
    indices = np.flatnonzero(_time.in_window(time_ms, *bounds))
    if indices.size == 0:
        span = (
            f"a window that holds a sample; they end at {time_ms.min():g} .. {time_ms.max():g} ms"
        )
        raise refuse(f"time={describe_value(bounds)}", span, where)
    return indices


def within(readout: "xr.DataArray", bounds: Bounds | None, where: str) -> "xr.DataArray":
    """The samples or events with start < t <= stop; all if `bounds` is None.

    Raises: JtfneError for a readout without time.
    """
    if bounds is None:
        return readout
    if "event" in readout.dims:
        return readout.isel(event=np.flatnonzero(_time.in_window(readout.values, *bounds)))
    if "time" not in readout.dims:
        raise refuse(
            f"time={describe_value(bounds)}", "no time for a readout without a time axis", where
        )
    return readout.isel(time=inside(readout["time"].values, bounds, where))


def refuse_layout(layout: str | None, readout: "xr.DataArray", n_trials: int, where: str) -> None:
    """Raises: JtfneError for a layout that does not fit the readout or the number of trials."""
    if layout == "event":
        raise refuse("layout='event'", "'event' for spikes only", where)
    if layout is not None and not {"time", "event"} & {*readout.dims}:
        raise refuse(
            f"layout={describe_value(layout)}", "no layout for a readout without a time axis", where
        )
    if layout in ("time_node", "node_time") and n_trials > 1:
        raise refuse(
            f"layout={describe_value(layout)} of {n_trials} trials",
            "'trial_time_node', or one trial by trial=",
            where,
        )


def apply_layout(readout: "xr.DataArray", layout: str | None) -> "xr.DataArray":
    """`readout` with dims in the order of `layout`; one trial is dropped unless asked for."""
    if layout == "trial_time_node":
        return readout
    if readout.sizes["trial"] == 1:
        readout = readout.isel(trial=0)
    return readout.transpose(..., "time") if layout == "node_time" else readout


def drop_sizes(events: "xr.DataArray") -> "xr.DataArray":
    """A copy of a selection of spikes, without the attributes that give sizes of the whole run.

    With them, rates computed from the selection would be too low.
    """
    part = events.copy(deep=True)
    part.attrs = {
        key: value
        for key, value in events.attrs.items()
        if key not in ("n_neurons", "n_trials", "duration_ms", "neuron_labels")
    }
    return part
