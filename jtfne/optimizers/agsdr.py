"""AGSDR, the adaptive genetic stochastic delta rule: noise and update, weighed by variances."""

import dataclasses
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import NOT_NEGATIVE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.optimizers._base import CompiledSearch, SearchStats, init_stats, update_stats
from jtfne.optimizers._descent import (
    adam,
    antithetic_pairs,
    centre_score,
    estimate_gradient,
    inner_update,
    should_restart,
    tree_where,
)

TINY = 1e-12  # keeps alpha at one half where noise and update are both 0


class AGSDRState(NamedTuple):
    """State of an AGSDR search.

    Attributes
    ----------
    record : SearchStats
        Bounds, random key and the best so far.
    centre : array, shape (d,)
        Where the next generation is drawn.
    inner : pytree
        State of the inner optimizer.
    kept_inner : pytree
        `inner` with which the best was found; deselection puts it back.
    noise_var, update_var : array, shape (d,)
        Running variances about zero, in squared shares of the range.
    stale : int32, shape ()
        Generations since the best changed or was restored.
    n_deselected : int32, shape ()
        How often the best was restored.
    """

    record: SearchStats
    centre: jax.Array
    inner: Any
    kept_inner: Any
    noise_var: jax.Array
    update_var: jax.Array
    stale: jax.Array
    n_deselected: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class AGSDR(CompiledSearch):
    """Adaptive genetic stochastic delta rule: noise and gradient steps, weighed by their variances.

    ``centre <- centre + gain (alpha R + (1 - alpha) D)``, where ``alpha = Var R / (Var R + Var D)``
    for each parameter. D is the update of `inner`, clipped to [-1, 1]. R is normal noise, drawn for
    each parameter from a key of its own; its standard deviation is `sigma` times the root mean
    square of D over time and parameters, at least `floor`. A parameter whose gradient says little
    explores, one whose gradient says much descends.

    A generation is the centre and `n_pairs` pairs of probes around it. Gradients are used if given;
    else they are estimated from the pairs. All lengths are shares of a parameter's range.

    Parameters
    ----------
    inner : optax.GradientTransformation
        Makes the update D of a gradient.
    sigma : float
        Standard deviation of the noise, by the root mean square of the updates.
    floor : float
        Least standard deviation of the noise.
    gain : float
        Factor on each step.
    memory : float
        Share of the past in the running variances, in [0, 1).
    margin, patience
        When the centre is put back to the best, as in `GSDR`.
    spread : float
        Longest distance of a probe from the centre.
    n_pairs : int
        Pairs of probes in a generation; 0 needs gradients.

    Notes
    -----
    Deviations from jaxfne 0.3.37, whose name and whose alpha are kept:

    - Deselection restores the best, which was computed there and not done.
    - sigma goes with the update, so that alpha does not saturate at pure noise.
    - Variances are about zero and of each parameter, since over the entries of a leaf they are zero
      for a scalar.
    - Equal parameters draw different numbers.
    - No checkpoint besides, since the best is kept at every generation.
    - All of it runs under `jit` and `vmap`.

    Source: Nejat, Sherfey & Bastos (2026), PLOS One (deselection); jaxfne 0.3.37 (balance of
    variances).

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.optimizers import AGSDR
    >>> AGSDR().n_candidates(d=5), jtfne.Trainer().optimizer == AGSDR()
    (9, True)
    """

    inner: Any = dataclasses.field(default_factory=lambda: adam(0.05), metadata={"static": True})
    sigma: jax.Array | float = 3.0
    floor: jax.Array | float = 1e-3
    gain: jax.Array | float = 1.0
    memory: jax.Array | float = 0.99
    margin: jax.Array | float = 1.0
    patience: jax.Array | int = 10
    spread: jax.Array | float = 0.2
    n_pairs: int = dataclasses.field(default=4, metadata={"static": True})

    STATE: ClassVar[type] = AGSDRState
    traceable: ClassVar[bool] = True
    needs_gradients: ClassVar[bool] = False
    LIMITS: ClassVar[dict[str, Limit]] = {
        "sigma": NOT_NEGATIVE,
        "floor": NOT_NEGATIVE,
        "gain": POSITIVE,
        "memory": Limit(low=0.0, high=1.0, open_high=True),
        "margin": NOT_NEGATIVE,
        "patience": Limit(low=1),
        "spread": POSITIVE,
        "n_pairs": NOT_NEGATIVE,
    }

    def n_candidates(self, d: int) -> int:
        """The centre and its pairs."""
        return 1 + 2 * self.n_pairs

    def init(self, key: jax.Array, lower: Any, upper: Any, start: Any = None) -> AGSDRState:
        """The state at the start; see `Optimizer.init`."""
        record = init_stats(self, key, lower, upper, start)
        inner, zeros, zero = (
            self.inner.init(record.best_x),
            jnp.zeros_like(record.best_x),
            jnp.zeros((), jnp.int32),
        )
        return AGSDRState(record, record.best_x, inner, inner, zeros, zeros, zero, zero)

    def _ask(self, state: AGSDRState) -> tuple[jax.Array, AGSDRState]:
        """The centre, and pairs of probes around it: (1 + 2 n_pairs, d)."""
        return antithetic_pairs(state.record, state.centre, self.spread, self.n_pairs), state

    def _tell(
        self, state: AGSDRState, candidates: Any, scores: Any, gradients: Any, *more: Any
    ) -> AGSDRState:
        """The state after an update or a deselection; see `Optimizer.tell`."""
        record = update_stats(state.record, candidates, scores)
        is_better = record.best_score < state.record.best_score
        kept_inner = tree_where(is_better, state.inner, state.kept_inner)
        stale = jnp.where(is_better, 0, state.stale + 1)
        is_deselected = should_restart(
            record, centre_score(record, scores), stale, self.margin, self.patience
        )

        gradient = estimate_gradient(record, candidates, scores, gradients, "AGSDR.tell")
        update, inner = inner_update(self.inner, gradient, state.inner)
        weight_so_far = (
            1.0 - jnp.asarray(self.memory, gradient.dtype) ** record.generation
        )  # corrects the bias of a running mean that starts at 0
        update_var = self.memory * state.update_var + (1.0 - self.memory) * update**2
        scale = jnp.maximum(self.sigma * jnp.sqrt(update_var.mean() / weight_so_far), self.floor)
        noise = scale * record.normal("noise", 1)[0]
        noise_var = self.memory * state.noise_var + (1.0 - self.memory) * noise**2
        alpha = (noise_var / weight_so_far + TINY) / (
            (noise_var + update_var) / weight_so_far + 2.0 * TINY
        )
        step = self.gain * (alpha * noise + (1.0 - alpha) * update)
        next_centre = record.inside(state.centre + record.width * step)
        centre, inner = tree_where(is_deselected, (record.best_x, kept_inner), (next_centre, inner))
        stale = jnp.where(is_deselected, 0, stale)
        n_deselected = state.n_deselected + is_deselected
        return AGSDRState(
            record, centre, inner, kept_inner, noise_var, update_var, stale, n_deselected
        )
