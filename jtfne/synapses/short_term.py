"""Short-term plasticity of a connection: depression and facilitation, exact at every spike."""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import NOT_NEGATIVE, POSITIVE, Limit
from jtfne._tree import register


class ShortTermState(NamedTuple):
    """u and spent = 1 - x of every source, recovered since its last spike: (n_sources,) each."""

    u: jax.Array
    spent: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class ShortTerm:
    """Short-term depression and facilitation: a spike uses a share u of the resources x.

    dx/dt = (1 - x)/tau_rec - u x delta(t - t_sp), du/dt = -u/tau_facil + U (1 - u) delta(t - t_sp).

    At a spike u rises first, then u x of the resources are released: the spike counts u x times its
    weight, the first one after rest U times. Every source has a u and an x for each connection,
    since its synapses there share their past. u: the release U of a rested synapse. tau_facil_ms: 0
    for none, so that u = U always. Source: Tsodyks, Pawelzik & Markram (1998), Neural Comput.
    10:821-835; without facilitation Tsodyks & Markram (1997), PNAS 94:719-723.

    >>> rule = ShortTerm(u=0.5, tau_rec_ms=800.0)
    >>> state, first = rule.step(rule.start(1, jnp.float32), jnp.ones(1, bool), 0.1)
    >>> first.tolist()
    [0.5]
    """

    u: jax.Array | float
    tau_rec_ms: jax.Array | float
    tau_facil_ms: jax.Array | float = 0.0

    LIMITS: ClassVar[dict[str, Limit]] = {
        "u": Limit(0.0, 1.0, open_low=True),
        "tau_rec_ms": POSITIVE,
        "tau_facil_ms": NOT_NEGATIVE,
    }

    def start(self, n_sources: int, dtype: jnp.dtype) -> ShortTermState:
        """All at rest: x = 1, u = 0 until the first spike."""
        return ShortTermState(jnp.zeros(n_sources, dtype), jnp.zeros(n_sources, dtype))

    def step(
        self, state: ShortTermState, spiked: jax.Array, dt_ms: jax.Array | float
    ) -> tuple[ShortTermState, jax.Array]:
        """The state after dt, and the release u x of a spike at its end: (n_sources,).

        spiked: bool (n_sources,), which sources spike at the end of dt.
        """
        facilitates = self.tau_facil_ms > jnp.zeros((), state.u.dtype)
        u_decay = jnp.where(
            facilitates, jnp.exp(-dt_ms / jnp.where(facilitates, self.tau_facil_ms, 1.0)), 0.0
        )
        u, spent = state.u * u_decay, state.spent * jnp.exp(-dt_ms / self.tau_rec_ms)
        u_at_spike = u + self.u * (1.0 - u)
        release = u_at_spike * (1.0 - spent)
        new_state = ShortTermState(
            jnp.where(spiked, u_at_spike, u), jnp.where(spiked, spent + release, spent)
        )
        return jax.tree.map(
            lambda value, reference: value.astype(reference.dtype), new_state, state
        ), release.astype(state.u.dtype)
