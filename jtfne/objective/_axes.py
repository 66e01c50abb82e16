"""Selects the part of an array that a metric sees: rows by label, samples by time."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from jtfne import _time
from jtfne._arguments import match_labels
from jtfne._check import (
    FINITE,
    POSITIVE,
    Limit,
    describe_value,
    number,
    refuse,
    whole_number,
)
from jtfne._grid import nearest_steps
from jtfne.config.objective import ObjectiveTerm
from jtfne.measures import Frame
from jtfne.signals import Signals

Ints = NDArray[np.int64]
LABELS = ("area", "layer", "cell_type")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Axes:
    """The clock and the labels of a readout's array, of dims ([trial,] time, rows).

    Parameters
    ----------
    step_ms : float
        From sample to sample.
    n_samples : int
        In a trial.
    first_ms : float, optional
        Time of the first sample; ``step_ms``, the end of the first step, unless given.
    labels : dict
        Of spikes, one of each for a cell: ``neuron`` (ids), ``area``, ``layer``, ``cell_type``. Of
        channels ``channel`` and, of laminar ones, ``z_mm`` and ``area``, whose arrays are (time,
        area, channel). Of readouts with one trace an area ``area``.
    units : str
        Of the array.

    Examples
    --------
    >>> Axes(step_ms=0.5, n_samples=3, labels={"cell_type": ["E", "E", "PV"]}).time_ms.tolist()
    [0.5, 1.0, 1.5]
    """

    step_ms: float
    n_samples: int
    first_ms: float | None = None
    labels: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    units: str = "a.u."

    def __post_init__(self) -> None:
        number(self.step_ms, POSITIVE, name="step_ms", where="Axes")
        whole_number(self.n_samples, Limit(low=1), name="n_samples", where="Axes")
        if self.first_ms is not None:
            number(self.first_ms, FINITE, name="first_ms", where="Axes")
        if not isinstance(self.labels, Mapping):
            raise refuse(
                f"labels={describe_value(self.labels)}", "a dict of labels by name", "Axes"
            )
        if not isinstance(self.units, str):
            raise refuse(f"units={describe_value(self.units)}", "a unit, such as 'mV'", "Axes")
        object.__setattr__(
            self, "labels", {name: np.asarray(values) for name, values in self.labels.items()}
        )

    @functools.cached_property
    def time_ms(self) -> NDArray[np.float64]:
        """The time of each sample, ms: (n_samples,)."""
        first_ms = self.step_ms if self.first_ms is None else self.first_ms
        return first_ms + np.arange(self.n_samples) * np.float64(self.step_ms)

    @classmethod
    def of(cls, signals: Signals, readout: str) -> "Axes":
        """The axes of a readout of a run. Raises: JtfneError if it was not recorded."""
        if readout not in signals.recorded():
            signals.get(readout)  # says so
        node = signals.tree[readout].to_dataset()
        units = str(node.attrs["units"])
        if readout == "spk":
            step_ms = float(node.attrs["dt_ms"])
            labels = {"neuron": np.arange(int(node.attrs["n_neurons"]))}
            if "neurons" in signals.tree.children:
                cells = signals.tree["neurons"].to_dataset()
                labels = {name: cells[name].values for name in ("neuron", *LABELS)}
            n_samples = int(nearest_steps(float(node.attrs["duration_ms"]), step_ms))
            return cls(step_ms=step_ms, n_samples=n_samples, labels=labels)
        axis = node["time"]
        time_ms = _time.axis_to_ms(axis.values, axis.attrs.get("units"), where="Axes.of")
        step_ms = float(node.attrs["interval_ms"])
        labels = {
            name: node[name].values for name in ("area", "channel", "z_mm") if name in node.coords
        }
        return cls(
            step_ms=step_ms,
            n_samples=time_ms.size,
            first_ms=float(time_ms[0]),
            labels=labels,
            units=units,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class SelectedPart:
    """What a metric sees: samples `start` to `stop`, rows, areas if laminar; `frame` of these."""

    start: int
    stop: int
    rows: Ints
    areas: Ints | None
    frame: Frame


def select_part(aim: ObjectiveTerm, axes: Axes, where: str) -> SelectedPart:
    """The part of a readout that `aim` selects. Raises: JtfneError if it is empty or unfit."""
    time_ms = axes.time_ms
    low_ms, high_ms = (-np.inf, np.inf) if aim.window_ms is None else aim.window_ms
    if aim.window_ms is not None and high_ms > time_ms[-1] + axes.step_ms / 2:
        raise refuse(
            f"window_ms={low_ms:g} to {high_ms:g}",
            f"a window within the run, to {time_ms[-1]:g} ms",
            where,
        )
    samples_inside = np.flatnonzero(_time.in_window(time_ms, low_ms, high_ms))
    if samples_inside.size == 0:
        raise refuse(
            f"window_ms={low_ms:g} to {high_ms:g}",
            f"one that holds a sample, {axes.step_ms:g} ms",
            where,
        )
    start, stop = int(samples_inside[0]), int(samples_inside[-1]) + 1
    clock: dict[str, Any] = {
        "step_ms": axes.step_ms,
        "n_samples": stop - start,
        "first_ms": float(time_ms[start]),
    }
    measure = aim.measure
    kind = aim.row_kind
    areas = _areas(aim, axes, where) if kind in ("laminar", "areal") else np.arange(0)
    if measure.one_area and areas.size > 1:
        area_names = ", ".join(map(str, axes.labels["area"][areas]))
        raise refuse(
            f"{type(measure).__name__} of areas {area_names}",
            "one area, by cells={'area': ...}",
            where,
        )
    if kind == "spikes":
        part = SelectedPart(
            start, stop, _cells(aim, axes, where), None, Frame(**clock, counts=True)
        )
    elif kind == "areal":
        names = tuple(str(area) for area in axes.labels["area"][areas])
        part = SelectedPart(start, stop, areas, None, Frame(**clock, channels=names))
    else:
        rows = _channels(aim, axes, where)
        names = tuple(str(channel) for channel in axes.labels["channel"][rows])
        depths = (
            tuple(float(depth_mm) for depth_mm in axes.labels["z_mm"][rows])
            if kind == "laminar"
            else ()
        )
        frame = Frame(**clock, channels=names, z_mm=depths, density=aim.is_density)
        part = SelectedPart(start, stop, rows, areas if kind == "laminar" else None, frame)
    complaint = measure.complaint(part.frame)
    if complaint is not None:
        raise refuse(complaint[0], complaint[1], where)
    return part


def _require_labels(aim: ObjectiveTerm, axes: Axes, names: Sequence[str], where: str) -> None:
    """Raises: JtfneError if `axes` lacks any of the labels in `names`."""
    missing_names = [name for name in names if name not in axes.labels]
    if missing_names:
        raise refuse(
            f"{aim.of!r} without {missing_names[0]}", f"Axes with labels {', '.join(names)}", where
        )


def _cells(aim: ObjectiveTerm, axes: Axes, where: str) -> Ints:
    """Rows of the selected cells. Raises: JtfneError if none matches."""
    selection = {}
    for key in LABELS:
        names = getattr(aim.cells, key)
        if names is not None:
            selection[key] = names
    ids = aim.cells.ids
    required_keys = list(selection) if ids is None else [*selection, "neuron"]
    missing_keys = [key for key in required_keys if key not in axes.labels]
    if missing_keys:
        raise refuse(
            f"{missing_keys[0]}={selection.get(missing_keys[0], ids)!r} of cells without that "
            "label",
            "cells with it",
            where,
        )
    if not required_keys:
        n_cells = max((np.size(labels) for labels in axes.labels.values()), default=0)
        if n_cells == 0:
            raise refuse(
                "spikes without labels", "Axes with a label for each cell, such as neuron", where
            )
        return np.arange(n_cells)
    masks = [
        match_labels(axes.labels[key], names, name=key, where=where)
        for key, names in selection.items()
    ]
    if ids is not None:
        id_texts = [str(cell_id) for cell_id in ids]
        masks.append(match_labels(axes.labels["neuron"], id_texts, name="ids", where=where))
    rows = np.flatnonzero(np.logical_and.reduce(masks))
    if rows.size == 0:
        raise refuse(f"cells {aim.selector!r}, which match nothing,", "cells that are there", where)
    return rows


def _channels(aim: ObjectiveTerm, axes: Axes, where: str) -> Ints:
    """Rows of the selected channels; laminar ones from the top down."""
    is_laminar = aim.row_kind == "laminar"
    required_labels = ("channel", "z_mm") if is_laminar else ("channel",)
    _require_labels(aim, axes, required_labels, where)
    names = axes.labels["channel"]
    rows = (
        np.arange(names.size)
        if aim.channels is None
        else np.flatnonzero(match_labels(names, aim.channels, name="channel", where=where))
    )
    return rows[np.argsort(axes.labels["z_mm"][rows], kind="stable")] if is_laminar else rows


def _areas(aim: ObjectiveTerm, axes: Axes, where: str) -> Ints:
    """Rows of the selected areas."""
    _require_labels(aim, axes, ("area",), where)
    area_labels = axes.labels["area"]
    if aim.cells.area is None:
        return np.arange(area_labels.size)
    return np.flatnonzero(match_labels(area_labels, aim.cells.area, name="area", where=where))


def take_samples(
    aim: ObjectiveTerm, array: ArrayLike, axes: Axes, where: str
) -> tuple[jax.Array, Frame]:
    """The samples that the measure of `aim` takes from an array, and their frame; traceable."""
    part, x = select_part(aim, axes, where), jnp.asarray(array)
    n_dims = 3 if part.areas is not None else 2
    if x.ndim not in (n_dims, n_dims + 1) or x.shape[-n_dims] != axes.n_samples:
        dims = "time, area, channel" if n_dims == 3 else "time, row"
        problem = f"an array of shape {x.shape} for {aim.of!r}"
        raise refuse(problem, f"({dims}) with {axes.n_samples} samples, or trials of that", where)
    x = x if x.ndim > n_dims else x[None]
    x = x[:, part.start : part.stop]
    if part.areas is not None:
        x = x[:, :, part.areas]
    x = x[..., part.rows]
    x = x.reshape(*x.shape[:2], -1)
    if not part.frame.counts:
        return x, part.frame
    measure = aim.measure
    if measure.of_intervals:
        return _intervals(x, axes.step_ms), part.frame
    frame = measure.binned(part.frame)
    steps_per_bin = measure.bin_of(part.frame.n_samples, axes.step_ms)
    whole_bins = x[:, : frame.n_samples * steps_per_bin]
    return whole_bins.reshape(x.shape[0], frame.n_samples, steps_per_bin, x.shape[-1]).sum(
        axis=2
    ), frame


def _intervals(raster: jax.Array, step_ms: float) -> jax.Array:
    """Intervals between spikes, (n_cells, n_trials * n_samples) ms, NaN where there is none."""
    spikes = raster > 0.5
    step = jnp.arange(raster.shape[1])[None, :, None]
    latest = jax.lax.cummax(jnp.where(spikes, step, -1), axis=1)
    previous = jnp.concatenate([jnp.full_like(latest[:, :1], -1), latest[:, :-1]], axis=1)
    intervals = jnp.where(spikes & (previous >= 0), (step - previous) * step_ms, jnp.nan)
    # NaN is no spike and no silence either: infinite intervals make every measure of that cell not
    # finite
    intervals = jnp.where(jnp.isnan(raster).any(axis=(0, 1)), jnp.inf, intervals)
    return jnp.moveaxis(intervals, -1, 0).reshape(raster.shape[-1], -1)


@dataclasses.dataclass(frozen=True, eq=False)
class ReadoutData:
    """One readout of a run, whose arrays are computed once for all metrics."""

    signals: Signals
    name: str
    axes: Axes

    @functools.cached_property
    def values(self) -> NDArray[np.float64]:
        """The samples, (n_trials, n_samples, ...)."""
        samples: NDArray[np.float64] = self.signals.get(
            self.name, layout="trial_time_node"
        ).values.astype(np.float64)
        return samples

    @functools.cached_property
    def events(self) -> tuple[Ints, Ints, Ints]:
        """Trial, step (from 0) and row of each spike, (n_spikes,) each."""
        node = self.signals.tree["spk"].to_dataset()
        ids = np.asarray(self.axes.labels["neuron"])
        order = np.argsort(ids, kind="stable")
        row = order[np.searchsorted(ids[order], node["neuron"].values)]
        step = nearest_steps(node["time"].values, self.axes.step_ms) - 1
        return node["trial"].values.astype(np.int64), step, row


def take_run_samples(
    aim: ObjectiveTerm, readout: ReadoutData, where: str
) -> tuple[NDArray[np.float64], Frame]:
    """The samples that `aim` takes from a run, and their frame.

    Equals `take_samples` of its array, but spikes are counted from events, without a dense raster.
    """
    axes = readout.axes
    if aim.row_kind != "spikes":
        x, frame = take_samples(aim, readout.values, axes, where)
        return np.asarray(x), frame
    part = select_part(aim, axes, where)
    trial, step, row = readout.events
    positions = np.full(_n_cells(axes), -1)
    positions[part.rows] = np.arange(part.rows.size)
    mask = (step >= part.start) & (step < part.stop) & (positions[row] >= 0)
    trial, step, row = trial[mask], step[mask] - part.start, positions[row[mask]]
    measure = aim.measure
    if measure.of_intervals:
        return _pad_intervals(
            trial, np.float64(axes.step_ms) * step, row, part.rows.size
        ), part.frame
    frame = measure.binned(part.frame)
    bins = step // measure.bin_of(part.frame.n_samples, axes.step_ms)
    mask = bins < frame.n_samples
    shape = (int(readout.signals.tree.attrs["n_trials"]), frame.n_samples, part.rows.size)
    flat = np.ravel_multi_index((trial[mask], bins[mask], row[mask]), shape)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64), frame


def _n_cells(axes: Axes) -> int:
    """The number of cells."""
    return int(np.size(axes.labels["neuron"]))


def _pad_intervals(
    trial: Ints, time_ms: NDArray[np.float64], row: Ints, n_cells: int
) -> NDArray[np.float64]:
    """Intervals of each cell within its trials, (n_cells, n) ms, NaN where there is none."""
    order = np.lexsort((time_ms, trial, row))
    trial, time_ms, row = trial[order], time_ms[order], row[order]
    same_train = (np.diff(row) == 0) & (np.diff(trial) == 0)
    cells, intervals_ms = row[1:][same_train], np.diff(time_ms)[same_train]
    counts = np.bincount(cells, minlength=n_cells)
    position = np.arange(cells.size) - np.repeat(np.cumsum(counts) - counts, counts)
    n_columns = max(int(counts.max(initial=0)), 1)
    # powers of 2: jax compiles per shape
    table = np.full((n_cells, 1 << (n_columns - 1).bit_length()), np.nan)
    table[cells, position] = intervals_ms
    return table
