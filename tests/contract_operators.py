"""One contract for all field operators: linear, with an adjoint, float64 at rest, traced once,
reciprocal.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import heads
import jtfne
from jtfne._precision import precision
from jtfne.operators import (
    OPERATORS,
    DiscSource,
    FourSphere,
    FromForward,
    InfiniteDipole,
    LineSource,
    Operator,
    PointSource,
    SarvasSphere,
    Surface,
    coils_of,
    unit_rows,
)

RNG = np.random.default_rng(3)
CONTACTS, STARTS = RNG.uniform(0.1, 1.5, (7, 3)), RNG.uniform(0.1, 1.5, (5, 3))
ENDS = STARTS + RNG.uniform(0.02, 0.2, (5, 3))
SCALP, HELMET = (
    90.0 * unit_rows(RNG.normal(size=(6, 3))),
    115.0 * unit_rows(RNG.normal(size=(6, 3))),
)
BRAIN = 60.0 * unit_rows(RNG.normal(size=(4, 3)))
BELOW = Surface(z_mm=0.05, sigma_above_S_m=1.5)

# name: (operator, units, shape)
CATALOGUE = {
    "point": (PointSource(CONTACTS, STARTS), ("A", "V"), (7, 5)),
    "point, anisotropic": (PointSource(CONTACTS, STARTS, (0.3, 0.2, 0.45)), ("A", "V"), (7, 5)),
    "point, surface": (PointSource(CONTACTS, STARTS, surface=BELOW), ("A", "V"), (7, 5)),
    "line": (LineSource(CONTACTS, STARTS, ENDS), ("A", "V"), (7, 5)),
    "line, anisotropic": (LineSource(CONTACTS, STARTS, ENDS, (0.3, 0.2, 0.45)), ("A", "V"), (7, 5)),
    "line, surface": (LineSource(CONTACTS, STARTS, ENDS, surface=BELOW), ("A", "V"), (7, 5)),
    "disc": (DiscSource(CONTACTS[:, 2], STARTS[:, 2], 0.25, 0.3), ("A", "V"), (7, 5)),
    "disc, surface": (
        DiscSource(CONTACTS[:, 2], STARTS[:, 2], 0.25, 0.3, surface=BELOW),
        ("A", "V"),
        (7, 5),
    ),
    "infinite dipole": (InfiniteDipole(CONTACTS, STARTS, 0.3), ("A m", "V"), (7, 5, 3)),
    "four spheres": (FourSphere(SCALP, BRAIN), ("A m", "V"), (6, 4, 3)),
    "Sarvas": (SarvasSphere(HELMET, SCALP, BRAIN), ("A m", "T"), (6, 4, 3)),
    "Sarvas, coils": (
        SarvasSphere.of_coils(
            coils_of(heads.meg_info()), heads.dipoles_mm(0.7, 4), heads.CENTRE_mm
        ),
        ("A m", "T and T/m"),
        (306, 4, 3),
    ),
    "forward": (
        FromForward(heads.forward(heads.eeg_info(), heads.dipoles_mm(0.5, 4))),
        ("A m", "V"),
        (64, 4, 3),
    ),
    "along": (FourSphere(SCALP, BRAIN).along(BRAIN), ("A m", "V"), (6, 4)),
}
each_operator = pytest.mark.parametrize("name", CATALOGUE)


def drawn(name, n=2):
    """Sources, (n, ...)."""
    return np.random.default_rng(5).normal(size=(n, *CATALOGUE[name][2][1:]))


def test_every_class_has_a_row():
    assert {type(row[0]) for row in CATALOGUE.values()} == {*OPERATORS.values(), Operator}


@each_operator
def test_double_precision_at_rest_with_units_and_json(name):
    each, units, shape = CATALOGUE[name]
    assert (
        each.matrix.shape == shape
        and each.matrix.dtype == np.float64
        and isinstance(each.matrix, np.ndarray)
    )
    assert each.units == units and np.isfinite(each.matrix).all()
    assert json.loads(json.dumps(each.parameters.values, allow_nan=False)) == each.parameters.values


@each_operator
def test_superposition(name):
    """M (a x + b y) = a M x + b M y, and M x is the sum of what each source gives alone."""
    each = CATALOGUE[name][0]
    x, y = drawn(name)
    with precision("float64"):
        both = each.apply(2 * x - 3 * y)
        scale = float(jnp.abs(both).max())
        np.testing.assert_allclose(both, 2 * each.apply(x) - 3 * each.apply(y), atol=1e-13 * scale)
        alone = np.zeros((x.size, *x.shape))
        alone[np.arange(x.size), *np.unravel_index(np.arange(x.size), x.shape)] = x.ravel()
        np.testing.assert_allclose(each.apply(alone).sum(0), each.apply(x), atol=1e-13 * scale)


@each_operator
def test_adjoint(name):
    """<M x, w> = <x, M^T w>, any leading axes."""
    each = CATALOGUE[name][0]
    x = drawn(name)
    w = np.random.default_rng(6).normal(size=(2, each.matrix.shape[0]))
    with precision("float64"):
        back = each.adjoint(w)
        assert back.shape == x.shape and each.apply(x[:0]).shape == (0, each.matrix.shape[0])
        here, there = (each.apply(x) * w).sum(), (x * back).sum()
        np.testing.assert_allclose(here, there, rtol=1e-11)


@each_operator
def test_gradient_in_the_source_is_the_adjoint(name):
    each = CATALOGUE[name][0]
    x = drawn(name)[0]
    with precision("float64"):
        weight = np.random.default_rng(7).normal(size=each.matrix.shape[0])
        slope = jax.grad(lambda source: (each.apply(source) * weight).sum())(jnp.asarray(x))
        np.testing.assert_allclose(slope, each.adjoint(weight), rtol=1e-12)


@each_operator
def test_compiled_once_as_an_argument(name):
    """A pytree of one leaf: its class, units and parameters are static, and come back."""
    each = CATALOGUE[name][0]
    traced = []

    @jax.jit
    def run(op, source):
        traced.append(type(op))
        return op.apply(source)

    x, y = drawn(name)
    np.testing.assert_allclose(
        run(each, x), each.apply(x), rtol=2e-5, atol=1e-5 * np.abs(each.apply(x)).max()
    )
    run(each, y)
    assert traced == [type(each)]
    twice = jax.tree.map(lambda leaf: 2.0 * leaf, each)
    assert type(twice) is type(each) and (twice.units, twice.parameters) == (
        each.units,
        each.parameters,
    )
    np.testing.assert_array_equal(twice.matrix, 2.0 * each.matrix)


@each_operator
def test_a_wrong_shape_is_refused(name):
    each = CATALOGUE[name][0]
    with pytest.raises(jtfne.JtfneError, match=r"an array.*; expected \(\.\.\.,.*apply"):
        each.apply(drawn(name)[0][:-1])
    with pytest.raises(jtfne.JtfneError, match="adjoint"):
        each.adjoint(np.ones(each.matrix.shape[0] + 1))


# Reciprocity: what a source here gives there, a source there gives here.


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"sigma_S_m": (0.3, 0.2, 0.45)},
        {"surface": BELOW},
        {"sigma_S_m": (0.1, 0.2, 0.3), "surface": Surface()},
    ],
)
def test_reciprocity_of_points(given):
    there = PointSource(CONTACTS, STARTS, **given).matrix
    back = PointSource(STARTS, CONTACTS, **given).matrix
    np.testing.assert_allclose(there, back.T, rtol=1e-12)


def test_reciprocity_of_discs():
    z, y = CONTACTS[:, 2], STARTS[:, 2]
    there, back = (DiscSource(*each, 0.25, 0.3, surface=BELOW).matrix for each in ((z, y), (y, z)))
    np.testing.assert_allclose(there, back.T, rtol=1e-12)


def test_reciprocity_of_lines():
    """The potential of a segment at a point is the mean over the segment of that of the point."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    share = (0.5 * (nodes + 1.0))[:, None, None]
    along = STARTS + share * (ENDS - STARTS)
    for given in ({"surface": BELOW}, {"sigma_S_m": (0.3, 0.2, 0.45)}):
        of_points = PointSource(along.reshape(-1, 3), CONTACTS, **given).matrix.reshape(40, 5, 7)
        mean = 0.5 * np.einsum("q,qsc->cs", weights, of_points)
        np.testing.assert_allclose(
            LineSource(CONTACTS, STARTS, ENDS, **given).matrix, mean, rtol=1e-6
        )


