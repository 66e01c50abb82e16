"""Coupling of a slow rhythm's phase to a fast one's amplitude."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jtfne._units import MS_PER_s
from jtfne.measures._compile import compile_kernel

N_BINS = 18  # of 20 degrees each: Tort et al. (2010), "The modulation index"
Band = tuple[float, float]


@compile_kernel("dt_ms", "band_Hz")
def analytic(x: ArrayLike, dt_ms: float, band_Hz: Band) -> jax.Array:
    """The part of x (..., n_steps) within a band as a complex signal, whose size is the amplitude.

    The ends of the band are included.

    A Fourier series cut off outside the band, so the trace counts as periodic: what lies within
    about one period of the band's width from its ends is not to be trusted. Twice the positive half
    of the spectrum is the analytic signal.
    Raises: ValueError if the band holds no frequency between 0 and half the sampling rate, or
    reaches beyond these. Source:
    Gabor (1946), J. IEE 93(26):429-441, for the analytic signal.
    >>> wave = jnp.cos(2 * jnp.pi * 0.01 * jnp.arange(1000.0))
    >>> jnp.abs(analytic(wave, 1.0, (8.0, 12.0))).mean().round(3).item()
    1.0
    """
    values = jnp.asarray(x)
    n = values.shape[-1]
    spectrum = jnp.fft.fft(values, axis=-1)
    f_Hz = jnp.arange(n) * (MS_PER_s / (n * dt_ms))
    tolerance_Hz = 1e-6 * MS_PER_s / (n * dt_ms)
    in_band = (
        (f_Hz >= band_Hz[0] - tolerance_Hz)
        & (f_Hz <= band_Hz[1] + tolerance_Hz)
        & (jnp.arange(n) > 0)
        & (2 * jnp.arange(n) < n)
    )
    band, half_Hz = f"the band {band_Hz[0]:g} to {band_Hz[1]:g} Hz", MS_PER_s / dt_ms / 2
    if band_Hz[0] < 0.0 or band_Hz[1] > half_Hz * (1.0 + 1e-9):
        raise ValueError(
            f"got {band}; expected 0 to {half_Hz:g} Hz, the Nyquist frequency (half the "
            "sampling rate)"
        )
    if band_Hz[0] > band_Hz[1] or not _holds(n, dt_ms, band_Hz):
        raise ValueError(
            f"got {band}; expected bands with multiples of {2 * half_Hz / n:g} below {half_Hz:g}"
        )
    return jnp.fft.ifft(jnp.where(in_band, 2.0, 0.0) * spectrum, axis=-1)


def _holds(n: int, dt_ms: float, band_Hz: Band) -> bool:
    """Whether the band holds a frequency of an n-step Fourier series below half the rate."""
    step_Hz = MS_PER_s / (n * dt_ms)
    first_harmonic = max(1, -int(-(band_Hz[0] / step_Hz - 1e-6) // 1))
    return first_harmonic * step_Hz <= band_Hz[1] + 1e-6 * step_Hz and 2 * first_harmonic < n


@compile_kernel("n_bins")
def modulation_index(phase_rad: ArrayLike, amplitude: ArrayLike, n_bins: int = N_BINS) -> jax.Array:
    """How far the mean amplitude over phase is from even: 0, to 1 if all is in one bin.

    (..., n_steps) each -> (...).

    MI = (log n - H) / log n, H the entropy of the mean amplitudes of n bins of phase, each over
    their sum. NaN if a bin holds no sample. Differentiable in the amplitude.
    Source: Tort, Komorowski, Eichenbaum & Kopell (2010), J. Neurophysiol. 104:1195-1210, eq. 1-5.
    >>> phase = jnp.linspace(-jnp.pi, jnp.pi, 3600, endpoint=False)
    >>> modulation_index(phase, jnp.ones(3600)).round(3).item()
    0.0
    >>> modulation_index(phase, (phase < -3.0) * 1.0).round(3).item()
    1.0
    """
    share = amplitude_by_phase(phase_rad, amplitude, n_bins)
    share = share / jnp.sum(share, axis=-1, keepdims=True)
    is_positive = share > 0
    entropy = -jnp.sum(
        jnp.where(is_positive, share * jnp.log(jnp.where(is_positive, share, 1.0)), 0.0), axis=-1
    )
    index = 1.0 - entropy / jnp.log(float(n_bins))
    return jnp.where(jnp.isnan(share).any(axis=-1), jnp.nan, index)


@compile_kernel("n_bins")
def amplitude_by_phase(
    phase_rad: ArrayLike, amplitude: ArrayLike, n_bins: int = N_BINS
) -> jax.Array:
    """Mean amplitude in each of n bins of phase from -pi to pi; NaN if a bin is empty.

    (..., n_steps) each -> (..., n_bins).
    """
    phase, size = jnp.broadcast_arrays(jnp.asarray(phase_rad), jnp.asarray(amplitude))
    turn = (phase / (2.0 * jnp.pi) + 0.5) % 1.0
    bins = jnp.minimum((turn * n_bins).astype(jnp.int32), n_bins - 1)
    means = [_mean(size, bins == k) for k in range(n_bins)]
    return jnp.stack(means, axis=-1)


def _mean(values: jax.Array, mask: jax.Array) -> jax.Array:
    """Mean over the last axis where `mask` is True; NaN where it is True nowhere."""
    n = jnp.sum(mask, axis=-1)
    total = jnp.sum(jnp.where(mask, values, 0.0), axis=-1)
    return jnp.where(n > 0, total / jnp.where(n > 0, n, 1), jnp.nan)


@compile_kernel("dt_ms", "phase_Hz", "amplitude_Hz", "n_bins")
def phase_amplitude(
    x: ArrayLike,
    y: ArrayLike,
    dt_ms: float,
    phase_Hz: Band,
    amplitude_Hz: Band,
    n_bins: int = N_BINS,
) -> jax.Array:
    """`modulation_index` of y's amplitude in one band by x's phase in another.

    The bands are `amplitude_Hz` and `phase_Hz`.

    x, y: (..., n_steps), broadcast -> (...).
    Raises: ValueError as `analytic`, and if `amplitude_Hz` is narrower than twice the highest phase
    frequency: it then holds no sidebands, that is no change of amplitude so fast. Source: Tort et
    al. (2010), as `modulation_index`; the width, Aru et al. (2015), Curr. Opin. Neurobiol.
    31:51-61.
    """
    if amplitude_Hz[1] - amplitude_Hz[0] < 2.0 * phase_Hz[1] * (1.0 - 1e-9):
        problem = f"amplitude_Hz={amplitude_Hz} with phase_Hz={phase_Hz}"
        raise ValueError(
            f"got {problem}; expected {2.0 * phase_Hz[1]:g} Hz wide or wider, for the sidebands"
        )
    slow, fast = analytic(x, dt_ms, phase_Hz), analytic(y, dt_ms, amplitude_Hz)
    return modulation_index(jnp.angle(slow), jnp.abs(fast), n_bins)
