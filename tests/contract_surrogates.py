"""One contract for all surrogates: a step forward, a slope backward, and the smooth function of
that slope.
"""

import dataclasses
import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from jtfne._precision import precision
from jtfne.surrogates import SURROGATES, ATan, Sigmoid, Smoothed, SuperSpike, Surrogate, Triangular


@dataclasses.dataclass(frozen=True)
class Row:
    """`slope` of u, written down again from the table of formulas; `total`: its integral; `peak`:
    at threshold.
    """

    surrogate: Surrogate
    slope: object
    total: float
    peak: float


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


ROWS = {
    "SuperSpike": Row(SuperSpike(), lambda u: 1 / (1 + 25 * abs(u)) ** 2, 2 / 25, 1.0),
    "SuperSpike, flat": Row(SuperSpike(beta=2.0), lambda u: 1 / (1 + 2 * abs(u)) ** 2, 1.0, 1.0),
    "Sigmoid": Row(Sigmoid(), lambda u: 25 * logistic(25 * u) * logistic(-25 * u), 1.0, 25 / 4),
    "Sigmoid, flat": Row(
        Sigmoid(k=4.0), lambda u: 4 * logistic(4 * u) * logistic(-4 * u), 1.0, 1.0
    ),
    "ATan": Row(ATan(), lambda u: 1 / (1 + (np.pi * u) ** 2), 1.0, 1.0),
    "ATan, sharp": Row(ATan(alpha=5.0), lambda u: 2.5 / (1 + (2.5 * np.pi * u) ** 2), 1.0, 2.5),
    "Triangular": Row(Triangular(), lambda u: 0.3 * np.maximum(0, 1 - abs(u)), 0.3, 0.3),
    "Triangular, narrow": Row(
        Triangular(gamma=2.0, width=0.25), lambda u: 2 * np.maximum(0, 1 - abs(u) / 0.25), 0.5, 2.0
    ),
}
EACH = pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
ROUNDING = 25 * 2.0**-51  # of a logistic function, times the sharpest slope
U = np.concatenate([np.linspace(-3.0, 3.0, 241), [-1e-7, 1e-7, -1e-3, 1e-3]])


def test_the_rows_are_the_catalogue():
    assert {type(row.surrogate).__name__ for row in ROWS.values()} == set(SURROGATES)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Box(Surrogate):
    """One of a user's own, without numbers and so without LIMITS."""

    def slope(self, u):
        return jnp.where(jnp.abs(u) < 0.5, 1.0, 0.0)

    def smooth(self, u):
        return jnp.clip(u + 0.5, 0.0, 1.0)


def test_a_surrogate_without_limits_is_taken():
    cells = jtfne.Config().areas(["V1"]).layers(["L4"]).cells({"E": 3})
    net = jtfne.construct(cells)
    assert net.to_flat(surrogate=Box()).circuit is not None


def test_a_surrogate_that_is_no_tree_is_refused():
    class Bare(Box):
        pass

    net = jtfne.construct(jtfne.Config().areas(["V1"]).layers(["L4"]).cells({"E": 3}))
    for surrogate in (Bare(), Smoothed(surrogate=Bare())):
        with pytest.raises(jtfne.JtfneError, match="Bare, which JAX does not know as a tree"):
            net.to_flat(surrogate=surrogate)


@EACH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forward_is_the_step_function(row, dtype):
    with precision(dtype):
        smallest = np.finfo(dtype).tiny
        u = jnp.asarray([*U, 0.0, -0.0, smallest, -smallest, 1e30, -1e30, np.inf, -np.inf], dtype)
        want = (np.asarray(u) >= 0.0).astype(dtype)
        for how in (row.surrogate, jax.jit(row.surrogate), jax.vmap(row.surrogate)):
            assert how(u).dtype == dtype
            np.testing.assert_array_equal(how(u), want)


@EACH
def test_spikes_are_those_told_whatever_u(row):
    """The emitter's own comparison decides; u, which is rounded otherwise, only shapes the
    slope.
    """
    told, u = jnp.array([True, False]), jnp.array([-0.1, 0.1])
    np.testing.assert_array_equal(row.surrogate.spikes(told, u), [1.0, 0.0])
    slope = jax.grad(lambda u: row.surrogate.spikes(told, u).sum())(u)
    np.testing.assert_array_equal(slope, row.surrogate.slope(u))


