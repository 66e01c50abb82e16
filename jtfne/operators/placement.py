"""Columns and sensors in a spherical head: areas as dipoles in the brain, sites on the scalp."""

import numpy as np
import numpy.typing as npt

from jtfne._check import refuse
from jtfne.operators._base import Matrix, unit_rows
from jtfne.operators._checks import (
    LENGTH_mm,
    RADIUS_mm,
    check_directions,
    check_number,
    check_places,
    check_point,
)


def column_dipoles(
    positions_mm: npt.ArrayLike,
    normals: npt.ArrayLike,
    *,
    depth_mm: float,
    centre_mm: npt.ArrayLike,
    brain_mm: float,
) -> tuple[Matrix, Matrix]:
    """Return the dipoles that stand for columns: places and outward unit normals.

    Places (n_areas, 3) mm and directions (n_areas, 3). positions_mm, normals (n_areas, 3): as
    `Area` has them: where each column's axis meets the pia, and which way it points. A dipole lies
    depth_mm below the pia along the axis (half a cortex's thickness, say); a moment above 0 points
    to the pia. The brain is the sphere of radius brain_mm round centre_mm.
    Raises: JtfneError for a column whose dipole is not in the brain.

    >>> head = {"centre_mm": (0, 0, 40), "brain_mm": 79}
    >>> column_dipoles([[0, 0, 110]], [[0, 0, 2]], depth_mm=0.75, **head)[0].tolist()
    [[0.0, 0.0, 109.25]]
    """
    where = "column_dipoles"
    pia = check_places(positions_mm, name="positions_mm", where=where)
    outward = check_directions(normals, pia.shape, name="normals", where=where)
    depth = check_number(depth_mm, LENGTH_mm, name="depth_mm", where=where)
    brain = check_number(brain_mm, RADIUS_mm, name="brain_mm", where=where)
    dipoles: Matrix = pia - depth * outward
    radius = np.linalg.norm(dipoles - check_point(centre_mm, name="centre_mm", where=where), axis=1)
    if radius.max() >= brain:
        index = int(radius.argmax())
        raise refuse(
            f"column {index} at {pia[index].tolist()} mm, {radius[index]:.6g} mm from the centre "
            "of the head",
            f"a place in the brain, within {brain:g} mm",
            where,
        )
    return dipoles, outward


def onto_sphere(sites_mm: npt.ArrayLike, *, centre_mm: npt.ArrayLike, radius_mm: float) -> Matrix:
    """Move sites (n, 3) along the line from the centre onto the sphere, as onto the scalp.

    Raises: JtfneError for a site at the centre.

    >>> onto_sphere([[0, 0, 150]], centre_mm=(0, 0, 40), radius_mm=90).tolist()
    [[0.0, 0.0, 130.0]]
    """
    where = "onto_sphere"
    centre = check_point(centre_mm, name="centre_mm", where=where)
    radius = check_number(radius_mm, RADIUS_mm, name="radius_mm", where=where)
    from_centre = check_places(sites_mm, name="sites_mm", where=where) - centre
    if not from_centre.any(axis=1).all():
        raise refuse("a site at the centre", "sites around it", where)
    on_sphere: Matrix = centre + radius * unit_rows(from_centre)
    return on_sphere
