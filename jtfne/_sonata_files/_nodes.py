"""Nodes: ids and types of the cells of each population."""

import dataclasses
from pathlib import Path

import numpy as np

from jtfne._check import refuse
from jtfne._sonata_files._hdf5 import Grouped, Integers, find_group, open_hdf5, read_integers


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Nodes:
    """The cells of one node population, in the order of the file.

    attributes : names that its groups have, such as x, y and z.
    """

    population: str
    node_id: Integers  # (n,)
    type_id: Integers  # (n,)
    attributes: tuple[str, ...]
    where: str

    def __len__(self) -> int:
        """The number of cells."""
        return int(self.node_id.size)


def read_nodes(path: Path) -> list[Nodes]:
    """The node populations of a file.

    Raises: JtfneError for a file that is none or cut short, or a population without `node_type_id`
    or with an id twice.
    """
    with open_hdf5(path, "nodes") as file:
        populations = find_group(file, "nodes", str(path))
        nodes = []
        for name in populations:
            where = f"{path}, population {name!r}"
            group = find_group(populations, name, str(path))
            type_id = read_integers(group, "node_type_id", where)
            n_nodes = type_id.size
            if "node_id" in group:
                node_id = read_integers(group, "node_id", where, n_nodes)
            else:
                node_id = np.arange(n_nodes, dtype=np.int64)
            if np.unique(node_id).size < n_nodes:
                raise refuse("a node_id given twice", "each node once", where)
            grouped = Grouped(group, "node", n_nodes, where)
            nodes.append(
                Nodes(
                    population=name,
                    node_id=node_id,
                    type_id=type_id,
                    attributes=tuple(grouped.names()),
                    where=where,
                )
            )
    return nodes
