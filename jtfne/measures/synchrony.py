"""How much cells or channels do together."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jtfne.measures._compile import compile_kernel


@compile_kernel()
def correlation(x: ArrayLike) -> jax.Array:
    """Pearson correlation of all pairs of rows: (..., n_rows, n_samples) -> (..., n_rows, n_rows).

    NaN for rows that do not vary.

    >>> correlation(jnp.array([[0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]])).round(3).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    centred = jnp.asarray(x) - jnp.mean(jnp.asarray(x), axis=-1, keepdims=True)
    norm = jnp.linalg.norm(centred, axis=-1, keepdims=True)
    unit = jnp.where(norm > 0, centred / jnp.where(norm > 0, norm, 1.0), jnp.nan)
    return jnp.clip(unit @ jnp.swapaxes(unit, -1, -2), -1.0, 1.0)


@compile_kernel()
def synchrony(x: ArrayLike) -> jax.Array:
    """Synchrony chi: (..., n_steps, n_cells) -> (...).

    The sd over time of the mean trace over the rms of each cell's sd.

    1 when all cells do the same, about 1 / sqrt(n_cells) when they are independent; NaN when
    nothing moves. Source: Golomb (2007), Scholarpedia 2(1):1347, eq. 1-3.
    >>> wave = jnp.sin(jnp.arange(100.0))[:, None]
    >>> synchrony(jnp.concatenate([wave, wave], axis=1)).round(3).item()
    1.0
    """
    values = jnp.asarray(x)
    variance_of_mean = jnp.var(jnp.mean(values, axis=-1), axis=-1)
    mean_variance = jnp.mean(jnp.var(values, axis=-2), axis=-1)
    return jnp.where(
        mean_variance > 0,
        jnp.sqrt(variance_of_mean / jnp.where(mean_variance > 0, mean_variance, 1.0)),
        jnp.nan,
    )


@compile_kernel()
def variance_over_mean(counts: ArrayLike) -> jax.Array:
    """Variance over mean of binned population spike counts: (..., n_bins) -> (...).

    It is NaN where no spike fell.

    1 for independent Poisson cells; above it when they fire together. Bins of 3 ms in the source.
    Source: Potjans & Diesmann (2014), Cereb. Cortex 24:785-806, "Synchrony".
    >>> variance_over_mean(jnp.array([0.0, 4.0])).item()
    2.0
    """
    values = jnp.asarray(counts)
    mean = jnp.mean(values, axis=-1)
    return jnp.where(mean > 0, jnp.var(values, axis=-1) / jnp.where(mean > 0, mean, 1.0), jnp.nan)
