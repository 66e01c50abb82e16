"""Spikes as Arrow and Parquet."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import _json, recordings, run_folder
from jtfne._check import check_name, describe_value, names_arguments, refuse
from jtfne._files import resolve_path
from jtfne.interop._inputs import check_path, check_signals, open_beside
from jtfne.signals import Signals

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

LARGE_SPIKES = 5_000_000  # from here on a file per trial, so that one trial can be read alone


@names_arguments
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

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.interop import to_arrow
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50.0)
    >>> to_arrow(signals).column_names
    ['trial', 'time_ms', 'neuron', 'area', 'layer', 'cell_type']
    """
    check_signals(signals, "to_arrow").get("spk", time=(-1.0, 0.0))  # refuses where there are none
    manifest = _json.dumps(signals.manifest)
    table = run_folder.spike_table(signals.tree)
    return table.replace_schema_metadata(
        {**(table.schema.metadata or {}), b"jtfne_manifest": manifest.encode()}
    )


@names_arguments
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

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.interop import write_parquet
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50.0)
    >>> write_parquet(signals, "spikes.parquet").name
    'spikes.parquet'
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


@names_arguments
def from_parquet(
    path: str | Path,
    readout: str = "spk",
    *,
    columns: Mapping[str, str] | None = None,
    n_neurons: int | None = None,
    n_trials: int | None = None,
    duration_ms: float | None = None,
) -> "xr.DataArray":
    """Spikes of a Parquet file or folder, or the samples of one.

    Parameters
    ----------
    path : str or Path
    readout : str
        ``"spk"`` for spikes, one row each. Any other name takes samples: one row for each, with
        columns time, channel, the value named as the readout or ``value``, and perhaps trial and
        z_mm, as `analysis.load_recording` reads them.
    columns, n_neurons, n_trials, duration_ms
        Of spikes, as in `from_spikes`, of files that do not say it themselves.

    Returns
    -------
    xarray.DataArray
        Spikes as `Signals.get("spk")` gives them: times in ms over `event`, with trial, neuron and
        names as coordinates, and the attributes that say how many neurons and trials there were.

    Raises
    ------
    JtfneError
        If there is no such file, it is broken, or columns are missing.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.interop import from_parquet, write_parquet
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50.0)
    >>> spikes = from_parquet(write_parquet(signals, "recorded.parquet"))
    >>> spikes.dims, spikes.attrs["n_neurons"], spikes.size == signals["spk"].size
    (('event',), 20, True)
    """
    source = resolve_path(check_path(path, "from_parquet"), "from_parquet")
    check_name(readout, "readout", "from_parquet")
    if readout == "spk":
        table = recordings.read_spike_file(source, str(path))
        sizes = {"n_neurons": n_neurons, "n_trials": n_trials, "duration_ms": duration_ms}
        metadata = table.schema.metadata or {}
        return recordings.label_spikes(table, columns, sizes, metadata, str(path))
    settings = {"columns": columns, "n_neurons": n_neurons, "n_trials": n_trials}
    for name, setting in {**settings, "duration_ms": duration_ms}.items():
        if setting is not None:
            raise refuse(
                f"{name}={describe_value(setting)} of samples", "readout='spk'", "from_parquet"
            )
    return recordings.describe_recording(recordings.read_samples(source, readout), readout)
