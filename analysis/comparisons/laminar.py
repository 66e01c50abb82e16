"""Laminar responses: features of the evoked CSD on both sides, and how alike the two CSDs are."""

import dataclasses
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
import xarray as xr

from jtfne._check import POSITIVE, names_fields, number
from jtfne._units import Floats
from jtfne.analysis._inputs import downward
from jtfne.analysis.comparisons._align import EQUAL_STEPS, correlate, resample
from jtfne.analysis.comparisons._base import ALL, Comparison, Row, Source, make_table
from jtfne.analysis.comparisons._sides import (
    average_events,
    choose_window,
    read_side,
    relative_times_ms,
)
from jtfne.analysis.laminar import (
    UNITS,
    BASELINE_ms,
    LaminarFeatures,
    WINDOW_ms,
    laminar_features,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "analysis.LaminarComparison"
FEWEST_DEPTHS = 3


@dataclasses.dataclass(frozen=True, eq=False)
class LaminarPair:
    """Features of both sides, how many events each is the mean of, and both CSDs on one grid.

    densities: (2, n_times, n_depths); None where the probes have fewer than 3 depths in common.
    """

    simulated: LaminarFeatures
    recorded: LaminarFeatures
    n_epochs: tuple[int, int]
    densities: Floats | None


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class LaminarComparison(Comparison[LaminarPair]):
    """Evoked CSDs: depth, order, time and width of the sink on both sides, their correlation.

    Parameters
    ----------
    window_ms, baseline_ms : float
        As in `laminar_features`: the longest time after and before an event that counts. Where no
        event of a side has all of it, as long a time as one has.

    Examples
    --------
    >>> from jtfne import analysis
    >>> barrel = analysis.load_recording("barrel")
    >>> table = analysis.compare(barrel, barrel, analysis.LaminarComparison())
    >>> round(table.set_index("feature").loc["csd_correlation", "pair"], 6)
    1.0
    """

    name: ClassVar[str] = "laminar"
    caption: ClassVar[str] = (
        "Simulated and recorded CSD around the onset, each divided by its own peak."
    )
    window_ms: float = WINDOW_ms
    baseline_ms: float = BASELINE_ms

    def __post_init__(self) -> None:
        """Raises: JtfneError for times that are not above 0."""
        for name in ("window_ms", "baseline_ms"):
            number(getattr(self, name), POSITIVE, name=name, where=WHERE)

    def align(self, simulated: Source, recorded: Source) -> LaminarPair:
        """Return the features of both sides' mean responses. Raises: JtfneError."""
        features, n_epochs = [], []
        for source in (simulated, recorded):
            response, n_events = average_response(source, self, WHERE)
            features.append(response)
            n_epochs.append(n_events)
        densities = _share_grid(features[0].csd, features[1].csd)
        return LaminarPair(features[0], features[1], (n_epochs[0], n_epochs[1]), densities)

    def tabulate(self, pair: LaminarPair) -> pd.DataFrame:
        """Return the features of both sides, and the correlation of their CSDs."""
        simulated_values, recorded_values = pair.simulated.values(), pair.recorded.values()
        rows: list[Row] = []
        for feature, unit in UNITS.items():
            rows.append(
                (ALL, feature, unit, simulated_values[feature], recorded_values[feature], None)
            )
        correlation = None if pair.densities is None else correlate(*pair.densities)
        rows.append((ALL, "csd_correlation", "1", None, None, correlation))
        rows.append((ALL, "n_epochs", "", *pair.n_epochs, None))
        return make_table(rows)

    def draw(self, pair: LaminarPair) -> "Figure":
        """Return both CSDs over depth and time, the sinks ringed."""
        from jtfne.analysis.figures import _style
        from jtfne.analysis.figures.compare import draw_responses

        figure = _style.new_figure(7.6, 3.4)
        draw_responses(figure, pair.simulated, pair.recorded)
        return figure


def average_response(
    source: Source, kind: LaminarComparison, where: str
) -> tuple[LaminarFeatures, int]:
    """The features of the mean response of a source, and of how many events it is the mean.

    Raises: JtfneError.
    """
    side = read_side(source, where)
    downward(side.pieces[0], where, at_least=1)  # refuses channels without depths
    # a sample more on either side: an onset may lie between two samples
    longest_ms = (-kind.baseline_ms - side.dt_ms, kind.window_ms + 2.0 * side.dt_ms)
    window_ms = choose_window([side], longest_ms, where)
    response = average_events(side, relative_times_ms(window_ms, side.dt_ms), where)
    features = laminar_features(
        response, onset_ms=0.0, window_ms=kind.window_ms, baseline_ms=kind.baseline_ms
    )
    return features, int(response.attrs["n_epochs"])


def _share_grid(simulated: xr.DataArray, recorded: xr.DataArray) -> Floats | None:
    """Both CSDs (2, n_times, n_depths) at common times and depths, by the coarser of each grid.

    None where fewer than 3 depths are common.
    """
    csds = (simulated, recorded)
    steps_ms = [float(csd["time"][1] - csd["time"][0]) for csd in csds]
    depths_mm = [np.asarray(csd["z_mm"].values, np.float64) for csd in csds]
    spacing_mm = max((z_mm[-1] - z_mm[0]) / max(z_mm.size - 1, 1) for z_mm in depths_mm)
    top_mm = max(z_mm[0] for z_mm in depths_mm)
    bottom_mm = min(z_mm[-1] for z_mm in depths_mm)
    n_depths = int(np.floor((bottom_mm - top_mm) / spacing_mm + 1e-6)) + 1 if spacing_mm else 0
    if n_depths < FEWEST_DEPTHS:
        return None
    common_mm = top_mm + spacing_mm * np.arange(n_depths)
    step_ms = max(steps_ms)
    coarse = []
    for csd, dt_ms in zip(csds, steps_ms, strict=True):
        needs_resampling = abs(dt_ms - step_ms) > EQUAL_STEPS * step_ms
        coarse.append(resample(csd, step_ms, WHERE) if needs_resampling else csd)
    start_ms = max(float(csd["time"][0]) for csd in coarse)
    stop_ms = min(float(csd["time"][-1]) for csd in coarse)
    times_ms = relative_times_ms((start_ms, stop_ms), step_ms)
    densities = []
    for csd in coarse:
        rows = np.empty((times_ms.size, csd.sizes["channel"]))
        for channel in range(csd.sizes["channel"]):
            rows[:, channel] = np.interp(times_ms, csd["time"].values, csd.values[:, channel])
        density = np.empty((times_ms.size, n_depths))
        for step in range(times_ms.size):
            density[step] = np.interp(common_mm, csd["z_mm"].values, rows[step])
        densities.append(density)
    return np.stack(densities)
