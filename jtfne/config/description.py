"""A config at a glance: its areas, cells, connections, stimuli and readouts, a line each."""

from collections import Counter
from collections.abc import Iterable, Mapping

from jtfne.config.circuit import Circuit
from jtfne.config.labels import selector_label
from jtfne.config.populations import count_cells
from jtfne.config.readouts import Readouts
from jtfne.config.task import Run, Task
from jtfne.config.training import Training

MOST = 8  # names that a line lists


def describe_parts(
    circuit: Circuit,
    run: Run,
    task: Task,
    readouts: Readouts,
    training: Training,
    *,
    is_complete: bool,
) -> dict[str, str]:
    """What is declared, by part; a part of which nothing is declared is left out.

    is_complete: whether the cells of the circuit can be counted.
    """
    facts = {
        "areas": _join(area.name for area in circuit.areas),
        "layers": _join(layer.name for layer in circuit.layers),
        "cells": _describe_cells(circuit) if is_complete else "",
        "connections": str(len(circuit.connections)) if circuit.connections else "",
        **describe_task(task),
        "records": _join(probe.readout for probe in readouts.probes),
        "trainables": _join(trainable.path for trainable in training.trainables),
        "run": f"{run.duration_ms:g} ms in steps of {run.dt_ms:g} ms, {run.dtype}, seed {run.seed}",
    }
    return {name: fact for name, fact in facts.items() if fact}


def describe_task(task: Task) -> dict[str, str]:
    """The kinds of stimuli, the trials and their conditions, where there are several."""
    return {
        "stimuli": _join(_count(type(stimulus.drive).__name__ for stimulus in task.stimuli)),
        "trials": str(task.n_trials) if task.n_trials > 1 else "",
        "conditions": _join(_count(task.conditions)),
    }


def list_stimuli(task: Task) -> list[tuple[str, str, str, str]]:
    """Label, kind, target and first onset of each stimulus, for a table."""
    rows = []
    for stimulus in task.stimuli:
        onset_ms = getattr(stimulus.drive, "start_ms", None)
        if stimulus.at is not None:
            onset_ms = min(stimulus.at.onsets_ms) + (onset_ms or 0.0)
        onset = "" if onset_ms is None else f"{onset_ms:g}"
        target = selector_label(stimulus.target)
        rows.append((stimulus.label, type(stimulus.drive).__name__, target, onset))
    return rows


def join_facts(name: str, facts: Mapping[str, str]) -> str:
    """Facts on one line, as `repr` shows an object: `Name(fact: ..., fact: ...)`."""
    return f"{name}({'; '.join(f'{key}: {fact}' for key, fact in facts.items() if fact)})"


def _describe_cells(circuit: Circuit) -> str:
    """The number of cells of each type, over all areas and layers."""
    totals: Counter[str] = Counter()
    for (*_, cell_type), n_cells in count_cells(circuit).items():
        totals[cell_type] += n_cells
    return _join(f"{n_cells} {cell_type}" for cell_type, n_cells in totals.items())


def _count(names: Iterable[str]) -> list[str]:
    """Each name once, with how often it comes where that is more than once."""
    counts = Counter(names)
    return [name if count == 1 else f"{count} {name}" for name, count in counts.items()]


def _join(names: Iterable[str]) -> str:
    """Names with commas; of more than MOST the first ones, and how many there are."""
    listed = list(names)
    more = f", ... ({len(listed)} in all)" if len(listed) > MOST else ""
    return ", ".join(listed[:MOST]) + more
