"""Checks of nets from files: whether their arrays agree with each other and with the config."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jtfne._check import describe_value, refuse
from jtfne.config import Config, Connection
from jtfne.config.defaults import SIGNS
from jtfne.pydantic_fields.field_types import MOST
from jtfne.wiring._draws import BLOCK
from jtfne.wiring._identity import Identity, select_with
from jtfne.wiring._projections import Projection

LONGEST_STEPS = 2**31 - 2  # delays are counted in int32
ROUNDING = 1e-6  # of a step: how far a delay, float32, may lie below it


def check_identity(identity: Identity, n_neurons: int, where: str) -> None:
    """Raises: JtfneError unless each of `n_neurons` cells has names, a position and its own id."""
    for name in ("area", "layer", "cell_type"):
        codes, vocabulary = identity.column(name)
        _check_array(codes, np.int16, (n_neurons,), f"{name} of cells", where)
        if not all(isinstance(label, str) for label in vocabulary) or len(set(vocabulary)) < len(
            vocabulary
        ):
            raise refuse(f"names {describe_value(vocabulary)} of {name}", "texts, each once", where)
        _check_range(codes, len(vocabulary), f"{name} of cells", where)
    _check_array(identity.position_mm, np.float64, (n_neurons, 3), "places of cells", where)
    _check_finite(identity.position_mm, "a place of a cell", where)
    _check_array(identity.ids, np.int32, (n_neurons,), "ids of cells", where)
    if n_neurons and (identity.ids.min() < 0 or np.unique(identity.ids).size < n_neurons):
        raise refuse(
            "an id of a cell that is negative or given twice",
            "an id of its own for each cell",
            where,
        )


def check_projection(
    projection: Projection, config: Config, identity: Identity | None, n_neurons: int, where: str
) -> None:
    """Raises: JtfneError unless rows, targets, weights and delays of a projection fit.

    They have to fit each other and the config.
    """
    index, connections = projection.connection, config.circuit.connections
    if type(index) is not int or not 0 <= index < len(connections):
        raise refuse(
            f"connection {describe_value(index)}",
            f"one of the {len(connections)} of the config",
            where,
        )
    if projection.mechanism != connections[index].mechanism:
        raise refuse(
            f"mechanism {projection.mechanism!r}",
            f"{connections[index].mechanism!r}, as declared",
            where,
        )
    where = f"{where}, connection {index}"
    indptr, target, n_edges = projection.indptr, projection.target, projection.n_edges
    _check_array(indptr, np.int64, (n_neurons + 1,), "indptr", where)
    if indptr[0] != 0 or indptr[-1] != n_edges or np.any(indptr[1:] < indptr[:-1]):
        raise refuse(
            "indptr that does not count the edges", f"0, then growing up to {n_edges}", where
        )
    _check_array(target, np.int32, (n_edges,), "targets", where)
    _check_range(target, n_neurons, "targets", where)
    _check_sorted(indptr, target, where)
    if identity is not None:
        _check_ends(projection, connections[index], identity, where)
    for name, values in (("weight", projection.weight), ("delay_ms", projection.delay_ms)):
        _check_array(values, np.float32, (1,) if values.shape == (1,) else (n_edges,), name, where)
        _check_finite(values, name, where)
    if projection.weight.size and (largest := float(np.abs(projection.weight).max())) > MOST:
        raise refuse(f"a weight of {largest:g}", f"at most {MOST:g}, as of a declared one", where)
    _check_signs(projection, config, identity, where)
    dt_ms, delay_ms = config.run.dt_ms, projection.delay_ms
    if (
        delay_ms.size
        and not dt_ms * (1 - ROUNDING) <= delay_ms.min() <= delay_ms.max() < dt_ms * LONGEST_STEPS
    ):
        description = f"delays of {delay_ms.min():g} to {delay_ms.max():g} ms"
        raise refuse(
            description,
            f"at least one step of {dt_ms:g} ms, and less than {LONGEST_STEPS:.3g}",
            where,
        )


def _check_ends(
    projection: Projection, connection: Connection, identity: Identity, where: str
) -> None:
    """Raises: JtfneError for edges from or to cells that the connection does not select."""
    is_source = np.diff(projection.indptr) > 0
    is_source[select_with(identity, connection.source, where=f"{where}, source")] = False
    if is_source.any():
        stray_id = int(identity.ids[np.argmax(is_source)])
        raise refuse(f"edges from the cell of id {stray_id}", "the cells of `source`", where)
    is_outside = np.ones(len(identity), dtype=np.bool_)
    is_outside[select_with(identity, connection.target, where=f"{where}, target")] = False
    if not is_outside.any():
        return
    # by blocks, since a file may hold more edges than memory
    for start in range(0, projection.n_edges, BLOCK):
        target = projection.target[start : start + BLOCK]
        is_stray = is_outside[target]
        if is_stray.any():
            stray_id = int(identity.ids[target[np.argmax(is_stray)]])
            raise refuse(f"an edge to the cell of id {stray_id}", "the cells of `target`", where)


def _check_signs(
    projection: Projection, config: Config, identity: Identity | None, where: str
) -> None:
    """Raises: JtfneError for weights of a wrong sign.

    The sign is that of the mechanism, or else of the cells that send.
    """
    weight = projection.weight
    if not weight.size:
        return
    low, high = float(weight.min()), float(weight.max())
    sign = config.circuit.mechanisms[projection.mechanism].sign
    if not sign and identity is not None:
        senders = np.unique(identity.cell_type[np.flatnonzero(np.diff(projection.indptr))])
        signs = {SIGNS.get(identity.cell_types[code], 0) for code in senders.tolist()}
        sign = signs.pop() if len(signs) == 1 else 0
    if low * sign < 0 or high * sign < 0 or low < 0 < high:
        allowed = {
            1: "weights of at least 0",
            -1: "weights of at most 0",
            0: "weights of one sign",
        }[sign]
        raise refuse(f"weights of {low:g} to {high:g}", allowed, where)


def _check_sorted(indptr: NDArray[np.int64], target: NDArray[np.int32], where: str) -> None:
    """Raises: JtfneError unless the targets of each source ascend."""
    # edges that begin anew: allowed where a row starts
    falls = np.flatnonzero(target[1:] < target[:-1]) + 1
    if falls.size and not np.isin(falls, indptr).all():
        raise refuse("targets out of order", "edges sorted by source, then target", where)


def _check_array(
    values: NDArray[Any], dtype: type, shape: tuple[int, ...], name: str, where: str
) -> None:
    """Raises: JtfneError unless an array has this dtype and shape."""
    if values.dtype != dtype or values.shape != shape:
        description = f"{name} of {values.dtype} and shape {values.shape}"
        raise refuse(description, f"{np.dtype(dtype)} and shape {shape}", where)


def _check_range(values: NDArray[Any], stop: int, name: str, where: str) -> None:
    """Raises: JtfneError unless all values lie in 0 .. stop - 1."""
    if values.size and not 0 <= values.min() <= values.max() < stop:
        description = f"{name} from {values.min()} to {values.max()}"
        raise refuse(description, f"0 to {stop - 1}", where)


def _check_finite(values: NDArray[Any], name: str, where: str) -> None:
    """Raises: JtfneError for NaN and infinity."""
    if not np.isfinite(values).all():
        raise refuse(f"{name} that is NaN or infinite", "finite numbers", where)
