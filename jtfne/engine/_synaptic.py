"""Rows of synaptic state -> what a cell sees of them, exponential currents and conductances, and what each brings."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jtfne.emitters import Conductances, SynapticInput
from jtfne.engine._arrays import Circuit, View
from jtfne.synapses import exponentials, unblocked


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
    seen = exponentials(rows, second, circuit.tau_syn_ms, circuit.second, dt_ms)
    conductive = circuit.conductive or (False,) * circuit.n_receptors
    jumping = circuit.jumping
    currents = [each for each in seen if not conductive[each[0]] and each[0] not in jumping]
    opened = [each for each in seen if conductive[each[0]]]
    jumps_mV = None
    if jumping:
        arriving = jnp.zeros_like(rows) if arriving is None else arriving
        jumps_mV = jnp.stack([arriving[receptor] for receptor in jumping])
    no_row, no_number = rows[:0], circuit.tau_syn_ms[:0]
    i_pA = _stacked([row for _, row, _ in currents], no_row)
    tau_ms = _stacked([tau for *_, tau in currents], no_number)
    own = circuit.dendrite_share
    receptors = [*(k for k, *_ in currents + opened), *jumping]
    at = None if own is None else _stacked([own[k] for k in receptors], no_number)
    if circuit.e_rev_mV is None:
        return SynapticInput(i_pA, tau_ms, dendrite_share=at, jumps_mV=jumps_mV)
    g_nS = _stacked([_open(circuit, k, row, v_mV) for k, row, _ in opened], no_row)
    g_tau_ms = _stacked([tau for *_, tau in opened], no_number)
    e_rev_mV = _stacked([circuit.e_rev_mV[k] for k, *_ in opened], no_number)
    return SynapticInput(i_pA, tau_ms, Conductances(g_nS, g_tau_ms, e_rev_mV), at, jumps_mV)


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
    share = -syn.tau_ms / view.dt_ms * jnp.expm1(-view.dt_ms / syn.tau_ms)
    for row, receptor in enumerate(currents):
        found[receptor] = found[receptor] + share[row] * syn.i_pA[row]
    jump_pA: Any = 0.0
    if view.circuit.jumping:
        emitter: Any = group.emitter
        rows_pA = emitter.jumped_pA(view.before[at], syn, view.dt_ms)
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
    twice = {each.receptor for each in circuit.second if not each.linked}
    receptors = (r for r in range(circuit.n_receptors) if r not in circuit.jumping)
    rows = [r for r in receptors for _ in range(1 + (r in twice))]
    conductive = circuit.conductive or (False,) * circuit.n_receptors
    return [r for r in rows if not conductive[r]], [r for r in rows if conductive[r]]
