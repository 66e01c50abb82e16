"""Rows of synaptic state -> what a cell sees of them: exponential currents and conductances."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jtfne.emitters import Conductances, SynapticInput
from jtfne.engine._arrays import Circuit
from jtfne.synapses import exponentials, unblocked


def input_of(
    circuit: Circuit,
    rows: jax.Array,
    second: jax.Array | None,
    v_mV: Callable[[], jax.Array],
    dt_ms: jax.Array | float,
) -> SynapticInput:
    """The input of the step that begins, from the rows of state of receptors, (n_receptors, n_cells), and the second.

    v_mV: the potentials (n_cells,) by which magnesium blocks, if it does.
    """
    if circuit.e_rev_mV is None and not circuit.second:
        return SynapticInput(rows, circuit.tau_syn_ms, dendrite_share=circuit.dendrite_share)
    seen = exponentials(rows, second, circuit.tau_syn_ms, circuit.second, dt_ms)
    conductive = circuit.conductive or (False,) * len(seen)
    currents, opened = ([each for each in seen if conductive[each[0]] is kind] for kind in (False, True))
    no_row, no_number = rows[:0], circuit.tau_syn_ms[:0]
    i_pA = _stacked([row for _, row, _ in currents], no_row)
    tau_ms = _stacked([tau for *_, tau in currents], no_number)
    own = circuit.dendrite_share
    at = None if own is None else _stacked([own[k] for k, *_ in currents + opened], no_number)
    if circuit.e_rev_mV is None:
        return SynapticInput(i_pA, tau_ms, dendrite_share=at)
    g_nS = _stacked([_open(circuit, k, row, v_mV) for k, row, _ in opened], no_row)
    g_tau_ms = _stacked([tau for *_, tau in opened], no_number)
    e_rev_mV = _stacked([circuit.e_rev_mV[k] for k, *_ in opened], no_number)
    return SynapticInput(i_pA, tau_ms, Conductances(g_nS, g_tau_ms, e_rev_mV), at)


def _open(circuit: Circuit, receptor: int, g_nS: jax.Array, v_mV: Callable[[], jax.Array]) -> jax.Array:
    """What magnesium leaves of a conductance (n_cells,)."""
    if circuit.mg_mM is None or not circuit.blocked[receptor]:
        return g_nS
    return g_nS * unblocked(v_mV(), circuit.mg_mM[receptor])


def _stacked(parts: list[jax.Array], none: jax.Array) -> jax.Array:
    """Rows, or numbers, as one array; `none` if there are none. Of slices, which fuse where a gather does not."""
    return jnp.stack(parts) if parts else none
