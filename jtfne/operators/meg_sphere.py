"""Magnetic field of current dipoles in a conductor of spherical symmetry."""

import dataclasses
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from jtfne._check import refuse
from jtfne._tree import register
from jtfne._units import M_PER_mm
from jtfne.operators._base import Matrix, Operator, Parameters
from jtfne.operators._checks import MU0, check_directions, check_places, check_point

if TYPE_CHECKING:
    from jtfne.operators.coils import Coils

PAIRS_AT_ONCE = 2**19
"""Pairs of points and dipoles that are taken at once.

It bounds the work area to about 60 MB.
"""


@register
@dataclasses.dataclass(frozen=True, init=False)
class SarvasSphere(Operator):
    """Magnetic field of dipoles in a spherical conductor: (n_points, n_dipoles, 3) T/(A m).

    The field at points outside the conductor, along a direction at each. `of_coils` gives the
    readings of whole coils.

    Parameters
    ----------
    points_mm : array_like of float, shape (n_points, 3)
        Points outside the conductor.
    normals : array_like of float, shape (n_points, 3)
        Direction along which the field is read at each point; scaled to unit length.
    dipoles_mm : array_like of float, shape (n_dipoles, 3)
        Where the dipoles are, inside the conductor.
    centre_mm : array_like of float, shape (3,)
        Centre of the conductor.

    Raises
    ------
    JtfneError
        For numbers that are not finite, and a point no farther from the centre than every dipole.

    Notes
    -----
    Assumptions:

    - The conductor is spherically symmetric: the field outside then depends neither on the radii of
      shells nor on their conductivities.
    - Fields are quasistatic, and a dipole is a point. A radial dipole has no field outside.

    References
    ----------
    .. [1] Sarvas (1987), Phys. Med. Biol. 32:11-22, eq. 25.

    Examples
    --------
    >>> field = SarvasSphere([[0.0, 0.0, 120.0]], [[0.0, 1.0, 0.0]], [[0.0, 0.0, 70.0]])
    >>> (field.matrix * 1e-8 * 1e15).round(4) + 0.0  # fT of 10 nA m along x, y or z
    array([[[-116.6667,    0.    ,    0.    ]]])
    """

    def __init__(
        self,
        points_mm: npt.ArrayLike,
        normals: npt.ArrayLike,
        dipoles_mm: npt.ArrayLike,
        centre_mm: npt.ArrayLike = (0.0, 0.0, 0.0),
    ) -> None:
        where = "SarvasSphere"
        head_points = check_places(points_mm, name="points_mm", where=where)
        unit_normals = check_directions(normals, head_points.shape, name="normals", where=where)
        centre, points, dipoles = _from_centre(head_points, dipoles_mm, centre_mm, where)
        parameters: dict[str, Any] = {
            "points_mm": head_points.tolist(), "normals": unit_normals.tolist(), "centre_mm":
            centre.tolist(),
        }  # fmt: skip
        super().__init__(
            _field(points, unit_normals, dipoles),
            ("A m", "T"),
            "Sarvas sphere",
            Parameters(parameters),
        )

    @classmethod
    def of_coils(
        cls, coils: "Coils", dipoles_mm: npt.ArrayLike, centre_mm: npt.ArrayLike = (0.0, 0.0, 0.0)
    ) -> "Self":
        """Lead field of whole coils: (n_coils, n_dipoles, 3), in each coil's unit per A m.

        coils: from `coils_of`; magnetometers are in T, planar gradiometers in T/m.
        Raises: JtfneError as `SarvasSphere`.
        """
        where = "SarvasSphere.of_coils"
        centre, points, dipoles = _from_centre(coils.points_mm, dipoles_mm, centre_mm, where)
        n_at_once = max(1, PAIRS_AT_ONCE // len(points))
        parts = [
            coils.sums(_field(points, coils.normals, dipoles[first : first + n_at_once]))
            for first in range(0, len(dipoles), n_at_once)
        ]
        parameters = Parameters({**coils.parameters(), "centre_mm": centre.tolist()})
        operator = object.__new__(cls)
        Operator.__init__(
            operator,
            np.concatenate(parts, axis=1),
            ("A m", coils.unit),
            "Sarvas sphere, coils",
            parameters,
        )
        return operator


def _from_centre(
    points_mm: Matrix, dipoles_mm: npt.ArrayLike, centre_mm: npt.ArrayLike, where: str
) -> tuple[Matrix, Matrix, Matrix]:
    """Return the centre, and points and dipoles as seen from there.

    Raises: JtfneError unless all points are farther out than all dipoles.
    """
    centre = check_point(centre_mm, name="centre_mm", where=where)
    points = points_mm - centre
    dipoles = check_places(dipoles_mm, name="dipoles_mm", where=where) - centre
    radius, depth = np.linalg.norm(points, axis=1), np.linalg.norm(dipoles, axis=1)
    if radius.min() <= depth.max():
        raise refuse(
            f"point {radius.argmin()} at {radius.min():.6g} mm from the centre",
            f"points outside the conductor, so farther than dipole {depth.argmax()} at "
            f"{depth.max():.6g} mm",
            where,
        )
    return centre, points, dipoles


def _field(points_mm: Matrix, normals: Matrix, dipoles_mm: Matrix) -> Matrix:
    """Return (n_points, n_dipoles, 3) T/(A m); both are seen from the centre.

    n.B = mu0 / (4 pi F^2) q.(F r0 x n - (n.grad F) r0 x r), with a = r - r0, F = a (r a + r^2 -
    r0.r) and grad F = (a^2 / r + a.r / a + 2 a + 2 r) r - (a + 2 r + a.r / a) r0.
    """
    r, r0 = points_mm[:, None, :] * M_PER_mm, dipoles_mm[None, :, :] * M_PER_mm
    n = normals[:, None, :]
    length = np.linalg.norm(r, axis=2)
    distance = np.linalg.norm(r - r0, axis=2)
    projection = (r * r0).sum(2)
    along = (length**2 - projection) / distance  # a.r / a
    f = distance * (length * distance + length**2 - projection)
    grad_f_along_n = (distance**2 / length + along + 2.0 * distance + 2.0 * length) * (n * r).sum(2)
    grad_f_along_n -= (distance + 2.0 * length + along) * (n * r0).sum(2)
    leadfield = (
        np.cross(r0, n) / f[..., None] - np.cross(r0, r) * (grad_f_along_n / f**2)[..., None]
    )
    field: Matrix = MU0 / (4.0 * np.pi) * leadfield
    return field
