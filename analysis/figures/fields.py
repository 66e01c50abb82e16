"""Figures of fields: over depth, over the head, over frequency. Simulated and recorded arrays alike."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from jtfne._check import refuse
from jtfne.analysis.figures import _style
from jtfne.analysis.figures._style import Data, Floats
from jtfne.analysis.spectrum import psd as power_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

MAX_Hz = 150.0
HEAD_CENTRE_mm = (0.0, 0.0, 40.0)


def laminar(
    data: Data,
    ax: "Axes | None" = None,
    *,
    readout: str = "lfp_proxy",
    area: str | None = None,
    events: pd.DataFrame | None = None,
) -> "Axes":
    """LFP or CSD over depth and time, mean over trials, from its mean before the first event.

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
        onset_ms, duration_ms, label; the run's if left out. With events, 50 ms before to 150 ms after the first.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the readout was not recorded, or channels have no depths.
    """
    where = "analysis.figures.laminar"
    found, chosen = _style.one_area(_style.array_of(data, readout, "time", "channel", where=where), area, where)
    found = _style.depths_of(found, where)
    shown = _style.events_of(data, events)
    onset_ms = _style.first_onset(shown)
    found = _style.around(_style.from_baseline(found, onset_ms), onset_ms).transpose("channel", "time")
    ax = _style.axes_for(ax, 4.8, 3.4)
    image = depth_image(ax, found["time"].values, found["z_mm"].values, np.asarray(found.values, float))
    ax.set(xlabel="time (ms)", ylabel="depth (mm)")
    if onset_ms is not None:
        ax.axvline(onset_ms, color=_style.INK, lw=1.0, ls="--")
        ax.annotate(
            str(shown["label"].iloc[0]) or "stimulus",
            (onset_ms, 1.0),
            (0, 2),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=_style.SMALL_pt,
            va="bottom",
        )
    sign = "; sink < 0 < source" if _style.name_of(found) == "CSD" else ""
    _style.colour_bar(ax, image, _style.labelled(found) + sign)
    if chosen is not None and data_areas(data, readout) > 1:
        ax.set_title(chosen, loc="right")
    return _style.tidy(ax)


def traces(
    data: Data,
    ax: "Axes | None" = None,
    *,
    readout: str = "eeg_proxy",
    n: int = 12,
    events: pd.DataFrame | None = None,
) -> "Axes":
    """EEG or MEG channels over time, one above the other, mean over trials, from their mean before the first event.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array (time, channel).
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    readout : str
        Which readout of a run.
    n : int
        How many channels at most, spread evenly over those there are.
    events : pandas.DataFrame, optional
        onset_ms, duration_ms, label; the run's if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the readout was not recorded.
    """
    where = "analysis.figures.traces"
    found = _style.array_of(data, readout, "time", "channel", where=where).transpose("time", "channel")
    if n < 1:
        raise refuse(f"n={n!r}", "1 or more", where)
    shown = _style.events_of(data, events)
    found = _style.from_baseline(found, _style.first_onset(shown))
    rows = np.unique(np.linspace(0, found.sizes["channel"] - 1, min(n, found.sizes["channel"])).round().astype(int))
    values = np.asarray(found.values[:, rows], float)
    step = 0.8 * float(np.ptp(values, axis=0).max()) or 1.0
    time = found["time"].values
    ax = _style.axes_for(ax, 6.0, 0.26 * len(rows) + 1.2)
    for at in range(len(rows)):
        ax.plot(time, values[:, at] - at * step, lw=0.7, color=_style.INK)
    ax.set_yticks(-step * np.arange(len(rows)), [str(found["channel"].values[row]) for row in rows])
    ax.set(xlabel="time (ms)", xlim=(time[0], time[-1]), ylim=(-(len(rows) - 0.4) * step, 0.7 * step))
    ax.set_title(_style.labelled(found), loc="right")
    _style.mark_events(ax, shown)
    return _style.tidy(ax, frame=False)


def topography(
    data: Data,
    ax: "Axes | None" = None,
    *,
    readout: str = "eeg_proxy",
    time_ms: float | None = None,
    events: pd.DataFrame | None = None,
) -> "Axes":
    """EEG or MEG over the head at one time, mean over trials, from its mean before the first event.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array (time, channel) with sensor positions ``x_mm, y_mm, z_mm`` in head coordinates.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    readout : str
        Which readout of a run.
    time_ms : float, optional
        When; by default where the spread over channels is largest, within 150 ms of the first event if there is one.
    events : pandas.DataFrame, optional
        onset_ms, duration_ms, label; the run's if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the readout was not recorded, or there are fewer than 4 sensors with positions.
    """
    import mne

    where = "analysis.figures.topography"
    found = _style.array_of(data, readout, "time", "channel", where=where).transpose("time", "channel")
    onset_ms = _style.first_onset(_style.events_of(data, events))
    found = _style.from_baseline(found, onset_ms)
    places = flat_positions(found, where)
    if time_ms is None:
        after = _style.around(found, onset_ms, (0.0, _style.WINDOW_ms[1]))
        time_ms = float(after["time"].values[np.argmax(after.values.std(axis=1))])
    now = found.sel(time=time_ms, method="nearest")
    values = np.asarray(now.values, float)
    limit = float(np.abs(values).max()) or 1.0
    ax = _style.axes_for(ax, 3.8, 3.2)
    image, _ = mne.viz.plot_topomap(
        values,
        places,
        axes=ax,
        show=False,
        cmap=_style.DIVERGING,
        vlim=(-limit, limit),
        contours=4,
        sphere=(0.0, 0.0, 0.0, 1.0),
        sensors="k.",
    )
    _style.colour_bar(ax, image, _style.labelled(found))
    since = "" if onset_ms is None else f" ({float(now['time']) - onset_ms:+.0f} ms)"
    ax.set_title(f"{float(now['time']):.0f} ms{since}")
    return _style.tidy(ax)


def psd(data: Data, ax: "Axes | None" = None, *, readout: str = "lfp_proxy", area: str | None = None) -> "Axes":
    """Power spectrum: mean over channels, with the range from the least to the most powerful channel.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array over ``time`` (ms), or one over ``frequency`` (Hz) from `jtfne.analysis.psd`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    readout : str
        Which readout of a run.
    area : str, optional
        Which area; the first if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the readout was not recorded, or there is no even time axis.
    """
    where = "analysis.figures.psd"
    # Power is averaged over trials, not the trace: what is not locked to the stimulus counts too.
    given = data if isinstance(data, xr.DataArray) else data.get(readout)
    power = given if "frequency" in given.dims else power_of(given)
    power, _ = _style.one_area(_style.array_of(power, readout, "frequency", where=where), area, where)
    f_Hz = power["frequency"].values
    power = power.isel(frequency=np.flatnonzero((f_Hz > 0.0) & (f_Hz <= MAX_Hz)))
    values = np.asarray(power.transpose(..., "frequency").values, float).reshape(-1, power.sizes["frequency"])
    f_Hz = power["frequency"].values
    ax = _style.axes_for(ax, 4.6, 3.2)
    if len(values) > 1:
        label = f"range of {len(values)} channels"
        ax.fill_between(f_Hz, values.min(axis=0), values.max(axis=0), color="#0072B2", alpha=0.2, lw=0, label=label)
    ax.plot(f_Hz, values.mean(axis=0), color="#0072B2", lw=1.2, label="mean")
    ax.set_yscale("log")
    unit = str(power.attrs.get("units", "a.u.")).replace("(a.u.)^2", "a.u.²").replace("^2", "²")
    proxy = " (proxy)" if power.attrs.get("proxy") else ""
    name = f"{_style.name_of(power)} power, {unit}{proxy}"
    ax.set(xlabel="frequency (Hz)", xlim=(0.0, min(MAX_Hz, float(f_Hz[-1]))), ylabel=name)
    ax.legend(frameon=False, fontsize=_style.SMALL_pt)
    return _style.tidy(ax)


def spectrolaminar(
    data: Data, ax: "Axes | None" = None, *, area: str | None = None, crossover_mm: float | None = None
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
    """
    where = "analysis.figures.spectrolaminar"
    found = _style.array_of(data, "spectrolaminar_proxy", "channel", "frequency", where=where)
    found, _ = _style.one_area(found, area, where)
    found = _style.depths_of(found, where).transpose("channel", "frequency")
    ax = _style.axes_for(ax, 4.8, 3.4)
    f_Hz, z_mm = found["frequency"].values, found["z_mm"].values
    values = np.asarray(found.values, float)
    image = ax.pcolormesh(f_Hz, z_mm, values, cmap=_style.SEQUENTIAL, vmin=0.0, vmax=1.0, shading="gouraud")
    ax.set(xlabel="frequency (Hz)", ylabel="depth (mm)", ylim=(float(z_mm[-1]), float(z_mm[0])))
    if crossover_mm is not None:
        ax.axhline(crossover_mm, color="white", lw=1.2, ls="--")
        ax.annotate(
            "crossover",
            (1.0, crossover_mm),
            (-3, 2),
            xycoords=ax.get_yaxis_transform(),
            textcoords="offset points",
            color="white",
            ha="right",
            va="bottom",
            fontsize=_style.SMALL_pt,
        )
    proxy = " (proxy)" if found.attrs.get("proxy") else ""
    _style.colour_bar(ax, image, f"power relative to its maximum over depth{proxy}")
    return _style.tidy(ax)


