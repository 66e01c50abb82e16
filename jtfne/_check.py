"""Every refusal in one voice: what was given, what is allowed, the nearest match, and where."""

import difflib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

# What the readers of netCDF, Zarr and Parquet raise over broken files.
UNREADABLE = (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, SystemError)


class JtfneError(ValueError):
    """Input that jtfne refuses; the message says what was given, what is allowed and where."""


class SynapticDoubleCountError(JtfneError):
    """Sources whose sum would count a term of the current balance twice."""


class Limit(NamedTuple):
    """The closed range of a number; `open_low` and `open_high` take the ends out of it."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __str__(self) -> str:
        """Interval notation, such as `(0, inf)`."""
        left = "(" if self.open_low or math.isinf(self.low) else "["
        right = ")" if self.open_high or math.isinf(self.high) else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"

    def holds(self, value: float) -> bool:
        """Whether `value` is finite and lies in the range."""
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return math.isfinite(value) and above and below


POSITIVE = Limit(low=0.0, open_low=True)
NOT_NEGATIVE = Limit(low=0.0)
FINITE = Limit()


def refuse(given: str, allowed: str, where: str) -> JtfneError:
    """The error to raise for `given`; says what is `allowed` and `where` it was found."""
    return JtfneError(f"{given} is not allowed; allowed: {allowed} (in {where})")


def altered(
    path: Path, part: str = "", *, allowed: str = "what its manifest's hash says", where: str = "reading"
) -> JtfneError:
    """The error for a file, or a `part` of it, that is not what was written."""
    return refuse(f"{part}{str(path)!r}, which was cut short, altered or lost,", allowed, where)


def nearest(value: str, allowed: Iterable[str]) -> str | None:
    """The closest of `allowed` to `value`, whatever the case, or None if nothing is close."""
    by_fold = {name.casefold(): name for name in allowed}
    found = difflib.get_close_matches(value.casefold(), by_fold, n=1, cutoff=0.5)
    return by_fold[found[0]] if found else None


def one_of(value: str, allowed: Iterable[str], *, name: str, where: str) -> str:
    """`value`, if it is one of `allowed`.

    Raises: JtfneError, with the allowed values and the nearest of them.
    >>> one_of("L23", ["L2/3", "L4"], name="layer", where="Config.circuit")
    Traceback (most recent call last):
    jtfne._check.JtfneError: layer='L23' is not allowed; allowed: 'L2/3', 'L4'; nearest: 'L2/3' (in Config.circuit)
    """
    known = list(allowed)
    if value in known:
        return value
    listed = ", ".join(repr(each) for each in known) or "nothing"
    close = nearest(str(value), known)
    hint = f"; nearest: {close!r}" if close else ""
    raise JtfneError(f"{name}={value!r} is not allowed; allowed: {listed}{hint} (in {where})")


def in_range(value: float, limit: Limit, *, name: str, where: str) -> float:
    """`value`, if it is finite and within `limit`. Raises: JtfneError."""
    if not limit.holds(value):
        raise refuse(f"{name}={value!r}", f"a finite number in {limit}", where)
    return value


def narrowed(values: Any, dtype: Any, *, name: str, where: str) -> npt.NDArray[Any]:
    """`values` as an array of `dtype`: integers as they are, floats rounded.

    Numpy's `astype` wraps an integer that does not fit, 65,536 in 16 bits to 0, and makes a float infinite. Every array
    that is made narrower goes through here, unless what it holds cannot be too large by construction.
    Raises: JtfneError for a number that is out of the range of `dtype`, or not whole where it must be.

    >>> narrowed([1, 32_767], np.int16, name="count", where="here").tolist()
    [1, 32767]
    """
    wide = np.asarray(values)
    if np.dtype(dtype).kind == "f":
        most = float(np.finfo(dtype).max)
        beyond = np.isfinite(wide) & (np.abs(wide) > most) if wide.dtype.itemsize > np.dtype(dtype).itemsize else None
        if beyond is not None and beyond.any():
            raise refuse(f"{name}={wide[beyond].ravel()[0]:g}", f"at most {most:.2g} in {np.dtype(dtype)}", where)
        return wide.astype(dtype)
    limits = np.iinfo(dtype)
    if wide.size and not np.can_cast(wide.dtype, dtype):
        low, high = wide.min(), wide.max()
        if not (limits.min <= low and high <= limits.max):  # not a number is neither
            extreme = low if not limits.min <= low else high
            raise refuse(f"{name}={extreme}", f"whole numbers from {limits.min} to {limits.max}", where)
        if wide.dtype.kind == "f" and not np.array_equal(wide, np.floor(wide)):
            raise refuse(f"{name}={wide[wide != np.floor(wide)][0]}", "whole numbers", where)
    return wide.astype(dtype)
