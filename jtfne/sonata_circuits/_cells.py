"""Node types as cell types: their names, models, and which row each node becomes."""

import collections
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from jtfne._check import check_name, one_of, refuse
from jtfne._sonata_files import CircuitFiles, NetworkFiles, Nodes, TypeRow, read_nodes, read_types
from jtfne._sonata_files._hdf5 import Integers
from jtfne.config import Config
from jtfne.sonata_circuits._models import CellModel, read_cell_model

POINT, VIRTUAL = ("point_neuron", "point_process"), "virtual"
MODEL_TYPES = (*POINT, VIRTUAL)
# What makes cells of one type differ; where a file has one of these for each node, it is refused.
MODEL_ATTRIBUTES = ("model_type", "model_template", "model_processing", "dynamics_params")
LAYER = "all"  # the one layer, since the format has none
NAMES = ("pop_name", "cell_type", "model_name")  # attributes that name a node type, best first


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CellGroup:
    """The nodes of one type of one population, which become a cell type.

    model : None of virtual cells, which only send.
    """

    population: str
    cell_type: str
    node_id: Integers  # in the order of the file
    model: CellModel | None
    where: str


class CellTable:
    """Which row of the net each node is, and to which group it belongs.

    Rows follow the order of the config's populations, nodes of a group that of their file.
    """

    def __init__(self, groups: Sequence[CellGroup], config: Config) -> None:
        self.groups = tuple(groups)
        number_of_type = {group.cell_type: k for k, group in enumerate(self.groups)}
        rows: dict[str, list[tuple[Integers, Integers, Integers]]] = {}
        first = 0
        for population in config.populations():
            number = number_of_type[population.cell_type]
            group = self.groups[number]
            row = np.arange(first, first + population.n_cells, dtype=np.int64)
            parts = rows.setdefault(group.population, [])
            parts.append((group.node_id, row, np.full(row.size, number, np.int64)))
            first += population.n_cells
        self._tables: dict[str, tuple[Integers, Integers, Integers]] = {}
        for name, parts in rows.items():
            node_id, row, number_of_node = (
                np.concatenate([part[k] for part in parts]) for k in range(3)
            )
            order = np.argsort(node_id)
            self._tables[name] = (node_id[order], row[order], number_of_node[order])

    def find(self, population: str, node_ids: Integers, where: str) -> tuple[Integers, Integers]:
        """Row, and number of the group, of each of the nodes of a population.

        Raises: JtfneError for an unknown population, or a node that it does not have.
        """
        one_of(population, self._tables, name="node population", where=where)
        known_ids, rows, numbers = self._tables[population]
        places = np.minimum(np.searchsorted(known_ids, node_ids), known_ids.size - 1)
        is_missing = known_ids[places] != node_ids
        if is_missing.any():
            raise refuse(
                f"node {int(node_ids[is_missing][0])} of population {population!r}",
                f"one of its {known_ids.size} nodes",
                where,
            )
        return rows[places], numbers[places]

    def list_groups(self, population: str, where: str) -> list[CellGroup]:
        """The groups of a population. Raises: JtfneError for an unknown one."""
        one_of(population, self._tables, name="node population", where=where)
        return [group for group in self.groups if group.population == population]


def read_cells(files: CircuitFiles) -> list[CellGroup]:
    """The cell types of a circuit, in the order of its files.

    Raises: JtfneError that names file, population and node type for what has no counterpart.
    """
    node_types: list[tuple[Nodes, int, TypeRow]] = []
    for entry in files.nodes:
        node_types += _list_types(entry)
    # `where` names the file, so that a population in two of them counts twice
    places = {(nodes.population, nodes.where) for nodes, _, _ in node_types}
    files_of_population = collections.Counter(population for population, _ in places)
    for name, n_files in files_of_population.items():
        if n_files > 1:
            description = f"node population {name!r} in {n_files} files"
            raise refuse(description, "each population in one", str(files.path))
    if not node_types:
        raise refuse("networks without nodes", "at least one node", str(files.path))
    cell_types = _name_types(node_types)
    groups = []
    for (nodes, type_id, row), cell_type in zip(node_types, cell_types, strict=True):
        where = f"{nodes.where}, node type {type_id}"
        groups.append(
            CellGroup(
                population=check_name(nodes.population, "the node population", where),
                cell_type=check_name(cell_type, "the name of a node type", where),
                node_id=nodes.node_id[nodes.type_id == type_id],
                model=_read_model(files, row, where),
                where=where,
            )
        )
    return groups


