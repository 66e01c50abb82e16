"""Checks of readouts against the circuit: those of each readout, and the source maps.

What a run would refuse when it builds its probes is refused here, before any circuit is wired.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jtfne._check import refuse
from jtfne.config.circuit import Circuit
from jtfne.config.populations import base_emitter
from jtfne.config.readouts import Readouts
from jtfne.config.source_maps import OTHERS, RECEPTIVE, SOURCE_MAPS, sign_of, words_of
from jtfne.emitters import can_receive, has_method
from jtfne.pydantic_fields.selector_field import Selector

Key = tuple[str, str, str]  # area, layer, cell type
MAPS = "Config.source(maps=...)"


def check_readouts(
    readouts: Readouts,
    circuit: Circuit,
    mechanisms: Iterable[str],
    populations: Iterable[Key],
    find_cells: Callable[[Selector], Sequence[Key]],
) -> Iterator[str]:
    """Yield each error of the probes of a complete config.

    mechanisms: those in use, by connections or stimuli. find_cells: the populations in which a
    selector finds cells.
    """
    for probe in readouts.probes:
        yield from probe.check(circuit)
    if any(probe.needs_maps for probe in readouts.probes):
        maps = [(source_map, set(find_cells(source_map.cells))) for source_map in readouts.maps]
        yield from _check_maps(
            readouts, circuit, tuple(dict.fromkeys(mechanisms)), tuple(populations), maps
        )


def _check_maps(
    readouts: Readouts,
    circuit: Circuit,
    mechanisms: Sequence[str],
    populations: Sequence[Key],
    maps: Sequence[tuple[Any, set[Key]]],
) -> Iterator[str]:
    """Yield an error for each current of a cell type that has no source map.

    maps: the declared ones, each with the populations that it applies to.
    """
    refused: set[tuple[str, str]] = set()
    for key in populations:
        cell_type = key[2]
        emitter = base_emitter(circuit, cell_type)
        if emitter is None or not can_receive(emitter):
            continue
        for words in _name_currents(emitter, readouts, circuit.mechanisms, mechanisms):
            types = [default.cells.cell_type for default in SOURCE_MAPS]
            is_mapped = any(
                (names is None or cell_type in names) and default.holds(*words)
                for names, default in zip(types, SOURCE_MAPS, strict=True)
            )
            is_mapped |= any(key in cells and declared.holds(*words) for declared, cells in maps)
            if not is_mapped and (cell_type, words[0]) not in refused:
                refused.add((cell_type, words[0]))
                description = f"cell type {cell_type!r} without a source map for {words[0]!r}"
                remedy = f"SourceMap(cells={cell_type!r}, enters=..., returns=...)"
                yield str(
                    refuse(
                        description, f"{remedy}, or a type that has one: E, I, PV, SST, VIP", MAPS
                    )
                )


def _name_currents(
    emitter: Any,
    readouts: Readouts,
    mechanism_by_name: Mapping[str, Any],
    mechanisms: Sequence[str],
) -> Iterator[tuple[str, ...]]:
    """Yield the tags of each current of a cell, its name first (see `SourceMap.mechanism`).

    A mechanism whose sign only its weights tell goes by both signs: only a run knows which.
    """
    if has_method(emitter, "axial_pA"):
        yield ("axial",)
        return
    for name in mechanisms if "synaptic" in readouts.source.terms else ():
        sign = sign_of(mechanism_by_name[name])
        yield words_of(name, sign) if sign else (name, *RECEPTIVE)
    if "external" in readouts.source.terms:
        yield (OTHERS[0],)
