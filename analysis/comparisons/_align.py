"""Two sides brought to the same channels, the same sampling and the same band of frequencies."""

import dataclasses
import fractions
from collections.abc import Sequence

import numpy as np
import xarray as xr

from jtfne._check import refuse
from jtfne._units import Floats
from jtfne.analysis.comparisons._base import Band
from jtfne.analysis.comparisons._sides import Side
from jtfne.analysis.laminar import is_csd
from jtfne.analysis.spectrum import psd

EQUAL_STEPS = 1e-4  # relative: FIF has 3333.333333 Hz for a step of 0.3 ms
MOST_DRIFT = 0.05  # of a sample over the longest stretch, by a ratio of small numbers
LARGEST_TERM = 10_000
# Below this share of the Nyquist frequency the anti-alias filter of `resample_poly` passes all.
PASSED = 0.8
FEWEST_FREQUENCIES = 4
HIGHEST_Hz = 150.0  # of the default band: above it lie filters and noise of amplifiers
# Older names of the 10-20 system -> those of the 10-10 system.
ALIASES = {"t3": "t7", "t4": "t8", "t5": "p7", "t6": "p8", "m1": "a1", "m2": "a2"}
PREFIX, SUFFIXES = "eeg", ("-ref", "-le", "-avg", "-av")  # of channels in EDF files


def canonical_name(name: str) -> str:
    """A channel's name without case, blanks, dots, what EDF puts around it, and by its newer name.

    >>> canonical_name("EEG T3-Ref"), canonical_name("Fc5."), canonical_name("MEG 0113")
    ('t7', 'fc5', 'meg0113')
    """
    text = name.casefold().replace(" ", "").replace(".", "").removeprefix(PREFIX)
    for suffix in SUFFIXES:
        text = text.removesuffix(suffix)
    return ALIASES.get(text, text)


def check_quantities(simulated: Side, recorded: Side, where: str) -> None:
    """Raises: JtfneError for a current source density beside potentials."""
    if is_csd(simulated.pieces[0]) != is_csd(recorded.pieces[0]):
        units = f"{simulated.units} and {recorded.units}"
        raise refuse(
            f"a current source density beside a potential, in {units},",
            "the same quantity on both sides: the run's lfp or lfp_proxy beside potentials",
            where,
        )


def share_channels(simulated: Side, recorded: Side, where: str) -> tuple[Side, Side]:
    """Both sides with the channels that both have, in the order of the simulated ones.

    Two areal signals of one channel each are taken for the same whatever they are called.
    Raises: JtfneError where they share none, or a side has two channels of one name.
    """
    rows_by_name = []
    for side in (simulated, recorded):
        rows: dict[str, int] = {}
        for row, name in enumerate(side.channels):
            canonical = canonical_name(name)
            if canonical in rows:
                description = (
                    f"{side.name} channels {side.channels[rows[canonical]]!r} and {name!r}"
                )
                raise refuse(description, "one channel of a name, case and aliases apart", where)
            rows[canonical] = row
        rows_by_name.append(rows)
    simulated_rows, recorded_rows = rows_by_name
    shared_names = [name for name in simulated_rows if name in recorded_rows]
    is_single = len(simulated_rows) == 1 and len(recorded_rows) == 1
    if not shared_names and is_single and simulated.row_kind == "areal":
        return simulated, recorded
    if not shared_names:
        raise refuse(
            f"a recording with channels {', '.join(recorded.channels[:12])}",
            f"one with some of {', '.join(simulated.channels[:40])}",
            where,
        )
    return (
        simulated.take([simulated_rows[name] for name in shared_names]),
        recorded.take([recorded_rows[name] for name in shared_names]),
    )


