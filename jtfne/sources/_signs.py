"""Synaptic currents by whether they excite or inhibit."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._tree import register
from jtfne.engine import Circuit, View, received_pA, scatter_groups


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
        groups = [
            self._sum_by_sign(view, group_index) for group_index in range(len(view.circuit.groups))
        ]
        return jnp.stack(
            [scatter_groups(view.circuit, list(rows)) for rows in zip(*groups, strict=True)]
        )

    def _sum_by_sign(self, view: View, group_index: int) -> list[jax.Array]:
        """Return both sums of one group: (n_group,) each."""
        zeros = jnp.zeros_like(view.circuit.groups[group_index].take(view.i_ext_pA))
        signed_currents = list(zip(received_pA(view, group_index), self.signs, strict=True))
        return [
            sum((current_pA for current_pA, sign in signed_currents if sign == target_sign), zeros)
            for target_sign in (1, -1)
        ]
