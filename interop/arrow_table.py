"""Spikes as Arrow and Parquet."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jtfne import _json, run_folder
from jtfne._check import POSITIVE, UNREADABLE, JtfneError, describe_value, in_range, refuse
from jtfne._files import path_inside, resolve_path
from jtfne._stored import check_parquet
from jtfne.interop._inputs import check_path, check_signals, open_beside
from jtfne.signals import Signals

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

LARGE_SPIKES = 5_000_000  # from here on a file per trial, so that one trial can be read alone


def to_arrow(signals: Signals) -> "pa.Table":
    """Spikes as an Arrow table: trial, time_ms, neuron, area, layer, cell_type.

    Names are dictionary-encoded.

    Parameters
    ----------
    signals : Signals
        With `spk` recorded.

    Returns
    -------
    pyarrow.Table
        Sorted by trial, time, neuron; no nulls. The schema's metadata has the manifest, n_neurons,
        n_trials, dt_ms, duration_ms, since silent neurons and trials leave no rows.

    Raises
    ------
    JtfneError
        If spikes were not recorded.
    """
    check_signals(signals, "to_arrow").get("spk", time=(-1.0, 0.0))  # refuses where there are none
    manifest = _json.dumps(signals.manifest)
    table = run_folder.spike_table(signals.tree)
    return table.replace_schema_metadata(
        {**(table.schema.metadata or {}), b"jtfne_manifest": manifest.encode()}
    )


def write_parquet(signals: Signals, path: str | Path, *, large: int = LARGE_SPIKES) -> Path:
    """Write the spikes as Parquet: one file, or a folder with one file a trial when there are many.

    Parameters
    ----------
    signals : Signals
        With `spk` recorded.
    path : str or Path
        What does not exist yet.
    large : int
        Spikes from which on a run of several trials is partitioned by trial.

    Returns
    -------
    Path

    Raises
    ------
    JtfneError
        If spikes were not recorded, or `path` exists.
    """
    from pyarrow import dataset

    check_signals(signals, "write_parquet")
    if isinstance(large, bool) or not isinstance(large, int | np.integer):
        raise refuse(
            f"large={describe_value(large)}", "a number of spikes, an int", "write_parquet"
        )
    table = to_arrow(signals)
    n_trials = int(signals.tree["spk"].attrs["n_trials"])
    with open_beside(path, "write_parquet") as beside:
        if table.num_rows < max(large, 1) or n_trials == 1:
            run_folder.write_spikes(table, beside)
        else:
            parts = dataset.partitioning(table.select(["trial"]).schema, flavor="hive")
            options: dict[str, Any] = {
                "partitioning": parts,
                "max_partitions": n_trials,
                "use_threads": False,
            }
            # one thread keeps the order
            dataset.write_dataset(table, beside, format="parquet", **options)
    return Path(path)


def from_parquet(path: str | Path) -> "xr.DataArray":
    """Spikes of a Parquet file, or folder, as `Signals.get("spk")` gives them.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    xarray.DataArray
        Spike times in ms over `event`, with trial, neuron and names as coordinates; of a file that
        jtfne wrote, with the attributes that say how many neurons and trials there were.

    Raises
    ------
    JtfneError
        If there is no such file, it is broken, or columns are missing.
    """
    import xarray as xr
    from pyarrow import dataset

    source = resolve_path(check_path(path, "from_parquet"), "from_parquet")
    try:
        if not source.is_dir():
            check_parquet(source, str(path))
        for child in sorted(source.rglob("*")):
            if not child.is_dir():
                file = path_inside(source, child.relative_to(source).as_posix(), str(path))
                check_parquet(file, str(path))
        table = dataset.dataset(source, format="parquet", partitioning="hive").to_table()
    except JtfneError:
        raise
    except UNREADABLE as error:
        raise refuse(
            f"{str(path)!r}, which cannot be read ({error}),", "a whole Parquet file", "reading"
        ) from error
    missing_columns = [
        name for name in ("trial", "time_ms", "neuron") if name not in table.column_names
    ]
    if missing_columns:
        raise refuse(
            f"a table without {', '.join(missing_columns)}",
            "columns trial, time_ms, neuron",
            str(path),
        )
    table = table.sort_by(
        [("trial", "ascending"), ("time_ms", "ascending"), ("neuron", "ascending")]
    )
    values = {name: np.array(table[name].to_numpy()) for name in ("time_ms", "neuron", "trial")}
    coords: dict[str, Any] = {
        "neuron": ("event", values["neuron"]),
        "trial": ("event", values["trial"]),
    }
    for name in ("area", "layer", "cell_type"):
        if name in table.column_names:
            texts = table[name].cast("string").to_numpy(zero_copy_only=False).astype(str)
            coords[name] = ("event", texts)
    shape = _read_shape(table.schema.metadata or {}, str(path))
    _check_spikes(values, shape, str(path))
    attrs = {"readout": "spk", "long_name": "spike times", "units": "ms", "proxy": 0}
    return xr.DataArray(values["time_ms"], coords, ("event",), "spk", {**attrs, **shape})


def _check_spikes(
    values: dict[str, npt.NDArray[Any]], shape: dict[str, int | float], where: str
) -> None:
    """Raises: JtfneError unless times are finite, and neurons and trials those of the run."""
    if values["time_ms"].dtype.kind not in "iuf" or not np.isfinite(values["time_ms"]).all():
        raise refuse(
            "a column time_ms with values that are no finite numbers", "spike times in ms", where
        )
    for name, column in (("n_neurons", "neuron"), ("n_trials", "trial")):
        indices = values[column]
        stop = shape.get(name, np.inf)
        if indices.dtype.kind not in "iu" or (
            indices.size and not 0 <= indices.min() <= indices.max() < stop
        ):
            allowed = (
                "whole numbers, 0 or above"
                if name not in shape
                else f"whole numbers, 0 to {stop - 1}"
            )
            raise refuse(f"a column {column} of other values", allowed, where)


def _read_shape(metadata: dict[bytes, bytes], where: str) -> dict[str, int | float]:
    """Numbers of neurons and trials, step and duration in the schema's metadata, where it has them.

    Rows alone do not say: silent neurons and trials leave none.
    Raises: JtfneError for what is no number above 0.
    """
    shape: dict[str, int | float] = {}
    for name, kind in (
        ("n_neurons", int),
        ("n_trials", int),
        ("dt_ms", float),
        ("duration_ms", float),
    ):
        text = metadata.get(name.encode())
        if text is None:
            continue
        try:
            shape[name] = kind(text)
        except ValueError:
            raise refuse(f"metadata {name}={text!r}", "a number above 0", where) from None
        in_range(shape[name], POSITIVE, name=f"metadata {name}", where=where)
    return {**shape, "interval_ms": shape["dt_ms"]} if "dt_ms" in shape else shape
