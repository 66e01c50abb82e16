"""The report of a training: what was tuned to what, the best, the gates, and a verdict in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from jtfne.config import Config, Trainable
from jtfne.reports import machine, software
from jtfne.trainer._scores import Row, find_best_row

REPORT_VERSION = "1"


def make_report(
    provenance: Mapping[str, Any],
    rows: Sequence[Row],
    best: Row,
    best_config: Config,
    trainables: Sequence[Trainable],
    start: Sequence[float],
    *,
    n_generations: int,
    wall_s: float,
) -> dict[str, Any]:
    """The report as JSON values.

    rows: all candidates. best: the row of the best one. start: the values before the search.
    """
    environment = software()
    paths = [trainable.path for trainable in trainables]
    n_seeds = len(provenance["seeds"])
    report: dict[str, Any] = {
        "report_version": REPORT_VERSION,
        "software": environment,
        "platform": machine(),
    }
    for name, value in provenance.items():
        if name not in environment:
            report[name] = value
    return report | {
        "n_generations": n_generations,
        "n_candidates": len(rows),
        "n_runs": len(rows) * n_seeds,
        "wall_s": round(wall_s, 3),
        "passed": best["passed"],
        "verdict": describe_verdict(best, rows, n_generations),
        "best": {
            **best,
            "values": dict(zip(paths, best["values"], strict=True)),
            "config_sha256": best_config.hash,
        },
        "start": dict(zip(paths, start, strict=True)),
        "gates": _summarize_gates(rows),
        "failures": _list_failures(rows),
    }


def describe_verdict(best: Row, rows: Sequence[Row], n_generations: int) -> str:
    """The outcome of a training in words."""
    outcome = f"score {best['score']:.6g} after {n_generations} generations, {len(rows)} candidates"
    if not any(row["gates"] for row in rows):
        return f"{outcome}; there were no gates" if best["passed"] else f"{outcome}; not passed"
    if best["passed"]:
        return f"{outcome}; all gates hold with every seed"
    failing_gates = [name for name, share in best["gates"].items() if not share or share < 1.0]
    verdict = (
        f"{outcome}; NO candidate passed all gates; of the best, these fail: "
        f"{', '.join(failing_gates) or 'none alone'}"
    )
    shares_by_gate = _list_gate_shares(rows)
    never_held = [name for name, shares in shares_by_gate.items() if max(shares) == 0.0]
    return verdict + (f"; these never held at all: {', '.join(never_held)}" if never_held else "")


def describe_best(rows: Sequence[Row], n_generations: int) -> str:
    """The best candidate so far, in a few words; empty before there is one."""
    best = find_best_row(rows)
    if best is None:
        return ""
    text = f"generation {n_generations}, best score {best['score']:.4g}"
    if not best["gates"]:
        return text
    n_gates_held = list(best["gates"].values()).count(1.0)
    return f"{text}, {n_gates_held} of {len(best['gates'])} gates"


def find_paths_at_bounds(trainables: Sequence[Trainable], values: Sequence[float]) -> list[str]:
    """Paths whose best value is at a bound: a better one may lie beyond it."""
    paths = []
    for trainable, value in zip(trainables, values, strict=True):
        if value in trainable.bounds:
            paths.append(trainable.path)
    return paths


def _list_gate_shares(rows: Sequence[Row]) -> dict[str, list[float]]:
    """By gate, for each candidate the share of seeds with which it held; 0 if it was not reached."""
    names: dict[str, None] = {}
    for row in rows:
        names |= dict.fromkeys(row["gates"])
    return {name: [row["gates"].get(name) or 0.0 for row in rows] for name in names}


def _summarize_gates(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """By gate: with how many candidates all seeds passed, and the largest share of seeds."""
    summary = {}
    for name, shares in _list_gate_shares(rows).items():
        summary[name] = {
            "candidates_with_all_seeds": shares.count(1.0),
            "largest_share": max(shares),
        }
    return summary


def _list_failures(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The candidates that had a problem, and their problems."""
    failures = []
    for row in rows:
        if row["problems"]:
            failures.append({key: row[key] for key in ("generation", "candidate", "problems")})
    return failures
