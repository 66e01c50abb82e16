"""Rows of synaptic state -> what a cell sees of them, exponential currents and conductances, and what each brings."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jtfne.emitters import Conductances, SynapticInput
from jtfne.engine._arrays import Circuit, View
from jtfne.synapses import courses, unblocked


def input_of(
    circuit: Circuit,
    rows: jax.Array,
    second: jax.Array | None,
    v_mV: Callable[[], jax.Array],
    dt_ms: jax.Array | float,
    arriving: jax.Array | None,
) -> SynapticInput:
    """The input of the step that begins, from the rows of state of receptors, (n_receptors, n_cells), and the second.

    v_mV: the potentials (n_cells,) by which magnesium blocks, if it does. arriving: (n_receptors, n_cells), what
    arrives at the end of the step, of which the rows of jumps are read; None for nothing.
    """
    if circuit.only_currents and not circuit.second:
        return SynapticInput(rows, circuit.tau_syn_ms, dendrite_share=circuit.dendrite_share)
    conductive = circuit.conductive or (False,) * circuit.n_receptors
    seen = courses(rows, second, circuit.tau_syn_ms, circuit.second, dt_ms, conductive)
    jumping, no_row, no_number = circuit.jumping, rows[:0], circuit.tau_syn_ms[:0]
    currents = [course for course in seen if not conductive[course.receptor] and course.receptor not in jumping]
    currents.sort(key=lambda course: course.ramp is None)  # those with a ramp first, as SynapticInput has them
    ramps = [course.ramp for course in currents if course.ramp is not None]
    opened = [course for course in seen if conductive[course.receptor]]
    own, receptors = circuit.dendrite_share, [*(course.receptor for course in currents + opened), *jumping]
    currents_pA = SynapticInput(
        i_pA=_stacked([course.value for course in currents], no_row),
        tau_ms=_stacked([course.tau_ms for course in currents], no_number),
        dendrite_share=None if own is None else _stacked([own[receptor] for receptor in receptors], no_number),
        jumps_mV=_jumps_mV(circuit, rows, arriving) if jumping else None,
        ramp_pA_per_ms=jnp.stack(ramps) if ramps else None,
    )
    if circuit.e_rev_mV is None:
        return currents_pA
    g_nS = _stacked([_open(circuit, course.receptor, course.value, v_mV) for course in opened], no_row)
    g_tau_ms = _stacked([course.tau_ms for course in opened], no_number)
    e_rev_mV = _stacked([circuit.e_rev_mV[course.receptor] for course in opened], no_number)
    return currents_pA._replace(conductances=Conductances(g_nS, g_tau_ms, e_rev_mV))


def _jumps_mV(circuit: Circuit, rows: jax.Array, arriving: jax.Array | None) -> jax.Array:
    """The jumps of the step, (n_jumps, n_cells), of what arrives at its end; none of nothing."""
    arriving = jnp.zeros_like(rows) if arriving is None else arriving
    return jnp.stack([arriving[receptor] for receptor in circuit.jumping])


def _open(circuit: Circuit, receptor: int, g_nS: jax.Array, v_mV: Callable[[], jax.Array]) -> jax.Array:
    """What magnesium leaves of a conductance (n_cells,)."""
    if circuit.mg_mM is None or not circuit.blocked[receptor]:
        return g_nS
    return g_nS * unblocked(v_mV(), circuit.mg_mM[receptor])


def _stacked(parts: list[jax.Array], none: jax.Array) -> jax.Array:
    """Rows, or numbers, as one array; `none` if there are none. Of slices, which fuse where a gather does not."""
    return jnp.stack(parts) if parts else none


NO_CONDUCTANCE_nS = 1e-12
"""Below this, all conductances of a cell bring nothing: far below any weight, far above what float32 cannot hold."""


def received_pA(view: View, at: int) -> list[jax.Array]:
    """What each receptor brought into the cells of group `at`: (n_group,) each, inward, exact mean over the step.

    They sum to minus the synaptic term of the balance. Conductances share theirs at the one potential at which they
    sum to it: the mean over the step, by whatever scheme the cell was moved.
    """
    group = view.circuit.groups[at]
    syn = view.syn.of(group.take)
    currents, opened = _receptors_of_rows(view.circuit)
    found: list[Any] = [0.0] * view.circuit.n_receptors
    for receptor, mean_pA in zip(currents, syn.means_pA(view.dt_ms), strict=True):
        found[receptor] = found[receptor] + mean_pA
    jump_pA: Any = 0.0
    if view.circuit.jumping:
        emitter: Any = group.emitter
        # A cell whose membrane cannot jump is no target of a jump, but may stand in one circuit with such targets.
        can_jump = hasattr(emitter, "jumped_pA")
        rows_pA = emitter.jumped_pA(view.before[at], syn, view.dt_ms) if can_jump else jnp.zeros_like(syn.jumps_mV)
        jump_pA = rows_pA.sum(0)
        for row, receptor in enumerate(view.circuit.jumping):
            found[receptor] = rows_pA[row]
    if syn.conductances is not None and opened:
        g = syn.conductances
        share = -g.tau_ms / view.dt_ms * jnp.expm1(-view.dt_ms / g.tau_ms)
        mean_nS: dict[int, Any] = {}
        for row, receptor in enumerate(opened):
            mean_nS[receptor] = mean_nS.get(receptor, 0.0) + share[row] * g.g_nS[row]
        i_ext_pA = group.take(view.i_ext_pA)
        balance = group.emitter.balance(view.before[at], view.cells[at], i_ext_pA, syn, view.dt_ms)
        conducted_pA = -balance.synaptic - syn.mean_pA(view.dt_ms) - jump_pA
        total_nS, total_pA = g.mean(view.dt_ms)
        open_ = total_nS > NO_CONDUCTANCE_nS
        v_mV = (total_pA - conducted_pA) / jnp.where(open_, total_nS, 1.0)
        for receptor, each_nS in mean_nS.items():
            e_rev_mV = g.e_rev_mV[opened.index(receptor)]
            found[receptor] = jnp.where(open_, each_nS * (e_rev_mV - v_mV), 0.0)
    return found


def _receptors_of_rows(circuit: Circuit) -> tuple[list[int], list[int]]:
    """The receptor of each row of the currents, and of each of the conductances, that `input_of` tells a cell."""
    twice = {second.receptor for second in circuit.second if not second.linked}
    linked = {second.receptor for second in circuit.second if second.linked}
    receptors = (r for r in range(circuit.n_receptors) if r not in circuit.jumping)
    rows = [r for r in receptors for _ in range(1 + (r in twice))]
    conductive = circuit.conductive or (False,) * circuit.n_receptors
    currents = sorted((r for r in rows if not conductive[r]), key=lambda r: r not in linked)  # alpha functions first
    return currents, [r for r in rows if conductive[r]]
