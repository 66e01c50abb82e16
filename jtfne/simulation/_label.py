"""Recordings -> Signals: names on rows, and the manifest of how they came about."""

from typing import TYPE_CHECKING

from jtfne._keys import STREAMS
from jtfne.config import Config
from jtfne.probes import Plan, Recording
from jtfne.reports import run_manifest
from jtfne.signals import Signals, build_tree
from jtfne.sources import SOURCES
from jtfne.wiring import NetData

if TYPE_CHECKING:
    import xarray as xr


def build_signals(
    net: NetData,
    config: Config,
    probe_plan: Plan,
    recording: Recording,
    timings: dict[str, float],
) -> Signals:
    """Label what was recorded and add the manifest of how it came about."""
    run, tree = config.run, label_recording(net, config, probe_plan, recording)
    source = SOURCES[config.readouts.source.kind]
    manifest = run_manifest(
        tree,
        config=net.config.to_dict(),
        config_sha256=net.config.hash,
        paradigm=[stimulus.model_dump(mode="json") for stimulus in config.task.stimuli],
        run={
            "seed": run.seed,
            "dtype": run.dtype,
            "trials": recording.n_trials,
            "duration_ms": float(run.duration_ms),
            "dt_ms": float(run.dt_ms),
            "conditions": list(config.task.conditions),
        },
        streams=list(STREAMS),
        source={
            "kind": source.kind,
            "terms": [term for _, terms in source.parts for term in terms],
        },
        operators=probe_plan.operators(),
        timings=timings,
    )
    return Signals(tree, manifest)


def label_recording(
    net: NetData,
    config: Config,
    probe_plan: Plan,
    recording: Recording,
    tables: "dict[str, xr.Dataset] | None" = None,
) -> "xr.DataTree":
    """Label what was recorded. tables: those of the run, if they are made already."""
    attrs: dict[str, str | int | float] = {
        "duration_ms": float(config.run.duration_ms),
        "dt_ms": float(config.run.dt_ms),
        "n_trials": recording.n_trials,
    }
    readouts = [probe.readout(recording) for probe in probe_plan.probes]
    return build_tree(readouts, config.task, net.identity, attrs, tables)
