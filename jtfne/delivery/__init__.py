"""From spikes to inputs: who is reached, when, by how much."""

from jtfne.delivery._base import Delivery, EdgeList, Ring, pack, unpack
from jtfne.delivery.event import EventDelivery

__all__ = ["Delivery", "EdgeList", "EventDelivery", "Ring", "pack", "unpack"]
