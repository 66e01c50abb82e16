"""What every delivery offers, and the ring buffer that all of them share."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._check import refuse


@dataclasses.dataclass(frozen=True)
class Ring:
    """Shape of the flat ring buffer that holds inputs on their way: (slot, receptor, cell).

    The slot of step k is k mod n_slots.

    Source: the buffer of Morrison et al. (2005), Neural Comput. 17:1776-1801, sec. 3.2, with one
    array.
    """

    n_slots: int
    n_receptors: int
    n_cells: int

    def __post_init__(self) -> None:
        """Raises: JtfneError if an entry has no int32 index, which all deliveries keep."""
        if self.size > np.iinfo(np.int32).max:
            description = f"a ring buffer of {self.size} entries"
            raise refuse(description, "2^31 - 1 (shorter delays or fewer cells)", "delivery")

    @property
    def width(self) -> int:
        """Entries of one slot."""
        return self.n_receptors * self.n_cells

    @property
    def size(self) -> int:
        """Entries in all."""
        return self.n_slots * self.width

    def empty(self, dtype: jnp.dtype) -> jax.Array:
        """A ring with nothing on its way: (size,)."""
        return jnp.zeros(self.size, dtype)

    def read_slot(self, ring: jax.Array, step: jax.Array) -> jax.Array:
        """The input that arrives at the end of `step`: (width,)."""
        return jax.lax.dynamic_slice(ring, (step % self.n_slots * self.width,), (self.width,))

    def clear_slot(self, ring: jax.Array, step: jax.Array, consumer: jax.Array) -> jax.Array:
        """The ring with the slot of `step` emptied.

        `consumer` (width,) is the last value computed from `read_slot`. Clearing the slot by a
        value that depends on it tells XLA that the read is over, so that the ring is updated in
        place and never copied.
        """
        return jax.lax.dynamic_update_slice(ring, consumer * 0, (step % self.n_slots * self.width,))

    def wrap_index(self, offset: jax.Array, step: jax.Array) -> jax.Array:
        """Index of the entry `offset` after the slot of `step`, wrapped at the end of the ring."""
        index = offset + step % self.n_slots * self.width
        return jnp.where(index >= self.size, index - self.size, index)


@dataclasses.dataclass(frozen=True)
class EdgeList:
    """Synapses on the host, in any order; all fields are (n_edges,).

    connection: the rule that drew each synapse.
    """

    source: npt.NDArray[np.int32]
    target: npt.NDArray[np.int32]
    receptor: npt.NDArray[np.int16]
    delay_steps: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float64]
    connection: npt.NDArray[np.int16]

    def offset(self, ring: Ring) -> npt.NDArray[np.int64]:
        """From the slot of a spike to the ring entry that each synapse adds to: (n_edges,).

        One number for delay, receptor and target.
        """
        row = self.delay_steps.astype(np.int64) * ring.n_receptors + self.receptor
        return row * ring.n_cells + self.target


# Edges in chunks of whole rows; each is made when it is called, perhaps on another thread.
EdgeChunks = Iterable[Callable[[], EdgeList]]


class Delivery(Protocol):
    """Adds spikes to the ring buffer of inputs on their way. `build` of each class makes one."""

    @property
    def connection(self) -> jax.Array | None:
        """The rule that drew each synapse, where that is tracked."""
        ...

    @property
    def ring(self) -> Ring:
        """The ring buffer that the delivery fills."""
        ...

    def words(self, spikes: jax.Array) -> jax.Array:
        """The spikes of all cells as words (see `pack`), from those of this device's cells."""
        ...

    def deliver(
        self,
        ring: jax.Array,
        spikes: jax.Array,
        words: jax.Array,
        step: jax.Array,
        scale: jax.Array | None = None,
    ) -> jax.Array:
        """The ring with the synapses of every cell that spiked in `step` added.

        spikes: (n_cells,), bool or 0 and 1. words: the same, from `words`; a delivery reads what
        suits it. scale: (n_sources,), by what the weights of each source are multiplied, if by
        anything.
        """
        ...

    def edges(self) -> EdgeList:
        """The synapses as they are delivered: merged, delays on the grid."""
        ...

    def slots(
        self, row: npt.NDArray[np.int64], offset: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Index into the flat weights of each entry (row, offset) it was built from: (n,).

        row: (n,) sources. offset: (n,), see `EdgeList.offset`.
        Raises: JtfneError if the weights are spread over devices.
        """
        ...


def find_keys(
    keys: npt.NDArray[np.int64], wanted_keys: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Position of each of `wanted_keys` in `keys`, which are distinct and hold all of them."""
    order = np.argsort(keys)
    return order[np.searchsorted(keys, wanted_keys, sorter=order)]


def pack(spikes: jax.Array) -> jax.Array:
    """Spikes (n_cells,) bool as 32-bit words: uint32 (ceil(n_cells / 32),).

    Cell 0 is the lowest bit of word 0.
    """
    n_words = -(-spikes.shape[0] // 32)
    bit_table = (
        jnp.pad(spikes, (0, n_words * 32 - spikes.shape[0])).reshape(n_words, 32).astype(jnp.uint32)
    )
    return (bit_table << jnp.arange(32, dtype=jnp.uint32)).sum(1, dtype=jnp.uint32)


def unpack(words: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row and cell of every spike in words (n_rows, n_words), by row, then cell; on the host."""
    flat = words.reshape(-1)
    word_index = np.flatnonzero(flat != 0)  # ten times as fast on booleans as on numbers
    bits = np.unpackbits(flat[word_index].astype("<u4").view(np.uint8), bitorder="little").view(
        np.bool_
    )
    bit_index = np.flatnonzero(bits)
    row, word = np.divmod(word_index[bit_index // 32], words.shape[1])
    return row, word * 32 + bit_index % 32


@dataclasses.dataclass(frozen=True)
class Entries:
    """Synapses as entries of a ring, sorted by row (source) and offset, merged if both are equal.

    All (n_entries,). offset: int32, delay, receptor and target in one number.
    """

    row: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float64]
    connection: npt.NDArray[np.int16]

    @classmethod
    def from_edges(cls, edges: EdgeList, ring: Ring) -> "Entries":
        """The entries of `edges`."""
        entry = edges.source.astype(np.int64) * ring.size + edges.offset(ring)
        order = np.argsort(entry, kind="stable")
        entry = entry[order]
        starts = np.flatnonzero(np.diff(entry, prepend=-1))
        weight = edges.weight[order]
        weight_sums = weight if starts.size == entry.size else np.add.reduceat(weight, starts)
        row, offset = np.divmod(entry[starts], ring.size)
        return cls(row, offset.astype(np.int32), weight_sums, edges.connection[order][starts])

    def edges(self, ring: Ring) -> EdgeList:
        """The entries as an edge list."""
        slot_offset = self.offset % ring.width
        return EdgeList(
            source=self.row.astype(np.int32),
            target=(slot_offset % ring.n_cells).astype(np.int32),
            receptor=(slot_offset // ring.n_cells).astype(np.int16),
            delay_steps=(self.offset // ring.width).astype(np.int32),
            weight=self.weight,
            connection=self.connection,
        )


def join_entries(parts: list[Entries]) -> Entries:
    """Entries of chunks, one after the other."""
    columns: dict[str, Any] = {}
    for field in dataclasses.fields(Entries):
        columns[field.name] = np.concatenate([getattr(part, field.name) for part in parts])
    return Entries(**columns)
