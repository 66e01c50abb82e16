"""GSDR, the genetic stochastic delta rule: update and noise grow until the best changes."""

import dataclasses
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jtfne._check import NOT_NEGATIVE, POSITIVE, Limit, refuse, whole_number
from jtfne._tree import register
from jtfne.optimizers._base import (
    CompiledSearch,
    SearchStats,
    check_numbers,
    init_stats,
    update_stats,
)
from jtfne.optimizers._descent import (
    adam,
    antithetic_pairs,
    centre_score,
    estimate_gradient,
    inner_update,
    should_restart,
    tree_where,
)


class GSDRState(NamedTuple):
    """State of a GSDR search.

    Attributes
    ----------
    record : SearchStats
        Bounds, random key and the best so far.
    centre : array, shape (d,)
        Where the next generation is drawn.
    inner : pytree
        State of the inner optimizer.
    mix : array, shape ()
        Share of noise in the next update.
    kept_inner, kept_mix
        `inner` and `mix` with which the best was found; deselection puts them back.
    stale : int32, shape ()
        Generations since the best changed or was restored.
    n_deselected : int32, shape ()
        How often the best was restored.
    """

    record: SearchStats
    centre: jax.Array
    inner: Any
    mix: jax.Array
    kept_inner: Any
    kept_mix: jax.Array
    stale: jax.Array
    n_deselected: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class GSDR(CompiledSearch):
    """Genetic stochastic delta rule: noise and gradient steps that grow while nothing improves.

    ``centre <- centre + lambda (a delta + (1 - a) g)``, where ``lambda = tau^2 (1 - exp(-tau /
    growth))``. g is the update of `inner`; delta is noise, a normal number for each parameter times
    `noise` and the `factor` of `tell`, clipped to [-1, 1]; tau counts generations since the best
    changed; a is `mix`.

    A generation is the centre and `n_pairs` pairs of probes around it. Gradients are used if given;
    else they are estimated from the pairs. All lengths are shares of a parameter's range.

    Genetic deselection: the centre is put back to the best, bit for bit, with the state of the
    inner optimizer and the a that the best was found with. This happens if the centre's score is
    not finite, or worse than the best by more than `margin` |best|, or the best is `patience`
    generations old.

    Parameters
    ----------
    inner : optax.GradientTransformation
        Makes the update g of a gradient.
    noise : float
        Standard deviation of the noise, before `factor`.
    mix : float
        a, the share of noise in a step at the start, in [0, 1].
    wander : float
        By how much a may change in a generation; it is drawn, and stays within [0, 1].
    growth : float
        Generations over which steps grow while nothing improves.
    margin, patience
        When the centre is deselected, see above.
    spread : float
        Longest distance of a probe from the centre.
    n_pairs : int
        Pairs of probes in a generation; 0 needs gradients.

    Notes
    -----
    Deviations from the published rule [1]_:

    - Noise goes with the range, not with the parameter, which at zero would never move.
    - tau is 1, not 0, right after an improvement, where lambda would be 0.
    - The bound best + margin |best| is twice the best at margin 1, as published, but holds for
      scores below zero too.
    - tau starts anew at deselection, after which the rule would else deselect for ever.
    - The best may be a probe.

    References
    ----------
    .. [1] Nejat, Sherfey & Bastos (2026), PLOS One (GSDR).

    Examples
    --------
    >>> import jax
    >>> from jtfne.optimizers import GSDR
    >>> search = GSDR(n_pairs=3)
    >>> state = search.init(jax.random.key(0), lower=[0.0, 0.0], upper=[1.0, 1.0], start=[0.5, 0.5])
    >>> candidates, state = search.ask(state)
    >>> candidates.shape, candidates[0].tolist()  # the centre, and pairs around it
    ((7, 2), [0.5, 0.5])
    """

    inner: Any = dataclasses.field(default_factory=lambda: adam(0.01), metadata={"static": True})
    noise: jax.Array | float = 0.01
    mix: jax.Array | float = 0.5
    wander: jax.Array | float = 0.0
    growth: jax.Array | float = 10.0
    margin: jax.Array | float = 1.0
    patience: jax.Array | int = 10
    spread: jax.Array | float = 0.2
    n_pairs: int = dataclasses.field(default=4, metadata={"static": True})

    STATE: ClassVar[type] = GSDRState
    traceable: ClassVar[bool] = True
    needs_gradients: ClassVar[bool] = False
    LIMITS: ClassVar[dict[str, Limit]] = {
        "noise": NOT_NEGATIVE,
        "mix": Limit(low=0.0, high=1.0),
        "wander": Limit(low=0.0, high=1.0),
        "growth": POSITIVE,
        "margin": NOT_NEGATIVE,
        "patience": Limit(low=1),
        "spread": POSITIVE,
        "n_pairs": NOT_NEGATIVE,
    }

    def n_candidates(self, d: int) -> int:
        """The centre and its pairs."""
        return 1 + 2 * self.n_pairs

    def init(self, key: jax.Array, lower: Any, upper: Any, start: Any = None) -> GSDRState:
        """The state at the start; see `Optimizer.init`."""
        record = init_stats(self, key, lower, upper, start)
        inner, mix = self.inner.init(record.best_x), jnp.asarray(self.mix, record.lower.dtype)
        zero = jnp.zeros((), jnp.int32)
        return GSDRState(record, record.best_x, inner, mix, inner, mix, zero, zero)

    def _ask(self, state: GSDRState) -> tuple[jax.Array, GSDRState]:
        """The centre, and pairs of probes around it: (1 + 2 n_pairs, d)."""
        return antithetic_pairs(state.record, state.centre, self.spread, self.n_pairs), state

    def tell(
        self,
        state: GSDRState,
        candidates: Any,
        scores: Any,
        gradients: Any = None,
        factor: Any = None,
    ) -> GSDRState:
        """The state after an update or a deselection; see `Optimizer.tell`.

        factor: (d,), by what the noise of each parameter is multiplied, as `correlation_factor`
        gives it; None for ones.
        """
        if factor is not None:
            factor = check_numbers(factor, "factor", "GSDR.tell")
            if np.shape(factor) != state.record.lower.shape:
                raise refuse(
                    f"factor of shape {np.shape(factor)}",
                    f"{state.record.lower.shape}",
                    "GSDR.tell",
                )
        new_state: GSDRState = self._checked_tell(state, candidates, scores, gradients, factor)
        return new_state

    def _tell(
        self, state: GSDRState, candidates: Any, scores: Any, gradients: Any, *more: Any
    ) -> GSDRState:
        """The state after an update or a deselection, of arguments that are checked."""
        (factor,) = more
        record = update_stats(state.record, candidates, scores)
        is_better = record.best_score < state.record.best_score
        kept_inner = tree_where(is_better, state.inner, state.kept_inner)
        kept_mix = jnp.where(is_better, state.mix, state.kept_mix)
        stale = jnp.where(is_better, 0, state.stale + 1)
        is_deselected = should_restart(
            record, centre_score(record, scores), stale, self.margin, self.patience
        )

        gradient = estimate_gradient(record, candidates, scores, gradients, "GSDR.tell")
        update, inner = inner_update(self.inner, gradient, state.inner)
        tau = jnp.asarray(stale + 1, gradient.dtype)
        gain = -(tau**2) * jnp.expm1(-tau / self.growth)
        xi = record.normal("noise", 1)[0] * (
            1.0 if factor is None else jnp.asarray(factor, gradient.dtype)
        )
        mix = jnp.clip(
            state.mix + self.wander * (2.0 * record.uniform("mix", 1)[0, 0] - 1.0), 0.0, 1.0
        )
        step = gain * (mix * jnp.clip(self.noise * xi, -1.0, 1.0) + (1.0 - mix) * update)
        next_centre = record.inside(state.centre + record.width * step)
        centre, inner, mix = tree_where(
            is_deselected, (record.best_x, kept_inner, kept_mix), (next_centre, inner, mix)
        )
        stale = jnp.where(is_deselected, 0, stale)
        return GSDRState(
            record,
            centre,
            inner,
            mix,
            kept_inner,
            kept_mix,
            stale,
            state.n_deselected + is_deselected,
        )


