"""Edges: who connects to whom in an edge population, with weights, delays and numbers of synapses."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jtfne._check import one_of, refuse
from jtfne._sonata_files._hdf5 import (
    Grouped,
    Integers,
    Numbers,
    find_group,
    open_hdf5,
    read_integers,
    read_text_attribute,
)
from jtfne._sonata_files._types import TypeRow, read_number

WEIGHT, DELAY, SYNAPSES = "syn_weight", "delay", "nsyns"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Edges:
    """The edges of one population, in the order of the file.

    A weight, a delay (ms) and a number of synapses are those of the edge where the file has them,
    else those of its type; None where neither has any.

    source_nodes, target_nodes : node populations, "" where the file does not say.
    types : the attributes of each type that the edges have, by its id.
    """

    population: str
    source_nodes: str
    target_nodes: str
    source: Integers  # (n,)
    target: Integers  # (n,)
    type_id: Integers  # (n,)
    weight: Numbers | None
    delay_ms: Numbers | None
    n_synapses: Numbers | None
    types: dict[int, TypeRow]
    attributes: tuple[str, ...]
    where: str

    def __len__(self) -> int:
        """The number of edges."""
        return int(self.source.size)

    def select(self, is_selected: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> "Edges":
        """The edges of a mask (n,)."""
        columns: dict[str, Any] = {}
        for name in ("source", "target", "type_id", "weight", "delay_ms", "n_synapses"):
            column = getattr(self, name)
            columns[name] = None if column is None else column[is_selected]
        type_ids = set(np.unique(columns["type_id"]).tolist())
        types = {type_id: row for type_id, row in self.types.items() if type_id in type_ids}
        return dataclasses.replace(self, **columns, types=types)


def list_edge_populations(path: Path) -> list[str]:
    """Names of the edge populations of a file. Raises: JtfneError as `read_edges`."""
    with open_hdf5(path, "edges") as file:
        return list(find_group(file, "edges", str(path)))


def read_edges(
    path: Path, population: str | None = None, types: Mapping[int, TypeRow] | None = None
) -> Edges:
    """The edges of one population of a file.

    population: needed where the file has several. types: the table of edge types; None where the
    file's own weights and delays are all there is. Raises: JtfneError for a file that is none or
    cut short, an unknown population or edge type, or an attribute that only a part of the edges
    has.
    """
    with open_hdf5(path, "edges") as file:
        one_of("edges", list(file), name="group", where=str(path))
        names = list(find_group(file, "edges", str(path)))
        if population is None and len(names) != 1:
            listing = ", ".join(map(repr, names)) or "no other"
            description = f"{len(names)} edge populations"
            raise refuse(description, f"one, or connection= one of {listing}", str(path))
        name = one_of(population or names[0], names, name="edge population", where=str(path))
        where = f"{path}, population {name!r}"
        group = find_group(file["edges"], name, str(path))
        source = read_integers(group, "source_node_id", where)
        n_edges = source.size
        target = read_integers(group, "target_node_id", where, n_edges)
        if "edge_type_id" in group:
            type_id = read_integers(group, "edge_type_id", where, n_edges)
        else:
            type_id = np.zeros(n_edges, np.int64)
        used_types = _select_types(types, type_id, where)
        grouped = Grouped(group, "edge", n_edges, where)
        columns = {}
        for attribute in (WEIGHT, DELAY, SYNAPSES):
            values = grouped.read(attribute)
            if values is None:
                values = _read_of_types(used_types, type_id, attribute, where)
            columns[attribute] = values
        _check_synapses(columns[SYNAPSES], where)
        return Edges(
            population=name,
            source_nodes=read_text_attribute(group["source_node_id"], "node_population"),
            target_nodes=read_text_attribute(group["target_node_id"], "node_population"),
            source=source,
            target=target,
            type_id=type_id,
            weight=columns[WEIGHT],
            delay_ms=columns[DELAY],
            n_synapses=columns[SYNAPSES],
            types=used_types,
            attributes=tuple(grouped.names()),
            where=where,
        )


def _select_types(
    types: Mapping[int, TypeRow] | None, type_id: Integers, where: str
) -> dict[int, TypeRow]:
    """The rows of the types that edges have; empty rows where there is no table.

    Raises: JtfneError for a type that is not in the table.
    """
    used_ids = np.unique(type_id).tolist()
    if types is None:
        return {used_id: {} for used_id in used_ids}
    unknown_ids = [used_id for used_id in used_ids if used_id not in types]
    if unknown_ids:
        listing = ", ".join(map(str, list(types)[:10])) or "none"
        raise refuse(
            f"edges of type {unknown_ids[0]}, which the table of types lacks,",
            f"edge_type_id {listing}",
            where,
        )
    return {used_id: types[used_id] for used_id in used_ids}


def _read_of_types(
    types: Mapping[int, TypeRow], type_id: Integers, name: str, where: str
) -> Numbers | None:
    """The number of each edge's type, (n,); None if no type has it.

    Raises: JtfneError where only some of the types have it.
    """
    numbers = {used_id: read_number(row, name, where) for used_id, row in types.items()}
    lacking_ids = [used_id for used_id, number in numbers.items() if number is None]
    if not numbers or len(lacking_ids) == len(numbers):
        return None
    if lacking_ids:
        description = f"edge type {lacking_ids[0]} without {name!r}"
        raise refuse(description, "it in every type of these edges, or in none", where)
    used_ids, places = np.unique(type_id, return_inverse=True)
    values: Numbers = np.array([numbers[used_id] for used_id in used_ids.tolist()])[places]
    return values


def _check_synapses(n_synapses: Numbers | None, where: str) -> None:
    """Raises: JtfneError for numbers of synapses that are not whole, or negative."""
    if n_synapses is None or not n_synapses.size:
        return
    if (n_synapses < 0).any() or (n_synapses != np.floor(n_synapses)).any():
        raise refuse(f"{SYNAPSES} that is no number of synapses", "whole numbers, 0 or more", where)
