"""Dipoles in a medium and in spherical heads against closed forms and values that LFPykit 0.6.2
gives too.
"""

import math

import numpy as np
import pytest

import heads
import jtfne
from jtfne._precision import precision
from jtfne.config import Area
from jtfne.config.defaults import AREAS
from jtfne.operators import (
    Coils,
    FourSphere,
    InfiniteDipole,
    SarvasSphere,
    coils_of,
    column_dipoles,
    onto_sphere,
    unit_rows,
)
from jtfne.operators.eeg_sphere import PRECISION, Spheres, n_terms
from printed import is_printed

ORIGIN = [[0.0, 0.0, 0.0]]
nAm, nAum = 1e-9, 1e-15

# Dipoles


def test_infinite_dipole():
    matrix = InfiniteDipole([[1.0, 0.0, 5.0]], ORIGIN, 0.3).matrix[0, 0]
    is_printed(matrix @ np.full(3, 10 * nAum) * 1e3, "1.20049432e-7")


def on_scalp(angle_deg, radius_mm=90.0):
    """From the vertex towards +y."""
    angle = math.radians(angle_deg)
    return [[0.0, radius_mm * math.sin(angle), radius_mm * math.cos(angle)]]


# uV of 1 nA m, radial and along +y. The brain's was printed as 311.110314, which is its series
# after 2000 terms.
FOUR_SPHERES = [
    (on_scalp(0), 78, "1.06247683", "0.00000000"),
    (on_scalp(30), 78, "0.10226501", "0.25252410"),
    (on_scalp(90), 78, "-0.03135855", "0.05541127"),
    (on_scalp(180), 78, "-0.03644934", "0.00000000"),
    (on_scalp(0, 82.5), 78, "11.2877038", "0.0000000"),
    (on_scalp(0, 79.5), 78, "64.2958995", "0.0000000"),
    (on_scalp(0, 78.8), 78, "311.110327", "0.000000"),
]
# From LFPykit, whose series ends where terms are 2e-7 of the whole.
BY_DEPTH = [
    (on_scalp(0), 70, 0.59548325, 0.0),
    (on_scalp(0), 60, 0.37064899, 0.0),
    (on_scalp(0), 40, 0.19632692, 0.0),
    (on_scalp(30), 70, None, 0.22122724),
    (on_scalp(30), 60, None, 0.17961133),
    (on_scalp(30), 40, None, 0.11059476),
]


@pytest.mark.parametrize(("sensor", "z_mm", "radial_uV", "tangential_uV"), FOUR_SPHERES)
def test_four_spheres(sensor, z_mm, radial_uV, tangential_uV):
    x, y, z = FourSphere(sensor, [[0.0, 0.0, z_mm]]).matrix[0, 0] * nAm * 1e6
    is_printed(z, radial_uV)
    is_printed(y, tangential_uV)
    assert abs(x) < 1e-12


@pytest.mark.parametrize(("sensor", "z_mm", "radial_uV", "tangential_uV"), BY_DEPTH)
def test_four_spheres_by_depth(sensor, z_mm, radial_uV, tangential_uV):
    _, y, z = FourSphere(sensor, [[0.0, 0.0, z_mm]]).matrix[0, 0] * nAm * 1e6
    for value, printed in ((z, radial_uV), (y, tangential_uV)):
        assert printed is None or math.isclose(value, printed, rel_tol=2e-7, abs_tol=1e-12)


def test_four_spheres_of_the_docstring_of_lfpykit():
    phi_mV = (
        FourSphere([[0, 0, 90], [0, 85, 0]], [[0, 0, 78]]).matrix[:, 0]
        @ np.full(3, 10 * nAum)
        * 1e3
    )
    np.testing.assert_allclose(
        phi_mV, [1.06247669e-8, 2.39290752e-10], rtol=2e-6
    )  # its series ends at 2e-7 of the vertex


