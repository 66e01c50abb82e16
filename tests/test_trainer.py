"""A training finds what it should, says what it did not, and is the same wherever it ran and
however often stopped.
"""

import dataclasses
import json
import math
import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import ClassVar, NamedTuple

import jax
import numpy as np
import pytest

import jtfne
from aims import Deadly, Rates
from jtfne import JtfneError, _json, engine
from jtfne.config import Trainable
from jtfne.optimizers import AGSDR, CMAES, Gradient, RandomSearch
from jtfne.paradigm import Paradigm
from jtfne.trainer import Trainer
from jtfne.trainer._provenance import to_json_values

CONFIG = (
    jtfne.suite2_net1_config(60)
    .runtime(duration_ms=100.0)
    .probes(["spk"])
    .trainables([{"path": "cells.E.drive", "bounds": (0.0, 10.0)},
                 {"path": "gains.E->PV", "bounds": (0.1, 4.0), "transform": "Log"}])
)  # fmt: skip
NET = jtfne.construct(CONFIG)
AIM = Rates()
FEW = RandomSearch(n=3)


def trained(out=None, *, net=NET, objective=AIM, optimizer=FEW, budget=9, **given):
    how = {name: given.pop(name) for name in ("resume", "client", "progress") if name in given}
    return Trainer(objective, optimizer=optimizer, budget=budget, **given).fit(net, out, **how)


@pytest.fixture(scope="module")
def result():
    return trained(seeds=(0, 5))


def same(one, other):
    assert one.history.equals(other.history) and one.best_score == other.best_score
    assert one.best_config == other.best_config
    timed = ("wall_s",)
    assert {k: v for k, v in one.report.items() if k not in timed} == {
        k: v for k, v in other.report.items() if k not in timed
    }


@pytest.mark.as_users
def test_the_best_is_what_its_circuit_scores_to_the_bit(result):
    scores = [
        AIM.evaluate(result.best_net.simulate(seed=seed, progress=False)).score for seed in (0, 5)
    ]
    assert np.mean(scores) == result.best_score == result.history["score"].min()
    assert result.report["best"]["sd"] == pytest.approx(np.std(scores, ddof=1), rel=1e-12)
    built = jtfne.construct(result.best_config).simulate(seed=0, progress=False)
    assert AIM.evaluate(built).score == scores[0], (
        "no weight of a distribution was tuned: the same bits"
    )


