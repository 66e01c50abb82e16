"""Event delivery: each spike adds its row of synapses to the ring; a silent step costs nothing."""

import dataclasses
from typing import Self

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

    offsets: int32 (n_blocks, block), sorted and unique within a row, all inside the ring. weights_pA:
    (n_blocks, block). first_block, n_blocks_of: int32 (n_cells,). Padding points at distinct entries of
    slot 0, which is never a delay, with weight 0. connection: int16 (n_blocks, block) or None, the rule that
    made each entry (-1 padding).
    """

    offsets: jax.Array
    weights_pA: jax.Array
    first_block: jax.Array
    n_blocks_of: jax.Array
    connection: jax.Array | None
    ring: Ring = dataclasses.field(metadata={"static": True})
    one_block: bool = dataclasses.field(metadata={"static": True})

    @classmethod
    def build(cls, edges: EdgeList, ring: Ring, dtype: npt.DTypeLike, *, tracked: bool = False) -> Self:
        """Pack `edges`; synapses of one source that meet in slot, receptor and target become one.

        Raises: JtfneError if a ring entry has no int32 index.
        """
        if ring.size > np.iinfo(np.int32).max:
            raise refuse(f"a ring buffer of {ring.size} entries", "2^31 - 1 (shorter delays or fewer cells)", "delivery")
        packed = _packed(edges, ring)
        lengths = np.diff(packed.indptr)
        block = _block_length(int(lengths.max(initial=1)), ring.width)
        n_blocks_of = np.maximum(-(-lengths // block), 1)
        first = np.concatenate([[0], np.cumsum(n_blocks_of)[:-1]])
        shape = (int(n_blocks_of.sum()), block)
        at = np.arange(packed.offset.size) + np.repeat(first * block - packed.indptr[:-1], lengths)
        offsets = np.broadcast_to(np.arange(block, dtype=np.int32), shape).copy()
        weights = np.zeros(shape, dtype)
        offsets.reshape(-1)[at] = packed.offset
        weights.reshape(-1)[at] = packed.weight
        connection = np.full(shape, -1, np.int16) if tracked else None
        if connection is not None:
            connection.reshape(-1)[at] = packed.connection
        return cls(
            offsets=jnp.asarray(offsets),
            weights_pA=jnp.asarray(weights),
            first_block=jnp.asarray(first, jnp.int32),
            n_blocks_of=jnp.asarray(n_blocks_of, jnp.int32),
            connection=None if connection is None else jnp.asarray(connection),
            ring=ring,
            one_block=bool((n_blocks_of == 1).all()),
        )

    def deliver(self, ring: jax.Array, words: jax.Array, step: jax.Array) -> jax.Array:
        """The ring with the synapses of every cell that spiked in `step` added."""
        base = step % self.ring.n_slots * self.ring.width

        def block_added(ring: jax.Array, block: jax.Array) -> jax.Array:
            offset = jax.lax.dynamic_index_in_dim(self.offsets, block, keepdims=False) + base
            weight = jax.lax.dynamic_index_in_dim(self.weights_pA, block, keepdims=False)
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
        row_of_block = np.repeat(np.arange(self.ring.n_cells), np.asarray(self.n_blocks_of))
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
            weight_pA=np.asarray(self.weights_pA)[real].astype(np.float64),
            connection=tracked,
        )


@dataclasses.dataclass(frozen=True)
class _Packed:
    """Rows of unique, sorted offsets."""

    indptr: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float64]
    connection: npt.NDArray[np.int16]


def _packed(edges: EdgeList, ring: Ring) -> _Packed:
    """`edges` as offsets, sorted within each source and merged where two of them meet."""
    slot = edges.delay_steps.astype(np.int64) * ring.width
    entry = edges.source.astype(np.int64) * ring.size + slot
    entry += edges.receptor.astype(np.int64) * ring.n_cells + edges.target
    order = np.argsort(entry, kind="stable")
    entry = entry[order]
    first = np.flatnonzero(np.diff(entry, prepend=-1))
    weight = np.add.reduceat(edges.weight_pA[order], first) if first.size else np.zeros(0)
    merged = entry[first]
    counts = np.bincount(merged // ring.size, minlength=ring.n_cells) if first.size else np.zeros(ring.n_cells, int)
    return _Packed(
        indptr=np.concatenate([[0], np.cumsum(counts)]),
        offset=(merged % ring.size).astype(np.int32) if ring.size else np.zeros(0, np.int32),
        weight=weight,
        connection=edges.connection[order][first],
    )


def _block_length(longest_row: int, width: int) -> int:
    """Entries of a block: the longest row up to the next multiple of 16, so that padding fits one slot."""
    return min(-(-longest_row // 16) * 16, LONGEST_BLOCK, max(width, 1))
