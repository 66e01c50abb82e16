"""Figures of one readout of a run, of several panels: by area, by condition, by kind of view.

All panels of a quantity share one scale, and one colour bar.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from jtfne.analysis.figures import _inputs, _style, _text, _units, fields, head, moments, spectra
from jtfne.analysis.figures._conditions import (
    join_words,
    list_events,
    split_by_condition,
    style_lines,
)
from jtfne.signals import Signals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

N_TRACES = 12
WHERE = "analysis.figures.save_all"


def draw_laminar(signals: Signals, readout: str) -> "Figure":
    """A panel of the readout over depth and time for each area, a row for each condition."""
    data = pick_shank(signals.get(readout))
    areas = [str(name) for name in data["area"].values]
    rows: dict[str, list[tuple[xr.DataArray, pd.DataFrame]]] = {}
    for condition, trials in split_by_condition(data).items():
        events = list_events(signals, condition)
        rows[condition] = [fields.read_laminar(trials, readout, area, events) for area in areas]
    largest = max(_style.peak_magnitude(field.values) for row in rows.values() for field, _ in row)
    unit, factor = _units.choose_prefix(str(data.attrs.get("units", "a.u.")), largest)
    figure = _style.new_figure(4.8 * len(areas), 3.4 * len(rows))
    grid = figure.subplots(len(rows), len(areas), squeeze=False)
    for axes, (condition, row) in zip(grid, rows.items(), strict=True):
        for ax, area, (field, events) in zip(axes, areas, row, strict=True):
            field = _units.scale_units(field, unit, factor)
            image = fields.draw_laminar(ax, field, events, factor * largest)
            _title_panel(ax, area if len(areas) > 1 else "", condition)
            _style.tidy(ax)
    _style.colour_bar(list(grid.ravel()), image, fields.label_laminar(field))
    return figure


def pick_shank(data: xr.DataArray) -> xr.DataArray:
    """The contacts of the first shank with two depths or more, one at each depth.

    None of them where there is no such shank.
    """
    if not {"x_mm", "y_mm"} <= set(data.coords):
        return data
    places = np.stack([data[name].values for name in ("x_mm", "y_mm", "z_mm")], axis=1).round(6)
    for x_mm, y_mm in dict.fromkeys(map(tuple, places[:, :2].tolist())):
        on_shank = np.flatnonzero((places[:, 0] == x_mm) & (places[:, 1] == y_mm))
        _, first = np.unique(places[on_shank, 2], return_index=True)
        if len(first) > 1:
            return data.isel(channel=np.sort(on_shank[first]))
    return data.isel(channel=slice(0, 0))


def draw_psd(signals: Signals, readout: str) -> "Figure":
    """A panel of the power spectrum for each area; conditions, if there are some, by colour."""
    parts = split_by_condition(signals.get(readout))
    if len(parts) == 1:
        return draw_areas(
            signals, readout, lambda ax, area: spectra.psd(signals, ax, readout=readout, area=area)
        )
    powers = {}
    for condition, trials in parts.items():
        powers[condition] = spectra.compute_power(trials, readout)
    return draw_areas(
        signals,
        readout,
        lambda ax, area: spectra.draw_spectra(
            ax, {name: power.sel(area=area) for name, power in powers.items()}
        ),
    )


def draw_areas(
    signals: Signals, readout: str, draw_panel: "Callable[[Axes, str], object]"
) -> "Figure":
    """A figure with one panel for each area of `readout`."""
    areas = [str(name) for name in signals.get(readout)["area"].values]
    figure = _style.new_figure(4.8 * len(areas), 3.4)
    for ax, area in zip(figure.subplots(1, len(areas), squeeze=False)[0], areas, strict=True):
        draw_panel(ax, area)
        _title_panel(ax, area if len(areas) > 1 else "", "")
    return figure


def draw_dipole(signals: Signals, readout: str) -> "Figure":
    """Moments of all areas over time, and their power spectra if the run is long enough."""
    source = moments.with_areas(signals.get(readout))
    if not spectra.has_spectrum(source):
        return _style.get_figure(moments.dipole(signals, _style.OFF_SCREEN, readout=readout))
    figure = _style.new_figure(9.0, 3.0)
    left, right = figure.subplots(1, 2, width_ratios=[1.6, 1.0])
    moments.dipole(signals, left, readout=readout)
    parts = split_by_condition(source)
    powers = {}
    for condition, trials in parts.items():
        power = spectra.compute_power(trials, readout)
        for area in power["area"].values:
            powers[join_words(str(area), condition)] = power.sel(area=area)
    areas = [str(area) for area in source["area"].values]
    spectra.draw_spectra(right, powers, style_lines(areas, parts))
    return figure


def draw_head(signals: Signals, readout: str, unit: str | None = None) -> "Figure":
    """Channels of one unit over time, their power spectra, and the head by condition.

    Spectra are left out where the run is too short, and maps where there are too few sensors.
    Maps are of one time after the onset of each condition: where channels differ most in any.
    """
    data = _units.one_unit(signals.get(readout), unit, WHERE)
    parts = split_by_condition(data)
    fields_by_condition, onsets_ms = {}, {}
    for condition, trials in parts.items():
        events = _inputs.get_events(signals, list_events(signals, condition))
        fields_by_condition[condition] = head.read_head(trials, readout, None, events, WHERE)
        onsets_ms[condition] = _style.first_onset(events)
    largest = max(_style.peak_magnitude(field.values) for field in fields_by_condition.values())
    chosen_unit, factor = _units.choose_prefix(str(data.attrs["units"]), largest)
    scaled = {
        name: _units.scale_units(field, chosen_unit, factor)
        for name, field in fields_by_condition.items()
    }
    n_maps = len(parts) if can_map(data) else 0
    n_traces = min(N_TRACES, data.sizes["channel"])
    figure = _style.new_figure(8.6 + 2.9 * n_maps, max(0.26 * n_traces + 1.2, 3.0))
    has_spectrum = spectra.has_spectrum(data)
    widths = [5.4, *([3.2] if has_spectrum else []), *([2.9] * n_maps)]
    axes = list(figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0])
    head.draw_traces(axes[0], scaled, N_TRACES)
    _style.mark_events(axes[0], _inputs.get_events(signals, None))
    _style.tidy(axes[0], frame=False)
    if has_spectrum:
        powers = {name: spectra.compute_power(trials, readout) for name, trials in parts.items()}
        spectra.draw_spectra(axes[1], powers)
    if n_maps:
        _draw_maps(axes[-n_maps:], scaled, onsets_ms)
    return figure


def can_map(data: xr.DataArray) -> bool:
    """Whether sensors are enough, and at places of their own, for a map of the head."""
    names = ("x_mm", "y_mm", "z_mm")
    if any(name not in data.coords for name in names):
        return False
    places = np.stack([data[name].values for name in names], axis=1).round(3)
    return len(np.unique(places, axis=0)) >= 4


def _draw_maps(
    axes: "list[Axes]", scaled: dict[str, xr.DataArray], onsets_ms: dict[str, float | None]
) -> None:
    """Draw a map of each condition at one time after its onset, colours alike; one colour bar."""
    peaks = {}
    for name, field in scaled.items():
        peak_ms = head.find_peak_ms(field, onsets_ms[name])
        peaks[name] = (float(field.sel(time=peak_ms).std()), peak_ms - (onsets_ms[name] or 0.0))
    _, after_ms = max(peaks.values())
    snapshots = {}
    for name, field in scaled.items():
        time_ms = after_ms + (onsets_ms[name] or 0.0)
        snapshots[name] = head.merge_pairs(field.sel(time=time_ms, method="nearest"))
    limit = max(_style.peak_magnitude(snapshot.values) for snapshot in snapshots.values())
    for ax, (name, snapshot) in zip(axes, snapshots.items(), strict=True):
        image = head.draw_map(ax, snapshot, head.flat_positions(snapshot, WHERE), limit)
        time_text = head.label_time(snapshot, onsets_ms[name])
        _text.put_title(ax, f"{name}, {time_text}" if name else time_text)
        _style.tidy(ax)
    _style.colour_bar(axes, image, _style.label_with_unit(snapshot))


def _title_panel(ax: "Axes", area: str, condition: str) -> None:
    """Write area and condition above a panel, at its right end, where one of them is told."""
    name = join_words(area, condition)
    if name:
        _text.put_title(ax, name, loc="right", fontsize=_style.FONT_pt)
