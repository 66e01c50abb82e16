"""Figures of cells: where they are, when they fire, how much, and what their potentials do."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jtfne._check import refuse
from jtfne.analysis.figures import _style
from jtfne.signals import Signals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POPULATION = ["area", "layer", "cell_type"]


def raster(signals: Signals, ax: "Axes | None" = None, *, trial: int = 0) -> "Axes":
    """Spikes of one trial, cells sorted by layer and type, coloured by type.

    Parameters
    ----------
    signals : Signals
        A run that recorded ``spk``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    trial : int
        Which trial.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If spikes were not recorded, or there is no such trial.
    """
    events = _runs(signals, "raster").get("spk", trial=trial)
    about = signals.tree["spk"].attrs
    ax = _style.axes_for(ax, 7.0, 4.5)
    size = float(np.clip(1600.0 / int(about["n_neurons"]), 2.2, 4.5))
    ids = events["neuron"].values
    if "neurons" in signals.tree.children:
        cells = _by_layer(signals.neurons)
        rows = pd.Series(np.arange(len(cells)), index=cells["neuron"]).loc[ids].to_numpy()
        kinds = cells["cell_type"].to_numpy()[rows]
        for name, colour in _style.colours(cells["cell_type"]).items():
            mine = kinds == name
            ax.plot(events.values[mine], rows[mine], ".", ms=size, mew=0, color=colour, label=name)
        _bands(ax, cells)
        _legend(ax, markerscale=8.0 / size)
    else:
        ax.plot(events.values, ids, ".", ms=size, mew=0, color=_style.INK)
        ax.set_ylabel("neuron")
    ax.set(xlim=(0.0, float(about["duration_ms"])), ylim=(int(about["n_neurons"]) - 0.5, -0.5), xlabel="time (ms)")
    _style.mark_events(ax, _style.events_of(signals, None))
    return _style.tidy(ax)


def rates(signals: Signals, ax: "Axes | None" = None) -> "Axes":
    """Mean firing rate of each population, bars by layer and type.

    Parameters
    ----------
    signals : Signals
        A run of a net with names that recorded ``spk``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If spikes were not recorded, or the net has no names.
    """
    table = _runs(signals, "rates").rates()
    groups = _layer_names(table)
    order = list(dict.fromkeys(groups))
    kinds = _style.colours(table["cell_type"])
    ax = _style.axes_for(ax, max(4.0, 1.1 * len(order) + 2.2), 3.2)
    width = 0.8 / len(kinds)
    for at, (name, colour) in enumerate(kinds.items()):
        mine = (table["cell_type"] == name).to_numpy()
        x = np.array([order.index(each) for each in groups[mine]], float)
        ax.bar(x + (at - (len(kinds) - 1) / 2) * width, table["rate_Hz"][mine], 0.9 * width, color=colour, label=name)
    ax.set_xticks(range(len(order)), order, rotation=45 if len(order) > 8 else 0)
    ax.set(ylabel="mean rate (Hz)", xlim=(-0.6, len(order) - 0.4))
    _legend(ax)
    ax.tick_params(axis="x", length=0)
    return _style.tidy(ax)


def vm(signals: Signals, n: int = 8, ax: "Axes | None" = None, *, trial: int = 0) -> "Axes":
    """Membrane potentials of a few cells, layers and types in turn, one above the other.

    Parameters
    ----------
    signals : Signals
        A run that recorded ``vm``.
    n : int
        How many cells, at most.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    trial : int
        Which trial.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If potentials were not recorded.
    """
    found = _runs(signals, "vm").get("vm", trial=trial).transpose("time", "neuron")
    if n < 1:
        raise refuse(f"n={n!r}", "1 or more", "analysis.figures.vm")
    named = "cell_type" in found.coords
    keys = [found[key].values if named else np.zeros(found.sizes["neuron"], "U1") for key in POPULATION]
    cells = pd.DataFrame(dict(zip(POPULATION, keys, strict=True)))
    rows = _examples(cells, n) if named else np.arange(min(n, len(cells)))
    ax = _style.axes_for(ax, 7.0, 0.5 * len(rows) + 1.2)
    values = np.asarray(found.values[:, rows], float)
    step = 1.1 * max(float(np.ptp(values, axis=0).max()), 1.0)
    kinds = _style.colours(cells["cell_type"])
    for at, row in enumerate(rows):
        trace = values[:, at] - values[:, at].min() - at * step
        ax.plot(found["time"].values, trace, lw=0.8, color=kinds[cells["cell_type"][row]] if named else _style.INK)
    names = _layer_names(cells) + " " + cells["cell_type"].to_numpy(dtype=object)
    ids = found["neuron"].values
    ax.set_yticks(
        [values[:, at].mean() - values[:, at].min() - at * step for at in range(len(rows))],
        [f"{names[row]} {ids[row]}".strip() for row in rows],
    )
    ax.set(xlabel="time (ms)", xlim=(0.0, float(found["time"].values[-1])), ylim=(-(len(rows) - 0.9) * step, step))
    _style.scale_bar(ax, 0.6 * step, str(found.attrs["units"]))
    _style.mark_events(ax, _style.events_of(signals, None))
    return _style.tidy(ax, frame=False)


def layout(signals: Signals, ax: "Axes | None" = None) -> "Axes":
    """Where the cells are: x and depth, coloured by type, with the boundaries between layers.

    Parameters
    ----------
    signals : Signals
        A run of a net with names.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the net has no names.
    """
    cells = _runs(signals, "layout").neurons
    areas = list(dict.fromkeys(cells["area"]))
    half_mm = max(float(cells["x_mm"].abs().max()), 0.05)
    pitch_mm = 2.5 * half_mm
    ax = _style.axes_for(ax, 1.6 + 2.2 * len(areas), 4.2)
    x_mm = cells["x_mm"] + cells["area"].map({name: at * pitch_mm for at, name in enumerate(areas)}).astype(float)
    base_size = float(np.clip(4000.0 / len(cells), 2.0, 20.0))
    for name, colour in _style.colours(cells["cell_type"]).items():
        mine = cells["cell_type"] == name
        front, size = (2, base_size) if name == "E" else (3, 1.8 * base_size)  # the few on top of the many
        ax.scatter(x_mm[mine], cells["z_mm"][mine], size, color=colour, lw=0, alpha=0.85, label=name, zorder=front)
    for at, area in enumerate(areas):
        _boundaries(ax, cells[cells["area"] == area], at * pitch_mm, 1.1 * half_mm)
        if len(areas) > 1:
            place: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "ha": "center", "va": "bottom"}
            ax.text(at * pitch_mm, 1.01, area, fontsize=_style.FONT_pt, **place)
    ax.set(xlabel="x (mm)", ylabel="depth (mm)", ylim=(float(cells["z_mm"].max()) * 1.02, 0.0))
    ax.set_xlim(-1.7 * half_mm, (len(areas) - 1) * pitch_mm + 1.2 * half_mm)
    ax.set_xticks([at * pitch_mm + x for at in range(len(areas)) for x in (-half_mm, 0.0, half_mm)])
    ax.set_xticklabels([f"{x:.2g}" for _ in areas for x in (-half_mm, 0.0, half_mm)])
    _legend(ax, markerscale=2.0)
    return _style.tidy(ax)


def timeline(signals: Signals, ax: "Axes | None" = None) -> "Axes":
    """The stimulus events over the run, a row for each label.

    Parameters
    ----------
    signals : Signals
        A run with events.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the run had no stimulus.
    """
    events = _style.events_of(_runs(signals, "timeline"), None)
    if events.empty:
        raise refuse("a run without events", "one with a stimulus", "analysis.figures.timeline")
    labels = list(dict.fromkeys(events["label"].astype(str)))
    duration_ms = float(signals.tree.attrs["duration_ms"])
    ax = _style.axes_for(ax, 7.0, 0.8 + 0.35 * len(labels))
    for onset_ms, length_ms, label in events.itertuples(index=False):
        shown_ms = max(float(length_ms), 0.003 * duration_ms)
        ax.barh(labels.index(str(label)), shown_ms, 0.6, left=float(onset_ms), color=_style.EVENT_COLOUR)
    ax.set_yticks(range(len(labels)), [label or "stimulus" for label in labels])
    ax.set(xlabel="time (ms)", xlim=(0.0, duration_ms), ylim=(len(labels) - 0.4, -0.6))
    return _style.tidy(ax, frame=False)


def _runs(signals: Signals, name: str) -> Signals:
    """`signals`. Raises: JtfneError if it is something else."""
    if not isinstance(signals, Signals):
        raise refuse(f"data of type {type(signals).__name__}", "Signals", f"analysis.figures.{name}")
    return signals


def _layer_names(table: pd.DataFrame) -> NDArray[np.object_]:
    """Layer of each row, (n,) of str, after its area where there are several."""
    names = table["area"] + " " + table["layer"] if table["area"].nunique() > 1 else table["layer"]
    return names.to_numpy(dtype=object)


def _boundaries(ax: "Axes", cells: pd.DataFrame, centre_mm: float, reach_mm: float) -> None:
    """Lines halfway between the layers of one area, and the layers' names left of it."""
    ranges = cells.groupby("layer", sort=False)["z_mm"].agg(["min", "max"]).sort_values("min")
    tops, bottoms = ranges["min"].to_numpy(float), ranges["max"].to_numpy(float)
    ends = [centre_mm - reach_mm, centre_mm + reach_mm]
    for boundary in (bottoms[:-1] + tops[1:]) / 2:
        ax.plot(ends, [boundary, boundary], lw=0.8, color=_style.FAINT)
    for layer, middle in zip(ranges.index, (tops + bottoms) / 2, strict=True):
        ax.text(ends[0], middle, f"{layer} ", ha="right", va="center", fontsize=_style.SMALL_pt)


