"""What is read off the dipole of the column: HNN's smoothing, and the deflection of each drive; for
page and tests.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jtfne.signals import Signals

Floats = npt.NDArray[np.float64]
# somata start between reset and threshold: they are at rest by then, and the dipole with them
SETTLED_ms = 15.0
WINDOW_ms = 30  # of HNN's Hamming window: Neymotin et al. (2020), eLife 9:e51214


class Deflection(NamedTuple):
    """What a drive makes of the dipole: its name, its drive, 1 or -1, and when it may come."""

    name: str
    drive: str
    sign: int
    from_ms: float
    to_ms: float


DEFLECTIONS = (
    Deflection("P50", "prox1", 1, 25.0, 50.0),
    Deflection("N100", "dist1", -1, 60.0, 110.0),
    Deflection("P200", "prox2", 1, 130.0, 165.0),
)
CUTS: dict[str, dict[str, float]] = {
    "all drives": {},
    **{f"no {d.drive}": {d.drive: 0.0} for d in DEFLECTIONS},
}


def dipoles(signals: Signals) -> tuple[Floats, Floats]:
    """Times, ms (n,), from `SETTLED_ms` on, and the smoothed dipole of each trial, nA m (n_trials,
    n).
    """
    found = signals.get("dipole").isel(area=0).sel(time=slice(SETTLED_ms, None))
    rows = 1e9 * np.atleast_2d(found.values)
    window = np.hamming(WINDOW_ms + 1)  # samples are 1 ms apart
    # less at both ends, where half of it is outside
    weight = np.convolve(np.ones(rows.shape[1]), window, mode="same")
    smooth = np.array([np.convolve(row, window, mode="same") / weight for row in rows])
    return np.asarray(found["time"].values, np.float64), smooth


def peaks(time_ms: Floats, dipole_nAm: Floats, deflection: Deflection) -> tuple[Floats, Floats]:
    """Time, ms, and size, nA m, of a deflection in each row of `dipole_nAm` (n_rows, n): (n_rows,)
    each.
    """
    within = (time_ms >= deflection.from_ms) & (time_ms <= deflection.to_ms)
    at = np.argmax(deflection.sign * dipole_nAm[:, within], axis=1)
    rows = np.arange(dipole_nAm.shape[0])
    return time_ms[within][at], dipole_nAm[:, within][rows, at]