def differences(of_points, places_mm, step_mm):
    """Central differences over (n, ...) values of points: d/dx, d/dy, d/dz per mm, (3, n, ...)."""
    steps = step_mm * np.eye(3)[:, None, :]
    return np.stack(
        [(of_points(places_mm + h) - of_points(places_mm - h)) / (2.0 * step_mm) for h in steps]
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda sensors, dipoles: InfiniteDipole(sensors, dipoles, 0.3),
        lambda sensors, dipoles: FourSphere(sensors, dipoles),
    ],
    ids=["infinite", "four spheres"],
)
def test_reciprocity_of_dipoles(make):
    """The potential difference across a short way u at x, of a moment v at y, is that across v at y
    of u at x.

    Both in the brain. Differences over 0.1 mm at 20 mm and more: (0.1 / 20)^2 = 2.5e-5.
    """
    here, there = (
        50.0 * unit_rows(RNG.normal(size=(3, 3))),
        70.0 * unit_rows(RNG.normal(size=(5, 3))),
    )
    assert np.linalg.norm(here[:, None] - there, axis=2).min() > 20.0
    one = differences(lambda at: make(at, there).matrix, here, 0.1)  # (axis, here, there, moment)
    other = differences(lambda at: make(at, here).matrix, there, 0.1)
    np.testing.assert_allclose(one, other.transpose(3, 2, 1, 0), atol=3e-5 * np.abs(one).max())


