"""What analyses read: a run or a labelled array, checked, in float64, with times in ms."""

import os
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from jtfne._check import FINITE, JtfneError, Limit, describe_value, number, refuse
from jtfne._precision import precision
from jtfne._time import TOLERANCE as TOLERANCE
from jtfne._units import Floats
from jtfne.analysis.recordings import load_recording
from jtfne.recordings import coordinate as coordinate
from jtfne.recordings import even_step as even_step
from jtfne.recordings import in_ms as in_ms
from jtfne.recordings import is_recording
from jtfne.recordings import need as need
from jtfne.signals import Signals

# A run, an array, the path of a recording; or a Raw, Epochs or Evoked of MNE, which has no types.
Data = Signals | xr.DataArray | str | os.PathLike[str]
DATA = "Signals, an xarray.DataArray, what MNE has in memory, or the path of a recording"
Ints = NDArray[np.int64]
Window = tuple[float, float]
# of the largest value: fourth powers, as in coherence, stay within float64
SMALLEST, LARGEST = 1e-60, 1e60
MOST_DRAWS = 1_000_000  # of a null or a bootstrap: more says no more, and has no end
# A time beyond 30,000 years has no number of samples.
SPAN_ms = Limit(0.0, 1e15, open_low=True)
TIME_ms = Limit(-1e15, 1e15)


def array(data: Data, readout: str, where: str) -> xr.DataArray:
    """The DataArray to analyse: `data` itself, or the `readout` of a run or of a recording.
    Raises: JtfneError for anything else.
    """
    if isinstance(data, xr.DataArray):
        return data
    if isinstance(data, Signals):
        if not isinstance(readout, str):
            raise refuse(f"readout={describe_value(readout)}", "the name of a readout", where)
        return data.get(readout)
    if is_recording(data):
        return load_recording(data, readout=readout)
    raise refuse(f"data of type {type(data).__name__}", DATA, where)


def read(data: Data, readout: str, where: str, *dims: str) -> xr.DataArray:
    """The array or readout to analyse in float64, with `dims`, and with any time axis in ms.

    Raises: JtfneError as `array` and `check_values`.
    """
    return check_values(array(data, readout, where), where, *dims)


def check_values(data: xr.DataArray, where: str, *dims: str) -> xr.DataArray:
    """`data` in memory as float64, with its time, if it has one, in ms.

    Raises: JtfneError for what is no DataArray, lacks one of `dims`, is empty, holds something else
    than real numbers or any value that is not finite, is out of the range of `check_size`, or has a
    time axis that cannot be read.
    """
    if not isinstance(data, xr.DataArray):
        raise refuse(
            f"data of type {type(data).__name__}",
            "an xarray.DataArray, such as signals.get(...) gives",
            where,
        )
    check_form(data, where, *dims)
    values = np.asarray(data.values, np.float64)
    gaps = np.flatnonzero(~np.isfinite(values))
    if gaps.size:
        description = (
            f"{gaps.size} of {values.size} values that are not finite, "
            f"the first at {_describe_place(data, int(gaps[0]))},"
        )
        raise refuse(description, "finite values: drop or mend these first", where)
    check_size(values, where)
    return in_ms(data.copy(data=values), where)


def check_form(data: xr.DataArray, where: str, *dims: str) -> None:
    """Raises: JtfneError if no analysis reads the dims, the dtype or the size of `data`."""
    names = tuple(map(str, data.dims))
    need(data, *dims, where=where)
    if len(set(names)) < len(names):
        raise refuse(f"a DataArray with dims {names}", "each dim once", where)
    if data.dtype.kind not in "biuf":
        raise refuse(f"an array of dtype {data.dtype}", "real numbers", where)
    if data.size == 0:
        raise refuse(f"an empty array, {dict(data.sizes)},", "one value or more", where)


def check_size(values: Floats, where: str) -> None:
    """Raises: JtfneError for values whose powers leave the range of float64."""
    largest = float(np.abs(values).max())
    if largest > LARGEST or 0.0 < largest < SMALLEST:
        description = f"values of up to {largest:.3g}, whose powers no number holds,"
        raise refuse(
            description, f"a largest value of {SMALLEST:g} to {LARGEST:g}: take another unit", where
        )


def _describe_place(data: xr.DataArray, flat: int) -> str:
    """The coordinates of the value at index `flat` of the raveled array, as text for a message."""
    rows = np.unravel_index(flat, data.shape)
    words = []
    for dim, row in zip(data.dims, rows, strict=True):
        names = data[dim].values if dim in data.coords else np.arange(data.sizes[dim])
        words.append(f"{dim} {names[row]}")
        if dim == "channel" and "z_mm" in data.coords and data["z_mm"].dims == ("channel",):
            words[-1] += f" ({data['z_mm'].values[row]} mm)"
    return ", ".join(words) or "its only place"


