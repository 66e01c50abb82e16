"""Everything that a run needs before its first step: config, arrays, inputs, recorders, memory."""

import dataclasses
import functools
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._check import Limit, describe_value, refuse, whole_number
from jtfne._precision import precision
from jtfne.config import Config
from jtfne.delivery import DeliverySpec
from jtfne.flatnet import FlatNet, flatten_net, mechanisms_of
from jtfne.paradigm import Paradigm
from jtfne.probes import Plan, mechanism_signs, plan
from jtfne.signals import build_tables
from jtfne.simulation._inputs import RunInputs, build_run_inputs
from jtfne.simulation._loop import chunk_length
from jtfne.simulation._memory import estimate_sizes, refuse_if_too_large
from jtfne.simulation._replay import choose_replay, shorten_chunk
from jtfne.wiring import NetData

if TYPE_CHECKING:
    import xarray as xr

COUNTS = Limit(low=1, high=2**31 - 1)  # trials and steps of a chunk are numbered by int32


@dataclasses.dataclass(frozen=True)
class PreparedRun:
    """A prepared run, before its first step.

    length: steps of a chunk. replayed: which recorders are replayed on another core.
    """

    net: NetData
    config: Config
    flat: FlatNet
    inputs: RunInputs
    probe_plan: Plan
    n_trials: int
    length: int
    prepared_s: float = 0.0
    replayed: tuple[bool, ...] = ()

    @property
    def n_steps(self) -> int:
        """The steps of a trial."""
        return self.config.run.n_steps

    @functools.cached_property
    def tables(self) -> "dict[str, xr.Dataset]":
        """Tables that the signals of all runs share, read-only."""
        run = self.config.run
        tables = build_tables(self.config.task, self.net.identity, self.n_trials, run.duration_ms)
        for table in tables.values():
            for variable in table.variables.values():
                variable.values.flags.writeable = False
        return tables


def merge_arguments(
    net: NetData,
    paradigm: Paradigm | None,
    seed: int | None = None,
    duration_ms: float | None = None,
    dt_ms: float | None = None,
    trials: int | None = None,
) -> tuple[Config, int]:
    """Return the config with this run's arguments, checked as any config is; and the trials."""
    arguments: dict[str, Any] = {"seed": seed, "duration_ms": duration_ms, "dt_ms": dt_ms}
    overrides = {name: value for name, value in arguments.items() if value is not None}
    config = net.config.runtime(**overrides) if overrides else net.config
    if paradigm is not None:
        config = config.stimuli(paradigm.stimuli, paradigm.n_trials, paradigm.conditions)
    config.check()
    n_declared = config.task.n_trials
    n_trials = n_declared
    if trials is not None:
        n_trials = whole_number(trials, COUNTS, name="trials", where="simulate")
    if config.task.differs and n_trials != n_declared:
        raise refuse(
            f"trials={describe_value(n_trials)} of a paradigm whose trials differ",
            f"its own {n_declared}",
            "simulate",
        )
    return config, n_trials


def plan_probes(net: NetData, config: Config) -> Plan:
    """Return the probes and recorders of the run; matrices of its fields are made once a net."""
    signs = mechanism_signs(net, config)
    key = (config.readouts, config.run.dt_ms, config.run.dtype, signs)
    with precision(config.run.dtype):
        return net.remembered(key, lambda: plan(net, config, signs))


def prepare_run(
    net: NetData,
    config: Config,
    n_trials: int,
    chunk_steps: int,
    delivery: DeliverySpec | None,
    *,
    on_disk: bool,
) -> PreparedRun:
    """Return the run's arrays, inputs and recorders.

    Raises: JtfneError if the run does not fit in memory.
    """
    start_s, run, n_steps = time.perf_counter(), config.run, config.run.n_steps
    with precision(run.dtype):
        probe_plan = plan_probes(net, config)
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
        flat, run_inputs = prepare_arrays(net, config, delivery)
    replayed: tuple[bool, ...] = ()
    if n_trials == 1 and not on_disk:
        replayed = choose_replay(flat.circuit, probe_plan.recorders, n_steps)
    if any(replayed):
        length = chunk_length(probe_plan.recorders, n_steps, shorten_chunk(n_steps, chunk_steps))
    prepared_s = time.perf_counter() - start_s
    return PreparedRun(
        net, config, flat, run_inputs, probe_plan, n_trials, length, prepared_s, replayed
    )


def prepare_arrays(
    net: NetData, config: Config, delivery: DeliverySpec | None
) -> tuple[FlatNet, RunInputs]:
    """Return the arrays and the inputs of the run."""
    run = config.run
    flat = flatten_net(
        net, dt_ms=run.dt_ms, mechanisms=mechanisms_of(config), tracked=False, delivery=delivery
    )
    dtype = np.dtype(run.dtype)
    return flat, build_run_inputs(
        config.task.stimuli, net, flat.receptors, run.dt_ms, dtype, run.seed
    )
