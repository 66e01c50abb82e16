"""Optimizers: each rule against its formula, deselection, draws by parameter, and the table of the
docs.
"""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jtfne
from docs.validation import optimizers as page
from jtfne._precision import precision
from jtfne.optimizers import (
    AGSDR,
    CMAES,
    GSDR,
    SDR,
    Gradient,
    RandomSearch,
    correlation_factor,
    minimize,
)
from jtfne.optimizers._descent import antithetic_pairs, estimate_gradient
from jtfne.optimizers.cma_es import _seed

KEY = jax.random.key(4)
LOWER, UPPER = np.array([-2.0, 0.0, 10.0]), np.array([2.0, 8.0, 20.0])
WIDTH = UPPER - LOWER
START = np.array([0.5, 4.0, 15.0])
GENETIC = pytest.mark.parametrize(
    "optimizer", [GSDR(n_pairs=1), AGSDR(n_pairs=1)], ids=["GSDR", "AGSDR"]
)


def told(optimizer, state, centre, probe=None, slopes=0.0):
    """The state after a generation in which the centre scores `centre` and each probe `probe`, by
    default far worse.
    """
    x, state = optimizer.ask(state)
    scores = np.full(len(x), 1e3 if probe is None else probe)
    scores[0] = centre
    return x, optimizer.tell(state, x, scores, np.zeros(x.shape) + slopes)


# Deselection


@GENETIC
def test_a_centre_that_is_not_finite_goes_back_to_the_best_bit_for_bit(optimizer):
    state = optimizer.init(KEY, LOWER, UPPER, START)
    _, state = told(optimizer, state, 5.0, slopes=1.0)
    # the best, after one update of the inner optimizer
    found, state = told(optimizer, state, 3.0, slopes=1.0)
    kept = state.kept_inner
    assert int(optax.tree_utils.tree_get(kept, "count")) == 1 and int(state.n_deselected) == 0
    _, state = told(optimizer, state, 4.0, slopes=-1.0)
    assert (np.asarray(state.centre) != np.asarray(found[0])).all(), "it did not move"
    _, state = told(optimizer, state, np.nan, slopes=1.0)
    assert int(state.n_deselected) == 1 and int(state.stale) == 0
    np.testing.assert_array_equal(state.centre, found[0])
    np.testing.assert_array_equal(optimizer.ask(state)[0][0], found[0])
    for one, other in zip(jax.tree.leaves(state.inner), jax.tree.leaves(kept), strict=True):
        np.testing.assert_array_equal(one, other)


@GENETIC
def test_a_probe_can_be_the_best_that_is_restored(optimizer):
    state = optimizer.init(KEY, LOWER, UPPER, START)
    x, state = optimizer.ask(state)
    state = optimizer.tell(state, x, np.array([5.0, 6.0, 1.0]))
    _, state = told(optimizer, state, np.inf)
    np.testing.assert_array_equal(state.centre, x[2])


@GENETIC
@pytest.mark.parametrize("patience", [1, 3, 10])
def test_patience(optimizer, patience):
    """The best is restored in the generation in which it is `patience` old, and again as many
    later.
    """
    optimizer = dataclasses.replace(optimizer, patience=patience)
    state = optimizer.init(KEY, LOWER, UPPER, START)
    _, state = told(optimizer, state, 2.0)
    fired = []
    for _ in range(2 * patience):
        _, state = told(optimizer, state, 2.5)
        fired.append(int(state.n_deselected))
    assert fired == [*[0] * (patience - 1), *[1] * patience, 2]


@GENETIC
@pytest.mark.parametrize(
    ("best", "score", "margin", "back"),
    [
        (2.0, 3.9, 1.0, False),  # as published: above twice the best
        (2.0, 4.1, 1.0, True),
        (-2.0, -0.1, 1.0, False),  # below zero, where twice the best would be better than the best
        (-2.0, 0.1, 1.0, True),
        (2.0, 2.9, 0.5, False),
        (2.0, 3.1, 0.5, True),
    ],
)
def test_margin(optimizer, best, score, margin, back):
    optimizer = dataclasses.replace(optimizer, margin=margin)
    state = optimizer.init(KEY, LOWER, UPPER, START)
    _, state = told(optimizer, state, best)
    _, state = told(optimizer, state, score)
    assert bool(state.n_deselected) is back


