"""Physical readouts of a column: potential at contacts, current source density, dipole moment."""

import dataclasses
from typing import Any

import jax
import numpy as np

from jtfne import _json
from jtfne._units import A_PER_pA
from jtfne.config import CSD, LFP, Config, Discs
from jtfne.config.fields import Method, SIGMA_S_m
from jtfne.geometry import to_head_mm
from jtfne.operators import DiscSource, InfiniteDipole, Operator, PointSource
from jtfne.probes._base import Array, ByArea, Part, Readout, Recording, SourceRows, Sum, attrs
from jtfne.probes._cell_loops import Matrix, SourceMapMatrices
from jtfne.sources import Source
from jtfne.wiring import Identity

CELLS_AT_ONCE = 1024
"""Cells of which a matrix of point sources is made at a time: some 10 MB."""


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns of a run.

    positions_mm (n_areas, 3), normals (n_areas, 3): head coordinates.
    """

    thickness_mm: float
    radius_mm: float
    positions_mm: Matrix
    normals: Matrix
    cells_mm: Matrix  # (n_cells, 3), each in its own column

    @property
    def dipoles_mm(self) -> Matrix:
        """The places of the columns' dipole moments, (n_areas, 3) in the head.

        They are half a cortex below the pia.
        """
        middle: Matrix = self.positions_mm - 0.5 * self.thickness_mm * self.normals
        return middle


def columns_of(config: Config, identity: Identity) -> Columns:
    """Return the columns of a circuit."""
    circuit = config.circuit
    return Columns(
        circuit.geometry.thickness_mm,
        circuit.geometry.radius_mm,
        np.array([area.position_mm for area in circuit.areas], np.float64),
        np.array([area.normal for area in circuit.areas], np.float64),
        identity.position_mm,
    )


def area_part(loops: SourceMapMatrices, matrices: tuple[Matrix, ...], *then: Matrix) -> ByArea:
    """Build the part of one matrix an area, (n_out, n_loops, n_cells), and of those after them.

    then: (n_out, n_in) each.
    """
    transposed = (matrix.reshape(len(matrix), -1).T for matrix in matrices)
    put = jax.device_put
    return ByArea(
        loops.ranges,
        tuple(put(np.ascontiguousarray(matrix)) for matrix in transposed),
        tuple(put(np.ascontiguousarray(matrix.T)) for matrix in then),
    )


def dipole_part(loops: SourceMapMatrices, *then: Matrix) -> ByArea:
    """Build the part of the areas' dipole moments, A m, and of matrices applied to them."""
    return area_part(loops, tuple(A_PER_pA * moments[None] for moments in loops.moments_m()), *then)


def physical_attrs(
    name: str, long_name: str, units: str, operator: dict[str, Any], interval_ms: float
) -> Any:
    """Return the attributes of a physical readout."""
    attributes = attrs(name, long_name, units, proxy=False, interval_ms=interval_ms)
    return {**attributes, "operator": _json.dumps(operator)}


