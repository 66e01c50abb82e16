"""Jumps of the membrane: a spike moves v at once, by its weight in mV."""

import dataclasses
from typing import ClassVar

import jax

from jtfne._check import Limit
from jtfne._tree import register
from jtfne.synapses._base import SITE, Synapse

# a row that has decayed to nothing after any step: what jumps has no course in time
NO_COURSE_ms = 1e-6


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Delta(Synapse):
    """v jumps by w (mV) when a spike arrives: C dv/dt = ... + C sum_j w_j delta(t - t_j - d_j).

    The jump belongs to the step at whose end the spike arrives: v is moved after what leaked within
    that step and before it is compared with the threshold, so that a jump across the threshold is a
    spike at the time of arrival. Jumps that meet a refractory cell are lost. A jump of w stands for
    the charge C w. The cell must be one that can jump, as all of `jtfne.emitters` that receive can:
    an emitter with a method `jumped_pA`. `sign` as of Exponential. Source: Brunel (2000), J.
    Comput. Neurosci. 8:183-208; as the `iaf_psc_delta` model of NEST 3.

    >>> Delta(sign=1).unit
    'mV'
    """

    sign: int = dataclasses.field(default=0, metadata={"static": True})
    dendrite_share: jax.Array | float | None = None

    unit: ClassVar[str] = "mV"  # of a weight
    LIMITS: ClassVar[dict[str, Limit]] = {"sign": Limit(-1, 1), **SITE}

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """The time constant of the one row of state, of which no step leaves anything."""
        return (NO_COURSE_ms,)
