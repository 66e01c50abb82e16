"""Net + Paradigm -> Signals: the boundary between arrays and labels."""

import dataclasses
import functools
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jtfne import run_folder
from jtfne._arguments import check_flag, check_instance
from jtfne._check import Limit, refuse, whole_number
from jtfne._files import resolve_path
from jtfne._keys import STREAMS
from jtfne._precision import precision
from jtfne.config import Config
from jtfne.delivery import Choice, check_choice
from jtfne.flatnet import mechanisms_of
from jtfne.net import Net
from jtfne.paradigm import Paradigm
from jtfne.partial_run import opened
from jtfne.probes import Plan, Recording, SpikeEvents, mechanism_signs, plan
from jtfne.reports import NotFiniteError, run_manifest
from jtfne.signals import Signals, build_tables, build_tree
from jtfne.simulation._follower import following, steps_of_chunk
from jtfne.simulation._inputs import Drive, build_drive
from jtfne.simulation._loop import CHUNK_STEPS, InMemory, RunawayError, Sink, chunk_length, record
from jtfne.simulation._memory import (
    MemoryEstimate,
    estimate_sizes,
    eval_recorder_shapes,
    refuse_if_too_large,
)
from jtfne.simulation._progress import progress_of
from jtfne.simulation._stream import OnDisk, net_hash, run_identity
from jtfne.sources import SOURCES

if TYPE_CHECKING:
    import xarray as xr

    from jtfne.flatnet import FlatNet

__all__ = [
    "MemoryEstimate",
    "PreparedRun",
    "RunawayError",
    "empty_signals",
    "estimate_memory",
    "mechanisms_of",
    "net_hash",
    "ready_to_vary",
    "simulate",
    "varied",
]


COUNTS = Limit(low=1, high=2**31 - 1)  # trials and steps of a chunk are numbered by int32


def simulate(
    net: Net,
    paradigm: Paradigm | None = None,
    *,
    seed: int | None = None,
    duration_ms: float | None = None,
    dt_ms: float | None = None,
    trials: int | None = None,
    out: str | Path | None = None,
    progress: bool | None = None,
    delivery: Choice | None = None,
    chunk_steps: int = CHUNK_STEPS,
) -> Signals:
    """Simulate a circuit and return what its probes recorded.

    Parameters
    ----------
    net : Net
        The circuit, from `construct`.
    paradigm : Paradigm, optional
        What is presented; the config's own stimuli if left out.
    seed : int, optional
        Seed of initial state, noise and stimuli (wiring keeps the config's). The config's if left
        out.
    duration_ms, dt_ms : float, optional
        Length of a trial and of a step; the config's if left out.
    trials : int, optional
        How often, each trial with its own streams; the paradigm's number, or the config's, if left
        out.
    out : str or Path, optional
        A run folder to make, chunk by chunk: after a kill or a full disk the same call goes on to
        the same bits. Recordings stay there, and are read from it whenever the signals are asked
        for them.
    progress : bool, optional
        A bar on stderr; by default if that is a terminal.
    delivery : jtfne.delivery.Event, Sparse, Dense or Sharded, optional
        How spikes reach their targets; by size and devices if left out. The bits do not depend on
        how many devices.
    chunk_steps : int
        About how many steps run between two looks at the clock. The result does not depend on it.

    Returns
    -------
    Signals
        One node a readout, with events, identities and the manifest.

    Raises
    ------
    JtfneError
        For times off the grid, a delay below dt, a stimulus outside the run or onto no cell, no
        room in memory, a membrane potential that runs away, and an `out` in use or with anything
        but a part of this run. A full disk is an OSError that says what is kept.

    Examples --------

    >>> import jtfne
    >>> net = jtfne.construct(jtfne.suite2_four_celltype_config(seed=0))
    >>> jtfne.simulate(net, duration_ms=10, dt_ms=0.1, seed=0).get("vm").sizes["time"]
    100
    """
    _refuse_misuse(net, paradigm, out, progress, delivery, chunk_steps)
    folder = None if out is None else resolve_path(out, "simulate(out=)")
    config, n_trials = _merge_arguments(net, paradigm, seed, duration_ms, dt_ms, trials)
    ready = _prepare_run(net, config, n_trials, chunk_steps, delivery, on_disk=out is not None)
    return (
        _run(ready, _make_memory_sink(ready), progress)
        if folder is None
        else _run_to_disk(ready, folder, progress)
    )


