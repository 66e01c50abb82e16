"""Spectrolaminar maps: relative power over depth and frequency of both sides, their crossover."""

import dataclasses
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
import xarray as xr

from jtfne import measures
from jtfne._check import POSITIVE, JtfneError, names_fields, number, refuse
from jtfne._units import Floats
from jtfne.analysis._inputs import downward, kernel
from jtfne.analysis.comparisons._align import (
    check_quantities,
    correlate,
    share_sampling,
    share_spectra,
)
from jtfne.analysis.comparisons._base import (
    ALL,
    Band,
    Comparison,
    Row,
    Source,
    check_band,
    make_table,
)
from jtfne.analysis.comparisons._sides import Side, read_side
from jtfne.analysis.spectrolaminar import flip
from jtfne.measures.spectrolaminar import IDENTIFIABLE, Flip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "analysis.SpectrolaminarComparison"
SEGMENT_ms = 1000.0
FEWEST_DEPTHS = 3


@dataclasses.dataclass(frozen=True, eq=False)
class SpectrolaminarPair:
    """Both maps (channel, frequency), what FLIP finds in each, and both on common depths.

    flips: None where a map is too short or its frequencies too few for FLIP. common: (2, n_depths,
    n_frequencies).
    """

    maps: tuple[xr.DataArray, xr.DataArray]
    flips: tuple[Flip | None, Flip | None]
    common: Floats


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class SpectrolaminarComparison(Comparison[SpectrolaminarPair]):
    """Relative power over depth and frequency: correlation and distance of the maps, crossovers.

    Parameters
    ----------
    band_Hz : (float, float), optional
        Of the maps; left out, up to 150 Hz or what the coarser sampling holds.
    segment_ms : float
        The longest segment of Welch's method.
    relative_depth : bool
        Whether depths are shares of each probe's span, as for cortices of two thicknesses.

    Examples
    --------
    >>> from jtfne import analysis
    >>> barrel = analysis.load_recording("barrel")
    >>> table = analysis.compare(barrel, barrel, analysis.SpectrolaminarComparison())
    >>> table.set_index("feature").loc["rmse", "pair"]
    0.0
    """

    name: ClassVar[str] = "spectrolaminar"
    caption: ClassVar[str] = (
        "Simulated and recorded power over depth, each frequency divided by its maximum over the "
        "probe; the dashed line is the crossover that FLIP finds."
    )
    band_Hz: Band | None = None
    segment_ms: float = SEGMENT_ms
    relative_depth: bool = False

    def __post_init__(self) -> None:
        """Raises: JtfneError for bands and numbers that are none."""
        check_band(self.band_Hz, WHERE)
        number(self.segment_ms, POSITIVE, name="segment_ms", where=WHERE)
        if not isinstance(self.relative_depth, bool):
            raise refuse(f"relative_depth={self.relative_depth!r}", "True or False", WHERE)

    def align(self, simulated: Source, recorded: Source) -> SpectrolaminarPair:
        """Return both maps at common frequencies. Raises: JtfneError."""
        first, second = _read_probe(simulated), _read_probe(recorded)
        check_quantities(first, second, WHERE)
        first, second, was_resampled = share_sampling(first, second, WHERE)
        spectra = share_spectra(first, second, self.band_Hz, self.segment_ms, was_resampled, WHERE)
        maps = []
        for side, power in ((first, spectra.simulated), (second, spectra.recorded)):
            relative = kernel(measures.spectrolaminar.relative_power, power)
            coords = {
                "frequency": ("frequency", spectra.f_Hz, {"units": "Hz"}),
                "z_mm": ("channel", np.asarray(side.pieces[0]["z_mm"].values, np.float64)),
            }
            attrs = {"units": "1", "proxy": int(side.is_proxy)}
            maps.append(xr.DataArray(relative, coords, ("channel", "frequency"), attrs=attrs))
        common = _share_depths(maps[0], maps[1], relative=self.relative_depth)
        flips = (_find_flip(maps[0]), _find_flip(maps[1]))
        return SpectrolaminarPair((maps[0], maps[1]), flips, common)

    def tabulate(self, pair: SpectrolaminarPair) -> pd.DataFrame:
        """Return correlation and distance of the maps, and what FLIP finds on both sides."""
        crossovers_mm = [
            find_crossover_mm(power_map, motif)
            for power_map, motif in zip(pair.maps, pair.flips, strict=True)
        ]
        goodnesses = [None if motif is None else motif.goodness for motif in pair.flips]
        n_depths = [int(power_map.sizes["channel"]) for power_map in pair.maps]
        f_Hz = pair.maps[0]["frequency"].values
        rmse = float(np.sqrt(((pair.common[0] - pair.common[1]) ** 2).mean()))
        rows: list[Row] = [
            (ALL, "correlation", "1", None, None, correlate(*pair.common)),
            (ALL, "rmse", "1", None, None, rmse),
            (ALL, "crossover_mm", "mm", crossovers_mm[0], crossovers_mm[1], None),
            (ALL, "flip_goodness", "1", goodnesses[0], goodnesses[1], None),
            (ALL, "band_low", "Hz", None, None, float(f_Hz[0])),
            (ALL, "band_high", "Hz", None, None, float(f_Hz[-1])),
            (ALL, "n_depths", "", n_depths[0], n_depths[1], None),
        ]
        return make_table(rows)

    def draw(self, pair: SpectrolaminarPair) -> "Figure":
        """Return both maps over depth and frequency, with their crossovers."""
        from jtfne.analysis.figures.compare_spectra import draw_maps

        panels = []
        for power_map, motif in zip(pair.maps, pair.flips, strict=True):
            panels.append((power_map, find_crossover_mm(power_map, motif)))
        return draw_maps(panels[0], panels[1])


