"""Sharded delivery: cells dealt to the devices of a mesh; each device gathers all spikes and serves its own cells."""

import dataclasses
from typing import Any, Self

import jax
import numpy as np
import numpy.typing as npt
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jtfne._check import refuse
from jtfne._tree import register
from jtfne.delivery._base import Chunks, EdgeList, Entries, Ring, pack
from jtfne.delivery._layout import Layout
from jtfne.delivery.event import Blocks, EventDelivery, block_length, blocks_of, each_in_turn


@register
@dataclasses.dataclass(frozen=True)
class ShardedDelivery:
    """An EventDelivery for each device of a mesh of one axis; every array leads with the axis of devices.

    It delivers inside `shard_map` over its mesh, where each device has its own part and that axis is taken off.
    Sources are positions of `layout` (all of them on every device), targets places on the device; `ring` is that of one
    device. real: uint32 (n_devices, n_words), the places of each device that hold a cell.
    """

    offsets: jax.Array
    weights: jax.Array
    first_block: jax.Array
    n_blocks_of: jax.Array
    real: jax.Array
    connection: jax.Array | None
    ring: Ring = dataclasses.field(metadata={"static": True})
    layout: Layout = dataclasses.field(metadata={"static": True})
    mesh: Mesh = dataclasses.field(metadata={"static": True})

    @classmethod
    def build(
        cls,
        chunks: Chunks,
        degrees: npt.NDArray[np.int64],
        ring: Ring,
        dtype: npt.DTypeLike,
        *,
        layout: Layout,
        mesh: Mesh,
        tracked: bool = False,
    ) -> Self:
        """Pack edges as `EventDelivery.build`, for each device its own. ring: that of all cells.

        degrees: (n_devices, n_cells), edges of each source to the cells of each device, before any merge.
        In a run of several processes, each holds the synapses of its own devices only.
        Raises: JtfneError as `EventDelivery.build`.
        """
        local = dataclasses.replace(ring, n_cells=layout.n_local)
        spread = np.zeros((mesh.size, layout.row_of.size), np.int64)
        spread[:, layout.position_of] = degrees
        block = block_length(int(degrees.max(initial=1)), local.width)
        n_blocks = max(int(blocks_of(each, block).sum()) for each in spread)
        here = [k for k, device in enumerate(mesh.devices.flat) if device.process_index == jax.process_index()]
        room = {k: Blocks(spread[k], local, dtype, tracked=tracked, n_blocks=n_blocks, block=block) for k in here}
        device_of, place_of = layout.place(layout.position_of)

        def split(edges: EdgeList) -> None:
            at = device_of[edges.target]
            for k, blocks in room.items():
                mine = at == k
                columns = {each.name: getattr(edges, each.name)[mine] for each in dataclasses.fields(EdgeList)}
                columns["source"] = layout.position_of[columns["source"]]
                columns["target"] = place_of[columns["target"]]
                blocks.put(Entries.of(EdgeList(**columns), local))

        each_in_turn(chunks, split)
        arrays: list[dict[str, Any]] = [
            {**room[k].arrays(), "real": _words_of(layout.real[layout.dealt[k]])} for k in here
        ]
        whole: dict[str, Any] = {
            name: None if arrays[0][name] is None else stacked([each.pop(name) for each in arrays], mesh)
            for name in list(arrays[0])
        }
        return cls(
            **whole,
            ring=local,
            layout=layout,
            mesh=mesh,
        )

    def words(self, spikes: jax.Array) -> jax.Array:
        """As `Delivery`, on one device: words are dealt in turn, so every device's k-th comes before any (k+1)-th."""
        words: jax.Array = jax.lax.all_gather(pack(spikes) & self.real, self.mesh.axis_names[0])
        return words.T.reshape(-1)

    def deliver(self, ring: jax.Array, spikes: jax.Array, words: jax.Array, step: jax.Array) -> jax.Array:
        """As `Delivery`, onto the cells of one device."""
        return self._rows().deliver(ring, spikes, words, step)

    def _rows(self, k: int | None = None) -> EventDelivery:
        """The synapses onto device k, or onto the device that this is."""
        fields = ("offsets", "weights", "first_block", "n_blocks_of", "connection")
        found: dict[str, Any] = {name: getattr(self, name) for name in fields}
        mine = {name: array if k is None or array is None else array[k] for name, array in found.items()}
        return EventDelivery(**mine, ring=self.ring, one_block=False)

    def edges(self) -> EdgeList:
        """As `Delivery`, of all devices. Raises: JtfneError if other processes hold a part."""
        if not self.offsets.is_fully_addressable:
            raise refuse("edges spread over several processes", "one process", "ShardedDelivery.edges")
        parts = []
        for k in range(self.mesh.size):
            edges = self._rows(k).edges()
            source = self.layout.row_of[edges.source].astype(np.int32)
            target = self.layout.rows[k][edges.target].astype(np.int32)
            parts.append(dataclasses.replace(edges, source=source, target=target))
        columns = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in dataclasses.fields(EdgeList)}
        order = np.argsort(columns["source"], kind="stable")
        return EdgeList(**{name: column[order] for name, column in columns.items()})


def stacked(parts: list[Any], mesh: Mesh) -> jax.Array:
    """One array over the mesh, leading with its devices, from the parts of those of this process."""
    sharding = NamedSharding(mesh, over(mesh))
    here = [device for device in mesh.devices.flat if device.process_index == jax.process_index()]
    each = [jax.device_put(part[None], device) for part, device in zip(parts, here, strict=True)]
    shape = (mesh.size, *parts[0].shape)
    return jax.make_array_from_single_device_arrays(shape, sharding, each)


def over(mesh: Mesh) -> PartitionSpec:
    """Split over the devices of `mesh`, along the first axis."""
    (axis,) = mesh.axis_names
    spec: PartitionSpec = PartitionSpec(axis)  # type: ignore[no-untyped-call]
    return spec


def everywhere() -> PartitionSpec:
    """The same on every device."""
    spec: PartitionSpec = PartitionSpec()  # type: ignore[no-untyped-call]
    return spec


def _words_of(real: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint32]:
    """Flags (n,), n a multiple of 32, as `pack` does, on the host."""
    bits = real.reshape(-1, 32).astype(np.uint32) << np.arange(32, dtype=np.uint32)
    words: npt.NDArray[np.uint32] = bits.sum(1, dtype=np.uint32)
    return words


def default_mesh(devices: Any = None) -> Mesh:
    """A mesh of one axis over `devices`, all of them by default."""
    found = jax.devices() if devices is None else list(devices)
    return Mesh(np.array(found), ("cells",))
