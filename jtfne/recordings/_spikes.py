"""Recorded spikes, of a table in memory, of Parquet or of CSV, as `Signals.get("spk")` gives them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne import _json, _time
from jtfne._check import (
    POSITIVE,
    UNREADABLE,
    JtfneError,
    describe_value,
    names_arguments,
    number,
    one_of,
    refuse,
    whole_number,
)
from jtfne._files import path_inside, resolve_path
from jtfne._sonata_files import is_spike_table, read_all_spikes
from jtfne._stored import check_parquet, read_csv, refuse_large

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

LABELS = ("area", "layer", "cell_type", "population")
# What a column may be called, by what it is: the first that a table has is taken.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "neuron": ("neuron", "cell", "node_ids", "unit"),
    "time_ms": ("time_ms", "t_ms"),
    "time_s": ("time_s", "t_s"),
    "trial": ("trial",),
    **{name: (name,) for name in LABELS},
}
COUNTS = ("n_neurons", "n_trials")
SUFFIXES = (".parquet", ".csv")
ATTRS = {"readout": "spk", "long_name": "spike times", "units": "ms", "proxy": 0}
LABEL_BYTES = 128  # of a neuron's id and labels
Columns = Mapping[str, str]
Arrays = dict[str, NDArray[Any]]


@names_arguments
def from_spikes(
    source: Any,
    *,
    columns: Columns | None = None,
    n_neurons: int | None = None,
    n_trials: int | None = None,
    duration_ms: float | None = None,
) -> "xr.DataArray":
    """Recorded spikes as the events that ``Signals.get("spk")`` gives.

    Parameters
    ----------
    source : DataFrame, pyarrow.Table, mapping of columns, str or Path
        One row a spike; or the path of a ``.parquet`` or ``.csv`` file, or of a folder of Parquet
        files by trial.
    columns : dict, optional
        The name of a column in the table, by what it is: ``neuron``, ``time_ms`` or ``time_s``,
        ``trial``, ``area``, ``layer``, ``cell_type``, ``population``. What is not named is looked
        for under its own name; ``cell``, ``node_ids`` and ``unit`` are neurons too, ``t_ms`` and
        ``t_s`` are times.
    n_neurons, n_trials : int, optional
        How many there were, for those that are silent leave no row: where the file does not say,
        one more than the largest number in it.
    duration_ms : float, optional
        Of each trial, ms; where the file does not say, the time of the last spike.

    Returns
    -------
    xarray.DataArray
        Spike times in ms over `event`, sorted by trial, time and neuron, with ``neuron``,
        ``trial`` (0 where there is no such column) and labels as coordinates, and the attributes
        ``n_neurons``, ``n_trials`` and ``duration_ms``.

    Raises
    ------
    JtfneError
        For a table without neurons or times, and for numbers that are none or are not those of the
        file.

    Examples
    --------
    >>> spikes = from_spikes({"cell": [1, 0], "t_ms": [4.0, 2.0]}, duration_ms=10.0)
    >>> spikes.values.tolist(), spikes["neuron"].values.tolist(), spikes.attrs["n_neurons"]
    ([2.0, 4.0], [0, 1], 2)
    """
    where = "from_spikes"
    metadata: Mapping[bytes, bytes] = {}
    if isinstance(source, str | os.PathLike):
        where = str(source)
        source = read_spike_file(resolve_path(source, "from_spikes"), where)
        metadata = source.schema.metadata or {}
    sizes: dict[str, Any] = {
        "n_neurons": n_neurons,
        "n_trials": n_trials,
        "duration_ms": duration_ms,
    }
    return label_spikes(source, columns, sizes, metadata, where)


def read_spikes(path: Path) -> "xr.DataArray":
    """The spikes of a Parquet or CSV file whose columns have names that are known."""
    return from_spikes(path)


def read_spike_file(path: Path, where: str) -> "pa.Table":
    """The table of a Parquet file, of a folder of such files by trial, of CSV or of SONATA.

    Raises: JtfneError for what is none, or broken.
    """
    from pyarrow import dataset

    try:
        if path.suffix.lower() == ".h5":
            return _read_sonata(path)
        if path.suffix.lower() == ".csv":
            return _read_sonata(path) if is_spike_table(path) else read_csv(path)
        if not path.is_dir():
            check_parquet(path, where)
        for child in sorted(path.rglob("*")):
            if not child.is_dir():
                check_parquet(path_inside(path, child.relative_to(path).as_posix(), where), where)
        return dataset.dataset(path, format="parquet", partitioning="hive").to_table()
    except JtfneError:
        raise
    except UNREADABLE as error:
        reason = " ".join(str(error).split())
        kind = "CSV" if path.suffix.lower() == ".csv" else "Parquet"
        raise refuse(
            f"{where!r}, which cannot be read ({reason}),", f"a whole {kind} file", "reading"
        ) from error


def _read_sonata(path: Path) -> "pa.Table":
    """The spikes of SONATA's HDF5, or of bmtk's table, with the population of each.

    Node ids begin anew in each population: those of the second go on after the last of the first,
    and so on.
    """
    import pyarrow as pa

    neurons, times_ms, populations, n_before = [], [], [], 0
    for spikes in read_all_spikes(path):
        neurons.append(spikes.node_id + n_before)
        times_ms.append(spikes.t_ms)
        populations += [spikes.population] * spikes.node_id.size
        n_before = 1 + int(neurons[-1].max(initial=n_before - 1))
    columns = {"neuron": np.concatenate(neurons), "time_ms": np.concatenate(times_ms)}
    return pa.table({**columns, "population": pa.array(populations, pa.string())})


def label_spikes(
    table: Any,
    columns: Columns | None,
    sizes: Mapping[str, Any],
    metadata: Mapping[bytes, bytes],
    where: str,
) -> "xr.DataArray":
    """The events of a table of spikes, as `from_spikes` gives them.

    sizes: n_neurons, n_trials and duration_ms, None where the caller does not say.
    metadata: of the schema of a Parquet file.
    """
    import xarray as xr

    arrays = _read_columns(table, columns, where)
    attrs = _read_sizes(metadata, where)
    for name, size in sizes.items():
        if size is None:
            continue
        given_size = (
            whole_number(size, POSITIVE, name=name, where=where)
            if name in COUNTS
            else number(size, POSITIVE, name=name, where=where)
        )
        if attrs.setdefault(name, given_size) != given_size:
            raise refuse(
                f"{name}={size} of spikes whose file says {attrs[name]}", "what it says", where
            )
    _check_numbers(arrays, attrs, where)
    _fill_sizes(attrs, arrays, where)
    order = np.lexsort((arrays["neuron"], arrays["time_ms"], arrays["trial"]))
    coords = {name: ("event", values[order]) for name, values in arrays.items()}
    _, times_ms = coords.pop("time_ms")
    if b"neuron_labels" in metadata:
        text = metadata[b"neuron_labels"].decode("utf-8", "replace")
        _read_runs(text, where)
        attrs["neuron_labels"] = text
    return xr.DataArray(times_ms, coords, ("event",), "spk", {**ATTRS, **attrs})


def _read_columns(table: Any, columns: Columns | None, where: str) -> Arrays:
    """The columns of a table as arrays: neuron, time_ms, trial and labels.

    Raises: JtfneError for a table without neurons or times, and columns that it does not have.
    """
    names = [str(name) for name in getattr(table, "column_names", _list_columns(table, where))]
    column_of = _find_columns(names, columns, where)
    missing_names = [name for name in ("neuron", "time_ms") if name not in column_of]
    if "time_s" in column_of and "time_ms" in missing_names:
        missing_names.remove("time_ms")
    if missing_names:
        raise refuse(
            f"a table without {', '.join(missing_names)}",
            "columns neuron and time_ms or time_s; other names by columns={'neuron': ..., "
            f"'time_s': ...}}, of {', '.join(map(repr, names[:12]))}",
            where,
        )
    arrays: Arrays = {}
    for name, column in column_of.items():
        values = _to_array(table[column])
        if name in LABELS:
            arrays[name] = values.astype(str)
        elif name == "time_s":
            arrays["time_ms"] = _time.times_to_ms(values, "s", where=where, name=column)
        else:
            arrays[name] = values
    n_rows = {name: values.shape for name, values in arrays.items()}
    if len(set(n_rows.values())) > 1 or arrays["neuron"].ndim != 1:
        raise refuse(f"columns of shapes {n_rows}", "one row a spike", where)
    arrays.setdefault("trial", np.zeros(arrays["neuron"].size, np.int64))
    return arrays


def _list_columns(table: Any, where: str) -> list[str]:
    """The names of the columns of a DataFrame or a mapping. Raises: JtfneError for no table."""
    columns = table if isinstance(table, Mapping) else getattr(table, "columns", None)
    if columns is None or isinstance(table, type):
        raise refuse(
            f"spikes of type {type(table).__name__}",
            "a DataFrame, an Arrow table, a mapping of columns, or the path of a file "
            f"{' or '.join(SUFFIXES)}",
            where,
        )
    return [str(name) for name in columns]


def _find_columns(names: list[str], columns: Any, where: str) -> dict[str, str]:
    """The column of each thing that a table says of its spikes.

    Raises: JtfneError for a word in `columns` that is none, or a column that is not there.
    """
    if columns is not None and not isinstance(columns, Mapping):
        raise refuse(f"columns={describe_value(columns)}", "{'neuron': 'unit', ...}", where)
    column_of: dict[str, str] = {}
    for name, column in (columns or {}).items():
        one_of(name, COLUMN_NAMES, name="columns", where=where)
        column_of[str(name)] = str(one_of(column, names, name=f"columns[{name!r}]", where=where))
    times = {"time_ms", "time_s"}
    for name, synonyms in COLUMN_NAMES.items():
        is_second_clock = name in times and times & set(column_of)
        present_names = [synonym for synonym in synonyms if synonym in names]
        if name not in column_of and not is_second_clock and present_names:
            column_of[name] = present_names[0]
    return column_of


def _to_array(column: Any) -> NDArray[Any]:
    """A column of any table as an array, text as Python's."""
    if hasattr(column, "combine_chunks"):  # of Arrow
        from pyarrow import types

        if types.is_dictionary(column.type):
            column = column.cast("string")
        return np.array(column.to_numpy())
    return np.array(column)


