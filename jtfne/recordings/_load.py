"""A recording by name, by file or in memory, checked, with what the caller knows of it."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._check import FINITE, check_name, describe_value, number, refuse
from jtfne.recordings._axes import even_step, in_ms, need
from jtfne.recordings._formats import NAMED, SUFFIXES, read_file

if TYPE_CHECKING:
    import xarray as xr

WHERE = "analysis.load_recording"
COORDINATES = ("trial", "time", "channel", "z_mm")


def load_recording(
    name_or_path: str | os.PathLike[str],
    *,
    readout: str = "lfp",
    z_mm: Sequence[float] | None = None,
    onset_ms: float | None = None,
    units: str | None = None,
    label: str | Sequence[str] | None = None,
) -> "xr.DataArray":
    """Read a recording, by name or from a file.

    Parameters
    ----------
    name_or_path : str or path
        ``"barrel"``: the whisker-evoked laminar recording that ships with elephant
        (``pip install "jtfne[realdata]"``). Or a file: one that MNE reads (FIF of raw data, epochs
        or an average, EDF, BDF, BrainVision, EEGLAB, ..., as `jtfne.interop.from_raw` takes them),
        ``.nc`` (a DataArray, or a Dataset or group with a variable named as the readout) or
        ``.parquet`` (one row a sample: time, channel, the value named as the readout or ``value``,
        and optionally trial and z_mm).
    readout : str
        Which variable to take, and the name of the result.
    z_mm : sequence of float, optional
        Depth of each channel, mm, where the file does not hold it.
    onset_ms : float, optional
        When the stimulus came, ms, where the file does not say. Annotations of a file that MNE
        reads all count, but for those that mark bad spans.
    units : str, optional
        Unit of the values, such as ``"V"``, where the file does not say.
    label : str or sequence of str, optional
        Only annotations or epochs of these labels, of a file that MNE reads.

    Returns
    -------
    DataArray
        ``time`` in ms, whatever unit of time the file names, and ``channel``,
        with ``units``, ``readout`` and, where known, ``z_mm`` and ``onset_ms``.

    Raises
    ------
    JtfneError
        For an unknown name or kind of file, a file that is missing, cut short or altered, or one
        without the readout.
    """
    _check_arguments(name_or_path, readout, units)
    if onset_ms is not None:
        onset_ms = number(onset_ms, FINITE, name="onset_ms", where=WHERE)
    if str(name_or_path) in NAMED:
        settings = {"z_mm": z_mm, "onset_ms": onset_ms, "units": units, "label": label}
        for name, setting in settings.items():
            if setting is not None:
                description = f"{name}={describe_value(setting)} beside {str(name_or_path)!r}"
                raise refuse(description, "its name alone, since it says all of this itself", WHERE)
        return NAMED[str(name_or_path)](readout)
    recording = read_file(name_or_path, readout, label, WHERE)
    return _add_metadata(recording.rename(readout), readout, z_mm, onset_ms, units)


def _check_arguments(name_or_path: Any, readout: Any, units: Any) -> None:
    """Raises: JtfneError for what is no path, and for texts that are no names."""
    if not isinstance(name_or_path, str | os.PathLike) or "\x00" in str(name_or_path):
        raise refuse(
            f"recording {describe_value(name_or_path)}",
            f"'barrel', or the path of a file {', '.join(SUFFIXES)}",
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


def _add_metadata(
    recording: "xr.DataArray",
    readout: str,
    z_mm: Sequence[float] | None,
    onset_ms: float | None,
    units: str | None,
) -> "xr.DataArray":
    """`recording`, checked, with the depths, onset and unit that the caller gives.

    Raises: JtfneError.
    """
    need(recording, "time", "channel", where=WHERE)
    recording = in_ms(recording, WHERE)
    even_step(recording, "time", WHERE)
    if z_mm is not None:
        if (
            np.shape(z_mm) != (recording.sizes["channel"],)
            or np.asarray(z_mm).dtype.kind not in "iuf"
        ):
            raise refuse(
                f"z_mm={describe_value(z_mm)}",
                f"a depth for each of {recording.sizes['channel']} channels",
                WHERE,
            )
        recording = recording.assign_coords(
            z_mm=("channel", np.asarray(z_mm, np.float64), {"units": "mm"})
        )
    _check_content(recording)
    extra_attrs = {"onset_ms": onset_ms, "units": units}
    recording = recording.assign_attrs(
        {key: value for key, value in extra_attrs.items() if value is not None}
    )
    if "units" not in recording.attrs:
        raise refuse("a recording without units", "attrs['units'] in the file, or units=", WHERE)
    check_name(recording.attrs["units"], "units", WHERE)
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
