"""Leaky integrate-and-fire emitter, stepped by its exact propagator."""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit
from jtfne.emitters._base import Balance, SynapticInput


class LIFState(NamedTuple):
    """v_mV (n_cells,), before reset where a cell just spiked; hold_steps (n_cells,), refractory steps left."""

    v_mV: jax.Array
    hold_steps: jax.Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class LIF:
    """C dv/dt = -(C/tau) (v - v_rest) + i; at threshold: spike, reset, hold for t_ref.

    Linear below threshold, so the step is exact for a constant current and for exponential synapses.
    Defaults are the cell of Potjans & Diesmann (2014), Cereb. Cortex 24:785-806, Table 5.
    Source: Rotter & Diesmann (1999), Biol. Cybern. 81:381-402 (exact integration).

    >>> LIF(tau_m_ms=20.0).input_pA
    1.0
    """

    c_m_pF: jax.Array | float = 250.0
    tau_m_ms: jax.Array | float = 10.0
    v_rest_mV: jax.Array | float = -65.0
    v_th_mV: jax.Array | float = -50.0
    v_reset_mV: jax.Array | float = -65.0
    t_ref_ms: jax.Array | float = 2.0

    order: ClassVar[int] = 1  # exact between spikes; spike times are rounded up to the grid
    input_unit: ClassVar[str] = "pA"
    LIMITS: ClassVar[dict[str, Limit]] = {
        "c_m_pF": POSITIVE,
        "tau_m_ms": POSITIVE,
        "v_rest_mV": FINITE,
        "v_th_mV": FINITE,
        "v_reset_mV": FINITE,
        "t_ref_ms": NOT_NEGATIVE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("v_reset_mV", "v_th_mV"),)

    @property
    def input_pA(self) -> float:
        """Inputs are in pA already."""
        return 1.0

    def init(self, uniform: jax.Array) -> LIFState:
        """Between reset and threshold, by `uniform` (n_cells,) in [0, 1); none refractory."""
        v_mV = self.v_reset_mV + uniform * (self.v_th_mV - self.v_reset_mV)
        return LIFState(v_mV=v_mV, hold_steps=jnp.zeros_like(v_mV))

    def step(
        self, state: LIFState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[LIFState, jax.Array]:
        """Advance under `i_pA` (n_cells,), constant over dt, and `syn`; also who spiked, bool (n_cells,)."""
        leak = jnp.exp(-dt_ms / self.tau_m_ms)
        start_mV = self._start_mV(state)
        free_mV = self.v_rest_mV + (start_mV - self.v_rest_mV) * leak + i_pA * self._gain_dc(dt_ms)
        for r in range(syn.tau_ms.shape[0]):
            free_mV = free_mV + self._gain_syn(syn.tau_ms[r], dt_ms) * syn.i_pA[r]
        v_mV = jnp.where(state.hold_steps > 0.5, start_mV, free_mV)
        spikes = v_mV >= self.v_th_mV
        hold = jnp.where(spikes, jnp.round(self.t_ref_ms / dt_ms), state.hold_steps - 1.0)
        return LIFState(v_mV, hold.astype(v_mV.dtype)), spikes

    def balance(
        self, before: LIFState, after: LIFState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> Balance:
        """Mean currents of the step; the clamp of a refractory cell counts as ionic."""
        start_mV = self._start_mV(before)
        capacitive = self.c_m_pF * (after.v_mV - start_mV) / dt_ms
        mean_mV = (start_mV - self.v_rest_mV) * -jnp.expm1(-dt_ms / self.tau_m_ms) * self.tau_m_ms / dt_ms
        mean_mV = mean_mV + i_pA * self.tau_m_ms / self.c_m_pF * (1.0 - self._gain_dc(dt_ms) * self.c_m_pF / dt_ms)
        for r in range(syn.tau_ms.shape[0]):
            charge = -syn.tau_ms[r] * jnp.expm1(-dt_ms / syn.tau_ms[r]) / self.c_m_pF
            mean_mV = mean_mV + self.tau_m_ms * (charge - self._gain_syn(syn.tau_ms[r], dt_ms)) * syn.i_pA[r] / dt_ms
        synaptic = -syn.mean_pA(dt_ms)
        held = before.hold_steps > 0.5
        ionic = jnp.where(held, i_pA - synaptic, self.c_m_pF / self.tau_m_ms * mean_mV)
        return Balance(capacitive, ionic, synaptic, -i_pA + jnp.zeros_like(capacitive))

    def _start_mV(self, state: LIFState) -> jax.Array:
        """Where this step starts: at reset, if the last one ended in a spike or the cell is held."""
        return jnp.where(state.v_mV >= self.v_th_mV, self.v_reset_mV, state.v_mV)

    def _gain_dc(self, dt_ms: jax.Array | float) -> jax.Array:
        """mV per pA held over dt: (tau/C) (1 - exp(-dt/tau))."""
        return -self.tau_m_ms / self.c_m_pF * jnp.expm1(-dt_ms / self.tau_m_ms)

    def _gain_syn(self, tau_ms: jax.Array, dt_ms: jax.Array | float) -> jax.Array:
        """mV per pA of a current that decays with tau_ms, after dt; smooth and finite for any tau_ms."""
        x = dt_ms * jnp.abs(1.0 / tau_ms - 1.0 / self.tau_m_ms)
        near = x < 1e-4
        ratio = jnp.where(near, 1.0 - 0.5 * x, -jnp.expm1(-x) / jnp.where(near, 1.0, x))
        return dt_ms / self.c_m_pF * jnp.exp(-dt_ms / jnp.maximum(tau_ms, self.tau_m_ms)) * ratio
