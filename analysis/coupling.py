"""Coupling of signals by frequency: coherence and phase-amplitude coupling."""

import numpy as np
import xarray as xr

from jtfne import measures
from jtfne._check import JtfneError, Limit, names_arguments, refuse, whole_number
from jtfne._units import Floats
from jtfne.analysis._inputs import (
    TOLERANCE,
    Data,
    kernel,
    over_time,
    pair,
    take_coords,
    values_last,
    zero_constants,
)
from jtfne.analysis.spectrum import SEGMENT_ms, check_segment

Band = tuple[float, float]
THETA_Hz = (4.0, 8.0)
GAMMA_Hz = (30.0, 80.0)
N_BINS = measures.coupling.N_BINS
MOST_BINS = 360  # of phase, a degree each; each is a pass over the data


@names_arguments
def coherence(
    data: Data,
    other: xr.DataArray | None = None,
    *,
    segment_ms: float = SEGMENT_ms,
    readout: str = "lfp_proxy",
) -> xr.DataArray:
    """Magnitude-squared coherence by Welch's segments, pooled over all trials.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array with evenly spaced ``time`` in ms; any other dimensions. ``trial`` is
        averaged over.
    other : DataArray, optional
        What to pair it with, on the same times; dimensions of one name run together. Left out: all
        pairs of channels (or neurons) of `data`.
    segment_ms : float
        As in `psd`. Coherence of L segments (half overlapping) is about 1 / L by chance: take
        several.
    readout : str
        Which readout of a run.

    Returns
    -------
    DataArray
        0 to 1; NaN at a frequency at which one of the two has no power, as where it never varies.
        Dims of `data` and `other` without trial and time, then ``frequency`` (Hz); without
        `other`, those of `data`, ``other`` and ``frequency``. ``attrs["n_segments"]`` counts the
        segments.

    Raises
    ------
    JtfneError
        Without an even time axis, for times that differ, a single segment, or neither `other` nor
        channels.

    References
    ----------
    .. [1] Carter, Knapp & Nuttall (1973), IEEE Trans. Audio Electroacoust. 21:337-344.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> noise = np.random.default_rng(0).normal(size=(4000, 2))
    >>> x = xr.DataArray(noise, {"time": np.arange(4000.0)}, ("time", "channel"))
    >>> coherence(x, segment_ms=200).sel(channel=0, other=0).min().round(3).item()
    1.0
    """
    where = "analysis.coherence"
    x, dt_ms = over_time(data, readout, where)
    segment_ms = check_segment(segment_ms, dt_ms, where)
    n_steps = min(round(segment_ms / dt_ms), x.sizes["time"])
    n_segments = (1 + (x.sizes["time"] - n_steps) // (n_steps - n_steps // 2)) * x.sizes.get(
        "trial", 1
    )
    if n_segments < 2:
        raise refuse(
            "one segment, whose coherence is 1 always,",
            "2 segments or more: a shorter segment_ms",
            where,
        )
    coherence_data = (
        _compute_all_pairs(x, dt_ms, segment_ms, where)
        if other is None
        else _compute_pair(x, other, dt_ms, segment_ms, where)
    )
    coherence_data.attrs = {
        "units": "1",
        "long_name": "magnitude-squared coherence",
        "n_segments": n_segments,
    }
    coherence_data["frequency"].attrs["units"] = "Hz"
    return coherence_data


def _compute_pair(
    x: xr.DataArray, y: xr.DataArray, dt_ms: float, segment_ms: float, where: str
) -> xr.DataArray:
    """Coherence of two arrays, (..., frequency).

    Raises: JtfneError where their dims or times do not match.
    """
    x_aligned, y_aligned = _broadcast_together(x, y, where)
    values, front = values_last(x_aligned, "time")
    pooled_axes = [front.index("trial")] if "trial" in front else []
    other_values, _ = values_last(y_aligned, "time")
    f_Hz, coherence_values = _compute_coherence(
        zero_constants(values), zero_constants(other_values), dt_ms, segment_ms, tuple(pooled_axes)
    )
    dims_without_trial = tuple(dim for dim in front if dim != "trial")
    return xr.DataArray(
        coherence_values,
        {**take_coords(x_aligned, dims_without_trial), "frequency": f_Hz},
        (*dims_without_trial, "frequency"),
        "coherence",
    )


def _compute_all_pairs(
    x: xr.DataArray, dt_ms: float, segment_ms: float, where: str
) -> xr.DataArray:
    """Coherence of all pairs of rows, (..., row, other, frequency).

    Raises: JtfneError for an array without rows.
    """
    row_dim = next((dim for dim in ("channel", "neuron") if dim in x.dims), None)
    if row_dim is None:
        raise refuse(
            f"an array of dims {tuple(map(str, x.dims))} alone",
            "one with channel or neuron, or other=",
            where,
        )
    values, front = values_last(x, row_dim, "time")
    values = zero_constants(values)
    pooled_axes = tuple(front.index(dim) for dim in front if dim == "trial")
    rows = []
    # one row with all others at a time keeps the cross-spectra small
    for k in range(x.sizes[row_dim]):
        row = values[..., k : k + 1, :]
        f_Hz, row_coherence = _compute_coherence(row, values, dt_ms, segment_ms, pooled_axes)
        rows.append(row_coherence)
    dims_without_trial = tuple(dim for dim in front if dim != "trial")
    coords = {**take_coords(x, (*dims_without_trial, row_dim)), "frequency": f_Hz}
    coords["other"] = x[row_dim].values if row_dim in x.coords else np.arange(len(rows))
    return xr.DataArray(
        np.stack(rows, axis=-3),
        coords,
        (*dims_without_trial, row_dim, "other", "frequency"),
        "coherence",
    )


