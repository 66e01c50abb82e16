"""Training by gradient: slopes are those of differences, scores those of events; what has no slope
is refused.
"""

import math

import jax
import numpy as np
import optax
import pytest

import jtfne
from aims import Rates
from docs.validation import _training as page
from jtfne import JtfneError
from jtfne.candidates import Candidate
from jtfne.config import Trainable
from jtfne.measures import CV, BandPower, FanoFactor, MeanRate
from jtfne.objective import Axes, Below, Metric
from jtfne.optimizers import AGSDR, CMAES, Gradient
from jtfne.surrogates import Smoothed, SuperSpike
from jtfne.trainer import Trainer, _gradients
from jtfne.trainer._gradients import ScoreGradient, ScoreGradients
from jtfne.trainer._provenance import to_json_values
from jtfne.trainer._trainer import _Fit
from test_trainer import Stopped, StoppingClient, same

PATHS = [each.path for each in page.TRAINABLES]
CONFIG = page.circuit(60, 100.0).trainables(page.TRAINABLES)
NET = jtfne.construct(CONFIG)
AIM = page.objective()
E_RATE = AIM.metrics[0]
START = [3.5, 2.0, 0.0, 2.5]  # the default drives


def trained(out=None, *, net=NET, client=None, **given):
    given = {"objective": AIM, "optimizer": page.descent(5), "budget": 5} | given
    return Trainer(**given).fit(net, out, progress=False, client=client)


def n_programs():
    return [each._cache_size() for each in (_gradients._forward, _gradients._backward)]


@pytest.fixture(scope="module")
def compiled():
    """A training, and how many programs were there before it, and after."""
    before = n_programs()
    return trained(seeds=(0, 5)), before, n_programs()


@pytest.fixture
def result(compiled):
    return compiled[0]


def test_the_tiny_circuit_of_the_page_gets_much_nearer(result):
    scores = result.history["score"]
    assert result.best_score < 0.5 * scores.iloc[0], "half of the squared distance, in 5 steps"
    assert result.best_score == scores.min() and result.report["surrogate"]["kind"] == "SuperSpike"
    assert result.history[PATHS].iloc[0].tolist() == START, "it starts from what is declared"
    moved = result.history[PATHS].diff().abs().max(axis=1)
    assert moved.iloc[-1] < 0.4 * moved.iloc[1], "steps fall to nothing"


def test_scores_and_gates_are_those_of_event_runs(result):
    found = [AIM.evaluate(result.best_net.simulate(seed=seed, progress=False)) for seed in (0, 5)]
    assert np.mean([each.score for each in found]) == result.best_score
    assert result.passed == all(each.passed for each in found)
    slopes = [f"slope {path}" for path in PATHS]
    assert {"gate E", *slopes} <= {*result.history.columns}
    assert np.isfinite(result.history[slopes]).all(axis=None)


def test_a_run_with_slopes_scores_what_the_run_of_events_does(result):
    """By its own arrays, in bins of steps: to rounding, since the spikes are the same."""
    fit = _Fit.prepare(Trainer(AIM, optimizer=Gradient()), NET)
    assert fit.gradients.recorders[0].every == 25, (
        "the largest bin of the window, and no longer than a chunk"
    )
    found = fit.trainer.objective.evaluate(fit.runs.run(Candidate(tuple(START), 0)))
    slopes = [fit.gradients.compute(START, seed) for seed in (0, 5)]
    assert slopes[0].score == pytest.approx(found.score, rel=1e-6) and found.score > 0.0
    terms = dict(zip(found.metrics["name"], found.metrics["term"], strict=True))
    assert slopes[0].terms == pytest.approx(terms, rel=1e-6)
    first = result.history.iloc[0][[f"slope {path}" for path in PATHS]].to_numpy(float)
    np.testing.assert_allclose(
        first, np.mean([each.by_place for each in slopes], axis=0), rtol=1e-12
    )


@pytest.mark.parametrize("bounds", [(0.5, 2.0), (0.1, 3.7), (0.3, 1.7), (-9.1, -0.7)])
@pytest.mark.parametrize("kind", ["Linear", "Log"])
def test_a_value_at_its_bound_has_its_whole_slope(kind, bounds):
    """Though it may be rounded beyond it, where what is clipped has none."""
    each = Trainable(path="gains.E->PV", bounds=bounds, transform=kind)
    for bound in each.search_bounds:
        value, slope = jax.value_and_grad(lambda x: _gradients._value_at(each, x))(bound)
        assert bounds[0] - 1e-6 <= value <= bounds[1] + 1e-6 and value == pytest.approx(
            each.value(bound), rel=1e-6
        )
        assert slope == pytest.approx(1.0 if kind == "Linear" else float(value), rel=1e-6)


