"""Figures of fields outside the head: EEG and MEG over time and over sensors."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from jtfne._check import names_arguments, refuse
from jtfne._units import Floats
from jtfne.analysis.figures import _inputs, _pixels, _style, _text, _units
from jtfne.analysis.figures._conditions import COLOURS
from jtfne.analysis.figures._inputs import Data
from jtfne.analysis.figures.moments import draw_by_area

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

HEAD_CENTRE_mm = (0.0, 0.0, 40.0)


@names_arguments
def traces(
    data: Data,
    ax: "Axes | None" = None,
    *,
    readout: str = "eeg_proxy",
    n: int = 12,
    unit: str | None = None,
    events: pd.DataFrame | None = None,
) -> "Axes":
    """EEG or MEG channels over time, one above the other: mean over trials, baseline removed.

    A readout of areas, or of the whole circuit, is drawn as `dipole` draws it. In SI units with the
    prefix that suits their size, or in those that the array has.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array (time, channel), (time, area) or (time,).
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    readout : str
        Which readout of a run.
    n : int
        How many channels at most, spread evenly over those there are.
    unit : str, optional
        Which channels of a readout in several units: those in "T" or in "T/m"; the first if left
        out.
    events : pandas.DataFrame, optional
        onset_ms, duration_ms, label; the run's if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the readout was not recorded.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import figures
    >>> eeg = xr.DataArray(
    ...     1e-6 * np.sin(np.arange(200).reshape(100, 2)),
    ...     {"time": np.arange(100.0), "channel": ["Cz", "Pz"]}, ("time", "channel"),
    ...     attrs={"units": "V"})
    >>> ax = figures.traces(eeg)
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['Cz', 'Pz']
    """
    where = "analysis.figures.traces"
    source = _inputs.get_readout(data, readout, where)
    if unit is None and not {"channel", "neuron"} & set(source.dims):
        return draw_by_area(data, ax, readout, events, where)
    field = read_head(data, readout, unit, events, where)
    n = _inputs.check_count(n, where)
    field = _units.with_prefix(field)
    ax = _style.axes_for(ax, 6.0, 0.26 * min(n, field.sizes["channel"]) + 1.2)
    draw_traces(ax, {"": field}, n)
    _style.mark_events(ax, _inputs.get_events(data, events))
    return _style.tidy(ax, frame=False)


def read_head(
    data: Data, readout: str, unit: str | None, events: pd.DataFrame | None, where: str
) -> xr.DataArray:
    """Channels of one unit, (time, channel), mean over trials, from their mean before the first event.

    Raises: JtfneError as `traces`.
    """
    field = _inputs.get_array(data, readout, "time", "channel", where=where)
    field = _units.one_unit(field, unit, where).transpose("time", "channel")
    return _style.from_baseline(field, _style.first_onset(_inputs.get_events(data, events)))


def draw_traces(ax: "Axes", fields: Mapping[str, xr.DataArray], n: int) -> None:
    """Draw up to `n` channels one above the other, of several fields in colours of their own.

    fields: name -> (time, channel), all with the same channels, times and unit.
    """
    first = next(iter(fields.values()))
    n_channels = first.sizes["channel"]
    rows = np.unique(np.linspace(0, n_channels - 1, min(n, n_channels)).round().astype(int))
    time = first["time"].values
    values = np.stack([np.asarray(field.values[:, rows], float) for field in fields.values()])
    step = 0.8 * float(np.ptp(values, axis=(0, 1)).max()) or 1.0
    columns = _pixels.n_columns(ax)
    colours = COLOURS if len(fields) > 1 else (_style.INK,)
    for field_values, colour in zip(values, colours, strict=False):
        for number in range(len(rows)):
            trace = field_values[:, number] - number * step
            ax.plot(*_pixels.thin_trace(time, trace, columns), lw=0.7, color=colour)
    names = [str(name) for name in first["channel"].values[rows]]
    _text.name_ticks(ax, "y", -step * np.arange(len(rows)), names)
    lowest = values[..., -1].min() - (len(rows) - 1) * step
    bottom = min(lowest - 0.1 * step, -(len(rows) - 0.4) * step)
    top = max(values[..., 0].max() + 0.1 * step, 0.7 * step)
    ax.set(xlabel="time (ms)", xlim=(time[0], time[-1]), ylim=(bottom, top))
    _text.name_axis(ax, "y", _style.label_with_unit(first))
    _style.scale_bar(ax, 0.7 * step, str(first.attrs.get("units", "a.u.")))


@names_arguments
def topography(
    data: Data,
    ax: "Axes | None" = None,
    *,
    readout: str = "eeg_proxy",
    time_ms: float | None = None,
    unit: str | None = None,
    events: pd.DataFrame | None = None,
) -> "Axes":
    """EEG or MEG over the head at one time, mean over trials, relative to its mean before the first event.

    In SI units with the prefix that suits their size, or in those that the array has. Of the two
    planar gradiometers at one place, the root mean square.

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
    unit : str, optional
        Which channels of a readout in several units: those in "T" or in "T/m"; the first if left
        out.
    events : pandas.DataFrame, optional
        onset_ms, duration_ms, label; the run's if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the readout was not recorded, or there are fewer than 4 sensors with positions.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> cfg = jtfne.suite2_net1_config(20).probes(["eeg_proxy"])
    >>> signals = jtfne.construct(cfg).simulate(duration_ms=50.0)
    >>> ax = figures.topography(signals, time_ms=20.0)
    >>> ax.get_title()
    '20 ms'
    """
    where = "analysis.figures.topography"
    field = read_head(data, readout, unit, events, where)
    if time_ms is not None:
        time_ms = _inputs.check_number(time_ms, "time_ms", where)
        first_ms, second_ms, last_ms = field["time"].values[[0, 1, -1]]
        if not first_ms - (second_ms - first_ms) <= time_ms <= last_ms:  # a sample ends at its time
            raise refuse(
                f"time_ms={time_ms:g}", f"a time within {first_ms:g} to {last_ms:g} ms", where
            )
    onset_ms = _style.first_onset(_inputs.get_events(data, events))
    if time_ms is None:
        time_ms = find_peak_ms(field, onset_ms)
    snapshot = merge_pairs(field.sel(time=time_ms, method="nearest"))
    places = flat_positions(snapshot, where)
    snapshot = _units.with_prefix(snapshot)
    ax = _style.axes_for(ax, 3.8, 3.2)
    image = draw_map(ax, snapshot, places, _style.peak_magnitude(snapshot.values))
    _style.colour_bar(ax, image, _style.label_with_unit(snapshot))
    _text.put_title(ax, label_time(snapshot, onset_ms))
    return _style.tidy(ax)


def find_peak_ms(field: xr.DataArray, onset_ms: float | None) -> float:
    """When channels (time, channel) differ most, ms; within 150 ms of the onset, if there is one."""
    response = _style.around(field, onset_ms, (0.0, _style.WINDOW_ms[1]))
    return float(response["time"].values[np.argmax(response.values.std(axis=1))])


def label_time(snapshot: xr.DataArray, onset_ms: float | None) -> str:
    """The time of one sample, ms, and how long after the onset it is."""
    time_ms = float(snapshot["time"])
    return f"{time_ms:.0f} ms" + ("" if onset_ms is None else f" ({time_ms - onset_ms:+.0f} ms)")


def merge_pairs(snapshot: xr.DataArray) -> xr.DataArray:
    """Values of channels (n,), but the root mean square of those that share a place.

    Planar gradiometers stand in pairs, at right angles; their signs depend on the helmet.
    """
    names = ("x_mm", "y_mm", "z_mm")
    if any(name not in snapshot.coords for name in names):
        return snapshot
    places = np.stack([np.asarray(snapshot[name].values, float) for name in names], axis=1)
    _, first, place_of_channel = np.unique(
        places.round(3), axis=0, return_index=True, return_inverse=True
    )
    if len(first) == len(places):
        return snapshot
    counts = np.bincount(place_of_channel.ravel())
    squares = np.bincount(place_of_channel.ravel(), weights=np.asarray(snapshot.values) ** 2)
    merged = snapshot.isel(channel=first).copy(data=np.sqrt(squares / counts))
    merged.attrs["sensors"] = f"{merged.attrs.get('sensors', 'sensors')}, RMS of pairs"
    return merged


def draw_map(ax: "Axes", snapshot: xr.DataArray, places: Floats, limit: float) -> "AxesImage":
    """Draw values (n,) at places (n, 2) within the unit circle by MNE; returns the image.

    Colours are centred on 0, up to `limit`; of root mean squares they begin at 0.
    """
    import mne

    values = np.asarray(snapshot.values, float)
    is_size = "RMS" in str(snapshot.attrs.get("sensors", ""))
    image: AxesImage
    image, _ = mne.viz.plot_topomap(
        values,
        places,
        axes=ax,
        show=False,
        cmap=_style.SIZES if is_size else _style.DIVERGING,
        vlim=(0.0 if is_size else -limit, limit),
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
