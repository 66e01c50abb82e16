"""What the delta rules share: probes around a centre, estimated gradients, and deselection."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from jtfne._check import refuse
from jtfne.optimizers._base import SearchStats

# the lengths of probes lie between `spread` and this much below, evenly in their logarithm
DECADES = 3.0


@functools.cache
def adam(learning_rate: float) -> Any:
    """optax.adam, one object for each rate: equal settings are equal. Optax loads at first use."""
    import optax

    return optax.adam(learning_rate)


def antithetic_pairs(
    record: SearchStats, centre: jax.Array, spread: jax.Array | float, n_pairs: int
) -> jax.Array:
    """The centre, then pairs on either side of it, within the bounds: (1 + 2 n_pairs, d).

    A pair lies along a normal direction, at a length drawn log-uniformly up to `spread`: long ones
    see past a local minimum, short ones refine it.
    """
    direction = record.normal("direction", n_pairs)
    length = spread * 10.0 ** (-DECADES * record.uniform("length", n_pairs)[:, :1])
    step = record.width[None] * length * direction
    middle = centre[None]
    return record.inside(jnp.concatenate([middle, middle + step, middle - step]))


def estimate_gradient(
    record: SearchStats, candidates: Any, scores: Any, gradients: Any, where: str
) -> jax.Array:
    """Gradient of the score at the centre, by shares of the ranges, (d,); 0 where undefined.

    With gradients, the mean of the finite ones. Without, d times the mean over pairs of the
    difference quotient along the pair, whose expectation over isotropic directions is the gradient.
    Source: Nesterov & Spokoiny (2017), Found. Comput. Math. 17:527-566 (two-point estimates along
    random directions).
    Raises: JtfneError, if there are neither gradients nor pairs.
    """
    n_pairs, width = len(scores) // 2, record.width
    y = jnp.asarray(scores, width.dtype)
    if gradients is not None:
        rows = jnp.asarray(gradients, width.dtype) * width[None]
        is_usable = jnp.isfinite(rows).all(axis=1) & jnp.isfinite(y)
    else:
        if n_pairs == 0:
            raise refuse(
                "gradients=None with n_pairs=0", "gradients, or n_pairs of at least 1", where
            )
        x = jnp.asarray(candidates, width.dtype)
        offsets = (x[1 : n_pairs + 1] - x[n_pairs + 1 :]) / width[None]
        square, rise = (offsets**2).sum(axis=1), y[1 : n_pairs + 1] - y[n_pairs + 1 :]
        rows = (rise / jnp.where(square > 0.0, square, 1.0) * width.size)[:, None] * offsets
        is_usable = jnp.isfinite(rows).all(axis=1) & (square > 0.0)
    total = jnp.where(is_usable[:, None], rows, 0.0).sum(axis=0) / jnp.maximum(is_usable.sum(), 1)
    return jnp.where(jnp.isfinite(total), total, 0.0)


def should_restart(
    record: SearchStats,
    score: jax.Array,
    stale: jax.Array,
    margin: jax.Array | float,
    patience: jax.Array | int,
) -> jax.Array:
    """Whether a lineage is deselected and put back to the best.

    True if its score is not finite, or worse than the best by `margin` |best|, or the best is
    `patience` generations old.
    """
    is_worse: jax.Array = score > record.best_score + margin * jnp.abs(record.best_score)
    return ~jnp.isfinite(score) | is_worse | (stale >= patience)


def tree_where(condition: jax.Array, then_tree: Any, else_tree: Any) -> Any:
    """`then_tree` where `condition` is True, else `else_tree`, leaf by leaf."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), then_tree, else_tree)


def inner_update(inner: Any, gradient: jax.Array, state: Any) -> tuple[jax.Array, Any]:
    """The update of an optax transform, (d,) clipped to [-1, 1] ranges, and its next state."""
    update, next_state = inner.update(gradient, state)
    return jnp.clip(jnp.where(jnp.isfinite(update), update, 0.0), -1.0, 1.0), next_state


def centre_score(record: SearchStats, scores: Any) -> jax.Array:
    """The score of the first candidate, which is the centre."""
    score: jax.Array = jnp.asarray(scores, record.lower.dtype)[0]
    return score