def test_history_and_report_hold_every_candidate(result):
    history = result.history
    assert list(history.columns) == [
        *("generation", "candidate", "cells.E.drive", "gains.E->PV", "score", "sd", "passed"),
        *("term E", "term PV", "value E", "value PV", "value near", "gate near"),
    ]
    assert history["generation"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert history.loc[0, ["cells.E.drive", "gains.E->PV"]].tolist() == [3.5, 1.0], (
        "it starts from what is declared"
    )
    assert (
        history["cells.E.drive"].between(0.0, 10.0).all()
        and history["gains.E->PV"].between(0.1, 4.0).all()
    )
    assert _json.loads(result.to_json()) == json.loads(result.to_json())
    assert result.report["n_runs"] == 18 and result.report["start"] == {
        "cells.E.drive": 3.5,
        "gains.E->PV": 1.0,
    }
    readout = result.get("agsdr")
    assert readout.dims == ("generation", "parameter") and readout.shape == (3, 2)
    assert readout.values[-1].tolist() == list(result.best.values())


def test_no_candidate_is_compiled_anew():
    before = engine.advance_jit._cache_size()
    net = jtfne.construct(CONFIG.runtime(duration_ms=50.0))
    trained(net=net, budget=3)
    once = engine.advance_jit._cache_size()
    trained(net=net, budget=12, seeds=(1, 2))
    assert once <= before + 1 and engine.advance_jit._cache_size() == once


def test_agsdr_gets_nearer(result):
    found = trained(optimizer=AGSDR(n_pairs=2), budget=30)
    by = found.history.groupby("generation")["score"].min().cummin()
    assert by.iloc[-1] < found.history["score"].iloc[0] and found.best_score == by.iloc[-1]


class Stopped(Exception):
    """As a kill, in one process."""


class StoppingClient:
    """Runs jobs here and now, and stops at one of them."""

    def __init__(self, after):
        self.left = after

    def submit(self, fn, *args):
        self.left -= 1
        if self.left < 0:
            raise Stopped
        future = Future()
        future.set_result(fn(*args))
        return future


@pytest.mark.parametrize(
    "optimizer", [FEW, CMAES(n=6), AGSDR(n_pairs=1)], ids=lambda each: type(each).__name__
)
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(tmp_path, optimizer):
    n, how = (
        optimizer.n_candidates(2),
        {"optimizer": optimizer, "budget": 3 * optimizer.n_candidates(2)},
    )
    whole = trained(tmp_path / "whole", **how)
    # in the look for effects, in the second generation, in the third
    for after in (0, 3 + n + 1, n - 1):
        with pytest.raises(Stopped):
            trained(tmp_path / "out", **how, client=StoppingClient(after))
    same(trained(tmp_path / "out", **how), whole)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    parts = {f"part_{k:08d}.json" for k in range(3)}
    assert names == {
        "index.json",
        "report.json",
        "best_config.json",
        "history.csv",
        "state_00000002.npz",
        *parts,
    }
    assert jtfne.Config.from_file(tmp_path / "out/best_config.json") == whole.best_config


def test_a_larger_budget_goes_on_and_a_finished_folder_is_read(tmp_path):
    first = trained(tmp_path, budget=6)
    same(trained(tmp_path, budget=6, client=StoppingClient(0)), first)
    same(trained(tmp_path, budget=9), trained(budget=9))


class KeyedState(NamedTuple):
    """key: a typed key of JAX, which numpy holds as words only."""

    key: jax.Array
    x: np.ndarray
    best_score: float


@dataclasses.dataclass(frozen=True)
class OwnSearch:
    """A random search of a user's own, whose state holds a typed key."""

    traceable: ClassVar[bool] = False
    needs_gradients: ClassVar[bool] = False
    LIMITS: ClassVar[dict] = {}

    def n_candidates(self, d):
        return 3

    def init(self, key, lower, upper, start=None):
        bounds = np.stack([lower, upper]).astype(np.float64)
        return KeyedState(jax.random.key(7), bounds, np.inf)

    def ask(self, state):
        key, draw_key = jax.random.split(state.key)
        shares = np.asarray(jax.random.uniform(draw_key, (3, state.x.shape[1])))
        return state.x[0] + (state.x[1] - state.x[0]) * shares, state._replace(key=key)

    def tell(self, state, candidates, scores, gradients=None):
        return state._replace(best_score=min(float(state.best_score), float(np.min(scores))))

    def best(self, state):
        return state.x[0], state.best_score


def test_a_state_with_a_typed_key_is_stored_and_goes_on(tmp_path):
    straight = trained(optimizer=OwnSearch(), budget=9)
    trained(tmp_path, optimizer=OwnSearch(), budget=6)
    same(trained(tmp_path, optimizer=OwnSearch(), budget=9), straight)


def test_folders_of_anything_else_are_refused(tmp_path):
    trained(tmp_path / "a", budget=3)
    for changed in (
        {"seeds": (4,)},
        {"optimizer": RandomSearch(n=4), "budget": 4},
        {"objective": Rates(near=0.5)},
    ):
        with pytest.raises(
            JtfneError, match=rf"something else \({next(iter(changed))}:.*Trainer\.fit"
        ):
            trained(tmp_path / "a", **{"budget": 3, **changed})
    with pytest.raises(JtfneError, match="resume=True"):
        trained(tmp_path / "a", resume=False)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/mine.txt").write_text("mine")
    with pytest.raises(JtfneError, match="holds other files"):
        trained(tmp_path / "b")
    with pytest.raises(JtfneError, match="which is a file"):
        trained(tmp_path / "b/mine.txt")
    part = tmp_path / "a/part_00000000.json"
    part.write_text(part.read_text().replace("0", "1", 1))
    with pytest.raises(JtfneError, match=r"part_00000000\.json.*altered"):
        trained(tmp_path / "a", budget=3)


def test_other_learning_rates_are_another_optimizer():
    from jtfne.optimizers._descent import adam

    assert (
        to_json_values(AGSDR(inner=adam(0.05)))
        == to_json_values(AGSDR())
        != to_json_values(AGSDR(inner=adam(0.06)))
    )
    assert json.dumps(to_json_values(AGSDR())).count("0x") == 0


def test_workers_give_the_result_of_one_process(result):
    with ThreadPoolExecutor(2) as client:
        same(trained(seeds=(0, 5), client=client), result)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as client:
        same(trained(seeds=(0, 5), client=client), result)


class Restarting:
    """A cluster whose workers are replaced when they die, as those of Dask are."""

    def __init__(self):
        self.pool, self.lost = self.fresh(), 0

    def fresh(self):
        return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))

    def submit(self, fn, *args):
        if self.pool._broken:
            self.pool, self.lost = self.fresh(), self.lost + 1
        return self.pool.submit(fn, *args)


