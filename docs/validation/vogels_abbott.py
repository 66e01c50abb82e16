"""The table and the figure of docs/validation/vogels_abbott.rst: `python docs/validation/vogels_abbott.py` (a minute).

With `--nest PYTHON`, an interpreter that has nest-simulator (`nox -s bench` makes one), it measures NEST beside jtfne,
else it leaves that column out.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from _activity import Activity
from _page import print_table, save
from matplotlib.figure import Figure

import jtfne

START_ms, SECONDS, SEEDS = 200.0, 5.0, range(1, 7)


def nest_rates_Hz(python: str) -> list[float]:
    """The rate of the same network in NEST, as the benchmark builds it, for each seed."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    from _measure import Case, measure

    case = Case(circuit="cuba", runner="nest")
    return [measure(case, python, run_ms=1e3 * SECONDS, repeats=1, seed=seed).rate_Hz for seed in SEEDS]


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nest", metavar="PYTHON", help="an interpreter that has nest-simulator")
    python = parser.parse_args().nest
    columns: dict[str, list[float]] = {"rate (Hz)": [], "CV of E": [], "CV of I": []}
    for seed in SEEDS:
        net = jtfne.construct(jtfne.presets.vogels_abbott(seed=seed))
        signals = net.simulate(duration_ms=START_ms + 1e3 * SECONDS)
        activity = Activity.of(signals, START_ms)
        rate_Hz = activity.time_ms.size / activity.population.size / SECONDS
        for column, value in zip(columns.values(), (rate_Hz, *map(float, activity.cv())), strict=True):
            column.append(value)
    columns |= {"NEST (Hz)": nest_rates_Hz(python)} if python else {}
    rows = [(f"seed {seed}", *(column[k] for column in columns.values())) for k, seed in enumerate(SEEDS)]
    for name, statistic in (("mean", np.mean), ("sd", lambda values: np.std(values, ddof=1))):
        rows.append((name, *(float(statistic(column)) for column in columns.values())))
    print_table(("wiring", *columns), rows)
    save(figure_of(activity), "vogels_abbott")


if __name__ == "__main__":
    main()
