"""Spikes as the analyses read them: events of a run, of a raster or of a table."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from jtfne import _time
from jtfne._check import POSITIVE, describe_value, number, one_of, refuse, whole_number
from jtfne._cores import available_bytes
from jtfne._units import Floats
from jtfne.analysis._inputs import TOLERANCE, Data, Ints, check_form, even_step, in_ms
from jtfne.analysis.recordings import load_recording
from jtfne.recordings import list_neuron_labels
from jtfne.signals import Signals

COUNT_BYTES = 24  # a bin's count as counted, as a float, and in what is made of it
EVENT_BYTES = 64  # an event's trial, step and row, twice, and its time
LABELS = ("area", "layer", "cell_type", "population")
UNLABELLED = "unlabelled"  # the label of a silent neuron whose name no row of a table tells
FORM = "spikes: attrs['readout'] of 'spk', or bool or counts over (time, neuron)"


@dataclasses.dataclass(frozen=True)
class Spikes:
    """Spike events: `time_ms`, `row` of the neuron and `trial` index, each (n_events,).

    neuron: (n_neurons,) ids. trials: (n_trials,) labels. labels: area, layer, cell_type, each
    (n_neurons,), if known. Times are those of the clock of the data and lie in (start_ms, start_ms
    + duration_ms].
    """

    time_ms: Floats
    row: Ints
    trial: Ints
    neuron: Ints
    trials: NDArray[Any]
    duration_ms: float
    labels: Mapping[str, NDArray[Any]]
    start_ms: float = 0.0

    @property
    def n_trials(self) -> int:
        """How many trials there are."""
        return int(self.trials.size)

    @property
    def stop_ms(self) -> float:
        """End of the data, ms on their clock."""
        return self.start_ms + self.duration_ms

    def n_bins(self, bin_ms: float, where: str, n_rows: int = 1) -> int:
        """How many whole bins of `bin_ms` there are.
        Raises: JtfneError where counts in all do not fit in memory.
        """
        n_bytes = COUNT_BYTES * self.n_trials * n_rows * (self.duration_ms / bin_ms)
        refuse_large(n_bytes, f"bins of {bin_ms:g} ms in {self.duration_ms:g} ms", where)
        return int(np.floor(self.duration_ms / bin_ms + TOLERANCE))

    def counts(self, bin_ms: float, where: str, group: Ints | None = None) -> Floats:
        """Spikes by trial, bin and row, or group of rows: (n_trials, n_bins, n_rows).

        Bins are (k, k + 1] bin_ms from the start; spikes after the last whole bin are left out.
        Raises: JtfneError for so many bins that their counts do not fit in memory.
        """
        group_of_row = np.arange(self.neuron.size) if group is None else group
        n_rows = int(group_of_row.max(initial=-1)) + 1
        n_bins = self.n_bins(bin_ms, where, max(n_rows, 1))
        bins = np.maximum(
            np.ceil((self.time_ms - self.start_ms) / bin_ms - TOLERANCE).astype(np.int64) - 1, 0
        )
        in_bins = bins < n_bins
        count_index = (self.trial[in_bins] * n_bins + bins[in_bins]) * n_rows + group_of_row[
            self.row[in_bins]
        ]
        spike_counts = np.bincount(count_index, minlength=self.n_trials * n_bins * n_rows).astype(
            np.float64
        )
        return spike_counts.reshape(self.n_trials, n_bins, n_rows)

    def groups(self, by: str | Sequence[str], where: str) -> tuple[Ints, str, dict[str, Any]]:
        """Group of each row, the groups' dim, and its coordinates.
        Raises: JtfneError where a label is not known.
        """
        if not isinstance(by, str | list | tuple) or len(by) == 0:
            raise refuse(
                f"by={describe_value(by)}",
                f"one or more of {', '.join(map(repr, LABELS))}, or None",
                where,
            )
        keys = (by,) if isinstance(by, str) else tuple(by)
        for key in keys:
            one_of(key, LABELS, name="by", where=where)
            if key not in self.labels:
                raise refuse(
                    f"by={key!r} for neurons without that label",
                    "a run of a Net with identity",
                    where,
                )
        cell_labels = zip(*[self.labels[key].astype(str) for key in keys], strict=True)
        index: dict[tuple[str, ...], int] = {}  # of each combination, in order of appearance
        codes = [index.setdefault(labels, len(index)) for labels in cell_labels]
        code = np.array(codes, dtype=np.int64)
        if isinstance(by, str):
            return code, by, {by: np.array(list(index), dtype=str).reshape(-1)}
        names = np.array([" ".join(labels) for labels in index], dtype=str)
        coords: dict[str, Any] = {"population": names}
        for position, key in enumerate(keys):
            values = [labels[position] for labels in index]
            coords[key] = ("population", np.array(values, dtype=str))
        return code, "population", coords


def refuse_large(n_bytes: float, description: str, where: str) -> None:
    """Raises: JtfneError where `n_bytes` exceed the free memory; `description` says of what."""
    free_bytes = available_bytes()
    if not n_bytes <= free_bytes:
        problem = f"{description}, which take {n_bytes / 2**30:.3g} GiB,"
        raise refuse(problem, f"what fits in the {free_bytes / 2**30:.3g} GiB that are free", where)


def is_raster(data: xr.DataArray) -> bool:
    """Whether `data` holds spikes, as events or as counts in bins, by what it says of itself.

    ``attrs["readout"]`` decides; where it is missing, the dtype does: bool, or whole numbers over
    neurons that have no unit.
    """
    if "readout" in data.attrs:
        return bool(str(data.attrs["readout"]) == "spk")
    if "event" in data.dims:
        return True
    counts = (
        data.dtype.kind in "iu"
        and "neuron" in data.dims
        and str(data.attrs.get("units", "1")) == "1"
    )
    return data.dtype.kind == "b" or counts


def read_spikes(data: Data, where: str) -> Spikes:
    """The spikes of a run, of a raster (time, neuron), of an event array, or of a file.
    Raises: JtfneError for anything else.
    """
    if isinstance(data, Signals):
        return _from_signals(data, where)
    source: Any = load_recording(data, readout="spk") if is_path(data) else data
    return _read_array(source, where)


def is_path(data: object) -> bool:
    """Whether `data` is the path of a file."""
    return isinstance(data, str | os.PathLike)


def _read_array(data: Any, where: str) -> Spikes:
    """The spikes of a raster (time, neuron) or of an event array.
    Raises: JtfneError for anything else.
    """
    if not isinstance(data, xr.DataArray):
        allowed = "Signals, an xarray.DataArray, or the path of a file of spikes"
        raise refuse(f"data of type {type(data).__name__}", allowed, where)
    if not is_raster(data):
        if "readout" in data.attrs:
            raise refuse(f"the readout {describe_value(data.attrs['readout'])}", FORM, where)
        raise refuse(f"an array of dtype {data.dtype} without attrs['readout']", FORM, where)
    return _from_events(data, where) if "event" in data.dims else _from_raster(data, where)


def _from_signals(signals: Signals, where: str) -> Spikes:
    """The spikes of a run, with ids and labels of its cells where the run has names."""
    events = _from_events(signals.get("spk"), where)
    if "neurons" not in signals.tree.children:
        return events
    cells = signals.tree["neurons"].to_dataset()
    ids = np.asarray(cells["neuron"].values, np.int64)
    labels = {key: np.asarray(cells[key].values, dtype=str) for key in LABELS if key in cells}
    order = np.argsort(ids)
    row = order[np.searchsorted(ids[order], events.neuron[events.row])]
    return dataclasses.replace(events, row=row, neuron=ids, labels=labels)


def _from_events(data: xr.DataArray, where: str) -> Spikes:
    """Spikes from times (event,) with coordinates `neuron`, 0 .. n_neurons - 1, and `trial`.

    Raises: JtfneError.
    """
    for name in ("n_neurons", "n_trials", "duration_ms"):
        if name not in data.attrs:
            raise refuse(
                f"spike events without attrs[{name!r}]",
                "n_neurons, n_trials and duration_ms",
                where,
            )
    if data.dims != ("event",):
        raise refuse(
            f"spike events with dims {tuple(map(str, data.dims))}", "the dim 'event' alone", where
        )
    counts = {
        name: whole_number(data.attrs[name], POSITIVE, name=f"attrs[{name!r}]", where=where)
        for name in ("n_neurons", "n_trials")
    }
    sizes = "attrs of {n_neurons} neurons and {n_trials} trials".format(**counts)
    refuse_large(COUNT_BYTES * counts["n_neurons"] * counts["n_trials"], sizes, where)
    duration_ms = number(
        data.attrs["duration_ms"], POSITIVE, name="attrs['duration_ms']", where=where
    )
    time_ms = _time.times_to_ms(data.values, data.attrs.get("units"), where=where)
    if time_ms.size and not (
        time_ms.min() >= 0.0 and time_ms.max() <= duration_ms * (1.0 + TOLERANCE)
    ):
        description = f"spikes at {time_ms.min():g} to {time_ms.max():g} ms"
        raise refuse(description, f"times within 0 to duration_ms, {duration_ms:g} ms", where)
    row = _read_indices(data, "neuron", counts["n_neurons"], where)
    return Spikes(
        time_ms=time_ms,
        row=row,
        trial=_read_indices(data, "trial", counts["n_trials"], where),
        neuron=np.arange(counts["n_neurons"]),
        trials=np.arange(counts["n_trials"]),
        duration_ms=duration_ms,
        labels=_read_event_labels(data, row, counts["n_neurons"], where),
    )


def _read_event_labels(
    data: xr.DataArray, row: Ints, n_neurons: int, where: str
) -> dict[str, NDArray[Any]]:
    """The labels of neurons 0 .. n_neurons - 1 of spike events, each (n_neurons,).

    ``attrs["neuron_labels"]`` has those of all neurons, silent ones too; without it a neuron has
    the label of its spikes, and a silent one is `UNLABELLED`. Raises: JtfneError for a neuron whose
    spikes have several labels.
    """
    if "neuron_labels" in data.attrs:
        ids, labels = list_neuron_labels(data.attrs["neuron_labels"], where)
        order = np.argsort(ids, kind="stable")
        if np.array_equal(ids[order], np.arange(n_neurons)):
            return {name: values[order] for name, values in labels.items()}
    label_of_row: dict[str, NDArray[Any]] = {}
    for name in LABELS:
        if name not in data.coords or data[name].dims != ("event",):
            continue
        texts = np.asarray(data[name].values, dtype=str)
        names, codes = np.unique(texts, return_inverse=True)
        code_of_row = np.full(n_neurons, names.size)
        code_of_row[row] = codes
        if not np.array_equal(code_of_row[row], codes):
            spike = int(np.argmax(code_of_row[row] != codes))
            raise refuse(
                f"neuron {row[spike]} with spikes of several {name}s", f"one {name} each", where
            )
        label_of_row[name] = np.append(names, UNLABELLED)[code_of_row]
    return label_of_row


def _read_indices(data: xr.DataArray, name: str, stop: int, where: str) -> Ints:
    """The coordinate `name` of events, whole numbers from 0 to below `stop`. Raises: JtfneError."""
    if (
        name not in data.coords
        or data[name].dims != ("event",)
        or data[name].dtype.kind not in "iu"
    ):
        raise refuse(
            f"spike events without {name!r}",
            f"a coordinate {name!r} (event) of whole numbers",
            where,
        )
    values = np.asarray(data[name].values, np.int64)
    if values.size and not 0 <= values.min() <= values.max() < stop:
        raise refuse(
            f"spike events with {name} {values.min()} to {values.max()}", f"0 to {stop - 1}", where
        )
    return values


def _from_raster(data: xr.DataArray, where: str) -> Spikes:
    """Spikes from counts (time, neuron), with or without a trial dim; a count of 2 is two events.

    A sample stands for the step that ends at its time, as in a run: spikes of the first lie one
    step before it at most.
    """
    check_form(data, where, "time", "neuron")
    raster = in_ms(data if "trial" in data.dims else data.expand_dims("trial"), where)
    extra_dims = [str(dim) for dim in raster.dims if dim not in ("trial", "time", "neuron")]
    if extra_dims:
        raise refuse(f"a raster with dims {extra_dims}", "trial, time, neuron", where)
    dt_ms = even_step(raster, "time", where)
    values = np.asarray(raster.transpose("trial", "time", "neuron").values)
    counts = values.astype(np.int64) if np.isfinite(values).all() else None
    if counts is None or not np.array_equal(counts, values) or counts.min() < 0:
        raise refuse("a raster whose values are not all counts", "whole numbers, 0 or above", where)
    n_spikes = float(counts.sum(dtype=np.float64))
    refuse_large(EVENT_BYTES * n_spikes, f"counts of {n_spikes:g} spikes", where)
    trial, step, row = np.nonzero(counts)
    event_indices = np.repeat(np.stack([trial, step, row]), counts[trial, step, row], axis=1)
    time_ms = np.asarray(raster["time"].values, np.float64)
    return Spikes(
        time_ms=time_ms[event_indices[1]],
        row=event_indices[2],
        trial=event_indices[0],
        neuron=_read_ids(raster, where),
        trials=raster["trial"].values if "trial" in raster.coords else np.arange(counts.shape[0]),
        duration_ms=counts.shape[1] * dt_ms,
        labels={key: _read_label(raster, key, where) for key in LABELS if key in raster.coords},
        start_ms=round(float(time_ms[0]) - dt_ms, _time.DECIMALS),
    )


def _read_ids(data: xr.DataArray, where: str) -> Ints:
    """The ids of a raster's neurons; 0, 1, ... where it has none.

    Raises: JtfneError for ids given twice.
    """
    if "neuron" not in data.coords:
        return np.arange(data.sizes["neuron"])
    ids = data["neuron"].values
    if ids.dtype.kind not in "iu" or np.unique(ids).size < ids.size:
        raise refuse(
            "neurons whose ids are no whole numbers, or given twice,",
            "an id for each neuron",
            where,
        )
    return np.asarray(ids, np.int64)


def _read_label(data: xr.DataArray, key: str, where: str) -> NDArray[Any]:
    """The label `key` of each neuron, (n_neurons,).

    A scalar coordinate, as after selecting one area, holds for all neurons. Raises: JtfneError.
    """
    if data[key].ndim and data[key].dims != ("neuron",):
        raise refuse(
            f"a label {key!r} over {tuple(map(str, data[key].dims))}", "one for each neuron", where
        )
    return np.broadcast_to(np.asarray(data[key].values, dtype=str), data.sizes["neuron"])
