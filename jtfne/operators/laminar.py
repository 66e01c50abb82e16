"""Laminar proxies: a Gaussian kernel over depth, and its second difference."""

from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne.operators._base import Matrix, Operator, operator


def laminar_kernel(
    contact_depths_mm: Matrix,
    cell_depths_mm: Matrix,
    cell_areas: npt.NDArray[np.integer[Any]],
    n_areas: int,
    kernel_mm: float,
) -> Operator:
    """Return the Gaussian-weighted mean of the sources around each contact, area by area.

    (n_areas * n_contacts, n_cells). contact_depths_mm: (n_contacts,), cell_depths_mm and cell_areas
    (0..n_areas-1): (n_cells,). Rows sum to 1, a contact far from every cell included; rows of an
    area without cells are 0. A proxy: no conductor, a.u.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.operators import laminar_kernel
    >>> contacts_mm, cells_mm = np.array([0.0, 0.5, 1.0]), np.array([0.4, 0.6])
    >>> kernel = laminar_kernel(contacts_mm, cells_mm, np.array([0, 0]), n_areas=1, kernel_mm=0.1)
    >>> np.asarray(kernel.matrix).round(3).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    distance = (contact_depths_mm[:, None] - cell_depths_mm[None, :]) / kernel_mm
    rows = np.zeros((n_areas, contact_depths_mm.size, cell_depths_mm.size))
    for area in range(n_areas):
        cells = np.flatnonzero(cell_areas == area)
        if cells.size:
            closeness = -0.5 * distance[:, cells] ** 2
            # 1 at the nearest cell, however far
            weights = np.exp(closeness - closeness.max(1, keepdims=True))
            rows[area][:, cells] = weights / weights.sum(1, keepdims=True)
    return operator(
        rows.reshape(-1, cell_depths_mm.size),
        ("pA", "a.u."),
        "gaussian laminar kernel",
        kernel_mm=float(kernel_mm),
        contact_depths_mm=[float(z) for z in contact_depths_mm],
    )


def second_difference(n_areas: int, contact_depths_mm: Matrix) -> Operator:
    """Return minus the second depth difference at the inner contacts.

    (n_areas * (n - 2), n_areas * n). Contacts are evenly spaced; in a.u. per (contact spacing)^2,
    so that the spacing does not scale the proxy.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.operators import second_difference
    >>> second_difference(1, np.array([0.0, 0.1, 0.2, 0.3])).matrix.tolist()
    [[-1.0, 2.0, -1.0, 0.0], [0.0, -1.0, 2.0, -1.0]]
    """
    n = contact_depths_mm.size
    area_matrix: Matrix = np.zeros((n - 2, n))
    for row in range(n - 2):
        area_matrix[row, row : row + 3] = (-1.0, 2.0, -1.0)
    matrix: Matrix = np.kron(np.eye(n_areas), area_matrix).astype(np.float64)
    return operator(matrix, ("a.u.", "a.u."), "minus second depth difference")