def depth_image(ax: "Axes", time_ms: Floats, z_mm: Floats, values: Floats, limit: float | None = None) -> "QuadMesh":
    """`values` (channel, time) as an image, depth downward, colours centred on 0; what a colour bar needs."""
    limit = limit or float(np.abs(values).max()) or 1.0
    image = ax.pcolormesh(time_ms, z_mm, values, cmap=_style.DIVERGING, vmin=-limit, vmax=limit, shading="gouraud")
    ax.set(xlim=(float(time_ms[0]), float(time_ms[-1])), ylim=(float(z_mm[-1]), float(z_mm[0])))
    return image


def data_areas(data: Data, readout: str) -> int:
    """How many areas a readout of `data` has; 1 where it has no such axis."""
    found = data if isinstance(data, xr.DataArray) else data.get(readout)
    return int(found.sizes.get("area", 1))


def flat_positions(data: xr.DataArray, where: str) -> Floats:
    """Sensors seen from above, (n, 2): polar angle from the vertex as radius, the head's equator at 1.

    Angles are seen from the centre of the sphere that fits the sensors best. Raises: JtfneError without positions.
    """
    names = ("x_mm", "y_mm", "z_mm")
    if any(name not in data.coords for name in names) or data.sizes["channel"] < 4:
        given = f"{data.sizes['channel']} channels with coordinates {[n for n in names if n in data.coords]}"
        raise refuse(given, "4 sensors or more with x_mm, y_mm, z_mm", where)
    places = np.stack([np.asarray(data[name].values, float) for name in names], axis=1)
    # |p|^2 = 2 c.p + (r^2 - |c|^2) is linear in the centre c.
    fit, _, rank, _ = np.linalg.lstsq(np.column_stack([2.0 * places, np.ones(len(places))]), (places**2).sum(axis=1))
    away = places - (fit[:3] if rank == 4 else np.array(HEAD_CENTRE_mm))
    polar = np.arccos(np.clip(away[:, 2] / np.linalg.norm(away, axis=1), -1.0, 1.0)) / (np.pi / 2)
    around = np.arctan2(away[:, 1], away[:, 0])
    flat: Floats = np.column_stack([polar * np.cos(around), polar * np.sin(around)])
    return flat
