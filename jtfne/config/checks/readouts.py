"""Checks of readouts: cells and intervals of probes, source maps, and areas without a position."""

from collections.abc import Iterator, Sequence

from jtfne._grid import whole_steps
from jtfne.config._readout_checks import check_readouts
from jtfne.config.checks.declared_names import DeclaredNames
from jtfne.config.checks.times import DURATION_ROUNDING, refuse_off_grid
from jtfne.config.circuit import Circuit
from jtfne.config.readouts import Readouts
from jtfne.config.source_maps import OTHERS, RECEPTIVE, SourceMap
from jtfne.config.task import Run, Task
from jtfne.pydantic_fields.errors import describe_refusal, describe_unknown
from jtfne.pydantic_fields.selector_field import Selector
from jtfne.readouts import Readout
from jtfne.stimuli import SYNAPTIC


def check_probes(
    probes: Sequence[Readout], run: Run | None, declared: DeclaredNames
) -> Iterator[str]:
    """Yield each error of the probes: unknown cells, intervals off the grid or too long.

    run: None as long as none is declared.
    """
    for index, probe in enumerate(probes):
        where = f"Config.readouts.probes[{index}]"
        cells = getattr(probe, "cells", None)
        if isinstance(cells, Selector):
            yield from declared.selector_errors(cells, f"{where}.cells")
        interval_ms = getattr(probe, "interval_ms", None)
        if interval_ms is None or run is None:
            continue
        if whole_steps(interval_ms, run.dt_ms) is None:
            yield refuse_off_grid("interval_ms", interval_ms, run.dt_ms, where)
        elif interval_ms > run.duration_ms * DURATION_ROUNDING:
            allowed = f"at most the run, {run.duration_ms:g} ms"
            yield describe_refusal(f"interval_ms={interval_ms:g}", allowed, where)


def check_source_maps(maps: Sequence[SourceMap], declared: DeclaredNames) -> Iterator[str]:
    """Yield an error for each source map of unknown cells or mechanisms."""
    known_names = [*RECEPTIVE, *OTHERS, *declared.circuit.mechanisms]
    for index, source_map in enumerate(maps):
        where = f"Config.readouts.maps[{index}]"
        yield from declared.selector_errors(source_map.cells, f"{where}.cells")
        for name in source_map.mechanism or ():
            line = describe_unknown(name, known_names, name="mechanism", where=where)
            if line:
                yield line


def check_positions(readouts: Readouts, circuit: Circuit) -> Iterator[str]:
    """Yield an error for each area without a position if a probe needs positions in the head."""
    readout_names = [probe.readout for probe in readouts.probes if probe.needs_places]
    if not readout_names:
        return
    for index, area in enumerate(circuit.areas):
        if not area.placed:
            yield describe_refusal(
                f"area {area.name!r} without position_mm, with a probe {readout_names[0]!r}",
                "Area(name=..., position_mm=..., normal=...)",
                f"Config.circuit.areas[{index}]",
            )


def check_sensors(readouts: Readouts, task: Task, declared: DeclaredNames) -> Iterator[str]:
    """Yield each error of sensors, heads, contacts and missing source maps of a complete config."""
    circuit = declared.circuit
    drives = [stimulus.drive for stimulus in task.stimuli]
    mechanisms = [connection.mechanism for connection in circuit.connections]
    mechanisms += [drive.mechanism for drive in drives if isinstance(drive, SYNAPTIC)]
    used_mechanisms = [name for name in mechanisms if name in circuit.mechanisms]
    yield from check_readouts(
        readouts, circuit, used_mechanisms, declared.counts or (), declared.find_populations
    )
