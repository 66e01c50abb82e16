"""What is computed from signals: arrays in, arrays out. `jtfne.analysis` adds labels to the same kernels."""

from jtfne.measures import (
    coupling,
    csd,
    icsd,
    kcsd,
    meanfield,
    rate,
    spectrolaminar,
    spectrum,
    synchrony,
    vflip,
    weighted_sum,
)

__all__ = [
    "coupling",
    "csd",
    "icsd",
    "kcsd",
    "meanfield",
    "rate",
    "spectrolaminar",
    "spectrum",
    "synchrony",
    "vflip",
    "weighted_sum",
]
