"""Weighted sums of synaptic currents that stand for LFP and EEG of networks of point cells."""

import dataclasses

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

SHARE = 0.05
"""Largest error of a delay after rounding to samples, as a share of the delay."""


@dataclasses.dataclass(frozen=True)
class Weights:
    """Weights and delays of a weighted sum: excitation less `inhibition` times inhibition.

    Each is delayed by its `excitation_ms` or `inhibition_ms`.

    A delay below 0 takes the current of a later time.
    """

    excitation_ms: float
    inhibition_ms: float
    inhibition: float

    def steps(self, dt_ms: float) -> tuple[int, int]:
        """Both delays in samples of `dt_ms`.
        Raises: ValueError where these miss one by more than a twentieth of it.
        """
        delays = []
        for delay_ms in (self.excitation_ms, self.inhibition_ms):
            steps = round(delay_ms / dt_ms)
            if abs(steps * dt_ms - delay_ms) > SHARE * abs(delay_ms) + 1e-9:
                problem, allowed = (
                    f"samples of {dt_ms:g} ms",
                    f"samples that meet a delay of {delay_ms:.4g} ms to 5 %",
                )
                raise ValueError(
                    f"got {problem}; expected {allowed}, such as 0.1 ms (in weighted_sum)"
                )
            delays.append(steps)
        return delays[0], delays[1]


# LFP, reference weighted sum: Mazzoni et al. (2015), PLoS Comput. Biol. 11:e1004584, "RWS".
RWS = Weights(6.0, 0.0, 1.65)
# EEG, ERWS1 and its causal form: Martinez-Canada et al. (2021), PLoS Comput. Biol. 17:e1008893.
ERWS1 = Weights(-0.9, 2.3, 0.3)
ERWS1_CAUSAL = Weights(0.0, 3.1, 0.1)
# a, b and c of a rate^-b + c, for both delays and the weight; the same source, and the authors'
# program
# (github.com/pablomc88/EEG_proxy_from_network_point_neurons), which was fitted over these rates.
ERWS2_TERMS = ((-0.6, 0.1, -0.4), (-1.9, 0.6, 3.0), (1.4, 1.7, 0.2))
ERWS2_CAUSAL_TERMS = ((0.0, 0.0, 0.0), (-1.5, 0.2, 4.0), (0.5, 0.5, 0.0))
ERWS2_RATES = (1.5, 10.0)


def erws2(rate: float, *, causal: bool = False) -> Weights:
    """The weights of ERWS2 for an external rate, 1.5 to 10 as the authors count it.

    Their texts disagree on the unit.

    >>> erws2(1.0, causal=True)
    Weights(excitation_ms=0.0, inhibition_ms=2.5, inhibition=0.5)
    """
    terms = ERWS2_CAUSAL_TERMS if causal else ERWS2_TERMS
    excitation_ms, inhibition_ms, inhibition = (a * rate**-b + c for a, b, c in terms)
    return Weights(excitation_ms, inhibition_ms, inhibition)


def weighted_sum(
    excitation: ArrayLike, inhibition: ArrayLike, dt_ms: float, weights: Weights = RWS
) -> jax.Array:
    """Excitation less weighted inhibition, each at its delay: (..., n_steps).

    Currents summed over excitatory cells, inward positive: -g (v - e), so that inhibition is below
    0 and adds to the size. What a delay would take from before the start, or after the end, is 0.
    Raises: ValueError as `Weights.steps`.
    Source: as `RWS` and `ERWS1`.
    >>> [round(x, 2) for x in weighted_sum(jnp.arange(20.0), jnp.ones(20), dt_ms=0.1)[:3].tolist()]
    [-1.65, -1.65, -1.65]
    """
    excitation_steps, inhibition_steps = weights.steps(dt_ms)
    return _shift_later(
        jnp.asarray(excitation), excitation_steps
    ) - weights.inhibition * _shift_later(jnp.asarray(inhibition), inhibition_steps)


def _shift_later(x: jax.Array, steps: int) -> jax.Array:
    """x (..., n) moved `steps` later, or earlier if negative; zeros fill the gap."""
    n = x.shape[-1]
    n_moved = max(n - abs(steps), 0)
    zeros = jnp.zeros((*x.shape[:-1], n - n_moved), x.dtype)
    return jnp.concatenate(
        [zeros, x[..., :n_moved]] if steps >= 0 else [x[..., n - n_moved :], zeros], axis=-1
    )
