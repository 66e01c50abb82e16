"""Figures of a circuit before it runs: how many inputs each population has from each."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jtfne._check import names_arguments, refuse
from jtfne.analysis.figures import _style, _text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUMBERED = 12  # populations up to which each number is written


@names_arguments
def connectivity(in_degrees: pd.DataFrame, ax: "Axes | None" = None) -> "Axes":
    """Mean inputs onto a cell of each population (rows) from each (columns).

    Pairs without synapses stay white.

    Parameters
    ----------
    in_degrees : pandas.DataFrame
        Targets by sources, as ``net.summary().in_degrees``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If it is no such table, or nothing is connected.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> net = jtfne.construct(jtfne.suite2_net1_config(20))
    >>> ax = figures.connectivity(net.summary().in_degrees)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('source', 'target')
    """
    where = "analysis.figures.connectivity"
    if not isinstance(in_degrees, pd.DataFrame):
        raise refuse(
            f"data of type {type(in_degrees).__name__}",
            "net.summary().in_degrees, a DataFrame",
            where,
        )
    try:
        values = in_degrees.to_numpy(np.float64)
    except (TypeError, ValueError):
        raise refuse(
            "a table of other things than numbers", "net.summary().in_degrees", where
        ) from None
    if not np.isfinite(values).all() or (values < 0.0).any():
        raise refuse(
            "numbers of inputs that are negative or not finite", "net.summary().in_degrees", where
        )
    if not np.any(values > 0.0):
        raise refuse("a circuit without synapses", "one with connections", where)
    rows, columns = values.shape
    ax = _style.axes_for(ax, 2.2 + 0.45 * columns, 1.4 + 0.42 * rows)
    image = ax.imshow(
        np.where(values > 0.0, values, np.nan), cmap=_style.SEQUENTIAL, vmin=0.0, aspect="auto"
    )
    _style.colour_bar(ax, image, "mean inputs a cell")
    _text.name_ticks(
        ax, "x", range(columns), [str(name) for name in in_degrees.columns], rotation=45, ha="right"
    )
    _text.name_ticks(ax, "y", range(rows), [str(name) for name in in_degrees.index])
    ax.set(xlabel="source", ylabel="target")
    if max(rows, columns) <= NUMBERED:
        is_bright = values > 0.6 * values.max()
        for row, column in np.argwhere(values > 0.0):
            colour = _style.INK if is_bright[row, column] else "white"
            text = f"{values[row, column]:.3g}"
            _text.put_text(
                ax,
                column,
                row,
                text,
                ha="center",
                va="center",
                color=colour,
                fontsize=_style.SMALL_pt - 1.0,
            )
    return _style.tidy(ax)