def test_a_killed_worker_costs_a_retry(tmp_path):
    client = Restarting()
    with client.pool:
        found = trained(objective=Deadly(flag=str(tmp_path / "flag")), budget=3, client=client)
    assert client.lost == 1 and (tmp_path / "flag").exists()
    assert found.history.equals(trained(budget=3).history)
    client.pool.shutdown()


def test_a_client_that_is_broken_is_refused(tmp_path):
    with (
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as client,
        pytest.raises(JtfneError, match=r"workers are lost.*goes on from there"),
    ):
        trained(objective=Deadly(flag=str(tmp_path / "flag")), budget=3, client=client)


def test_a_worker_whose_circuit_is_another_one_is_refused():
    edges = [
        dataclasses.replace(each, weight=each.weight * np.float32(0.5)) for each in NET.projections
    ]
    net = jtfne.net.Net(NET.config, NET.identity, edges)
    with (
        ThreadPoolExecutor(1) as client,
        pytest.raises(JtfneError, match="not what its config gives on the worker"),
    ):
        trained(net=net, budget=3, client=client)


def test_scores_that_are_not_numbers_are_told_by_candidate():
    found = trained(objective=Rates(nan_above=30.0), budget=9)
    bad = found.history[found.history["score"].isna()]
    assert 0 < len(bad) < 9 and math.isfinite(found.best_score)
    told = [
        (each["generation"], each["candidate"], each["problems"])
        for each in found.report["failures"]
    ]
    assert [each[:2] for each in told] == list(
        zip(bad["generation"], bad["candidate"], strict=True)
    )
    assert all(each[2] == ["metric 'rate' is nan"] for each in told)
    with pytest.raises(
        JtfneError, match=r"generation 0, in which no candidate has.* \(metric 'rate' is nan\)"
    ):
        trained(objective=Rates(nan_above=0.0))


def test_a_circuit_that_runs_away_is_a_failure_and_no_crash():
    wild = CONFIG.trainables([{"path": "cells.E.drive", "bounds": (-1e30, 10.0)}])
    found = trained(net=jtfne.construct(wild), budget=3)
    assert any(
        "not finite" in problem for each in found.report["failures"] for problem in each["problems"]
    )
    with pytest.raises(
        JtfneError, match=r"generation 1, in which no candidate.* \(membrane potential"
    ):
        trained(net=jtfne.construct(wild), budget=6)


def test_gates_that_never_hold_are_said_so():
    found = trained(objective=Rates(near=-1.0))
    assert not found.passed and not found.history["passed"].any()
    assert "NO candidate passed all gates" in found.report[
        "verdict"
    ] and "never held at all: near" in repr(found)
    assert found.report["gates"] == {"near": {"candidates_with_all_seeds": 0, "largest_share": 0.0}}


def test_a_candidate_that_passes_is_preferred_and_may_end_the_search():
    found = trained(objective=Rates(near=math.inf), budget=30, stop_when_passed=True)
    assert (
        found.passed
        and found.report["n_generations"] == 1
        and "all gates hold" in found.report["verdict"]
    )


