"""FLIP with bands that it finds itself, and what FLIP finds where there is no motif."""

import dataclasses
import itertools
from collections.abc import Iterable
from typing import ClassVar, Protocol

import numpy as np
from jax.typing import ArrayLike
from numpy.typing import NDArray

from jtfne._check import names_fields, refuse
from jtfne._units import Floats
from jtfne.measures.csd import check_flag
from jtfne.measures.spectrolaminar import (
    Flip,
    HIGH_BAND_Hz,
    LOW_BAND_Hz,
    _better,
    _line,
    _peak,
    _relative,
    flip,
    windows,
)

Band = tuple[float, float]
LOW_EDGES_Hz = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0)
HIGH_EDGES_Hz = tuple(float(edge) for edge in range(30, 151, 10))
BANDS = tuple(
    (low, high)
    for low in itertools.combinations(LOW_EDGES_Hz, 2)
    for high in itertools.combinations(HIGH_EDGES_Hz, 2)
    if high[0] >= low[1]
)


def vflip(power: ArrayLike, frequency_Hz: ArrayLike, laminar_mm: ArrayLike) -> Flip:
    """FLIP of that pair of bands, among 1529, whose goodness is largest in size.

    Arguments and result as `flip`.

    Bands that reach beyond the frequencies given are left out. With so many pairs to choose from,
    chance reaches a larger goodness than with one: compare with `flip_null`.
    Raises: ValueError as `flip`, and if no pair is left.
    Source: Mendoza-Halliday et al. (2024), Nat. Neurosci. 27:547-560, and their FLIPAnalysis.
    """
    f_Hz = np.asarray(frequency_Hz, np.float64)
    masks = {
        band: (f_Hz >= band[0]) & (f_Hz <= band[1])
        for band in {band for pair in BANDS for band in pair}
        if band[1] <= f_Hz.max() + 1e-9
    }
    bins = {band: is_in_band for band, is_in_band in masks.items() if is_in_band.any()}
    pairs = [pair for pair in BANDS if pair[0] in bins and pair[1] in bins]
    if not pairs:
        raise ValueError(
            f"got frequencies up to {f_Hz.max():g} Hz; expected 40 Hz or more (in vflip)"
        )
    values = np.asarray(power, np.float64)
    best, goodness = pairs[0], 0.0
    for first, last, part, n in windows(values, laminar_mm):
        relative = _relative(part)
        fits = {
            band: _fit(relative[:, is_in_band].mean(axis=1), first, n)
            for band, is_in_band in bins.items()
        }
        for low, high in pairs:
            candidate = fits[low] * abs(fits[high]) if fits[low] * fits[high] < 0.0 else 0.0
            candidate *= 0.04 * (last - first + 1) + 0.72
            if candidate and _better(candidate, goodness):
                best, goodness = (low, high), candidate
    return flip(values, f_Hz, laminar_mm, *best)


def _fit(profile: Floats, first: int, n_channels: int) -> float:
    """R squared of a profile with the sign of its slope; 0 where FLIP discards it."""
    if _peak(profile, first, n_channels) is None:
        return 0.0
    slope, fit, p = _line(profile)
    return float(np.sign(slope)) * fit if p < 0.05 else 0.0


class Control(Protocol):
    """A null control: randomises one feature of power maps or potentials, keeps the others.

    on_potential: False for maps (n_channels, n_freq), True for potentials (..., n_channels,
    n_steps).
    """

    on_potential: ClassVar[bool]

    def draw(self, values: Floats, rng: np.random.Generator) -> Floats:
        """One map, or one set of potentials."""


@names_fields
@dataclasses.dataclass(frozen=True)
class ShuffledChannels:
    """Channels in a random order: no gradient over depth but by chance.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.analysis import ShuffledChannels
    >>> power = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]])
    >>> draw = ShuffledChannels().draw(power, np.random.default_rng(0))
    >>> np.array_equal(np.sort(draw, axis=0), power)
    True
    """

    on_potential: ClassVar[bool] = False

    def draw(self, values: Floats, rng: np.random.Generator) -> Floats:
        """One map."""
        return values[rng.permutation(values.shape[0])]


@names_fields
@dataclasses.dataclass(frozen=True)
class ShuffledFrequencies:
    """A null of frequencies in random order, the same at all channels.

    Profiles stay, but belong to no band.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.analysis import ShuffledFrequencies
    >>> power = np.array([[1.0, 5.0, 9.0], [2.0, 6.0, 8.0]])
    >>> draw = ShuffledFrequencies().draw(power, np.random.default_rng(0))
    >>> np.array_equal(np.sort(draw.sum(axis=0)), np.sort(power.sum(axis=0)))
    True
    """

    on_potential: ClassVar[bool] = False

    def draw(self, values: Floats, rng: np.random.Generator) -> Floats:
        """One map."""
        return values[:, rng.permutation(values.shape[1])]


