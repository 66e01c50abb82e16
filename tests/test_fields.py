"""Potentials of points, lines and discs against closed forms and values that LFPykit 0.6.2 gives
too.
"""

import math

import numpy as np
import pytest

from jtfne.operators import (
    DiscSource,
    InfiniteDipole,
    LineSource,
    PointSource,
    Surface,
)
from printed import is_printed

ORIGIN = [[0.0, 0.0, 0.0]]
nA = 1e-9

# Points, lines, discs


@pytest.mark.parametrize(
    ("r_um", "phi_mV"),
    [
        (10, "0.0265258238"),
        (20, "0.0132629119"),
        (50, "0.00530516477"),
        (100, "0.00265258238"),
        (500, "5.30516477e-4"),
        (1000, "2.65258238e-4"),
    ],
)
def test_point_source(r_um, phi_mV):
    is_printed(PointSource([[0.0, 0.0, r_um * 1e-3]], ORIGIN).matrix[0, 0] * nA * 1e3, phi_mV)


@pytest.mark.parametrize(
    ("rho_um", "z_um", "phi_mV"),
    [
        (10, 0, "0.0122678664"),
        (50, 0, "0.0046758321"),
        (100, 0, "0.0025529080"),
        (50, 50, "0.0038293620"),
        (50, 100, "0.0024856630"),
        (10, 200, "0.0013531250"),
        (1, -75, "0.0042681487"),
    ],
)
def test_line_source(rho_um, z_um, phi_mV):
    contact = [[rho_um * 1e-3 * math.cos(2.0), rho_um * 1e-3 * math.sin(2.0), z_um * 1e-3]]
    line = LineSource(contact, [[0.0, 0.0, -0.05]], [[0.0, 0.0, 0.05]], radius_mm=0.001)
    is_printed(line.matrix[0, 0] * nA * 1e3, phi_mV)


def test_a_radius_regularises():
    """Closer than the radius, the potential is that at the radius; a contact at the very source
    included.
    """
    near = PointSource(
        [[0.0, 0.0, z] for z in (0.0, 0.004, 0.02, 0.03)], ORIGIN, radius_mm=0.02
    ).matrix[:, 0]
    at_20_um = 1.0 / (4.0 * np.pi * 0.3 * 20e-6)
    np.testing.assert_allclose(near, at_20_um * np.array([1.0, 1.0, 1.0, 20.0 / 30.0]), rtol=1e-12)
    ends = [[0.0, 0.0, -0.05]], [[0.0, 0.0, 0.05]]
    beside = LineSource([[x, 0.0, 0.0] for x in (0.0, 0.01, 0.02)], *ends, radius_mm=0.02).matrix[
        :, 0
    ]
    np.testing.assert_allclose(beside, beside[2], rtol=1e-12)


def test_a_line_far_off_is_a_point_and_a_short_one_too():
    """A line of length L at distance r differs by (L / r)^2 / 24 at its side and (L / r)^2 / 12 in
    its axis.
    """
    contacts = np.array([[10.0, 0.0, 0.0], [0.0, 0.0, 10.0], [0.0, 0.0, -10.0]])
    for length_mm in (0.1, 1e-6):
        ends = [[0.0, 0.0, -length_mm / 2]], [[0.0, 0.0, length_mm / 2]]
        ratio = (
            LineSource(contacts, *ends, radius_mm=0.0).matrix / PointSource(contacts, ORIGIN).matrix
            - 1.0
        )
        small = (length_mm / 10.0) ** 2
        np.testing.assert_allclose(
            ratio[:, 0], np.array([-1, 2, 2]) * small / 24.0, atol=small**2 + 1e-14
        )


