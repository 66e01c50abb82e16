"""What every optimizer of the catalogue keeps; a new one is a row here. Exceptions are data on its
row.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jtfne
from jtfne._precision import precision
from jtfne.optimizers import (
    AGSDR,
    CMAES,
    GSDR,
    OPTIMIZERS,
    SDR,
    Gradient,
    Optimizer,
    RandomSearch,
    minimize,
)

TARGET = np.array([1.0, -2.0, 3.0, 0.5, -4.0])
LOWER, UPPER = np.full(5, -5.0), np.full(5, 5.0)
KEYS = jax.random.split(jax.random.key(11), 8)
V_5 = 8.0 * np.pi**2 / 15.0  # volume of the unit ball in five dimensions


def reached_by_chance(n: int, chance: float) -> float:
    """The score s that the best of `n` uniform draws is above with `chance` = (1 - V_5 s^(5/2) /
    10^5)^n.
    """
    return float(((1.0 - chance ** (1.0 / n)) * 1e5 / V_5) ** 0.4)


@dataclasses.dataclass(frozen=True)
class Row:
    """budget: evaluations after which the quadratic is below `reached`. gradients: whether they are
    told besides.
    """

    optimizer: Optimizer
    budget: int
    gradients: bool = False
    reached: float = 1e-3


ROWS = {
    "RandomSearch": Row(RandomSearch(), 3200, reached=reached_by_chance(3200, 1e-4)),
    "SDR": Row(SDR(), 3600),
    "SDR, gradients": Row(SDR(n_pairs=0), 400, gradients=True),
    "GSDR": Row(GSDR(), 2700),
    "GSDR, gradients": Row(GSDR(n_pairs=0), 3000, gradients=True),
    "AGSDR": Row(AGSDR(), 2700),
    "AGSDR, gradients": Row(AGSDR(), 2700, gradients=True),
    "CMAES": Row(CMAES(), 1600),
    "Gradient": Row(Gradient(transform=optax.adam(0.05)), 200),
    "Gradient, 4 starts": Row(Gradient(transform=optax.adam(0.05), n_starts=4), 800),
}
each_row = pytest.mark.parametrize("name", ROWS)
TRACEABLE = pytest.mark.parametrize(
    "name", [name for name, row in ROWS.items() if row.optimizer.traceable]
)


# In double precision too, on all rows; but only for `slow` where another row shares the code.
ALIKE = ("SDR, gradients", "GSDR", "GSDR, gradients")
PRECISIONS = [
    pytest.param(
        name, dtype, marks=pytest.mark.slow if dtype == "float64" and name in ALIKE else ()
    )
    for name, row in ROWS.items()
    if row.optimizer.traceable
    for dtype in ("float32", "float64")
]


def quadratic(x):
    return jnp.sum((x - TARGET) ** 2)


def scored(row: Row, candidates: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Scores of the quadratic, and gradients where the row wants them."""
    x = np.asarray(candidates)
    scores = ((x - TARGET) ** 2).sum(1)
    return scores, 2.0 * (x - TARGET) if row.gradients or row.optimizer.needs_gradients else None


def generations(row: Row, state: Any, n: int) -> Any:
    """The state after `n` generations."""
    for _ in range(n):
        candidates, state = row.optimizer.ask(state)
        state = row.optimizer.tell(state, candidates, *scored(row, candidates))
    return state


def opened(name: str, seed: int = 0, **given: Any) -> tuple[Row, Any]:
    row = ROWS[name]
    return row, row.optimizer.init(jax.random.key(seed), LOWER, UPPER, **given)


