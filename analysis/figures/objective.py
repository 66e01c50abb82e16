"""What a circuit should show beside what it shows."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._check import names_arguments, refuse
from jtfne.analysis.figures import _style, _text
from jtfne.objective import ObjectiveResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[Hashable, Any]
MET, MISSED = "#0072B2", "#D55E00"  # Okabe and Ito's, as the cell types'


@names_arguments
def objective(result: ObjectiveResult, ax: "Axes | None" = None) -> "Axes":
    """Each metric's term of the score, with target and value; below, which gates held.

    Bars are terms, on an axis that is straight up to 1 and logarithmic above. Where a term is not
    finite there is none, and the text says so.

    Parameters
    ----------
    result : ObjectiveResult
        From `jtfne.Objective.evaluate`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; axes of a new figure unless given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        For anything that is no ObjectiveResult.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> target = {"measure": "MeanRate", "cells": "E", "target": [1.0, 5.0]}
    >>> cfg = jtfne.suite2_net1_config(20).objective([target])
    >>> signals = jtfne.construct(cfg).simulate(duration_ms=50.0)
    >>> ax = figures.objective(jtfne.Objective.of(cfg).evaluate(signals))
    >>> ax.get_xlabel()
    'weighted distance from the target'
    """
    if not isinstance(result, ObjectiveResult):
        raise refuse(
            f"a {type(result).__name__}", "an ObjectiveResult", "analysis.figures.objective"
        )
    metrics, gates = result.metrics.to_dict("records"), result.gates.to_dict("records")
    n_rows = len(metrics) + len(gates)
    ax = _style.axes_for(ax, 7.2, 1.2 + 0.32 * n_rows)
    terms = result.metrics["term"].to_numpy(float)
    bars = np.where(np.isfinite(terms), terms, 0.0)
    ax.set_xscale("symlog", linthresh=1.0)
    ax.barh(
        np.arange(len(metrics)), bars, height=0.62, color=[_choose_colour(row) for row in metrics]
    )
    ax.set_xlim(0.0, max(1.0, 1.3 * float(bars.max(initial=0.0))))
    ax.set_ylim(n_rows - 0.4, -0.6)
    names, texts = [], []
    for row in metrics:
        names.append(row["name"])
        texts.append((_describe_metric(row), _style.INK if np.isfinite(row["term"]) else MISSED))
    for row in gates:
        names.append(f"gate: {row['name']}")
        texts.append((_describe_gate(row), MET if row["passed"] else MISSED))
    _text.name_ticks(ax, "y", range(n_rows), names)
    transform = ax.get_yaxis_transform()
    for number, (text, ink) in enumerate(texts):
        look: dict[str, Any] = {
            "va": "center",
            "fontsize": _style.SMALL_pt,
            "color": ink,
            "annotation_clip": False,
        }
        _text.put_note(ax, text, (1.02, number), (0, 0), xycoords=transform, **look)
    ax.set_xlabel("weighted distance from the target")
    verdict = "passed" if result.passed else "not passed"
    _text.put_title(ax, f"score {result.score:.4g}, {verdict}")
    return _style.tidy(ax)


def _choose_colour(row: Row) -> str:
    """The colour of a metric's bar: blue within one scale of the target, red beyond."""
    return MET if row["distance"] <= 1.0 else MISSED


def _describe_value(row: Row) -> str:
    """The value that was reached, with its unit, as text."""
    unit = "" if row["unit"] in ("1", "r") else f" {row['unit']}"
    value = "not finite" if not np.isfinite(row["value"]) else f"{row['value']:.3g}{unit}"
    return f"r = {value}" if row["unit"] == "r" else value


def _describe_metric(row: Row) -> str:
    """The value of a metric and its target, as text."""
    if not row["target"].startswith("curve"):
        return f"{_describe_value(row)} (target {row['target']})"
    return (
        f"{_describe_value(row)} {'with' if row['unit'] == 'r' else 'rms from'} a {row['target']}"
    )


def _describe_gate(row: Row) -> str:
    """The value of a gate, whether it holds, and its condition, as text."""
    return f"{_describe_value(row)}, {'held' if row['passed'] else 'failed'}: {row['condition']}"
