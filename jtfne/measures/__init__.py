"""Kernels and measures of signals: arrays in, arrays out; `jtfne.analysis` adds labels.

`MEASURES` holds the measures that an objective can aim at, each an object with its own settings
over these kernels.
"""

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
from jtfne.measures._base import Frame, Measure
from jtfne.measures.activity import CV, FanoFactor, MeanRate, Synchrony
from jtfne.measures.responses import CSDProfile, EvokedWaveform, Topography
from jtfne.measures.spectra import BandPower, PowerSpectrum, SpectrolaminarCrossover

_ALL: tuple[type[Measure], ...] = (
    *(MeanRate, CV, FanoFactor, Synchrony),
    *(PowerSpectrum, BandPower, SpectrolaminarCrossover),
    *(EvokedWaveform, CSDProfile, Topography),
)
MEASURES: dict[str, type[Measure]] = {measure.__name__: measure for measure in _ALL}

__all__ = [
    "CV",
    "MEASURES",
    "BandPower",
    "CSDProfile",
    "EvokedWaveform",
    "FanoFactor",
    "Frame",
    "MeanRate",
    "Measure",
    "PowerSpectrum",
    "SpectrolaminarCrossover",
    "Synchrony",
    "Topography",
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
