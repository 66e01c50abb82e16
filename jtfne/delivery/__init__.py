"""From spikes to inputs: who is reached, when, by how much.

`Event`, `Sparse`, `Dense` and `Sharded` say how, in `simulate(delivery=...)` and
`Net.to_flat(delivery=...)`; what they build are `EventDelivery` and its kin, arrays that the engine
runs by.
"""

from jtfne.delivery._base import Delivery, EdgeList, Ring, pack, unpack
from jtfne.delivery._choice import (
    DeliverySpec,
    Dense,
    Event,
    Sharded,
    Sparse,
    SynapseSource,
    check_delivery_spec,
    default_delivery,
)
from jtfne.delivery._layout import Layout
from jtfne.delivery.dense import DenseDelivery
from jtfne.delivery.event import EventDelivery, SpikingCells, fold_spikes
from jtfne.delivery.sharded import (
    ShardedDelivery,
    list_own_devices,
    over,
    replicated_spec,
    stack_shards,
)
from jtfne.delivery.sparse import SparseDelivery

__all__ = [
    "Delivery",
    "DeliverySpec",
    "Dense",
    "DenseDelivery",
    "EdgeList",
    "Event",
    "EventDelivery",
    "Layout",
    "Ring",
    "Sharded",
    "ShardedDelivery",
    "Sparse",
    "SparseDelivery",
    "SpikingCells",
    "SynapseSource",
    "check_delivery_spec",
    "default_delivery",
    "fold_spikes",
    "list_own_devices",
    "over",
    "pack",
    "replicated_spec",
    "stack_shards",
    "unpack",
]
