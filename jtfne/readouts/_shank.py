"""Laminar shanks: contacts from pia to white matter in each area, and their kernel over depth."""

import dataclasses
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from jtfne.operators import Operator, laminar_kernel
from jtfne.pydantic_fields.field_types import Positive, numeric
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._readout import Readout
from jtfne.readouts._recording import Array, Labelled


def number_contacts(n_contacts: int) -> tuple[str, ...]:
    """Return the names of contacts, from the first on: ch00, ch01, ..."""
    return tuple(f"ch{k:02d}" for k in range(n_contacts))


class ShankReadout(Readout):
    """A readout of a laminar shank: contacts from pia to white matter, and the kernel's width."""

    interval_ms: Positive = 1.0
    n_channels: Annotated[int, Field(strict=True, ge=3, le=1000), numeric] = 16
    kernel_mm: Positive = 0.1

    def build_shank(self, context: ProbeContext) -> "Shank":
        """Return the shanks through the cells of the run, one an area."""
        cells, thickness_mm = context.cells, context.columns.thickness_mm
        depths_mm = np.round(np.linspace(0.0, thickness_mm, self.n_channels), 9)
        areas = np.asarray(cells.area)
        kernel = laminar_kernel(
            depths_mm, cells.position_mm[:, 2], areas, len(cells.areas), self.kernel_mm
        )
        return Shank(cells.areas, depths_mm, kernel)


@dataclasses.dataclass(frozen=True)
class Shank:
    """Evenly spaced contacts from pia to white matter, one shank an area, and their kernel."""

    areas: tuple[str, ...]
    depths_mm: Array
    kernel: Operator

    def label_contacts(self, inner: slice = slice(None)) -> dict[str, Labelled]:
        """Return the coordinates of areas and of the channels `inner`."""
        names = np.array(number_contacts(self.depths_mm.size))
        return {
            "area": (("area",), np.array(self.areas)),
            "channel": (("channel",), names[inner]),
            "z_mm": (("channel",), self.depths_mm[inner]),
        }

    def describe(self, operator: Operator) -> dict[str, Any]:
        """Return the kernel width and the contacts, with the name and units of `operator`."""
        return {
            "name": operator.name,
            "units": list(operator.units),
            **self.kernel.parameters.values,
        }