def test_the_mix_of_the_best_is_restored():
    optimizer = GSDR(wander=0.1, n_pairs=1)
    state = optimizer.init(KEY, LOWER, UPPER, START)
    mixes = []
    for score in (5.0, 4.0, 4.5, 4.6):
        mixes.append(float(state.mix))
        _, state = told(optimizer, state, score)
    assert len(set(mixes)) == 4 and max(abs(np.diff(mixes))) <= 0.1
    _, state = told(optimizer, state, np.nan)
    assert float(state.mix) == mixes[1]


# The rules


def test_gsdr_grows_its_step_with_the_age_of_the_best():
    """Without noise: lambda (1 - a) g, lambda = tau^2 (1 - exp(-tau / 10)), tau = 1 where the best
    has just changed.
    """
    optimizer = GSDR(inner=optax.sgd(1e-4), noise=0.0, mix=0.25, margin=1e6)
    slopes = np.array([1.0, -0.5, 0.2])
    state = optimizer.init(KEY, LOWER, UPPER, START)
    for tau in range(1, 8):
        x, after = told(optimizer, state, 1.0, slopes=slopes)
        change = -1e-4 * slopes * WIDTH * 0.75 * tau**2 * -np.expm1(-tau / 10.0)
        np.testing.assert_allclose((after.centre - x[0]) / WIDTH, change, rtol=1e-3, atol=3e-7)
        state = after


def test_the_factor_scales_the_noise_of_gsdr():
    optimizer = GSDR(inner=optax.sgd(0.0), mix=1.0)
    state = optimizer.init(KEY, LOWER, UPPER, START)
    x, state = optimizer.ask(state)
    scores = np.arange(9.0)
    plain, twice, none = (
        (optimizer.tell(state, x, scores, factor=factor).centre - START) / WIDTH
        for factor in (None, np.array([2.0, -1.0, 0.5]), np.zeros(3))
    )
    assert (np.asarray(plain) != 0.0).all()
    np.testing.assert_allclose(twice, plain * np.array([2.0, -1.0, 0.5]), rtol=1e-2, atol=3e-7)
    np.testing.assert_array_equal(none, 0.0)
    with pytest.raises(
        jtfne.JtfneError,
        match=r"factor of shape \(2,\); expected \(3,\) \(in GSDR.tell\)",
    ):
        optimizer.tell(state, x, scores, factor=np.ones(2))


def test_correlation_factor():
    """Squared correlations of one step earlier with one step later, z-scored; one where there is
    none.
    """
    rng = np.random.default_rng(0)
    before = rng.normal(size=(200, 5))
    after = np.roll(before, 1, axis=0) * [1.0, -1.0, 0.3, 0.0, 0.5] + rng.normal(size=(200, 5)) * [
        0.1,
        1.0,
        1.0,
        1.0,
        0.0,
    ]
    before[:, 4] = 3.0
    square = np.array([np.corrcoef(before[:-1, j], after[1:, j])[0, 1] ** 2 for j in range(4)])
    want = (square - square.mean()) / square.std()
    np.testing.assert_allclose(
        correlation_factor(before, after), [*want, 1.0], rtol=1e-3, atol=1e-4
    )
    np.testing.assert_array_equal(correlation_factor(before[:, :1], after[:, :1]), 1.0)
    for wrong in (
        (before, after[:-1], 1),
        (before, after, 199),
        (before, after, -1),
        (before[:, 0], after[:, 0], 1),
    ):
        with pytest.raises(jtfne.JtfneError, match="correlation_factor"):
            correlation_factor(*wrong)


def test_agsdr_weighs_noise_by_the_variances():
    """The first step: alpha R + (1 - alpha) D, with alpha = R^2 / (R^2 + D^2) and R at `sigma`
    times the rms of D.
    """
    slopes = np.array([3.0, 1.0, 0.0])
    optimizer = AGSDR(inner=optax.sgd(1e-3), sigma=2.0, n_pairs=0)
    state = optimizer.init(KEY, LOWER, UPPER, START)
    x, after = told(optimizer, state, 1.0, slopes=slopes)
    update = -1e-3 * slopes * WIDTH
    noise = 2.0 * np.sqrt((update**2).mean()) * np.asarray(after.record.normal("noise", 1)[0])
    alpha = noise**2 / (noise**2 + update**2)
    assert alpha[2] == 1.0 and 0.0 < alpha[0] < 1.0
    np.testing.assert_allclose(
        (after.centre - x[0]) / WIDTH, alpha * noise + (1 - alpha) * update, rtol=1e-3, atol=3e-7
    )


