"""The tables and figure of docs/validation/hnn_like_column.rst:
`python docs/validation/hnn_like_column.py` (30 s).
"""

import numpy as np
from _hnn_like_column import CUTS, DEFLECTIONS, dipoles, peaks
from _page import print_table, save
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jtfne
from jtfne.analysis.figures._style import DIVERGING, MORE_COLOURS, TYPE_COLOURS
from jtfne.presets import hnn_like_column
from jtfne.presets.hnn_like_column import DRIVES
from jtfne.signals import Signals

TRIALS = 10
COLOURS = {
    "L2_pyramidal": MORE_COLOURS[1],
    "L2_basket": MORE_COLOURS[0],
    "L5_pyramidal": TYPE_COLOURS["E"],
    "L5_basket": TYPE_COLOURS["PV"],
}


def rows(runs: dict[str, Signals]) -> list[tuple[str, ...]]:
    """Each deflection of each circuit: mean and standard deviation over trials, and the mean of its
    times.
    """
    found = []
    for cut, signals in runs.items():
        time_ms, dipole_nAm = dipoles(signals)
        cells = []
        for each in DEFLECTIONS:
            at_ms, size_nAm = peaks(time_ms, dipole_nAm, each)
            cells += [f"{size_nAm.mean():.0f} ± {size_nAm.std(ddof=1):.0f}", f"{at_ms.mean():.0f}"]
        found.append((cut, *cells))
    return found


def spikes_of(signals: Signals) -> list[tuple[str, str]]:
    """Spikes of a cell in a trial, by type."""
    rates = signals.rates().set_index("cell_type")["rate_Hz"]
    seconds = 1e-3 * float(signals.get("spk").attrs["duration_ms"])
    return [(name.replace("_", " "), f"{rates[name] * seconds:.1f}") for name in COLOURS]


def draw_spikes(axes: Axes, signals: Signals) -> None:
    """Of one trial, a row a cell, by type."""
    neurons = signals.neurons
    order = {int(neuron): row for row, neuron in enumerate(neurons["neuron"])}
    for name, colour in COLOURS.items():
        spikes = signals.get("spk", cell_type=name, trial=0)
        at = [order[int(each)] for each in spikes["neuron"].values]
        axes.plot(spikes.values, at, ".", ms=3, mew=0, color=colour, label=name.replace("_", " "))
    axes.set(
        title="spikes of one trial", xlabel="time (ms)", ylabel="cell", xlim=(0, 170), ylim=(270, 0)
    )
    axes.legend(frameon=False, fontsize=8, markerscale=4, loc="lower left")


def draw_dipole(axes: Axes, runs: dict[str, Signals]) -> None:
    """Each trial, their mean, and the mean of each circuit that lacks a drive."""
    for (cut, signals), colour in zip(
        runs.items(), ("k", "tab:green", "tab:red", "tab:orange"), strict=True
    ):
        time_ms, dipole_nAm = dipoles(signals)
        if cut == "all drives":
            axes.plot(time_ms, dipole_nAm.T, color="0.8", lw=0.7)
        style = "-" if cut == "all drives" else "--"
        axes.plot(
            time_ms,
            dipole_nAm.mean(axis=0),
            style,
            color=colour,
            label=cut,
            lw=2 if style == "-" else 1.3,
        )
    for name, (mean_ms, sd_ms, _) in DRIVES.items():
        axes.axvspan(
            mean_ms - sd_ms,
            mean_ms + sd_ms,
            color="tab:blue" if name == "dist1" else "tab:olive",
            alpha=0.2,
        )
        axes.text(mean_ms, 72.0, name, ha="center", fontsize=8)
    axes.axhline(0.0, color="k", lw=0.5)
    axes.set(
        title="dipole, 30 ms Hamming window", xlabel="time (ms)", ylabel="nA m, outward positive"
    )
    axes.set(xlim=(0, 170), ylim=(-80, 80))
    axes.legend(frameon=False, fontsize=8, loc="lower right")


def draw_csd(figure: Figure, axes: Axes, signals: Signals) -> None:
    """Mean over trials."""
    csd = (
        signals.get("csd")
        .isel(area=0)
        .mean("trial")
        .sel(time=slice(15.0, None))
        .transpose("channel", "time")
    )
    most = float(np.abs(csd).max())
    drawn = axes.pcolormesh(
        csd["time"], csd["z_mm"], csd, cmap=DIVERGING, vmin=-most, vmax=most, rasterized=True
    )
    axes.set(
        title="CSD (sinks blue)",
        xlabel="time (ms)",
        ylabel="depth (mm)",
        xlim=(0, 170),
        ylim=(2.6, 0.0),
    )
    figure.colorbar(drawn, ax=axes, label="A/m³")


def main() -> None:
    """Simulate, print, draw."""
    runs = {}
    for cut, gains in CUTS.items():
        runs[cut] = jtfne.construct(hnn_like_column(**gains)).simulate(
            trials=TRIALS, progress=False
        )
    print_table(("cells", "spikes of a cell"), spikes_of(runs["all drives"]))
    print()
    titles = [title for each in DEFLECTIONS for title in (f"{each.name} (nA m)", "at (ms)")]
    print_table(("circuit", *titles), rows(runs))
    figure = Figure(figsize=(14, 4.2), layout="constrained")
    spikes, dipole, csd = figure.subplots(1, 3, width_ratios=(1, 1.3, 1.2))
    draw_spikes(spikes, runs["all drives"])
    draw_dipole(dipole, runs)
    draw_csd(figure, csd, runs["all drives"])
    save(figure, "hnn_like_column")


if __name__ == "__main__":
    main()
