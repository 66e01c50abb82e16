"""Cost of a step against the number of cells, 80 synapses and about 5 spikes a second each, beside
NEST.

    python benchmarks/scaling.py [--peer nest=PYTHON] [--cells 100 ... 77169] [--draw]

Vogels & Abbott's current-based network with the number of inputs of its 4,000 cells. The figure is
drawn from the newest lines of out/benchmarks.jsonl; `--draw` draws it without measuring.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from _measure import OUT, REPEATS, Case, Result, RUN_ms, interpreters, measure, show, table
from _record import RECORDS, record

# the last is as many as the microcircuit of Potjans & Diesmann has
CELLS = (100, 400, 1_000, 4_000, 16_000, 77_169)
SERIES = (("jtfne", 1), ("nest", 1), ("nest", 2))
IMAGE = Path(__file__).parent.parent / "docs" / "images" / "scaling.png"
COLOURS = {("jtfne", 1): "tab:green", ("nest", 1): "tab:blue", ("nest", 2): "tab:cyan"}


def newest() -> dict[tuple[str, int], dict[int, dict[str, Any]]]:
    """The newest recorded line of each runner, number of threads, and number of cells."""
    found: dict[tuple[str, int], dict[int, dict[str, Any]]] = {}
    for text in RECORDS.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if line["benchmark"] == "scaling":
            found.setdefault((line["runner"], line["threads"]), {})[line["n_cells"]] = line
    return found


def draw(lines: dict[tuple[str, int], dict[int, dict[str, Any]]]) -> Figure:
    """Microseconds a step, and seconds to build, over cells, both axes logarithmic."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for key in SERIES:
        if key not in lines:
            continue
        rows = [lines[key][n_cells] for n_cells in sorted(lines[key])]
        cells = [row["n_cells"] for row in rows]
        threads = f", {key[1]} thread{'s' * (key[1] > 1)}" if key[0] != "jtfne" else ""
        label = rows[-1]["simulator"] + threads
        style = {"color": COLOURS[key], "marker": "o", "ms": 4, "label": label}
        left.plot(cells, [row["us_per_step"] for row in rows], **style)
        right.plot(cells, [max(row["build_s"], 1e-3) for row in rows], **style)
    left.axhline(100.0, color="0.6", lw=1, ls="--")
    left.text(90, 106.0, "real time", color="0.4", fontsize=8, va="bottom")
    left.set(ylabel="wall time of a step of 0.1 ms (µs)")
    right.set(ylabel="time to build (s)")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlabel="cells, 80 synapses each")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False)
    return figure


def main() -> None:
    """Measure each size with each simulator, record, print, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--cells", nargs="+", type=int, default=CELLS)
    parser.add_argument("--run-ms", type=float, default=RUN_ms)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--draw", action="store_true", help="only draw what was recorded before")
    parser.add_argument("--markdown", type=Path, default=OUT / "scaling.md", metavar="FILE")
    args = parser.parse_args()
    pythons, results = interpreters(args.peer), list[Result]()
    for n_cells in () if args.draw else args.cells:
        for runner, threads in SERIES:
            if runner in pythons:
                case = Case(circuit=f"scaled_{n_cells}", runner=runner, threads=threads)
                results.append(
                    measure(case, pythons[runner], run_ms=args.run_ms, repeats=args.repeats)
                )
                record("scaling", **results[-1].numbers())
    if results:
        show(table(results), args.markdown)
    draw(newest()).savefig(IMAGE, dpi=110)


if __name__ == "__main__":
    main()
