"""Current source density of laminar potentials, simulated and recorded alike."""

import numpy as np
import xarray as xr

from jtfne import measures
from jtfne._check import POSITIVE, describe_value, names_arguments, refuse
from jtfne._units import Floats, M_PER_mm
from jtfne.analysis._inputs import (
    Data,
    array,
    check_form,
    check_values,
    downward,
    kernel,
    values_last,
)
from jtfne.measures.csd import Method, SecondDifference, Smoothed

VOLTS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "µV": 1e-6}
CORTEX_S_M = measures.csd.CORTEX_S_M
KEPT = ("onset_ms", "provenance", "interval_ms", "proxy")
WHERE = "analysis.csd"
STANDARD = SecondDifference()
ABOUT = {"long_name": "current source density, sinks negative", "readout": "csd"}


@names_arguments
def csd(lfp: Data, method: Method = STANDARD, *, sigma_S_m: float = CORTEX_S_M) -> xr.DataArray:
    """Current source density along a laminar probe; sinks are negative.

    Parameters
    ----------
    lfp : Signals or DataArray
        A run with ``lfp_proxy``, or an array with a dimension ``channel`` and its coordinate
        ``z_mm``; any other dimensions. A potential in V, mV or uV (``attrs["units"]``) gives A/m^3;
        anything else is a proxy, which only the second difference takes, and gives a.u. per
        spacing^2.
    method : SecondDifference, DeltaICSD, StepICSD, SplineICSD, KernelCSD or Smoothed
        The estimator; by default minus the second difference at the inner contacts. All but
        ``KernelCSD`` need even depths; ``KernelCSD`` chooses its width and ridge by these data, if
        several are given.
    sigma_S_m : float
        Conductivity, used for potentials only.

    Returns
    -------
    xarray.DataArray
        As `lfp`, ordered by depth, at the places of the estimates: contacts, or the method's own
        grid, whose channels have no names. ``attrs["method"]`` tells the method, with what it has
        chosen.

    Raises
    ------
    JtfneError
        For channels without fit depths, fewer than 3, values that are not finite, or a proxy with
        another method than the second difference.

    Notes
    -----
    Sources are taken not to vary across the cortical plane [1]_, or to fill a cylinder about the
    probe [2]_, [3]_.

    References
    ----------
    .. [1] Nicholson & Freeman (1975), J. Neurophysiol. 38:356-368.
    .. [2] Pettersen et al. (2006), J. Neurosci. Methods 154:116-133.
    .. [3] Potworowski et al. (2012), Neural Comput. 24:541-575.

    Examples
    --------
    >>> import xarray as xr
    >>> depths = {"z_mm": ("channel", [0.1, 0.2, 0.3, 0.4, 0.5])}
    >>> lfp = xr.DataArray([0.0, 1.0, 0.0, -1.0, 0.0], depths, "channel", attrs={"units": "mV"})
    >>> density = csd(lfp)
    >>> density.values.round().tolist(), density.attrs["units"]
    ([60000.0, 0.0, -60000.0], 'A/m^3')
    >>> from jtfne.measures.icsd import DeltaICSD
    >>> csd(lfp, DeltaICSD(diameter_mm=0.5)).values.round()[:2].tolist()
    [-27874.0, 63114.0]
    """
    if not POSITIVE.holds(sigma_S_m):
        raise refuse(f"sigma_S_m={describe_value(sigma_S_m)}", "a conductivity above 0", WHERE)
    sigma_S_m = float(sigma_S_m)
    measures.csd.check_method(method, name="method", where=WHERE)
    lfp = array(lfp, "lfp_proxy", WHERE)
    check_form(lfp, WHERE, "channel")
    _refuse_gaps(downward(lfp, WHERE))
    lfp = check_values(lfp, WHERE)
    scale = _volts_per_unit(lfp, method)
    density, method = _estimate(downward(lfp, WHERE), method, scale, sigma_S_m)
    density = density.transpose(*lfp.dims).rename("csd")
    density.attrs = {key: lfp.attrs[key] for key in KEPT if key in lfp.attrs}
    unit_attrs = {"units": "a.u."} if scale is None else {"units": "A/m^3", "sigma_S_m": sigma_S_m}
    return density.assign_attrs(ABOUT, method=repr(method), **unit_attrs)


def _estimate(
    ordered: xr.DataArray, method: Method, scale: float | None, sigma_S_m: float
) -> tuple[xr.DataArray, Method]:
    """The density at the depths where the method estimates it, and the method as fitted.

    Without a scale the density is per squared spacing of the channels, in the unit of the
    potentials.
    """
    values, front = values_last(ordered, "channel")
    z_mm = np.asarray(ordered["z_mm"].values, np.float64)
    values = values if scale is None else values * scale
    method = method.fitted(values, z_mm)
    places_mm = method.places_mm(z_mm)
    per_spacing = ((z_mm[-1] - z_mm[0]) / (z_mm.size - 1) * M_PER_mm) ** 2
    density = kernel(
        measures.csd.estimate, values, z_mm, method, per_spacing if scale is None else sigma_S_m
    )
    return _move_channels(ordered.transpose(*front, "channel"), z_mm, places_mm).copy(
        data=density
    ), method


def _volts_per_unit(lfp: xr.DataArray, method: Method) -> float | None:
    """Volts per unit of `lfp`; None for a proxy.

    Raises: JtfneError for a proxy where the method needs a potential.
    """
    units = str(lfp.attrs.get("units", "a.u."))
    scale = VOLTS.get(units)
    inner_method = method
    while isinstance(inner_method, Smoothed):
        inner_method = inner_method.method
    if not isinstance(inner_method, SecondDifference) and (scale is None or lfp.attrs.get("proxy")):
        description = f"a proxy, {units}, with {type(inner_method).__name__}"
        raise refuse(
            description,
            "a potential with attrs['units'] of V, mV or uV, or SecondDifference()",
            WHERE,
        )
    return scale


def _refuse_gaps(ordered: xr.DataArray) -> None:
    """Raises: JtfneError for values that are not finite, naming the first channel by depth."""
    values, _ = values_last(ordered, "channel")
    gaps = np.flatnonzero(~np.isfinite(values.reshape(-1, values.shape[-1])).all(axis=0))
    if gaps.size:
        first_mm, n_channels = ordered["z_mm"].values[gaps[0]], values.shape[-1]
        description = (
            f"{gaps.size} of {n_channels} channels with values that are not finite, the first at "
            f"{first_mm:g} mm,"
        )
        raise refuse(
            description, "finite values; KernelCSD() does without a channel that is dropped", WHERE
        )


def _move_channels(ordered: xr.DataArray, z_mm: Floats, places_mm: Floats) -> xr.DataArray:
    """A template of `ordered` at the depths `places_mm`, for its values to be replaced.

    Where all depths are those of channels, these keep their names; otherwise names are dropped.
    """
    rows = np.flatnonzero(np.isin(z_mm, places_mm))
    if rows.size == places_mm.size:
        return ordered.isel(channel=rows)
    nearest = np.abs(z_mm[:, None] - places_mm).argmin(axis=0)
    channel_coords = [name for name, coord in ordered.coords.items() if "channel" in coord.dims]
    depth_attrs = ordered["z_mm"].attrs
    return (
        ordered.isel(channel=nearest)
        .drop_vars(channel_coords)
        .assign_coords(z_mm=("channel", places_mm, depth_attrs))
    )
