"""Physical readouts of a column: potential at contacts, current source density, dipole moment."""

import dataclasses
from typing import Any

import jax
import numpy as np

from jtfne import _json
from jtfne.config import CSD, LFP, Config, Discs
from jtfne.config.fields import Method, SIGMA_S_m
from jtfne.geometry import to_head_mm
from jtfne.net import Identity
from jtfne.operators import DiscSource, InfiniteDipole, Operator, PointSource
from jtfne.probes._base import Array, ByArea, Part, Readout, Recording, SourceRows, Sum, attrs
from jtfne.probes._cell_loops import CellLoops, Matrix
from jtfne.sources import Source

A_PER_pA = 1e-12
CELLS_AT_ONCE = 1024
"""Of whom a matrix of point sources is made at a time: some 10 MB."""


@dataclasses.dataclass(frozen=True)
class Columns:
    """Where the columns of a run are. positions_mm (n_areas, 3), normals (n_areas, 3): head coordinates."""

    thickness_mm: float
    radius_mm: float
    positions_mm: Matrix
    normals: Matrix
    cells_mm: Matrix  # (n_cells, 3), each in its own column

    @property
    def dipoles_mm(self) -> Matrix:
        """Where the moments of the columns stand, half a cortex below the pia: (n_areas, 3) in the head."""
        middle: Matrix = self.positions_mm - 0.5 * self.thickness_mm * self.normals
        return middle


def columns_of(config: Config, identity: Identity) -> Columns:
    """Those of a circuit."""
    circuit = config.circuit
    return Columns(
        circuit.geometry.thickness_mm,
        circuit.geometry.radius_mm,
        np.array([area.position_mm for area in circuit.areas], np.float64),
        np.array([area.normal for area in circuit.areas], np.float64),
        identity.position_mm,
    )


def placed(loops: CellLoops, matrices: tuple[Matrix, ...], *then: Matrix) -> ByArea:
    """The part of matrices (n_out, n_loops, n_cells), one an area, and of those after them, (n_out, n_in) each."""
    flat = (each.reshape(len(each), -1).T for each in matrices)
    put = jax.device_put
    return ByArea(
        loops.ranges,
        tuple(put(np.ascontiguousarray(each)) for each in flat),
        tuple(put(np.ascontiguousarray(each.T)) for each in then),
    )


def dipole_part(loops: CellLoops, *then: Matrix) -> ByArea:
    """Dipole moments of the areas, A m, and what matrices make of them."""
    return placed(loops, tuple(A_PER_pA * each[None] for each in loops.moments_m()), *then)


def physical_attrs(name: str, long_name: str, units: str, operator: dict[str, Any], interval_ms: float) -> Any:
    """The attributes of a physical readout."""
    about = attrs(name, long_name, units, proxy=False, interval_ms=interval_ms)
    return {**about, "operator": _json.dumps(operator)}


