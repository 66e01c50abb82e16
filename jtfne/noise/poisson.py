"""Poisson numbers by comparing random bits with a table of the distribution function."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne.noise._base import Streams, bits

_TOP = 2.0**32
LONGEST = 64  # rows of a table that are compared one by one


def table_rows(mean: float) -> int:
    """Number of rows of a table for means up to `mean`; what is left out is below 2^-32."""
    from scipy import special  # not scipy.stats, which takes a second to import

    if mean <= 0.0:
        return 1
    # pdtrik inverts pdtr in its first argument, to rounding
    count = np.ceil(special.pdtrik(1.0 - 1.0 / _TOP, mean))
    count_below = max(count - 1.0, 0.0)
    return int(count_below if special.pdtr(count_below, mean) >= 1.0 - 1.0 / _TOP else count) + 1


def table(means: npt.NDArray[np.float64], n_rows: int) -> npt.NDArray[np.uint32]:
    """P(count <= k) for k < n_rows as 32-bit thresholds: uint32 (len(means), n_rows)."""
    from scipy import special

    cdf = special.pdtr(np.arange(n_rows)[None, :], means[:, None])
    thresholds: npt.NDArray[np.uint32] = np.minimum(np.round(cdf * _TOP), _TOP - 1).astype(
        np.uint32
    )
    return thresholds


def poisson(state: Streams, thresholds: jax.Array) -> tuple[Streams, jax.Array]:
    """The next state, and one count a stream, int32 (n_streams,).

    thresholds: (n_rows,) or (n_rows, n_streams), a row of `table` for all streams or one for each.
    """
    state, word = bits(state)
    # as one reduction: spelled out, so many rows would take long to compile
    if thresholds.shape[0] > LONGEST:
        rows = thresholds if thresholds.ndim == 2 else thresholds[:, None]
        return state, jnp.sum(word[None, :] > rows, axis=0, dtype=jnp.int32)
    count = jnp.zeros(word.shape, jnp.int32)
    for k in range(thresholds.shape[0]):
        count = count + (word > thresholds[k]).astype(jnp.int32)
    return state, count
