"""A recording by name, by file or in memory, checked, with what the caller knows of it."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._check import FINITE, check_name, describe_value, number, refuse
from jtfne.recordings._axes import check_row, even_step, in_ms, need
from jtfne.recordings._formats import NAMED, SPIKES, SUFFIXES, read_file
from jtfne.recordings._mne import from_raw, is_mne
from jtfne.recordings._si_units import spell_unit

if TYPE_CHECKING:
    import xarray as xr

WHERE = "analysis.load_recording"
COORDINATES = ("trial", "time", "channel", "z_mm")


def load_recording(
    source: Any,
    *,
    readout: str = "lfp",
    z_mm: Sequence[float] | None = None,
    onset_ms: float | None = None,
    units: str | None = None,
    label: str | Sequence[str] | None = None,
) -> "xr.DataArray":
    """A recording by name, from a file or from memory, as `analysis.load_recording` has it."""
    import xarray as xr

    _check_arguments(source, readout, units)
    if onset_ms is not None:
        onset_ms = number(onset_ms, FINITE, name="onset_ms", where=WHERE)
    settings = {"z_mm": z_mm, "onset_ms": onset_ms, "units": units, "label": label}
    if isinstance(source, str) and source in NAMED:
        _refuse_settings(settings, f"{source!r}", "its name alone, since it says all of this")
        return NAMED[source](readout)
    if isinstance(source, str | os.PathLike):
        recording = read_file(source, readout, label, WHERE)
    elif isinstance(source, xr.DataArray):
        _refuse_settings({"label": label}, "a DataArray", "a part of the array: its isel or sel")
        recording = source
    elif readout == SPIKES:
        raise refuse(f"spikes of a {type(source).__name__}", "interop.from_spikes(table)", WHERE)
    else:
        recording = from_raw(source, readout, label=label)
    if readout == SPIKES:
        _refuse_settings(settings, "spikes", "spikes without them")
        return recording
    return describe_recording(recording, readout, z_mm, onset_ms, units)


def is_recording(source: Any) -> bool:
    """Whether `source` is a recording of MNE in memory, or a text or path that may name one."""
    return isinstance(source, str | os.PathLike) or is_mne(source)


def _refuse_settings(settings: Mapping[str, Any], subject: str, allowed: str) -> None:
    """Raises: JtfneError for a setting that does not go with the source."""
    for name, setting in settings.items():
        if setting is not None:
            raise refuse(f"{name}={describe_value(setting)} beside {subject}", allowed, WHERE)


def _check_arguments(source: Any, readout: Any, units: Any) -> None:
    """Raises: JtfneError for what is no recording, and for texts that are no names."""
    import xarray as xr

    is_path = isinstance(source, str | os.PathLike) and "\x00" not in str(source)
    if not (is_path or isinstance(source, xr.DataArray) or is_mne(source)):
        is_array = isinstance(source, np.ndarray)
        raise refuse(
            f"an array of shape {source.shape}"
            if is_array
            else f"recording {describe_value(source)}",
            "interop.from_array(values, dims, sampling_Hz=..., units=...)"
            if is_array
            else f"{', '.join(map(repr, NAMED))}, the path of a file {', '.join(SUFFIXES)}, what MNE has in memory, or "
            "an xarray.DataArray",
            WHERE,
        )
    for name, text in (("readout", readout), ("units", "" if units is None else units)):
        if not isinstance(text, str):
            raise refuse(f"{name}={describe_value(text)}", "a name", WHERE)
    check_name(readout, "readout", WHERE)
    if readout in COORDINATES:
        raise refuse(
            f"readout={readout!r}",
            f"the name of a readout, not one of {', '.join(COORDINATES)}",
            WHERE,
        )


def describe_recording(
    recording: "xr.DataArray",
    readout: str,
    z_mm: Sequence[float] | None = None,
    onset_ms: float | None = None,
    units: str | None = None,
) -> "xr.DataArray":
    """`recording`, checked, under its name, with the depths, onset and unit that the caller gives.

    Raises: JtfneError.
    """
    recording = recording.rename(readout)
    need(recording, "time", "channel", where=WHERE)
    recording = in_ms(recording, WHERE)
    even_step(recording, "time", WHERE)
    if z_mm is not None:
        allowed = f"a depth for each of {recording.sizes['channel']} channels"
        depths_mm = check_row(z_mm, "z_mm", allowed, WHERE)
        if len(depths_mm) != recording.sizes["channel"]:
            raise refuse(f"z_mm={describe_value(z_mm)}", allowed, WHERE)
        recording = recording.assign_coords(z_mm=("channel", depths_mm, {"units": "mm"}))
    _check_content(recording)
    extra_attrs = {"onset_ms": onset_ms, "units": units}
    recording = recording.assign_attrs(
        {key: value for key, value in extra_attrs.items() if value is not None}
    )
    if "units" not in recording.attrs:
        raise refuse("a recording without units", "attrs['units'] in the file, or units=", WHERE)
    check_name(recording.attrs["units"], "units", WHERE)
    recording.attrs["units"] = spell_unit(recording.attrs["units"])
    proxy = recording.attrs.get("proxy", int(recording.attrs["units"] == "a.u."))
    if np.size(proxy) != 1 or np.ravel(proxy)[0] not in (0, 1):
        raise refuse(f"attrs['proxy']={describe_value(proxy)}", "0 or 1", WHERE)
    if "onset_ms" in recording.attrs:  # netCDF holds one number as an array of one
        onsets_ms = [
            number(time_ms, FINITE, name="attrs['onset_ms']", where=WHERE)
            for time_ms in np.ravel(recording.attrs["onset_ms"]).tolist()
        ]
        recording.attrs["onset_ms"] = onsets_ms[0] if len(onsets_ms) == 1 else onsets_ms
    return recording.assign_attrs(readout=readout, proxy=int(np.ravel(proxy)[0]))


def _check_content(recording: "xr.DataArray") -> None:
    """Raises: JtfneError for values that are no numbers, and bad names or depths of channels."""
    if recording.dtype.kind not in "iuf":
        raise refuse(f"a recording of dtype {recording.dtype}", "real numbers", WHERE)
    for coordinate in recording.coords:
        try:
            np.asarray(recording[coordinate].values)
        except Exception as error:  # any: text is decoded when it is looked at, by whoever holds it
            reason = " ".join(str(error).split())
            raise refuse(f"{coordinate} ({reason[:200]!a})", "text in UTF-8", WHERE) from error
    names = [str(name) for name in recording["channel"].values.tolist()]
    if not names or len(set(names)) < len(names):
        repeated_name = next((name for name in names if names.count(name) > 1), None)
        description = (
            "a recording without channels"
            if repeated_name is None
            else f"two channels of the name {repeated_name!r}"
        )
        raise refuse(description, "a name for each channel, one channel or more", WHERE)
    if "z_mm" in recording.coords:
        depths_mm = recording["z_mm"]
        if depths_mm.dims != ("channel",) or depths_mm.dtype.kind not in "iuf":
            raise refuse(
                f"z_mm of dtype {depths_mm.dtype}", "a depth in mm for each channel", WHERE
            )
        if not np.isfinite(depths_mm.values).all():
            bad_channel = names[int(np.argmin(np.isfinite(depths_mm.values)))]
            raise refuse(
                f"a z_mm of channel {bad_channel!r} that is not finite",
                "a depth in mm for each channel",
                WHERE,
            )