def border_solution(n, radii, sigmas, z):
    """Reflection at the brain's border by the 7 equations at the borders, for a dipole at z: c1 (z
    / r1)^-(n+1).
    """
    matrix, right = np.zeros((7, 7)), np.zeros(7)
    columns = [(0, None), (1, 2), (3, 4), (5, 6)]

    def put(row, k, x, factor, slope):
        up, down = columns[k]
        power, outer = (n, -(n + 1)) if slope else (1.0, 1.0), radii[k]
        matrix[row, up] += factor * power[0] * (x / outer) ** n / (x if slope else 1.0)
        if down is not None:
            matrix[row, down] += factor * power[1] * (outer / x) ** (n + 1) / (x if slope else 1.0)

    for k in range(3):
        x = radii[k]
        put(2 * k, k, x, 1.0, False)
        put(2 * k, k + 1, x, -1.0, False)
        put(2 * k + 1, k, x, sigmas[k], True)
        put(2 * k + 1, k + 1, x, -sigmas[k + 1], True)
    right[0] = -((z / radii[0]) ** (n + 1))
    right[1] = sigmas[0] * (n + 1) * (z / radii[0]) ** (n + 1) / radii[0]
    put(6, 3, radii[3], 1.0, True)
    return np.linalg.solve(matrix, right)[0] * (z / radii[0]) ** -(n + 1.0)


@pytest.mark.parametrize(
    "spheres",
    [
        Spheres((79.0, 80.0, 85.0, 90.0), (0.3, 1.5, 0.015, 0.3)),
        Spheres((1.0, 2.0, 4.0, 8.0), (1.0, 2.0, 4.0, 8.0)),
        Spheres((60.0, 70.0, 80.0, 90.0), (0.3, 0.3, 0.01, 0.3)),
    ],
)
def test_reflections_solve_the_borders(spheres):
    n = np.arange(1.0, 13.0)
    want = [border_solution(int(k), *spheres, 0.9 * spheres.radii_mm[0]) for k in n]
    np.testing.assert_allclose(spheres.reflections(n)[0], want, rtol=1e-9)


def test_reflections_are_the_inverse_of_the_published_coefficients():
    """n = 1, radii and conductivities 1, 2, 4, 8: V, Y and Z of LFPykit's own tests."""
    one, two, three, _ = Spheres((1.0, 2.0, 4.0, 8.0), (1.0, 2.0, 4.0, 8.0)).reflections(
        np.ones(1)
    )[:, 0]
    z = -2.16574585635359
    np.testing.assert_allclose(
        (1.0 / three, 1.0 / two, one), (-4.75, -2.3875, (2 * 0.5 + z) / (0.5 - z)), rtol=1e-13
    )


def test_homogeneous_sphere():
    """All conductivities alike: the closed form at the vertex, and Brody's (1973) elsewhere on the
    surface.
    """
    alike = (0.3,) * 4
    at = np.concatenate([on_scalp(angle) for angle in (0, 20, 75, 180)])
    dipole = np.array([[0.0, 0.0, 40.0]])
    got = FourSphere(at, dipole, sigmas_S_m=alike).matrix[:, 0]
    is_printed(got[0, 2] * nAm * 1e6, "0.271152866")
    # phi = p.(2 a / |a|^3 + (r / (R^2) + ...)): Yao (2000), IEEE Trans. Biomed. Eng. 47:1487, at
    # |r| = R
    r, r0 = at * 1e-3, dipole * 1e-3
    a = r - r0
    length, radius = np.linalg.norm(a, axis=1, keepdims=True), 0.09
    cosine = (r * r0).sum(1, keepdims=True) / radius / 0.04
    want = 2.0 * a / length**3
    want += (r + (r * cosine * 0.04 - radius * r0) / (length + radius - 0.04 * cosine)) / (
        radius**2 * length
    )
    np.testing.assert_allclose(got, want / (4.0 * np.pi * 0.3), rtol=1e-10, atol=1e-9)


def test_far_borders_are_none():
    """Equal conductivities and a huge head: the dipole in an infinite medium; what is left is (0.05
    / 100)^2 of it.
    """
    sensors, dipoles = (
        [[0.0, 30.0, 20.0], [0.0, 0.0, 50.0], [-30.0, 5.0, 1.0]],
        [[10.0, 0.0, 5.0], [0.0, 0.0, -20.0]],
    )
    got = FourSphere(sensors, dipoles, radii_mm=(1e5, 2e5, 3e5, 4e5), sigmas_S_m=(0.3,) * 4).matrix
    want = InfiniteDipole(sensors, dipoles, 0.3).matrix
    np.testing.assert_allclose(got, want, atol=1e-6 * np.abs(want).max())


def test_potential_is_continuous_across_borders_and_at_the_centre():
    dipoles = [[0.0, 0.0, 60.0], [0.0, 0.0, 0.0], [0.0, 1e-7, 0.0]]
    ways = unit_rows(np.random.default_rng(0).normal(size=(5, 3)))
    for radius in (79.0, 80.0, 85.0):
        below, above = (
            FourSphere(ways * (radius + step), dipoles).matrix for step in (-1e-6, 1e-6)
        )
        np.testing.assert_allclose(below, above, atol=1e-6 * np.abs(above).max())
    at_centre = FourSphere(90.0 * ways, dipoles).matrix
    np.testing.assert_allclose(at_centre[:, 1], at_centre[:, 2], rtol=1e-7)
    np.testing.assert_allclose(at_centre[:, 1], ways * np.linalg.norm(at_centre[0, 1]), rtol=1e-12)


