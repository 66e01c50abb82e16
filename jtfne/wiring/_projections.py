"""From a declared connection to its edges, as rows by source; memory 12 bytes an edge."""

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jtfne._check import refuse
from jtfne._keys import generator
from jtfne._units import Floats32
from jtfne.config import (
    AllToAll,
    Circuit,
    DistanceDecay,
    FixedIndegree,
    FixedOutdegree,
    FixedProbability,
    FixedTotal,
    FromDistance,
    FromTable,
    GaussianDecay,
    OneToOne,
    Selector,
    WeightDecay,
)
from jtfne.config.labels import pair_label
from jtfne.wiring import _distance, _rules
from jtfne.wiring._draws import draw
from jtfne.wiring._identity import Codes, Identity, Rows, find_rows, select_with


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """The edges of one connection, sorted by source, then target.

    Rows count over all neurons of the net.

    A weight or delay that is the same for all edges is stored once, as (1,).
    """

    connection: int  # index in config.circuit.connections
    mechanism: str
    indptr: NDArray[np.int64]  # (n_neurons + 1,) edges of row i: indptr[i] .. indptr[i + 1] - 1
    target: Rows  # (n_edges,)
    weight: Floats32  # (n_edges,) or (1,)
    delay_ms: Floats32  # (n_edges,) or (1,)

    @property
    def n_edges(self) -> int:
        """The number of edges."""
        return int(self.target.size)

    @functools.cached_property
    def longest_ms(self) -> Floats32:
        """The longest delay, (1,), computed once for all runs. Raises: ValueError without edges."""
        longest_delay_ms: Floats32 = self.delay_ms.max(keepdims=True)
        return longest_delay_ms

    def source(self) -> Rows:
        """The source row of each edge, (n_edges,)."""
        return np.repeat(np.arange(self.indptr.size - 1, dtype=np.int32), np.diff(self.indptr))


def wire(identity: Identity, seed: int, index: int, label: str, circuit: Circuit) -> Projection:
    """Draw the edges of connection `index` of `circuit`, from streams of its own.

    Raises: JtfneError where the rule cannot hold between the cells chosen.
    """
    connection = circuit.connections[index]
    where = f"Config.circuit.connections[{index}], {label}"
    source = _select_end(identity, connection.source, f"{where}, source")
    target = _select_end(identity, connection.target, f"{where}, target")
    rule = connection.rule
    weight: Floats32 | None = None
    delay_ms: Floats32 | None = None
    if isinstance(rule, FromTable):
        indptr, edge_target, weight, delay_ms = _from_table(identity, rule, source, target, where)
    elif isinstance(rule, OneToOne):
        indptr, edge_target = _one_to_one(len(identity), source, target, rule.autapses, where)
    else:
        source, target = np.sort(source), np.sort(target)
        blocks = _blocks(
            identity, rule, source, target, generator(seed, f"wiring/{label}/edges"), where
        )
        indptr, edge_target = _assemble(len(identity), source, target, blocks)
    n_edges = edge_target.size
    if weight is None:
        rng = generator(seed, f"wiring/{label}/weight")
        weight = draw(connection.weight, n_edges, rng, where=f"{where}, weight")
    if connection.weight_decay is not None:
        decay = connection.weight_decay
        _refuse_several_areas(identity, source, target, "weight_decay", where)
        weight = _distance.weaken_weights(
            weight, _ends(indptr, edge_target), identity, _decay(decay), lateral=decay.lateral
        )
    weight = _apply_gains(
        weight, build_gain_matrix(identity, circuit.gains), identity.cell_type, indptr, edge_target
    )
    if delay_ms is None:
        if isinstance(connection.delay_ms, FromDistance):
            ends = _ends(indptr, edge_target)
            centres_mm = np.array([area.position_mm for area in circuit.areas])
            delay_ms = _distance.delays_ms(ends, identity, centres_mm, connection.delay_ms)
        else:
            rng = generator(seed, f"wiring/{label}/delay")
            delay_ms = draw(connection.delay_ms, n_edges, rng, where=f"{where}, delay_ms")
    return Projection(
        connection=index,
        mechanism=connection.mechanism,
        indptr=indptr,
        target=edge_target,
        weight=weight,
        delay_ms=delay_ms,
    )


