"""Net + Paradigm -> Signals: the boundary between arrays and labels.

`simulate` is for users; `prepare_variants` and `run_variant` run one circuit with other values, for
`candidates`.
"""

from jtfne.flatnet import mechanisms_of
from jtfne.simulation._loop import RunawayError
from jtfne.simulation._memory import MemoryEstimate
from jtfne.simulation._prepare import PreparedRun
from jtfne.simulation._simulate import estimate_memory, simulate
from jtfne.simulation._stream import net_hash
from jtfne.simulation._variants import empty_signals, prepare_variants, run_variant

__all__ = [
    "MemoryEstimate",
    "PreparedRun",
    "RunawayError",
    "empty_signals",
    "estimate_memory",
    "mechanisms_of",
    "net_hash",
    "prepare_variants",
    "run_variant",
    "simulate",
]
