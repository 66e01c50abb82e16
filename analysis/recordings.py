"""Recorded data as the DataArrays that every analysis takes."""

import hashlib
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from jtfne import recordings
from jtfne._check import (
    FINITE,
    UNREADABLE,
    JtfneError,
    check_name,
    describe_value,
    nearest,
    number,
    refuse,
)
from jtfne._files import resolve_path
from jtfne._stored import check_hdf5, read_parquet
from jtfne.analysis._inputs import even_step, in_ms, need

if TYPE_CHECKING:
    import pandas as pd

WHERE = "analysis.load_recording"
BARREL_FILE = Path("current_source_density_src") / "test_data.mat"
BARREL_SHA256 = "52bfa1d3ddbaa82dd9e4f8e7be77162fb0b0ed360c5880b3a4b4e6adb838abd7"
BARREL_DT_ms = 0.5
BARREL_ONSET_SAMPLE = 125
BARREL_PROVENANCE = (
    "Laminar LFP of rat barrel cortex after a whisker deflection, 23 contacts 0.1 mm apart; "
    "distributed as the "
    "CSDplotter/elephant test recording (Pettersen et al. 2006, J. Neurosci. Methods "
    "154:116-133). The time step of "
    "0.5 ms is that of CSDplotter; the stimulus time is not stored, the onset at sample 125 is "
    "that of the response."
)
NAMED = ("barrel",)
COORDINATES = ("trial", "time", "channel", "z_mm")
SUFFIXES = (*recordings.SUFFIXES, ".nc", ".parquet")


def load_recording(
    name_or_path: str | os.PathLike[str],
    *,
    readout: str = "lfp",
    z_mm: Sequence[float] | None = None,
    onset_ms: float | None = None,
    units: str | None = None,
    label: str | Sequence[str] | None = None,
) -> xr.DataArray:
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
        return _load_barrel(readout)
    recording = _read_file(name_or_path, readout, label)
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


def _read_file(
    name_or_path: str | os.PathLike[str], readout: str, label: str | Sequence[str] | None
) -> xr.DataArray:
    """The recording in a file of one of `SUFFIXES`, as the file has it.

    Raises: JtfneError for a file of another kind, one that is missing, and one that is broken.
    """
    path, suffix = resolve_path(name_or_path, WHERE), Path(name_or_path).suffix
    if not str(name_or_path).lower().endswith(SUFFIXES):
        nearest_name = nearest(str(name_or_path), NAMED)
        hint = f"; nearest: {nearest_name!r}" if nearest_name else ""
        raise refuse(
            f"recording {describe_value(str(name_or_path))}",
            f"'barrel', or a file {', '.join(SUFFIXES)}{hint}",
            WHERE,
        )
    if not path.is_file():
        raise refuse(f"{str(path)!r}, which is not there,", "a file", WHERE)
    if suffix in (".nc", ".parquet") and label is not None:
        description = f"label={describe_value(label)} of {path.name}"
        raise refuse(description, "a label of annotations, in a file that MNE reads", WHERE)
    try:
        if suffix == ".nc":
            return _read_netcdf(path, readout)
        if suffix == ".parquet":
            return _read_parquet(path, readout)
        return recordings.from_raw(path, readout, label=label)
    except JtfneError:
        raise
    except Exception as error:  # any: of a broken file libraries raise bare Exceptions too
        reason = " ".join(str(error).split()) or type(error).__name__
        description = f"{path.name}, which cannot be read ({reason}),"
        raise refuse(description, f"a whole {suffix} file", WHERE) from error


def _add_metadata(
    recording: xr.DataArray,
    readout: str,
    z_mm: Sequence[float] | None,
    onset_ms: float | None,
    units: str | None,
) -> xr.DataArray:
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


def _check_content(recording: xr.DataArray) -> None:
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


