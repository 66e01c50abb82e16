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
from jtfne._files import resolve_path
from jtfne.recordings._barrel import load_barrel
from jtfne.recordings._mne import SUFFIXES as MNE_SUFFIXES
from jtfne.recordings._mne import from_raw
from jtfne.recordings._netcdf import read_netcdf
from jtfne.recordings._parquet import read_samples

if TYPE_CHECKING:
    import xarray as xr

Label = str | Sequence[str] | None
Reader = Callable[[Path, str, Label], "xr.DataArray"]  # of a path, a readout and labels


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of file, by its suffixes in lower case, and the function that reads a readout of it.

    has_labels: whether its events have labels, of which some can be asked for; `read` gets None
    otherwise. is_folder: whether such a recording is, or may be, a folder.
    """

    suffixes: tuple[str, ...]
    read: Reader
    has_labels: bool = False
    is_folder: bool = False


def _read_by_mne(path: Path, readout: str, label: Label) -> "xr.DataArray":
    """The channels of a file that MNE reads."""
    return from_raw(path, readout, label=label)


FORMATS: tuple[Format, ...] = (
    Format(MNE_SUFFIXES, _read_by_mne, has_labels=True, is_folder=True),  # .mff is a folder
    Format((".nc",), read_netcdf),
    Format((".parquet",), read_samples),
)
SUFFIXES: tuple[str, ...] = tuple(suffix for row in FORMATS for suffix in row.suffixes)
NAMED: dict[str, Callable[[str], "xr.DataArray"]] = {"barrel": load_barrel}


def read_file(
    name_or_path: str | os.PathLike[str], readout: str, label: Label, where: str
) -> "xr.DataArray":
    """The recording in a file of one of `FORMATS`, as the file has it.

    Raises: JtfneError for a file of another kind, one that is missing, and one that is broken.
    """
    path = resolve_path(name_or_path, where)
    name = str(name_or_path).lower()
    row = next((row for row in FORMATS if name.endswith(row.suffixes)), None)
    if row is None:
        nearest_name = nearest(str(name_or_path), NAMED)
        hint = f"; nearest: {nearest_name!r}" if nearest_name else ""
        raise refuse(
            f"recording {describe_value(str(name_or_path))}",
            f"{', '.join(map(repr, NAMED))}, or a file {', '.join(SUFFIXES)}{hint}",
            where,
        )
    if not (path.is_file() or (row.is_folder and path.is_dir())):
        raise refuse(f"{str(path)!r}, which is not there,", "a file", where)
    if label is not None and not row.has_labels:
        description = f"label={describe_value(label)} of {path.name}"
        raise refuse(description, "a label of annotations, in a file that MNE reads", where)
    try:
        return row.read(path, readout, label)
    except JtfneError:
        raise
    except Exception as error:  # any: of a broken file libraries raise bare Exceptions too
        reason = " ".join(str(error).split()) or type(error).__name__
        description = f"{path.name}, which cannot be read ({reason}),"
        raise refuse(description, f"a whole {path.suffix} file", where) from error
