"""Field operators: linearity, adjoints, closed forms, units."""

import jax
import numpy as np
import pytest

from jtfne.operators import (
    area_mean,
    electric_projection,
    laminar_kernel,
    magnetic_projection,
    operator,
    second_difference,
    unit_rows,
)

RNG = np.random.default_rng(0)
DEPTHS = np.linspace(0.0, 1.5, 16)
CELLS_z = RNG.uniform(0.1, 1.4, 60)
AREAS = RNG.integers(0, 2, 60)
SITES = unit_rows(RNG.normal(size=(12, 3))) * 95.0
PLACES, NORMALS = (
    np.array([[-10.0, -80.0, 20.0], [40.0, -60.0, 10.0]]),
    unit_rows(RNG.normal(size=(2, 3))),
)

CATALOGUE = {
    "laminar": laminar_kernel(DEPTHS, CELLS_z, AREAS, 2, 0.1),
    "second difference": second_difference(2, DEPTHS),
    "area mean": area_mean(AREAS, 2),
    "electric": electric_projection(SITES, PLACES, NORMALS),
    "magnetic": magnetic_projection(SITES, unit_rows(SITES), PLACES, NORMALS),
}


@pytest.mark.parametrize("name", CATALOGUE)
def test_linear_with_an_adjoint(name):
    """M (a x + b y) = a M x + b M y; <M x, y> = <x, M^T y>; JSON-ready parameters; units at both
    ends.
    """
    each = CATALOGUE[name]
    n_channels, n_sources = each.matrix.shape
    x, y, w = (
        RNG.normal(size=(3, n_sources)),
        RNG.normal(size=(3, n_sources)),
        RNG.normal(size=(3, n_channels)),
    )
    np.testing.assert_allclose(
        each.apply(2 * x - 3 * y), 2 * each.apply(x) - 3 * each.apply(y), atol=2e-5
    )
    np.testing.assert_allclose((each.apply(x) * w).sum(), (x * each.adjoint(w)).sum(), rtol=1e-4)
    assert len(each.units) == 2
    jax.jit(lambda op, s: op.apply(s))(each, x)  # a pytree whose parameters are static


def test_laminar_rows_sum_to_one_and_stay_in_their_area():
    matrix = np.asarray(CATALOGUE["laminar"].matrix).reshape(2, 16, 60)
    np.testing.assert_allclose(matrix.sum(2), 1.0, atol=1e-6)
    for area in (0, 1):
        assert (matrix[area][:, area != AREAS] == 0).all()


def test_laminar_weights_are_gaussian():
    """Two cells seen from a contact: the ratio of their weights is that of the Gaussian."""
    matrix = np.asarray(
        laminar_kernel(np.array([0.5]), np.array([0.5, 0.7]), np.zeros(2, int), 1, 0.1).matrix
    )
    np.testing.assert_allclose(matrix[0, 1] / matrix[0, 0], np.exp(-0.5 * 2.0**2), rtol=1e-5)


def test_laminar_far_contact_is_finite():
    matrix = np.asarray(
        laminar_kernel(np.array([50.0]), np.array([0.5, 0.7]), np.zeros(2, int), 1, 0.1).matrix
    )
    np.testing.assert_allclose(matrix.sum(), 1.0)
    empty = np.asarray(
        laminar_kernel(np.array([0.5]), np.array([0.5]), np.zeros(1, int), 2, 0.1).matrix
    )
    np.testing.assert_array_equal(empty[1], 0.0)  # an area without cells


def test_second_difference_of_known_profiles():
    """-(parabola)'' is constant, a ramp gives none, a dip in the potential is a sink."""
    z = np.arange(16.0)
    apply = CATALOGUE["second difference"].apply
    both = np.concatenate([z**2, 3.0 * z])
    np.testing.assert_allclose(
        apply(both), np.concatenate([np.full(14, -2.0), np.zeros(14)]), atol=1e-4
    )
    dip = np.concatenate([-np.exp(-0.5 * (z - 8) ** 2), np.zeros(16)])
    assert apply(dip)[:14].argmin() == 7 and apply(dip)[7] < 0  # inner channel 7 is contact 8


def test_head_rows_have_unit_norm_before_they_are_taken_along_normals():
    """With normals along x, y and z in turn, the squares of a site's weights add up to 1."""
    one = PLACES[:1]
    total = sum(
        np.asarray(electric_projection(SITES, one, np.eye(3)[k : k + 1]).matrix) ** 2
        for k in range(3)
    )
    np.testing.assert_allclose(total, 1.0, atol=1e-6)
    total = sum(
        np.asarray(magnetic_projection(SITES, unit_rows(SITES), one, np.eye(3)[k : k + 1]).matrix)
        ** 2
        for k in range(3)
    )
    np.testing.assert_allclose(total, 1.0, atol=1e-6)


def test_electric_sign_and_topography():
    """A current towards a site is positive there, negative behind; zero at right angles."""
    place, normal = np.zeros((1, 3)), np.array([[0.0, 0.0, 1.0]])
    sites = np.array([[0.0, 0.0, 90.0], [0.0, 0.0, -90.0], [90.0, 0.0, 0.0]])
    np.testing.assert_allclose(
        np.asarray(electric_projection(sites, place, normal).matrix)[:, 0],
        [1.0, -1.0, 0.0],
        atol=1e-7,
    )


def test_radial_current_is_silent_to_radial_magnetometers():
    place, normal = np.array([[0.0, 0.0, 60.0]]), np.array([[0.0, 0.0, 1.0]])
    np.testing.assert_allclose(
        magnetic_projection(SITES, unit_rows(SITES), place, normal).matrix, 0.0, atol=1e-6
    )


def test_magnetic_field_turns_round_the_current():
    """Biot and Savart: a current along +x at the origin, seen from +y, gives a field along +z."""
    here, x = np.zeros((1, 3)), np.array([[1.0, 0.0, 0.0]])
    matrix = magnetic_projection(
        np.array([[0.0, 90.0, 0.0]]), np.array([[0.0, 0.0, 1.0]]), here, x
    ).matrix
    np.testing.assert_allclose(matrix, 1.0, atol=1e-7)


def test_chained_operators_are_one():
    first, then = (
        operator(RNG.normal(size=(4, 6)), ("pA", "V"), "one", a=1),
        operator(RNG.normal(size=(3, 4)), ("V", "V/m"), "two", b=2),
    )
    both, x = then.after(first), RNG.normal(size=6)
    np.testing.assert_allclose(both.apply(x), then.apply(first.apply(x)), rtol=1e-4)
    assert both.units == ("pA", "V/m") and both.parameters.values == {"a": 1, "b": 2}
