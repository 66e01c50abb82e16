"""Weights of all synapses: drawn weight times factor of the connection times gain of the pair."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._check import narrow_dtype, refuse
from jtfne._units import Floats32
from jtfne.config.labels import pair_label
from jtfne.config.parameter_paths import Place, is_constant, mean_weight
from jtfne.flatnet import FlatNet, list_edges
from jtfne.net import Net, construct
from jtfne.wiring import Projection, build_gain_matrix


@dataclasses.dataclass(frozen=True, eq=False)
class Weights:
    """The factors of every weight, of which some depend on values.

    drawn: weights of each projection without gains, (n_edges,) or (1,); 1 if a constant is tuned.
    gains: (n_types, n_types), as declared. of_pair: index of a path -> its entry of `gains`.
    of_connection: index of a path -> (projection, number that divides the value). code:
    (n_cells,), the type of each cell.
    Of one delivery (see `map_to_delivery`): weight, slot, connection, pair, (n_edges,) each, and the shape and
    dtype of its array of weights.
    """

    drawn: tuple[Floats32, ...]
    gains: Floats32
    of_pair: dict[int, tuple[int, int]]
    of_connection: dict[int, tuple[int, float]]
    code: npt.NDArray[np.int16]
    weight: Floats32 | None = None
    slot: npt.NDArray[np.int64] | None = None
    connection: npt.NDArray[np.int16] | None = None
    pair: npt.NDArray[np.int32] | None = None
    shape: tuple[int, ...] = ()
    dtype: Any = None

    def projections(
        self, originals: Sequence[Projection], values: Sequence[float]
    ) -> list[Projection]:
        """The projections with the weights of these values; unchanged ones are not copied."""
        factors, gains = self._factors(values, np), self._gains(values, np)
        changed_gains = np.zeros(self.gains.shape, np.bool_)
        for pair in self.of_pair.values():
            changed_gains[pair] = True
        changed_connections = {n for n, _ in self.of_connection.values()}
        new_projections = []
        for n, (projection, drawn_weight) in enumerate(zip(originals, self.drawn, strict=True)):
            ends = self.code[projection.source()], self.code[projection.target]
            if n in changed_connections or changed_gains[ends].any():
                weight = drawn_weight * factors[n]
                gain = gains[ends]
                uniform = not gain.size or bool(np.all(gain == gain[0]))
                weight = weight * (gain[:1] if uniform else gain) if gain.size else weight
                projection = dataclasses.replace(projection, weight=weight)
            new_projections.append(projection)
        return new_projections

    def map_to_delivery(self, flat: FlatNet, net: Net) -> "Weights":
        """The same weights, mapped to the array of `flat`'s delivery."""
        delivery: Any = flat.circuit.delivery
        connections = net.config.circuit.connections
        n_types = self.gains.shape[0]
        rows, offsets, drawn_weights, pairs = [], [], [], []
        static_connections, sizes = [], []
        for n, projection in enumerate(net.projections):
            if connections[projection.connection].plasticity is not None:
                continue  # not in this delivery
            edges = list_edges(net.projections, n, flat.receptors, flat.dt_ms)
            rows.append(edges.source.astype(np.int64))
            offsets.append(edges.offset(delivery.ring))
            drawn_weights.append(np.broadcast_to(self.drawn[n], edges.source.size))
            source_type = self.code[edges.source].astype(np.int32)
            pairs.append(source_type * n_types + self.code[edges.target])
            static_connections.append(n)
            sizes.append(edges.source.size)
        return dataclasses.replace(
            self,
            weight=np.concatenate(drawn_weights),
            slot=delivery.slots(np.concatenate(rows), np.concatenate(offsets)),
            connection=np.repeat(
                narrow_dtype(static_connections, np.int16, name="a connection", where="candidates"),
                sizes,
            ),
            pair=np.concatenate(pairs),
            shape=tuple(delivery.weights.shape),
            dtype=np.dtype(delivery.weights.dtype),
        )

    def __call__(self, values: Any, xp: Any) -> Any:
        """The delivery's array of weights, for these values."""
        assert self.weight is not None and self.slot is not None, "laid out"
        factors, gains = self._factors(values, xp), self._gains(values, xp)
        edge_weights = self.weight * factors[self.connection] * gains.reshape(-1)[self.pair]
        size = int(np.prod(self.shape))
        if xp is np:
            return (
                np.bincount(self.slot, edge_weights.astype(np.float64), size)
                .astype(self.dtype)
                .reshape(self.shape)
            )
        total: jax.Array = (
            jnp.zeros(size, self.dtype).at[self.slot].add(edge_weights.astype(self.dtype))
        )
        return total.reshape(self.shape)

    def _factors(self, values: Any, xp: Any) -> Any:
        """The factor of each connection: (n_connections,)."""
        factors = xp.ones(
            len(self.drawn), np.float32 if xp is np else self.dtype
        )  # as constructed, or as a run computes
        for k, (n, mean) in self.of_connection.items():
            factors = _set_entry(factors, n, values[k] / mean)
        return factors

    def _gains(self, values: Any, xp: Any) -> Any:
        """The gain of each pair: (n_types, n_types)."""
        gains = xp.array(self.gains, None if xp is np else self.dtype)
        for k, (i, j) in self.of_pair.items():
            gains = _set_entry(gains, (i, j), values[k])
        return gains


