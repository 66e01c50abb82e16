"""Checks of the gains from cell type to cell type."""

from collections.abc import Iterator, Sequence, Set

from jtfne._check import refuse
from jtfne.config._labels import pair_label
from jtfne.config.circuit import Circuit
from jtfne.pydantic_fields.errors import describe_unknown
from jtfne.synapses import PairSTDP

Ends = tuple[Set[str], Set[str]]  # the types of the sources of a connection, and of its targets


def pairs_of(ends: Sequence[Ends]) -> dict[str, list[int]]:
    """Map each pair of cell types, such as E->PV, to the indices of its connections."""
    indices_by_pair: dict[str, list[int]] = {}
    for index, (sources, targets) in enumerate(ends):
        for pair in sorted(pair_label(source, target) for source in sources for target in targets):
            indices_by_pair.setdefault(pair, []).append(index)
    return indices_by_pair


def misplaced_gains(circuit: Circuit, ends: Sequence[Ends]) -> Iterator[str]:
    """Yield an error for gains of unconnected pairs, and above 1 on synapses with PairSTDP."""
    where, pairs = "Config.circuit.gains", pairs_of(ends)
    for pair, gain in circuit.gains.items():
        line = describe_unknown(pair, pairs, name="gain", where=where)
        if line:
            yield line
            continue
        has_stdp = any(
            isinstance(circuit.connections[index].plasticity, PairSTDP) for index in pairs[pair]
        )
        if has_stdp and gain > 1.0:
            description = (
                f"{pair}={gain:g} onto synapses of PairSTDP, whose weights are bounded by w_max,"
            )
            yield str(refuse(description, "at most 1", where))
