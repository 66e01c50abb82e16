"""Current source density of laminar potentials, simulated and recorded alike."""

import xarray as xr

from jtfne import measures
from jtfne._check import refuse
from jtfne.analysis._inputs import Data, array, by_depth, kernel, values_last

VOLTS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "µV": 1e-6}
CORTEX_S_M = measures.csd.CORTEX_S_M


def csd(lfp: Data, sigma_S_m: float = CORTEX_S_M) -> xr.DataArray:
    """Standard current source density at the inner contacts: minus the second difference over depth.

    Parameters
    ----------
    lfp : Signals or DataArray
        A run with ``lfp_proxy``, or an array with a dimension ``channel`` and its coordinate ``z_mm``, evenly spaced;
        any other dimensions. A potential in V, mV or uV (``attrs["units"]``) gives A/m^3; anything else is a proxy
        and gives a.u. per spacing^2.
    sigma_S_m : float
        Conductivity, used for potentials only.

    Returns
    -------
    xarray.DataArray
        As `lfp`, without the first and the last contact, ordered by depth; sinks are negative.

    Raises
    ------
    JtfneError
        For channels without even depths, or fewer than 3.

    Notes
    -----
    Sources are taken not to vary across the cortical plane [1]_.

    References
    ----------
    .. [1] Nicholson & Freeman (1975), J. Neurophysiol. 38:356-368.

    Examples
    --------
    >>> import xarray as xr
    >>> depths = {"z_mm": ("channel", [0.1, 0.2, 0.3, 0.4, 0.5])}
    >>> lfp = xr.DataArray([0.0, 1.0, 0.0, -1.0, 0.0], depths, "channel", attrs={"units": "mV"})
    >>> density = csd(lfp)
    >>> density.values.round().tolist(), density.attrs["units"]
    ([60000.0, 0.0, -60000.0], 'A/m^3')
    """
    where = "analysis.csd"
    if not sigma_S_m > 0.0:
        raise refuse(f"sigma_S_m={sigma_S_m!r}", "a conductivity above 0", where)
    lfp = array(lfp, "lfp_proxy", where)
    ordered, spacing_mm = by_depth(lfp, where)
    units = str(lfp.attrs.get("units", "a.u."))
    scale = VOLTS.get(units)
    values, front = values_last(ordered, "channel")
    values = values if scale is None else values * scale
    found = kernel(measures.csd.csd, values, spacing_mm, None if scale is None else sigma_S_m)
    inner = ordered.transpose(*front, "channel").isel(channel=slice(1, -1)).copy(data=found).transpose(*lfp.dims)
    inner.name = "csd"
    inner.attrs = {
        **{key: lfp.attrs[key] for key in ("onset_ms", "provenance", "interval_ms", "proxy") if key in lfp.attrs},
        "units": "a.u." if scale is None else "A/m^3",
        "long_name": "current source density, sinks negative",
        "readout": "csd",
        **({} if scale is None else {"sigma_S_m": sigma_S_m}),
    }
    return inner
