"""What the analyses read: a run or a labelled array, as plain float64 arrays with their clock and labels."""

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from jtfne._check import JtfneError, one_of, refuse
from jtfne._precision import precision
from jtfne.signals import Signals

Data = Signals | xr.DataArray
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LABELS = ("area", "layer", "cell_type")
TOLERANCE = 1e-4  # of a step: single precision, which FIF files hold places in, is finer


def array(data: Data, readout: str, where: str) -> xr.DataArray:
    """The DataArray to analyse: `data` itself, or the `readout` of a run. Raises: JtfneError for anything else."""
    if isinstance(data, xr.DataArray):
        return data
    if isinstance(data, Signals):
        return data.get(readout)
    raise refuse(f"data of type {type(data).__name__}", "Signals or an xarray.DataArray", where)


def need(data: xr.DataArray, *dims: str, where: str) -> None:
    """Raises: JtfneError where `data` lacks one of `dims`."""
    missing = [dim for dim in dims if dim not in data.dims]
    if missing:
        given = f"a DataArray with dims {tuple(str(dim) for dim in data.dims)}"
        raise refuse(given, f"dims that include {', '.join(map(repr, dims))}", where)


def even_step(data: xr.DataArray, coord: str, where: str) -> float:
    """The step of an evenly spaced coordinate. Raises: JtfneError where it is missing or uneven."""
    if coord not in data.coords:
        raise refuse(f"a DataArray without the coordinate {coord!r}", f"one with {coord!r}, evenly spaced", where)
    values = np.asarray(data[coord].values, dtype=np.float64)
    if values.size < 2:
        raise refuse(f"{coord} with {values.size} value", "2 or more, evenly spaced", where)
    step = float(values[-1] - values[0]) / (values.size - 1)
    if not np.all(np.abs(np.diff(values) - step) <= TOLERANCE * abs(step) + 1e-9) or step == 0.0:
        raise refuse(f"{coord} that is not evenly spaced", "one step throughout", where)
    return step


def by_depth(data: xr.DataArray, where: str, at_least: int = 3) -> tuple[xr.DataArray, float]:
    """`data` ordered by depth z_mm of its channels, and their spacing in mm. Raises: JtfneError without even depths."""
    ordered = downward(data, where, at_least)
    return ordered, even_step(ordered, "z_mm", where)


def downward(data: xr.DataArray, where: str, at_least: int = 3) -> xr.DataArray:
    """`data` ordered by depth z_mm of its channels, even or not. Raises: JtfneError without depths."""
    need(data, "channel", where=where)
    if "z_mm" not in data.coords or data["z_mm"].dims != ("channel",):
        raise refuse("channels without depths", "a coordinate z_mm (channel), depth below pia in mm", where)
    if data.sizes["channel"] < at_least:
        raise refuse(f"{data.sizes['channel']} channels", f"{at_least} or more", where)
    return data.isel(channel=np.argsort(data["z_mm"].values, kind="stable"))


def values_last(data: xr.DataArray, *last: str) -> tuple[Floats, tuple[Hashable, ...]]:
    """float64 values with the dims `last` at the end, and the dims before them."""
    front = tuple(dim for dim in data.dims if dim not in last)
    return np.asarray(data.transpose(*front, *last).values, dtype=np.float64), front


def coords_of(data: xr.DataArray, dims: Sequence[Hashable]) -> dict[Hashable, Any]:
    """The coordinates of `data` that live on `dims` alone."""
    return {name: coord for name, coord in data.coords.items() if coord.ndim and set(coord.dims) <= set(dims)}


