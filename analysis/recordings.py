"""Recorded data as the DataArrays that simulated data come in: time in ms, channel, units."""

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import xarray as xr

from jtfne._check import JtfneError, refuse

BARREL_FILE = Path("current_source_density_src") / "test_data.mat"
BARREL_SHA256 = "52bfa1d3ddbaa82dd9e4f8e7be77162fb0b0ed360c5880b3a4b4e6adb838abd7"
BARREL_DT_MS = 0.5
BARREL_ONSET_MS = 62.5
BARREL_PROVENANCE = (
    "distributed as the CSDplotter/elephant test recording (elephant, BSD-3): laminar potential of rat barrel cortex "
    "evoked by a whisker, 23 contacts 0.1 mm apart; method: Pettersen, Devor, Ulbert, Dale & Einevoll (2006), J. "
    "Neurosci. Methods 154:116-133. The file stores neither the sampling interval (0.5 ms in CSDplotter's source) nor "
    "the stimulus time: onset_ms is where the response starts, sample 125."
)


def load_recording(name_or_path: str | Path, readout: str | None = None) -> xr.DataArray:
    """A recording, by file or by name.

    Parameters
    ----------
    name_or_path : str or Path
        ``"barrel"``: the laminar recording of rat barrel cortex that elephant carries
        (``pip install "jtfne[realdata]"``). Or a file: ``.fif`` (MNE raw), ``.nc`` (one variable), ``.parquet`` (long:
        time in ms, channel, value and, if laminar, z_mm).
    readout : str, optional
        What to call it, such as ``"lfp_proxy"``; in a ``.nc`` with several variables, the one to take.

    Returns
    -------
    xarray.DataArray
        Dimensions time (ms) and channel; ``z_mm`` on channel if laminar; attrs units, provenance and, where known,
        onset_ms.

    Raises
    ------
    JtfneError
        For what is not there, or is not what it should be.

    Examples
    --------
    >>> load_recording("nowhere.csv")
    Traceback (most recent call last):
    jtfne._check.JtfneError: recording 'nowhere.csv' is not allowed; allowed: 'barrel', or a .fif, .nc or .parquet file \
(in analysis.load_recording)
    """
    if str(name_or_path) == "barrel":
        found = _barrel()
    else:
        path = Path(name_or_path)
        readers = {".fif": _fif, ".nc": _netcdf, ".parquet": _parquet}
        where = "analysis.load_recording"
        if path.suffix not in readers:
            raise refuse(f"recording {str(path)!r}", "'barrel', or a .fif, .nc or .parquet file", where)
        if not path.is_file():
            raise refuse(f"recording {str(path)!r}, which is not there,", "a file that exists", where)
        found = _netcdf(path, readout) if path.suffix == ".nc" else readers[path.suffix](path, readout)
        found.attrs.setdefault("provenance", path.name)
    if "time" not in found.dims or "channel" not in found.dims:
        given = f"a recording of dimensions {tuple(map(str, found.dims))}"
        raise refuse(given, "time and channel", f"analysis.load_recording({str(name_or_path)!r})")
    found.attrs.setdefault("units", "a.u.")
    return found if readout is None else found.rename(readout)


def _barrel() -> xr.DataArray:
    """The barrel recording, (time 250, channel 23) V. Raises: JtfneError without elephant, or if its file differs."""
    from scipy import io

    where = "analysis.load_recording('barrel')"
    package = importlib.util.find_spec("elephant")
    folders = None if package is None else package.submodule_search_locations
    if not folders:
        raise JtfneError(f'the barrel recording comes with elephant: pip install "jtfne[realdata]" (in {where})')
    path = Path(folders[0]) / BARREL_FILE
    if not path.is_file():
        raise refuse(f"an elephant without {BARREL_FILE}", 'elephant 1.2.1: pip install "jtfne[realdata]"', where)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != BARREL_SHA256:
        raise refuse(f"{path} with SHA-256 {digest}", f"the published file, SHA-256 {BARREL_SHA256}", where)
    potential_V = io.loadmat(str(path))["pot1"].T * 1e-6
    n_steps, n_channels = potential_V.shape
    coords = {
        "time": np.arange(n_steps) * BARREL_DT_MS,
        "channel": [f"ch{k:02d}" for k in range(n_channels)],
        "z_mm": ("channel", np.round(np.linspace(0.1, 2.3, n_channels), 9)),
    }
    about = {
        "units": "V",
        "long_name": "laminar LFP, rat barrel cortex",
        "readout": "lfp",
        "proxy": 0,
        "interval_ms": BARREL_DT_MS,
        "onset_ms": BARREL_ONSET_MS,
        "provenance": BARREL_PROVENANCE,
        "sha256": BARREL_SHA256,
    }
    return xr.DataArray(potential_V, coords, ("time", "channel"), "lfp", about)


