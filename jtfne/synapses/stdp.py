"""Spike-timing-dependent plasticity of pairs, with bounds."""

import dataclasses
from typing import ClassVar

import jax

from jtfne._check import NOT_NEGATIVE, POSITIVE, Limit
from jtfne._tree import register


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class PairSTDP:
    """Plasticity by pairs of spikes, bounded by w_max: causal pairs strengthen, others weaken.

    A pair changes the weight by w_max a_plus exp(-lag/tau_plus), or -w_max a_minus
    exp(lag/tau_minus).

    lag: from the source's spike to the target's, as they fire, whatever the delay; the first if it
    is positive, the second if negative, and none if both fire in one step. All pairs count, by a
    trace of each cell, and the weight stays in 0 .. w_max (pA or nS, as the weights, which are
    positive). A spike brings the weight as it stands at the end of its step. Synapses of one
    source, target and delay are one, whose weight is their sum. The weights of a run are in its
    state: ``flat.with_learned_weights(state)`` after ``state, _ = flat.run(...)`` has them, and its
    ``to_net()`` is a net that goes on from them. Source: Song, Miller & Abbott (2000), Nat.
    Neurosci. 3:919-926, whose values are the defaults; the window was measured by Bi & Poo (1998),
    J. Neurosci. 18:10464-10472.

    >>> PairSTDP(w_max=50.0).tau_plus_ms
    20.0
    """

    w_max: jax.Array | float
    a_plus: jax.Array | float = 0.005
    a_minus: jax.Array | float = 0.00525
    tau_plus_ms: jax.Array | float = 20.0
    tau_minus_ms: jax.Array | float = 20.0

    LIMITS: ClassVar[dict[str, Limit]] = {
        "w_max": POSITIVE,
        "a_plus": NOT_NEGATIVE,
        "a_minus": NOT_NEGATIVE,
        "tau_plus_ms": POSITIVE,
        "tau_minus_ms": POSITIVE,
    }
