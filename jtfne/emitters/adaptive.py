"""Leaky integrate-and-fire with spike-triggered adaptation: a current, a threshold, or both."""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.emitters._base import Balance, Emitter, SynapticInput, normalized_distance
from jtfne.emitters.lif import LIF, LIFState, balance_with_current, exponential_decay, free_jumps_pA


class AdaptiveLIFState(NamedTuple):
    """LIFState with w_pA and th_mV (n_cells,), each before its jump where a cell just spiked."""

    v_mV: jax.Array
    refractory_steps: jax.Array
    w_pA: jax.Array
    th_mV: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class AdaptiveLIF(Emitter):
    """A LIF with a spike-triggered current, a moving threshold, or both.

    C dv/dt = -(C/tau) (v - v_rest) - w + i, w' = -w/tau_w, th' = -th/tau_th; spikes at v_th + th.

    At a spike w grows by b and th by th_add, and the cell is reset and refractory as `LIF`. Each
    step holds w at its exact mean, so that the membrane is off by the square of dt.
    Defaults: membrane of Potjans & Diesmann (2014), Cereb. Cortex 24:785-806, Table 5; b and tau_w
    of Brette & Gerstner (2005), J. Neurophysiol. 94:3637-3642; threshold fixed (th_add 0), tau_th
    that of `GLIF2`. Source: Treves (1993), Network 4:259-284 (current); Chacron, Pakdaman & Longtin
    (2003), Neural Comput. 15:253-278 (threshold).

    >>> AdaptiveLIF(b_pA=40.0).th_add_mV
    0.0
    """

    c_m_pF: jax.Array | float = 250.0
    tau_m_ms: jax.Array | float = 10.0
    v_rest_mV: jax.Array | float = -65.0
    v_th_mV: jax.Array | float = -50.0
    v_reset_mV: jax.Array | float = -65.0
    t_ref_ms: jax.Array | float = 2.0
    b_pA: jax.Array | float = 80.5
    tau_w_ms: jax.Array | float = 144.0
    th_add_mV: jax.Array | float = 0.0
    tau_th_ms: jax.Array | float = 111.1

    order: ClassVar[int] = 1  # 2 between spikes; spike times are rounded up to the grid
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {
        "c_m_pF": POSITIVE,
        "tau_m_ms": POSITIVE,
        "v_rest_mV": FINITE,
        "v_th_mV": FINITE,
        "v_reset_mV": FINITE,
        "t_ref_ms": NOT_NEGATIVE,
        "b_pA": FINITE,
        "tau_w_ms": POSITIVE,
        "th_add_mV": NOT_NEGATIVE,
        "tau_th_ms": POSITIVE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("v_reset_mV", "v_th_mV"),)

    @property
    def input_pA(self) -> float:
        """Inputs are in pA already."""
        return 1.0

    def init(self, uniform: jax.Array) -> AdaptiveLIFState:
        """The state of cells between reset and threshold, by `uniform` (n_cells,); not adapted."""
        return self.at_potential(self.v_reset_mV + uniform * (self.v_th_mV - self.v_reset_mV))

    def at_potential(self, v_mV: jax.Array) -> AdaptiveLIFState:
        """The state of cells at `v_mV` (n_cells,), not adapted, none refractory."""
        return AdaptiveLIFState(
            v_mV, jnp.zeros_like(v_mV), jnp.zeros_like(v_mV), jnp.zeros_like(v_mV)
        )

    def step(
        self, state: AdaptiveLIFState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[AdaptiveLIFState, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,)."""
        start, w_pA, th_mV = self._start(state)
        w_end_pA, mean_pA = exponential_decay(w_pA, self.tau_w_ms, dt_ms)
        th_mV = exponential_decay(th_mV, self.tau_th_ms, dt_ms)[0]
        membrane_state, spikes = self._membrane(start, self.v_th_mV + th_mV).step(
            start, i_pA - mean_pA, syn, dt_ms
        )
        return AdaptiveLIFState(*membrane_state, w_end_pA, th_mV), spikes

    def threshold_distance(self, before: AdaptiveLIFState, after: AdaptiveLIFState) -> jax.Array:
        """Distance of v above threshold in units of threshold - rest; >= 0 is a spike."""
        return normalized_distance(
            after.v_mV - after.th_mV, self.v_th_mV, self.v_rest_mV, self.v_reset_mV
        )

    def balance(
        self,
        before: AdaptiveLIFState,
        after: AdaptiveLIFState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step; the adaptation current counts as ionic."""
        start, w_pA, _ = self._start(before)
        end, membrane = (
            LIFState(after.v_mV, after.refractory_steps),
            self._membrane(start, self.v_th_mV + after.th_mV),
        )
        return balance_with_current(
            membrane,
            start,
            end,
            i_pA,
            -exponential_decay(w_pA, self.tau_w_ms, dt_ms)[1],
            syn,
            dt_ms,
        )

    def jumped_pA(
        self, before: AdaptiveLIFState, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """Mean current of each jump of the step, (n_jumps, n_cells), inward; 0 if refractory."""
        return free_jumps_pA(before.refractory_steps, self.c_m_pF, syn, dt_ms)

    def _start(self, state: AdaptiveLIFState) -> tuple[LIFState, jax.Array, jax.Array]:
        """Membrane, w and th at the start of this step: reset and adapted after a spike."""
        has_spiked = state.v_mV >= self.v_th_mV + state.th_mV
        v_mV = jnp.where(has_spiked, self.v_reset_mV, state.v_mV)
        w_pA = jnp.where(has_spiked, state.w_pA + self.b_pA, state.w_pA)
        return (
            LIFState(v_mV, state.refractory_steps),
            w_pA,
            jnp.where(has_spiked, state.th_mV + self.th_add_mV, state.th_mV),
        )

    def _membrane(self, start: LIFState, v_th_mV: jax.Array) -> LIF:
        """The membrane without adaptation, which is reset already."""
        return LIF(
            c_m_pF=self.c_m_pF,
            tau_m_ms=self.tau_m_ms,
            v_rest_mV=self.v_rest_mV,
            v_th_mV=v_th_mV,
            v_reset_mV=start.v_mV,
            t_ref_ms=self.t_ref_ms,
        )
