"""The tissue around sources: its conductivity, and its surface if it has one.

Anisotropy is a change of coordinates; a surface adds the mirror images of sources.
"""

import dataclasses
from typing import Any

import numpy as np

from jtfne._check import Limit, describe_value, refuse
from jtfne._units import M_PER_mm
from jtfne.operators._base import Matrix
from jtfne.operators._checks import LARGEST, check_conductivity, check_number


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surface:
    """The flat upper border of the tissue.

    Tissue fills z >= `z_mm`, where z is depth. Above is a medium of another conductivity, air by
    default. Sources and contacts are in the tissue or on its surface.

    Parameters
    ----------
    z_mm : float
        Depth of the surface.
    sigma_above_S_m : float
        Conductivity above it, S/m; 0 is air.

    Notes
    -----
    The potential is that of each source and of its mirror image beyond the surface, whose strength
    is (sigma - sigma_above) / (sigma + sigma_above) of the source's.

    References
    ----------
    .. [1] Pettersen et al. (2006), J. Neurosci. Methods 154:116-133, eq. 6.
    .. [2] Jackson, Classical Electrodynamics, sec. 4.4.

    Examples
    --------
    >>> from jtfne.config import LFP
    >>> from jtfne.operators import Surface
    >>> LFP(surface=Surface(sigma_above_S_m=1.5)).surface.z_mm  # saline above the pia
    0.0
    """

    z_mm: float = 0.0
    sigma_above_S_m: float = 0.0


@dataclasses.dataclass(frozen=True)
class Tissue:
    """Conductivities along x, y and z in S/m, and the surface, None if there is none."""

    sigma_S_m: tuple[float, ...]
    surface: Surface | None

    @classmethod
    def build(cls, sigma_S_m: Any, surface: Surface | None, where: str) -> "Tissue":
        """The tissue of these conductivities and this surface.

        Raises: JtfneError for numbers out of range, and for anisotropic tissue below another
        conductor.
        """
        sigma = check_conductivity(sigma_S_m, where=where)
        if surface is not None:
            if not isinstance(surface, Surface):
                raise refuse(f"surface={describe_value(surface)}", "a Surface(...) or None", where)
            surface_where = f"{where}, Surface"
            check_number(surface.z_mm, Limit(-LARGEST, LARGEST), name="z_mm", where=surface_where)
            above = check_number(
                surface.sigma_above_S_m,
                Limit(0.0, LARGEST),
                name="sigma_above_S_m",
                where=surface_where,
            )
            if above > 0.0 and len(set(sigma)) > 1:
                raise refuse(
                    f"sigma_above_S_m={above:g} over anisotropic tissue",
                    "0, or one conductivity below",
                    where,
                )
        return cls(sigma, surface)

    @property
    def sigma_mean_S_m(self) -> float:
        """The geometric mean of the three conductivities."""
        return float(np.cbrt(np.prod(self.sigma_S_m)))

    def scale_coordinates(self, places_mm: Matrix) -> Matrix:
        """Return coordinates in A/V, in which the potential of a current I is I / (4 pi r).

        They are sigma r if the tissue is isotropic; else r^2 is sy sz dx^2 + sx sz dy^2 + sx sy
        dz^2.
        Source: Nicholson & Freeman (1975), J. Neurophysiol. 38:356-368.
        """
        x, y, z = self.sigma_S_m
        scaled_places: Matrix = places_mm * (M_PER_mm * np.sqrt([y * z, x * z, x * y]))
        return scaled_places

    def mirror(self, places_mm: Matrix) -> Matrix:
        """Return the mirror images of places on the other side of the surface."""
        assert self.surface is not None
        image: Matrix = places_mm * [1.0, 1.0, -1.0] + [0.0, 0.0, 2.0 * self.surface.z_mm]
        return image

    @property
    def image_strength(self) -> float:
        """The strength of the mirror image, -1 to 1; 0 without a surface."""
        if self.surface is None:
            return 0.0
        sigma, above = self.sigma_mean_S_m, self.surface.sigma_above_S_m
        return (sigma - above) / (sigma + above)

    def refuse_above(self, depths_mm: Matrix, *, name: str, where: str) -> None:
        """Raises: JtfneError for a depth above the surface."""
        if self.surface is not None and depths_mm.min() < self.surface.z_mm:
            raise refuse(
                f"{name} with one at z={depths_mm.min():g} mm",
                f"z >= {self.surface.z_mm:g}, the surface",
                where,
            )

    def parameters(self) -> dict[str, Any]:
        """Return conductivities and surface, JSON-ready."""
        isotropic = len(set(self.sigma_S_m)) == 1
        sigma = self.sigma_S_m[0] if isotropic else list(self.sigma_S_m)
        surface = {} if self.surface is None else {"surface": dataclasses.asdict(self.surface)}
        return {"sigma_S_m": sigma, **surface}
