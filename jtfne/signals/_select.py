"""The part of a readout that is asked for: neurons and channels, windows of time, layouts."""

import numbers
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import run_folder
from jtfne._check import describe_value, one_of, refuse

if TYPE_CHECKING:
    import xarray as xr

Names = str | Iterable[str] | None
Ids = int | str | Sequence[int] | Sequence[str] | np.ndarray[Any, Any] | None
Bounds = tuple[float, float]
ON_TIME_ms = 1e-9  # times are multiples of dt to within rounding


def listed(value: Any, key: str, where: str) -> list[str]:
    """One name or several, as a list."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Iterable):
        raise refuse(f"{key}={value!r}", "a name or several names", where)
    return list(value)


def bounds_of(time: Any, where: str) -> Bounds:
    """`time` as numbers. Raises: JtfneError unless it is a window."""
    # A text of two digits, or a set, would be read as two numbers; an infinite end is one.
    ends = [] if isinstance(time, str | bytes) or not isinstance(time, Sequence | np.ndarray) else list(time)
    if len(ends) != 2 or not all(isinstance(end, numbers.Real) and not isinstance(end, bool) for end in ends):
        raise refuse(f"time={describe_value(time)}", "(start, stop) in ms", where)
    try:
        start, stop = map(float, ends)
    except OverflowError:  # an integer of more than 308 digits
        raise refuse(f"time={describe_value(time)}", "(start, stop) in ms", where) from None
    if not start < stop:
        raise refuse(f"time={describe_value(time)}", "(start, stop) in ms, start before stop", where)
    return start, stop


def by_ids(found: "xr.DataArray", ids: Ids, where: str) -> "xr.DataArray":
    """Neurons by id or channels by name, in the order asked."""
    axis = next((dim for dim in ("neuron", "channel") if dim in found.dims), None)
    if axis is None:
        raise refuse(f"ids={ids!r}", "no ids for a readout without neurons or channels", where)
    known, wanted = found[axis].values, np.ravel(np.asarray(ids))
    kinds, what = ("iu", "ids of neurons, integers") if axis == "neuron" else ("UT", "names of channels")
    if wanted.size and wanted.dtype.kind not in kinds:
        raise refuse(f"ids={ids!r}", what, where)
    missing = wanted[~np.isin(wanted, known)].tolist()
    if missing and axis == "channel":
        one_of(missing[0], known.tolist(), name="ids", where=where)
    if missing:
        allowed = f"ids of the {known.size} neurons there, within {known.min()} .. {known.max()}"
        raise refuse(f"ids={missing[:5]!r}", allowed, where)
    return found.isel({axis: run_folder.rows_of(known, wanted) if wanted.size else []})


def inside(time_ms: np.ndarray[Any, Any], bounds: Bounds, where: str) -> np.ndarray[Any, Any]:
    """Which samples have start < t <= stop. Raises: JtfneError if none has."""
    inside = np.flatnonzero((time_ms > bounds[0] + ON_TIME_ms) & (time_ms <= bounds[1] + ON_TIME_ms))
    if inside.size == 0:
        span = f"a window that holds a sample; they end at {time_ms.min():g} .. {time_ms.max():g} ms"
        raise refuse(f"time={bounds!r}", span, where)
    return inside


def within(found: "xr.DataArray", bounds: Bounds | None, where: str) -> "xr.DataArray":
    """Samples or events with start < t <= stop, or all. Raises: JtfneError for a readout without time."""
    if bounds is None:
        return found
    if "event" in found.dims:
        at = found.values
        return found.isel(event=np.flatnonzero((at > bounds[0] + ON_TIME_ms) & (at <= bounds[1] + ON_TIME_ms)))
    if "time" not in found.dims:
        raise refuse(f"time={bounds!r}", "no time for a readout without a time axis", where)
    return found.isel(time=inside(found["time"].values, bounds, where))


def refuse_layout(layout: str | None, found: "xr.DataArray", n_trials: int, where: str) -> None:
    """Raises: JtfneError for a layout that does not fit the readout or the number of trials."""
    if layout == "event":
        raise refuse("layout='event'", "'event' for spikes only", where)
    if layout is not None and not {"time", "event"} & {*found.dims}:
        raise refuse(f"layout={layout!r}", "no layout for a readout without a time axis", where)
    if layout in ("time_node", "node_time") and n_trials > 1:
        raise refuse(f"layout={layout!r} of {n_trials} trials", "'trial_time_node', or one trial by trial=", where)


def laid_out(found: "xr.DataArray", layout: str | None) -> "xr.DataArray":
    """`found` in the order of `layout`; a single trial is dropped unless it is asked for."""
    if layout == "trial_time_node":
        return found
    if found.sizes["trial"] == 1:
        found = found.isel(trial=0)
    return found.transpose(..., "time") if layout == "node_time" else found


def unsized(events: "xr.DataArray") -> "xr.DataArray":
    """A copy of a selection of spikes without the sizes of the whole run, which would dilute every rate."""
    part = events.copy(deep=True)
    part.attrs = {
        key: value for key, value in events.attrs.items() if key not in ("n_neurons", "n_trials", "duration_ms")
    }
    return part
