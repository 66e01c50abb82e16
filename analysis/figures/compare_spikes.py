"""Simulated and recorded spikes side by side: distributions over units, and synchrony."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._units import Floats
from jtfne.analysis.figures import _style, _text
from jtfne.analysis.figures.compare_evoked import THICK, THIN

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELS = {
    "rate": "firing rate (Hz)",
    "cv_isi": "CV of intervals",
    "fano_factor": "Fano factor",
}
MOST_CLASSES = 6  # beside all units: more lines cannot be told apart
# Name of a class, values (n_units,) of each side by feature, synchrony of each side.
Group = tuple[str, Mapping[str, tuple[Floats, Floats]], tuple[float | None, float | None]]


def draw_spikes(groups: Sequence[Group]) -> "Figure":
    """Four panels: the share of units at or below each rate, CV and Fano factor; and synchrony."""
    figure = _style.new_figure(10.6, 3.0)
    axes = figure.subplots(1, 4)
    shown_groups = list(groups[: MOST_CLASSES + 1])
    classes = [name for name, _, _ in shown_groups[1:]]
    colour_of_class = {shown_groups[0][0]: _style.INK, **_style.colours(classes)}
    for ax, (feature, label) in zip(axes[:3], LABELS.items(), strict=True):
        for name, values, _ in shown_groups:
            _draw_shares(ax, values[feature], colour_of_class[name])
        _text.name_axis(ax, "x", label)
        ax.set_ylim(0.0, 1.02)
        _style.tidy(ax)
    _text.name_axis(axes[0], "y", "share of units")
    _draw_synchrony(axes[3], shown_groups, colour_of_class)
    entries: dict[str, Artist] = {}
    for name, colour in colour_of_class.items():
        (entries[name],) = axes[0].plot([], [], color=colour, lw=1.4)
    (entries["simulated"],) = axes[0].plot([], [], color=_style.INK, **THICK)
    (entries["recorded"],) = axes[0].plot([], [], color=_style.INK, **THIN)
    look: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
    _text.put_legend(axes[3], entries, frameon=False, fontsize=_style.SMALL_pt, **look)
    return figure


def _draw_shares(ax: "Axes", values: tuple[Floats, Floats], colour: str) -> None:
    """Draw the cumulative distribution of both sides, the recorded one thin, on top."""
    for side_values, look in zip(values, (THICK, THIN), strict=True):
        if side_values.size:
            places = np.sort(side_values)
            shares = np.arange(1, places.size + 1) / places.size
            ax.step([places[0], *places], [0.0, *shares], where="post", color=colour, **look)


def _draw_synchrony(
    ax: "Axes", groups: Sequence[Group], colour_of_class: Mapping[str, str]
) -> None:
    """Draw the synchrony of each class on both sides, joined by a line."""
    largest = 0.0
    for name, _, synchrony in groups:
        heights = [np.nan if value is None else value for value in synchrony]
        ax.plot([0, 1], heights, "o-", color=colour_of_class[name], ms=5, lw=1.0)
        largest = max([largest, *(value for value in synchrony if value is not None)])
    _text.name_ticks(ax, "x", [0, 1], ["simulated", "recorded"])
    ax.set_xlim(-0.4, 1.4)
    ax.set_ylim(0.0, 1.1 * largest or 1.0)
    _text.name_axis(ax, "y", "synchrony χ")
    _style.tidy(ax)
