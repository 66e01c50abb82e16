"""Probes of physical fields: what they see by, and where; volts, tesla and ampere metres."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from jtfne._check import describe_value, refuse
from jtfne.measures.csd import SecondDifference
from jtfne.measures.icsd import DeltaICSD, SplineICSD, StepICSD
from jtfne.operators import Surface
from jtfne.pydantic_fields.catalogue import Declared
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import (
    Flag,
    Name,
    NotNegative,
    Number,
    Positive,
    Vector,
    numeric,
    plain,
)
from jtfne.pydantic_fields.frozen import Frozen

Sensors = Annotated[tuple[Name, ...], Field(min_length=1)] | None
Channels = Annotated[int, Field(strict=True, ge=3, le=1000), numeric]


def _find_tag(value: Any) -> str:
    """Discriminator of the union: "each" for three conductivities, else "number"."""
    return "each" if isinstance(plain(value), list | tuple) else "number"


Conductivity = Annotated[
    Annotated[Positive, Tag("number")]
    | Annotated[tuple[Positive, Positive, Positive], numeric, Tag("each")],
    Discriminator(_find_tag),
]
Four = Annotated[tuple[Positive, Positive, Positive, Positive], numeric]
Places = Annotated[tuple[Vector, ...], Field(min_length=1), numeric]
Plane = Annotated[tuple[tuple[Number, Number], ...], Field(min_length=1), numeric]
AnySurface = Annotated[Surface, Declared({"Surface": Surface}, default="Surface")]
Method = SecondDifference | DeltaICSD | StepICSD | SplineICSD
METHODS = {cls.__name__: cls for cls in (SecondDifference, DeltaICSD, StepICSD, SplineICSD)}
AnyMethod = Annotated[Method, Declared(METHODS)]

SIGMA_S_m = 0.3  # cortex: Goto et al. (2010), J. Neurophysiol. 104:3388-3404


class Discs(Frozen):
    """Currents of one depth leave a disc of the column's radius evenly; contacts lie on its
    axis.
    """

    kind: Literal["Discs"] = "Discs"


class Points(Frozen):
    """Currents of a cell leave from points above and below it; a contact nearer than `radius_mm`
    sees that distance.
    """

    kind: Literal["Points"] = "Points"
    radius_mm: NotNegative = 0.01


def _as_kind_table(value: Any) -> Any:
    """Convert a bare kind to the table that declares it."""
    return {"kind": value} if isinstance(value, str) else value


class LFP(Frozen):
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
    """

    kind: Literal["LFP"] = "LFP"
    readout: ClassVar[str] = "lfp"
    interval_ms: Positive = 1.0
    n_channels: Channels = 16
    shanks_mm: Plane = ((0.0, 0.0),)
    contacts_mm: Places | None = None
    sources: Annotated[
        Annotated[Discs | Points, Field(discriminator="kind")],
        BeforeValidator(_as_kind_table, Discs | Points | str),
    ] = Discs()
    sigma_S_m: Conductivity = SIGMA_S_m
    surface: AnySurface | None = None
    far: Flag = False

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

    def places_mm(self, thickness_mm: float) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Positions of the contacts in the column, mm, (n_channels, 3); z is the depth."""
        if self.contacts_mm is not None:
            return np.array(self.contacts_mm, np.float64)
        depths_mm = np.round(np.linspace(0.0, thickness_mm, self.n_channels), 9)
        return np.array([(x, y, z) for x, y in self.shanks_mm for z in depths_mm], np.float64)


class CSD(Frozen):
    """`csd`: current source density along each column's axis, A/m^3, estimated from the potential
    of `LFP` there.

    The method knows the tissue, whose conductivity has then no effect, but not the currents.

    Parameters
    ----------
    interval_ms : float
    n_channels : int
        Contacts, evenly from pia to white matter.
    depths_mm : list of float, optional
        Contacts instead, evenly spaced.
    surface : Surface, optional
        Another medium above the tissue that the contacts are in.
    method : SecondDifference, DeltaICSD, StepICSD or SplineICSD, optional
        By default DeltaICSD of the column's diameter, which knows of a surface at the pia.
    """

    kind: Literal["CSD"] = "CSD"
    readout: ClassVar[str] = "csd"
    interval_ms: Positive = 1.0
    n_channels: Channels = 16
    depths_mm: Annotated[tuple[Number, ...], Field(min_length=3), numeric] | None = None
    surface: AnySurface | None = None
    method: AnyMethod | None = None

    def potential(self) -> LFP:
        """The LFP probe with whose potential the CSD is estimated."""
        contacts_mm = (
            None
            if self.depths_mm is None
            else tuple((0.0, 0.0, depth_mm) for depth_mm in self.depths_mm)
        )
        return LFP(
            interval_ms=self.interval_ms,
            n_channels=self.n_channels,
            contacts_mm=contacts_mm,
            surface=self.surface,
        )

    def estimator(self, diameter_mm: float) -> Method:
        """The declared method; by default a DeltaICSD of this diameter, mm."""
        if self.method is not None:
            return self.method
        is_at_pia = self.surface is not None and self.surface.z_mm == 0.0
        top_S_m = self.surface.sigma_above_S_m if self.surface is not None and is_at_pia else None
        return DeltaICSD(diameter_mm=diameter_mm, sigma_top_S_m=top_S_m)


class Dipole(Frozen):
    """`dipole`: current dipole moment of each area along its outward normal, A m."""

    kind: Literal["Dipole"] = "Dipole"
    readout: ClassVar[str] = "dipole"
    interval_ms: Positive = 1.0


class Spheres(Frozen):
    """A head of four spheres: brain, fluid, skull, scalp; head coordinates. For MEG only the centre
    and brain matter.

    Radii and conductivities: Naess et al. (2017), Front. Hum. Neurosci. 11:490.
    """

    kind: Literal["Spheres"] = "Spheres"
    centre_mm: Vector = (0.0, 0.0, 40.0)
    radii_mm: Four = (79.0, 80.0, 85.0, 90.0)
    sigmas_S_m: Four = (0.3, 1.5, 0.015, 0.3)

    @model_validator(mode="after")
    def _check_radii(self) -> "Spheres":
        """Refuse radii that do not increase from the brain outwards."""
        if not (np.diff(self.radii_mm) > 0.0).all():
            raise refuse(
                f"radii_mm={self.radii_mm}", "radii that increase from the brain outwards", HERE
            )
        return self


class Forward(Frozen):
    """A head and its sensors by a forward solution of MNE, in head coordinates and of free
    orientation: a file.

    Each area's moment, along its normal, is put onto the nearest source, which must lie `within_mm`
    of its own place.
    """

    kind: Literal["Forward"] = "Forward"
    path: Name
    within_mm: Positive = 10.0


def _as_head(value: Any) -> Any:
    """Convert a head without `kind` to the table of Spheres."""
    return (
        {"kind": "Spheres", **value}
        if isinstance(value, Mapping) and "kind" not in value
        else _as_kind_table(value)
    )


Head = Annotated[
    Annotated[Spheres | Forward, Field(discriminator="kind")],
    BeforeValidator(_as_head, Spheres | Forward | str),
]


class EEG(Frozen):
    """`eeg`: potential at sites on the scalp, V, of the areas' dipoles, half a cortex below the
    pia.

    Parameters
    ----------
    interval_ms : float
    montage : str
        Any of MNE's standard montages, put onto the scalp along the lines from the centre of the
        head; not with a `Forward`, which has its own.
    sites : list of str, optional
        Which of its sites, and in which order; all by default.
    head : Spheres or Forward
    """

    kind: Literal["EEG"] = "EEG"
    readout: ClassVar[str] = "eeg"
    interval_ms: Positive = 1.0
    montage: Name = "biosemi64"
    sites: Sensors = None
    head: Head = Spheres()

    @model_validator(mode="after")
    def _check_sensors(self) -> "EEG":
        """Refuse a montage beside that of a forward."""
        _refuse_two(self.head, self.montage, EEG.model_fields["montage"].default, "montage")
        return self


class MEG(Frozen):
    """`meg`: what MEG coils pick up, T or T/m, of the areas' dipoles, half a cortex below the pia.

    Parameters
    ----------
    interval_ms : float
    helmet : str
        One of MNE's canonical helmets, "neuromag", "ctf151" or "ctf275", placed round the head; not
        with a `Forward`, which has its own.
    sensors : list of str, optional
        Which of its channels, and in which order; all by default.
    head : Spheres or Forward
    """

    kind: Literal["MEG"] = "MEG"
    readout: ClassVar[str] = "meg"
    interval_ms: Positive = 1.0
    helmet: Name = "neuromag"
    sensors: Sensors = None
    head: Head = Spheres()

    @model_validator(mode="after")
    def _check_sensors(self) -> "MEG":
        """Refuse a helmet beside that of a forward."""
        _refuse_two(self.head, self.helmet, MEG.model_fields["helmet"].default, "helmet")
        return self


def _refuse_two(head: Spheres | Forward, sensor_table: str, default: str, name: str) -> None:
    """Check that a Forward, which has its own sensors, comes without a table of sensors.

    Raises: JtfneError.
    """
    if isinstance(head, Forward) and sensor_table != default:
        raise refuse(
            f"{name}={describe_value(sensor_table)} with a Forward", "the sensors that it has", HERE
        )


Physical = LFP | CSD | Dipole | EEG | MEG
