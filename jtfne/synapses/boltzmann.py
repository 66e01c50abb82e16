"""A conductance that opens with the potential: NMDA, receptors that rectify."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._check import FINITE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.synapses._base import SITE, Synapse


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class BoltzmannConductance(Synapse):
    """A conductance with a Boltzmann gate: i = g B(v) (e_rev - v).

    B(v) = 1 / (1 + exp(-slope (v - v_half))); g is that of BiExponentialConductance.

    A weight (nS) is the peak of g, all of it open; it is never negative. Half is open at
    `v_half_mV`. A slope above 0 opens with depolarization, as NMDA receptors and GABA-A receptors
    that rectify outward do; below 0 it closes, as calcium-permeable AMPA receptors, which
    polyamines block; at 0 half is open everywhere. The gate is held over a step at the potential
    at its start, which leaves an error of first order.

    NMDA is a case of it: its block by [Mg] has a slope of 0.062 / mV, and v_half of
    ln([Mg] / 3.57 mM) / slope. Source: Jahr & Stevens (1990), J. Neurosci. 10:3178-3182 (that
    block); Pavlov, Savtchenko, Kullmann, Semyanov & Walker (2009), J. Neurosci. 29:15341-15350
    (outward rectification of GABA-A receptors).

    >>> synapse = BoltzmannConductance(
    ...     tau_rise_ms=0.5, tau_decay_ms=20.0, e_rev_mV=-70.0, v_half_mV=-40.0, slope_per_mV=0.1
    ... )
    >>> synapse.gate(-40.0).item()
    0.5
    """

    tau_rise_ms: jax.Array | float
    tau_decay_ms: jax.Array | float
    e_rev_mV: jax.Array | float
    v_half_mV: jax.Array | float
    slope_per_mV: jax.Array | float
    dendrite_share: jax.Array | float | None = None

    unit: ClassVar[str] = "nS"
    order: ClassVar[int | None] = 1
    gate_fields: ClassVar[tuple[str, ...]] = ("v_half_mV", "slope_per_mV")
    LIMITS: ClassVar[dict[str, Limit]] = {
        "tau_rise_ms": POSITIVE,
        "tau_decay_ms": POSITIVE,
        "e_rev_mV": FINITE,
        "v_half_mV": FINITE,
        "slope_per_mV": FINITE,
        **SITE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("tau_rise_ms", "tau_decay_ms"),)

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """Time constants of the rise and of the decay."""
        return self.tau_rise_ms, self.tau_decay_ms

    def gate(self, v_mV: jax.Array | float) -> jax.Array:
        """The share of the conductance that is open at `v_mV`: 0 to 1."""
        return jax.nn.sigmoid(jnp.asarray(self.slope_per_mV * (v_mV - self.v_half_mV)))