def test_the_noise_of_agsdr_goes_with_the_update():
    """Ten times the update, ten times the step: alpha does not saturate, as it does with a sigma of
    its own.
    """
    found = []
    for rate in (1e-4, 1e-3):
        optimizer = AGSDR(inner=optax.sgd(rate), floor=0.0, margin=1e6)
        state = optimizer.init(KEY, LOWER, UPPER, START)
        for _ in range(5):
            _, state = told(optimizer, state, 1.0, slopes=[1.0, -1.0, 0.5])
        found.append((np.asarray(state.centre) - START) / WIDTH)
    np.testing.assert_allclose(found[1], 10.0 * found[0], rtol=1e-2, atol=1e-5)
    still = AGSDR(floor=0.01).init(KEY, LOWER, UPPER, START)
    _, still = told(AGSDR(floor=0.01), still, 1.0)
    assert (np.asarray(still.centre) != START).all(), "a flat place is never left"


def test_sdr_goes_down_the_slope_in_steps_that_shrink():
    """Steps are step decay^generation |xi|, whose mean is sqrt(2 / pi): over 200 seeds within four
    standard errors.
    """
    optimizer = SDR(step=0.01, decay=0.5)

    def steps(key):
        state = optimizer.init(key, LOWER, UPPER, START)
        centres = [state.centre]
        for _ in range(3):
            x, state = optimizer.ask(state)
            state = optimizer.tell(
                state, x, jnp.ones(9), jnp.broadcast_to(jnp.array([1.0, -2.0, 3.0]), (9, 3))
            )
            centres.append(state.centre)
        return jnp.diff(jnp.stack(centres), axis=0) / WIDTH

    found = np.asarray(jax.vmap(steps)(jax.random.split(KEY, 200))) * [-1.0, 1.0, -1.0]
    assert (found >= 0.0).all()
    lengths = found.mean(axis=(0, 2)) / (0.01 * 0.5 ** np.arange(3))
    np.testing.assert_allclose(lengths, np.sqrt(2 / np.pi), atol=4 * np.sqrt((1 - 2 / np.pi) / 600))


def test_the_slope_of_pairs_is_the_gradient_on_average():
    """Of a plane: each pair gives d (g.u) u along u; the mean over n pairs is g within four
    standard errors.
    """
    n, g = 4000, np.array([1.0, -2.0, 0.5])
    record = RandomSearch().init(KEY, LOWER, UPPER, START).record
    x = antithetic_pairs(record, record.best_x, 0.05, n)
    with precision("float64"):
        wide = np.asarray(x, np.float64)
        found = estimate_gradient(
            jax.tree.map(np.asarray, record), wide, wide / WIDTH @ g, None, "here"
        )
    squares = 9.0 / 15.0 * ((g**2).sum() + 2.0 * g**2)  # E[u_i^2 u_j^2] = 1/15, 3/15 where i = j
    np.testing.assert_array_less(np.abs(found - g), 4.0 * np.sqrt((squares - g**2) / n))


def test_a_pair_with_a_score_that_is_not_finite_says_nothing():
    record = RandomSearch().init(KEY, LOWER, UPPER, START).record
    x = antithetic_pairs(record, record.best_x, 0.1, 2)
    y = np.asarray(x).sum(1)
    alone = estimate_gradient(record, np.asarray(x)[[0, 2, 4]], y[[0, 2, 4]], None, "here")
    y[1] = np.nan
    np.testing.assert_allclose(estimate_gradient(record, x, y, None, "here"), alone, rtol=1e-6)
    y[2] = np.inf
    np.testing.assert_array_equal(estimate_gradient(record, x, y, None, "here"), 0.0)


