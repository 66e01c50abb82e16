"""The synapses of a net as lists of edges, and the deliveries that are built from them."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import narrow_dtype
from jtfne._grid import nearest_steps
from jtfne.delivery import (
    Delivery,
    DeliverySpec,
    EdgeList,
    Event,
    Ring,
    Sharded,
    SynapseSource,
    default_delivery,
)
from jtfne.flatnet._layout import RowLayout
from jtfne.flatnet._receptors import find_receptor_row
from jtfne.plastic import PlasticDelivery, build_plastic
from jtfne.synapses import PairSTDP
from jtfne.wiring import NetData, Projection

# edges sorted at a time, on each core, while rows are packed: some 100 MB of work area
CHUNK_EDGES = 1_000_000


def build_deliveries(
    net: NetData, layout: RowLayout, dt_ms: float, delivery: DeliverySpec | None, *, tracked: bool
) -> tuple[Delivery | None, tuple[PlasticDelivery, ...]]:
    """One delivery for the static synapses (or None), and one for each plasticity rule."""
    if not net.n_edges:
        return None, ()
    connections = net.config.circuit.connections
    codes_by_rule: dict[Any, list[int]] = {}
    for code, projection in enumerate(net.projections):
        rule = connections[projection.connection].plasticity
        codes_by_rule.setdefault(rule, []).append(code)
    choice = delivery
    if choice is None:
        choice = default_delivery(describe_synapses(net, layout, dt_ms, tracked=tracked))
        # PairSTDP has no sharded form: what is chosen here must not be refused
        if isinstance(choice, Sharded) and any(
            isinstance(rule, PairSTDP) for rule in codes_by_rule
        ):
            choice = Event()
    dtype = np.dtype(net.config.run.dtype)
    static_delivery: Delivery | None = None
    plastic: list[PlasticDelivery] = []
    for rule, codes in codes_by_rule.items():
        synapses = describe_synapses(net, layout, dt_ms, tracked=tracked, codes=codes)
        if rule is not None:
            plastic.append(build_plastic(rule, synapses, choice, dtype))
        elif synapses.n_edges:
            static_delivery = choice.build(synapses)
    return static_delivery, tuple(plastic)


def describe_synapses(
    net: NetData,
    layout: RowLayout,
    dt_ms: float,
    *,
    tracked: bool,
    codes: list[int] | None = None,
) -> SynapseSource:
    """Describe the synapses of a net (at least one) to build a delivery from; allocates nothing.

    codes: the projections to take, all by default; the ring buffer is that of all projections.
    """
    n_slots = _find_longest_steps(net.projections, dt_ms) + 1
    if codes is None:
        codes = list(range(len(net.projections)))
    projection_by_code = {code: net.projections[code] for code in codes}
    projections = tuple(projection_by_code.values())
    if any(projection.delay_ms.size > 1 for projection in projections):
        n_delays = n_slots - 1
    else:
        n_delays = len(
            {float(projection.delay_ms[0]) for projection in projections if projection.n_edges}
        )
    return SynapseSource(
        chunks=lambda: _iterate_edge_lists(projection_by_code, layout.receptors, dt_ms),
        degrees=lambda device_of, n_devices: _count_by_device(projections, device_of, n_devices),
        models=[model.rows for model in layout.models],
        n_edges=sum(projection.n_edges for projection in projections),
        n_delays=n_delays,
        ring=Ring(n_slots, len(layout.receptors), net.n_neurons),
        dtype=np.dtype(net.config.run.dtype),
        tracked=tracked,
    )


def list_edges(
    projections: tuple[Projection, ...],
    code: int,
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
) -> EdgeList:
    """All synapses of one projection, as deliveries are built from them."""
    projection = projections[code]
    n_sources = projection.indptr.size - 1
    return _slice_edges({code: projection}, receptors, dt_ms, 0, n_sources)


def concatenate_edges(parts: list[EdgeList]) -> EdgeList:
    """Edges of several deliveries, one after the other."""
    columns: dict[str, Any] = {}
    for field in dataclasses.fields(EdgeList):
        columns[field.name] = np.concatenate([getattr(part, field.name) for part in parts])
    return EdgeList(**columns)


def _find_longest_steps(projections: tuple[Projection, ...], dt_ms: float) -> int:
    """The longest delay of all, in steps."""
    longest = 0
    for projection in projections:
        if projection.n_edges:
            longest = max(longest, int(_round_delays(projection.longest_ms, dt_ms)[0]))
    return longest


def _round_delays(delay_ms: npt.NDArray[np.float32], dt_ms: float) -> npt.NDArray[np.int32]:
    """Delays rounded to the nearest step, at least one."""
    steps = np.maximum(nearest_steps(delay_ms, dt_ms), 1)
    return narrow_dtype(steps, np.int32, name="a delay in steps", where="FlatNet")


def _count_by_source(projections: tuple[Projection, ...]) -> npt.NDArray[np.int64]:
    """Edges of each source: (n_cells,)."""
    degrees: npt.NDArray[np.int64] = np.sum(
        [np.diff(projection.indptr) for projection in projections], axis=0
    )
    return degrees


def _count_by_device(
    projections: tuple[Projection, ...], device_of: npt.NDArray[Any], n_devices: int
) -> npt.NDArray[np.int64]:
    """Edges of each source to the cells of each device: (n_devices, n_cells)."""
    if n_devices == 1:
        return _count_by_source(projections)[None]
    degrees = np.zeros((n_devices, device_of.size), np.int64)
    device_codes = narrow_dtype(device_of, np.int16, name="a device", where="FlatNet")
    for projection in projections:
        device_of_edge = device_codes[projection.target]
        # half the memory where it will do
        is_small = device_of_edge.size <= np.iinfo(np.int32).max
        count_dtype = np.int32 if is_small else np.int64
        for device in range(n_devices):
            # edges to this device that come before each edge; row pointers cut the sum into sources
            n_before = np.concatenate([[0], np.cumsum(device_of_edge == device, dtype=count_dtype)])
            degrees[device] += np.diff(n_before[projection.indptr])
    return degrees


def _iterate_edge_lists(
    projections: dict[int, Projection], receptors: tuple[tuple[str, ...], ...], dt_ms: float
) -> Iterator[Callable[[], EdgeList]]:
    """Yield functions that make the synapses of some projections, a chunk of whole rows each.

    A chunk is some 10^6 edges. projections: by code.
    """
    degrees = _count_by_source(tuple(projections.values()))
    chunk_of_source = np.cumsum(degrees) // CHUNK_EDGES
    bounds = [0, *(np.flatnonzero(np.diff(chunk_of_source)) + 1).tolist(), degrees.size]
    for start, stop in itertools.pairwise(bounds):
        yield functools.partial(_slice_edges, projections, receptors, dt_ms, start, stop)


def _slice_edges(
    projections: dict[int, Projection],
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
    start: int,
    stop: int,
) -> EdgeList:
    """The synapses of the sources from `start` to before `stop`."""
    receptor_dtype = narrow_dtype(len(receptors), np.int16, name="receptors", where="FlatNet").dtype
    connection_dtype = narrow_dtype(
        max(projections, default=0), np.int16, name="a connection", where="FlatNet"
    ).dtype
    parts = []
    for code, projection in projections.items():
        edges = slice(int(projection.indptr[start]), int(projection.indptr[stop]))
        n_edges = edges.stop - edges.start
        delay_ms, weight = projection.delay_ms, projection.weight
        delay_ms = delay_ms if delay_ms.size == 1 else delay_ms[edges]
        weight = weight if weight.size == 1 else weight[edges]
        n_of_source = np.diff(projection.indptr[start : stop + 1])
        receptor_row = find_receptor_row(projection.mechanism, receptors)
        parts.append(
            EdgeList(
                source=np.repeat(np.arange(start, stop, dtype=np.int32), n_of_source),
                target=projection.target[edges],
                receptor=np.full(n_edges, receptor_row, receptor_dtype),
                delay_steps=np.broadcast_to(_round_delays(delay_ms, dt_ms), n_edges),
                weight=np.broadcast_to(weight.astype(np.float64), n_edges),
                connection=np.full(n_edges, code, connection_dtype),
            )
        )
    return concatenate_edges(parts)
