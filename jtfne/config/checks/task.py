"""Checks of stimuli: the cells and mechanism they name, and their times and rates in the run."""

from collections.abc import Iterator
from typing import Any

from jtfne._grid import nearest_steps
from jtfne.config.checks.declared_names import DeclaredNames
from jtfne.config.checks.targets import check_jump_targets, check_targets
from jtfne.config.checks.times import DURATION_ROUNDING
from jtfne.config.task import Run, Stimulus, Task, span_ms
from jtfne.pydantic_fields.errors import describe_refusal, describe_unknown
from jtfne.stimuli import (
    AFFERENTS,
    SYNAPTIC,
    Evoked,
    Marker,
    OrnsteinUhlenbeck,
    Poisson,
    Rhythmic,
    SpikeTimes,
)
from jtfne.synapses import Synapse

MOST_PER_STEP = 1000
"""Poisson spikes onto one cell in one step, on average: each row of the table that they are drawn
from is compared.
"""


def check_stimuli(task: Task, run: Run | None, declared: DeclaredNames) -> Iterator[str]:
    """Yield each error of the stimuli. run: None as long as none is declared."""
    for index, stimulus in enumerate(task.stimuli):
        where = f"Config.task.stimuli[{index}]"
        yield from _check_target(stimulus, declared, where)
        if isinstance(stimulus.drive, SYNAPTIC):
            yield from _check_mechanism(stimulus, declared, where)
        if run is not None:
            yield from _check_rates(stimulus.drive, run, where)
            yield from _check_span(stimulus, run, where)


def _check_target(stimulus: Stimulus, declared: DeclaredNames, where: str) -> Iterator[str]:
    """Yield each error of the cells that a stimulus selects: unknown, or taking no input."""
    drive = stimulus.drive
    yield from declared.selector_errors(stimulus.target, f"{where}.target")
    if not isinstance(drive, Marker):
        target_types = declared.find_cell_types(stimulus.target)
        action = f"a {type(drive).__name__}"
        yield from check_targets(declared.circuit, target_types, action, f"{where}.target")
    if isinstance(drive, SpikeTimes) and drive.cells is not None and declared.counts is not None:
        target_ids = declared.find_cell_ids(stimulus.target)
        foreign_ids = sorted(set(drive.cells) - target_ids)
        if foreign_ids:
            allowed = f"ids of the {len(target_ids)} cells of the target"
            yield describe_refusal(f"cells={foreign_ids[:5]}", allowed, where)


def _check_mechanism(stimulus: Stimulus, declared: DeclaredNames, where: str) -> Iterator[str]:
    """Yield each error of a drive through a mechanism: unknown, or with a weight it cannot have."""
    drive: Any = stimulus.drive
    mechanisms = declared.circuit.mechanisms
    line = describe_unknown(drive.mechanism, mechanisms, name="mechanism", where=where)
    if line:
        yield line
        return
    mechanism = mechanisms[drive.mechanism]
    yield from _check_weight(drive, mechanism, where)
    if mechanism.unit == "mV":
        target_types = declared.find_cell_types(stimulus.target)
        yield from check_jump_targets(declared.circuit, target_types, f"{where}.target")


def _check_weight(drive: Any, mechanism: Synapse, where: str) -> Iterator[str]:
    """Yield an error for a stimulus weight of another unit or sign than the mechanism."""
    name = next(name for name in type(drive).WEIGHTS if getattr(drive, name) is not None)
    description, expected_name = f"{name}={drive.weight:g}", f"weight_{mechanism.unit}"
    if name != expected_name:
        kind = type(mechanism).__name__
        allowed = f"{expected_name}, since mechanism {drive.mechanism!r} is of kind {kind}"
        yield describe_refusal(description, allowed, where)
    elif drive.weight * mechanism.sign < 0:
        yield describe_refusal(description, f"the sign of mechanism {drive.mechanism!r}", where)


def _check_rates(drive: Any, run: Run, where: str) -> Iterator[str]:
    """Yield each error of a drive that is too fast for the step, or too slow for the duration."""
    dt_ms, kind = run.dt_ms, f"a {type(drive).__name__}"
    if isinstance(drive, Poisson) and drive.rate_Hz * dt_ms > 1e3 * MOST_PER_STEP:
        spikes_per_step = drive.rate_Hz * dt_ms * 1e-3
        yield describe_refusal(
            f"{kind} of rate_Hz={drive.rate_Hz:g}, {spikes_per_step:g} spikes onto each cell in a "
            f"step of {dt_ms:g} ms,",
            f"at most {1e3 * MOST_PER_STEP / dt_ms:g} Hz; a Constant or an OrnsteinUhlenbeck "
            "where spikes blur",
            where,
        )
    for name in drive.frequency_fields:
        frequency_Hz = getattr(drive, name)
        if frequency_Hz * dt_ms >= 500.0:
            allowed = f"less than half of the steps a second, {500.0 / dt_ms:g} Hz"
            yield describe_refusal(f"{kind} of {name}={frequency_Hz:g}", allowed, where)
    if isinstance(drive, OrnsteinUhlenbeck) and drive.tau_ms < dt_ms * (1.0 - 1e-9):
        yield describe_refusal(
            f"{kind} of tau_ms={drive.tau_ms:g}, which forgets within a step and whose effect "
            "hangs on dt,",
            f"tau_ms of at least dt_ms={dt_ms:g}; noise=... of cells is white",
            where,
        )
    if isinstance(drive, Evoked | Rhythmic) and drive.sd_ms > run.duration_ms:
        description = (
            f"{kind} of sd_ms={drive.sd_ms:g}, most of whose spikes fall outside the trial,"
        )
        yield describe_refusal(description, f"at most the duration, {run.duration_ms:g} ms", where)


def _check_span(stimulus: Stimulus, run: Run, where: str) -> Iterator[str]:
    """Yield an error for a stimulus that begins or ends after the run."""
    drive = stimulus.drive
    start_ms, last_ms, stop_ms = span_ms(stimulus, run.duration_ms)
    if last_ms >= run.duration_ms or stop_ms > run.duration_ms * DURATION_ROUNDING:
        span = f"from {start_ms:g} to {max(last_ms, stop_ms):g} ms"
        allowed = f"a stimulus within the run, 0 to {run.duration_ms:g} ms"
        yield describe_refusal(f"a {type(drive).__name__} {span}", allowed, where)
    elif isinstance(drive, AFFERENTS) and nearest_steps(last_ms, run.dt_ms) >= run.n_steps:
        last_step_ms = run.duration_ms - run.dt_ms
        yield describe_refusal(
            f"a {type(drive).__name__} at {last_ms:.9g} ms, from which the run does not go on,",
            f"at most the start of the last step, {last_step_ms:.9g} ms",
            where,
        )
