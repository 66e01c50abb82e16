"""What every synapse offers: its kinetics as rows of state that each decay exponentially."""

from typing import ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from jtfne._check import Limit

SITE: dict[str, Limit] = {"dendrite_share": Limit(0.0, 1.0)}  # where on a cell, of every synapse


class Second(NamedTuple):
    """A second row of state that a receptor has: what the cell sees, fed by the row on which spikes
    arrive.

    receptor: which one. linked: both decay alike (an alpha function); else the first is the rise,
    the second the decay (a difference of exponentials). The first row alone takes what arrives, so
    that the ring is read once.
    """

    receptor: int
    linked: bool


class Kinetics(Protocol):
    """A synapse: what one spike does. All fields but `sign` are traced.

    unit: of a weight, which is the peak of what the spike adds, pA or nS, or by how much v jumps,
    mV. linked: as of `Second`, None without one.
    order: in dt, of what a LIF makes of it between spikes; None if that is exact on any grid.
    dendrite_share: how much of it arrives at the dendrite of a `TwoCompartment`, 0 to 1; None as
    that cell says. A cell of one compartment has no use for it.
    """

    unit: ClassVar[str]
    linked: ClassVar[bool | None]
    order: ClassVar[int | None]

    @property
    def sign(self) -> int:
        """The sign of weights: 1 positive, -1 negative, 0 as the source's cell type says."""
        ...

    @property
    def dendrite_share(self) -> jax.Array | float | None:
        """The share that arrives at a dendrite, or None as the cell says."""
        ...

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """Time constants of the row on which spikes arrive, and of the second row, if any."""
        ...


def peak_gain(tau_rise_ms: jax.Array, tau_decay_ms: jax.Array) -> jax.Array:
    """The factor that makes the peak of exp(-t/tau_decay) - exp(-t/tau_rise) one.

    Source: Roth & van Rossum (2009), in Computational Modeling Methods for Neuroscientists, MIT
    Press, ch. 6.
    """
    ratio = tau_rise_ms / tau_decay_ms
    return jnp.exp(-ratio / (1.0 - ratio) * jnp.log(ratio)) / (1.0 - ratio)


def advanced(
    first: jax.Array,
    second: jax.Array,
    tau_ms: jax.Array,
    kinds: tuple[Second, ...],
    dt_ms: jax.Array | float,
) -> jax.Array:
    """The second rows (n_second, n_cells) after dt, from all rows before; exact on the grid.

    first: (n_receptors, n_cells), the rows on which spikes arrive. tau_ms: (n_rows,), theirs, then
    those of `second`.
    """
    rows = []
    for k, (receptor, equal_taus) in enumerate(kinds):
        tau, rise = tau_ms[first.shape[0] + k], tau_ms[receptor]
        decay = jnp.exp(-dt_ms / tau)
        gain = (
            jnp.e * dt_ms / tau * decay
            if equal_taus
            else peak_gain(rise, tau) * (decay - jnp.exp(-dt_ms / rise))
        )
        rows.append(decay * second[k] + gain * first[receptor])
    return jnp.stack(rows)


class Course(NamedTuple):
    """What a cell sees of a receptor in the step that begins: (value + ramp t) exp(-t / tau), t
    from its start.

    value, ramp: (n_cells,); ramp None for an exponential, else per ms.
    """

    receptor: int
    value: jax.Array
    tau_ms: jax.Array
    ramp: jax.Array | None = None


def courses(
    first: jax.Array,
    second: jax.Array | None,
    tau_ms: jax.Array,
    kinds: tuple[Second, ...],
    dt_ms: jax.Array | float,
    conductive: tuple[bool, ...],
) -> list[Course]:
    """What the cells see of each receptor in the coming step, from all rows of state.

    One Course a receptor, and two for a difference of exponentials. conductive: which receptors are
    conductances. An alpha function is a ramp times an exponential. As a conductance it is replaced
    by the exponential of the same mean over the step, so that its charge is exact and the error
    over dt of second order, as for all conductances.
    """
    n_receptors = first.shape[0]
    second_by_receptor = {
        second_row.receptor: (k, second_row.linked) for k, second_row in enumerate(kinds)
    }
    course_list = []
    for receptor in range(n_receptors):
        row, tau = first[receptor], tau_ms[receptor]
        if receptor not in second_by_receptor or second is None:
            course_list.append(Course(receptor, row, tau))
            continue
        k, equal_taus = second_by_receptor[receptor]
        if equal_taus and not conductive[receptor]:
            course_list.append(Course(receptor, second[k], tau, jnp.e / tau * row))
        elif equal_taus:
            dt_over_tau = dt_ms / tau
            course_list.append(
                Course(
                    receptor,
                    second[k] + jnp.e * (1.0 - dt_over_tau / jnp.expm1(dt_over_tau)) * row,
                    tau,
                )
            )
        else:
            decay = tau_ms[n_receptors + k]
            decay_value = peak_gain(tau, decay) * row
            course_list += [
                Course(receptor, second[k] + decay_value, decay),
                Course(receptor, -decay_value, tau),
            ]
    return course_list
