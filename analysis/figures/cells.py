"""Figures of cells: where they are, when they fire, how much, and what their potentials do."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jtfne._check import names_arguments, refuse
from jtfne.analysis.figures import _inputs, _pixels, _style, _text
from jtfne.signals import Signals

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

POPULATION = ["area", "layer", "cell_type"]


@names_arguments
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

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50.0)
    >>> ax = figures.raster(signals)
    >>> ax.get_xlabel(), ax.get_xlim()[1].item()
    ('time (ms)', 50.0)
    """
    signals = _inputs.check_run(signals, "raster")
    events = signals.get("spk", trial=_inputs.check_trial(signals, trial, "raster"))
    spike_attrs = signals.tree["spk"].attrs
    ax = _style.axes_for(ax, 7.0, 4.5)
    size = float(np.clip(1600.0 / int(spike_attrs["n_neurons"]), 2.2, 4.5))
    ids = events["neuron"].values
    n_neurons = int(spike_attrs["n_neurons"])
    ax.set(
        xlim=(0.0, float(spike_attrs["duration_ms"])),
        ylim=(n_neurons - 0.5, -0.5),
        xlabel="time (ms)",
    )
    look: dict[str, Any] = {"ms": size, "mew": 0, "scalex": False, "scaley": False}
    if "neurons" in signals.tree.children:
        cells = _sort_by_layer(signals.neurons)
        rows = pd.Series(np.arange(len(cells)), index=cells["neuron"]).loc[ids].to_numpy()
        dot_indices = _pixels.thin_dots(events.values, rows, ax)
        times_ms, rows = events.values[dot_indices], rows[dot_indices]
        kinds = cells["cell_type"].to_numpy()[rows]
        entries: dict[str, Artist] = {}
        for name, colour in _style.colours(cells["cell_type"]).items():
            of_type = kinds == name
            (entries[name],) = ax.plot(
                times_ms[of_type], rows[of_type], ".", color=colour, label=name, **look
            )
        _draw_bands(ax, cells)
        _draw_legend(ax, entries, markerscale=8.0 / size)
    else:
        dot_indices = _pixels.thin_dots(events.values, ids, ax)
        ax.plot(events.values[dot_indices], ids[dot_indices], ".", color=_style.INK, **look)
        ax.set_ylabel("neuron")
    if len(dot_indices) < len(ids):
        note: dict[str, Any] = {"ha": "right", "va": "top", "fontsize": _style.SMALL_pt}
        text = f"{len(dot_indices):,} of {len(ids):,} spikes: one a pixel"
        _text.put_note(ax, text, (1.0, 0.0), (0, -16), xycoords="axes fraction", **note)
    _style.mark_events(ax, _inputs.get_events(signals, None))
    return _style.tidy(ax)


@names_arguments
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

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50.0)
    >>> ax = figures.rates(signals)
    >>> ax.get_ylabel(), [text.get_text() for text in ax.get_xticklabels()]
    ('mean rate (Hz)', ['L2/3'])
    """
    table = _inputs.check_run(signals, "rates").rates()
    groups = _layer_names(table)
    order = list(dict.fromkeys(groups))
    kinds = _style.colours(table["cell_type"])
    ax = _style.axes_for(ax, max(4.0, 1.1 * len(order) + 2.2), 3.2)
    width = 0.8 / len(kinds)
    entries: dict[str, Artist] = {}
    for number, (name, colour) in enumerate(kinds.items()):
        of_type = (table["cell_type"] == name).to_numpy()
        x = np.array([order.index(group) for group in groups[of_type]], float)
        x += (number - (len(kinds) - 1) / 2) * width
        bars = ax.bar(x, table["rate_Hz"][of_type], 0.9 * width, color=colour, label=name)
        entries[name] = bars[0]
    _text.name_ticks(ax, "x", range(len(order)), order, rotation=45 if len(order) > 8 else 0)
    ax.set(ylabel="mean rate (Hz)", xlim=(-0.6, len(order) - 0.4))
    _draw_legend(ax, entries)
    ax.tick_params(axis="x", length=0)
    return _style.tidy(ax)


@names_arguments
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

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> cfg = jtfne.suite2_net1_config(20).probes(["vm"])
    >>> signals = jtfne.construct(cfg).simulate(duration_ms=50.0)
    >>> ax = figures.vm(signals, n=3)
    >>> ax.get_xlabel(), len(ax.get_yticklabels())
    ('time (ms)', 3)
    """
    where = "analysis.figures.vm"
    signals, n = _inputs.check_run(signals, "vm"), _inputs.check_count(n, where)
    trial = _inputs.check_trial(signals, trial, "vm")
    cells, rows, ids = _choose_cells(signals, n)
    # all cells of a long run are gigabytes
    potentials = signals.get("vm", trial=trial, ids=ids[rows])
    potentials = _inputs.get_array(potentials, "vm", "time", "neuron", where=where).transpose(
        "time", "neuron"
    )
    has_names = bool(cells["cell_type"].iloc[0])
    ax = _style.axes_for(ax, 7.0, 0.5 * len(rows) + 1.2)
    values = potentials.values
    step = 1.1 * max(float(np.ptp(values, axis=0).max()), 1.0)
    kinds = _style.colours(cells["cell_type"])
    columns = _pixels.n_columns(ax)
    for number, row in enumerate(rows):
        trace = values[:, number] - values[:, number].min() - number * step
        colour = kinds[cells["cell_type"][row]] if has_names else _style.INK
        ax.plot(
            *_pixels.thin_trace(potentials["time"].values, trace, columns), lw=0.8, color=colour
        )
    names = _layer_names(cells) + " " + cells["cell_type"].to_numpy(dtype=object)
    middles = values.mean(axis=0) - values.min(axis=0) - step * np.arange(len(rows))
    _text.name_ticks(ax, "y", middles, [f"{names[row]} {ids[row]}".strip() for row in rows])
    ax.set(
        xlabel="time (ms)",
        xlim=(0.0, float(potentials["time"].values[-1])),
        ylim=(-(len(rows) - 0.9) * step, step),
    )
    _style.scale_bar(ax, 0.6 * step, str(potentials.attrs["units"]))
    _style.mark_events(ax, _inputs.get_events(signals, None))
    return _style.tidy(ax, frame=False)