def share_sampling(simulated: Side, recorded: Side, where: str) -> tuple[Side, Side, bool]:
    """Both sides at the coarser sampling of the two, and whether one had to be resampled."""
    step_ms = max(simulated.dt_ms, recorded.dt_ms)
    sides = []
    was_resampled = False
    for side in (simulated, recorded):
        if abs(side.dt_ms - step_ms) > EQUAL_STEPS * step_ms:
            was_resampled = True
            side = side.with_pieces([resample(piece, step_ms, where) for piece in side.pieces])
        sides.append(side)
    return sides[0], sides[1], was_resampled


def resample(piece: xr.DataArray, step_ms: float, where: str) -> xr.DataArray:
    """`piece` (time, ...) at a coarser step, through the anti-alias filter of `resample_poly`.

    Raises: JtfneError where no ratio of whole numbers up to 10000 gives the step, or fewer than 2
    samples are left.
    """
    from scipy import signal

    time_ms = np.asarray(piece["time"].values, np.float64)
    dt_ms = (time_ms[-1] - time_ms[0]) / (time_ms.size - 1)
    ratio = fractions.Fraction(dt_ms / step_ms).limit_denominator(LARGEST_TERM)
    drift = abs(float(ratio) * step_ms / dt_ms - 1.0) * time_ms.size if ratio else np.inf
    if drift > MOST_DRIFT:
        raise refuse(
            f"samples every {dt_ms:g} and {step_ms:g} ms",
            f"steps whose ratio is one of whole numbers up to {LARGEST_TERM}",
            where,
        )
    axis = piece.get_axis_num("time")
    values = signal.resample_poly(
        piece.values, ratio.numerator, ratio.denominator, axis=axis, padtype="line"
    )
    n_steps = values.shape[axis]
    if n_steps < 2:
        raise refuse(f"{time_ms.size * dt_ms:g} ms of data", f"2 x {step_ms:g} ms or more", where)
    # The first sample keeps its start, by which MNE dates samples; a time is the end of a sample.
    times_ms = time_ms[0] - dt_ms + step_ms * np.arange(1, n_steps + 1)
    coords = {name: coord for name, coord in piece.coords.items() if "time" not in coord.dims}
    coords["time"] = xr.DataArray(times_ms, dims="time", attrs=piece["time"].attrs)
    return xr.DataArray(values, coords, piece.dims, piece.name, piece.attrs)


def reference_to_average(side: Side) -> Side:
    """EEG about the mean of its channels: potentials of two references differ by a trace of all.

    One channel alone stays as it is.
    """
    if side.pieces[0].sizes["channel"] < 2:
        return side
    pieces = []
    for piece in side.pieces:
        pieces.append((piece - piece.mean("channel")).assign_attrs(piece.attrs))
    return side.with_pieces(pieces)


def group_by_unit(side: Side) -> dict[str, list[int]]:
    """The places of channels by unit: magnetometers and gradiometers apart."""
    piece = side.pieces[0]
    if "unit" not in piece.coords or piece["unit"].dims != ("channel",):
        return {side.units: list(range(piece.sizes["channel"]))}
    groups: dict[str, list[int]] = {}
    for place, unit in enumerate(piece["unit"].values.tolist()):
        groups.setdefault(str(unit), []).append(place)
    return groups


@dataclasses.dataclass(frozen=True, eq=False)
class Spectra:
    """Power of both sides over common frequencies: f_Hz (n,), each power (n_channels, n)."""

    f_Hz: Floats
    simulated: Floats
    recorded: Floats
    band_Hz: Band


