"""Short names of connections and of pairs of cell types, by which streams, gains and paths are
told.
"""

import zlib
from collections.abc import Iterable, Sequence

from jtfne.config.connections import Connection
from jtfne.pydantic_fields.selector_field import Selector


def pair_label(source: str, target: str) -> str:
    """The name of all synapses from one cell type to another, such as E->PV."""
    return f"{source}->{target}"


def connection_labels(connections: Sequence[Connection]) -> tuple[str, ...]:
    """A name for each connection: source->target:mechanism, and #2, #3, ... where one comes again.

    The label names the random streams, so a connection is drawn alike whatever others are declared
    beside it.
    """
    counts: dict[str, int] = {}
    labels = []
    for connection in connections:
        label = f"{selector_label(connection.source)}->{selector_label(connection.target)}:{connection.mechanism}"
        counts[label] = counts.get(label, 0) + 1
        labels.append(label if counts[label] == 1 else f"{label}#{counts[label]}")
    return tuple(labels)


def selector_label(selector: Selector) -> str:
    """A selector in short: area/layer/cell type, as far as given; alternatives by +, ids by their
    checksum.
    """
    parts = [
        "+".join(_alternatives(names))
        for names in (selector.area, selector.layer, selector.cell_type)
        if names
    ]
    if selector.ids is not None:
        parts.append(f"ids{zlib.crc32(repr(tuple(selector.ids)).encode()):08x}")
    return "/".join(parts) or "all"


def _alternatives(names: str | Iterable[str]) -> tuple[str, ...]:
    """The names as a tuple; a single name as a tuple of one."""
    return (names,) if isinstance(names, str) else tuple(names)
