"""What an objective says of each candidate: over its seeds, as JSON values."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from jtfne.candidates import Failed
from jtfne.signals import Signals

Row = dict[str, Any]


class Evaluation(Protocol):
    """What an objective gives for a run."""

    score: float
    passed: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON values: score, passed, problems, and metrics and gates as one record each."""
        ...


class Aim(Protocol):
    """An objective."""

    def evaluate(self, signals: Signals) -> Any:
        """The score of a run, lower is better, and its terms: an `Evaluation`."""
        ...


@dataclasses.dataclass(frozen=True)
class Scored:
    """Signals -> what the objective says of them; travels to workers."""

    objective: Any

    def __call__(self, signals: Signals) -> dict[str, Any]:
        """JSON values."""
        found: dict[str, Any] = self.objective.evaluate(signals).to_dict()
        return found


def row_of(
    generation: int, candidate: int, place: Sequence[float], values: Sequence[float], found: Sequence[Any]
) -> Row:
    """All about one candidate. place: in the search. found: of each seed, what `Scored` gave, or Failed.

    The score is the mean over the seeds, None unless all are finite; sd: over the seeds, None of one. terms and reached
    are means over the seeds for which they are finite; gates: in which share of the seeds each holds.
    """
    told: list[Row] = [_failed(each) if isinstance(each, Failed) else each for each in found]
    scores = [_number(each["score"]) for each in told]
    finite = [each for each in scores if each is not None]
    whole = len(finite) == len(scores)
    metrics = [row for each in told for row in each.get("metrics", [])]
    gates = [row for each in told for row in each.get("gates", [])]
    return {
        "generation": generation,
        "candidate": candidate,
        "place": [float(each) for each in place],
        "values": [float(each) for each in values],
        "score": float(np.mean(finite)) if whole else None,
        "sd": float(np.std(finite, ddof=1)) if whole and len(finite) > 1 else None,
        "scores": scores,
        "passed": whole and all(bool(each["passed"]) for each in told),
        "terms": _means(metrics, "term"),
        "reached": _means(metrics, "value") | _means(gates, "value"),
        "gates": _means([{**row, "passed": float(row["passed"])} for row in gates], "passed", len(told)),
        "problems": [problem for each in told for problem in each.get("problems", [])],
    }


def _failed(failed: Failed) -> Row:
    """What is told of a run that went wrong."""
    return {"score": None, "passed": False, "problems": [failed.reason]}


def _number(value: Any) -> float | None:
    """A finite number, or None."""
    return float(value) if value is not None and math.isfinite(value) else None


def _means(rows: Sequence[Row], column: str, n: int | None = None) -> dict[str, float | None]:
    """By name, the mean of a column where it is finite, or the sum over `n`."""
    found: dict[str, list[float]] = {}
    for row in rows:
        value = _number(row.get(column))
        found.setdefault(str(row["name"]), []).extend([] if value is None else [value])
    return {name: (sum(each) / (n or len(each)) if each else None) for name, each in found.items()}


def best_of(rows: Sequence[Row]) -> Row | None:
    """The row with the lowest score among those that passed, or among all where none did; the first of equals."""
    scored = [row for row in rows if row["score"] is not None]
    passed = [row for row in scored if row["passed"]]
    return min(passed or scored, key=lambda row: row["score"], default=None)
