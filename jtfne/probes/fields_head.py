"""Physical EEG and MEG: the areas' dipole moments through the lead field of a head."""

import dataclasses
from typing import Any

import numpy as np

from jtfne.config import EEG, MEG, Spheres
from jtfne.operators import FourSphere, Operator, SarvasSphere, column_dipoles, onto_sphere
from jtfne.probes._base import Readout, Recording, SourceRows
from jtfne.probes._cell_loops import CellLoops, Matrix
from jtfne.probes._sensors import helmet_coils, montage_sites
from jtfne.probes.fields import Columns, dipole_part, physical_attrs
from jtfne.sources import Source

FRAME = "head (RAS), mm"


@dataclasses.dataclass(frozen=True)
class LeadField:
    """What sensors see of dipoles along the areas' normals: names, places (n_channels, 3) mm, and each one's unit."""

    operator: Operator
    names: tuple[str, ...]
    positions_mm: Matrix
    units: tuple[str, ...]
    about: dict[str, Any]


def eeg_lead(declared: EEG, columns: Columns) -> LeadField:
    """The sites of a montage, put onto the scalp. Raises: JtfneError for an area outside the brain, unknown sites."""
    dipoles_mm, outward = _dipoles(declared.head, columns)
    sites = montage_sites(declared.montage, declared.sites)
    centre, radii = declared.head.centre_mm, declared.head.radii_mm
    scalp_mm = onto_sphere(sites.positions_mm, centre_mm=centre, radius_mm=radii[-1])
    operator = FourSphere(scalp_mm, dipoles_mm, centre, radii, declared.head.sigmas_S_m).along(outward)
    about = {"montage": declared.montage, "reference": "none: the mean over the scalp is zero"}
    return LeadField(operator, sites.names, scalp_mm, ("V",) * len(sites.names), about)


def meg_lead(declared: MEG, columns: Columns) -> LeadField:
    """The coils of a helmet. Raises: JtfneError for an area outside the brain, an unknown helmet or channel."""
    dipoles_mm, outward = _dipoles(declared.head, columns)
    coils, places_mm, lift_mm = helmet_coils(declared.helmet, declared.sensors)
    operator = SarvasSphere.of_coils(coils, dipoles_mm, declared.head.centre_mm).along(outward)
    about = {"helmet": declared.helmet, "helmet_lift_mm": lift_mm}
    return LeadField(operator, coils.names, places_mm, coils.units, about)


def _dipoles(head: Spheres, columns: Columns) -> tuple[Matrix, Matrix]:
    """Places and directions of the areas' dipoles. Raises: JtfneError for one outside the brain."""
    return column_dipoles(
        columns.positions_mm,
        columns.normals,
        depth_mm=0.5 * columns.thickness_mm,
        centre_mm=head.centre_mm,
        brain_mm=head.radii_mm[0],
    )


@dataclasses.dataclass(frozen=True)
class LeadProbe:
    """`eeg` or `meg`."""

    name: str
    lead: LeadField
    loops: CellLoops
    columns: Columns
    every: int

    def recorder(self, source: Source) -> SourceRows:
        """Dipole moments, then the lead field."""
        part = dipole_part(self.loops, np.asarray(self.lead.operator.matrix))
        return SourceRows(self.loops.source, {self.name: part}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """(trial, time, channel), V, or T and T/m as `unit` says of each channel."""
        dims = ("channel",)
        coords = {
            "time": (("time",), recording.time_ms(self.every)),
            "channel": (dims, np.array(self.lead.names)),
            **{f"{axis}_mm": (dims, self.lead.positions_mm[:, k]) for k, axis in enumerate("xyz")},
        }
        if self.name == "meg":
            coords["unit"] = (dims, np.array(self.lead.units))
        long_name = {"eeg": "EEG", "meg": "MEG"}[self.name]
        units = self.lead.operator.units[1]
        about = physical_attrs(self.name, long_name, units, self.operator(), self.every * recording.dt_ms)
        return Readout(self.name, {self.name: (("trial", "time", "channel"), recording.rows(self.name))}, coords, about)

    def operator(self) -> dict[str, Any]:
        """Conductor, sensors, frame and dipoles, and the source map."""
        given = {"name": self.lead.operator.name, **self.lead.operator.parameters.values, **self.lead.about}
        places = {"frame": FRAME, "dipoles_mm": self.columns.dipoles_mm.tolist()}
        places |= {"normals": self.columns.normals.tolist(), "areas": list(self.loops.areas)}
        return {**given, "source_units": "A m", **places, **self.loops.about}
