"""Recorded data as the DataArrays that every analysis takes."""

import hashlib
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from jtfne._check import JtfneError, nearest, refuse
from jtfne.analysis._inputs import even_step, need

if TYPE_CHECKING:
    import pandas as pd

WHERE = "analysis.load_recording"
BARREL_FILE = Path("current_source_density_src") / "test_data.mat"
BARREL_SHA256 = "52bfa1d3ddbaa82dd9e4f8e7be77162fb0b0ed360c5880b3a4b4e6adb838abd7"
BARREL_DT_MS = 0.5
BARREL_ONSET_SAMPLE = 125
BARREL_PROVENANCE = (
    "Laminar LFP of rat barrel cortex after a whisker deflection, 23 contacts 0.1 mm apart; distributed as the "
    "CSDplotter/elephant test recording (Pettersen et al. 2006, J. Neurosci. Methods 154:116-133). The time step of "
    "0.5 ms is that of CSDplotter; the stimulus time is not stored, the onset at sample 125 is that of the response."
)
NAMED = ("barrel",)
SUFFIXES = (".fif", ".nc", ".parquet")
READABLE = {
    ".fif": "a whole FIF file of a continuous recording (raw), not of epochs or averages",
    ".nc": "a whole netCDF4 file",
    ".parquet": "a whole Parquet file",
}
FIELD_TYPES = ("seeg", "ecog", "dbs", "eeg", "mag", "grad", "misc")
MNE_UNITS = {**dict.fromkeys(("seeg", "ecog", "dbs", "eeg"), "V"), "mag": "T", "grad": "T/m", "misc": "a.u."}


def load_recording(
    name_or_path: str | os.PathLike[str],
    *,
    readout: str = "lfp",
    z_mm: Sequence[float] | None = None,
    onset_ms: float | None = None,
    units: str | None = None,
) -> xr.DataArray:
    """A recording, by name or from a file.

    Parameters
    ----------
    name_or_path : str or path
        ``"barrel"``: the whisker-evoked laminar recording that ships with elephant (``pip install "jtfne[realdata]"``).
        Or a file: ``.fif`` (read by MNE), ``.nc`` (a DataArray, or a Dataset or group with a variable named as the
        readout) or ``.parquet`` (one row a sample: time, channel, the value named as the readout or ``value``, and
        optionally trial and z_mm).
    readout : str
        Which variable to take, and the name of the result.
    z_mm : sequence of float, optional
        Depth of each channel, mm, where the file does not hold it.
    onset_ms : float, optional
        When the stimulus came, ms, where the file does not say.
    units : str, optional
        Unit of the values, such as ``"V"``, where the file does not say.

    Returns
    -------
    DataArray
        ``time`` in ms and ``channel``, with ``units``, ``readout`` and, where known, ``z_mm`` and ``onset_ms``.

    Raises
    ------
    JtfneError
        For an unknown name or kind of file, a file that is missing, cut short or altered, or one without the readout.
    """
    if str(name_or_path) in NAMED:
        return _barrel(readout)
    if not isinstance(name_or_path, str | os.PathLike) or "\x00" in str(name_or_path):
        raise refuse(f"recording {name_or_path!r}", f"'barrel', or the path of a file {', '.join(SUFFIXES)}", WHERE)
    path = Path(name_or_path)
    if path.suffix not in SUFFIXES:
        close = nearest(str(name_or_path), NAMED)
        hint = f"; nearest: {close!r}" if close else ""
        raise refuse(f"recording {str(name_or_path)!r}", f"'barrel', or a file {', '.join(SUFFIXES)}{hint}", WHERE)
    if not path.is_file():
        raise refuse(f"{str(path)!r}, which is not there,", "a file", WHERE)
    read = {".fif": _from_fif, ".nc": _from_netcdf, ".parquet": _from_parquet}[path.suffix]
    try:
        found = read(path, readout)
    except JtfneError:
        raise
    except Exception as error:  # any: of a broken file MNE raises a bare Exception too
        reason = " ".join(str(error).split()) or type(error).__name__
        raise refuse(f"{path.name}, which cannot be read ({reason}),", READABLE[path.suffix], WHERE) from error
    return _described(found.rename(readout), readout, z_mm, onset_ms, units)


def _described(
    found: xr.DataArray, readout: str, z_mm: Sequence[float] | None, onset_ms: float | None, units: str | None
) -> xr.DataArray:
    """`found` with what the caller knows about it, checked."""
    need(found, "time", "channel", where=WHERE)
    even_step(found, "time", WHERE)
    if z_mm is not None:
        if len(z_mm) != found.sizes["channel"]:
            raise refuse(f"{len(z_mm)} depths in z_mm", f"one a channel, {found.sizes['channel']}", WHERE)
        found = found.assign_coords(z_mm=("channel", np.asarray(z_mm, np.float64), {"units": "mm"}))
    extra = {"onset_ms": onset_ms, "units": units}
    found = found.assign_attrs({key: value for key, value in extra.items() if value is not None})
    if "units" not in found.attrs:
        raise refuse("a recording without units", "attrs['units'] in the file, or units=", WHERE)
    return found.assign_attrs(readout=readout, proxy=int(found.attrs.get("proxy", found.attrs["units"] == "a.u.")))


