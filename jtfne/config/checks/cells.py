"""Checks of the mix of cells against areas, layers and emitters."""

from collections.abc import Iterable, Iterator, Sequence

from jtfne.config.cells import Leaf
from jtfne.config.circuit import Circuit
from jtfne.config.defaults import CELL_TYPES
from jtfne.config.populations import base_emitter
from jtfne.pydantic_fields.errors import describe_refusal, describe_unknown

WHERE = "Config.circuit.cells.mix"


def check_mix_names(
    leaves: Iterable[Leaf], area_names: Sequence[str] | None, layer_names: Sequence[str] | None
) -> Iterator[str]:
    """Yield an error for each area and layer of a mix that is not declared.

    leaves: the numbers of the mix, (area, layer, cell type, number). area_names, layer_names: those
    declared, None as long as there are none.
    """
    leaves = list(leaves)
    areas = dict.fromkeys(area for area, *_ in leaves)
    layers = dict.fromkeys(layer for _, layer, *_ in leaves)
    for key, mix_names, declared_names in (
        ("area", areas, area_names),
        ("layer", layers, layer_names),
    ):
        for mix_name in mix_names:
            if not mix_name or not declared_names:
                continue
            line = describe_unknown(mix_name, declared_names, name=key, where=WHERE)
            if line:
                yield line


def check_cells(
    circuit: Circuit, cell_types: Sequence[str], populations: Iterable[tuple[str, str, str]] | None
) -> Iterator[str]:
    """Yield an error for each cell type without an emitter, and each area without cells.

    populations: (area, layer, cell type) of those that have cells; None where they cannot be
    counted.
    """
    for cell_type in cell_types:
        if base_emitter(circuit, cell_type) is None:
            known_types = ", ".join(map(repr, CELL_TYPES))
            yield describe_refusal(
                f"cell type {cell_type!r} without emitter",
                f"{known_types}, or a type with an emitter, by Config.emitters(...)",
                WHERE,
            )
    if populations is None:
        return
    areas_with_cells = {area for area, *_ in populations}
    for area in circuit.areas:
        if area.name not in areas_with_cells:
            yield describe_refusal(
                f"area {area.name!r} without cells", "cells in every area", WHERE
            )
