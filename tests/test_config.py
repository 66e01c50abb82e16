"""Config: the workflows of the contract, populations and their counts, files, schema, and parts as
objects.
"""

import ast
import copy
import graphlib
import json
import math
import pickle
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import jsonschema
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne.config import (
    ALIASES,
    PROBES,
    Area,
    Config,
    Connection,
    EEGProxy,
    FixedProbability,
    FromTable,
    Layer,
    Normal,
    Physical,
    Selector,
    Stimulus,
    Voltage,
    open_field,
)
from jtfne.config.defaults import AREAS, CELL_TYPES, LAYERS
from jtfne.config.files.toml import dumps
from jtfne.config.populations import largest_remainder
from jtfne.emitters import EMITTERS, LIF, Izhikevich2003
from jtfne.stimuli import STIMULI, Constant, Poisson, Pulse, PulseTrain, Trace
from jtfne.synapses import RECEPTORS, Exponential

COLUMN = Config().areas(["V1"]).layers(["L2/3", "L4"]).cells({"E": 0.8, "PV": 0.2})


def counts(config: Config) -> dict[tuple[str, str, str], int]:
    """(area, layer, type) -> cells."""
    return {(each.area, each.layer, each.cell_type): each.n_cells for each in config.populations()}


def test_the_first_workflow_of_the_contract() -> None:
    cfg = (
        jtfne.Config(schema_version="0.3.28")
        .runtime(seed=7, dtype="float32", duration_ms=1000.0, dt_ms=0.1)
        .areas(["V1"])
        .layers(["L2/3"])
        .cells({"E": 1.0})
        .cell_params({"E": {"drive": 4.5, "noise": 0.5}})
        .mechanisms({})
        .connections([])
        .probes(["spk", "vm", "source", "lfp_proxy", "csd_proxy"])
    )
    (only,) = cfg.populations()
    assert (only.area, only.layer, only.cell_type, only.n_cells) == ("V1", "L2/3", "E", 100)
    assert (only.drive, only.noise, only.emitter) == (4.5, 0.5, CELL_TYPES["E"].emitter)
    assert cfg.run.n_steps == 10_000
    assert cfg.readout_names() == ("spk", "vm", "source", "lfp_proxy", "csd_proxy")


def test_each_verb_gives_a_new_config_and_keeps_the_rest() -> None:
    first = COLUMN.runtime(seed=3, dt_ms=0.5)
    second = first.runtime(seed=4)
    assert (first.run.seed, second.run.seed, second.run.dt_ms) == (3, 4, 0.5)
    assert second.circuit == first.circuit == COLUMN.circuit
    assert (
        first.geometry(radius_mm=0.5).geometry(thickness_mm=2.0).circuit.geometry.radius_mm == 0.5
    )
    assert first.source("spike_proxy").probes(["spk"]).readouts.source.kind == "spike_proxy"


def test_verbs_may_come_in_any_order_until_they_contradict() -> None:
    edge = {"source": "E", "target": "PV", "mechanism": "slow", "weight": 1.0, "rule": "AllToAll"}
    late = Config().probes(["vm"]).stimuli([{"target": "E", "drive": Constant(amplitude=1.0)}])
    late = (
        late.cells({"E": 80, "PV": 20})
        .layers(["L4"])
        .mechanisms({"slow": {"tau_ms": 50.0, "sign": 1}})
    )
    assert counts(late.connections([edge]).areas(["V1"])) == {
        ("V1", "L4", "E"): 80,
        ("V1", "L4", "PV"): 20,
    }
    long = Config().stimuli([{"target": "E", "drive": Constant(amplitude=1.0, start_ms=1500)}])
    assert long.runtime(duration_ms=2000.0).task.stimuli[0].drive.start_ms == 1500


def test_nothing_in_a_config_can_be_changed() -> None:
    config = COLUMN.cell_params({"E": {"drive": 1.0}})
    for change in (
        lambda: config.circuit.cell_params["E"].update(drive=9.0),
        lambda: config.circuit.cell_params.__setitem__("PV", {}),
        lambda: config.circuit.mechanisms.clear(),
        lambda: config.circuit.cells.mix.pop("E"),
    ):
        with pytest.raises(TypeError, match="cannot be changed"):
            change()
    with pytest.raises(ValueError, match="frozen"):
        config.run.seed = 3


