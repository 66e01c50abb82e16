"""Generalised leaky integrate-and-fire emitters: GLIF1 to GLIF3 of the Allen Institute.

Source: Teeter et al. (2018), Nat. Commun. 9:709. Defaults are one cell of the Allen Cell Types
Database, as in the `glif_psc` model of NEST 3; the decay rates given there are 1/tau here.
"""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit
from jtfne._grid import steps_up
from jtfne._tree import register
from jtfne.emitters._base import Balance, Emitter, SynapticInput, normalized_distance
from jtfne.emitters.lif import LIF, LIFState, balance_with_current, exponential_decay, free_jumps_pA

# refractory_steps of a cell that has not spiked yet: zero is the step after a refractory time
NEVER = -1.0


class GLIF2State(NamedTuple):
    """LIFState with th_mV (n_cells,), by how much past spikes have raised the threshold."""

    v_mV: jax.Array
    refractory_steps: jax.Array
    th_mV: jax.Array


class GLIF3State(NamedTuple):
    """LIFState with the after-spike currents i_1_pA and i_2_pA (n_cells,), inward positive."""

    v_mV: jax.Array
    refractory_steps: jax.Array
    i_1_pA: jax.Array
    i_2_pA: jax.Array


def _initial_state(v_mV: jax.Array) -> LIFState:
    """The state of cells at `v_mV` (n_cells,), none of which has spiked."""
    return LIFState(v_mV, jnp.full_like(v_mV, NEVER))