def over_time(data: Data, readout: str, where: str) -> tuple[xr.DataArray, float]:
    """The array or readout to analyse, and its time step in ms.

    Raises: JtfneError without an even time axis.
    """
    x = read(data, readout, where, "time")
    return x, even_step(x, "time", where)


def over_frequency(power: xr.DataArray, where: str, *dims: str) -> tuple[xr.DataArray, Floats]:
    """Power in float64, and its frequencies, Hz.

    Raises: JtfneError as `check_values`, and for power below 0, as dB are.
    """
    checked_power = check_values(power, where, *dims, "frequency")
    f_Hz = coordinate(checked_power, "frequency", where)
    if not (np.diff(f_Hz) > 0.0).all() or f_Hz[0] < 0.0:
        raise refuse("frequencies that do not all grow from 0 Hz or above", "those of psd", where)
    if (checked_power.values < 0.0).any():
        raise refuse("power below 0, such as dB,", "power, 0 or above", where)
    return checked_power, f_Hz


def by_depth(data: xr.DataArray, where: str, at_least: int = 3) -> tuple[xr.DataArray, float]:
    """`data` ordered by depth z_mm of its channels, and their spacing in mm.
    Raises: JtfneError without even depths.
    """
    ordered_data = downward(data, where, at_least)
    return ordered_data, even_step(ordered_data, "z_mm", where)


def downward(data: xr.DataArray, where: str, at_least: int = 3) -> xr.DataArray:
    """`data` ordered by depth z_mm of its channels, even or not.
    Raises: JtfneError without depths.
    """
    need(data, "channel", where=where)
    if "z_mm" not in data.coords or data["z_mm"].dims != ("channel",):
        raise refuse(
            "channels without depths", "a coordinate z_mm (channel), depth below pia in mm", where
        )
    if data.sizes["channel"] < at_least:
        raise refuse(f"{data.sizes['channel']} channels", f"{at_least} or more", where)
    return data.isel(channel=np.argsort(coordinate(data, "z_mm", where), kind="stable"))


def pair(value: Any, *, name: str, where: str, unit: str = "ms") -> Window:
    """Two finite numbers, the first below the second. Raises: JtfneError."""
    allowed = f"(start, stop) in {unit}, start before stop"
    is_sequence = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes)
    if not is_sequence or np.ndim(value) == 0 or len(value) != 2:
        raise refuse(f"{name}={describe_value(value)}", allowed, where)
    start, stop = (number(end, FINITE, name=name, where=where) for end in value)
    if not start < stop:
        raise refuse(f"{name}={describe_value(value)}", allowed, where)
    return start, stop


def check_band(low_Hz: float, high_Hz: float, f_Hz: Floats, where: str) -> None:
    """Raises: JtfneError for a band that ends beyond the last frequency of a spectrum.

    It may end beyond it by the spacing of frequencies.
    """
    spacing_Hz = f_Hz[-1] - f_Hz[-2] if f_Hz.size > 1 else 0.0
    if low_Hz < 0.0 or high_Hz > f_Hz[-1] + spacing_Hz * (1.0 + TOLERANCE):
        raise refuse(
            f"the band {low_Hz:g} to {high_Hz:g} Hz",
            f"0 to {f_Hz[-1]:g} Hz, where the spectrum ends: at the Nyquist frequency, "
            "half the sampling rate, unless it was cut before",
            where,
        )


def zero_constants(values: Floats, axis: int = -1) -> Floats:
    """`values` with 0 in place of all that never varies along `axis`.

    A mean taken off 0.1 throughout leaves 1e-17, and a ratio of two such remainders is a number
    without meaning; 0 leaves 0.
    """
    never_varies = values.max(axis=axis, keepdims=True) == values.min(axis=axis, keepdims=True)
    return np.where(never_varies, 0.0, values) if never_varies.any() else values


def values_last(data: xr.DataArray, *last: str) -> tuple[Floats, tuple[Hashable, ...]]:
    """float64 values with the dims `last` at the end, and the dims before them."""
    front = tuple(dim for dim in data.dims if dim not in last)
    return np.asarray(data.transpose(*front, *last).values, dtype=np.float64), front


def take_coords(data: xr.DataArray, dims: Sequence[Hashable]) -> dict[Hashable, Any]:
    """The coordinates of `data` that span none but `dims`; scalar ones are left out."""
    return {
        name: coord
        for name, coord in data.coords.items()
        if coord.ndim and set(coord.dims) <= set(dims)
    }


def kernel(function: Callable[..., Any], *arguments: Any, where: str = "", **keywords: Any) -> Any:
    """The result of a jnp kernel of `jtfne.measures` in float64, as writable numpy arrays.

    where: name of the analysis, for the message of a ValueError of the kernel. Raises: JtfneError.
    """
    try:
        with precision("float64"):
            result = function(*arguments, **keywords)
            return (
                tuple(np.array(part) for part in result)
                if isinstance(result, tuple)
                else np.array(result)
            )
    except JtfneError:
        raise
    except ValueError as error:
        raise JtfneError(f"{error} (in {where})" if where else str(error)) from error