def _check_numbers(arrays: Arrays, attrs: Mapping[str, Any], where: str) -> None:
    """Raises: JtfneError unless times are finite, and neurons and trials those of the run."""
    times_ms = arrays["time_ms"]
    if times_ms.size == 0:  # a table without rows has no types
        for name in ("time_ms", "neuron", "trial"):
            kind = np.float64 if name == "time_ms" else np.int64
            arrays[name] = arrays[name].astype(kind)
        return
    if times_ms.dtype.kind not in "iuf" or not np.isfinite(times_ms).all():
        raise refuse(
            "a column time_ms with values that are no finite numbers", "spike times in ms", where
        )
    arrays["time_ms"] = times_ms.astype(np.float64)
    for name, column in (("n_neurons", "neuron"), ("n_trials", "trial")):
        indices = arrays[column]
        if indices.dtype.kind == "f" and np.array_equal(indices, np.floor(indices)):
            indices = arrays[column] = indices.astype(np.int64)  # as CSV may have them
        stop = attrs.get(name, np.inf)
        if indices.dtype.kind not in "iu" or not 0 <= indices.min() <= indices.max() < stop:
            allowed = (
                f"whole numbers, 0 to {stop - 1}" if name in attrs else "whole numbers, 0 or above"
            )
            raise refuse(f"a column {column} of other values", allowed, where)


