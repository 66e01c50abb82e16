"""What every emitter offers: a state, one step, and the currents that the step stood for."""

import warnings
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp


class Conductances(NamedTuple):
    """Exponential conductances as they stand at the start of a step; each decays within it.

    g_nS: (n, n_cells). tau_ms, e_rev_mV: (n,).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.emitters import Conductances
    >>> g_nS = jnp.ones((1, 3))  # one conductance, three cells
    >>> Conductances(g_nS, tau_ms=jnp.array([5.0]), e_rev_mV=jnp.array([0.0])).g_nS.shape
    (1, 3)
    """

    g_nS: jax.Array
    tau_ms: jax.Array
    e_rev_mV: jax.Array

    def mean(self, dt_ms: jax.Array | float) -> tuple[jax.Array, jax.Array]:
        """Exact means over the step, summed: g, nS, and g e_rev, pA, each (n_cells,)."""
        share = -self.tau_ms / dt_ms * jnp.expm1(-dt_ms / self.tau_ms)
        total_nS = total_pA = jnp.zeros(self.g_nS.shape[1])
        for r in range(self.tau_ms.shape[0]):
            mean_nS = share[r] * self.g_nS[r]
            total_nS, total_pA = total_nS + mean_nS, total_pA + mean_nS * self.e_rev_mV[r]
        return total_nS, total_pA


