"""FlatNet: a circuit as a pytree of arrays, and from its rows back to names."""

import dataclasses
import warnings
from collections.abc import Iterable
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from jtfne import _keys, engine
from jtfne._arguments import check_flag, check_instance, check_list, check_names, describe_argument
from jtfne._check import POSITIVE, Limit, number, refuse, whole_number
from jtfne._precision import defined_jax_flags, precision
from jtfne._tree import register
from jtfne.config import Config
from jtfne.delivery import DeliverySpec, EdgeList, check_delivery_spec
from jtfne.flatnet._cells import (
    build_groups,
    name_cells,
    spread_first_potentials,
    spread_over_cells,
)
from jtfne.flatnet._edges import build_deliveries, concatenate_edges
from jtfne.flatnet._layout import lay_out_rows
from jtfne.flatnet._receptors import build_receptor_fields
from jtfne.wiring import Identity, NetData, Projection


@dataclasses.dataclass(frozen=True, eq=False)
class TrackingMaps:
    """What the arrays of a FlatNet stand for: names of rows, and the rule that drew each synapse.

    identity: row -> area, layer, cell type (codes and vocabularies), or None for a circuit without
    names. connections: code in `FlatNet.circuit.delivery.connection` -> index in
    `config.circuit.connections`. net_type: the class of net that `FlatNet.to_net` makes.
    """

    config: Config
    identity: Identity | None
    connections: tuple[int, ...]
    net_type: type[NetData] = NetData


