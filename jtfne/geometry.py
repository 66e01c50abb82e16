"""Where cells lie: layers of a column, and columns in the head. Lengths in mm."""

import numpy as np
from numpy.typing import ArrayLike

from jtfne._units import Floats


def column_positions_mm(
    n_cells: int,
    *,
    top: float,
    bottom: float,
    thickness_mm: float,
    radius_mm: float,
    rng: np.random.Generator,
) -> Floats:
    """Cells of one layer of a cylindrical column: (n_cells, 3) mm, uniform in volume.

    x and y lie in the column's plane, in the disc of `radius_mm` around its axis; z is the depth
    below the pia, between `top` and `bottom` (relative depths, 0 pia .. 1 white matter) times
    `thickness_mm`.
    >>> rng = np.random.default_rng(0)
    >>> xyz_mm = column_positions_mm(3, top=0.5, bottom=1.0, thickness_mm=2.0, radius_mm=0.1, rng=rng)
    >>> xyz_mm.shape, bool(np.all((xyz_mm[:, 2] >= 1.0) & (xyz_mm[:, 2] <= 2.0)))
    ((3, 3), True)
    """
    from_axis_mm = radius_mm * np.sqrt(rng.random(n_cells))
    angle_rad = 2.0 * np.pi * rng.random(n_cells)
    depth_mm = thickness_mm * (top + (bottom - top) * rng.random(n_cells))
    return np.column_stack(
        [from_axis_mm * np.cos(angle_rad), from_axis_mm * np.sin(angle_rad), depth_mm]
    )


def column_axes(normal: ArrayLike) -> Floats:
    """Right-handed unit axes of a column, (3, 3): rows x, y (in its plane) and its outward normal.

    normal: (3,), outward from white matter to pia, of any length but zero.
    x is horizontal in the head (at right angles to its z axis); for an upright column it is the
    head's x.
    >>> column_axes((0.0, 0.0, 2.0)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    unit_normal = np.asarray(normal, dtype=np.float64)
    unit_normal = unit_normal / np.linalg.norm(unit_normal)
    horizontal = np.cross([0.0, 0.0, 1.0], unit_normal)
    length = np.linalg.norm(horizontal)
    x = horizontal / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
    return np.stack([x, np.cross(unit_normal, x), unit_normal])


def to_head_mm(xyz_mm: ArrayLike, *, position_mm: ArrayLike, normal: ArrayLike) -> Floats:
    """Positions in a column, (n, 3) mm with z the depth below pia, as head coordinates (n, 3) mm.

    position_mm: (3,), where the column's axis meets the pia; depth runs against `normal` (3,).
    >>> to_head_mm([[0.0, 0.0, 1.5]], position_mm=(0.0, -80.0, 10.0), normal=(0.0, -1.0, 0.0)).round(3).tolist()
    [[0.0, -78.5, 10.0]]
    """
    xyz_inverted_mm = np.asarray(xyz_mm, dtype=np.float64) * np.array([1.0, 1.0, -1.0])
    from_pia_mm: Floats = xyz_inverted_mm @ column_axes(normal)
    return from_pia_mm + np.asarray(position_mm, dtype=np.float64)
