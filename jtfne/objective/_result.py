"""The result of an objective: a score, and each of its terms by name."""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jtfne import _json
from jtfne._html import render_object, render_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

COLUMNS = ("name", "measure", "readout", "selector", "unit", "value")  # columns of both tables
SHOWN = ("name", "value", "unit", "target", "distance", "weight", "term")


@dataclasses.dataclass(frozen=True, eq=False)
class ObjectiveResult:
    """The score of a run, with a table of metrics and a table of gates.

    Attributes
    ----------
    score : float
        Sum of the terms, lower is better; infinite where one is not finite.
    metric_rows, gate_rows : tuple of dict
        The rows of the two tables.
    metrics : pandas.DataFrame
        One row a metric: name, measure, readout, selector, unit, value, target, low, high,
        distance, weight, term. The target of a number is from low to high. The value of a curve is
        its correlation with the recorded one (unit r), or the root mean square of their difference.
    gates : pandas.DataFrame
        One row a gate: name, measure, readout, selector, unit, value, condition, passed.
    passed : bool
        Whether every gate holds and the score is finite.
    problems : tuple of str
        What is not finite, by name, and why.
    curves : dict
        By name of its metric, an xarray.Dataset of what was ``reached`` and the ``target`` on the
        same points.
    """

    score: float
    metric_rows: tuple[dict[str, Any], ...]
    gate_rows: tuple[dict[str, Any], ...]
    passed: bool
    problems: tuple[str, ...]
    curves: "Mapping[str, xr.Dataset]"

    @functools.cached_property
    def metrics(self) -> "pd.DataFrame":
        """One row a metric."""
        import pandas as pd

        return pd.DataFrame(self.metric_rows)

    @functools.cached_property
    def gates(self) -> "pd.DataFrame":
        """One row a gate."""
        import pandas as pd

        return pd.DataFrame(self.gate_rows, columns=[*COLUMNS, "condition", "passed"])

    @property
    def finite(self) -> bool:
        """Whether every metric and gate has a finite value."""
        return not self.problems

    def _repr_html_(self) -> str:
        """The score and both tables, as notebooks show them."""
        facts = {"score": self.score, "passed": self.passed, "problems": "; ".join(self.problems)}
        tables = [_render_frame(self.metrics[list(SHOWN)])]
        if not self.gates.empty:
            tables.append(
                _render_frame(self.gates.drop(columns=["measure", "readout", "selector"]))
            )
        return render_object("ObjectiveResult", facts, *tables)

    def __repr__(self) -> str:
        """The score and both tables."""
        gates_text = (
            ""
            if self.gates.empty
            else f", {int(self.gates['passed'].sum())} of {len(self.gates)} gates hold"
        )
        parts = [f"score {self.score:g}{gates_text}, {'passed' if self.passed else 'not passed'}"]
        parts.append(_format_table(self.metrics[list(SHOWN)]))
        if not self.gates.empty:
            parts.append(
                _format_table(self.gates[["name", "value", "unit", "condition", "passed"]])
            )
        return "\n\n".join([*parts, *self.problems])

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values; None for what is not finite, which `problems` names."""
        return {
            "score": _to_json_number(self.score),
            "passed": self.passed,
            "problems": list(self.problems),
            "metrics": _to_records(self.metric_rows),
            "gates": _to_records(self.gate_rows),
        }

    def to_json(self) -> str:
        """The result as strict JSON."""
        return _json.dumps(self.to_dict(), indent=2)


def _render_frame(frame: "pd.DataFrame") -> str:
    """A table as HTML."""
    return render_table(frame.columns, frame.to_numpy().tolist())


def _format_table(table: "pd.DataFrame") -> str:
    """The table as text, numbers in four digits."""
    text: str = table.to_string(index=False, float_format=lambda value: f"{value:.4g}")
    return text


def _to_json_number(value: Any) -> Any:
    """`value` as a Python number or text, None if it is not finite."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _to_records(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each value as `_to_json_number` gives it."""
    return [{key: _to_json_number(value) for key, value in row.items()} for row in rows]
