"""Checks of a whole config: each part against the others, in one order."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jtfne._check import JtfneError, list_problems
from jtfne.config.checks.cells import check_cells
from jtfne.config.checks.circuit import (
    check_emitters,
    check_gains,
    check_parts,
    check_spike_trains,
)
from jtfne.config.checks.connections import check_connection
from jtfne.config.checks.declared_names import DeclaredNames
from jtfne.config.checks.objective import check_objective
from jtfne.config.checks.readouts import check_positions, check_probes, check_sensors
from jtfne.config.checks.source_maps import check_missing_maps, check_source_maps
from jtfne.config.checks.task import check_stimuli
from jtfne.config.checks.trainables import check_trainables
from jtfne.config.circuit import Circuit
from jtfne.config.parameters import Parameters
from jtfne.config.readouts import Readouts
from jtfne.config.task import Run, Task
from jtfne.config.training import Training
from jtfne.pydantic_fields.frozen import Frozen


def list_errors(
    circuit: Circuit,
    run: Run | None,
    task: Task,
    readouts: Readouts,
    training: Training,
    *,
    is_complete: bool,
) -> list[str]:
    """Each error between the parts of a config, one line each.

    run: None as long as none is declared: then nothing is checked against time. is_complete:
    whether the declaration is finished, so that a missing part is an error as well.
    """
    declared = DeclaredNames(circuit)
    lines = list(_check_circuit(declared, run, is_complete=is_complete))
    lines += check_stimuli(task, run, declared)
    lines += check_probes(readouts.probes, run, declared)
    lines += check_objective(training.objective, readouts, run, declared, is_complete=is_complete)
    lines += check_source_maps(readouts.maps, declared)
    if is_complete:
        lines += check_positions(readouts.probes, circuit)
        lines += check_sensors(readouts.probes, circuit)
        lines += check_missing_maps(readouts, task, declared)
    # the paths of trainables are read off a circuit without errors
    if is_complete and not lines and training.trainables:
        parts = {"circuit": circuit, "run": run or Run(), "task": task, "readouts": readouts}
        parameters = Parameters(circuit, lambda: _make_tree(parts))
        lines += check_trainables(parameters, training.trainables)
    return lines


def _make_tree(parts: Mapping[str, Frozen]) -> dict[str, Any]:
    """The parts of a config as JSON values, by name."""
    return {name: part.model_dump(mode="json") for name, part in parts.items()}


def list_circuit_errors(circuit: Circuit) -> list[str]:
    """Each error for which the cells of a circuit cannot be counted, one line each."""
    return list(_check_cells(DeclaredNames(circuit), is_complete=True))


def _check_cells(declared: DeclaredNames, *, is_complete: bool) -> Iterator[str]:
    """Yield each error of the cells: their mix, their emitters and their parameters."""
    circuit = declared.circuit
    if is_complete:
        yield from check_parts(circuit)
    yield from declared.mix_errors
    yield from check_emitters(circuit, declared)
    if is_complete:
        yield from check_cells(circuit, declared.cell_types or (), declared.counts)


def _check_circuit(declared: DeclaredNames, run: Run | None, *, is_complete: bool) -> Iterator[str]:
    """Yield each error of the circuit: cells, spike trains, connections and gains."""
    circuit = declared.circuit
    dt_ms = None if run is None else run.dt_ms
    yield from _check_cells(declared, is_complete=is_complete)
    yield from check_spike_trains(circuit, declared, dt_ms)
    ends = []
    for index, connection in enumerate(circuit.connections):
        where = f"Config.circuit.connections[{index}]"
        yield from check_connection(connection, declared, dt_ms, where)
        source_types = declared.find_cell_types(connection.source)
        ends.append((source_types, declared.find_cell_types(connection.target)))
    if is_complete or (declared.counts is not None and circuit.connections):
        yield from check_gains(circuit, ends)


def refuse_all(lines: Iterable[str]) -> None:
    """Raises: JtfneError with `lines`, if there are any."""
    problems = list_problems(lines)
    if problems:
        raise JtfneError(problems)
