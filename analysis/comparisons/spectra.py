"""Spectra: an aperiodic fit of both sides by specparam, their largest peaks, their distance."""

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from jtfne._check import POSITIVE, JtfneError, Limit, names_fields, number, refuse, whole_number
from jtfne._units import Floats
from jtfne.analysis.comparisons._align import (
    check_quantities,
    group_by_unit,
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
from jtfne.analysis.comparisons._sides import read_side

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "analysis.SpectraComparison"
SEGMENT_ms = 2000.0
LOWEST_Hz = 1.0  # of the default band: below it, drifts and the length of the data decide
FEWEST_FREQUENCIES = 8
WIDEST_PEAK_Hz = 12.0  # specparam's own limit of a peak's width


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """An aperiodic power law with peaks: log10 power = offset - exponent log10 f + peaks.

    peaks: (centre Hz, log10 power above the power law, width Hz), the highest first. model,
    aperiodic: (n,) power at the frequencies of the fit.
    """

    offset: float
    exponent: float
    peaks: tuple[tuple[float, float, float], ...]
    model: Floats
    aperiodic: Floats


@dataclasses.dataclass(frozen=True, eq=False)
class SpectraGroup:
    """Mean power (n,) over channels of one unit on both sides, with its fits."""

    name: str
    units: tuple[str, str]
    f_Hz: Floats
    powers: tuple[Floats, Floats]
    fits: tuple[Fit, Fit]
    is_relative: bool


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class SpectraComparison(Comparison[tuple[SpectraGroup, ...]]):
    """Power over the band that both sides have, and the fit of each by specparam.

    Power is the mean over channels: of EEG and MEG those that both have by name, of a laminar
    probe all of one area.

    Parameters
    ----------
    band_Hz : (float, float), optional
        Of the fit and the distance; left out, 1 to 150 Hz or what the coarser sampling
        holds.
    segment_ms : float
        The longest segment of Welch's method.
    most_peaks : int
        As many peaks as the fit may have.
    all_channels : bool
        Whether power is the mean over all channels of each side even where they have names, as for
        a recording whose channels nobody named.

    Raises
    ------
    JtfneError
        Where specparam is not installed.

    References
    ----------
    .. [1] Donoghue et al. (2020), Nat. Neurosci. 23:1655-1665.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne import analysis, interop
    >>> noise = np.random.default_rng(0).normal(size=(20000, 1)).cumsum(axis=0)
    >>> lfp = interop.from_array(noise, ("time", "channel"), sampling_Hz=500.0, units="V")
    >>> table = analysis.compare(lfp, lfp, analysis.SpectraComparison(band_Hz=(2.0, 60.0)))
    >>> row = table.set_index("feature").loc["exponent"]
    >>> bool(row["simulated"] == row["recorded"]), bool(1.8 < row["simulated"] < 2.2)
    (True, True)
    """

    name: ClassVar[str] = "spectra"
    caption: ClassVar[str] = (
        "Simulated and recorded power (lines), the fit of each (dashed) and its aperiodic part "
        "(dotted)."
    )
    band_Hz: Band | None = None
    segment_ms: float = SEGMENT_ms
    most_peaks: int = 4
    all_channels: bool = False

    def __post_init__(self) -> None:
        """Raises: JtfneError for bands and numbers that are none."""
        check_band(self.band_Hz, WHERE)
        number(self.segment_ms, POSITIVE, name="segment_ms", where=WHERE)
        whole_number(self.most_peaks, Limit(0, 100), name="most_peaks", where=WHERE)
        if not isinstance(self.all_channels, bool):
            raise refuse(f"all_channels={self.all_channels!r}", "True or False", WHERE)

    def align(self, simulated: Source, recorded: Source) -> tuple[SpectraGroup, ...]:
        """Return power and fits of both sides, by unit of the channels. Raises: JtfneError."""
        load_model()  # before any work
        first, second = read_side(simulated, WHERE), read_side(recorded, WHERE)
        check_quantities(first, second, WHERE)
        matches_names = not self.all_channels and first.row_kind in ("head", "areal")
        if matches_names:
            first, second = share_channels(first, second, WHERE)
        first, second, was_resampled = share_sampling(first, second, WHERE)
        is_relative = first.is_proxy or second.is_proxy
        groups = []
        for unit, channels in group_by_unit(first).items():
            parts = (first.take(channels), second.take(channels) if matches_names else second)
            spectra = share_spectra(*parts, self.band_Hz, self.segment_ms, was_resampled, WHERE)
            is_inside = spectra.f_Hz >= (LOWEST_Hz if self.band_Hz is None else 0.0)
            f_Hz = spectra.f_Hz[is_inside]
            if f_Hz.size < FEWEST_FREQUENCIES:
                description = f"{f_Hz.size} frequencies {f_Hz[1] - f_Hz[0]:.3g} Hz apart"
                allowed = f"{FEWEST_FREQUENCIES} or more: a wider band or longer data"
                raise refuse(description, allowed, WHERE)
            units = (unit, next(iter(group_by_unit(parts[1]))))
            powers, fits = [], []
            for name, power in (("simulated", spectra.simulated), ("recorded", spectra.recorded)):
                powers.append(power.mean(axis=0)[is_inside])
                fits.append(fit_power(f_Hz, powers[-1], self.most_peaks, name))
            groups.append(
                SpectraGroup(
                    unit,
                    units,
                    f_Hz,
                    (powers[0], powers[1]),
                    (fits[0], fits[1]),
                    is_relative or units[0] != units[1],
                )
            )
        return tuple(groups)

    def tabulate(self, pair: tuple[SpectraGroup, ...]) -> pd.DataFrame:
        """Return both fits, the highest peak of each, and the distance of the spectra."""
        rows: list[Row] = []
        for group in pair:
            name = group.name if len(pair) > 1 else ALL
            first, second = group.fits
            rows.append((name, "exponent", "1", first.exponent, second.exponent, None))
            if not group.is_relative:
                unit = f"log10 ({group.units[0]})^2/Hz"
                rows.append((name, "offset", unit, first.offset, second.offset, None))
            peaks = [fit.peaks[0] if fit.peaks else (None, None, None) for fit in group.fits]
            rows.append((name, "peak_frequency", "Hz", peaks[0][0], peaks[1][0], None))
            heights_dB = [None if peak[1] is None else 10.0 * peak[1] for peak in peaks]
            rows.append((name, "peak_above_aperiodic", "dB", heights_dB[0], heights_dB[1], None))
            rows.append((name, "peak_width", "Hz", peaks[0][2], peaks[1][2], None))
            distance_dB = spectral_distance_dB(*group.powers, relative=group.is_relative)
            rows.append((name, "log_spectral_distance", "dB", None, None, distance_dB))
            rows.append((name, "band_low", "Hz", None, None, float(group.f_Hz[0])))
            rows.append((name, "band_high", "Hz", None, None, float(group.f_Hz[-1])))
        return make_table(rows)

    def draw(self, pair: tuple[SpectraGroup, ...]) -> "Figure":
        """Return power and fits of both sides over frequency."""
        from jtfne.analysis.figures.compare_spectra import SpectrumLine, draw_spectra

        panels = []
        for group in pair:
            lines = []
            for power, fit, unit in zip(group.powers, group.fits, group.units, strict=True):
                lines.append(SpectrumLine(group.f_Hz, power, fit.model, fit.aperiodic, unit))
            panels.append((lines[0], lines[1], group.is_relative))
        return draw_spectra(panels)


def load_model() -> Any:
    """The class of specparam that fits a spectrum. Raises: JtfneError where it is not installed."""
    try:
        from specparam import SpectralModel
    except ImportError:
        raise JtfneError(
            "a comparison of spectra needs specparam; install it with: pip install "
            f'"jtfne[spectra]" (in {WHERE})'
        ) from None
    return SpectralModel


def fit_power(f_Hz: Floats, power: Floats, most_peaks: int, name: str) -> Fit:
    """specparam's fit of power (n,) at even frequencies (n,), of a fixed power law with peaks.

    Raises: JtfneError where it finds none, as for frequencies without power.
    """
    if not (power > 0.0).all():
        raise refuse(f"{name} data without power at some frequency", "data that vary", WHERE)
    # Narrower peaks than two frequencies are single points of noise.
    narrowest_Hz = 2.0 * float(f_Hz[1] - f_Hz[0])
    # specparam begins its search at the log of the first power, and never leaves a 0: of a power
    # law of exponent 2 that began at 1, it found 1.67. Here it begins at 2.
    scale = float(power[0]) / 100.0
    model = load_model()(
        peak_width_limits=(narrowest_Hz, max(WIDEST_PEAK_Hz, 2.0 * narrowest_Hz)),
        max_n_peaks=most_peaks,
        verbose=False,
    )
    model.fit(f_Hz, power / scale)
    if not model.results.has_model:
        raise refuse(f"{name} power that no power law with peaks fits", "another band", WHERE)
    offset, exponent = (float(value) for value in model.results.get_params("aperiodic"))
    offset += float(np.log10(scale))
    found_peaks = np.asarray(model.results.get_params("periodic"), np.float64).reshape(-1, 3)
    peaks = [
        (float(centre), float(height), float(width))
        for centre, height, width in found_peaks
        if np.isfinite(centre)
    ]
    peaks.sort(key=lambda peak: -peak[1])
    modelled = 10.0 ** np.asarray(model.results.model.modeled_spectrum, np.float64)
    aperiodic = 10.0 ** (offset - exponent * np.log10(f_Hz))
    return Fit(offset, exponent, tuple(peaks), modelled * scale, aperiodic)