def test_equal_by_value_and_hashable() -> None:
    again = Config().areas(["V1"]).layers(["L2/3", "L4"]).cells({"PV": 0.2, "E": 0.8})
    assert again == COLUMN and hash(again) == hash(COLUMN) and again.hash == COLUMN.hash
    assert again.runtime(seed=1) != COLUMN and again.runtime(seed=1).hash != COLUMN.hash
    assert len({COLUMN, again, copy.deepcopy(again), pickle.loads(pickle.dumps(again))}) == 1
    assert len(COLUMN.hash) == 64
    moved = COLUMN.model_copy(update={"run": COLUMN.runtime(seed=1).run})
    assert moved.hash == COLUMN.runtime(seed=1).hash and moved == COLUMN.runtime(seed=1)
    one_cell, all_cells = COLUMN.cells({"E": 1}), COLUMN.cells({"E": 1.0})
    assert one_cell != all_cells and one_cell.hash != all_cells.hash, "a count is not a fraction"


# cells


def test_flat_fractions_keep_the_total_of_each_type() -> None:
    found = counts(COLUMN.areas(["V1", "V4"]).cells({"E": 0.8, "PV": 0.1, "SST": 0.1}, n=101))
    for area in ("V1", "V4"):
        totals = {
            t: sum(n for (a, _, name), n in found.items() if (a, name) == (area, t))
            for t in ("E", "PV", "SST")
        }
        assert totals == {"E": 81, "PV": 10, "SST": 10}
    share = (587.1 - 81.6) / (922.2 - 81.6)  # layers share cells by thickness
    assert found["V1", "L2/3", "E"] == round(81 * share)
    assert [key[1:] for key in found][:3] == [("L2/3", "E"), ("L2/3", "PV"), ("L2/3", "SST")]


@pytest.mark.parametrize(
    ("mix", "want"),
    [
        ({"PV": 3, "E": 7}, {("L2/3", "E"): 4, ("L2/3", "PV"): 2, ("L4", "E"): 3, ("L4", "PV"): 1}),
        (
            {"L4": {"E": 7}, "L2/3": {"PV": 2, "E": 1}},
            {("L2/3", "E"): 1, ("L2/3", "PV"): 2, ("L4", "E"): 7},
        ),
        ({"L4": {"E": 0.5, "PV": 0.5}}, {("L4", "E"): 5, ("L4", "PV"): 5}),
        (
            {"L2/3": {"E": 0.5}, "L4": {"E": 0.3, "PV": 0.2}},
            {("L2/3", "E"): 5, ("L4", "E"): 3, ("L4", "PV"): 2},
        ),
        ({"L2/3": {"E": 1.0}, "L4": {"E": 1.0}}, {("L2/3", "E"): 6, ("L4", "E"): 4}),
        ({"V1": {"L4": {"E": 4, "PV": 0}}}, {("L4", "E"): 4}),
    ],
    ids=[
        "counts",
        "counts by layer",
        "one layer",
        "area sums to 1",
        "each layer sums to 1",
        "by area",
    ],
)
def test_forms_of_a_mix(mix: Any, want: dict[tuple[str, str], int]) -> None:
    fractions = "." in json.dumps(mix)
    found = counts(COLUMN.cells(mix, n=10 if fractions else None))
    assert {key[1:]: count for key, count in found.items()} == want


@given(st.integers(1, 10_000), st.lists(st.floats(0.001, 1.0), min_size=1, max_size=8))
def test_largest_remainder(total: int, shares: list[float]) -> None:
    parts = largest_remainder(total, shares)
    assert sum(parts) == total
    assert all(
        abs(part - total * share / sum(shares)) < 1.0
        for part, share in zip(parts, shares, strict=True)
    )


def test_populations_carry_their_emitter_and_input() -> None:
    config = COLUMN.emitters({"PV": LIF(tau_m_ms=8.0)}).cell_params(
        {"E": {"d": 6.0}, "PV": {"v_th_mV": -48.0, "noise": 20}}
    )
    by_type = {each.cell_type: each for each in config.populations()}
    assert by_type["E"].emitter == Izhikevich2003(a=0.02, b=0.2, c_mV=-65.0, d=6.0)
    assert (by_type["E"].drive, by_type["E"].noise) == (
        CELL_TYPES["E"].drive,
        CELL_TYPES["E"].noise,
    )
    assert by_type["PV"].emitter == LIF(tau_m_ms=8.0, v_th_mV=-48.0)
    assert (by_type["PV"].drive, by_type["PV"].noise) == (0.0, 20.0), (
        "a default drive is in the default's unit"
    )


