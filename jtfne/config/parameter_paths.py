"""Paths to the numbers of a circuit that may be tuned or swept: list them and read them."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import JtfneError, describe_value, nearest
from jtfne.config.checks.declared_names import DeclaredNames
from jtfne.config.circuit import Circuit
from jtfne.config.connections import Connection
from jtfne.config.distributions import Uniform
from jtfne.config.labels import connection_labels, group_by_pair
from jtfne.config.populations import INPUTS, base_emitter, count_cells, default_input
from jtfne.config.rules import FromTable
from jtfne.emitters import Trains, can_receive

FAMILIES = ("gains", "connections", "cells", "mechanisms")
SHOWN = 12  # known paths that a message lists


@dataclasses.dataclass(frozen=True)
class Place:
    """The parameter that a path names.

    family: one of FAMILIES, or that of `jtfne.config.parameters.CONFIG`. name: pair of cell types,
    connection, cell type or mechanism. at: index of the connection, -1 for other families. area,
    layer: of the cells, empty for all.
    """

    path: str = dataclasses.field(compare=False)  # not compared: a connection may have two paths
    family: str
    name: str
    field: str = ""
    at: int = -1
    area: str = ""
    layer: str = ""


def list_places(circuit: Circuit) -> dict[str, Place]:
    """Map each path of a complete circuit to its Place, in order of family."""
    places = [
        *_list_gains(circuit),
        *_list_weights(circuit),
        *_list_cell_numbers(circuit),
        *_list_mechanism_numbers(circuit),
    ]
    return {place.path: place for place in places}


def _list_gains(circuit: Circuit) -> Iterator[Place]:
    """Yield the gain of each pair of cell types that a connection joins."""
    declared = DeclaredNames(circuit)
    ends = []
    for connection in circuit.connections:
        source_types = declared.find_cell_types(connection.source)
        ends.append((source_types, declared.find_cell_types(connection.target)))
    for pair in group_by_pair(ends):
        yield Place(f"gains.{pair}", "gains", pair)


def _list_weights(circuit: Circuit) -> Iterator[Place]:
    """Yield the weight of each connection; also by its ends alone where no other has them."""
    labels = connection_labels(circuit.connections)
    ends = [label.rpartition(":")[0] for label in labels]
    for index, (label, ends_label) in enumerate(zip(labels, ends, strict=True)):
        yield Place(f"connections.{label}.weight", "connections", label, "weight", index)
        if ends.count(ends_label) == 1:
            yield Place(f"connections.{ends_label}.weight", "connections", label, "weight", index)


def _list_cell_numbers(circuit: Circuit) -> Iterator[Place]:
    """Yield drive, noise and the traced numbers of the emitter of each cell type.

    First those of all cells of a type; then of those in one layer, one area, and one layer of one
    area, where the type has several.
    """
    counts = count_cells(circuit)
    cell_types = sorted({cell_type for *_, cell_type in counts})
    names = {cell_type: _list_cell_fields(circuit, cell_type) for cell_type in cell_types}
    for cell_type in cell_types:
        for name in names[cell_type]:
            yield Place(f"cells.{cell_type}.{name}", "cells", cell_type, name)
    for cell_type in cell_types:
        for area, layer in _list_cell_groups(counts, cell_type):
            group = ".".join(filter(None, (area, layer)))
            for name in names[cell_type]:
                path = f"cells.{group}.{cell_type}.{name}"
                yield Place(path, "cells", cell_type, name, area=area, layer=layer)


def _list_cell_fields(circuit: Circuit, cell_type: str) -> list[str]:
    """The names of the numbers of a cell type that may be tuned."""
    emitter: Any = base_emitter(circuit, cell_type)
    names = list(INPUTS) if can_receive(emitter) else []
    for field in dataclasses.fields(emitter):
        is_trains = isinstance(getattr(emitter, field.name), Trains)
        if not field.metadata.get("static") and not is_trains:
            names.append(field.name)
    return names


def _list_cell_groups(
    counts: Mapping[tuple[str, str, str], int], cell_type: str
) -> list[tuple[str, str]]:
    """The areas and layers ("" for all) that hold a part of the cells of a type."""
    homes = [(area, layer) for area, layer, name in counts if name == cell_type]
    areas = dict.fromkeys(area for area, _ in homes)
    layers = dict.fromkeys(layer for _, layer in homes)
    groups: list[tuple[str, str]] = []
    if len(layers) > 1:
        groups += [("", layer) for layer in layers]
    if len(areas) > 1:
        groups += [(area, "") for area in areas]
    if len(areas) > 1 and len(layers) > 1:
        groups += homes
    return groups


def select_cells(circuit: Circuit, place: Place) -> npt.NDArray[np.bool_]:
    """Which cells of its type a place of the family "cells" means, (n_cells of the type,)."""
    parts = []
    for (area, layer, cell_type), n_cells in count_cells(circuit).items():
        if cell_type == place.name:
            is_meant = place.area in ("", area) and place.layer in ("", layer)
            parts.append(np.full(n_cells, is_meant))
    return np.concatenate(parts)


def overlap(first: Place, second: Place) -> bool:
    """Whether two places share a number."""
    if dataclasses.replace(first, area="", layer="") != dataclasses.replace(
        second, area="", layer=""
    ):
        return False
    share_area = first.area == second.area or "" in (first.area, second.area)
    return share_area and (first.layer == second.layer or "" in (first.layer, second.layer))


def _list_mechanism_numbers(circuit: Circuit) -> Iterator[Place]:
    """Yield the traced numbers of each mechanism."""
    for name, synapse in circuit.mechanisms.items():
        mechanism: Any = synapse
        for field in dataclasses.fields(mechanism):
            if not field.metadata.get("static") and getattr(mechanism, field.name) is not None:
                yield Place(f"mechanisms.{name}.{field.name}", "mechanisms", name, field.name)


def find_place(path: str, places: Mapping[str, Place], where: str) -> Place:
    """The Place of `path`. Raises: JtfneError for an unknown path, with the nearest one."""
    if path in places:
        return places[path]
    family = path.partition(".")[0]
    candidates = [candidate for candidate in places if places[candidate].family == family]
    candidates = candidates or list(places)
    listing = ", ".join(map(repr, candidates[:SHOWN])) or "nothing"
    if len(candidates) > SHOWN:
        listing += f", ... ({len(candidates)} in all)"
    nearest_path = nearest(path, candidates)
    hint = f"; nearest: {nearest_path!r}" if nearest_path else ""
    raise JtfneError(f"unknown path {describe_value(path)}; expected {listing}{hint} (in {where})")


def get_value(circuit: Circuit, place: Place) -> float | None:
    """The declared value of a parameter; None if it differs from cell to cell."""
    if place.family == "gains":
        return float(circuit.gains.get(place.name, 1.0))
    if place.family == "connections":
        return mean_weight(circuit.connections[place.at])
    if place.family == "mechanisms":
        return float(getattr(circuit.mechanisms[place.name], place.field))
    values = np.unique(read_cell_values(circuit, place)[select_cells(circuit, place)])
    return float(values[0]) if len(values) == 1 else None


def read_cell_values(circuit: Circuit, place: Place) -> npt.NDArray[np.float64]:
    """The declared values of all cells of a type, (n_cells of the type,)."""
    params = circuit.cell_params.get(place.name, {})
    value: Any
    if place.field in params:
        value = params[place.field]
    elif place.field in INPUTS:
        value = default_input(circuit, place.name, place.field)
    else:
        value = getattr(base_emitter(circuit, place.name), place.field)
    n_cells = len(select_cells(circuit, place))
    return np.broadcast_to(np.asarray(value, np.float64), (n_cells,))


def mean_weight(connection: Connection) -> float:
    """The mean weight of a connection, declared or of its table."""
    rule, weight = connection.rule, connection.weight
    if isinstance(rule, FromTable) and rule.weight is not None:
        return float(np.mean(rule.weight.array))
    if isinstance(weight, Uniform):
        return 0.5 * (weight.low + weight.high)
    return float(weight) if isinstance(weight, int | float) else weight.mean


def is_constant(connection: Connection) -> bool:
    """Whether all synapses of a connection are declared to have one weight."""
    return is_number(connection) and connection.weight_decay is None


def is_number(connection: Connection) -> bool:
    """Whether the weight is declared as a number, perhaps one that falls with distance."""
    rule = connection.rule
    has_table_weights = isinstance(rule, FromTable) and rule.weight is not None
    return not has_table_weights and isinstance(connection.weight, int | float)
