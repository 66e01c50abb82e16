"""`csd`: current source density along each column's axis, estimated from the potential there."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from jtfne.measures.csd import SecondDifference
from jtfne.measures.icsd import DeltaICSD, SplineICSD, StepICSD
from jtfne.pydantic_fields.catalogue import Declared
from jtfne.pydantic_fields.field_types import Number, Positive, numeric
from jtfne.readouts._checks import catch_error
from jtfne.readouts._context import Matrix, ProbeContext
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import CircuitLike, FigureSpec, PhysicalReadout
from jtfne.readouts._recording import Array
from jtfne.readouts.lfp import (
    LFP,
    AnySurface,
    Channels,
    SIGMA_S_m,
    check_contacts,
    describe_potential,
    disc_matrices,
)

Method = SecondDifference | DeltaICSD | StepICSD | SplineICSD
METHODS = {cls.__name__: cls for cls in (SecondDifference, DeltaICSD, StepICSD, SplineICSD)}
AnyMethod = Annotated[Method, Declared(METHODS)]


class CSD(PhysicalReadout):
    """`csd`: current source density along each column's axis, A/m^3.

    Estimated from the potential of an `LFP` there.

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

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.config import CSD
    >>> cfg = jtfne.Config().probes([CSD(n_channels=24, interval_ms=0.5)])
    >>> cfg.readouts.probes[0].units, cfg.readouts.probes[0].potential().n_channels
    ('A/m^3', 24)
    """

    kind: Literal["CSD"] = "CSD"
    interval_ms: Positive = 1.0
    n_channels: Channels = 16
    depths_mm: Annotated[tuple[Number, ...], Field(min_length=3), numeric] | None = None
    surface: AnySurface | None = None
    method: AnyMethod | None = None

    readout: ClassVar[str] = "csd"
    long_name: ClassVar[str] = "current source density, sinks negative"
    short_name: ClassVar[str] = "CSD"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "area", "channel")
    coords: ClassVar[tuple[str, ...]] = ("area", "channel", "z_mm")
    units: ClassVar[str] = "A/m^3"
    mne_type: ClassVar[str] = "csd"
    density: ClassVar[bool] = True
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "06_csd": FigureSpec(
            "laminar",
            "CSD over depth, from its mean before the first stimulus; blue is a sink, red a source.",
        ),
    }

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

    def check(self, circuit: CircuitLike) -> Iterator[str]:
        """Yield an error for contacts outside the tissue, or that the method cannot use."""
        yield from check_contacts(self.potential(), circuit, self.kind)
        geometry = circuit.geometry
        depths_mm = self.potential().places_mm(geometry.thickness_mm)[:, 2]
        method = self.estimator(2.0 * geometry.radius_mm)
        yield from catch_error(lambda: method.matrix(depths_mm, SIGMA_S_m), "CSD.method")

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of the potential with the method's matrix after it, as one matrix."""
        maps, columns, potential = context.maps, context.columns, self.potential()
        depths_mm = potential.places_mm(columns.thickness_mm)[:, 2]
        method = self.estimator(2.0 * columns.radius_mm)
        matrix, places_mm = method.matrix(depths_mm, SIGMA_S_m), method.places_mm(depths_mm)
        matrices = disc_matrices(potential, maps, columns)
        part = maps.area_part(tuple(np.tensordot(matrix, volts, 1) for volts in matrices))
        coords = {
            "area": (("area",), np.array(maps.areas)),
            "channel": (("channel",), _name_estimates(places_mm, depths_mm)),
            "z_mm": (("channel",), places_mm),
        }
        parameters: dict[str, Any] = {
            **describe_potential(potential, maps, columns),
            "method": repr(method),
            "units": ["pA", "A/m^3"],
        }
        return FieldProbe.build(self, context, part, coords, parameters, source=maps.source)


def _name_estimates(places_mm: Matrix, contacts_mm: Matrix) -> Array:
    """Name the estimates: by the contacts where each is at one, else by numbers of their own."""
    nearest = np.abs(places_mm[:, None] - contacts_mm).argmin(1)
    if np.allclose(contacts_mm[nearest], places_mm, atol=1e-9, rtol=0.0):
        return np.array([f"ch{k:02d}" for k in nearest])
    return np.array([f"at{k:03d}" for k in range(places_mm.size)])
