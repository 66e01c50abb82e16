"""Potential of point currents."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._tree import register
from jtfne._units import M_PER_mm
from jtfne.operators._base import Matrix, Operator, Parameters
from jtfne.operators._checks import LENGTH_mm, check_number, check_places, refuse_coincident
from jtfne.operators._conductor import Surface, Tissue


@register
@dataclasses.dataclass(frozen=True, init=False)
class PointSource(Operator):
    """Potential of point currents in tissue: (n_contacts, n_sources) V/A.

    ``phi = I / (4 pi sigma r)``, for a current I at distance r from a contact.

    Parameters
    ----------
    contacts_mm : array_like of float, shape (n_contacts, 3)
        Where the potential is read.
    sources_mm : array_like of float, shape (n_sources, 3)
        Where currents leave cells; z points downwards if there is a surface.
    sigma_S_m : float or three of them
        Conductivity of the tissue, or those along x, y and z.
    radius_mm : float
        Radius of the cells: a contact that is closer to a source gets the potential at this
        distance, by the geometric mean conductivity. 0 turns it off.
    surface : Surface, optional
        Another medium above the tissue; left out, the tissue has no border.

    Raises
    ------
    JtfneError
        For numbers that are not finite or out of range, places above the surface, and a contact at
        a source if `radius_mm` is 0.

    See Also
    --------
    LineSource : Currents along segments.
    DiscSource : Currents of a whole depth of a column.

    Notes
    -----
    Assumptions:

    - The tissue is ohmic: its conductivity does not depend on frequency.
    - It is homogeneous and infinite, or ends at the flat surface; it may be anisotropic.
    - Fields are quasistatic: neither capacitive nor inductive effects.
    - Contacts are points and do not disturb the field.

    References
    ----------
    .. [1] Nunez & Srinivasan (2006), Electric Fields of the Brain, 2nd ed., ch. 5.

    Examples
    --------
    >>> PointSource([[0.05, 0.0, 0.0]], [[0.0, 0.0, 0.0]]).matrix.round(3)  # 1 nA: 5.305 uV
    array([[5305.165]])
    """

    def __init__(
        self,
        contacts_mm: npt.ArrayLike,
        sources_mm: npt.ArrayLike,
        sigma_S_m: float | tuple[float, float, float] = 0.3,
        radius_mm: float = 0.01,
        *,
        surface: Surface | None = None,
    ) -> None:
        where = "PointSource"
        contacts = check_places(contacts_mm, name="contacts_mm", where=where)
        sources = check_places(sources_mm, name="sources_mm", where=where)
        radius = check_number(radius_mm, LENGTH_mm, name="radius_mm", where=where)
        tissue = Tissue.build(sigma_S_m, surface, where)
        tissue.refuse_above(contacts[:, 2], name="contacts_mm", where=where)
        tissue.refuse_above(sources[:, 2], name="sources_mm", where=where)
        matrix = _potential(tissue, contacts, sources, radius, where)
        if tissue.image_strength:
            matrix += tissue.image_strength * _potential(
                tissue, contacts, tissue.mirror(sources), radius, where
            )
        parameters: dict[str, Any] = {
            "contacts_mm": contacts.tolist(),
            "radius_mm": radius,
            **tissue.parameters(),
        }
        super().__init__(matrix, ("A", "V"), "point source", Parameters(parameters))


def _potential(
    tissue: Tissue, contacts_mm: Matrix, sources_mm: Matrix, radius_mm: float, where: str
) -> Matrix:
    """Return the potential without borders, (n_contacts, n_sources) V/A."""
    square = np.zeros((len(contacts_mm), len(sources_mm)))
    for c, s in zip(
        tissue.scale_coordinates(contacts_mm).T, tissue.scale_coordinates(sources_mm).T, strict=True
    ):
        square += (c[:, None] - s[None, :]) ** 2
    distance = np.maximum(np.sqrt(square), tissue.sigma_mean_S_m * radius_mm * M_PER_mm)
    refuse_coincident(distance, what="source", where=where)
    potential: Matrix = 1.0 / (4.0 * np.pi * distance)
    return potential
