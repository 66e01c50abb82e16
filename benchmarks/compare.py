"""jtfne beside NEST, brian2, BrainPy and jaxfne on the same circuits, one process after the other.

    python benchmarks/compare.py --peer nest=PYTHON --peer brian2=PYTHON ... [--circuits cuba ...]

PYTHON is an interpreter that has the peer; `nox -s bench` makes them. A peer that is not given is
left out.
"""

import argparse
from pathlib import Path

from _measure import OUT, REPEATS, Case, Result, RUN_ms, interpreters, measure, show, table
from _record import record

VOGELS_ABBOTT = (
    ("jtfne", "spk", 1),
    ("jtfne", "lfp", 1),
    ("jtfne", "vm", 1),
    ("nest", "spk", 1),
    ("nest", "spk", 2),
    ("nest", "vm", 1),
    ("brian2", "spk", 1),
    ("brian2", "vm", 1),
    ("brainpy", "spk", 1),
    ("brainpy", "vm", 1),
)
MICROCIRCUIT = (("jtfne", "spk", 1), ("jtfne", "spk", 2), ("nest", "spk", 1), ("nest", "spk", 2))
# The same name, not the same synapses: every cell to every other in jaxfne, a fixed number of
# inputs in jtfne.
NET1 = (("jtfne", "spk", 1), ("jtfne", "lfp", 1), ("jaxfne", "spk", 1), ("jaxfne", "lfp", 1))
SEEDS = range(1, 9)
CIRCUITS = {
    "cuba": VOGELS_ABBOTT,
    "coba": VOGELS_ABBOTT,
    "pd14_poisson_0.1": MICROCIRCUIT,
    "pd14_dc_0.3": MICROCIRCUIT,
    "net1_1000": NET1,
    "net1_4000": NET1,
}


def alive(case: Case, python: str, run_ms: float, repeats: int) -> Result:
    """The first of some seeds with which the circuit fires: a small kick leaves some wirings of
    `coba` silent.
    """
    for seed in SEEDS:
        found = measure(case, python, run_ms=run_ms, repeats=repeats, seed=seed)
        if found.rate_Hz > 0.1:
            return found
    raise RuntimeError(f"{case} is silent with every seed")


def main() -> None:
    """Measure, record each line, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--circuits", nargs="+", choices=CIRCUITS, default=list(CIRCUITS))
    parser.add_argument("--run-ms", type=float, default=RUN_ms)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument(
        "--rounds",
        type=int,
        default=2,
        help="of all cases of a circuit; the fastest of each counts",
    )
    parser.add_argument("--markdown", type=Path, default=OUT / "compare.md", metavar="FILE")
    args = parser.parse_args()
    pythons, results = interpreters(args.peer), list[Result]()
    for name in args.circuits:
        fastest: dict[Case, Result] = {}
        for _ in range(args.rounds):  # a slow spell of the machine then falls on all
            for runner, recorded, threads in CIRCUITS[name]:
                if runner not in pythons:
                    continue
                case = Case(circuit=name, runner=runner, record=recorded, threads=threads)
                found = alive(case, pythons[runner], args.run_ms, args.repeats)
                record("compare", **found.numbers())
                fastest[case] = min(
                    fastest.get(case, found), found, key=lambda each: each.us_per_step
                )
        results += fastest.values()
    show(table(results), args.markdown)


if __name__ == "__main__":
    main()
