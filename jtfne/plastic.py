"""Synapses that change during a run: a delivery of their own, whose state the loop carries."""

import dataclasses
from typing import Any, NamedTuple, Protocol, Self

import jax
import jax.numpy as jnp
import numpy as np

from jtfne._check import narrow_dtype, refuse
from jtfne._tree import register
from jtfne.delivery import (
    Delivery,
    DeliverySpec,
    Event,
    EventDelivery,
    Sharded,
    ShardedDelivery,
    SynapseSource,
    fold_spikes,
)
from jtfne.synapses import PairSTDP, Plasticity, ShortTerm


class PlasticDelivery(Protocol):
    """Synapses that change during a run. `delivery` adds to the same ring buffer as all others."""

    @property
    def delivery(self) -> Delivery:
        """The delivery of their spikes."""
        ...

    @property
    def rule(self) -> Any:
        """The rule of plasticity: a pytree of numbers."""
        ...

    def with_rule(self, rule: Any) -> "PlasticDelivery":
        """The same synapses under a rule with other numbers."""
        ...

    def start(self, dtype: Any) -> Any:
        """The state before the first step."""
        ...

    def with_learned_weights(self, state: Any) -> "PlasticDelivery":
        """The same synapses with the weights of `state`, if the rule changes weights."""
        ...

    def deliver(
        self,
        ring: jax.Array,
        state: Any,
        spikes: jax.Array,
        words: jax.Array,
        step: jax.Array,
        dt_ms: Any,
    ) -> tuple[jax.Array, Any]:
        """The ring with what the cells that spiked in `step` send, and the state after the step."""
        ...


@register
@dataclasses.dataclass(frozen=True)
class ShortTermDelivery:
    """Synapses of short-term plasticity: the release of a source scales its row of weights."""

    delivery: Delivery
    rule: ShortTerm

    def with_rule(self, rule: Any) -> "ShortTermDelivery":
        """The same synapses under a rule with other numbers."""
        return dataclasses.replace(self, rule=rule)

    def with_learned_weights(self, state: Any) -> "ShortTermDelivery":
        """The same synapses: short-term plasticity does not change weights."""
        return self

    def start(self, dtype: Any) -> Any:
        """The state of all sources before the first step; every device holds all of it."""
        return self.rule.start(count_sources(self.delivery), dtype)

    def deliver(
        self,
        ring: jax.Array,
        state: Any,
        spikes: jax.Array,
        words: jax.Array,
        step: jax.Array,
        dt_ms: Any,
    ) -> tuple[jax.Array, Any]:
        """The ring with the scaled inputs of all spikes added, and the state after the step."""
        # with a surrogate, spikes are numbers that have a gradient: u and x jump by the bits
        has_all_cells = spikes.shape == state.u.shape and spikes.dtype == bool
        spike_flags = spikes if has_all_cells else unpack_words(words)[: state.u.shape[0]]
        state, release = self.rule.step(state, spike_flags, dt_ms)
        return self.delivery.deliver(ring, spikes, words, step, release), state


class STDPState(NamedTuple):
    """The state of a `STDPDelivery`.

    weights: flat, as its delivery's. before: (n_sources,), after: (n_cells,), traces.
    """

    weights: jax.Array
    before: jax.Array
    after: jax.Array


