"""Checks of fields against the circuit: maps of what is not there, areas without a place. Each finding is one line."""

from collections.abc import Callable, Iterator

from jtfne._check import refuse
from jtfne.config._errors import unknown
from jtfne.config.circuit import Circuit
from jtfne.config.connections import Selector
from jtfne.config.fields import EEG, LFP, MEG
from jtfne.config.readouts import EEGProxy, MEGProxy, Readouts
from jtfne.config.source_maps import OTHERS, RECEPTIVE, SourceMap


def mapped(
    maps: tuple[SourceMap, ...], circuit: Circuit, refusals: Callable[[Selector, str], list[str]]
) -> Iterator[str]:
    """Maps of cells or mechanisms that are not declared. refusals: of a selector at a place."""
    for at, each in enumerate(maps):
        where = f"Config.readouts.maps[{at}]"
        yield from refusals(each.cells, f"{where}.cells")
        for name in each.mechanism or ():
            line = unknown(name, [*RECEPTIVE, *OTHERS, *circuit.mechanisms], name="mechanism", where=where)
            if line:
                yield line


def unplaced(readouts: Readouts, circuit: Circuit) -> Iterator[str]:
    """Areas without a place in the head, where a probe sees them from there."""
    seen = [
        each.readout
        for each in readouts.probes
        if isinstance(each, EEGProxy | MEGProxy | EEG | MEG) or (isinstance(each, LFP) and each.far)
    ]
    for at, area in enumerate(circuit.areas if seen else ()):
        if not area.placed:
            given = f"area {area.name!r} without position_mm, with a probe {seen[0]!r}"
            yield str(refuse(given, "Area(name=..., position_mm=..., normal=...)", f"Config.circuit.areas[{at}]"))
