"""What every synapse offers: its kinetics as rows of state that each decay exponentially."""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from jtfne._check import Limit

SITE: dict[str, Limit] = {"dendrite_share": Limit(0.0, 1.0)}
"""Limits of where on a cell a synapse is: of every synapse of the catalogue."""


class RiseState(NamedTuple):
    """A receptor whose state has a second row, so that its current rises before it decays.

    The cell sees the second row, which is fed by the row on which spikes arrive.

    receptor: which one. equal_taus: both rows decay alike (an alpha function); else the first is
    the rise, the second the decay (a difference of exponentials). The first row alone takes what
    arrives, so that the ring is read once.

    Examples
    --------
    >>> from jtfne.synapses import RiseState
    >>> RiseState(receptor=1, equal_taus=True)
    RiseState(receptor=1, equal_taus=True)
    """

    receptor: int
    equal_taus: bool


class Synapse:
    """A synapse model: what one spike does. The base of every synapse, also of a user's own.

    A subclass is a frozen dataclass under `@jtfne.synapses.register`. It has `unit` and `taus_ms`,
    and `e_rev_mV` (mV) if it is a conductance. All fields but `sign` are traced. What it leaves out
    is as this class has it.

    unit: of a weight, which is the peak of what the spike adds, pA or nS, or by how much v jumps,
    mV. equal_taus: with two rows of state, whether the course is an alpha function, tau the same in
    both; else it is the difference of two exponentials. gate_fields: the fields that `gate` reads;
    empty for a conductance that does not depend on the potential. order: in dt, of what a LIF makes
    of it between spikes; None if that is exact on any grid.

    Examples
    --------
    >>> from jtfne.synapses import SYNAPSES, Exponential, Synapse
    >>> isinstance(Exponential(tau_ms=5.0), Synapse), Exponential(tau_ms=5.0).unit
    (True, 'pA')
    >>> [name for name, cls in SYNAPSES.items() if cls.unit == "nS"]
    ['Conductance', 'AlphaConductance', 'BiExponentialConductance', 'NMDA', 'BoltzmannConductance']
    """

    unit: ClassVar[str]
    equal_taus: ClassVar[bool] = False
    gate_fields: ClassVar[tuple[str, ...]] = ()
    order: ClassVar[int | None] = None
    # A conductance has it. Annotated without a value: a dataclass would take one as the default.
    e_rev_mV: jax.Array | float

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """Time constants of the row on which spikes arrive, and of the second row, if any."""
        raise NotImplementedError

    @property
    def sign(self) -> int:
        """The sign of weights: 1 positive, -1 negative, 0 as the source's cell type says."""
        return 1 if self.unit == "nS" else 0

    @property
    def dendrite_share(self) -> jax.Array | float | None:
        """Share that arrives at a `TwoCompartment`'s dendrite, 0 to 1; None for the cell's own."""
        return None

    def gate(self, v_mV: jax.Array) -> jax.Array:
        """The open share of the conductance at `v_mV` (n_cells,), the potentials at a step's start.

        It is asked for only if there are `gate_fields`, and of an object that has no other fields.
        """
        return jnp.ones_like(v_mV)


def peak_gain(tau_rise_ms: jax.Array, tau_decay_ms: jax.Array) -> jax.Array:
    """The factor that makes the peak of exp(-t/tau_decay) - exp(-t/tau_rise) one.

    Source: Roth & van Rossum (2009), in Computational Modeling Methods for Neuroscientists, MIT
    Press, ch. 6.
    """
    ratio = tau_rise_ms / tau_decay_ms
    return jnp.exp(-ratio / (1.0 - ratio) * jnp.log(ratio)) / (1.0 - ratio)


def step_rise(
    first_rows: jax.Array,
    second_rows: jax.Array,
    tau_ms: jax.Array,
    kinds: tuple[RiseState, ...],
    dt_ms: jax.Array | float,
) -> jax.Array:
    """The second rows (n_second, n_cells) after dt, from all rows before; exact on the grid.

    first_rows: (n_receptors, n_cells), the rows on which spikes arrive. tau_ms: (n_rows,), theirs,
    then those of `second_rows`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.synapses import RiseState, step_rise
    >>> kinds = (RiseState(receptor=0, equal_taus=True),)  # an alpha function peaks at tau
    >>> second = step_rise(jnp.ones((1, 1)), jnp.zeros((1, 1)), jnp.array([5.0, 5.0]), kinds, 5.0)
    >>> round(float(second[0, 0]), 3)
    1.0
    """
    rows = []
    for k, (receptor, equal_taus) in enumerate(kinds):
        tau, rise = tau_ms[first_rows.shape[0] + k], tau_ms[receptor]
        decay = jnp.exp(-dt_ms / tau)
        gain = (
            jnp.e * dt_ms / tau * decay
            if equal_taus
            else peak_gain(rise, tau) * (decay - jnp.exp(-dt_ms / rise))
        )
        rows.append(decay * second_rows[k] + gain * first_rows[receptor])
    return jnp.stack(rows)


class Course(NamedTuple):
    """A term of a receptor's current or conductance over one step: (value + ramp t) exp(-t / tau).

    t is the time from the start of the step.

    value, ramp: (n_cells,); ramp None for an exponential, else per ms.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.synapses import Course
    >>> course = Course(receptor=0, value=jnp.array([20.0]), tau_ms=jnp.array(5.0))
    >>> course.ramp is None
    True
    """

    receptor: int
    value: jax.Array
    tau_ms: jax.Array
    ramp: jax.Array | None = None


def courses(
    first_rows: jax.Array,
    second_rows: jax.Array | None,
    tau_ms: jax.Array,
    kinds: tuple[RiseState, ...],
    dt_ms: jax.Array | float,
    conductive: tuple[bool, ...],
) -> list[Course]:
    """The terms of all receptors in the coming step, from all rows of state.

    One Course a receptor, and two for a difference of exponentials. conductive: which receptors are
    conductances. An alpha function is a ramp times an exponential. As a conductance it is replaced
    by the exponential of the same mean over the step, so that its charge is exact and the error
    over dt of second order, as for all conductances.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.synapses import courses
    >>> (course,) = courses(jnp.array([[20.0]]), None, jnp.array([5.0]), (), 0.1, (False,))
    >>> course.receptor, course.value.tolist()
    (0, [20.0])
    """
    n_receptors = first_rows.shape[0]
    second_by_receptor = {rise.receptor: (k, rise.equal_taus) for k, rise in enumerate(kinds)}
    course_list = []
    for receptor in range(n_receptors):
        row, tau = first_rows[receptor], tau_ms[receptor]
        if receptor not in second_by_receptor or second_rows is None:
            course_list.append(Course(receptor, row, tau))
            continue
        k, equal_taus = second_by_receptor[receptor]
        if equal_taus and not conductive[receptor]:
            course_list.append(Course(receptor, second_rows[k], tau, jnp.e / tau * row))
        elif equal_taus:
            dt_over_tau = dt_ms / tau
            course_list.append(
                Course(
                    receptor,
                    second_rows[k] + jnp.e * (1.0 - dt_over_tau / jnp.expm1(dt_over_tau)) * row,
                    tau,
                )
            )
        else:
            decay = tau_ms[n_receptors + k]
            decay_value = peak_gain(tau, decay) * row
            course_list += [
                Course(receptor, second_rows[k] + decay_value, decay),
                Course(receptor, -decay_value, tau),
            ]
    return course_list
