"""An optimizer of your own: `init`, `ask`, `tell` and `best`; its state is a NamedTuple of arrays.

It draws round the best point so far, and finds the minimum of a parabola at 0.3. From the command
line: jtfne train CONFIG --optimizer MODULE:Around --allow-code
"""

# expect: 0.300 +- 0.02

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

import jtfne


class State(NamedTuple):
    key: jax.Array  # as plain numbers, so that it can be stored
    lower: jax.Array
    upper: jax.Array
    best_x: jax.Array
    best_score: jax.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class Around:
    width: float = 0.1  # a share of each parameter's range
    traceable: ClassVar[bool] = True
    needs_gradients: ClassVar[bool] = False

    def n_candidates(self, d):
        return 8

    def init(self, key, lower, upper, start=None):
        lower, upper = jnp.asarray(lower), jnp.asarray(upper)
        start = 0.5 * (lower + upper) if start is None else jnp.asarray(start)
        return State(jax.random.key_data(key), lower, upper, start, jnp.asarray(jnp.inf))

    def ask(self, state):
        key, draw = jax.random.split(jax.random.wrap_key_data(state.key))
        normal = jax.random.normal(draw, (self.n_candidates(0), state.lower.size))
        x = state.best_x + self.width * (state.upper - state.lower) * normal
        return jnp.clip(x, state.lower, state.upper), state._replace(key=jax.random.key_data(key))

    def tell(self, state, candidates, scores, gradients=None):
        k = jnp.nanargmin(scores)
        is_better = scores[k] < state.best_score
        best_x = jnp.where(is_better, jnp.asarray(candidates)[k], state.best_x)
        return state._replace(best_x=best_x, best_score=jnp.minimum(scores[k], state.best_score))

    def best(self, state):
        return state.best_x, state.best_score


find = jtfne.optimizers.minimize
state, _ = find(Around(), lambda x: (x[0] - 0.3) ** 2, jax.random.key(0), [-1.0], [1.0], budget=400)
print(f"minimum at {float(state.best_x[0]):.3f}")
