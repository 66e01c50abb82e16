"""Izhikevich's quadratic emitter in its two forms, of 2003 (mV, ms) and of 2007 (pF, pA)."""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import FINITE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.emitters._base import Balance, Emitter, SynapticInput, normalized_distance

SPREAD_mV = 10.0  # cells start up to this far above reset, so that they do not fire in lock-step


def _draw_low_bits(uniform: jax.Array) -> jax.Array:
    """A second uniform number, made of the low bits of `uniform`; zero stays zero."""
    return uniform * 1024.0 % 1.0


class IzhikevichState(NamedTuple):
    """State of an Izhikevich cell: potential and recovery.

    v_mV: (n_cells,), before reset where a cell just spiked. u: (n_cells,), in the input unit.
    """

    v_mV: jax.Array
    u: jax.Array


def _apply_reset(
    state: IzhikevichState,
    v_peak_mV: jax.Array | float,
    c_mV: jax.Array | float,
    d: jax.Array | float,
) -> tuple[jax.Array, jax.Array]:
    """v and u, reset to c and u + d where a cell is at its peak."""
    is_at_peak = state.v_mV >= v_peak_mV
    return jnp.where(is_at_peak, c_mV, state.v_mV), jnp.where(is_at_peak, state.u + d, state.u)


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Izhikevich2003(Emitter):
    """v' = 0.04 v^2 + 5 v + 140 - u + i/C, u' = a (b v - u); at v >= v_peak: v <- c, u <- u + d.

    Parameters
    ----------
    a : float
        Rate of recovery, 1/ms.
    b : float
        Pull of v on recovery, 1/ms.
    c_mV : float
        c, the potential after a spike, below `v_peak_mV`.
    d : float
        What a spike adds to recovery, mV/ms.
    v_peak_mV : float
        A cell spikes in the step at whose end v is at or above it.
    c_m_pF : float
        C, which makes pA of the input's mV/ms, the paper's I: 1 pF mV/ms is 1 pA.
    half_steps : bool
        Step as the program in the source does: v by two steps of dt/2 under one input, then u by
        one of dt from the v that was reached. Else v and u at once.

    Notes
    -----
    Defaults: regular spiking [1]_; the capacitance is that of the regular spiking cell in [2]_. The
    trace may overshoot v_peak by one Euler step.

    Euler's steps, which are those of the source, lag behind the upstroke, so that rates are low, in
    proportion to dt: at 0.1 ms by 0.6 % (regular spiking, 22 Hz), 1.9 % (low-threshold, 75 Hz) and
    4.3 % (fast spiking, 136 Hz). To restart cells within the step would gain 0.2 % of these.

    References
    ----------
    .. [1] Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569-1572.
    .. [2] Izhikevich (2007), Dynamical Systems in Neuroscience, sec. 8.2.1.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.emitters import Izhikevich2003
    >>> fast_spiking = Izhikevich2003(a=0.1, d=2.0)
    >>> cfg = jtfne.Config().emitters({"PV": fast_spiking})
    >>> cfg.circuit.emitters["PV"].a, fast_spiking.input_unit
    (0.1, 'mV/ms')
    """

    a: jax.Array | float = 0.02
    b: jax.Array | float = 0.2
    c_mV: jax.Array | float = -65.0
    d: jax.Array | float = 8.0
    v_peak_mV: jax.Array | float = 30.0
    c_m_pF: jax.Array | float = 100.0
    half_steps: bool = dataclasses.field(default=False, metadata={"static": True})

    order: ClassVar[int] = 1
    input_unit: ClassVar[str] = "mV/ms"
    differentiable: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {
        "a": POSITIVE,
        "b": FINITE,
        "c_mV": FINITE,
        "d": FINITE,
        "v_peak_mV": FINITE,
        "c_m_pF": POSITIVE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("c_mV", "v_peak_mV"),)

    @property
    def input_pA(self) -> jax.Array | float:
        """One mV/ms on this capacitance."""
        return self.c_m_pF

    def init(self, uniform: jax.Array) -> IzhikevichState:
        """The state of cells up to 10 mV above reset, by `uniform` (n_cells,) in [0, 1).

        Recovery is up to one spike's d above that at rest, b v.
        """
        v_mV = self.c_mV + SPREAD_mV * uniform
        return IzhikevichState(v_mV=v_mV, u=self.b * v_mV + self.d * _draw_low_bits(uniform))

    def at_potential(self, v_mV: jax.Array) -> IzhikevichState:
        """The state of cells that have long been held at `v_mV` (n_cells,): u is b v."""
        return IzhikevichState(v_mV=v_mV, u=self.b * v_mV)

    def step(
        self, state: IzhikevichState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[IzhikevichState, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,)."""
        v_mV, u = self._start(state)
        if not self.half_steps:
            free_mV = v_mV + dt_ms * self._rate(v_mV, u, i_pA, syn, dt_ms)
            end_state = IzhikevichState(
                syn.jumped_mV(free_mV), u + dt_ms * self.a * (self.b * v_mV - u)
            )
            return end_state, end_state.v_mV >= self.v_peak_mV
        for _ in range(2):
            v_mV = v_mV + 0.5 * dt_ms * self._rate(v_mV, u, i_pA, syn, dt_ms)
        end_state = IzhikevichState(syn.jumped_mV(v_mV), u + dt_ms * self.a * (self.b * v_mV - u))
        return end_state, end_state.v_mV >= self.v_peak_mV

    def threshold_distance(self, before: IzhikevichState, after: IzhikevichState) -> jax.Array:
        """Distance of v above v_peak, in units of v_peak - reset; >= 0 is a spike."""
        return normalized_distance(after.v_mV, self.v_peak_mV, self.c_mV, self.c_mV)

    def balance(
        self,
        before: IzhikevichState,
        after: IzhikevichState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step, in pA through the declared capacitance."""
        v_mV, u = self._start(before)
        capacitive = self.c_m_pF * (after.v_mV - v_mV) / dt_ms
        ionic = -self.c_m_pF * (self._quadratic(v_mV) - u)
        synaptic = -syn.mean_at_pA(v_mV, dt_ms)
        if self.half_steps:
            half_mV = v_mV + 0.5 * dt_ms * self._rate(v_mV, u, i_pA, syn, dt_ms)
            ionic = 0.5 * (ionic - self.c_m_pF * (self._quadratic(half_mV) - u))
            synaptic = 0.5 * (synaptic - syn.mean_at_pA(half_mV, dt_ms))
        synaptic = synaptic - self.jumped_pA(before, syn, dt_ms).sum(0)
        return Balance(capacitive, ionic, synaptic, -i_pA + jnp.zeros_like(capacitive))

    def jumped_pA(
        self, before: IzhikevichState, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """The mean current of each jump of the step, (n_jumps, n_cells), inward."""
        return syn.jumps_pA(self.c_m_pF, dt_ms)

    def _rate(
        self,
        v_mV: jax.Array,
        u: jax.Array,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> jax.Array:
        """The rate of change of v, mV/ms."""
        inward = (i_pA + syn.mean_at_pA(v_mV, dt_ms)) / self.c_m_pF
        return self._quadratic(v_mV) - u + inward

    def _quadratic(self, v_mV: jax.Array) -> jax.Array:
        """0.04 v^2 + 5 v + 140, the rate of v without u and input, mV/ms."""
        return (0.04 * v_mV + 5.0) * v_mV + 140.0

    def _start(self, state: IzhikevichState) -> tuple[jax.Array, jax.Array]:
        """v and u at the start of this step: reset where the last one ended in a spike."""
        return _apply_reset(state, self.v_peak_mV, self.c_mV, self.d)


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Izhikevich2007(Emitter):
    """C v' = k (v - v_r)(v - v_t) - u + i, u' = a (b (v - v_r) - u); reset at v >= v_peak.

    At v >= v_peak: v <- c, u <- u + d.

    Parameters
    ----------
    c_m_pF : float
        C, the capacitance of the membrane.
    k : float
        Gain of the upstroke, pA/mV^2 (nS/mV).
    v_r_mV : float
        Resting potential, below `v_t_mV`.
    v_t_mV : float
        Instantaneous threshold, below `v_peak_mV`.
    v_peak_mV : float
        A cell spikes in the step at whose end v is at or above it.
    a : float
        Rate of recovery, 1/ms.
    b : float
        Pull of v on recovery, nS.
    c_mV : float
        c, the potential after a spike, below `v_peak_mV`.
    d_pA : float
        What a spike adds to recovery.

    Notes
    -----
    Defaults: the regular spiking cell of layer 5 [1]_ (C 100, k 0.7, v_r -60, v_t -40, v_peak 35, a
    0.03, b -2, c -50, d 100). The trace may overshoot v_peak by one Euler step, and rates are low
    as those of `Izhikevich2003` are: at 0.1 ms by 0.3 % (defaults, 35 Hz).

    References
    ----------
    .. [1] Izhikevich (2007), Dynamical Systems in Neuroscience, sec. 8.2.1.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.emitters import Izhikevich2007
    >>> Izhikevich2007().v_r_mV, Izhikevich2007().v_t_mV, Izhikevich2007().input_unit
    (-60.0, -40.0, 'pA')
    """

    c_m_pF: jax.Array | float = 100.0
    k: jax.Array | float = 0.7
    v_r_mV: jax.Array | float = -60.0
    v_t_mV: jax.Array | float = -40.0
    v_peak_mV: jax.Array | float = 35.0
    a: jax.Array | float = 0.03
    b: jax.Array | float = -2.0
    c_mV: jax.Array | float = -50.0
    d_pA: jax.Array | float = 100.0

    order: ClassVar[int] = 1
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {
        "c_m_pF": POSITIVE,
        "k": POSITIVE,
        "v_r_mV": FINITE,
        "v_t_mV": FINITE,
        "v_peak_mV": FINITE,
        "a": POSITIVE,
        "b": FINITE,
        "c_mV": FINITE,
        "d_pA": FINITE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (
        ("c_mV", "v_peak_mV"),
        ("v_r_mV", "v_t_mV"),
        ("v_t_mV", "v_peak_mV"),
    )

    @property
    def input_pA(self) -> float:
        """Inputs are in pA already."""
        return 1.0

    def init(self, uniform: jax.Array) -> IzhikevichState:
        """The state of cells up to 10 mV above rest, by `uniform` (n_cells,) in [0, 1).

        Recovery is up to one spike's d above that at rest, b (v - v_r).
        """
        v_mV = self.v_r_mV + SPREAD_mV * uniform
        return IzhikevichState(
            v_mV=v_mV, u=self.b * (v_mV - self.v_r_mV) + self.d_pA * _draw_low_bits(uniform)
        )

    def at_potential(self, v_mV: jax.Array) -> IzhikevichState:
        """The state of cells that have long been held at `v_mV` (n_cells,): u is b (v - v_r)."""
        return IzhikevichState(v_mV=v_mV, u=self.b * (v_mV - self.v_r_mV))

    def step(
        self, state: IzhikevichState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[IzhikevichState, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,)."""
        v_mV, u_pA = self._start(state)
        inward_pA = i_pA + syn.mean_at_pA(v_mV, dt_ms)
        free_mV = v_mV + dt_ms / self.c_m_pF * (self._quadratic_pA(v_mV) - u_pA + inward_pA)
        u_pA = u_pA + dt_ms * self.a * (self.b * (v_mV - self.v_r_mV) - u_pA)
        end_state = IzhikevichState(syn.jumped_mV(free_mV), u_pA)
        return end_state, end_state.v_mV >= self.v_peak_mV

    def threshold_distance(self, before: IzhikevichState, after: IzhikevichState) -> jax.Array:
        """Distance of v above v_peak, in units of v_peak - rest; >= 0 is a spike."""
        return normalized_distance(after.v_mV, self.v_peak_mV, self.v_r_mV, self.c_mV)

    def balance(
        self,
        before: IzhikevichState,
        after: IzhikevichState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step."""
        v_mV, u_pA = self._start(before)
        capacitive = self.c_m_pF * (after.v_mV - v_mV) / dt_ms
        ionic = u_pA - self._quadratic_pA(v_mV)
        synaptic = -syn.mean_at_pA(v_mV, dt_ms) - self.jumped_pA(before, syn, dt_ms).sum(0)
        return Balance(capacitive, ionic, synaptic, -i_pA + jnp.zeros_like(capacitive))

    def jumped_pA(
        self, before: IzhikevichState, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """The mean current of each jump of the step, (n_jumps, n_cells), inward."""
        return syn.jumps_pA(self.c_m_pF, dt_ms)

    def _quadratic_pA(self, v_mV: jax.Array) -> jax.Array:
        """k (v - v_r)(v - v_t), the membrane's own inward current."""
        return self.k * (v_mV - self.v_r_mV) * (v_mV - self.v_t_mV)

    def _start(self, state: IzhikevichState) -> tuple[jax.Array, jax.Array]:
        """v and u at the start of this step: reset where the last one ended in a spike."""
        return _apply_reset(state, self.v_peak_mV, self.c_mV, self.d_pA)
