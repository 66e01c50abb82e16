"""Exponential current synapse, exact on any grid."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._check import POSITIVE, Limit
from jtfne._tree import register
from jtfne.synapses._base import SITE, Synapse


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Exponential(Synapse):
    """A current to which a spike adds its weight (pA), and which decays with tau.

    di/dt = -i/tau + sum_j w_j delta(t - t_j - d_j).

    `sign` is what weights may be: 1 excitatory, -1 inhibitory, 0 as the source's cell type says.
    The charge of one event is w tau, whatever dt.
    Source: Rotter & Diesmann (1999), Biol. Cybern. 81:381-402, sec. 3.1.

    >>> Exponential(tau_ms=2.0, sign=1).tau_ms
    2.0
    """

    tau_ms: jax.Array | float
    sign: int = dataclasses.field(default=0, metadata={"static": True})
    dendrite_share: jax.Array | float | None = None

    unit: ClassVar[str] = "pA"  # of a weight
    LIMITS: ClassVar[dict[str, Limit]] = {"tau_ms": POSITIVE, "sign": Limit(-1, 1), **SITE}

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """The time constant of the one row of state."""
        return (self.tau_ms,)

    def decay(self, dt_ms: jax.Array | float) -> jax.Array:
        """The share of a current that is left after dt."""
        return jnp.exp(-dt_ms / self.tau_ms)
