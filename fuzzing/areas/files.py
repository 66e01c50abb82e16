"""Files by mutation: configs as text, run folders, net folders and recordings, with bytes changed,
cut or added.
"""

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
from hypothesis import strategies as st

import jtfne
from fuzzing._verdicts import Meaningless
from fuzzing.areas._base import Described, small_config
from jtfne import analysis, interop

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "utf-32", "cp037")
KINDS = ("flip", "flip", "cut", "append", "empty", "insert text", "encoding", "nest")
RECORDINGS = ("recording.nc", "recording.zarr", "recording.parquet", "recording_raw.fif")
FILES = (
    "config.toml",
    "config.json",
    "run",
    "run",
    "net",
    "spikes.parquet",
    "signals.nc",
    *RECORDINGS,
)


class Files(Described):
    """A changed file is refused, or what is read from it is what was written."""

    name = "files"

    def prepare(self) -> dict[str, Any]:
        """A folder with a file of each kind, and what is in them."""
        folder = Path(tempfile.mkdtemp(prefix="jtfne-fuzz-files-"))
        config = small_config()
        net = jtfne.construct(config)
        signals = net.simulate()
        config.to_file(folder / "config.toml")
        config.to_file(folder / "config.json")
        signals.save(folder / "run")
        net.save(folder / "net")
        interop.write_parquet(signals, folder / "spikes.parquet")
        interop.to_netcdf(signals, folder / "signals.nc")
        write_recordings(folder)
        return {"folder": folder, "config": config, "signals": signals, "edges": net.edges}

    def cases(self) -> st.SearchStrategy[Any]:
        """A file, where in it (a share of its bytes; a share of a folder's files), and what is done
        there.
        """
        share = st.floats(0.0, 1.0, exclude_max=True)
        return st.tuples(
            st.sampled_from(FILES),
            st.sampled_from(KINDS),
            share,
            share,
            st.integers(0, 7),
            st.sampled_from(ENCODINGS),
        )

    def run(self, context: dict[str, Any], case: Any) -> None:
        """Change a copy, and read it."""
        name, kind, file_share, byte_share, bit, encoding = case
        with tempfile.TemporaryDirectory(prefix="jtfne-fuzz-") as place:
            path = Path(place) / name
            original = context["folder"] / name
            if original.is_dir():
                shutil.copytree(original, path)
                files = sorted(file for file in path.rglob("*") if file.is_file())
                changed = files[int(file_share * len(files))]
            else:
                shutil.copy(original, path)
                changed = path
            alter(changed, kind, byte_share, bit, encoding)
            self._read(context, name, path)

    @staticmethod
    def _read(context: dict[str, Any], name: str, path: Path) -> None:
        """Read the file and compare. A config may be another one, if it is valid."""
        signals = context["signals"]
        if name.startswith("config"):
            jtfne.Config.from_file(path).check()
        elif name == "run":
            require_equal(jtfne.load(path), signals)
        elif name == "net":
            if not jtfne.Net.open(path).edges.equals(context["edges"]):
                raise Meaningless("net: other edges")
        elif name in RECORDINGS:
            recording = analysis.load_recording(
                path, readout="eeg" if name.endswith(".fif") else "lfp"
            )
            if recording.size == 0 or "units" not in recording.attrs:
                raise Meaningless(f"{name}: nothing")
        elif name == "spikes.parquet":
            interop.from_parquet(path).load()
        else:
            interop.from_netcdf(path)


def write_recordings(folder: Path) -> None:
    """Write a recording of two channels in each format that `load_recording` reads."""
    import mne

    values = np.random.default_rng(3).standard_normal((40, 2))
    coords = {"time": np.arange(40.0), "channel": ["a", "b"], "z_mm": ("channel", [0.1, 0.2])}
    attrs = {"units": "V", "onset_ms": 5.0}
    recording = xr.DataArray(values, coords, ("time", "channel"), "lfp", attrs)
    recording.to_netcdf(folder / "recording.nc", engine="h5netcdf")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of texts and consolidated metadata in format 3
        recording.to_zarr(folder / "recording.zarr", zarr_format=3)
    table = pa.Table.from_pandas(recording.to_dataframe().reset_index(), preserve_index=False)
    table = table.replace_schema_metadata({"units": "V", "onset_ms": "5"})
    pq.write_table(table, folder / "recording.parquet")
    raw = mne.io.RawArray(
        values.T * 1e-6, mne.create_info(["a", "b"], 1000.0, "eeg"), verbose="error"
    )
    raw.save(folder / "recording_raw.fif", verbose="error")


def alter(path: Path, kind: str, share: float, bit: int, encoding: str) -> None:
    """Change a file in place."""
    content = path.read_bytes()
    place = int(share * len(content))
    if kind == "flip" and content:
        flipped = bytes([content[place] ^ (1 << bit)])
        content = content[:place] + flipped + content[place + 1 :]
    elif kind == "cut":
        content = content[:place]
    elif kind == "append":
        content += b"\x00\xff more"
    elif kind == "empty":
        content = b""
    elif kind == "insert text":
        content = content[:place] + "é$\x00{".encode() + content[place:]
    elif kind == "nest":
        content = b"[" * 100_000 + content
    elif kind == "encoding":
        content = content.decode("utf-8", errors="replace").encode(encoding, errors="replace")
    path.write_bytes(content)


def require_equal(loaded: jtfne.Signals, signals: jtfne.Signals) -> None:
    """Raises: Meaningless unless both hold the same."""
    for name in signals.recorded():
        values, expected = (np.asarray(part.get(name).values) for part in (loaded, signals))
        if values.shape != expected.shape or not np.array_equal(values, expected):
            raise Meaningless(f"run: another {name}")
    if not loaded.neurons.equals(signals.neurons):
        raise Meaningless("run: other neurons")
