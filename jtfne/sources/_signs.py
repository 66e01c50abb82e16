"""Synaptic currents by whether they excite or inhibit."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._tree import register
from jtfne.engine import Circuit, View, received_pA
from jtfne.sources._loops import stack_groups


@register
@dataclasses.dataclass(frozen=True)
class BySign:
    """The excitatory and the inhibitory synaptic current of every cell, inward positive.

    signs: of each receptor, 1 or -1; 0 leaves it out.
    """

    signs: tuple[int, ...] = dataclasses.field(metadata={"static": True})

    kind: ClassVar[str] = "by sign"
    parts: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (
        ("excitatory", ()),
        ("inhibitory", ()),
    )

    def by_inputs(self, circuit: Circuit) -> bool:
        """True if all synapses are currents: others depend on the membrane potential."""
        return circuit.only_currents

    def read(self, view: View) -> jax.Array:
        """Return the mean over the step, (2, n_cells) pA."""
        n_groups = len(view.circuit.groups)
        return stack_groups(view.circuit, [self._sum_by_sign(view, k) for k in range(n_groups)])

    def _sum_by_sign(self, view: View, group_index: int) -> list[jax.Array]:
        """Return both sums of one group: (n_group,) each."""
        zeros = jnp.zeros_like(view.circuit.groups[group_index].take(view.i_ext_pA))
        sums_pA = {1: zeros, -1: zeros}
        for current_pA, sign in zip(received_pA(view, group_index), self.signs, strict=True):
            if sign:
                sums_pA[sign] = sums_pA[sign] + current_pA
        return [sums_pA[1], sums_pA[-1]]
