"""What every measure of the catalogue keeps; a new one is a row here. Exceptions are data on its
row.
"""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from jtfne._precision import precision
from jtfne.config import Metric
from jtfne.measures import MEASURES, Frame, Measure

RNG = np.random.default_rng(5)
N_TRIALS, N_SAMPLES = 3, 400
Z_MM = tuple(np.round(np.arange(8) * 0.1, 9).tolist())
FIELD = Frame(step_ms=1.0, n_samples=N_SAMPLES, first_ms=1.0, z_mm=Z_MM, channels=tuple("abcdefgh"))
COUNTS = Frame(step_ms=10.0, n_samples=40, first_ms=10.0, counts=True)


def counts() -> np.ndarray:
    """Spikes of 6 cells in bins, not whole: as surrogate gradients give them."""
    return RNG.gamma(1.0, 1.0, (N_TRIALS, COUNTS.n_samples, 6))


def intervals() -> np.ndarray:
    """Intervals of 5 cells, the last of which has none."""
    found = RNG.gamma(4.0, 5.0, (5, 12))
    found[-1] = np.nan
    found[0, 7:] = np.nan
    return found


def field() -> np.ndarray:
    """Noise over 8 channels; slow waves grow with depth, fast ones fall."""
    t_s, depth = np.arange(N_SAMPLES)[:, None] * 1e-3, np.array(Z_MM)
    waves = np.sin(2 * np.pi * 15 * t_s) * (0.5 + depth) + np.sin(2 * np.pi * 100 * t_s) * (
        1.5 - depth
    )
    return waves + RNG.normal(0.0, 0.2, (N_TRIALS, N_SAMPLES, len(Z_MM)))


@dataclasses.dataclass(frozen=True)
class Row:
    """x: samples in `frame`. degree: the value of c x is c^degree times that of x. bad: settings
    that are refused; short: a clock that does not serve, and a word of the complaint."""

    x: np.ndarray
    frame: Frame
    degree: float
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    bad: tuple[dict[str, Any], ...] = ()
    short: tuple[Frame, str] | None = None


BRIEF = Frame(step_ms=1.0, n_samples=4, first_ms=1.0, counts=True)
COARSE = Frame(step_ms=20.0, n_samples=40, first_ms=20.0)
LATE = Frame(step_ms=1.0, n_samples=40, first_ms=301.0)
NAN = math.nan
OUT = ({"onset_ms": -1.0}, {"baseline_ms": NAN})
ROWS = {
    "MeanRate": Row(counts(), COUNTS, 1.0, bad=({"bin_ms": 5.0},)),
    "CV": Row(intervals(), COUNTS, 0.0, bad=({"min_intervals": 1}, {"min_intervals": 2.5})),
    "FanoFactor": Row(counts(), COUNTS, 1.0, bad=({"bin_ms": 0.0}, {"bin_ms": NAN}), short=(BRIEF, "two bins")),
    "Synchrony": Row(counts(), COUNTS, 0.0, bad=({"bin_ms": -5.0},), short=(BRIEF, "two bins")),
    "PowerSpectrum": Row(field(), FIELD, 2.0, {"low_Hz": 5.0}, ({"low_Hz": 200.0}, {"relative": 1}), (COARSE, "25 Hz")),
    "BandPower": Row(field(), FIELD, 2.0, {"low_Hz": 10.0, "high_Hz": 40.0}, ({"high_Hz": 5.0}, {"segment_ms": 0.0}),
                     (COARSE, "25 Hz")),
    "SpectrolaminarCrossover": Row(field(), FIELD, 0.0, {}, ({"low_to_Hz": 90.0}, {"high_to_Hz": 60.0}),
                                   (COARSE, "25 Hz")),
    "EvokedWaveform": Row(field(), FIELD, 1.0, {"onset_ms": 100.0, "baseline_ms": 50.0}, OUT, (LATE, "within")),
    "CSDProfile": Row(field(), FIELD, 1.0, {"onset_ms": 100.0, "baseline_ms": 50.0}, OUT, (LATE, "within")),
    "Topography": Row(field(), FIELD, 1.0, {"onset_ms": 100.0, "baseline_ms": 50.0}, OUT, (LATE, "within")),
}  # fmt: skip
each = pytest.mark.parametrize("name", ROWS)


def made(name: str) -> tuple[Measure, Row]:
    return MEASURES[name](**ROWS[name].settings), ROWS[name]


def test_every_measure_has_a_row() -> None:
    assert list(ROWS) == list(MEASURES)


@each
def test_its_value_has_the_shape_of_its_grid(name: str) -> None:
    measure, row = made(name)
    grid = measure.grid(row.frame)
    assert tuple(grid) == measure.dims
    assert measure(jnp.asarray(row.x), row.frame).shape == tuple(
        points.size for points in grid.values()
    )


@each
def test_it_says_what_it_is_of_and_when_it_has_no_value(name: str) -> None:
    measure, row = made(name)
    assert measure.readouts and measure.undefined and measure.unit("V")
    assert hash(measure) == hash(made(name)[0]) and measure == made(name)[0], (
        "it is static, so jit must find it again"
    )
    assert measure.correlates <= bool(measure.dims)
    spikes = (
        dataclasses.replace(row.frame, step_ms=1.0, n_samples=400)
        if row.frame.counts
        else row.frame
    )
    assert measure.complaint(spikes) is None


