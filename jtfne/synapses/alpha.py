"""Alpha functions, as a current and as a conductance: two rows of state, exact on any grid."""

import dataclasses
from typing import ClassVar

import jax

from jtfne._check import FINITE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.synapses._base import SITE, Synapse


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Alpha(Synapse):
    """A current that peaks at its weight (pA) after tau: i(t) = w (t/tau) exp(1 - t/tau).

    The charge of one event is e w tau. A step of LIF is exact under it, as of NEST's
    `iaf_psc_alpha`; other cells take its exact mean over dt. `sign` as of Exponential.
    Source: Rall (1967), J. Neurophysiol. 30:1138-1168; Rotter & Diesmann (1999), Biol. Cybern.
    81:381-402, sec. 3.2.

    >>> Alpha(tau_ms=2.0).taus_ms
    (2.0, 2.0)
    """

    tau_ms: jax.Array | float
    sign: int = dataclasses.field(default=0, metadata={"static": True})
    dendrite_share: jax.Array | float | None = None

    unit: ClassVar[str] = "pA"
    equal_taus: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {"tau_ms": POSITIVE, "sign": Limit(-1, 1), **SITE}

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """Time constants of the row on which spikes arrive, and of the current."""
        return self.tau_ms, self.tau_ms


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class AlphaConductance(Synapse):
    """A conductance that peaks at its weight (nS) after tau: g(t) = w (t/tau) exp(1 - t/tau).

    i = g (e_rev - v); weights are never negative.

    Source: as of Alpha.

    >>> AlphaConductance(tau_ms=2.0, e_rev_mV=-80.0).sign
    1
    """

    tau_ms: jax.Array | float
    e_rev_mV: jax.Array | float
    dendrite_share: jax.Array | float | None = None

    unit: ClassVar[str] = "nS"
    order: ClassVar[int | None] = 2
    equal_taus: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {"tau_ms": POSITIVE, "e_rev_mV": FINITE, **SITE}

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """Time constants of the row on which spikes arrive, and of the conductance."""
        return self.tau_ms, self.tau_ms
