"""How large a circuit will be, computed from its config before any cell or edge is drawn."""

import numpy as np

from jtfne._check import refuse
from jtfne._cores import available_bytes
from jtfne.config import Config, Population, Selector
from jtfne.config.labels import connection_labels

CELL_BYTES = 100  # names, place and id, and the draws that placed it
EDGE_BYTES = 12  # source row by its pointers, target, weight and delay, at rest
ROW_BYTES = 8  # of a connection, for each cell of the circuit: where its edges start
MOST_CELLS = 2**31 - 1  # rows are int32


def refuse_too_large(config: Config) -> None:
    """Raises: JtfneError for more cells than can be numbered, or than fit in free memory.

    Edges are counted as a rule expects them; those of rules by distance, which depend on places,
    are not.
    """
    populations = config.populations()
    n_cells = sum(population.n_cells for population in populations)
    if n_cells > MOST_CELLS:
        raise refuse(
            f"a circuit of {n_cells:.3g} cells",
            f"at most {MOST_CELLS} cells",
            "Config.circuit.cells",
        )
    connections = config.circuit.connections
    sizes: dict[Selector, int] = {}  # many connections share an end
    n_edges = []
    for connection in connections:
        for selector in (connection.source, connection.target):
            if selector not in sizes:
                sizes[selector] = _count_cells(selector, populations)
        n_source, n_target = sizes[connection.source], sizes[connection.target]
        n_edges.append(connection.rule.estimate_edges(n_source, n_target))
    n_all_edges = sum(n_edges)
    needed_bytes = (
        CELL_BYTES * n_cells
        + EDGE_BYTES * n_all_edges
        + ROW_BYTES * (n_cells + 1) * len(connections)
    )
    free_bytes = available_bytes()
    if needed_bytes > free_bytes:
        description = (
            f"a circuit of {n_cells:.3g} cells and {n_all_edges:.3g} edges, "
            f"{needed_bytes / 2**30:.1f} GiB"
        )
        if connections:
            largest_index = int(np.argmax(n_edges))
            label = connection_labels(connections)[largest_index]
            description += f" (most edges by connection {label!r}, {n_edges[largest_index]:.3g})"
        raise refuse(
            f"{description},",
            f"what fits in the {free_bytes / 2**30:.1f} GiB that are free",
            "construct",
        )


def _count_cells(selector: Selector, populations: tuple[Population, ...]) -> int:
    """The number of cells that a selector chooses, or more where it names ids."""
    n_cells = 0
    for population in populations:
        if (
            _allows(selector.area, population.area)
            and _allows(selector.layer, population.layer)
            and _allows(selector.cell_type, population.cell_type)
        ):
            n_cells += population.n_cells
    return n_cells if selector.ids is None else min(n_cells, len(selector.ids))


def _allows(names: tuple[str, ...] | None, name: str) -> bool:
    """Whether a key of a selector, None for all, has `name`."""
    return names is None or name in names
