"""A pyramidal cell of two compartments, soma and apical dendrite, by Heun's method."""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit
from jtfne._grid import steps_up
from jtfne._tree import register
from jtfne.emitters._base import Balance, Emitter, SynapticInput, normalized_distance


class TwoCompartmentState(NamedTuple):
    """State of a TwoCompartment, (n_cells,) each.

    v_mV: of the soma, before reset where a cell just spiked. v_d_mV: of the dendrite.
    """

    v_mV: jax.Array
    refractory_steps: jax.Array
    v_d_mV: jax.Array


class _Currents(NamedTuple):
    """Leak and synaptic currents of soma and dendrite, and the axial current, pA.

    Outward is positive; the axial current flows from dendrite to soma.
    """

    leak: jax.Array
    leak_d: jax.Array
    synaptic: jax.Array
    synaptic_d: jax.Array
    axial: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class TwoCompartment(Emitter):
    """A soma that spikes as `LIF`, and a passive dendrite.

    C_s v' = g_s (v_rest - v) + g_c (v_d - v) + i_s, C_d v_d' = g_d (v_rest - v_d) + g_c (v - v_d) +
    i_d.

    The soma fires and is refractory as `LIF`, while the dendrite goes on; at 0.1 ms and 212 Hz
    rates are low by 1.8 %. Of a synaptic input (current i, conductance g), the share s arrives at
    the dendrite: i_s = sum (1 - s) (i + g (e_rev - v)), i_d = sum s (i + g (e_rev - v_d)). It is
    the `dendrite_share` of the mechanism, or of the cell where the mechanism has none. Of drive,
    noise and stimuli that are no spikes, it is `dendrite_input_share`. Magnesium blocks by the v of
    the soma, wherever the receptor lies.
    Defaults: in total the membrane of the pyramidal cell in Brette & Gerstner (2005), J.
    Neurophysiol. 94:3637-3642 (281 pF, 30 nS, -70.6 mV, threshold -50.4 mV), a third of it soma;
    g_c so that half of a steady v_d reaches the soma; synapses on the dendrite, where most of them
    are, and electrodes at the soma. Source of the equations: Rall (1964), in Neural Theory and
    Modeling, Stanford University Press, 73-97 (compartments).

    >>> TwoCompartment(dendrite_share=0.5).compartments
    ('soma', 'dendrite')
    """

    c_s_pF: jax.Array | float = 94.0
    c_d_pF: jax.Array | float = 187.0
    g_s_nS: jax.Array | float = 10.0
    g_d_nS: jax.Array | float = 20.0
    g_c_nS: jax.Array | float = 10.0
    v_rest_mV: jax.Array | float = -70.6
    v_th_mV: jax.Array | float = -50.4
    v_reset_mV: jax.Array | float = -70.6
    t_ref_ms: jax.Array | float = 2.0
    dendrite_share: jax.Array | float = 1.0
    dendrite_input_share: jax.Array | float = 0.0

    order: ClassVar[int] = 2  # between spikes; spike times are rounded up to the grid
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = True
    compartments: ClassVar[tuple[str, ...]] = ("soma", "dendrite")
    LIMITS: ClassVar[dict[str, Limit]] = {
        "c_s_pF": POSITIVE,
        "c_d_pF": POSITIVE,
        "g_s_nS": POSITIVE,
        "g_d_nS": POSITIVE,
        "g_c_nS": NOT_NEGATIVE,
        "v_rest_mV": FINITE,
        "v_th_mV": FINITE,
        "v_reset_mV": FINITE,
        "t_ref_ms": NOT_NEGATIVE,
        "dendrite_share": Limit(0.0, 1.0),
        "dendrite_input_share": Limit(0.0, 1.0),
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("v_reset_mV", "v_th_mV"),)

    @property
    def input_pA(self) -> float:
        """Inputs are in pA already."""
        return 1.0

    def init(self, uniform: jax.Array) -> TwoCompartmentState:
        """The state of cells at rest, somata spread up to threshold by `uniform` (n_cells,)."""
        v_mV = self.v_reset_mV + uniform * (self.v_th_mV - self.v_reset_mV)
        return TwoCompartmentState(
            v_mV, jnp.zeros_like(v_mV), self.v_rest_mV + jnp.zeros_like(v_mV)
        )

    def at_potential(self, v_mV: jax.Array) -> TwoCompartmentState:
        """The state of cells whose soma and dendrite are at `v_mV` (n_cells,), none refractory."""
        return TwoCompartmentState(v_mV, jnp.zeros_like(v_mV), v_mV)

    def step(
        self,
        state: TwoCompartmentState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> tuple[TwoCompartmentState, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,)."""
        end = self._path(state, i_pA, syn, dt_ms)[0]
        spikes = end.v_mV >= self.v_th_mV
        refractory_steps = jnp.where(
            spikes, steps_up(self.t_ref_ms, dt_ms, jnp), state.refractory_steps - 1.0
        )
        return end._replace(refractory_steps=refractory_steps.astype(end.v_mV.dtype)), spikes

    def threshold_distance(
        self, before: TwoCompartmentState, after: TwoCompartmentState
    ) -> jax.Array:
        """Distance of the soma above threshold, in units of threshold - rest; >= 0 is a spike."""
        return normalized_distance(after.v_mV, self.v_th_mV, self.v_rest_mV, self.v_reset_mV)

    def balance(
        self,
        before: TwoCompartmentState,
        after: TwoCompartmentState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step, of the whole cell."""
        return Balance(
            *(rows.sum(0) for rows in self.compartment_balance(before, after, i_pA, syn, dt_ms))
        )

    def compartment_balance(
        self,
        before: TwoCompartmentState,
        after: TwoCompartmentState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """Mean currents of the step in each of `compartments`: (2, n_cells) pA.

        The clamp of a refractory soma counts as ionic.
        The four terms of a compartment sum to the axial current that enters it from the other, so
        that those of a cell sum to zero: capacitive + ionic + synaptic of a compartment is what its
        membrane gives to the tissue.
        """
        start, is_refractory = self._start(before)
        mean = self._path(before, i_pA, syn, dt_ms)[1]
        external, external_d = (
            -input_pA + jnp.zeros_like(start.v_mV) for input_pA in self._split_input(i_pA)
        )
        capacitive = self.c_s_pF * (after.v_mV - start.v_mV) / dt_ms
        capacitive_d = self.c_d_pF * (after.v_d_mV - start.v_d_mV) / dt_ms
        ionic = jnp.where(is_refractory, mean.axial - mean.synaptic - external, mean.leak)
        jump_pA, jump_d_pA = (rows.sum(0) for rows in self._jumps_pA(before, syn, dt_ms))
        synaptic = mean.synaptic - jump_pA, mean.synaptic_d - jump_d_pA
        pairs = (capacitive, capacitive_d), (ionic, mean.leak_d), synaptic
        return Balance(*(jnp.stack(pair) for pair in (*pairs, (external, external_d))))

    def jumped_pA(
        self, before: TwoCompartmentState, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """Mean current of each jump, (n_jumps, n_cells), inward; a refractory soma takes none."""
        soma_pA, dendrite_pA = self._jumps_pA(before, syn, dt_ms)
        return soma_pA + dendrite_pA

    def axial_pA(
        self,
        before: TwoCompartmentState,
        after: TwoCompartmentState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> jax.Array:
        """The mean current over the step from dendrite to soma inside the cell: (n_cells,).

        With what enters from outside counted as of the membrane, the dendrite takes it from the
        tissue and the soma gives it back: the sums of `compartment_balance`.
        """
        return self._path(before, i_pA, syn, dt_ms)[1].axial

    def _path(
        self,
        state: TwoCompartmentState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> tuple[TwoCompartmentState, _Currents]:
        """The end of the step from `state`, and the mean currents on the way."""
        start, is_refractory = self._start(state)
        start_currents = self._currents(start, syn, dt_ms)
        end_currents = self._currents(
            self._advance(start, is_refractory, start_currents, i_pA, dt_ms), syn, dt_ms
        )
        mean = _Currents(
            *(
                0.5 * (start_pA + end_pA)
                for start_pA, end_pA in zip(start_currents, end_currents, strict=True)
            )
        )
        return self._apply_jumps(
            self._advance(start, is_refractory, mean, i_pA, dt_ms), is_refractory, syn
        ), mean

    def jump(self, state: TwoCompartmentState, syn: SynapticInput) -> TwoCompartmentState:
        """`state` of cells, none of them refractory, after the jumps of `syn`."""
        return self._apply_jumps(state, jnp.zeros_like(state.v_mV, bool), syn)

    def _apply_jumps(
        self, state: TwoCompartmentState, is_refractory: jax.Array, syn: SynapticInput
    ) -> TwoCompartmentState:
        """`state` with the jumps at the end of the step; a refractory soma takes none."""
        if syn.jumps_mV is None:
            return state
        share = syn.jump_shares(self.dendrite_share)
        soma_mV = state.v_mV + ((1.0 - share) * syn.jumps_mV).sum(0)
        dendrite_mV = state.v_d_mV + (share * syn.jumps_mV).sum(0)
        return state._replace(
            v_mV=jnp.where(is_refractory, state.v_mV, soma_mV), v_d_mV=dendrite_mV
        )

    def _jumps_pA(
        self, before: TwoCompartmentState, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[jax.Array, jax.Array]:
        """Mean inward current of each jump at soma and dendrite, (n_jumps, n_cells) each."""
        share = syn.jump_shares(self.dendrite_share)
        soma_pA = (1.0 - share) * syn.jumps_pA(self.c_s_pF, dt_ms)
        return jnp.where(before.refractory_steps > 0.5, 0.0, soma_pA), share * syn.jumps_pA(
            self.c_d_pF, dt_ms
        )

    def _start(self, state: TwoCompartmentState) -> tuple[TwoCompartmentState, jax.Array]:
        """The state at the start of this step, soma reset after a spike; and who is refractory."""
        v_mV = jnp.where(state.v_mV >= self.v_th_mV, self.v_reset_mV, state.v_mV)
        return state._replace(v_mV=v_mV), state.refractory_steps > 0.5

    def _currents(
        self, state: TwoCompartmentState, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> _Currents:
        """The currents in `state`."""
        v_mV, v_d_mV = state.v_mV, state.v_d_mV
        soma_pA, dendrite_pA = syn.means_at_pA(v_mV, v_d_mV, self.dendrite_share, dt_ms)
        return _Currents(
            leak=self.g_s_nS * (v_mV - self.v_rest_mV),
            leak_d=self.g_d_nS * (v_d_mV - self.v_rest_mV),
            synaptic=-soma_pA,
            synaptic_d=-dendrite_pA,
            axial=self.g_c_nS * (v_d_mV - v_mV),
        )

    def _advance(
        self,
        start: TwoCompartmentState,
        is_refractory: jax.Array,
        currents: _Currents,
        i_pA: jax.Array,
        dt_ms: jax.Array | float,
    ) -> TwoCompartmentState:
        """`start` after dt under constant currents; a refractory soma stays."""
        soma_pA, dendrite_pA = self._split_input(i_pA)
        soma_pA = soma_pA + currents.axial - currents.leak - currents.synaptic
        dendrite_pA = dendrite_pA - currents.axial - currents.leak_d - currents.synaptic_d
        v_mV = jnp.where(is_refractory, start.v_mV, start.v_mV + dt_ms / self.c_s_pF * soma_pA)
        return start._replace(v_mV=v_mV, v_d_mV=start.v_d_mV + dt_ms / self.c_d_pF * dendrite_pA)

    def _split_input(self, i_pA: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The parts of drive, noise and stimuli that enter soma and dendrite."""
        return (1.0 - self.dendrite_input_share) * i_pA, self.dendrite_input_share * i_pA
