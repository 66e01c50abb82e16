"""The interface of a probe: what to keep inside the loop, and how to label what was kept."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._rows import MappedRows, Rows
from jtfne._tree import register
from jtfne.engine import Circuit, View
from jtfne.operators import Operator
from jtfne.sources import BySign, Source, SourceSinkCurrents
from jtfne.wiring import Identity

ROWS = 8
"""Rows that operators take at once.

Chunks are whole blocks, so a row has the same neighbours whatever the chunks.
"""

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
    """Who spiked when, over all trials, sorted by (trial, step, row).

    Each field is (n_spikes,).
    """

    trial: npt.NDArray[np.int32]
    step: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Recording:
    """The output of a run: kept rows and spikes.

    kept: by readout name, (n_trials, n_rows, ...). on_disk: the same rows, if they lie on disk;
    `kept` then reads them whole, which is only for what is small.
    """

    n_trials: int
    n_steps: int
    dt_ms: float
    kept: Mapping[str, Array]
    spikes: Spikes
    on_disk: Mapping[str, Rows] | None = None

    def rows(
        self, name: str, change: Callable[[Array], Array] = lambda values: values
    ) -> Array | Rows:
        """Return `change` of what was kept, row by row.

        (n_trials, n_rows, ...) -> the same first two axes.
        """
        return (
            change(self.kept[name])
            if self.on_disk is None
            else MappedRows(self.on_disk[name], change)
        )

    def time_ms(self, every: int) -> Array:
        """Return the time at which each row ends: (n_rows,)."""
        return np.round(np.arange(1, self.n_steps // every + 1) * (every * self.dt_ms), 9)


class Part(Protocol):
    """What a probe computes from the rows of source currents; a pytree."""

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Reduce (n_rows, n_parts, n_cells) pA to (n_rows, ...)."""
        ...


@register
@dataclasses.dataclass(frozen=True)
class Linear:
    """Operators, one after the other, applied to the sum of the source's parts.

    maps: their matrices, (n_in, n_out) each: a product of a few rows reads these at half the cost
    of (n_out, n_in).
    """

    maps: tuple[jax.Array, ...]

    @classmethod
    def from_operators(cls, operators: tuple[Operator, ...]) -> "Linear":
        """Build the part of `operators`, first to last."""
        return cls(
            tuple(
                jax.device_put(np.ascontiguousarray(np.asarray(operator.matrix).T))
                for operator in operators
            )
        )

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Reduce (n_rows, n_parts, n_cells) pA to (n_rows, n_channels)."""
        channels = rows.sum(1)
        for matrix in self.maps:
            channels = channels @ matrix
        return channels


@register
@dataclasses.dataclass(frozen=True)
class ByArea:
    """Loop currents of each area by a matrix of its own; then further matrices.

    The areas are side by side. ranges: of each area, first and last + 1 of its cells. maps: of each
    area, (n_loops * n_cells, n_out). then: (n_in, n_out) each, the first of n_areas * n_out.
    """

    ranges: tuple[tuple[int, int], ...] = dataclasses.field(metadata={"static": True})
    maps: tuple[jax.Array, ...]
    then: tuple[jax.Array, ...] = ()

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Reduce (n_rows, n_loops, n_cells) pA to (n_rows, n_out)."""
        currents_by_area = (
            rows[:, :, first:last].reshape(rows.shape[0], -1) for first, last in self.ranges
        )
        channels = jnp.concatenate(
            [
                _multiply_exactly(currents, matrix)
                for currents, matrix in zip(currents_by_area, self.maps, strict=True)
            ],
            axis=1,
        )
        for matrix in self.then:
            channels = _multiply_exactly(channels, matrix)
        return channels


def _multiply_exactly(rows: jax.Array, matrix: jax.Array) -> jax.Array:
    """Multiply in full precision, on accelerators too.

    Sources and sinks all but cancel, so that rounding of the factors would show.
    """
    return jnp.matmul(rows, matrix, precision=jax.lax.Precision.HIGHEST)


