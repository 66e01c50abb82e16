"""Variations of a config: one value by its path, what differs, and verbs that forget nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jtfne
from jtfne import Config, JtfneError, presets
from jtfne.config.parameter_paths import list_places

COLUMN = presets.v1_column()
PRESETS = {
    "v1_column": COLUMN,
    "v1_v4": presets.v1_v4(150),
    "garcia_del_molino_2017": presets.garcia_del_molino_2017(),
    "izhikevich_2003": presets.izhikevich_2003(),
    "hnn_like_column": presets.hnn_like_column(),
    "brunel": presets.brunel(),
    "vogels_abbott": presets.vogels_abbott(),
    "pd14": presets.pd14(scale=0.01),
    "suite2_net1": presets.suite2_net1_config(50),
    "suite2_four_celltype": presets.suite2_four_celltype_config(),
}


@pytest.mark.parametrize("name", PRESETS)
def test_the_variation_of_the_quickstart_changes_what_it_names_and_nothing_else(name: str) -> None:
    config = PRESETS[name]
    cell_type = next(path for path in list_places(config.circuit) if path.endswith(".drive"))
    kind = cell_type.split(".")[1]
    louder = config.set(cell_type, 6.0)
    assert set(config.diff(louder)) in (
        {f"circuit.cell_params.{kind}.drive"},
        {f"circuit.cell_params.{kind}"},  # had no parameters before
    )
    assert louder == config.cell_params({kind: {"drive": 6.0}})
    assert config.diff(config) == {}


@pytest.mark.parametrize("name", PRESETS)
def test_tables_merge_and_lists_grow(name: str) -> None:
    config = PRESETS[name]
    kind = config.populations()[0].cell_type
    changed = config.cell_params({kind: {"noise": 0.25}})
    for other, fields in config.circuit.cell_params.items():
        assert {
            **fields,
            **({"noise": 0.25} if other == kind else {}),
        } == changed.circuit.cell_params[other]
    assert config.mechanisms({}) == config.emitters({}) == config.cell_params({}) == config
    edge = {"source": kind, "target": kind, "mechanism": next(iter(config.circuit.mechanisms))}
    with_one = config.probes(["spk"]).add_probes(["vm"])
    assert with_one.readout_names() == ("spk", "vm")
    try:
        more = config.add_connections([{**edge, "rule": "AllToAll", "weight": 0.0}])
    except JtfneError:
        return  # a weight or mechanism that this circuit's cells do not take
    assert more.circuit.connections[:-1] == config.circuit.connections


def test_paths_lead_into_lists_by_number_label_and_kind() -> None:
    for path, value in {
        "run.dt_ms": 0.05,
        "task.stimuli[0].drive.weight_pA": 5.0,
        "task.stimuli.volley.drive.weight_pA": 5.0,
        "readouts.probes.LFP.interval_ms": 2.0,
        "circuit.areas.V1.position_mm": [-10.0, -70.0, 40.0],
        "circuit.connections[0].delay_ms": 2.5,
        "circuit.geometry.radius_mm": 0.3,
        "mechanisms.AMPA.tau_ms": 4.0,
    }.items():
        (difference,) = COLUMN.diff(COLUMN.set(path, value)).values()
        assert difference[1] == value, path


def test_a_difference_prints_as_a_table_and_names_entries_of_lists() -> None:
    pulse = {
        "target": "E",
        "drive": {"kind": "Pulse", "start_ms": 1.0, "duration_ms": 1.0, "amplitude": 1.0},
    }
    other = COLUMN.set("run.seed", 4).add_stimuli([{**pulse, "label": "flash"}])
    difference = COLUMN.diff(other)
    assert list(difference) == ["run.seed", "task.stimuli[flash]"]
    assert difference["run.seed"] == (COLUMN.run.seed, 4)
    lines = repr(difference).splitlines()
    assert len(lines) == 2 and lines[1].startswith("task.stimuli[flash]  (absent) -> {")
    assert max(map(len, lines)) < 140
    assert repr(COLUMN.diff(COLUMN)) == "no difference"


WRONG = {
    "cells.E.drvie": r"nearest: 'cells.E.drive' \(in Config.set\)",
    "cells": "unknown path 'cells'; expected",
    "run.duration": "nearest: 'duration_ms'",
    "readots.scale": "nearest: 'readouts'",
    "run.dt_ms.x": r"'x' in run.dt_ms, which is 0.1",
    "circuit.connections[99].weight": "'99' in circuit.connections",
    "task.stimuli.volly": "nearest: 'volley'",
    "": "an empty path",
    " ": "' ' in a config",
}


@pytest.mark.parametrize("path", WRONG)
def test_an_unknown_path_is_refused_with_the_nearest(path: str) -> None:
    with pytest.raises(JtfneError, match=WRONG[path]):
        COLUMN.set(path, 1.0)


@given(st.text(max_size=30), st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=5)))
def test_any_path_and_value_is_refused_in_words_or_changes_the_config(
    path: str, value: object
) -> None:
    try:
        assert isinstance(COLUMN.set(path, value), Config)
    except JtfneError as error:
        assert str(error)


@pytest.mark.parametrize("value", ["six", None, [], float("nan"), True])
def test_a_value_that_is_not_allowed_is_refused(value: object) -> None:
    with pytest.raises(JtfneError):
        COLUMN.set("cells.E.drive", value)


def test_incomplete_configs_have_variations_too() -> None:
    assert Config().set("run.seed", 3).run.seed == 3
    with pytest.raises(JtfneError, match="areas"):
        Config().set("cells.E.drive", 3.0)
    with pytest.raises(JtfneError, match=r"other=.*a Config"):
        Config().diff({})  # type: ignore[arg-type]


def test_a_varied_circuit_simulates() -> None:
    config = jtfne.suite2_net1_config(20).runtime(duration_ms=20.0)
    assert jtfne.construct(config.set("gains.E->PV", 1.5)).simulate().spikes is not None