def build_gain_matrix(identity: Identity, gains: Mapping[str, float]) -> Floats32:
    """The gain from each cell type to each, source by target: (n_types, n_types).

    1 where none is declared.
    """
    matrix = np.ones((len(identity.cell_types),) * 2, np.float32)
    for i, source in enumerate(identity.cell_types):
        for j, target in enumerate(identity.cell_types):
            matrix[i, j] = gains.get(pair_label(source, target), 1.0)
    return matrix


def _apply_gains(
    weight: Floats32, gains: Floats32, cell_type: Codes, indptr: NDArray[np.int64], target: Rows
) -> Floats32:
    """Weights times the gain of each edge: (n_edges,), or (1,) if all edges are equal in both."""
    if np.all(gains == 1.0) or not target.size:
        return weight
    edge_gain = gains[np.repeat(cell_type, np.diff(indptr)), cell_type[target]]
    product: Floats32 = weight * (edge_gain[:1] if np.all(edge_gain == edge_gain[0]) else edge_gain)
    return product


def _select_end(identity: Identity, selector: Selector, where: str) -> Rows:
    """The rows of one end, each once. Raises: JtfneError if an id is named twice."""
    rows = select_with(identity, selector, where=where)
    is_chosen = np.zeros(len(identity), dtype=np.bool_)
    is_chosen[rows] = True
    if np.count_nonzero(is_chosen) != rows.size:  # np.unique would take seconds for 10**7 cells
        raise refuse("an id named twice", "each cell once", where)
    return rows


RandomRule = (
    FixedProbability | FixedIndegree | FixedOutdegree | FixedTotal | AllToAll | DistanceDecay
)


def _blocks(
    identity: Identity,
    rule: RandomRule,
    source: Rows,
    target: Rows,
    rng: np.random.Generator,
    where: str,
) -> Iterator[_rules.Block]:
    """The blocks that `rule` draws between sorted rows `source` and `target`."""
    target_index = np.searchsorted(target, source)
    is_target = target[np.minimum(target_index, target.size - 1)] == source
    ends = _rules.Ends(source.size, target.size, np.where(is_target, target_index, -1))
    match rule:
        case FixedProbability():
            return _rules.fixed_probability(ends, rule.p, rng, autapses=rule.autapses)
        case AllToAll():
            return _rules.all_to_all(ends, autapses=rule.autapses)
        case DistanceDecay():
            _refuse_several_areas(identity, source, target, "DistanceDecay", where)
            decay, n_axes = _decay(rule, rule.p0), 2 if rule.lateral else 3
            source_mm, target_mm = (
                identity.position_mm[rows, :n_axes] for rows in (source, target)
            )
            return _distance.distance_decay(
                ends, decay, source_mm, target_mm, rng, autapses=rule.autapses
            )
        case FixedTotal():
            draw_edges = _rules.fixed_total
        case FixedOutdegree():
            draw_edges = _rules.fixed_outdegree
        case FixedIndegree():
            draw_edges = _rules.fixed_indegree
    return draw_edges(
        ends, rule.n, rng, autapses=rule.autapses, multapses=rule.multapses, where=where
    )


def _ends(indptr: NDArray[np.int64], target: Rows) -> tuple[Rows, Rows]:
    """Rows of the source and of the target of each edge."""
    return np.repeat(np.arange(indptr.size - 1, dtype=np.int32), np.diff(indptr)), target


def _decay(declaration: DistanceDecay | WeightDecay, p0: float = 1.0) -> _distance.Decay:
    """The declared profile as a function of distance."""
    make_decay = (
        _distance.gaussian
        if isinstance(declaration.profile, GaussianDecay)
        else _distance.exponential
    )
    return make_decay(p0, declaration.length_mm)