def _refuse_misuse(
    net: Any,
    paradigm: Any,
    out: Any,
    progress: Any,
    delivery: Any,
    chunk_steps: Any,
    where: str = "simulate",
) -> None:
    """Raises: JtfneError for arguments of another type, and for `out` in several processes."""
    check_instance(net, Net, allowed="a Net, from jtfne.construct(config)", name="net", where=where)
    if paradigm is not None:
        allowed = "a jtfne.Paradigm, as jtfne.Paradigm.constant_dc(target=..., amplitude=...)"
        check_instance(paradigm, Paradigm, allowed=allowed, name="paradigm", where=where)
    if progress is not None:
        check_flag(progress, name="progress", where=where)
    check_choice(delivery, where)
    whole_number(chunk_steps, COUNTS, name="chunk_steps", where=where)
    if out is not None and jax.process_count() > 1:
        raise refuse(
            f"out={str(out)!r} in {jax.process_count()} processes", "out in a single process", where
        )


def estimate_memory(
    net: Net,
    paradigm: Paradigm | None = None,
    *,
    duration_ms: float | None = None,
    dt_ms: float | None = None,
    trials: int | None = None,
    out: str | Path | None = None,
    delivery: Choice | None = None,
    chunk_steps: int = CHUNK_STEPS,
) -> MemoryEstimate:
    """Estimate the peak memory of this process in a `simulate` call, without running it.

    Parameters
    ----------
    net, paradigm, duration_ms, dt_ms, trials, out, delivery, chunk_steps
        As for `simulate`.

    Returns
    -------
    MemoryEstimate
        Its `parts` in bytes, and their `total_bytes`; printed as a table.

    Raises
    ------
    JtfneError
        For arguments that `simulate` refuses, but not for a run that does not fit.

    Examples --------

    >>> import jtfne
    >>> from jtfne.simulation import estimate_memory
    >>> net = jtfne.construct(jtfne.suite2_net1_config(100).probes(["vm"]))
    >>> estimate_memory(net, duration_ms=10_000).parts["recordings"]  # 100,000 steps, 4 bytes
    40000000
    """
    _refuse_misuse(net, paradigm, out, None, delivery, chunk_steps, "estimate_memory")
    config, n_trials = _merge_arguments(net, paradigm, None, duration_ms, dt_ms, trials)
    probe_plan = _plan_probes(net, config)
    length = chunk_length(probe_plan.recorders, config.run.n_steps, chunk_steps)
    return estimate_sizes(
        net,
        config,
        probe_plan,
        n_trials=n_trials,
        length=length,
        on_disk=out is not None,
        delivery=delivery,
    )


@dataclasses.dataclass(frozen=True)
class PreparedRun:
    """A prepared run, before its first step.

    length: steps of a chunk. beside: which recorders are replayed on another core.
    """

    net: Net
    config: Config
    flat: "FlatNet"
    drive: Drive
    planned: Plan
    n_steps: int
    n_trials: int
    length: int
    prepared_s: float
    beside: tuple[bool, ...] = ()

    @functools.cached_property
    def tables(self) -> "dict[str, xr.Dataset]":
        """Tables that the signals of all runs share, read-only."""
        tables = build_tables(
            self.config.task, self.net.identity, self.n_trials, self.config.run.duration_ms
        )
        for values in (
            variable.values for table in tables.values() for variable in table.variables.values()
        ):
            values.flags.writeable = False
        return tables


CHUNK_CELLS = 5_000
"""With so many cells, a chunk of a candidate has `CHUNK_STEPS`.

Fewer cells have longer chunks, since each chunk costs some time.
"""


