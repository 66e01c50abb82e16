"""Draws docs/images/csd.png, the figure of the page on CSD (needs jtfne[realdata]):
`python docs/images/csd.py`.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from jtfne import analysis

METHODS = {
    "second difference": analysis.SecondDifference(vaknin=True),
    "delta iCSD": analysis.DeltaICSD(),
    "step iCSD": analysis.StepICSD(),
    "spline iCSD": analysis.SplineICSD(step_mm=0.02),
    "kernel CSD": analysis.KernelCSD(step_mm=0.02),
}


def figure(lfp: xr.DataArray) -> Figure:
    """The potential, and its density by each method, 10 ms before to 40 ms after the onset."""
    t_ms = lfp["time"] - lfp.attrs["onset_ms"]
    near = lfp.isel(time=np.flatnonzero((t_ms >= -10.0) & (t_ms <= 40.0)))
    drawn, axes = plt.subplots(
        2, 3, figsize=(9.0, 5.2), layout="constrained", sharex=True, sharey=True
    )
    panels = {
        "LFP": near * 1e3,
        **{name: analysis.csd(near, method) * 1e-3 for name, method in METHODS.items()},
    }
    for ax, (name, values) in zip(axes.ravel(), panels.items(), strict=True):
        shown = values.transpose("channel", "time")
        top = float(np.abs(shown).max())
        since_ms = shown["time"] - lfp.attrs["onset_ms"]
        image = ax.pcolormesh(
            since_ms, shown["z_mm"], shown, cmap="RdBu_r", vmin=-top, vmax=top, rasterized=True
        )
        ax.set_title(name, fontsize="medium")
        drawn.colorbar(
            image, ax=ax, label="mV" if name == "LFP" else "kA/m³ (sinks < 0)", shrink=0.9
        )
    axes[0, 0].invert_yaxis()
    for ax in axes[:, 0]:
        ax.set_ylabel("depth (mm)")
    for ax in axes[1]:
        ax.set_xlabel("time from the onset (ms)")
    return drawn


if __name__ == "__main__":
    figure(analysis.load_recording("barrel")).savefig(Path(__file__).with_suffix(".png"), dpi=110)
