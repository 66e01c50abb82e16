"""What a surrogate changes in a step: spikes have slopes, and no upstroke blows them up."""

from typing import Any

import jax
import jax.numpy as jnp

from jtfne.emitters import SynapticInput
from jtfne.engine._arrays import Circuit, joined
from jtfne.surrogates import Surrogate


def with_slopes(
    circuit: Circuit, surrogate: Surrogate, before: tuple[Any, ...], after: tuple[Any, ...], fired: list[jax.Array]
) -> jax.Array:
    """The spikes of a step as numbers, (n_cells,), from the states around it and who fired, one a group.

    Cells that only send hang on nothing: theirs have no slope.
    """
    sent = []
    for group, old, new, spiked in zip(circuit.groups, before, after, fired, strict=True):
        emitter: Any = group.emitter
        if getattr(emitter, "receives", True):
            sent.append(surrogate.spikes(spiked, emitter.excess(old, new).astype(circuit.drive_pA.dtype)))
        else:
            sent.append(spiked.astype(circuit.drive_pA.dtype))
    return joined(circuit, sent)


def steadied(
    circuit: Circuit, cells: tuple[Any, ...], i_ext_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
) -> tuple[Any, ...]:
    """The same states, from which a step with a surrogate carries no deviation of v on enlarged.

    Where v runs away, as in the upstroke of a quadratic or exponential cell, a deviation grows with it until the spike:
    it moves the spike in time, which a slope by v counts as spikes, a hundred times too many, at every synapse on the
    way. Only the derivative by v is divided, by what a step would enlarge it. Leaky cells have no such steps.
    """
    if circuit.surrogate is None or not circuit.surrogate.steadies:
        return cells
    return tuple(
        state._replace(v_mV=_divided(state.v_mV, _growth(group.emitter, state, group.take(i_ext_pA), syn_of, dt_ms)))
        for group, state, syn_of in zip(circuit.groups, cells, (syn.of(g.take) for g in circuit.groups), strict=True)
    )


def _growth(emitter: Any, state: Any, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float) -> jax.Array:
    """How much a step enlarges a deviation of v, at least 1: (n_group,)."""
    emitter, state, i_pA, syn = jax.lax.stop_gradient((emitter, state, i_pA, syn))

    def end_mV(v_mV: jax.Array) -> jax.Array:
        moved: jax.Array = emitter.step(state._replace(v_mV=v_mV), i_pA, syn, dt_ms)[0].v_mV
        return moved

    _, grown = jax.jvp(end_mV, (state.v_mV,), (jnp.ones_like(state.v_mV),))
    return jnp.maximum(jnp.abs(grown), 1.0)


@jax.custom_jvp
def _divided(x: jax.Array, by: jax.Array) -> jax.Array:
    """`x`, whose derivative alone is divided."""
    return x


@_divided.defjvp
def _divided_jvp(
    primals: tuple[jax.Array, jax.Array], tangents: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """By `x` alone."""
    return primals[0], tangents[0] / primals[1]
