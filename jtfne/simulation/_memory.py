"""How much memory a run will take, estimated before it starts."""

import dataclasses
import math
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from jtfne._check import JtfneError
from jtfne._cores import available_bytes, n_cores, resident_bytes
from jtfne._precision import precision
from jtfne.config import Config
from jtfne.delivery import DeliverySpec, default_delivery
from jtfne.flatnet import CHUNK_EDGES, describe_synapses, has_flat, lay_out_rows, mechanisms_of
from jtfne.probes import Plan, SourceRows, VoltageRows
from jtfne.readouts import Keep
from jtfne.synapses import PairSTDP
from jtfne.wiring import NetData

MiB = 2**20
# Rises of resident memory that do not depend on the circuit, read stage by stage from
# /proc/self/statm in fresh
# processes: the middle of six circuits of 1 to 15,435 cells (Linux x86-64, CPU, Python 3.11, jax
# 0.10.2, pandas 3).
COMPILER_BYTES = 120 * MiB  # the first compilation, and the programs of a run: 86 to 140
LABELS_BYTES = 62 * MiB  # loading xarray and pandas: 57 to 72
# Bytes a piece of what is held at once while there are many of them.
EDGE_WORK_BYTES = 45  # an edge while rows are sorted and packed, of at most CHUNK_EDGES a core
# a spike as it comes (20), joined (20), as a table (16), and what sorts and hashes it
SPIKE_BYTES = 100
CELL_LABEL_BYTES = 400  # a cell's names and place, in two tables and as JSON while they are hashed
CELL_VALUES = 32  # numbers a cell: parameters, state, inputs and noise; more than any preset has
# Only the run tells its spikes. Cortical circuits of `presets` fire at 0.2 to 9 Hz by population
# (Potjans & Diesmann
# 2014, Cereb. Cortex 24:785-806, table 6), and at 10 Hz spikes weigh less than a hundredth of one
# membrane potential.
ASSUMED_RATE_Hz = 10.0


@dataclasses.dataclass(frozen=True)
class MemoryEstimate:
    """The peak of a process's resident memory in a run, part by part.

    Attributes
    ----------
    parts : dict of str to int
        Bytes held at the peak; `process` is what the process holds now.
    growing : tuple of str
        Parts in proportion to the duration.
    duration_ms : float
    n_cells, n_trials : int
    """

    parts: Mapping[str, int]
    growing: tuple[str, ...]
    duration_ms: float
    n_cells: int
    n_trials: int

    @property
    def total_bytes(self) -> int:
        """The peak."""
        return sum(self.parts.values())

    @property
    def new_bytes(self) -> int:
        """Bytes that the process will take beyond those that it holds now."""
        return self.total_bytes - self.parts["process"]

    def __str__(self) -> str:
        """Return a table: a line a part, and the sum."""
        rows = {**self.parts, "total": self.total_bytes}
        return "\n".join(f"{name:16} {size / MiB:10,.1f} MiB" for name, size in rows.items())

    def largest(self) -> str:
        """Return the three largest new parts as text."""
        sizes = sorted(
            ((size, name) for name, size in self.parts.items() if name != "process"), reverse=True
        )
        return ", ".join(f"{name} {_format_bytes(size)}" for size, name in sizes[:3])

    def longest_ms(self, free_bytes: int) -> float:
        """Return the duration whose new parts take `free_bytes`; not above 0 if there is none."""
        growing = sum(self.parts[name] for name in self.growing)
        return self.duration_ms * (free_bytes - self.new_bytes + growing) / max(growing, 1)


def estimate_sizes(
    net: NetData,
    config: Config,
    probe_plan: Plan,
    *,
    n_trials: int,
    length: int,
    on_disk: bool = False,
    delivery: DeliverySpec | None = None,
) -> MemoryEstimate:
    """Estimate the memory of a run from sizes alone: nothing is laid out or compiled for it.

    length: steps of a chunk. on_disk: only recordings that are needed whole are kept in memory.
    """
    run, n_cells, item = config.run, net.n_neurons, np.dtype(config.run.dtype).itemsize
    recorder_sizes = [
        _measure_recorder(recorder, n_cells, length, config) for recorder in probe_plan.recorders
    ]
    whole_sizes = (
        [
            _measure_recorder(recorder, n_cells, length, config)
            for recorder in probe_plan.held_whole()
        ]
        if on_disk
        else recorder_sizes
    )
    chunk_bytes = sum(sizes.chunk for sizes in recorder_sizes) + 4 * length * math.ceil(
        n_cells / 32
    )
    at_once = 1 if on_disk else min(n_trials, n_cores())  # trials that run side by side
    seconds = run.duration_ms * 1e-3 * n_trials
    ring, edges = _circuit_sizes(net, config, delivery)
    growing = {
        "recordings": round(
            sum(sizes.per_ms for sizes in whole_sizes) * run.duration_ms * n_trials
        ),
        "sums of sources": 0
        if on_disk
        else round(sum(sizes.sums_per_ms for sizes in recorder_sizes) * run.duration_ms * n_trials),
        "spikes": round(ASSUMED_RATE_Hz * n_cells * seconds * SPIKE_BYTES),
    }
    parts = {
        "process": resident_bytes(),
        "compiler": COMPILER_BYTES,
        "synapses": edges.arrays,
        "work area": edges.work,  # freed, but not given back to the system
        "inputs and state": (ring + CELL_VALUES * n_cells) * item * at_once,
        "chunks": (2 * chunk_bytes + sum(sizes.scratch for sizes in recorder_sizes))
        * at_once,  # one is there while the next is made
        **growing,
        "labels": LABELS_BYTES * ("xarray" not in sys.modules) + CELL_LABEL_BYTES * n_cells,
    }
    return MemoryEstimate(
        parts, tuple(growing), duration_ms=run.duration_ms, n_cells=n_cells, n_trials=n_trials
    )