def test_bins_of_spikes_are_cut_by_no_window():
    axes = Axes(step_ms=0.1, n_samples=1000, labels={"neuron": [0]})
    rate = Metric(measure=MeanRate(), target=1.0, window_ms=(20.0, 99.0))
    every, coarse = _gradients._choose_spike_bins([rate], axes, [])
    assert every == 10 and coarse.step_ms == pytest.approx(1.0) and coarse.n_samples == 100
    fano = Metric(measure=FanoFactor(bin_ms=0.5), target=1.0)
    assert _gradients._choose_spike_bins([rate, fano], axes, [])[0] == 5
    assert _gradients._choose_spike_bins([rate], axes, [7])[0] == 2, (
        "rows of both in a chunk of 31 steps"
    )


def test_nothing_is_compiled_anew_between_steps_seeds_and_trainings(compiled):
    _, before, after = compiled
    assert after == [each + 1 for each in before], "five steps, two seeds, on threads"
    trained(budget=1, seeds=(7,))
    assert n_programs() == after


def quickly(program, **given):
    """The same, compiled in half of the time."""
    return jax.jit(
        program.__wrapped__, compiler_options={"xla_backend_optimization_level": 0}, **given
    )


def test_slopes_are_those_of_differences_in_the_scale_of_the_search(monkeypatch):
    """Of the smoothed model, in double precision: through spikes, fields, two trials with stimuli,
    and both scales.

    The step is 1e-5: differences are off by its square, and by rounding, 1e-16 of a score over
    1e-5.
    """
    edge = {"source": "E", "target": "E", "mechanism": "AMPA", "weight": 60.0, "delay_ms": 1.0,
            "rule": {"kind": "FixedIndegree", "n": 3}}  # fmt: skip
    pulse = {"kind": "Pulse", "start_ms": 3.0, "duration_ms": 9.0, "amplitude": 90.0}
    aims = [
        {
            "measure": MeanRate(),
            "cells": "E",
            "window_ms": (2.0, 30.0),
            "target": 20.0,
            "scale": 8.0,
            "name": "E",
        },
        {"measure": FanoFactor(bin_ms=5.0), "target": 1.0, "name": "fano"},
        {
            "measure": BandPower(low_Hz=30.0, high_Hz=90.0),
            "readout": "lfp_proxy",
            "target": 1e4,
            "scale": 1e4,
        },
    ]
    config = (
        jtfne.Config()
        .runtime(seed=1, duration_ms=30.0, dtype="float64")
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 8})
        .emitters({"E": {"kind": "LIF"}})
        .cell_params({"E": {"drive": 420.0, "noise": 30.0}})
        .connections([edge])
        .stimuli([{"target": "E", "drive": pulse, "label": "p"}], 2)
        .probes(["spk", {"kind": "lfp_proxy", "interval_ms": 1.0}])
        .objective(aims)
        .trainables([{"path": "cells.E.drive", "bounds": (100.0, 900.0)},
                     {"path": "connections.E->E.weight", "bounds": (10.0, 200.0), "transform": "Log"},
                     {"path": "mechanisms.AMPA.tau_ms", "bounds": (1.0, 9.0), "transform": "Log"},
                     {"path": "cells.E.tau_m_ms", "bounds": (5.0, 30.0)}])
    )  # fmt: skip
    monkeypatch.setattr(
        _gradients, "_forward", quickly(_gradients._forward, static_argnames=("n_steps",))
    )
    monkeypatch.setattr(_gradients, "_backward", quickly(_gradients._backward))
    net = jtfne.construct(config)
    fit = _Fit.prepare(Trainer(optimizer=Gradient(), surrogate=Smoothed(SuperSpike())), net)
    start = np.array(
        [each.to_search_scale(value) for each, value in zip(fit.trainables, fit.start, strict=True)]
    )
    got, step = fit.gradients.compute(start, 0), 1e-5
    assert len(got.terms) == 3 and all(
        math.isfinite(each) and each != 0.0 for each in got.terms.values()
    )
    assert (np.abs(got.by_place) > 1e-4).all(), got.by_place
    for k, each in enumerate(np.eye(start.size)):
        ends = [fit.gradients.compute(start + sign * step * each, 0).score for sign in (1.0, -1.0)]
        assert got.by_place[k] == pytest.approx((ends[0] - ends[1]) / (2.0 * step), rel=1e-4), (
            fit.trainables[k].path
        )


def test_a_training_that_was_stopped_goes_on_to_the_same_bits(tmp_path, result):
    n_before = 5 + 2 * 3  # the look for effects, and three generations with two seeds
    with pytest.raises(Stopped):
        trained(tmp_path, seeds=(0, 5), client=StoppingClient(n_before + 1))
    assert len(list(tmp_path.glob("part_*.json"))) == 3
    same(trained(tmp_path, seeds=(0, 5)), result)


