"""From a mix to counted populations, each with its emitter and input."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from jtfne.config._defaults import CELL_TYPES
from jtfne.config.circuit import Cells, Circuit, is_one
from jtfne.emitters import Emitter

INPUTS = ("drive", "noise")  # what cell_params may set beside the emitter's fields


@dataclasses.dataclass(frozen=True, kw_only=True)
class Population:
    """Cells of one type in one layer of one area; drive and noise in the emitter's input unit."""

    area: str
    layer: str
    cell_type: str
    n_cells: int
    emitter: Emitter
    drive: float
    noise: float


def populations_of(circuit: Circuit) -> tuple[Population, ...]:
    """The populations in order of area, layer and type (by name), those without cells left out."""
    return tuple(
        Population(
            area=area,
            layer=layer,
            cell_type=cell_type,
            n_cells=n_cells,
            emitter=emitter_with(circuit, cell_type),
            drive=_input(circuit, cell_type, "drive"),
            noise=_input(circuit, cell_type, "noise"),
        )
        for (area, layer, cell_type), n_cells in counts_of(circuit).items()
    )


def base_emitter(circuit: Circuit, cell_type: str) -> Emitter | None:
    """The declared emitter of a type, or its default, or None."""
    if cell_type in circuit.emitters:
        return circuit.emitters[cell_type]
    return CELL_TYPES[cell_type].emitter if cell_type in CELL_TYPES else None


def emitter_with(circuit: Circuit, cell_type: str) -> Emitter:
    """The emitter of a type, with what cell_params say."""
    emitter: Any = base_emitter(circuit, cell_type)  # not None: Config.check has seen to it
    changed = {k: v for k, v in circuit.cell_params.get(cell_type, {}).items() if k not in INPUTS}
    found: Emitter = dataclasses.replace(emitter, **changed)
    return found


def _input(circuit: Circuit, cell_type: str, name: str) -> float:
    """Drive or noise: as declared; else the type's default, which belongs to its default emitter; else none."""
    declared = circuit.cell_params.get(cell_type, {})
    if name in declared:
        return float(declared[name])
    default = CELL_TYPES.get(cell_type)
    return getattr(default, name) if default and cell_type not in circuit.emitters else 0.0


def counts_of(circuit: Circuit) -> dict[tuple[str, str, str], int]:
    """(area, layer, cell type) -> number of cells, where there are any."""
    thickness = {layer.name: layer.bottom - layer.top for layer in circuit.layers}
    counts: dict[tuple[str, str, str], int] = {}
    for area in circuit.areas:
        found = _in_area(circuit.cells, area.name, thickness) if circuit.cells else {}
        for layer in thickness:
            for cell_type in sorted({name for _, name in found}):
                counts[area.name, layer, cell_type] = found.get((layer, cell_type), 0)
    return {key: n for key, n in counts.items() if n}


def _in_area(cells: Cells, area: str, thickness: dict[str, float]) -> dict[tuple[str, str], int]:
    """(layer, cell type) -> number of cells in one area."""
    mix = {(layer, name): value for a, layer, name, value in cells.leaves() if a in ("", area)}
    if not mix:
        return {}
    if all(layer == "" for layer, _ in mix):  # the same in every layer: types first, then each over the layers
        counted = cells.unit == "count"
        totals = [int(n) for n in mix.values()] if counted else largest_remainder(cells.per_area, list(mix.values()))
        spread = [largest_remainder(total, list(thickness.values())) for total in totals]
        return {
            (layer, name): n
            for (_, name), row in zip(mix, spread, strict=True)
            for layer, n in zip(thickness, row, strict=True)
        }
    if cells.unit == "count":
        return {key: int(n) for key, n in mix.items()}
    if is_one(sum(mix.values())):
        return dict(zip(mix, largest_remainder(cells.per_area, list(mix.values())), strict=True))
    layers = [layer for layer in thickness if any(layer == each for each, _ in mix)]
    by_layer = largest_remainder(cells.per_area, [thickness[layer] for layer in layers])
    found: dict[tuple[str, str], int] = {}
    for layer, total in zip(layers, by_layer, strict=True):
        here = {key: share for key, share in mix.items() if key[0] == layer}
        found |= dict(zip(here, largest_remainder(total, list(here.values())), strict=True))
    return found


def largest_remainder(total: int, shares: Sequence[float]) -> list[int]:
    """`total` in whole parts, as near to `shares` as can be (method of Hare); ties go to the first.

    >>> largest_remainder(10, [0.5, 0.25, 0.25])
    [5, 3, 2]
    """
    exact = [total * share / sum(shares) for share in shares]
    parts = [math.floor(each + 1e-9) for each in exact]
    order = sorted(range(len(parts)), key=lambda k: parts[k] - exact[k])
    for k in order[: total - sum(parts)]:
        parts[k] += 1
    return parts
