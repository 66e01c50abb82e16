"""What all figures share: the axes to draw on, colours, fonts, events, and the words for units."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from jtfne._check import one_of, refuse
from jtfne._files import replace_file, resolve_path
from jtfne._units import Floats
from jtfne.analysis.figures import _text
from jtfne.readouts import find_readout
from jtfne.signals import Signals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure

Data = Signals | xr.DataArray

DPI = 150
FONT_pt = 9.0
SMALL_pt = 8.0
INK, FAINT, BAND = "#222222", "#999999", "#f3f3f3"
EVENT_COLOUR = "#E69F00"
DIVERGING, SEQUENTIAL, SIZES = "RdBu_r", "cividis", "Reds"
# Okabe and Ito's palette, which colour-blind readers tell apart: jfly.uni-koeln.de/color (2008).
TYPE_COLOURS = {"E": "#0072B2", "PV": "#D55E00", "SST": "#009E73", "VIP": "#CC79A7"}
MORE_COLOURS = ("#E69F00", "#56B4E9", "#000000", "#F0E442", "#7F7F7F", "#882255")
WINDOW_ms = (-50.0, 150.0)


def new_figure(width_in: float, height_in: float) -> "Figure":
    """An empty figure, made without pyplot: it belongs to no window and needs no closing."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), dpi=DPI, layout="constrained")


def show_figure(width_in: float, height_in: float) -> "Figure":
    """An empty figure of pyplot, which a notebook shows, and `plt.show` and `plt.savefig` find."""
    from matplotlib import pyplot

    return pyplot.figure(figsize=(width_in, height_in), dpi=DPI, layout="constrained")


class _OffScreen:
    """The type of OFF_SCREEN."""


OFF_SCREEN: Any = _OffScreen()
"""In place of axes: those of a new figure that no window and no notebook shows."""


def axes_for(ax: "Axes | None", width_in: float = 6.0, height_in: float = 4.0) -> "Axes":
    """`ax`, or the axes of a new figure, which is shown unless `ax` is OFF_SCREEN.

    Raises: JtfneError if `ax` is no Axes.
    """
    from matplotlib.axes import Axes

    if ax is None:
        return show_figure(width_in, height_in).add_subplot()
    if ax is OFF_SCREEN:
        return new_figure(width_in, height_in).add_subplot()
    if not isinstance(ax, Axes):
        raise refuse(
            f"ax of type {type(ax).__name__}", "matplotlib Axes, or None", "analysis.figures"
        )
    return ax


