"""Currents along depth as currents of evenly spaced compartments.

Their sum and their first moment are kept.
"""

import numpy as np
import numpy.typing as npt

from jtfne.operators._base import Matrix


def compartments_mm(thickness_mm: float, step_mm: float) -> Matrix:
    """Return depths of compartments from the pia (0) to `thickness_mm`: (n,), n at least 2.

    They are `step_mm` apart or a little less.

    >>> compartments_mm(0.11, 0.05).round(4).tolist()
    [0.0, 0.0367, 0.0733, 0.11]
    """
    n_steps = max(1, int(np.ceil(thickness_mm / step_mm - 1e-9)))
    depths: Matrix = np.linspace(0.0, thickness_mm, n_steps + 1)
    return depths


def depth_weights(
    first_mm: npt.ArrayLike, last_mm: npt.ArrayLike, depths_mm: npt.ArrayLike
) -> Matrix:
    """Return each compartment's share of a current spread evenly over depth: (n_depths, n_cells).

    first_mm <= last_mm (n_cells,): the ends of the current, within `depths_mm` (n_depths,), which
    is evenly spaced. Columns sum to 1, and their mean depth is that of the current. Where both ends
    are equal, the two compartments next to the place share the current.

    >>> depth_weights([0.02, 0.0], [0.02, 0.1], [0.0, 0.05, 0.1]).round(3).T.tolist()
    [[0.6, 0.4, 0.0], [0.25, 0.5, 0.25]]
    """
    depths = np.asarray(depths_mm, np.float64)
    step = depths[1] - depths[0]
    first, last = (
        (np.asarray(ends_mm, np.float64) - depths[:, None]) / step
        for ends_mm in (first_mm, last_mm)
    )
    length = last - first
    narrow = length < 1e-4  # of a compartment: a point, for all that a compartment can tell
    point_shares: Matrix = np.maximum(1.0 - np.abs(0.5 * (first + last)), 0.0)
    shares: Matrix = (_integrate_hat(last) - _integrate_hat(first)) / np.where(narrow, 1.0, length)
    return np.where(narrow, point_shares, shares)


def _integrate_hat(x: Matrix) -> Matrix:
    """Integrate the hat 1 - |x| of a compartment from -1 to `x`, in steps."""
    inside = np.clip(x, -1.0, 1.0)
    area: Matrix = 0.5 + inside - 0.5 * inside * np.abs(inside)
    return area