def _add_after_refractory(
    x: jax.Array, increment: jax.Array | float, refractory_steps: jax.Array
) -> jax.Array:
    """`x`, plus `increment` where the refractory time has just ended."""
    return jnp.where(jnp.abs(refractory_steps) < 0.5, x + increment, x)


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class GLIF1(Emitter):
    """A `LIF` in the terms of GLIF models: C dv/dt = -g (v - e_l) + i; spike and reset at v_th.

    >>> GLIF1(g_nS=5.0).input_pA
    1.0
    """

    c_m_pF: jax.Array | float = 58.72
    g_nS: jax.Array | float = 9.43
    e_l_mV: jax.Array | float = -78.85
    v_th_mV: jax.Array | float = -51.68
    v_reset_mV: jax.Array | float = -78.85
    t_ref_ms: jax.Array | float = 3.75

    order: ClassVar[int] = 1  # exact between spikes; spike times are rounded up to the grid
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {
        "c_m_pF": POSITIVE,
        "g_nS": POSITIVE,
        "e_l_mV": FINITE,
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
        return self.at_potential(self.v_reset_mV + uniform * (self.v_th_mV - self.v_reset_mV))

    def at_potential(self, v_mV: jax.Array) -> LIFState:
        """The state of cells at `v_mV` (n_cells,), none of which has spiked."""
        return _initial_state(v_mV)

    def step(
        self, state: LIFState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[LIFState, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,)."""
        return self._membrane().step(state, i_pA, syn, dt_ms)

    def threshold_distance(self, before: LIFState, after: LIFState) -> jax.Array:
        """Distance of v above threshold in units of threshold - rest; >= 0 is a spike."""
        return normalized_distance(after.v_mV, self.v_th_mV, self.e_l_mV, self.v_reset_mV)

    def balance(
        self,
        before: LIFState,
        after: LIFState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step; the clamp of a refractory cell counts as ionic."""
        return self._membrane().balance(before, after, i_pA, syn, dt_ms)

    def jumped_pA(
        self, before: LIFState, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """Mean current of each jump of the step, (n_jumps, n_cells), inward; 0 if refractory."""
        return free_jumps_pA(before.refractory_steps, self.c_m_pF, syn, dt_ms)

    def _membrane(self) -> LIF:
        """The same cell as a LIF, by its time constant."""
        return LIF(
            c_m_pF=self.c_m_pF,
            tau_m_ms=self.c_m_pF / self.g_nS,
            v_rest_mV=self.e_l_mV,
            v_th_mV=self.v_th_mV,
            v_reset_mV=self.v_reset_mV,
            t_ref_ms=self.t_ref_ms,
        )


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class GLIF2(Emitter):
    """GLIF1 (LIF-R) with th' = -th/tau_th, spikes at v_th + th, reset v <- e_l + f (v - e_l) + add.

    The v of the rule is that of the spike; f is `reset_fraction`, add `reset_add_mV`. When t_ref is
    over, th grows by th_add; it decays all the while. A reset that leaves v above threshold makes
    the cell fire again when t_ref is over, not before.

    >>> round(GLIF2().reset_mV, 3)
    -54.906
    """

    c_m_pF: jax.Array | float = 58.72
    g_nS: jax.Array | float = 9.43
    e_l_mV: jax.Array | float = -78.85
    v_th_mV: jax.Array | float = -51.68
    t_ref_ms: jax.Array | float = 3.75
    reset_fraction: jax.Array | float = 0.2
    reset_add_mV: jax.Array | float = 18.51
    th_add_mV: jax.Array | float = 0.37
    tau_th_ms: jax.Array | float = 111.1

    order: ClassVar[int] = 1  # exact between spikes; spike times are rounded up to the grid
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {
        "c_m_pF": POSITIVE,
        "g_nS": POSITIVE,
        "e_l_mV": FINITE,
        "v_th_mV": FINITE,
        "t_ref_ms": NOT_NEGATIVE,
        "reset_fraction": Limit(0.0, 1.0),
        "reset_add_mV": FINITE,
        "th_add_mV": NOT_NEGATIVE,
        "tau_th_ms": POSITIVE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("reset_mV", "v_th_mV"), ("e_l_mV", "v_th_mV"))

    @property
    def input_pA(self) -> float:
        """Inputs are in pA already."""
        return 1.0

    @property
    def reset_mV(self) -> jax.Array | float:
        """Where a spike at v_th is reset to."""
        return self.e_l_mV + self.reset_fraction * (self.v_th_mV - self.e_l_mV) + self.reset_add_mV

    def init(self, uniform: jax.Array) -> GLIF2State:
        """Between e_l and threshold, by `uniform` (n_cells,) in [0, 1); none has spiked."""
        return self.at_potential(self.e_l_mV + uniform * (self.v_th_mV - self.e_l_mV))

    def at_potential(self, v_mV: jax.Array) -> GLIF2State:
        """The state of cells at `v_mV` (n_cells,), none of which has spiked."""
        return GLIF2State(*_initial_state(v_mV), jnp.zeros_like(v_mV))

    def step(
        self, state: GLIF2State, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[GLIF2State, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,)."""
        start = self._start(state, dt_ms)
        th_mV = exponential_decay(
            _add_after_refractory(state.th_mV, self.th_add_mV, state.refractory_steps),
            self.tau_th_ms,
            dt_ms,
        )[0]
        # A refractory cell may stand above threshold, and must not fire.
        reached_mV = jnp.where(start.refractory_steps > 0.5, jnp.inf, th_mV)
        membrane_state, spikes = self._membrane(start, reached_mV).step(start, i_pA, syn, dt_ms)
        return GLIF2State(*membrane_state, th_mV), spikes

    def threshold_distance(self, before: GLIF2State, after: GLIF2State) -> jax.Array:
        """Distance of v above threshold in units of threshold - rest; >= 0 is a spike.

        That of a refractory cell, whose v may stand above threshold, is no more than that of rest.
        """
        distance = normalized_distance(
            after.v_mV - after.th_mV, self.v_th_mV, self.e_l_mV, self.reset_mV
        )
        return jnp.where(before.refractory_steps > 0.5, jnp.minimum(distance, -1.0), distance)

    def balance(
        self,
        before: GLIF2State,
        after: GLIF2State,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step; the clamp of a refractory cell counts as ionic."""
        start, end = self._start(before, dt_ms), LIFState(after.v_mV, after.refractory_steps)
        return self._membrane(start, after.th_mV).balance(start, end, i_pA, syn, dt_ms)

    def jumped_pA(
        self, before: GLIF2State, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """Mean current of each jump of the step, (n_jumps, n_cells), inward; 0 if refractory."""
        return free_jumps_pA(before.refractory_steps, self.c_m_pF, syn, dt_ms)

    def _start(self, state: GLIF2State, dt_ms: jax.Array | float) -> LIFState:
        """The membrane at the start of this step: reset where the last one ended in a spike."""
        # A refractory cell may be above threshold; only after a spike is all of t_ref left.
        is_newly_refractory = state.refractory_steps > steps_up(self.t_ref_ms, dt_ms, jnp) - 0.5
        has_spiked = is_newly_refractory & (state.v_mV >= self.v_th_mV + state.th_mV)
        reset_mV = (
            self.e_l_mV + self.reset_fraction * (state.v_mV - self.e_l_mV) + self.reset_add_mV
        )
        return LIFState(jnp.where(has_spiked, reset_mV, state.v_mV), state.refractory_steps)

    def _membrane(self, start: LIFState, th_mV: jax.Array) -> LIF:
        """The membrane in this step, which is reset already."""
        return LIF(
            c_m_pF=self.c_m_pF,
            tau_m_ms=self.c_m_pF / self.g_nS,
            v_rest_mV=self.e_l_mV,
            v_th_mV=self.v_th_mV + th_mV,
            v_reset_mV=start.v_mV,
            t_ref_ms=self.t_ref_ms,
        )


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class GLIF3(Emitter):
    """GLIF1 (LIF-ASC) with after-spike currents.

    C dv/dt = -g (v - e_l) + i_1 + i_2 + i, i_k' = -i_k/tau_k.
    When t_ref is over, i_k grows by amp_k (inward positive); it decays all the while. Each step
    holds i_k at its exact mean, so that the membrane is off by the square of dt.

    >>> GLIF3().amp_2_pA
    -198.94
    """

    c_m_pF: jax.Array | float = 58.72
    g_nS: jax.Array | float = 9.43
    e_l_mV: jax.Array | float = -78.85
    v_th_mV: jax.Array | float = -51.68
    v_reset_mV: jax.Array | float = -78.85
    t_ref_ms: jax.Array | float = 3.75
    amp_1_pA: jax.Array | float = -9.18
    amp_2_pA: jax.Array | float = -198.94
    tau_1_ms: jax.Array | float = 333.3
    tau_2_ms: jax.Array | float = 10.0

    order: ClassVar[int] = 1  # 2 between spikes; spike times are rounded up to the grid
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {
        **GLIF1.LIMITS,
        "amp_1_pA": FINITE,
        "amp_2_pA": FINITE,
        "tau_1_ms": POSITIVE,
        "tau_2_ms": POSITIVE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("v_reset_mV", "v_th_mV"),)

    @property
    def input_pA(self) -> float:
        """Inputs are in pA already."""
        return 1.0

    def init(self, uniform: jax.Array) -> GLIF3State:
        """Between reset and threshold, by `uniform` (n_cells,) in [0, 1); none has spiked."""
        return self.at_potential(self.v_reset_mV + uniform * (self.v_th_mV - self.v_reset_mV))

    def at_potential(self, v_mV: jax.Array) -> GLIF3State:
        """The state of cells at `v_mV` (n_cells,), none of which has spiked."""
        return GLIF3State(*_initial_state(v_mV), jnp.zeros_like(v_mV), jnp.zeros_like(v_mV))

    def step(
        self, state: GLIF3State, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[GLIF3State, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,)."""
        (i_1_pA, mean_1_pA), (i_2_pA, mean_2_pA) = self._after_spike(state, dt_ms)
        start = LIFState(state.v_mV, state.refractory_steps)
        membrane_state, spikes = self._membrane().step(
            start, i_pA + mean_1_pA + mean_2_pA, syn, dt_ms
        )
        return GLIF3State(*membrane_state, i_1_pA, i_2_pA), spikes

    def threshold_distance(self, before: GLIF3State, after: GLIF3State) -> jax.Array:
        """Distance of v above threshold in units of threshold - rest; >= 0 is a spike."""
        return normalized_distance(after.v_mV, self.v_th_mV, self.e_l_mV, self.v_reset_mV)

    def balance(
        self,
        before: GLIF3State,
        after: GLIF3State,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step; the after-spike currents count as ionic."""
        (_, mean_1_pA), (_, mean_2_pA) = self._after_spike(before, dt_ms)
        start, end = (LIFState(state.v_mV, state.refractory_steps) for state in (before, after))
        return balance_with_current(
            self._membrane(), start, end, i_pA, mean_1_pA + mean_2_pA, syn, dt_ms
        )

    def jumped_pA(
        self, before: GLIF3State, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """Mean current of each jump of the step, (n_jumps, n_cells), inward; 0 if refractory."""
        return free_jumps_pA(before.refractory_steps, self.c_m_pF, syn, dt_ms)

    def _after_spike(
        self, state: GLIF3State, dt_ms: jax.Array | float
    ) -> tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]:
        """Each after-spike current at the end of this step, and its mean over the step."""
        i_1_pA = _add_after_refractory(state.i_1_pA, self.amp_1_pA, state.refractory_steps)
        i_2_pA = _add_after_refractory(state.i_2_pA, self.amp_2_pA, state.refractory_steps)
        return exponential_decay(i_1_pA, self.tau_1_ms, dt_ms), exponential_decay(
            i_2_pA, self.tau_2_ms, dt_ms
        )

    def _membrane(self) -> LIF:
        """The membrane without after-spike currents."""
        return LIF(
            c_m_pF=self.c_m_pF,
            tau_m_ms=self.c_m_pF / self.g_nS,
            v_rest_mV=self.e_l_mV,
            v_th_mV=self.v_th_mV,
            v_reset_mV=self.v_reset_mV,
            t_ref_ms=self.t_ref_ms,
        )