def assert_same(one: Any, other: Any) -> None:
    """Equal trees, bit for bit."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_array_equal(a, b)


def test_every_optimizer_has_a_row() -> None:
    assert {type(row.optimizer) for row in ROWS.values()} == set(OPTIMIZERS.values())


@each_row
def test_quadratic_in_five_dimensions(name: str) -> None:
    """All of eight seeds, from starts anywhere in the box, end within the budget."""
    row = ROWS[name]

    def history(key):
        return minimize(
            row.optimizer, quadratic, key, LOWER, UPPER, budget=row.budget, gradients=row.gradients
        )[1]

    if row.optimizer.traceable:
        best = np.asarray(jax.jit(jax.vmap(history))(KEYS))
    else:
        best = np.stack([history(key) for key in KEYS])
    assert (np.diff(best, axis=1) <= 0.0).all(), "the best so far got worse"
    assert best[:, -1].max() < row.reached
    assert best[:, 0].min() > row.reached, "the first generation was there already"


@each_row
def test_candidates_stay_within_the_bounds_as_they_were_given(name: str) -> None:
    """Bounds that single precision cannot hold, an optimum in a corner, and ranges that differ by a
    million.
    """
    row = ROWS[name]
    lower, upper = np.array([0.1, -1e3, 0.3]), np.array([0.7, 1e3, 0.3003])
    state = row.optimizer.init(jax.random.key(1), lower, upper, lower)
    for _ in range(30):
        x, state = row.optimizer.ask(state)
        assert x.shape == (row.optimizer.n_candidates(3), 3)
        wide = np.asarray(x, np.float64)
        assert (wide >= lower).all() and (wide <= upper).all()
        slopes = np.ones(3) / (upper - lower) + 0.0 * wide
        told = slopes if row.gradients or row.optimizer.needs_gradients else None
        state = row.optimizer.tell(state, x, (wide - lower) @ (1.0 / (upper - lower)), told)


@each_row
def test_a_state_stored_as_numpy_goes_on_with_the_same_bits(name: str, tmp_path) -> None:
    row, state = opened(name)
    half = generations(row, state, 7)
    leaves, _ = jax.tree.flatten(half)
    np.savez(tmp_path / "state.npz", *leaves)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        stored = [file[f"arr_{k}"] for k in range(len(leaves))]
    _, other = opened(name, seed=5)  # its form is taken, and none of its numbers
    back = jax.tree.unflatten(jax.tree.structure(other), stored)
    assert_same(generations(row, back, 8), generations(row, half, 8))
    assert_same(generations(row, state, 15), generations(row, half, 8))


@each_row
@pytest.mark.parametrize("start", [None, [0.5, 0.2, 0.1]])
def test_a_search_does_without_rank_promotion(name: str, start: Any) -> None:
    """init, ask and tell under JAX's strictest rule, and with the same bits as without it."""

    def search() -> Any:
        optimizer = ROWS[name].optimizer
        with_slopes = ROWS[name].gradients or optimizer.needs_gradients
        state = optimizer.init(jax.random.key(0), [0.0] * 3, [1.0] * 3, start)
        for _ in range(2):
            candidates, state = optimizer.ask(state)
            candidates = np.asarray(candidates)
            slopes = 2.0 * candidates if with_slopes else None
            state = optimizer.tell(state, candidates, (candidates**2).sum(axis=1), slopes)
        return jax.tree.leaves(state)

    with jax.numpy_rank_promotion("raise"):
        strict = search()
    for leaf, expected in zip(strict, search(), strict=True):
        np.testing.assert_array_equal(leaf, expected)


@each_row
def test_ask_is_a_pure_function_of_the_state(name: str) -> None:
    row, state = opened(name)
    state = generations(row, state, 3)
    before = jax.tree.map(np.array, state)
    assert_same(row.optimizer.ask(state), row.optimizer.ask(state))
    assert_same(jax.tree.map(np.array, state), before)
    others = [row.optimizer.ask(opened(name, seed=k)[1])[0] for k in (1, 2)]
    assert (np.asarray(others[0]) != np.asarray(others[1])).any(), "the key makes no difference"


