"""Leaky integrate-and-fire emitter, stepped by its exact propagator."""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit
from jtfne._grid import steps_up
from jtfne._tree import register
from jtfne.emitters._base import Balance, Emitter, SynapticInput, normalized_distance, ramp_mean


class LIFState(NamedTuple):
    """State of a LIF: potential and refractory time.

    v_mV: (n_cells,), before reset where a cell just spiked. refractory_steps: (n_cells,), the steps
    that are left of the refractory time; a cell is refractory while there is more than half a one.
    """

    v_mV: jax.Array
    refractory_steps: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class LIF(Emitter):
    """Leaky integrate-and-fire: C dv/dt = -(C/tau) (v - v_rest) + i; spike and reset at v_th.

    Parameters
    ----------
    c_m_pF : float
        C, the capacitance of the membrane.
    tau_m_ms : float
        tau, its time constant.
    v_rest_mV : float
        Potential to which it leaks.
    v_th_mV : float
        Threshold: a cell spikes in the step at whose end v is at or above it.
    v_reset_mV : float
        Potential after a spike, below `v_th_mV`.
    t_ref_ms : float
        Refractory time after a spike, in which v stays at reset; rounded up to whole steps.

    Notes
    -----
    Linear below threshold, so the step is exact for a constant current and for every synapse that
    is a current. Spikes are at the end of the step in which v passes threshold, and so is the
    reset, as in NEST's `iaf` models: under a constant current an interval is up to one dt too long
    (at 0.1 ms and 85 Hz rates are low by 0.8 %). Defaults are the cell of Potjans & Diesmann
    (2014), Cereb. Cortex 24:785-806, Table 5. Source: Rotter & Diesmann (1999), Biol. Cybern.
    81:381-402 (exact integration).

    Examples
    --------
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
    differentiable: ClassVar[bool] = True
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
        """The state of cells between reset and threshold, by `uniform` (n_cells,) in [0, 1)."""
        return self.at_potential(self.v_reset_mV + uniform * (self.v_th_mV - self.v_reset_mV))

    def at_potential(self, v_mV: jax.Array) -> LIFState:
        """The state of cells at `v_mV` (n_cells,), none refractory."""
        return LIFState(v_mV=v_mV, refractory_steps=jnp.zeros_like(v_mV))

    def step(
        self, state: LIFState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[LIFState, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,)."""
        tau_ms, rest_mV = self._membrane(syn, dt_ms)
        leak = jnp.exp(-dt_ms / tau_ms)
        start_mV = self._start_mV(state)
        free_mV = rest_mV + (start_mV - rest_mV) * leak + i_pA * self._gain_dc(tau_ms, dt_ms)
        for r in range(syn.tau_ms.shape[0]):
            free_mV = free_mV + self._gain_syn(tau_ms, syn.tau_ms[r], dt_ms) * syn.i_pA[r]
        if syn.ramp_pA_per_ms is not None:
            for r in range(syn.n_ramps):
                free_mV = (
                    free_mV + self._gain_ramp(tau_ms, syn.tau_ms[r], dt_ms) * syn.ramp_pA_per_ms[r]
                )
        v_mV = jnp.where(state.refractory_steps > 0.5, start_mV, syn.jumped_mV(free_mV))
        # A refractory cell is at reset, below threshold: to mask it out as well would only cost a
        # copy of the array in each step.
        spikes = v_mV >= self.v_th_mV
        refractory_steps = jnp.where(
            spikes, steps_up(self.t_ref_ms, dt_ms, jnp), state.refractory_steps - 1.0
        )
        return LIFState(v_mV, refractory_steps.astype(v_mV.dtype)), spikes

    def threshold_distance(self, before: LIFState, after: LIFState) -> jax.Array:
        """Distance of v above threshold in units of threshold - rest; >= 0 is a spike."""
        return normalized_distance(after.v_mV, self.v_th_mV, self.v_rest_mV, self.v_reset_mV)

    def balance(
        self,
        before: LIFState,
        after: LIFState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step; the clamp of a refractory cell counts as ionic."""
        is_refractory = before.refractory_steps > 0.5
        start_mV = self._start_mV(before)
        capacitive = self.c_m_pF * (after.v_mV - start_mV) / dt_ms
        jump_pA = self.jumped_pA(before, syn, dt_ms).sum(0)
        mean_mV = self._mean_mV(start_mV, is_refractory, capacitive - jump_pA, i_pA, syn, dt_ms)
        synaptic = -syn.mean_at_pA(mean_mV + self.v_rest_mV, dt_ms) - jump_pA
        ionic = jnp.where(is_refractory, i_pA - synaptic, self.c_m_pF / self.tau_m_ms * mean_mV)
        return Balance(capacitive, ionic, synaptic, -i_pA + jnp.zeros_like(capacitive))

    def jumped_pA(
        self, before: LIFState, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """Mean current of each jump of the step, (n_jumps, n_cells), inward; 0 if refractory."""
        return free_jumps_pA(before.refractory_steps, self.c_m_pF, syn, dt_ms)

    def _mean_mV(
        self,
        start_mV: jax.Array,
        is_refractory: jax.Array,
        capacitive_pA: jax.Array,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> jax.Array:
        """Mean potential over the step, relative to v_rest_mV.

        With conductances it follows from the charge on the membrane, which needs no exponential per
        cell. Without, it is integrated from v(t), so that `balance` checks `step` independently.
        """
        tau_ms, rest_mV = self._membrane(syn, dt_ms)
        if syn.conductances is not None:  # a refractory cell does not follow its synapses
            driven_mV = (i_pA + syn.mean_pA(dt_ms) - capacitive_pA) * tau_ms / self.c_m_pF
            return jnp.where(is_refractory, start_mV, rest_mV + driven_mV) - self.v_rest_mV
        # here relative to rest_mV, which is v_rest_mV without conductances
        mean_mV = (start_mV - rest_mV) * -jnp.expm1(-dt_ms / tau_ms) * tau_ms / dt_ms
        mean_mV = mean_mV + i_pA * tau_ms / self.c_m_pF * (
            1.0 - self._gain_dc(tau_ms, dt_ms) * self.c_m_pF / dt_ms
        )
        for r in range(syn.tau_ms.shape[0]):
            charge = -syn.tau_ms[r] * jnp.expm1(-dt_ms / syn.tau_ms[r]) / self.c_m_pF
            gain = self._gain_syn(tau_ms, syn.tau_ms[r], dt_ms)
            mean_mV = mean_mV + tau_ms * (charge - gain) * syn.i_pA[r] / dt_ms
        if syn.ramp_pA_per_ms is not None:
            for r in range(syn.n_ramps):
                charge = dt_ms * dt_ms * ramp_mean(dt_ms / syn.tau_ms[r]) / self.c_m_pF
                gain = self._gain_ramp(tau_ms, syn.tau_ms[r], dt_ms)
                mean_mV = mean_mV + tau_ms * (charge - gain) * syn.ramp_pA_per_ms[r] / dt_ms
        return mean_mV

    def _membrane(
        self, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[jax.Array | float, jax.Array | float]:
        """Time constant and resting potential of the membrane, conductances included.

        Conductances are held at their means over the step.
        """
        if syn.conductances is None:
            return self.tau_m_ms, self.v_rest_mV
        g_nS, g_e_pA = syn.conductances.mean(dt_ms)
        leak_nS = self.c_m_pF / self.tau_m_ms
        return self.c_m_pF / (leak_nS + g_nS), (leak_nS * self.v_rest_mV + g_e_pA) / (
            leak_nS + g_nS
        )

    def _start_mV(self, state: LIFState) -> jax.Array:
        """The potential at which a step starts: reset where the last step ended in a spike."""
        return jnp.where(state.v_mV >= self.v_th_mV, self.v_reset_mV, state.v_mV)

    def _gain_dc(self, tau_ms: jax.Array | float, dt_ms: jax.Array | float) -> jax.Array:
        """mV per pA held over dt: (tau/C) (1 - exp(-dt/tau))."""
        return -tau_ms / self.c_m_pF * jnp.expm1(-dt_ms / tau_ms)

    def _gain_syn(
        self, tau_ms: jax.Array | float, tau_syn_ms: jax.Array, dt_ms: jax.Array | float
    ) -> jax.Array:
        """mV after dt, per pA of a current at the start that decays with `tau_syn_ms`.

        Smooth and finite for any `tau_syn_ms`, that of the membrane included.
        """
        # (1 - exp(-x)) / x is 0 / 0 where both time constants are equal: its series near x = 0
        x = dt_ms * jnp.abs(1.0 / tau_syn_ms - 1.0 / tau_ms)
        is_near_zero = x < 1e-4
        ratio = jnp.where(
            is_near_zero,
            1.0 - x * (0.5 - x / 6.0),
            -jnp.expm1(-x) / jnp.where(is_near_zero, 1.0, x),
        )
        return dt_ms / self.c_m_pF * jnp.exp(-dt_ms / jnp.maximum(tau_syn_ms, tau_ms)) * ratio

    def _gain_ramp(
        self, tau_ms: jax.Array | float, tau_syn_ms: jax.Array, dt_ms: jax.Array | float
    ) -> jax.Array:
        """mV after dt, per pA/ms of a current t exp(-t / tau_syn_ms); smooth for any `tau_syn_ms`.

        The integral of t exp(-t / tau_syn_ms - (dt - t) / tau_ms) / C from 0 to dt, with the slower
        of the two exponentials before it, so that neither overflows.
        """
        y = dt_ms * (1.0 / tau_syn_ms - 1.0 / tau_ms)
        z = jnp.where(y >= 0.0, y, -y)  # not abs, whose derivative at 0 is 0
        from_start = ramp_mean(z)
        from_end = jnp.exp(-z) + (z - 1.0) * from_start  # the integral of (1 - u) exp(-z u)
        slower = jnp.exp(-dt_ms / jnp.maximum(tau_syn_ms, tau_ms))
        return dt_ms * dt_ms / self.c_m_pF * slower * jnp.where(y >= 0.0, from_start, from_end)


def free_jumps_pA(
    refractory_steps: jax.Array,
    c_m_pF: jax.Array | float,
    syn: SynapticInput,
    dt_ms: jax.Array | float,
) -> jax.Array:
    """Mean current that each jump of a step stands for, (n_jumps, n_cells), 0 if refractory."""
    return jnp.where(refractory_steps > 0.5, 0.0, syn.jumps_pA(c_m_pF, dt_ms))


def exponential_decay(
    x: jax.Array, tau_ms: jax.Array | float, dt_ms: jax.Array | float
) -> tuple[jax.Array, jax.Array]:
    """`x` after dt of exponential decay x' = -x/tau, and its exact mean over dt."""
    decay_share = -jnp.expm1(-dt_ms / tau_ms)
    return x * (1.0 - decay_share), x * decay_share * tau_ms / dt_ms


def balance_with_current(
    membrane: LIF,
    before: LIFState,
    after: LIFState,
    i_pA: jax.Array,
    own_pA: jax.Array,
    syn: SynapticInput,
    dt_ms: jax.Array | float,
) -> Balance:
    """The balance of a `membrane` whose own mechanisms add `own_pA` (n_cells,) to its input.

    own_pA: inward, constant over the step; it is moved from the external term to the ionic one.
    """
    balance = membrane.balance(before, after, i_pA + own_pA, syn, dt_ms)
    return balance._replace(ionic=balance.ionic - own_pA, external=balance.external + own_pA)
