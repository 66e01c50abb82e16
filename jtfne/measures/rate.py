"""How often and how regularly: firing rates, interval statistics, count statistics."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jtfne._units import MS_PER_s
from jtfne.measures._compile import compile_kernel


def rate(counts: ArrayLike, window_ms: float) -> Any:
    """Firing rate, Hz, of spike `counts` in windows of `window_ms`; any shape, and numpy, kept.

    >>> rate(jnp.array([1.0, 5.0]), window_ms=500.0).tolist()
    [2.0, 10.0]
    """
    # numpy's arrays stay such: a program for a product takes longer than the product
    values = counts if isinstance(counts, np.ndarray) else jnp.asarray(counts)
    return values * (MS_PER_s / window_ms)


@compile_kernel("bin_ms")
def population_rate(counts: ArrayLike, bin_ms: float) -> jax.Array:
    """Mean firing rate over cells, Hz: (..., n_bins, n_cells) spike counts -> (..., n_bins)."""
    return jnp.mean(rate(counts, bin_ms), axis=-1)


def intervals(times_ms: ArrayLike) -> jax.Array:
    """Interspike intervals of one cell, ms: (n,) event times in any order -> (n - 1,).

    Empty for fewer than 2 events.

    >>> intervals(jnp.array([5.0, 1.0, 11.0])).tolist()
    [4.0, 6.0]
    """
    return jnp.diff(jnp.sort(jnp.asarray(times_ms)))


@compile_kernel()
def cv(intervals_ms: ArrayLike, present: ArrayLike) -> jax.Array:
    """Coefficient of variation of interspike intervals, sd / mean; NaN below two intervals.

    sd is that of the population.

    intervals_ms: (..., n) ms, padded; present: (..., n) bool, False on the padding.
    >>> cv(jnp.array([10.0, 10.0, 10.0, 0.0]), jnp.array([True, True, True, False])).item()
    0.0
    """
    values, mask = jnp.asarray(intervals_ms), jnp.asarray(present)
    mean = jnp.mean(values, axis=-1, where=mask)
    sd = jnp.std(values, axis=-1, where=mask)
    return jnp.where(jnp.sum(mask, axis=-1) >= 2, sd / mean, jnp.nan)


@compile_kernel()
def fano_factor(counts: ArrayLike) -> jax.Array:
    """Variance over mean of spike counts: (..., n_windows) -> (...); NaN where no spike fell.

    It is the variance of a sample.

    >>> fano_factor(jnp.array([2.0, 2.0, 2.0])).item(), fano_factor(jnp.array([0.0, 2.0])).item()
    (0.0, 2.0)
    """
    values = jnp.asarray(counts)
    mean = jnp.mean(values, axis=-1)
    return jnp.where(
        mean > 0, jnp.var(values, axis=-1, ddof=1) / jnp.where(mean > 0, mean, 1.0), jnp.nan
    )