@names_arguments
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

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50.0)
    >>> ax = figures.layout(signals)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('x (mm)', 'depth (mm)')
    """
    cells = _inputs.check_run(signals, "layout").neurons
    areas = list(dict.fromkeys(cells["area"]))
    half_mm = max(float(cells["x_mm"].abs().max()), 0.05)
    pitch_mm = 2.5 * half_mm
    ax = _style.axes_for(ax, 1.6 + 2.2 * len(areas), 4.2)
    x_mm = cells["x_mm"] + pitch_mm * _number_by_appearance(cells["area"])
    base_size = float(np.clip(4000.0 / len(cells), 2.0, 20.0))
    entries: dict[str, Artist] = {}
    for name, colour in _style.colours(cells["cell_type"]).items():
        is_type = cells["cell_type"] == name
        # the few on top of the many
        zorder, size = (2, base_size) if name == "E" else (3, 1.8 * base_size)
        look: dict[str, Any] = {
            "color": colour,
            "lw": 0,
            "alpha": 0.85,
            "label": name,
            "zorder": zorder,
        }
        entries[name] = ax.scatter(x_mm[is_type], cells["z_mm"][is_type], size, **look)
    for number, area in enumerate(areas):
        _draw_boundaries(ax, cells[cells["area"] == area], number * pitch_mm, 1.1 * half_mm)
        if len(areas) > 1:
            title_look: dict[str, Any] = {
                "transform": ax.get_xaxis_transform(),
                "ha": "center",
                "va": "bottom",
            }
            _text.put_text(ax, number * pitch_mm, 1.01, area, fontsize=_style.FONT_pt, **title_look)
    ax.set(xlabel="x (mm)", ylabel="depth (mm)", ylim=(float(cells["z_mm"].max()) * 1.02, 0.0))
    ax.set_xlim(-1.7 * half_mm, (len(areas) - 1) * pitch_mm + 1.2 * half_mm)
    ticks_mm, tick_labels = [], []
    for number in range(len(areas)):
        for x in (-half_mm, 0.0, half_mm):
            ticks_mm.append(number * pitch_mm + x)
            tick_labels.append(f"{x:.2g}")
    ax.set_xticks(ticks_mm)
    ax.set_xticklabels(tick_labels)
    _draw_legend(ax, entries, markerscale=2.0)
    return _style.tidy(ax)


@names_arguments
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

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> net = jtfne.construct(jtfne.suite2_net1_config(20))
    >>> flash = jtfne.Paradigm.pulse(
    ...     target="E", start_ms=10.0, duration_ms=5.0, amplitude=5.0, label="flash")
    >>> ax = figures.timeline(net.simulate(flash, duration_ms=50.0))
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['flash']
    """
    events = _inputs.get_events(_inputs.check_run(signals, "timeline"), None)
    if events.empty:
        raise refuse("a run without events", "one with a stimulus", "analysis.figures.timeline")
    labels = list(dict.fromkeys(events["label"].astype(str)))
    duration_ms = float(signals.tree.attrs["duration_ms"])
    ax = _style.axes_for(ax, 7.0, 0.8 + 0.35 * len(labels))
    for onset_ms, length_ms, label in events.itertuples(index=False):
        shown_ms = max(float(length_ms), 0.003 * duration_ms)
        ax.barh(
            labels.index(str(label)), shown_ms, 0.6, left=float(onset_ms), color=_style.EVENT_COLOUR
        )
    _text.name_ticks(ax, "y", range(len(labels)), [label or "stimulus" for label in labels])
    ax.set(xlabel="time (ms)", xlim=(0.0, duration_ms), ylim=(len(labels) - 0.4, -0.6))
    return _style.tidy(ax, frame=False)