@dataclasses.dataclass(frozen=True)
class DipoleProbe:
    """`dipole`: the moment of each area."""

    loops: CellLoops
    every: int
    name: str = "dipole"

    def recorder(self, source: Source) -> SourceRows:
        """Depth times current, summed."""
        return SourceRows(self.loops.source, {self.name: dipole_part(self.loops)}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """(trial, time, area) A m, along the outward normal."""
        coords = {"time": (("time",), recording.time_ms(self.every)), "area": (("area",), np.array(self.loops.areas))}
        long_name = "current dipole moment, outward positive"
        about = physical_attrs(self.name, long_name, "A m", self.operator(), self.every * recording.dt_ms)
        return Readout(self.name, {self.name: (("trial", "time", "area"), recording.rows(self.name))}, coords, about)

    def operator(self) -> dict[str, Any]:
        """The source map."""
        return {"name": "dipole moment of the source map", "units": ["pA", "A m"], **self.loops.about}


@dataclasses.dataclass(frozen=True)
class LFPProbe:
    """`lfp`: the potential at contacts in each column."""

    declared: LFP
    loops: CellLoops
    columns: Columns
    every: int
    name: str = "lfp"

    def recorder(self, source: Source) -> SourceRows:
        """Discs or points of current, and the other areas' dipoles if they are asked for."""
        own = self.discs() if isinstance(self.declared.sources, Discs) else self._points()
        near = placed(self.loops, own)
        part: Part = Sum((near, dipole_part(self.loops, self._far()))) if self.declared.far else near
        return SourceRows(self.loops.source, {self.name: part}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """(trial, time, area, channel) V."""
        n_areas, places = len(self.loops.areas), self.contacts_mm
        names = np.array([f"ch{k:02d}" for k in range(len(places))])
        coords = {
            "time": (("time",), recording.time_ms(self.every)),
            "area": (("area",), np.array(self.loops.areas)),
            "channel": (("channel",), names),
            **{f"{axis}_mm": (("channel",), places[:, k]) for k, axis in enumerate("xyz")},
        }
        values = recording.rows(self.name, lambda kept: kept.reshape(*kept.shape[:2], n_areas, -1))
        long_name = "extracellular potential"
        about = physical_attrs(self.name, long_name, "V", self.operator(), self.every * recording.dt_ms)
        return Readout(self.name, {self.name: (("trial", "time", "area", "channel"), values)}, coords, about)

    def operator(self) -> dict[str, Any]:
        """Tissue and contacts, and the source map."""
        of = self._of(np.zeros((1, 2)), self.loops.depths_mm[:1])
        far = {"far": "dipoles of the other areas in tissue without borders"} if self.declared.far else {}
        known = {"frame": "column: x, y in its plane, z depth below the pia, mm", **far, **self.loops.about}
        return {"name": of.name, "units": ["pA", "V"], **of.parameters.values, **known}

    @property
    def contacts_mm(self) -> Matrix:
        """In each column: (n_channels, 3)."""
        return self.declared.places_mm(self.columns.thickness_mm)

    def _of(self, axes_mm: Matrix, depths_mm: Matrix) -> Operator:
        """What contacts see of currents at `depths_mm` below each of `axes_mm` (n, 2), depth by depth."""
        declared, contacts_mm = self.declared, self.contacts_mm
        sigma: Any = declared.sigma_S_m
        if isinstance(declared.sources, Discs):
            radius_mm = self.columns.radius_mm
            return DiscSource(contacts_mm[:, 2], depths_mm, radius_mm, sigma, surface=declared.surface)
        at = np.column_stack([np.tile(axes_mm, (depths_mm.size, 1)), np.repeat(depths_mm, len(axes_mm))])
        return PointSource(contacts_mm, at, sigma, declared.sources.radius_mm, surface=declared.surface)

    def discs(self) -> tuple[Matrix, ...]:
        """V/pA of each area: (n_channels, n_loops, n_cells)."""
        seen = A_PER_pA * np.asarray(self._of(np.zeros((1, 2)), self.loops.depths_mm).matrix)
        return tuple(np.tensordot(seen, each, 1) for each in self.loops.maps)

    def _points(self) -> tuple[Matrix, ...]:
        """As `discs`, the compartments of each cell above and below it."""
        depths_mm, found = self.loops.depths_mm, []
        for (start, stop), each in zip(self.loops.ranges, self.loops.maps, strict=True):
            parts = [np.zeros((len(self.contacts_mm), each.shape[1], 0))]
            for first in range(0, stop - start, CELLS_AT_ONCE):
                axes_mm = self.columns.cells_mm[start:stop][first : first + CELLS_AT_ONCE, :2]
                seen = np.asarray(self._of(axes_mm, depths_mm).matrix)
                seen = A_PER_pA * seen.reshape(len(seen), depths_mm.size, len(axes_mm))
                parts.append(np.einsum("cdn,dln->cln", seen, each[:, :, first : first + CELLS_AT_ONCE]))
            found.append(np.concatenate(parts, axis=2))
        return tuple(found)

    def _far(self) -> Matrix:
        """V/(A m): (n_areas * n_channels, n_areas), zero for a column's own contacts."""
        columns, n_areas = self.columns, len(self.loops.areas)
        rows = []
        for k in range(n_areas):
            place, normal = columns.positions_mm[k], columns.normals[k]
            contacts_mm = to_head_mm(self.contacts_mm, position_mm=place, normal=normal)
            others = np.arange(n_areas) != k
            seen = np.zeros((len(contacts_mm), n_areas))
            if others.any():
                sigma: Any = self.declared.sigma_S_m
                of = InfiniteDipole(contacts_mm, columns.dipoles_mm[others], sigma).along(columns.normals[others])
                seen[:, others] = np.asarray(of.matrix)
            rows.append(seen)
        return np.concatenate(rows)


@dataclasses.dataclass(frozen=True)
class CSDProbe:
    """`csd`: a method's estimate from the potential on each column's axis."""

    declared: CSD
    lfp: LFPProbe
    every: int
    name: str = "csd"

    @property
    def method(self) -> Method:
        """As declared, or DeltaICSD of the column's diameter."""
        return self.declared.estimator(2.0 * self.lfp.columns.radius_mm)

    def recorder(self, source: Source) -> SourceRows:
        """The potential, and the method's matrix after it, as one."""
        matrix = self.method.matrix(self.lfp.contacts_mm[:, 2], SIGMA_S_m)
        own = tuple(np.tensordot(matrix, each, 1) for each in self.lfp.discs())
        return SourceRows(self.lfp.loops.source, {self.name: placed(self.lfp.loops, own)}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """(trial, time, area, channel) A/m^3, at the places of the estimates."""
        contacts_mm = self.lfp.contacts_mm[:, 2]
        places_mm = self.method.places_mm(contacts_mm)
        coords = {
            "time": (("time",), recording.time_ms(self.every)),
            "area": (("area",), np.array(self.lfp.loops.areas)),
            "channel": (("channel",), _names(places_mm, contacts_mm)),
            "z_mm": (("channel",), places_mm),
        }
        n_areas = len(self.lfp.loops.areas)
        values = recording.rows(self.name, lambda kept: kept.reshape(*kept.shape[:2], n_areas, -1))
        long_name = "current source density, sinks negative"
        about = physical_attrs(self.name, long_name, "A/m^3", self.operator(), self.every * recording.dt_ms)
        return Readout(self.name, {self.name: (("trial", "time", "area", "channel"), values)}, coords, about)

    def operator(self) -> dict[str, Any]:
        """The method, and what the potential is of."""
        return {**self.lfp.operator(), "method": repr(self.method), "units": ["pA", "A/m^3"]}


def _names(places_mm: Matrix, contacts_mm: Matrix) -> Array:
    """Names of estimates: those of the contacts where all are at one, else numbers of their own."""
    nearest = np.abs(places_mm[:, None] - contacts_mm).argmin(1)
    if np.allclose(contacts_mm[nearest], places_mm, atol=1e-9, rtol=0.0):
        return np.array([f"ch{k:02d}" for k in nearest])
    return np.array([f"at{k:03d}" for k in range(places_mm.size)])
