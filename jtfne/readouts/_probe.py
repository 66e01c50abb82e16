"""`Probe`: what a readout keeps inside the loop, and how that becomes labelled arrays."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne import _json
from jtfne._rows import MappedRows, Rows
from jtfne._tree import register
from jtfne.readouts._parts import Part

if TYPE_CHECKING:
    from jtfne.readouts._context import CellIdentity, ProbeContext
    from jtfne.readouts._readout import Readout

ROWS = 8
"""Rows that operators take at once.

Chunks are whole blocks, so a row has the same neighbours whatever the chunks.
"""

Array = npt.NDArray[Any]
Labelled = tuple[tuple[str, ...], Array]  # dims, values


@dataclasses.dataclass(frozen=True)
class ReadoutNode:
    """One node of the signals before it has labels: `values` by variable name, each with its dims.

    coords: name -> (dims, values). attrs: str, int and float only.
    """

    name: str
    values: Mapping[str, tuple[tuple[str, ...], Array | Rows]]
    coords: Mapping[str, Labelled]
    attrs: dict[str, str | int | float]


@dataclasses.dataclass(frozen=True)
class SpikeEvents:
    """All spikes of a run as columns, sorted by (trial, step, row of the cell).

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
    spikes: SpikeEvents
    on_disk: Mapping[str, Rows] | None = None

    def rows(
        self, name: str, change: Callable[[Array], Array] = lambda values: values
    ) -> Array | Rows:
        """Return what a readout kept, changed row by row by `change`.

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


class SourceCurrents(Protocol):
    """The currents that stand for each cell in a field: a source mode, loops, or sums by sign.

    `parts` names the arrays that `read` stacks, and the terms of each. The state of the engine is
    passed on as it is, since this room does not know the engine.
    """

    @property
    def kind(self) -> str:
        """Return the name of the mode."""
        ...

    @property
    def parts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the name and the terms of each array."""
        ...

    def read(self, view: Any) -> jax.Array:
        """Return the mean over the step, (n_parts, n_cells) pA."""
        ...

    def by_inputs(self, circuit: Any) -> bool:
        """Whether it needs only the synaptic input and the external current, not the cells."""
        ...


@register
@dataclasses.dataclass(frozen=True)
class SourceRows:
    """Engine recorder: mean source currents of every `every` steps.

    They are reduced at the end of a chunk by each part.
    """

    source: SourceCurrents
    parts: dict[str, Part]
    every: int = dataclasses.field(metadata={"static": True})

    @property
    def index(self) -> None:
        """None: all cells."""

    def read(self, view: Any) -> jax.Array:
        """Return the source, (n_parts, n_cells) pA."""
        return self.source.read(view)

    def by_inputs(self, circuit: Any) -> bool:
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

    def read(self, view: Any) -> jax.Array:
        """Return the membrane potential, (n_cells,) mV."""
        v_m_mV: jax.Array = view.v_m_mV()
        return v_m_mV

    def by_inputs(self, circuit: Any) -> bool:
        """False: it depends on the cells."""
        return False

    def finish(self, rows: jax.Array) -> dict[str, jax.Array]:
        """Return the rows under the readout's name."""
        return {self.name: rows}


@dataclasses.dataclass(frozen=True)
class Probe:
    """The probe of one readout: what a run must keep of it, and how that is labelled.

    A subclass says `recorder` and `values`, and what else differs.

    Attributes
    ----------
    declaration : Readout
    every : int
        Steps that one sample is the mean of.
    coords : dict
        Coordinates beside the time: name -> (dims, values).
    """

    declaration: "Readout"
    every: int
    coords: Mapping[str, Labelled]

    @property
    def name(self) -> str:
        """The name of the readout."""
        return self.declaration.readout

    @property
    def units(self) -> str:
        """The unit of the values."""
        return self.declaration.units

    @property
    def long_name(self) -> str:
        """What the values are, as text."""
        return self.declaration.long_name

    def recorder(self) -> SourceRows | VoltageRows | None:
        """Return the recorder that it needs, None if spikes are enough."""
        return None

    def combine(self, rows: Any, interval_ms: float) -> Any:
        """Return what was kept, (n_trials, n_rows, ...), as the readout has it; traceable.

        For what is only known once all rows are there. Gradients go through it.
        """
        return rows

    def operator(self) -> dict[str, Any] | None:
        """Return the parameters of its field operator for the manifest, None without one."""
        return None

    def readout(self, recording: Recording) -> ReadoutNode:
        """Return the values with their dims, coordinates and attributes."""
        sizes = [len(self.coords[dim][1]) for dim in self.declaration.dims[2:]]
        rows = recording.rows(self.name, lambda rows: rows.reshape(*rows.shape[:2], *sizes))
        return self.label(recording, rows, self.coords)

    def label(
        self, recording: Recording, values: Array | Rows, coords: Mapping[str, Labelled]
    ) -> ReadoutNode:
        """Return the node of `values`, whose dims are those of the declaration."""
        dims = self.declaration.dims
        if "time" in dims:
            coords = {"time": (("time",), recording.time_ms(self.every)), **coords}
        return ReadoutNode(
            self.name, {self.name: (dims, values)}, coords, self.attrs(self.every * recording.dt_ms)
        )

    def attrs(self, interval_ms: float) -> dict[str, str | int | float]:
        """Return the attributes that every readout carries."""
        attributes: dict[str, str | int | float] = {
            "readout": self.name,
            "long_name": self.long_name,
            "units": self.units,
            "proxy": int(self.declaration.proxy),
            "interval_ms": float(interval_ms),
        }
        operator = self.operator()
        return attributes if operator is None else {**attributes, "operator": _json.dumps(operator)}


@dataclasses.dataclass(frozen=True)
class FieldProbe(Probe):
    """The probe of a readout that is computed from the cells' currents inside the loop.

    Attributes
    ----------
    source : SourceCurrents
        The currents that the loop sums over each interval.
    part : Part
        What becomes of them at the end of a chunk.
    parameters : dict
        Of the operator, for the manifest: JSON-ready.
    channel_units : str, optional
        The unit, where it hangs on the channels.
    """

    source: SourceCurrents
    part: Part
    parameters: dict[str, Any]
    channel_units: str | None = None

    @classmethod
    def build(
        cls,
        declaration: Any,
        context: "ProbeContext",
        part: Part,
        coords: Mapping[str, Labelled],
        parameters: dict[str, Any],
        **fields: Any,
    ) -> Self:
        """Build the probe of `declaration`, which has a field `interval_ms`.

        fields: `source`, where it is not the source mode of the run, and others of the class.
        """
        every = context.count_steps(declaration.interval_ms)
        fields = {"source": context.source, **fields}
        return cls(declaration, every, coords, part=part, parameters=parameters, **fields)

    @property
    def units(self) -> str:
        """The unit of the values."""
        return self.declaration.units if self.channel_units is None else self.channel_units

    def recorder(self) -> SourceRows:
        """Return a recorder of the source, reduced by the part."""
        return SourceRows(self.source, {self.name: self.part}, self.every)

    def operator(self) -> dict[str, Any]:
        """Return the parameters of its field operator for the manifest."""
        return self.parameters


def label_neurons(
    identity: "CellIdentity | None", n_cells: int, rows: Array | None
) -> Mapping[str, Labelled]:
    """Return the coordinates of a neuron axis: ids, and names and places where the net has them."""
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
