"""A recording as the target of an objective: how far is each circuit's rhythm from a real one?"""

# expect: 6.3 +- 2, in units of (3 dB)^2

import jtfne
from jtfne import analysis
from jtfne.config import Metric
from jtfne.measures import PowerSpectrum

# 89 s of an electrocorticogram with a beta rhythm, which the package pacpy brings. The path of your
# own EDF, FIF, NWB, ... file is read alike.
recording = analysis.load_recording("ecog_beta", readout="lfp")
power = analysis.psd(recording).sel(frequency=slice(10.0, 30.0)).squeeze()
print(f"its rhythm is at {float(power.idxmax('frequency')):.1f} Hz")

# The shape of the spectrum counts, not its size: nobody knows the unit of this recording.
shape = PowerSpectrum(low_Hz=8.0, high_Hz=40.0, segment_ms=250.0)
objective = jtfne.Objective([Metric(measure=shape, readout="lfp", target=recording, scale=3.0)])
config = jtfne.suite2_net1_config(100).runtime(duration_ms=1000.0).probes(["spk", "lfp"])
for drive in (8.0, 4.0):
    signals = jtfne.construct(config.cell_params({"E": {"drive": drive}})).simulate()
    print(f"drive {drive}: distance {objective.evaluate(signals).score:.2f}")
