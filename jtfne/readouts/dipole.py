"""`dipole`: current dipole moment of each area."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np

from jtfne.pydantic_fields.field_types import Positive
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import FigureSpec, PhysicalReadout


class Dipole(PhysicalReadout):
    """`dipole`: current dipole moment of each area along its outward normal, A m.

    Examples
    --------
    >>> import jtfne
    >>> (probe,) = jtfne.Config().probes(["dipole"]).readouts.probes
    >>> type(probe).__name__, probe.units, probe.interval_ms
    ('Dipole', 'A m', 1.0)
    """

    kind: Literal["Dipole"] = "Dipole"
    interval_ms: Positive = 1.0

    readout: ClassVar[str] = "dipole"
    long_name: ClassVar[str] = "current dipole moment, outward positive"
    short_name: ClassVar[str] = "dipole moment"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "area")
    coords: ClassVar[tuple[str, ...]] = ("area",)
    units: ClassVar[str] = "A m"
    mne_type: ClassVar[str] = "dipole"
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "08_dipole": FigureSpec(
            "moments",
            "Current dipole moment of each area along its outward normal, from its mean before the "
            "first stimulus, and its power spectrum.",
        ),
    }

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of depth times current, summed over the cells of each area."""
        maps = context.maps
        parameters: dict[str, Any] = {
            "name": "dipole moment of the source map",
            "units": ["pA", "A m"],
            **maps.metadata,
        }
        coords = {"area": (("area",), np.array(maps.areas))}
        part = maps.dipole_part()
        return FieldProbe.build(self, context, part, coords, parameters, source=maps.source)
