"""Potential on the axis of flat discs of current: a column as a laminar probe sees it."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._tree import register
from jtfne._units import M_PER_mm
from jtfne.operators._base import Matrix, Operator, Parameters
from jtfne.operators._checks import CONDUCTIVITY_S_m, RADIUS_mm, check_array, check_number
from jtfne.operators._conductor import Surface, Tissue


@register
@dataclasses.dataclass(frozen=True, init=False)
class DiscSource(Operator):
    """Potential on the axis of discs that currents leave evenly: (n_contacts, n_sources) V/A.

    ``phi = I / (2 pi sigma R^2) (sqrt(dz^2 + R^2) - |dz|)``, for a current I that leaves a disc of
    radius R, on its axis at a distance dz.

    Parameters
    ----------
    contact_depths_mm : array_like of float, shape (n_contacts,)
        Depths along the axis where the potential is read.
    source_depths_mm : array_like of float, shape (n_sources,)
        Depths of the discs.
    radius_mm : float
        Radius of the discs, that of the column.
    sigma_S_m : float
        Conductivity of the tissue.
    surface : Surface, optional
        Another medium above the tissue; left out, the tissue has no border.

    Raises
    ------
    JtfneError
        For numbers that are not finite or out of range, and depths above the surface.

    Notes
    -----
    Assumptions:

    - The current density of a disc, I / (pi R^2), is the same all over it.
    - Contacts lie on the axis of the column.
    - The tissue is ohmic, homogeneous and isotropic; it is infinite or ends at the flat surface.

    References
    ----------
    .. [1] Pettersen et al. (2006), J. Neurosci. Methods 154:116-133, eq. 3.

    Examples
    --------
    >>> DiscSource([0.0, 0.1], [0.0], radius_mm=0.25, sigma_S_m=0.3).matrix.round(3).T
    array([[2122.066, 1436.709]])
    """

    def __init__(
        self,
        contact_depths_mm: npt.ArrayLike,
        source_depths_mm: npt.ArrayLike,
        radius_mm: float,
        sigma_S_m: float,
        *,
        surface: Surface | None = None,
    ) -> None:
        where = "DiscSource"
        contacts = check_array(contact_depths_mm, 1, name="contact_depths_mm", where=where)
        sources = check_array(source_depths_mm, 1, name="source_depths_mm", where=where)
        radius = check_number(radius_mm, RADIUS_mm, name="radius_mm", where=where)
        sigma = check_number(sigma_S_m, CONDUCTIVITY_S_m, name="sigma_S_m", where=where)
        tissue = Tissue.build(sigma, surface, where)
        tissue.refuse_above(contacts, name="contact_depths_mm", where=where)
        tissue.refuse_above(sources, name="source_depths_mm", where=where)
        matrix = _potential(contacts[:, None] - sources, radius, sigma)
        if surface is not None:
            image_distances_mm = contacts[:, None] + sources - 2.0 * surface.z_mm
            matrix += tissue.image_strength * _potential(image_distances_mm, radius, sigma)
        parameters: dict[str, Any] = {
            "contact_depths_mm": contacts.tolist(),
            "radius_mm": radius,
            **tissue.parameters(),
        }
        super().__init__(matrix, ("A", "V"), "disc source", Parameters(parameters))


def _potential(away_mm: Matrix, radius_mm: float, sigma_S_m: float) -> Matrix:
    """Return the potential on the disc's axis, V/A.

    The difference of two lengths, divided by radius^2, is taken as the reciprocal of their sum:
    there is no cancellation.
    """
    sum_m = (np.hypot(away_mm, radius_mm) + np.abs(away_mm)) * M_PER_mm
    potential: Matrix = 1.0 / (2.0 * np.pi * sigma_S_m * sum_m)
    return potential
