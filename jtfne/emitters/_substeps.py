"""The repetition of a substep within a step."""

from collections.abc import Callable
from typing import TypeVar

import jax

State = TypeVar("State")
MOST_UNROLLED = 4  # beyond, a program grows by the substep for nothing: 100 took minutes to compile


def repeat_substep(substep: Callable[[State], State], state: State, n_substeps: int) -> State:
    """The state after `n_substeps` substeps; few are unrolled, many are a loop of the program."""
    if n_substeps > MOST_UNROLLED:
        end: State = jax.lax.fori_loop(0, n_substeps, lambda _, looped: substep(looped), state)
        return end
    for _ in range(n_substeps):
        state = substep(state)
    return state
