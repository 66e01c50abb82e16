"""The catalogue of recordings: formats of files by suffix, and recordings by name.

A new format is a file beside this one and a row in `FORMATS`; a recording that ships with a
package, a function and a row in `NAMED`.
"""

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jtfne._check import JtfneError, describe_value, nearest, refuse
from jtfne._files import read_text, resolve_path
from jtfne.recordings._barrel import load_barrel
from jtfne.recordings._bids import DATATYPES, DESCRIPTION, from_bids
from jtfne.recordings._dipole_text import from_dipole_text, is_dipole_text
from jtfne.recordings._mne import SUFFIXES as MNE_SUFFIXES
from jtfne.recordings._mne import from_raw
from jtfne.recordings._named import load_ecog_beta, load_eeg_alpha, load_grasshopper
from jtfne.recordings._neo_files import SUFFIXES as NEO_SUFFIXES
from jtfne.recordings._netcdf import read_netcdf
from jtfne.recordings._parquet import read_samples
from jtfne.recordings._spikes import read_spikes
from jtfne.recordings._zarr import read_zarr
from jtfne.recordings.neo_block import from_neo
from jtfne.recordings.nwb_file import from_nwb

if TYPE_CHECKING:
    import xarray as xr

Label = str | Sequence[str] | None
Reader = Callable[[Path, str, Label], "xr.DataArray"]  # of a path, a readout and labels
SpikeReader = Callable[[Path], "xr.DataArray"]
WHERE = "analysis.load_recording"
SPIKES = "spk"  # the readout that asks for spikes


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of file, by its suffixes in lower case, and the functions that read it.

    read: gives a readout of continuous samples. read_spikes: gives the spikes, as
    `Signals.get("spk")`. None where the format has none of them. has_labels: whether its events
    have labels, of which some can be asked for; `read` gets None otherwise. is_folder: whether such
    a recording is, or may be, a folder.
    """

    suffixes: tuple[str, ...]
    read: Reader | None = None
    read_spikes: SpikeReader | None = None
    has_labels: bool = False
    is_folder: bool = False


def _read_by_mne(path: Path, readout: str, label: Label) -> "xr.DataArray":
    """The channels of a file that MNE reads."""
    return from_raw(path, readout, label=label)


def _read_nwb(path: Path, readout: str, label: Label) -> "xr.DataArray":
    """A series of an NWB file."""
    return from_nwb(path, readout, label=label)


def _read_nwb_spikes(path: Path) -> "xr.DataArray":
    """The spikes of the units of an NWB file."""
    return from_nwb(path, SPIKES)


def _read_by_neo(path: Path, readout: str, label: Label) -> "xr.DataArray":
    """A signal of a file that Neo reads."""
    return from_neo(path, readout, label=label)


def _read_spikes_by_neo(path: Path) -> "xr.DataArray":
    """The spike trains of a file that Neo reads."""
    return from_neo(path, SPIKES)


def _read_dipole(path: Path, readout: str, label: Label) -> "xr.DataArray":
    """The dipole moment of a text file that says so. Raises: JtfneError for other numbers."""
    if not is_dipole_text(read_text(path, WHERE)):
        raise _refuse_bare_numbers(path, str(path), WHERE)
    return from_dipole_text(path)


def _read_bids(path: Path, readout: str, label: Label) -> "xr.DataArray":
    """The only recording of a BIDS dataset whose datatype has this readout."""
    datatype = next((key for key, name in DATATYPES.items() if name == readout), None)
    return from_bids(path, datatype=datatype, label=label).rename(readout)


BIDS = Format((), _read_bids, has_labels=True, is_folder=True)  # known by a file in the folder
FORMATS: tuple[Format, ...] = (
    Format(MNE_SUFFIXES, _read_by_mne, has_labels=True, is_folder=True),  # .mff is a folder
    Format((".nc",), read_netcdf),
    Format((".parquet",), read_samples, read_spikes),
    Format((".zarr",), read_zarr, is_folder=True),
    Format((".csv",), read_spikes=read_spikes),
    Format((".h5",), read_spikes=read_spikes),  # of SONATA
    Format((".nwb",), _read_nwb, _read_nwb_spikes, has_labels=True),
    Format(NEO_SUFFIXES, _read_by_neo, _read_spikes_by_neo, has_labels=True, is_folder=True),
    Format((".txt",), _read_dipole),
)
SUFFIXES: tuple[str, ...] = tuple(suffix for row in FORMATS for suffix in row.suffixes)
NAMED: dict[str, Callable[[str], "xr.DataArray"]] = {
    "barrel": load_barrel,
    "ecog_beta": load_ecog_beta,
    "eeg_alpha": load_eeg_alpha,
    "grasshopper": load_grasshopper,
}
# Files of bare numbers, and what reads them: who calls it knows the clock, channels and unit.
ARRAY_READERS = {
    ".npy": "numpy.load(path, allow_pickle=False)",
    ".npz": "numpy.load(path, allow_pickle=False)[name]",
    ".csv": "numpy.loadtxt(path, delimiter=',')",
    ".txt": "numpy.loadtxt(path)",
    ".mat": "scipy.io.loadmat(path)[name]",
}


def read_file(
    name_or_path: str | os.PathLike[str], readout: str, label: Label, where: str
) -> "xr.DataArray":
    """The recording in a file of one of `FORMATS`, as the file has it; of spikes for ``"spk"``.

    Raises: JtfneError for a file of another kind, one that is missing, and one that is broken.
    """
    path = resolve_path(name_or_path, where)
    row, read = _find_reader(path, str(name_or_path), readout, where)
    if not (path.is_file() or (row.is_folder and path.is_dir())):
        raise refuse(f"{str(path)!r}, which is not there,", "a file", where)
    if label is not None and not row.has_labels:
        description = f"label={describe_value(label)} of {path.name}"
        raise refuse(description, "a label of annotations, in a file that MNE reads", where)
    try:
        return read(path, readout, label)
    except JtfneError:
        raise
    except Exception as error:  # any: of a broken file libraries raise bare Exceptions too
        reason = " ".join(str(error).split()) or type(error).__name__
        description = f"{path.name}, which cannot be read ({reason}),"
        raise refuse(description, f"a whole {path.suffix} file", where) from error


def _find_reader(path: Path, name: str, readout: str, where: str) -> tuple[Format, Reader]:
    """The row of `FORMATS` for a file, and what reads the readout of it.

    Raises: JtfneError where there is none; the message says what to do instead.
    """
    row = next((row for row in FORMATS if name.lower().endswith(row.suffixes)), None)
    if row is None and (path / DESCRIPTION).is_file():
        row = BIDS
    wants_spikes = readout == SPIKES
    if row is not None and wants_spikes and row.read_spikes is not None:
        reader = row.read_spikes
        return row, lambda path, readout, label: reader(path)
    if row is not None and not wants_spikes and row.read is not None:
        return row, row.read
    if path.suffix.lower() in ARRAY_READERS and not wants_spikes:
        raise _refuse_bare_numbers(path, name, where)
    suffixes: list[str] = []
    for candidate in FORMATS:
        if (candidate.read_spikes if wants_spikes else candidate.read) is not None:
            suffixes.extend(candidate.suffixes)
    nearest_name = nearest(name, NAMED)
    hint = f"; nearest: {nearest_name!r}" if nearest_name else ""
    names = "" if wants_spikes else f"{', '.join(map(repr, NAMED))}, or "
    subject = "spikes of " if wants_spikes else "recording "
    raise refuse(
        f"{subject}{describe_value(name)}", f"{names}a file {', '.join(suffixes)}{hint}", where
    )


def _refuse_bare_numbers(path: Path, name: str, where: str) -> JtfneError:
    """The refusal of a file that has numbers and no clock; it says what to do instead."""
    reads = ARRAY_READERS[path.suffix.lower()]
    return refuse(
        f"recording {describe_value(name)}, bare numbers without a clock,",
        f"interop.from_array({reads}, dims, sampling_Hz=..., units=...)",
        where,
    )
