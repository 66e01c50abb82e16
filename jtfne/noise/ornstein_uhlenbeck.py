"""An Ornstein-Uhlenbeck process of mean 0 and variance 1, by its exact discretisation."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne.noise._base import Streams, seed
from jtfne.noise.normal import normal


class OUState(NamedTuple):
    """State of the process: its value x (n_streams,), and the streams that it draws from.

    x is part of the state, so that XLA computes each draw once and not once for each reader.
    """

    streams: Streams
    x: jax.Array


def init_ou(key: jax.Array, names: npt.NDArray[np.uint32] | jax.Array, dtype: jnp.dtype) -> OUState:
    """Independent processes in their stationary distribution, one for each of `names`."""
    return start_ou(seed(key, names), dtype)


def start_ou(streams: Streams, dtype: jnp.dtype) -> OUState:
    """Independent processes in their stationary distribution, one for each of `streams`."""
    return OUState(*normal(streams, dtype))


def step_ou(state: OUState, dt_over_tau: jax.Array | float) -> OUState:
    """The processes a step later; exact for any step.

    x <- x exp(-dt / tau) + sqrt(1 - exp(-2 dt / tau)) N(0, 1).

    Source: Gillespie (1996), Phys. Rev. E 54:2084-2091, eq. 3.1.
    """
    streams, normal_numbers = normal(state.streams, state.x.dtype)
    decay = jnp.exp(-jnp.asarray(dt_over_tau, state.x.dtype))
    noise_sd = jnp.sqrt(-jnp.expm1(-2.0 * jnp.asarray(dt_over_tau, state.x.dtype)))
    return OUState(streams, decay * state.x + noise_sd * normal_numbers)
