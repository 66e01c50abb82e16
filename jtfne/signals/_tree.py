"""Builds the tree of labelled arrays that Signals wraps, from readouts and tables."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._rows import Array, Rows
from jtfne.config.task import Task, assign_codes
from jtfne.readouts import ReadoutNode
from jtfne.wiring import Identity

if TYPE_CHECKING:
    import xarray as xr

SCHEMA = "signals/1"


def build_tree(
    readouts: list[ReadoutNode],
    task: Task,
    identity: Identity | None,
    attrs: dict[str, str | int | float],
    tables: "Mapping[str, xr.Dataset] | None" = None,
) -> "xr.DataTree":
    """The tree: one node for each readout, and `tables` (made unless given).

    See signals_schema.md.
    """
    import xarray as xr

    n_trials = int(attrs["n_trials"])
    if tables is None:
        tables = build_tables(task, identity, n_trials, float(attrs["duration_ms"]))
    nodes = {}
    for readout in readouts:
        nodes[readout.name] = xr.DataTree(_dataset(readout, n_trials, task.conditions))
    for name, table in tables.items():
        nodes[name] = xr.DataTree(table)
    return xr.DataTree(xr.Dataset(attrs={"jtfne_schema": SCHEMA, **attrs}), children=nodes)


def build_tables(
    task: Task, identity: Identity | None, n_trials: int, duration_ms: float
) -> "dict[str, xr.Dataset]":
    """The nodes `events` and, where the net has names, `neurons`."""
    events = {"events": _events(task, n_trials, duration_ms)}
    return events if identity is None else {**events, "neurons": _neurons(identity)}


def _dataset(readout: ReadoutNode, n_trials: int, conditions: tuple[str, ...]) -> "xr.Dataset":
    """Variables, coordinates and attributes of one readout."""
    import xarray as xr

    coords: dict[str, Any] = {}
    for name, (dims, coord_values) in readout.coords.items():
        coords[name] = (dims, np.array(coord_values))
    if "time" in coords:
        coords["time"] = (
            *coords["time"],
            {"units": "ms", "long_name": "time since the start of the trial"},
        )
    if all("event" not in dims for dims, _ in readout.values.values()):
        coords["trial"] = ("trial", np.arange(n_trials))
        if conditions:
            coords["condition"] = ("trial", np.array(conditions, dtype=str))
    variables = {}
    for name, (dims, values) in readout.values.items():
        is_label = name in ("neuron", "trial")
        attrs: dict[str, str | int | float] = {"units": "1"} if is_label else readout.attrs
        variables[name] = _variable(dims, values, attrs)
    return xr.Dataset(variables, coords, readout.attrs)


def _variable(
    dims: tuple[str, ...], values: Array | Rows, attrs: dict[str, str | int | float]
) -> "xr.Variable":
    """Wrap values as a Variable: writable arrays as they are, read-only ones copied, others lazily.

    Nobody else may hold a writable array. Values on disk stay there until they are read.
    """
    import xarray as xr

    from jtfne import row_arrays

    if isinstance(values, np.ndarray):
        return xr.Variable(dims, values if values.flags.writeable else values.copy(), attrs)
    return row_arrays.variable(dims, values, attrs)


def _neurons(identity: Identity) -> "xr.Dataset":
    """Labels and positions of all cells."""
    import xarray as xr

    columns: dict[str, Any] = {}
    for name in ("area", "layer", "cell_type"):
        columns[name] = ("neuron", identity.texts(name))
    for k, axis in enumerate("xyz"):
        columns[f"{axis}_mm"] = ("neuron", identity.position_mm[:, k].copy())
    return xr.Dataset(columns, {"neuron": ("neuron", identity.ids.astype(np.int64))})


def _events(task: Task, n_trials: int, duration_ms: float) -> "xr.Dataset":
    """Every event of every trial, in order of trial and onset."""
    import xarray as xr

    rows = []
    event_stimuli = [stimulus for stimulus in task.stimuli if stimulus.event]
    for trial in range(n_trials):
        for stimulus in event_stimuli:
            for drive in stimulus.list_presentations(trial):
                for onset_ms, width_ms in drive.events_ms(duration_ms):
                    width_inside_ms = min(width_ms, duration_ms - onset_ms)
                    rows.append((trial, onset_ms, width_inside_ms, stimulus.label))
    rows.sort()
    trials, onsets_ms, widths_ms, labels = zip(*rows, strict=True) if rows else ((), (), (), ())
    codes, conditions = assign_codes(task.stimuli), task.conditions_of(n_trials)
    columns = {
        "trial": np.array(trials, np.int64),
        "onset_ms": np.array(onsets_ms, np.float64),
        "duration_ms": np.array(widths_ms, np.float64),
        "label": np.array(labels, dtype=str),
        "code": np.array([codes[label] for label in labels], np.int64),
        "condition": np.array([conditions[trial] for trial in trials], dtype=str),
    }
    return xr.Dataset({name: ("event", values) for name, values in columns.items()})