@dataclasses.dataclass(frozen=True)
class DipoleProbe:
    """The probe of `dipole`: the moment of each area."""

    loops: SourceMapMatrices
    every: int
    name: str = "dipole"

    def recorder(self, source: Source) -> SourceRows:
        """Return a recorder of depth times current, summed."""
        return SourceRows(self.loops.source, {self.name: dipole_part(self.loops)}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, time, area) A m, along the outward normal."""
        coords = {
            "time": (("time",), recording.time_ms(self.every)),
            "area": (("area",), np.array(self.loops.areas)),
        }
        long_name = "current dipole moment, outward positive"
        attributes = physical_attrs(
            self.name, long_name, "A m", self.operator(), self.every * recording.dt_ms
        )
        return Readout(
            self.name,
            {self.name: (("trial", "time", "area"), recording.rows(self.name))},
            coords,
            attributes,
        )

    def operator(self) -> dict[str, Any]:
        """Return the source map."""
        return {
            "name": "dipole moment of the source map",
            "units": ["pA", "A m"],
            **self.loops.about,
        }


@dataclasses.dataclass(frozen=True)
class LFPProbe:
    """The probe of `lfp`: the potential at contacts in each column."""

    declared: LFP
    loops: SourceMapMatrices
    columns: Columns
    every: int
    name: str = "lfp"

    def recorder(self, source: Source) -> SourceRows:
        """Return a recorder of the potential of discs or points of current.

        The other areas' dipoles are added if declared.
        """
        area_matrices = (
            self.discs() if isinstance(self.declared.sources, Discs) else self._point_matrices()
        )
        near_part = area_part(self.loops, area_matrices)
        part: Part = (
            Sum((near_part, dipole_part(self.loops, self._far_matrix())))
            if self.declared.far
            else near_part
        )
        return SourceRows(self.loops.source, {self.name: part}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, time, area, channel) V."""
        n_areas, places = len(self.loops.areas), self.contacts_mm
        names = np.array([f"ch{k:02d}" for k in range(len(places))])
        coords = {
            "time": (("time",), recording.time_ms(self.every)),
            "area": (("area",), np.array(self.loops.areas)),
            "channel": (("channel",), names),
            **{f"{axis}_mm": (("channel",), places[:, k]) for k, axis in enumerate("xyz")},
        }
        values = recording.rows(self.name, lambda rows: rows.reshape(*rows.shape[:2], n_areas, -1))
        long_name = "extracellular potential"
        attributes = physical_attrs(
            self.name, long_name, "V", self.operator(), self.every * recording.dt_ms
        )
        return Readout(
            self.name,
            {self.name: (("trial", "time", "area", "channel"), values)},
            coords,
            attributes,
        )

    def operator(self) -> dict[str, Any]:
        """Return the tissue, the contacts and the source map."""
        contact_operator = self._build_operator(np.zeros((1, 2)), self.loops.depths_mm[:1])
        far_metadata = (
            {"far": "dipoles of the other areas in tissue without borders"}
            if self.declared.far
            else {}
        )
        metadata = {
            "frame": "column: x, y in its plane, z depth below the pia, mm",
            **far_metadata,
            **self.loops.about,
        }
        return {
            "name": contact_operator.name,
            "units": ["pA", "V"],
            **contact_operator.parameters.values,
            **metadata,
        }

    @property
    def contacts_mm(self) -> Matrix:
        """The contacts in each column: (n_channels, 3)."""
        return self.declared.places_mm(self.columns.thickness_mm)

    def _build_operator(self, axes_mm: Matrix, depths_mm: Matrix) -> Operator:
        """Build the operator from currents below `axes_mm` (n, 2) to the contacts.

        Sources are at each of `depths_mm`, depth by depth.
        """
        declared, contacts_mm = self.declared, self.contacts_mm
        sigma: Any = declared.sigma_S_m
        if isinstance(declared.sources, Discs):
            radius_mm = self.columns.radius_mm
            return DiscSource(
                contacts_mm[:, 2], depths_mm, radius_mm, sigma, surface=declared.surface
            )
        sources_mm = np.column_stack(
            [np.tile(axes_mm, (depths_mm.size, 1)), np.repeat(depths_mm, len(axes_mm))]
        )
        return PointSource(
            contacts_mm, sources_mm, sigma, declared.sources.radius_mm, surface=declared.surface
        )

    def discs(self) -> tuple[Matrix, ...]:
        """Return the matrix of each area: (n_channels, n_loops, n_cells) V/pA."""
        potentials = A_PER_pA * np.asarray(
            self._build_operator(np.zeros((1, 2)), self.loops.depths_mm).matrix
        )
        return tuple(np.tensordot(potentials, area_map, 1) for area_map in self.loops.maps)

    def _point_matrices(self) -> tuple[Matrix, ...]:
        """Return the matrix of each area, as `discs`, but with point sources.

        The compartments of each cell are above and below it.
        """
        depths_mm, matrices = self.loops.depths_mm, []
        for (start, stop), area_map in zip(self.loops.ranges, self.loops.maps, strict=True):
            parts = [np.zeros((len(self.contacts_mm), area_map.shape[1], 0))]
            for first in range(0, stop - start, CELLS_AT_ONCE):
                axes_mm = self.columns.cells_mm[start:stop][first : first + CELLS_AT_ONCE, :2]
                potentials = np.asarray(self._build_operator(axes_mm, depths_mm).matrix)
                potentials = A_PER_pA * potentials.reshape(
                    len(potentials), depths_mm.size, len(axes_mm)
                )
                parts.append(
                    np.einsum(
                        "cdn,dln->cln", potentials, area_map[:, :, first : first + CELLS_AT_ONCE]
                    )
                )
            matrices.append(np.concatenate(parts, axis=2))
        return tuple(matrices)

    def _far_matrix(self) -> Matrix:
        """Return the potential of the other areas' dipoles, V/(A m).

        (n_areas * n_channels, n_areas), zero for a column's own contacts.
        """
        columns, n_areas = self.columns, len(self.loops.areas)
        rows = []
        for k in range(n_areas):
            position_mm, normal = columns.positions_mm[k], columns.normals[k]
            contacts_mm = to_head_mm(self.contacts_mm, position_mm=position_mm, normal=normal)
            is_other = np.arange(n_areas) != k
            potentials = np.zeros((len(contacts_mm), n_areas))
            if is_other.any():
                sigma: Any = self.declared.sigma_S_m
                dipole_operator = InfiniteDipole(
                    contacts_mm, columns.dipoles_mm[is_other], sigma
                ).along(columns.normals[is_other])
                potentials[:, is_other] = np.asarray(dipole_operator.matrix)
            rows.append(potentials)
        return np.concatenate(rows)


