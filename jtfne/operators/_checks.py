"""Checks of the arguments of physical operators: places, directions, conductivities, lengths."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import Limit, describe_value, in_range, refuse

Matrix = npt.NDArray[np.float64]

LARGEST = 1e9
"""The largest number allowed here.

As mm it is a thousand km, as S/m more than any metal. Squares and cubes stay finite.
"""

LENGTH_mm = Limit(low=0.0, high=LARGEST)
RADIUS_mm = Limit(low=0.0, high=LARGEST, open_low=True)
CONDUCTIVITY_S_m = Limit(low=1.0 / LARGEST, high=LARGEST)

MU0 = 4e-7 * np.pi
"""Magnetic constant, T m/A, as MNE has it.

CODATA 2022 differs from it by 1e-10 of its value.
"""

SLACK = 1e-9
"""What rounding may add to a radius, relative: a site put onto a sphere is on it."""


def check_array(value: npt.ArrayLike, n_dims: int, *, name: str, where: str) -> Matrix:
    """Return `value` as finite float64 with `n_dims` axes, none of them empty.

    Raises: JtfneError.
    """
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise refuse(f"{name} of {type(value).__name__}", "numbers, mm", where) from None
    if array.ndim != n_dims or not array.size:
        shape = "(n,)" if n_dims == 1 else "(n, 3)"
        raise refuse(f"{name} of shape {array.shape}", shape, where)
    out_of_range = ~(np.abs(array) <= LARGEST)
    if out_of_range.any():
        index = np.argwhere(out_of_range)[0].tolist()
        raise refuse(
            f"{name} with {array[tuple(index)]} at {index}",
            f"finite numbers, at most {LARGEST:g}",
            where,
        )
    return array


def unit_rows(matrix: Matrix) -> Matrix:
    """Scale each row of `matrix` to Euclidean norm 1; a row of zeros stays so.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.operators import unit_rows
    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    norm = np.linalg.norm(matrix, axis=1, keepdims=True)
    rows: Matrix = np.divide(matrix, norm, out=np.zeros_like(matrix), where=norm > 0)
    return rows


def check_places(value: npt.ArrayLike, *, name: str, where: str) -> Matrix:
    """Return points as (n, 3). Raises: JtfneError."""
    array = check_array(value, 2, name=name, where=where)
    if array.shape[1] != 3:
        raise refuse(f"{name} of shape {array.shape}", "(n, 3)", where)
    return array


def check_point(value: npt.ArrayLike, *, name: str, where: str) -> Matrix:
    """Return one point as (3,). Raises: JtfneError."""
    array = check_array(value, 1, name=name, where=where)
    if array.size != 3:
        raise refuse(f"{name} of shape {array.shape}", "(3,)", where)
    return array


def check_directions(
    value: npt.ArrayLike, shape: tuple[int, ...], *, name: str, where: str
) -> Matrix:
    """Return unit vectors of `shape` (n, 3), from vectors of any length but zero.

    Raises: JtfneError.
    """
    array = check_places(value, name=name, where=where)
    if array.shape != shape:
        raise refuse(f"{name} of shape {array.shape}", f"{shape}, one for each place", where)
    rows = unit_rows(array)
    if not rows.any(axis=1).all():
        raise refuse(f"{name} with a vector of zeros", "vectors that point somewhere", where)
    return rows


def check_number(value: Any, limit: Limit, *, name: str, where: str) -> float:
    """Return a number within `limit`. Raises: JtfneError."""
    try:
        result = None if isinstance(value, str | bytes | bool | np.bool_) else float(value)
    except (TypeError, ValueError):
        result = None
    if result is None:
        raise refuse(f"{name}={describe_value(value)}", "a number", where)
    return in_range(result, limit, name=name, where=where)


def check_length(
    value: Any, counts: Sequence[int], allowed: str, *, name: str, where: str
) -> tuple[Any, ...]:
    """Return the items of a sequence as a tuple, as many as one of `counts`.

    Raises: JtfneError.
    """
    items = tuple(value) if np.iterable(value) and not isinstance(value, str | bytes) else ()
    if len(items) not in counts:
        raise refuse(f"{name}={describe_value(value)}", allowed, where)
    return items


def check_conductivity(value: Any, *, where: str) -> tuple[float, ...]:
    """Return one conductivity or three, S/m, as (x, y, z).

    Raises: JtfneError unless they are above 0.
    """
    allowed = "one conductivity, or three along x, y and z"
    values = check_length(
        value if np.iterable(value) else (value,), (1, 3), allowed, name="sigma_S_m", where=where
    )
    sigmas = tuple(
        check_number(sigma, CONDUCTIVITY_S_m, name="sigma_S_m", where=where) for sigma in values
    )
    return sigmas if len(sigmas) == 3 else sigmas * 3


def refuse_coincident(distance: Matrix, *, what: str, where: str) -> None:
    """Refuse a channel at the place of a source, where the potential has no value.

    distance: (n_channels, n_sources).
    Raises: JtfneError.
    """
    if not distance.all():
        channel, source = np.argwhere(distance == 0.0)[0].tolist()
        raise refuse(f"channel {channel} at the place of {what} {source}", "places apart", where)