def _fill_sizes(attrs: dict[str, Any], arrays: Arrays, where: str) -> None:
    """Set the sizes that nobody says by what the spikes show.

    Raises: JtfneError where there is no spike to show them.
    """
    for name, column in (
        ("n_neurons", "neuron"),
        ("n_trials", "trial"),
        ("duration_ms", "time_ms"),
    ):
        if name in attrs:
            continue
        if arrays[column].size == 0:
            raise refuse("a table without spikes", f"{name}=", where)
        largest = arrays[column].max()
        if name == "duration_ms" and largest <= 0.0:
            raise refuse("spikes of which none comes after 0 ms", "duration_ms=", where)
        attrs[name] = float(largest) if name == "duration_ms" else int(largest) + 1


def _read_sizes(metadata: Mapping[bytes, bytes], where: str) -> dict[str, Any]:
    """Numbers of neurons and trials, step and duration in the schema's metadata, where it has them.

    Rows alone do not say: silent neurons and trials leave none.
    Raises: JtfneError for what is no number above 0.
    """
    sizes: dict[str, Any] = {}
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
            sizes[name] = kind(text)
        except ValueError:
            raise refuse(f"metadata {name}={text!r}", "a number above 0", where) from None
        number(sizes[name], POSITIVE, name=f"metadata {name}", where=where)
    return {**sizes, "interval_ms": sizes["dt_ms"]} if "dt_ms" in sizes else sizes


