"""Loop currents: what enters a cell at one place and returns at another, so that nothing is left over."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._tree import register
from jtfne.engine import Circuit, View, joined, received_pA

EXTERNAL, AXIAL = -1, -2
"""What stands for a current beside the number of a receptor: drive, noise and stimuli; that between compartments."""

Terms = tuple[tuple[int, int], ...]  # (current, 1 or -1)


@register
@dataclasses.dataclass(frozen=True)
class Loops:
    """The loop currents of every cell, inward where they enter. Alike ones are summed.

    slots: for each group of cells, for each loop, which currents it is the sum of, and with which sign.
    """

    slots: tuple[tuple[Terms, ...], ...] = dataclasses.field(metadata={"static": True})

    kind: ClassVar[str] = "loops"

    @property
    def parts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """A name a loop."""
        return tuple((f"loop {k}", ()) for k in range(len(self.slots[0])))

    def by_inputs(self, circuit: Circuit) -> bool:
        """Of currents from outside; not of conductances or jumps, nor of what flows between compartments."""
        between = any(current == AXIAL for group in self.slots for terms in group for current, _ in terms)
        return circuit.only_currents and not between

    def read(self, view: View) -> jax.Array:
        """(n_loops, n_cells) pA, the mean over the step."""
        groups = [_summed(view, at, slots) for at, slots in enumerate(self.slots)]
        return jnp.stack([joined(view.circuit, list(rows)) for rows in zip(*groups, strict=True)])


def _summed(view: View, at: int, slots: tuple[Terms, ...]) -> list[jax.Array]:
    """The loops of one group: (n_group,) each."""
    group = view.circuit.groups[at]
    i_ext_pA = group.take(view.i_ext_pA)
    asked = {current for terms in slots for current, _ in terms}
    currents = {EXTERNAL: i_ext_pA}
    if any(current >= 0 for current in asked):
        currents |= dict(enumerate(received_pA(view, at)))
    if AXIAL in asked:
        states = view.before[at], view.cells[at]
        currents[AXIAL] = group.emitter.axial_pA(*states, i_ext_pA, view.syn.of(group.take), view.dt_ms)  # type: ignore[attr-defined]
    nothing = jnp.zeros_like(i_ext_pA)
    return [sum((sign * currents[current] for current, sign in terms), nothing) for terms in slots]
