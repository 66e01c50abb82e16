"""Recorded curves as plain numbers with their coordinates, as targets of metrics."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from jtfne import _time
from jtfne._check import describe_value, refuse
from jtfne._mne_units import find_mne_unit
from jtfne._time import sample_ends_ms
from jtfne.pydantic_fields.errors import HERE, refuse_duplicates
from jtfne.pydantic_fields.field_types import Label, Name, Number, freeze, plain
from jtfne.pydantic_fields.frozen import Frozen

COORDS = ("time", "frequency", "channel", "z_mm")
CHANNEL_TYPES = ("eeg", "seeg", "ecog", "dbs", "mag", "grad", "misc")
Points = Annotated[tuple[Number | Name, ...], Field(min_length=1)]


class Curve(Frozen):
    """Numbers over a grid, such as a spectrum, an evoked response or a map over sensors.

    In Python a list, an array of one dimension, an xarray.DataArray or an mne.Evoked is taken for
    it.

    Parameters
    ----------
    values : sequence of float
        One for each point, the last dimension fastest.
    dims : sequence of str
        ``time`` (ms from the onset; that of a DataArray is read in ``time.attrs["units"]``),
        ``frequency`` (Hz), ``channel`` or ``z_mm``; none for a bare list.
    coords : dict
        The points of each dimension; ``z_mm`` may lie on ``channel``.
    units : str
        Unit of the values; empty for that of the measure.

    Examples
    --------
    >>> Curve(values=[3.0, 1.0], dims=["frequency"], coords={"frequency": [10.0, 20.0]}, units="(V)^2/Hz").shape
    (2,)
    """

    kind: Literal["Curve"] = "Curve"
    values: Annotated[tuple[Number, ...], Field(min_length=1)]
    dims: tuple[Name, ...] = ()
    coords: Annotated[dict[str, Points], freeze] = Field(default={}, validate_default=True)
    units: Label = ""

    @model_validator(mode="after")
    def _check_grid(self) -> "Curve":
        """Refuse dimensions without points, points that do not rise, a wrong number of values."""
        refuse_duplicates(self.dims, name="dims")
        for name in (*self.dims, *self.coords):
            if name not in COORDS:
                raise refuse(
                    f"a curve over {describe_value(name)}", ", ".join(map(repr, COORDS)), HERE
                )
        for name in self.dims:
            if name not in self.coords:
                description = f"a curve over {name!r} without its points"
                raise refuse(description, f"coords with {name!r}", HERE)
        for name in self.coords:
            is_depth = name == "z_mm" and "channel" in self.dims
            if name not in self.dims and not is_depth:
                description = f"coords of {describe_value(name)}, which is no dimension,"
                raise refuse(description, "those of dims, and z_mm of channel", HERE)
        if self.dims and len(self.values) != int(np.prod(self.shape)):
            description = (
                f"{len(self.values)} values over {' x '.join(map(str, self.shape))} points"
            )
            raise refuse(description, "a value for each point", HERE)
        depths, channels = self.coords.get("z_mm", ()), self.coords.get("channel", ())
        if depths and channels and len(depths) != len(channels):
            raise refuse(
                f"{len(depths)} z_mm and {len(channels)} channels", "a depth for each", HERE
            )
        for name, points in self.coords.items():
            if name == "channel":
                continue
            if any(isinstance(point, str) for point in points):
                raise refuse(f"{name} with names", "numbers", HERE)
            if name in self.dims and not np.all(np.diff(np.array(points, np.float64)) > 0):
                raise refuse(f"{name} that does not rise", "rising numbers", HERE)
        refuse_duplicates(tuple(map(str, channels)), name="channel")
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of points along each dimension."""
        return tuple(len(self.coords[name]) for name in self.dims) or (len(self.values),)


def as_curve(data: Any) -> Any:
    """Convert lists, arrays and responses to the table of a Curve; return anything else unchanged.

    Raises: JtfneError for arrays and responses that are no curve.
    """
    if hasattr(data, "dims") and hasattr(data, "coords") and hasattr(data, "attrs"):
        return _from_array(data)
    if hasattr(data, "info") and hasattr(data, "times") and hasattr(data, "get_channel_types"):
        return _from_evoked(data)
    data = plain(data)
    if isinstance(data, list | tuple) and not any(
        isinstance(entry, list | tuple | Mapping | str) for entry in data
    ):
        return {"kind": "Curve", "values": tuple(data)}
    if isinstance(data, list | tuple):
        raise refuse(
            "a list of lists", "numbers, or an xarray.DataArray with its coordinates", HERE
        )
    return data


def _from_array(data: Any) -> dict[str, Any]:
    """The table of a Curve from a DataArray; other dimensions of length 1 are dropped."""
    coords: dict[str, Any] = {}
    other_dims = [dim for dim in data.dims if dim not in COORDS]
    array = data.squeeze([dim for dim in other_dims if data.sizes[dim] == 1], drop=True)
    extra_dims = [str(dim) for dim in other_dims if dim in array.dims]
    if extra_dims:
        raise refuse(
            f"an array over {', '.join(extra_dims)}",
            f"one over {', '.join(COORDS)}: average or select first",
            HERE,
        )
    has_depths = "z_mm" in array.coords and array["z_mm"].dims == ("channel",)
    if has_depths and "channel" not in array.coords:  # contacts without names: known by their depth
        array = array.swap_dims(channel="z_mm").sortby("z_mm")
    elif has_depths:
        coords["z_mm"] = plain(array["z_mm"].values)
    dims = tuple(str(dim) for dim in array.dims)
    coords |= {name: plain(array[name].values) for name in dims if name in array.coords}
    if "time" in coords:
        axis = array["time"]
        _time.refuse_seconds(axis.values, axis.attrs.get("units"), where=HERE)
        coords["time"] = _time.times_to_ms(
            axis.values, axis.attrs.get("units"), where=HERE
        ).tolist()
    values = np.asarray(array.values, np.float64).ravel().tolist()
    units = str(data.attrs.get("units", ""))
    return {"kind": "Curve", "values": values, "dims": dims, "coords": coords, "units": units}


def _from_evoked(evoked: Any) -> dict[str, Any]:
    """The table of a Curve from an mne.Evoked: channels of one type, SI units, no bad channels."""
    kinds = dict(zip(evoked.ch_names, evoked.get_channel_types(), strict=True))
    names, rows = [], []
    for row, name in enumerate(evoked.ch_names):
        if kinds[name] in CHANNEL_TYPES and name not in evoked.info["bads"]:
            names.append(name)
            rows.append(row)
    kinds_present = sorted({kinds[name] for name in names})
    if len(kinds_present) != 1:
        description = f"an Evoked with data channels of types {', '.join(kinds_present) or 'none'}"
        raise refuse(
            description,
            f"channels of one type, of {', '.join(CHANNEL_TYPES)}: evoked.copy().pick(...)",
            HERE,
        )
    values = np.asarray(evoked.data, np.float64)[rows].ravel().tolist()
    times_ms = sample_ends_ms(evoked.times, float(evoked.info["sfreq"]))
    coords = {"channel": names, "time": times_ms.tolist()}
    return {
        "kind": "Curve",
        "values": values,
        "dims": ("channel", "time"),
        "coords": coords,
        "units": find_mne_unit(kinds_present[0]),
    }
