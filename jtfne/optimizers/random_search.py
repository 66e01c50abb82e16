"""Random search: the baseline that any other optimizer has to beat."""

import dataclasses
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import Limit
from jtfne._tree import register
from jtfne.optimizers._base import CompiledSearch, SearchStats, init_stats, update_stats


class RandomSearchState(NamedTuple):
    """The state of a random search: its record."""

    record: SearchStats


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class RandomSearch(CompiledSearch):
    """Candidates drawn uniformly within the bounds; the first of all is the start.

    Source: Bergstra & Bengio (2012), J. Mach. Learn. Res. 13:281-305.

    Examples
    --------
    >>> import jax
    >>> from jtfne.optimizers import RandomSearch
    >>> search = RandomSearch(n=4)
    >>> state = search.init(jax.random.key(0), lower=[0.0], upper=[1.0], start=[0.5])
    >>> candidates, state = search.ask(state)
    >>> candidates.shape, candidates[0].tolist()
    ((4, 1), [0.5])
    """

    n: int = dataclasses.field(default=16, metadata={"static": True})

    STATE: ClassVar[type] = RandomSearchState
    traceable: ClassVar[bool] = True
    needs_gradients: ClassVar[bool] = False
    LIMITS: ClassVar[dict[str, Limit]] = {"n": Limit(low=1)}

    def n_candidates(self, d: int) -> int:
        """`n`, whatever `d`."""
        return self.n

    def init(self, key: jax.Array, lower: Any, upper: Any, start: Any = None) -> RandomSearchState:
        """The state at the start; see `Optimizer.init`."""
        return RandomSearchState(init_stats(self, key, lower, upper, start))

    def _ask(self, state: RandomSearchState) -> tuple[jax.Array, RandomSearchState]:
        """Candidates (n, d), uniform within the bounds."""
        record = state.record
        x = record.anywhere("candidates", self.n)
        is_start = (record.generation == 0) & (jnp.arange(self.n) == 0)
        return jnp.where(is_start[:, None], record.best_x, x), state

    def _tell(
        self, state: RandomSearchState, candidates: Any, scores: Any, gradients: Any, *more: Any
    ) -> RandomSearchState:
        """The state after `scores` (n,); gradients are not used."""
        return RandomSearchState(update_stats(state.record, candidates, scores))
