"""Potential of current dipoles in a medium without borders."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._tree import register
from jtfne._units import M_PER_mm
from jtfne.operators._base import Matrix, Operator, Parameters
from jtfne.operators._checks import CONDUCTIVITY_S_m, check_number, check_places, refuse_coincident


@register
@dataclasses.dataclass(frozen=True, init=False)
class InfiniteDipole(Operator):
    """Potential p.r / (4 pi sigma r^3) of dipoles in an unbounded medium.

    (n_points, n_dipoles, 3) V/(A m). points_mm (n_points, 3), dipoles_mm (n_dipoles, 3).
    Raises: JtfneError, for a point at a dipole too.
    Source: Nunez & Srinivasan (2006), Electric Fields of the Brain, ch. 5.

    >>> InfiniteDipole([[0.0, 0.0, 100.0]], [[0.0, 0.0, 0.0]], sigma_S_m=0.3).matrix.round(4)
    array([[[ 0.    ,  0.    , 26.5258]]])
    """

    def __init__(
        self, points_mm: npt.ArrayLike, dipoles_mm: npt.ArrayLike, sigma_S_m: float
    ) -> None:
        where = "InfiniteDipole"
        points = check_places(points_mm, name="points_mm", where=where)
        dipoles = check_places(dipoles_mm, name="dipoles_mm", where=where)
        sigma = check_number(sigma_S_m, CONDUCTIVITY_S_m, name="sigma_S_m", where=where)
        parameters: dict[str, Any] = {"points_mm": points.tolist(), "sigma_S_m": sigma}
        matrix = infinite_potential(points, dipoles, sigma, where)
        super().__init__(
            matrix, ("A m", "V"), "dipole in an infinite medium", Parameters(parameters)
        )


def infinite_potential(
    points_mm: Matrix, dipoles_mm: Matrix, sigma_S_m: float, where: str
) -> Matrix:
    """Return the potential of dipoles without borders: (n_points, n_dipoles, 3) V/(A m).

    Raises: JtfneError for a point at a dipole.
    """
    away_m = (points_mm[:, None, :] - dipoles_mm[None, :, :]) * M_PER_mm
    distance_m = np.linalg.norm(away_m, axis=2)
    refuse_coincident(distance_m, what="dipole", where=where)
    potential: Matrix = away_m / (4.0 * np.pi * sigma_S_m * distance_m[..., None] ** 3)
    return potential
