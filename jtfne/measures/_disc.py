"""Potential on the axis of a disc that lets current out evenly, and integrals along the axis."""

import math
from collections.abc import Sequence

import numpy as np

from jtfne._units import Floats


def disc(away_m: Floats, radius_m: float, sigma_S_m: float) -> Floats:
    """Potential, V, per current of a plane, A/m^2, computed without cancellation.

    It is (sqrt(z^2 + r^2) - |z|) / (2 sigma).

    Source: Pettersen et al. (2006), J. Neurosci. Methods 154:116-133, eq. 3.
    """
    potential: Floats = radius_m**2 / (
        2.0 * sigma_S_m * (np.hypot(away_m, radius_m) + np.abs(away_m))
    )
    return potential


def moments(
    at_m: Floats, low_m: Floats, high_m: Floats, start_m: Floats, radius_m: float, n: int
) -> list[Floats]:
    """Integrals over s from low to high of (s - start)^k (sqrt((s - at)^2 + r^2) - |s - at|).

    k is below n, which is at most 4.

    All broadcast; m^(k + 2). Divided by 2 sigma they are potentials of densities that are powers of
    depth.
    """
    upper, lower = (_powers(end - at_m, radius_m) for end in (high_m, low_m))
    about_at = [above - below for above, below in zip(upper, lower, strict=True)]
    shift = at_m - start_m
    return [
        np.sum([math.comb(k, m) * shift ** (k - m) * about_at[m] for m in range(k + 1)], axis=0)
        for k in range(n)
    ]


def _powers(u: Floats, r: float) -> Sequence[Floats]:
    """Antiderivatives of u^k (sqrt(u^2 + r^2) - |u|), k = 0 to 3."""
    s, size = np.hypot(u, r), np.abs(u)
    area = u * s + r**2 * np.arcsinh(u / r)
    return (
        (area - u * size) / 2.0,
        (s**3 - size**3) / 3.0,
        u * s**3 / 4.0 - r**2 * area / 8.0 - u**3 * size / 4.0,
        s**5 / 5.0 - r**2 * s**3 / 3.0 - size**5 / 5.0,
    )
