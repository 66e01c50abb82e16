"""Runs of one circuit with other arrays: prepared once, then run again and again by candidates."""

import dataclasses
from typing import Any

import numpy as np

from jtfne._precision import precision
from jtfne.flatnet import FlatNet
from jtfne.paradigm import Paradigm
from jtfne.probes import Recording, SpikeEvents
from jtfne.signals import Signals
from jtfne.simulation._inputs import build_run_inputs
from jtfne.simulation._label import label_recording
from jtfne.simulation._loop import CHUNK_STEPS, InMemory, chunk_length, record
from jtfne.simulation._memory import eval_recorder_shapes
from jtfne.simulation._prepare import PreparedRun, merge_arguments, plan_probes
from jtfne.wiring import NetData

CHUNK_CELLS = 5_000
"""With so many cells, a chunk of a candidate has `CHUNK_STEPS`.

Fewer cells have longer chunks, since each chunk costs some time.
"""


def prepare_variants(
    net: NetData,
    paradigm: Paradigm | None,
    flat: FlatNet,
    readouts: tuple[str, ...] | None = None,
) -> PreparedRun:
    """Prepare a run of `net`, as `simulate` would, to be repeated by `run_variant`.

    flat: the form of the arrays of all variants. readouts: those to record of what the config's
    probes record; all of them if None.
    Raises: as `simulate`.
    """
    config, n_trials = merge_arguments(net, paradigm)
    if readouts is not None:
        probes = [probe for probe in config.readouts.probes if probe.readout in readouts]
        config = config.probes(probes)
    run = config.run
    with precision(run.dtype):
        probe_plan = plan_probes(net, config)
        steps = CHUNK_STEPS * min(max(CHUNK_CELLS // net.n_neurons, 1), 10)
        length = chunk_length(probe_plan.recorders, run.n_steps, steps)
        dtype = np.dtype(run.dtype)
        inputs = build_run_inputs(config.task.stimuli, net, flat.receptors, run.dt_ms, dtype)
    return PreparedRun(net, config, flat, inputs, probe_plan, n_trials, length)


def run_variant(prepared: PreparedRun, flat: FlatNet, seed: int) -> Signals:
    """Return what a run of other arrays records, to the bit what `simulate` gives.

    There is no manifest, and it runs on the calling thread. flat: of the form of `prepared.flat`,
    so that nothing is compiled anew.
    Raises: JtfneError if a cell runs away.
    """
    probe_plan = prepared.probe_plan
    every = {probe.name: probe.every for probe in probe_plan.probes}
    with precision(prepared.config.run.dtype):
        recording = record(
            flat,
            dataclasses.replace(prepared.inputs, seed=seed),
            probe_plan.recorders,
            seed=seed,
            n_steps=prepared.n_steps,
            n_trials=prepared.n_trials,
            length=prepared.length,
            sink=InMemory(every, prepared.n_trials, prepared.n_steps),
            on_progress=lambda n: None,
        )
    return Signals(
        label_recording(prepared.net, prepared.config, probe_plan, recording, prepared.tables)
    )


def empty_signals(prepared: PreparedRun) -> Signals:
    """Return the signals of a run in which nothing happened: labels and clocks, all values zero."""
    dtype, n_steps, n_trials = prepared.config.run.dtype, prepared.n_steps, prepared.n_trials
    rows_by_readout: dict[str, np.ndarray[Any, Any]] = {}
    for recorder in prepared.probe_plan.recorders:
        _, shapes = eval_recorder_shapes(
            recorder, n_steps // recorder.every, prepared.net.n_neurons, dtype
        )
        for name, shape in shapes.items():
            rows_by_readout[name] = np.zeros((n_trials, *shape.shape), shape.dtype)
    no_spikes = SpikeEvents(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64))
    recording = Recording(n_trials, n_steps, prepared.flat.dt_ms, rows_by_readout, no_spikes)
    with precision(dtype):
        return Signals(
            label_recording(prepared.net, prepared.config, prepared.probe_plan, recording)
        )