def _barrel(readout: str) -> xr.DataArray:
    """The recording in elephant's folder, which is read without importing elephant."""
    spec = importlib.util.find_spec("elephant")
    if spec is None or not spec.submodule_search_locations:
        raise JtfneError(
            f'recording "barrel" needs elephant; install it with: pip install "jtfne[realdata]" (in {WHERE})'
        )
    path = Path(spec.submodule_search_locations[0]) / BARREL_FILE
    if not path.is_file():
        raise refuse(f"an elephant without {BARREL_FILE.as_posix()}", "elephant 1.2.1, which holds it", WHERE)
    if hashlib.sha256(path.read_bytes()).hexdigest() != BARREL_SHA256:
        raise refuse(f"{path} with another SHA-256", BARREL_SHA256, WHERE)
    from scipy import io

    lfp_V = np.asarray(io.loadmat(path)["pot1"], np.float64).T * 1e-6
    n_steps, n_channels = lfp_V.shape
    coords: dict[str, Any] = {
        "time": ("time", np.arange(n_steps) * BARREL_DT_MS, {"units": "ms"}),
        "channel": [f"ch{k:02d}" for k in range(n_channels)],
        "z_mm": ("channel", np.round(0.1 * np.arange(1, n_channels + 1), 9), {"units": "mm"}),
    }
    attrs = {
        "units": "V",
        "long_name": "laminar LFP, rat barrel cortex",
        "readout": readout,
        "proxy": 0,
        "interval_ms": BARREL_DT_MS,
        "onset_ms": BARREL_ONSET_SAMPLE * BARREL_DT_MS,
        "provenance": BARREL_PROVENANCE,
        "sha256": BARREL_SHA256,
    }
    return xr.DataArray(lfp_V, coords=coords, dims=("time", "channel"), attrs=attrs, name=readout)


def _from_fif(path: Path, readout: str) -> xr.DataArray:
    """The field channels of one type in a Raw file; the first annotation is the onset."""
    import mne

    raw = mne.io.read_raw_fif(path, verbose="error")
    types = raw.get_channel_types()
    present = [kind for kind in FIELD_TYPES if kind in types]
    if not present:
        raise refuse(
            f"{path.name} with channels of types {sorted(set(types))}", f"one of {', '.join(FIELD_TYPES)}", WHERE
        )
    wanted = [kind for kind in present if readout.startswith(kind)] or present
    names = [name for name, kind in zip(raw.ch_names, types, strict=True) if kind == wanted[0]]
    attrs: dict[str, Any] = {"units": MNE_UNITS[wanted[0]], "long_name": f"{wanted[0]} of {path.name}"}
    if len(raw.annotations):
        attrs["onset_ms"] = (float(raw.annotations.onset[0]) - float(raw.first_time)) * 1e3
    coords: dict[str, Any] = {"time": ("time", np.asarray(raw.times) * 1e3, {"units": "ms"}), "channel": names}
    places_mm = np.array([raw.info["chs"][raw.ch_names.index(name)]["loc"][:3] for name in names]) * 1e3
    if np.isfinite(places_mm).all() and len(names) > 1 and np.ptp(places_mm[:, :2], axis=0).max() < 1e-3:
        coords["z_mm"] = ("channel", np.round(-places_mm[:, 2], 7), {"units": "mm"})  # one shank, pia at 0, z upwards
    return xr.DataArray(raw.get_data(picks=names).T, coords=coords, dims=("time", "channel"), attrs=attrs)


def _from_netcdf(path: Path, readout: str) -> xr.DataArray:
    """The variable named as the readout, or the only one, at the root or in the group of that name."""
    for group in (None, readout):
        try:
            with xr.open_dataset(path, group=group, engine="h5netcdf", decode_timedelta=False) as table:
                name = readout if readout in table else next(iter(table.data_vars), None)
                if readout in table or len(table.data_vars) == 1:
                    found = table[name].load()
                    return found.assign_attrs(
                        {key: value for key, value in table.attrs.items() if key not in found.attrs}
                    )
        except OSError as error:
            if group is None:
                raise refuse(f"{path.name}, which cannot be read ({error}),", "a netCDF4 file", WHERE) from None
    raise refuse(
        f"{path.name} without a variable {readout!r}", "a variable or group of that name, or a single one", WHERE
    )


def _from_parquet(path: Path, readout: str) -> xr.DataArray:
    """A tidy table as an array; metadata `units` and `onset_ms` of its schema become attributes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise refuse(f"{path.name}, which cannot be read ({error}),", "a Parquet file", WHERE) from None
    frame: pd.DataFrame = table.to_pandas()
    value = readout if readout in frame else "value"
    missing = [name for name in ("time", "channel", value) if name not in frame]
    if missing:
        raise refuse(
            f"{path.name} without the column {missing[0]!r}", f"time, channel and {readout!r} or 'value'", WHERE
        )
    dims = [name for name in ("trial", "time", "channel") if name in frame]
    frame["channel"] = frame["channel"].astype(str)
    if frame.duplicated(dims).any() or len(frame) != np.prod([frame[name].nunique() for name in dims]):
        raise refuse(
            f"{path.name} with samples missing or given twice", "one row for each of " + " x ".join(dims), WHERE
        )
    found = xr.DataArray.from_series(frame.set_index(dims)[value].astype("float64")).transpose(*dims)
    found = found.sel(channel=list(dict.fromkeys(frame["channel"])))  # in the order of the file
    if "z_mm" in frame:
        depth = frame.groupby("channel")["z_mm"].first().loc[found["channel"].values]
        found = found.assign_coords(z_mm=("channel", depth.to_numpy(np.float64), {"units": "mm"}))
    metadata = {key.decode(): text.decode() for key, text in (table.schema.metadata or {}).items()}
    attrs = {key: metadata[key] for key in ("units", "long_name") if key in metadata}
    attrs |= {"onset_ms": float(metadata["onset_ms"])} if "onset_ms" in metadata else {}
    return found.assign_attrs(attrs)