def test_rotation_and_shift_change_nothing():
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    sensors, dipoles = (
        90.0 * unit_rows(rng.normal(size=(9, 3))),
        70.0 * unit_rows(rng.normal(size=(4, 3))),
    )
    shift = np.array([3.0, -7.0, 40.0])
    one = FourSphere(sensors, dipoles).matrix
    other = FourSphere(sensors @ turn.T + shift, dipoles @ turn.T + shift, shift).matrix
    np.testing.assert_allclose(other @ turn, one, atol=1e-11 * np.abs(one).max())
    away = 115.0 * unit_rows(rng.normal(size=(9, 3)))
    field = SarvasSphere(away, sensors, dipoles).matrix
    turned = SarvasSphere(
        away @ turn.T + shift, sensors @ turn.T, dipoles @ turn.T + shift, shift
    ).matrix
    np.testing.assert_allclose(turned @ turn, field, atol=1e-11 * np.abs(field).max())


def test_enough_terms():
    """At the number of terms taken, twice as many change nothing beyond the precision; half as many
    would.
    """
    for ratio in (0.5, 78.0 / 90.0, 78.0 / 79.5):
        n = n_terms(ratio, "")
        terms = np.arange(1.0, 2 * n + 1) * ratio ** np.arange(1.0, 2 * n + 1)
        assert terms[n:].sum() <= PRECISION * terms.sum() < terms[n // 2 :].sum()
    assert 200 <= n_terms(78.0 / 90.0, "") <= 240


# Magnetic field

SENSOR = 120.0 * np.array([math.sin(0.5), 0.0, math.cos(0.5)])
SARVAS = [
    ((0, 0, 70), (1, 0, 0), (0, 0, 120), ("0", "-116.6666667", "0")),
    ((0, 0, 70), (0, 1, 0), SENSOR, ("-46.331670132", "0", "-99.016624389")),
    ((0, 0, 70), (0, 1, 0), SENSOR[[1, 0, 2]], ("68.545254567", "0", "0")),
    ((10, -20, 60), (1, 2, -1), (30, 40, 110), ("92.436432945", "12.676070643", "43.040147882")),
    ((0, 0, 60), (0, 0, 1), (30, 40, 110), ("0", "0", "0")),
]


@pytest.mark.parametrize(("dipole", "direction", "sensor", "field_fT"), SARVAS)
def test_sarvas(dipole, direction, sensor, field_fT):
    matrix = SarvasSphere([sensor] * 3, np.eye(3), [dipole]).matrix[:, 0]
    got_fT = matrix @ np.array(direction, float) * 10 * nAm * 1e15
    for value, text in zip(got_fT, field_fT, strict=True):
        if text == "0":
            assert abs(value) < 1e-12
        else:
            is_printed(value, text)


def test_radial_field_is_that_of_the_dipole_alone():
    """Return currents have no radial field: B_r = mu0 / 4 pi (q x a).r / |a|^3 / |r|."""
    field = SarvasSphere([SENSOR], [SENSOR], [(0, 0, 70)]).matrix[0, 0] @ [0.0, 10 * nAm, 0.0]
    is_printed(field * 1e15, "-109.10784881")


def test_sarvas_of_lfpykit():
    """The value in LFPykit's own docstring: H in nA/um, 1 of which is 1e-3 A/m."""
    field = SarvasSphere([(0, 0, 92)], [(1, 0, 0)], [(0, 0, 90)]).matrix[0, 0] @ [0.0, nAum, 0.0]
    is_printed(field / (4e-7 * np.pi) * 1e3, "9.73094081e-9")


def test_a_dipole_at_the_centre_is_silent():
    np.testing.assert_array_equal(SarvasSphere([SENSOR], [(1, 2, 3)], ORIGIN).matrix, 0.0)


def test_coils_sum_their_points():
    """A planar gradiometer is the difference over its baseline; a magnetometer of n points their
    mean.
    """
    points, looks = (
        [[8.4, 0, 120], [-8.4, 0, 120], [0, 5, 119], [1, 5, 119]],
        [[0, 0, 1], [0, 0, 1], [0, 1, 0], [0, 1, 0]],
    )
    dipoles = [[0, 0, 70], [10, 20, 30]]
    coils = Coils(["G", "M"], points, looks, [2, 2], [59.5238, -59.5238, 0.5, 0.5], ["T/m", "T"])
    each = SarvasSphere(points, looks, dipoles).matrix
    want = [59.5238 * (each[0] - each[1]), 0.5 * (each[2] + each[3])]
    got = SarvasSphere.of_coils(coils, dipoles)
    np.testing.assert_allclose(got.matrix, want, rtol=1e-12)
    assert got.units == ("A m", "T and T/m") and got.parameters.values["units"] == ["T/m", "T"]


def test_many_dipoles_go_in_blocks(monkeypatch):
    coils, dipoles = coils_of(heads.meg_info(), ["MEG 0111", "MEG 0112"]), heads.dipoles_mm(0.6, 7)
    whole = SarvasSphere.of_coils(coils, dipoles, heads.CENTRE_mm).matrix
    monkeypatch.setattr("jtfne.operators.meg_sphere.PAIRS_AT_ONCE", 3 * len(coils.weights))
    np.testing.assert_array_equal(
        SarvasSphere.of_coils(coils, dipoles, heads.CENTRE_mm).matrix, whole
    )


# Areas and sensors in a head


def test_areas_are_dipoles_in_the_brain():
    """Every named area lies in the default brain, its dipole half a cortex below the pia; a radial
    one is silent.
    """
    areas = [Area(name=name) for name in AREAS]
    places, normals = (
        [getattr(area, field) for area in areas] for field in ("position_mm", "normal")
    )
    dipoles, outward = column_dipoles(
        places, normals, depth_mm=0.75, centre_mm=(0, 0, 40), brain_mm=79.0
    )
    np.testing.assert_allclose(dipoles + 0.75 * outward, places, rtol=1e-12)
    sites = 1e3 * heads.places_m(heads.eeg_info())
    eeg = FourSphere(sites, dipoles, heads.CENTRE_mm).along(outward)
    assert eeg.matrix.shape == (64, len(AREAS))
    v4 = list(AREAS).index("V4")  # on a gyrus: radial
    nearest = np.linalg.norm(sites - places[v4], axis=1).argmin()
    assert eeg.matrix[:, v4].argmax() == nearest, "a moment above 0 points to the pia"
    meg = SarvasSphere.of_coils(coils_of(heads.meg_info()), dipoles, heads.CENTRE_mm).along(outward)
    loudest = np.abs(meg.matrix[2::3]).max(0)  # magnetometers
    assert (
        loudest[v4] < 1e-6 * loudest.max()
        and loudest[list(AREAS).index("M1")] > 0.1 * loudest.max()
    )


def test_sites_are_put_onto_the_scalp():
    sites = np.random.default_rng(0).normal(size=(9, 3)) * 50 + heads.CENTRE_mm
    moved = onto_sphere(sites, centre_mm=heads.CENTRE_mm, radius_mm=90.0)
    np.testing.assert_allclose(np.linalg.norm(moved - heads.CENTRE_mm, axis=1), 90.0, rtol=1e-14)
    np.testing.assert_allclose(
        np.cross(moved - heads.CENTRE_mm, sites - heads.CENTRE_mm), 0.0, atol=1e-11
    )
    FourSphere(moved, [(0, 0, 45)], heads.CENTRE_mm)  # none of them counts as outside


def test_moments_along_directions():
    dipoles = 50.0 * unit_rows(np.random.default_rng(0).normal(size=(3, 3)))
    free = FourSphere(on_scalp(20), dipoles)
    ways = np.array([[0.0, 0.0, 2.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    fixed, moments = free.along(ways), np.array([1.0, -2.0, 0.5])
    with precision("float64"):
        np.testing.assert_allclose(
            fixed.apply(moments), free.apply(moments[:, None] * unit_rows(ways)), rtol=1e-12
        )


def test_a_chain_of_dipoles_after_their_moments():
    """`after` joins operators whose moments are (n_dipoles, 3)."""
    with precision("float64"):
        head = FourSphere(on_scalp(20), [[0, 0, 50], [0, 10, 30]])
        coils = jtfne.operators.operator(np.ones((2, 1)), ("V", "V"), "twice")
        both = coils.after(head)
        np.testing.assert_allclose(both.matrix, np.repeat(head.matrix, 2, axis=0), rtol=1e-14)
        assert both.units == ("A m", "V")
