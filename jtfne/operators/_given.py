"""What physical operators are given, checked at the door: places and directions as float64, conductivities, lengths."""

from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import POSITIVE, Limit, in_range, refuse
from jtfne.operators._base import Matrix, unit_rows

M_PER_mm = 1e-3
MU0 = 4e-7 * np.pi
"""Magnetic constant, T m/A, as MNE has it; CODATA 2022 differs from it by 1e-10 of its value."""

SLACK = 1e-9
"""What rounding may add to a radius, relative: a site that was put onto a sphere is on it."""


def numbers(value: npt.ArrayLike, n_dims: int, *, name: str, where: str) -> Matrix:
    """`value` as finite float64 with `n_dims` axes, none of them empty. Raises: JtfneError."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise refuse(f"{name} of {type(value).__name__}", "numbers, mm", where) from None
    if array.ndim != n_dims or not array.size:
        shape = "(n,)" if n_dims == 1 else "(n, 3)"
        raise refuse(f"{name} of shape {array.shape}", shape, where)
    if not np.isfinite(array).all():
        at = np.argwhere(~np.isfinite(array))[0].tolist()
        raise refuse(f"{name} with {array[tuple(at)]} at {at}", "finite numbers", where)
    return array


def places(value: npt.ArrayLike, *, name: str, where: str) -> Matrix:
    """Points (n, 3). Raises: JtfneError."""
    array = numbers(value, 2, name=name, where=where)
    if array.shape[1] != 3:
        raise refuse(f"{name} of shape {array.shape}", "(n, 3)", where)
    return array


def point(value: npt.ArrayLike, *, name: str, where: str) -> Matrix:
    """One point (3,). Raises: JtfneError."""
    array = numbers(value, 1, name=name, where=where)
    if array.size != 3:
        raise refuse(f"{name} of shape {array.shape}", "(3,)", where)
    return array


def directions(value: npt.ArrayLike, like: Matrix, *, name: str, where: str) -> Matrix:
    """Unit vectors, one for each of `like` (n, 3), from vectors of any length but zero. Raises: JtfneError."""
    array = places(value, name=name, where=where)
    if array.shape != like.shape:
        raise refuse(f"{name} of shape {array.shape}", f"{like.shape}, one for each place", where)
    if not array.any(axis=1).all():
        raise refuse(f"{name} with a vector of zeros", "vectors that point somewhere", where)
    return unit_rows(array)


def number(value: Any, limit: Limit, *, name: str, where: str) -> float:
    """A number within `limit`. Raises: JtfneError."""
    if value is None or isinstance(value, str | bool) or np.ndim(value):
        raise refuse(f"{name}={value!r}", "a number", where)
    return in_range(float(value), limit, name=name, where=where)


def conductivity(value: Any, *, where: str) -> tuple[float, ...]:
    """One conductivity or three, S/m, as (x, y, z). Raises: JtfneError unless they are above 0."""
    given = tuple(value) if np.ndim(value) == 1 else (value,)
    if len(given) not in (1, 3):
        raise refuse(f"sigma_S_m={value!r}", "one conductivity, or three along x, y and z", where)
    found = tuple(number(each, POSITIVE, name="sigma_S_m", where=where) for each in given)
    return found if len(found) == 3 else found * 3


def refuse_coincident(distance: Matrix, *, what: str, where: str) -> None:
    """Raises: JtfneError where a distance (n_channels, n_sources) is zero: the potential has no value there."""
    if not distance.all():
        channel, source = np.argwhere(distance == 0.0)[0].tolist()
        raise refuse(f"channel {channel} at the place of {what} {source}", "places apart", where)
