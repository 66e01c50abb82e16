"""What the figures ask of their arguments, before anything is drawn."""

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from jtfne import _time
from jtfne._check import refuse
from jtfne.analysis import _inputs
from jtfne.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Sequence

Data = Signals | xr.DataArray
EVENT_COLUMNS = ["onset_ms", "duration_ms", "label"]


def check_run(signals: Any, name: str) -> Signals:
    """`signals` itself. Raises: JtfneError if it is no Signals."""
    if not isinstance(signals, Signals):
        raise refuse(
            f"data of type {type(signals).__name__}", "Signals", f"analysis.figures.{name}"
        )
    return signals


def check_trial(signals: Signals, trial: Any, name: str) -> int:
    """`trial` as an int. Raises: JtfneError unless it is the number of a trial of the run."""
    n_trials = int(signals.tree.attrs["n_trials"])
    is_whole = isinstance(trial, int | np.integer) and not isinstance(trial, bool)
    if not is_whole or not 0 <= trial < n_trials:
        raise refuse(
            f"trial={trial!r}", f"a whole number, 0 to {n_trials - 1}", f"analysis.figures.{name}"
        )
    return int(trial)


def check_count(n: Any, where: str) -> int:
    """`n` as an int. Raises: JtfneError unless it is a whole number of 1 or more."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise refuse(f"n={n!r}", "a whole number, 1 or more", where)
    return int(n)


def check_number(value: Any, name: str, where: str) -> float:
    """`value` as a float. Raises: JtfneError unless it is a finite number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Real)
        or not np.isfinite(float(value))
    ):
        raise refuse(f"{name}={value!r}", "a finite number", where)
    return float(value)


def get_readout(data: Any, readout: str, where: str) -> xr.DataArray:
    """The readout of a run or a recording, or the array itself.
    Raises: JtfneError for anything else.
    """
    return _inputs.array(data, readout, where)


def get_array(
    data: Any, readout: str, *needed: str, where: str, free: "Sequence[str]" = ()
) -> xr.DataArray:
    """Finite float64 values over the dimensions `needed`, mean over trials, with times in ms.

    Parameters
    ----------
    data : Signals or DataArray
    readout : str
        Which readout of a run.
    needed : str
        Dimensions that must be there.
    free : sequence of str
        Dimensions that may be there too; "..." for any.

    Raises
    ------
    JtfneError
        For other data, a dimension that is missing or too many, values that are no real numbers or
        not finite, no values, and times or frequencies that do not rise.
    """
    array = get_readout(data, readout, where)
    dims = tuple(map(str, array.dims))
    missing_dims = [dim for dim in needed if dim not in dims]
    if missing_dims:
        raise refuse(
            f"an array of dimensions {dims}", f"one with {', '.join(map(repr, needed))}", where
        )
    if array.dtype.kind not in "biuf":
        raise refuse(f"values of type {array.dtype}", "real numbers", where)
    if array.size == 0:
        raise refuse(f"an array of shape {array.shape}", "one that holds values", where)
    if "trial" in array.dims:
        array = array.astype(np.float64).mean("trial", keep_attrs=True)
    extra_dims = [str(dim) for dim in array.dims if dim not in (*needed, *free)]
    if extra_dims and "..." not in free:
        allowed = (
            f"one over {', '.join(map(repr, needed))} only: choose by .isel({extra_dims[0]}=...)"
        )
        raise refuse(f"an array of dimensions {dims}", allowed, where)
    array = _time_in_ms(array, where)
    for axis in ("time", "frequency"):
        _check_axis(array, axis, where)
    _check_finite(array, where)
    return array.astype(np.float64)


def _time_in_ms(data: xr.DataArray, where: str) -> xr.DataArray:
    """`data` with its time axis, if it has one, in ms, whatever its unit or dtype says.
    Raises: JtfneError.
    """
    if "time" not in data.dims or "time" not in data.coords:
        return data
    axis = data["time"]
    times_ms = _time.times_to_ms(axis.values, axis.attrs.get("units"), where=where)
    return data.assign_coords(time=("time", times_ms, {**axis.attrs, "units": "ms"}))


def _check_axis(data: xr.DataArray, axis: str, where: str) -> None:
    """Raises: JtfneError if `data` has this axis and it is not of two points or more that rise."""
    if axis not in data.dims:
        return
    if axis not in data.coords:
        raise refuse(f"an array without the coordinate {axis!r}", f"one with {axis!r}", where)
    points = data[axis].values
    if (
        points.dtype.kind not in "iuf"
        or not np.isfinite(points).all()
        or not (np.diff(points) > 0).all()
    ):
        raise refuse(
            f"{axis} of type {points.dtype} that does not rise", "finite numbers that rise", where
        )
    if points.size < 2:
        raise refuse(f"{points.size} sample over {axis}", "2 or more", where)


def _check_finite(data: xr.DataArray, where: str) -> None:
    """Raises: JtfneError for a value that is not finite; the message names its coordinates."""
    is_finite = np.isfinite(data.values)
    if is_finite.all():
        return
    bad_index = np.unravel_index(int(np.argmin(is_finite)), is_finite.shape)
    place_words = []
    for dim, index in zip(data.dims, bad_index, strict=True):
        label = data[dim].values[index] if dim in data.coords else index
        place_words.append(
            f"{dim} {label:g}" if isinstance(label, numbers.Real) else f"{dim} {label!s}"
        )
    description = (
        f"{float(data.values[bad_index])} at {', '.join(place_words)}, and "
        f"{int((~is_finite).sum()) - 1} more,"
    )
    raise refuse(description, "finite values", where)


def get_events(data: Data, events: Any) -> pd.DataFrame:
    """The distinct stimulus events, by onset: onset_ms, duration_ms, label.

    They are those of the run unless given.

    Raises: JtfneError for what is no table of events.
    """
    if events is None:
        events = data.events if isinstance(data, Signals) else pd.DataFrame(columns=EVENT_COLUMNS)
    if not isinstance(events, pd.DataFrame):
        allowed = f"a table of {', '.join(EVENT_COLUMNS)}"
        raise refuse(f"events of type {type(events).__name__}", allowed, "analysis.figures")
    missing_columns = [name for name in EVENT_COLUMNS if name not in events]
    if missing_columns:
        allowed = f"a table of {', '.join(EVENT_COLUMNS)}"
        raise refuse(f"events without {', '.join(missing_columns)}", allowed, "analysis.figures")
    events = events[EVENT_COLUMNS].drop_duplicates()
    for name in EVENT_COLUMNS[:2]:
        times_ms = pd.to_numeric(events[name], errors="coerce").to_numpy(np.float64)
        if not np.isfinite(times_ms).all():
            value = events[name].iloc[int(np.argmin(np.isfinite(times_ms)))]
            raise refuse(f"events with {name}={value!r}", "finite times in ms", "analysis.figures")
        events = events.assign(**{name: times_ms})
    table: pd.DataFrame = events.sort_values("onset_ms", kind="stable").reset_index(drop=True)
    return table
