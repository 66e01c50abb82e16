"""Simulated and recorded evoked responses side by side: channels, maps at the peak, spectra."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
    exponent = int(np.floor(np.log10(_style.peak_magnitude(values)) / 3.0)) * 3
    scaled = values / 10.0**exponent
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
    scale = f"10^{exponent} " if exponent else ""
    proxy = ", proxy" if response.attrs.get("proxy") else ""
    _text.name_axis(ax, "y", f"{scale}{response.attrs.get('units', 'a.u.')}{proxy}")
    n_epochs = int(response.attrs.get("n_epochs", 1))
    events = "event" if n_epochs == 1 else "events"
    _text.put_title(ax, f"{name}, {n_epochs} {events}, peak at {peak_ms:.0f} ms", loc="left")
    _style.tidy(ax)
    return peak_ms


def _draw_map(
    ax: "Axes", response: xr.DataArray, places: dict[str, xr.DataArray], peak_ms: float
) -> None:
    """Draw the response over the head at its peak, at the places of the sensors."""
    placed = response.assign_coords(
        {name: ("channel", place.values) for name, place in places.items()}
    )
    onset = pd.DataFrame({"onset_ms": [0.0], "duration_ms": [0.0], "label": [""]})
    head.topography(placed, ax, time_ms=peak_ms, events=onset)
    _text.put_title(ax, f"{peak_ms:.0f} ms")


def _draw_spectra(ax: "Axes", f_Hz: Floats, simulated: Floats, recorded: Floats) -> None:
    """Draw both powers as shares of the band, in dB."""
    entries: dict[str, Artist] = {}
    for name, power, colour in (
        ("simulated", simulated, SIMULATED),
        ("recorded", recorded, RECORDED),
    ):
        share = np.maximum(power / power.sum(), 1e-30)
        (entries[name],) = ax.plot(f_Hz, 10.0 * np.log10(share), color=colour, lw=1.2)
    ax.set(xlim=(f_Hz[0], f_Hz[-1]), xlabel="frequency (Hz)")
    _text.name_axis(ax, "y", "share of the power (dB)")
    _text.put_legend(ax, entries, frameon=False, fontsize=_style.SMALL_pt)
    _style.tidy(ax)
