"""Event delivery: each spike adds its row of synapses to the ring; a silent step costs nothing."""

import dataclasses
from collections.abc import Iterable
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._check import refuse
from jtfne.delivery._base import EdgeList, Ring

LONGEST_BLOCK = 1024  # longer blocks save loop turns (1-10 us each), shorter ones padding (5 ns an entry)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class EventDelivery:
    """Each source's synapses as blocks of (offset, weight); offset = delay slot, receptor and target in one.

    offsets: int32 (n_blocks, block), sorted and unique within a row, all inside the ring. weights:
    (n_blocks, block). first_block, n_blocks_of: int32 (n_cells,). Padding points at distinct entries of
    slot 0, which is never a delay, with weight 0. connection: int16 (n_blocks, block) or None, the rule that
    made each entry (-1 padding).
    """

    offsets: jax.Array
    weights: jax.Array
    first_block: jax.Array
    n_blocks_of: jax.Array
    connection: jax.Array | None
    ring: Ring = dataclasses.field(metadata={"static": True})
    one_block: bool = dataclasses.field(metadata={"static": True})

    @classmethod
    def build(
        cls,
        chunks: Iterable[EdgeList],
        degrees: npt.NDArray[np.int64],
        ring: Ring,
        dtype: npt.DTypeLike,
        *,
        tracked: bool = False,
    ) -> Self:
        """Pack edges that come in chunks of whole rows; those of one source that meet in all else become one.

        degrees: (n_cells,), edges of each source before any merge. Beyond the result, memory is that of a chunk.
        Raises: JtfneError if a ring entry has no int32 index.
        """
        if ring.size > np.iinfo(np.int32).max:
            given = f"a ring buffer of {ring.size} entries"
            raise refuse(given, "2^31 - 1 (shorter delays or fewer cells)", "delivery")
        block, room = blocks_of(degrees, ring)
        first = np.concatenate([[0], np.cumsum(room)[:-1]])
        shape = (int(room.sum()), block)
        offsets = np.broadcast_to(np.arange(block, dtype=np.int32), shape).copy()
        weights = np.zeros(shape, dtype)
        connection = np.full(shape, -1, np.int16) if tracked else None
        used = np.ones(ring.n_cells, np.int64)
        for chunk in chunks:
            row, offset, weight, rule = _packed(chunk, ring)
            lengths = np.bincount(row, minlength=ring.n_cells)
            used = np.maximum(used, -(-lengths // block))
            begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
            at = np.arange(row.size) + (first * block - begins)[row]
            offsets.reshape(-1)[at], weights.reshape(-1)[at] = offset, weight
            if connection is not None:
                connection.reshape(-1)[at] = rule
        return cls(
            offsets=jnp.asarray(offsets),
            weights=jnp.asarray(weights),
            first_block=jnp.asarray(first, jnp.int32),
            n_blocks_of=jnp.asarray(used, jnp.int32),
            connection=None if connection is None else jnp.asarray(connection),
            ring=ring,
            one_block=shape[0] == ring.n_cells,
        )

    def deliver(self, ring: jax.Array, words: jax.Array, step: jax.Array) -> jax.Array:
        """The ring with the synapses of every cell that spiked in `step` added."""
        base = step % self.ring.n_slots * self.ring.width

        def block_added(ring: jax.Array, block: jax.Array) -> jax.Array:
            offset = jax.lax.dynamic_index_in_dim(self.offsets, block, keepdims=False) + base
            weight = jax.lax.dynamic_index_in_dim(self.weights, block, keepdims=False)
            at = jnp.where(offset >= self.ring.size, offset - self.ring.size, offset)
            return ring.at[at].add(weight, mode="promise_in_bounds", unique_indices=True)

        def row_added(carry: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
            words, _, ring = carry
            at = jnp.argmax(words != 0)
            lowest = words[at] & (~words[at] + 1)
            cell = at.astype(jnp.int32) * 32 + 31 - jax.lax.clz(lowest).astype(jnp.int32)
            words = words.at[at].set(words[at] ^ lowest)
            if self.one_block:
                return words, (words != 0).any(), block_added(ring, cell)
            first = self.first_block[cell]
            last = first + self.n_blocks_of[cell]
            return words, (words != 0).any(), jax.lax.fori_loop(first, last, lambda b, r: block_added(r, b), ring)

        return jax.lax.while_loop(lambda carry: carry[1], row_added, (words, (words != 0).any(), ring))[2]

    def edges(self) -> EdgeList:
        """The synapses as they are delivered (merged, delays on the grid), read back from the blocks."""
        room = np.diff(np.append(np.asarray(self.first_block), self.offsets.shape[0]))
        row_of_block = np.repeat(np.arange(self.ring.n_cells), room)
        offsets = np.asarray(self.offsets)
        real = offsets >= self.ring.width  # slot 0 holds the padding only
        offset = offsets[real]
        inside = offset % self.ring.width
        tracked = np.zeros(offset.size, np.int16) if self.connection is None else np.asarray(self.connection)[real]
        return EdgeList(
            source=np.repeat(row_of_block, real.sum(1)).astype(np.int32),
            target=(inside % self.ring.n_cells).astype(np.int32),
            receptor=(inside // self.ring.n_cells).astype(np.int16),
            delay_steps=(offset // self.ring.width).astype(np.int32),
            weight=np.asarray(self.weights)[real].astype(np.float64),
            connection=tracked,
        )


def _packed(
    edges: EdgeList, ring: Ring
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Row, offset, weight and rule of the edges, sorted by row and offset, merged where two of them meet."""
    entry = edges.source.astype(np.int64) * ring.n_slots + edges.delay_steps
    entry = (entry * ring.n_receptors + edges.receptor) * ring.n_cells + edges.target
    order = np.argsort(entry, kind="stable")
    entry = entry[order]
    first = np.flatnonzero(np.diff(entry, prepend=-1))
    weight = edges.weight[order]
    merged = weight if first.size == entry.size else np.add.reduceat(weight, first)
    row, offset = np.divmod(entry[first], ring.size)
    return row, offset.astype(np.int32), merged, edges.connection[order][first]


def blocks_of(degrees: npt.NDArray[np.int64], ring: Ring) -> tuple[int, npt.NDArray[np.int64]]:
    """Entries of a block, and how many blocks each source has, (n_cells,), for so many edges of each."""
    block = _block_length(int(degrees.max(initial=1)), ring.width)
    return block, np.maximum(-(-degrees // block), 1)


def _block_length(longest_row: int, width: int) -> int:
    """Entries of a block: the longest row up to the next multiple of 16, so that padding fits one slot."""
    return min(-(-longest_row // 16) * 16, LONGEST_BLOCK, max(width, 1))
