"""Spikes as Arrow and Parquet."""

from pathlib import Path
from typing import TYPE_CHECKING

from jtfne import _json, run_folder
from jtfne._check import refuse
from jtfne.signals import Signals

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

LARGE_SPIKES = 5_000_000  # from here on a file per trial, so that one trial can be read alone


def to_arrow(signals: Signals) -> "pa.Table":
    """Spikes as an Arrow table: trial, time_ms, neuron, and area, layer, cell_type dictionary-encoded.

    Parameters
    ----------
    signals : Signals
        With `spk` recorded.

    Returns
    -------
    pyarrow.Table
        Sorted by trial, time, neuron; no nulls. The schema's metadata has the manifest, n_neurons, n_trials, dt_ms,
        duration_ms, since silent neurons and trials leave no rows.

    Raises
    ------
    JtfneError
        If spikes were not recorded.
    """
    signals.get("spk")
    manifest = _json.dumps(signals.manifest)
    table = run_folder.spike_table(signals.tree)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), b"jtfne_manifest": manifest.encode()})


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

    table = to_arrow(signals)
    n_trials = int(signals.tree["spk"].attrs["n_trials"])
    with run_folder.written_beside(Path(path)) as beside:
        if table.num_rows < large or n_trials == 1:
            run_folder.write_spikes(table, beside)
        else:
            parts = dataset.partitioning(table.select(["trial"]).schema, flavor="hive")
            dataset.write_dataset(table, beside, format="parquet", partitioning=parts, max_partitions=n_trials)
    return Path(path)


def from_parquet(path: str | Path) -> "xr.DataArray":
    """Spikes of a Parquet file, or folder, as `Signals.get("spk")` gives them.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    xarray.DataArray
        Spike times in ms over `event`, with trial, neuron and names as coordinates.

    Raises
    ------
    JtfneError
        If columns are missing.
    """
    import xarray as xr
    from pyarrow import dataset

    table = dataset.dataset(path, partitioning="hive").to_table()
    missing = [name for name in ("trial", "time_ms", "neuron") if name not in table.column_names]
    if missing:
        raise refuse(f"a table without {', '.join(missing)}", "columns trial, time_ms, neuron", str(path))
    table = table.sort_by([("trial", "ascending"), ("time_ms", "ascending"), ("neuron", "ascending")])
    labels = [name for name in ("area", "layer", "cell_type") if name in table.column_names]
    coords = {name: ("event", table[name].to_numpy()) for name in ("neuron", "trial")}
    coords |= {
        name: ("event", table[name].cast("string").to_numpy(zero_copy_only=False).astype(str)) for name in labels
    }
    return xr.DataArray(table["time_ms"].to_numpy(), coords, ("event",), "spk", {"units": "ms", "readout": "spk"})
