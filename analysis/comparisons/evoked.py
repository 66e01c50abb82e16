"""EEG, MEG and other evoked responses: shape, timing and topography around events, and spectra."""

import dataclasses
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
import xarray as xr

from jtfne._check import POSITIVE, names_fields, number, refuse
from jtfne._units import Floats
from jtfne.analysis._inputs import Window
from jtfne.analysis._inputs import pair as check_pair
from jtfne.analysis.comparisons._align import (
    Spectra,
    correlate,
    group_by_unit,
    reference_to_average,
    share_channels,
    share_sampling,
    share_spectra,
    spectral_distance_dB,
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
from jtfne.analysis.comparisons._sides import (
    average_events,
    choose_window,
    read_side,
    relative_times_ms,
    subtract_baseline,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "analysis.EvokedComparison"
WINDOW_ms: Window = (-100.0, 400.0)
SEGMENT_ms = 1000.0
FEWEST_SAMPLES = 8
FEWEST_SENSORS = 3  # of which a correlation of maps says anything
PHYSICAL_REFERENCE = "eeg"  # the type of MNE whose potentials hang on a reference


@dataclasses.dataclass(frozen=True, eq=False)
class EvokedGroup:
    """Both mean responses (time, channel) at equal times from the event, of one unit."""

    name: str
    simulated: xr.DataArray
    recorded: xr.DataArray
    spectra: Spectra

    @property
    def units(self) -> tuple[str, str]:
        """The unit of each side."""
        return str(self.simulated.attrs["units"]), str(self.recorded.attrs["units"])

    @property
    def is_relative(self) -> bool:
        """Whether sizes cannot be compared: a proxy, or two units."""
        proxies = self.simulated.attrs.get("proxy", 0) or self.recorded.attrs.get("proxy", 0)
        return bool(proxies) or self.units[0] != self.units[1] or "a.u." in self.units


@dataclasses.dataclass(frozen=True, eq=False)
class EvokedPair:
    """What both sides have in common: groups of channels of one unit, one sampling."""

    groups: tuple[EvokedGroup, ...]
    step_ms: float


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class EvokedComparison(Comparison[EvokedPair]):
    """Mean responses to events over channels of one name, and the spectra of the whole signals.

    Channels are matched by name, whatever their case, and by the older names of the 10-20 system
    (T3 is T7); the finer sampling is brought to the coarser one by `scipy.signal.resample_poly`;
    EEG is taken about the mean of the channels that both have.

    Parameters
    ----------
    window_ms : (float, float)
        The longest time around an event, ms. Where no event of a side has all of it, as long a time
        as one has. The mean up to the event is subtracted.
    band_Hz : (float, float), optional
        Of the spectra; left out, up to 150 Hz or what the coarser sampling holds.
    segment_ms : float
        Of the spectra: the longest segment of Welch's method.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne import analysis, interop
    >>> values = np.random.default_rng(0).normal(size=(600, 2))
    >>> eeg = interop.from_array(
    ...     values, ("time", "channel"), sampling_Hz=500.0, units="V", channels=["T7", "Cz"],
    ...     onset_ms=[300.0, 700.0], readout="eeg",
    ... )
    >>> older_names = eeg.assign_coords(channel=["t3", "CZ"])
    >>> table = analysis.compare(eeg, older_names, analysis.EvokedComparison())
    >>> round(table.set_index("feature").loc["correlation", "pair"], 6)
    1.0
    """

    name: ClassVar[str] = "evoked"
    readout: ClassVar[str] = "eeg"
    caption: ClassVar[str] = (
        "Simulated and recorded mean responses of the channels that both have (thin) with their "
        "root mean square (thick), maps at its peak, and power as shares of the common band."
    )
    window_ms: Window = WINDOW_ms
    band_Hz: Band | None = None
    segment_ms: float = SEGMENT_ms

    def __post_init__(self) -> None:
        """Raises: JtfneError for windows and bands that are none."""
        start_ms, stop_ms = check_pair(self.window_ms, name="window_ms", where=WHERE)
        if not start_ms < 0.0 < stop_ms:
            raise refuse(f"window_ms={self.window_ms}", "a start below 0, a stop above", WHERE)
        check_band(self.band_Hz, WHERE)
        number(self.segment_ms, POSITIVE, name="segment_ms", where=WHERE)

    def align(self, simulated: Source, recorded: Source) -> EvokedPair:
        """Return both responses over common channels and times. Raises: JtfneError."""
        sides = (read_side(simulated, WHERE), read_side(recorded, WHERE))
        first, second = share_channels(*sides, WHERE)
        first, second, was_resampled = share_sampling(first, second, WHERE)
        if first.mne_type == PHYSICAL_REFERENCE:
            first, second = reference_to_average(first), reference_to_average(second)
        step_ms = max(first.dt_ms, second.dt_ms)
        window_ms = choose_window([first, second], self.window_ms, WHERE)
        times_ms = relative_times_ms(window_ms, step_ms)
        if np.count_nonzero(times_ms > 0.0) < FEWEST_SAMPLES:
            description = f"{times_ms[-1]:g} ms after the event in samples of {step_ms:g} ms"
            raise refuse(description, f"{FEWEST_SAMPLES} samples or more on both sides", WHERE)
        groups = []
        for unit, channels in group_by_unit(first).items():
            parts = (first.take(channels), second.take(channels))
            responses = []
            for part in parts:
                response = subtract_baseline(average_events(part, times_ms, WHERE))
                if not float(response.std()) > 0.0:
                    raise refuse(f"{part.name} data that never vary", "data that vary", WHERE)
                units = next(iter(group_by_unit(part)))
                responses.append(response.assign_attrs(units=units))
            spectra = share_spectra(*parts, self.band_Hz, self.segment_ms, was_resampled, WHERE)
            groups.append(EvokedGroup(unit, responses[0], responses[1], spectra))
        return EvokedPair(tuple(groups), step_ms)

    def tabulate(self, pair: EvokedPair) -> pd.DataFrame:
        """Return timing and size of both sides, and their distances, by unit of the channels."""
        rows: list[Row] = []
        for group in pair.groups:
            name = group.name if len(pair.groups) > 1 else ALL
            for feature, unit, simulated, recorded, both in _compare_group(group):
                rows.append((name, feature, unit, simulated, recorded, both))
        rows.append((ALL, "step_ms", "ms", None, None, pair.step_ms))
        return make_table(rows)

    def draw(self, pair: EvokedPair) -> "Figure":
        """Return responses, maps and spectra of both sides."""
        from jtfne.analysis.figures.compare_evoked import draw_evoked

        panels = []
        for group in pair.groups:
            spectra = group.spectra
            powers = (spectra.simulated.mean(axis=0), spectra.recorded.mean(axis=0))
            panels.append(((group.simulated, group.recorded), (spectra.f_Hz, *powers)))
        return draw_evoked(panels)


def _compare_group(group: EvokedGroup) -> list[tuple[str, str, object, object, object]]:
    """Feature, unit, the value of each side and of both, of channels of one unit."""
    responses = (group.simulated, group.recorded)
    peaks = [find_peak(response) for response in responses]
    values = [np.asarray(response.values, np.float64) for response in responses]
    unit = group.units[0] if group.units[0] == group.units[1] else " | ".join(group.units)
    spectra = group.spectra
    difference, difference_unit = values[0] - values[1], unit
    if group.is_relative:
        difference = values[0] / values[0].std() - values[1] / values[1].std()
        difference_unit = "sd"
    maps = [value[step] for value, (step, _) in zip(values, peaks, strict=True)]
    map_correlation = correlate(maps[0], maps[1]) if maps[0].size >= FEWEST_SENSORS else None
    distance_dB = spectral_distance_dB(
        spectra.simulated, spectra.recorded, relative=group.is_relative
    )
    times_ms = group.simulated["time"].values
    n_epochs = [int(response.attrs["n_epochs"]) for response in responses]
    peak_times_ms = [float(times_ms[step]) for step, _ in peaks]
    rmse = float(np.sqrt((difference**2).mean()))
    return [
        ("peak_latency_ms", "ms", peak_times_ms[0], peak_times_ms[1], None),
        ("peak_rms", unit, peaks[0][1], peaks[1][1], None),
        ("rmse", difference_unit, None, None, rmse),
        ("correlation", "1", None, None, correlate(values[0], values[1])),
        ("map_correlation", "1", None, None, map_correlation),
        ("log_spectral_distance", "dB", None, None, distance_dB),
        ("band_low", "Hz", None, None, spectra.band_Hz[0]),
        ("band_high", "Hz", None, None, spectra.band_Hz[1]),
        ("window_start", "ms", None, None, float(times_ms[0])),
        ("window_stop", "ms", None, None, float(times_ms[-1])),
        ("n_channels", "", None, None, int(group.simulated.sizes["channel"])),
        ("n_epochs", "", n_epochs[0], n_epochs[1], None),
    ]


def find_peak(response: xr.DataArray) -> tuple[int, float]:
    """The step after the event at which the rms over channels is largest, and that rms."""
    rms: Floats = np.sqrt((np.asarray(response.values) ** 2).mean(axis=1))
    after = np.flatnonzero(response["time"].values > 0.0)
    step = int(after[np.argmax(rms[after])])
    return step, float(rms[step])
