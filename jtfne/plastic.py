"""Connections whose synapses change as the run goes: a delivery of their own, and a state in the carry."""

import dataclasses
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from jtfne._tree import register
from jtfne.delivery import Delivery, ShardedDelivery
from jtfne.synapses import ShortTerm


class Plastic(Protocol):
    """Synapses that change. `delivery` shares the ring of all others."""

    @property
    def delivery(self) -> Delivery:
        """What brings their spikes."""
        ...

    @property
    def rule(self) -> Any:
        """How they change: a pytree of numbers."""
        ...

    def with_rule(self, rule: Any) -> "Plastic":
        """The same with other numbers."""
        ...

    def start(self, dtype: Any) -> Any:
        """The state before the first step."""
        ...

    def deliver(
        self, ring: jax.Array, state: Any, spikes: jax.Array, words: jax.Array, step: jax.Array, dt_ms: Any
    ) -> tuple[jax.Array, Any]:
        """The ring with what the cells that spiked in `step` send, and the state after the step."""
        ...


@register
@dataclasses.dataclass(frozen=True)
class Releasing:
    """Synapses of short-term plasticity: a spike's row of weights is scaled by what its source releases."""

    delivery: Delivery
    rule: ShortTerm

    def with_rule(self, rule: Any) -> "Releasing":
        """As `Plastic`."""
        return dataclasses.replace(self, rule=rule)

    def start(self, dtype: Any) -> Any:
        """As `Plastic`: of all sources, on every device."""
        return self.rule.start(n_sources(self.delivery), dtype)

    def deliver(
        self, ring: jax.Array, state: Any, spikes: jax.Array, words: jax.Array, step: jax.Array, dt_ms: Any
    ) -> tuple[jax.Array, Any]:
        """As `Plastic`."""
        spiked = spikes if spikes.shape == state.u.shape else unpacked(words)[: state.u.shape[0]]
        state, released = self.rule.step(state, spiked, dt_ms)
        return self.delivery.deliver(ring, spikes, words, step, released), state


def n_sources(delivery: Delivery) -> int:
    """Rows of a delivery: cells, or on a mesh positions of its layout."""
    if isinstance(delivery, ShardedDelivery):
        return int(delivery.layout.row_of.size)
    return delivery.ring.n_cells


def unpacked(words: jax.Array) -> jax.Array:
    """What `pack` packed, and zeros up to a whole word: bool (32 * n_words,)."""
    bits = (words[:, None] >> jnp.arange(32, dtype=jnp.uint32)) & 1
    return bits.reshape(-1).astype(bool)