def ready_to_vary(
    net: Net, paradigm: Paradigm | None, flat: "FlatNet", readouts: tuple[str, ...] | None = None
) -> "PreparedRun":
    """Prepare a run of `net`, as `simulate` would, to be repeated by `varied` with other arrays.

    flat: the form of those arrays. readouts: those to record of what the config's probes record;
    all of them if None.
    Raises: as `simulate`.
    """
    config, n_trials = _merge_arguments(net, paradigm, None, None, None, None)
    if readouts is not None:
        config = config.probes(
            [
                declared_probe
                for declared_probe in config.readouts.probes
                if declared_probe.readout in readouts
            ]
        )
    with precision(config.run.dtype):
        probe_plan = _plan_probes(net, config)
        steps = CHUNK_STEPS * min(max(CHUNK_CELLS // net.n_neurons, 1), 10)
        length = chunk_length(probe_plan.recorders, config.run.n_steps, steps)
        dtype = np.dtype(config.run.dtype)
        drive = build_drive(config.task.stimuli, net, flat.receptors, config.run.dt_ms, dtype)
    return PreparedRun(
        net, config, flat, drive, probe_plan, config.run.n_steps, n_trials, length, 0.0
    )


def varied(ready: "PreparedRun", flat: "FlatNet", seed: int) -> Signals:
    """Return what a run of other arrays records, to the bit what `simulate` gives.

    There is no manifest, and it runs on the calling thread. flat: of the form of `ready.flat`, so
    that nothing is compiled anew.
    Raises: JtfneError if a cell runs away.
    """
    drive = dataclasses.replace(ready.drive, seed=seed)
    with precision(ready.config.run.dtype):
        recording = record(
            flat,
            drive,
            ready.planned.recorders,
            seed=seed,
            n_steps=ready.n_steps,
            n_trials=ready.n_trials,
            length=ready.length,
            sink=_make_memory_sink(ready),
            tick=lambda n: None,
        )
    return Signals(
        _label_recording(ready.net, ready.config, ready.planned, recording, ready.tables)
    )


def empty_signals(ready: "PreparedRun") -> Signals:
    """Return the signals of a run in which nothing happened: labels and clocks, all values zero."""
    rows_by_readout: dict[str, np.ndarray[Any, Any]] = {}
    for recorder in ready.planned.recorders:
        _, shapes = eval_recorder_shapes(
            recorder, ready.n_steps // recorder.every, ready.net.n_neurons, ready.config.run.dtype
        )
        rows_by_readout |= {
            name: np.zeros((ready.n_trials, *shape.shape), shape.dtype)
            for name, shape in shapes.items()
        }
    no_values = np.zeros(0, np.int64)
    recording = Recording(
        ready.n_trials,
        ready.n_steps,
        ready.flat.dt_ms,
        rows_by_readout,
        SpikeEvents(no_values.astype(np.int32), no_values, no_values),
    )
    with precision(ready.config.run.dtype):
        return Signals(_label_recording(ready.net, ready.config, ready.planned, recording))


def _prepare_run(
    net: Net,
    config: Config,
    n_trials: int,
    chunk_steps: int,
    delivery: Choice | None,
    *,
    on_disk: bool,
) -> PreparedRun:
    """Return the run's arrays, inputs and recorders.

    Raises: JtfneError if the run does not fit in memory.
    """
    start_s, run, n_steps = time.perf_counter(), config.run, config.run.n_steps
    with precision(run.dtype):
        probe_plan = _plan_probes(net, config)
        length = chunk_length(probe_plan.recorders, n_steps, chunk_steps)
        estimate = estimate_sizes(
            net,
            config,
            probe_plan,
            n_trials=n_trials,
            length=length,
            on_disk=on_disk,
            delivery=delivery,
        )
        refuse_if_too_large(estimate, on_disk=on_disk)
        flat, drive = _prepare_arrays(net, config, delivery)
    replay_mask = (
        following(flat.circuit, probe_plan.recorders, n_steps)
        if n_trials == 1 and not on_disk
        else ()
    )
    if any(replay_mask):
        length = chunk_length(probe_plan.recorders, n_steps, steps_of_chunk(n_steps, chunk_steps))
    prepared_s = time.perf_counter() - start_s
    return PreparedRun(
        net, config, flat, drive, probe_plan, n_steps, n_trials, length, prepared_s, replay_mask
    )


def _make_memory_sink(ready: PreparedRun) -> InMemory:
    """Return a sink that keeps the recordings of the run in memory."""
    return InMemory(
        {probe.name: probe.every for probe in ready.planned.probes}, ready.n_trials, ready.n_steps
    )


def _run_to_disk(ready: PreparedRun, out: Path, progress: bool | None) -> Signals:
    """Run chunk by chunk into `out`, from where an earlier process left off; return the signals.

    Raises: as `simulate`.
    """
    with opened(
        out, run_identity(ready.net, ready.config, ready.n_trials), ready.length
    ) as partial:
        n_chunks = ready.n_trials * math.ceil(ready.n_steps / partial.chunk_steps)
        sink = OnDisk(partial, ready.planned.probes, n_chunks)
        signals = _run(dataclasses.replace(ready, length=partial.chunk_steps), sink, progress)
        signals.manifest = partial.finish(signals.tree, signals.manifest)
        signals.tree = run_folder.on_disk(signals.tree, out)
    return signals


def _run(ready: PreparedRun, sink: Sink, progress: bool | None) -> Signals:
    """Run all trials into `sink` and return the labelled signals."""
    start_s = time.perf_counter()
    dtype, all_steps = ready.config.run.dtype, ready.n_steps * ready.n_trials
    with precision(dtype), progress_of(all_steps, shown=progress) as on_progress:
        recording = record(
            ready.flat,
            ready.drive,
            ready.planned.recorders,
            seed=ready.config.run.seed,
            n_steps=ready.n_steps,
            n_trials=ready.n_trials,
            length=ready.length,
            sink=sink,
            tick=on_progress,
            beside=ready.beside,
        )
    timings = {"prepare_s": ready.prepared_s, "run_s": time.perf_counter() - start_s}
    try:
        return _signals(ready.net, ready.config, ready.planned, recording, timings)
    except NotFiniteError:  # and never will be
        sink.discard()
        raise


def _merge_arguments(
    net: Net,
    paradigm: Paradigm | None,
    seed: int | None,
    duration_ms: float | None,
    dt_ms: float | None,
    trials: int | None,
) -> tuple[Config, int]:
    """Return the config with this run's arguments, checked as any config is; and the trials."""
    arguments: dict[str, Any] = {"seed": seed, "duration_ms": duration_ms, "dt_ms": dt_ms}
    overrides = {name: value for name, value in arguments.items() if value is not None}
    config = net.config.runtime(**overrides) if overrides else net.config
    if paradigm is not None:
        config = config.stimuli(paradigm.stimuli, paradigm.n_trials, paradigm.conditions)
    config.check()
    n_declared = config.task.n_trials
    n_trials = (
        n_declared
        if trials is None
        else whole_number(trials, COUNTS, name="trials", where="simulate")
    )
    if config.task.differs and n_trials != n_declared:
        raise refuse(
            f"trials={n_trials!r} of a paradigm whose trials differ",
            f"its own {n_declared}",
            "simulate",
        )
    return config, n_trials


def _plan_probes(net: Net, config: Config) -> Plan:
    """Return the probes and recorders of the run; matrices of its fields are made once a net."""
    signs = mechanism_signs(net, config)
    key = (config.readouts, config.run.dt_ms, config.run.dtype, signs)
    with precision(config.run.dtype):
        return net.remembered(key, lambda: plan(net, config, signs))


def _prepare_arrays(net: Net, config: Config, delivery: Choice | None) -> "tuple[FlatNet, Drive]":
    """Return the arrays and the inputs of the run."""
    dt_ms = config.run.dt_ms
    flat = net.to_flat(
        dt_ms=dt_ms, mechanisms=mechanisms_of(config), tracked=False, delivery=delivery
    )
    dtype = np.dtype(config.run.dtype)
    return flat, build_drive(
        config.task.stimuli, net, flat.receptors, dt_ms, dtype, config.run.seed
    )


def _signals(
    net: Net, config: Config, probe_plan: Plan, recording: Recording, timings: dict[str, float]
) -> Signals:
    """Label what was recorded and add the manifest of how it came about."""
    run, tree = config.run, _label_recording(net, config, probe_plan, recording)
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
            **_times(config),
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


def _label_recording(
    net: Net,
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


def _times(config: Config) -> dict[str, float]:
    """Return duration and step, for the manifest."""
    return {"duration_ms": float(config.run.duration_ms), "dt_ms": float(config.run.dt_ms)}
