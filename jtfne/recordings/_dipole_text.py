"""Dipole moments in the text columns of hnn-core."""

import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import _json
from jtfne._check import JtfneError, names_arguments, refuse
from jtfne._files import read_text, refuse_special, resolve_path
from jtfne._time import axis_to_ms

if TYPE_CHECKING:
    import xarray as xr

WHERE = "from_dipole_text"
nA_m_PER_A_m = 1e9
HNN_COLUMNS = ("time (ms)", "agg (nAm)", "L2 (nAm)", "L5 (nAm)")
COLUMN_COUNTS = (2, 4)  # of a file of hnn-core: the sum alone, or with that of both layers
MARK = "#"  # in front of lines that are no numbers


@names_arguments
def from_dipole_text(path: str | os.PathLike[str]) -> "xr.DataArray":
    """The dipole moment in a text file of hnn-core, as an array (time, channel) in A m.

    Parameters
    ----------
    path : str or Path
        As `hnn_core.Dipole.write` and `write_dipole_text` leave it: the time in ms and the moment
        in nA m, with or without the two columns of the layers. hnn-core writes 4 decimals.

    Returns
    -------
    xarray.DataArray
        `channel`: "agg", and "L2" and "L5" where the file has them. Times are those of the file:
        hnn-core's are instants, jtfne's the ends of samples. A file of jtfne has its area and
        trial in the attributes.

    Raises
    ------
    JtfneError
        For no such file, one with other columns, what is no number, and times that do not rise.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "dpl.txt"
    ...     _ = path.write_text("0.000\\t0.0000\\n0.025\\t1.5000\\n")
    ...     from_dipole_text(path).values.tolist()
    [[0.0], [1.5e-09]]
    """
    import xarray as xr

    resolved = resolve_path(path, WHERE)
    refuse_special(resolved, WHERE)
    if not resolved.is_file():
        state = "is a folder" if resolved.is_dir() else "is not there"
        raise refuse(f"{str(resolved)!r}, which {state},", "a file", WHERE)
    text = read_text(resolved, WHERE)
    columns = _read_columns(text, resolved.name)
    time_ms = axis_to_ms(columns[:, 0], where=WHERE)
    names = [name.split()[0] for name in HNN_COLUMNS[1 : columns.shape[1]]]
    attrs: dict[str, Any] = {
        "readout": "dipole",
        "units": "A m",
        "long_name": "current dipole moment",
        **_read_facts(text),
    }
    coords: dict[str, Any] = {"time": ("time", time_ms, {"units": "ms"}), "channel": names}
    moments_A_m = columns[:, 1:] / nA_m_PER_A_m
    return xr.DataArray(moments_A_m, coords, ("time", "channel"), "dipole", attrs)


def is_dipole_text(text: str) -> bool:
    """Whether the lines in front of the numbers say that these are a dipole moment."""
    expected = f"{MARK} {HNN_COLUMNS[0]}\t{HNN_COLUMNS[1]}"
    head_lines = [line for line in text.splitlines()[:10] if line.startswith(MARK)]
    return any(line.startswith(expected) for line in head_lines)


def _read_columns(text: str, name: str) -> np.ndarray[Any, Any]:
    """The numbers of a text, (n_times, 2 or 4). Raises: JtfneError."""
    allowed = "two columns of numbers, ms and nA m, or four, as hnn-core writes them"
    lines = text.splitlines()
    if not any(line.strip() and not line.startswith(MARK) for line in lines):
        raise refuse(f"{name} without numbers", allowed, WHERE)
    try:
        columns = np.loadtxt(io.StringIO(text), np.float64, comments=MARK, ndmin=2)
    except ValueError as error:
        reason = " ".join(str(error).split())[:200]
        raise refuse(f"{name}, which cannot be read ({reason}),", allowed, WHERE) from None
    if columns.shape[1] not in COLUMN_COUNTS:
        raise refuse(f"{name} with {columns.shape[1]} columns of numbers", allowed, WHERE)
    if not np.isfinite(columns).all():
        raise refuse(f"{name} with values that are not finite", "finite numbers", WHERE)
    return columns


def _read_facts(text: str) -> dict[str, Any]:
    """Area and trial, from the first line of a file that jtfne wrote; empty for others."""
    first_line = text.partition("\n")[0]
    if not first_line.startswith(f"{MARK} jtfne ") or "{" not in first_line:
        return {}
    try:
        facts = _json.loads(first_line[first_line.index("{") :], where=WHERE)
    except JtfneError:
        return {}  # somebody's own remark
    kinds = {"area": str, "trial": int}
    return {key: facts[key] for key, kind in kinds.items() if isinstance(facts.get(key), kind)}
