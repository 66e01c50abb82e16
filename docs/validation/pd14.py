"""The table and the figure of docs/validation/pd14.rst: `python docs/validation/pd14.py` (a
minute).

`--scale 1` runs the full circuit and compares with its reference: 8 GB, and minutes on two cores.
"""

import argparse

import numpy as np
from _activity import Activity
from _page import print_table, save
from matplotlib.figure import Figure

import jtfne
from jtfne.presets.pd14 import POPULATIONS, FULL_RATES_Hz

# Rates and CV: means of 3 seeds of 10 s of an independent simulator at 0.1; at full scale the
# published NEST run.
REFERENCES = {
    0.1: (
        [0.486, 2.125, 4.003, 5.018, 6.609, 7.835, 0.835, 7.035],
        [0.876, 0.878, 0.857, 0.852, 0.821, 0.773, 0.865, 0.804],
    ),
    1.0: (FULL_RATES_Hz.tolist(), [0.875, 0.867, 0.853, 0.843, 0.816, 0.788, 0.872, 0.793]),
}
START_ms, SHOWN_ms = 500.0, 400.0


def draw_figure(activity: Activity, reference_Hz: list[float]) -> Figure:
    """Every spike of 400 ms by depth of its population, and rates beside the reference."""
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    raster, bars = figure.subplots(1, 2, width_ratios=(2, 1))
    shown = activity.time_ms < activity.start_ms + SHOWN_ms
    for k, label in enumerate(activity.labels):
        mine = shown & (activity.population[activity.row] == k)
        colour = "tab:blue" if label.endswith("E") else "tab:red"
        raster.plot(activity.time_ms[mine], activity.row[mine], ".", ms=1.5, mew=0, color=colour)
    middles = [np.flatnonzero(activity.population == k).mean() for k in range(len(activity.labels))]
    raster.set(xlabel="time (ms)", ylabel="cell", yticks=middles, yticklabels=activity.labels)
    raster.set(
        ylim=(activity.population.size, 0), xlim=(activity.start_ms, activity.start_ms + SHOWN_ms)
    )
    place = np.arange(len(activity.labels))
    bars.barh(place - 0.2, activity.rates_Hz(), height=0.4, label="jtfne", color="tab:green")
    bars.barh(place + 0.2, reference_Hz, height=0.4, label="reference", color="0.7")
    bars.set(
        xlabel="rate (Hz)", yticks=place, yticklabels=activity.labels, ylim=(place[-1] + 0.6, -0.6)
    )
    bars.legend(frameon=False)
    return figure


def main() -> None:
    """Simulate, print, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=0.1, choices=sorted(REFERENCES))
    scale = parser.parse_args().scale
    signals = jtfne.construct(jtfne.presets.pd14(scale)).simulate(duration_ms=START_ms + 10_000.0)
    activity = Activity.of(signals, START_ms)
    rates_Hz, cv = REFERENCES[scale]
    found_Hz, found_cv = activity.rates_Hz(), activity.cv()
    rows = [
        (" ".join(population), *map(float, (found_Hz[k], rates_Hz[k], found_cv[k], cv[k])))
        for k, population in enumerate(POPULATIONS)
    ]
    print_table(("population", "rate (Hz)", "reference", "CV", "reference"), rows)
    save(draw_figure(activity, rates_Hz), "pd14" if scale < 1.0 else "pd14_full")


if __name__ == "__main__":
    main()