def share_spectra(
    simulated: Side,
    recorded: Side,
    band_Hz: Band | None,
    longest_segment_ms: float,
    was_resampled: bool,
    where: str,
) -> Spectra:
    """Welch's power of both sides by segments of one length, within the band that both have.

    Without a band, from the lowest frequency above 0 to 150 Hz or what the coarser sampling holds.
    Raises: JtfneError for a band beyond that, or with fewer than 4 frequencies.
    """
    step_ms = max(simulated.dt_ms, recorded.dt_ms)
    stretches_ms = []
    for side in (simulated, recorded):
        stretches_ms.append(max(piece.sizes["time"] for piece in side.pieces) * step_ms)
    segment_ms = min(longest_segment_ms, *stretches_ms)
    n_segment = int(np.floor(segment_ms / step_ms + 0.01))
    powers = []
    for side in (simulated, recorded):
        powers.append(_average_power(side.pieces, n_segment * step_ms, n_segment))
    (f_Hz, simulated_power), (_, recorded_power) = powers
    highest_Hz = float(f_Hz[-1]) * (PASSED if was_resampled else 1.0)
    lowest_Hz = float(f_Hz[1])
    default_Hz = (lowest_Hz, min(highest_Hz, HIGHEST_Hz))
    low_Hz, high_Hz = default_Hz if band_Hz is None else band_Hz
    if high_Hz > highest_Hz + 0.5 * lowest_Hz:
        description = f"the band {low_Hz:g} to {high_Hz:g} Hz"
        allowed = f"up to {highest_Hz:g} Hz, which the coarser sampling of {step_ms:g} ms holds"
        raise refuse(description, allowed, where)
    in_band = (f_Hz > 0.0) & (f_Hz >= low_Hz - 1e-9) & (f_Hz <= high_Hz + 1e-9)
    if np.count_nonzero(in_band) < FEWEST_FREQUENCIES:
        description = (
            f"the band {low_Hz:g} to {high_Hz:g} Hz, with {np.count_nonzero(in_band)} frequencies "
            f"{lowest_Hz:.3g} Hz apart,"
        )
        raise refuse(description, f"{FEWEST_FREQUENCIES} or more: longer data", where)
    return Spectra(
        f_Hz[in_band],
        simulated_power[:, in_band],
        recorded_power[:, in_band],
        (float(f_Hz[in_band][0]), float(f_Hz[in_band][-1])),
    )


def _average_power(
    pieces: Sequence[xr.DataArray], segment_ms: float, n_segment: int
) -> tuple[Floats, Floats]:
    """Frequencies (n,) and power (n_channels, n), mean over the segments of all stretches.

    Stretches shorter than a segment do not count.
    """
    total, weight = np.zeros(0), 0
    f_Hz = np.zeros(0)
    for piece in pieces:
        if piece.sizes["time"] < n_segment:
            continue
        power = psd(piece, segment_ms).transpose("channel", "frequency")
        n_segments = 1 + (piece.sizes["time"] - n_segment) // max(n_segment // 2, 1)
        f_Hz = np.asarray(power["frequency"].values)
        total = n_segments * power.values + (total if weight else 0.0)
        weight += n_segments
    return f_Hz, total / weight


def spectral_distance_dB(simulated: Floats, recorded: Floats, *, relative: bool) -> float | None:
    """The rms over frequencies and channels of 10 log10 of the ratio of two powers (..., n), in dB.

    relative: of their shares of the whole band. None where no frequency has power on both sides.
    """
    if relative:
        simulated = simulated / np.maximum(simulated.sum(axis=-1, keepdims=True), 1e-300)
        recorded = recorded / np.maximum(recorded.sum(axis=-1, keepdims=True), 1e-300)
    has_power = (simulated > 0.0) & (recorded > 0.0)
    if not has_power.any():
        return None
    decibels = 10.0 * np.log10(simulated[has_power] / recorded[has_power])
    return float(np.sqrt((decibels**2).mean()))


def correlate(simulated: Floats, recorded: Floats) -> float | None:
    """Pearson's correlation of two arrays of one shape; None where one never varies."""
    x, y = np.ravel(simulated - simulated.mean()), np.ravel(recorded - recorded.mean())
    size = float(np.sqrt((x * x).sum()) * np.sqrt((y * y).sum()))
    return float(np.clip((x * y).sum() / size, -1.0, 1.0)) if size > 0.0 else None
