"""Figures: each takes a run or an array and an optional `ax`, and returns the Axes."""

from jtfne.analysis.figures.cells import layout, raster, rates, timeline, vm
from jtfne.analysis.figures.circuit import connectivity
from jtfne.analysis.figures.compare import laminar_comparison
from jtfne.analysis.figures.fields import laminar, spectrolaminar
from jtfne.analysis.figures.head import topography, traces
from jtfne.analysis.figures.moments import dipole
from jtfne.analysis.figures.nulls import flip_null
from jtfne.analysis.figures.objective import objective
from jtfne.analysis.figures.save import overview, save_all
from jtfne.analysis.figures.spectra import psd
from jtfne.analysis.figures.training import training_history

__all__ = [
    "connectivity",
    "dipole",
    "flip_null",
    "laminar",
    "laminar_comparison",
    "layout",
    "objective",
    "overview",
    "psd",
    "raster",
    "rates",
    "save_all",
    "spectrolaminar",
    "timeline",
    "topography",
    "traces",
    "training_history",
    "vm",
]
