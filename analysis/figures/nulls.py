"""What FLIP finds beside what it finds by chance."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._check import names_arguments, refuse
from jtfne.analysis.figures import _style, _text
from jtfne.measures.spectrolaminar import IDENTIFIABLE
from jtfne.measures.vflip import FlipNull

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOUND, DRAWN = "#D55E00", "#0072B2"
BIN = 0.05
HEIGHT = 0.75  # of a row, that the fullest bin takes


@names_arguments
def flip_null(found: FlipNull | Mapping[str, FlipNull], ax: "Axes | None" = None) -> "Axes":
    """Histograms of the goodness of draws, a row a control, with the goodness of the data and p;
    grey: unidentifiable.

    Parameters
    ----------
    found : FlipNull or mapping of str to FlipNull
        From `jtfne.analysis.flip_null`; by name for several rows, the first on top.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        For anything else, and an empty mapping.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.analysis import FlipNull, figures
    >>> draws = np.linspace(-0.2, 0.2, 40)
    >>> null = FlipNull(goodness=0.6, null=draws, p=1 / 41)  # as `jtfne.analysis.flip_null` gives
    >>> ax = figures.flip_null({"shuffled channels": null})
    >>> [text.get_text() for text in ax.get_yticklabels()], ax.texts[0].get_text()
    (['shuffled channels'], 'p = 0.024')
    """
    rows = _check_nulls(found)
    ax = _style.axes_for(ax, 5.2, 0.62 * len(rows) + 1.0)
    largest = 0.0
    for null in rows.values():
        largest = max(largest, abs(null.goodness), float(np.abs(null.null).max()))
    limit = max(BIN * (1.5 + np.ceil(largest / BIN)), IDENTIFIABLE + BIN)
    n_bins = round(limit / BIN)
    # 0, where nothing is found, in the middle of a bin
    edges = BIN * (np.arange(-n_bins, n_bins + 2) - 0.5)
    ax.axvspan(-IDENTIFIABLE, IDENTIFIABLE, color=_style.BAND, lw=0, zorder=0)
    for row, null in enumerate(rows.values()):
        counts = np.histogram(null.null, edges)[0]
        ax.stairs(
            HEIGHT * counts / counts.max() - row,
            edges,
            baseline=-row,
            fill=True,
            color=DRAWN,
            alpha=0.6,
        )
        ax.plot([null.goodness] * 2, [-row, HEIGHT - row], color=FOUND, lw=1.8)
        look: dict[str, Any] = {"xycoords": ax.get_yaxis_transform(), "fontsize": _style.SMALL_pt}
        _text.put_note(ax, f"p = {null.p:.2g}", (1.0, -row), (2, 2), **look)
    _text.name_ticks(
        ax, "y", [HEIGHT / 3 - row for row in range(len(rows))], [str(name) for name in rows]
    )
    ax.set(
        xlim=(-limit, limit),
        ylim=(0.02 - len(rows) + 1 - 0.1, 1.0),
        xlabel="goodness G (bars: draws; line: data)",
    )
    return _style.tidy(ax, frame=False)


def _check_nulls(nulls: FlipNull | Mapping[str, FlipNull]) -> dict[str, FlipNull]:
    """The nulls by name, an only one by "".

    Raises: JtfneError for other data, and values that are not finite.
    """
    rows: dict[str, FlipNull] = {}
    if isinstance(nulls, FlipNull):
        rows = {"": nulls}
    elif hasattr(nulls, "keys"):
        rows = dict(nulls)
    if not rows or not all(isinstance(null, FlipNull) for null in rows.values()):
        description = f"data of type {type(nulls).__name__}"
        raise refuse(description, "a FlipNull, or several by name", "analysis.figures.flip_null")
    for name, null in rows.items():
        draws = np.asarray(null.null)
        if draws.size == 0 or not np.isfinite([*draws, null.goodness, null.p]).all():
            description = (
                f"{name or 'a null'!r} of {draws.size} draws, or with values that are not finite,"
            )
            raise refuse(
                description, "draws, goodness and p that are finite", "analysis.figures.flip_null"
            )
    return rows