def test_what_nothing_depends_on_is_named():
    lone = [
        {"path": "cells.VIP.drive", "bounds": (0.0, 9.0)},
        {"path": "cells.E.drive", "bounds": (0.0, 10.0)},
    ]
    net = jtfne.construct(CONFIG.connections([]).trainables(lone))
    assert trained(net=net, budget=3).report["without_effect"] == ["cells.VIP.drive"]


def test_values_at_a_bound_are_named():
    net = jtfne.construct(CONFIG.trainables([{"path": "cells.E.drive", "bounds": (0.0, 3.5)}]))
    found = trained(net=net, budget=3, objective=Rates(wanted=(("E", 500.0),)))
    assert found.report["at_bounds"] == (
        ["cells.E.drive"] if found.best["cells.E.drive"] in (0.0, 3.5) else []
    )
    assert found.history["cells.E.drive"].iloc[0] == 3.5


def test_a_paradigm_reaches_the_candidates():
    pulse = Paradigm.constant_dc(target="E", amplitude=20.0)
    assert (
        trained(budget=3, paradigm=pulse).history["value E"].min()
        > trained(budget=3).history["value E"].max()
    )


def test_objectives_of_the_config_and_of_the_caller_are_one():
    from jtfne.measures import MeanRate
    from jtfne.objective import InRange

    aims = [{"measure": MeanRate(), "cells": "E", "target": 8.0, "scale": 8.0, "name": "E"}]
    gates = [{"measure": MeanRate(), "cells": "PV", "condition": InRange(10.0, 20.0), "name": "PV"}]
    config = CONFIG.probes(["spk", "lfp_proxy"]).objective(aims, gates)
    found = trained(net=jtfne.construct(config), objective=None)
    same(trained(net=jtfne.construct(config), objective=jtfne.Objective(aims, gates)), found)
    signals = found.best_net.simulate(seed=0, progress=False)
    evaluated = jtfne.Objective.of(config).evaluate(signals)
    assert evaluated.score == found.best_score and evaluated.passed == found.passed
    assert found.history["value E"].tolist() == pytest.approx(8.0 + 8.0 * np.sign(found.history["value E"] - 8.0)
                                                              * np.sqrt(found.history["term E"]))  # fmt: skip


def test_double_precision_is_kept():
    net = jtfne.construct(CONFIG.runtime(dtype="float64"))
    found = trained(net=net, budget=3)
    assert AIM.evaluate(found.best_net.simulate(seed=0, progress=False)).score == found.best_score


def test_a_bar_shows_the_best_score_and_the_gates(capsys):
    trained(budget=3, progress=True)
    assert "best score" in (told := capsys.readouterr().err) and "1 gates" in told
    trained(budget=3)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"budget": 2}, r"budget=2.*at least 3"),
        ({"seeds": ()}, r"seeds=\(\).*at least one"),
        ({"seeds": (1, 1)}, r"seeds=\(1, 1\).*each once"),
        ({"seeds": (-1,)}, r"seeds=-1.*a whole number in \[0"),
        ({"seeds": (0.5,)}, r"seeds=0\.5.*a whole number in \[0"),
        ({"trainables": ()}, "nothing to tune"),
        (
            {"trainables": [{"path": "cells.E.drve", "bounds": (0, 9)}]},
            r"nearest: 'cells\.E\.drive'",
        ),
        (
            {"trainables": [Trainable(path="cells.E.drive", bounds=(5, 9))]},
            r"'cells\.E\.drive', which is 3\.5",
        ),
        ({"objective": None}, "a config without objective"),
        ({"objective": 3.0}, r"objective=3\.0.*evaluate"),
        (
            {"optimizer": Gradient()},
            r"objective=Rates\(.* that needs gradients.*a jtfne\.Objective",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_run(given, told):
    with pytest.raises(JtfneError, match=told):
        trained(**given)


def test_states_are_arrays_only():
    state = AGSDR().init(jax.random.key(0), [0.0], [1.0])
    assert all(hasattr(each, "dtype") for each in jax.tree.leaves(state))