@register
@dataclasses.dataclass(frozen=True)
class STDPDelivery:
    """Synapses of `PairSTDP`, delivered by events.

    A spike of the source lowers the weights of its row, one of the target raises those of its
    column.

    incoming: int32 (n_cells, n_in), where the synapses onto each cell stand among the weights,
    filled up with what points behind the last. source: int32 of that shape, whence each comes.
    """

    delivery: EventDelivery
    rule: PairSTDP
    incoming: jax.Array
    source: jax.Array

    @classmethod
    def build(cls, delivery: EventDelivery, rule: PairSTDP) -> Self:
        """The synapses of `delivery`, with the table of those onto each cell."""
        offsets = np.asarray(delivery.offsets)
        row_of_block = np.repeat(np.arange(delivery.ring.n_cells), _room(delivery))
        block, entry = np.nonzero(offsets >= delivery.ring.width)
        target = offsets[block, entry] % delivery.ring.n_cells
        order = np.argsort(target, kind="stable")
        target, block = target[order], block[order]
        weight_index = block * offsets.shape[1] + entry[order]
        source = row_of_block[block]
        counts = np.bincount(target, minlength=delivery.ring.n_cells)
        # The number of each synapse among those onto its cell.
        rank = np.arange(target.size) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = (delivery.ring.n_cells, max(int(counts.max(initial=0)), 1))
        end = narrow_dtype(offsets.size, np.int32, name="synapses that learn", where="PairSTDP")
        incoming, sources = np.full(shape, end, np.int32), np.zeros(shape, np.int32)
        incoming[target, rank], sources[target, rank] = weight_index, source
        return cls(delivery, rule, jnp.asarray(incoming), jnp.asarray(sources))

    def with_rule(self, rule: Any) -> "STDPDelivery":
        """The same synapses under a rule with other numbers."""
        return dataclasses.replace(self, rule=rule)

    def start(self, dtype: Any) -> Any:
        """The state before the first step: the weights as they were drawn, and traces of zero."""
        n_cells = self.delivery.ring.n_cells
        return STDPState(
            jnp.array(self.delivery.weights).reshape(-1),
            jnp.zeros(n_cells, dtype),
            jnp.zeros(n_cells, dtype),
        )

    def with_learned_weights(self, state: Any) -> "STDPDelivery":
        """The same synapses with the weights of `state`."""
        weights = state.weights.reshape(self.delivery.weights.shape)
        return dataclasses.replace(
            self, delivery=dataclasses.replace(self.delivery, weights=weights)
        )

    def deliver(
        self,
        ring: jax.Array,
        state: Any,
        spikes: jax.Array,
        words: jax.Array,
        step: jax.Array,
        dt_ms: Any,
    ) -> tuple[jax.Array, Any]:
        """The ring with the inputs of all spikes, and the state after the step, weights changed."""
        rule, rows, block = self.rule, self.delivery, self.delivery.offsets.shape[1]
        source_trace = state.before * jnp.exp(-dt_ms / rule.tau_plus_ms).astype(ring.dtype)
        target_trace = state.after * jnp.exp(-dt_ms / rule.tau_minus_ms).astype(ring.dtype)

        def depress_block(k: jax.Array, weights: jax.Array) -> jax.Array:
            offset = jax.lax.dynamic_index_in_dim(rows.offsets, k, keepdims=False)
            old_weights = jax.lax.dynamic_slice(weights, (k * block,), (block,))
            new_weights = jnp.maximum(
                old_weights - rule.a_minus * rule.w_max * target_trace[offset % rows.ring.n_cells],
                0.0,
            )
            # slot 0 is padding
            new_weights = jnp.where(offset >= rows.ring.width, new_weights, old_weights)
            return jax.lax.dynamic_update_slice(weights, new_weights, (k * block,))

        def depress_row(weights: jax.Array, cell: jax.Array) -> jax.Array:
            first_block = rows.first_block[cell]
            new_weights: jax.Array = jax.lax.fori_loop(
                first_block, first_block + rows.n_blocks_of[cell], depress_block, weights
            )
            return new_weights

        def potentiate_column(weights: jax.Array, cell: jax.Array) -> jax.Array:
            index = self.incoming[cell]
            old_weights = weights.at[index].get(mode="fill", fill_value=0.0)
            new_weights = jnp.minimum(
                old_weights + rule.a_plus * rule.w_max * source_trace[self.source[cell]], rule.w_max
            )
            return weights.at[index].set(new_weights, mode="drop")

        # read last: a write after it would make XLA copy all weights
        weights = fold_spikes(
            words, potentiate_column, fold_spikes(words, depress_row, state.weights)
        )
        new_state = STDPState(weights, source_trace + spikes, target_trace + spikes)
        return self.with_learned_weights(new_state).delivery.deliver(
            ring, spikes, words, step
        ), new_state


def _room(delivery: EventDelivery) -> np.ndarray[Any, Any]:
    """How many blocks each row has room for."""
    return np.diff(np.append(np.asarray(delivery.first_block), delivery.offsets.shape[0]))


def build_plastic(
    rule: Plasticity, synapses: SynapseSource, choice: DeliverySpec, dtype: Any
) -> PlasticDelivery:
    """The plastic synapses under `rule`. Raises: JtfneError for PairSTDP over several devices."""
    numbers: Any = jax.tree.map(lambda number: jnp.asarray(number, dtype), rule)
    if isinstance(rule, ShortTerm):
        return ShortTermDelivery(choice.build(synapses), numbers)
    if isinstance(choice, Sharded):
        raise refuse(
            "PairSTDP on cells spread over devices",
            "a delivery on one, such as Event()",
            "delivery",
        )
    return STDPDelivery.build(Event().build(synapses), numbers)


def count_sources(delivery: Delivery) -> int:
    """Rows of a delivery: cells, or on a mesh positions of its layout."""
    if isinstance(delivery, ShardedDelivery):
        return int(delivery.layout.row_of.size)
    return delivery.ring.n_cells


def unpack_words(words: jax.Array) -> jax.Array:
    """Inverse of `pack`: bool (32 * n_words,), padded with False to whole words."""
    bits = (words[:, None] >> jnp.arange(32, dtype=jnp.uint32)) & 1
    return bits.reshape(-1).astype(bool)
