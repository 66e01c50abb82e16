"""Cells fill their layer evenly, and columns stand in the head as told."""

import numpy as np
import pytest
from scipy import stats

from jtfne.geometry import column_axes, column_positions_mm, to_head_mm


@pytest.fixture(scope="module")
def xyz_mm():
    rng = np.random.default_rng(3)
    return column_positions_mm(
        20_000, top=0.2, bottom=0.5, thickness_mm=2.0, radius_mm=0.25, rng=rng
    )


def test_cells_are_uniform_in_the_cylinder(xyz_mm):
    x, y, z = xyz_mm.T
    of_disc = (x**2 + y**2) / 0.25**2  # uniform in area
    of_turn = np.arctan2(y, x) / (2 * np.pi) + 0.5
    of_depth = (z / 2.0 - 0.2) / 0.3
    for share in (of_disc, of_turn, of_depth):
        assert share.min() >= 0.0 and share.max() <= 1.0
        assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_axes_are_independent(xyz_mm):
    off_diagonal = np.corrcoef(xyz_mm.T)[np.triu_indices(3, 1)]
    assert np.abs(off_diagonal).max() < 4 / np.sqrt(20_000)


def test_same_seed_same_places():
    def place(seed):
        rng = np.random.default_rng(seed)
        return column_positions_mm(5, top=0.0, bottom=1.0, thickness_mm=1.5, radius_mm=0.1, rng=rng)

    np.testing.assert_array_equal(place(1), place(1))
    assert not np.array_equal(place(1), place(2))


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 0, -3), (0, -1, 0), (1, 2, -0.5)])
def test_column_axes_are_a_right_handed_frame(normal):
    axes = column_axes(normal)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    np.testing.assert_allclose(axes[2], np.array(normal) / np.linalg.norm(normal))


def test_to_head_keeps_distances_and_runs_inward(xyz_mm):
    position_mm, normal = np.array([10.0, -70.0, 30.0]), np.array([0.3, -0.8, 0.5])
    head_mm = to_head_mm(xyz_mm[:50], position_mm=position_mm, normal=normal)
    apart_mm = [np.linalg.norm(np.diff(each, axis=0), axis=1) for each in (xyz_mm[:50], head_mm)]
    np.testing.assert_allclose(*apart_mm, rtol=1e-9)
    depth_mm = -(head_mm - position_mm) @ normal / np.linalg.norm(normal)
    np.testing.assert_allclose(depth_mm, xyz_mm[:50, 2], rtol=1e-9)