@dataclasses.dataclass(frozen=True)
class CSDProbe:
    """The probe of `csd`: a method's estimate from the potential on each column's axis."""

    declared: CSD
    lfp: LFPProbe
    every: int
    name: str = "csd"

    @property
    def method(self) -> Method:
        """The declared method, or DeltaICSD of the column's diameter."""
        return self.declared.estimator(2.0 * self.lfp.columns.radius_mm)

    def recorder(self, source: Source) -> SourceRows:
        """Return a recorder of the potential with the method's matrix after it, as one matrix."""
        matrix = self.method.matrix(self.lfp.contacts_mm[:, 2], SIGMA_S_m)
        area_matrices = tuple(
            np.tensordot(matrix, potentials, 1) for potentials in self.lfp.discs()
        )
        return SourceRows(
            self.lfp.loops.source, {self.name: area_part(self.lfp.loops, area_matrices)}, self.every
        )

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, time, area, channel) A/m^3, at the places of the estimates."""
        contacts_mm = self.lfp.contacts_mm[:, 2]
        places_mm = self.method.places_mm(contacts_mm)
        coords = {
            "time": (("time",), recording.time_ms(self.every)),
            "area": (("area",), np.array(self.lfp.loops.areas)),
            "channel": (("channel",), _name_estimates(places_mm, contacts_mm)),
            "z_mm": (("channel",), places_mm),
        }
        n_areas = len(self.lfp.loops.areas)
        values = recording.rows(self.name, lambda rows: rows.reshape(*rows.shape[:2], n_areas, -1))
        long_name = "current source density, sinks negative"
        attributes = physical_attrs(
            self.name, long_name, "A/m^3", self.operator(), self.every * recording.dt_ms
        )
        return Readout(
            self.name,
            {self.name: (("trial", "time", "area", "channel"), values)},
            coords,
            attributes,
        )

    def operator(self) -> dict[str, Any]:
        """Return the method, and the operator of the potential."""
        return {**self.lfp.operator(), "method": repr(self.method), "units": ["pA", "A/m^3"]}


def _name_estimates(places_mm: Matrix, contacts_mm: Matrix) -> Array:
    """Name the estimates: by the contacts where each is at one, else by numbers of their own."""
    nearest = np.abs(places_mm[:, None] - contacts_mm).argmin(1)
    if np.allclose(contacts_mm[nearest], places_mm, atol=1e-9, rtol=0.0):
        return np.array([f"ch{k:02d}" for k in nearest])
    return np.array([f"at{k:03d}" for k in range(places_mm.size)])