def _compute_coherence(
    x: Floats, y: Floats, dt_ms: float, segment_ms: float, pooled_axes: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """Frequencies (n_freq,) and coherence (..., n_freq) of signals (..., n_steps).

    NaN for a pair of which one is 0 at all times of all that is pooled.
    """
    f_Hz, values = kernel(measures.spectrum.coherence, x, y, dt_ms, segment_ms, pooled_axes)
    x_is_zero, y_is_zero = np.broadcast_arrays(
        (x == 0.0).all(axis=-1, keepdims=True), (y == 0.0).all(axis=-1, keepdims=True)
    )
    is_undefined = x_is_zero.all(axis=pooled_axes) | y_is_zero.all(axis=pooled_axes)
    return f_Hz, np.where(is_undefined, np.nan, values)


def _broadcast_together(
    x: xr.DataArray, y: xr.DataArray, where: str
) -> tuple[xr.DataArray, xr.DataArray]:
    """Both arrays broadcast to all dims of both.

    Raises: JtfneError unless their times are the same.
    """
    if not isinstance(y, xr.DataArray):
        raise refuse(f"other of type {type(y).__name__}", "an xarray.DataArray", where)
    y, step_ms = over_time(y, "", where)
    if y.sizes["time"] != x.sizes["time"] or np.any(
        np.abs(y["time"].values - x["time"].values) > TOLERANCE * step_ms
    ):
        raise refuse("two arrays of other times", "the same times", where)
    try:
        x_aligned, y_aligned = xr.broadcast(
            *xr.align(x, y.assign_coords(time=x["time"].values), join="exact")
        )
    except ValueError as error:
        raise JtfneError(f"two arrays that do not go together: {error} (in {where})") from error
    return x_aligned, y_aligned.transpose(*x_aligned.dims)


@names_arguments
def phase_amplitude_coupling(
    data: Data,
    other: xr.DataArray | None = None,
    *,
    phase_Hz: Band = THETA_Hz,
    amplitude_Hz: Band = GAMMA_Hz,
    n_bins: int = N_BINS,
    readout: str = "lfp_proxy",
) -> xr.DataArray:
    """Tort's modulation index: how the amplitude in one band depends on the phase of a slower one.

    0 is an amplitude that is the same at all phases, 1 one in one of `n_bins` alone. Chance gives
    more than 0: compare with phase and amplitude of different trials. Bands are cut off sharply in
    the trace, which counts as periodic.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array with evenly spaced ``time`` in ms. It gives the phase.
    other : DataArray, optional
        What gives the amplitude, on the same times; `data` itself if left out.
    phase_Hz, amplitude_Hz : (float, float)
        The second must be twice as wide as the first is high: that is where its sidebands lie.
    n_bins, readout
        Bins of phase, 3 to 360 and no more than there are samples; which readout of a run.

    Returns
    -------
    DataArray
        As `data` (and `other`) without time; NaN where one of the two never varies, or a bin of
        phase holds no sample.

    Raises
    ------
    JtfneError
        Without an even time axis, for bands that do not fit the data or each other, and fewer than
        3 bins.

    References
    ----------
    .. [1] Tort et al. (2010), J. Neurophysiol. 104:1195-1210; width: Aru et al. (2015), Curr. Opin.
       Neurobiol. 31:51.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> t_s = np.arange(4000) * 1e-3
    >>> theta = np.cos(2 * np.pi * 6 * t_s)
    >>> x = xr.DataArray(theta + 0.2 * (1 + theta) * np.cos(2 * np.pi * 60 * t_s), {"time": 1e3 * t_s}, "time")
    >>> phase_amplitude_coupling(x).round(3).item()
    0.105
    """
    where = "analysis.phase_amplitude_coupling"
    x, dt_ms = over_time(data, readout, where)
    max_bins = max(3, min(MOST_BINS, x.sizes["time"]))
    n_bins = whole_number(n_bins, Limit(3, max_bins), name="n_bins", where=where)
    phase_band = pair(phase_Hz, name="phase_Hz", where=where, unit="Hz")
    amplitude_band = pair(amplitude_Hz, name="amplitude_Hz", where=where, unit="Hz")
    return _compute_modulation(x, other, dt_ms, phase_band, amplitude_band, n_bins, where)


def _compute_modulation(
    x: xr.DataArray,
    other: xr.DataArray | None,
    dt_ms: float,
    phase_Hz: Band,
    amplitude_Hz: Band,
    n_bins: int,
    where: str,
) -> xr.DataArray:
    """The modulation index of the amplitude of `other`, or of `x` itself, by the phase of `x`.

    Raises: JtfneError where their dims or times do not match, and as `measures.coupling`.
    """
    phase_signal, amplitude_signal = (
        (x, x) if other is None else _broadcast_together(x, other, where)
    )
    phase_values, front = values_last(phase_signal, "time")
    amplitude_values, _ = values_last(amplitude_signal, "time")
    phase_values, amplitude_values = zero_constants(phase_values), zero_constants(amplitude_values)
    index = kernel(
        measures.coupling.phase_amplitude,
        phase_values,
        amplitude_values,
        dt_ms,
        phase_Hz,
        amplitude_Hz,
        n_bins,
        where=where,
    )
    attrs = {"units": "1", "long_name": "modulation index", "n_bins": n_bins}
    return xr.DataArray(
        index, take_coords(phase_signal, front), front, "phase_amplitude_coupling", attrs
    )
