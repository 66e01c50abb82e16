"""Edges of SONATA as columns: of one kind, by the ids of the net, with the weights of their types."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._arguments import check_table
from jtfne._check import NOT_NEGATIVE, refuse, whole_number
from jtfne._files import resolve_path
from jtfne._sonata_files import Edges, TypeRow, read_edges, read_types
from jtfne.pydantic_fields.array_field import read_numbers

# What a type says beside weight and delay; edges that differ in it are not of one kind.
KINDS = ("model_template", "dynamics_params", "weight_function")
MOST_SHOWN = 5  # edge types in an error


def read_sonata_edges(
    path: Path,
    connection: str | None,
    types: str | Path | None,
    edge_type: int | None,
    nodes: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Read the columns `source`, `target`, and perhaps `weight` and `delay_ms` of an edge population.

    The arguments are those of `FromTable.read`. Raises: JtfneError for edges of several kinds,
    between populations without `nodes`, and what `read_edges` refuses.
    """
    table = None if types is None else _read_table(types)
    edges = read_edges(path, connection, table)
    if edge_type is not None:
        edges = _select_type(edges, edge_type)
    _refuse_several_kinds(edges, has_table=table is not None)
    functions = [row["weight_function"] for row in edges.types.values() if "weight_function" in row]
    if functions and edges.weight is None:
        description = f"weights by the function {functions[0]!r}"
        raise refuse(description, "syn_weight of edges or types", edges.where)
    columns: dict[str, Any] = _find_ids(edges, nodes)
    columns |= {"weight": edges.weight, "delay_ms": edges.delay_ms}
    if edges.n_synapses is not None:
        columns = _count_synapses(columns, edges.n_synapses.astype(np.int64))
    return {name: column for name, column in columns.items() if column is not None}


def _read_table(types: str | Path) -> dict[int, TypeRow]:
    """The rows of a table of edge types."""
    return read_types(resolve_path(types, "FromTable.read types"), "edge_type_id")


def _select_type(edges: Edges, edge_type: int) -> Edges:
    """The edges of one type. Raises: JtfneError for a type that none has."""
    type_id = whole_number(edge_type, NOT_NEGATIVE, name="edge_type", where=edges.where)
    if type_id not in edges.types:
        listing = ", ".join(map(str, edges.types)) or "none: there are no edges"
        raise refuse(f"edge_type={type_id}", listing, edges.where)
    return edges.select(edges.type_id == type_id)


def _refuse_several_kinds(edges: Edges, *, has_table: bool) -> None:
    """Raises: JtfneError for edge types that one connection cannot hold.

    These are types of weights of different sign, of another model or parameters, and several of
    which nobody knows the weights.
    """
    if len(edges.types) < 2:
        signs = set() if edges.weight is None else set(np.sign(edges.weight).tolist()) - {0.0}
        if len(signs) > 1:
            description = f"weights from {edges.weight.min():g} to {edges.weight.max():g}"  # type: ignore[union-attr]  # signs are those of weights
            raise refuse(description, "weights of one sign", edges.where)
        return
    descriptions = {type_id: _describe_type(edges, type_id) for type_id in edges.types}
    is_unknown = edges.weight is None and not has_table
    if len({kind for kind, _ in descriptions.values()}) > 1 or is_unknown:
        texts = [f"{type_id} ({text})" for type_id, (_, text) in descriptions.items()]
        more = ", ..." if len(texts) > MOST_SHOWN else ""
        hint = "types= their table, or " if is_unknown else ""
        raise refuse(
            f"edges of {len(texts)} types, {', '.join(texts[:MOST_SHOWN])}{more},",
            f"{hint}edge_type= one of them",
            edges.where,
        )


def _describe_type(edges: Edges, type_id: int) -> tuple[tuple[Any, ...], str]:
    """What makes a type one of a kind, and a text of it for errors."""
    row = edges.types[type_id]
    kind: list[Any] = [row.get(name, "") for name in KINDS]
    texts = [row[name] for name in KINDS if name in row]
    if edges.weight is None:
        return tuple(kind), ", ".join([*texts, "no weights"])
    weights = edges.weight[edges.type_id == type_id]
    low, high = float(weights.min()), float(weights.max())
    span = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return (*kind, low < 0, high > 0), ", ".join([*texts, f"weights {span}"])


def _find_ids(edges: Edges, nodes: Mapping[str, Any] | None) -> dict[str, npt.NDArray[Any]]:
    """The net's ids of both ends of each edge, (n,) each.

    Raises: JtfneError for a population that `nodes` does not name, or a node beyond its ids.
    """
    populations = {"source": edges.source_nodes, "target": edges.target_nodes}
    if nodes is None:
        if len(set(populations.values())) > 1:
            names = ", ".join(map(repr, sorted(set(populations.values()))))
            raise refuse(
                f"edges between node populations {names}",
                "one node population, whose ids are those of the net, or nodes={population: ids}",
                edges.where,
            )
        return {"source": edges.source, "target": edges.target}
    allowed = "{population: ids of the net, in the order of its nodes}"
    check_table(nodes, allowed=allowed, name="nodes", where=edges.where)
    columns = {}
    for end, population in populations.items():
        if population not in nodes:
            description = f"nodes without {population!r}, the population of each {end},"
            raise refuse(description, allowed, edges.where)
        ids = np.asarray(
            read_numbers(nodes[population], f"nodes[{population!r}]", whole=True, where=edges.where)
        )
        node_ids = getattr(edges, end)
        if node_ids.size and int(node_ids.max()) >= ids.size:
            description = f"node {int(node_ids.max())} of {population!r}"
            raise refuse(description, f"one of the {ids.size} in nodes", edges.where)
        columns[end] = ids[node_ids]
    return columns


def _count_synapses(columns: dict[str, Any], n_synapses: npt.NDArray[np.int64]) -> dict[str, Any]:
    """The columns with `n_synapses` of each edge counted: in its weight, else as edges of its own.

    As in bmtk, n synapses of weight w are one of n w. Edges without any are left out.
    """
    if columns["weight"] is None:
        rows = np.repeat(np.arange(n_synapses.size), n_synapses)
    else:
        columns = {**columns, "weight": columns["weight"] * n_synapses}
        rows = np.flatnonzero(n_synapses)
    return {name: None if column is None else column[rows] for name, column in columns.items()}