@pytest.mark.parametrize("optimizer", [SDR(n_pairs=0), GSDR(n_pairs=0), AGSDR(n_pairs=0)])
def test_without_pairs_gradients_are_needed(optimizer):
    state = optimizer.init(KEY, LOWER, UPPER)
    x, state = optimizer.ask(state)
    with pytest.raises(jtfne.JtfneError, match=r"gradients=None with n_pairs=0.*\.tell\)"):
        optimizer.tell(state, x, np.ones(1))


# Draws


@pytest.mark.parametrize(
    "optimizer",
    [RandomSearch(), SDR(), GSDR(), AGSDR(), Gradient(transform=optax.sgd(1.0), n_starts=5)],
)
def test_equal_parameters_draw_different_numbers_and_know_no_other(optimizer):
    one, more = (optimizer.ask(optimizer.init(KEY, np.zeros(d), np.ones(d)))[0] for d in (2, 4))
    assert (one[1:, 0] != one[1:, 1]).all()
    np.testing.assert_array_equal(one, more[:, :2])  # a parameter more moves no other


@pytest.mark.parametrize(
    "optimizer", [GSDR(inner=optax.sgd(0.0)), AGSDR(inner=optax.sgd(0.0)), SDR()]
)
def test_equal_parameters_move_apart(optimizer):
    state = optimizer.init(KEY, np.zeros(3), np.ones(3), np.full(3, 0.5))
    _, state = told(optimizer, state, 1.0, slopes=1.0)
    assert len(set(np.asarray(state.centre).tolist())) == 3


def test_random_search_is_uniform():
    """Kolmogorov's statistic of 4000 draws, in each parameter, below its 0.1 % quantile 1.95 /
    sqrt(n).
    """
    optimizer = RandomSearch(n=4001)
    x = np.asarray(optimizer.ask(optimizer.init(KEY, LOWER, UPPER, START))[0], np.float64)
    np.testing.assert_array_equal(x[0], START)
    ranked = np.sort((x[1:] - LOWER) / WIDTH, axis=0)
    assert np.abs(ranked - (np.arange(4000)[:, None] + 0.5) / 4000).max() < 1.95 / np.sqrt(4000)


# Packages inside


def test_cmaes_is_the_package_bit_for_bit():
    """Beside an object of the package that is never taken apart, seeded alike, in a box of ones."""
    import cmaes

    optimizer, d = CMAES(sigma=0.2), 3
    state = optimizer.init(KEY, np.zeros(d), np.ones(d), np.full(d, 0.25))
    box = np.stack([np.zeros(d), np.ones(d)], 1)
    plain = cmaes.CMA(np.full(d, 0.25), 0.2, bounds=box, population_size=optimizer.n_candidates(d))
    assert plain.population_size == cmaes.CMA(np.zeros(d), 0.2).population_size
    for generation in range(12):
        x, state = optimizer.ask(state)
        plain.reseed_rng(_seed(state.record, generation))
        other = np.array([plain.ask() for _ in x])
        np.testing.assert_array_equal(x, other)
        scores = ((x - 0.6) ** 2).sum(1) * [1.0, np.nan, *[1.0] * (len(x) - 2)]
        state = optimizer.tell(state, x, scores)
        plain.tell(
            [(each, np.inf if np.isnan(y) else y) for each, y in zip(other, scores, strict=True)]
        )


def test_cmaes_stays_on_the_host():
    optimizer = CMAES()
    state = optimizer.init(KEY, LOWER, UPPER)
    x, state = optimizer.ask(state)
    for name, call in {
        "init": lambda: jax.vmap(lambda key: optimizer.init(key, LOWER, UPPER).mean)(
            jax.random.split(KEY)
        ),
        "ask": lambda: jax.jit(optimizer.ask)(state),
        "tell": lambda: jax.jit(optimizer.tell)(state, x, np.ones(len(x))),
    }.items():
        with pytest.raises(
            jtfne.JtfneError,
            match=rf"a traced argument.* outside jit and vmap \(in CMAES\.{name}\)",
        ):
            call()
    with pytest.raises(jtfne.JtfneError, match=r"n=2; expected a whole number in \[3, inf\)"):
        CMAES(n=2).init(KEY, LOWER, UPPER)
    assert CMAES(n=9).ask(CMAES(n=9).init(KEY, LOWER, UPPER))[0].shape == (9, 3)


