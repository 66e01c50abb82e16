"""The tables and figures of docs/validation/training.rst: `python docs/validation/training.py`
(some ten minutes).

With the name of one of WAYS, that one alone.
"""

import sys
import time

from _page import print_table, save
from _training import LATER, LATER_WITHIN, WANTED_Hz, circuit, descended, rates, trained
from matplotlib.figure import Figure

import jtfne
from jtfne.analysis import figures

SEEDS = (0, 1, 2)
WAYS = {"AGSDR": (trained, "training"), "Gradient": (descended, "training_gradient")}


def main(way: str) -> None:
    """Train with each seed, simulate with another, print and draw."""
    train, image = WAYS[way]
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    rows = [("default", "", "", *rates(jtfne.construct(circuit()), LATER).values(), "")]
    for seed, axes in zip(SEEDS, figure.subplots(1, len(SEEDS), sharey=True), strict=True):
        began = time.perf_counter()
        result = train(circuit(), seed)
        took_s = time.perf_counter() - began
        later = rates(result.best_net, seed + LATER)
        worst = max(abs(later[name] / rate - 1.0) for name, rate in WANTED_Hz.items())
        told = f"{100 * worst:.0f} %" + ("" if worst <= LATER_WITHIN else ", too far")
        passing = result.history.loc[result.history["passed"], "generation"]
        rows.append(
            (
                seed,
                passing.min() + 1 if result.passed else "none",
                f"{took_s:.0f}",
                *later.values(),
                told,
            )
        )
        figures.training_history(result, axes)
        axes.set_title(f"seed {seed}", fontsize=9)
        print(result, flush=True)
    header = [
        "seed",
        "generations",
        "wall (s)",
        *(f"{name} (Hz)" for name in WANTED_Hz),
        "farthest",
    ]
    print_table(header, rows)
    save(figure, image)


if __name__ == "__main__":
    for way in sys.argv[1:] or WAYS:
        main(way)
