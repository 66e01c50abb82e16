"""Which delivery a circuit gets: the one that a user names, or by its size and the devices."""

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import jax
import numpy as np
import numpy.typing as npt
from jax.sharding import Mesh

from jtfne._arguments import check_instance, describe_argument
from jtfne._check import refuse
from jtfne.delivery._base import Delivery, EdgeChunks, Ring
from jtfne.delivery._layout import Layout
from jtfne.delivery.dense import DenseDelivery, dense_bytes
from jtfne.delivery.event import EventDelivery, block_length, count_blocks
from jtfne.delivery.sharded import ShardedDelivery, default_mesh
from jtfne.delivery.sparse import SparseDelivery

# cells; at 23,000, gathering the spikes of two devices costs more than it saves (performance.md)
SHARDED_FROM = 30_000
DENSE_UP_TO = 2**28  # bytes of all matrices; above, an accelerator gets the sparse form


@dataclasses.dataclass(frozen=True)
class SynapseSource:
    """The synapses that a delivery is built from, not yet laid out.

    chunks: the edges, a chunk of whole rows at a time. degrees: of each source, to the cells of
    each of n devices, given each cell's device: (n_cells,), n -> (n, n_cells). models: the rows of
    each cell model, None for all rows. n_edges, n_delays: how many there are, at most.
    """

    chunks: Callable[[], EdgeChunks]
    degrees: Callable[[npt.NDArray[Any], int], npt.NDArray[np.int64]]
    models: list[npt.NDArray[Any] | None]
    n_edges: int
    n_delays: int
    ring: Ring
    dtype: np.dtype[Any]
    tracked: bool

    def out_degrees(self) -> npt.NDArray[np.int64]:
        """Edges of each source: (n_cells,)."""
        (degrees,) = self.degrees(np.zeros(self.ring.n_cells, np.int64), 1)
        out_degrees: npt.NDArray[np.int64] = degrees
        return out_degrees

    def blocks_bytes(self) -> int:
        """Bytes of rows in blocks on one device."""
        degrees = self.out_degrees()
        block = block_length(int(degrees.max(initial=1)), self.ring.width)
        return int(count_blocks(degrees, block).sum()) * block * (4 + self.dtype.itemsize)


class DeliverySpec(Protocol):
    """How spikes are to be delivered, before there are arrays; see `default_delivery`."""

    def n_bytes(self, synapses: SynapseSource) -> int:
        """About how much memory the arrays take."""
        ...

    def build(self, synapses: SynapseSource) -> Delivery:
        """The delivery of these synapses."""
        ...


@dataclasses.dataclass(frozen=True)
class Event:
    """`EventDelivery`: costs what spikes cost. The fastest on CPU, for a circuit at a time."""

    def n_bytes(self, synapses: SynapseSource) -> int:
        """About how much memory the rows of blocks take."""
        return synapses.blocks_bytes()

    def build(self, synapses: SynapseSource) -> EventDelivery:
        """Pack the synapses in blocks. Raises: JtfneError if a ring entry has no int32 index."""
        degrees = synapses.out_degrees()
        return EventDelivery.build(
            synapses.chunks(), degrees, synapses.ring, synapses.dtype, tracked=synapses.tracked
        )


@dataclasses.dataclass(frozen=True)
class Sparse:
    """`SparseDelivery`: every synapse at every step. For batches, gradients and accelerators."""

    def n_bytes(self, synapses: SynapseSource) -> int:
        """Bytes of source, entry, weight and place of each synapse, before any merge."""
        return synapses.n_edges * (12 + synapses.dtype.itemsize)

    def build(self, synapses: SynapseSource) -> SparseDelivery:
        """Sort the synapses by where they arrive."""
        return SparseDelivery.build(
            synapses.chunks(), synapses.ring, synapses.dtype, tracked=synapses.tracked
        )


