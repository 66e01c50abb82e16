"""Runs a search from its start to the end of its budget on a function of arrays."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jtfne._arguments import check_flag, describe_argument
from jtfne._check import Limit, refuse, whole_number
from jtfne._precision import defined_jax_flags
from jtfne.optimizers._base import Array, Optimizer, check_numbers, is_concrete


@defined_jax_flags()
def minimize(
    optimizer: Optimizer,
    function: Callable[[jax.Array], jax.Array],
    key: jax.Array,
    lower: Any,
    upper: Any,
    *,
    budget: int,
    start: Any = None,
    gradients: bool = False,
) -> tuple[Any, Array]:
    """The last state, and the best score after each generation, (n_generations,).

    function: (d,) -> (), may be traced by jax. budget: evaluations of the function, of which whole
    generations are used; one with its gradient counts as one. gradients: whether to tell them where
    `optimizer` does not need them. Raises: JtfneError, for a budget below one generation, and as
    `Optimizer.init` and `.tell`.

    >>> from jtfne.optimizers import RandomSearch
    >>> search = RandomSearch(n=16)
    >>> state, history = minimize(search, lambda x: x @ x, jax.random.key(0), [-1.0], [1.0], budget=64)
    >>> len(history), bool(search.best(state)[1] == history[-1])
    (4, True)
    """
    search: Any = optimizer
    if isinstance(search, type) or not callable(getattr(search, "n_candidates", None)):
        raise refuse(
            f"optimizer={describe_argument(optimizer)}",
            "one of jtfne.optimizers, as CMAES()",
            "minimize",
        )
    objective: Any = function
    if isinstance(objective, type) or not callable(objective):
        raise refuse(
            f"function={describe_argument(function)}", "a function of an array (d,)", "minimize"
        )
    budget = whole_number(budget, Limit(high=2**31 - 1), name="budget", where="minimize")
    lower = check_numbers(lower, "lower", "minimize")
    with_gradients = (
        check_flag(gradients, name="gradients", where="minimize") or optimizer.needs_gradients
    )
    k = optimizer.n_candidates(np.size(lower))
    if k < 1 or budget < k:
        raise refuse(
            f"budget={budget}", f"at least {k}, the candidates of one generation", "minimize"
        )
    batch: Callable[..., Any] = jax.vmap(
        jax.value_and_grad(function) if with_gradients else function
    )

    def generation(state: Any, _: Any = None) -> tuple[Any, Any]:
        candidates, state = optimizer.ask(state)
        scores, slopes = batch(candidates) if with_gradients else (batch(candidates), None)
        state = optimizer.tell(state, candidates, scores, slopes)
        return state, optimizer.best(state)[1]

    state = optimizer.init(key, lower, upper, start)
    if optimizer.traceable:
        last, history = jax.lax.scan(generation, state, length=budget // k)
        if is_concrete(history) and not np.isfinite(np.asarray(history[-1])):
            raise refuse(
                "a function without a finite value", "at least one finite score", "minimize"
            )
        return last, history
    best = []
    batch = jax.jit(batch)
    for _ in range(budget // k):
        state, score = generation(state)
        best.append(score)
    return state, np.asarray(best)
