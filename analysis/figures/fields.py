"""Figures of fields over depth and frequency, simulated and recorded arrays alike."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from jtfne._check import names_arguments
from jtfne._units import Floats
from jtfne.analysis.figures import _inputs, _pixels, _style, _text, _units
from jtfne.analysis.figures._inputs import Data

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

N_FINE = 200  # rows of an image over depth


@names_arguments
def laminar(
    data: Data,
    ax: "Axes | None" = None,
    *,
    readout: str = "lfp_proxy",
    area: str | None = None,
    events: pd.DataFrame | None = None,
) -> "Axes":
    """LFP or CSD over depth and time, mean over trials, relative to its mean before the first event.

    In SI units with the prefix that suits their size, or in those that the array has.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array (time, channel) with depths ``z_mm``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    readout : str
        Which readout of a run.
    area : str, optional
        Which area; the first if left out.
    events : pandas.DataFrame, optional
        onset_ms, duration_ms, label; the run's if left out. With events, 50 ms before to 150 ms
        after the first.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the readout was not recorded, or channels have no depths.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50.0)
    >>> ax = figures.laminar(signals, readout="lfp_proxy")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('time (ms)', 'depth (mm)')
    """
    field, event_table = read_laminar(data, readout, area, events)
    field = _units.with_prefix(field)
    ax = _style.axes_for(ax, 4.8, 3.4)
    image = draw_laminar(ax, field, event_table, _style.peak_magnitude(field.values))
    _style.colour_bar(ax, image, label_laminar(field))
    if "area" in field.coords and data_areas(data, readout) > 1:
        _text.put_title(ax, str(field["area"].values), loc="right")
    return _style.tidy(ax)


def read_laminar(
    data: Data, readout: str, area: str | None, events: pd.DataFrame | None
) -> tuple[xr.DataArray, pd.DataFrame]:
    """What `laminar` draws of one area, (channel, time), and the distinct events.

    Raises: JtfneError as `laminar`.
    """
    where = "analysis.figures.laminar"
    field = _inputs.get_array(data, readout, "time", "channel", free=("area",), where=where)
    field, _ = _style.one_area(field, area, where)
    field = _style.with_depths(field, where)
    event_table = _inputs.get_events(data, events)
    onset_ms = _style.first_onset(event_table)
    field = _style.around(_style.from_baseline(field, onset_ms), onset_ms)
    return field.transpose("channel", "time"), event_table


def draw_laminar(ax: "Axes", field: xr.DataArray, events: pd.DataFrame, limit: float) -> "QuadMesh":
    """Draw what `read_laminar` gives, colours from -limit to limit; returns the image."""
    values = np.asarray(field.values, float)
    image = depth_image(
        ax, field["time"].values, field["z_mm"].values, values, low=-limit, high=limit
    )
    ax.set_xlabel("time (ms)")
    onset_ms = _style.first_onset(events)
    if onset_ms is not None:
        ax.axvline(onset_ms, color=_style.INK, lw=1.0, ls="--")
        label = str(events["label"].iloc[0]) or "stimulus"
        look: dict[str, Any] = {
            "xycoords": ax.get_xaxis_transform(),
            "fontsize": _style.SMALL_pt,
            "va": "bottom",
        }
        _text.put_note(ax, label, (onset_ms, 1.0), (0, 2), **look)
    return image


def label_laminar(field: xr.DataArray) -> str:
    """The label of a laminar figure's colour bar: name, unit, and the sign of a CSD."""
    sign = "; sinks < 0" if _style.short_name(field) == "CSD" else ""
    return _style.label_with_unit(field) + sign