@dataclasses.dataclass(frozen=True)
class Dense:
    """`DenseDelivery`: a matrix for each delay.

    For small circuits in batches, gradients and accelerators.
    """

    def n_bytes(self, synapses: SynapseSource) -> int:
        """Bytes of all matrices."""
        return dense_bytes(synapses.ring, synapses.n_delays, synapses.dtype.itemsize)

    def build(self, synapses: SynapseSource) -> DenseDelivery:
        """Fill the matrices. Raises: JtfneError if they take more than 4 GiB."""
        return DenseDelivery.build(
            synapses.chunks(), synapses.ring, synapses.dtype, tracked=synapses.tracked
        )


@dataclasses.dataclass(frozen=True)
class Sharded:
    """`ShardedDelivery`: cells shared out over the devices of `mesh`, which has one axis.

    By default over all devices of all processes.

    More than one CPU device takes `jax.config.update("jax_num_cpu_devices", n)` before jax is first
    used, or `jtfne run --devices n`.
    """

    mesh: Mesh | None = None

    def n_bytes(self, synapses: SynapseSource) -> int:
        """About how much memory the rows of blocks take on all devices together."""
        return synapses.blocks_bytes()

    def build(self, synapses: SynapseSource) -> ShardedDelivery:
        """Pack the synapses of each device.

        Raises: JtfneError for a mesh of several axes, or without a device of some process.
        """
        mesh = default_mesh() if self.mesh is None else self.mesh
        check_mesh(mesh)
        layout = Layout.build(synapses.ring.n_cells, synapses.models, mesh.size)
        device_of = layout.locate(layout.position_of)[0]
        return ShardedDelivery.build(
            synapses.chunks(),
            synapses.degrees(device_of, mesh.size),
            synapses.ring,
            synapses.dtype,
            layout=layout,
            mesh=mesh,
            tracked=synapses.tracked,
        )


def check_delivery_spec(delivery: Any, where: str) -> None:
    """Raises: JtfneError unless `delivery` is None or an object with `n_bytes` and `build`.

    A class is refused: `Event()`, not `Event`.
    """
    methods = [callable(getattr(delivery, name, None)) for name in ("n_bytes", "build")]
    if delivery is not None and (isinstance(delivery, type) or not all(methods)):
        allowed = "Event(), Sparse(), Dense() or Sharded() of jtfne.delivery, or None"
        raise refuse(f"delivery={describe_argument(delivery)}", allowed, where)
    if isinstance(delivery, Sharded) and delivery.mesh is not None:
        check_instance(
            delivery.mesh, Mesh, allowed="a jax.sharding.Mesh, or None", name="mesh", where=where
        )


def check_mesh(mesh: Mesh) -> None:
    """Raises: JtfneError for a mesh over which cells cannot be sharded."""
    where = "delivery Sharded(mesh=...)"
    if len(mesh.axis_names) != 1:
        description = f"a mesh with axes {', '.join(map(repr, mesh.axis_names))}"
        raise refuse(description, "one axis, over which cells are dealt", where)
    mesh_devices, run_devices = list(mesh.devices.flat), set(jax.devices())
    if any(device not in run_devices for device in mesh_devices):
        raise refuse(
            f"a mesh over devices {mesh_devices}",
            f"the devices of this run, {jax.devices()}",
            where,
        )
    absent_processes = {device.process_index for device in run_devices} - {
        device.process_index for device in mesh_devices
    }
    if absent_processes:
        description = (
            f"a mesh without a device of process {', '.join(map(str, sorted(absent_processes)))}"
        )
        raise refuse(description, "at least one device of each process", where)


def default_delivery(synapses: SynapseSource) -> DeliverySpec:
    """The delivery that is fastest for these synapses on the devices at hand.

    On CPU, events; from 30,000 cells on over all devices, if there are several. On accelerators,
    where a loop over single spikes is slow, matrices while they are small, else the sparse form.
    """
    if jax.default_backend() == "cpu":
        pays_to_shard = len(jax.devices()) > 1 and synapses.ring.n_cells >= SHARDED_FROM
        return Sharded() if pays_to_shard or jax.process_count() > 1 else Event()
    return Dense() if Dense().n_bytes(synapses) <= DENSE_UP_TO else Sparse()