class SynapticInput(NamedTuple):
    """Currents, conductances and jumps from synapses, as they stand at the start of a step.

    Each current is (i + ramp t) exp(-t / tau) within the step.

    i_pA: (n_currents, n_cells), inward positive. tau_ms: (n_currents,). ramp_pA_per_ms: (n_ramps,
    n_cells), of the first of the currents, which are alpha functions; the others have none, and are
    exponentials. dendrite_share: how much of each current, then of each conductance, then of each
    jump, arrives at a dendrite, NaN where the cell's own share counts; None where it does for all.
    jumps_mV: (n_jumps, n_cells), by how much v jumps at the end of the step, before it is compared
    with the threshold; None if no synapse is a jump.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.emitters import SynapticInput
    >>> synaptic = SynapticInput(i_pA=jnp.ones((2, 3)), tau_ms=jnp.array([5.0, 100.0]))
    >>> synaptic.i_pA.shape, synaptic.conductances is None
    ((2, 3), True)
    """

    i_pA: jax.Array
    tau_ms: jax.Array
    conductances: Conductances | None = None
    dendrite_share: jax.Array | None = None
    jumps_mV: jax.Array | None = None
    ramp_pA_per_ms: jax.Array | None = None

    @property
    def n_ramps(self) -> int:
        """How many currents are alpha functions."""
        return 0 if self.ramp_pA_per_ms is None else int(self.ramp_pA_per_ms.shape[0])

    def means_pA(self, dt_ms: jax.Array | float) -> list[jax.Array]:
        """Exact mean of each current over the step: (n_cells,) each."""
        share = -self.tau_ms / dt_ms * jnp.expm1(-dt_ms / self.tau_ms)
        means = [share[r] * self.i_pA[r] for r in range(self.tau_ms.shape[0])]
        if self.ramp_pA_per_ms is not None:
            for r in range(self.n_ramps):
                means[r] = (
                    means[r] + dt_ms * ramp_mean(dt_ms / self.tau_ms[r]) * self.ramp_pA_per_ms[r]
                )
        return means

    def mean_pA(self, dt_ms: jax.Array | float) -> jax.Array:
        """Exact mean of all currents, without conductances, over the step: (n_cells,)."""
        total = jnp.zeros(self.i_pA.shape[1])
        # a sum of terms, which XLA fuses into the step; a matrix product it does not
        for mean_pA in self.means_pA(dt_ms):
            total = total + mean_pA
        return total

    def mean_at_pA(self, v_mV: jax.Array, dt_ms: jax.Array | float) -> jax.Array:
        """Exact mean over the step of all inputs, at a membrane held at `v_mV`: (n_cells,)."""
        currents_pA = self.mean_pA(dt_ms)
        if self.conductances is None:
            return currents_pA
        g_nS, g_e_pA = self.conductances.mean(dt_ms)
        return currents_pA + g_e_pA - g_nS * v_mV

    def select_cells(self, take: Callable[[jax.Array], jax.Array]) -> "SynapticInput":
        """The input of some cells only; `take` picks them from an array (..., n_cells)."""
        g, jumps_mV, ramp = self.conductances, self.jumps_mV, self.ramp_pA_per_ms
        return self._replace(
            i_pA=take(self.i_pA),
            conductances=None if g is None else g._replace(g_nS=take(g.g_nS)),
            jumps_mV=None if jumps_mV is None else take(jumps_mV),
            ramp_pA_per_ms=None if ramp is None else take(ramp),
        )

    def jumped_mV(self, v_mV: jax.Array) -> jax.Array:
        """`v_mV` (n_cells,) with all jumps; the same array where no synapse is a jump."""
        if self.jumps_mV is None:
            return v_mV
        return v_mV + self.jumps_mV.sum(0)

    def jumps_pA(self, c_m_pF: jax.Array | float, dt_ms: jax.Array | float) -> jax.Array:
        """The mean current over a step that each jump stands for: (n_jumps, n_cells).

        c_m_pF: capacitance of the membrane.
        """
        if self.jumps_mV is None:
            return jnp.zeros((0, 1), self.i_pA.dtype)
        return c_m_pF / dt_ms * self.jumps_mV

    def jump_shares(self, dendrite_share: jax.Array | float) -> jax.Array:
        """How much of each jump arrives at a dendrite: (n_jumps, n_cells) or (n_jumps, 1).

        dendrite_share: of what has no share of its own; a number or (n_cells,).
        """
        n_jumps = 0 if self.jumps_mV is None else self.jumps_mV.shape[0]
        own_shares = jnp.full((n_jumps, 1), jnp.nan)
        if self.dendrite_share is not None:
            own_shares = self.dendrite_share[self.dendrite_share.shape[0] - n_jumps :, None]
        return jnp.where(jnp.isnan(own_shares), dendrite_share, own_shares)

    def means_at_pA(
        self,
        v_mV: jax.Array,
        v_d_mV: jax.Array,
        dendrite_share: jax.Array | float,
        dt_ms: jax.Array | float,
    ) -> tuple[jax.Array, jax.Array]:
        """Exact mean over the step of what arrives at a soma and at a dendrite: (n_cells,) each.

        v_mV, v_d_mV: (n_cells,), the potentials at which soma and dendrite are held.
        dendrite_share: of what has no share of its own; a number or (n_cells,).
        """
        if self.dendrite_share is None:
            soma_pA, dendrite_pA = self.mean_at_pA(v_mV, dt_ms), self.mean_at_pA(v_d_mV, dt_ms)
            return (1.0 - dendrite_share) * soma_pA, dendrite_share * dendrite_pA
        n_rows = self.i_pA.shape[0] + (
            0 if self.conductances is None else self.conductances.g_nS.shape[0]
        )
        own_shares = (self.dendrite_share[r] for r in range(n_rows))
        shares = [jnp.where(jnp.isnan(share), dendrite_share, share) for share in own_shares]
        soma, dendrite = (
            self._weight_rows([1.0 - share for share in shares]),
            self._weight_rows(shares),
        )
        return soma.mean_at_pA(v_mV, dt_ms), dendrite.mean_at_pA(v_d_mV, dt_ms)

    def _weight_rows(self, shares: list[jax.Array]) -> "SynapticInput":
        """Each row times its share, a number or (n_cells,)."""
        n_currents, g, ramp = self.i_pA.shape[0], self.conductances, self.ramp_pA_per_ms
        return self._replace(
            i_pA=_scale_rows(self.i_pA, shares[:n_currents]),
            conductances=None
            if g is None
            else g._replace(g_nS=_scale_rows(g.g_nS, shares[n_currents:])),
            ramp_pA_per_ms=None if ramp is None else _scale_rows(ramp, shares[: self.n_ramps]),
        )


RAMP_TERMS = 15  # of the series of `ramp_mean`: exact in double precision for y < 1/2


