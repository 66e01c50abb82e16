"""The derivative of the logistic function."""

import dataclasses
from typing import ClassVar

import jax

from jtfne._check import POSITIVE, Limit
from jtfne._tree import register
from jtfne.surrogates._base import Surrogate, near


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Sigmoid(Surrogate):
    """dS/du = k s(k u) (1 - s(k u)), s the logistic function; k / 4 at threshold, 1 in all.

    Its tails fall exponentially: a cell further than some 10 / k below threshold has next to no
    slope. Default: slope 25 of snnTorch's sigmoid.
    Source: Neftci, Mostafa & Zenke (2019), IEEE Signal Process. Mag. 36(6):51-63.

    >>> import jax.numpy as jnp
    >>> float(Sigmoid(k=4.0).slope(jnp.array(0.0)))
    1.0
    """

    k: jax.Array | float = 25.0

    LIMITS: ClassVar[dict[str, Limit]] = {"k": POSITIVE}

    def slope(self, u: jax.Array) -> jax.Array:
        """dS/du, of the shape of `u`."""
        x = near(u, self.k)
        # s(-x): 1 - s(x) would lose digits
        return self.k * (jax.nn.sigmoid(x) * jax.nn.sigmoid(-x))

    def smooth(self, u: jax.Array) -> jax.Array:
        """The function whose derivative is `slope`, from 0 to 1."""
        return jax.nn.sigmoid(near(u, self.k))
