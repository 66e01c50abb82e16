"""The smoothed model: what a surrogate's gradient is the exact derivative of."""

import dataclasses
from typing import Any, ClassVar

import jax

from jtfne._check import Limit
from jtfne._tree import register
from jtfne.surrogates._base import Surrogate


@register
@dataclasses.dataclass(frozen=True)
class Smoothed(Surrogate):
    """A cell sends `surrogate.smooth(u)` at each step in place of a spike; spikes still reset it.

    What follows from a spike within the cell stays a switch: reset, refractory time, jumps of
    adaptation and of short-term plasticity. Between two values at which no cell spikes in another
    step, a run is thus smooth, and its gradient, in which upstrokes are not held back, is the limit
    of differences: a model to test gradients on, not one of neurons.

    >>> import jax.numpy as jnp
    >>> from jtfne.surrogates import Sigmoid
    >>> float(Smoothed(Sigmoid())(jnp.array(0.0)))
    0.5
    """

    surrogate: Any

    LIMITS: ClassVar[dict[str, Limit]] = {}
    steadies: ClassVar[bool] = False

    def slope(self, u: jax.Array) -> jax.Array:
        """dS/du of the surrogate, of the shape of `u`."""
        slope: jax.Array = self.surrogate.slope(u)
        return slope

    def smooth(self, u: jax.Array) -> jax.Array:
        """The function whose derivative is `slope`, as of the surrogate."""
        smooth: jax.Array = self.surrogate.smooth(u)
        return smooth

    def spikes(self, fired: jax.Array, u: jax.Array) -> jax.Array:
        """`smooth(u)` in place of spikes, whoever fired."""
        return self.smooth(u)
