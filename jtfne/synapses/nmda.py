"""NMDA receptors: a conductance that magnesium blocks where the membrane is hyperpolarised."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.synapses._base import SITE, Synapse


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class NMDA(Synapse):
    """A conductance with a magnesium block: i = g B(v) (e_rev - v).

    B(v) = 1 / (1 + [Mg] / 3.57 mM exp(-0.062 v / mV)); g is that of BiExponentialConductance.

    A weight (nS) is the peak of g, before the block; it is never negative. The block is held over a
    step at the potential at its start (where a cell just spiked, that before its reset), which
    leaves an error of first order. Receptors do not saturate.
    Source: Jahr & Stevens (1990), J. Neurosci. 10:3178-3182 (the block); the defaults are those of
    Brunel & Wang (2001), J. Comput. Neurosci. 11:63-85.

    >>> round(float(NMDA().block(-65.0)), 4)
    0.0597
    """

    tau_rise_ms: jax.Array | float = 2.0
    tau_decay_ms: jax.Array | float = 100.0
    e_rev_mV: jax.Array | float = 0.0
    mg_mM: jax.Array | float = 1.0
    dendrite_share: jax.Array | float | None = None

    unit: ClassVar[str] = "nS"
    order: ClassVar[int | None] = 1
    gate_fields: ClassVar[tuple[str, ...]] = ("mg_mM",)
    LIMITS: ClassVar[dict[str, Limit]] = {
        "tau_rise_ms": POSITIVE,
        "tau_decay_ms": POSITIVE,
        "e_rev_mV": FINITE,
        "mg_mM": NOT_NEGATIVE,
        **SITE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("tau_rise_ms", "tau_decay_ms"),)

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """Time constants of the rise and of the decay."""
        return self.tau_rise_ms, self.tau_decay_ms

    def gate(self, v_mV: jax.Array | float) -> jax.Array:
        """The share of the conductance that magnesium leaves open at `v_mV`: 0 to 1."""
        return 1.0 / (1.0 + self.mg_mM / 3.57 * jnp.exp(-0.062 * v_mV))

    def block(self, v_mV: jax.Array | float) -> jax.Array:
        """Same as `gate`: the share that is open at `v_mV`."""
        return self.gate(v_mV)
