"""Differentiable runs: from leaves of a circuit to its recordings, by surrogate spikes."""

import dataclasses
import warnings

import jax
import jax.numpy as jnp

from jtfne import _keys, engine
from jtfne._arguments import check_instance
from jtfne._check import number, refuse
from jtfne._precision import defined_jax_flags
from jtfne._tree import register
from jtfne.batch import Values, check_leaf_values, with_values
from jtfne.delivery import DenseDelivery, SparseDelivery
from jtfne.emitters import can_receive, has_method, uses_deprecated_name
from jtfne.flatnet import FlatNet
from jtfne.surrogates import Smoothed, Surrogate


@register
@dataclasses.dataclass(frozen=True)
class SpikeRows:
    """Engine recorder: spike counts of each cell in every `every` steps, as differentiable numbers.

    index: int32 (n,), the cells, or None for all. name: that of the readout.
    """

    every: int = dataclasses.field(default=1, metadata={"static": True})
    index: jax.Array | None = None
    name: str = dataclasses.field(default="spk", metadata={"static": True})

    def read(self, view: engine.View) -> jax.Array:
        """(n_cells,) 0 or 1."""
        return view.spikes.astype(view.i_ext_pA.dtype)

    def by_inputs(self, circuit: engine.Circuit) -> bool:
        """False: the recorder reads spikes, which inputs alone do not tell."""
        return False

    def finish(self, rows: jax.Array) -> dict[str, jax.Array]:
        """Counts (n_rows, n_cells), under the readout's name."""
        return {self.name: rows * self.every}


def with_surrogate(flat: FlatNet, surrogate: Surrogate) -> FlatNet:
    """The same circuit with spikes that have derivatives; as `net.to_flat(surrogate=...)` gives it.

    Raises: JtfneError for a number of `surrogate` out of its range, for a delivery or a rule of
    plasticity that goes from spike to spike, which has no gradient, and for an emitter of your own
    without `threshold_distance`.
    """
    allowed = "one of jtfne.surrogates, as SuperSpike()"
    check_instance(surrogate, Surrogate, allowed=allowed, name="surrogate", where="surrogate")
    strangers = [leaf for leaf in jax.tree.leaves(surrogate) if isinstance(leaf, Surrogate)]
    if strangers:
        raise refuse(
            f"surrogate {type(strangers[0]).__name__}, which JAX does not know as a tree,",
            "a dataclass that is registered as a pytree of jax",
            "surrogate",
        )
    base_surrogate = surrogate.surrogate if isinstance(surrogate, Smoothed) else surrogate
    for name, limit in base_surrogate.LIMITS.items():
        number(
            getattr(base_surrogate, name),
            limit,
            name=name,
            where=f"surrogate {type(base_surrogate).__name__}",
        )
    for delivery in flat.circuit.deliveries:
        if not isinstance(delivery, SparseDelivery | DenseDelivery):
            description = (
                f"a surrogate with {type(delivery).__name__}, which goes from spike to spike,"
            )
            raise refuse(
                description, "to_flat(delivery=Sparse() or Dense()), and no PairSTDP", "surrogate"
            )
    for group in flat.circuit.groups:
        emitter = group.emitter
        if not can_receive(emitter):
            continue
        if not has_method(emitter, "threshold_distance"):
            description = (
                f"a surrogate with {type(emitter).__name__}, which has no "
                "threshold_distance(before, after),"
            )
            raise refuse(
                description, "an emitter that says how far it stands above threshold", "surrogate"
            )
        if uses_deprecated_name(emitter, "threshold_distance"):
            message = f"rename excess of {type(emitter).__name__} to threshold_distance"
            warnings.warn(message, DeprecationWarning, stacklevel=3)
    numbers = jax.tree.map(
        lambda number: jnp.asarray(number, flat.circuit.drive_pA.dtype), surrogate
    )
    return dataclasses.replace(flat, circuit=dataclasses.replace(flat.circuit, surrogate=numbers))


def arrays_of(
    flat: FlatNet,
    key: jax.Array,
    *,
    n_steps: int,
    values: Values | None = None,
    inputs: engine.Inputs | None = None,
    clock: engine.InputChunk | None = None,
    recorders: tuple[engine.Recorder, ...] = (SpikeRows(),),
) -> dict[str, jax.Array]:
    """What recorders keep of a run from its start; pure, to `jit`, `vmap` and differentiate.

    A gradient through it takes memory that grows as the square root of `n_steps`, and runs the
    circuit twice.

    Parameters
    ----------
    flat : FlatNet
        A circuit with a surrogate. Give it to a jitted function as an argument, not as a constant
        in it.
    key : jax.Array
        As for `FlatNet.run`.
    n_steps : int
        Steps of ``flat.dt_ms``.
    values : mapping of str to array, optional
        New values of leaves by name (see `jtfne.batch.names_of`): drives, weights, time constants,
        noise.
    inputs, clock : as for `FlatNet.run`.
    recorders : tuple
        What to watch; those of probes, and `SpikeRows` for spikes. Each keeps a dict by readout.

    Returns
    -------
    dict of str to jax.Array
        By readout, the rows of all recorders: ``spk`` (n_rows, n_cells), channels (n_rows,
        n_channels).

    Raises
    ------
    JtfneError
        For a circuit without a surrogate, a name that is no leaf, an array of another shape, and
        steps that are not a whole number of each recorder's intervals.

    Examples
    --------
    >>> import jax, jtfne
    >>> from jtfne.differentiable import arrays_of
    >>> from jtfne.surrogates import SuperSpike
    >>> flat = jtfne.construct(jtfne.suite2_net1_config(50)).to_flat(surrogate=SuperSpike())
    >>> def n_spikes(drive_pA):
    ...     values = {"circuit.drive_pA": drive_pA}
    ...     return arrays_of(flat, jax.random.key(0), n_steps=200, values=values)["spk"].sum()
    >>> bool((jax.grad(n_spikes)(flat.circuit.drive_pA) > 0).any())
    True
    """
    if flat.circuit.surrogate is None:
        raise refuse(
            "a circuit without a surrogate", "net.to_flat(surrogate=SuperSpike())", "arrays_of"
        )
    new_flat = with_values(
        flat, check_leaf_values(flat, {} if values is None else values, (), "arrays_of")
    )
    circuit = new_flat.circuit
    inputs = engine.Inputs(jnp.zeros((0, circuit.n_cells))) if inputs is None else inputs
    clock = (
        engine.InputChunk(jnp.zeros((n_steps, 0)), jnp.zeros((n_steps, 0)))
        if clock is None
        else clock
    )
    with defined_jax_flags():
        carry = engine.start(circuit, inputs, _keys.streams(key))
        _, chunk = engine.advance_checkpointed(circuit, inputs, recorders, carry, clock, flat.dt_ms)
    return {name: rows for rows_by_name in chunk.recorded for name, rows in rows_by_name.items()}
