"""Axes of labelled arrays: which dims they have, times in ms, even steps."""

from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import _time
from jtfne._check import describe_value, refuse
from jtfne._units import Floats

if TYPE_CHECKING:
    import xarray as xr


def need(data: "xr.DataArray", *dims: str, where: str) -> None:
    """Raises: JtfneError where `data` lacks one of `dims`; the message names both."""
    missing_dims = [dim for dim in dims if dim not in data.dims]
    if missing_dims:
        description = f"a DataArray with dims {tuple(str(dim) for dim in data.dims)}"
        raise refuse(description, f"dims that include {', '.join(map(repr, dims))}", where)


def in_ms(data: "xr.DataArray", where: str) -> "xr.DataArray":
    """`data` with its time axis, if it has one with times, in ms.
    Raises: JtfneError for times that cannot be read.

    Numbers are in ``time.attrs["units"]``, ms where that is missing; a timedelta64 says its own
    unit.
    """
    if "time" not in data.dims or "time" not in data.coords:
        return data
    axis = data["time"]
    times_ms = _time.axis_to_ms(axis.values, axis.attrs.get("units"), where=where)
    if axis.dtype.kind == "f":
        scale = (
            1.0
            if axis.attrs.get("units") is None
            else _time.MS_PER_UNIT[axis.attrs["units"].strip()]
        )
        times_ms = _time.restore_even(times_ms, scale * _time.rounding_error(axis.values))
    return data.assign_coords(time=("time", times_ms, {**axis.attrs, "units": "ms"}))


def even_step(data: "xr.DataArray", coord: str, where: str) -> float:
    """The step of an evenly spaced coordinate. Raises: JtfneError where it is missing or uneven."""
    return _time.even_step(coordinate(data, coord, where), where=where, name=coord)


def coordinate(data: "xr.DataArray", coord: str, where: str) -> Floats:
    """The values of a coordinate that has numbers along one dim.
    Raises: JtfneError where it has not.
    """
    if coord not in data.coords:
        raise refuse(
            f"a DataArray without the coordinate {coord!r}",
            f"one with {coord!r}, evenly spaced",
            where,
        )
    values = data[coord].values
    if values.ndim != 1 or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise refuse(
            f"a coordinate {coord!r} of dtype {values.dtype}",
            "finite numbers along one dimension",
            where,
        )
    return np.asarray(values, np.float64)


def check_row(values: Any, name: str, allowed: str, where: str) -> Floats:
    """`values` (n,) in float64. Raises: JtfneError unless they are finite numbers in one row."""
    try:
        row = np.asarray(values)
    except (TypeError, ValueError):
        row = np.zeros(0, object)
    if row.ndim != 1 or row.size == 0 or row.dtype.kind not in "iuf" or not np.isfinite(row).all():
        raise refuse(f"{name}={describe_value(values)}", allowed, where)
    return np.asarray(row, np.float64)
