"""Power over frequency: periodogram, Welch, Thomson, power in a band; coherence of two signals."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.signal
from jax.typing import ArrayLike

from jtfne._units import MS_PER_s
from jtfne.measures._compile import compile_kernel

SEGMENT_ms = 1000.0
HALF_BAND_Hz = 2.0
HANN_POWER = 0.375  # the mean square of a Hann window


@compile_kernel("dt_ms")
def periodogram(x: ArrayLike, dt_ms: float) -> tuple[jax.Array, jax.Array]:
    """One-sided periodogram without a window: f_Hz (n_freq,) and power (..., n_freq) in u^2/Hz.

    x: (..., n_steps) in any unit u. The sum of power times the frequency step is the mean of x
    squared (Parseval). Raises: ValueError if n_steps < 2 (a shape is static, so a kernel may check
    it). Source: Press et al. (2007), Numerical Recipes, 3rd ed., sec. 13.4.
    >>> periodogram(jnp.ones(4), dt_ms=1.0)[0].round(1).tolist()
    [0.0, 250.0, 500.0]
    """
    values = jnp.asarray(x)
    return _segment_power(values, jnp.ones(values.shape[-1], values.dtype), dt_ms)


@compile_kernel("dt_ms", "segment_ms")
def psd(x: ArrayLike, dt_ms: float, segment_ms: float = SEGMENT_ms) -> tuple[jax.Array, jax.Array]:
    """Welch's power spectral density: f_Hz (n_freq,) and power (..., n_freq) in u^2/Hz.

    x: (..., n_steps) in any unit u. Segments of `segment_ms` (the whole trace where it is shorter)
    overlap by half; each loses its mean and is seen through a Hann window.
    Raises: ValueError for fewer than 2 steps. Source: Welch (1967), IEEE Trans. Audio
    Electroacoust. 15:70-73; the conventions of scipy.signal.welch.
    >>> f_Hz, power = psd(jnp.sin(2 * jnp.pi * 0.04 * jnp.arange(1000.0)), dt_ms=1.0)
    >>> f_Hz[jnp.argmax(power)].item()
    40.0
    """
    values = jnp.asarray(x)
    n = _segment_length(values, dt_ms, segment_ms, "psd")
    f_Hz, power = jax.scipy.signal.welch(
        values, fs=MS_PER_s / dt_ms, window=_make_hann(n, values.dtype), nperseg=n, noverlap=n // 2
    )
    return f_Hz, power


@compile_kernel("dt_ms", "half_band_Hz")
def multitaper(
    x: ArrayLike, dt_ms: float, half_band_Hz: float = HALF_BAND_Hz
) -> tuple[jax.Array, jax.Array]:
    """Thomson's power spectral density of the whole trace: f_Hz (n_freq,), power (..., n_freq).

    Power is in u^2/Hz.

    x: (..., n_steps) in any unit u; it loses its mean. The mean of periodograms through K = 2NW - 1
    Slepian tapers, NW = duration x half_band_Hz: power is smeared over +- half_band_Hz, and its
    scatter falls as 1 / sqrt(K). Raises: ValueError unless 1 <= NW < n_steps / 2: no taper fits
    otherwise. Source: Thomson (1982), Proc. IEEE 70:1055-1096; K = 2NW - 1 of Percival & Walden
    (1993), sec. 7.1.
    >>> f_Hz, power = multitaper(jnp.sin(2 * jnp.pi * 0.04 * jnp.arange(1000.0)), dt_ms=1.0)
    >>> bool(abs(f_Hz[jnp.argmax(power)] - 40.0) <= 2.0)
    True
    """
    from scipy.signal import windows

    values = jnp.asarray(x)
    n = values.shape[-1]
    product = n * dt_ms / MS_PER_s * half_band_Hz
    if not 1.0 - 1e-9 <= product < n / 2:
        low, high = MS_PER_s / (n * dt_ms), MS_PER_s / dt_ms / 2
        raise ValueError(
            f"got half_band_Hz={half_band_Hz:g}; expected {low:g} to {high:g} (in multitaper)"
        )
    n_tapers = max(int(2.0 * product + 1e-9) - 1, 1)
    tapers = jnp.asarray(windows.dpss(n, product, n_tapers), values.dtype)
    centred = values - jnp.mean(values, axis=-1, keepdims=True)
    powers = [_segment_power(centred, taper, dt_ms) for taper in tapers]
    return powers[0][0], jnp.mean(jnp.stack([power for _, power in powers]), axis=0)


@compile_kernel("dt_ms", "segment_ms", "pooled")
def coherence(
    x: ArrayLike,
    y: ArrayLike,
    dt_ms: float,
    segment_ms: float = SEGMENT_ms,
    pooled: Sequence[int] = (),
) -> tuple[jax.Array, jax.Array]:
    """Magnitude-squared coherence |S_xy|^2 / (S_xx S_yy): f_Hz (n_freq,) and (..., n_freq), 0 to 1.

    x, y: (..., n_steps), broadcast against each other; segments as in `psd`. Spectra are averaged
    over segments and the axes `pooled` (trials, say; they count from the front of the broadcast
    shape) before the ratio is taken. Two signals that share nothing have 1 / L over L independent
    segments, not 0; one segment gives 1 always. 0 without power.
    Raises: ValueError for fewer than 2 steps. Source: Carter, Knapp & Nuttall (1973), IEEE Trans.
    Audio Electroacoust. 21:337-344; scipy.signal.coherence.
    >>> wave = jnp.sin(jnp.arange(4000.0) ** 1.1)
    >>> coherence(wave, 3.0 * wave, dt_ms=1.0)[1].min().round(3).item()
    1.0
    """
    x_values, y_values = jnp.broadcast_arrays(jnp.asarray(x), jnp.asarray(y))
    n = _segment_length(x_values, dt_ms, segment_ms, "coherence")
    hann = _make_hann(n, x_values.dtype)

    def average_spectrum(left: jax.Array, right: jax.Array) -> jax.Array:
        # A rate at which a spectrum is not scaled: the scale would cancel in the ratio, but squared
        # it might fall below the smallest number of single precision.
        rate = 1.0 / (n * HANN_POWER)
        _, spectrum = jax.scipy.signal.csd(
            left, right, fs=rate, window=hann, nperseg=n, noverlap=n // 2
        )
        return jnp.mean(spectrum, axis=tuple(pooled))

    cross_spectrum = average_spectrum(x_values, y_values)
    scale = jnp.real(average_spectrum(x_values, x_values)) * jnp.real(
        average_spectrum(y_values, y_values)
    )
    f_Hz = jnp.arange(n // 2 + 1, dtype=scale.dtype) * (MS_PER_s / (n * dt_ms))
    is_silent = scale == 0  # not `scale > 0`, which would take NaN for silence
    return f_Hz, jnp.where(
        is_silent, 0.0, _square_magnitude(cross_spectrum) / jnp.where(is_silent, 1.0, scale)
    )


@compile_kernel("low_Hz", "high_Hz")
def band_power(power: ArrayLike, f_Hz: ArrayLike, low_Hz: float, high_Hz: float) -> jax.Array:
    """Power within [low_Hz, high_Hz): (..., n_freq) u^2/Hz -> (...) u^2.

    The integral over the bins inside.

    A bin on an edge belongs to the band above it, so that neighbouring bands sum to the band of
    both.
    >>> band_power(jnp.ones(5), jnp.arange(5.0), 1.0, 3.0).item()
    2.0
    """
    frequencies = jnp.asarray(f_Hz)
    is_inside = in_band(frequencies, low_Hz, high_Hz)
    return jnp.sum(jnp.asarray(power) * is_inside, axis=-1) * (frequencies[1] - frequencies[0])


def in_band(f_Hz: Any, low_Hz: float, high_Hz: float) -> Any:
    """Which frequencies (n_freq,) lie in [low_Hz, high_Hz), to within rounding.

    Takes numpy and JAX.
    """
    near_Hz = 1e-6 * (f_Hz[1] - f_Hz[0]) if len(f_Hz) > 1 else 0.0
    return (f_Hz >= low_Hz - near_Hz) & (f_Hz < high_Hz - near_Hz)


def _segment_length(values: jax.Array, dt_ms: float, segment_ms: float, where: str) -> int:
    """The number of steps of a segment, at most the whole trace. Raises: ValueError if below 2."""
    n = min(round(segment_ms / dt_ms), values.shape[-1])
    if n < 2:
        raise ValueError(f"got a spectrum of {n} steps; expected 2 or more (in {where})")
    return n


def _make_hann(n: int, dtype: Any) -> Any:
    """The Hann window of n steps that repeats itself: an array (n,) of the precision of `dtype`.

    jax.scipy.signal takes it, but declares a name, by which it would load scipy.signal.
    """
    steps = jnp.arange(n, dtype=jnp.result_type(dtype, float))
    return 0.5 - 0.5 * jnp.cos(2.0 * jnp.pi * steps / n)


def _square_magnitude(z: jax.Array) -> jax.Array:
    """|z|^2, with a gradient at 0."""
    return jnp.real(z) ** 2 + jnp.imag(z) ** 2


def _segment_power(x: jax.Array, window: jax.Array, dt_ms: float) -> tuple[jax.Array, jax.Array]:
    """One-sided power of x (..., n) through `window` (n,). Raises: ValueError if n < 2."""
    n = x.shape[-1]
    if n < 2:
        raise ValueError(f"got a spectrum of {n} steps; expected 2 or more (in periodogram)")
    dt_s = dt_ms / MS_PER_s
    two_sided = jnp.abs(jnp.fft.rfft(x * window, axis=-1)) ** 2 * (dt_s / jnp.sum(window**2))
    f_Hz = jnp.arange(n // 2 + 1, dtype=two_sided.dtype) / (n * dt_s)
    # zero and Nyquist have no mirror
    has_no_mirror = (jnp.arange(n // 2 + 1) == 0) | (2 * jnp.arange(n // 2 + 1) == n)
    return f_Hz, jnp.where(has_no_mirror, 1.0, 2.0) * two_sided
