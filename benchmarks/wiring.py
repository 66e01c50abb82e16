"""Wiring ten million edges by every rule: seconds and peak memory, each in a fresh process.

python benchmarks/wiring.py [--edges N] [RULE ...]
"""

import argparse
import json
import subprocess
import sys

from _measure import OUT, show
from _record import record

# Each rule for n edges between c cells, in a column of 0.25 mm radius: what decays with distance
# ends at its rim.
RULES = {
    "FixedProbability": "{'p': n / c**2}",
    "FixedIndegree": "{'n': n // c}",
    "FixedIndegree, distinct": "{'n': n // c, 'multapses': False}",
    "FixedOutdegree": "{'n': n // c}",
    "FixedOutdegree, distinct": "{'n': n // c, 'multapses': False}",
    "FixedTotal": "{'n': n}",
    "FixedTotal, distinct": "{'n': n, 'multapses': False}",
    "AllToAll": "{}",
    "OneToOne": "{}",
    "DistanceDecay": "{'p0': 0.3, 'length_mm': 0.15}",
    "DistanceDecay, Gaussian, lateral": "{'p0': 0.3, 'length_mm': 0.05, 'profile': 'GaussianDecay', 'lateral': True}",
    "FromTable": "None",
}
CELLS = {"AllToAll": "int(n**0.5)", "OneToOne": "n", "DistanceDecay": "int((20 * n)**0.5 * 1.45)"}
RUN = """
import json, resource, sys, time
import numpy as np, jtfne
from jtfne.config import FromTable
n, kind, cells, fields = int(sys.argv[1]), *sys.argv[2:]
c = eval(cells)
def peak_MiB():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
cfg = jtfne.Config().areas(["V1"]).layers(["L4"]).geometry(thickness_mm=1.5, radius_mm=0.25).cells({"E": c})
jtfne.construct(cfg)
if kind == "FromTable":
    rng = np.random.default_rng(0)
    table = {name: rng.integers(0, c, n) for name in ("source", "target")}
start, before = time.perf_counter(), peak_MiB()
rule = FromTable.from_table(table) if kind == "FromTable" else {"kind": kind, **eval(fields)}
edge = {"source": "E", "target": "E", "mechanism": "AMPA", "weight": 1.0, "rule": rule}
net = jtfne.construct(cfg.connections([edge]))
print(json.dumps([net.n_edges, c, time.perf_counter() - start, before, peak_MiB()]))
"""


def measured(name: str, n_edges: int) -> tuple[int, int, float, float, float]:
    """Edges, cells, seconds, and peak memory before and after, of a fresh process."""
    kind = name.split(",")[0]
    command = [
        sys.executable,
        "-c",
        RUN,
        str(n_edges),
        kind,
        CELLS.get(kind, "100_000"),
        RULES[name],
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    n, cells, seconds, before, after = json.loads(done.stdout.splitlines()[-1])
    return n, cells, seconds, before, after


def main() -> None:
    """Measure the rules named, or all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rules", nargs="*", choices=[*RULES, []], metavar="RULE")
    parser.add_argument("--edges", type=int, default=10**7)
    asked = parser.parse_args()
    rows = [["rule", "cells", "edges", "seconds", "peak (MiB)", "of which wiring (MiB)"]]
    for name in asked.rules or RULES:
        n, cells, seconds, before, after = measured(name, asked.edges)
        rows.append(
            [
                name,
                f"{cells:,}",
                f"{n:,}",
                f"{seconds:.2f}",
                f"{after:.0f}",
                f"{after - before:.0f}",
            ]
        )
        record(
            "wiring",
            rule=name,
            cells=cells,
            edges=n,
            seconds=round(seconds, 2),
            peak_MiB=round(after),
        )
    show(rows, OUT / "wiring.md")


if __name__ == "__main__":
    main()
