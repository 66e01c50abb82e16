"""`Probe`: what a readout records in a run, and how that becomes labelled arrays."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np

from jtfne import _json
from jtfne._rows import Rows
from jtfne.readouts._context import CellIdentity, ProbeContext
from jtfne.readouts._parts import Part
from jtfne.readouts._recording import (
    Array,
    Labelled,
    ReadoutNode,
    Recording,
    SourceCurrents,
    SourceRows,
    VoltageRows,
)


class ReadoutFacts(Protocol):
    """The facts of a readout that its probe uses."""

    @property
    def readout(self) -> str:
        """The name."""

    @property
    def dims(self) -> tuple[str, ...]:
        """The dimensions of the values."""

    @property
    def units(self) -> str:
        """The unit of the values."""

    @property
    def long_name(self) -> str:
        """What the values are, as text."""

    @property
    def proxy(self) -> bool:
        """Whether the unit is arbitrary or relative."""

    @property
    def needs_whole_run(self) -> bool:
        """Whether the values are known only once all rows are there."""


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

    Examples
    --------
    >>> from jtfne.config import Spikes
    >>> from jtfne.readouts import Probe
    >>> probe = Probe(Spikes(), every=1, coords={})
    >>> probe.name, probe.attrs(interval_ms=0.1)["units"], probe.operator() is None
    ('spk', 'ms', True)
    """

    declaration: ReadoutFacts
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

    Examples
    --------
    >>> from jtfne.config import SourceProbe
    >>> from jtfne.readouts import FieldProbe, Keep
    >>> probe = FieldProbe(SourceProbe(), 10, {}, None, Keep(), {"name": "nothing is changed"})
    >>> probe.operator()["name"], probe.units
    ('nothing is changed', 'pA')
    """

    source: SourceCurrents
    part: Part
    parameters: dict[str, Any]
    channel_units: str | None = None

    @classmethod
    def build(
        cls,
        declaration: Any,
        context: ProbeContext,
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
    identity: CellIdentity | None, n_cells: int, rows: Array | None
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
