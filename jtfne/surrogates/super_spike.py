"""SuperSpike: the derivative of a fast sigmoid."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._check import POSITIVE, Limit
from jtfne._tree import register
from jtfne.surrogates._base import Surrogate, near


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class SuperSpike(Surrogate):
    """The surrogate dS/du = 1 / (1 + beta |u|)^2: 1 at threshold, 2 / beta in all.

    It is the derivative of u / (1 + beta |u|).

    Its tails are long: a cell far below threshold still has a slope. Default: slope 25 of
    snnTorch's fast sigmoid. Source: Zenke & Ganguli (2018), Neural Comput. 30:1514-1541.

    >>> import jax.numpy as jnp
    >>> float(SuperSpike(beta=1.0).slope(jnp.array(-1.0)))
    0.25
    """

    beta: jax.Array | float = 25.0

    LIMITS: ClassVar[dict[str, Limit]] = {"beta": POSITIVE}

    def slope(self, u: jax.Array) -> jax.Array:
        """dS/du, of the shape of `u`."""
        return 1.0 / (1.0 + jnp.abs(near(u, self.beta))) ** 2

    def smooth(self, u: jax.Array) -> jax.Array:
        """The function whose derivative is `slope`, from 0 to 2 / beta."""
        x = near(u, self.beta)
        return (1.0 + x / (1.0 + jnp.abs(x))) / self.beta
