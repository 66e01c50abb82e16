"""Exponential conductance synapse: a current that depends on where the membrane is."""

import dataclasses
from typing import ClassVar

import jax

from jtfne._check import FINITE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.synapses._base import SITE, Synapse


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Conductance(Synapse):
    """A conductance to which a spike adds its weight (nS), and which decays: i = g (e_rev - v).

    dg/dt = -g/tau + sum_j w_j delta(t - t_j - d_j).

    Weights are never negative: whether a synapse excites is for its reversal potential to say.
    Source: Brette et al. (2007), J. Comput. Neurosci. 23:349-398, appendix B (benchmark 1).

    >>> Conductance(tau_ms=5.0, e_rev_mV=0.0).sign
    1
    """

    tau_ms: jax.Array | float
    e_rev_mV: jax.Array | float
    dendrite_share: jax.Array | float | None = None

    unit: ClassVar[str] = "nS"  # of a weight
    order: ClassVar[int | None] = 2
    LIMITS: ClassVar[dict[str, Limit]] = {"tau_ms": POSITIVE, "e_rev_mV": FINITE, **SITE}

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """The time constant of the one row of state."""
        return (self.tau_ms,)