def ramp_mean(y: jax.Array | float) -> jax.Array:
    """The integral of u exp(-y u) over u from 0 to 1, for y >= 0: 1/2 at y = 0.

    It is (1 - (1 + y) exp(-y)) / y^2. Near 0 it is taken from its series, since the difference
    loses all digits there.
    """
    y = jnp.asarray(y)
    is_near_zero = y < 0.5
    small_y, large_y = jnp.where(is_near_zero, y, 0.0), jnp.where(is_near_zero, 1.0, y)
    series = jnp.zeros_like(small_y)
    for k in reversed(range(RAMP_TERMS)):
        series = series * -small_y / (k + 1) + 1.0 / (k + 2)
    closed_form = (-jnp.expm1(-large_y) - large_y * jnp.exp(-large_y)) / (large_y * large_y)
    return jnp.where(is_near_zero, series, closed_form)


def _scale_rows(rows: jax.Array, shares: list[jax.Array]) -> jax.Array:
    """Rows (n, n_cells), each times its share."""
    return (
        jnp.stack([share * row for share, row in zip(shares, rows, strict=True)])
        if shares
        else rows
    )


class Balance(NamedTuple):
    """Mean membrane currents over one step, (n_cells,) pA each.

    Outward is positive; they sum to zero.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.emitters import Balance
    >>> balance = Balance(*jnp.array([[2.0], [3.0], [-1.0], [-4.0]]))
    >>> float(sum(balance)[0]), balance._fields
    (0.0, ('capacitive', 'ionic', 'synaptic', 'external'))
    """

    capacitive: jax.Array
    ionic: jax.Array
    synaptic: jax.Array
    external: jax.Array


