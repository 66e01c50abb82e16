"""`vm`: membrane potential."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

import jax
import numpy as np

from jtfne.pydantic_fields.field_types import Positive
from jtfne.pydantic_fields.selector_field import Selection, Selector
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._probe import Probe, label_neurons
from jtfne.readouts._readout import FigureSpec, Readout
from jtfne.readouts._recording import Array, VoltageRows


class Voltage(Readout):
    """`vm`: membrane potential of the selected `cells`, mV.

    At every step, or as means over `interval_ms`.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.config import Voltage
    >>> (probe,) = jtfne.Config().probes([Voltage(cells="PV", interval_ms=1.0)]).readouts.probes
    >>> probe.readout, probe.units, probe.cells.cell_type
    ('vm', 'mV', ('PV',))
    """

    kind: Literal["Voltage"] = "Voltage"
    interval_ms: Positive | None = None
    cells: Selection = Selector()

    readout: ClassVar[str] = "vm"
    aliases: ClassVar[tuple[str, ...]] = ("V_m", "v_m", "voltage")
    long_name: ClassVar[str] = "membrane potential"
    short_name: ClassVar[str] = "membrane potential"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "neuron")
    coords: ClassVar[tuple[str, ...]] = ("neuron", "[area]", "[layer]", "[cell_type]", "[z_mm]")
    units: ClassVar[str] = "mV"
    proxy: ClassVar[bool] = False
    needs_identity: ClassVar[bool] = False
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "04_vm": FigureSpec(
            "potentials",
            "Membrane potentials of a few cells, labelled by layer, type and id.",
        ),
    }

    def build(self, context: ProbeContext) -> "VoltageProbe":
        """Return the probe of the potential of the selected cells."""
        all_cells = self.cells == Selector()
        rows = None if all_cells else context.choose_rows(self.cells, "Voltage.cells")
        coords = label_neurons(context.identity, context.n_cells, rows)
        return VoltageProbe(self, context.count_steps(self.interval_ms), coords, rows)


@dataclasses.dataclass(frozen=True)
class VoltageProbe(Probe):
    """The probe of the membrane potential of `index` (all cells if None)."""

    index: Array | None

    def recorder(self) -> VoltageRows:
        """Return a recorder of the cells' v_m_mV."""
        index = None if self.index is None else jax.device_put(self.index.astype(np.int32))
        return VoltageRows(self.name, index, self.every)
