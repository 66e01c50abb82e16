"""Connection rules on plain counts: who connects to whom, drawn block by block of sources.

Cells are numbered within their end: sources 0 .. n_source - 1, targets 0 .. n_target - 1. A rule
yields blocks in the order of the sources, each holding the out-degree of its sources and their
targets, ascending in each row. The work area is a block of some 2**19 pairs (or one row, where a
row is longer), never n_source x n_target.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jtfne._check import refuse
from jtfne.wiring._draws import BLOCK

Ints = NDArray[np.int64]
Ints32 = NDArray[np.int32]


class Ends(NamedTuple):
    """The two ends of a connection."""

    n_source: int
    n_target: int
    self_target: Ints  # (n_source,) which target is the source itself, -1 where none is

    def free(self, autapses: bool) -> Ints:
        """How many targets each source may take, (n_source,)."""
        return np.where((self.self_target >= 0) & (not autapses), self.n_target - 1, self.n_target)

    def swap_roles(self) -> "Ends":
        """The same ends with the roles exchanged."""
        self_source = np.full(self.n_target, -1, dtype=np.int64)
        sources = np.flatnonzero(self.self_target >= 0)
        self_source[self.self_target[sources]] = sources
        return Ends(self.n_target, self.n_source, self_source)


class Block(NamedTuple):
    """Edges of the next few sources."""

    degree: Ints  # (n_rows,) edges of each source
    target: Ints32  # (degree.sum(),) ascending in each row


class Pairs(NamedTuple):
    """Single pairs of the sources `first` .. `first + n_rows - 1`, sorted.

    `source` counts from `first`.
    """

    first: int
    n_rows: int
    source: Ints
    target: Ints

    def block(self) -> Block:
        """The pairs as rows."""
        return Block(np.bincount(self.source, minlength=self.n_rows), self.target.astype(np.int32))

    def where(self, keep: NDArray[np.bool_]) -> "Pairs":
        """The pairs to `keep`."""
        return self._replace(source=self.source[keep], target=self.target[keep])


def fixed_probability(
    ends: Ends, p: float, rng: np.random.Generator, *, autapses: bool = False
) -> Iterator[Block]:
    """Each pair with probability `p`, independently."""
    return (pairs.block() for pairs in bernoulli_pairs(ends, p, rng, autapses=autapses))


def bernoulli_pairs(
    ends: Ends, p: float, rng: np.random.Generator, *, autapses: bool
) -> Iterator[Pairs]:
    """Pairs drawn independently with probability `p`, block by block, by geometric gaps."""
    step = max(1, min(ends.n_source, int(BLOCK / max(p * ends.n_target, 1e-9))))
    for first_row in range(0, ends.n_source, step):
        n_rows = min(step, ends.n_source - first_row)
        source, target = np.divmod(successes(n_rows * ends.n_target, p, rng), ends.n_target)
        pairs = Pairs(first_row, n_rows, source, target)
        yield pairs if autapses else pairs.where(target != ends.self_target[first_row + source])


def successes(n_trials: int, p: float, rng: np.random.Generator) -> Ints:
    """Indices of the successes in `n_trials` independent trials, ascending.

    Gaps between them are geometric.
    """
    if p <= 0.0 or p >= 1.0:
        return np.arange(n_trials if p >= 1.0 else 0, dtype=np.int64)
    parts: list[Ints] = []
    last_success = -1
    while last_success < n_trials:
        n_expected = (n_trials - last_success) * p
        gap = rng.geometric(p, size=int(n_expected + 2.0 * math.sqrt(n_expected)) + 1)
        trials = last_success + np.cumsum(np.minimum(gap, n_trials + 1))
        last_success = int(trials[-1])
        parts.append(trials[: np.searchsorted(trials, n_trials)])
    return np.concatenate(parts)


def all_to_all(ends: Ends, *, autapses: bool = False) -> Iterator[Block]:
    """Every pair once."""
    step = max(1, BLOCK // ends.n_target)
    for first_row in range(0, ends.n_source, step):
        self_target = ends.self_target[first_row : first_row + step]
        source = np.repeat(np.arange(self_target.size), ends.n_target)
        target = np.tile(np.arange(ends.n_target), self_target.size)
        pairs = Pairs(first_row, self_target.size, source, target)
        yield (pairs if autapses else pairs.where(target != self_target[source])).block()


def fixed_outdegree(
    ends: Ends,
    n: int,
    rng: np.random.Generator,
    *,
    autapses: bool = False,
    multapses: bool = True,
    where: str,
) -> Iterator[Block]:
    """`n` targets of every source, uniform; with repeats if `multapses`.
    Raises: JtfneError if there are too few.
    """
    return rows_of_degree(
        ends, np.full(ends.n_source, n), rng, autapses=autapses, multapses=multapses, where=where
    )


def fixed_indegree(
    ends: Ends,
    n: int,
    rng: np.random.Generator,
    *,
    autapses: bool = False,
    multapses: bool = True,
    where: str,
) -> Iterator[Block]:
    """`n` sources of every target, uniform; drawn per target, then sorted by source, as one block.

    Holds the edges twice for a while: 8 bytes an edge, less than what a wired edge takes.
    Raises: JtfneError if there are too few sources.
    """
    per_target = np.full(ends.n_target, n)
    blocks_by_target = list(
        rows_of_degree(
            ends.swap_roles(), per_target, rng, autapses=autapses, multapses=multapses, where=where
        )
    )
    degree = np.zeros(ends.n_source, dtype=np.int64)
    for block in blocks_by_target:
        degree += np.bincount(block.target, minlength=ends.n_source)
    next_place = np.cumsum(degree) - degree  # the next free place of each source
    targets = np.empty(int(degree.sum()), dtype=np.int32)
    first_target = 0
    # A counting sort by source: each block fills the next free places of its sources.
    for block in blocks_by_target:
        n_rows = block.degree.size
        source = block.target.astype(np.int64)
        key = np.sort(source * n_rows + np.repeat(np.arange(n_rows), block.degree))
        count = np.bincount(source, minlength=ends.n_source)
        start = np.cumsum(count) - count
        targets[np.arange(key.size) + np.repeat(next_place - start, count)] = (
            first_target + key % n_rows
        )
        next_place += count
        first_target += n_rows
    yield Block(degree, targets)


def fixed_total(
    ends: Ends,
    n: int,
    rng: np.random.Generator,
    *,
    autapses: bool = False,
    multapses: bool = True,
    where: str,
) -> Iterator[Block]:
    """`n` edges over all pairs, uniform; with repeats if `multapses`.
    Raises: JtfneError if there are too few pairs.
    """
    free = ends.free(autapses)
    n_pairs = int(free.sum())
    if n and (n_pairs == 0 or (n > n_pairs and not multapses)):
        raise refuse(f"FixedTotal(n={n})", f"at most {n_pairs} edges between these cells", where)
    if n == 0:
        degree = np.zeros(ends.n_source, dtype=np.int64)
    elif multapses:
        degree = rng.multinomial(n, free / n_pairs)
    else:
        degree = _split_distinct(n, free, rng)
    return rows_of_degree(ends, degree, rng, autapses=autapses, multapses=multapses, where=where)


def _split_distinct(n: int, free: Ints, rng: np.random.Generator) -> Ints:
    """Number of pairs of each source, of `n` distinct pairs drawn uniformly over all.

    free: (n_source,), pairs that each source has.

    Independent binomial counts are those of a uniform set of pairs of random size; the few pairs
    too many are taken out of it, or the few missing are added, uniformly. (numpy's hypergeometric
    ends at 10**9 pairs.)
    """
    n_pairs = int(free.sum())
    degree = rng.binomial(free, n / n_pairs).astype(np.int64)
    excess = int(degree.sum()) - n
    pool, sign = (degree, -1) if excess > 0 else (free - degree, 1)
    chosen_pairs = rng.choice(int(pool.sum()), size=abs(excess), replace=False, shuffle=False)
    owner = np.searchsorted(np.cumsum(pool), chosen_pairs, side="right")
    return degree + sign * np.bincount(owner, minlength=free.size)


def rows_of_degree(
    ends: Ends,
    degree: Ints,
    rng: np.random.Generator,
    *,
    autapses: bool,
    multapses: bool,
    where: str,
) -> Iterator[Block]:
    """`degree` (n_source,) targets of each source, uniform; distinct unless `multapses`.

    Raises: JtfneError, before anything is drawn, if a source has too few targets.
    """
    free = ends.free(autapses)
    short_rows = np.flatnonzero((degree > 0) & (free == 0) if multapses else degree > free)
    if short_rows.size:
        n_free = int(free[short_rows[0]])
        kind = (
            "cells to draw from" if multapses else "distinct cells to draw from (multapses=False)"
        )
        policy = "" if autapses else ", the cell itself left out (autapses=False)"
        raise refuse(
            f"a degree of {int(degree[short_rows[0]])}",
            f"at most {n_free}: the {kind}{policy}",
            where,
        )
    return _blocks_of_degree(ends, degree, free, rng, multapses)


def _blocks_of_degree(
    ends: Ends, degree: Ints, free: Ints, rng: np.random.Generator, multapses: bool
) -> Iterator[Block]:
    """The blocks of `rows_of_degree`, once it has checked."""
    for start, stop in _spans(degree):
        rows = slice(start, stop)
        pick = _repeated_keys if multapses else _distinct_keys
        key = pick(degree[rows], free[rows], ends.n_target, rng)
        row = np.repeat(np.arange(stop - start), degree[rows])
        target = key - row * ends.n_target
        if free[rows].min(initial=ends.n_target) < ends.n_target:
            # A source that may not take itself skips its own number.
            gap = np.where(free[rows] < ends.n_target, ends.self_target[rows], ends.n_target)
            target += target >= gap[row]
        yield Block(degree[rows], target.astype(np.int32))


def _spans(degree: Ints) -> Iterator[tuple[int, int]]:
    """Runs of sources with about BLOCK edges each (at least one source, at most BLOCK)."""
    ends_at = np.cumsum(degree)
    start = 0
    while start < degree.size:
        n_before = int(ends_at[start - 1]) if start else 0
        stop = int(np.searchsorted(ends_at, n_before + BLOCK, side="right"))
        stop = min(max(stop, start + 1), start + BLOCK)
        yield start, stop
        start = stop


def _draw_keys(count: Ints, free: Ints, n_target: int, rng: np.random.Generator) -> Ints:
    """Draw keys row * n_target + k, `count` (n_rows,) of them a row, k uniform below `free`."""
    row = np.repeat(np.arange(count.size, dtype=np.int64), count)
    lowest, highest = int(free.min(initial=n_target)), int(free.max(initial=0))
    stop = max(highest, 1) if lowest == highest else free[row]  # at least 1, as `integers` demands
    row *= n_target
    row += rng.integers(0, stop, size=row.size)
    return row


def _repeated_keys(degree: Ints, free: Ints, n_target: int, rng: np.random.Generator) -> Ints:
    """Sorted keys, with repeats."""
    return np.sort(_draw_keys(degree, free, n_target, rng))


def _distinct_keys(degree: Ints, free: Ints, n_target: int, rng: np.random.Generator) -> Ints:
    """Sorted distinct keys: a uniform subset of each row.

    Repeats are thrown away and only what is missing is drawn again, which keeps the first so many
    distinct values of one sequence of draws, so all subsets are alike. Rows more than half full
    choose what to leave out instead.
    """
    is_crowded = 2 * degree > free
    n_keys = np.where(is_crowded, free - degree, degree)
    key, repeats = _without_repeats(_draw_keys(n_keys, free, n_target, rng))
    extra_keys = np.empty(0, dtype=np.int64)
    while repeats.size:
        n_missing = np.bincount(repeats // n_target, minlength=degree.size)
        new_keys = np.sort(_draw_keys(n_missing, free, n_target, rng))
        is_repeat = key[np.minimum(np.searchsorted(key, new_keys), key.size - 1)] == new_keys
        extra_keys, more_repeats = _without_repeats(
            np.concatenate([extra_keys, new_keys[~is_repeat]])
        )
        repeats = np.concatenate([new_keys[is_repeat], more_repeats])
    key = np.sort(np.concatenate([key, extra_keys]), kind="stable")
    if not is_crowded.any():
        return key
    row = key // n_target
    crowded_rows = np.flatnonzero(is_crowded)
    is_taken = np.arange(n_target) < free[crowded_rows, None]
    left_out = key[is_crowded[row]]
    is_taken[np.searchsorted(crowded_rows, left_out // n_target), left_out % n_target] = False
    crowded_index, target = np.nonzero(is_taken)
    return np.sort(
        np.concatenate([key[~is_crowded[row]], crowded_rows[crowded_index] * n_target + target])
    )


def _without_repeats(key: Ints) -> tuple[Ints, Ints]:
    """The distinct keys, sorted, and the repeats that were thrown away."""
    key = np.sort(key)
    fresh = np.ones(key.size, dtype=np.bool_)
    fresh[1:] = key[1:] != key[:-1]
    return key[fresh], key[~fresh]
