"""The table and the figure of docs/validation/vogels_abbott.rst: `python docs/validation/vogels_abbott.py` (seconds).

With `nest-simulator` (the extra `bench`) installed, it measures NEST beside jtfne.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
from _activity import Activity
from _page import print_table, save
from matplotlib.figure import Figure

import jtfne

START_ms, SECONDS, SEEDS = 200.0, 5.0, (1, 2, 3)


def nest_rate_Hz() -> float | None:
    """The rate of the same network in NEST, as the benchmark builds it, or None without NEST."""
    if importlib.util.find_spec("nest") is None:
        return None
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    import vogels_abbott as benchmark

    return benchmark.nest(threads=1)["rate_Hz"]


def figure_of(activity: Activity) -> Figure:
    """200 cells over a second, and how rates spread over cells."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    raster, spread = figure.subplots(1, 2, width_ratios=(2, 1))
    shown = (activity.row % 20 == 0) & (activity.time_ms < START_ms + 1000.0)
    inhibitory = activity.population[activity.row] == 1
    for kind, colour, label in ((~inhibitory, "tab:blue", "E"), (inhibitory, "tab:red", "I")):
        mine = shown & kind
        raster.plot(activity.time_ms[mine], activity.row[mine] / 20, ".", ms=3, mew=0, color=colour, label=label)
    raster.set(xlabel="time (ms)", ylabel="one cell in 20", xlim=(START_ms, START_ms + 1000.0))
    rates_Hz = np.bincount(activity.row, minlength=activity.population.size) / SECONDS
    for k, colour in enumerate(("tab:blue", "tab:red")):
        of_cells = rates_Hz[activity.population == k]
        spread.hist(of_cells, bins=np.arange(0, 41), density=True, histtype="step", color=colour, label="EI"[k])
    spread.set(xlabel="rate of a cell (Hz)", ylabel="density", xlim=(0, 40))
    spread.legend(frameon=False)
    return figure


def main() -> None:
    """Simulate, print, draw."""
    rows, activity = [], None
    for seed in SEEDS:
        net = jtfne.construct(jtfne.presets.vogels_abbott(seed=seed))
        signals = net.simulate(duration_ms=START_ms + 1e3 * SECONDS)
        activity = Activity.of(signals, START_ms)
        rate_Hz = activity.time_ms.size / activity.population.size / SECONDS
        rows.append((f"jtfne, seed {seed}", rate_Hz, *map(float, activity.cv())))
    nest_Hz = nest_rate_Hz()
    if nest_Hz is not None:
        rows.append(("NEST", nest_Hz, "", ""))
    print_table(("", "rate (Hz)", "CV of E", "CV of I"), rows)
    save(figure_of(activity), "vogels_abbott")


if __name__ == "__main__":
    main()