def test_a_value_for_each_cell_is_dealt_out_in_the_order_of_the_rows() -> None:
    # by layer: 2 and 1 of E, 1 and 1 of PV
    circuit = COLUMN.areas(["V1", "V4"]).cells({"PV": 2, "E": 3})
    each = {"d": range(6), "drive": np.arange(6) / 2}
    config = circuit.cell_params(
        {"E": {name: list(values) for name, values in each.items()} | {"noise": 0.5}}
    )
    found = [one for one in config.populations() if one.cell_type == "E"]
    assert [one.n_cells for one in found] == [2, 1, 2, 1]
    for name, of in (("d", lambda one: one.emitter.d), ("drive", lambda one: one.drive)):
        np.testing.assert_array_equal(np.concatenate([of(one) for one in found]), each[name])
    assert {one.noise for one in found} == {0.5}
    assert found[1].model_and_input() == "Izhikevich2003, drive 1, noise 0.5 mV/ms"
    assert found[2].model_and_input() == "Izhikevich2003, drive 1.5 .. 2, noise 0.5 mV/ms"


@pytest.mark.parametrize("kind", [list, tuple, np.asarray, jnp.asarray])
def test_values_for_each_cell_round_trip(kind: Any) -> None:
    config = COLUMN.cell_params({"E": {"d": kind([0.5 * k for k in range(80)]), "drive": 3.0}})
    assert Config.from_json(config.to_json()) == config == Config.from_toml(config.to_toml())
    assert Config.from_toml(config.to_toml()).hash == config.hash
    other = COLUMN.cell_params({"E": {"d": [0.5 * k for k in range(79)] + [0.0], "drive": 3.0}})
    assert other != config and other.hash != config.hash
    with pytest.raises(TypeError, match="cannot be changed"):
        config.circuit.cell_params["E"]["d"] = 1.0


def test_values_before_there_are_cells_are_of_one_length() -> None:
    early = Config().cell_params({"E": {"a": [0.02, 0.03, 0.04]}}).areas(["V1"]).layers(["L4"])
    assert early.cells({"E": 3}).populations()[0].n_cells == 3
    with pytest.raises(jtfne.JtfneError, match=r"a with 3 values.* one for each of the 4 cells"):
        early.cells({"E": 4})
    with pytest.raises(jtfne.JtfneError, match=r"b with 2 values.* one for each of the 3 cells"):
        Config().cell_params({"E": {"a": [0.02, 0.03, 0.04], "b": [0.2, 0.2]}})


# places


def test_layers_have_the_depths_of_their_source() -> None:
    um = {
        name: (round(top * 1491.7, 6), round(bottom * 1491.7, 6))
        for name, (top, bottom) in LAYERS.items()
    }
    assert um["L1"] == (0.0, 81.6) and um["L2/3"] == (81.6, 587.1) and um["L4"] == (587.1, 922.2)
    assert (
        um["L5"] == (922.2, 1170.0)
        and um["L6"] == (1170.0, 1491.7)
        and um["L5/6"] == (922.2, 1491.7)
    )
    assert um["L2"][1] == um["L3"][0] and um["L6a"] == um["L6A"]
    moved = COLUMN.geometry(thickness_mm=2.0, layers={"L4": (0.5, 0.6)})
    assert [(x.top, x.bottom) for x in moved.circuit.layers] == [LAYERS["L2/3"], (0.5, 0.6)]
    assert Layer(name="granular", top=0.4, bottom=0.6).top == 0.4


@pytest.mark.parametrize("name", AREAS)
def test_areas_lie_in_the_brain_and_point_outward(name: str) -> None:
    area = Area(name=name)
    away = np.array(area.position_mm) - (0.0, 0.0, 40.0)
    assert 40.0 < np.linalg.norm(away) < 79.0, "within the brain sphere of a spherical head"
    assert math.isclose(math.hypot(*area.normal), 1.0, abs_tol=1e-12)
    assert away @ np.array(area.normal) > 0.0
    assert area.position_mm[0] < 0.0, "left hemisphere"


def test_an_area_of_ones_own() -> None:
    own = Area(name="Q7", position_mm=(0, -60, 40))
    assert own.placed and own.normal == (0.0, -1.0, 0.0)
    assert not Area(name="Q7").placed
    assert COLUMN.areas(["Q7"]).probes(["lfp_proxy"]).populations()
    assert COLUMN.areas([own]).probes([EEGProxy(sites=("Cz",))]).populations()


