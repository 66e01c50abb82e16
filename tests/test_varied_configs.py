"""Sweeps and trainings of numbers that are no arrays of a circuit: stimuli, delays, rules, dt; and of
single layers and areas. Each run is that of the config with this value.
"""

import numpy as np
import pytest

import jtfne
from jtfne import Config, JtfneError, Paradigm
from jtfne.config.parameter_paths import get_value, list_places
from jtfne.config.parameter_values import replace_values
from jtfne.optimizers import Gradient, RandomSearch

TONE = Paradigm.pulse(target="E", start_ms=2.0, duration_ms=5.0, amplitude=9.0, label="tone")
CONFIG = (
    Config()
    .runtime(seed=3, duration_ms=20.0, dt_ms=0.5)
    .areas(["V1", "V4"])
    .layers(["L4", "L5"])
    .cells({"E": 12, "PV": 4})
    .connections(
        [
            {"source": "E", "target": "PV", "mechanism": "AMPA", "weight": 40.0, "delay_ms": 1.0,
             "rule": {"kind": "FixedProbability", "p": 0.5}},
            {"source": "PV", "target": "E", "mechanism": "GABA_A", "weight": -40.0,
             "rule": {"kind": "FixedIndegree", "n": 2}},
        ]
    )
    .stimuli(TONE.stimuli)
    .probes(["spk", "vm"])
)  # fmt: skip
NET = jtfne.construct(CONFIG)
RATE = {"measure": "MeanRate", "cells": "E", "target": 20.0, "scale": 10.0}
VALUES = {
    "task.stimuli.tone.drive.amplitude": (4.0, 20.0),
    "stimuli.tone.drive.start_ms": (1.0, 10.0),
    "connections.E->PV.delay_ms": (0.5, 3.0),
    "connections.E->PV.rule.p": (0.1, 0.9),
    "connections.PV->E:GABA_A.rule.n": (1, 4),
    "circuit.geometry.radius_mm": (0.1, 0.3),
    "run.dt_ms": (0.25, 1.0),
    "cells.L4.E.drive": (0.0, 8.0),
    "cells.V4.L5.E.drive": (0.0, 8.0),
    "cells.V1.PV.noise": (0.0, 3.0),
}


def mean_vm(signals: jtfne.Signals) -> float:
    return float(signals.get("vm").mean())


@pytest.mark.parametrize("path", VALUES)
def test_a_sweep_runs_the_config_with_each_value(path: str) -> None:
    swept = jtfne.sweep(NET, {path: VALUES[path]}, seeds=[5], of=mean_vm)
    for value in VALUES[path]:
        varied = CONFIG.set(path, value)
        assert CONFIG.diff(varied), path
        direct = jtfne.construct(varied).simulate(seed=5)
        run = swept["value"].sel({path: value, "seed": 5})
        assert float(run) == pytest.approx(mean_vm(direct), rel=1e-6)
    assert len(np.unique(swept["value"])) == (1 if "radius" in path else 2)  # no field is recorded


def test_values_of_both_kinds_meet_in_one_sweep() -> None:
    grid = {"cells.E.drive": [1.0, 6.0], "task.stimuli[0].drive.amplitude": [4.0, 20.0]}
    swept = jtfne.sweep(NET, grid, of=mean_vm)
    varied = CONFIG.set("cells.E.drive", 6.0).set("task.stimuli[0].drive.amplitude", 4.0)
    direct = mean_vm(jtfne.construct(varied).simulate(seed=0))
    assert float(swept["value"].isel(seed=0).values[1, 0]) == pytest.approx(direct, rel=1e-6)


def test_a_stimulus_of_a_paradigm_is_swept() -> None:
    quiet = jtfne.construct(CONFIG.stimuli([]))
    grid = {"task.stimuli.tone.drive.amplitude": [4.0, 20.0]}
    swept = jtfne.sweep(quiet, grid, of=mean_vm, paradigm=TONE)
    assert np.array_equal(swept["value"], jtfne.sweep(NET, grid, of=mean_vm)["value"])


