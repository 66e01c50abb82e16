"""Recordings in Parquet: a tidy table, one row a sample."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jtfne._check import UNREADABLE, JtfneError, refuse
from jtfne._stored import read_parquet

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

WHERE = "analysis.load_recording"


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
