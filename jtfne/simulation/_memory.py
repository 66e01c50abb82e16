"""How much memory a run will take, told before it starts."""

import dataclasses
import math
import os
import resource
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from jtfne._check import JtfneError
from jtfne._cores import available_bytes, n_cores
from jtfne._precision import precision
from jtfne.config import Config
from jtfne.delivery import Choice, choose
from jtfne.flatnet import CHUNK_EDGES, mechanisms_of, receptors_of, synapses_of
from jtfne.net import Net
from jtfne.probes import Plan, SourceRows, VoltageRows
from jtfne.synapses import PairSTDP

MiB = 2**20
# Rises of resident memory that do not depend on the circuit, read stage by stage from /proc/self/statm in fresh
# processes: the middle of six circuits of 1 to 15,435 cells (Linux x86-64, CPU, Python 3.11, jax 0.10.2, pandas 3).
COMPILER_BYTES = 120 * MiB  # the first compilation, and the programs of a run: 86 to 140
LABELS_BYTES = 62 * MiB  # loading xarray and pandas: 57 to 72
# Bytes a piece of what is held at once while there are many of them.
EDGE_WORK_BYTES = 45  # an edge while rows are sorted and packed, of at most CHUNK_EDGES a core
SPIKE_BYTES = 100  # a spike as it comes (20), joined (20), as a table (16), and what sorts and hashes it
CELL_LABEL_BYTES = 400  # a cell's names and place, in two tables and as JSON while they are hashed
CELL_VALUES = 32  # numbers a cell: parameters, state, inputs and noise; more than any preset has
# Only the run tells its spikes. Cortical circuits of `presets` fire at 0.2 to 9 Hz by population (Potjans & Diesmann
# 2014, Cereb. Cortex 24:785-806, table 6), and at 10 Hz spikes weigh less than a hundredth of one membrane potential.
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
        """What the process does not hold yet."""
        return self.total_bytes - self.parts["process"]

    def __str__(self) -> str:
        """A line a part, and the sum."""
        rows = {**self.parts, "total": self.total_bytes}
        return "\n".join(f"{name:16} {size / MiB:10,.1f} MiB" for name, size in rows.items())

    def largest(self) -> str:
        """The three largest new parts, in words."""
        ordered = sorted(((size, name) for name, size in self.parts.items() if name != "process"), reverse=True)
        return ", ".join(f"{name} {_told(size)}" for size, name in ordered[:3])

    def longest_ms(self, free_bytes: int) -> float:
        """The duration whose new parts take `free_bytes`; not above 0 if there is none."""
        growing = sum(self.parts[name] for name in self.growing)
        return self.duration_ms * (free_bytes - self.new_bytes + growing) / max(growing, 1)


def estimated(
    net: Net,
    config: Config,
    planned: Plan,
    *,
    n_trials: int,
    length: int,
    on_disk: bool = False,
    delivery: Choice | None = None,
) -> MemoryEstimate:
    """The estimate from sizes alone: nothing is laid out or compiled for it.

    length: steps of a chunk. on_disk: only recordings that are needed whole are kept in memory.
    """
    run, n_cells, item = config.run, net.n_neurons, np.dtype(config.run.dtype).itemsize
    kept = [_kept(each, n_cells, length, config) for each in planned.recorders]
    whole = [_kept(each, n_cells, length, config) for each in planned.held_whole()] if on_disk else kept
    recorded = sum(each.chunk for each in kept) + 4 * length * math.ceil(n_cells / 32)
    at_once = 1 if on_disk else min(n_trials, n_cores())  # trials that run side by side
    seconds = run.duration_ms * 1e-3 * n_trials
    ring, edges = _circuit_sizes(net, config, delivery)
    growing = {
        "recordings": round(sum(each.a_ms for each in whole) * run.duration_ms * n_trials),
        "sums of sources": 0 if on_disk else round(sum(each.sums_a_ms for each in kept) * run.duration_ms * n_trials),
        "spikes": round(ASSUMED_RATE_Hz * n_cells * seconds * SPIKE_BYTES),
    }
    parts = {
        "process": resident_bytes(),
        "compiler": COMPILER_BYTES,
        "synapses": edges.arrays,
        "work area": edges.work,  # freed, but not given back to the system
        "inputs and state": (ring + CELL_VALUES * n_cells) * item * at_once,
        "chunks": (2 * recorded + sum(each.watched for each in kept)) * at_once,  # one is there while the next is made
        **growing,
        "labels": LABELS_BYTES * ("xarray" not in sys.modules) + CELL_LABEL_BYTES * n_cells,
    }
    return MemoryEstimate(parts, tuple(growing), duration_ms=run.duration_ms, n_cells=n_cells, n_trials=n_trials)


class _Edges(NamedTuple):
    """Bytes of the synapses' arrays, and of the work area in which they are made; none if that is done."""

    arrays: int
    work: int