@register
@dataclasses.dataclass(frozen=True)
class Sum:
    """The sum of several parts."""

    parts: tuple[ByArea, ...]

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Reduce (n_rows, n_loops, n_cells) pA to (n_rows, n_out)."""
        total = self.parts[0](rows)
        for part in self.parts[1:]:
            total = total + part(rows)
        return total


@register
@dataclasses.dataclass(frozen=True)
class Keep:
    """Keeps the rows as they are."""

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Return the rows unchanged, (n_rows, n_parts, n_cells) pA."""
        return rows


@register
@dataclasses.dataclass(frozen=True)
class SourceRows:
    """Engine recorder: mean source currents of every `every` steps.

    They are reduced at the end of a chunk by each part.
    """

    source: Source | SourceSinkCurrents | BySign
    parts: dict[str, Part]
    every: int = dataclasses.field(metadata={"static": True})

    @property
    def index(self) -> None:
        """None: all cells."""

    def read(self, view: View) -> jax.Array:
        """Return the source, (n_parts, n_cells) pA."""
        return self.source.read(view)

    def by_inputs(self, circuit: Circuit) -> bool:
        """Whether the source depends on the inputs alone."""
        return self.source.by_inputs(circuit)

    def finish(self, rows: jax.Array) -> dict[str, jax.Array]:
        """Return what each probe keeps of the chunk.

        Rows are taken by blocks of `ROWS`: a product of more or fewer rows rounds differently.
        """
        n_blocks = -(-rows.shape[0] // ROWS)
        padded_rows = jnp.pad(rows, ((0, n_blocks * ROWS - rows.shape[0]), (0, 0), (0, 0)))
        blocks = padded_rows.reshape(n_blocks, ROWS, *rows.shape[1:])

        def finish_part(part: Part) -> jax.Array:
            results: jax.Array = jax.lax.map(part, blocks)
            return results.reshape(-1, *results.shape[2:])[: rows.shape[0]]

        return {name: finish_part(part) for name, part in self.parts.items()}


@register
@dataclasses.dataclass(frozen=True)
class VoltageRows:
    """Engine recorder: membrane potential of some cells, mean of every `every` steps.

    index: int32 (n,) or None.
    """

    name: str = dataclasses.field(metadata={"static": True})
    index: jax.Array | None
    every: int = dataclasses.field(metadata={"static": True})

    def read(self, view: View) -> jax.Array:
        """Return the membrane potential, (n_cells,) mV."""
        return view.v_m_mV()

    def by_inputs(self, circuit: Circuit) -> bool:
        """False: it depends on the cells."""
        return False

    def finish(self, rows: jax.Array) -> dict[str, jax.Array]:
        """Return the rows under the readout's name."""
        return {self.name: rows}


class Probe(Protocol):
    """The probe of one readout."""

    @property
    def name(self) -> str:
        """The name of the readout."""
        ...

    @property
    def every(self) -> int:
        """The number of steps that one sample is the mean of."""
        ...

    def recorder(self, source: Source) -> SourceRows | VoltageRows | None:
        """Return the recorder that it needs, None if spikes are enough."""
        ...

    def readout(self, recording: Recording) -> Readout:
        """Return the values with their dims and coordinates."""
        ...

    def operator(self) -> dict[str, Any] | None:
        """Return the parameters of its field operator, for the manifest."""
        ...


def attrs(
    name: str, long_name: str, units: str, *, proxy: bool, interval_ms: float
) -> dict[str, str | int | float]:
    """Return the attributes that every readout carries."""
    return {
        "readout": name,
        "long_name": long_name,
        "units": units,
        "proxy": int(proxy),
        "interval_ms": float(interval_ms),
    }


def neuron_coords(
    identity: Identity | None, n_cells: int, rows: Array | None
) -> Mapping[str, Labelled]:
    """Coordinates of a neuron axis: ids, and names and places where the net has them."""
    if identity is None:
        ids = np.arange(n_cells) if rows is None else rows
        return {"neuron": (("neuron",), ids.astype(np.int64))}
    cell_rows = np.arange(n_cells) if rows is None else rows
    dims = ("neuron",)
    labels = {
        name: (dims, identity.texts(name)[cell_rows]) for name in ("area", "layer", "cell_type")
    }
    return {
        "neuron": (dims, identity.ids[cell_rows].astype(np.int64)),
        **labels,
        "z_mm": (dims, identity.position_mm[cell_rows, 2]),
    }
