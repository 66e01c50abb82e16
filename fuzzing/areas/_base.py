"""What every area offers, and small circuits to fuzz with."""

from typing import Any, Protocol

import numpy as np
import xarray as xr
from hypothesis import strategies as st

import jtfne
from fuzzing._verdicts import Meaningless


class Area(Protocol):
    """A door of jtfne: how its cases are drawn, and what is done with one.

    `run` raises whatever the door raises, and `Meaningless` where what was accepted means nothing.
    """

    name: str

    def prepare(self) -> Any:
        """What all cases share, made once a process."""
        ...

    def cases(self) -> st.SearchStrategy[Any]:
        """The cases."""
        ...

    def run(self, context: Any, case: Any) -> None:
        """Run one case."""
        ...

    def describe(self, case: Any) -> str:
        """The case in words, short enough for a table."""
        ...


class Described:
    """An area whose cases are short enough to be told whole."""

    def describe(self, case: Any) -> str:
        """The case as Python writes it."""
        return repr(case)


def small_config() -> jtfne.Config:
    """Two areas of two layers, 24 cells, with what most configs have."""
    return (
        jtfne.Config()
        .runtime(seed=3, duration_ms=20.0, dt_ms=0.5)
        .areas(["V1", "V4"])
        .layers(["L2/3", "L4"])
        .cells({"E": 0.75, "PV": 0.25}, n=12)
        .cell_params({"E": {"drive": 5.0, "noise": 0.5}, "PV": {"drive": 5.0}})
        .connections(
            [
                {
                    "source": "E",
                    "target": {"cell_type": "PV", "area": "V1"},
                    "mechanism": "AMPA",
                    "rule": {"kind": "FixedProbability", "p": 0.3},
                    "weight": {"kind": "LogNormal", "mean": 40.0, "sd": 20.0},
                    "delay_ms": 1.5,
                },
                {
                    "source": "PV",
                    "target": "E",
                    "mechanism": "GABA_A",
                    "rule": {"kind": "FixedIndegree", "n": 2},
                    "weight": -60.0,
                    "delay_ms": {"kind": "Uniform", "low": 1.0, "high": 3.0},
                },
            ]
        )
        .stimuli(
            [
                {
                    "target": {"layer": "L4"},
                    "drive": {"kind": "Pulse", "start_ms": 5, "duration_ms": 5, "amplitude": 6},
                    "label": "flash",
                }
            ]
        )
        .probes(["spk", "vm", {"kind": "lfp_proxy", "n_channels": 8}, "csd_proxy", "eeg_proxy"])
        .objective(
            [{"readout": "spk", "measure": {"kind": "MeanRate"}, "target": 5.0, "scale": 1.0}]
        )
        .trainables([{"path": "gains.E->PV", "bounds": [0.5, 2.0]}])
    )


def require_finite(data: xr.DataArray, what: str) -> None:
    """Raises: Meaningless if a number of `data` is NaN or infinite."""
    if data.dtype.kind in "fc" and not bool(np.isfinite(data.values).all()):
        raise Meaningless(f"{what}: not finite")
