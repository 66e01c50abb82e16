"""How much of a rhythm V1 and V4 share: coherence of the spike counts of their E cells, intact and
cut.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.signal

from jtfne.signals import Signals

Floats = npt.NDArray[np.float64]
BIN_ms, SEGMENT_ms = 2.0, 250.0
POPULATIONS = [(area, layer) for area in ("V1", "V4") for layer in ("L2/3", "L4", "L5/6")]
BANDS_Hz = {"gamma": (30.0, 80.0), "alpha, beta": (8.0, 30.0)}
CUTS = {"intact": {}, "feedforward cut": {"feedforward": 0.0}, "feedback cut": {"feedback": 0.0}}


class Path(NamedTuple):
    """A layer of V1, one of V4, and the rhythm looked for in both."""

    v1: str
    v4: str
    band: str


FORWARD, BACK = Path("L2/3", "L4", "gamma"), Path("L5/6", "L5/6", "alpha, beta")
PATHS = (FORWARD, BACK, Path("L2/3", "L5/6", "alpha, beta"))
Counts = dict[tuple[str, str], Floats]


def counts_of(signals: Signals, start_ms: float = 500.0, trial: int = 0) -> Counts:
    """Spikes of E cells in a trial by area and layer, in bins of 2 ms, after `start_ms`."""
    stop_ms = float(signals.tree["spk"].attrs["duration_ms"])
    edges_ms = np.arange(start_ms, stop_ms + 0.5 * BIN_ms, BIN_ms)
    found = {}
    for area, layer in POPULATIONS:
        times_ms = signals.get("spk", area=area, layer=layer, cell_type="E", trial=trial).values
        found[area, layer] = np.histogram(times_ms, edges_ms)[0].astype(np.float64)
    return found


def coherence(v1: Counts, v4: Counts, path: Path) -> float:
    """Mean over the band of the magnitude-squared coherence of counts of V1 and V4; V4 may be of
    another run.
    """
    f_Hz, found = scipy.signal.coherence(
        v1["V1", path.v1], v4["V4", path.v4], fs=1e3 / BIN_ms, nperseg=round(SEGMENT_ms / BIN_ms)
    )
    low_Hz, high_Hz = BANDS_Hz[path.band]
    return float(found[(f_Hz >= low_Hz) & (f_Hz < high_Hz)].mean())


def shared(runs: Iterable[Counts], path: Path) -> tuple[Floats, Floats]:
    """Coherence of V1 and V4 in each run (n,), and of V1 and V4 of different runs, which share
    nothing (n, n - 1).
    """
    kept = list(runs)
    same = [coherence(run, run, path) for run in kept]
    other = [[coherence(one, two, path) for two in kept if two is not one] for one in kept]
    return np.array(same), np.array(other)


def spectrum(counts: Floats) -> tuple[Floats, Floats]:
    """Frequency and power of counts, relative to that of as many spikes at random times."""
    f_Hz, power = scipy.signal.welch(counts, fs=1e3 / BIN_ms, nperseg=round(SEGMENT_ms / BIN_ms))
    return f_Hz, power / (2.0 * counts.mean() * BIN_ms / 1e3)
