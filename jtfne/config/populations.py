"""Populations of a circuit: cell counts from the mix, each with its emitter and input."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne.config.cells import Cells, is_one
from jtfne.config.circuit import Circuit
from jtfne.config.defaults import CELL_TYPES
from jtfne.emitters import Emitter, Trains

# what cell_params may set beside the emitter's fields; and, before the first step:
INPUTS = ("drive", "noise")
V_INIT = "v_init_mV"
Values = float | npt.NDArray[np.float64]  # one for all cells, or one each: (n_cells,)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Population:
    """Cells of one type in one layer of one area; drive and noise in the emitter's input unit.

    Drive, noise and each field of the emitter are a number, or an array with one value a cell,
    float64 (n_cells,). So is v_init_mV, the potential before the first step; None where the emitter
    spreads it.
    """

    area: str
    layer: str
    cell_type: str
    n_cells: int
    emitter: Emitter
    drive: Values
    noise: Values
    v_init_mV: Values | None = None

    def spread(self, value: Any) -> npt.NDArray[np.float64]:
        """Broadcast a value, or an array with one for each cell, to (n_cells,)."""
        return np.broadcast_to(np.asarray(value, np.float64), (self.n_cells,))

    def model_and_input(self) -> str:
        """Text of the cell model and its input; the range of values that differ between cells."""
        drive, noise = (
            " .. ".join(f"{number:g}" for number in np.unique([np.min(value), np.max(value)]))
            for value in (self.drive, self.noise)
        )
        return (
            f"{type(self.emitter).__name__}, drive {drive}, noise {noise} {self.emitter.input_unit}"
        )


def list_populations(circuit: Circuit) -> tuple[Population, ...]:
    """The populations that have cells, in order of area, layer and type (by name)."""
    populations: list[Population] = []
    n_before: dict[str, int] = {}  # cells of each type in the populations so far
    for (area, layer, cell_type), n_cells in count_cells(circuit).items():
        first = n_before.get(cell_type, 0)
        n_before[cell_type] = first + n_cells
        params = _select_params(circuit, cell_type, slice(first, first + n_cells))
        drive, noise = (
            params.pop(name, default_input(circuit, cell_type, name)) for name in INPUTS
        )
        v_init_mV = params.pop(V_INIT, None)
        emitter: Any = base_emitter(circuit, cell_type)  # not None: Config.check has seen to it
        population_emitter = dataclasses.replace(
            emitter, **params, **_select_trains(emitter, first, n_cells)
        )
        populations.append(
            Population(
                area=area,
                layer=layer,
                cell_type=cell_type,
                n_cells=n_cells,
                emitter=population_emitter,
                drive=drive,
                noise=noise,
                v_init_mV=v_init_mV,
            )
        )
    return tuple(populations)


def base_emitter(circuit: Circuit, cell_type: str) -> Emitter | None:
    """The declared emitter of a cell type, else its default, else None."""
    if cell_type in circuit.emitters:
        return circuit.emitters[cell_type]
    return CELL_TYPES[cell_type].emitter if cell_type in CELL_TYPES else None


def _select_params(circuit: Circuit, cell_type: str, cells: slice) -> dict[str, Values]:
    """The cell_params of `cells` of a type: numbers, and arrays of the values of these cells."""
    params = circuit.cell_params.get(cell_type, {})
    return {
        name: np.asarray(value[cells], np.float64) if isinstance(value, tuple) else value
        for name, value in params.items()
    }


def _select_trains(emitter: Emitter, first: int, n_cells: int) -> dict[str, Trains]:
    """The spike trains of `n_cells` cells of a type from cell `first` on, by emitter field."""
    fields = {name: getattr(emitter, name) for name in vars(emitter)}
    return {
        name: value.of_cells(first, n_cells)
        for name, value in fields.items()
        if isinstance(value, Trains)
    }


def default_input(circuit: Circuit, cell_type: str, name: str) -> float:
    """Drive or noise where none is declared: that of the type's default emitter, else 0."""
    default = CELL_TYPES.get(cell_type)
    return getattr(default, name) if default and cell_type not in circuit.emitters else 0.0


def count_cells(circuit: Circuit) -> dict[tuple[str, str, str], int]:
    """Map (area, layer, cell type) to its number of cells, where there are any."""
    thickness = {layer.name: layer.bottom - layer.top for layer in circuit.layers}
    counts: dict[tuple[str, str, str], int] = {}
    for area in circuit.areas:
        cells_in_area = _count_in_area(circuit.cells, area.name, thickness) if circuit.cells else {}
        for layer in thickness:
            for cell_type in sorted({name for _, name in cells_in_area}):
                counts[area.name, layer, cell_type] = cells_in_area.get((layer, cell_type), 0)
    return {key: n for key, n in counts.items() if n}


def _count_in_area(
    cells: Cells, area: str, thickness: dict[str, float]
) -> dict[tuple[str, str], int]:
    """Map (layer, cell type) to its number of cells in one area."""
    mix = {(layer, name): value for a, layer, name, value in cells.leaves() if a in ("", area)}
    if not mix:
        return {}
    # the same in every layer: types first, then each over the layers
    if all(layer == "" for layer, _ in mix):
        is_count = cells.unit == "count"
        totals = (
            [int(n) for n in mix.values()]
            if is_count
            else largest_remainder(cells.per_area, list(mix.values()))
        )
        counts_by_layer = [largest_remainder(total, list(thickness.values())) for total in totals]
        return {
            (layer, name): n
            for (_, name), row in zip(mix, counts_by_layer, strict=True)
            for layer, n in zip(thickness, row, strict=True)
        }
    if cells.unit == "count":
        return {key: int(n) for key, n in mix.items()}
    if is_one(sum(mix.values())):
        return dict(zip(mix, largest_remainder(cells.per_area, list(mix.values())), strict=True))
    layers = [layer for layer in thickness if any(layer == mix_layer for mix_layer, _ in mix)]
    by_layer = largest_remainder(cells.per_area, [thickness[layer] for layer in layers])
    counts: dict[tuple[str, str], int] = {}
    for layer, total in zip(layers, by_layer, strict=True):
        shares = {key: share for key, share in mix.items() if key[0] == layer}
        counts |= dict(zip(shares, largest_remainder(total, list(shares.values())), strict=True))
    return counts


def largest_remainder(total: int, shares: Sequence[float]) -> list[int]:
    """Split `total` into whole numbers in proportion to `shares` (Hare); ties go to the first.

    >>> largest_remainder(10, [0.5, 0.25, 0.25])
    [5, 3, 2]
    """
    exact_parts = [total * share / sum(shares) for share in shares]
    parts = [math.floor(exact_part + 1e-9) for exact_part in exact_parts]
    order = sorted(range(len(parts)), key=lambda k: parts[k] - exact_parts[k])
    for k in order[: total - sum(parts)]:
        parts[k] += 1
    return parts
