"""Current source density from potentials along depth: minus the second difference; sinks are negative."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

M_PER_MM = 1e-3
CORTEX_S_M = 0.3


def csd(potential: ArrayLike, spacing_mm: float, sigma_S_m: float | None = None) -> jax.Array:
    """Standard CSD at the inner contacts: (..., n_channels) -> (..., n_channels - 2).

    With `sigma_S_m` the potential is in V and the density in A/m^3; without it, the unit of `potential` per spacing^2,
    so that the spacing does not scale a proxy. Assumes contacts `spacing_mm` apart and sources that do not vary across
    the cortical plane. Raises: ValueError for fewer than 3 channels, or a spacing that is not positive.
    Source: Nicholson & Freeman (1975), J. Neurophysiol. 38:356-368.
    >>> csd(1e-3 * jnp.array([0.0, 1.0, 0.0, -1.0, 0.0]), spacing_mm=0.1, sigma_S_m=0.3).round().tolist()
    [60000.0, 0.0, -60000.0]
    >>> csd(jnp.array([0.0, 1.0, 0.0]), spacing_mm=0.1).tolist()
    [2.0]
    """
    values = jnp.asarray(potential)
    if values.shape[-1] < 3:
        raise ValueError(f"{values.shape[-1]} channels are not allowed; allowed: 3 or more (in csd)")
    if not spacing_mm > 0.0:
        raise ValueError(f"spacing_mm={spacing_mm!r} is not allowed; allowed: a number above 0 (in csd)")
    difference = 2.0 * values[..., 1:-1] - values[..., 2:] - values[..., :-2]
    return difference if sigma_S_m is None else difference * (sigma_S_m / (spacing_mm * M_PER_MM) ** 2)
