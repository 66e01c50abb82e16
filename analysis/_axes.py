"""Axes of DataArrays that every analysis asks about: even steps in time and depth."""

import numpy as np
import xarray as xr

from jtfne._check import refuse


def has(x: xr.DataArray, dim: str, where: str) -> None:
    """Raises: JtfneError if `x` has no such dimension, or nothing along it."""
    if dim not in x.dims:
        raise refuse(f"an array of dimensions {tuple(map(str, x.dims))}", f"one with {dim!r}", where)
    if x.sizes[dim] == 0:
        raise refuse(f"an array with nothing along {dim!r}", "1 sample or more", where)


def even_step(values: xr.DataArray, name: str, unit: str, where: str) -> float:
    """The step of evenly spaced `values`, signed. Raises: JtfneError if they are fewer than 2, or uneven."""
    at = np.asarray(values.values, np.float64)
    steps = np.diff(at)
    if steps.size == 0 or not np.all(np.isfinite(steps)) or steps[0] == 0.0:
        raise refuse(f"{at.size} values of {name}", f"2 or more different ones, in {unit}", where)
    mean = float(at[-1] - at[0]) / steps.size
    if np.abs(steps - mean).max() > 1e-3 * abs(mean):
        raise refuse(f"{name} in steps of {steps.min():g} to {steps.max():g} {unit}", "even steps", where)
    return mean


def time_step_ms(x: xr.DataArray, where: str) -> float:
    """Sampling interval, ms. Raises: JtfneError without an even, rising time axis."""
    has(x, "time", where)
    if "time" not in x.coords:
        raise refuse("an array without a time coordinate", "time in ms", where)
    step_ms = even_step(x["time"], "time", "ms", where)
    if step_ms <= 0.0:
        raise refuse("time that runs backwards", "rising time in ms", where)
    return step_ms


def by_depth(x: xr.DataArray, where: str) -> tuple[xr.DataArray, float]:
    """`x` with its channels ordered by depth z_mm, and their even spacing in mm. Raises: JtfneError without depths."""
    has(x, "channel", where)
    if "z_mm" not in x.coords or x["z_mm"].dims != ("channel",):
        raise refuse("channels without depths", "a coordinate z_mm (channel), depth below pia in mm", where)
    if x.sizes["channel"] < 3:
        raise refuse(f"{x.sizes['channel']} channels", "3 or more", where)
    ordered = x.isel(channel=np.argsort(x["z_mm"].values, kind="stable"))
    return ordered, even_step(ordered["z_mm"], "z_mm", "mm", where)
