"""`source`: the current that stands for each cell in the fields."""

import dataclasses
import operator
from typing import ClassVar, Literal

import numpy as np

from jtfne._rows import Rows
from jtfne.pydantic_fields.field_types import Positive
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._parts import Keep
from jtfne.readouts._probe import Probe, label_neurons
from jtfne.readouts._readout import Readout
from jtfne.readouts._recording import Array, ReadoutNode, Recording, SourceCurrents, SourceRows


class SourceProbe(Readout):
    """`source`: the declared source of each neuron, pA, as means over `interval_ms`.

    Examples
    --------
    >>> import jtfne
    >>> (probe,) = jtfne.Config().probes(["source"]).readouts.probes
    >>> type(probe).__name__, probe.units, probe.dims
    ('SourceProbe', 'pA', ('trial', 'time', 'neuron'))
    """

    kind: Literal["SourceProbe"] = "SourceProbe"
    interval_ms: Positive = 1.0

    readout: ClassVar[str] = "source"
    aliases: ClassVar[tuple[str, ...]] = ("src", "sources")
    long_name: ClassVar[str] = "source current, outward positive"
    short_name: ClassVar[str] = "source current"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "neuron")
    coords: ClassVar[tuple[str, ...]] = ("neuron", "[area]", "[layer]", "[cell_type]", "[z_mm]")
    units: ClassVar[str] = "pA"
    proxy: ClassVar[bool] = False
    needs_identity: ClassVar[bool] = False

    def build(self, context: ProbeContext) -> "SourceCurrentProbe":
        """Return the probe of the source of all cells."""
        coords = label_neurons(context.identity, context.n_cells, None)
        return SourceCurrentProbe(
            self, context.count_steps(self.interval_ms), coords, context.source
        )


@dataclasses.dataclass(frozen=True)
class SourceCurrentProbe(Probe):
    """The probe of the declared source of every cell."""

    source: SourceCurrents

    @property
    def long_name(self) -> str:
        """What the values are, with the source mode."""
        return f"source current ({self.source.kind}), outward positive"

    def recorder(self) -> SourceRows:
        """Return a recorder that keeps the rows themselves."""
        return SourceRows(self.source, {self.name: Keep()}, self.every)

    def readout(self, recording: Recording) -> ReadoutNode:
        """Return (trial, time, neuron) pA, outward positive.

        A source of several parts has each of them beside the sum.
        """
        total = recording.rows(self.name, lambda rows: rows.sum(2))
        node = self.label(recording, total, self.coords)
        values: dict[str, tuple[tuple[str, ...], Array | Rows]] = dict(node.values)
        names = [name for name, _ in self.source.parts]
        for k, name in enumerate(names if len(names) > 1 else ()):
            rows = recording.rows(self.name, operator.itemgetter(np.s_[:, :, k]))
            values[f"{self.name}_{name}"] = (self.declaration.dims, rows)
        return dataclasses.replace(node, values=values)
