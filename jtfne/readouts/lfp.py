"""`lfp`: extracellular potential at contacts in each area's column."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from jtfne._check import refuse
from jtfne._units import A_PER_pA
from jtfne.geometry import to_head_mm
from jtfne.operators import DiscSource, InfiniteDipole, Operator, PointSource, Surface
from jtfne.pydantic_fields.catalogue import Declared
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import (
    Flag,
    NotNegative,
    Number,
    Positive,
    Vector,
    numeric,
    plain,
)
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.readouts._checks import as_kind_table, catch_error
from jtfne.readouts._context import Columns, Matrix, ProbeContext, SourceMapMatrices
from jtfne.readouts._parts import Part, Sum
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import CircuitLike, FigureSpec, PhysicalReadout
from jtfne.readouts._shank import number_contacts

CELLS_AT_ONCE = 1024
"""Cells of which a matrix of point sources is made at a time: some 10 MB."""

SIGMA_S_m = 0.3  # cortex: Goto et al. (2010), J. Neurophysiol. 104:3388-3404

Channels = Annotated[int, Field(strict=True, ge=3, le=1000), numeric]


def _find_tag(value: Any) -> str:
    """The tag of a conductivity in its union: "each" for three numbers, "number" for one."""
    return "each" if isinstance(plain(value), list | tuple) else "number"


Conductivity = Annotated[
    Annotated[Positive, Tag("number")]
    | Annotated[tuple[Positive, Positive, Positive], numeric, Tag("each")],
    Discriminator(_find_tag),
]
Places = Annotated[tuple[Vector, ...], Field(min_length=1), numeric]
Plane = Annotated[tuple[tuple[Number, Number], ...], Field(min_length=1), numeric]
AnySurface = Annotated[Surface, Declared({"Surface": Surface}, default="Surface")]


class Discs(Frozen):
    """Sources of an LFP: the currents of one depth leave a disc of the column's radius evenly.

    Contacts lie on its axis.

    Examples
    --------
    >>> from jtfne.config import LFP, Discs
    >>> LFP().sources == Discs()  # unless given
    True
    """

    kind: Literal["Discs"] = "Discs"


class Points(Frozen):
    """Sources of an LFP: the currents of a cell leave from points above and below it.

    radius_mm: a contact that is nearer to a point gets the potential at this distance.

    Examples
    --------
    >>> from jtfne.config import LFP, Points
    >>> LFP(sources=Points(radius_mm=0.02), shanks_mm=[(0.0, 0.0), (0.1, 0.0)]).sources.radius_mm
    0.02
    """

    kind: Literal["Points"] = "Points"
    radius_mm: NotNegative = 0.01


class LFP(PhysicalReadout):
    """`lfp`: extracellular potential at contacts in each area's column, V.

    Parameters
    ----------
    interval_ms : float
    n_channels : int
        Contacts of each shank, evenly from pia to white matter.
    shanks_mm : list of (x, y)
        Where shanks stand in the column's plane; one on its axis by default.
    contacts_mm : list of (x, y, z), optional
        Contacts instead of shanks; z is the depth below the pia.
    sources : Discs or Points
        What a depth of currents is to a contact.
    sigma_S_m : float or three of them
        Conductivity of the tissue, or those along x, y and z (with `Points`).
    surface : Surface, optional
        Another medium above the tissue.
    far : bool
        Add what the dipoles of the other areas give, in tissue without borders; areas then need
        places in the head.

    Examples
    --------
    >>> from jtfne.config import LFP
    >>> probe = LFP(n_channels=4)
    >>> probe.units, probe.places_mm(thickness_mm=1.5)[:, 2].tolist()
    ('V', [0.0, 0.5, 1.0, 1.5])
    """

    kind: Literal["LFP"] = "LFP"
    interval_ms: Positive = 1.0
    n_channels: Channels = 16
    shanks_mm: Plane = ((0.0, 0.0),)
    contacts_mm: Places | None = None
    sources: Annotated[
        Annotated[Discs | Points, Field(discriminator="kind")],
        BeforeValidator(as_kind_table, Discs | Points | str),
    ] = Discs()
    sigma_S_m: Conductivity = SIGMA_S_m
    surface: AnySurface | None = None
    far: Flag = False

    readout: ClassVar[str] = "lfp"
    long_name: ClassVar[str] = "extracellular potential"
    short_name: ClassVar[str] = "LFP"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "area", "channel")
    coords: ClassVar[tuple[str, ...]] = ("area", "channel", "x_mm", "y_mm", "z_mm")
    units: ClassVar[str] = "V"
    mne_type: ClassVar[str] = "seeg"
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "05_lfp": FigureSpec(
            "laminar",
            "LFP over depth, from its mean before the first stimulus.",
        ),
        "07_lfp_psd": FigureSpec(
            "psd",
            "Power spectrum of the LFP: mean and range over depth.",
        ),
    }

    @model_validator(mode="after")
    def _check_tissue(self) -> "LFP":
        """Refuse Discs with contacts off the axis; three conductivities with Discs or far=True."""
        places = self.shanks_mm if self.contacts_mm is None else self.contacts_mm
        if isinstance(self.sources, Discs):
            if any(place[0] or place[1] for place in places):
                raise refuse(
                    "contacts off the column's axis with Discs()",
                    "x = y = 0, or sources=Points()",
                    HERE,
                )
            if isinstance(self.sigma_S_m, tuple):
                raise refuse("three conductivities with Discs()", "one, or sources=Points()", HERE)
        if self.far and isinstance(self.sigma_S_m, tuple):
            raise refuse("far=True with three conductivities", "one conductivity", HERE)
        return self

    @property
    def needs_places(self) -> bool:
        """Whether the other areas' dipoles are added, which stand in the head."""
        return self.far

    def check(self, circuit: CircuitLike) -> Iterator[str]:
        """Yield an error for contacts outside the tissue."""
        yield from check_contacts(self, circuit, self.kind)

    def places_mm(self, thickness_mm: float) -> Matrix:
        """Positions of the contacts in the column, mm, (n_channels, 3); z is the depth."""
        if self.contacts_mm is not None:
            return np.array(self.contacts_mm, np.float64)
        depths_mm = np.round(np.linspace(0.0, thickness_mm, self.n_channels), 9)
        return np.array([(x, y, z) for x, y in self.shanks_mm for z in depths_mm], np.float64)

    def list_channels(self) -> tuple[str, ...]:
        """Return the names of the contacts."""
        on_shanks = self.n_channels * len(self.shanks_mm)
        return number_contacts(on_shanks if self.contacts_mm is None else len(self.contacts_mm))

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of the potential of discs or points of current.

        The other areas' dipoles are added if declared.
        """
        maps, columns = context.maps, context.columns
        contacts_mm = self.places_mm(columns.thickness_mm)
        matrices = (
            disc_matrices(self, maps, columns)
            if isinstance(self.sources, Discs)
            else _point_matrices(self, maps, columns)
        )
        part: Part = maps.area_part(matrices)
        if self.far:
            part = Sum((maps.area_part(matrices), maps.dipole_part(_far_matrix(self, columns))))
        coords = {
            "area": (("area",), np.array(maps.areas)),
            "channel": (("channel",), np.array(self.list_channels())),
            **{f"{axis}_mm": (("channel",), contacts_mm[:, k]) for k, axis in enumerate("xyz")},
        }
        parameters = describe_potential(self, maps, columns)
        return FieldProbe.build(self, context, part, coords, parameters, source=maps.source)


def check_contacts(potential: LFP, circuit: CircuitLike, where: str) -> Iterator[str]:
    """Yield an error for contacts outside the tissue."""
    geometry = circuit.geometry
    contacts_mm = potential.places_mm(geometry.thickness_mm)
    source_mm = np.array([[0.0, 0.0, 0.5 * geometry.thickness_mm]])
    sigma: Any = potential.sigma_S_m
    surface, sources = potential.surface, potential.sources
    if isinstance(sources, Discs):
        yield from catch_error(
            lambda: DiscSource(
                contacts_mm[:, 2], source_mm[:, 2], geometry.radius_mm, sigma, surface=surface
            ),
            where,
        )
    else:
        # this source stands for all: no contact lies at it
        radius_mm = max(sources.radius_mm, 1e-6)
        yield from catch_error(
            lambda: PointSource(contacts_mm, source_mm, sigma, radius_mm, surface=surface), where
        )


def describe_potential(potential: LFP, maps: SourceMapMatrices, columns: Columns) -> dict[str, Any]:
    """Return the tissue, the contacts and the source map, for the manifest."""
    operator = _contact_operator(potential, columns, np.zeros((1, 2)), maps.depths_mm[:1])
    far = {"far": "dipoles of the other areas in tissue without borders"} if potential.far else {}
    return {
        "name": operator.name,
        "units": ["pA", "V"],
        **operator.parameters.values,
        "frame": "column: x, y in its plane, z depth below the pia, mm",
        **far,
        **maps.metadata,
    }


def disc_matrices(potential: LFP, maps: SourceMapMatrices, columns: Columns) -> tuple[Matrix, ...]:
    """Return the matrix of each area: (n_channels, n_loops, n_cells) V/pA."""
    operator = _contact_operator(potential, columns, np.zeros((1, 2)), maps.depths_mm)
    potentials = A_PER_pA * np.asarray(operator.matrix)
    return tuple(np.tensordot(potentials, area_map, 1) for area_map in maps.maps)


def _point_matrices(
    potential: LFP, maps: SourceMapMatrices, columns: Columns
) -> tuple[Matrix, ...]:
    """Return the matrix of each area, as `disc_matrices`, but with point sources.

    The compartments of each cell are above and below it.
    """
    n_channels = len(potential.places_mm(columns.thickness_mm))
    depths_mm, matrices = maps.depths_mm, []
    for (start, stop), area_map in zip(maps.ranges, maps.maps, strict=True):
        parts = [np.zeros((n_channels, area_map.shape[1], 0))]
        for first in range(0, stop - start, CELLS_AT_ONCE):
            axes_mm = columns.cells_mm[start:stop][first : first + CELLS_AT_ONCE, :2]
            operator = _contact_operator(potential, columns, axes_mm, depths_mm)
            potentials = A_PER_pA * np.asarray(operator.matrix).reshape(
                n_channels, depths_mm.size, len(axes_mm)
            )
            map_of_cells = area_map[:, :, first : first + CELLS_AT_ONCE]
            parts.append(np.einsum("cdn,dln->cln", potentials, map_of_cells))
        matrices.append(np.concatenate(parts, axis=2))
    return tuple(matrices)


def _contact_operator(
    potential: LFP, columns: Columns, axes_mm: Matrix, depths_mm: Matrix
) -> Operator:
    """Build the operator from currents below `axes_mm` (n, 2) to the contacts.

    Sources are at each of `depths_mm`, depth by depth.
    """
    contacts_mm = potential.places_mm(columns.thickness_mm)
    sigma: Any = potential.sigma_S_m
    surface, sources = potential.surface, potential.sources
    if isinstance(sources, Discs):
        return DiscSource(contacts_mm[:, 2], depths_mm, columns.radius_mm, sigma, surface=surface)
    sources_mm = np.column_stack(
        [np.tile(axes_mm, (depths_mm.size, 1)), np.repeat(depths_mm, len(axes_mm))]
    )
    return PointSource(contacts_mm, sources_mm, sigma, sources.radius_mm, surface=surface)


def _far_matrix(potential: LFP, columns: Columns) -> Matrix:
    """Return the potential of the other areas' dipoles, V/(A m).

    (n_areas * n_channels, n_areas), zero for a column's own contacts.
    """
    n_areas, rows = len(columns.positions_mm), []
    column_contacts_mm = potential.places_mm(columns.thickness_mm)
    for k in range(n_areas):
        position_mm, normal = columns.positions_mm[k], columns.normals[k]
        contacts_mm = to_head_mm(column_contacts_mm, position_mm=position_mm, normal=normal)
        is_other = np.arange(n_areas) != k
        potentials = np.zeros((len(contacts_mm), n_areas))
        if is_other.any():
            sigma: Any = potential.sigma_S_m
            dipole_operator = InfiniteDipole(
                contacts_mm, columns.dipoles_mm[is_other], sigma
            ).along(columns.normals[is_other])
            potentials[:, is_other] = np.asarray(dipole_operator.matrix)
        rows.append(potentials)
    return np.concatenate(rows)
