"""`simulate` and `estimate_memory`: the user's functions, all composition of the files beside."""

import dataclasses
import math
import time
from pathlib import Path
from typing import Any

import jax

from jtfne import run_folder
from jtfne._arguments import check_flag, check_instance
from jtfne._check import names_arguments, refuse, whole_number
from jtfne._files import resolve_path
from jtfne._precision import precision
from jtfne.delivery import DeliverySpec, check_delivery_spec
from jtfne.paradigm import Paradigm
from jtfne.partial_run import open_partial_run
from jtfne.reports import NotFiniteError
from jtfne.signals import Signals
from jtfne.simulation._label import build_signals
from jtfne.simulation._loop import CHUNK_STEPS, InMemory, Sink, chunk_length, record
from jtfne.simulation._memory import MemoryEstimate, estimate_sizes
from jtfne.simulation._prepare import (
    COUNTS,
    PreparedRun,
    merge_arguments,
    plan_probes,
    prepare_run,
)
from jtfne.simulation._progress import show_progress
from jtfne.simulation._stream import OnDisk, run_identity
from jtfne.wiring import NetData


@names_arguments
def simulate(
    net: NetData,
    paradigm: Paradigm | None = None,
    *,
    seed: int | None = None,
    duration_ms: float | None = None,
    dt_ms: float | None = None,
    trials: int | None = None,
    out: str | Path | None = None,
    progress: bool | None = None,
    delivery: DeliverySpec | None = None,
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

    Examples
    --------
    >>> import jtfne
    >>> net = jtfne.construct(jtfne.suite2_four_celltype_config(seed=0))
    >>> jtfne.simulate(net, duration_ms=10, dt_ms=0.1, seed=0).get("vm").sizes["time"]
    100
    """
    _refuse_misuse(net, paradigm, out, progress, delivery, chunk_steps)
    folder = None if out is None else resolve_path(out, "simulate(out=)")
    config, n_trials = merge_arguments(net, paradigm, seed, duration_ms, dt_ms, trials)
    prepared = prepare_run(net, config, n_trials, chunk_steps, delivery, on_disk=out is not None)
    if folder is not None:
        return _run_to_disk(prepared, folder, progress)
    every = {probe.name: probe.every for probe in prepared.probe_plan.probes}
    return _run(prepared, InMemory(every, n_trials, prepared.n_steps), progress)


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
    check_instance(
        net, NetData, allowed="a Net, from jtfne.construct(config)", name="net", where=where
    )
    if paradigm is not None:
        allowed = "a jtfne.Paradigm, as jtfne.Paradigm.constant_dc(target=..., amplitude=...)"
        check_instance(paradigm, Paradigm, allowed=allowed, name="paradigm", where=where)
    if progress is not None:
        check_flag(progress, name="progress", where=where)
    check_delivery_spec(delivery, where)
    whole_number(chunk_steps, COUNTS, name="chunk_steps", where=where)
    if out is not None and jax.process_count() > 1:
        raise refuse(
            f"out={str(out)!r} in {jax.process_count()} processes", "out in a single process", where
        )


def estimate_memory(
    net: NetData,
    paradigm: Paradigm | None = None,
    *,
    duration_ms: float | None = None,
    dt_ms: float | None = None,
    trials: int | None = None,
    out: str | Path | None = None,
    delivery: DeliverySpec | None = None,
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

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.simulation import estimate_memory
    >>> net = jtfne.construct(jtfne.suite2_net1_config(100).probes(["vm"]))
    >>> estimate_memory(net, duration_ms=10_000).parts["recordings"]  # 100,000 steps, 4 bytes
    40000000
    """
    _refuse_misuse(net, paradigm, out, None, delivery, chunk_steps, "estimate_memory")
    config, n_trials = merge_arguments(net, paradigm, None, duration_ms, dt_ms, trials)
    probe_plan = plan_probes(net, config)
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


def _run_to_disk(prepared: PreparedRun, out: Path, progress: bool | None) -> Signals:
    """Run chunk by chunk into `out`, from where an earlier process left off; return the signals.

    Raises: as `simulate`.
    """
    identity = run_identity(prepared.net, prepared.config, prepared.n_trials)
    with open_partial_run(out, identity, prepared.length) as partial:
        n_chunks = prepared.n_trials * math.ceil(prepared.n_steps / partial.chunk_steps)
        sink = OnDisk(partial, prepared.probe_plan.probes, n_chunks)
        # a resumed run goes on in the chunks that it was begun with
        prepared = dataclasses.replace(prepared, length=partial.chunk_steps)
        signals = _run(prepared, sink, progress)
        signals.manifest = partial.finish(signals.tree, signals.manifest)
        signals.tree = run_folder.on_disk(signals.tree, out)
    return signals


def _run(prepared: PreparedRun, sink: Sink, progress: bool | None) -> Signals:
    """Run all trials into `sink` and return the labelled signals."""
    start_s, run, probe_plan = time.perf_counter(), prepared.config.run, prepared.probe_plan
    all_steps = prepared.n_steps * prepared.n_trials
    with precision(run.dtype), show_progress(all_steps, shown=progress) as on_progress:
        recording = record(
            prepared.flat,
            prepared.inputs,
            probe_plan.recorders,
            seed=run.seed,
            n_steps=prepared.n_steps,
            n_trials=prepared.n_trials,
            length=prepared.length,
            sink=sink,
            on_progress=on_progress,
            replayed=prepared.replayed,
        )
    timings = {"prepare_s": prepared.prepared_s, "run_s": time.perf_counter() - start_s}
    try:
        return build_signals(prepared.net, prepared.config, probe_plan, recording, timings)
    except NotFiniteError:  # and never will be
        sink.discard()
        raise
