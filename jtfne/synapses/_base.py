"""What every synapse says of itself: its kinetics as rows of state that each decay exponentially."""

from typing import ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp


class Second(NamedTuple):
    """A second row of state that a receptor has, beside the one on which its spikes arrive.

    receptor: which one. linked: the first row feeds it, and it is what the cell sees (an alpha function); else the
    cell sees the sum of both, of which this one is negative (a difference of exponentials).
    """

    receptor: int
    linked: bool


class Kinetics(Protocol):
    """A synapse: what one spike does. All fields but `sign` are traced.

    unit: of a weight, which is the peak of what the spike adds; pA or nS. linked: as of `Second`, None without one.
    order: in dt, of what a LIF makes of it between spikes; None if that is exact on any grid.
    """

    unit: ClassVar[str]
    linked: ClassVar[bool | None]
    order: ClassVar[int | None]

    @property
    def sign(self) -> int:
        """What weights may be: 1 positive, -1 negative, 0 as the source's cell type says."""
        ...

    @property
    def taus_ms(self) -> tuple[jax.Array | float, ...]:
        """Decay of the row on which spikes arrive, and of the second row if there is one."""
        ...


def peak_gain(tau_rise_ms: jax.Array, tau_decay_ms: jax.Array) -> jax.Array:
    """What makes the peak of exp(-t/tau_decay) - exp(-t/tau_rise) one.

    Source: Roth & van Rossum (2009), in Computational Modeling Methods for Neuroscientists, MIT Press, ch. 6.
    """
    ratio = tau_rise_ms / tau_decay_ms
    return jnp.exp(-ratio / (1.0 - ratio) * jnp.log(ratio)) / (1.0 - ratio)


def advanced(
    rows: jax.Array, arrived: jax.Array, tau_ms: jax.Array, second: tuple[Second, ...], dt_ms: jax.Array | float
) -> jax.Array:
    """All rows of state (n_rows, n_cells) after dt, and what has then arrived at each receptor (n_receptors, n_cells).

    tau_ms: (n_rows,), those of the receptors first, then those of `second`. Exact on the grid.
    """
    n_receptors = arrived.shape[0]
    decay = jnp.exp(-dt_ms / tau_ms)
    gains = [jnp.ones((), tau_ms.dtype)] * n_receptors
    seconds = []
    for k, (receptor, linked) in enumerate(second, start=n_receptors):
        if linked:
            gains[receptor] = jnp.full((), jnp.e, tau_ms.dtype)
            seconds.append(decay[k] * (rows[k] + dt_ms / tau_ms[k] * rows[receptor]))
        else:
            gains[receptor] = peak_gain(tau_ms[k], tau_ms[receptor])
            seconds.append(decay[k] * rows[k] - gains[receptor] * arrived[receptor])
    firsts = [decay[k] * rows[k] + gain * arrived[k] for k, gain in enumerate(gains)]
    return jnp.stack(firsts + seconds)


def exponentials(
    rows: jax.Array, tau_ms: jax.Array, second: tuple[Second, ...], dt_ms: jax.Array | float
) -> list[tuple[int, jax.Array, jax.Array]]:
    """The input of the step that begins, as exponentials: receptor, value now (n_cells,), and its decay, of each.

    An alpha function is not one: it is told as the exponential with its mean over the step, so that its charge is
    exact, and what follows of it over dt is of second order.
    """
    n_receptors = tau_ms.shape[0] - len(second)
    of = {each.receptor: (k, each.linked) for k, each in enumerate(second, start=n_receptors)}
    found = []
    for receptor in range(n_receptors):
        first, tau = rows[receptor], tau_ms[receptor]
        if receptor not in of:
            found.append((receptor, first, tau))
            continue
        k, linked = of[receptor]
        if linked:
            turns = dt_ms / tau
            found.append((receptor, rows[k] + (1.0 - turns / jnp.expm1(turns)) * first, tau))
        else:
            found += [(receptor, first, tau), (receptor, rows[k], tau_ms[k])]
    return found
