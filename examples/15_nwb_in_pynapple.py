"""A run as an NWB file, opened in pynapple, and back: the same rates on both sides."""

# expect: 0.0

import tempfile
import warnings
from pathlib import Path

import numpy as np

import jtfne
from jtfne import analysis, interop

flash = jtfne.Paradigm.pulse(
    target="E", start_ms=100.0, duration_ms=50.0, amplitude=6.0, label="flash"
)
config = jtfne.suite2_net1_config(100).probes(["spk", "lfp"])
signals = jtfne.construct(config).simulate(flash.trials(4), duration_ms=300.0)
path = interop.to_nwb(signals, Path(tempfile.mkdtemp()) / "run.nwb")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pynapple says that it looks for accelerators
    import pynapple

    data = pynapple.load_file(str(path))
    units, trials = data["units"], data["trials"]
    cells = units.getby_category("cell_type")
    for name, group in cells.items():
        print(f"{name}: {group.restrict(trials[1]).rates.mean():.1f} Hz in the second trial")

recorded = interop.from_nwb(path, "spk")  # what every analysis and `jtfne compare` take
difference_Hz = analysis.rates(recorded) - analysis.rates(signals)
print("largest difference of rates:", float(np.abs(difference_Hz).max()))