@each
def test_it_is_compiled_once_and_the_same(name: str) -> None:
    measure, row = made(name)
    traced = []

    @jax.jit
    def value(x: jax.Array) -> jax.Array:
        traced.append(x)
        return measure(x, row.frame)

    with precision("float64"):
        value(jnp.asarray(row.x))
        np.testing.assert_allclose(
            value(jnp.asarray(row.x)), measure(jnp.asarray(row.x), row.frame), rtol=1e-9
        )
    assert len(traced) == 1


@each
def test_it_scales_as_it_says(name: str) -> None:
    measure, row = made(name)
    with precision("float64"):
        one, other = (np.asarray(measure(jnp.asarray(c * row.x), row.frame)) for c in (1.0, 3.0))
    assert np.isfinite(one).all() and np.any(one != 0.0)
    np.testing.assert_allclose(
        other, 3.0**row.degree * one, rtol=1e-9, atol=1e-9 * np.abs(one).max()
    )


@each
def test_the_order_of_trials_and_of_cells_does_not_count(name: str) -> None:
    measure, row = made(name)
    x = row.x[::-1] if row.frame.counts or row.x.ndim == 2 else row.x[[2, 0, 1]]
    x = x[..., ::-1] if row.frame.counts and row.x.ndim == 3 else x
    with precision("float64"):
        np.testing.assert_allclose(
            measure(jnp.asarray(x), row.frame),
            measure(jnp.asarray(row.x), row.frame),
            rtol=1e-9,
            atol=1e-12,
        )


@pytest.mark.parametrize("name", [name for name, kind in MEASURES.items() if kind.differentiable])
def test_its_gradient_is_that_of_finite_differences(name: str) -> None:
    measure, row = made(name)
    # a fixed direction, and a fixed weight for each point of a curve
    along, rng = np.random.default_rng(1).normal(size=row.x.shape), np.random.default_rng(2)
    shape = tuple(points.size for points in measure.grid(row.frame).values())
    weights = rng.normal(size=shape)

    def scalar(x: jax.Array) -> jax.Array:
        return jnp.sum(weights * measure.form(measure(x, row.frame)))

    with precision("float64"):
        gradient = jax.grad(scalar)(jnp.asarray(row.x))
        assert np.isfinite(gradient).all() and np.any(gradient != 0.0)
        h = 1e-5  # errors: h^2 of the third derivative, 1e-16 / h of rounding
        slope = (
            scalar(jnp.asarray(row.x + h * along)) - scalar(jnp.asarray(row.x - h * along))
        ) / (2 * h)
        np.testing.assert_allclose(
            jnp.sum(gradient * along), slope, rtol=1e-5, atol=1e-8 * float(jnp.abs(gradient).max())
        )


@each
def test_a_gap_is_never_a_finite_value(name: str) -> None:
    measure, row = made(name)
    x = np.full_like(row.x, np.nan)
    assert not np.isfinite(measure.form(measure(jnp.asarray(x), row.frame))).any()


@each
def test_one_gap_is_never_a_finite_value(name: str) -> None:
    """Nor a curve of finite values only: a gap in one channel is not silence."""
    measure, row = made(name)
    x = row.x.copy()
    # NaN is no interval; an interval without end stands for a gap
    gap = np.inf if row.x.ndim == 2 else np.nan
    x[(0, x.shape[1] // 2, 0)[: x.ndim]] = gap
    assert not np.isfinite(measure.form(measure(jnp.asarray(x), row.frame))).all()


WRONG: dict[str, Any] = {
    "None": None,
    "text": "x",
    "number": 3.0,
    "list": [[[1.0]]],
    "object": object(),
    "complex": np.ones((1, 2, 3)) * 1j,
    "text in an array": np.full((1, 2, 3), "a"),
    "objects": np.full((1, 2, 3), None),
    "one dim": np.ones(3),
    "four dims": np.ones((1, 2, 3, 4)),
    "other clock": np.ones((1, 7, 3)),
    "empty": np.ones((0, 0, 0)),
}


@each
def test_wrong_types_end_in_one_sentence(name: str) -> None:
    measure, row = made(name)
    for x in WRONG.values():
        with pytest.raises(jtfne.JtfneError, match=f"in {name}"):
            measure(x, row.frame)
    for frame in (None, "frame", 3.0, {"step_ms": 1.0}):
        with pytest.raises(jtfne.JtfneError, match="a Frame"):
            measure(jnp.asarray(row.x), frame)  # type: ignore[arg-type]
    for field in dataclasses.fields(measure):  # type: ignore[arg-type]
        for value in (None, "a", [1.0], 1j, object(), np.ones(2), np.datetime64("2026-01-01")):
            with pytest.raises(jtfne.JtfneError, match=field.name):
                MEASURES[name](**{**row.settings, field.name: value})


@pytest.mark.parametrize(
    ("name", "bad"), [(name, bad) for name, row in ROWS.items() for bad in row.bad]
)
def test_bad_settings_are_refused_by_name(name: str, bad: dict[str, Any]) -> None:
    target = [0.0, 1.0, 2.0] if MEASURES[name].dims else 1.0
    readout = MEASURES[name].readouts[0]
    with pytest.raises(jtfne.JtfneError, match=next(iter(bad))):
        Metric(measure={"kind": name, **ROWS[name].settings, **bad}, readout=readout, target=target)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.short])
def test_a_clock_that_does_not_serve_is_refused(name: str) -> None:
    measure, row = made(name)
    assert row.short is not None
    frame, word = row.short
    complaint = measure.complaint(frame)
    assert complaint is not None and word in complaint[1]
