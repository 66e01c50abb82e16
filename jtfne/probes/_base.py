"""What every probe offers: what to keep inside the loop, and how to name what was kept."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._rows import Mapped, Rows
from jtfne._tree import register
from jtfne.engine import Circuit, View
from jtfne.net import Identity
from jtfne.operators import Operator
from jtfne.sources import BySign, Loops, Source

ROWS = 8
"""Rows that operators take at once. Chunks are whole blocks, so a row has the same neighbours whatever the chunks."""

Array = npt.NDArray[Any]
Labelled = tuple[tuple[str, ...], Array]  # dims, values


@dataclasses.dataclass(frozen=True)
class Readout:
    """One node of the signals before it has labels: `values` by variable name, each with its dims.

    coords: name -> (dims, values). attrs: str, int and float only.
    """

    name: str
    values: Mapping[str, tuple[tuple[str, ...], Array | Rows]]
    coords: Mapping[str, Labelled]
    attrs: dict[str, str | int | float]


@dataclasses.dataclass(frozen=True)
class Spikes:
    """Who spiked when, over all trials, sorted by (trial, step, row): each (n_spikes,)."""

    trial: npt.NDArray[np.int32]
    step: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Recording:
    """What a run left: `kept` by readout name, (n_trials, n_rows, ...), and all spikes.

    on_disk: the same rows, if they lie on disk; `kept` then reads them whole, which only what is small should ask for.
    """

    n_trials: int
    n_steps: int
    dt_ms: float
    kept: Mapping[str, Array]
    spikes: Spikes
    on_disk: Mapping[str, Rows] | None = None

    def rows(self, name: str, change: Callable[[Array], Array] = lambda kept: kept) -> Array | Rows:
        """`change` of what was kept, row by row: (n_trials, n_rows, ...) -> the same first two axes."""
        return change(self.kept[name]) if self.on_disk is None else Mapped(self.on_disk[name], change)

    def time_ms(self, every: int) -> Array:
        """When each row ends: (n_rows,)."""
        return np.round(np.arange(1, self.n_steps // every + 1) * (every * self.dt_ms), 9)


class Part(Protocol):
    """What a probe makes of the rows of source currents; a pytree."""

    def __call__(self, rows: jax.Array) -> jax.Array:
        """(n_rows, n_parts, n_cells) pA -> (n_rows, ...)."""
        ...


@register
@dataclasses.dataclass(frozen=True)
class Linear:
    """Operators, one after the other, applied to the sum of the source's parts.

    maps: their matrices, (n_in, n_out) each: as a product of a few rows reads them, at half the cost of (n_out, n_in).
    """

    maps: tuple[jax.Array, ...]

    @classmethod
    def of(cls, operators: tuple[Operator, ...]) -> "Linear":
        """The operators, first to last."""
        return cls(tuple(jax.device_put(np.ascontiguousarray(np.asarray(each.matrix).T)) for each in operators))

    def __call__(self, rows: jax.Array) -> jax.Array:
        """(n_rows, n_parts, n_cells) pA -> (n_rows, n_channels)."""
        channels = rows.sum(1)
        for each in self.maps:
            channels = channels @ each
        return channels


@register
@dataclasses.dataclass(frozen=True)
class ByArea:
    """Loop currents of each area by a matrix of its own, the areas side by side; then further matrices.

    ranges: of each area, first and last + 1 of its cells. maps: of each area, (n_loops * n_cells, n_out). then: (n_in,
    n_out) each, the first of n_areas * n_out.
    """

    ranges: tuple[tuple[int, int], ...] = dataclasses.field(metadata={"static": True})
    maps: tuple[jax.Array, ...]
    then: tuple[jax.Array, ...] = ()

    def __call__(self, rows: jax.Array) -> jax.Array:
        """(n_rows, n_loops, n_cells) pA -> (n_rows, n_out)."""
        mine = (rows[:, :, first:last].reshape(rows.shape[0], -1) for first, last in self.ranges)
        found = jnp.concatenate([_exact(each, matrix) for each, matrix in zip(mine, self.maps, strict=True)], axis=1)
        for each in self.then:
            found = _exact(found, each)
        return found


def _exact(rows: jax.Array, matrix: jax.Array) -> jax.Array:
    """Their product in full precision, on accelerators too: sources and sinks all but cancel."""
    return jnp.matmul(rows, matrix, precision=jax.lax.Precision.HIGHEST)


@register
@dataclasses.dataclass(frozen=True)
class Sum:
    """What several parts make, added up."""

    parts: tuple[ByArea, ...]

    def __call__(self, rows: jax.Array) -> jax.Array:
        """(n_rows, n_loops, n_cells) pA -> (n_rows, n_out)."""
        found = self.parts[0](rows)
        for each in self.parts[1:]:
            found = found + each(rows)
        return found


@register
@dataclasses.dataclass(frozen=True)
class Keep:
    """The rows as they are."""

    def __call__(self, rows: jax.Array) -> jax.Array:
        """(n_rows, n_parts, n_cells) pA, unchanged."""
        return rows


@register
@dataclasses.dataclass(frozen=True)
class SourceRows:
    """Engine recorder: mean source currents of every `every` steps, reduced at the end of a chunk by each part."""

    source: Source | Loops | BySign
    parts: dict[str, Part]
    every: int = dataclasses.field(metadata={"static": True})

    @property
    def index(self) -> None:
        """All cells."""

    def read(self, view: View) -> jax.Array:
        """(n_parts, n_cells) pA."""
        return self.source.read(view)

    def by_inputs(self, circuit: Circuit) -> bool:
        """Where the source can be told from the inputs."""
        return self.source.by_inputs(circuit)

    def finish(self, rows: jax.Array) -> dict[str, jax.Array]:
        """What each probe keeps of the chunk, by blocks of `ROWS`: a product of more or fewer rows rounds otherwise."""
        n_blocks = -(-rows.shape[0] // ROWS)
        padded = jnp.pad(rows, ((0, n_blocks * ROWS - rows.shape[0]), (0, 0), (0, 0)))
        blocks = padded.reshape(n_blocks, ROWS, *rows.shape[1:])

        def finished(part: Part) -> jax.Array:
            kept: jax.Array = jax.lax.map(part, blocks)
            return kept.reshape(-1, *kept.shape[2:])[: rows.shape[0]]

        return {name: finished(part) for name, part in self.parts.items()}


@register
@dataclasses.dataclass(frozen=True)
class VoltageRows:
    """Engine recorder: membrane potential of some cells, mean of every `every` steps. index: int32 (n,) or None."""

    name: str = dataclasses.field(metadata={"static": True})
    index: jax.Array | None
    every: int = dataclasses.field(metadata={"static": True})

    def read(self, view: View) -> jax.Array:
        """(n_cells,) mV."""
        return view.v_m_mV()

    def by_inputs(self, circuit: Circuit) -> bool:
        """Never: it looks at cells."""
        return False

    def finish(self, rows: jax.Array) -> dict[str, jax.Array]:
        """The rows, under the readout's name."""
        return {self.name: rows}