def get_figure(ax: "Axes") -> "Figure":
    """The figure that holds `ax`. Raises: JtfneError if there is none."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise refuse("axes without a figure", "axes of a figure", "analysis.figures")
    return figure


def tidy(ax: "Axes", *, frame: bool = True) -> "Axes":
    """Give `ax` the look of all figures: no box, small type.

    `frame=False` also hides the left spine and its ticks.
    """
    ax.spines[["top", "right"]].set_visible(False)
    if not frame:
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
    ax.tick_params(labelsize=SMALL_pt, colors=INK)
    for label in (ax.xaxis.label, ax.yaxis.label, ax.title):
        label.set_fontsize(FONT_pt)
        label.set_color(INK)
    return ax


def colour_bar(ax: "Axes | list[Axes]", mappable: "ScalarMappable", label: str) -> "Colorbar":
    """Draw a colour bar right of `ax`, with `label`."""
    figure = get_figure(ax[0] if isinstance(ax, list) else ax)
    bar = figure.colorbar(mappable, ax=ax, shrink=0.9, pad=0.02, aspect=25)
    bar.ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 4))
    bar.set_label(_text.drawable(label), fontsize=FONT_pt, color=INK, parse_math=False)
    bar.ax.tick_params(labelsize=SMALL_pt, colors=INK)
    bar.ax.yaxis.get_offset_text().set_fontsize(SMALL_pt)
    bar.outline.set_visible(False)
    return bar


def write(figure: "Figure", path: Path) -> None:
    """Write a PNG beside `path` and rename it there; what was there is replaced."""
    replace_file(
        resolve_path(path, "writing a figure"), lambda stream: figure.savefig(stream, format="png")
    )


def colours(cell_types: Iterable[str]) -> dict[str, str]:
    """A colour for each cell type: its own for E, PV, SST and VIP, others take turns."""
    colour_of_type: dict[str, str] = {}
    for name in cell_types:
        if name not in colour_of_type:
            n_others = sum(cell_type not in TYPE_COLOURS for cell_type in colour_of_type)
            colour_of_type[name] = TYPE_COLOURS.get(
                name, MORE_COLOURS[n_others % len(MORE_COLOURS)]
            )
    return colour_of_type


def one_area(data: xr.DataArray, area: str | None, where: str) -> tuple[xr.DataArray, str | None]:
    """One area of `data`, the first by default, and its name.
    Raises: JtfneError if there is no such area.
    """
    if "area" not in data.dims:
        if area is not None:
            raise refuse(f"area={area!r} for data without areas", "no area", where)
        return data, None
    if "area" not in data.coords:
        raise refuse("an array whose areas have no names", "one with the coordinate 'area'", where)
    area_names = [str(name) for name in data["area"].values]
    chosen_area = (
        area_names[0] if area is None else one_of(area, area_names, name="area", where=where)
    )
    return data.isel(area=area_names.index(chosen_area)), chosen_area


def with_depths(data: xr.DataArray, where: str) -> xr.DataArray:
    """`data` in order of depth.
    Raises: JtfneError if its channels have none, or there is only one.
    """
    if "z_mm" not in data.coords or data["z_mm"].dims != ("channel",):
        raise refuse(
            "channels without depths", "a coordinate z_mm (channel), depth below pia in mm", where
        )
    depths_mm = data["z_mm"].values
    if depths_mm.dtype.kind not in "iuf" or not np.isfinite(depths_mm).all():
        raise refuse(
            f"depths z_mm of type {depths_mm.dtype}, or not finite,", "finite numbers in mm", where
        )
    if np.unique(depths_mm).size < depths_mm.size:
        raise refuse("channels at the same depth", "one channel at each depth z_mm", where)
    if data.sizes["channel"] < 2:
        raise refuse(f"{data.sizes['channel']} channel over depth", "2 or more", where)
    return data.isel(channel=np.argsort(data["z_mm"].values, kind="stable"))


def first_onset(events: pd.DataFrame) -> float | None:
    """When the first event starts, ms; None without events."""
    return None if events.empty else float(events["onset_ms"].iloc[0])


def from_baseline(data: xr.DataArray, onset_ms: float | None) -> xr.DataArray:
    """`data` minus its mean before the onset, or over all time where nothing comes before."""
    time = data["time"].values
    steps_before = np.flatnonzero(time <= onset_ms) if onset_ms is not None else np.arange(0)
    base = data.isel(time=steps_before if steps_before.size else slice(None)).mean("time")
    return (data - base).assign_attrs(data.attrs)


def around(
    data: xr.DataArray, onset_ms: float | None, window_ms: tuple[float, float] = WINDOW_ms
) -> xr.DataArray:
    """The samples of `data` around the onset; all of them without an onset.

    Raises: JtfneError if there are none.
    """
    if onset_ms is None:
        return data
    time = data["time"].values
    steps_inside = np.flatnonzero(
        (time >= onset_ms + window_ms[0]) & (time <= onset_ms + window_ms[1])
    )
    if steps_inside.size == 0:
        span = f"{time[0]:g} to {time[-1]:g} ms" if time.size else "no samples"
        raise refuse(f"an event at {onset_ms:g} ms", f"one within {span}", "analysis.figures")
    return data.isel(time=steps_inside)


def mark_events(ax: "Axes", events: pd.DataFrame, *, named: bool = True) -> None:
    """Shade each event over time, with its label above the axes unless labels would collide."""
    left, right = ax.get_xlim()
    free_from = -np.inf
    for onset_ms, duration_ms, label in events.itertuples(index=False):
        start, stop = max(onset_ms, left), min(onset_ms + duration_ms, right)
        if start > stop:
            continue
        ax.axvspan(
            start,
            max(stop, start + 0.002 * (right - left)),
            color=EVENT_COLOUR,
            alpha=0.3,
            lw=0,
            zorder=0.5,
        )
        if named and label and start >= free_from:
            text = _text.drawable(str(label), _text.LONGEST_NAME)
            look: dict[str, Any] = {
                "color": "#9A6A00",
                "fontsize": SMALL_pt,
                "ha": "left",
                "va": "bottom",
            }
            _text.put_note(
                ax, text, (start, 1.0), (0, 2), xycoords=ax.get_xaxis_transform(), **look
            )
            free_from = start + (0.02 * len(text) + 0.02) * (right - left)


def scale_bar(ax: "Axes", at_most: float, units: str) -> None:
    """Draw a vertical bar of a round height, up to `at_most`, from 0 and right of the axes."""
    power = 10.0 ** np.floor(np.log10(at_most))
    height = max(factor * power for factor in (1.0, 2.0, 5.0) if factor * power <= at_most)
    x = ax.get_xlim()[1] + 0.01 * np.ptp(ax.get_xlim())
    ax.plot([x, x], [0.0, height], color=INK, lw=1.5, clip_on=False)
    look: dict[str, Any] = {"va": "center", "annotation_clip": False}
    _text.put_note(ax, f"{height:g} {units}", (x, height / 2), (4, 0), fontsize=SMALL_pt, **look)


def peak_magnitude(values: Floats) -> float:
    """The largest size of `values`, 1 where all are 0: the ends of a colour scale centred on 0."""
    return float(np.abs(values).max()) or 1.0


def unit_label(data: xr.DataArray) -> str:
    """The unit of `data`, with "(proxy)" behind that of a proxy."""
    units = str(data.attrs.get("units", "a.u.")).replace("^2", "²").replace("^3", "³")
    return f"{units} (proxy)" if data.attrs.get("proxy") else units


def short_name(data: xr.DataArray) -> str:
    """A short name for a readout: LFP, CSD, EEG, MEG, membrane potential."""
    readout = str(data.attrs.get("readout", "signal" if data.name is None else data.name))
    catalogued = find_readout(readout)
    name = readout if catalogued is None else catalogued.short_name or readout
    return " ".join([name, *([data.attrs["sensors"]] if "sensors" in data.attrs else [])])


def label_with_unit(data: xr.DataArray) -> str:
    """Name and unit of `data`, such as `LFP, a.u. (proxy)`."""
    return f"{short_name(data)}, {unit_label(data)}"
