"""A triangle: piecewise linear, and zero beyond its feet."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._check import POSITIVE, Limit
from jtfne._tree import register
from jtfne.surrogates._base import Surrogate


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Triangular(Surrogate):
    """dS/du = gamma max(0, 1 - |u| / width); gamma at threshold, gamma width in all.

    Defaults: gamma 0.3, and feet a threshold's distance away, so that a cell at rest is the first
    without a slope. Source: Bellec et al. (2018), Adv. Neural Inf. Process. Syst. 31:787-797; Esser
    et al. (2016), PNAS 113:11441-11446.

    >>> import jax.numpy as jnp
    >>> round(float(Triangular().slope(jnp.array(-0.5))), 3)
    0.15
    """

    gamma: jax.Array | float = 0.3
    width: jax.Array | float = 1.0

    LIMITS: ClassVar[dict[str, Limit]] = {"gamma": POSITIVE, "width": POSITIVE}

    def slope(self, u: jax.Array) -> jax.Array:
        """dS/du, of the shape of `u`."""
        return self.gamma * jnp.maximum(0.0, 1.0 - jnp.abs(u) / self.width)

    def smooth(self, u: jax.Array) -> jax.Array:
        """The function whose derivative is `slope`, from 0 to gamma width."""
        x = jnp.clip(u / self.width, -1.0, 1.0)
        return self.gamma * self.width * (0.5 + x - 0.5 * x * jnp.abs(x))
