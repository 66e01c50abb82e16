"""Sparse delivery: every synapse at every step, summed by target.

For batches, gradients and accelerators.
"""

import dataclasses
from typing import Self

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._tree import register
from jtfne.delivery._base import EdgeChunks, EdgeList, Entries, Ring, find_keys, join_entries, pack


@register
@dataclasses.dataclass(frozen=True)
class SparseDelivery:
    """Synapses sorted by where they arrive.

    Differentiable in the weights, and in the spikes if these are floats.

    source, entry: int32 (n_synapses,); entry ascends and points into offsets. weights:
    (n_synapses,). offsets: int32 (n_entries,), all different, inside the ring. connection: int16
    (n_synapses,) or None.
    """

    source: jax.Array
    entry: jax.Array
    weights: jax.Array
    offsets: jax.Array
    connection: jax.Array | None
    ring: Ring = dataclasses.field(metadata={"static": True})

    @classmethod
    def build(
        cls, chunks: EdgeChunks, ring: Ring, dtype: npt.DTypeLike, *, tracked: bool = False
    ) -> Self:
        """Sort edges by where they arrive; those of one source that meet in all else become one."""
        entries = join_entries([Entries.from_edges(chunk(), ring) for chunk in chunks])
        order = np.argsort(entries.offset, kind="stable")
        offsets, entry = np.unique(entries.offset[order], return_inverse=True)
        return cls(
            source=jnp.asarray(entries.row[order], jnp.int32),
            entry=jnp.asarray(entry, jnp.int32),
            weights=jnp.asarray(entries.weight[order].astype(dtype)),
            offsets=jnp.asarray(offsets, jnp.int32),
            connection=jnp.asarray(entries.connection[order]) if tracked else None,
            ring=ring,
        )

    def words(self, spikes: jax.Array) -> jax.Array:
        """The spikes as packed words (see `pack`)."""
        return pack(spikes)

    def deliver(
        self,
        ring: jax.Array,
        spikes: jax.Array,
        words: jax.Array,
        step: jax.Array,
        scale: jax.Array | None = None,
    ) -> jax.Array:
        """The ring with the inputs of all spikes added; costs the same for any number of spikes."""
        amounts = spikes.astype(ring.dtype) if scale is None else spikes * scale
        amounts = amounts.at[self.source].get(mode="promise_in_bounds") * self.weights
        n_entries = self.offsets.shape[0]
        arrivals = jax.ops.segment_sum(
            amounts, self.entry, n_entries, indices_are_sorted=True, mode="promise_in_bounds"
        )
        indices = self.ring.wrap_index(self.offsets, step)
        return ring.at[indices].add(arrivals, mode="promise_in_bounds", unique_indices=True)

    def slots(
        self, row: npt.NDArray[np.int64], offset: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Index into the flat weights of each entry (row, offset): (n,)."""
        offsets = np.asarray(self.offsets)[np.asarray(self.entry)]
        keys = np.asarray(self.source).astype(np.int64) * self.ring.size + offsets
        return find_keys(keys, row * self.ring.size + offset)

    def edges(self) -> EdgeList:
        """The synapses as they are delivered."""
        source, weight = (
            np.asarray(self.source).astype(np.int64),
            np.asarray(self.weights).astype(np.float64),
        )
        rule = (
            np.zeros(source.size, np.int16)
            if self.connection is None
            else np.asarray(self.connection)
        )
        offset = np.asarray(self.offsets)[np.asarray(self.entry)]
        order = np.argsort(source, kind="stable")
        return Entries(source[order], offset[order], weight[order], rule[order]).edges(self.ring)