# parts


@pytest.mark.parametrize("name", PROBES)
def test_probes_by_name(name: str) -> None:
    names = [name, *(alias for alias, readout in ALIASES.items() if readout == name)]
    built = {COLUMN.probes([each]) for each in names}
    built |= {COLUMN.probes([{"kind": each}]) for each in (*names, PROBES[name].__name__)}
    assert len(built) == 1 and built.pop().readout_names() == (name,)


@pytest.mark.parametrize("catalogue", [EMITTERS, STIMULI], ids=["EMITTERS", "STIMULI"])
def test_the_schema_knows_every_kind(catalogue: dict[str, type]) -> None:
    known = Config.json_schema()["$defs"]
    assert set(catalogue) <= set(known)
    for name, cls in catalogue.items():
        for field, limit in cls.LIMITS.items():
            schema = known[name]["properties"][field]
            schema = schema.get("anyOf", [schema])[0]
            while "items" in schema:  # one for each cell, or a train for each
                schema = schema["items"]
            if math.isfinite(limit.low):
                assert schema["exclusiveMinimum" if limit.open_low else "minimum"] == limit.low


def test_parts_are_kept_as_objects() -> None:
    config = COLUMN.emitters({"E": {"kind": "LIF", "tau_m_ms": 20}}).mechanisms(
        {"slow": {"tau_ms": 50, "sign": 1}}
    )
    assert config.circuit.emitters == {"E": LIF(tau_m_ms=20.0)}
    assert isinstance(config.circuit.emitters["E"].tau_m_ms, float)
    assert config.circuit.mechanisms == {**RECEPTORS, "slow": Exponential(tau_ms=50.0, sign=1)}
    assert config == COLUMN.emitters({"E": LIF(tau_m_ms=np.float32(20))}).mechanisms(
        {"slow": Exponential(tau_ms=50, sign=1)}
    )
    assert config.emitters({"E": "LIF"}).circuit.emitters["E"] == LIF()


def test_selectors_keep_names_as_tuples() -> None:
    edge = Connection(
        source="E",
        target={"layer": ["L4"]},
        mechanism="AMPA",
        rule="OneToOne",
        weight=np.float32(2),
    )
    assert edge.source == Selector(cell_type=("E",)) and edge.target == Selector(layer="L4")
    assert edge.weight == 2.0 and type(edge.weight) is float
    assert Selector(ids=np.arange(2)).ids == (0, 1)


@pytest.mark.parametrize("form", ["mapping", "arrow", "pandas", "csv", "parquet"])
@pytest.mark.parametrize("weight", ["weight_pA", "weight_nS", "weight"])
def test_edges_from_tables(form: str, weight: str, tmp_path: Path) -> None:
    columns = {
        "source": [0, 1],
        "target": [2, 3],
        weight: [1.5, 2.5],
        "delay_ms": [1.0, 2.0],
        "more": ["a", "b"],
    }
    table = pa.table(columns)
    want = FromTable(source=(0, 1), target=(2, 3), weight=(1.5, 2.5), delay_ms=(1.0, 2.0))
    if form == "csv":
        from pyarrow import csv

        csv.write_csv(table, tmp_path / "edges.csv")
    if form == "parquet":
        from pyarrow import parquet

        parquet.write_table(table, tmp_path / "edges.parquet")
    if form in ("csv", "parquet"):
        assert FromTable.read(tmp_path / f"edges.{form}") == want
    else:
        assert (
            FromTable.from_table(
                {"mapping": columns, "arrow": table, "pandas": table.to_pandas()}[form]
            )
            == want
        )


def test_edges_from_sonata(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "edges.h5", "w") as file:
        edges = file.create_group("edges/v1_to_v1")
        edges["source_node_id"], edges["target_node_id"] = [0, 1], [2, 3]
        edges["0/syn_weight"], edges["0/delay"] = [1.5, 2.5], [1.0, 2.0]
    want = FromTable(source=(0, 1), target=(2, 3), weight=(1.5, 2.5), delay_ms=(1.0, 2.0))
    assert FromTable.read(tmp_path / "edges.h5") == want


# files

