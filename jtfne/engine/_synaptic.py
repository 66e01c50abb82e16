"""From rows of synaptic state to the input of cells, and to the current of each receptor."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jtfne.emitters import Conductances, SynapticInput, find_method
from jtfne.engine._arrays import Circuit, View
from jtfne.synapses import courses


def build_synaptic_input(
    circuit: Circuit,
    rows: jax.Array,
    second_rows: jax.Array | None,
    v_mV: Callable[[], jax.Array],
    dt_ms: jax.Array | float,
    arriving: jax.Array | None,
) -> SynapticInput:
    """Return the synaptic input of the step that begins, from the receptors' rows of state.

    rows: (n_receptors, n_cells); second_rows: their second rows. v_mV: the potentials (n_cells,) by
    which gates open. arriving: (n_receptors, n_cells), what arrives at the end of
    the step, of which the rows of jumps are read; None for nothing.
    """
    if circuit.only_currents and not circuit.rise_states:
        return SynapticInput(rows, circuit.tau_syn_ms, dendrite_share=circuit.dendrite_share)
    conductive = circuit.conductive or (False,) * circuit.n_receptors
    all_courses = courses(
        rows, second_rows, circuit.tau_syn_ms, circuit.rise_states, dt_ms, conductive
    )
    jumping, no_row, no_number = circuit.jumping, rows[:0], circuit.tau_syn_ms[:0]
    current_courses, conductance_courses, ramps = [], [], []
    for course in all_courses:
        if conductive[course.receptor]:
            conductance_courses.append(course)
        elif course.receptor not in jumping:
            current_courses.append(course)
            if course.ramp is not None:
                ramps.append(course.ramp)
    # Courses with a ramp come first, as SynapticInput has them.
    current_courses.sort(key=lambda course: course.ramp is None)
    shares = circuit.dendrite_share
    if shares is not None:
        receptors = [course.receptor for course in current_courses + conductance_courses]
        shares = _stack_rows([shares[receptor] for receptor in (*receptors, *jumping)], no_number)
    currents_pA = SynapticInput(
        i_pA=_stack_rows([course.value for course in current_courses], no_row),
        tau_ms=_stack_rows([course.tau_ms for course in current_courses], no_number),
        dendrite_share=shares,
        jumps_mV=_jumps_mV(circuit, rows, arriving) if jumping else None,
        ramp_pA_per_ms=jnp.stack(ramps) if ramps else None,
    )
    if circuit.e_rev_mV is None:
        return currents_pA
    g_nS, g_tau_ms, e_rev_mV = [], [], []
    for course in conductance_courses:
        g_nS.append(_apply_gate(circuit, course.receptor, course.value, v_mV))
        g_tau_ms.append(course.tau_ms)
        e_rev_mV.append(circuit.e_rev_mV[course.receptor])
    conductances = Conductances(
        _stack_rows(g_nS, no_row),
        _stack_rows(g_tau_ms, no_number),
        _stack_rows(e_rev_mV, no_number),
    )
    return currents_pA._replace(conductances=conductances)


def _jumps_mV(circuit: Circuit, rows: jax.Array, arriving: jax.Array | None) -> jax.Array:
    """Return the jumps at the end of the step, (n_jumps, n_cells); zeros if nothing arrives."""
    arriving = jnp.zeros_like(rows) if arriving is None else arriving
    return jnp.stack([arriving[receptor] for receptor in circuit.jumping])


def _apply_gate(
    circuit: Circuit, receptor: int, g_nS: jax.Array, v_mV: Callable[[], jax.Array]
) -> jax.Array:
    """Return the open part of a conductance (n_cells,): all of it if its receptor has no gate."""
    synapse = circuit.gates[receptor] if circuit.gates else None
    return g_nS if synapse is None else g_nS * synapse.gate(v_mV())


def _stack_rows(parts: list[jax.Array], none: jax.Array) -> jax.Array:
    """Stack rows, or numbers, into one array; return `none` if there are none.

    Slices are stacked and not gathered, since XLA fuses a slice and not a gather.
    """
    return jnp.stack(parts) if parts else none


NO_CONDUCTANCE_nS = 1e-12
"""Below this sum, the conductances of a cell count as zero.

It is far below any weight, and far above what float32 cannot hold.
"""


def received_pA(view: View, group_index: int) -> list[jax.Array]:
    """Return the current from each receptor into the cells of one group, (n_group,) each, inward.

    Exact means over the step; they sum to minus the synaptic term of the balance. Conductances
    share theirs at the one potential at which they sum to it: the mean over the step, by whatever
    scheme the cell was stepped.
    """
    group = view.circuit.groups[group_index]
    syn = view.syn.select_cells(group.take)
    current_receptors, conductance_receptors = _list_row_receptors(view.circuit)
    receptor_pA: list[Any] = [0.0] * view.circuit.n_receptors
    for receptor, mean_pA in zip(current_receptors, syn.means_pA(view.dt_ms), strict=True):
        receptor_pA[receptor] = receptor_pA[receptor] + mean_pA
    jump_pA: Any = 0.0
    if view.circuit.jumping:
        # A cell whose membrane cannot jump is no target of a jump, but may stand in one circuit
        # with such targets: its rows are 0.
        jumped_pA = find_method(group.emitter, "jumped_pA")
        rows_pA = jumped_pA(view.before[group_index], syn, view.dt_ms)
        jump_pA = rows_pA.sum(0)
        for row, receptor in enumerate(view.circuit.jumping):
            receptor_pA[receptor] = rows_pA[row]
    if syn.conductances is not None and conductance_receptors:
        g = syn.conductances
        share = -g.tau_ms / view.dt_ms * jnp.expm1(-view.dt_ms / g.tau_ms)
        mean_nS: dict[int, Any] = {}
        for row, receptor in enumerate(conductance_receptors):
            mean_nS[receptor] = mean_nS.get(receptor, 0.0) + share[row] * g.g_nS[row]
        i_ext_pA = group.take(view.i_ext_pA)
        balance = group.emitter.balance(
            view.before[group_index], view.cells[group_index], i_ext_pA, syn, view.dt_ms
        )
        conducted_pA = -balance.synaptic - syn.mean_pA(view.dt_ms) - jump_pA
        total_nS, total_pA = g.mean(view.dt_ms)
        is_open = total_nS > NO_CONDUCTANCE_nS
        v_mV = (total_pA - conducted_pA) / jnp.where(is_open, total_nS, 1.0)
        for receptor, receptor_nS in mean_nS.items():
            e_rev_mV = g.e_rev_mV[conductance_receptors.index(receptor)]
            receptor_pA[receptor] = jnp.where(is_open, receptor_nS * (e_rev_mV - v_mV), 0.0)
    return receptor_pA


def _list_row_receptors(circuit: Circuit) -> tuple[list[int], list[int]]:
    """Return the receptor of each row of currents, and of conductances.

    In the order of `build_synaptic_input`.
    """
    double_rows = {rise.receptor for rise in circuit.rise_states if not rise.equal_taus}
    alpha_receptors = {rise.receptor for rise in circuit.rise_states if rise.equal_taus}
    conductive = circuit.conductive or (False,) * circuit.n_receptors
    currents: list[int] = []
    conductances: list[int] = []
    for receptor in range(circuit.n_receptors):
        if receptor not in circuit.jumping:
            rows = conductances if conductive[receptor] else currents
            rows += [receptor] * (2 if receptor in double_rows else 1)
    # Alpha functions come first, as their ramps do in `SynapticInput`.
    currents.sort(key=lambda receptor: receptor not in alpha_receptors)
    return currents, conductances
