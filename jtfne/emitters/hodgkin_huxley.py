"""Hodgkin-Huxley emitter of one compartment, by exponential Euler."""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import FINITE, POSITIVE, Limit
from jtfne._tree import register
from jtfne.emitters._base import Balance, Emitter, SynapticInput, normalized_distance
from jtfne.emitters._substeps import repeat_substep

SPREAD_mV = 5.0  # cells start up to this far above rest, so that they do not fire in lock-step


class HodgkinHuxleyState(NamedTuple):
    """v_mV and the open shares m, h (sodium) and n (potassium), each (n_cells,)."""

    v_mV: jax.Array
    m: jax.Array
    h: jax.Array
    n: jax.Array


class _Path(NamedTuple):
    """The end of a step, who passed v_spike on the way, and the mean currents, outward positive."""

    end: HodgkinHuxleyState
    spikes: jax.Array
    ionic_pA: jax.Array
    synaptic_pA: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class HodgkinHuxley(Emitter):
    """Hodgkin and Huxley's membrane; a spike is v passing v_spike upwards.

    C v' = g_l (e_l - v) + g_na m^3 h (e_na - v) + g_k n^4 (e_k - v) + i.

    Gates follow Traub & Miles, with voltages from v_t; they stand half a substep behind v, as in
    Hines (1984), Int. J. Biomed. Comput. 15:69-76. Conductances of synapses act at a first guess of
    the substep's mean v. Defaults: 20,000 um^2 of the membrane of benchmark 3 in Brette et al.
    (2007), J. Comput. Neurosci. 23:349-398, appendix B (1 uF/cm^2; 0.05, 100 and 30 mS/cm^2), but
    e_l, at whose -60 mV the cell fires by itself. Source of the rates: Traub & Miles (1991),
    Neuronal Networks of the Hippocampus, Cambridge University Press.

    substeps: exponential Euler steps in one dt.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.emitters import HodgkinHuxley
    >>> cfg = jtfne.Config().emitters({"E": HodgkinHuxley(g_na_nS=25_000.0)})
    >>> cfg.circuit.emitters["E"].g_na_nS, HodgkinHuxley().input_unit
    (25000.0, 'pA')
    """

    c_m_pF: jax.Array | float = 200.0
    g_l_nS: jax.Array | float = 10.0
    g_na_nS: jax.Array | float = 20_000.0
    g_k_nS: jax.Array | float = 6_000.0
    e_l_mV: jax.Array | float = -65.0
    e_na_mV: jax.Array | float = 50.0
    e_k_mV: jax.Array | float = -90.0
    v_t_mV: jax.Array | float = -63.0
    v_spike_mV: jax.Array | float = 0.0
    substeps: int = dataclasses.field(default=2, metadata={"static": True})

    order: ClassVar[int] = 2
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = True
    LIMITS: ClassVar[dict[str, Limit]] = {
        "c_m_pF": POSITIVE,
        "g_l_nS": POSITIVE,
        "g_na_nS": POSITIVE,
        "g_k_nS": POSITIVE,
        "e_l_mV": FINITE,
        "e_na_mV": FINITE,
        "e_k_mV": FINITE,
        "v_t_mV": FINITE,
        "v_spike_mV": FINITE,
        "substeps": Limit(1, 100),
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (
        ("e_k_mV", "e_l_mV"),
        ("e_l_mV", "e_na_mV"),
        ("v_t_mV", "v_spike_mV"),
        ("v_spike_mV", "e_na_mV"),
    )

    @property
    def input_pA(self) -> float:
        """Inputs are in pA already."""
        return 1.0

    def init(self, uniform: jax.Array) -> HodgkinHuxleyState:
        """The state of cells up to 5 mV above e_l, by `uniform` (n_cells,) in [0, 1).

        Gates are those of a cell that has long been held there.
        """
        return self.at_potential(self.e_l_mV + SPREAD_mV * uniform)

    def at_potential(self, v_mV: jax.Array) -> HodgkinHuxleyState:
        """The state of cells at `v_mV` (n_cells,), gates as they would be there for ever."""
        return HodgkinHuxleyState(
            v_mV, *(opening / (opening + closing) for opening, closing in self._rates(v_mV))
        )

    def step(
        self,
        state: HodgkinHuxleyState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> tuple[HodgkinHuxleyState, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,)."""
        path = self._path(state, i_pA, syn, dt_ms)
        return path.end, path.spikes

    def threshold_distance(
        self, before: HodgkinHuxleyState, after: HodgkinHuxleyState
    ) -> jax.Array:
        """How far v passed v_spike upwards, in units of v_spike - e_l; >= 0 is a spike."""
        distance_after = normalized_distance(after.v_mV, self.v_spike_mV, self.e_l_mV, self.v_t_mV)
        return jnp.minimum(
            distance_after,
            -normalized_distance(before.v_mV, self.v_spike_mV, self.e_l_mV, self.v_t_mV),
        )

    def balance(
        self,
        before: HodgkinHuxleyState,
        after: HodgkinHuxleyState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step."""
        path = self._path(before, i_pA, syn, dt_ms)
        capacitive = self.c_m_pF * (after.v_mV - before.v_mV) / dt_ms
        return Balance(
            capacitive, path.ionic_pA, path.synaptic_pA, -i_pA + jnp.zeros_like(capacitive)
        )

    def jumped_pA(
        self, before: HodgkinHuxleyState, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """The mean current of each jump of the step, (n_jumps, n_cells), inward."""
        return syn.jumps_pA(self.c_m_pF, dt_ms)

    def _path(
        self,
        state: HodgkinHuxleyState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> _Path:
        """Integrate one step from `state`: in each substep the gates first, then the membrane."""
        h_ms = dt_ms / self.substeps

        def substep(path: _Path) -> _Path:
            (v_mV, *gates), spikes, ionic, synaptic = path
            m, h, n = (
                _relax_gate(gate, *rates, h_ms)
                for gate, rates in zip(gates, self._rates(v_mV), strict=True)
            )
            total_nS, total_pA = self._sum_channels(m, h, n)
            x = h_ms * total_nS / self.c_m_pF
            decay_share = -jnp.expm1(-x)
            synaptic_pA = -syn.mean_at_pA(v_mV, dt_ms)
            mean_mV = v_mV + ((total_pA + i_pA - synaptic_pA) / total_nS - v_mV) * (
                1.0 - decay_share / x
            )
            synaptic_pA = -syn.mean_at_pA(mean_mV, dt_ms)
            rise_mV = (total_pA + i_pA - synaptic_pA) / total_nS - v_mV
            mean_mV, end_mV = v_mV + rise_mV * (1.0 - decay_share / x), v_mV + rise_mV * decay_share
            return _Path(
                HodgkinHuxleyState(end_mV, m, h, n),
                spikes | ((v_mV < self.v_spike_mV) & (end_mV >= self.v_spike_mV)),
                ionic + (total_nS * mean_mV - total_pA) / self.substeps,
                synaptic + synaptic_pA / self.substeps,
            )

        zeros = jnp.zeros_like(state.v_mV)
        path = _Path(state, jnp.zeros(zeros.shape, bool), zeros, zeros)
        (v_mV, *gates), spikes, ionic, synaptic = repeat_substep(substep, path, self.substeps)
        if syn.jumps_mV is not None:
            end_mV = syn.jumped_mV(v_mV)
            spikes = spikes | ((v_mV < self.v_spike_mV) & (end_mV >= self.v_spike_mV))
            synaptic, v_mV = synaptic - self.jumped_pA(state, syn, dt_ms).sum(0), end_mV
        return _Path(HodgkinHuxleyState(v_mV, *gates), spikes, ionic, synaptic)

    def _sum_channels(
        self, m: jax.Array, h: jax.Array, n: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """The sums over all channels of g, nS, and of g e, pA."""
        na_nS, k_nS = self.g_na_nS * m * m * m * h, self.g_k_nS * (n * n) * (n * n)
        return (
            self.g_l_nS + na_nS + k_nS,
            self.g_l_nS * self.e_l_mV + na_nS * self.e_na_mV + k_nS * self.e_k_mV,
        )

    def _rates(self, v_mV: jax.Array) -> tuple[tuple[jax.Array, jax.Array], ...]:
        """Opening and closing rates of m, h and n, 1/ms."""
        u = v_mV - self.v_t_mV
        return (
            (1.28 * _rate_term((13.0 - u) / 4.0), 1.4 * _rate_term((u - 40.0) / 5.0)),
            (0.128 * jnp.exp((17.0 - u) / 18.0), 4.0 / (1.0 + jnp.exp((40.0 - u) / 5.0))),
            (0.16 * _rate_term((15.0 - u) / 5.0), 0.5 * jnp.exp((10.0 - u) / 40.0)),
        )


def _rate_term(x: jax.Array) -> jax.Array:
    """x / (e^x - 1), smooth through zero."""
    is_near_zero = jnp.abs(x) < 1e-4
    safe_x = jnp.where(is_near_zero, 1.0, x)
    return jnp.where(is_near_zero, 1.0 - 0.5 * x, safe_x / jnp.expm1(safe_x))


def _relax_gate(
    gate: jax.Array, opening: jax.Array, closing: jax.Array, h_ms: jax.Array | float
) -> jax.Array:
    """The open share of a gate after h under constant rates."""
    total = opening + closing
    goal = opening / total
    return goal + (gate - goal) * jnp.exp(-h_ms * total)