@pytest.mark.parametrize(("name", "dtype"), PRECISIONS)
def test_jit_keeps_the_form_and_the_numbers(name: str, dtype: str) -> None:
    """A generation under jit is one without, to rounding; the state keeps its form, so that it is
    traced once.
    """
    traced = []
    with precision(dtype):
        row, state = opened(name)

        @jax.jit
        def generation(state):
            traced.append(1)
            x, state = row.optimizer.ask(state)
            slopes = 2.0 * (x - TARGET) if row.gradients or row.optimizer.needs_gradients else None
            return x, row.optimizer.tell(state, x, jax.vmap(quadratic)(x), slopes)

        for _ in range(4):
            plain, _ = row.optimizer.ask(state)
            x, after = generation(state)
            # of a range of ten
            np.testing.assert_allclose(x, plain, rtol=0, atol=100 * np.finfo(dtype).eps)
            assert jax.tree.structure(after) == jax.tree.structure(state)
            same = row.optimizer.tell(state, plain, *scored(row, plain))
            for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(same), strict=True):
                assert a.dtype == b.dtype and a.shape == b.shape
            state = after
        assert state.record.best_x.dtype == dtype
    assert len(traced) == 1, "the state changed its shape or dtype"


@TRACEABLE
def test_a_batch_of_seeds_is_its_members(name: str) -> None:
    """vmap over seeds: the first generation of each, to rounding."""
    row = ROWS[name]

    def first(key):
        state = row.optimizer.init(key, LOWER, UPPER)
        x, state = row.optimizer.ask(state)
        slopes = 2.0 * (x - TARGET) if row.gradients or row.optimizer.needs_gradients else None
        state = row.optimizer.tell(state, x, jax.vmap(quadratic)(x), slopes)
        return x, *row.optimizer.best(state), row.optimizer.ask(state)[0]

    many = jax.vmap(first)(KEYS)
    for k, key in enumerate(KEYS):
        for batch, alone in zip(many, first(key), strict=True):
            np.testing.assert_allclose(batch[k], alone, rtol=1e-5, atol=1e-5)


