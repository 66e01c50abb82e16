"""Builds the tree of labelled arrays that Signals wraps, from readouts and tables."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._rows import Array, Rows
from jtfne.config.task import Task, assign_codes
from jtfne.probes import Readout
from jtfne.wiring import Identity

if TYPE_CHECKING:
    import xarray as xr

SCHEMA = "signals/1"


def build_tree(
    readouts: list[Readout],
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
    nodes = {readout.name: _dataset(readout, n_trials, task.conditions) for readout in readouts}
    nodes |= (
        build_tables(task, identity, n_trials, float(attrs["duration_ms"]))
        if tables is None
        else tables
    )
    root = xr.Dataset(attrs={"jtfne_schema": SCHEMA, **attrs})
    return xr.DataTree(
        root, children={name: xr.DataTree(dataset) for name, dataset in nodes.items()}
    )


def build_tables(
    task: Task, identity: Identity | None, n_trials: int, duration_ms: float
) -> "dict[str, xr.Dataset]":
    """The nodes `events` and, where the net has names, `neurons`."""
    events = {"events": _events(task, n_trials, duration_ms)}
    return events if identity is None else {**events, "neurons": _neurons(identity)}


def _dataset(readout: Readout, n_trials: int, conditions: tuple[str, ...]) -> "xr.Dataset":
    """Variables, coordinates and attributes of one readout."""
    import xarray as xr

    coords: dict[str, Any] = {
        name: (dims, np.array(values)) for name, (dims, values) in readout.coords.items()
    }
    if "time" in coords:
        coords["time"] = (
            *coords["time"],
            {"units": "ms", "long_name": "time since the start of the trial"},
        )
    if readout.name != "spk":
        coords["trial"] = ("trial", np.arange(n_trials))
        coords |= {"condition": ("trial", np.array(conditions, dtype=str))} if conditions else {}
    variables = {
        name: _variable(
            dims, values, {"units": "1"} if name in ("neuron", "trial") else readout.attrs
        )
        for name, (dims, values) in readout.values.items()
    }
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

    labels = {name: ("neuron", identity.texts(name)) for name in ("area", "layer", "cell_type")}
    places = {
        f"{axis}_mm": ("neuron", identity.position_mm[:, k].copy()) for k, axis in enumerate("xyz")
    }
    return xr.Dataset({**labels, **places}, {"neuron": ("neuron", identity.ids.astype(np.int64))})


def _events(task: Task, n_trials: int, duration_ms: float) -> "xr.Dataset":
    """Every event of every trial, in order of trial and onset."""
    import xarray as xr

    rows = sorted(
        (trial, onset_ms, min(width_ms, duration_ms - onset_ms), stimulus.label)
        for trial in range(n_trials)
        for stimulus in task.stimuli
        for drive in (stimulus.presented(trial) if stimulus.event else ())
        for onset_ms, width_ms in drive.events_ms(duration_ms)
    )
    trial, onset_ms, width_ms, label = zip(*rows, strict=True) if rows else ((), (), (), ())
    codes, conditions = assign_codes(task.stimuli), task.conditions_of(n_trials)
    columns = {
        "trial": np.array(trial, np.int64),
        "onset_ms": np.array(onset_ms, np.float64),
        "duration_ms": np.array(width_ms, np.float64),
        "label": np.array(label, dtype=str),
        "code": np.array([codes[text] for text in label], np.int64),
        "condition": np.array([conditions[k] for k in trial], dtype=str),
    }
    return xr.Dataset({name: ("event", values) for name, values in columns.items()})