def _refuse_several_areas(
    identity: Identity, source: Rows, target: Rows, subject: str, where: str
) -> None:
    """Distances are known within a column only.
    Raises: JtfneError if the cells lie in several areas.
    """
    codes = np.union1d(identity.area[source], identity.area[target])
    if codes.size > 1:
        names = ", ".join(repr(identity.areas[code]) for code in codes)
        raise refuse(f"{subject} between cells of areas {names}", "cells of one area", where)


def _assemble(
    n_neurons: int, source: Rows, target: Rows, blocks: Iterator[_rules.Block]
) -> tuple[NDArray[np.int64], Rows]:
    """Row pointers over all neurons, and target rows, of a whole projection.

    Its blocks number the cells of each end by themselves.
    """
    degree: list[NDArray[np.int64]] = []
    targets: list[Rows] = []
    for block in blocks:
        degree.append(block.degree)
        targets.append(target[block.target])
    return _indptr(n_neurons, source, np.concatenate(degree)), np.concatenate(targets)


def _indptr(n_neurons: int, source: Rows, degree: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row pointers (n_neurons + 1,): the rows `source` hold `degree` edges, all others none."""
    indptr = np.zeros(n_neurons + 1, dtype=np.int64)
    indptr[source + 1] = degree
    return np.cumsum(indptr, out=indptr)


def _one_to_one(
    n_neurons: int, source: Rows, target: Rows, autapses: bool, where: str
) -> tuple[NDArray[np.int64], Rows]:
    """Connect the first source to the first target, and so on, in the order of the selectors."""
    if source.size != target.size:
        description = f"OneToOne from {source.size} cells to {target.size}"
        raise refuse(description, "as many sources as targets", where)
    is_allowed = (source != target) | autapses
    source, target = source[is_allowed], target[is_allowed]
    return _indptr(n_neurons, source, np.ones(source.size, dtype=np.int64)), target[
        np.argsort(source)
    ]


def _from_table(
    identity: Identity, rule: FromTable, source: Rows, target: Rows, where: str
) -> tuple[NDArray[np.int64], Rows, Floats32 | None, Floats32 | None]:
    """The edges of a table, sorted; its ids must be of cells that the selectors choose."""
    edge_source = _find_selected_rows(identity, rule.source, source, f"{where}, FromTable.source")
    edge_target = _find_selected_rows(identity, rule.target, target, f"{where}, FromTable.target")
    key = edge_source * len(identity) + edge_target
    order = slice(None) if np.all(key[1:] >= key[:-1]) else np.argsort(key, kind="stable")
    all_rows = np.arange(len(identity), dtype=np.int32)
    indptr = _indptr(len(identity), all_rows, np.bincount(edge_source, minlength=len(identity)))
    columns: list[Floats32 | None] = [
        None if column is None else column.array.astype(np.float32)[order]
        for column in (rule.weight, rule.delay_ms)
    ]
    return indptr, edge_target[order].astype(np.int32), columns[0], columns[1]


def _find_selected_rows(
    identity: Identity, ids: Sequence[int], selected_rows: Rows, where: str
) -> NDArray[np.int64]:
    """Rows of `ids`. Raises: JtfneError if one is unknown, or is not among `selected_rows`."""
    rows = find_rows(identity, np.asarray(ids, dtype=np.int64), where=where).astype(np.int64)
    is_selected = np.zeros(len(identity), dtype=np.bool_)
    is_selected[selected_rows] = True
    is_outside = ~is_selected[rows]
    if is_outside.any():
        stray_ids: list[Any] = identity.ids[np.unique(rows[is_outside])[:5]].tolist()
        raise refuse(
            f"ids={stray_ids!r}",
            f"ids of the {selected_rows.size} cells that the selector chooses",
            where,
        )
    return rows
