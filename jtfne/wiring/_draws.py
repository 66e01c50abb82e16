"""Draws of weights and delays from distributions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jtfne._check import refuse
from jtfne._units import Floats32
from jtfne.config import Dist, LogNormal, Normal, Uniform

BLOCK = 1 << 19
"""Numbers drawn at a time: what bounds the work area."""
RAREST = 1e-3
"""Redrawing is refused if a smaller share of the draws falls within the bounds."""


def draw(dist: float | Dist, n: int, rng: np.random.Generator, *, where: str) -> Floats32:
    """Draw `n` values of `dist`: float32 (n,), or its one value (1,) where it is constant.

    Values outside the bounds, or of another sign than the mean, are drawn again.
    Raises: JtfneError if fewer than one draw in a thousand would be kept.
    """
    if isinstance(dist, int | float):
        return np.array([dist], dtype=np.float32)
    if isinstance(dist, Uniform):
        return _draw_uniform(dist, n, rng)
    return _draw_bell(dist, n, rng, where)


def _draw_uniform(dist: Uniform, n: int, rng: np.random.Generator) -> Floats32:
    """Uniform numbers from the part of [low, high] that has the sign of its middle.

    Drawing again whatever has another sign would give the same distribution.
    """
    low, high = _restrict_to_sign(dist.low, dist.high, dist.low + dist.high)
    out = np.empty(n, dtype=np.float32)
    for start in range(0, n, BLOCK):
        part = out[start : start + BLOCK]
        part[:] = low + (high - low) * rng.random(part.size, dtype=np.float32)
    return np.clip(out, *_narrow_bounds(low, high), out=out)


def _draw_bell(dist: Normal | LogNormal, n: int, rng: np.random.Generator, where: str) -> Floats32:
    """Normal or log-normal values, redrawn outside the bounds; the sign is the mean's."""
    low = -math.inf if dist.low is None else dist.low
    high = math.inf if dist.high is None else dist.high
    low, high = _restrict_to_sign(low, high, dist.mean)
    if dist.sd == 0.0 and low <= dist.mean <= high:
        return np.array([dist.mean], dtype=np.float32)
    share, transform = _share_and_transform(dist, low, high)
    if share < RAREST:
        description = f"{dist!r}, of which a share of {share:.2g} lies within [{low:g}, {high:g}],"
        raise refuse(description, f"bounds that keep at least {RAREST:g} of the draws", where)
    out = np.empty(n, dtype=np.float32)
    low32, high32 = _narrow_bounds(low, high)
    for start in range(0, n, BLOCK):
        part = out[start : start + BLOCK]
        part[:] = transform(rng.standard_normal(part.size, dtype=np.float32))
        redo = np.flatnonzero((part < low32) | (part > high32))
        while redo.size:
            part[redo] = transform(rng.standard_normal(redo.size, dtype=np.float32))
            redo = redo[(part[redo] < low32) | (part[redo] > high32)]
    return out


def _share_and_transform(
    dist: Normal | LogNormal, low: float, high: float
) -> tuple[float, Callable[[Floats32], Any]]:
    """The share of draws within [low, high], and the map from normal numbers to these values."""
    if isinstance(dist, Normal):
        mean, sd = dist.mean, dist.sd
        share = _phi((high - mean) / sd) - _phi((low - mean) / sd) if sd else 0.0
        return share, lambda z: np.float32(mean) + np.float32(sd) * z
    sign = math.copysign(1.0, dist.mean)
    ratio = dist.sd / dist.mean  # within numbers that a config may hold, its square is finite
    log_sd = math.sqrt(math.log1p(ratio * ratio))
    log_mean = math.log(abs(dist.mean)) - 0.5 * log_sd**2
    near, far = sorted((sign * low, sign * high))
    z_near, z_far = 0.0, 0.0
    if log_sd:
        z_near, z_far = (
            (math.log(x) - log_mean) / log_sd if x > 0 else -math.inf for x in (near, far)
        )
    share = _phi(z_far) - _phi(z_near)
    return share, lambda z: np.float32(sign) * np.exp(np.float32(log_mean) + np.float32(log_sd) * z)


def _phi(z: float) -> float:
    """Cumulative standard normal distribution."""
    return 0.5 * (1.0 + math.erf(z / math.sqrt(2.0)))


def _restrict_to_sign(low: float, high: float, middle: float) -> tuple[float, float]:
    """The part of [low, high] on `middle`'s side of zero; all of it where the middle is zero."""
    return (max(low, 0.0) if middle > 0 else low), (min(high, 0.0) if middle < 0 else high)


def _narrow_bounds(low: float, high: float) -> tuple[np.float32, np.float32]:
    """The least and the greatest float32 within [low, high]: rounding leaves no value outside."""
    low32, high32 = np.float32(low), np.float32(high)
    if low32 < low:
        low32 = np.nextafter(low32, np.float32(np.inf))
    if high32 > high:
        high32 = np.nextafter(high32, np.float32(-np.inf))
    return (low32, high32) if low32 <= high32 else (np.float32(low), np.float32(low))
