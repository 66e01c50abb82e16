"""SDR: the stochastic delta rule, steps of random length down the sign of the slope."""

import dataclasses
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import NOT_NEGATIVE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.optimizers._base import CompiledSearch, SearchStats, init_stats, update_stats
from jtfne.optimizers._descent import antithetic_pairs, estimate_gradient


class SDRState(NamedTuple):
    """State of an SDR search.

    Attributes
    ----------
    record : SearchStats
        Bounds, random key and the best so far.
    centre : array, shape (d,)
        Where the next generation is drawn.
    momentum : array, shape (d,)
        Decayed sum of gradients.
    """

    record: SearchStats
    centre: jax.Array
    momentum: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class SDR(CompiledSearch):
    """Stochastic delta rule: steps of random length down the sign of a gradient with momentum.

    ``m <- momentum m + gradient``, then ``centre <- centre - step decay^generation |xi| sign(m)``,
    where xi is a normal number for each parameter.

    A generation is the centre and `n_pairs` pairs of probes around it. Gradients are used if given;
    else they are estimated from the pairs.

    Parameters
    ----------
    step : float
        Length of a step at the start, a share of a parameter's range.
    momentum : float
        Share of the past in m, in [0, 1).
    decay : float
        Factor on the length of steps from one generation to the next.
    spread : float
        Longest distance of a probe from the centre, a share of a parameter's range.
    n_pairs : int
        Pairs of probes in a generation; 0 needs gradients.

    Notes
    -----
    Deviations from the authors' code:

    - |xi|, since xi of either sign makes the direction of a step random, whatever the gradient.
    - No smoothing of xi over neighbouring parameters, since their order means nothing.
    - The step decays, as the noise does in [2]_, since steps of one length never settle.

    References
    ----------
    .. [1] Nejat, Sherfey & Bastos (2026), PLOS One (SDR).
    .. [2] Hanson (1990), Physica D 42:265-272.

    Examples
    --------
    >>> import jax
    >>> from jtfne.optimizers import SDR
    >>> search = SDR(step=0.1, n_pairs=0)  # with gradients, no probes
    >>> state = search.init(jax.random.key(0), lower=[0.0], upper=[1.0], start=[0.5])
    >>> candidates, state = search.ask(state)
    >>> state = search.tell(state, candidates, scores=[1.0], gradients=[[2.0]])
    >>> bool(state.centre[0] < 0.5)
    True
    """

    step: jax.Array | float = 0.05
    momentum: jax.Array | float = 0.9
    decay: jax.Array | float = 0.98
    spread: jax.Array | float = 0.2
    n_pairs: int = dataclasses.field(default=4, metadata={"static": True})

    STATE: ClassVar[type] = SDRState
    traceable: ClassVar[bool] = True
    needs_gradients: ClassVar[bool] = False
    LIMITS: ClassVar[dict[str, Limit]] = {
        "step": Limit(low=0.0, high=1.0, open_low=True),
        "momentum": Limit(low=0.0, high=1.0, open_high=True),
        "decay": Limit(low=0.0, high=1.0, open_low=True),
        "spread": POSITIVE,
        "n_pairs": NOT_NEGATIVE,
    }

    def n_candidates(self, d: int) -> int:
        """The centre and its pairs."""
        return 1 + 2 * self.n_pairs

    def init(self, key: jax.Array, lower: Any, upper: Any, start: Any = None) -> SDRState:
        """The state at the start; see `Optimizer.init`."""
        record = init_stats(self, key, lower, upper, start)
        return SDRState(record, record.best_x, jnp.zeros_like(record.best_x))

    def _ask(self, state: SDRState) -> tuple[jax.Array, SDRState]:
        """The centre, and pairs of probes around it: (1 + 2 n_pairs, d)."""
        return antithetic_pairs(state.record, state.centre, self.spread, self.n_pairs), state

    def _tell(
        self, state: SDRState, candidates: Any, scores: Any, gradients: Any, *more: Any
    ) -> SDRState:
        """The state after a step down the slope; see `Optimizer.tell`."""
        record = update_stats(state.record, candidates, scores)
        gradient = estimate_gradient(record, candidates, scores, gradients, "SDR.tell")
        momentum = self.momentum * state.momentum + gradient
        length = self.step * jnp.asarray(self.decay, gradient.dtype) ** state.record.generation
        change = jnp.clip(length * jnp.abs(record.normal("step", 1)[0]), 0.0, 1.0) * jnp.sign(
            momentum
        )
        return SDRState(record, record.inside(state.centre - record.width * change), momentum)
