"""What a surrogate changes in a step: spikes have gradients, and no upstroke makes them explode."""

from typing import Any

import jax
import jax.numpy as jnp

from jtfne.emitters import Emitter, SynapticInput, can_receive, find_method
from jtfne.engine._arrays import Circuit, scatter_groups
from jtfne.surrogates import Surrogate


def surrogate_spikes(
    circuit: Circuit,
    surrogate: Surrogate,
    states_before: tuple[Any, ...],
    states_after: tuple[Any, ...],
    masks_by_group: list[jax.Array],
) -> jax.Array:
    """Return the spikes of a step as numbers with a surrogate gradient, (n_cells,).

    states_before, states_after: the groups' states around the step; masks_by_group: who spiked, one
    array a group. Cells that only send have a zero gradient, since they depend on nothing.
    """
    spikes_by_group = []
    for group, state_before, state_after, group_spikes in zip(
        circuit.groups, states_before, states_after, masks_by_group, strict=True
    ):
        dtype = circuit.drive_pA.dtype
        if not can_receive(group.emitter):
            spikes_by_group.append(group_spikes.astype(dtype))
            continue
        measure_distance = find_method(group.emitter, "threshold_distance")
        distance = measure_distance(state_before, state_after).astype(dtype)
        spikes_by_group.append(surrogate.spikes(group_spikes, distance))
    return scatter_groups(circuit, spikes_by_group)


def clip_voltage_gradient(
    circuit: Circuit,
    cells: tuple[Any, ...],
    i_ext_pA: jax.Array,
    syn: SynapticInput,
    dt_ms: jax.Array | float,
) -> tuple[Any, ...]:
    """Return the states unchanged; in the backward pass dv/dv of a step is at most 1.

    Where v runs away, as in the upstroke of a quadratic or exponential cell, a deviation grows with
    it until the spike: it moves the spike in time, which a gradient by v counts as spikes, a
    hundred times too many, at every synapse on the way. Only the derivative by v is divided, by the
    factor by which the step would enlarge it. Leaky cells have no such steps.
    """
    if circuit.surrogate is None or not circuit.surrogate.steadies:
        return cells
    states = []
    for group, state in zip(circuit.groups, cells, strict=True):
        growth = _growth(
            group.emitter, state, group.take(i_ext_pA), syn.select_cells(group.take), dt_ms
        )
        states.append(state._replace(v_mV=_divide_gradient(state.v_mV, growth)))
    return tuple(states)


def _growth(
    emitter: Emitter, state: Any, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
) -> jax.Array:
    """Return the factor by which a step enlarges a deviation of v, at least 1: (n_group,)."""
    emitter, state, i_pA, syn = jax.lax.stop_gradient((emitter, state, i_pA, syn))

    def end_mV(v_mV: jax.Array) -> jax.Array:
        v_end_mV: jax.Array = emitter.step(state._replace(v_mV=v_mV), i_pA, syn, dt_ms)[0].v_mV
        return v_end_mV

    _, derivative = jax.jvp(end_mV, (state.v_mV,), (jnp.ones_like(state.v_mV),))
    return jnp.maximum(jnp.abs(derivative), 1.0)


@jax.custom_jvp
def _divide_gradient(x: jax.Array, divisor: jax.Array) -> jax.Array:
    """Return `x`; its derivative is divided by `divisor`."""
    return x


@_divide_gradient.defjvp
def _divide_gradient_jvp(
    primals: tuple[jax.Array, jax.Array], tangents: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """Differentiate by `x` alone."""
    return primals[0], tangents[0] / primals[1]
