"""Measures of spectra: the spectrum, the power in a band, and the spectrolaminar crossover."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jtfne._check import NOT_NEGATIVE, POSITIVE, Limit, names_fields
from jtfne._units import MS_PER_s
from jtfne.measures import spectrolaminar, spectrum
from jtfne.measures._base import FIELDS, Complaint, Frame, Grid, Measure

COUNTED_ms = 1.0  # bin of the population rate whose spectrum is taken


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class PowerSpectrum(Measure):
    """Power spectral density from `low_Hz` to `high_Hz` in dB, by Welch.

    It is the mean over trials, channels and areas.

    `relative`: above or below the mean power of the band, so that only the shape counts and units
    do not. `evoked`: of the mean over trials, whose power is locked to the stimulus, as of a
    recording that was averaged. Compared by the mean squared difference of the two in dB: the
    square of the log-spectral distance. Of spikes, it is that of the population rate in bins of 1
    ms. Source: Gray & Markel (1976), IEEE Trans. Acoust. Speech 24:380-391.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.measures import Frame, PowerSpectrum
    >>> wave = np.sin(2e-3 * np.pi * 40.0 * np.arange(1.0, 1001.0))[None, :, None]
    >>> frame = Frame(step_ms=1.0, n_samples=1000, first_ms=1.0)
    >>> power = PowerSpectrum()(wave, frame)
    >>> PowerSpectrum().grid(frame)["frequency"][power.argmax()].item()
    40.0
    """

    LIMITS: ClassVar[dict[str, Limit]] = {
        "low_Hz": POSITIVE,
        "high_Hz": POSITIVE,
        "segment_ms": POSITIVE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("low_Hz", "high_Hz"),)
    readouts: ClassVar[tuple[str, ...]] = (*FIELDS, "spk")
    differentiable: ClassVar[bool] = True
    undefined: ClassVar[str] = "there is no power"
    dims: ClassVar[tuple[str, ...]] = ("frequency",)
    logarithmic: ClassVar[bool] = True
    low_Hz: float = 1.0
    high_Hz: float = 100.0
    relative: bool = True
    segment_ms: float = spectrum.SEGMENT_ms
    evoked: bool = False

    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """Samples (n_trials, n_samples, n_rows) -> power at the frequencies of the grid."""
        x = jnp.mean(x, axis=0, keepdims=True) if self.evoked else x
        power = jnp.mean(_power(x, frame, self.segment_ms), axis=(0, 1))
        return power[_find_in_band(frequencies(frame, self.segment_ms), self.low_Hz, self.high_Hz)]

    def unit(self, of: str) -> str:
        """The unit dB."""
        return "dB"

    def curve_unit(self, of: str) -> str | None:
        """The unit of a power spectral density; None with `relative`."""
        return None if self.relative else f"({of})^2/Hz"

    def bin_of(self, n_samples: int, step_ms: float) -> int:
        """Steps in a bin of 1 ms."""
        return max(1, round(COUNTED_ms / step_ms))

    def complaint(self, frame: Frame) -> Complaint | None:
        """Refuse a band beyond half the sampling rate, or with fewer than 2 frequencies."""
        return _check_band(
            self.binned(frame), self.segment_ms, self.low_Hz, self.high_Hz, at_least=2
        )

    def grid(self, frame: Frame) -> Grid:
        """The frequencies within the band, Hz."""
        f_Hz = frequencies(frame, self.segment_ms)
        return {"frequency": f_Hz[_find_in_band(f_Hz, self.low_Hz, self.high_Hz)]}

    def form(self, values: jax.Array) -> jax.Array:
        """Power in dB, relative to the band's mean with `relative`."""
        level = values / jnp.mean(values) if self.relative else values
        return 10.0 * jnp.log10(level)


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class BandPower(Measure):
    """Power from `low_Hz` up to but without `high_Hz`, by Welch; u^2 for a readout in u.

    It is the mean over trials and rows.

    A frequency on an edge belongs to the band above it, so that neighbouring bands sum to the band
    of both. `relative`: the share of the band in all power above 0 Hz.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.measures import BandPower, Frame
    >>> wave = np.sin(2e-3 * np.pi * 40.0 * np.arange(1.0, 1001.0))[None, :, None]
    >>> frame = Frame(step_ms=1.0, n_samples=1000, first_ms=1.0)
    >>> round(BandPower(low_Hz=30.0, high_Hz=80.0)(wave, frame).item(), 2)
    0.5
    """

    LIMITS: ClassVar[dict[str, Limit]] = {
        "low_Hz": NOT_NEGATIVE,
        "high_Hz": POSITIVE,
        "segment_ms": POSITIVE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("low_Hz", "high_Hz"),)
    readouts: ClassVar[tuple[str, ...]] = (*FIELDS, "spk")
    differentiable: ClassVar[bool] = True
    undefined: ClassVar[str] = "there is no power"
    low_Hz: float
    high_Hz: float
    relative: bool = False
    segment_ms: float = spectrum.SEGMENT_ms

    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """Samples (n_trials, n_samples, n_rows) -> u^2, or a share."""
        power = jnp.mean(_power(x, frame, self.segment_ms), axis=(0, 1))
        f_Hz = frequencies(frame, self.segment_ms)
        power_in_band = spectrum.band_power(power, f_Hz, self.low_Hz, self.high_Hz)
        return (
            power_in_band / spectrum.band_power(power, f_Hz, f_Hz[1], np.inf)
            if self.relative
            else power_in_band
        )

    def unit(self, of: str) -> str:
        """The squared unit of the readout, or "1" for a share."""
        return "1" if self.relative else f"({of})^2"

    def bin_of(self, n_samples: int, step_ms: float) -> int:
        """Steps in a bin of 1 ms."""
        return max(1, round(COUNTED_ms / step_ms))

    def complaint(self, frame: Frame) -> Complaint | None:
        """Refuse a band beyond half the sampling rate, or without a frequency."""
        clock = self.binned(frame)
        complaint = _check_band(clock, self.segment_ms, self.low_Hz, self.high_Hz, at_least=1)
        if (
            complaint is not None
            or spectrum.in_band(
                frequencies(clock, self.segment_ms), self.low_Hz, self.high_Hz
            ).any()
        ):
            return complaint
        return (
            f"the band {self.low_Hz:g} up to {self.high_Hz:g} Hz",
            "one that holds a frequency below its upper end",
        )


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class SpectrolaminarCrossover(Measure):
    """Depth, mm, at which the profiles of high and low frequencies cross; NaN where they do not.

    Profiles are means over each band of power relative to its maximum over depth; between contacts
    they are straight. High frequencies are taken to lie above the crossing. Source:
    Mendoza-Halliday et al. (2024), Nat. Neurosci. 27:547-560, of whose FLIP this is the crossover
    of the whole probe, between contacts.

    Examples
    --------
    >>> from jtfne.measures import SpectrolaminarCrossover
    >>> crossover = SpectrolaminarCrossover(high_to_Hz=120.0)
    >>> crossover.unit("V"), crossover.low_from_Hz, crossover.high_to_Hz
    ('mm', 10.0, 120.0)
    """

    LIMITS: ClassVar[dict[str, Limit]] = {
        **dict.fromkeys(
            ("low_from_Hz", "low_to_Hz", "high_from_Hz", "high_to_Hz", "segment_ms"), POSITIVE
        )
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (
        ("low_from_Hz", "low_to_Hz"),
        ("low_to_Hz", "high_from_Hz"),
        ("high_from_Hz", "high_to_Hz"),
    )
    readouts: ClassVar[tuple[str, ...]] = ("laminar",)
    takes_density: ClassVar[bool] = False
    differentiable: ClassVar[bool] = True
    undefined: ClassVar[str] = "the two profiles do not cross, high frequencies above"
    one_area: ClassVar[bool] = True
    low_from_Hz: float = spectrolaminar.LOW_BAND_Hz[0]
    low_to_Hz: float = spectrolaminar.LOW_BAND_Hz[1]
    high_from_Hz: float = spectrolaminar.HIGH_BAND_Hz[0]
    high_to_Hz: float = spectrolaminar.HIGH_BAND_Hz[1]
    segment_ms: float = spectrum.SEGMENT_ms

    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """Samples (n_trials, n_samples, n_channels) -> mm."""
        power = jnp.mean(_power(x, frame, self.segment_ms), axis=0)
        low, high = (self.low_from_Hz, self.low_to_Hz), (self.high_from_Hz, self.high_to_Hz)
        return spectrolaminar.crossover_mm(
            power, frequencies(frame, self.segment_ms), np.array(frame.z_mm), low, high
        )

    def unit(self, of: str) -> str:
        """The unit mm."""
        return "mm"

    def complaint(self, frame: Frame) -> Complaint | None:
        """Refuse a band beyond half the sampling rate, or without a frequency."""
        low = _check_band(
            self.binned(frame), self.segment_ms, self.low_from_Hz, self.low_to_Hz, at_least=1
        )
        return low or _check_band(
            self.binned(frame), self.segment_ms, self.high_from_Hz, self.high_to_Hz, at_least=1
        )


def frequencies(frame: Frame, segment_ms: float) -> NDArray[np.float64]:
    """The frequencies, Hz, of `spectrum.psd` of samples in `frame`."""
    n = min(round(segment_ms / frame.step_ms), frame.n_samples)
    return np.arange(n // 2 + 1) / (n * frame.step_ms / MS_PER_s)


def _find_in_band(f_Hz: NDArray[np.float64], low_Hz: float, high_Hz: float) -> NDArray[np.int64]:
    """Indices of the frequencies within the closed band, to within rounding."""
    return np.flatnonzero((f_Hz >= low_Hz * (1 - 1e-9)) & (f_Hz <= high_Hz * (1 + 1e-9)))


def _power(x: jax.Array, frame: Frame, segment_ms: float) -> jax.Array:
    """Power of each row, or of the population rate: (n_trials, n_rows, n_freq)."""
    traces = jnp.mean(x, axis=-1, keepdims=True) * (MS_PER_s / frame.step_ms) if frame.counts else x
    return spectrum.psd(jnp.swapaxes(traces, -1, -2), frame.step_ms, segment_ms)[1]


def _check_band(
    frame: Frame, segment_ms: float, low_Hz: float, high_Hz: float, *, at_least: int
) -> Complaint | None:
    """Complaint about a band with too few frequencies, or beyond half the sampling rate."""
    n = min(round(segment_ms / frame.step_ms), frame.n_samples)
    problem = f"the band {low_Hz:g} to {high_Hz:g} Hz of samples every {frame.step_ms:g} ms"
    if n < 2:
        return f"{problem}, {n} in a segment,", "2 samples or more"
    f_Hz = frequencies(frame, segment_ms)
    if high_Hz > f_Hz[-1] * (1 + 1e-9):
        return problem, f"up to {f_Hz[-1]:g} Hz"
    if _find_in_band(f_Hz, low_Hz, high_Hz).size < at_least:
        return (
            problem,
            f"a band that holds {at_least} or more of the multiples of {f_Hz[1]:g} Hz",
        )
    return None