def test_a_line_is_its_two_halves():
    """Beside it, at and beyond the ends, on the axis: the potential is the mean of that of the
    halves.
    """
    start, middle, end = [[0.1, 0.2, 0.3]], [[0.2, 0.1, 0.5]], [[0.3, 0.0, 0.7]]
    contacts = np.array(
        [[0.25, 0.05, 0.61], [0.5, -0.2, 1.1], [0.1, 0.2, 0.2], [0.3, 0.0, 0.72], [0.0, 0.0, 0.0]]
    )
    halves = [LineSource(contacts, a, b).matrix for a, b in ((start, middle), (middle, end))]
    np.testing.assert_allclose(
        LineSource(contacts, start, end).matrix, sum(halves) / 2.0, rtol=1e-12
    )


def test_anisotropic_tissue():
    """div(sigma grad phi) = 0 off the source, and its flux through a sphere is the current."""
    sigma = np.array([0.25, 0.33, 0.41])
    here, h = np.array([[0.3, -0.2, 0.4], [0.1, 0.5, -0.2]]), 1e-3
    phi = lambda at: PointSource(at, ORIGIN, tuple(sigma)).matrix[:, 0]  # noqa: E731
    second = [(phi(here + h * e) - 2.0 * phi(here) + phi(here - h * e)) / h**2 for e in np.eye(3)]
    # each term is about phi / r^2; its error (h / r)^2, here 1e-5
    np.testing.assert_allclose(sigma @ second / np.abs(second).max(), 0.0, atol=1e-4)
    cosine, weights = np.polynomial.legendre.leggauss(32)
    angle = np.arange(64) * 2.0 * np.pi / 64
    sine = np.sqrt(1.0 - cosine**2)[:, None]
    out = np.stack(
        [sine * np.cos(angle), sine * np.sin(angle), np.tile(cosine[:, None], 64)], -1
    ).reshape(-1, 3)
    # V/(A m) at 1 mm
    slope = np.stack([(phi(out + h * e) - phi(out - h * e)) / (2e-3 * h) for e in np.eye(3)], -1)
    flux = (
        -((slope * sigma * out).sum(1).reshape(32, 64).mean(1) * weights / 2.0).sum()
        * 4.0
        * np.pi
        * 1e-6
    )
    np.testing.assert_allclose(flux, 1.0, rtol=1e-5)  # (h / r)^2 = 1e-6
    equal = PointSource(here, ORIGIN, (0.3, 0.3, 0.3)).matrix
    np.testing.assert_allclose(equal, PointSource(here, ORIGIN, 0.3).matrix, rtol=1e-13)


def test_surface():
    """Under air no current leaves; under tissue nothing changes; under a perfect conductor the
    surface is earth.
    """
    source = [[0.2, 0.1, 0.4]]
    at_surface = np.array([[0.0, 0.0, 0.1], [0.5, 0.2, 0.1], [1.0, -2.0, 0.1]])
    into, h = [0.0, 0.0, 1.0], 1e-4
    no_border = PointSource(at_surface, source).matrix
    under_air = lambda at: PointSource(at, source, surface=Surface(z_mm=0.1)).matrix  # noqa: E731
    np.testing.assert_allclose(under_air(at_surface), 2.0 * no_border, rtol=1e-12)
    first, second = (
        under_air(at_surface + h * np.array(into)),
        under_air(at_surface + 2.0 * h * np.array(into)),
    )
    # error (h / r)^2 of phi / r
    slope = (4.0 * first - second - 3.0 * under_air(at_surface)) / (2.0 * h)
    assert np.abs(slope / no_border).max() < 1e-5
    alike = PointSource(at_surface, source, surface=Surface(z_mm=0.1, sigma_above_S_m=0.3)).matrix
    np.testing.assert_allclose(alike, no_border, rtol=1e-12)
    earth = PointSource(at_surface, source, surface=Surface(z_mm=0.1, sigma_above_S_m=1e9)).matrix
    np.testing.assert_allclose(earth / no_border, 0.0, atol=1e-9)
    ends = [[0.2, 0.1, 0.35]], [[0.2, 0.1, 0.45]]
    line = LineSource(at_surface, *ends, surface=Surface(z_mm=0.1)).matrix
    np.testing.assert_allclose(line, 2.0 * LineSource(at_surface, *ends).matrix, rtol=1e-12)
    disc = DiscSource([0.1], [0.1, 0.7], 0.25, 0.3, surface=Surface(z_mm=0.1)).matrix
    np.testing.assert_allclose(
        disc, 2.0 * DiscSource([0.1], [0.1, 0.7], 0.25, 0.3).matrix, rtol=1e-12
    )


