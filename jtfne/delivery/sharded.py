"""Sharded delivery: each device of a mesh gathers all spikes and serves the cells that it holds."""

import dataclasses
from typing import Any, Self

import jax
import numpy as np
import numpy.typing as npt
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jtfne._check import refuse
from jtfne._tree import register
from jtfne.delivery._base import EdgeChunks, EdgeList, Entries, Ring, pack
from jtfne.delivery._layout import Layout
from jtfne.delivery.event import Blocks, EventDelivery, block_length, count_blocks, process_chunks


@register
@dataclasses.dataclass(frozen=True)
class ShardedDelivery:
    """An EventDelivery for each device of a mesh; every array leads with the axis of devices.

    It delivers inside `shard_map` over its mesh, where each device has its own part and that axis
    is taken off. Sources are positions of `layout` (all of them on every device), targets places on
    the device. real: uint32 (n_devices, n_words), the places of each device that hold a cell.
    """

    rows: EventDelivery
    real: jax.Array
    layout: Layout = dataclasses.field(metadata={"static": True})
    mesh: Mesh = dataclasses.field(metadata={"static": True})

    @property
    def ring(self) -> Ring:
        """The ring buffer of one device."""
        return self.rows.ring

    @property
    def connection(self) -> jax.Array | None:
        """The rule that drew each synapse, where that is tracked."""
        return self.rows.connection

    def slots(
        self, row: npt.NDArray[np.int64], offset: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Raises: JtfneError, always: each device has weights of its own."""
        raise refuse(
            "weights spread over devices", "a delivery on one device, such as Event()", "delivery"
        )

    @classmethod
    def build(
        cls,
        chunks: EdgeChunks,
        degrees: npt.NDArray[np.int64],
        ring: Ring,
        dtype: npt.DTypeLike,
        *,
        layout: Layout,
        mesh: Mesh,
        tracked: bool = False,
    ) -> Self:
        """Pack edges as `EventDelivery.build`, for each device its own. ring: that of all cells.

        degrees: (n_devices, n_cells), edges of each source to the cells of each device, before any
        merge. In a run of several processes, each holds the synapses of its own devices only.
        Raises: JtfneError as `EventDelivery.build`.
        """
        local = dataclasses.replace(ring, n_cells=layout.n_local)
        position_degrees = np.zeros((mesh.size, layout.row_of.size), np.int64)
        position_degrees[:, layout.position_of] = degrees
        block = block_length(int(degrees.max(initial=1)), local.width)
        n_blocks = max(int(count_blocks(row, block).sum()) for row in position_degrees)
        device_indices = list_own_devices(mesh)
        room = {}
        for k in device_indices:
            room[k] = Blocks(
                position_degrees[k], local, dtype, tracked=tracked, n_blocks=n_blocks, block=block
            )
        device_of, place_of = layout.locate(layout.position_of)

        def put_chunk(edges: EdgeList) -> None:
            device_of_edge = device_of[edges.target]
            for k, blocks in room.items():
                is_on_device = device_of_edge == k
                columns = {}
                for field in dataclasses.fields(EdgeList):
                    columns[field.name] = getattr(edges, field.name)[is_on_device]
                columns["source"] = layout.position_of[columns["source"]]
                columns["target"] = place_of[columns["target"]]
                blocks.add_rows(Entries.from_edges(EdgeList(**columns), local))

        process_chunks(chunks, put_chunk)
        arrays_by_device: list[dict[str, Any]] = [room[k].arrays() for k in device_indices]
        global_arrays: dict[str, Any] = {}
        for name in list(arrays_by_device[0]):
            # popped, so that no array is in memory twice for longer than its turn
            shards = [device_arrays.pop(name) for device_arrays in arrays_by_device]
            global_arrays[name] = None if shards[0] is None else stack_shards(shards, mesh)
        return cls(
            rows=EventDelivery(**global_arrays, ring=local, one_block=False),
            real=stack_shards(
                [_pack_on_host(layout.real[layout.positions[k]]) for k in device_indices], mesh
            ),
            layout=layout,
            mesh=mesh,
        )

    def words(self, spikes: jax.Array) -> jax.Array:
        """The spikes of all devices as words, gathered on one device."""
        words: jax.Array = jax.lax.all_gather(pack(spikes) & self.real, self.mesh.axis_names[0])
        # words go to the devices in turn: the k-th of every device, then the (k + 1)-th
        return words.T.reshape(-1)

    def deliver(
        self,
        ring: jax.Array,
        spikes: jax.Array,
        words: jax.Array,
        step: jax.Array,
        scale: jax.Array | None = None,
    ) -> jax.Array:
        """The ring of one device with the synapses of every cell that spiked added."""
        return self.rows.deliver(ring, spikes, words, step, scale)

    def edges(self) -> EdgeList:
        """The synapses of all devices. Raises: JtfneError if other processes hold a part."""
        if not self.real.is_fully_addressable:
            raise refuse(
                "edges spread over several processes", "one process", "ShardedDelivery.edges"
            )
        parts = []
        for k in range(self.mesh.size):
            edges = jax.tree.map(lambda array, k=k: array[k], self.rows).edges()
            source = self.layout.row_of[edges.source].astype(np.int32)
            target = self.layout.rows[k][edges.target].astype(np.int32)
            parts.append(dataclasses.replace(edges, source=source, target=target))
        order = np.argsort(np.concatenate([part.source for part in parts]), kind="stable")
        columns = {}
        for field in dataclasses.fields(EdgeList):
            column = np.concatenate([getattr(part, field.name) for part in parts])
            columns[field.name] = column[order]
        return EdgeList(**columns)


def list_own_devices(mesh: Mesh) -> list[int]:
    """Indices in `mesh` of the devices that belong to this process."""
    process = jax.process_index()
    devices = enumerate(mesh.devices.flat)
    return [k for k, device in devices if device.process_index == process]


def stack_shards(parts: list[Any], mesh: Mesh) -> jax.Array:
    """One array over the mesh, first axis its devices, from the parts of this process's devices."""
    sharding = NamedSharding(mesh, over(mesh))
    device_indices = list_own_devices(mesh)
    shards = []
    for part, k in zip(parts, device_indices, strict=True):
        shards.append(jax.device_put(part[None], mesh.devices.flat[k]))
    shape = (mesh.size, *parts[0].shape)
    return jax.make_array_from_single_device_arrays(shape, sharding, shards)


def over(mesh: Mesh) -> PartitionSpec:
    """The partition of an array whose first axis is split over the devices of `mesh`."""
    (axis,) = mesh.axis_names
    spec: PartitionSpec = PartitionSpec(axis)  # type: ignore[no-untyped-call]
    return spec


def replicated_spec() -> PartitionSpec:
    """The partition of an array that is the same on every device."""
    spec: PartitionSpec = PartitionSpec()  # type: ignore[no-untyped-call]
    return spec


def _pack_on_host(real: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint32]:
    """Flags (n,) packed to words as `pack` does, on the host; n is a multiple of 32."""
    return np.packbits(real, bitorder="little").view("<u4").astype(np.uint32)


def default_mesh() -> Mesh:
    """A mesh of one axis over all devices."""
    return Mesh(np.array(jax.devices()), ("cells",))