def _read_probe(source: Source) -> Side:
    """A side whose channels are in order of depth. Raises: JtfneError for one without depths."""
    side = read_side(source, WHERE)
    pieces = [downward(piece, WHERE, at_least=FEWEST_DEPTHS) for piece in side.pieces]
    return side.with_pieces(pieces)


def _share_depths(simulated: xr.DataArray, recorded: xr.DataArray, *, relative: bool) -> Floats:
    """Both maps (2, n_depths, n_frequencies) at common depths, by the coarser spacing.

    Raises: JtfneError for fewer than 3 common depths.
    """
    depths = []
    for power_map in (simulated, recorded):
        z_mm = np.asarray(power_map["z_mm"].values, np.float64)
        depths.append((z_mm - z_mm[0]) / (z_mm[-1] - z_mm[0]) if relative else z_mm)
    spacing = max((depth[-1] - depth[0]) / (depth.size - 1) for depth in depths)
    top, bottom = max(depth[0] for depth in depths), min(depth[-1] for depth in depths)
    n_depths = int(np.floor((bottom - top) / spacing + 1e-6)) + 1
    if n_depths < FEWEST_DEPTHS:
        description = f"depths of {depths[0][0]:g} to {depths[0][-1]:g} mm and "
        description += f"{depths[1][0]:g} to {depths[1][-1]:g} mm"
        allowed = "3 depths or more in common; or relative_depth=True"
        raise refuse(description, allowed, WHERE)
    common_depths = top + spacing * np.arange(n_depths)
    grids = []
    for power_map, depth in zip((simulated, recorded), depths, strict=True):
        grid = np.empty((n_depths, power_map.sizes["frequency"]))
        for column in range(grid.shape[1]):
            grid[:, column] = np.interp(common_depths, depth, power_map.values[:, column])
        grids.append(grid)
    return np.stack(grids)


def _find_flip(power_map: xr.DataArray) -> Flip | None:
    """What FLIP finds in a map; None for a probe too short, uneven, or without its bands."""
    try:
        return flip(power_map)
    except JtfneError:  # the maps can be compared all the same; the table has no crossover then
        return None


def find_crossover_mm(power_map: xr.DataArray, motif: Flip | None) -> float | None:
    """Depth of the crossover in a map, mm; None where FLIP does not identify it."""
    if motif is None or motif.goodness is None or motif.crossover is None:
        return None
    if abs(motif.goodness) <= IDENTIFIABLE:
        return None
    return float(power_map["z_mm"].values[motif.crossover])