@each_row
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_counted_and_never_the_best(name: str, bad: float) -> None:
    row, state = opened(name, start=TARGET + 0.5)
    k = row.optimizer.n_candidates(5)
    state = generations(row, state, 2)
    for n in range(1, 5):
        x, state = row.optimizer.ask(state)
        scores, slopes = scored(row, x)
        scores[: k // 2] = bad  # half of them, and none where there is one
        state = row.optimizer.tell(state, x, scores, slopes)
        assert int(state.record.n_bad) == n * (k // 2) and int(state.record.n_scores) == (2 + n) * k
        assert int(state.record.generation) == 2 + n
        assert np.isfinite(row.optimizer.best(state)[1])
    at, score = row.optimizer.best(state)
    np.testing.assert_allclose(score, ((np.asarray(at) - TARGET) ** 2).sum(), rtol=1e-4, atol=1e-6)
    x, _ = row.optimizer.ask(state)
    assert np.isfinite(np.asarray(x)).all(), "what was not finite is in the search"


@each_row
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_generation_without_a_finite_score_is_refused(name: str, bad: float) -> None:
    row, state = opened(name)
    state = generations(row, state, 1)
    x, state = row.optimizer.ask(state)
    scores, slopes = scored(row, x)
    with pytest.raises(jtfne.JtfneError, match=r"scores=\[.*none finite;.*\.tell\)"):
        row.optimizer.tell(state, x, np.full_like(scores, bad), slopes)
    # the state is still good
    assert np.isfinite(row.optimizer.best(row.optimizer.tell(state, x, scores, slopes))[1])


@TRACEABLE
def test_under_jit_such_a_generation_leaves_the_best(name: str) -> None:
    row, state = opened(name)
    state = generations(row, state, 2)
    x, _ = row.optimizer.ask(state)
    scores, slopes = scored(row, x)
    after = jax.jit(row.optimizer.tell)(state, x, np.full_like(scores, np.nan), slopes)
    assert_same(row.optimizer.best(after), row.optimizer.best(state))
    assert int(after.record.n_bad) == len(scores)
    assert np.isfinite(np.asarray(row.optimizer.ask(after)[0])).all()


@each_row
def test_the_start_is_the_first_thing_tried_but_for_a_distribution(name: str) -> None:
    row, state = opened(name, start=TARGET)
    x, _ = row.optimizer.ask(state)
    np.testing.assert_array_equal(row.optimizer.best(state)[0], TARGET.astype(np.float32))
    assert row.optimizer.best(state)[1] == np.inf
    if not isinstance(row.optimizer, CMAES):
        np.testing.assert_array_equal(np.asarray(x)[0], TARGET.astype(np.float32))


BAD_INIT = {
    "lower above upper": (
        (LOWER, -UPPER * 2, None),
        r"lower\[0\]=-5 with upper\[0\]=-10.*lower below upper",
    ),
    "lower at upper": ((LOWER, LOWER, None), r"lower\[0\]=-5 with upper\[0\]=-5"),
    "too near for single precision": (
        (np.ones(2), np.full(2, 1 + 1e-9), None),
        r"lower\[0\]=1 with upper\[0\]=1",
    ),
    "bound nan": ((np.array([0.0, np.nan]), np.ones(2), None), r"lower\[1\]=nan.*finite"),
    "bound infinite": ((np.zeros(2), np.array([1.0, np.inf]), None), r"upper\[1\]=inf.*finite"),
    "start outside": ((LOWER, UPPER, UPPER + 1), r"start\[0\]=6.*a number in \[-5, 5\]"),
    "start nan": ((LOWER, UPPER, UPPER * np.nan), r"start\[0\]=nan"),
    "other shapes": ((LOWER, UPPER[:3], None), r"upper of shape \(3,\).*\(5,\)"),
    "start of another shape": ((LOWER, UPPER, UPPER[:2]), r"start of shape \(2,\).*\(5,\)"),
    "numbers": ((0.0, 1.0, None), r"lower of shape \(\)"),
    "nothing": ((np.zeros(0), np.zeros(0), None), r"lower of shape \(0,\)"),
}


@each_row
@pytest.mark.parametrize("case", BAD_INIT)
def test_bad_bounds_are_one_clear_message(name: str, case: str) -> None:
    given, message = BAD_INIT[case]
    with pytest.raises(jtfne.JtfneError, match=rf"{message}.*\(in \w+\.init\)$") as caught:
        ROWS[name].optimizer.init(jax.random.key(0), *given)
    assert len(str(caught.value).splitlines()) == 1


@each_row
def test_other_shapes_are_refused_by_tell(name: str) -> None:
    row, state = opened(name)
    x, state = row.optimizer.ask(state)
    scores, slopes = scored(row, x)
    given = {"candidates": x, "scores": scores, "gradients": slopes}
    for which, wrong in {
        "candidates": x[:, :4],
        "scores": scores[None],
        "gradients": np.ones((1, 4)),
    }.items():
        with pytest.raises(jtfne.JtfneError, match=rf"{which} of shape \(.*\);.*\.tell\)$"):
            row.optimizer.tell(state, *{**given, which: wrong}.values())


@each_row
def test_a_budget_below_one_generation_is_refused(name: str) -> None:
    row = ROWS[name]
    k = row.optimizer.n_candidates(5)
    for budget in (0, -1, k - 1):
        with pytest.raises(
            jtfne.JtfneError,
            match=rf"budget={budget}; expected at least {k},.*minimize",
        ):
            minimize(row.optimizer, quadratic, KEYS[0], LOWER, UPPER, budget=budget)


SETTINGS = [(kind, name) for kind, cls in OPTIMIZERS.items() for name in cls.LIMITS]


@pytest.mark.parametrize(("kind", "name"), SETTINGS)
def test_a_setting_out_of_its_range_is_refused(kind: str, name: str) -> None:
    row = ROWS[kind]
    whole = isinstance(getattr(row.optimizer, name), int)
    broken = dataclasses.replace(row.optimizer, **{name: -1 if whole else -0.5})
    with pytest.raises(jtfne.JtfneError, match=rf"^got {name}=-.*;.*\(in {kind}\.init\)$"):
        broken.init(KEYS[0], LOWER, UPPER)


def test_every_number_among_the_settings_has_a_range() -> None:
    for kind, cls in OPTIMIZERS.items():
        assert {each.name for each in dataclasses.fields(cls)} - {"inner", "transform"} == set(
            cls.LIMITS
        ) | (
            {"n"} if kind == "CMAES" else set()  # None, or a number that `init` checks
        )