numbers = st.floats(0.125, 8.0, width=32)
times = st.integers(1, 80).map(lambda step: step / 10)  # on the grid of 0.1 ms
few, tenth, later = st.integers(1, 3), st.floats(0.1, 10.0), st.floats(10.0, 90.0)
names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=6)
signed = numbers | st.builds(lambda m, s: Normal(mean=m, sd=s, low=0.0), numbers, numbers)
rules = st.builds(FixedProbability, p=st.floats(0, 1)) | st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["FixedIndegree", "FixedOutdegree", "FixedTotal"]),
        "n": st.integers(1, 9),
    }
)
emitters = st.builds(LIF, tau_m_ms=numbers, t_ref_ms=times) | st.builds(
    Izhikevich2003, a=numbers, d=numbers
)
drives = st.one_of(
    st.builds(Constant, amplitude=numbers, start_ms=times),
    st.builds(Pulse, amplitude=numbers, start_ms=times, duration_ms=times),
    st.builds(
        PulseTrain,
        amplitude=numbers,
        start_ms=times,
        duration_ms=st.just(1.0),
        period_ms=st.just(9.0),
        count=st.integers(1, 3),
    ),
    st.builds(
        Poisson,
        rate_Hz=numbers,
        weight_pA=numbers,
        stop_ms=st.none() | times.map(lambda time: time + 9),
        shared=st.booleans(),
    ),
    st.builds(Trace, values=st.lists(numbers, min_size=1, max_size=4).map(tuple), dt_ms=times),
)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Configs of every shape that a file must hold."""
    areas = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    own = draw(names.filter(lambda name: name not in CELL_TYPES))
    mix: Any = draw(
        st.sampled_from([{"E": 0.75, own: 0.25}, {"E": 3, own: 1}, {"L4": {"E": 0.5, own: 0.5}}])
    )
    config = (
        Config(schema_version=draw(st.sampled_from(["0.1.0", "0.3.28"])))
        .runtime(
            seed=draw(st.integers(0, 2**32 - 1)),
            dtype=draw(st.sampled_from(["float32", "float64"])),
            duration_ms=100,
        )
        .areas(
            [
                {"name": name, "position_mm": draw(st.tuples(numbers, numbers, numbers))}
                for name in areas
            ]
        )
        .layers(["L2/3", "L4", "L6"])
        .geometry(thickness_mm=draw(numbers))
        .cells(mix)
        .emitters({own: draw(emitters)})
        .cell_params(
            draw(st.just({}) | st.builds(lambda d: {"E": {"drive": d, "a": 0.03}}, numbers))
        )
        .mechanisms({"own": Exponential(tau_ms=draw(numbers))})
    )
    edges = st.fixed_dictionaries(
        {
            "source": st.sampled_from(
                ["E", {"layer": "L4"}, {"area": tuple(areas), "cell_type": [own]}]
            ),
            "target": st.sampled_from([own, {}, {"ids": [0, 1]}]),
            "mechanism": st.just("AMPA"),
            "weight": signed,
            "delay_ms": st.sampled_from(
                [0.1, 1.5, 8.0, {"kind": "Uniform", "low": 0.5, "high": 2.0}]
            ),
            "rule": rules,
        }
    )
    stimuli = st.builds(
        lambda drive, label: Stimulus(target=Selector(layer="L4"), drive=drive, label=label),
        drives,
        names | st.just(""),
    )
    mode = draw(st.sampled_from(["input_current", "decomposed", "spike_proxy"]))
    fit = [
        name
        for name, probe in PROBES.items()
        if mode != "spike_proxy" or not issubclass(probe, Physical)
    ]
    return (
        config.connections(draw(st.lists(edges, max_size=2)))
        .stimuli(draw(st.lists(stimuli, max_size=2)))
        .probes(draw(st.lists(st.sampled_from(fit), unique=True)))
        .source(mode, maps=draw(st.sampled_from([(), open_field("E", own)])), scale=draw(numbers))
    )


@given(configs())
@settings(max_examples=60)
def test_files_hold_everything(config: Config) -> None:
    again = Config.from_json(config.to_json())
    assert again == config and again.populations() == config.populations()
    assert Config.from_toml(config.to_toml()) == config
    assert Config(**json.loads(json.dumps(config.to_dict()))).hash == config.hash
    FITS.validate(config.to_dict())
    assert pickle.loads(pickle.dumps(config)).populations() == config.populations()


SCHEMA = Config.json_schema()
# once: `validate` would check the schema itself each time
FITS = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one_and_takes_what_a_person_writes() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    all_to_all = {"rule": "AllToAll", "weight": 1}
    by_hand: dict[str, Any] = {
        "circuit": {
            "areas": ["V1"],
            "layers": ["L4", {"name": "L5"}],
            "cells": {"mix": {"E": 0.8, "PV": 0.2}},
            "emitters": {"E": {"kind": "LIF"}},
            "connections": [
                {"source": "E", "target": {"cell_type": "PV"}, "mechanism": "AMPA", **all_to_all}
            ],
        },
        "readouts": {
            "probes": ["spk", {"kind": "Voltage", "interval_ms": 1}],
            "source": "decomposed",
        },
        "task": {"stimuli": [{"target": "E", "drive": {"kind": "Constant", "amplitude": 1}}]},
    }
    FITS.validate(by_hand)
    assert Config(**by_hand).readouts.probes[1] == Voltage(interval_ms=1.0)
    for path, wrong in (
        ("runn", {}),
        ("run", {"seed": -1}),
        ("circuit", {"emitters": {"E": {"kind": "LIF", "c_m_pF": 0}}}),
    ):
        with pytest.raises(jsonschema.ValidationError):
            FITS.validate({path: wrong})


@pytest.mark.parametrize("suffix", ["json", "toml"])
def test_to_and_from_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"config.{suffix}"
    path.write_text("older")
    assert COLUMN.to_file(path) == path
    assert Config.from_file(path) == COLUMN
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside it"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    folder = tmp_path / "config.json"
    folder.mkdir()
    with pytest.raises(OSError, match=r"config\.json"):
        COLUMN.to_file(folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_toml_is_readable() -> None:
    text = dumps(
        {
            "n": 1,
            "left out": None,
            "a b": {"x": [1.5, 'é\x7f"\n'], "y": {"deep": True, "none": None}},
        }
    )
    assert text == 'n = 1\n\n["a b"]\nx = [1.5, "é\\u007f\\"\\n"]\ny = {deep = true}\n'


def test_a_refusal_of_very_many_problems_lists_the_first_and_counts_the_others():
    layers = [{"name": f"L{number}", "kind": number} for number in range(40)]
    with pytest.raises(jtfne.JtfneError) as refusal:
        jtfne.Config().layers(layers)
    lines = str(refusal.value).splitlines()
    assert len(lines) == 11
    assert "layers[9]" in lines[9]
    assert lines[10] == "and 30 more problems"


ROOT = Path(jtfne.__file__).parent
CHECKS = sorted((ROOT / "config" / "checks").glob("*.py"))
# what several of them ask: no object has these fields
SHARED_CHECKS = {"__init__", "declared_names", "targets", "times"}


def list_imports(path: Path) -> set[str]:
    """The modules of jtfne that a file imports, in functions and `if TYPE_CHECKING` too."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    return modules


