"""What every surrogate offers: a slope where the step function has none, and the function that has this slope."""

import abc
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._check import Limit

FAR = 1e6  # of sharpness times |u|: there every slope is below 1e-11 of its peak, and its square is still a float32


class Surrogate(abc.ABC):
    """A step function S(u) with a derivative of its own; u >= 0 is a spike.

    u is how far a cell stands above its threshold, as a share of the distance from rest to threshold, so that the
    defaults mean the same to every emitter. A surrogate's numbers are traced. LIMITS: their ranges. steadies:
    whether a gradient enlarges no deviation of v from step to step, as an upstroke would (see `docs/gradients.rst`).
    """

    LIMITS: ClassVar[dict[str, Limit]]
    steadies: ClassVar[bool] = True

    @abc.abstractmethod
    def slope(self, u: jax.Array) -> jax.Array:
        """dS/du, of the shape of `u`."""

    @abc.abstractmethod
    def smooth(self, u: jax.Array) -> jax.Array:
        """The function whose derivative is `slope`, 0 far below threshold."""

    def spikes(self, fired: jax.Array, u: jax.Array) -> jax.Array:
        """0. or 1., as the bools `fired` say, with the derivative `slope` by `u`: all of one shape."""
        spike_numbers: jax.Array = _step_with_slope(self, fired, u)
        return spike_numbers

    def __call__(self, u: jax.Array) -> jax.Array:
        """The step function: 1. where u >= 0, else 0."""
        return self.spikes(u >= 0.0, u)


@jax.custom_jvp
def _step_with_slope(surrogate: Surrogate, is_spike: jax.Array, u: jax.Array) -> jax.Array:
    """`fired` as numbers."""
    return is_spike.astype(u.dtype)


@_step_with_slope.defjvp
def _step_jvp(
    primals: tuple[Surrogate, jax.Array, jax.Array], tangents: tuple[Surrogate, jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """By `u` alone: a step hangs on nothing else."""
    surrogate, is_spike, u = primals
    return _step_with_slope(surrogate, is_spike, u), surrogate.slope(u) * tangents[2]


def near(u: jax.Array, sharpness: jax.Array | float) -> jax.Array:
    """sharpness * u, kept where float32 can square it."""
    return jnp.clip(sharpness * u, -FAR, FAR)