def _circuit_sizes(net: Net, config: Config, delivery: Choice | None) -> tuple[int, _Edges]:
    """Entries of the ring buffer, and the synapses that the process does not hold yet."""
    mechanisms, dt_ms = mechanisms_of(config), config.run.dt_ms
    receptors = receptors_of(net, mechanisms, shared=True)
    if not net.n_edges:
        return len(receptors) * net.n_neurons, _Edges(0, 0)
    synapses = synapses_of(net, receptors, dt_ms, tracked=False)
    if net.has_flat(dt_ms=dt_ms, mechanisms=mechanisms, tracked=False, delivery=delivery):
        return synapses.ring.size, _Edges(0, 0)
    chosen = choose(synapses) if delivery is None else delivery
    work = EDGE_WORK_BYTES * min(net.n_edges, CHUNK_EDGES * n_cores())
    return synapses.ring.size, _Edges(chosen.n_bytes(synapses) + _learning_bytes(net, synapses.dtype.itemsize), work)


def _learning_bytes(net: Net, item: int) -> int:
    """What synapses of PairSTDP take beside their rows: place, source, and the weight in the state, twice in a step."""
    connections = net.config.circuit.connections
    n_learning = 0
    for projection in net.projections:
        if isinstance(connections[projection.connection].plasticity, PairSTDP):
            n_learning += projection.n_edges
    return n_learning * (8 + 2 * item)


class _Kept(NamedTuple):
    """What a recorder takes, in bytes: of a chunk, beside it, of a ms, and of a ms again when it is labelled."""

    chunk: int
    watched: int
    a_ms: float
    sums_a_ms: float


def _kept(recorder: SourceRows | VoltageRows, n_cells: int, length: int, config: Config) -> _Kept:
    """What `recorder` takes, from the shapes alone."""
    n_rows = length // recorder.every
    n_parts = len(recorder.source.parts) if isinstance(recorder, SourceRows) else 0
    watched, finished = shapes_of(recorder, n_rows, n_cells, config.run.dtype)
    sizes = {name: _size(each) for name, each in finished.items()}
    sums = sizes.get("source", 0) / max(n_parts, 1)  # of the source its sum is made beside its parts
    chunk, chunk_ms = sum(sizes.values()), n_rows * recorder.every * config.run.dt_ms
    return _Kept(chunk, _size(watched) if n_parts else 0, chunk / chunk_ms, sums / chunk_ms)


def shapes_of(recorder: SourceRows | VoltageRows, n_rows: int, n_cells: int, dtype: str) -> tuple[Any, dict[str, Any]]:
    """What stands for `n_rows` that `recorder` reads, and for what it makes of them by readout."""
    if isinstance(recorder, SourceRows):
        row: tuple[int, ...] = (len(recorder.source.parts), n_cells)
    else:
        row = (n_cells if recorder.index is None else recorder.index.size,)
    rows = _SHAPE((n_rows, *row), np.dtype(dtype))
    with precision(dtype):
        finished: dict[str, Any] = _FINISHED.eval_shape(recorder, rows)
    return rows, finished


# Never run, only asked for shapes, which jax remembers; Any, since jax has no types for either.
_FINISHED: Any = jax.jit(lambda recorder, rows: recorder.finish(rows))
_SHAPE: Any = jax.ShapeDtypeStruct


def _size(array: Any) -> int:
    """Bytes of an array, or of what stands for its shape."""
    n_bytes: int = math.prod(array.shape) * array.dtype.itemsize
    return n_bytes


def refuse_if_too_large(estimate: MemoryEstimate, *, on_disk: bool) -> None:
    """Raises: JtfneError if what the run needs beyond what the process holds exceeds what is free."""
    free = available_bytes()
    if estimate.new_bytes <= free:
        return
    limit_ms = estimate.longest_ms(free)
    cures = ["fewer cells or probes", "a longer interval_ms"]
    cures += ["a smaller chunk_steps"] if on_disk else ["out=, which keeps recordings on disk"]
    cures += [f"a duration below {limit_ms:.6g} ms"] if estimate.growing and limit_ms > 0 else []
    raise JtfneError(
        f"a run of {_told(estimate.new_bytes)} more memory ({estimate.n_cells} cells, {estimate.duration_ms:g} ms, "
        f"{estimate.n_trials} trials; {estimate.largest()}) does not fit; allowed: the {_told(free)} that are free; "
        f"what would make it fit: {', or '.join([', '.join(cures[:-1]), cures[-1]])} (in simulate)"
    )


def _told(n_bytes: int) -> str:
    """A size in words."""
    return f"{n_bytes / 2**30:.1f} GiB" if n_bytes >= 2**30 else f"{n_bytes / MiB:.1f} MiB"


def resident_bytes() -> int:
    """Memory that this process holds; where there is no /proc, the most that it has held."""
    try:
        with open("/proc/self/statm") as line:
            return int(line.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
