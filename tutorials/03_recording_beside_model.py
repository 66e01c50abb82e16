"""
Your recording beside your model, with pandas
=============================================

**Question: I have a recorded cortical signal in a file. How do I put it beside a simulated one, in one
figure and one table?**

We take an electrocorticogram with a beta rhythm, which a package brings along (your own EDF, FIF, NWB
or ``.npy`` is read alike), and set a small circuit beside it: spectra in one figure, powers by band in
one table, and a distance to sort circuits by. You will see that the circuit has no beta rhythm, and
which of three drives comes nearest.
"""

# %%
# One reader for all formats. What comes back is a labelled array with a clock in ms and a unit.
import pandas as pd

import jtfne
from jtfne import analysis
from jtfne.analysis import figures

recording = analysis.load_recording("ecog_beta", readout="lfp")
print(recording.dims, recording.sizes["time"], "samples;", recording.attrs["units"])

# %%
# Its spectrum. Nobody wrote down the unit of this recording, so its size means nothing and its shape
# does.
power = analysis.psd(recording, segment_ms=1000.0).squeeze(drop=True)
rhythm_Hz = float(power.sel(frequency=slice(10.0, 30.0)).idxmax("frequency"))
print(f"its rhythm is at {rhythm_Hz:.0f} Hz")
figures.psd(power)

# %%
# The model: 100 cells under three drives, and the potential at a contact in the middle of the column.
config = jtfne.suite2_net1_config(100).runtime(duration_ms=2000.0).probes(["spk", "lfp"])
spectra = {"recording": power.to_series()}
runs = {}
for drive in (2.0, 4.0, 8.0):
    runs[drive] = jtfne.construct(config.set("cells.E.drive", drive)).simulate()
    lfp = runs[drive].get("lfp", area="V1").isel(area=0)
    middle = lfp.isel(channel=lfp.sizes["channel"] // 2)
    spectra[f"drive {drive:g}"] = analysis.psd(middle, segment_ms=1000.0).to_series()

# %%
# From xarray to pandas is one call, and from there on it is a table like any other: the share of the
# power from 4 to 80 Hz that each band holds.
table = pd.DataFrame({name: series.loc[4.0:80.0] for name, series in spectra.items()}).dropna()
bands = pd.cut(table.index, [4, 8, 13, 30, 80], labels=["theta", "alpha", "beta", "gamma"])
shares = table.groupby(bands, observed=True).sum() / table.sum()
print(shares.round(2).to_string())

# %%
# The same in a figure: shapes, so each is divided by its sum.
ax = (table / table.sum()).plot(logy=True, figsize=(6, 3.5), lw=1)
ax.set(xlabel="frequency (Hz)", ylabel="share of the power")
ax.figure.tight_layout()

# %%
# Which circuit is nearest? A measure that is taken of the recording and of each run alike, in dB, and
# the mean squared difference in units of 3 dB. Lower is better.
from jtfne.config import Metric
from jtfne.measures import PowerSpectrum

shape = PowerSpectrum(low_Hz=8.0, high_Hz=40.0, segment_ms=250.0)
objective = jtfne.Objective([Metric(measure=shape, readout="lfp", target=recording, scale=3.0)])
distances = {drive: objective.evaluate(signals).score for drive, signals in runs.items()}
print(pd.Series(distances, name="distance").rename_axis("drive").round(2).to_string())

# %%
# A number to sort by, and nothing more: none of these circuits makes the rhythm. To change one until
# it does is the next tutorial. On the command line the same comparison is
# ``jtfne compare out/ recording.edf --readout lfp``.
