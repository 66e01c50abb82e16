"""What the benchmarks hand to the peers is the circuit that jtfne simulates, and no peer is a
dependency.
"""

import importlib
import json
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import jtfne

ROOT = Path(__file__).parent.parent
PEERS = ("nest", "brian2", "brainpy", "jaxfne")


@pytest.fixture
def circuits(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("_circuits")


def test_the_described_microcircuit_has_its_published_synapses_and_currents(
    circuits: ModuleType,
) -> None:
    told = json.loads(json.dumps(circuits.described(circuits.circuit("pd14_poisson_0.1"))))
    assert told["n_cells"] == 7_717
    assert sum(each["rule"]["n"] for each in told["connections"]) == 2_988_807
    # Currents that make up for the scale: the formula of van Albada et al. (2015), evaluated by
    # hand to 0.01 pA.
    want_pA = [29.04, 112.37, 112.97, 114.99, 125.42, 151.68, 43.85, 153.71]
    np.testing.assert_allclose([each["current_pA"] for each in told["cells"]], want_pA, atol=0.01)
    # 200 inputs of 8 Hz
    assert [rain["rate_Hz"] for rain in told["cells"][4]["poisson"]] == [1_600.0]


def test_connections_are_told_by_the_populations_that_they_join(circuits: ModuleType) -> None:
    config = circuits.circuit("pd14_poisson_0.1")
    rows = [(each.layer, each.cell_type) for each in config.populations()]
    for mine, told in zip(
        config.circuit.connections, circuits.described(config)["connections"], strict=True
    ):
        assert [rows[k] for k in told["source"]] == [(*mine.source.layer, *mine.source.cell_type)]
        assert [rows[k] for k in told["target"]] == [(*mine.target.layer, *mine.target.cell_type)]


def test_the_kick_of_the_conductance_based_network_is_told_to_reach_fifty_cells(
    circuits: ModuleType,
) -> None:
    told = json.loads(json.dumps(circuits.described(circuits.circuit("coba"))))
    e, i = (each["poisson"] for each in told["cells"])
    assert [(rain["n_cells"], rain["rate_Hz"], rain["weight"], rain["stop_ms"]) for rain in e] == [
        (50, 300.0, 6.0, 50.0)
    ]
    assert i == []
    assert told["mechanisms"]["inh"] == {"kind": "Conductance", "tau_ms": 10.0, "e_rev_mV": -80.0}
    pd14 = circuits.described(circuits.circuit("pd14_poisson_0.1"))
    assert all(each["poisson"][0]["n_cells"] == each["n_cells"] for each in pd14["cells"])


def test_input_onto_cells_that_peers_are_not_told_of_is_refused(circuits: ModuleType) -> None:
    config = circuits.circuit("coba")
    (kick,) = (each.model_dump() for each in config.task.stimuli)
    with pytest.raises(ValueError, match="not the first of their population"):
        circuits.described(config.stimuli([kick | {"target": {"ids": [1, 2]}}]))


@pytest.mark.parametrize("n_cells", [100, 1_001])
def test_a_scaled_circuit_keeps_its_inputs_a_cell(circuits: ModuleType, n_cells: int) -> None:
    net = jtfne.construct(circuits.scaled(n_cells))
    targets = net.edges.to_pandas()["target"]
    assert net.n_neurons == n_cells
    assert targets.value_counts().tolist() == [circuits.IN_DEGREE] * n_cells


def test_no_peer_is_a_dependency() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    words = tomllib.loads(text)
    lists = [words["project"]["dependencies"], *words["project"]["optional-dependencies"].values()]
    lists += list(words["dependency-groups"].values())
    named = [each for group in lists for each in group if isinstance(each, str)]
    assert not [each for each in named if each.startswith(PEERS)]


@pytest.mark.as_users
def test_ways_to_run_a_batch_give_the_same_spikes_by_one_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    numbers = importlib.import_module("batches").measured(
        n=3, n_cells=40, duration_ms=50.0, repeats=1, matrix_steps=5
    )
    assert numbers["spread_spikes"] == numbers["in_turn_spikes"] > 0
    assert numbers["programs_beyond_the_first"] == 0
    assert numbers["flattened_spikes"] > 0 and numbers["matrices_s"] > 0.0


def test_a_training_that_is_timed_has_the_candidates_that_the_table_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for folder in ("benchmarks", "benchmarks/peers"):
        monkeypatch.syspath_prepend(str(ROOT / folder))
    tuning, runner = importlib.import_module("tuning"), importlib.import_module("run_jtfne_tune")
    job = {"generations": 2, "population": 3, "n_cells": 40, "wanted_Hz": tuning.WANTED_Hz}
    net = jtfne.construct(jtfne.suite2_net1_config(40).runtime(duration_ms=50.0).probes(["spk"]))
    result = runner.trained(net, job, seed=1)
    answers = [
        {"simulator": name, "first_call_s": 5.0, "wall_s": s, "rate_Hz": 1.0}
        for name, s in (("a", 2.0), ("b", 5.0))
    ]
    _, ours, peer = tuning.rows(job, answers)
    assert ours[1] == str(len(result.history)) == "6"
    assert set(result.report["best"]["terms"]) == set(tuning.WANTED_Hz)
    assert (ours[5], peer[5]) == ("1.0", "2.5")


def test_two_lengths_of_a_run_tell_what_a_step_costs_from_what_a_run_costs_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    recording = importlib.import_module("recording")
    once_s, us_per_step = {"spk": 0.02, "lfp": 0.05}, {"spk": 6.0, "lfp": 7.5}
    wall_s = {
        ms: {
            name: once_s[name] + 1e-6 * us_per_step[name] * ms / recording.DT_ms for name in once_s
        }
        for ms in recording.TURNS
    }
    parts = recording.parts(wall_s)
    assert parts == {f"{name}_us_per_step": us_per_step[name] for name in once_s} | {
        f"{name}_once_s": once_s[name] for name in once_s
    }
    assert recording.added(wall_s[1_000.0]) == {"lfp_added": round(0.125 / 0.08 - 1, 3)}
