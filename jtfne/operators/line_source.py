"""Potential of currents that leave straight segments evenly along their length."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import refuse
from jtfne._tree import register
from jtfne._units import M_PER_mm
from jtfne.operators._base import Matrix, Operator, Parameters
from jtfne.operators._checks import LENGTH_mm, check_number, check_places, refuse_coincident
from jtfne.operators._conductor import Surface, Tissue


@register
@dataclasses.dataclass(frozen=True, init=False)
class LineSource(Operator):
    """Potential of currents that leave segments evenly: (n_contacts, n_segments) V/A.

    The integral of `PointSource` along each segment, with its current divided by its length.

    Parameters
    ----------
    contacts_mm : array_like of float, shape (n_contacts, 3)
        Where the potential is read.
    starts_mm, ends_mm : array_like of float, shape (n_segments, 3)
        The two ends of each segment.
    sigma_S_m, surface
        As for `PointSource`.
    radius_mm : float
        Radius of the segments: no contact counts as closer to the axis of a segment. 0 turns it
        off.

    Raises
    ------
    JtfneError
        As `PointSource`, and for a segment without length.

    Notes
    -----
    Assumptions: those of `PointSource`, and a current that is the same all along a segment.

    References
    ----------
    .. [1] Holt & Koch (1999), J. Comput. Neurosci. 6:169-184.

    Examples
    --------
    >>> ends = [[0.0, 0.0, -0.05]], [[0.0, 0.0, 0.05]]
    >>> LineSource([[0.05, 0.0, 0.0]], *ends).matrix.round(3)
    array([[4675.832]])
    """

    def __init__(
        self,
        contacts_mm: npt.ArrayLike,
        starts_mm: npt.ArrayLike,
        ends_mm: npt.ArrayLike,
        sigma_S_m: float | tuple[float, float, float] = 0.3,
        radius_mm: float = 0.01,
        *,
        surface: Surface | None = None,
    ) -> None:
        where = "LineSource"
        contacts = check_places(contacts_mm, name="contacts_mm", where=where)
        starts = check_places(starts_mm, name="starts_mm", where=where)
        ends = check_places(ends_mm, name="ends_mm", where=where)
        radius = check_number(radius_mm, LENGTH_mm, name="radius_mm", where=where)
        if starts.shape != ends.shape:
            raise refuse(
                f"starts_mm {starts.shape} with ends_mm {ends.shape}", "as many of each", where
            )
        if (starts == ends).all(axis=1).any():
            index = int(np.flatnonzero((starts == ends).all(axis=1))[0])
            raise refuse(
                f"segment {index} without length",
                "starts apart from ends; a PointSource has no length",
                where,
            )
        tissue = Tissue.build(sigma_S_m, surface, where)
        for name, points in (("contacts_mm", contacts), ("starts_mm", starts), ("ends_mm", ends)):
            tissue.refuse_above(points[:, 2], name=name, where=where)
        matrix = _potential(tissue, contacts, (starts, ends), radius, where)
        if tissue.image_strength:
            image = tissue.mirror(starts), tissue.mirror(ends)
            matrix += tissue.image_strength * _potential(tissue, contacts, image, radius, where)
        parameters: dict[str, Any] = {
            "contacts_mm": contacts.tolist(),
            "radius_mm": radius,
            **tissue.parameters(),
        }
        super().__init__(matrix, ("A", "V"), "line source", Parameters(parameters))


def _potential(
    tissue: Tissue,
    contacts_mm: Matrix,
    segments_mm: tuple[Matrix, Matrix],
    radius_mm: float,
    where: str,
) -> Matrix:
    """Return the potential without borders, (n_contacts, n_segments) V/A.

    With `axial` the place of a contact along the axis, counted from the segment's start, and
    `radial` its distance from the axis, the integral of 1 / r is asinh(axial / radial) +
    asinh((length - axial) / radial), and the same number without cancellation, beyond the ends, is
    2 atanh(length / (r_start + r_end)).
    """
    contacts, starts, ends = (
        tissue.scale_coordinates(points) for points in (contacts_mm, *segments_mm)
    )
    length = np.linalg.norm(ends - starts, axis=1)
    axis = (ends - starts) / length[:, None]
    axial, radial = np.empty((2, len(contacts), len(starts)))
    # of a whole morphology, one contact's vectors at a time
    for row, contact in enumerate(contacts):
        from_start = contact - starts
        axial[row] = (from_start * axis).sum(1)
        radial[row] = np.linalg.norm(from_start - axial[row, :, None] * axis, axis=1)
    radial = np.maximum(radial, tissue.sigma_mean_S_m * radius_mm * M_PER_mm)
    is_beside = (axial >= 0.0) & (axial <= length)
    refuse_coincident(np.where(is_beside, radial, 1.0), what="segment", where=where)
    safe = np.where(is_beside, radial, 1.0)
    inside = np.arcsinh(axial / safe) + np.arcsinh((length - axial) / safe)
    around = np.hypot(axial, radial) + np.hypot(length - axial, radial)
    outside = 2.0 * np.arctanh(np.where(is_beside, 0.0, length / around))
    potential: Matrix = np.where(is_beside, inside, outside) / (4.0 * np.pi * length)
    return potential
