"""Recordings in Parquet: a tidy table, one row a sample."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import _time
from jtfne._check import UNREADABLE, JtfneError, refuse
from jtfne._stored import read_parquet

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import xarray as xr

WHERE = "analysis.load_recording"
TIME_COLUMNS = {"time": "", "time_ms": "ms", "time_s": "s"}  # and the unit that a name says


def read_samples(path: Path, readout: str, label: object = None) -> "xr.DataArray":
    """A tidy table as an array; metadata `units` and `onset_ms` of its schema become attributes.

    Raises: JtfneError for columns that are missing or hold no numbers, and samples missing or given
    twice.
    """
    import xarray as xr

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
    frame, time_units = _name_time(frame, table, path)
    value = readout if readout in frame else "value"
    missing_columns = [name for name in ("time", "channel", value) if name not in frame]
    if missing_columns:
        raise refuse(
            f"{path.name} without the column {missing_columns[0]!r}",
            f"time (or time_ms, time_s), channel and {readout!r} or 'value'",
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
    array["time"].attrs["units"] = time_units
    return array.assign_attrs(_read_metadata(table, path))


def _read_metadata(table: "pa.Table", path: Path) -> dict[str, Any]:
    """The attributes that the metadata of a table's schema hold.

    Raises: JtfneError for what is no text, and an onset that is no number.
    """
    attrs: dict[str, Any] = {}
    for key, text in (table.schema.metadata or {}).items():
        try:
            if key in (b"units", b"long_name"):
                attrs[key.decode()] = text.decode()
            elif key == b"onset_ms":
                attrs["onset_ms"] = float(text)
        except ValueError:  # of Unicode too
            raise refuse(
                f"{path.name} with {key.decode()}={text!r}", "text in UTF-8, or a number", WHERE
            ) from None
    return attrs


def _name_time(frame: "pd.DataFrame", table: "pa.Table", path: Path) -> "tuple[pd.DataFrame, str]":
    """The table with its column of times called ``time``, and their unit.

    A column time_ms or time_s says its unit, ``time`` in the metadata of its field; ms if it does
    not. Raises: JtfneError for two columns of times, and one without a unit that looks like seconds.
    """
    names = [name for name in TIME_COLUMNS if name in frame]
    if len(names) > 1:
        raise refuse(f"{path.name} with {' and '.join(names)}", "one column of times", WHERE)
    if not names:
        return frame, "ms"
    frame = frame.rename(columns={names[0]: "time"})
    units = TIME_COLUMNS[names[0]]
    field = table.schema.field(names[0]).metadata or {}
    units = units or field.get(b"units", b"").decode("utf-8", "replace")
    if not units:
        allowed = "a column time_s, in seconds, or time_ms"
        times = np.unique(frame["time"].to_numpy())
        _time.refuse_seconds(times, where=WHERE, name=f"time of {path.name}", allowed=allowed)
    return frame, units or "ms"
