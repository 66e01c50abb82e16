"""Simulated and recorded evoked responses side by side: channels, maps at the peak, spectra."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from jtfne._units import Floats
from jtfne.analysis.figures import _pixels, _style, _text, head

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIMULATED, RECORDED = "#0072B2", "#D55E00"  # of the palette in _style
FEWEST_SENSORS = 4  # that a map is drawn of
# Where both sides agree, the recorded line lies within the simulated one.
THICK: dict[str, Any] = {"lw": 2.6, "alpha": 0.5}
THIN: dict[str, Any] = {"lw": 1.1}
PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k"}
PLACES = ("x_mm", "y_mm", "z_mm")
# Two responses (time, channel); frequencies (n,) and the power (n,) of both.
Panel = tuple[tuple[xr.DataArray, xr.DataArray], tuple[Floats, Floats, Floats]]


def draw_evoked(panels: Sequence[Panel]) -> "Figure":
    """A figure of two rows for each unit of channels: responses, maps at their peaks, spectra."""
    has_maps = all(_has_places(responses[0]) for responses, _ in panels)
    widths = [1.5, 0.9, 1.1] if has_maps else [1.5, 1.1]
    figure = _style.new_figure(9.6 if has_maps else 7.2, 4.4 * len(panels))
    grid = figure.add_gridspec(2 * len(panels), len(widths), width_ratios=widths)
    for number, (responses, spectra) in enumerate(panels):
        names = (("simulated", SIMULATED), ("recorded", RECORDED))
        first_ax: Axes | None = None
        # Positions of the simulated sensors hold for both: they are the same channels.
        places = {name: responses[0][name] for name in PLACES if has_maps}
        for row, ((name, colour), response) in enumerate(zip(names, responses, strict=True)):
            ax = figure.add_subplot(grid[2 * number + row, 0], sharex=first_ax)
            first_ax = first_ax or ax
            peak_ms = _draw_response(ax, response, name, colour)
            if has_maps:
                map_ax = figure.add_subplot(grid[2 * number + row, 1])
                _draw_map(map_ax, response, places, peak_ms)
        ax = figure.add_subplot(grid[2 * number : 2 * number + 2, -1])
        _draw_spectra(ax, *spectra)
    return figure


def _has_places(response: xr.DataArray) -> bool:
    """Whether a map over the head can be drawn of the channels."""
    return all(name in response.coords for name in PLACES) and (
        response.sizes["channel"] >= FEWEST_SENSORS
    )


def _draw_response(ax: "Axes", response: xr.DataArray, name: str, colour: str) -> float:
    """Draw all channels and their rms over time; returns when the rms is largest after 0, ms."""
    times_ms = np.asarray(response["time"].values, np.float64)
    values = np.asarray(response.values, np.float64)
    units = str(response.attrs.get("units", "a.u."))
    factor, prefix = choose_prefix(_style.peak_magnitude(values), units)
    scaled = values / factor
    columns = _pixels.n_columns(ax)
    for channel in range(scaled.shape[1]):
        trace = _pixels.thin_trace(times_ms, scaled[:, channel], columns)
        ax.plot(*trace, color=_style.FAINT, lw=0.5, alpha=0.7)
    rms = np.sqrt((scaled**2).mean(axis=1))
    if scaled.shape[1] > 1:
        ax.plot(*_pixels.thin_trace(times_ms, rms, columns), color=colour, lw=1.6)
    else:
        ax.plot(*_pixels.thin_trace(times_ms, scaled[:, 0], columns), color=colour, lw=1.6)
    after = np.flatnonzero(times_ms > 0.0)
    peak_ms = float(times_ms[after[np.argmax(rms[after])]])
    ax.axvline(0.0, color=_style.INK, lw=0.8, ls="--")
    ax.axhline(0.0, color=_style.INK, lw=0.4)
    ax.axvline(peak_ms, color=colour, lw=0.8, ls=":")
    ax.set(xlim=(times_ms[0], times_ms[-1]), xlabel="time from event (ms)")
    proxy = " (proxy)" if response.attrs.get("proxy") else ""
    _text.name_axis(ax, "y", f"{prefix}{units}{proxy}")
    n_epochs = int(response.attrs.get("n_epochs", 1))
    events = "event" if n_epochs == 1 else "events"
    title = f"{name}, {n_epochs} {events}, peak at {peak_ms:.0f} ms"
    _text.put_title(ax, title, loc="left", fontsize=_style.FONT_pt)
    _style.tidy(ax)
    return peak_ms


def choose_prefix(largest: float, units: str) -> tuple[float, str]:
    """The power of 1000 by which values are divided, and its prefix; 1 for arbitrary units.

    >>> choose_prefix(3e-6, "V"), choose_prefix(4e-14, "T"), choose_prefix(5e-5, "a.u.")
    ((1e-06, 'µ'), (1e-15, 'f'), (1.0, ''))
    """
    exponent = int(np.floor(np.log10(largest) / 3.0)) * 3
    if units == "a.u." or exponent not in PREFIXES:
        return 1.0, ""
    return 10.0**exponent, PREFIXES[exponent]


def _draw_map(
    ax: "Axes", response: xr.DataArray, places: dict[str, xr.DataArray], peak_ms: float
) -> None:
    """Draw the response over the head at its peak, at the places of the sensors.

    Two gradiometers of one place are drawn as the norm of both: their signs hang on their coils.
    """
    values = np.asarray(response.sel(time=peak_ms, method="nearest").values, np.float64)
    points = np.stack([np.asarray(place.values, np.float64) for place in places.values()], axis=1)
    distinct_points, place_of_channel = np.unique(points.round(6), axis=0, return_inverse=True)
    is_paired = len(distinct_points) < len(points)
    if is_paired:
        squares = np.bincount(place_of_channel.ravel(), weights=values**2)
        values, points = np.sqrt(squares), distinct_points
    coords = {name: ("channel", points[:, k]) for k, name in enumerate(PLACES)}
    # a sample of zeros at the event, since a map is drawn relative to what comes before it
    snapshot = xr.DataArray(
        np.stack([np.zeros_like(values), values]),
        {"time": [0.0, peak_ms], **coords},
        ("time", "channel"),
        attrs=response.attrs,
    )
    onset = pd.DataFrame({"onset_ms": [0.0], "duration_ms": [0.0], "label": [""]})
    head.topography(snapshot, ax, time_ms=peak_ms, events=onset)
    title = f"norm of pairs, {peak_ms:.0f} ms" if is_paired else f"{peak_ms:.0f} ms"
    _text.put_title(ax, title, fontsize=_style.FONT_pt)


def _draw_spectra(ax: "Axes", f_Hz: Floats, simulated: Floats, recorded: Floats) -> None:
    """Draw both powers as shares of the band, in dB; the recorded one thin, on top."""
    entries: dict[str, Artist] = {}
    for name, power, colour, look in (
        ("simulated", simulated, SIMULATED, THICK),
        ("recorded", recorded, RECORDED, THIN),
    ):
        share = np.maximum(power / power.sum(), 1e-30)
        (entries[name],) = ax.plot(f_Hz, 10.0 * np.log10(share), color=colour, **look)
    put_frequency_axis(ax, f_Hz)
    _text.name_axis(ax, "y", "share of the power (dB)")
    _text.put_legend(ax, entries, frameon=False, fontsize=_style.SMALL_pt)
    _style.tidy(ax)


def put_frequency_axis(ax: "Axes", f_Hz: Floats) -> None:
    """Make the x axis of `ax` one of frequencies, logarithmic, with round ticks."""
    low_Hz, high_Hz = float(f_Hz[0]), float(f_Hz[-1])
    ax.set_xscale("log")
    ax.set_xlim(low_Hz, high_Hz)
    ax.set_xlabel("frequency (Hz)")
    ticks_Hz = [f for f in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if low_Hz <= f <= high_Hz]
    _text.name_ticks(ax, "x", ticks_Hz, [str(tick_Hz) for tick_Hz in ticks_Hz])
    ax.xaxis.minorticks_off()
