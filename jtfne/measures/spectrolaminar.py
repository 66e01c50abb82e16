"""The spectrolaminar motif: relative power over depth, and FLIP, which finds its crossing."""

import dataclasses
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from numpy.typing import NDArray

from jtfne._check import names_fields
from jtfne._units import Floats
from jtfne.measures._compile import compile_kernel

LOW_BAND_Hz = (10.0, 19.0)
HIGH_BAND_Hz = (75.0, 150.0)
MIN_SPAN_mm = 0.7
IDENTIFIABLE = 0.265  # Mendoza-Halliday et al. (2024): less goodness is no crossover


@compile_kernel()
def relative_power(power: ArrayLike) -> jax.Array:
    """Each frequency divided by its maximum over depth: (..., n_channels, n_freq), kept.

    It is 0 where there is no power.

    >>> relative_power(jnp.array([[1.0, 4.0], [2.0, 1.0]])).tolist()
    [[0.5, 1.0], [1.0, 0.25]]
    """
    values = jnp.asarray(power)
    largest = jnp.max(values, axis=-2, keepdims=True)
    powerless = largest == 0  # not `largest > 0`, which would take NaN for no power
    return jnp.where(powerless, 0.0, values / jnp.where(powerless, 1.0, largest))


def crossover_mm(
    power: ArrayLike,
    frequency_Hz: ArrayLike,
    laminar_mm: ArrayLike,
    low: tuple[float, float] = LOW_BAND_Hz,
    high: tuple[float, float] = HIGH_BAND_Hz,
) -> jax.Array:
    """Depth, mm, where relative power of the high band falls below that of the low one.

    It is NaN where that never happens.

    power: (n_channels, n_freq); laminar_mm: (n_channels,), downward. The profiles are straight
    between contacts, so that the depth moves with the power; of several crossings it is the one
    that separates them best, as in `flip`. Differentiable, but for where another crossing takes
    over.
    >>> crossover_mm(jnp.array([[1.0, 4.0], [2.0, 3.0], [4.0, 1.0]]), [10, 80], [0.0, 0.1, 0.2]).round(3).item()
    0.125
    """
    f_Hz, z_mm, relative = (
        np.asarray(frequency_Hz, np.float64),
        jnp.asarray(laminar_mm),
        relative_power(power),
    )
    profiles = [
        jnp.mean(relative[:, np.flatnonzero(_find_band_bins(f_Hz, band))], axis=1)
        for band in (high, low)
    ]
    excess = profiles[0] - profiles[1]
    is_crossing = (excess[:-1] > 0) & (excess[1:] <= 0)
    drop = jnp.where(is_crossing, excess[:-1] - excess[1:], 1.0)
    crossing_mm = z_mm[:-1] + excess[:-1] / drop * jnp.diff(z_mm)
    separation = 2.0 * jnp.cumsum(excess)[:-1] - jnp.sum(excess)
    best = jnp.argmax(jnp.where(is_crossing, separation, -jnp.inf))
    return jnp.where(jnp.any(is_crossing), crossing_mm[best], jnp.nan)


@names_fields
@dataclasses.dataclass(frozen=True)
class Flip:
    """The result of FLIP; None for what was not found. Channels count from 0 at the top.

    `goodness` is above 0 upright (low frequencies grow with depth), below 0 inverted; |goodness| <=
    0.265 is what the authors call unidentifiable. `first` and `last` are the ends of the window;
    `crossover` is the channel where the two bands' profiles cross; `low_Hz` and `high_Hz` are those
    bands.

    Examples
    --------
    >>> from jtfne.analysis import Flip
    >>> found = Flip(goodness=0.7, first=2, last=14, crossover=8)
    >>> found.crossover, Flip().goodness is None
    (8, True)
    """

    goodness: float | None = None
    first: int | None = None
    last: int | None = None
    gamma_peak: int | None = None
    alpha_beta_peak: int | None = None
    crossover: int | None = None
    low_Hz: tuple[float, float] | None = None
    high_Hz: tuple[float, float] | None = None


def flip(
    power: ArrayLike,
    frequency_Hz: ArrayLike,
    laminar_mm: ArrayLike,
    low: tuple[float, float] = LOW_BAND_Hz,
    high: tuple[float, float] = HIGH_BAND_Hz,
) -> Flip:
    """The window of channels with the clearest opposite gradients of low and high bands.

    All of its fields are None where no window has them.

    power: (n_channels, n_freq), relative or not; frequency_Hz: (n_freq,); laminar_mm:
    (n_channels,), evenly spaced, downward; low, high: bands in Hz, ends included.
    Raises: ValueError if a band holds no frequency or the probe spans less than 0.7 mm.
    Source: Mendoza-Halliday et al. (2024), Nat. Neurosci. 27:547-560, and their FLIPAnalysis; fixed
    bands.
    """
    values, frequencies = np.asarray(power, np.float64), np.asarray(frequency_Hz, np.float64)
    low_bins, high_bins = (_find_band_bins(frequencies, band) for band in (low, high))
    best, goodness = Flip(), 0.0
    for first, _, part, n in windows(values, laminar_mm):
        relative = _relative(part)
        candidate = _window(
            relative[:, low_bins].mean(axis=1), relative[:, high_bins].mean(axis=1), first, n
        )
        if candidate.goodness is not None and _better(candidate.goodness, goodness):
            best, goodness = candidate, candidate.goodness
    return best if best.goodness is None else dataclasses.replace(best, low_Hz=low, high_Hz=high)


