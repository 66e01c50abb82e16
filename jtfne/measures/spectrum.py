"""Power over frequency: periodogram, Welch's average of them, and the power in a band."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

MS_PER_S = 1000.0
SEGMENT_MS = 1000.0


def periodogram(x: ArrayLike, dt_ms: float) -> tuple[jax.Array, jax.Array]:
    """One-sided periodogram without a window: f_Hz (n_freq,) and power (..., n_freq) in u^2/Hz.

    x: (..., n_steps) in any unit u. The sum of power times the frequency step is the mean of x squared (Parseval).
    Raises: ValueError if n_steps < 2 (a shape is static, so a kernel may check it).
    Source: Press et al. (2007), Numerical Recipes, 3rd ed., sec. 13.4.
    >>> periodogram(jnp.ones(4), dt_ms=1.0)[0].round(1).tolist()
    [0.0, 250.0, 500.0]
    """
    values = jnp.asarray(x)
    return _segment_power(values, jnp.ones(values.shape[-1], values.dtype), dt_ms)


def psd(x: ArrayLike, dt_ms: float, segment_ms: float = SEGMENT_MS) -> tuple[jax.Array, jax.Array]:
    """Welch's power spectral density: f_Hz (n_freq,) and power (..., n_freq) in u^2/Hz.

    x: (..., n_steps) in any unit u. Segments of `segment_ms` (the whole trace where it is shorter) overlap by half;
    each loses its mean and is seen through a Hann window. Raises: ValueError for fewer than 2 steps.
    Source: Welch (1967), IEEE Trans. Audio Electroacoust. 15:70-73; the conventions of scipy.signal.welch.
    >>> f_Hz, power = psd(jnp.sin(2 * jnp.pi * 0.04 * jnp.arange(1000.0)), dt_ms=1.0)
    >>> f_Hz[jnp.argmax(power)].item()
    40.0
    """
    values = jnp.asarray(x)
    n = min(round(segment_ms / dt_ms), values.shape[-1])
    if n < 2:
        raise ValueError(f"a spectrum of {n} steps is not allowed; allowed: 2 or more (in psd)")
    starts = range(0, values.shape[-1] - n + 1, n - n // 2)
    segments = jnp.stack([values[..., start : start + n] for start in starts], axis=-2)
    centred = segments - jnp.mean(segments, axis=-1, keepdims=True)
    hann = 0.5 - 0.5 * jnp.cos(2.0 * jnp.pi * jnp.arange(n, dtype=centred.dtype) / n)
    f_Hz, power = _segment_power(centred, hann, dt_ms)
    return f_Hz, jnp.mean(power, axis=-2)


def band_power(power: ArrayLike, f_Hz: ArrayLike, low_Hz: float, high_Hz: float) -> jax.Array:
    """Power within [low_Hz, high_Hz]: the integral over the bins inside, (..., n_freq) u^2/Hz -> (...) u^2.

    >>> band_power(jnp.ones(5), jnp.arange(5.0), 1.0, 3.0).item()
    3.0
    """
    frequencies = jnp.asarray(f_Hz)
    inside = (frequencies >= low_Hz) & (frequencies <= high_Hz)
    return jnp.sum(jnp.asarray(power) * inside, axis=-1) * (frequencies[1] - frequencies[0])


def _segment_power(x: jax.Array, window: jax.Array, dt_ms: float) -> tuple[jax.Array, jax.Array]:
    """One-sided power of x (..., n) through `window` (n,). Raises: ValueError if n < 2."""
    n = x.shape[-1]
    if n < 2:
        raise ValueError(f"a spectrum of {n} steps is not allowed; allowed: 2 or more (in periodogram)")
    dt_s = dt_ms / MS_PER_S
    two_sided = jnp.abs(jnp.fft.rfft(x * window, axis=-1)) ** 2 * (dt_s / jnp.sum(window**2))
    f_Hz = jnp.arange(n // 2 + 1, dtype=two_sided.dtype) / (n * dt_s)
    alone = (jnp.arange(n // 2 + 1) == 0) | (2 * jnp.arange(n // 2 + 1) == n)  # zero and Nyquist have no mirror
    return f_Hz, jnp.where(alone, 1.0, 2.0) * two_sided
