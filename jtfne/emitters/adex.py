"""Adaptive exponential integrate-and-fire emitter, by Heun's method."""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import FINITE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.emitters._base import Balance, Emitter, SynapticInput, normalized_distance
from jtfne.emitters._substeps import repeat_substep

SPREAD_mV = 10.0  # cells start up to this far above rest, so that they do not fire in lock-step
TOP = 30.0  # of the exponent: e^30 times any conductance is a float32


class AdExState(NamedTuple):
    """State of an AdEx cell: potential and adaptation.

    v_mV: (n_cells,), v_peak where a cell just spiked. w_pA: (n_cells,), before its jump there.
    """

    v_mV: jax.Array
    w_pA: jax.Array


class _Path(NamedTuple):
    """The end of a step, and the mean currents on the way, outward positive."""

    end: AdExState
    ionic_pA: jax.Array
    synaptic_pA: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class AdEx(Emitter):
    """C v' = -g (v - v_rest) + g delta exp((v - v_t)/delta) - w + i, tau_w w' = a (v - v_rest) - w.

    At v >= v_peak: spike, v <- v_reset, w <- w + b.

    Parameters
    ----------
    c_m_pF : float
        C, the capacitance of the membrane.
    g_nS : float
        g, its leak conductance.
    v_rest_mV : float
        Potential to which it leaks.
    v_t_mV : float
        Potential at which the upstroke begins.
    delta_mV : float
        delta, the width of the upstroke's beginning.
    a_nS : float
        a, how much of v adaptation follows.
    tau_w_ms : float
        Time constant of adaptation.
    b_pA : float
        b, what a spike adds to adaptation.
    v_reset_mV : float
        Potential after a spike.
    v_peak_mV : float
        Potential at which a spike ends.
    substeps : int
        Steps of Heun's method in one dt.

    Notes
    -----
    A step that would pass v_peak ends there, and the next one starts from reset: each interval is
    about one dt too long, so that at 0.1 ms rates are low by 0.1 % (defaults, 15 Hz) to 1.1 %
    (tonic cell of [2]_, 104 Hz). NEST's `aeif` models go on from reset within the step. Defaults
    are those of [1]_, but for v_peak: 20 mV there, 0 mV as in [2]_, whose firing patterns these
    equations have.

    References
    ----------
    .. [1] Brette & Gerstner (2005), J. Neurophysiol. 94:3637-3642.
    .. [2] Naud et al. (2008), Biol. Cybern. 99:335-347.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.emitters import AdEx
    >>> cfg = jtfne.Config().emitters({"E": AdEx(b_pA=40.0)})
    >>> cfg.circuit.emitters["E"].b_pA, AdEx().input_unit
    (40.0, 'pA')
    """

    c_m_pF: jax.Array | float = 281.0
    g_nS: jax.Array | float = 30.0
    v_rest_mV: jax.Array | float = -70.6
    v_t_mV: jax.Array | float = -50.4
    delta_mV: jax.Array | float = 2.0
    a_nS: jax.Array | float = 4.0
    tau_w_ms: jax.Array | float = 144.0
    b_pA: jax.Array | float = 80.5
    v_reset_mV: jax.Array | float = -70.6
    v_peak_mV: jax.Array | float = 0.0
    substeps: int = dataclasses.field(default=1, metadata={"static": True})

    order: ClassVar[int] = 2  # between spikes; spike times are rounded up to the grid
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {
        "c_m_pF": POSITIVE,
        "g_nS": POSITIVE,
        "v_rest_mV": FINITE,
        "v_t_mV": FINITE,
        "delta_mV": POSITIVE,
        "a_nS": FINITE,
        "tau_w_ms": POSITIVE,
        "b_pA": FINITE,
        "v_reset_mV": FINITE,
        "v_peak_mV": FINITE,
        "substeps": Limit(1, 100),
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (
        ("v_reset_mV", "v_peak_mV"),
        ("v_t_mV", "v_peak_mV"),
    )

    @property
    def input_pA(self) -> float:
        """Inputs are in pA already."""
        return 1.0

    def init(self, uniform: jax.Array) -> AdExState:
        """Up to 10 mV above rest, by `uniform` (n_cells,) in [0, 1); not adapted."""
        return self.at_potential(self.v_rest_mV + SPREAD_mV * uniform)

    def at_potential(self, v_mV: jax.Array) -> AdExState:
        """The state of cells at `v_mV` (n_cells,), not adapted."""
        return AdExState(v_mV, jnp.zeros_like(v_mV))

    def step(
        self, state: AdExState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[AdExState, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,)."""
        end = self._path(self._start(state), i_pA, syn, dt_ms).end
        return end, end.v_mV >= self.v_peak_mV

    def threshold_distance(self, before: AdExState, after: AdExState) -> jax.Array:
        """Distance of v above v_peak, in units of v_peak - rest; >= 0 is a spike."""
        return normalized_distance(after.v_mV, self.v_peak_mV, self.v_rest_mV, self.v_reset_mV)

    def balance(
        self,
        before: AdExState,
        after: AdExState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step; adaptation and what stops a spike at v_peak count as ionic."""
        start = self._start(before)
        path = self._path(start, i_pA, syn, dt_ms)
        path = path._replace(
            synaptic_pA=path.synaptic_pA - self.jumped_pA(before, syn, dt_ms).sum(0)
        )
        capacitive = self.c_m_pF * (after.v_mV - start.v_mV) / dt_ms
        stopping_pA = i_pA - capacitive - path.synaptic_pA
        ionic = jnp.where(after.v_mV >= self.v_peak_mV, stopping_pA, path.ionic_pA)
        return Balance(capacitive, ionic, path.synaptic_pA, -i_pA + jnp.zeros_like(capacitive))

    def jumped_pA(
        self, before: AdExState, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """The mean current of each jump of the step, (n_jumps, n_cells), inward."""
        return syn.jumps_pA(self.c_m_pF, dt_ms)

    def _start(self, state: AdExState) -> AdExState:
        """The state at the start of a step: reset and adapted where the last one spiked."""
        has_spiked = state.v_mV >= self.v_peak_mV
        v_mV = jnp.where(has_spiked, self.v_reset_mV, state.v_mV)
        return AdExState(v_mV, jnp.where(has_spiked, state.w_pA + self.b_pA, state.w_pA))

    def _path(
        self, start: AdExState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> _Path:
        """Integrate one step from `start` by Heun's method."""
        h_ms = dt_ms / self.substeps

        def substep(path: _Path) -> _Path:
            (v_mV, w_pA), ionic, synaptic = path
            ionic_1, synaptic_1 = self._ionic_pA(v_mV, w_pA), -syn.mean_at_pA(v_mV, dt_ms)
            v_1_mV = jnp.minimum(
                v_mV + h_ms / self.c_m_pF * (i_pA - ionic_1 - synaptic_1), self.v_peak_mV
            )
            w_1_pA = self._step_adaptation(w_pA, v_mV, h_ms)
            ionic_2, synaptic_2 = self._ionic_pA(v_1_mV, w_1_pA), -syn.mean_at_pA(v_1_mV, dt_ms)
            mean_ionic, mean_synaptic = 0.5 * (ionic_1 + ionic_2), 0.5 * (synaptic_1 + synaptic_2)
            free_mV = v_mV + h_ms / self.c_m_pF * (i_pA - mean_ionic - mean_synaptic)
            end_mV = jnp.where(v_mV >= self.v_peak_mV, v_mV, jnp.minimum(free_mV, self.v_peak_mV))
            # an upstroke takes no time
            middle_mV = jnp.where(end_mV >= self.v_peak_mV, v_mV, 0.5 * (v_mV + end_mV))
            return _Path(
                AdExState(end_mV, self._step_adaptation(w_pA, middle_mV, h_ms)),
                ionic + mean_ionic / self.substeps,
                synaptic + mean_synaptic / self.substeps,
            )

        zeros = jnp.zeros_like(start.v_mV)
        path = repeat_substep(substep, _Path(start, zeros, zeros), self.substeps)
        (v_mV, w_pA), ionic, synaptic = path
        if syn.jumps_mV is not None:
            v_mV = jnp.where(
                v_mV >= self.v_peak_mV, v_mV, jnp.minimum(syn.jumped_mV(v_mV), self.v_peak_mV)
            )
        return _Path(AdExState(v_mV, w_pA), ionic, synaptic)

    def _ionic_pA(self, v_mV: jax.Array, w_pA: jax.Array) -> jax.Array:
        """Leak, spike generation and adaptation, outward positive."""
        upstroke = self.delta_mV * jnp.exp(jnp.minimum((v_mV - self.v_t_mV) / self.delta_mV, TOP))
        return self.g_nS * (v_mV - self.v_rest_mV - upstroke) + w_pA

    def _step_adaptation(
        self, w_pA: jax.Array, v_mV: jax.Array, h_ms: jax.Array | float
    ) -> jax.Array:
        """w after h at a constant `v_mV`; of second order if that is the mean of both ends."""
        steady_pA = self.a_nS * (v_mV - self.v_rest_mV)
        return steady_pA + (w_pA - steady_pA) * jnp.exp(-h_ms / self.tau_w_ms)
