"""Training by gradient: slopes are those of differences, scores those of events; what has no slope is refused."""

import math

import numpy as np
import optax
import pytest

import jtfne
from aims import Rates
from jtfne import JtfneError
from jtfne.candidates import Job
from jtfne.measures import CV, BandPower, FanoFactor, MeanRate
from jtfne.objective import Below
from jtfne.optimizers import AGSDR, CMAES, Gradient
from jtfne.surrogates import Smoothed, SuperSpike
from jtfne.trainer import Trainer, _gradients
from jtfne.trainer._gradients import Slope, Slopes
from jtfne.trainer._trainer import _Fit, plainly
from test_trainer import Stopped, StoppingClient, same

E_RATE = {"measure": MeanRate(), "cells": "E", "target": 20.0, "scale": 8.0, "name": "E"}
PV_RATE = {"measure": MeanRate(), "cells": "PV", "target": 30.0, "scale": 8.0, "window_ms": (20.0, 100.0), "name": "PV"}
FIRES = {"measure": MeanRate(), "cells": "E", "condition": Below(90.0), "name": "fires"}
PATHS = ("cells.E.drive", "gains.E->PV")
CONFIG = (
    jtfne.suite2_net1_config(60)
    .runtime(duration_ms=100.0)
    .probes(["spk"])
    .objective([E_RATE, PV_RATE], [FIRES])
    .trainables([{"path": PATHS[0], "bounds": (0.0, 10.0)},
                 {"path": PATHS[1], "bounds": (0.1, 4.0), "transform": "Log"}])
)  # fmt: skip
NET = jtfne.construct(CONFIG)
ADAM = Gradient(transform=optax.adam(0.05, b1=0.7, b2=0.9))


def trained(out=None, *, net=NET, optimizer=ADAM, budget=4, client=None, **given):
    return Trainer(optimizer=optimizer, budget=budget, **given).fit(net, out, progress=False, client=client)


@pytest.fixture(scope="module")
def result():
    return trained(budget=8, seeds=(0, 5))


def test_a_few_steps_get_nearer(result):
    scores = result.history["score"]
    assert result.best_score < 0.6 * scores.iloc[0] and result.best_score == scores.min()
    assert result.history["cells.E.drive"].iloc[0] == 3.5, "it starts from what is declared"
    assert result.report["n_generations"] == 8 and result.report["surrogate"]["kind"] == "SuperSpike"


def test_scores_and_gates_are_those_of_event_runs(result):
    aim = jtfne.Objective.of(CONFIG)
    found = [aim.evaluate(result.best_net.simulate(seed=seed, progress=False)) for seed in (0, 5)]
    assert np.mean([each.score for each in found]) == result.best_score
    assert result.passed == all(each.passed for each in found)
    assert {"gate fires", *(f"slope {path}" for path in PATHS)} <= {*result.history.columns}
    assert np.isfinite(result.history[[f"slope {path}" for path in PATHS]]).all(axis=None)


def test_a_run_with_slopes_scores_what_the_run_of_events_does(result):
    """By its own arrays, in bins of steps: to rounding, since the spikes are the same."""
    fit = _Fit.of(Trainer(optimizer=ADAM), NET)
    assert fit.slopes.recorders[0].every == 25, "the largest bin that no window cuts, and no longer than a chunk"
    slope = fit.slopes.at([3.5, 0.0], 0)
    found = fit.trainer.objective.evaluate(fit.runs.run(Job((3.5, 1.0), 0)))
    assert slope.score == pytest.approx(found.score, rel=1e-6) and found.score > 0.0
    assert slope.terms == pytest.approx(dict(zip(found.metrics["name"], found.metrics["term"], strict=True)), rel=1e-6)
    first = result.history.iloc[0]
    other = fit.slopes.at([3.5, 0.0], 5)
    means = np.mean([slope.by_place, other.by_place], axis=0)
    np.testing.assert_allclose(first[[f"slope {path}" for path in PATHS]].to_numpy(float), means, rtol=1e-12)


def test_nothing_is_compiled_anew_between_steps_seeds_and_trainings(result):
    programs = _gradients._forward, _gradients._backward
    before = [each._cache_size() for each in programs]
    trained(budget=2, seeds=(7,))
    assert before == [1, 1] == [each._cache_size() for each in programs]


