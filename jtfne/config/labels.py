"""Short names of connections and of pairs of cell types, for random streams, gains and paths."""

import zlib
from collections.abc import Sequence, Set

from jtfne.config.connections import Connection
from jtfne.pydantic_fields.selector_field import Selector


def pair_label(source: str, target: str) -> str:
    """The name of all synapses from one cell type to another, such as E->PV."""
    return f"{source}->{target}"


def group_by_pair(ends: Sequence[tuple[Set[str], Set[str]]]) -> dict[str, list[int]]:
    """Map each pair of cell types, such as E->PV, to the indices of its connections.

    ends: the cell types of the sources and of the targets of each connection.
    """
    indices_by_pair: dict[str, list[int]] = {}
    for index, (sources, targets) in enumerate(ends):
        pairs = [pair_label(source, target) for source in sources for target in targets]
        for pair in sorted(pairs):
            indices_by_pair.setdefault(pair, []).append(index)
    return indices_by_pair


def connection_labels(connections: Sequence[Connection]) -> tuple[str, ...]:
    """A name for each connection: source->target:mechanism, and #2, #3, ... where one comes again.

    The label names the random streams, so a connection is drawn alike whatever others are declared
    beside it.
    """
    counts: dict[str, int] = {}
    labels = []
    for connection in connections:
        ends = pair_label(selector_label(connection.source), selector_label(connection.target))
        label = f"{ends}:{connection.mechanism}"
        counts[label] = counts.get(label, 0) + 1
        labels.append(label if counts[label] == 1 else f"{label}#{counts[label]}")
    return tuple(labels)


def selector_label(selector: Selector) -> str:
    """A selector in short: area/layer/cell type, as far as it names them.

    Several names of one are joined by +; ids are named by their checksum.
    """
    criteria = (selector.area, selector.layer, selector.cell_type)
    parts = ["+".join(names) for names in criteria if names]
    if selector.ids is not None:
        parts.append(f"ids{zlib.crc32(repr(tuple(selector.ids)).encode()):08x}")
    return "/".join(parts) or "all"