def test_schedules_tell_trainings_apart():
    def told(n):
        return to_json_values(Gradient(transform=optax.adam(optax.cosine_decay_schedule(0.04, n))))

    assert told(40) == told(40) != told(41)
    assert (
        to_json_values(Gradient())
        == to_json_values(Gradient())
        != to_json_values(Gradient(transform=optax.adam(0.04)))
    )


def test_what_is_not_finite_and_what_does_not_move_is_reported_by_name(monkeypatch):
    """Slopes of which those by the second path on are 0, and that by the first leads up to where
    there is none.
    """

    def made_up(self, x, seed):
        by_place = np.array([-1.0 if x[0] < 5.0 else np.nan, 0.0, 0.0, 0.0])
        return ScoreGradient(1.0, {"E": 1.0, "PV": math.inf if seed == 3 else 0.0}, by_place)

    monkeypatch.setattr(ScoreGradients, "compute", made_up)
    # from which that way leads away
    silent = jtfne.Objective([Metric(measure=MeanRate(), cells="E", target=0.0)])
    found = trained(seeds=(4, 3), objective=silent, optimizer=Gradient(transform=optax.sgd(0.02)))
    assert found.report["without_slope"] == PATHS[1:] and found.report["without_effect"] == []
    told = {problem for each in found.report["failures"] for problem in each["problems"]}
    assert "the slope by 'cells.E.drive' is nan (seed 4)" in told
    assert "term 'PV' of the run with slopes is inf (seed 3)" in told
    lost = found.history["cells.E.drive"] >= 5.0
    assert lost.any() and found.history["slope cells.E.drive"].isna().equals(lost)
    assert found.history["score"].notna().all()


def test_a_training_that_no_slope_leads_on_says_by_which_path(monkeypatch):
    monkeypatch.setattr(
        ScoreGradients,
        "compute",
        lambda self, x, seed: ScoreGradient(1.0, {}, np.array([0.5, 0.5, 0.5, np.nan])),
    )
    with pytest.raises(
        JtfneError,
        match=r"generation 0, from which no slope.* 'cells\.VIP\.drive' is nan \(seed 4\)",
    ):
        trained(seeds=(4,))


def test_a_gate_needs_no_slope():
    gate = {"measure": CV(), "cells": "E", "condition": Below(1.0), "name": "regular"}
    assert (
        _Fit.prepare(
            Trainer(jtfne.Objective([E_RATE], [gate]), optimizer=Gradient()), NET
        ).gradients
        is not None
    )


LEAKY = CONFIG.emitters({"VIP": {"kind": "LIF"}}).trainables([])
PLASTIC = {"source": "E", "target": "E", "mechanism": "AMPA", "weight": 1.0, "rule": {"kind": "FixedIndegree", "n": 2},
           "plasticity": {"kind": "PairSTDP", "a_plus": 0.1, "a_minus": 0.1, "tau_plus_ms": 20.0, "tau_minus_ms": 20.0,
                          "w_max": 2.0}}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "given", "told"),
    [
        (CONFIG, {"objective": Rates()}, r"objective=Rates\(.*a jtfne\.Objective"),
        (
            CONFIG,
            {"objective": jtfne.Objective([Metric(measure=CV(), target=1.0)])},
            "metric.* a CV, which has no",
        ),
        (
            LEAKY,
            {"trainables": [{"path": "cells.VIP.t_ref_ms", "bounds": (0, 9)}]},
            r"cells\.VIP\.t_ref_ms', which is",
        ),
        (CONFIG.connections([PLASTIC]), {}, "no PairSTDP"),
        (CONFIG, {"surrogate": "SuperSpike"}, r"surrogate='SuperSpike'.*as SuperSpike\(\)"),
        (CONFIG, {"surrogate": SuperSpike(beta=-1.0)}, r"beta=-1.*surrogate SuperSpike"),
        (
            CONFIG,
            {"surrogate": SuperSpike(), "optimizer": AGSDR()},
            "surrogate=SuperSpike.*with AGSDR",
        ),
        (
            CONFIG,
            {"surrogate": SuperSpike(), "optimizer": CMAES()},
            "surrogate=SuperSpike.*with CMAES",
        ),
        (CONFIG, {"optimizer": Gradient(transform=None)}, "transform=None"),
    ],
)
def test_what_has_no_slope_is_refused_before_any_run(config, given, told, monkeypatch):
    net = jtfne.construct(config)
    monkeypatch.setattr(
        "jtfne.candidates.CandidateRunner.run", lambda self, job: pytest.fail("a run")
    )
    monkeypatch.setattr(ScoreGradients, "compute", lambda self, x, seed: pytest.fail("a run"))
    with pytest.raises(JtfneError, match=told):
        trained(net=net, **given)
