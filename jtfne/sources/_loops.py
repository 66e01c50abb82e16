"""Loop currents: what enters a cell at one place returns at another, and nothing is left over."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._tree import register
from jtfne.engine import Circuit, View, received_pA, scatter_groups

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
        return circuit.only_currents and not any(AXIAL in _list_currents(g) for g in self.slots)

    def read(self, view: View) -> jax.Array:
        """Return the mean over the step, (n_loops, n_cells) pA."""
        groups = [_sum_loops(view, index, slots) for index, slots in enumerate(self.slots)]
        return stack_groups(view.circuit, groups)


def stack_groups(circuit: Circuit, groups: list[list[jax.Array]]) -> jax.Array:
    """Rows of all cells, (n_rows, n_cells), from the rows of each group, (n_group,) each."""
    rows_of_groups = zip(*groups, strict=True)
    return jnp.stack([scatter_groups(circuit, list(rows)) for rows in rows_of_groups])


def _list_currents(slots: tuple[Terms, ...]) -> set[int]:
    """The numbers of the currents that loops are sums of."""
    currents: set[int] = set()
    for terms in slots:
        currents |= {current for current, _ in terms}
    return currents


def _sum_loops(view: View, group_index: int, slots: tuple[Terms, ...]) -> list[jax.Array]:
    """Return the loop currents of one group: (n_group,) each."""
    group = view.circuit.groups[group_index]
    i_ext_pA = group.take(view.i_ext_pA)
    current_ids = _list_currents(slots)
    currents = {EXTERNAL: i_ext_pA}
    if current_ids - {EXTERNAL, AXIAL}:  # of receptors
        currents |= dict(enumerate(received_pA(view, group_index)))
    if AXIAL in current_ids:
        states = view.before[group_index], view.cells[group_index]
        synaptic = view.syn.select_cells(group.take)
        currents[AXIAL] = group.emitter.axial_pA(*states, i_ext_pA, synaptic, view.dt_ms)
    loops_pA = []
    for terms in slots:
        loop_pA = jnp.zeros_like(i_ext_pA)
        for current, sign in terms:
            loop_pA = loop_pA + sign * currents[current]
        loops_pA.append(loop_pA)
    return loops_pA
