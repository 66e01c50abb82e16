"""Checks of source maps: the cells and mechanisms they name, and currents that have none."""

from collections.abc import Iterator, Sequence
from typing import Any

from jtfne.config.checks.declared_names import DeclaredNames
from jtfne.config.populations import base_emitter
from jtfne.config.readouts import Readouts
from jtfne.config.source_maps import (
    OTHERS,
    RECEPTIVE,
    SOURCE_MAPS,
    SourceMap,
    find_sign,
    list_current_tags,
)
from jtfne.config.task import Task
from jtfne.emitters import can_receive, has_method
from jtfne.pydantic_fields.errors import describe_refusal, describe_unknown
from jtfne.stimuli import SYNAPTIC
from jtfne.synapses import Synapse

WHERE = "Config.source(maps=...)"


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


def check_missing_maps(readouts: Readouts, task: Task, declared: DeclaredNames) -> Iterator[str]:
    """Yield an error for each current of a cell type that a probe needs and that has no source map.

    The circuit is complete.
    """
    if not any(probe.needs_maps for probe in readouts.probes):
        return
    mechanisms = _find_used_mechanisms(task, declared)
    cells_of_map = [set(declared.find_populations(entry.cells)) for entry in readouts.maps]
    refused_currents: set[tuple[str, str]] = set()
    for population in declared.counts or ():
        cell_type = population[2]
        emitter = base_emitter(declared.circuit, cell_type)
        if emitter is None or not can_receive(emitter):
            continue
        for tags in _list_currents(emitter, readouts.source.terms, mechanisms):
            name = tags[0]
            is_mapped = _has_default_map(cell_type, tags) or any(
                population in cells and source_map.holds(*tags)
                for source_map, cells in zip(readouts.maps, cells_of_map, strict=True)
            )
            if is_mapped or (cell_type, name) in refused_currents:
                continue
            refused_currents.add((cell_type, name))
            yield describe_refusal(
                f"cell type {cell_type!r} without a source map for {name!r}",
                f"SourceMap(cells={cell_type!r}, enters=..., returns=...), or a type that has one: "
                "E, I, PV, SST, VIP",
                WHERE,
            )


def _find_used_mechanisms(task: Task, declared: DeclaredNames) -> dict[str, Synapse]:
    """The mechanisms that connections and stimuli use, by name, in order of first use."""
    drives = [stimulus.drive for stimulus in task.stimuli]
    names = [connection.mechanism for connection in declared.circuit.connections]
    names += [drive.mechanism for drive in drives if isinstance(drive, SYNAPTIC)]
    mechanisms = declared.circuit.mechanisms
    return {name: mechanisms[name] for name in names if name in mechanisms}


def _has_default_map(cell_type: str, tags: Sequence[str]) -> bool:
    """Whether a current of a cell type has a map where none is declared."""
    for source_map in SOURCE_MAPS:
        names = source_map.cells.cell_type
        if (names is None or cell_type in names) and source_map.holds(*tags):
            return True
    return False


def _list_currents(
    emitter: Any, terms: Sequence[str], mechanisms: dict[str, Synapse]
) -> Iterator[tuple[str, ...]]:
    """Yield the tags of each current of a cell, its name first (see `SourceMap.mechanism`).

    terms: those of the source mode. A mechanism whose sign only its weights tell goes by both
    signs: only a run knows which.
    """
    if has_method(emitter, "axial_pA"):
        yield ("axial",)
        return
    if "synaptic" in terms:
        for name, mechanism in mechanisms.items():
            sign = find_sign(mechanism)
            yield list_current_tags(name, sign) if sign else (name, *RECEPTIVE)
    if "external" in terms:
        yield (OTHERS[0],)
