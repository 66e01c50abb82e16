"""The table and figure of docs/validation/v1_column.rst: `python docs/validation/v1_column.py` (20
s).
"""

import numpy as np
from _page import print_table, rates_table, save
from matplotlib.figure import Figure

import jtfne
from jtfne.analysis.figures._style import DIVERGING, TYPE_COLOURS
from jtfne.presets import v1_column
from jtfne.signals import Signals


def draw_figure(signals: Signals) -> Figure:
    """Spikes around the volley by depth, and the current-source density that follows it."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    raster, image = figure.subplots(1, 2)
    z_mm = signals.neurons["z_mm"].to_numpy()
    for cell_type, colour in TYPE_COLOURS.items():
        spikes = signals.get("spk", cell_type=cell_type)
        row = np.searchsorted(signals.neurons["neuron"], spikes["neuron"].values)
        raster.plot(spikes.values, z_mm[row], ".", ms=2, mew=0, color=colour, label=cell_type)
    raster.axvspan(500.0, 510.0, color="0.9", zorder=0)
    raster.set(title="spikes", xlabel="time (ms)", ylabel="depth (mm)", xlim=(400, 600))
    raster.invert_yaxis()
    raster.legend(frameon=False, loc="upper left", fontsize=8, markerscale=4)
    csd = (
        signals.get("csd_proxy")
        .isel(area=0)
        .sel(time=slice(480.0, 540.0))
        .transpose("channel", "time")
    )
    most = float(np.abs(csd).max())
    drawn = image.pcolormesh(
        csd["time"], csd["z_mm"], csd, cmap=DIVERGING, vmin=-most, vmax=most, rasterized=True
    )
    image.set(
        title="csd_proxy (sinks blue)",
        xlabel="time (ms)",
        ylabel="depth (mm)",
        ylim=raster.get_ylim(),
    )
    figure.colorbar(drawn, ax=image, label="a.u.")
    return figure


def main() -> None:
    """Simulate, print, draw."""
    signals = jtfne.construct(v1_column().probes(["spk", "csd_proxy"])).simulate(progress=False)
    print_table(*rates_table(signals))
    save(draw_figure(signals), "v1_column")


if __name__ == "__main__":
    main()