class Emitter:
    """A cell model: pure maps on arrays, whose parameters broadcast to (n_cells,).

    The base of every cell model of the catalogue. Each has `input_unit`, `input_pA`, `init`, `step`
    and `balance`. The other methods are optional; here stands what holds for a cell that has not
    got them. A user's own model needs none of them, and not this base either: `find_method` takes
    the default from here.

    order: order of the scheme in dt, for a noiseless trace. input_unit: unit of drive, noise and
    stimulus amplitudes. input_pA: what one such unit is in pA. differentiable: whether a step below
    threshold has a derivative by its input, its state and every parameter that is a number.
    receives: False for a class that only sends, as a source of spikes does: nothing may be
    connected or applied to it.

    Examples
    --------
    >>> from jtfne.emitters import EMITTERS, LIF, Emitter
    >>> issubclass(LIF, Emitter), LIF.input_unit, LIF.differentiable
    (True, 'pA', True)
    >>> [name for name, cls in EMITTERS.items() if not cls.receives]
    ['PoissonSource', 'SpikeSource']
    """

    order: ClassVar[int]
    input_unit: ClassVar[str]
    differentiable: ClassVar[bool]
    receives: ClassVar[bool] = True

    @property
    def input_pA(self) -> jax.Array | float:
        """Current in pA that one input unit stands for."""
        raise NotImplementedError

    def init(self, uniform: jax.Array) -> Any:
        """The state at the start, spread by `uniform` (n_cells,) in [0, 1); zero is reset."""
        raise NotImplementedError

    def step(
        self, state: Any, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[Any, jax.Array]:
        """The state after dt under `i_pA` (n_cells,) and `syn`, and who spiked, bool (n_cells,).

        `i_pA` is constant over the step.
        """
        raise NotImplementedError

    def balance(
        self, before: Any, after: Any, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> Balance:
        """The mean currents of the step that led from `before` to `after`."""
        raise NotImplementedError

    def with_seeds(self, state: Any, seed: jax.Array, salt: jax.Array) -> Any:
        """`state` with two random words of each cell, uint32 (n_cells,).

        For cells that draw as they run; others leave it as it is.
        """
        return state

    def at_potential(self, v_mV: jax.Array) -> Any:
        """The state of cells at `v_mV` (n_cells,); a class that has it takes `v_init_mV`."""
        raise NotImplementedError

    def jumped_pA(self, before: Any, syn: SynapticInput, dt_ms: jax.Array | float) -> jax.Array:
        """The mean inward current over the step that each jump stood for, (n_jumps, n_cells).

        0 where a cell was refractory. A class that has this method takes `Delta` synapses.
        """
        return jnp.zeros_like(syn.jumps_pA(1.0, dt_ms))

    def jump(self, state: Any, syn: SynapticInput) -> Any:
        """The state of cells, none of them refractory, after the jumps of `syn`.

        For a cell with more than one potential, which must say which of them jumps.
        """
        can_jump = has_method(self, "jumped_pA")
        return state._replace(v_mV=syn.jumped_mV(state.v_mV)) if can_jump else state

    def threshold_distance(self, before: Any, after: Any) -> jax.Array:
        """Distance of each cell above threshold after a step: (n_cells,); >= 0 is a spike.

        In units of the distance from rest to threshold. A class that has this method has surrogate
        gradients.
        """
        raise NotImplementedError

    def excess(self, before: Any, after: Any) -> jax.Array:
        """Deprecated name of `threshold_distance`."""
        warnings.warn("excess is threshold_distance now", DeprecationWarning, stacklevel=2)
        return self.threshold_distance(before, after)

    def axial_pA(
        self, before: Any, after: Any, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> jax.Array:
        """The mean current (n_cells,) that flowed from dendrite to soma: what fields see of it.

        A class that has this method has compartments.
        """
        raise NotImplementedError


DEPRECATED_METHODS = {"threshold_distance": "excess"}
"""Optional methods of a user's own cell model that may still go by an older name."""


def has_method(emitter: Any, name: str) -> bool:
    """Whether a cell model, or its class, has an optional method of its own.

    It can then do what the method says; see `Emitter`.

    Examples
    --------
    >>> from jtfne.emitters import LIF, has_method
    >>> has_method(LIF, "threshold_distance"), has_method(LIF, "no_such_method")
    (True, False)
    """
    return _find_own_method(emitter if isinstance(emitter, type) else type(emitter), name)[0]


def find_method(emitter: Any, name: str) -> Callable[..., Any]:
    """The method `name` of a cell model, or the default of `Emitter` where its class has none.

    A user's own class need not be an `Emitter`.

    Examples
    --------
    >>> from jtfne.emitters import LIF, find_method
    >>> find_method(LIF(), "step").__name__
    'step'
    """
    has_own, own_name = _find_own_method(type(emitter), name)
    method: Callable[..., Any] = (
        getattr(emitter, own_name) if has_own else getattr(Emitter, name).__get__(emitter)
    )
    return method


def uses_deprecated_name(emitter: Any, name: str) -> bool:
    """Whether a cell model has the optional method `name` by its older name only.

    Examples
    --------
    >>> from jtfne.emitters import LIF, uses_deprecated_name
    >>> uses_deprecated_name(LIF(), "threshold_distance")
    False
    """
    return _find_own_method(type(emitter), name)[1] != name


def can_receive(emitter: Any) -> bool:
    """Whether input can reach a cell model, or its class; False for one that only sends.

    Examples
    --------
    >>> from jtfne.emitters import LIF, PoissonSource, can_receive
    >>> can_receive(LIF), can_receive(PoissonSource)
    (True, False)
    """
    return bool(getattr(emitter, "receives", Emitter.receives))


def _find_own_method(cls: type, name: str) -> tuple[bool, str]:
    """Whether `cls` has the method `name` of its own, and the name by which it has it.

    The most derived class decides, by whichever name; one that sets the method to None has none.
    """
    for parent in cls.__mro__:
        if parent is Emitter:
            break
        for own_name in (name, DEPRECATED_METHODS.get(name, name)):
            if own_name in vars(parent):
                return vars(parent)[own_name] is not None, own_name
    return False, name


def normalized_distance(
    v_mV: jax.Array, th_mV: jax.Array | float, rest_mV: jax.Array | float, low_mV: jax.Array | float
) -> jax.Array:
    """Distance of v above threshold, in units of threshold minus rest: (n_cells,).

    Where a cell rests above threshold, `low_mV` takes the place of rest. The catalogue's methods
    `threshold_distance` call it.
    """
    return (v_mV - th_mV) / (th_mV - jnp.where(jnp.less(rest_mV, th_mV), rest_mV, low_mV))
