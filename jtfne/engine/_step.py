"""One step: cells move under what stood at its start, inputs arrive, spikes set out."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jtfne import noise
from jtfne.delivery import EventDelivery, Spiked, pack
from jtfne.emitters import SynapticInput
from jtfne.engine._arrays import Carry, Circuit, Clock, Inputs, Rain, View, joined
from jtfne.engine._slopes import steadied, with_slopes
from jtfne.engine._synaptic import input_of
from jtfne.synapses import advanced


def stepped(
    circuit: Circuit,
    inputs: Inputs,
    decay: jax.Array,
    dt_ms: jax.Array | float,
    carry: Carry,
    tick: Clock,
    watch: Callable[[View], list[jax.Array]],
) -> tuple[Carry, jax.Array, View, list[jax.Array]]:
    """The state after a step, its spikes as words, and what `watch` made of it. decay: of each row of currents."""
    noise_state, cells, fired, view = _moved(circuit, inputs, dt_ms, carry, tick)
    seen = watch(view)
    words = pack(fired) if circuit.leading is None else circuit.leading.words(fired)
    after = _received(circuit, inputs, decay, dt_ms, carry, tick, [words, *seen])
    after = after._replace(cells=cells, noise=noise_state)
    after = _delivered(circuit, after, view.spikes, words, dt_ms)
    return after._replace(step=carry.step + 1), words, view, seen


def followed(
    circuit: Circuit,
    inputs: Inputs,
    decay: jax.Array,
    dt_ms: jax.Array | float,
    carry: Carry,
    tick: Clock,
    watch: Callable[[View], list[jax.Array]],
    spiked: Spiked,
) -> tuple[Carry, View, list[jax.Array]]:
    """`stepped` without cells, whose spikes are known: what reaches the cells is the same, to the bit.

    The view has no cells and no spikes.
    """
    noise_state, i_ext_pA = _external(circuit, inputs, carry, tick, dt_ms)
    silent = jnp.zeros(circuit.n_cells, bool)
    view = View(circuit, (), (), synaptic_input(circuit, carry, dt_ms), i_ext_pA, silent, dt_ms)
    seen = watch(view)
    after = _received(circuit, inputs, decay, dt_ms, carry, tick, seen)._replace(noise=noise_state)
    if isinstance(circuit.delivery, EventDelivery) and after.ring is not None:
        after = after._replace(ring=circuit.delivery.deliver_known(after.ring, spiked, carry.step))
    return after._replace(step=carry.step + 1), view, seen


def _received(
    circuit: Circuit,
    inputs: Inputs,
    decay: jax.Array,
    dt_ms: jax.Array | float,
    carry: Carry,
    tick: Clock,
    made: list[jax.Array],
) -> Carry:
    """The state with what arrives at the end of a step, once all is `made` that reads what stood at its start."""
    second = _second(circuit, carry, dt_ms)
    now = _told_after(carry.step, [*made, *second])
    syn, ring, poisson = _arrived(circuit, inputs, decay, carry, tick, now)
    fluctuations = _wandered(inputs, carry, dt_ms)
    rows = second[0] if second else None
    return carry._replace(syn=syn, ring=ring, poisson=poisson, fluctuations=fluctuations, second=rows)


def _moved(
    circuit: Circuit, inputs: Inputs, dt_ms: jax.Array | float, carry: Carry, tick: Clock
) -> tuple[noise.Streams | None, tuple[Any, ...], jax.Array, View]:
    """The first half of a step: cells move under what stood at its start. Also who fired, bool."""
    noise_state, i_ext_pA = _external(circuit, inputs, carry, tick, dt_ms)
    syn = synaptic_input(circuit, carry, dt_ms, _arriving(circuit, inputs, carry, tick))
    start = steadied(circuit, carry.cells, i_ext_pA, syn, dt_ms)
    stepped = [
        group.emitter.step(state, group.take(i_ext_pA), syn.of(group.take), dt_ms)
        for group, state in zip(circuit.groups, start, strict=True)
    ]
    cells = tuple(state for state, _ in stepped)
    each = [spiked for _, spiked in stepped]
    fired = joined(circuit, each)
    spikes = fired if circuit.surrogate is None else with_slopes(circuit, circuit.surrogate, start, cells, each)
    return noise_state, cells, fired, View(circuit, carry.cells, cells, syn, i_ext_pA, spikes, dt_ms)


def _told_after(step: jax.Array, made: list[jax.Array]) -> jax.Array:
    """`step`, known once all of `made` is: what is added is 0, which XLA cannot tell.

    What asks the ring for this step then comes after all that reads the old currents, so that they need no copy.
    """
    for each in made:
        bits = jax.lax.bitcast_convert_type(each.reshape(-1)[0].astype(jnp.float32), jnp.uint32)
        step = step + jnp.minimum((bits >> 1).astype(jnp.int32), 0)
    return step


def _delivered(circuit: Circuit, carry: Carry, spikes: jax.Array, words: jax.Array, dt_ms: jax.Array | float) -> Carry:
    """The state with the spikes of its step on their way."""
    ring, states = carry.ring, []
    if ring is None:
        return carry
    if circuit.delivery is not None:
        ring = circuit.delivery.deliver(ring, spikes, words, carry.step)
    for each, state in zip(circuit.plastic, carry.plastic, strict=True):
        ring, state = each.deliver(ring, state, spikes, words, carry.step, dt_ms)
        states.append(state)
    return carry._replace(ring=ring, plastic=tuple(states))


def _arrived(
    circuit: Circuit, inputs: Inputs, decay: jax.Array, carry: Carry, tick: Clock, now: jax.Array
) -> tuple[jax.Array, jax.Array | None, tuple[Rain, ...]]:
    """The rows of the receptors after the step, with what arrived; the ring without that; the next Poisson spikes."""
    syn, ring = carry.syn, carry.ring
    nothing = jnp.minimum(now, 0).astype(syn.dtype)  # 0, which XLA cannot tell
    if len(circuit.jumping) < circuit.n_receptors:
        syn = _decays(circuit, decay, now) * syn
        if circuit.leading is not None and ring is not None:
            syn = syn + circuit.leading.ring.due(ring, now)
        else:
            syn = syn + nothing
        syn = _with_stimuli(circuit, inputs, syn, carry, tick, nothing, jumps=False)
    poisson = tuple(
        Rain(*noise.poisson(rain.streams, each.thresholds))
        for each, rain in zip(inputs.poisson, carry.poisson, strict=True)
    )
    if circuit.leading is not None and ring is not None:
        ring = circuit.leading.ring.cleared(ring, now, syn)
    return syn, ring, poisson


def _second(circuit: Circuit, carry: Carry, dt_ms: jax.Array | float) -> list[jax.Array]:
    """The second rows after the step, flat; none if no receptor has one."""
    if carry.second is None:
        return []
    first, second = (each.reshape(-1, circuit.n_cells) for each in (carry.syn, carry.second))
    return [advanced(first, second, circuit.tau_syn_ms, circuit.second, dt_ms).reshape(-1)]


def _external(
    circuit: Circuit, inputs: Inputs, carry: Carry, tick: Clock, dt_ms: jax.Array | float
) -> tuple[noise.Streams | None, jax.Array]:
    """The noise state, and drive + stimuli + noise * sqrt(1 ms / dt): (n_cells,) pA, constant over the step."""
    i_ext_pA = circuit.drive_pA
    for k in range(inputs.patterns_pA.shape[0]):  # spelled out: fuses into the step
        i_ext_pA = i_ext_pA + tick.waveforms[k] * inputs.patterns_pA[k]
    for k, (each, now) in enumerate(zip(inputs.fluctuations, carry.fluctuations, strict=True), len(inputs.poisson)):
        i_ext_pA = i_ext_pA + tick.gates[k] * each.sd_pA * now.x
    if circuit.noise_pA is None or carry.noise is None:
        return None, i_ext_pA
    state, drawn = noise.normal(carry.noise, i_ext_pA.dtype)
    return state, i_ext_pA + circuit.noise_pA * jnp.sqrt(1.0 / dt_ms).astype(drawn.dtype) * drawn


def _wandered(inputs: Inputs, carry: Carry, dt_ms: jax.Array | float) -> tuple[noise.Wander, ...]:
    """The Ornstein-Uhlenbeck processes of the next step."""
    wandering = zip(carry.fluctuations, inputs.fluctuations, strict=True)
    return tuple(noise.wandered(now, dt_ms / each.tau_ms) for now, each in wandering)


def _decays(circuit: Circuit, decay: jax.Array, now: jax.Array) -> jax.Array:
    """The decay of each synaptic current, (n_receptors * n_cells,), from one a receptor, computed where it is used.

    By adding 0 in the form of `now` it is kept from being computed once for all steps and read from memory in each.
    """
    place = jax.lax.iota(jnp.int32, decay.shape[0] * circuit.n_cells) + jnp.minimum(now, 0)
    decays = jnp.zeros(place.shape, decay.dtype)
    for r in range(decay.shape[0]):
        decays = jnp.where(place >= r * circuit.n_cells, decay[r], decays)
    return decays


def _arriving(circuit: Circuit, inputs: Inputs, carry: Carry, tick: Clock) -> jax.Array | None:
    """What arrives at the end of the step that begins, (n_receptors, n_cells), of which the rows of jumps are right.

    None without jumps: all else is read once it has arrived. Delays are a step or more, so that all is in the ring.
    """
    if not circuit.jumping:
        return None
    arriving = jnp.zeros_like(carry.syn)
    if circuit.leading is not None and carry.ring is not None:
        arriving = circuit.leading.ring.due(carry.ring, carry.step)
    nothing = jnp.minimum(carry.step, 0).astype(arriving.dtype)  # 0, which XLA cannot tell
    arriving = _with_stimuli(circuit, inputs, arriving, carry, tick, nothing, jumps=True)
    return arriving.reshape(circuit.n_receptors, circuit.n_cells)


def _with_stimuli(
    circuit: Circuit, inputs: Inputs, syn: jax.Array, carry: Carry, tick: Clock, nothing: jax.Array, *, jumps: bool
) -> jax.Array:
    """Rows of receptors, flat, with this step's spikes of the stimuli onto those that are jumps, or are not.

    nothing: 0, added to each product before the sum, or else the compiler may contract both into one rounding, which
    it does or not by how the stimuli are laid out: those of one cell would then hang on those of others.
    """
    for k, (each, rain) in enumerate(zip(inputs.poisson, carry.poisson, strict=True)):
        if (each.receptor in circuit.jumping) is not jumps:
            continue
        n_targets = each.n_targets(circuit.n_cells)
        charge = tick.gates[k] * each.weight * rain.waiting.astype(syn.dtype) + nothing
        added = jnp.broadcast_to(charge, (n_targets,))
        row = each.receptor * circuit.n_cells
        if each.targets is None:
            rest = syn.shape[0] - row - n_targets
            syn = syn + (jnp.pad(added, (row, rest)) if row or rest else added)
        else:
            syn = syn.at[row + each.targets].add(added, mode="promise_in_bounds", unique_indices=True)
    return add_spikes(circuit, inputs, syn, tick.counts, nothing, jumps=jumps)


def add_spikes(
    circuit: Circuit,
    inputs: Inputs,
    syn: jax.Array,
    counts: tuple[jax.Array, ...],
    nothing: jax.Array | float = 0.0,
    *,
    jumps: bool,
) -> jax.Array:
    """Rows of receptors, flat, with spikes at given times added onto those that are jumps, or are not.

    counts: one (n_columns,) for each of `inputs.trains`. nothing: as of `_with_stimuli`.
    """
    for given, spikes in zip(inputs.trains, counts, strict=True):
        if (given.receptor in circuit.jumping) is not jumps:
            continue
        row = given.receptor * circuit.n_cells
        added = given.weight * spikes.astype(syn.dtype)[given.train] + nothing
        syn = syn + jnp.pad(added, (row, syn.shape[0] - row - circuit.n_cells))
    return syn


def add_first_spikes(
    circuit: Circuit, inputs: Inputs, carry: Carry, counts: tuple[jax.Array, ...], dt_ms: jax.Array | float
) -> Carry:
    """The state before the first step with the spikes that act from its start on. counts: as of `add_spikes`."""
    syn = add_spikes(circuit, inputs, carry.syn, counts, jumps=False)
    if not circuit.jumping:
        return carry._replace(syn=syn)
    arriving = add_spikes(circuit, inputs, jnp.zeros_like(carry.syn), counts, jumps=True)
    jumps = synaptic_input(circuit, carry, dt_ms, arriving.reshape(circuit.n_receptors, circuit.n_cells))
    cells = tuple(
        _jump(group.emitter, state, jumps.of(group.take))
        for group, state in zip(circuit.groups, carry.cells, strict=True)
    )
    return carry._replace(syn=syn, cells=cells)


def _jump(emitter: Any, state: Any, syn: SynapticInput) -> Any:
    """The state of cells, none of them refractory, after the jumps of `syn`; as it is where cells take none."""
    if hasattr(emitter, "jump"):  # one with more than one potential
        return emitter.jump(state, syn)
    return state._replace(v_mV=syn.jumped_mV(state.v_mV)) if hasattr(emitter, "jumped_pA") else state


def synaptic_input(
    circuit: Circuit, carry: Carry, dt_ms: jax.Array | float, arriving: jax.Array | None = None
) -> SynapticInput:
    """The synaptic input of the step that begins. arriving: as of `input_of`; without it no jump arrives."""

    def v_mV() -> jax.Array:
        return joined(circuit, [state.v_mV for state in carry.cells])

    second = None if carry.second is None else carry.second.reshape(-1, circuit.n_cells)
    return input_of(circuit, carry.syn.reshape(-1, circuit.n_cells), second, v_mV, dt_ms, arriving)
