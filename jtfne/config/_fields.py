"""Checks of physical readouts against the circuit: source maps and area positions."""

from collections.abc import Callable, Iterator

from jtfne._check import refuse
from jtfne.config.circuit import Circuit
from jtfne.config.readouts import Readouts
from jtfne.config.source_maps import OTHERS, RECEPTIVE, SourceMap
from jtfne.pydantic_fields.errors import describe_unknown
from jtfne.pydantic_fields.selector_field import Selector


def mapped(
    maps: tuple[SourceMap, ...], circuit: Circuit, refusals: Callable[[Selector, str], list[str]]
) -> Iterator[str]:
    """Yield an error for each source map of unknown cells or mechanisms.

    refusals: gives the errors of a selector at a place, one line each.
    """
    for index, source_map in enumerate(maps):
        where = f"Config.readouts.maps[{index}]"
        yield from refusals(source_map.cells, f"{where}.cells")
        for name in source_map.mechanism or ():
            line = describe_unknown(
                name, [*RECEPTIVE, *OTHERS, *circuit.mechanisms], name="mechanism", where=where
            )
            if line:
                yield line


def unplaced(readouts: Readouts, circuit: Circuit) -> Iterator[str]:
    """Yield an error for each area without a position if a probe needs positions in the head."""
    readout_names = [probe.readout for probe in readouts.probes if probe.needs_places]
    for index, area in enumerate(circuit.areas if readout_names else ()):
        if not area.placed:
            description = (
                f"area {area.name!r} without position_mm, with a probe {readout_names[0]!r}"
            )
            yield str(
                refuse(
                    description,
                    "Area(name=..., position_mm=..., normal=...)",
                    f"Config.circuit.areas[{index}]",
                )
            )