def test_disc_is_delta_icsd():
    """First row of F of Pettersen et al. (2006), V m^3/A, for discs 0.1 mm apart: F = matrix x area
    x spacing.
    """
    depths = np.arange(1, 6) * 0.1
    row = DiscSource(depths, depths, 0.25, 0.3).matrix[0] * (np.pi * 0.25e-3**2) * 0.1e-3
    for value, text in zip(
        row,
        ("4.16666667e-8", "2.82097067e-8", "2.00260353e-8", "1.50854140e-8", "1.19498428e-8"),
        strict=True,
    ):
        is_printed(value, text)


def test_a_small_disc_is_a_point_and_a_large_one_a_plane():
    """Small: (radius / 2 z)^2 from a point. Large: the field of a plane, half of current / area /
    sigma each way.
    """
    z = np.array([1.0, 2.0, 5.0])
    point = PointSource(np.column_stack([0 * z, 0 * z, z]), ORIGIN).matrix
    for radius in (0.1, 0.01):
        ratio = DiscSource(z, [0.0], radius, 0.3).matrix / point - 1.0
        small = (radius / z[:, None]) ** 2
        np.testing.assert_allclose(ratio, -small / 4.0, atol=float((small**2).max()))
    radius_mm = 1e5
    phi = (
        DiscSource([0.0, 1.0, 2.0], [0.0], radius_mm, 0.3).matrix[:, 0]
        * np.pi
        * (radius_mm * 1e-3) ** 2
    )
    # 1.5 mm / 100 m, at worst
    np.testing.assert_allclose(np.diff(phi), -1e-3 / (2.0 * 0.3), rtol=1e-4)


def test_disc_is_a_disc_of_points():
    radius, n = 0.25, 400_000
    from_axis = radius * np.sqrt((np.arange(n) + 0.5) / n)  # equal areas
    points = np.column_stack([from_axis, 0 * from_axis, 0 * from_axis])
    mean = PointSource([[0.0, 0.0, z] for z in (0.05, 0.3)], points, radius_mm=0.0).matrix.mean(1)
    np.testing.assert_allclose(
        DiscSource([0.05, 0.3], [0.0], radius, 0.3).matrix[:, 0], mean, rtol=1e-9
    )


@pytest.mark.parametrize("kind", ["point", "line", "disc"])
def test_without_a_monopole_the_far_potential_falls_as_the_square(kind):
    """Currents that sum to zero: ten times as far, a hundredth, and what a dipole of their moment
    gives.
    """
    z, currents = np.array([0.1, 0.3, 0.5, 0.9, 1.2]), np.array([1.0, -2.5, 0.5, 2.0, -1.0]) * nA
    far = np.array([200.0, 2000.0])
    axis = np.column_stack([0 * z, 0 * z, z])
    contacts = np.column_stack([0 * far, 0 * far, far])
    half = np.array([0.0, 0.0, 0.05])
    made = {
        "point": lambda: PointSource(contacts, axis),
        "line": lambda: LineSource(contacts, axis - half, axis + half),
        "disc": lambda: DiscSource(far, z, 0.25, 0.3),
    }[kind]()
    phi = made.matrix @ currents
    moment = [0.0, 0.0, currents @ z * 1e-3]
    dipole = InfiniteDipole(contacts, ORIGIN, 0.3).matrix[:, 0] @ moment
    # the next moment: 1 mm / 200 mm times a number of order one
    np.testing.assert_allclose(phi, dipole, rtol=0.02)
    np.testing.assert_allclose(phi[1] / phi[0], 0.01, rtol=0.02)
    assert abs(phi[1] / dipole[1] - 1.0) < 0.2 * abs(phi[0] / dipole[0] - 1.0)