def _fif(path: Path, _: str | None = None) -> xr.DataArray:
    """Data channels of an MNE raw file, in its SI unit; time from the start; onset of the first annotation."""
    import mne

    raw = mne.io.read_raw_fif(path, preload=True, verbose="error")
    kinds = [kind for kind in dict.fromkeys(raw.get_channel_types()) if kind != "stim"]
    if not kinds:
        raise refuse(f"{path.name} without a data channel", "eeg, meg, seeg, misc or other channels", "load_recording")
    units = {"mag": "T", "grad": "T/m", "misc": "a.u."}
    picked = [name for name, kind in zip(raw.ch_names, raw.get_channel_types(), strict=True) if kind == kinds[0]]
    about: dict[str, object] = {"units": units.get(kinds[0], "V"), "interval_ms": 1e3 / float(raw.info["sfreq"])}
    if len(raw.annotations):
        about["onset_ms"] = 1e3 * float(raw.annotations.onset[0] - raw.first_time * (raw.annotations.orig_time is not None))
    values = raw.get_data(picks=picked).T
    return xr.DataArray(values, {"time": raw.times * 1e3, "channel": picked}, ("time", "channel"), "recording", about)


def _netcdf(path: Path, readout: str | None) -> xr.DataArray:
    """The only variable of a netCDF file, or the one called `readout`."""
    with xr.open_dataset(path, engine="h5netcdf") as opened:
        names = [str(name) for name in opened.data_vars]
        if readout not in names and len(names) != 1:
            raise refuse(f"{path.name} with {names}", "one variable, or readout= to name one", "analysis.load_recording")
        return opened[readout if readout in names else names[0]].load()


def _parquet(path: Path, _: str | None = None) -> xr.DataArray:
    """Long table: time (ms), channel, value[, z_mm]; units from a column `units` or the schema's metadata."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    missing = [name for name in ("time", "channel", "value") if name not in table.column_names]
    if missing:
        raise refuse(f"{path.name} without {missing}", "columns time, channel, value and z_mm", "analysis.load_recording")
    frame = table.to_pandas()
    wide = frame.pivot_table(index="time", columns="channel", values="value", aggfunc="first", sort=False, dropna=False)
    wide = wide.sort_index()
    if len(frame) != wide.size or wide.isna().to_numpy().any():
        given = f"{path.name} with {len(frame)} rows for {len(wide)} times x {wide.shape[1]} channels"
        raise refuse(given, "one finite value for each time and channel", "analysis.load_recording")
    coords: dict[str, object] = {"time": wide.index.to_numpy(np.float64), "channel": wide.columns.astype(str).to_numpy()}
    if "z_mm" in frame:
        depths = frame.drop_duplicates("channel").set_index("channel")["z_mm"].reindex(wide.columns)
        coords["z_mm"] = ("channel", depths.to_numpy(np.float64))
    about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items() if key != b"pandas"}
    about = {key: value for key, value in about.items() if key in ("units", "provenance", "long_name", "onset_ms")}
    attrs: dict[str, object] = {**about, **({"onset_ms": float(about["onset_ms"])} if "onset_ms" in about else {})}
    return xr.DataArray(wide.to_numpy(np.float64), coords, ("time", "channel"), "recording", attrs)
