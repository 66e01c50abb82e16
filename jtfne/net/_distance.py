"""What hangs on the distance of two cells: whether they connect, how strongly, and how late. Lengths in mm."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jtfne.config import FromDistance
from jtfne.net._draws import BLOCK, Floats32
from jtfne.net._identity import Identity, Rows
from jtfne.net._rules import Block, Ends, Ints, Pairs, successes

Floats = NDArray[np.float64]
OCTAVES = 40  # pairs less likely than 2**-OCTAVES of the likeliest are proposed as if they were that likely
SPLIT = 256  # proposals between two boxes from which it pays to look at smaller boxes
DEEPEST = 12  # halvings of space


class Decay(NamedTuple):
    """Chance p0 exp(-load(d)) of a pair at distance d; `load` grows from 0, and `reach_mm2` is where it is so."""

    p0: float
    length_mm: float
    load: Callable[[Floats], Floats]  # of distances, mm
    reach_mm2: Callable[[Floats], Floats]  # of loads: the distance, squared


def exponential(p0: float, length_mm: float) -> Decay:
    """p0 exp(-d / length_mm)."""
    return Decay(p0, length_mm, lambda d_mm: d_mm / length_mm, lambda load: np.square(length_mm * load))


def gaussian(p0: float, length_mm: float) -> Decay:
    """p0 exp(-d^2 / (2 length_mm^2))."""
    twice_mm2 = 2.0 * length_mm * length_mm
    return Decay(p0, length_mm, lambda d_mm: np.square(d_mm) / twice_mm2, lambda load: twice_mm2 * load)


def distance_decay(
    ends: Ends, decay: Decay, source_mm: Floats, target_mm: Floats, rng: np.random.Generator, *, autapses: bool = False
) -> Iterator[Block]:
    """Each pair at distance d with probability p0 exp(-load(d)), independently; places (n, n_axes) mm.

    Space is halved into boxes, the finer the more edges are there. A pair is proposed with the chance of its two boxes
    where they are nearest, rounded up to p0 / 2**k, and kept with what is left of its own chance: exact, and the work
    goes with the edges, not with the pairs.
    """
    space = _Space.of(source_mm, target_mm, decay)
    targets = _Tree(target_mm, space)
    n_proposed = sum(each.proposals(decay.p0) for each in _leaves(_Tree(source_mm, space), targets, space, decay))
    n_rows = max(1, math.ceil(ends.n_source * 2 * BLOCK / max(n_proposed, 1.0)))
    for first in range(0, ends.n_source, n_rows):
        places_mm = source_mm[first : first + n_rows]
        sources = _Tree(places_mm, space)
        leaves = list(_leaves(sources, targets, space, decay))
        found = [_kept(leaves, octave, sources, targets, decay, rng) for octave in range(OCTAVES + 1)]
        source, target = (np.concatenate(each) for each in zip(*found, strict=True))
        source, target = np.divmod(np.sort(source * ends.n_target + target), ends.n_target)
        pairs = Pairs(first, len(places_mm), source, target)
        yield (pairs if autapses else pairs.where(target != ends.self_target[first + source])).block()


class _Space(NamedTuple):
    """A cube around all cells, halved `depth` times."""

    low_mm: Floats  # (n_axes,)
    size_mm: float
    depth: int

    @classmethod
    def of(cls, source_mm: Floats, target_mm: Floats, decay: Decay) -> "_Space":
        """The least cube, halved until the chance changes little over a box."""
        low = np.minimum(source_mm.min(axis=0), target_mm.min(axis=0))
        high = np.maximum(source_mm.max(axis=0), target_mm.max(axis=0))
        size_mm = max(float((high - low).max()), 1e-9)
        depth = math.ceil(math.log2(max(size_mm / (0.25 * decay.length_mm), 1.0)))
        return cls(low, size_mm, min(depth, DEEPEST))


class _Level(NamedTuple):
    """The boxes of one size that hold cells."""

    start: Ints  # (n_boxes,) the first cell of each, in the tree's order
    n_cells: Ints  # (n_boxes,)
    step: Ints  # (n_boxes, n_axes) where it is, in boxes
    child: Ints  # (n_boxes + 1,) the first of its boxes in the next level


class _Tree:
    """Cells in the order of a space-filling curve, so that each box holds a run of them."""

    def __init__(self, places_mm: Floats, space: _Space) -> None:
        n_axes, depth = places_mm.shape[1], space.depth
        step = np.floor((places_mm - space.low_mm) * (2**depth / space.size_mm)).astype(np.int64)
        step = np.clip(step, 0, 2**depth - 1)
        code = np.zeros(len(step), dtype=np.int64)
        for bit in reversed(range(depth)):
            for axis in range(n_axes):
                code = 2 * code + ((step[:, axis] >> bit) & 1)
        self.order = np.argsort(code, kind="stable")
        self.axes_mm = places_mm[self.order].T.copy()
        code, step = code[self.order], step[self.order]
        prefixes = [code >> n_axes * (depth - level) for level in range(depth + 1)]
        starts = [np.flatnonzero(np.diff(each, prepend=-1)) for each in prefixes]
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
    octave: Ints  # how often the chance has halved where the boxes are nearest

    def proposals(self, p0: float) -> float:
        """How many pairs of cells are proposed, on average."""
        return float(np.sum(self.n_sources * self.n_targets * p0 * np.exp2(-self.octave.astype(np.float64))))


def _leaves(sources: _Tree, targets: _Tree, space: _Space, decay: Decay) -> Iterator[_Leaves]:
    """Pairs of boxes in which every pair of cells is found once, small where many edges are."""
    one, other = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for level, (mine, theirs) in enumerate(zip(sources.levels, targets.levels, strict=True)):
        box_mm = space.size_mm / 2**level
        apart_mm = box_mm * np.abs(mine.step[one] - theirs.step[other])
        near_mm = np.linalg.norm(np.maximum(apart_mm - box_mm * (1.0 + 1e-9), 0.0), axis=1)
        octave = np.minimum(decay.load(near_mm) / math.log(2.0), OCTAVES).astype(np.int64)
        found = _Leaves(mine.start[one], mine.n_cells[one], theirs.start[other], theirs.n_cells[other], octave)
        proposals = found.n_sources * found.n_targets * decay.p0 * np.exp2(-octave.astype(np.float64))
        split = (proposals > SPLIT) & (level < space.depth)
        yield _Leaves(*(each[~split] for each in found))
        one, other = one[split], other[split]
        n_other = np.diff(theirs.child)[other]
        n_pairs = np.diff(mine.child)[one] * n_other
        row = np.repeat(np.arange(one.size), n_pairs)
        at, other_at = np.divmod(np.arange(row.size) - (np.cumsum(n_pairs) - n_pairs)[row], n_other[row])
        one, other = mine.child[one][row] + at, theirs.child[other][row] + other_at


def _kept(
    leaves: list[_Leaves], octave: int, sources: _Tree, targets: _Tree, decay: Decay, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """The source and target of the pairs that are kept of those between boxes of one octave."""
    chosen = [[each[found.octave == octave] for each in found[:4]] for found in leaves]
    start, n_sources, target_start, n_targets = (np.concatenate(each) for each in zip(*chosen, strict=True))
    if not start.size:
        return start, start
    ends_at = np.cumsum(n_sources * n_targets)
    at = successes(int(ends_at[-1]), decay.p0 * 2.0**-octave, rng)
    pair = np.searchsorted(ends_at, at, side="right")
    at -= (ends_at - n_sources * n_targets)[pair]
    source, target = np.divmod(at, n_targets[pair])
    source += start[pair]
    target += target_start[pair]
    left_mm2 = decay.reach_mm2(rng.standard_exponential(at.size) + octave * math.log(2.0))
    for source_axis, target_axis in zip(sources.axes_mm, targets.axes_mm, strict=True):
        apart_mm = source_axis[source] - target_axis[target]
        left_mm2 -= apart_mm * apart_mm
    keep = left_mm2 > 0.0
    return sources.order[source[keep]], targets.order[target[keep]]


def delays_ms(edges: tuple[Rows, Rows], identity: Identity, centres_mm: Floats, delay: FromDistance) -> Floats32:
    """offset + distance / velocity of each edge, (n_edges,): between somata, or, from area to area, between areas.

    edges: rows of sources and targets. centres_mm: (n_areas, 3) where the areas lie in the head.
    """
    found = np.empty(edges[0].size, dtype=np.float32)
    for start in range(0, found.size, BLOCK):
        source, target = (each[start : start + BLOCK] for each in edges)
        one, other = identity.area[source], identity.area[target]
        apart_mm = identity.position_mm[source] - identity.position_mm[target]
        across = one != other
        apart_mm[across] = centres_mm[one[across]] - centres_mm[other[across]]
        far_mm = np.sqrt(np.einsum("ij,ij->i", apart_mm, apart_mm))
        found[start : start + BLOCK] = delay.offset_ms + far_mm / delay.velocity_m_s  # mm / (m/s) is ms
    return found


def weakened(
    weight: Floats32, edges: tuple[Rows, Rows], identity: Identity, decay: Decay, *, lateral: bool
) -> Floats32:
    """`weight` of each edge, (n_edges,) or (1,) for all, times exp(-load) of the distance of its cells: (n_edges,)."""
    found = np.empty(edges[0].size, dtype=np.float32)
    place_mm = identity.position_mm[:, : 2 if lateral else 3]
    for start in range(0, found.size, BLOCK):
        source, target = (each[start : start + BLOCK] for each in edges)
        apart_mm = place_mm[source] - place_mm[target]
        load = decay.load(np.sqrt(np.einsum("ij,ij->i", apart_mm, apart_mm)))
        mine = weight if weight.size == 1 else weight[start : start + BLOCK]
        found[start : start + BLOCK] = mine * np.exp(-load)
    return found