def _set_entry(array: Any, index: Any, value: Any) -> Any:
    """`array` with `value` at `index`; a numpy array is changed in place."""
    if isinstance(array, np.ndarray):
        array[index] = value
        return array
    return array.at[index].set(value)


def make_weights(net: Net, places: Sequence[Place], where: str) -> Weights | None:
    """The weights that depend on `places`, or None if none does.

    Raises: JtfneError that names a path on which no synapse depends, or whose synapses change as
    the run goes.
    """
    if not any(place.family in ("gains", "connections") for place in places):
        return None
    identity: Any = net.identity
    pairs: dict[str, tuple[int, int]] = {}
    for i, source in enumerate(identity.cell_types):
        for j, target in enumerate(identity.cell_types):
            pairs[pair_label(source, target)] = (i, j)
    of_pair: dict[int, tuple[int, int]] = {}
    of_connection: dict[int, tuple[int, float]] = {}
    drawn_weights = list(_draw_without_gains(net, where))
    connections = net.config.circuit.connections
    connection_indices = [projection.connection for projection in net.projections]
    for k, place in enumerate(places):
        if place.family == "gains":
            of_pair[k] = pairs[place.name]
        elif place.family == "connections":
            n = connection_indices.index(place.at)
            constant, mean = is_constant(connections[place.at]), mean_weight(connections[place.at])
            if mean == 0.0 and not constant:
                problem = f"path={place.path!r}, a weight of 0 that falls with distance,"
                raise refuse(problem, "another weight, which values can be told from", where)
            drawn_weights[n] = np.ones(1, np.float32) if constant else drawn_weights[n]
            of_connection[k] = (n, 1.0 if constant else mean)
    weights = Weights(
        tuple(drawn_weights),
        build_gain_matrix(identity, net.config.circuit.gains),
        of_pair,
        of_connection,
        identity.cell_type,
    )
    _refuse_unused(net, places, weights, where)
    return weights


def _draw_without_gains(net: Net, where: str) -> list[Floats32]:
    """The drawn weights of each projection, before gains.

    Raises: JtfneError if the net's edges are not those of its config.
    """
    if not net.config.circuit.gains:
        return [projection.weight for projection in net.projections]
    without_gains = net.config.connections(net.config.circuit.connections, gains={})
    drawn_projections = construct(without_gains).projections
    drawn_targets = [projection.target for projection in drawn_projections]
    targets = [projection.target for projection in net.projections]
    if len(targets) != len(drawn_targets) or not all(map(np.array_equal, targets, drawn_targets)):
        raise refuse(
            "a net with gains and other edges than its config's",
            "a net from jtfne.construct",
            where,
        )
    return [projection.weight for projection in drawn_projections]


def _refuse_unused(net: Net, places: Sequence[Place], weights: Weights, where: str) -> None:
    """Raises: JtfneError for a path that reaches no synapse, or a plastic one."""
    connections = net.config.circuit.connections
    for k, place in enumerate(places):
        if place.family not in ("gains", "connections"):
            continue
        connections_of_path = []
        for n, projection in enumerate(net.projections):
            if k in weights.of_connection:
                is_reached = n == weights.of_connection[k][0] and projection.n_edges > 0
            else:
                is_reached = _connects_pair(projection, weights.code, weights.of_pair[k])
            if is_reached:
                connections_of_path.append(connections[projection.connection])
        if not connections_of_path:
            problem = f"path={place.path!r}, on which nothing depends: no synapse was drawn,"
            raise refuse(problem, "a path to synapses that there are", where)
        if any(connection.plasticity is not None for connection in connections_of_path):
            problem = f"path={place.path!r}, to synapses that change as the run goes (plasticity),"
            raise refuse(problem, "a path to synapses that do not", where)


def _connects_pair(
    projection: Projection, code: npt.NDArray[np.int16], pair: tuple[int, int]
) -> bool:
    """Whether any edge of `projection` goes from the first cell type of `pair` to the second."""
    return bool(
        np.any((code[projection.source()] == pair[0]) & (code[projection.target] == pair[1]))
    )
