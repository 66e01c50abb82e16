"""Analyses of signals, simulated or recorded alike: labelled arrays in, labelled arrays out."""

import importlib
from typing import TYPE_CHECKING

from jtfne.analysis.compare import LaminarFeatures, compare, compare_laminar, compare_run
from jtfne.analysis.comparisons import (
    EvokedComparison,
    LaminarComparison,
    SpectraComparison,
    SpectrolaminarComparison,
    SpikeComparison,
)
from jtfne.analysis.coupling import coherence, phase_amplitude_coupling
from jtfne.analysis.csd import csd
from jtfne.analysis.evoked import evoked
from jtfne.analysis.laminar import laminar_features
from jtfne.analysis.rate import cv, fano_factor, isi, population_rate, rates
from jtfne.analysis.recordings import load_recording
from jtfne.analysis.spectrolaminar import flip, flip_null, spectrolaminar, vflip
from jtfne.analysis.spectrum import band_power, multitaper, psd
from jtfne.analysis.synchrony import correlation, synchrony
from jtfne.measures.csd import SecondDifference, Smoothed
from jtfne.measures.icsd import DeltaICSD, SplineICSD, StepICSD
from jtfne.measures.kcsd import KernelCSD
from jtfne.measures.spectrolaminar import Flip
from jtfne.measures.vflip import (
    FlipNull,
    PhaseRandomised,
    PolarityFlip,
    ShuffledChannels,
    ShuffledFrequencies,
)

if TYPE_CHECKING:
    from jtfne.analysis import figures as figures
    from jtfne.analysis.report import write_report as write_report

__all__ = [
    "DeltaICSD",
    "EvokedComparison",
    "Flip",
    "FlipNull",
    "KernelCSD",
    "LaminarComparison",
    "LaminarFeatures",
    "PhaseRandomised",
    "PolarityFlip",
    "SecondDifference",
    "ShuffledChannels",
    "ShuffledFrequencies",
    "Smoothed",
    "SpectraComparison",
    "SpectrolaminarComparison",
    "SpikeComparison",
    "SplineICSD",
    "StepICSD",
    "band_power",
    "coherence",
    "compare",
    "compare_laminar",
    "compare_run",
    "correlation",
    "csd",
    "cv",
    "evoked",
    "fano_factor",
    "figures",
    "flip",
    "flip_null",
    "isi",
    "laminar_features",
    "load_recording",
    "multitaper",
    "phase_amplitude_coupling",
    "population_rate",
    "psd",
    "rates",
    "spectrolaminar",
    "synchrony",
    "vflip",
    "write_report",
]


def __getattr__(name: str) -> object:
    """Load `figures` or `write_report` on first use, so that analyses alone do not import them."""
    if name == "figures":
        return importlib.import_module("jtfne.analysis.figures")
    if name == "write_report":
        function: object = importlib.import_module("jtfne.analysis.report").write_report
        return function
    raise AttributeError(
        f"module 'jtfne.analysis' has no attribute {name!r}; public names: {', '.join(__all__)}"
    )
