"""The result of a training: the best circuit and the history."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jtfne import _json
from jtfne._check import one_of
from jtfne._html import render_object, render_table
from jtfne.config import Config
from jtfne.net import Net
from jtfne.trainer._scores import Row

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingResult:
    """The best circuit of a training, and its history.

    Attributes
    ----------
    best_config : Config
        That of the best candidate: the lowest score among those that passed all gates with all
        seeds, or, where none did, the lowest score of all, and `passed` is False. Its trainables
        are those of the training.
    best_net : Net
        The circuit with the bits of that candidate, to simulate; of no edge that is drawn anew.
    best_score : float
        The mean over the seeds.
    history : pandas.DataFrame
        One row a candidate: generation, candidate, the value of each path, score, sd (over seeds,
        NaN with one), passed, for each metric `term ...` and `value ...`, for each gate in which
        share of the seeds it held, `gate ...`, and, of a training by gradient, `slope ...` by each
        path, in the scale of the search.
    report : dict
        Strict JSON: what was tuned to what and how, the best, gates and how often each held,
        failures by candidate, and a verdict in words.
    """

    best_config: Config
    best_net: Net
    best_score: float
    history: "pd.DataFrame"
    report: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether the best candidate passed every gate with every seed."""
        return bool(self.report["passed"])

    @property
    def best(self) -> dict[str, float]:
        """The value of each path in the best candidate."""
        return dict(self.report["best"]["values"])

    def get(self, name: str = "agsdr") -> "xr.DataArray":
        """The readout `agsdr`: best values so far of each parameter, (generation, parameter)."""
        import numpy as np
        import xarray as xr

        one_of(name, ("agsdr",), name="readout", where="TrainingResult.get")
        paths = [trainable["path"] for trainable in self.report["trainables"]]
        best_rows = (
            self.history["score"].fillna(np.inf).groupby(self.history["generation"]).idxmin()
        )
        lowest = self.history["score"].fillna(np.inf).loc[best_rows].to_numpy()
        best_generations = np.array([int(np.argmin(lowest[: k + 1])) for k in range(lowest.size)])
        values = self.history[paths].loc[best_rows].to_numpy()[best_generations]
        coords = {"generation": np.arange(lowest.size), "parameter": paths}
        attrs = {"long_name": "best values so far", "readout": "agsdr"}
        return xr.DataArray(values, coords, ("generation", "parameter"), name="agsdr", attrs=attrs)

    def to_json(self) -> str:
        """The report as strict JSON."""
        return _json.dumps(self.report, indent=2)

    def _repr_html_(self) -> str:
        """The verdict, and the best values, as notebooks show them."""
        facts = {"verdict": self.report["verdict"], "score": self.best_score}
        return render_object(
            "TrainingResult", facts, render_table(("path", "best"), self.best.items())
        )

    def __repr__(self) -> str:
        """The verdict, and the best values."""
        values = ", ".join(f"{path}={value:.6g}" for path, value in self.best.items())
        return f"TrainingResult({self.report['verdict']}; {values})"


def make_history(rows: Sequence[Row], paths: Sequence[str]) -> "pd.DataFrame":
    """The table of all candidates, one row each."""
    import pandas as pd

    table_rows = []
    for row in rows:
        table_row: Row = {"generation": row["generation"], "candidate": row["candidate"]}
        table_row |= dict(zip(paths, row["values"], strict=True))
        table_row |= {"score": row["score"], "sd": row["sd"], "passed": row["passed"]}
        for part, label in (("terms", "term"), ("reached", "value"), ("gates", "gate")):
            for name, value in row[part].items():
                table_row[f"{label} {name}"] = value
        for path, derivative in zip(paths, row.get("slopes", ()), strict=False):
            table_row[f"slope {path}"] = derivative
        table_rows.append(table_row)
    table = pd.DataFrame(table_rows)
    numbers = [name for name in table.columns if name not in ("generation", "candidate", "passed")]
    return table.astype(dict.fromkeys(numbers, float))
