"""The derivative of an arc tangent."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._check import POSITIVE, Limit
from jtfne._tree import register
from jtfne.surrogates._base import Surrogate, near


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class ATan(Surrogate):
    """dS/du = (alpha / 2) / (1 + (pi / 2 alpha u)^2); alpha / 2 at threshold, 1 in all.

    Default: alpha 2 of snnTorch and SpikingJelly.
    Source: Fang et al. (2021), Proc. IEEE/CVF Int. Conf. Comput. Vis., 2661-2671.

    >>> import jax.numpy as jnp
    >>> float(ATan(alpha=2.0).slope(jnp.array(0.0)))
    1.0
    """

    alpha: jax.Array | float = 2.0

    LIMITS: ClassVar[dict[str, Limit]] = {"alpha": POSITIVE}

    def slope(self, u: jax.Array) -> jax.Array:
        """dS/du, of the shape of `u`."""
        return 0.5 * self.alpha / (1.0 + self._scale_argument(u) ** 2)

    def smooth(self, u: jax.Array) -> jax.Array:
        """The function whose derivative is `slope`, from 0 to 1."""
        return 0.5 + jnp.arctan(self._scale_argument(u)) / jnp.pi

    def _scale_argument(self, u: jax.Array) -> jax.Array:
        """pi / 2 alpha u."""
        return near(u, 0.5 * jnp.pi * self.alpha)