def test_gradient_is_optax_in_shares_of_the_range():
    transform, optimizer = optax.adam(0.02), Gradient(transform=optax.adam(0.02))
    state = optimizer.init(KEY, LOWER, UPPER, START)
    shares = jnp.asarray((START - LOWER) / WIDTH)
    inner = transform.init(shares)
    for _ in range(10):
        x, state = optimizer.ask(state)
        np.testing.assert_allclose(x[0], LOWER + WIDTH * shares, rtol=1e-5, atol=1e-5)
        slopes = 2.0 * (np.asarray(x) - LOWER)
        state = optimizer.tell(state, x, ((np.asarray(x) - LOWER) ** 2).sum(1), slopes)
        update, inner = transform.update(jnp.asarray(slopes[0] * WIDTH), inner)
        shares = shares + update


def test_a_descent_that_breaks_goes_on_from_the_best():
    optimizer = Gradient(transform=optax.adam(0.05), n_starts=3)
    state = optimizer.init(KEY, LOWER, UPPER, START)
    x, state = optimizer.ask(state)
    slopes = np.ones((3, 3))
    slopes[1] = np.nan
    state = optimizer.tell(state, x, np.array([1.0, 5.0, np.inf]), slopes)
    after, _ = optimizer.ask(state)
    np.testing.assert_array_equal(after[1:], np.broadcast_to(START, (2, 3)))
    assert (np.asarray(after[0]) < START).all()
    counts = optax.tree_utils.tree_get(state.inner, "count")
    assert counts.tolist() == [1, 0, 0]


def test_no_optax_transform_is_refused():
    with pytest.raises(
        jtfne.JtfneError,
        match=r"transform='adam';.*optax\.adam\(0\.01\) \(in Gradient",
    ):
        Gradient(transform="adam").init(KEY, LOWER, UPPER)
    optimizer = Gradient(transform=optax.sgd(0.1))
    state = optimizer.init(KEY, LOWER, UPPER)
    with pytest.raises(jtfne.JtfneError, match=r"gradients=None;.*Gradient\.tell"):
        optimizer.tell(state, optimizer.ask(state)[0], np.ones(1))


# minimize, and the page


def test_settings_can_be_swept():
    """A batch of settings is one program, since they are numbers of a tree."""

    def last(sigma):
        return minimize(
            AGSDR(sigma=sigma), page.rastrigin, KEY, [-5.12] * 2, [5.12] * 2, budget=180
        )[1][-1]

    many = jax.jit(jax.vmap(last))(jnp.array([0.0, 3.0]))
    assert many[0] != many[1]


def test_a_function_without_a_value_is_refused():
    with pytest.raises(jtfne.JtfneError, match=r"a function without a finite value.*minimize"):
        minimize(RandomSearch(), lambda x: x.sum() * jnp.nan, KEY, LOWER, UPPER, budget=32)
    with pytest.raises(jtfne.JtfneError, match=r"none finite"):
        minimize(CMAES(), lambda x: x.sum() * jnp.nan, KEY, LOWER, UPPER, budget=32)


ADAM = "Gradient(transform=optax.adam(0.05))"


def test_agsdr_finds_the_lowest_basin_more_often_than_adam():
    """Rastrigin's function over 32 seeds, at half the budget of the page."""
    adam, agsdr = (page.success(name, budget=1000)[0] for name in (ADAM, "AGSDR()"))
    assert agsdr > adam + 2.0 * np.sqrt(0.25 / 32), "not beyond two standard errors of a share"


def test_the_table_of_the_page_has_these_rows_and_says_the_same():
    text = (Path(__file__).parent.parent / "docs/optimizers.rst").read_text(encoding="utf-8")
    # after it comes a table with rows of the same names
    text = text.split("Directions that no parameter")[0]
    lines = {
        name: line
        for name in page.ROWS
        for line in text.splitlines()
        if line.startswith(f"``{name}`` ")
    }
    assert set(lines) == set(page.ROWS)
    found = {name: int(line.split("``")[2].split(" of ")[0]) for name, line in lines.items()}
    assert found["AGSDR()"] > max(
        n for name, n in found.items() if "n_starts" not in name and "adam" in name
    )
    (row,) = page.table([ADAM], n_seeds=4, budget=300)
    assert row[0] == f"``{ADAM}``" and row[1].endswith(" of 4") and float(row[3]) < 300