def test_a_training_finds_the_amplitude_and_the_delay() -> None:
    """The best of random candidates is the one with the best score, and its config says so."""
    paths = ["task.stimuli.tone.drive.amplitude", "connections.E->PV.delay_ms"]
    config = CONFIG.objective([RATE])
    config = config.trainables(
        [{"path": paths[0], "bounds": [2.0, 30.0]}, {"path": paths[1], "bounds": [0.5, 5.0]}]
    )
    trainer = jtfne.Trainer(optimizer=RandomSearch(n=4), budget=8)
    result = trainer.fit(jtfne.construct(config), progress=False)
    best = result.history.sort_values("score").iloc[0]
    assert result.best_config.task.stimuli[0].drive.amplitude == pytest.approx(best[paths[0]])
    assert result.best_config.circuit.connections[0].delay_ms == pytest.approx(best[paths[1]])
    assert result.best_score == best["score"]
    again = jtfne.construct(result.best_config).simulate(seed=0)
    evaluated = jtfne.Objective.of(result.best_config).evaluate(again)
    assert evaluated.score == pytest.approx(result.best_score, rel=1e-5)


def test_a_part_of_the_cells_of_a_type_is_set_alone() -> None:
    places = list_places(CONFIG.circuit)
    for path in ("cells.L4.E.drive", "cells.V4.E.drive", "cells.V4.L5.E.drive"):
        changed = replace_values(CONFIG, {places[path]: 7.5})
        assert get_value(changed.circuit, places[path]) == 7.5
        assert get_value(changed.circuit, places["cells.E.drive"]) is None
        moved = [
            (population.area, population.layer)
            for population in changed.populations()
            if population.cell_type == "E" and np.all(population.drive == 7.5)
        ]
        area, layer = places[path].area, places[path].layer
        assert moved == [
            home
            for home in [("V1", "L4"), ("V1", "L5"), ("V4", "L4"), ("V4", "L5")]
            if area in ("", home[0]) and layer in ("", home[1])
        ]
    both = {places["cells.V1.L4.E.drive"]: 1.0, places["cells.V4.L4.E.drive"]: 2.0}
    changed = replace_values(CONFIG, both)
    assert [get_value(changed.circuit, place) for place in both] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"task.stimuli.tune.drive.amplitude": [1.0]}, "nearest: 'tone'"),
        ({"task.stimuli.tone.target.cell_type": [1.0]}, "no number|path to a number"),
        ({"connections.E->PV.delay": [1.0]}, "connections.E->PV.weight|delay_ms"),
        ({"connections.PV->E.rule.n": [1.5]}, "n=1.5"),
        ({"run.dt_ms": [0.3]}, "dt_ms=0.3"),
        ({"cells.L6.E.drive": [1.0]}, "nearest: 'cells.L"),
        ({"cells.E.drive": [1.0], "cells.L4.E.drive": [1.0]}, "two paths to one number"),
        (
            {"stimuli.tone.drive.amplitude": [1], "task.stimuli[0].drive.amplitude": [1]},
            "two paths",
        ),
    ],
)
def test_what_leads_to_no_number_is_refused_before_any_run(values, message: str) -> None:
    with pytest.raises(JtfneError, match=message):
        jtfne.sweep(NET, values)


def test_trainers_refuse_what_they_cannot_search() -> None:
    def fit(path: str, bounds: list[float], optimizer) -> None:
        config = CONFIG.objective([RATE])
        trainables = [{"path": path, "bounds": bounds}]
        jtfne.Trainer(optimizer=optimizer, trainables=trainables, budget=4).fit(
            jtfne.construct(config), progress=False
        )

    with pytest.raises(JtfneError, match="whole number"):
        fit("connections.PV->E.rule.n", [1.0, 4.0], RandomSearch(n=4))
    with pytest.raises(JtfneError, match="no array of the circuit and has no gradient"):
        fit("connections.E->PV.delay_ms", [0.5, 4.0], Gradient())
    with pytest.raises(JtfneError, match="is 9"):
        fit("task.stimuli.tone.drive.amplitude", [10.0, 20.0], RandomSearch(n=4))


def test_a_net_of_other_edges_is_not_wired_anew() -> None:
    other = jtfne.construct(CONFIG.runtime(seed=4))
    mixed = jtfne.Net(CONFIG, other.identity, other.projections)
    with pytest.raises(JtfneError, match="not what its config gives"):
        jtfne.sweep(mixed, {"connections.E->PV.rule.p": [0.5]})
