"""Power spectra of anything with a time axis."""

import numpy as np
import xarray as xr

from jtfne import measures
from jtfne._check import refuse
from jtfne._precision import precision
from jtfne.analysis._axes import has, time_step_ms

SEGMENT_MS = measures.spectrum.SEGMENT_MS


def psd(x: xr.DataArray, segment_ms: float = SEGMENT_MS) -> xr.DataArray:
    """Welch's power spectral density over time: Hann windows that overlap by half, means removed.

    Parameters
    ----------
    x : xarray.DataArray
        With evenly spaced ``time`` in ms; any other dimensions.
    segment_ms : float
        Length of a segment (the whole trace where that is shorter); 1000 ms resolve 1 Hz.

    Returns
    -------
    xarray.DataArray
        As `x`, with ``frequency`` (Hz) as the last dimension instead of ``time``; units of `x` squared per Hz.

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
    >>> float(power.frequency[power.argmax()])
    40.0
    """
    dt_ms = time_step_ms(x, "analysis.psd")
    if not np.isfinite(segment_ms) or round(segment_ms / dt_ms) < 2:
        raise refuse(f"segment_ms={segment_ms!r}", f"{2 * dt_ms:g} ms (2 samples) or more", "analysis.psd")
    last = x.transpose(..., "time")
    with precision("float64"):
        f_Hz, power = map(np.asarray, measures.spectrum.psd(last.values.astype(np.float64), dt_ms, segment_ms))
    dims = [*(str(dim) for dim in last.dims if dim != "time"), "frequency"]
    coords = {name: coord for name, coord in last.coords.items() if "time" not in coord.dims}
    units = str(x.attrs.get("units", "a.u."))
    kept = {key: x.attrs[key] for key in ("proxy", "provenance", "readout") if key in x.attrs}
    about = {**kept, "units": f"({units})^2/Hz", "long_name": "power spectral density"}
    found = xr.DataArray(power, {**coords, "frequency": f_Hz}, dims, "psd", about)
    found["frequency"].attrs["units"] = "Hz"
    return found


def band_power(power: xr.DataArray, low_Hz: float, high_Hz: float) -> xr.DataArray:
    """Power between two frequencies, ends included: the sum over those bins times their width.

    Parameters
    ----------
    power : xarray.DataArray
        From `psd`.
    low_Hz, high_Hz : float
        The band.

    Returns
    -------
    xarray.DataArray
        As `power`, without ``frequency``; units of the signal squared.

    Raises
    ------
    JtfneError
        If there is no frequency in the band.
    """
    has(power, "frequency", "analysis.band_power")
    f_Hz = power["frequency"].values
    if not np.any((f_Hz >= low_Hz) & (f_Hz <= high_Hz)):
        allowed = f"a band that holds some of {f_Hz[0]:g} to {f_Hz[-1]:g} Hz"
        raise refuse(f"the band {low_Hz:g} to {high_Hz:g} Hz", allowed, "analysis.band_power")
    last = power.transpose(..., "frequency")
    with precision("float64"):
        found = np.asarray(measures.spectrum.band_power(last.values, f_Hz, low_Hz, high_Hz))
    about = {**power.attrs, "units": str(power.attrs.get("units", "a.u.")).removesuffix("/Hz"), "long_name": "band power"}
    return last.isel(frequency=0, drop=True).copy(data=found).assign_attrs(about).rename("band_power")