def _choose_cells(
    signals: Signals, n: int
) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.int64]]:
    """Labels of every cell with a potential, the rows of the `n` to show, and the ids of all.

    Raises: JtfneError if potentials were not recorded.
    """
    if "vm" not in signals.recorded():
        signals.get("vm")  # says so
    node = signals.tree["vm"].to_dataset()
    ids = node["neuron"].values
    has_names = "cell_type" in node.coords
    columns = [node[key].values if has_names else np.zeros(ids.size, "U1") for key in POPULATION]
    cells = pd.DataFrame(dict(zip(POPULATION, columns, strict=True)))
    return cells, _choose_examples(cells, n) if has_names else np.arange(min(n, ids.size)), ids


def _layer_names(table: pd.DataFrame) -> NDArray[np.object_]:
    """Layer of each row, (n,) of str, after its area where there are several."""
    names = table["area"] + " " + table["layer"] if table["area"].nunique() > 1 else table["layer"]
    return names.to_numpy(dtype=object)


def _draw_boundaries(ax: "Axes", cells: pd.DataFrame, centre_mm: float, reach_mm: float) -> None:
    """Draw lines halfway between the layers of one area, and write the layers' names left of it."""
    ranges = cells.groupby("layer", sort=False)["z_mm"].agg(["min", "max"]).sort_values("min")
    tops, bottoms = ranges["min"].to_numpy(float), ranges["max"].to_numpy(float)
    ends = [centre_mm - reach_mm, centre_mm + reach_mm]
    for boundary in (bottoms[:-1] + tops[1:]) / 2:
        ax.plot(ends, [boundary, boundary], lw=0.8, color=_style.FAINT)
    for layer, middle in zip(ranges.index, (tops + bottoms) / 2, strict=True):
        _text.put_text(
            ax, ends[0], middle, f"{layer} ", ha="right", va="center", fontsize=_style.SMALL_pt
        )


def _number_by_appearance(names: pd.Series) -> NDArray[np.int64]:
    """For each entry the number of its name, from 0 in order of first appearance."""
    numbers, _ = pd.factorize(names)
    return np.asarray(numbers, np.int64)


def _sort_by_layer(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells in the order of a raster's rows: area, layer by mean depth, type in the net's order."""
    depth = cells.groupby(["area", "layer"])["z_mm"].transform("mean")
    area, kind = _number_by_appearance(cells["area"]), _number_by_appearance(cells["cell_type"])
    return cells.iloc[np.lexsort((kind, depth, area))].reset_index(drop=True)


def _draw_bands(ax: "Axes", cells: pd.DataFrame) -> None:
    """Shade every second layer of a raster, and label each at its middle."""
    names = _layer_names(cells)
    labels, centres = [], []
    for number, name in enumerate(dict.fromkeys(names)):
        rows = np.flatnonzero(names == name)
        labels.append(name)
        centres.append(float(rows.mean()))
        if number % 2 == 0:
            ax.axhspan(rows[0] - 0.5, rows[-1] + 0.5, color=_style.BAND, lw=0, zorder=0)
    _text.name_ticks(ax, "y", centres, labels)
    ax.tick_params(axis="y", length=0)


def _draw_legend(ax: "Axes", entries: "dict[str, Artist]", *, markerscale: float = 1.0) -> None:
    """Draw a legend of cell types right of the axes."""
    _text.put_legend(
        ax,
        entries,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=_style.SMALL_pt,
        markerscale=markerscale,
        handlelength=1.0,
        handletextpad=0.4,
        borderaxespad=0.2,
    )


def _choose_examples(cells: pd.DataFrame, n: int) -> NDArray[np.int64]:
    """Rows of `n` example cells: E of each layer first, then another type in each, and so on."""
    layers = cells["area"] + " " + cells["layer"]
    layer, kind = _number_by_appearance(layers), _number_by_appearance(cells["cell_type"])
    n_kinds = int(kind.max(initial=-1)) + 1
    # Turn 0 takes the first type in every layer; later turns take a different one in each.
    turn = np.where(kind == 0, 0, 1 + (kind - 1 - layer) % max(n_kinds - 1, 1))
    rank = cells.groupby(POPULATION, sort=False).cumcount().to_numpy()
    example_rows = np.lexsort((layer, turn, rank))[:n]
    return np.sort(example_rows)
