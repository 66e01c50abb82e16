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
    """Potential of current dipoles in tissue without borders: (n_points, n_dipoles, 3) V/(A m).

    ``phi = p.r / (4 pi sigma r^3)``, for a moment p and the vector r from the dipole to a point.

    Parameters
    ----------
    points_mm : array_like of float, shape (n_points, 3)
        Where the potential is read.
    dipoles_mm : array_like of float, shape (n_dipoles, 3)
        Where the dipoles are.
    sigma_S_m : float
        Conductivity of the tissue.

    Raises
    ------
    JtfneError
        For numbers that are not finite or out of range, and a point at a dipole.

    Notes
    -----
    Assumptions: the tissue is ohmic, homogeneous, isotropic and infinite, and a dipole is a point.

    References
    ----------
    .. [1] Nunez & Srinivasan (2006), Electric Fields of the Brain, 2nd ed., ch. 5.

    Examples
    --------
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
