"""Differences of two exponentials, as a current and as a conductance, exact on any grid."""

import dataclasses
from typing import ClassVar

import jax

from jtfne._check import FINITE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.synapses._base import SITE, Synapse


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class BiExponential(Synapse):
    """A current that rises, peaks at its weight (pA) and decays.

    i(t) = w A (exp(-t/tau_decay) - exp(-t/tau_rise)); A makes the peak w.

    A makes the peak one: with r = tau_rise / tau_decay, A = r^(-r / (1 - r)) / (1 - r). The charge
    of one event is w A (tau_decay - tau_rise). Where both are nearly equal, Alpha is the limit.
    `sign` as of Exponential. Source: Roth & van Rossum (2009), in Computational Modeling Methods
    for Neuroscientists, MIT Press, ch. 6.

    >>> BiExponential(tau_rise_ms=0.5, tau_decay_ms=2.0).taus_ms
    (0.5, 2.0)
    """

    tau_rise_ms: jax.Array | float
    tau_decay_ms: jax.Array | float
    sign: int = dataclasses.field(default=0, metadata={"static": True})
    dendrite_share: jax.Array | float | None = None

    unit: ClassVar[str] = "pA"
    LIMITS: ClassVar[dict[str, Limit]] = {
        "tau_rise_ms": POSITIVE,
        "tau_decay_ms": POSITIVE,
        "sign": Limit(-1, 1),
        **SITE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("tau_rise_ms", "tau_decay_ms"),)

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """Time constants of the rise and of the decay."""
        return self.tau_rise_ms, self.tau_decay_ms


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class BiExponentialConductance(Synapse):
    """A conductance that rises, peaks at its weight (nS) and decays; i = g (e_rev - v).

    g(t) = w A (exp(-t/tau_decay) - exp(-t/tau_rise)); A makes the peak w.

    Weights are never negative. Source: as of BiExponential.

    >>> BiExponentialConductance(tau_rise_ms=0.5, tau_decay_ms=5.0, e_rev_mV=0.0).unit
    'nS'
    """

    tau_rise_ms: jax.Array | float
    tau_decay_ms: jax.Array | float
    e_rev_mV: jax.Array | float
    dendrite_share: jax.Array | float | None = None

    unit: ClassVar[str] = "nS"
    order: ClassVar[int | None] = 2
    LIMITS: ClassVar[dict[str, Limit]] = {
        "tau_rise_ms": POSITIVE,
        "tau_decay_ms": POSITIVE,
        "e_rev_mV": FINITE,
        **SITE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("tau_rise_ms", "tau_decay_ms"),)

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """Time constants of the rise and of the decay."""
        return self.tau_rise_ms, self.tau_decay_ms
