"""One step: cells step from the state at its start, inputs arrive, spikes are sent."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jtfne import noise
from jtfne.delivery import EventDelivery, SpikingCells, pack
from jtfne.emitters import SynapticInput, find_method
from jtfne.engine._arrays import (
    Carry,
    Circuit,
    InputChunk,
    Inputs,
    PoissonState,
    View,
    scatter_groups,
)
from jtfne.engine._surrogate_step import clip_voltage_gradient, surrogate_spikes
from jtfne.engine._synaptic import build_synaptic_input
from jtfne.synapses import step_rise


def step_circuit(
    circuit: Circuit,
    inputs: Inputs,
    decay: jax.Array,
    dt_ms: jax.Array | float,
    carry: Carry,
    inputs_t: InputChunk,
    read_sums: Callable[[View], list[jax.Array]],
) -> tuple[Carry, jax.Array, View, list[jax.Array]]:
    """Return the state after one step, its packed spikes, its view, and the sums read of it.

    read_sums: adds what the recorders read of the view to their sums.

    read_sums: adds what the recorders read of the view to their sums.

    decay: the decay over one step of each receptor's current.
    """
    noise_state, cells, spike_mask, view = _step_cells(circuit, inputs, dt_ms, carry, inputs_t)
    sums = read_sums(view)
    spike_bits = pack(spike_mask) if circuit.leading is None else circuit.leading.words(spike_mask)
    next_carry = _receive_inputs(
        circuit, inputs, decay, dt_ms, carry, inputs_t, [spike_bits, *sums]
    )
    next_carry = next_carry._replace(cells=cells, noise=noise_state)
    next_carry = _deliver_spikes(circuit, next_carry, view.spikes, spike_bits, dt_ms)
    return next_carry._replace(step=carry.step + 1), spike_bits, view, sums


def replay_step(
    circuit: Circuit,
    inputs: Inputs,
    decay: jax.Array,
    dt_ms: jax.Array | float,
    carry: Carry,
    inputs_t: InputChunk,
    read_sums: Callable[[View], list[jax.Array]],
    spikes_t: SpikingCells,
) -> tuple[Carry, View, list[jax.Array]]:
    """Run `step_circuit` without cells, from known spikes; cells get the same input to the bit.

    The view has no cells and no spikes.
    """
    noise_state, i_ext_pA = _external_current(circuit, inputs, carry, inputs_t, dt_ms)
    no_spikes = jnp.zeros(circuit.n_cells, bool)
    view = View(circuit, (), (), synaptic_input(circuit, carry, dt_ms), i_ext_pA, no_spikes, dt_ms)
    sums = read_sums(view)
    next_carry = _receive_inputs(circuit, inputs, decay, dt_ms, carry, inputs_t, sums)._replace(
        noise=noise_state
    )
    if isinstance(circuit.delivery, EventDelivery) and next_carry.ring is not None:
        next_carry = next_carry._replace(
            ring=circuit.delivery.deliver_known(next_carry.ring, spikes_t, carry.step)
        )
    return next_carry._replace(step=carry.step + 1), view, sums


def _receive_inputs(
    circuit: Circuit,
    inputs: Inputs,
    decay: jax.Array,
    dt_ms: jax.Array | float,
    carry: Carry,
    inputs_t: InputChunk,
    dependencies: list[jax.Array],
) -> Carry:
    """Return the state with what arrives at the end of a step.

    dependencies: arrays read from the state at the step's start; they are computed before it is
    replaced.
    """
    rise_rows = _step_rise(circuit, carry, dt_ms)
    read_step = _order_after(carry.step, [*dependencies, *rise_rows])
    syn, ring, poisson = _update_synapses(circuit, inputs, decay, carry, inputs_t, read_step)
    fluctuations = _step_ou(inputs, carry, dt_ms)
    rise_state = rise_rows[0] if rise_rows else None
    return carry._replace(
        syn=syn, ring=ring, poisson=poisson, fluctuations=fluctuations, second_rows=rise_state
    )


def _step_cells(
    circuit: Circuit, inputs: Inputs, dt_ms: jax.Array | float, carry: Carry, inputs_t: InputChunk
) -> tuple[noise.Streams | None, tuple[Any, ...], jax.Array, View]:
    """Return noise state, cells, who spiked (bool) and the view of a step.

    All cells step from the state at the start of the step.
    """
    noise_state, i_ext_pA = _external_current(circuit, inputs, carry, inputs_t, dt_ms)
    syn = synaptic_input(circuit, carry, dt_ms, _read_arrivals(circuit, inputs, carry, inputs_t))
    start_states = clip_voltage_gradient(circuit, carry.cells, i_ext_pA, syn, dt_ms)
    end_states, spikes_by_group = [], []
    for group, state in zip(circuit.groups, start_states, strict=True):
        group_input = group.take(i_ext_pA), syn.select_cells(group.take)
        end_state, group_spikes = group.emitter.step(state, *group_input, dt_ms)
        end_states.append(end_state)
        spikes_by_group.append(group_spikes)
    cells = tuple(end_states)
    spike_mask = scatter_groups(circuit, spikes_by_group)
    spikes = (
        spike_mask
        if circuit.surrogate is None
        else surrogate_spikes(circuit, circuit.surrogate, start_states, cells, spikes_by_group)
    )
    return (
        noise_state,
        cells,
        spike_mask,
        View(circuit, carry.cells, cells, syn, i_ext_pA, spikes, dt_ms),
    )


def _order_after(step: jax.Array, dependencies: list[jax.Array]) -> jax.Array:
    """Return `step` with a false data dependency on arrays: what is added is 0, unseen by XLA.

    Whatever then indexes the ring buffer with it comes after all that reads the old currents, so
    that XLA updates them in place and need not copy them.
    """
    for array in dependencies:
        # shifted, the bits of any float are an int32 >= 0: its minimum with 0 is always 0
        bits = jax.lax.bitcast_convert_type(array.reshape(-1)[0].astype(jnp.float32), jnp.uint32)
        step = step + jnp.minimum((bits >> 1).astype(jnp.int32), 0)
    return step


def _deliver_spikes(
    circuit: Circuit,
    carry: Carry,
    spikes: jax.Array,
    spike_bits: jax.Array,
    dt_ms: jax.Array | float,
) -> Carry:
    """Return the state with the spikes of its step written into the ring buffer."""
    ring, plastic_states = carry.ring, []
    if ring is None:
        return carry
    if circuit.delivery is not None:
        ring = circuit.delivery.deliver(ring, spikes, spike_bits, carry.step)
    for plastic_delivery, state in zip(circuit.plastic, carry.plastic, strict=True):
        ring, state = plastic_delivery.deliver(ring, state, spikes, spike_bits, carry.step, dt_ms)
        plastic_states.append(state)
    return carry._replace(ring=ring, plastic=tuple(plastic_states))


def _update_synapses(
    circuit: Circuit,
    inputs: Inputs,
    decay: jax.Array,
    carry: Carry,
    inputs_t: InputChunk,
    read_step: jax.Array,
) -> tuple[jax.Array, jax.Array | None, tuple[PoissonState, ...]]:
    """Decay the synaptic currents and add this step's arrivals (delayed and stimulus spikes).

    Returns the currents (n_receptors * n_cells,), the ring with its slot cleared, the Poisson
    states.
    """
    syn, ring = carry.syn, carry.ring
    # 0 to us, unknown to XLA: it keeps the sums below from being fused or rounded another way
    zero = jnp.minimum(read_step, 0).astype(syn.dtype)
    if len(circuit.jumping) < circuit.n_receptors:
        syn = _decay_factors(circuit, decay, read_step) * syn
        if circuit.leading is not None and ring is not None:
            syn = syn + circuit.leading.ring.read_slot(ring, read_step)
        else:
            syn = syn + zero
        syn = _add_stimuli(circuit, inputs, syn, carry, inputs_t, zero, jumps=False)
    poisson = tuple(
        PoissonState(*noise.poisson(poisson_state.streams, poisson_input.thresholds))
        for poisson_input, poisson_state in zip(inputs.poisson, carry.poisson, strict=True)
    )
    if circuit.leading is not None and ring is not None:
        ring = circuit.leading.ring.clear_slot(ring, read_step, syn)
    return syn, ring, poisson


def _step_rise(circuit: Circuit, carry: Carry, dt_ms: jax.Array | float) -> list[jax.Array]:
    """Return the second rows of state after the step, flat, or [] if no receptor has one."""
    if carry.second_rows is None:
        return []
    first_rows, second_rows = (
        rows.reshape(-1, circuit.n_cells) for rows in (carry.syn, carry.second_rows)
    )
    return [
        step_rise(first_rows, second_rows, circuit.tau_syn_ms, circuit.rise_states, dt_ms).reshape(
            -1
        )
    ]


def _external_current(
    circuit: Circuit, inputs: Inputs, carry: Carry, inputs_t: InputChunk, dt_ms: jax.Array | float
) -> tuple[noise.Streams | None, jax.Array]:
    """Return the noise state, and drive + stimuli + noise * sqrt(1 ms / dt): (n_cells,) pA.

    The current is constant over the step.
    """
    i_ext_pA = circuit.drive_pA
    # not a matrix product, which XLA would not fuse into the step
    for k in range(inputs.patterns_pA.shape[0]):
        i_ext_pA = i_ext_pA + inputs_t.waveforms[k] * inputs.patterns_pA[k]
    for k, (fluctuation, ou_state) in enumerate(
        zip(inputs.fluctuations, carry.fluctuations, strict=True), len(inputs.poisson)
    ):
        i_ext_pA = i_ext_pA + inputs_t.gates[k] * fluctuation.sd_pA * ou_state.x
    if circuit.noise_pA is None or carry.noise is None:
        return None, i_ext_pA
    noise_state, normals = noise.normal(carry.noise, i_ext_pA.dtype)
    return noise_state, i_ext_pA + circuit.noise_pA * jnp.sqrt(1.0 / dt_ms).astype(
        normals.dtype
    ) * normals


def _step_ou(inputs: Inputs, carry: Carry, dt_ms: jax.Array | float) -> tuple[noise.OUState, ...]:
    """Return the states of the Ornstein-Uhlenbeck currents for the next step."""
    pairs = zip(carry.fluctuations, inputs.fluctuations, strict=True)
    return tuple(
        noise.step_ou(ou_state, dt_ms / fluctuation.tau_ms) for ou_state, fluctuation in pairs
    )


def _decay_factors(circuit: Circuit, decay: jax.Array, read_step: jax.Array) -> jax.Array:
    """Return the decay factor of each synaptic current, (n_receptors * n_cells,).

    By adding 0 in the form of `read_step` it is computed where it is used, and not once for all
    steps and then read from memory in each.
    """
    position = jax.lax.iota(jnp.int32, decay.shape[0] * circuit.n_cells) + jnp.minimum(read_step, 0)
    decays = jnp.zeros(position.shape, decay.dtype)
    for r in range(decay.shape[0]):
        decays = jnp.where(position >= r * circuit.n_cells, decay[r], decays)
    return decays


def _read_arrivals(
    circuit: Circuit, inputs: Inputs, carry: Carry, inputs_t: InputChunk
) -> jax.Array | None:
    """Return what arrives at the end of the step that begins, (n_receptors, n_cells).

    Only the rows of jumps are right. None without jumps: all else is read once it has arrived.
    Delays are a step or more, so that everything is in the ring already.
    """
    if not circuit.jumping:
        return None
    arriving = jnp.zeros_like(carry.syn)
    if circuit.leading is not None and carry.ring is not None:
        arriving = circuit.leading.ring.read_slot(carry.ring, carry.step)
    zero = jnp.minimum(carry.step, 0).astype(arriving.dtype)  # 0 to us, unknown to XLA
    arriving = _add_stimuli(circuit, inputs, arriving, carry, inputs_t, zero, jumps=True)
    return arriving.reshape(circuit.n_receptors, circuit.n_cells)


def _add_stimuli(
    circuit: Circuit,
    inputs: Inputs,
    syn: jax.Array,
    carry: Carry,
    inputs_t: InputChunk,
    zero: jax.Array,
    *,
    jumps: bool,
) -> jax.Array:
    """Add this step's stimulus spikes to the receptors' rows.

    jumps: whether to the receptors that are jumps, or to the others. syn: the rows, flat. zero: 0,
    added to each product before the sum, or else the compiler may contract both into one rounding,
    which it does or not by how the stimuli are laid out: those of one cell would then depend on
    those of others.
    """
    for k, (poisson_input, poisson_state) in enumerate(
        zip(inputs.poisson, carry.poisson, strict=True)
    ):
        if (poisson_input.receptor in circuit.jumping) is not jumps:
            continue
        n_targets = poisson_input.n_targets(circuit.n_cells)
        charge = (
            inputs_t.gates[k] * poisson_input.weight * poisson_state.waiting.astype(syn.dtype)
            + zero
        )
        charges = jnp.broadcast_to(charge, (n_targets,))
        row = poisson_input.receptor * circuit.n_cells
        if poisson_input.targets is None:
            n_after = syn.shape[0] - row - n_targets
            syn = syn + (jnp.pad(charges, (row, n_after)) if row or n_after else charges)
        else:
            syn = syn.at[row + poisson_input.targets].add(
                charges, mode="promise_in_bounds", unique_indices=True
            )
    return add_spikes(circuit, inputs, syn, inputs_t.counts, zero, jumps=jumps)


def add_spikes(
    circuit: Circuit,
    inputs: Inputs,
    syn: jax.Array,
    counts: tuple[jax.Array, ...],
    zero: jax.Array | float = 0.0,
    *,
    jumps: bool,
) -> jax.Array:
    """Add spikes at given times to the receptors' rows.

    jumps: whether to the receptors that are jumps, or to the others. syn: the rows, flat. counts:
    one (n_columns,) for each of `inputs.trains`. zero: as in `_add_stimuli`.
    """
    for trains, spikes in zip(inputs.trains, counts, strict=True):
        if (trains.receptor in circuit.jumping) is not jumps:
            continue
        row = trains.receptor * circuit.n_cells
        charges = trains.weight * spikes.astype(syn.dtype)[trains.train] + zero
        syn = syn + jnp.pad(charges, (row, syn.shape[0] - row - circuit.n_cells))
    return syn


def add_first_spikes(
    circuit: Circuit,
    inputs: Inputs,
    carry: Carry,
    counts: tuple[jax.Array, ...],
    dt_ms: jax.Array | float,
) -> Carry:
    """Return the state before the first step with the spikes that act from its start on.

    counts: as in `add_spikes`.
    """
    syn = add_spikes(circuit, inputs, carry.syn, counts, jumps=False)
    if not circuit.jumping:
        return carry._replace(syn=syn)
    arriving = add_spikes(circuit, inputs, jnp.zeros_like(carry.syn), counts, jumps=True)
    jumps = synaptic_input(
        circuit, carry, dt_ms, arriving.reshape(circuit.n_receptors, circuit.n_cells)
    )
    cells = tuple(
        find_method(group.emitter, "jump")(state, jumps.select_cells(group.take))
        for group, state in zip(circuit.groups, carry.cells, strict=True)
    )
    return carry._replace(syn=syn, cells=cells)


def synaptic_input(
    circuit: Circuit, carry: Carry, dt_ms: jax.Array | float, arriving: jax.Array | None = None
) -> SynapticInput:
    """Return the synaptic input of the step that begins.

    arriving: as in `build_synaptic_input`; without it no jump arrives.
    """

    def v_mV() -> jax.Array:
        return scatter_groups(circuit, [state.v_mV for state in carry.cells])

    second_rows = (
        None if carry.second_rows is None else carry.second_rows.reshape(-1, circuit.n_cells)
    )
    return build_synaptic_input(
        circuit, carry.syn.reshape(-1, circuit.n_cells), second_rows, v_mV, dt_ms, arriving
    )