def test_reciprocity_of_the_magnetic_field():
    """A coil with a changing current induces the electric field -L in the sphere: its curl is the
    coil's own field.

    The curl of a magnetometer's lead field L over the dipole's place is the field there of a
    magnetic dipole at the sensor along its normal, mu0 / 4 pi (3 (n.a) a - n) / |a|^3, whatever the
    conductor; and L has no radial part. Differences over 0.1 mm at 55 mm and more: 4e-6 times some
    derivatives of order one.
    """

    def of_places(at):
        return np.moveaxis(SarvasSphere(HELMET, SCALP, at).matrix, 1, 0)

    slope = differences(of_places, BRAIN, 0.1) * 1e3  # (axis, dipole, sensor, component)
    curl = np.stack([slope[1, ..., 2] - slope[2, ..., 1], slope[2, ..., 0] - slope[0, ..., 2],
                     slope[0, ..., 1] - slope[1, ..., 0]], -1)  # fmt: skip
    away = (BRAIN[:, None, :] - HELMET) * 1e-3
    distance, normals = np.linalg.norm(away, axis=2, keepdims=True), unit_rows(SCALP)
    along = (normals * away).sum(2, keepdims=True) / distance**2
    own = 1e-7 * (3.0 * along * away - normals) / distance**3
    np.testing.assert_allclose(curl, own, atol=2e-5 * np.abs(own).max())
    radial = np.einsum("sdk,dk->sd", SarvasSphere(HELMET, SCALP, BRAIN).matrix, BRAIN / 60.0)
    np.testing.assert_allclose(radial, 0.0, atol=1e-15 * np.abs(slope).max())
