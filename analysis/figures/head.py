"""Figures of fields outside the head: EEG and MEG over time and over sensors."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from jtfne._check import refuse
from jtfne._units import Floats
from jtfne.analysis.figures import _inputs, _pixels, _style, _text
from jtfne.analysis.figures._inputs import Data

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

HEAD_CENTRE_mm = (0.0, 0.0, 40.0)


def traces(
    data: Data,
    ax: "Axes | None" = None,
    *,
    readout: str = "eeg_proxy",
    n: int = 12,
    events: pd.DataFrame | None = None,
) -> "Axes":
    """EEG or MEG channels over time, one above the other: mean over trials, baseline removed.

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
    field = _inputs.get_array(data, readout, "time", "channel", where=where).transpose(
        "time", "channel"
    )
    n = _inputs.check_count(n, where)
    event_table = _inputs.get_events(data, events)
    field = _style.from_baseline(field, _style.first_onset(event_table))
    rows = np.unique(
        np.linspace(0, field.sizes["channel"] - 1, min(n, field.sizes["channel"]))
        .round()
        .astype(int)
    )
    values = np.asarray(field.values[:, rows], float)
    step = 0.8 * float(np.ptp(values, axis=0).max()) or 1.0
    time = field["time"].values
    ax = _style.axes_for(ax, 6.0, 0.26 * len(rows) + 1.2)
    columns = _pixels.n_columns(ax)
    for number in range(len(rows)):
        trace = values[:, number] - number * step
        ax.plot(*_pixels.thin_trace(time, trace, columns), lw=0.7, color=_style.INK)
    names = [str(name) for name in field["channel"].values[rows]]
    _text.name_ticks(ax, "y", -step * np.arange(len(rows)), names)
    ax.set(
        xlabel="time (ms)", xlim=(time[0], time[-1]), ylim=(-(len(rows) - 0.4) * step, 0.7 * step)
    )
    _text.name_axis(ax, "y", _style.label_with_unit(field))
    _style.scale_bar(ax, 0.7 * step, str(field.attrs.get("units", "a.u.")))
    _style.mark_events(ax, event_table)
    return _style.tidy(ax, frame=False)


def topography(
    data: Data,
    ax: "Axes | None" = None,
    *,
    readout: str = "eeg_proxy",
    time_ms: float | None = None,
    events: pd.DataFrame | None = None,
) -> "Axes":
    """EEG or MEG over the head at one time, mean over trials, relative to its mean before the first event.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array (time, channel) with sensor positions ``x_mm, y_mm, z_mm`` in head
        coordinates.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    readout : str
        Which readout of a run.
    time_ms : float, optional
        When; by default where the spread over channels is largest, within 150 ms of the first event
        if there is one.
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
    where = "analysis.figures.topography"
    field = _inputs.get_array(data, readout, "time", "channel", where=where).transpose(
        "time", "channel"
    )
    if time_ms is not None:
        time_ms = _inputs.check_number(time_ms, "time_ms", where)
        first_ms, second_ms, last_ms = field["time"].values[[0, 1, -1]]
        if not first_ms - (second_ms - first_ms) <= time_ms <= last_ms:  # a sample ends at its time
            raise refuse(
                f"time_ms={time_ms:g}", f"a time within {first_ms:g} to {last_ms:g} ms", where
            )
    onset_ms = _style.first_onset(_inputs.get_events(data, events))
    field = _style.from_baseline(field, onset_ms)
    places = flat_positions(field, where)
    if time_ms is None:
        response = _style.around(field, onset_ms, (0.0, _style.WINDOW_ms[1]))
        time_ms = float(response["time"].values[np.argmax(response.values.std(axis=1))])
    snapshot = field.sel(time=time_ms, method="nearest")
    ax = _style.axes_for(ax, 3.8, 3.2)
    image = _draw_map(ax, np.asarray(snapshot.values, float), places)
    _style.colour_bar(ax, image, _style.label_with_unit(field))
    onset_text = "" if onset_ms is None else f" ({float(snapshot['time']) - onset_ms:+.0f} ms)"
    _text.put_title(ax, f"{float(snapshot['time']):.0f} ms{onset_text}")
    return _style.tidy(ax)


def _draw_map(ax: "Axes", values: Floats, places: Floats) -> "AxesImage":
    """Draw values (n,) at places (n, 2) within the unit circle by MNE; returns the image.

    Colours are centred on 0.
    """
    import mne

    limit = _style.peak_magnitude(values)
    image: AxesImage
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
    ax.set(xlim=(-1.15, 1.15), ylim=(-1.06, 1.18))
    return image


def flat_positions(data: xr.DataArray, where: str) -> Floats:
    """Sensor positions from above, (n, 2): the polar angle from the vertex is the radius, up to 1.

    Angles are seen from the centre of the sphere that fits the sensors best.
    Raises: JtfneError without positions.
    """
    names = ("x_mm", "y_mm", "z_mm")
    if any(name not in data.coords for name in names) or data.sizes["channel"] < 4:
        description = (
            f"{data.sizes['channel']} channels with coordinates "
            f"{[n for n in names if n in data.coords]}"
        )
        raise refuse(description, "4 sensors or more with x_mm, y_mm, z_mm", where)
    places = np.stack([np.asarray(data[name].values, float) for name in names], axis=1)
    # |p|^2 = 2 c.p + (r^2 - |c|^2) is linear in the centre c.
    fit, _, rank, _ = np.linalg.lstsq(
        np.column_stack([2.0 * places, np.ones(len(places))]), (places**2).sum(axis=1)
    )
    from_centre = places - (fit[:3] if rank == 4 else np.array(HEAD_CENTRE_mm))
    polar = np.arccos(
        np.clip(from_centre[:, 2] / np.linalg.norm(from_centre, axis=1), -1.0, 1.0)
    ) / (np.pi / 2)
    azimuth = np.arctan2(from_centre[:, 1], from_centre[:, 0])
    flat: Floats = np.column_stack([polar * np.cos(azimuth), polar * np.sin(azimuth)])
    return flat / float(np.linalg.norm(flat, axis=1).max())
