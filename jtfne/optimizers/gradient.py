"""Gradient descent by any optax transform, from one start or several."""

import dataclasses
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import Limit, describe_value, refuse
from jtfne._tree import register
from jtfne.optimizers._base import CompiledSearch, SearchStats, init_stats, update_stats
from jtfne.optimizers._descent import adam, tree_where


class GradientState(NamedTuple):
    """State of a gradient search.

    x: (n_starts, d), the point of each descent. inner: the transform's state, with a leading axis
    of descents.
    """

    record: SearchStats
    x: jax.Array
    inner: Any


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Gradient(CompiledSearch):
    """x <- x + transform's update, at the nearest bound if beyond:
    `Gradient(transform=optax.adam(0.01))`.

    The transform works on shares of the ranges, so that a learning rate of 0.01 in Adam is a
    hundredth of a range a step, whatever the parameter; by default it is Adam with 0.05. `n_starts`
    descents run side by side, the first from the start, the others from points drawn uniformly.
    `tell` needs the gradients, (n_starts, d), as `jax.grad` of the score gives them. A descent
    whose score or gradient is not finite goes on from the best so far, with a fresh state of the
    transform. Source: DeepMind et al. (2020), The DeepMind JAX Ecosystem (optax).

    Examples
    --------
    >>> import jax
    >>> from jtfne.optimizers import Gradient
    >>> search = Gradient()
    >>> state = search.init(jax.random.key(0), lower=[0.0], upper=[1.0], start=[0.5])
    >>> candidates, state = search.ask(state)
    >>> state = search.tell(state, candidates, scores=[1.0], gradients=[[2.0]])
    >>> round(float(state.x[0, 0]), 3)  # Adam's first step, 0.05 of the range
    0.45
    """

    transform: Any = dataclasses.field(
        default_factory=lambda: adam(0.05), metadata={"static": True}
    )
    n_starts: int = dataclasses.field(default=1, metadata={"static": True})

    STATE: ClassVar[type] = GradientState
    traceable: ClassVar[bool] = True
    needs_gradients: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {"n_starts": Limit(low=1)}

    def n_candidates(self, d: int) -> int:
        """`n_starts`, whatever `d`."""
        return self.n_starts

    def init(self, key: jax.Array, lower: Any, upper: Any, start: Any = None) -> GradientState:
        """The state at the start; see `Optimizer.init`.
        Raises: JtfneError, if `transform` is no optax transform.
        """
        if not (
            callable(getattr(self.transform, "init", None))
            and callable(getattr(self.transform, "update", None))
        ):
            raise refuse(
                f"transform={describe_value(self.transform)}",
                "an optax transform, as optax.adam(0.01)",
                "Gradient.init",
            )
        record = init_stats(self, key, lower, upper, start)
        other_starts = record.anywhere("starts", self.n_starts - 1)
        x = jnp.concatenate([record.best_x[None], other_starts])
        return GradientState(record, x, jax.vmap(self.transform.init)(self._shares(record, x)))

    def _ask(self, state: GradientState) -> tuple[jax.Array, GradientState]:
        """Where each descent stands: (n_starts, d)."""
        return state.x, state

    def _tell(
        self, state: GradientState, candidates: Any, scores: Any, gradients: Any, *more: Any
    ) -> GradientState:
        """The state after a step of each descent; see `Optimizer.tell`."""
        record = update_stats(state.record, candidates, scores)
        rows, y = (jnp.asarray(array, record.lower.dtype) for array in (gradients, scores))
        is_finite = jnp.isfinite(rows).all(axis=1) & jnp.isfinite(y)
        slopes = jnp.where(is_finite[:, None], rows, 0.0) * record.width[None]
        update, inner = jax.vmap(self.transform.update)(
            slopes, state.inner, self._shares(record, state.x)
        )
        next_x = record.inside(
            state.x + record.width[None] * jnp.where(jnp.isfinite(update), update, 0.0)
        )
        fresh_state = self.transform.init(self._shares(record, record.best_x))
        x, inner = jax.vmap(tree_where, in_axes=(0, 0, None))(
            is_finite, (next_x, inner), (record.best_x, fresh_state)
        )
        return GradientState(record, x, inner)

    def _shares(self, record: SearchStats, x: jax.Array) -> jax.Array:
        """`x` in shares of the ranges above the lower bounds."""
        lower, width = (jnp.broadcast_to(row, x.shape) for row in (record.lower, record.width))
        return (x - lower) / width