class _Edges(NamedTuple):
    """Bytes of the synapses' arrays, and of the work area where they are made; 0 once made."""

    arrays: int
    work: int


def _circuit_sizes(
    net: NetData, config: Config, delivery: DeliverySpec | None
) -> tuple[int, _Edges]:
    """Return the entries of the ring buffer, and the bytes of synapses not yet in memory."""
    mechanisms, dt_ms = mechanisms_of(config), config.run.dt_ms
    layout = lay_out_rows(net, mechanisms)
    if not net.n_edges:
        return len(layout.receptors) * net.n_neurons, _Edges(0, 0)
    synapses = describe_synapses(net, layout, dt_ms, tracked=False)
    if has_flat(net, dt_ms=dt_ms, mechanisms=mechanisms, tracked=False, delivery=delivery):
        return synapses.ring.size, _Edges(0, 0)
    delivery_spec = default_delivery(synapses) if delivery is None else delivery
    work = EDGE_WORK_BYTES * min(net.n_edges, CHUNK_EDGES * n_cores())
    return synapses.ring.size, _Edges(
        delivery_spec.n_bytes(synapses) + _learning_bytes(net, synapses.dtype.itemsize), work
    )


def _learning_bytes(net: NetData, item: int) -> int:
    """Return the bytes of the synapses of PairSTDP beside their rows.

    For each: place, source, and the weight in the state, twice in a step.
    """
    connections = net.config.circuit.connections
    n_learning = 0
    for projection in net.projections:
        if isinstance(connections[projection.connection].plasticity, PairSTDP):
            n_learning += projection.n_edges
    return n_learning * (8 + 2 * item)


class _RecorderBytes(NamedTuple):
    """Bytes of a recorder.

    chunk: of a chunk; scratch: beside the chunk, while it is made; per_ms: of a ms kept;
    sums_per_ms: of a ms again while it is labelled.
    """

    chunk: int
    scratch: int
    per_ms: float
    sums_per_ms: float


def _measure_recorder(
    recorder: SourceRows | VoltageRows, n_cells: int, length: int, config: Config
) -> _RecorderBytes:
    """Return the bytes of `recorder`, from the shapes alone."""
    n_rows = length // recorder.every
    n_parts = len(recorder.source.parts) if isinstance(recorder, SourceRows) else 0
    rows, arrays = eval_recorder_shapes(recorder, n_rows, n_cells, config.run.dtype)
    sizes = {name: _size(shape) for name, shape in arrays.items()}
    # where rows are kept as they are, the sum over the parts is made beside them
    kept = [name for name, part in getattr(recorder, "parts", {}).items() if isinstance(part, Keep)]
    sums = sum(sizes[name] for name in kept) / max(n_parts, 1)
    chunk, chunk_ms = sum(sizes.values()), n_rows * recorder.every * config.run.dt_ms
    return _RecorderBytes(chunk, _size(rows) if n_parts else 0, chunk / chunk_ms, sums / chunk_ms)


def eval_recorder_shapes(
    recorder: SourceRows | VoltageRows, n_rows: int, n_cells: int, dtype: str
) -> tuple[Any, dict[str, Any]]:
    """Return the shape of `n_rows` that `recorder` reads, and of what it keeps, by readout."""
    if isinstance(recorder, SourceRows):
        row: tuple[int, ...] = (len(recorder.source.parts), n_cells)
    else:
        row = (n_cells if recorder.index is None else recorder.index.size,)
    rows = _SHAPE((n_rows, *row), np.dtype(dtype))
    with precision(dtype):
        outputs: dict[str, Any] = _FINISHED.eval_shape(recorder, rows)
    return rows, outputs


# Never run, only asked for shapes, which jax remembers; Any, since jax has no types for either.
_FINISHED: Any = jax.jit(lambda recorder, rows: recorder.finish(rows))
_SHAPE: Any = jax.ShapeDtypeStruct


def _size(array: Any) -> int:
    """Return the bytes of an array, or of a description of its shape and dtype."""
    n_bytes: int = math.prod(array.shape) * array.dtype.itemsize
    return n_bytes


def refuse_if_too_large(estimate: MemoryEstimate, *, on_disk: bool) -> None:
    """Raises: JtfneError if the run needs more new memory than is free."""
    free_bytes = available_bytes()
    if estimate.new_bytes <= free_bytes:
        return
    limit_ms = estimate.longest_ms(free_bytes)
    cures = ["fewer cells or probes", "a longer interval_ms"]
    cures += ["a smaller chunk_steps"] if on_disk else ["out=, which keeps recordings on disk"]
    cures += [f"a duration below {limit_ms:.6g} ms"] if estimate.growing and limit_ms > 0 else []
    new_text, free_text = _format_bytes(estimate.new_bytes), _format_bytes(free_bytes)
    raise JtfneError(
        f"a run of {new_text} more memory ({estimate.n_cells} cells, {estimate.duration_ms:g} ms, "
        f"{estimate.n_trials} trials; {estimate.largest()}) does not fit; allowed: the "
        f"{free_text} that are free; "
        f"what would make it fit: {', or '.join([', '.join(cures[:-1]), cures[-1]])} (in simulate)"
    )


def _format_bytes(n_bytes: int) -> str:
    """Format a size for people."""
    return f"{n_bytes / 2**30:.1f} GiB" if n_bytes >= 2**30 else f"{n_bytes / MiB:.1f} MiB"
