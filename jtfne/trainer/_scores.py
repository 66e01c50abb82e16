"""What an objective says of each candidate over its seeds, as JSON values."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from jtfne.candidates import FailedRun
from jtfne.signals import Signals

Row = dict[str, Any]


class Evaluation(Protocol):
    """What an objective returns for a run."""

    score: float
    passed: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON values: score, passed, problems, and one record for each metric and gate."""
        ...


class Evaluator(Protocol):
    """An objective: anything with `evaluate(signals)`."""

    def evaluate(self, signals: Signals) -> Any:
        """The `Evaluation` of a run; a lower score is better."""
        ...


@dataclasses.dataclass(frozen=True)
class EvaluateObjective:
    """Evaluates a run by an objective; can be pickled and sent to workers."""

    objective: Any

    def __call__(self, signals: Signals) -> dict[str, Any]:
        """The evaluation as JSON values."""
        evaluation: dict[str, Any] = self.objective.evaluate(signals).to_dict()
        return evaluation


def make_row(
    generation: int,
    candidate: int,
    point: Sequence[float],
    values: Sequence[float],
    outcomes: Sequence[Any],
) -> Row:
    """The row of one candidate.

    point: the search point. outcomes: for each seed, what `EvaluateObjective` gave, or a FailedRun.
    In the row: score, the mean over seeds, None unless all are finite; sd over seeds, None for one;
    terms and reached, means over the seeds for which they are finite; gates, the share of seeds
    with which each holds.
    """
    evaluations, scores = [], []
    metrics: list[Row] = []
    gates: list[Row] = []
    problems: list[str] = []
    for outcome in outcomes:
        evaluation = _make_failure_row(outcome) if isinstance(outcome, FailedRun) else outcome
        evaluations.append(evaluation)
        scores.append(_finite_or_none(evaluation["score"]))
        metrics += evaluation.get("metrics", [])
        problems += evaluation.get("problems", [])
        for gate in evaluation.get("gates", []):
            gates.append({**gate, "passed": float(gate["passed"])})
    finite_scores = [score for score in scores if score is not None]
    all_finite = len(finite_scores) == len(scores)
    has_spread = all_finite and len(finite_scores) > 1
    return {
        "generation": generation,
        "candidate": candidate,
        "place": [float(coordinate) for coordinate in point],
        "values": [float(value) for value in values],
        "score": float(np.mean(finite_scores)) if all_finite else None,
        "sd": float(np.std(finite_scores, ddof=1)) if has_spread else None,
        "scores": scores,
        "passed": all_finite and all(bool(evaluation["passed"]) for evaluation in evaluations),
        "terms": _mean_by_name(metrics, "term"),
        "reached": _mean_by_name(metrics, "value") | _mean_by_name(gates, "value"),
        "gates": _mean_by_name(gates, "passed", len(evaluations)),
        "problems": problems,
    }


def _make_failure_row(failure: FailedRun) -> Row:
    """The evaluation of a run that failed: no score, not passed, one problem."""
    return {"score": None, "passed": False, "problems": [failure.reason]}


def _finite_or_none(value: Any) -> float | None:
    """`value` as a float, None if it is missing or not finite."""
    return float(value) if value is not None and math.isfinite(value) else None


def _mean_by_name(
    rows: Sequence[Row], column: str, n: int | None = None
) -> dict[str, float | None]:
    """By name, the mean of `column` over its finite values, or their sum divided by `n`."""
    values_by_name: dict[str, list[float]] = {}
    for row in rows:
        values = values_by_name.setdefault(str(row["name"]), [])
        value = _finite_or_none(row.get(column))
        if value is not None:
            values.append(value)
    means: dict[str, float | None] = {}
    for name, values in values_by_name.items():
        means[name] = sum(values) / (n or len(values)) if values else None
    return means


def find_best_row(rows: Sequence[Row]) -> Row | None:
    """The row with the lowest score among those that passed, or else among all, or None."""
    scored_rows = [row for row in rows if row["score"] is not None]
    passing_rows = [row for row in scored_rows if row["passed"]]
    return min(passing_rows or scored_rows, key=lambda row: row["score"], default=None)