def _load_barrel(readout: str) -> xr.DataArray:
    """The barrel recording in elephant's folder, read without importing elephant.

    Raises: JtfneError.
    """
    spec = importlib.util.find_spec("elephant")
    if spec is None or not spec.submodule_search_locations:
        raise JtfneError(
            'recording "barrel" needs elephant; install it with: pip install "jtfne[realdata]" '
            f"(in {WHERE})"
        )
    path = Path(spec.submodule_search_locations[0]) / BARREL_FILE
    if not path.is_file():
        raise refuse(
            f"an elephant without {BARREL_FILE.as_posix()}", "elephant 1.2.1, which holds it", WHERE
        )
    if hashlib.sha256(path.read_bytes()).hexdigest() != BARREL_SHA256:
        raise refuse(f"{path} with another SHA-256", BARREL_SHA256, WHERE)
    from scipy import io

    lfp_V = np.asarray(io.loadmat(path)["pot1"], np.float64).T * 1e-6
    n_steps, n_channels = lfp_V.shape
    coords: dict[str, Any] = {
        "time": ("time", np.arange(n_steps) * BARREL_DT_ms, {"units": "ms"}),
        "channel": [f"ch{k:02d}" for k in range(n_channels)],
        "z_mm": ("channel", np.round(0.1 * np.arange(1, n_channels + 1), 9), {"units": "mm"}),
    }
    attrs = {
        "units": "V",
        "long_name": "laminar LFP, rat barrel cortex",
        "readout": readout,
        "proxy": 0,
        "interval_ms": BARREL_DT_ms,
        "onset_ms": BARREL_ONSET_SAMPLE * BARREL_DT_ms,
        "provenance": BARREL_PROVENANCE,
        "sha256": BARREL_SHA256,
    }
    return xr.DataArray(lfp_V, coords=coords, dims=("time", "channel"), attrs=attrs, name=readout)


def _read_netcdf(path: Path, readout: str) -> xr.DataArray:
    """The variable named as the readout, or the only one, at the root or in the group of that name.

    Raises: JtfneError.
    """
    try:
        check_hdf5(path)
    except OSError as error:
        raise refuse(
            f"{path.name}, which cannot be read ({error}),", "a netCDF4 file", WHERE
        ) from None
    for group in (None, readout):
        try:
            with xr.open_dataset(
                path, group=group, engine="h5netcdf", decode_timedelta=False
            ) as table:
                name = readout if readout in table else next(iter(table.data_vars), None)
                if readout in table or len(table.data_vars) == 1:
                    array = table[name].load()
                    return array.assign_attrs(
                        {key: value for key, value in table.attrs.items() if key not in array.attrs}
                    )
        except OSError as error:
            if group is None:
                raise refuse(
                    f"{path.name}, which cannot be read ({error}),", "a netCDF4 file", WHERE
                ) from None
    raise refuse(
        f"{path.name} without a variable {readout!r}",
        "a variable or group of that name, or a single one",
        WHERE,
    )


def _read_parquet(path: Path, readout: str) -> xr.DataArray:
    """A tidy table as an array; metadata `units` and `onset_ms` of its schema become attributes.

    Raises: JtfneError for columns that are missing or hold no numbers, and samples missing or given
    twice.
    """
    try:
        table = read_parquet(path, WHERE)
    except JtfneError:
        raise
    except UNREADABLE as error:
        raise refuse(
            f"{path.name}, which cannot be read ({error}),", "a Parquet file", WHERE
        ) from None
    # what pandas would make of names of types in it
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    value = readout if readout in frame else "value"
    missing_columns = [name for name in ("time", "channel", value) if name not in frame]
    if missing_columns:
        raise refuse(
            f"{path.name} without the column {missing_columns[0]!r}",
            f"time, channel and {readout!r} or 'value'",
            WHERE,
        )
    for name in ("time", value, "z_mm"):
        if name in frame and frame[name].dtype.kind not in "iuf":
            raise refuse(
                f"{path.name} whose column {name!r} has no numbers", "a column of numbers", WHERE
            )
    dims = [name for name in ("trial", "time", "channel") if name in frame]
    frame["channel"] = frame["channel"].astype(str)
    if frame.duplicated(dims).any() or len(frame) != np.prod(
        [frame[name].nunique() for name in dims]
    ):
        raise refuse(
            f"{path.name} with samples missing or given twice",
            "one row for each of " + " x ".join(dims),
            WHERE,
        )
    array = xr.DataArray.from_series(frame.set_index(dims)[value].astype("float64")).transpose(
        *dims
    )
    array = array.sel(channel=list(dict.fromkeys(frame["channel"])))  # in the order of the file
    if "z_mm" in frame:
        if (frame.groupby("channel")["z_mm"].nunique(dropna=False) > 1).any():
            raise refuse(
                f"{path.name} with several depths of one channel",
                "one z_mm for each channel",
                WHERE,
            )
        depth = frame.groupby("channel")["z_mm"].first().loc[array["channel"].values]
        array = array.assign_coords(z_mm=("channel", depth.to_numpy(np.float64), {"units": "mm"}))
    metadata = {key.decode(): text.decode() for key, text in (table.schema.metadata or {}).items()}
    attrs = {key: metadata[key] for key in ("units", "long_name") if key in metadata}
    attrs |= {"onset_ms": float(metadata["onset_ms"])} if "onset_ms" in metadata else {}
    return array.assign_attrs(attrs)
