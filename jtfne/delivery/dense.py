"""Dense delivery: a matrix for each delay, for small circuits in batches."""

import dataclasses
from typing import Self

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._check import refuse
from jtfne._tree import register
from jtfne.delivery._base import EdgeChunks, EdgeList, Entries, Ring, join_entries, pack

MOST_BYTES = 2**32  # of all matrices; beyond, the sparse form is smaller and faster


@register
@dataclasses.dataclass(frozen=True)
class DenseDelivery:
    """Spikes (n_cells,) times a matrix for each delay.

    Differentiable in the weights, and in the spikes if these are floats.

    weights: (n_delays, n_cells, n_receptors * n_cells), zero where there is no synapse. connection:
    int16 of that shape, -1 where there is none, or None. delays: the steps that each matrix takes.
    """

    weights: jax.Array
    connection: jax.Array | None
    ring: Ring = dataclasses.field(metadata={"static": True})
    delays: tuple[int, ...] = dataclasses.field(metadata={"static": True})

    @classmethod
    def build(
        cls, chunks: EdgeChunks, ring: Ring, dtype: npt.DTypeLike, *, tracked: bool = False
    ) -> Self:
        """Lay edges out; those of one source that meet in all else become one.

        Raises: JtfneError if the matrices take more than 4 GiB.
        """
        entries = join_entries([Entries.from_edges(chunk(), ring) for chunk in chunks])
        delay, column = np.divmod(entries.offset, ring.width)
        delays, matrix_index = np.unique(delay, return_inverse=True)
        shape = (delays.size, ring.n_cells, ring.width)
        n_bytes = dense_bytes(ring, delays.size, np.dtype(dtype).itemsize)
        if n_bytes > MOST_BYTES:
            description = (
                f"DenseDelivery of {n_bytes / 2**30:.1f} GiB ({delays.size} delays, "
                f"{ring.n_cells} cells)"
            )
            raise refuse(
                description,
                f"at most {MOST_BYTES / 2**30:g} GiB; SparseDelivery holds synapses only",
                "delivery",
            )
        weights = np.zeros(shape, dtype)
        weights[matrix_index, entries.row, column] = entries.weight
        rule = np.full(shape, -1, np.int16)
        rule[matrix_index, entries.row, column] = entries.connection
        return cls(
            weights=jnp.asarray(weights),
            connection=jnp.asarray(rule) if tracked else None,
            ring=ring,
            delays=tuple(delays.tolist()),
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
        spike_scale = spikes.astype(ring.dtype) if scale is None else spikes * scale
        for matrix, delay in zip(self.weights, self.delays, strict=True):
            slot_start = (step + delay) % self.ring.n_slots * self.ring.width
            slot = jax.lax.dynamic_slice(ring, (slot_start,), (self.ring.width,))
            ring = jax.lax.dynamic_update_slice(ring, slot + spike_scale @ matrix, (slot_start,))
        return ring

    def slots(
        self, row: npt.NDArray[np.int64], offset: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Index into the flat weights of each entry (row, offset): (n,)."""
        delay, column = np.divmod(offset, self.ring.width)
        matrix_index = np.searchsorted(np.array(self.delays), delay)
        return (matrix_index * self.ring.n_cells + row) * self.ring.width + column

    def edges(self) -> EdgeList:
        """The synapses; one of weight zero is left out, unless connections are tracked."""
        weights = np.asarray(self.weights)
        is_synapse = weights != 0.0 if self.connection is None else np.asarray(self.connection) >= 0
        row, matrix_index, column = np.nonzero(is_synapse.transpose(1, 0, 2))
        offset = np.array(self.delays, np.int64)[matrix_index] * self.ring.width + column
        rule = (
            np.zeros(row.size, np.int16)
            if self.connection is None
            else np.asarray(self.connection)[matrix_index, row, column]
        )
        weight = weights[matrix_index, row, column].astype(np.float64)
        return Entries(row, offset.astype(np.int32), weight, rule).edges(self.ring)


def dense_bytes(ring: Ring, n_delays: int, itemsize: int) -> int:
    """Bytes of the matrices of `n_delays` delays."""
    return n_delays * ring.n_cells * ring.width * itemsize
