"""Sources of spikes: cells without a membrane, which only send."""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import NOT_NEGATIVE, Limit
from jtfne._tree import register
from jtfne.emitters._base import Balance, SynapticInput


class PoissonSourceState(NamedTuple):
    """v_mV, 0 throughout; seed of a generator of its own and ticks, the steps so far, uint32; each (n_cells,)."""

    v_mV: jax.Array
    seed: jax.Array
    ticks: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class PoissonSource:
    """Spikes at random: in each step one with probability 1 - exp(-rate dt), independent of all others.

    At most one spike a step: the steps in which a Poisson process has any. Each cell hashes a counter, so that its
    spikes depend on the seed of the run, on the rate and on dt. Without a membrane: v is 0, no current flows, and a
    connection, stimulus, drive or noise onto it is refused.
    Source: Salmon et al. (2011), SC '11, 16:1-12 (random numbers by hashing a counter).

    >>> PoissonSource(rate_Hz=8.0).receives
    False
    """

    rate_Hz: jax.Array | float = 8.0

    order: ClassVar[int] = 1  # a spike is told at the end of its step
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = False
    receives: ClassVar[bool] = False
    LIMITS: ClassVar[dict[str, Limit]] = {"rate_Hz": NOT_NEGATIVE}
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = ()

    @property
    def input_pA(self) -> float:
        """1: the unit of an input that it never gets."""
        return 1.0

    def init(self, uniform: jax.Array) -> PoissonSourceState:
        """Generators that all differ, by the place of each cell and by all of `uniform` (n_cells,) in [0, 1)."""
        drawn = (uniform * 2.0**24).astype(jnp.uint32)
        place = jnp.arange(uniform.shape[0], dtype=jnp.uint32)
        seed = _mixed(_mixed(jnp.sum(drawn, dtype=jnp.uint32)) ^ _mixed(place))
        return PoissonSourceState(jnp.zeros_like(uniform), seed, jnp.zeros_like(place))

    def step(
        self, state: PoissonSourceState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[PoissonSourceState, jax.Array]:
        """Advance by dt; also who spiked, bool (n_cells,). `i_pA` and `syn` do nothing."""
        word = _mixed(state.seed ^ _mixed(state.ticks))
        drawn = (word >> 8).astype(jnp.int32).astype(state.v_mV.dtype) * 2.0**-24
        spikes = drawn < -jnp.expm1(-1e-3 * self.rate_Hz * dt_ms)
        return state._replace(ticks=state.ticks + jnp.uint32(1)), spikes

    def balance(
        self,
        before: PoissonSourceState,
        after: PoissonSourceState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """No currents."""
        return _no_currents(after.v_mV)


def _no_currents(v_mV: jax.Array) -> Balance:
    """The balance of cells without a membrane."""
    none = jnp.zeros_like(v_mV)
    return Balance(none, none, none, none)


def _mixed(word: jax.Array) -> jax.Array:
    """A bijection of 32 bits in which each bit of the result hangs on each given one: the finalizer of MurmurHash3."""
    word = (word ^ (word >> 16)) * jnp.uint32(0x85EBCA6B)
    word = (word ^ (word >> 13)) * jnp.uint32(0xC2B2AE35)
    return word ^ (word >> 16)