def name_module(path: Path) -> str:
    """The dotted name of a file of the package."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_a_check_between_objects_lies_in_the_file_of_the_object_that_has_the_field() -> None:
    names = {path.stem for path in CHECKS} - SHARED_CHECKS
    declarations = {path.stem for path in (ROOT / "config").glob("*.py")}
    declarations |= {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert names <= declarations, "name it as the file that declares the field"
    called_by = list_imports(ROOT / "config" / "checks" / "config.py")
    modules = {f"jtfne.config.checks.{name}" for name in names - {"config"}}
    assert modules <= called_by, "Config.check does not run it"


def test_a_declaration_does_not_know_the_objects_beside_it_that_check_it() -> None:
    # paths are read off the names that are declared; Config runs all checks
    may_ask = {"config", "parameter_paths"}
    for path in sorted((ROOT / "config").glob("*.py")):
        asks = any(name.startswith("jtfne.config.checks") for name in list_imports(path))
        assert not asks or path.stem in may_ask, f"{path} may not import jtfne.config.checks"


def test_no_file_of_declarations_and_checks_comes_back_to_itself() -> None:
    files = [*(ROOT / "config").rglob("*.py"), *(ROOT / "pydantic_fields").rglob("*.py")]
    graph = {name_module(path): list_imports(path) for path in files}
    for module, imported in graph.items():
        graph[module] = (imported & set(graph)) - {module}
    # the package's front only re-exports
    graph.pop("jtfne.config")
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert order.index("jtfne.config.circuit") < order.index("jtfne.config.config")