@names_arguments
def spectrolaminar(
    data: Data,
    ax: "Axes | None" = None,
    *,
    area: str | None = None,
    crossover_mm: float | None = None,
) -> "Axes":
    """Relative power over depth and frequency, with the crossover if there is one.

    Parameters
    ----------
    data : Signals or DataArray
        A run with ``spectrolaminar_proxy``, or a map (channel, frequency) with depths ``z_mm``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    area : str, optional
        Which area; the first if left out.
    crossover_mm : float, optional
        Depth of the crossover, such as `jtfne.analysis.flip` finds.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the readout was not recorded, or channels have no depths.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import figures
    >>> depths_mm, f_Hz = np.array([0.2, 0.8, 1.4]), np.array([10.0, 40.0, 80.0])
    >>> power = xr.DataArray(
    ...     [[0.2, 0.6, 1.0], [0.6, 1.0, 0.6], [1.0, 0.6, 0.2]],
    ...     {"z_mm": ("channel", depths_mm), "frequency": f_Hz}, ("channel", "frequency"))
    >>> ax = figures.spectrolaminar(power, crossover_mm=0.8)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('frequency (Hz)', 'depth (mm)')
    """
    where = "analysis.figures.spectrolaminar"
    power_map = _inputs.get_array(
        data, "spectrolaminar_proxy", "channel", "frequency", free=("area",), where=where
    )
    if crossover_mm is not None:
        crossover_mm = _inputs.check_number(crossover_mm, "crossover_mm", where)
    power_map, _ = _style.one_area(power_map, area, where)
    power_map = _style.with_depths(power_map, where).transpose("channel", "frequency")
    ax = _style.axes_for(ax, 4.8, 3.4)
    f_Hz, z_mm = power_map["frequency"].values, power_map["z_mm"].values
    values = np.asarray(power_map.values, float)
    image = depth_image(ax, f_Hz, z_mm, values, colours=_style.SEQUENTIAL, low=0.0, high=1.0)
    ax.set_xlabel("frequency (Hz)")
    if crossover_mm is not None:
        ax.axhline(crossover_mm, color="white", lw=1.2, ls="--")
        look: dict[str, Any] = {
            "color": "white",
            "ha": "right",
            "va": "bottom",
            "fontsize": _style.SMALL_pt,
        }
        _text.put_note(
            ax, "crossover", (1.0, crossover_mm), (-3, 2), xycoords=ax.get_yaxis_transform(), **look
        )
    proxy = " (proxy)" if power_map.attrs.get("proxy") else ""
    _style.colour_bar(ax, image, f"relative power{proxy}")
    return _style.tidy(ax)


def depth_image(
    ax: "Axes",
    x: Floats,
    z_mm: Floats,
    values: Floats,
    *,
    colours: str = _style.DIVERGING,
    low: float,
    high: float,
) -> "QuadMesh":
    """Draw `values` (channel, x) as an image, depth downward, linear between channels.

    Where there are more columns than pixels, each pixel shows their mean. Returns the image, for a
    colour bar.
    """
    ends = (float(x[0]), float(x[-1]))
    x, values = _pixels.mean_columns(np.asarray(x, np.float64), values, _pixels.n_columns(ax))
    fine_mm = np.linspace(z_mm[0], z_mm[-1], N_FINE)
    row_above = np.clip(np.searchsorted(z_mm, fine_mm, side="right") - 1, 0, z_mm.size - 2)
    weight_below = ((fine_mm - z_mm[row_above]) / (z_mm[row_above + 1] - z_mm[row_above]))[:, None]
    fine_values = (1.0 - weight_below) * values[row_above] + weight_below * values[row_above + 1]
    image = ax.pcolormesh(
        x,
        fine_mm,
        fine_values,
        cmap=colours,
        vmin=low,
        vmax=high,
        shading="nearest",
        rasterized=True,
    )
    ax.set(xlim=ends, ylim=(float(z_mm[-1]), float(z_mm[0])), ylabel="depth (mm)")
    return image


def data_areas(data: Data, readout: str) -> int:
    """How many areas a readout of `data` has; 1 where it has no such axis."""
    array = data if isinstance(data, xr.DataArray) else data.get(readout)
    return int(array.sizes.get("area", 1))