@register
@dataclasses.dataclass(frozen=True)
class FlatNet:
    """A circuit as a pytree of arrays, ready to `jit`, `vmap` and shard.

    `FlatModel` is the same object.

    Attributes
    ----------
    circuit : jtfne.engine.Circuit
        Cell parameters, synapses, drive and noise as arrays; what an optimizer may touch.
    receptors : tuple of tuple of str
        Mechanisms of each row of the synaptic currents: one each, or, without tracking, all that
        decay alike, since such currents may be added up as they arrive.
    dt_ms : float
        The grid on which delays were laid.
    tracking : TrackingMaps
        From rows and synapses back to names.

    Examples
    --------
    >>> import jax
    >>> import jtfne
    >>> flat = jtfne.construct(jtfne.suite2_net1_config(20)).to_flat()
    >>> carry, chunk = flat.run(jax.random.key(0), n_steps=10)
    >>> flat.circuit.drive_pA.shape, flat.dt_ms
    ((20,), 0.1)
    """

    circuit: engine.Circuit
    receptors: tuple[tuple[str, ...], ...] = dataclasses.field(metadata={"static": True})
    dt_ms: float = dataclasses.field(metadata={"static": True})
    tracking: TrackingMaps = dataclasses.field(metadata={"static": True})

    @classmethod
    def of(
        cls,
        net: NetData,
        *,
        dt_ms: float,
        mechanisms: Iterable[str] = (),
        tracked: bool = True,
        delivery: DeliverySpec | None = None,
    ) -> Self:
        """The arrays of `net` on a grid of `dt_ms`.

        mechanisms: names that get a receptor besides those in use.

        Raises: JtfneError for an unknown mechanism, and as `delivery` does.
        """
        check_instance(
            net,
            NetData,
            allowed="a Net, from jtfne.construct(config)",
            name="net",
            where="FlatNet.of",
        )
        check_layout(dt_ms, mechanisms, tracked, delivery, "FlatNet.of")
        layout = lay_out_rows(net, mechanisms, shared=not tracked)
        populations = net.populations
        dtype = np.dtype(net.config.run.dtype)
        static_delivery, plastic = build_deliveries(net, layout, dt_ms, delivery, tracked=tracked)
        drive_pA = spread_over_cells(populations, "drive")
        noise_pA = spread_over_cells(populations, "noise")
        # mechanisms of one row have the same kinetics: the first stands for all
        synapses = [net.config.circuit.mechanisms[names[0]] for names in layout.receptors]
        circuit = engine.Circuit(
            groups=build_groups(layout.models, dtype, dt_ms),
            delivery=static_delivery,
            drive_pA=jnp.asarray(drive_pA, dtype),
            noise_pA=jnp.asarray(noise_pA, dtype) if noise_pA.any() else None,
            v_init_mV=spread_first_potentials(populations, dtype),
            n_cells=net.n_neurons,
            plastic=plastic,
            cell_names=jnp.asarray(name_cells(populations)),
            **build_receptor_fields(synapses, dtype),
        )
        connections = tuple(projection.connection for projection in net.projections)
        tracking = TrackingMaps(net.config, net.identity, connections, type(net))
        return cls(circuit, layout.receptors, dt_ms, tracking)

    def run(
        self,
        key: jax.Array,
        *,
        n_steps: int,
        inputs: engine.Inputs | None = None,
        clock: engine.InputChunk | None = None,
        recorders: tuple[engine.Recorder, ...] = (),
    ) -> tuple[engine.Carry, engine.Chunk]:
        """Simulate `n_steps` from the start: a pure function, to `jit` and `vmap`.

        Parameters
        ----------
        key : jax.Array
            Base key; initial state, noise and stimulus draw from named streams under it.
        n_steps : int
            Steps of `dt_ms`.
        inputs, clock : optional
            Stimuli as arrays (see `jtfne.engine`); none by default.
        recorders : tuple
            What to record.

        Returns
        -------
        tuple of Carry and Chunk
            The state at the end, and packed spikes with what was recorded.
        """
        _check_run(key, n_steps, inputs, clock, recorders)
        with defined_jax_flags():
            inputs = (
                engine.Inputs(jnp.zeros((0, self.circuit.n_cells))) if inputs is None else inputs
            )
            clock = (
                engine.InputChunk(jnp.zeros((n_steps, 0)), jnp.zeros((n_steps, 0)))
                if clock is None
                else clock
            )
            carry = engine.start(self.circuit, inputs, _keys.streams(key))
            return engine.advance(self.circuit, inputs, recorders, carry, clock, self.dt_ms)

    def to_net(self) -> NetData:
        """The Net of these arrays.

        Synapses that met in delay, receptor and target stay merged, and delays are on the grid.

        Raises: JtfneError if the arrays were made without tracking.
        """
        deliveries, tracking = self.circuit.deliveries, self.tracking
        if not deliveries:
            return tracking.net_type(tracking.config, tracking.identity, ())
        if deliveries[0].connection is None:
            raise refuse(
                "a FlatNet without tracking", "one made by Net.to_flat()", "FlatNet.to_net"
            )
        edges = concatenate_edges([delivery.edges() for delivery in deliveries])
        projections = [self._build_projection(edges, k) for k in range(len(tracking.connections))]
        return tracking.net_type(tracking.config, tracking.identity, projections)

    def with_learned_weights(self, state: engine.Carry) -> Self:
        """The same circuit with the weights that PairSTDP had reached in `state`.

        Parameters
        ----------
        state : Carry
            The first of what `run` returns.

        Returns
        -------
        FlatNet
            Its `to_net()` has the weights by name.

        Examples
        --------
        >>> import jax, jtfne
        >>> flat = jtfne.construct(jtfne.suite2_net1_config(20)).to_flat()
        >>> state, _ = flat.run(jax.random.key(0), n_steps=10)
        >>> flat.with_learned_weights(state).to_net().n_edges == flat.to_net().n_edges
        True
        """
        plastic = []
        for delivery, delivery_state in zip(self.circuit.plastic, state.plastic, strict=True):
            plastic.append(delivery.with_learned_weights(delivery_state))
        circuit = dataclasses.replace(self.circuit, plastic=tuple(plastic))
        return dataclasses.replace(self, circuit=circuit)

    def learned(self, carry: engine.Carry) -> Self:
        """The older name of `with_learned_weights`, which is to be used instead."""
        warnings.warn(
            "FlatNet.learned is now FlatNet.with_learned_weights", DeprecationWarning, stacklevel=2
        )
        return self.with_learned_weights(carry)

    def _build_projection(self, edges: EdgeList, code: int) -> Projection:
        """The synapses of one connection as a Projection."""
        edge_rows = np.flatnonzero(edges.connection == code)
        counts = np.bincount(edges.source[edge_rows], minlength=self.circuit.n_cells)
        index = self.tracking.connections[code]
        return Projection(
            connection=index,
            mechanism=self.tracking.config.circuit.connections[index].mechanism,
            indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            target=edges.target[edge_rows],
            weight=edges.weight[edge_rows].astype(np.float32),
            delay_ms=(edges.delay_steps[edge_rows] * self.dt_ms).astype(np.float32),
        )


