"""Figures of a training: how the score fell."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jtfne._check import refuse
from jtfne.analysis.figures import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEEDED = ("generation", "score", "passed")


def training_history(result: Any, ax: "Axes | None" = None) -> "Axes":
    """The score of each candidate by generation, the best so far, and which candidates passed all gates.

    Parameters
    ----------
    result : TrainingResult or pandas.DataFrame
        A training, or its history.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.

    Returns
    -------
    matplotlib.axes.Axes
        The score in a logarithmic scale where all are above 0.

    Raises
    ------
    JtfneError
        For anything else, and without a finite score.
    """
    history = getattr(result, "history", result)
    if not isinstance(history, pd.DataFrame) or not set(NEEDED) <= set(history.columns):
        raise refuse(f"a {type(result).__name__}", "a TrainingResult, or its history", "training_history")
    scored = history[np.isfinite(history["score"])]
    if scored.empty:
        raise refuse("a history without a finite score", "at least one", "training_history")
    ax = _style.axes_for(ax, 6.0, 3.5)
    ax.plot(scored["generation"], scored["score"], ".", ms=4.0, mew=0, color=_style.FAINT, label="candidates")
    passed = scored[scored["passed"].astype(bool)]
    if len(passed):
        colour = _style.TYPE_COLOURS["SST"]
        ax.plot(passed["generation"], passed["score"], ".", ms=5.0, mew=0, color=colour, label="passed")
    lowest = scored.groupby("generation")["score"].min().cummin()
    ax.step(lowest.index, lowest.to_numpy(), where="post", lw=1.2, color=_style.INK, label="best so far")
    if (scored["score"] > 0.0).all():
        ax.set_yscale("log")
    n_lost = len(history) - len(scored)
    title = f"{n_lost} of {len(history)} candidates without a finite score" if n_lost else ""
    ax.set(xlabel="generation", ylabel="score", title=title)
    ax.legend(frameon=False, fontsize=_style.SMALL_pt)
    return _style.tidy(ax)
