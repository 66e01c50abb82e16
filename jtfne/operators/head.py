"""Head proxies: how strongly a sensor sees each area's current by direction alone, no conductor."""

from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne.operators._base import Matrix, Operator, operator, unit_rows


def area_mean(cell_areas: npt.NDArray[np.integer[Any]], n_areas: int) -> Operator:
    """Return the operator of each area's mean source: (n_areas, n_cells).

    cell_areas: (n_cells,), 0..n_areas-1.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.operators import area_mean
    >>> area_mean(np.array([0, 0, 1]), n_areas=2).matrix.tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    """
    rows = (np.arange(n_areas)[:, None] == cell_areas[None, :]).astype(np.float64)
    return operator(rows / np.maximum(rows.sum(1, keepdims=True), 1.0), ("pA", "pA"), "area mean")


def electric_projection(sites_mm: Matrix, areas_mm: Matrix, normals: Matrix) -> Operator:
    """Projection of currents along the areas' normals onto EEG sites: (n_sites, n_areas), a.u.

    The row of a site over the moment components (area, xyz) is (r - r_a) / |r - r_a|^3, the shape
    of a dipole's potential in an unbounded medium. It is scaled to norm 1, then taken along the
    normals. sites_mm (n_sites, 3), areas_mm and normals (n_areas, 3): head coordinates. A proxy: no
    skull, no skin.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.operators import electric_projection
    >>> up = np.array([[0.0, 0.0, 1.0]])
    >>> sites_mm = np.array([[0.0, 0.0, 90.0], [0.0, 0.0, -90.0]])
    >>> electric_projection(sites_mm, np.zeros((1, 3)), up).matrix.tolist()  # above, and below
    [[1.0], [-1.0]]
    """
    distance_vectors = sites_mm[:, None, :] - areas_mm[None, :, :]
    leadfield = distance_vectors / np.linalg.norm(distance_vectors, axis=2, keepdims=True) ** 3
    return _along_normals(leadfield, normals, "projection onto EEG sites")


def magnetic_projection(
    sensors_mm: Matrix, directions: Matrix, areas_mm: Matrix, normals: Matrix
) -> Operator:
    """Projection of currents along areas' normals onto magnetometers: (n_sensors, n_areas), a.u.

    The row of a sensor over (area, xyz) is (r - r_a) x o / |r - r_a|^3, the shape of Biot and
    Savart's law for a sensor that looks along o. It is scaled to norm 1, then taken along the
    normals. sensors_mm, directions (n_sensors, 3). A proxy: no return currents.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.operators import magnetic_projection
    >>> up = np.array([[0.0, 0.0, 1.0]])
    >>> above_mm = np.array([[0.0, 0.0, 90.0]])
    >>> radial = magnetic_projection(above_mm, up, np.zeros((1, 3)), up)
    >>> abs(radial.matrix).tolist()  # silent
    [[0.0]]
    """
    distance_vectors = sensors_mm[:, None, :] - areas_mm[None, :, :]
    leadfield = (
        np.cross(distance_vectors, directions[:, None, :])
        / np.linalg.norm(distance_vectors, axis=2, keepdims=True) ** 3
    )
    return _along_normals(leadfield, normals, "projection onto MEG sensors")


def _along_normals(leadfield: Matrix, normals: Matrix, name: str) -> Operator:
    """Scale each sensor's lead vectors to norm 1, and take them along the normals.

    leadfield: (n_sensors, n_areas, 3).
    """
    rows = unit_rows(leadfield.reshape(leadfield.shape[0], -1)).reshape(leadfield.shape)
    matrix = np.einsum("sak,ak->sa", rows, normals)
    return operator(matrix, ("pA", "a.u."), name)