def test_slopes_are_those_of_differences_in_the_scale_of_the_search():
    """Of the smoothed model, in double precision: through spikes, fields, two trials with stimuli, and both scales.

    The step is 1e-5: differences are off by its square, and by rounding, 1e-16 of a score over 1e-5.
    """
    edge = {"source": "E", "target": "E", "mechanism": "AMPA", "weight": 60.0, "delay_ms": 1.0,
            "rule": {"kind": "FixedIndegree", "n": 3}}  # fmt: skip
    pulse = {"kind": "Pulse", "start_ms": 3.0, "duration_ms": 9.0, "amplitude": 90.0}
    aims = [
        E_RATE | {"window_ms": (2.0, 30.0)},
        {"measure": FanoFactor(bin_ms=5.0), "target": 1.0, "name": "fano"},
        {"measure": BandPower(low_Hz=30.0, high_Hz=90.0), "readout": "lfp_proxy", "target": 1e4, "scale": 1e4},
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
    net = jtfne.construct(config)
    fit = _Fit.of(Trainer(optimizer=ADAM, surrogate=Smoothed(SuperSpike())), net)
    start = np.array([each.searched(value) for each, value in zip(fit.trainables, fit.start, strict=True)])
    got, step = fit.slopes.at(start, 0), 1e-5
    assert len(got.terms) == 3 and all(math.isfinite(each) and each != 0.0 for each in got.terms.values())
    for k, each in enumerate(np.eye(start.size)):
        ends = [fit.slopes.at(start + sign * step * each, 0).score for sign in (1.0, -1.0)]
        assert got.by_place[k] == pytest.approx((ends[0] - ends[1]) / (2.0 * step), rel=1e-4), fit.trainables[k].path


def test_a_training_that_was_stopped_goes_on_to_the_same_bits(tmp_path):
    whole = trained(tmp_path / "whole", budget=3)
    for after in (4, 1):  # after the look for effects, in the second generation, and in the third
        with pytest.raises(Stopped):
            trained(tmp_path / "out", budget=3, client=StoppingClient(after))
    same(trained(tmp_path / "out", budget=3), whole)
    with pytest.raises(JtfneError, match=r"something else \(surrogate"):
        trained(tmp_path / "out", budget=3, surrogate=SuperSpike(beta=5.0))


def test_schedules_tell_trainings_apart():
    def told(n):
        return plainly(Gradient(transform=optax.adam(optax.cosine_decay_schedule(0.04, n))))

    assert told(40) == told(40) != told(41)
    assert plainly(Gradient()) == plainly(Gradient()) != plainly(Gradient(transform=optax.adam(0.04)))


def made_up(x, seed):
    """Slopes of which that by the second path is always 0, and that by the first leads down to where there is none."""
    by_place = np.array([1.0 if x[0] > 2.0 else np.nan, 0.0])
    return Slope(1.0, {"E": 1.0, "PV": math.inf if seed == 3 else 0.0}, by_place)


def test_what_is_not_finite_and_what_does_not_move_is_reported_by_name(monkeypatch):
    monkeypatch.setattr(Slopes, "at", lambda self, x, seed: made_up(x, seed))
    found = trained(budget=6, seeds=(2, 3), optimizer=Gradient(transform=optax.sgd(0.02), n_starts=2))
    assert found.report["without_slope"] == ["gains.E->PV"] and found.report["without_effect"] == []
    told = {problem for each in found.report["failures"] for problem in each["problems"]}
    assert "the slope by 'cells.E.drive' is nan (seed 2)" in told
    assert "term 'PV' of the run with slopes is inf (seed 3)" in told
    lost = found.history["cells.E.drive"] <= 2.0
    assert lost.any() and found.history["slope cells.E.drive"].isna().equals(lost)
    assert found.history["score"].notna().all()


def test_a_training_that_no_slope_leads_on_says_by_which_path(monkeypatch):
    monkeypatch.setattr(Slopes, "at", lambda self, x, seed: Slope(1.0, {}, np.array([0.5, np.nan])))
    with pytest.raises(JtfneError, match=r"generation 0, from which no slope .*by 'gains\.E->PV' is nan \(seed 4\)"):
        trained(seeds=(4,))


def test_a_gate_needs_no_slope():
    gate = {"measure": CV(), "cells": "E", "condition": Below(1.0), "name": "regular"}
    net = jtfne.construct(CONFIG.objective([E_RATE], [gate]))
    assert _Fit.of(Trainer(optimizer=ADAM), net).slopes is not None


DRIVE = {"path": PATHS[0], "bounds": (0.0, 10.0)}
LEAKY = CONFIG.emitters({"VIP": {"kind": "LIF"}})
PLASTIC = {"source": "E", "target": "E", "mechanism": "AMPA", "weight": 1.0, "rule": {"kind": "FixedIndegree", "n": 2},
           "plasticity": {"kind": "PairSTDP", "a_plus": 0.1, "a_minus": 0.1, "tau_plus_ms": 20.0, "tau_minus_ms": 20.0,
                          "w_max": 2.0}}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "given", "told"),
    [
        (CONFIG, {"objective": Rates()}, r"objective=Rates\(.*a jtfne\.Objective"),
        (CONFIG.objective([{"measure": CV(), "target": 1.0, "name": "cv"}]), {}, r"metric 'cv', a CV, which has no"),
        (LEAKY, {"trainables": [{"path": "cells.VIP.t_ref_ms", "bounds": (0, 9)}]}, r"cells\.VIP\.t_ref_ms', which is"),
        (CONFIG.connections([PLASTIC]).trainables([DRIVE]), {}, "no PairSTDP"),
        (CONFIG, {"surrogate": SuperSpike(beta=-1.0)}, r"beta=-1.*surrogate SuperSpike"),
        (CONFIG, {"surrogate": SuperSpike(), "optimizer": AGSDR()}, "surrogate=SuperSpike.*with AGSDR"),
        (CONFIG, {"surrogate": SuperSpike(), "optimizer": CMAES()}, "surrogate=SuperSpike.*with CMAES"),
        (CONFIG, {"optimizer": Gradient(transform=None)}, "transform=None"),
    ],
)  # fmt: skip
def test_what_has_no_slope_is_refused_before_any_run(config, given, told, monkeypatch):
    net = jtfne.construct(config)
    monkeypatch.setattr("jtfne.candidates.Runs.run", lambda self, job: pytest.fail("a run"))
    monkeypatch.setattr(Slopes, "at", lambda self, x, seed: pytest.fail("a run"))
    with pytest.raises(JtfneError, match=told):
        trained(net=net, **given)