def declare_cells(groups: Sequence[CellGroup], emitters: dict[str, Any]) -> Config:
    """A config of the cells alone: an area for each population, with one layer.

    emitters: by cell type.
    """
    mix: dict[str, Any] = {}
    cell_params: dict[str, Any] = {}
    for group in groups:
        types = mix.setdefault(group.population, {LAYER: {}})[LAYER]
        types[group.cell_type] = int(group.node_id.size)
        if group.model is not None:
            cell_params[group.cell_type] = {
                "drive": group.model.drive_pA,
                "v_init_mV": group.model.v_init_mV,
            }
    return (
        Config()
        .areas(list(mix))
        .layers([{"name": LAYER, "top": 0.0, "bottom": 1.0}])
        .cells(mix)
        .emitters(emitters)
        .cell_params(cell_params)
    )


def _list_types(entry: NetworkFiles) -> list[tuple[Nodes, int, TypeRow]]:
    """Each node type of each population of a file, in the order in which they come."""
    types = {} if entry.types is None else read_types(entry.types, "node_type_id")
    node_types = []
    for nodes in read_nodes(entry.data):
        per_node = [name for name in MODEL_ATTRIBUTES if name in nodes.attributes]
        if per_node:
            raise refuse(f"{per_node[0]} of single nodes", "that of node types", nodes.where)
        type_ids, first_places = np.unique(nodes.type_id, return_index=True)
        for type_id in type_ids[np.argsort(first_places)].tolist():
            if type_id not in types:
                listing = ", ".join(map(str, list(types)[:10])) or "none: there is no table"
                description = f"node type {type_id}, which the table of types lacks,"
                raise refuse(description, f"node_type_id {listing}", nodes.where)
            node_types.append((nodes, type_id, types[type_id]))
    return node_types


def _name_types(node_types: Sequence[tuple[Nodes, int, TypeRow]]) -> list[str]:
    """A name of its own for each node type: what the file calls it, and more where others share it.

    The population's name is put before it where another population has a type of that name, its id
    behind it where the same one has.
    """
    names = []
    for nodes, type_id, row in node_types:
        texts = [row[attribute] for attribute in NAMES if row.get(attribute)]
        names.append(texts[0] if texts else f"{nodes.population} {type_id}")
    for add_detail in (_add_population, _add_type_id):
        counts = collections.Counter(names)
        names = [
            name if counts[name] == 1 else add_detail(name, nodes, type_id)
            for name, (nodes, type_id, _) in zip(names, node_types, strict=True)
        ]
    return names


def _add_population(name: str, nodes: Nodes, type_id: int) -> str:
    """A name with that of the population before it."""
    return f"{nodes.population} {name}"


def _add_type_id(name: str, nodes: Nodes, type_id: int) -> str:
    """A name with the id of the type behind it."""
    return f"{name} {type_id}"


def _read_model(files: CircuitFiles, row: TypeRow, where: str) -> CellModel | None:
    """The cell model of a node type; None of virtual cells.

    Raises: JtfneError for a model type or template without counterpart.
    """
    model_type = row.get("model_type", "")
    template = row.get("model_template", "")
    if model_type not in MODEL_TYPES:
        listing = " or ".join(map(repr, (POINT[0], VIRTUAL)))
        description = f"model_type {model_type!r}" + (f" ({template})" if template else "")
        raise refuse(description, listing, where)
    if model_type == VIRTUAL:
        return None
    if "model_processing" in row:
        description = f"model_processing {row['model_processing']!r}, a function of its own,"
        raise refuse(description, "NULL", where)
    params: dict[str, Any] = {}
    if "dynamics_params" in row:
        params = files.read_params("point_neuron_models_dir", row["dynamics_params"], where)
    return read_cell_model(template, params, where)
