"""The one loop: cells step, spikes travel, recorders read.

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
    scatter_groups,
)
from jtfne.engine._checkpointed import advance_checkpointed
from jtfne.engine._loop import (
    advance,
    advance_jit,
    replay,
    replay_jit,
    run_recorded,
    supports_replay,
)
from jtfne.engine._start import draw_words_on_host, start, start_from
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
    "advance_checkpointed",
    "advance_jit",
    "draw_words_on_host",
    "received_pA",
    "replay",
    "replay_jit",
    "run_recorded",
    "scatter_groups",
    "start",
    "start_from",
    "supports_replay",
]