def flatten_net(
    net: NetData,
    *,
    dt_ms: float,
    mechanisms: Iterable[str] = (),
    tracked: bool = True,
    delivery: DeliverySpec | None = None,
) -> FlatNet:
    """The arrays of `net` from `FlatNet.of`, made once for each set of arguments."""
    key = _make_key(net, dt_ms, mechanisms, tracked, delivery)
    with precision(net.config.run.dtype):
        return net.remembered(
            key,
            lambda: FlatNet.of(
                net, dt_ms=dt_ms, mechanisms=mechanisms, tracked=tracked, delivery=delivery
            ),
        )


def has_flat(
    net: NetData,
    *,
    dt_ms: float,
    mechanisms: Iterable[str] = (),
    tracked: bool = True,
    delivery: DeliverySpec | None = None,
) -> bool:
    """Whether the arrays that `flatten_net` gives for these arguments are there already."""
    return net.remembers(_make_key(net, dt_ms, mechanisms, tracked, delivery))


def _make_key(
    net: NetData,
    dt_ms: float,
    mechanisms: Iterable[str],
    tracked: bool,
    delivery: DeliverySpec | None,
) -> tuple[Any, ...]:
    """The key under which a net remembers one of its sets of arrays."""
    return float(dt_ms), tuple(mechanisms), tracked, net.config.run.dtype, delivery


def check_layout(dt_ms: Any, mechanisms: Any, tracked: Any, delivery: Any, where: str) -> None:
    """Raises: JtfneError for arguments of `Net.to_flat` of a wrong type, or a step of no length."""
    number(dt_ms, POSITIVE, name="dt_ms", where=where)
    check_names(mechanisms, name="mechanisms", where=where)
    check_flag(tracked, name="tracked", where=where)
    check_delivery_spec(delivery, where)


def _check_run(key: Any, n_steps: Any, inputs: Any, clock: Any, recorders: Any) -> None:
    """Raises: JtfneError for arguments of `FlatNet.run` of a wrong type; values are not checked."""
    where, dtype = "FlatNet.run", getattr(key, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key) or np.shape(key) != ():
        raise refuse(f"key={describe_argument(key)}", "one key, as jax.random.key(0)", where)
    whole_number(n_steps, Limit(low=1, high=2**31 - 1), name="n_steps", where=where)
    if inputs is not None:
        check_instance(
            inputs,
            engine.Inputs,
            allowed="jtfne.engine.Inputs, or None",
            name="inputs",
            where=where,
        )
    if clock is not None:
        check_instance(
            clock,
            engine.InputChunk,
            allowed="a jtfne.engine.InputChunk, or None",
            name="clock",
            where=where,
        )
    allowed = "a tuple of recorders"
    for recorder in check_list(recorders, allowed=allowed, name="recorders", where=where):
        if isinstance(recorder, type) or not callable(getattr(recorder, "finish", None)):
            raise refuse(f"recorders with {describe_argument(recorder)}", allowed, where)
