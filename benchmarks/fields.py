"""Physical readouts: how long ten areas' MEG matrix takes, and what each readout adds to a run of
4,000 cells.

The contract: the matrix takes at most 2 s. Runs with and without take turns, of two lengths, as in
`recording.py`.
"""

import time

import numpy as np

import jtfne
from _circuits import circuit
from _record import record
from jtfne.config import EEG, LFP, MEG, Area, Spikes
from jtfne.config.defaults import AREAS
from jtfne.readouts import Columns
from jtfne.readouts.eeg import eeg_leadfield
from jtfne.readouts.meg import meg_leadfield
from recording import measured

CIRCUIT, LIMIT_s = "cuba", 2.0
LFP_64 = LFP(n_channels=64)
PROBES = {
    "spk": (),
    "lfp": (LFP(),),
    "lfp_64": (LFP_64,),
    "all": (LFP_64, "csd", "dipole", "eeg", "meg"),
}


def main() -> None:
    """Matrices, then runs."""
    areas = [Area(name=name) for name in AREAS]
    places = (
        np.array([getattr(each, name) for each in areas]) for name in ("position_mm", "normal")
    )
    columns = Columns(1.5, 0.25, *places, cells_mm=np.zeros((0, 3)))
    found = {}
    for name, lead, declared in (("meg", meg_leadfield, MEG()), ("eeg", eeg_leadfield, EEG())):
        start = time.perf_counter()
        lead(declared, columns)
        found[f"{name}_matrix_s"] = round(time.perf_counter() - start, 3)
    record("fields", n_areas=len(areas), meg_matrix_limit_s=LIMIT_s, **found)
    config = circuit(CIRCUIT).areas(["V1"])
    nets = {
        key: jtfne.construct(config.probes([Spikes(), *probes])) for key, probes in PROBES.items()
    }
    measured("fields", nets, circuit=CIRCUIT)


if __name__ == "__main__":
    main()