def _by_layer(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells in the order of a raster's rows: area, then layer by mean depth, then type in the net's order."""
    depth = cells.groupby(["area", "layer"])["z_mm"].transform("mean")
    area = cells["area"].map({name: at for at, name in enumerate(dict.fromkeys(cells["area"]))})
    kind = cells["cell_type"].map({name: at for at, name in enumerate(dict.fromkeys(cells["cell_type"]))})
    return cells.iloc[np.lexsort((kind, depth, area))].reset_index(drop=True)


def _bands(ax: "Axes", cells: pd.DataFrame) -> None:
    """Every second layer shaded, each labelled at its middle."""
    names = _layer_names(cells)
    centres = []
    for at, name in enumerate(dict.fromkeys(names)):
        rows = np.flatnonzero(names == name)
        centres.append((name, float(rows.mean())))
        if at % 2 == 0:
            ax.axhspan(rows[0] - 0.5, rows[-1] + 0.5, color=_style.BAND, lw=0, zorder=0)
    ax.set_yticks([row for _, row in centres], [name for name, _ in centres])
    ax.tick_params(axis="y", length=0)


def _legend(ax: "Axes", *, markerscale: float = 1.0) -> None:
    """Cell types, right of the axes."""
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=_style.SMALL_pt,
        markerscale=markerscale,
        handlelength=1.0,
        handletextpad=0.4,
        borderaxespad=0.2,
    )


def _examples(cells: pd.DataFrame, n: int) -> NDArray[np.int64]:
    """Rows of `n` cells: E of each layer first, then another type in each, then the next cells of the same."""
    layers = cells["area"] + " " + cells["layer"]
    layer = layers.map({name: at for at, name in enumerate(dict.fromkeys(layers))}).to_numpy(np.int64)
    kinds = {name: at for at, name in enumerate(dict.fromkeys(cells["cell_type"]))}
    kind = cells["cell_type"].map(kinds).to_numpy(np.int64)
    turn = np.where(kind == 0, 0, 1 + (kind - 1 - layer) % max(len(kinds) - 1, 1))
    within = cells.groupby(POPULATION, sort=False).cumcount().to_numpy()
    chosen = np.lexsort((layer, turn, within))[:n]
    return np.sort(chosen)
