"""What depends on the distance of two cells: connection, weight and delay. Lengths in mm."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from jtfne._units import Floats, Floats32
from jtfne.config import FromDistance
from jtfne.wiring._draws import BLOCK
from jtfne.wiring._identity import Identity, Rows
from jtfne.wiring._rules import Block, Ends, Ints, Pairs, successes

# pairs less likely than 2**-OCTAVES of the likeliest are proposed as if they were that likely
OCTAVES = 40
SPLIT = 256  # proposals between two boxes from which it pays to look at smaller boxes
DEEPEST = 12  # halvings of space


class Decay(NamedTuple):
    """Probability p0 exp(-load(d)) that a pair at distance d connects.

    load: grows from 0 with distance. reach_mm2: the square of the distance that has a given load.
    """

    p0: float
    length_mm: float
    load: Callable[[Floats], Floats]  # of distances, mm
    reach_mm2: Callable[[Floats], Floats]  # of loads


def exponential(p0: float, length_mm: float) -> Decay:
    """p0 exp(-d / length_mm)."""
    return Decay(
        p0, length_mm, lambda d_mm: d_mm / length_mm, lambda load: np.square(length_mm * load)
    )


def gaussian(p0: float, length_mm: float) -> Decay:
    """p0 exp(-d^2 / (2 length_mm^2))."""
    twice_mm2 = 2.0 * length_mm * length_mm
    return Decay(
        p0, length_mm, lambda d_mm: np.square(d_mm) / twice_mm2, lambda load: twice_mm2 * load
    )


def distance_decay(
    ends: Ends,
    decay: Decay,
    source_mm: Floats,
    target_mm: Floats,
    rng: np.random.Generator,
    *,
    autapses: bool = False,
) -> Iterator[Block]:
    """Connect each pair at distance d with probability p0 exp(-load(d)), independently.

    source_mm, target_mm: positions (n, n_axes).
    Space is halved into boxes, smaller where edges are denser. A pair is proposed with the
    probability that its two boxes have where they are nearest, rounded up to p0 / 2**k, and
    accepted with the rest of its own probability (thinning). This is exact, and the work grows with
    the number of edges, not of pairs.
    """
    space = _Space.enclose(source_mm, target_mm, decay)
    targets = _Tree(target_mm, space)
    n_proposed = 0.0
    for leaf_pairs in _leaves(_Tree(source_mm, space), targets, space, decay):
        n_proposed += leaf_pairs.proposals(decay.p0)
    n_rows = max(1, math.ceil(ends.n_source * 2 * BLOCK / max(n_proposed, 1.0)))
    for first_row in range(0, ends.n_source, n_rows):
        places_mm = source_mm[first_row : first_row + n_rows]
        sources = _Tree(places_mm, space)
        leaves = list(_leaves(sources, targets, space, decay))
        keys = []
        for octave in range(OCTAVES + 1):
            source, target = _accept_pairs(leaves, octave, sources, targets, decay, rng)
            keys.append(source * ends.n_target + target)
        source, target = np.divmod(np.sort(np.concatenate(keys)), ends.n_target)
        pairs = Pairs(first_row, len(places_mm), source, target)
        yield (
            pairs if autapses else pairs.where(target != ends.self_target[first_row + source])
        ).block()


class _Space(NamedTuple):
    """A cube around all cells, halved `depth` times."""

    low_mm: Floats  # (n_axes,)
    size_mm: float
    depth: int

    @classmethod
    def enclose(cls, source_mm: Floats, target_mm: Floats, decay: Decay) -> "_Space":
        """The smallest cube around all cells, halved until boxes differ little in probability."""
        low = np.minimum(source_mm.min(axis=0), target_mm.min(axis=0))
        high = np.maximum(source_mm.max(axis=0), target_mm.max(axis=0))
        size_mm = max(float((high - low).max()), 1e-9)
        depth = math.ceil(math.log2(max(size_mm / (0.25 * decay.length_mm), 1.0)))
        return cls(low, size_mm, min(depth, DEEPEST))


class _Level(NamedTuple):
    """The boxes of one size that hold cells."""

    start: Ints  # (n_boxes,) the first cell of each, in the tree's order
    n_cells: Ints  # (n_boxes,)
    step: Ints  # (n_boxes, n_axes) its place along each axis, counted in boxes
    child: Ints  # (n_boxes + 1,) the first of its boxes in the next level


class _Tree:
    """Cells in the order of a space-filling curve, so that each box holds a run of them."""

    def __init__(self, places_mm: Floats, space: _Space) -> None:
        n_axes, depth = places_mm.shape[1], space.depth
        step = np.floor((places_mm - space.low_mm) * (2**depth / space.size_mm)).astype(np.int64)
        step = np.clip(step, 0, 2**depth - 1)
        code = np.zeros(len(step), dtype=np.int64)  # Morton code: the bits of all axes, interleaved
        for bit in reversed(range(depth)):
            for axis in range(n_axes):
                code = 2 * code + ((step[:, axis] >> bit) & 1)
        self.order = np.argsort(code, kind="stable")
        self.axes_mm = places_mm[self.order].T.copy()
        code, step = code[self.order], step[self.order]
        prefixes = [code >> n_axes * (depth - level) for level in range(depth + 1)]
        starts = [np.flatnonzero(np.diff(prefix, prepend=-1)) for prefix in prefixes]
        self.levels = []
        for level, start in enumerate(starts):
            end = np.append(start, code.size)
            child = np.searchsorted(starts[min(level + 1, depth)], end)
            self.levels.append(_Level(start, np.diff(end), step[start] >> (depth - level), child))


class _Leaves(NamedTuple):
    """Pairs of boxes, the sources' and the targets', each (n_pairs,)."""

    start: Ints
    n_sources: Ints
    target_start: Ints
    n_targets: Ints
    octave: Ints  # how often the probability has halved where the boxes are nearest

    def proposals(self, p0: float) -> float:
        """How many pairs of cells are proposed, on average."""
        return float(
            np.sum(self.n_sources * self.n_targets * p0 * np.exp2(-self.octave.astype(np.float64)))
        )


def _leaves(sources: _Tree, targets: _Tree, space: _Space, decay: Decay) -> Iterator[_Leaves]:
    """Pairs of boxes that hold each pair of cells once, smaller where edges are denser."""
    source_box, target_box = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for level, (source_level, target_level) in enumerate(
        zip(sources.levels, targets.levels, strict=True)
    ):
        box_mm = space.size_mm / 2**level
        separation_mm = box_mm * np.abs(
            source_level.step[source_box] - target_level.step[target_box]
        )
        gap_mm = np.linalg.norm(np.maximum(separation_mm - box_mm * (1.0 + 1e-9), 0.0), axis=1)
        octave = np.minimum(decay.load(gap_mm) / math.log(2.0), OCTAVES).astype(np.int64)
        box_pairs = _Leaves(
            source_level.start[source_box],
            source_level.n_cells[source_box],
            target_level.start[target_box],
            target_level.n_cells[target_box],
            octave,
        )
        proposals = (
            box_pairs.n_sources
            * box_pairs.n_targets
            * decay.p0
            * np.exp2(-octave.astype(np.float64))
        )
        is_split = (proposals > SPLIT) & (level < space.depth)
        yield _Leaves(*(column[~is_split] for column in box_pairs))
        source_box, target_box = source_box[is_split], target_box[is_split]
        n_target_children = np.diff(target_level.child)[target_box]
        n_pairs = np.diff(source_level.child)[source_box] * n_target_children
        # Each pair that is split becomes all pairs of its children, numbered in one sequence.
        row = np.repeat(np.arange(source_box.size), n_pairs)
        source_offset, target_offset = np.divmod(
            np.arange(row.size) - (np.cumsum(n_pairs) - n_pairs)[row], n_target_children[row]
        )
        source_box = source_level.child[source_box][row] + source_offset
        target_box = target_level.child[target_box][row] + target_offset


def _accept_pairs(
    leaves: list[_Leaves],
    octave: int,
    sources: _Tree,
    targets: _Tree,
    decay: Decay,
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:
    """Sources and targets of the accepted pairs, of those between boxes of one octave."""
    parts = []
    for box_pairs in leaves:
        is_in_octave = box_pairs.octave == octave
        parts.append(np.stack(box_pairs[:4])[:, is_in_octave])
    start, n_sources, target_start, n_targets = np.concatenate(parts, axis=1)
    if not start.size:
        return start, start
    proposal_stops = np.cumsum(n_sources * n_targets)
    proposal = successes(int(proposal_stops[-1]), decay.p0 * 2.0**-octave, rng)
    box_pair = np.searchsorted(proposal_stops, proposal, side="right")
    proposal -= (proposal_stops - n_sources * n_targets)[box_pair]
    source, target = np.divmod(proposal, n_targets[box_pair])
    source += start[box_pair]
    target += target_start[box_pair]
    # An exponential random number exceeds a load with probability exp(-load). The octave's load is
    # spent on the proposal: accept a pair whose own load is below the octave's plus such a number.
    remaining_mm2 = decay.reach_mm2(
        rng.standard_exponential(proposal.size) + octave * math.log(2.0)
    )
    for source_axis, target_axis in zip(sources.axes_mm, targets.axes_mm, strict=True):
        separation_mm = source_axis[source] - target_axis[target]
        remaining_mm2 -= separation_mm * separation_mm
    is_accepted = remaining_mm2 > 0.0
    return sources.order[source[is_accepted]], targets.order[target[is_accepted]]


def delays_ms(
    edges: tuple[Rows, Rows], identity: Identity, centres_mm: Floats, delay: FromDistance
) -> Floats32:
    """Delay of each edge, offset + distance / velocity: (n_edges,) ms.

    The distance is that of the two somata, or of two areas' centres if the edge leads from one area
    to another. edges: rows of sources and targets. centres_mm: (n_areas, 3), areas in the head.
    """
    edge_delays_ms = np.empty(edges[0].size, dtype=np.float32)
    for start in range(0, edge_delays_ms.size, BLOCK):
        source, target = (rows[start : start + BLOCK] for rows in edges)
        source_area, target_area = identity.area[source], identity.area[target]
        separation_mm = identity.position_mm[source] - identity.position_mm[target]
        crosses_areas = source_area != target_area
        separation_mm[crosses_areas] = (
            centres_mm[source_area[crosses_areas]] - centres_mm[target_area[crosses_areas]]
        )
        distance_mm = np.sqrt(np.einsum("ij,ij->i", separation_mm, separation_mm))
        # mm / (m/s) is ms
        edge_delays_ms[start : start + BLOCK] = delay.offset_ms + distance_mm / delay.velocity_m_s
    return edge_delays_ms


def weaken_weights(
    weight: Floats32, edges: tuple[Rows, Rows], identity: Identity, decay: Decay, *, lateral: bool
) -> Floats32:
    """Weights times exp(-load) of the distance between the cells of each edge: (n_edges,).

    weight: (n_edges,), or (1,) for all edges.
    """
    products = np.empty(edges[0].size, dtype=np.float32)
    position_mm = identity.position_mm[:, : 2 if lateral else 3]
    for start in range(0, products.size, BLOCK):
        source, target = (rows[start : start + BLOCK] for rows in edges)
        separation_mm = position_mm[source] - position_mm[target]
        load = decay.load(np.sqrt(np.einsum("ij,ij->i", separation_mm, separation_mm)))
        block_weight = weight if weight.size == 1 else weight[start : start + BLOCK]
        products[start : start + BLOCK] = block_weight * np.exp(-load)
    return products
