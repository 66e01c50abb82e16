"""What every surrogate offers: a derivative for the step function, and a function that has it."""

import abc
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._check import Limit

# of sharpness times |u|: every slope is below 1e-11 of its peak, and the square fits float32
FAR = 1e6


class Surrogate(abc.ABC):
    """A step function S(u) with a derivative of its own; u >= 0 is a spike.

    u is how far a cell stands above its threshold, as a share of the distance from rest to
    threshold, so that the defaults mean the same to every emitter. A surrogate's numbers are
    traced. LIMITS: their ranges; a number without one is taken as it is. steadies: whether a
    gradient enlarges no deviation of v from step to step, as an upstroke would (see
    `docs/gradients.rst`).

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> from jtfne.surrogates import SuperSpike, Surrogate
    >>> step = SuperSpike()
    >>> isinstance(step, Surrogate), step(jnp.array([-0.1, 0.0, 0.1])).tolist()
    (True, [0.0, 1.0, 1.0])
    >>> bool(jax.grad(step)(jnp.array(-0.1)) > 0.0)  # where the step itself is flat
    True
    """

    LIMITS: ClassVar[dict[str, Limit]] = {}
    steadies: ClassVar[bool] = True

    @abc.abstractmethod
    def slope(self, u: jax.Array) -> jax.Array:
        """dS/du, of the shape of `u`."""

    @abc.abstractmethod
    def smooth(self, u: jax.Array) -> jax.Array:
        """The function whose derivative is `slope`, 0 far below threshold."""

    def spikes(self, fired: jax.Array, u: jax.Array) -> jax.Array:
        """Spikes as numbers: 0. or 1. as `fired` says, with the derivative `slope` by `u`.

        fired: bool. u: float. Both of one shape, that of the result.
        """
        spike_numbers: jax.Array = _step_with_slope(self, fired, u)
        return spike_numbers

    def __call__(self, u: jax.Array) -> jax.Array:
        """The step function: 1. where u >= 0, else 0."""
        return self.spikes(u >= 0.0, u)


@jax.custom_jvp
def _step_with_slope(surrogate: Surrogate, is_spike: jax.Array, u: jax.Array) -> jax.Array:
    """`is_spike` as numbers, whose derivative by `u` is that of the surrogate."""
    return is_spike.astype(u.dtype)


@_step_with_slope.defjvp
def _step_jvp(
    primals: tuple[Surrogate, jax.Array, jax.Array],
    tangents: tuple[Surrogate, jax.Array, jax.Array],
) -> tuple[jax.Array, jax.Array]:
    """The derivative by `u` alone: a step depends on nothing else."""
    surrogate, is_spike, u = primals
    return _step_with_slope(surrogate, is_spike, u), surrogate.slope(u) * tangents[2]


def near(u: jax.Array, sharpness: jax.Array | float) -> jax.Array:
    """sharpness * u, clipped to where float32 can square it."""
    return jnp.clip(sharpness * u, -FAR, FAR)
