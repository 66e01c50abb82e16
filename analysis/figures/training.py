"""Figures of a training: how the score fell."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jtfne._check import names_arguments, refuse
from jtfne.analysis.figures import _style, _text

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

NEEDED = ("generation", "score", "passed")


@names_arguments
def training_history(result: Any, ax: "Axes | None" = None) -> "Axes":
    """The score of each candidate by generation, the best so far, and who passed all gates.

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

    Examples
    --------
    >>> import pandas as pd
    >>> from jtfne.analysis import figures
    >>> history = pd.DataFrame(
    ...     {"generation": [0, 0, 1, 1], "score": [4.0, 2.0, 3.0, 1.0], "passed": [0, 0, 0, 1]})
    >>> ax = figures.training_history(history)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['candidates', 'passed', 'best so far']
    """
    history = getattr(result, "history", result)
    if not isinstance(history, pd.DataFrame) or not set(NEEDED) <= set(history.columns):
        raise refuse(
            f"a {type(result).__name__}", "a TrainingResult, or its history", "training_history"
        )
    if history["score"].dtype.kind not in "iuf" or history["generation"].dtype.kind not in "iuf":
        raise refuse(
            "a history whose scores or generations are no numbers",
            "that of a training",
            "training_history",
        )
    finite_rows = history[np.isfinite(history["score"])]
    if finite_rows.empty:
        raise refuse("a history without a finite score", "at least one", "training_history")
    ax = _style.axes_for(ax, 6.0, 3.5)
    entries: dict[str, Artist] = {}
    look: dict[str, Any] = {"ms": 4.0, "mew": 0, "color": _style.FAINT, "label": "candidates"}
    (entries["candidates"],) = ax.plot(finite_rows["generation"], finite_rows["score"], ".", **look)
    passed_rows = finite_rows[finite_rows["passed"].astype(bool)]
    if len(passed_rows):
        colour = _style.TYPE_COLOURS["SST"]
        look = {"ms": 5.0, "mew": 0, "color": colour, "label": "passed"}
        (entries["passed"],) = ax.plot(passed_rows["generation"], passed_rows["score"], ".", **look)
    lowest = finite_rows.groupby("generation")["score"].min().cummin()
    look = {"where": "post", "lw": 1.2, "color": _style.INK, "label": "best so far"}
    (entries["best so far"],) = ax.step(lowest.index, lowest.to_numpy(), **look)
    if (finite_rows["score"] > 0.0).all():
        ax.set_yscale("log")
    n_lost = len(history) - len(finite_rows)
    title = f"{n_lost} of {len(history)} candidates without a finite score" if n_lost else ""
    ax.set(xlabel="generation", ylabel="score")
    _text.put_title(ax, title)
    _text.put_legend(ax, entries, frameon=False, fontsize=_style.SMALL_pt)
    return _style.tidy(ax)