def windows(power: Floats, laminar_mm: ArrayLike) -> Iterator[tuple[int, int, Floats, int]]:
    """Every window that FLIP looks at: first, last channel, power there, number of channels.

    Raises: ValueError if the probe spans less than 0.7 mm, or power is not finite.
    """
    if not np.isfinite(power).all():
        raise ValueError(
            "got power that is not finite; expected finite power at every channel (in flip)"
        )
    depth_mm = np.asarray(laminar_mm, np.float64) - float(np.min(np.asarray(laminar_mm)))
    far_enough = np.flatnonzero(depth_mm >= MIN_SPAN_mm - 1e-9)
    if far_enough.size == 0:
        raise ValueError(
            f"got a span of {np.max(depth_mm):g} mm; expected {MIN_SPAN_mm} mm or more (in flip)"
        )
    fewest, n = int(far_enough[0]) + 1, len(power)
    for first in range(n - fewest):
        for last in range(first + fewest, n):
            yield first, last, power[first : last + 1], n


def _find_band_bins(f_Hz: Floats, band_Hz: tuple[float, float]) -> NDArray[np.bool_]:
    """Mask of the frequencies within the closed band. Raises: ValueError if there is none."""
    in_band: NDArray[np.bool_] = (f_Hz >= band_Hz[0]) & (f_Hz <= band_Hz[1])
    if not in_band.any():
        problem = f"the band {band_Hz[0]:g} to {band_Hz[1]:g} Hz"
        raise ValueError(
            f"got {problem}; expected bands within {f_Hz[0]:g} to {f_Hz[-1]:g} Hz (in flip)"
        )
    return in_band


def _relative(power: Floats) -> Floats:
    """`relative_power` in numpy's float64."""
    largest = power.max(axis=0, keepdims=True)
    relative: Floats = np.divide(power, largest, out=np.zeros_like(power), where=largest > 0)
    return relative


def _better(goodness: float, than: float) -> bool:
    """Whether `goodness` is larger in size than `than`; of equal sizes the upright one wins."""
    return abs(goodness) > abs(than) or (abs(goodness) == abs(than) and goodness > than)


def _window(low: Floats, high: Floats, first: int, n_channels: int) -> Flip:
    """FLIP of one window's band profiles (n,), empty where it shows no motif."""
    n = low.size
    low_peak, high_peak = (_peak(profile, first, n_channels) for profile in (low, high))
    if low_peak is None or high_peak is None:
        return Flip()
    (low_slope, low_fit, low_p), (high_slope, high_fit, high_p) = _line(low), _line(high)
    if low_p >= 0.05 or high_p >= 0.05 or low_slope * high_slope >= 0:
        return Flip()
    upright = low_slope > 0
    goodness = (1.0 if upright else -1.0) * low_fit * high_fit * (0.04 * n + 0.72)
    crossing = _crossover(low, high, upright)
    return Flip(
        goodness=goodness,
        first=first,
        last=first + n - 1,
        gamma_peak=first + high_peak,
        alpha_beta_peak=first + low_peak,
        crossover=None if crossing is None else first + crossing,
    )


def _peak(profile: Floats, first: int, n_channels: int) -> int | None:
    """Index of the maximum, if it is a strict local one.

    At the edge of a window it counts only if that is the probe's own edge.
    """
    n = profile.size
    maxima = np.flatnonzero(profile == profile.max())
    peak = int(maxima[-1]) if maxima.mean() >= n / 2 else int(maxima[0])
    if (peak == 0 and first > 0) or (peak == n - 1 and first + n < n_channels):
        return None
    neighbours = [profile[k] for k in (peak - 1, peak + 1) if 0 <= k < n]
    return peak if all(profile[peak] > neighbour for neighbour in neighbours) else None


def _line(profile: Floats) -> tuple[float, float, float]:
    """Slope per channel, R squared and p of the regression of `profile` on channel number."""
    from scipy import special

    n = profile.size
    x = np.arange(n) - (n - 1) / 2.0
    y = profile - profile.mean()
    total = float(y @ y)
    if total == 0.0:
        return 0.0, 0.0, 1.0
    slope = float(x @ y) / float(x @ x)
    fit = min(slope**2 * float(x @ x) / total, 1.0)
    # upper tail of F = (n - 2) fit / (1 - fit) on (1, n - 2)
    p = float(special.betainc((n - 2) / 2.0, 0.5, 1.0 - fit))
    return slope, fit, p


def _crossover(low: Floats, high: Floats, upright: bool) -> int | None:
    """Channel nearest to where the profiles cross; None where they do not.

    Of several, it is the one that separates best.
    """
    excess = high - low if upright else low - high
    n = excess.size
    channels = [
        k if abs(excess[k]) <= abs(excess[k + 1]) else k + 1
        for k in range(n - 1)
        if excess[k] > 0 > excess[k + 1]
    ]
    channels += [
        k + 1 for k in range(n - 2) if excess[k] > 0 and excess[k + 1] == 0 and excess[k + 2] < 0
    ]
    return max(
        sorted(channels),
        key=lambda c: float(excess[: c + 1].sum() - excess[c:].sum()),
        default=None,
    )
