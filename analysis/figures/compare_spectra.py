"""Simulated and recorded spectra with their fits, and spectrolaminar maps, side by side."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from jtfne._units import Floats
from jtfne.analysis.figures import _style, _text, fields
from jtfne.analysis.figures.compare import share_depths
from jtfne.analysis.figures.compare_evoked import (
    RECORDED,
    SIMULATED,
    THICK,
    THIN,
    put_frequency_axis,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True, eq=False)
class SpectrumLine:
    """Power of one side with its fit and the aperiodic part of that, each (n,), and the unit."""

    f_Hz: Floats
    power: Floats
    model: Floats
    aperiodic: Floats
    units: str


# Both sides, and whether their powers are drawn as shares, since sizes cannot be compared.
Panel = tuple[SpectrumLine, SpectrumLine, bool]
MapPanel = tuple[xr.DataArray, float | None]  # a map and the depth of its crossover, mm


def draw_spectra(panels: Sequence[Panel]) -> "Figure":
    """A panel for each unit of channels: power of both sides and the fits, on logarithmic axes."""
    figure = _style.new_figure(5.2 * len(panels), 3.8)
    for ax, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_panel(ax, *panel)
    return figure


def _draw_panel(
    ax: "Axes", simulated: SpectrumLine, recorded: SpectrumLine, is_relative: bool
) -> None:
    """Draw the power of both sides, their fits and the aperiodic parts."""
    entries: dict[str, Artist] = {}
    for name, line, colour, look in (
        ("simulated", simulated, SIMULATED, THICK),
        ("recorded", recorded, RECORDED, THIN),
    ):
        scale = 1.0 / line.power.sum() if is_relative else 1.0
        (entries[name],) = ax.plot(line.f_Hz, scale * line.power, color=colour, **look)
        (entries[f"fit, {name}"],) = ax.plot(
            line.f_Hz, scale * line.model, color=colour, lw=1.0, ls="--"
        )
        (entries[f"aperiodic part, {name}"],) = ax.plot(
            line.f_Hz, scale * line.aperiodic, color=colour, lw=1.0, ls=":"
        )
    put_frequency_axis(ax, simulated.f_Hz)
    ax.set_yscale("log")
    ax.minorticks_off()
    unit = simulated.units if simulated.units.isalpha() else f"({simulated.units})"
    label = "power as a share of the band" if is_relative else f"power ({unit}²/Hz)"
    _text.name_axis(ax, "y", label)
    _text.put_legend(ax, entries, frameon=False, fontsize=_style.SMALL_pt)
    _style.tidy(ax)


def draw_maps(simulated: MapPanel, recorded: MapPanel) -> "Figure":
    """Both maps over depth and frequency, with their crossovers."""
    figure = _style.new_figure(8.4, 3.6)
    axes = figure.subplots(1, 2)
    for ax, name, (power_map, crossover_mm) in zip(
        axes, ("simulated", "recorded"), (simulated, recorded), strict=True
    ):
        fields.spectrolaminar(power_map, ax, crossover_mm=crossover_mm)
        f_Hz = np.asarray(power_map["frequency"].values)
        ax.set_xlim(float(f_Hz[0]), float(f_Hz[-1]))
        _text.put_title(ax, name, loc="left", fontsize=_style.FONT_pt)
    share_depths(list(axes))
    return figure
