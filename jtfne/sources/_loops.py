"""Loop currents: what enters a cell at one place returns at another, and nothing is left over."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._tree import register
from jtfne.engine import Circuit, View, joined, received_pA

EXTERNAL, AXIAL = -1, -2
"""Numbers of the currents that are of no receptor.

`EXTERNAL`: drive, noise and stimuli; `AXIAL`: between compartments.
"""

Terms = tuple[tuple[int, int], ...]  # (current, 1 or -1)


@register
@dataclasses.dataclass(frozen=True)
class SourceSinkCurrents:
    """The loop currents of every cell, inward where they enter; equal loops are summed.

    slots: for each group of cells and each loop, the currents that it is the sum of, with their
    signs.
    """

    slots: tuple[tuple[Terms, ...], ...] = dataclasses.field(metadata={"static": True})

    kind: ClassVar[str] = "loops"

    @property
    def parts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """One name a loop."""
        return tuple((f"loop {k}", ()) for k in range(len(self.slots[0])))

    def by_inputs(self, circuit: Circuit) -> bool:
        """Whether all loops are currents from outside.

        Conductances, jumps and currents between compartments depend on the cells.
        """
        between = any(
            current == AXIAL for group in self.slots for terms in group for current, _ in terms
        )
        return circuit.only_currents and not between

    def read(self, view: View) -> jax.Array:
        """Return the mean over the step, (n_loops, n_cells) pA."""
        groups = [
            _sum_loops(view, group_index, slots) for group_index, slots in enumerate(self.slots)
        ]
        return jnp.stack([joined(view.circuit, list(rows)) for rows in zip(*groups, strict=True)])


def _sum_loops(view: View, group_index: int, slots: tuple[Terms, ...]) -> list[jax.Array]:
    """Return the loop currents of one group: (n_group,) each."""
    group = view.circuit.groups[group_index]
    i_ext_pA = group.take(view.i_ext_pA)
    current_ids = {current for terms in slots for current, _ in terms}
    currents = {EXTERNAL: i_ext_pA}
    if any(current >= 0 for current in current_ids):
        currents |= dict(enumerate(received_pA(view, group_index)))
    if AXIAL in current_ids:
        states = view.before[group_index], view.cells[group_index]
        synaptic = view.syn.of(group.take)
        currents[AXIAL] = group.emitter.axial_pA(*states, i_ext_pA, synaptic, view.dt_ms)
    zeros = jnp.zeros_like(i_ext_pA)
    return [sum((sign * currents[current] for current, sign in terms), zeros) for terms in slots]
