"""The tables and figures of docs/validation/vogels_abbott.rst:
`python docs/validation/vogels_abbott.py` (two minutes).

With `--nest PYTHON`, an interpreter that has nest-simulator (`nox -s bench` makes one), it measures
NEST beside jtfne, else it leaves that column out.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from _activity import Activity
from _page import print_table, save
from matplotlib.figure import Figure

import jtfne
from jtfne.analysis.figures._style import TYPE_COLOURS

START_ms, SECONDS, SEEDS = 200.0, 5.0, range(1, 7)
COLOURS = (TYPE_COLOURS["E"], TYPE_COLOURS["PV"])  # of E and I
FIGURES = {"cuba": "vogels_abbott", "coba": "vogels_abbott_coba"}
NEST_S = {"cuba": SECONDS, "coba": 1.0}  # NEST's adaptive steps cost minutes
FASTEST_Hz = {"cuba": 40.0, "coba": 80.0}  # of a cell, in the figure


def nest_rates_Hz(kind: str, python: str) -> list[float]:
    """The rate of the same network in NEST, as the benchmark builds it, for each seed."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    from _measure import Case, measure

    case = Case(circuit=kind, runner="nest")
    return [
        measure(case, python, run_ms=1e3 * NEST_S[kind], repeats=1, seed=seed).rate_Hz
        for seed in SEEDS
    ]


def draw_figure(activity: Activity, fastest_Hz: float) -> Figure:
    """200 cells over a second, and how rates spread over cells."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    raster, spread = figure.subplots(1, 2, width_ratios=(2, 1))
    shown = (activity.row % 20 == 0) & (activity.time_ms < START_ms + 1000.0)
    inhibitory = activity.population[activity.row] == 1
    for kind, colour, label in ((~inhibitory, COLOURS[0], "E"), (inhibitory, COLOURS[1], "I")):
        mine = shown & kind
        raster.plot(
            activity.time_ms[mine],
            activity.row[mine] / 20,
            ".",
            ms=3,
            mew=0,
            color=colour,
            label=label,
        )
    raster.set(xlabel="time (ms)", ylabel="one cell in 20", xlim=(START_ms, START_ms + 1000.0))
    rates_Hz = np.bincount(activity.row, minlength=activity.population.size) / SECONDS
    for k, colour in enumerate(COLOURS):
        of_cells = rates_Hz[activity.population == k]
        bins = np.linspace(0.0, fastest_Hz, 41)
        spread.hist(of_cells, bins=bins, density=True, histtype="step", color=colour, label="EI"[k])
    spread.set(xlabel="rate of a cell (Hz)", ylabel="density", xlim=(0, fastest_Hz))
    spread.legend(frameon=False)
    return figure


def table_of(kind: str, python: str | None) -> Activity:
    """Print the table of a kind, means over wirings that kept going; the activity of its last
    wiring.
    """
    columns: dict[str, list[float]] = {"rate (Hz)": [], "CV of E": [], "CV of I": []}
    for seed in SEEDS:
        net = jtfne.construct(jtfne.presets.vogels_abbott(kind, seed=seed))
        signals = net.simulate(duration_ms=START_ms + 1e3 * SECONDS, progress=False)
        activity = Activity.of(signals, START_ms)
        rate_Hz = activity.time_ms.size / activity.population.size / SECONDS
        for column, value in zip(
            columns.values(), (rate_Hz, *map(float, activity.cv())), strict=True
        ):
            column.append(value)
    columns |= {"NEST (Hz)": nest_rates_Hz(kind, python)} if python else {}
    rows = [
        (f"seed {seed}", *(column[k] for column in columns.values()))
        for k, seed in enumerate(SEEDS)
    ]
    for name, statistic in (("mean", np.mean), ("sd", lambda values: np.std(values, ddof=1))):
        rows.append(
            (
                name,
                *(
                    float(statistic([each for each in column if each > 0.0]))
                    for column in columns.values()
                ),
            )
        )
    print_table((kind, *columns), rows)
    return activity


def main() -> None:
    """Simulate, print, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nest", metavar="PYTHON", help="an interpreter that has nest-simulator")
    parser.add_argument("--kinds", nargs="+", choices=FIGURES, default=list(FIGURES))
    args = parser.parse_args()
    for kind in args.kinds:
        save(draw_figure(table_of(kind, args.nest), FASTEST_Hz[kind]), FIGURES[kind])


if __name__ == "__main__":
    main()
