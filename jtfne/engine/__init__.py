"""The one loop: cells step, spikes travel, recorders watch.

Knows dt and state; no names, no probes.
"""

from jtfne.engine._arrays import (
    Carry,
    Chunk,
    Circuit,
    Clock,
    Fluctuation,
    Group,
    Heard,
    Inputs,
    PoissonInput,
    Rain,
    Recorder,
    SpikeTrains,
    View,
    joined,
)
from jtfne.engine._checkpointed import checkpointed
from jtfne.engine._loop import advance, advance_jit, can_follow, follow, follow_jit, start, watched
from jtfne.engine._synaptic import received_pA

__all__ = [
    "Carry",
    "Chunk",
    "Circuit",
    "Clock",
    "Fluctuation",
    "Group",
    "Heard",
    "Inputs",
    "PoissonInput",
    "Rain",
    "Recorder",
    "SpikeTrains",
    "View",
    "advance",
    "advance_jit",
    "can_follow",
    "checkpointed",
    "follow",
    "follow_jit",
    "joined",
    "received_pA",
    "start",
    "watched",
]
