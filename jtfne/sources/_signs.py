"""Synaptic currents by whether they excite or inhibit."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._tree import register
from jtfne.engine import Circuit, View, joined, received_pA


@register
@dataclasses.dataclass(frozen=True)
class BySign:
    """What excites every cell, and what inhibits it, inward positive. signs: of each receptor, 0 to leave it out."""

    signs: tuple[int, ...] = dataclasses.field(metadata={"static": True})

    kind: ClassVar[str] = "by sign"
    parts: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (("excitatory", ()), ("inhibitory", ()))

    def by_inputs(self, circuit: Circuit) -> bool:
        """Of currents; what a conductance or a jump brings hangs on the membrane."""
        return circuit.only_currents

    def read(self, view: View) -> jax.Array:
        """(2, n_cells) pA, the mean over the step."""
        groups = [self._of_group(view, at) for at in range(len(view.circuit.groups))]
        return jnp.stack([joined(view.circuit, list(rows)) for rows in zip(*groups, strict=True)])

    def _of_group(self, view: View, at: int) -> list[jax.Array]:
        """Both of one group: (n_group,) each."""
        nothing = jnp.zeros_like(view.circuit.groups[at].take(view.i_ext_pA))
        received = list(zip(received_pA(view, at), self.signs, strict=True))
        return [sum((each for each, sign in received if sign == wanted), nothing) for wanted in (1, -1)]