@names_fields
@dataclasses.dataclass(frozen=True)
class PhaseRandomised:
    """A null of potentials with random phases and the power of each channel and trial.

    Only what depends on phase is lost.

    FLIP of their power sees no phase, so that it must find what it found: this control says whether
    the estimate of power hangs on single events. `shared` draws one set of phases for all channels,
    which keeps the differences of phase between them, and with these the power of a CSD; else a CSD
    is that of channels that are not related. Source: Theiler et al. (1992), Physica D 58:77-94;
    shared: Prichard & Theiler (1994), Phys. Rev. Lett. 73:951-954.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.analysis import PhaseRandomised
    >>> lfp = np.random.default_rng(0).normal(size=(3, 64))
    >>> draw = PhaseRandomised().draw(lfp, np.random.default_rng(1))
    >>> np.allclose(abs(np.fft.rfft(draw)), abs(np.fft.rfft(lfp))), np.allclose(draw, lfp)
    (True, False)
    """

    shared: bool = False
    on_potential: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_flag(self.shared, name="shared", where="PhaseRandomised")

    def draw(self, values: Floats, rng: np.random.Generator) -> Floats:
        """One draw of potentials; mean and, of an even number of steps, highest frequency stay."""
        n = values.shape[-1]
        spectrum = np.fft.rfft(values, axis=-1)
        front = (*values.shape[:-2], 1) if self.shared else values.shape[:-1]
        turn = np.exp(2j * np.pi * rng.random((*front, (n - 1) // 2)))
        spectrum[..., 1 : 1 + turn.shape[-1]] *= turn
        surrogate: Floats = np.fft.irfft(spectrum, n, axis=-1)
        return surrogate


@names_fields
@dataclasses.dataclass(frozen=True)
class PolarityFlip:
    """A null of potentials in which the sign of each channel is random, the same in all trials.

    Power stays to the last bit.

    FLIP of their power must find exactly what it found. A CSD, which takes differences of channels,
    has lost its order.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.analysis import PolarityFlip
    >>> lfp = np.random.default_rng(0).normal(size=(3, 64))
    >>> draw = PolarityFlip().draw(lfp, np.random.default_rng(1))
    >>> np.array_equal(abs(draw), abs(lfp))
    True
    """

    on_potential: ClassVar[bool] = True

    def draw(self, values: Floats, rng: np.random.Generator) -> Floats:
        """One set of potentials."""
        surrogate: Floats = values * rng.choice([-1.0, 1.0], (values.shape[-2], 1))
        return surrogate


@dataclasses.dataclass(frozen=True, eq=False)
class FlipNull:
    """Goodness of the data and of the draws (n_draws,), and the chance of one as large.

    Goodness is 0 where there is none.

    p = (1 + draws whose size is not below that found) / (1 + n_draws).

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.analysis import FlipNull
    >>> null = FlipNull(goodness=0.6, null=np.array([0.1, -0.7, 0.2]), p=2 / 4)
    >>> int((np.abs(null.null) >= abs(null.goodness)).sum())  # draws as large as what was found
    1
    """

    goodness: float
    null: NDArray[np.float64]
    p: float


def flip_null(
    power: ArrayLike,
    frequency_Hz: ArrayLike,
    laminar_mm: ArrayLike,
    control: Control,
    *,
    n_draws: int = 200,
    seed: int = 0,
    bands: tuple[Band, Band] | None = (LOW_BAND_Hz, HIGH_BAND_Hz),
) -> FlipNull:
    """FLIP beside FLIP of `n_draws` maps of `control`; with `bands` None, vFLIP of each.

    Other arguments as `flip`. Raises: ValueError as these, for fewer than 1 draw, and for a control
    of potentials.
    """
    if control.on_potential:
        raise refuse(
            f"{type(control).__name__} of a map",
            "a control of maps; it needs potentials",
            "flip_null",
        )
    values, rng = np.asarray(power, np.float64), np.random.default_rng(seed)
    draws = (control.draw(values, rng) for _ in range(n_draws))
    return null_of(values, frequency_Hz, laminar_mm, draws, bands)


def null_of(
    power: Floats,
    frequency_Hz: ArrayLike,
    laminar_mm: ArrayLike,
    draws: Iterable[Floats],
    bands: tuple[Band, Band] | None,
) -> FlipNull:
    """FLIP of a map next to FLIP of each map in `draws`. Raises: ValueError as `flip`."""

    def goodness(power_map: Floats) -> float:
        result = (
            vflip(power_map, frequency_Hz, laminar_mm)
            if bands is None
            else flip(power_map, frequency_Hz, laminar_mm, *bands)
        )
        return result.goodness or 0.0

    observed = goodness(power)
    null = np.array([goodness(draw) for draw in draws])
    if null.size < 1:
        raise refuse("n_draws=0", "1 or more", "flip_null")
    as_large = int(np.sum(np.abs(null) >= abs(observed) * (1.0 - 1e-9)))
    return FlipNull(observed, null, (1 + as_large) / (1 + null.size))
