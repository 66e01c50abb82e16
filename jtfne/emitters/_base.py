"""What every emitter offers: a state, one step, and the currents that the step stood for."""

from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp


class SynapticInput(NamedTuple):
    """Exponential currents as they stand at the start of a step; each decays within it.

    i_pA: (n_receptors, n_cells), inward positive. tau_ms: (n_receptors,).
    """

    i_pA: jax.Array
    tau_ms: jax.Array

    def mean_pA(self, dt_ms: jax.Array | float) -> jax.Array:
        """Exact mean over the step, summed over receptors: (n_cells,)."""
        share = -self.tau_ms / dt_ms * jnp.expm1(-dt_ms / self.tau_ms)
        total = jnp.zeros(self.i_pA.shape[1])
        for r in range(self.tau_ms.shape[0]):  # spelled out: fuses into the step, a matrix product does not
            total = total + share[r] * self.i_pA[r]
        return total


class Balance(NamedTuple):
    """Mean membrane currents over one step, each (n_cells,) pA, outward positive; they sum to zero."""

    capacitive: jax.Array
    ionic: jax.Array
    synaptic: jax.Array
    external: jax.Array


class Emitter(Protocol):
    """A cell model: pure maps on arrays, whose parameters broadcast to (n_cells,).

    order: order of the scheme in dt, for a noiseless trace. input_unit: unit of drive, noise and
    stimulus amplitudes. input_pA: what one such unit is in pA.
    """

    order: ClassVar[int]
    input_unit: ClassVar[str]

    @property
    def input_pA(self) -> jax.Array | float:
        """Current in pA that one input unit stands for."""
        ...

    def init(self, uniform: jax.Array) -> Any:
        """The state at the start, spread by `uniform` (n_cells,) in [0, 1); zero is the reset state."""
        ...

    def step(self, state: Any, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float) -> tuple[Any, jax.Array]:
        """Advance by dt under `i_pA` (n_cells,), constant over dt, and `syn`; also who spiked, bool (n_cells,)."""
        ...

    def balance(
        self, before: Any, after: Any, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> Balance:
        """The mean currents of the step that led from `before` to `after`."""
        ...
