"""Power spectra of anything with a time axis."""

from collections.abc import Hashable

import xarray as xr

from jtfne import measures
from jtfne._check import NOT_NEGATIVE, POSITIVE, describe_value, names_arguments, number, refuse
from jtfne._units import Floats
from jtfne.analysis._inputs import (
    Data,
    TIME_ms,
    check_band,
    even_step,
    kernel,
    over_frequency,
    over_time,
    take_coords,
    values_last,
    zero_constants,
)

SEGMENT_ms = measures.spectrum.SEGMENT_ms
HALF_BAND_Hz = measures.spectrum.HALF_BAND_Hz


@names_arguments
def psd(data: Data, segment_ms: float = SEGMENT_ms, readout: str = "lfp_proxy") -> xr.DataArray:
    """Welch's power spectral density over time: Hann windows that overlap by half, means removed.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array with evenly spaced ``time`` in ms; any other dimensions.
    segment_ms : float
        Length of a segment (the whole trace where that is shorter); 1000 ms resolve 1 Hz.
    readout : str
        Which readout of a run.

    Returns
    -------
    xarray.DataArray
        As `data`, with ``frequency`` (Hz) as the last dimension instead of ``time``; its units
        squared per Hz. 0 throughout for what never varies.

    Raises
    ------
    JtfneError
        Without an even time axis, or for segments of fewer than 2 samples.

    References
    ----------
    .. [1] Welch (1967), IEEE Trans. Audio Electroacoust. 15:70-73.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> t_ms = np.arange(1, 2001.0)
    >>> power = psd(xr.DataArray(np.sin(2 * np.pi * 0.04 * t_ms), {"time": t_ms}, "time"))
    >>> float(power["frequency"][power.argmax("frequency")])
    40.0
    """
    where = "analysis.psd"
    x, dt_ms = over_time(data, readout, where)
    segment_ms = check_segment(segment_ms, dt_ms, where)
    values, front = values_last(x, "time")
    values = zero_constants(values)
    return _label_power(x, front, *kernel(measures.spectrum.psd, values, dt_ms, segment_ms))


@names_arguments
def multitaper(
    data: Data, half_band_Hz: float = HALF_BAND_Hz, readout: str = "lfp_proxy"
) -> xr.DataArray:
    """Thomson's multitaper power spectral density of the whole trace, by Slepian tapers.

    Parameters
    ----------
    data : Signals or DataArray
        As in `psd`.
    half_band_Hz : float
        Power is smeared over plus and minus this; 2 x duration x it - 1 tapers fit, and steady the
        estimate.
    readout : str
        Which readout of a run.

    Returns
    -------
    xarray.DataArray
        As `psd`, at the frequencies of the whole trace.

    Raises
    ------
    JtfneError
        Without an even time axis, or where no taper fits the trace.

    References
    ----------
    .. [1] Thomson (1982), Proc. IEEE 70:1055-1096.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> t_ms = np.arange(1, 2001.0)
    >>> power = multitaper(xr.DataArray(np.sin(2 * np.pi * 0.04 * t_ms), {"time": t_ms}, "time"))
    >>> abs(float(power["frequency"][power.argmax("frequency")]) - 40.0) <= 2.0
    True
    """
    where = "analysis.multitaper"
    half_band_Hz = number(half_band_Hz, POSITIVE, name="half_band_Hz", where=where)
    x, dt_ms = over_time(data, readout, where)
    values, front = values_last(x, "time")
    values = zero_constants(values)
    return _label_power(
        x, front, *kernel(measures.spectrum.multitaper, values, dt_ms, half_band_Hz)
    )


def check_segment(segment_ms: float, dt_ms: float, where: str) -> float:
    """`segment_ms` as a float. Raises: JtfneError for segments of fewer than 2 samples."""
    segment_ms = number(segment_ms, TIME_ms, name="segment_ms", where=where)
    if round(segment_ms / dt_ms) < 2:
        raise refuse(
            f"segment_ms={describe_value(segment_ms)} of samples {dt_ms:g} ms apart",
            "2 samples or more",
            where,
        )
    return segment_ms


def _label_power(
    x: xr.DataArray, front: tuple[Hashable, ...], f_Hz: Floats, power: Floats
) -> xr.DataArray:
    """Power (..., frequency) with the coordinates of `x` and its unit squared per Hz."""
    units = str(x.attrs.get("units", "a.u."))
    inherited_attrs = {
        key: x.attrs[key] for key in ("proxy", "provenance", "readout") if key in x.attrs
    }
    attrs = {**inherited_attrs, "units": f"({units})^2/Hz", "long_name": "power spectral density"}
    coords = {**take_coords(x, front), "frequency": f_Hz}
    spectrum = xr.DataArray(power, coords, (*front, "frequency"), "psd", attrs)
    spectrum["frequency"].attrs["units"] = "Hz"
    return spectrum


@names_arguments
def band_power(power: xr.DataArray, low_Hz: float, high_Hz: float) -> xr.DataArray:
    """Power from `low_Hz` up to but without `high_Hz`: the sum over those bins times their width.

    A frequency on an edge belongs to the band above it, so that the powers of bands that follow
    each other, such as 4 to 8 and 8 to 12 Hz, sum to that of 4 to 12 Hz. The last frequency counts
    in bands that reach beyond it, as they may by one spacing of the frequencies.

    Parameters
    ----------
    power : xarray.DataArray
        From `psd` or `multitaper`.
    low_Hz, high_Hz : float
        The band, Hz.

    Returns
    -------
    xarray.DataArray
        As `power`, without ``frequency``; units of the signal squared.

    Raises
    ------
    JtfneError
        If there is no frequency in the band, it ends beyond those of the spectrum (as beyond the
        Nyquist frequency), or power is not finite or below 0.

    Examples
    --------
    >>> import xarray as xr
    >>> power = xr.DataArray([1.0, 2.0, 3.0, 4.0], {"frequency": [0.0, 10.0, 20.0, 30.0]}, "frequency")
    >>> band_power(power, 10, 20).item(), band_power(power, 20, 31).item(), band_power(power, 10, 31).item()
    (20.0, 70.0, 90.0)
    """
    where = "analysis.band_power"
    power, f_Hz = over_frequency(power, where)
    even_step(power, "frequency", where)
    low_Hz = number(low_Hz, NOT_NEGATIVE, name="low_Hz", where=where)
    high_Hz = number(high_Hz, POSITIVE, name="high_Hz", where=where)
    check_band(low_Hz, high_Hz, f_Hz, where)
    if not measures.spectrum.in_band(f_Hz, low_Hz, high_Hz).any():
        allowed = f"a band that holds some of {f_Hz[0]:g} to {f_Hz[-1]:g} Hz"
        raise refuse(f"the band {low_Hz:g} to {high_Hz:g} Hz", allowed, where)
    values, front = values_last(power, "frequency")
    sums = kernel(measures.spectrum.band_power, values, f_Hz, low_Hz, high_Hz)
    units = str(power.attrs.get("units", "a.u.")).removesuffix("/Hz")
    attrs = {**power.attrs, "units": units, "long_name": "band power"}
    return xr.DataArray(sums, take_coords(power, front), front, "band_power", attrs)