class Probe(Protocol):
    """One readout."""

    @property
    def name(self) -> str:
        """The readout."""
        ...

    @property
    def every(self) -> int:
        """Steps that one sample is the mean of."""
        ...

    def recorder(self, source: Source) -> SourceRows | VoltageRows | None:
        """What must watch the run for it, if anything beyond spikes."""
        ...

    def readout(self, recording: Recording) -> Readout:
        """The labelled result."""
        ...

    def operator(self) -> dict[str, Any] | None:
        """The parameters of its field operator, for the manifest."""
        ...


def attrs(name: str, long_name: str, units: str, *, proxy: bool, interval_ms: float) -> dict[str, str | int | float]:
    """The attributes that every readout carries."""
    return {
        "readout": name,
        "long_name": long_name,
        "units": units,
        "proxy": int(proxy),
        "interval_ms": float(interval_ms),
    }


def neuron_coords(identity: Identity | None, n_cells: int, rows: Array | None) -> Mapping[str, Labelled]:
    """Coordinates of a neuron axis: ids, and names and places where the net has them."""
    if identity is None:
        ids = np.arange(n_cells) if rows is None else rows
        return {"neuron": (("neuron",), ids.astype(np.int64))}
    at = np.arange(n_cells) if rows is None else rows
    dims = ("neuron",)
    labels = {name: (dims, identity.texts(name)[at]) for name in ("area", "layer", "cell_type")}
    return {"neuron": (dims, identity.ids[at].astype(np.int64)), **labels, "z_mm": (dims, identity.position_mm[at, 2])}
