"""CMA-ES: a normal distribution that learns where and along which directions to search."""

import dataclasses
import math
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from jtfne._check import Limit, refuse, whole_number
from jtfne._tree import register
from jtfne.optimizers._base import (
    Array,
    SearchStats,
    check_generation,
    check_state,
    init_stats,
    is_concrete,
    update_stats,
)

Numbers = npt.NDArray[np.float64]


class CMAESState(NamedTuple):
    """The distribution, on the host in double precision; lengths are shares of the ranges.

    mean: (d,). sigma: (), step size. cov: (d, d). path_sigma, path_cov: (d,), evolution paths.
    generation: int64 ().
    """

    record: SearchStats
    mean: Numbers
    sigma: Numbers
    cov: Numbers
    path_sigma: Numbers
    path_cov: Numbers
    generation: npt.NDArray[np.int64]


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class CMAES:
    """Covariance matrix adaptation, by the package `cmaes`, on the host: not under `jit` or `vmap`.

    A generation is n candidates, 4 + floor(3 ln d) if n is None. `sigma` is the standard deviation
    at the start, as a share of the range; candidates beyond the bounds are drawn anew. Only the
    order of scores matters; one that is not finite is the worst.

    The state is the five numbers of the distribution and how many generations it has seen, so that
    it can be stored; at `ask` and `tell` the package's object is made from them anew. Its generator
    is seeded from the key and the generation, so that draws follow from the state alone, whatever
    was asked before. Source: Hansen (2016), arXiv:1604.00772; Nomura & Shibata (2024),
    arXiv:2402.01373 (cmaes).

    Examples
    --------
    >>> from jtfne.optimizers import CMAES
    >>> CMAES().n_candidates(d=10), CMAES(n=24).n_candidates(d=10)
    (10, 24)
    """

    n: int | None = dataclasses.field(default=None, metadata={"static": True})
    sigma: float = dataclasses.field(default=0.3, metadata={"static": True})

    STATE: ClassVar[type] = CMAESState
    traceable: ClassVar[bool] = False
    needs_gradients: ClassVar[bool] = False
    LIMITS: ClassVar[dict[str, Limit]] = {"sigma": Limit(low=0.0, open_low=True)}

    def n_candidates(self, d: int) -> int:
        """`n`, or the default for `d` parameters, Hansen (2016), eq. 48.
        Raises: JtfneError for no number of them.
        """
        d = whole_number(d, Limit(low=1), name="d", where="CMAES.n_candidates")
        return 4 + math.floor(3.0 * math.log(d)) if self.n is None else self.n

    def init(self, key: jax.Array, lower: Any, upper: Any, start: Any = None) -> CMAESState:
        """The state at the start; see `Optimizer.init`. Raises: JtfneError, also if traced."""
        _on_host((key, lower, upper, start), "CMAES.init")
        if self.n is not None:
            whole_number(self.n, Limit(low=3), name="n", where="CMAES.init")
        record = jax.tree.map(np.asarray, init_stats(self, key, lower, upper, start))
        d, zeros = record.lower.size, np.zeros(record.lower.size)
        mean, sigma = self._shares(record, record.best_x), np.asarray(self.sigma, np.float64)
        return CMAESState(record, mean, sigma, np.eye(d), zeros, zeros, np.zeros((), np.int64))

    def ask(self, state: CMAESState) -> tuple[Numbers, CMAESState]:
        """Candidates drawn from the distribution: (n, d)."""
        check_state(self, state, "ask")
        _on_host(state, "CMAES.ask")
        search, record = self._search(state), state.record
        shares = np.array([search.ask() for _ in range(self.n_candidates(record.lower.size))])
        lower, upper = np.asarray(record.lower, np.float64), np.asarray(record.upper, np.float64)
        return np.clip(lower + (upper - lower) * shares, lower, upper), state

    def tell(
        self, state: CMAESState, candidates: Any, scores: Any, gradients: Any = None
    ) -> CMAESState:
        """The state that has learnt from `scores` (n,); gradients are not used."""
        check_state(self, state, "tell")
        _on_host((state, candidates, scores), "CMAES.tell")
        candidates, scores, _ = check_generation(self, state.record, candidates, scores, gradients)
        record = jax.tree.map(np.asarray, update_stats(state.record, candidates, scores))
        search, y = self._search(state), np.asarray(scores, np.float64)
        shares = self._shares(record, candidates)
        scores_or_inf = np.where(np.isfinite(y), y, np.inf)
        search.tell([(x, float(score)) for x, score in zip(shares, scores_or_inf, strict=True)])
        return CMAESState(
            record,
            mean=np.array(search.mean),
            sigma=np.asarray(search._sigma, np.float64),
            cov=np.array(search._C),
            path_sigma=np.array(search._p_sigma),
            path_cov=np.array(search._pc),
            generation=np.asarray(search.generation, np.int64),
        )

    def best(self, state: CMAESState) -> tuple[Array, Array]:
        """The candidate with the lowest score so far, and that score."""
        check_state(self, state, "best")
        return state.record.best_x, state.record.best_score

    def _shares(self, record: SearchStats, x: Any) -> Numbers:
        """`x` (..., d) in shares of the ranges above the lower bounds, in double precision."""
        lower, upper = np.asarray(record.lower, np.float64), np.asarray(record.upper, np.float64)
        return np.clip((np.asarray(x, np.float64) - lower) / (upper - lower), 0.0, 1.0)

    def _search(self, state: CMAESState) -> Any:
        """The package's optimizer object, restored from `state`."""
        from cmaes import CMA

        d, generation = state.mean.size, int(state.generation)
        bounds = np.stack([np.zeros(d), np.ones(d)], axis=1)
        search = CMA(
            mean=np.array(state.mean),
            sigma=float(state.sigma),
            bounds=bounds,
            seed=_seed(state.record, generation),
            population_size=self.n_candidates(d),
            cov=np.array(state.cov),
        )
        search._p_sigma, search._pc, search._g = (
            np.array(state.path_sigma),
            np.array(state.path_cov),
            generation,
        )
        return search


def _seed(record: SearchStats, generation: int) -> int:
    """Seed of a generation's draws, derived from the key."""
    return int(
        np.random.SeedSequence([*(int(word) for word in record.key), generation]).generate_state(1)[
            0
        ]
    )


def _on_host(tree: Any, where: str) -> None:
    """Raises: JtfneError if any leaf of `tree` is traced."""
    try:
        leaves = jax.tree.leaves(tree)
    except (RecursionError, SystemError):  # JAX's words on a table in a table, thousands deep
        raise refuse("an argument nested too deep", "arrays", where) from None
    if not all(is_concrete(leaf) for leaf in leaves):
        raise refuse("a traced argument", "arrays that are known, outside jit and vmap", where)
