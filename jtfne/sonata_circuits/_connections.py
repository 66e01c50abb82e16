"""Edge populations as connections: one for each edge type and kind of current that it makes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import describe_value, refuse
from jtfne._sonata_files import (
    CircuitFiles,
    Edges,
    TypeRow,
    list_edge_populations,
    read_edges,
    read_types,
)
from jtfne._sonata_files._hdf5 import Integers, Numbers
from jtfne.config.rules import FromTable
from jtfne.sonata_circuits._cells import CellTable
from jtfne.synapses import Synapse

STATIC = ("", "static_synapse", "nest:static_synapse")
Mask = npt.NDArray[np.bool_]


def read_connections(
    files: CircuitFiles, cells: CellTable
) -> tuple[list[dict[str, Any]], dict[str, Synapse]]:
    """The connections of a circuit as tables for a Config, and the mechanisms that they name.

    Raises: JtfneError that names file, population and edge type for what has no counterpart.
    """
    connections: list[dict[str, Any]] = []
    mechanisms: dict[str, Synapse] = {}
    for entry in files.edges:
        types = None if entry.types is None else read_types(entry.types, "edge_type_id")
        for name in list_edge_populations(entry.data):
            edges = read_edges(entry.data, name, types)
            if len(edges):
                connections += _connect(edges, files, cells, mechanisms)
    return connections, mechanisms


def scale_weights(edges: Edges) -> Numbers | None:
    """The weight of each edge: that of all its synapses together; None if the file has no weights.

    As in bmtk, n synapses of weight w are one of n w, which a current or a conductance cannot tell.
    """
    if edges.weight is None or edges.n_synapses is None:
        return edges.weight
    weights: Numbers = edges.weight * edges.n_synapses
    return weights


def _connect(
    edges: Edges, files: CircuitFiles, cells: CellTable, mechanisms: dict[str, Synapse]
) -> list[dict[str, Any]]:
    """The connections of one edge population; what they are made of is added to `mechanisms`."""
    source, source_group = cells.find(edges.source_nodes, edges.source, f"{edges.where}, source")
    target, target_group = cells.find(edges.target_nodes, edges.target, f"{edges.where}, target")
    weight = scale_weights(edges)
    if weight is None or edges.delay_ms is None:
        missing = "syn_weight" if weight is None else "delay"
        raise refuse(
            f"edges without {missing}", f"{missing} of each edge or edge type", edges.where
        )
    masks = _group_by_mechanism(edges, files, cells, weight, target_group, mechanisms)
    connections = []
    for (_, mechanism), is_selected in masks.items():
        ends = {}
        for name, nodes, numbers in (
            ("source", edges.source_nodes, source_group),
            ("target", edges.target_nodes, target_group),
        ):
            used_numbers = np.unique(numbers[is_selected]).tolist()
            cell_types = tuple(cells.groups[number].cell_type for number in used_numbers)
            ends[name] = {"area": nodes, "cell_type": cell_types}
        columns: dict[str, Any] = {
            "source": source[is_selected],
            "target": target[is_selected],
            "weight": weight[is_selected],
            "delay_ms": edges.delay_ms[is_selected],
        }
        rule = FromTable(**columns)
        connections.append({**ends, "mechanism": mechanism, "rule": rule})
    return connections


def _group_by_mechanism(
    edges: Edges,
    files: CircuitFiles,
    cells: CellTable,
    weight: Numbers,
    target_group: Integers,
    mechanisms: dict[str, Synapse],
) -> dict[tuple[int, str], Mask]:
    """Masks (n,) of the edges by edge type and name of the mechanism; edges of no synapse in none.

    Which current a synapse makes is said by the cell that receives it, the sign of the weight and
    the receptor_type of the edge type.
    """
    masks: dict[tuple[int, str], Mask] = {}
    has_synapses = np.ones(len(edges), bool) if edges.n_synapses is None else edges.n_synapses > 0
    for type_id, row in edges.types.items():
        where = f"{edges.where}, edge type {type_id}"
        receptor_type = _read_receptor_type(row, files, where)
        of_type = has_synapses & (edges.type_id == type_id)
        for number in np.unique(target_group[of_type]).tolist():
            model = cells.groups[number].model
            if model is None:
                description = f"an edge onto virtual cells, {cells.groups[number].cell_type!r},"
                raise refuse(description, "cells that receive", where)
            onto_group = of_type & (target_group == number)
            for sign in (1, -1):
                is_selected = onto_group & ((weight < 0) == (sign < 0))
                if not is_selected.any():
                    continue
                name, synapse = model.find_mechanism(sign, receptor_type, where)
                mechanisms[name] = synapse
                key = (type_id, name)
                masks[key] = masks[key] | is_selected if key in masks else is_selected
    return masks


def _read_receptor_type(row: TypeRow, files: CircuitFiles, where: str) -> int:
    """The port of a cell onto which an edge type leads; 0 where none is given.

    Raises: JtfneError for a synapse that changes, a weight that a function computes, or any other
    parameter.
    """
    template = row.get("model_template", "")
    if template not in STATIC:
        raise refuse(f"model_template {template!r}", "static_synapse", where)
    if "weight_function" in row:
        description = f"weight_function {row['weight_function']!r}"
        raise refuse(description, "NULL, with syn_weight", where)
    if "dynamics_params" not in row:
        return 0
    params = files.read_params("synaptic_models_dir", row["dynamics_params"], where)
    receptor_type = params.pop("receptor_type", 0)
    if params:
        description = f"parameter {next(iter(params))!r} of a synapse"
        raise refuse(description, "receptor_type, or none", where)
    if type(receptor_type) is not int or receptor_type < 0:
        description = f"receptor_type={describe_value(receptor_type)}"
        raise refuse(description, "a whole number of at least 0", where)
    return receptor_type