def kernel(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """What a jnp kernel of `jtfne.measures` gives in float64, as writable numpy arrays."""
    with precision("float64"):
        result = function(*arguments, **keywords)
        return tuple(np.array(part) for part in result) if isinstance(result, tuple) else np.array(result)


@dataclasses.dataclass(frozen=True)
class Spikes:
    """Spike events: `time_ms`, `row` of the neuron and `trial` index, each (n_events,), with what they lie in.

    neuron: (n_neurons,) ids. labels: area, layer, cell_type, each (n_neurons,), if known. Times lie in (0, duration].
    """

    time_ms: Floats
    row: Ints
    trial: Ints
    neuron: Ints
    n_trials: int
    duration_ms: float
    labels: Mapping[str, NDArray[Any]]

    def counts(self, bin_ms: float, group: Ints | None = None) -> Floats:
        """Spikes by trial, bin and row, or group of rows: (n_trials, n_bins, n_rows); bins are (k, k + 1] bin_ms."""
        of_row = np.arange(self.neuron.size) if group is None else group
        n_rows = int(of_row.max(initial=-1)) + 1
        n_bins = max(1, int(np.floor(self.duration_ms / bin_ms + TOLERANCE)))
        which = np.maximum(np.ceil(self.time_ms / bin_ms - TOLERANCE).astype(np.int64) - 1, 0)
        kept = which < n_bins
        flat = (self.trial[kept] * n_bins + which[kept]) * n_rows + of_row[self.row[kept]]
        counted = np.bincount(flat, minlength=self.n_trials * n_bins * n_rows).astype(np.float64)
        return counted.reshape(self.n_trials, n_bins, n_rows)

    def groups(self, by: str | Sequence[str], where: str) -> tuple[Ints, str, dict[str, Any]]:
        """Group of each row, the groups' dim, and its coordinates. Raises: JtfneError where a label is not known."""
        keys = (by,) if isinstance(by, str) else tuple(by)
        for key in keys:
            one_of(key, LABELS, name="by", where=where)
            if key not in self.labels:
                raise refuse(f"by={key!r} for neurons without that label", "a run of a Net with identity", where)
        rows = list(zip(*(map(str, self.labels[key]) for key in keys), strict=True))
        order = {combination: k for k, combination in enumerate(dict.fromkeys(rows))}
        code = np.array([order[row] for row in rows], dtype=np.int64)
        if isinstance(by, str):
            return code, by, {by: np.array([combination[0] for combination in order], dtype=str)}
        coords: dict[str, Any] = {"population": np.array([" ".join(each) for each in order], dtype=str)}
        for position, key in enumerate(keys):
            coords[key] = ("population", np.array([each[position] for each in order], dtype=str))
        return code, "population", coords


def is_raster(data: xr.DataArray) -> bool:
    """Whether `data` holds spikes, as events or as counts in bins, rather than a continuous trace."""
    return data.attrs.get("readout") == "spk" or "event" in data.dims or data.dtype.kind in "biu"


def spikes_of(data: Data, where: str) -> Spikes:
    """The spikes of a run, of a raster (time, neuron), or of an event array. Raises: JtfneError for anything else."""
    if isinstance(data, Signals):
        return _from_signals(data, where)
    if not isinstance(data, xr.DataArray):
        raise refuse(f"data of type {type(data).__name__}", "Signals or an xarray.DataArray", where)
    if "event" in data.dims:
        return _from_events(data, where)
    need(data, "time", "neuron", where=where)
    return _from_raster(data, where)


def _from_signals(signals: Signals, where: str) -> Spikes:
    """The events of the run's `spk` node."""
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
    """Spike times (event,) in ms, with coordinates `neuron`, 0 .. n_neurons - 1, and `trial`."""
    for name in ("n_neurons", "n_trials", "duration_ms"):
        if name not in data.attrs:
            raise refuse(f"spike events without attrs[{name!r}]", "n_neurons, n_trials and duration_ms", where)
    return Spikes(
        time_ms=np.asarray(data.values, np.float64),
        row=np.asarray(data["neuron"].values, np.int64),
        trial=np.asarray(data["trial"].values, np.int64),
        neuron=np.arange(int(data.attrs["n_neurons"])),
        n_trials=int(data.attrs["n_trials"]),
        duration_ms=float(data.attrs["duration_ms"]),
        labels={},
    )


def _from_raster(data: xr.DataArray, where: str) -> Spikes:
    """The events of counts (time, neuron), with or without a trial dim; a count of 2 is two events."""
    full = data if "trial" in data.dims else data.expand_dims("trial")
    extra = [str(dim) for dim in full.dims if dim not in ("trial", "time", "neuron")]
    if extra:
        raise JtfneError(f"a raster with dims {extra} is not allowed; allowed: trial, time, neuron (in {where})")
    dt_ms = even_step(full, "time", where)
    counts = np.asarray(full.transpose("trial", "time", "neuron").values).astype(np.int64)
    trial, step, row = np.nonzero(counts)
    times = np.repeat(np.stack([trial, step, row]), counts[trial, step, row], axis=1)
    n_steps, n_neurons = counts.shape[1:]
    ids = full["neuron"].values if "neuron" in full.coords else np.arange(n_neurons)
    return Spikes(
        time_ms=(times[1] + 1) * dt_ms,
        row=times[2],
        trial=times[0],
        neuron=np.asarray(ids, np.int64),
        n_trials=counts.shape[0],
        duration_ms=n_steps * dt_ms,
        labels={key: np.asarray(full[key].values, dtype=str) for key in LABELS if key in full.coords},
    )
