"""Source modes: which terms of a cell's current balance stand for it in the fields. One mode a run.

A mode is declared in `jtfne.config`, which says its terms; here is how it reads them.

Currents are transmembrane, pA, outward positive, so that an excitatory input is a sink (negative),
as in current-source density. The terms of a cell sum to zero: capacitive + ionic + synaptic +
external = 0.
"""

import dataclasses
from typing import ClassVar, Protocol

import jax
import jax.numpy as jnp

from jtfne import config as declared
from jtfne._tree import register
from jtfne.engine import Circuit, View

SPIKE_CHARGE_fC = 1.0  # what one spike counts for in the spike proxy; 1 fC = 1 pA ms
Parts = tuple[tuple[str, tuple[str, ...]], ...]  # each part's name, and the terms that it sums


class Source(Protocol):
    """A source mode: the currents that stand for each cell in the fields.

    `parts` names the arrays that `read` stacks, each a sum of `terms`; their sum is the source.
    """

    kind: ClassVar[str]
    parts: ClassVar[Parts]

    def read(self, view: View) -> jax.Array:
        """Return the mean over the step, (n_parts, n_cells) pA."""
        ...

    def by_inputs(self, circuit: Circuit) -> bool:
        """Whether it needs only the synaptic input and the external current, not the cells."""
        ...


@register
@dataclasses.dataclass(frozen=True)
class InputCurrent:
    """Synaptic + external: drive, noise and stimuli stand for input that is not modelled."""

    kind: ClassVar[str] = "input_current"
    parts: ClassVar[Parts] = (("input", declared.InputCurrent.terms),)

    def read(self, view: View) -> jax.Array:
        """Return (1, n_cells) pA; equal and opposite to capacitive + ionic."""
        if view.circuit.only_currents:
            return -(view.syn.mean_pA(view.dt_ms) + view.i_ext_pA)[None]
        return (view.balance().synaptic - view.i_ext_pA)[None]

    def by_inputs(self, circuit: Circuit) -> bool:
        """True if all synapses are currents: others depend on the membrane potential."""
        return circuit.only_currents


@register
@dataclasses.dataclass(frozen=True)
class TotalMembraneCurrent:
    """Capacitive + ionic + synaptic: for a point cell, minus the external current."""

    kind: ClassVar[str] = "total_membrane_current"
    parts: ClassVar[Parts] = (("membrane", declared.TotalMembraneCurrent.terms),)

    def read(self, view: View) -> jax.Array:
        """Return (1, n_cells) pA."""
        balance = view.balance()
        return (balance.capacitive + balance.ionic + balance.synaptic)[None]

    def by_inputs(self, circuit: Circuit) -> bool:
        """False: it depends on the cells."""
        return False


@register
@dataclasses.dataclass(frozen=True)
class Decomposed:
    """Capacitive + ionic and synaptic as two parts; the fields see their sum, once."""

    kind: ClassVar[str] = "decomposed"
    # its terms as declared, in two
    parts: ClassVar[Parts] = (
        ("nonsynaptic", ("capacitive", "ionic")),
        ("synaptic", ("synaptic",)),
    )

    def read(self, view: View) -> jax.Array:
        """Return (2, n_cells) pA."""
        balance = view.balance()
        return jnp.stack([balance.capacitive + balance.ionic, balance.synaptic])

    def by_inputs(self, circuit: Circuit) -> bool:
        """False: it depends on the cells."""
        return False


@register
@dataclasses.dataclass(frozen=True)
class SynapticCurrent:
    """The synaptic current only."""

    kind: ClassVar[str] = "synaptic_current"
    parts: ClassVar[Parts] = (("synaptic", declared.SynapticCurrent.terms),)

    def read(self, view: View) -> jax.Array:
        """Return (1, n_cells) pA."""
        if view.circuit.only_currents:
            return -view.syn.mean_pA(view.dt_ms)[None]
        # what a conductance or a jump brings hangs on the membrane
        return view.balance().synaptic[None]

    def by_inputs(self, circuit: Circuit) -> bool:
        """True if all synapses are currents: others depend on the membrane potential."""
        return circuit.only_currents


@register
@dataclasses.dataclass(frozen=True)
class SpikeProxy:
    """Spikes with unit charge: 1 fC each, so that a mean over an interval does not depend on dt."""

    kind: ClassVar[str] = "spike_proxy"
    parts: ClassVar[Parts] = (("spikes", declared.SpikeProxy.terms),)

    def read(self, view: View) -> jax.Array:
        """Return (1, n_cells) pA."""
        return (view.spikes * (SPIKE_CHARGE_fC / view.dt_ms)).astype(view.i_ext_pA.dtype)[None]

    def by_inputs(self, circuit: Circuit) -> bool:
        """False: it depends on spikes."""
        return False
