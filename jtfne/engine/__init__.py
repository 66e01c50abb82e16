"""The one loop: cells step, spikes travel, recorders watch.

Knows dt and state; no names, no probes.
"""

from jtfne.engine._arrays import (
    Carry,
    Chunk,
    Circuit,
    Fluctuation,
    Group,
    InputChunk,
    Inputs,
    KnownSpikes,
    PoissonInput,
    PoissonState,
    Recorder,
    SpikeTrains,
    View,
    joined,
)
from jtfne.engine._checkpointed import checkpointed
from jtfne.engine._loop import (
    advance,
    advance_jit,
    follow_jit,
    replay,
    run_recorded,
    start,
    supports_replay,
)
from jtfne.engine._synaptic import received_pA

__all__ = [
    "Carry",
    "Chunk",
    "Circuit",
    "Fluctuation",
    "Group",
    "InputChunk",
    "Inputs",
    "KnownSpikes",
    "PoissonInput",
    "PoissonState",
    "Recorder",
    "SpikeTrains",
    "View",
    "advance",
    "advance_jit",
    "checkpointed",
    "follow_jit",
    "joined",
    "received_pA",
    "replay",
    "run_recorded",
    "start",
    "supports_replay",
]
