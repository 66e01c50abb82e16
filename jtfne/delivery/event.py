"""Event delivery: each spike adds its row of synapses to the ring; a silent step costs nothing."""

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._check import narrow_dtype
from jtfne._cores import n_cores
from jtfne._tree import register
from jtfne.delivery._base import EdgeChunks, EdgeList, Entries, Ring, find_keys, pack

# longer blocks save loop turns (1-10 us each), shorter ones padding (5 ns an entry)
LONGEST_BLOCK = 512


class SpikingCells(NamedTuple):
    """Cells that spiked: those from `first` to `last` of `cells`, int32 (n,)."""

    cells: jax.Array
    first: jax.Array
    last: jax.Array


@register
@dataclasses.dataclass(frozen=True)
class EventDelivery:
    """The synapses of each source as blocks of (offset, weight).

    An offset is delay slot, receptor and target in one number.

    offsets: int32 (n_blocks, block), sorted and unique within a row, all inside the ring. weights:
    (n_blocks, block). first_block, n_blocks_of: int32 (n_sources,). Padding points at distinct
    entries of slot 0, which is never a delay, with weight 0. connection: int16 (n_blocks, block) or
    None, the rule that made each entry (-1 padding).
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
        chunks: EdgeChunks,
        degrees: npt.NDArray[np.int64],
        ring: Ring,
        dtype: npt.DTypeLike,
        *,
        tracked: bool = False,
    ) -> Self:
        """Pack edges that come in chunks of whole rows.

        Edges that agree in source, delay, receptor and target become one.

        chunks: each is made when called, on one of several threads. degrees: (n_cells,), edges of
        each source before any merge. Beyond the result, memory is that of a chunk a thread.
        Raises: JtfneError if a ring entry has no int32 index.
        """
        blocks = Blocks(degrees, ring, dtype, tracked=tracked)
        process_chunks(chunks, lambda edges: blocks.add_rows(Entries.from_edges(edges, ring)))
        arrays: dict[str, Any] = blocks.arrays()
        device_arrays: dict[str, Any] = {
            name: array if array is None else jax.device_put(array)
            for name, array in arrays.items()
        }
        return cls(
            **device_arrays,
            ring=ring,
            one_block=blocks.one_block,
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
        """The ring with the row of each spike added; the cost grows with the number of spikes."""
        new_ring: jax.Array = fold_spikes(
            words, lambda ring, cell: self._add_row(ring, cell, step, scale), ring
        )
        return new_ring

    def deliver_known(self, ring: jax.Array, spiked: SpikingCells, step: jax.Array) -> jax.Array:
        """Same result as `deliver`, bit for bit, from numbers of cells: a third of the cost."""
        numbers = spiked.cells
        new_ring: jax.Array = jax.lax.fori_loop(
            spiked.first,
            spiked.last,
            lambda k, ring: self._add_row(ring, numbers[k], step, None),
            ring,
        )
        return new_ring

    def _add_row(
        self, ring: jax.Array, cell: jax.Array, step: jax.Array, scale: jax.Array | None
    ) -> jax.Array:
        """The ring with the synapses of one cell added."""

        def add_block(block: jax.Array, ring: jax.Array) -> jax.Array:
            offset = jax.lax.dynamic_index_in_dim(self.offsets, block, keepdims=False)
            weight = jax.lax.dynamic_index_in_dim(self.weights, block, keepdims=False)
            weight = weight if scale is None else scale[cell] * weight
            indices = self.ring.wrap_index(offset, step)
            return ring.at[indices].add(weight, mode="promise_in_bounds", unique_indices=True)

        if self.one_block:
            return add_block(cell, ring)
        first_block = self.first_block[cell]
        stop_block = first_block + self.n_blocks_of[cell]
        new_ring: jax.Array = jax.lax.fori_loop(first_block, stop_block, add_block, ring)
        return new_ring

    def edges(self) -> EdgeList:
        """The synapses, read back from the blocks."""
        n_blocks = np.diff(np.append(np.asarray(self.first_block), self.offsets.shape[0]))
        row_of_block = np.repeat(np.arange(n_blocks.size), n_blocks)
        offsets = np.asarray(self.offsets)
        is_entry = offsets >= self.ring.width  # slot 0 holds the padding only
        row = np.repeat(row_of_block, is_entry.sum(1))
        connection = (
            np.zeros(row.size, np.int16)
            if self.connection is None
            else np.asarray(self.connection)[is_entry]
        )
        weight = np.asarray(self.weights)[is_entry].astype(np.float64)
        return Entries(row, offsets[is_entry], weight, connection).edges(self.ring)

    def slots(
        self, row: npt.NDArray[np.int64], offset: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Index into the flat weights of each entry (row, offset): (n,)."""
        n_blocks = np.diff(np.append(np.asarray(self.first_block), self.offsets.shape[0]))
        offsets = np.asarray(self.offsets)
        entry_index = np.flatnonzero(offsets >= self.ring.width)
        rows = np.repeat(np.arange(n_blocks.size), n_blocks)[entry_index // offsets.shape[1]]
        return entry_index[
            find_keys(
                rows * self.ring.size + offsets.reshape(-1)[entry_index],
                row * self.ring.size + offset,
            )
        ]


def fold_spikes(words: jax.Array, use: Callable[[Any, jax.Array], Any], value: Any) -> Any:
    """The last value of `value = use(value, cell)` over the cells that spiked, ascending."""

    def consume_spike(state: tuple[_Next, jax.Array, Any]) -> tuple[_Next, jax.Array, Any]:
        (cell, _), words, value = state
        value = use(value, cell)
        # only the word itself is read: whatever else looked at the old words would make XLA copy
        # them
        bit = jnp.uint32(1) << (cell % 32).astype(jnp.uint32)
        words = words.at[cell // 32].set(words[cell // 32] ^ bit, mode="promise_in_bounds")
        return _find_first_spike(words), words, value

    return jax.lax.while_loop(
        lambda state: state[0].exists, consume_spike, (_find_first_spike(words), words, value)
    )[2]


class _Next(NamedTuple):
    """The next cell to deliver, and whether there is one."""

    cell: jax.Array
    exists: jax.Array


def _find_first_spike(words: jax.Array) -> _Next:
    """The first cell whose bit is set, and whether there is one."""
    word_index = jnp.argmax(words != 0).astype(jnp.int32)
    word = words[word_index]
    lowest_bit = word & (~word + 1)  # two's complement: only the lowest set bit of both is equal
    return _Next(word_index * 32 + 31 - jax.lax.clz(lowest_bit).astype(jnp.int32), word != 0)


class Blocks:
    """The arrays of an EventDelivery while they are filled, on the host.

    degrees: (n_sources,), the most entries of each row. n_blocks: room for so many, at least what
    `degrees` need. Raises: JtfneError if a ring entry has no int32 index.
    """

    def __init__(
        self,
        degrees: npt.NDArray[np.int64],
        ring: Ring,
        dtype: npt.DTypeLike,
        *,
        tracked: bool = False,
        n_blocks: int = 0,
        block: int | None = None,
    ) -> None:
        self._block = (
            block_length(int(degrees.max(initial=1)), ring.width) if block is None else block
        )
        room = count_blocks(degrees, self._block)
        self._first_blocks = np.cumsum(room) - room
        shape = (max(int(room.sum()), n_blocks), self._block)
        self._offsets = _allocate_aligned(shape, np.int32)
        self._offsets[:] = np.arange(self._block, dtype=np.int32)
        self._weights = _allocate_aligned(shape, dtype)
        self._connection = np.full(shape, -1, np.int16) if tracked else None
        self._block_counts = np.ones(degrees.size, np.int32)
        self.one_block = shape[0] == degrees.size

    def add_rows(self, entries: Entries) -> None:
        """Fill in whole rows. Threads may do so at once, each with rows of its own."""
        if not entries.row.size:
            return
        start, stop = int(entries.row[0]), int(entries.row[-1]) + 1
        lengths = np.bincount(entries.row - start)
        self._block_counts[start:stop] = count_blocks(lengths, self._block)
        gap = self._first_blocks[start:stop] * self._block - (np.cumsum(lengths) - lengths)
        index = np.arange(entries.row.size) + np.repeat(gap, lengths)
        self._offsets.reshape(-1)[index] = entries.offset
        self._weights.reshape(-1)[index] = entries.weight
        if self._connection is not None:
            self._connection.reshape(-1)[index] = entries.connection

    def arrays(self) -> dict[str, npt.NDArray[Any] | None]:
        """The arrays by the name of their field."""
        return {
            "offsets": self._offsets,
            "weights": self._weights,
            "first_block": narrow_dtype(
                self._first_blocks, np.int32, name="a block of synapses", where="delivery"
            ),
            "n_blocks_of": self._block_counts,
            "connection": self._connection,
        }


def _allocate_aligned(shape: tuple[int, int], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros that begin at a multiple of 64 bytes.

    On CPU jax takes such memory over, and copies any other.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = np.zeros(n_bytes + 64, np.uint8)
    offset = -buffer.ctypes.data % 64
    array: npt.NDArray[Any] = buffer[offset : offset + n_bytes].view(dtype).reshape(shape)
    return array


def process_chunks(chunks: EdgeChunks, use: Callable[[EdgeList], None]) -> None:
    """Make and use each chunk, on as many threads as this process may use cores."""
    with ThreadPoolExecutor(n_cores()) as pool:
        for _ in pool.map(lambda chunk: use(chunk()), chunks):
            pass


def count_blocks(degrees: npt.NDArray[np.int64], block: int) -> npt.NDArray[np.int64]:
    """How many blocks each row takes, at least one."""
    return np.maximum(-(-degrees // block), 1)


def block_length(longest_row: int, width: int) -> int:
    """Entries of a block: the longest row up to the next multiple of 16.

    At most one slot, so that the padding of a block fits into one.
    """
    return min(-(-longest_row // 16) * 16, LONGEST_BLOCK, max(width, 1))