def describe_neurons(neurons: "xr.Dataset") -> str:
    """The labels of all neurons of a run as JSON, in runs of neurons with equal ones.

    A run is [first id, how many ids that follow each other, area, layer, cell type]. Silent neurons
    leave no row in a table of spikes, and no label.
    """
    ids = np.asarray(neurons["neuron"].values)
    names = [name for name in LABELS if name in neurons]
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    columns = [neurons[name].values[order].astype(str) for name in names]
    is_start = np.ones(ids.size, bool)
    is_start[1:] = np.diff(ids) != 1
    for column in columns:
        is_start[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(is_start)
    sizes = np.diff([*starts, ids.size])
    runs = []
    for start, size in zip(starts, sizes, strict=True):
        runs.append([int(ids[start]), int(size), *(str(column[start]) for column in columns)])
    return json.dumps({"labels": names, "runs": runs}, separators=(",", ":"))


def build_spikes(
    time_ms: NDArray[np.float64],
    neuron: NDArray[np.int64],
    trial: NDArray[np.int64],
    labels: Mapping[str, NDArray[Any]],
    sizes: Mapping[str, float],
) -> "xr.DataArray":
    """Spikes as `Signals.get("spk")` gives them, (event,), by trial, time and neuron.

    time_ms, neuron, trial: of each spike. labels: of neurons 0, 1, ..., each (n_neurons,). sizes:
    the attributes n_neurons, n_trials and duration_ms.
    """
    import xarray as xr

    order = np.lexsort((neuron, time_ms, trial))
    coords: dict[str, Any] = {
        "neuron": ("event", neuron[order]),
        "trial": ("event", trial[order]),
    }
    for name, values in labels.items():
        coords[name] = ("event", values[neuron[order]])
    attrs: dict[str, Any] = {**ATTRS, **sizes}
    if labels:
        attrs["neuron_labels"] = describe_labels(labels)
    return xr.DataArray(time_ms[order], coords, ("event",), "spk", attrs)


def describe_labels(labels: Mapping[str, NDArray[Any]]) -> str:
    """The text of `describe_neurons` for neurons 0, 1, ... with `labels`, each (n_neurons,)."""
    import xarray as xr

    columns = {name: ("neuron", values) for name, values in labels.items()}
    n_neurons = next(iter(labels.values())).size
    return describe_neurons(xr.Dataset(columns, {"neuron": np.arange(n_neurons)}))


def list_neuron_labels(text: Any, where: str) -> tuple[NDArray[np.int64], Arrays]:
    """Ids of all neurons, and each of their labels, of what `describe_neurons` wrote.

    Raises: JtfneError for another text.
    """
    names, runs = _read_runs(text, where)
    sizes = [run[1] for run in runs]
    refuse_large(LABEL_BYTES * sum(sizes), f"labels of {sum(sizes)} neurons", where)
    ids: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    for first, size, *_ in runs:
        ids.append(np.arange(first, first + size))
    labels: Arrays = {}
    for column, name in enumerate(names, start=2):
        texts = np.array([str(run[column]) for run in runs], dtype=str)
        labels[name] = np.repeat(texts, sizes)
    return np.concatenate(ids), labels


def _read_runs(text: Any, where: str) -> tuple[list[str], list[Any]]:
    """The names of labels and the runs of neurons in the text of `describe_neurons`.

    Raises: JtfneError for another text.
    """
    table = _json.loads(text, where=where) if isinstance(text, str) else None
    names = table.get("labels") if isinstance(table, dict) else None
    runs = table.get("runs") if isinstance(table, dict) else None
    if not isinstance(names, list) or not isinstance(runs, list) or set(names) - set(LABELS):
        raise refuse("neuron_labels of another form", "labels and runs", where)
    for run in runs:
        is_run = isinstance(run, list) and len(run) == 2 + len(names)
        numbers = run[:2] if is_run else [None]
        if not all(type(size) is int and 0 <= size < 2**31 for size in numbers):
            raise refuse(f"neuron_labels with {describe_value(run)}", "runs of neurons", where)
    return names, runs
