"""`python -m fuzzing [--minutes 10] [--area NAME ...] [--seed 0] [--jobs 2]`: a campaign and its
table of verdicts.
"""

import argparse
import json
import sys
from pathlib import Path

from fuzzing._campaign import Tally, run
from fuzzing._verdicts import FAULTS, Verdict
from fuzzing.areas import AREAS

DEFAULT_MINUTES = 10.0


def table(tallies: dict[str, Tally]) -> str:
    """The verdicts of each area, as a table in Markdown."""
    header = ["area", "cases", *map(str, Verdict)]
    lines = [" | ".join(header), " | ".join("---" for _ in header)]
    total: Tally = Tally()
    for tally in tallies.values():
        total.counts.update(tally.counts)
    for name, tally in (*tallies.items(), ("all", total)):
        counts = [tally.counts[verdict] for verdict in Verdict]
        lines.append(" | ".join([name, *(f"{count:,}" for count in (sum(counts), *counts))]))
    return "\n".join(f"| {line} |" for line in lines)


def main() -> int:
    """Run a campaign; 1 if there was a fault."""
    parser = argparse.ArgumentParser(prog="python -m fuzzing", description=__doc__)
    parser.add_argument("--minutes", type=float, default=DEFAULT_MINUTES)
    parser.add_argument("--area", action="append", choices=sorted(AREAS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"))
    options = parser.parse_args()
    areas = options.area or list(AREAS)
    folder = options.out / f"seed-{options.seed}"
    tallies = run(
        areas, minutes=options.minutes, seed=options.seed, jobs=options.jobs, folder=folder
    )
    faults = [fault for tally in tallies.values() for fault in tally.faults]
    for fault in faults:
        print(f"{fault['verdict']}: {fault['area']}: {fault['signature']} ({fault['count']} times)")
        print(f"    {fault.get('message', '')[:300]}\n    {fault['case'][:500]}")
    print(table(tallies))
    report = {
        "minutes": options.minutes,
        "seeds": {name: tally.seeds for name, tally in tallies.items()},
        "counts": {name: dict(tally.counts) for name, tally in tallies.items()},
        "faults": faults,
    }
    (folder / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    n_faults = sum(tally.counts[verdict] for tally in tallies.values() for verdict in FAULTS)
    print(f"{n_faults} faults of {len(faults)} kinds; rows in {folder / 'report.json'}")
    return 1 if n_faults else 0


if __name__ == "__main__":
    sys.exit(main())
