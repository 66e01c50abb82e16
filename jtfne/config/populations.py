"""Populations of a circuit: cell counts from the mix, each with its emitter and input."""

import dataclasses
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

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
LayerMix = dict[tuple[str, str], float]  # fraction or count by (layer, cell type)
Key = TypeVar("Key", bound=Hashable)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Population:
    """Cells of one type in one layer of one area; drive and noise in the emitter's input unit.

    Drive, noise and each field of the emitter are a number, or an array with one value a cell,
    float64 (n_cells,). So is v_init_mV, the potential before the first step; None where the emitter
    spreads it.

    Examples
    --------
    >>> import jtfne
    >>> population = jtfne.suite2_net1_config(20).populations()[0]
    >>> population.cell_type, population.n_cells, population.emitter.input_unit
    ('E', 16, 'mV/ms')
    >>> population.per_cell(population.drive).shape
    (16,)
    """

    area: str
    layer: str
    cell_type: str
    n_cells: int
    emitter: Emitter
    drive: Values
    noise: Values
    v_init_mV: Values | None = None

    def per_cell(self, value: Any) -> npt.NDArray[np.float64]:
        """Broadcast a value, or an array with one for each cell, to (n_cells,)."""
        return np.broadcast_to(np.asarray(value, np.float64), (self.n_cells,))

    def model_and_input(self) -> str:
        """Text of the cell model and its input; the range of values that differ between cells."""
        drive, noise = _describe_range(self.drive), _describe_range(self.noise)
        return (
            f"{type(self.emitter).__name__}, drive {drive}, noise {noise} {self.emitter.input_unit}"
        )


def _describe_range(values: Values) -> str:
    """Text of a number, or of the least and the greatest of several."""
    low, high = float(np.min(values)), float(np.max(values))
    return f"{low:g}" if low == high else f"{low:g} .. {high:g}"


def list_populations(circuit: Circuit) -> tuple[Population, ...]:
    """The populations that have cells, in order of area, layer and type (by name)."""
    populations: list[Population] = []
    n_before: dict[str, int] = {}  # cells of each type in the populations so far
    for (area, layer, cell_type), n_cells in count_cells(circuit).items():
        first = n_before.get(cell_type, 0)
        n_before[cell_type] = first + n_cells
        params = _select_params(circuit, cell_type, slice(first, first + n_cells))
        drive = params.pop("drive", default_input(circuit, cell_type, "drive"))
        noise = params.pop("noise", default_input(circuit, cell_type, "noise"))
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
    selected_params: dict[str, Values] = {}
    for name, value in circuit.cell_params.get(cell_type, {}).items():
        if isinstance(value, tuple):
            selected_params[name] = np.asarray(value[cells], np.float64)
        else:
            selected_params[name] = value
    return selected_params


def _select_trains(emitter: Emitter, first: int, n_cells: int) -> dict[str, Trains]:
    """The spike trains of `n_cells` cells of a type from cell `first` on, by emitter field."""
    selected_trains = {}
    for name, value in vars(emitter).items():
        if isinstance(value, Trains):
            selected_trains[name] = value.of_cells(first, n_cells)
    return selected_trains


def default_input(circuit: Circuit, cell_type: str, name: str) -> float:
    """Drive or noise of a type that declares none: that of its default emitter, else 0."""
    default = CELL_TYPES.get(cell_type)
    return getattr(default, name) if default and cell_type not in circuit.emitters else 0.0


def count_cells(circuit: Circuit) -> dict[tuple[str, str, str], int]:
    """Map (area, layer, cell type) to its number of cells, where there are any."""
    thickness = {layer.name: layer.bottom - layer.top for layer in circuit.layers}
    counts: dict[tuple[str, str, str], int] = {}
    if circuit.cells is None:
        return counts
    for area in circuit.areas:
        counts_in_area = _count_in_area(circuit.cells, area.name, thickness)
        cell_types = sorted({cell_type for _, cell_type in counts_in_area})
        for layer in thickness:
            for cell_type in cell_types:
                n_cells = counts_in_area.get((layer, cell_type), 0)
                if n_cells:
                    counts[area.name, layer, cell_type] = n_cells
    return counts


def _count_in_area(
    cells: Cells, area: str, thickness: dict[str, float]
) -> dict[tuple[str, str], int]:
    """Map (layer, cell type) to its number of cells in one area."""
    mix: LayerMix = {}
    for mix_area, layer, cell_type, value in cells.leaves():
        if mix_area in ("", area):
            mix[layer, cell_type] = value
    if not mix:
        return {}
    if all(layer == "" for layer, _ in mix):
        return _spread_over_layers(_count_by_key(cells, mix), thickness)
    if cells.unit == "count" or is_one(sum(mix.values())):
        return _count_by_key(cells, mix)
    # The fractions of each layer sum to 1: layers share the cells by thickness, then types do.
    mix_layers = {layer for layer, _ in mix}
    thickness = {layer: share for layer, share in thickness.items() if layer in mix_layers}
    counts: dict[tuple[str, str], int] = {}
    for layer, total in _split(cells.per_area, thickness).items():
        shares = {key: share for key, share in mix.items() if key[0] == layer}
        counts |= _split(total, shares)
    return counts


def _count_by_key(cells: Cells, mix: LayerMix) -> dict[tuple[str, str], int]:
    """The numbers of a mix as cells: counts as they are, fractions of the cells of an area."""
    if cells.unit == "count":
        return {key: int(n) for key, n in mix.items()}
    return _split(cells.per_area, mix)


def _spread_over_layers(
    totals: Mapping[tuple[str, str], int], thickness: Mapping[str, float]
) -> dict[tuple[str, str], int]:
    """Split the cells of each type over all layers by thickness."""
    counts: dict[tuple[str, str], int] = {}
    for (_, cell_type), total in totals.items():
        for layer, n_cells in _split(total, thickness).items():
            counts[layer, cell_type] = n_cells
    return counts


def _split(total: int, shares: Mapping[Key, float]) -> dict[Key, int]:
    """Split `total` into whole numbers in proportion to `shares`, by the keys of these."""
    return dict(zip(shares, largest_remainder(total, list(shares.values())), strict=True))


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