@EACH
def test_backward_is_the_formula(row):
    """By grad, jvp, and both under vmap and jit."""
    with precision("float64"):
        u, want = jnp.asarray(U), row.slope(U)
        assert float(row.slope(0.0)) == pytest.approx(row.peak, rel=1e-15)
        np.testing.assert_allclose(
            jax.grad(lambda u: row.surrogate(u).sum())(u), want, rtol=1e-12, atol=ROUNDING
        )
        np.testing.assert_allclose(
            jax.vmap(jax.grad(row.surrogate))(u), want, rtol=1e-12, atol=ROUNDING
        )
        np.testing.assert_allclose(
            jax.jit(jax.vmap(jax.grad(row.surrogate)))(u), want, rtol=1e-12, atol=ROUNDING
        )
        _, tangent = jax.jvp(row.surrogate, (u,), (jnp.full_like(u, 3.0),))
        np.testing.assert_allclose(tangent, 3.0 * want, rtol=1e-12, atol=ROUNDING)
        np.testing.assert_array_equal(row.surrogate.slope(u), row.surrogate.slope(-u))


@EACH
def test_smooth_has_that_slope_and_rises_by_its_integral(row):
    with precision("float64"):
        u, h = jnp.asarray(U + 1e-4), 1e-6  # off the corners, where a second derivative jumps
        by_hand = (row.surrogate.smooth(u + h) - row.surrogate.smooth(u - h)) / (2.0 * h)
        # h times the curvature
        np.testing.assert_allclose(by_hand, row.surrogate.slope(u), rtol=1e-4, atol=1e-9)
        derivative = jax.vmap(jax.grad(row.surrogate.smooth))(jnp.asarray(U))
        np.testing.assert_allclose(
            derivative, row.surrogate.slope(jnp.asarray(U)), rtol=1e-12, atol=ROUNDING
        )
        far = 1e4
        ends = row.surrogate.smooth(jnp.array([-far, 0.0, far]))
        # what lies beyond `far` of the longest tail, 1 / (beta^2 far)
        np.testing.assert_allclose(ends, [0.0, row.total / 2, row.total], atol=1e-4)
        np.testing.assert_allclose(ends[0] + ends[2], row.total, rtol=1e-12)


@EACH
def test_float32_stays_finite(row):
    far = jnp.asarray(
        [1e3, 1e10, 1e19, 1e30, 3e38, -1e3, -1e30, -3e38, np.inf, -np.inf], jnp.float32
    )
    for made in (
        row.surrogate.slope(far),
        row.surrogate.smooth(far),
        jax.vmap(jax.grad(row.surrogate.smooth))(far),
    ):
        assert made.dtype == jnp.float32 and np.isfinite(made).all() and (made >= 0.0).all()
    near = jnp.asarray(U, jnp.float32)
    np.testing.assert_allclose(
        row.surrogate.slope(near), row.slope(np.asarray(near, np.float64)), rtol=5e-6, atol=1e-7
    )


@EACH
def test_its_numbers_are_traced(row):
    """A sweep over them is one program; a step hangs on none of them, what is smooth on all."""
    leaves, form = jax.tree.flatten(row.surrogate)
    assert jax.tree.unflatten(form, leaves) == row.surrogate and len(leaves) == len(
        row.surrogate.LIMITS
    )
    many = jax.tree.map(lambda number: number * jnp.array([1.0, 2.0]), row.surrogate)
    slopes = jax.vmap(lambda each: each.slope(jnp.array(0.1)))(many)
    assert slopes.shape == (2,) and slopes[0] != slopes[1]
    by_number = jax.grad(lambda each: each(jnp.array(0.1)))(
        jax.tree.map(jnp.asarray, row.surrogate)
    )
    assert not any(jax.tree.leaves(by_number))
    smooth = jax.grad(lambda each: each.smooth(jnp.array(0.1)))(
        jax.tree.map(jnp.asarray, row.surrogate)
    )
    assert all(np.isfinite(each) and each != 0.0 for each in jax.tree.leaves(smooth))


@EACH
def test_smoothed_sends_what_is_smooth(row):
    u = jnp.asarray(U)
    np.testing.assert_array_equal(Smoothed(row.surrogate)(u), row.surrogate.smooth(u))
    np.testing.assert_array_equal(
        Smoothed(row.surrogate).spikes(u < 5.0, u), row.surrogate.smooth(u)
    )
    np.testing.assert_array_equal(Smoothed(row.surrogate).slope(u), row.surrogate.slope(u))


@pytest.mark.parametrize("cls", SURROGATES.values(), ids=list(SURROGATES))
def test_every_number_has_a_limit_and_every_class_its_source(cls):
    assert set(cls.LIMITS) == {field.name for field in dataclasses.fields(cls)}
    assert re.search(r"Source:.*\(\d{4}\), ", inspect.getdoc(cls))
