"""What every delivery offers, and the ring buffer that all of them share."""

import dataclasses
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt


@dataclasses.dataclass(frozen=True)
class Ring:
    """The shape of the flat ring buffer of inputs on their way: slot (step mod n_slots), receptor, cell.

    Source: the buffer of Morrison et al. (2005), Neural Comput. 17:1776-1801, sec. 3.2, with one array.
    """

    n_slots: int
    n_receptors: int
    n_cells: int

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

    def due(self, ring: jax.Array, step: jax.Array) -> jax.Array:
        """What arrives at the end of `step`: (width,)."""
        return jax.lax.dynamic_slice(ring, (step % self.n_slots * self.width,), (self.width,))

    def cleared(self, ring: jax.Array, step: jax.Array, consumer: jax.Array) -> jax.Array:
        """The ring with the slot of `step` emptied.

        `consumer` (width,) is the last value computed from `due`: clearing by a value that depends on it
        tells XLA that the read is over, so that the ring is updated in place and never copied.
        """
        return jax.lax.dynamic_update_slice(ring, consumer * 0, (step % self.n_slots * self.width,))


@dataclasses.dataclass(frozen=True)
class EdgeList:
    """Synapses on the host, in any order: all (n_edges,); `connection` is the rule that drew each."""

    source: npt.NDArray[np.int32]
    target: npt.NDArray[np.int32]
    receptor: npt.NDArray[np.int16]
    delay_steps: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float64]
    connection: npt.NDArray[np.int16]


class Delivery(Protocol):
    """Spikes -> the ring buffer of inputs."""

    @property
    def ring(self) -> Ring:
        """The buffer that it fills."""
        ...

    def deliver(self, ring: jax.Array, words: jax.Array, step: jax.Array) -> jax.Array:
        """The ring with the synapses of every cell that spiked in `step` added (`words`: packed spikes)."""
        ...


def pack(spikes: jax.Array) -> jax.Array:
    """Spikes (n_cells,) bool as words: uint32 (ceil(n_cells / 32),), cell 0 in the lowest bit of word 0."""
    n_words = -(-spikes.shape[0] // 32)
    padded = jnp.pad(spikes, (0, n_words * 32 - spikes.shape[0])).reshape(n_words, 32).astype(jnp.uint32)
    return (padded << jnp.arange(32, dtype=jnp.uint32)).sum(1, dtype=jnp.uint32)


def unpack(words: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """On the host: (row, cell) of every spike in words (n_rows, n_words), in order of row, then cell."""
    flat = words.reshape(-1)
    at = np.flatnonzero(flat != 0)  # of booleans, ten times as fast as of numbers
    bits = np.unpackbits(flat[at].astype("<u4").view(np.uint8), bitorder="little").view(np.bool_)
    found = np.flatnonzero(bits)
    row, word = np.divmod(at[found // 32], words.shape[1])
    return row, word * 32 + found % 32
