"""jtfne's Trainer beside jaxfne's tune loop: equal candidates, cells, time and step, mean rates as
targets.

    python benchmarks/tuning.py --peer jaxfne=PYTHON [--generations N] [--population N] [--cells N]
    [--run-ms T]

Each searches `suite2_net1` as it knows it, by its own AGSDR, in a fresh process: one generation,
with what is compiled on first use, then whole trainings, of which the fastest counts. jtfne runs
one candidate more, and one for each trainable, to tell which have no effect. The contract: a
training takes jaxfne at least 20 times as long.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _measure import OUT, DT_ms, RUN_ms, asked, interpreters, show
from _record import record

WANTED_Hz = {"E": 8.0, "PV": 15.0, "SST": 4.0, "VIP": 2.0}
LIMIT = 20.0


def rows(job: dict[str, Any], answers: Sequence[dict[str, Any]]) -> list[list[str]]:
    """The table, the header first; the first answer is ours."""
    found = [
        [
            "simulator",
            "candidates",
            "cells",
            "first generation (s)",
            "training (s)",
            "x ours",
            "best (Hz)",
        ]
    ]
    for each in answers:
        found.append(
            [each["simulator"], str(job["generations"] * job["population"]), f"{job['n_cells']:,}"]
        )
        found[-1] += [f"{each['first_call_s']:.2f}", f"{each['wall_s']:.2f}"]
        found[-1] += [f"{each['wall_s'] / answers[0]['wall_s']:.1f}", f"{each['rate_Hz']:.2f}"]
    return found


def main() -> None:
    """Measure, record, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--generations", type=int, default=7)
    parser.add_argument("--population", type=int, default=9, help="candidates of a generation, odd")
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--run-ms", type=float, default=RUN_ms)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--markdown", type=Path, default=OUT / "tuning.md", metavar="FILE")
    args = parser.parse_args()
    job = {
        "n_cells": args.cells,
        "run_ms": args.run_ms,
        "dt_ms": DT_ms,
        "seed": 1,
        "repeats": args.repeats,
    }
    job |= {"generations": args.generations, "population": args.population, "wanted_Hz": WANTED_Hz}
    pythons, answers = interpreters(args.peer), []
    for name in ("jtfne", "jaxfne"):
        if name in pythons:
            answers.append(asked(f"{name}_tune", pythons[name], job))
            ratio = answers[-1]["wall_s"] / answers[0]["wall_s"]
            about = {name: value for name, value in job.items() if name != "wanted_Hz"}
            record("tuning", **about, **answers[-1], ratio=round(ratio, 2), ratio_limit=LIMIT)
    show(rows(job, answers), args.markdown)


if __name__ == "__main__":
    main()
