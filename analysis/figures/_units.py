"""Units as figures show them: SI quantities with the prefix that suits their size; one unit a figure."""

import numpy as np
import xarray as xr

from jtfne._check import one_of, refuse
from jtfne._mne_units import MEG_TYPES

PREFIXED: dict[str, tuple[tuple[str, float], ...]] = {
    "V": (("mV", 1e3), ("µV", 1e6), ("nV", 1e9)),
    "A/m^3": (("µA/mm³", 1e-3), ("nA/mm³", 1.0)),
    "A m": (("nA m", 1e9), ("pA m", 1e12)),
    "T": (("pT", 1e12), ("fT", 1e15)),
    "T/m": (("pT/cm", 1e10), ("fT/cm", 1e13)),
}
"""SI unit -> what figures write instead, the largest first, and the factor to it."""

SENSORS = {"mag": "magnetometers", "grad": "gradiometers"}


def choose_prefix(units: str, largest: float) -> tuple[str, float]:
    """The unit to draw in, and the factor to it: the first in which `largest` is 1 or more.

    largest: the largest size of all that a figure shows. The last where none is; units that are
    not in `PREFIXED` stay.
    """
    choices = PREFIXED.get(units, ((units, 1.0),))
    for unit, factor in choices:
        if factor * largest >= 1.0:
            return unit, factor
    return choices[-1]


def scale_units(data: xr.DataArray, unit: str, factor: float) -> xr.DataArray:
    """`data` times `factor`, which are then in `unit`."""
    if factor == 1.0 and unit == data.attrs.get("units"):
        return data
    return (factor * data).assign_attrs({**data.attrs, "units": unit})


def with_prefix(data: xr.DataArray) -> xr.DataArray:
    """`data` in the unit that suits its largest size."""
    units = str(data.attrs.get("units", "a.u."))
    return scale_units(data, *choose_prefix(units, float(np.abs(data.values).max(initial=0.0))))


def list_units(data: xr.DataArray) -> list[str]:
    """The units of the channels of `data`, T before T/m; none where all have one."""
    if "unit" not in data.coords or data["unit"].dims != ("channel",):
        return []
    return sorted({str(unit) for unit in data["unit"].values})


def one_unit(data: xr.DataArray, unit: str | None, where: str) -> xr.DataArray:
    """The channels of `data` of one unit, the first by default: MEG in T before that in T/m.

    Raises: JtfneError if there is no such unit.
    """
    units = list_units(data)
    if not units:
        if unit is not None:
            raise refuse(f"unit={unit!r} for channels of one unit", "no unit", where)
        return data
    chosen_unit = units[0] if unit is None else one_of(unit, units, name="unit", where=where)
    channels = np.flatnonzero(data["unit"].values.astype(str) == chosen_unit)
    _, squared, rest = str(data.attrs.get("units", "")).rpartition(")^2")
    attrs = {**data.attrs, "units": f"({chosen_unit})^2{rest}" if squared else chosen_unit}
    kind = SENSORS.get(MEG_TYPES.get(chosen_unit, ""))
    if len(units) > 1 and kind is not None:
        attrs["sensors"] = kind
    return data.isel(channel=channels).assign_attrs(attrs)