def correlation_factor(before: jax.Array, after: jax.Array, shift: int = 1) -> jax.Array:
    """Squared Pearson correlation of each parameter's two cells, z-scored over parameters, (d,).

    before, after: (n_steps, d), the potentials of the cell before and behind each synapse; `after`
    is taken `shift` steps later. Ones where correlations are undefined (a potential that is
    constant), or all equal. Source: Nejat, Sherfey & Bastos (2026), PLOS One (MCDP).
    Raises: JtfneError, if the shapes differ or no two steps are left.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.optimizers import correlation_factor
    >>> before = np.random.default_rng(0).normal(size=(100, 2))
    >>> after = np.roll(before, 1, axis=0) * [1.0, 0.0] + before * [0.0, 1.0]
    >>> factor = correlation_factor(before, after)  # the first pair follows, the second does not
    >>> factor.round(2).tolist()
    [1.0, -1.0]
    """
    where = "correlation_factor"
    before, after = (
        check_numbers(x, name, where) for x, name in ((before, "before"), (after, "after"))
    )
    shift = whole_number(shift, NOT_NEGATIVE, name="shift", where=where)
    if (
        np.ndim(before) != 2
        or np.shape(before) != np.shape(after)
        or not 0 <= shift <= len(before) - 2
    ):
        problem = (
            f"before of shape {np.shape(before)}, after of shape {np.shape(after)}, shift={shift}"
        )
        raise refuse(problem, "(n_steps, d) both, shift in [0, n_steps - 2]", "correlation_factor")
    x, y = jnp.asarray(before)[: len(before) - shift], jnp.asarray(after)[shift:]
    x, y = x - x.mean(axis=0, keepdims=True), y - y.mean(axis=0, keepdims=True)
    power = (x**2).sum(axis=0) * (y**2).sum(axis=0)
    is_defined = power > 0.0
    square = jnp.where(
        is_defined, (x * y).sum(axis=0) ** 2 / jnp.where(is_defined, power, 1.0), 0.0
    )
    n = jnp.maximum(is_defined.sum(), 1)
    mean = square.sum() / n
    sd = jnp.sqrt((jnp.where(is_defined, square - mean, 0.0) ** 2).sum() / n)
    return jnp.where(is_defined & (sd > 0.0), (square - mean) / jnp.where(sd > 0.0, sd, 1.0), 1.0)
