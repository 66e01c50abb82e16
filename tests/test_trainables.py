"""Paths to what may be tuned: where they lead, what is refused, and that to set one is to declare
it.
"""

import math

import numpy as np
import pytest

import jtfne
from jtfne import JtfneError
from jtfne.config import Config, Linear, Log, LogNormal, Normal, Trainable, Uniform
from jtfne.config.parameter_paths import get_value, list_places
from jtfne.config.parameter_values import replace_values

CONFIG = (
    Config()
    .areas(["V1"])
    .layers(["L2/3"])
    .cells({"E": 16, "PV": 4, "L": 4})
    .emitters({"L": {"kind": "LIF"}})
    .cell_params({"L": {"drive": 300.0, "noise": 5.0}})
    .connections(
        [
            {"source": "E", "target": "PV", "mechanism": "AMPA", "weight": 30.0, "rule": "AllToAll"},
            {"source": "E", "target": "PV", "mechanism": "NMDA", "weight": LogNormal(mean=4.0, sd=1.0),
             "rule": "AllToAll"},
            {"source": "PV", "target": {}, "mechanism": "GABA_A", "weight": Uniform(low=-9.0, high=-3.0),
             "rule": "AllToAll"},
            {"source": "L", "target": "E", "mechanism": "AMPA",
             "rule": {"kind": "FromTable", "source": [20, 21], "target": [0, 1], "weight": [2.0, 6.0]}},
        ]
    )
)  # fmt: skip
VALUES = {
    "gains.E->PV": 1.0,
    "gains.PV->L": 1.0,
    "connections.E->PV:AMPA.weight": 30.0,
    "connections.E->PV:NMDA.weight": 4.0,
    "connections.PV->all.weight": -6.0,
    "connections.L->E.weight": 4.0,
    "cells.E.drive": 3.5,
    "cells.PV.a": 0.1,
    "cells.L.drive": 300.0,
    "cells.L.tau_m_ms": 10.0,
    "mechanisms.NMDA.tau_ms": 20.0,
}


@pytest.mark.parametrize("path", VALUES)
def test_a_path_leads_to_what_is_declared_and_sets_it(path):
    place = list_places(CONFIG.circuit)[path]
    assert get_value(CONFIG.circuit, place) == pytest.approx(VALUES[path], rel=1e-12)
    changed = replace_values(CONFIG, {place: 1.25 * VALUES[path]})
    assert get_value(changed.circuit, place) == pytest.approx(1.25 * VALUES[path], rel=1e-12)
    others = [
        each for each in list_places(CONFIG.circuit).values() if each.at != place.at or place.at < 0
    ]
    moved = [
        each.path
        for each in others
        if get_value(changed.circuit, each) != get_value(CONFIG.circuit, each)
    ]
    assert moved == ([] if place.at >= 0 else [path])


def test_distributions_and_tables_are_scaled_whole():
    places = list_places(CONFIG.circuit)
    names = (
        "connections.E->PV:NMDA.weight",
        "connections.PV->all.weight",
        "connections.L->E.weight",
    )
    changed = replace_values(
        CONFIG, {places[name]: 0.5 * VALUES[name] for name in names}
    ).circuit.connections
    assert changed[1].weight == LogNormal(mean=2.0, sd=0.5)
    assert changed[2].weight == Uniform(low=-4.5, high=-1.5)
    assert changed[3].rule.weight == (1.0, 3.0)
    assert replace_values(CONFIG, {places[names[1]]: 0.0}).circuit.connections[2].weight == 0.0


def test_bounds_of_a_normal_are_scaled_with_it():
    given = CONFIG.circuit.connections[0].model_copy(
        update={"weight": Normal(mean=30.0, sd=3.0, low=10.0, high=40.0)}
    )
    config = CONFIG.connections([given])
    place = list_places(config.circuit)["connections.E->PV.weight"]
    (changed,) = replace_values(config, {place: 60.0}).circuit.connections
    assert changed.weight == Normal(mean=60.0, sd=6.0, low=20.0, high=80.0)


def test_scales_of_the_search():
    gain = Trainable(path="gains.E->PV", bounds=(0.25, 4.0), transform=Log())
    assert gain.search_bounds == (math.log(0.25), math.log(4.0)) and gain.value(0.0) == 1.0
    assert gain.value(math.log(4.0) + 1e-9) == 4.0, "not beyond a bound by rounding"
    down = Trainable(path="connections.PV->all.weight", bounds=(-20.0, -2.0), transform="Log")
    assert down.search_bounds == (math.log(2.0), math.log(20.0))
    assert down.value(down.to_search_scale(-5.0)) == pytest.approx(-5.0, rel=1e-12)
    np.testing.assert_allclose(down.value(np.log([3.0, 7.0]), np), [-3.0, -7.0], rtol=1e-12)
    plain = Trainable(path="cells.E.drive", bounds=(0, 9))
    assert (
        plain.transform == Linear()
        and plain.search_bounds == (0.0, 9.0)
        and plain.value(2.5) == 2.5
    )


def test_trainables_are_declared_in_any_order_and_round_trip():
    given = [
        {"path": "gains.E->PV", "bounds": [0.5, 2.0], "transform": "Log"},
        {"path": "cells.E.drive", "bounds": (0, 9)},
    ]
    first = jtfne.Config().trainables(given)
    config = CONFIG.trainables(given)
    assert first.training == config.training and len(config.training.trainables) == 2
    config.check()
    assert Config.from_json(config.to_json()) == config == Config.from_toml(config.to_toml())
    assert config.hash != CONFIG.hash


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            [{"path": "gains.E->VP", "bounds": (0.5, 2)}],
            ["'gains.E->PV'", "nearest: 'gains.E->PV'", r"trainables\[0\]"],
        ),
        ([{"path": "cells.E.drve", "bounds": (0, 9)}], ["nearest: 'cells.E.drive'", "trainables"]),
        ([{"path": "drive", "bounds": (0, 9)}], ["unknown path 'drive'", "expected 'gains.E->PV'"]),
        (
            [{"path": "connections.E->PV.weight", "bounds": (0, 9)}],
            ["nearest: 'connections.E->PV:NMDA.weight'"],
        ),
        (
            [{"path": "cells.E.drive", "bounds": (5, 9)}],
            [r"bounds=\(5, 9\) of 'cells.E.drive', which is 3.5"],
        ),
        (
            [{"path": "cells.E.drive", "bounds": (9, 5)}],
            [r"bounds=\(9, 5\) of 'cells.E.drive'", "below"],
        ),
        ([{"path": "cells.E.drive", "bounds": (0, math.inf)}], ["bounds", "finite"]),
        (
            [{"path": "cells.E.drive", "bounds": (0, 9), "transform": "Log"}],
            ["'cells.E.drive' with Log", "one sign"],
        ),
        (
            [{"path": "cells.E.drive", "bounds": (0, 9), "transform": "Logg"}],
            ["'Logg'", "nearest: 'Log'"],
        ),
        ([{"path": "cells.E.drive", "bounds": (0, 9)}] * 2, ["'cells.E.drive', given twice"]),
    ],
)
def test_what_cannot_be_tuned_is_refused_by_name(given, told):
    with pytest.raises(JtfneError, match=".*".join(told)):
        CONFIG.trainables(given).check()


def test_one_connection_by_two_names_is_given_twice():
    config = CONFIG.connections(CONFIG.circuit.connections[:1])
    names = ("connections.E->PV.weight", "connections.E->PV:AMPA.weight")
    with pytest.raises(JtfneError, match="given twice"):
        config.trainables([{"path": name, "bounds": (0, 60)} for name in names]).check()


def test_a_number_for_each_cell_is_none_to_tune():
    config = CONFIG.cell_params({"PV": {"drive": [1.0, 2.0, 3.0, 4.0]}})
    with pytest.raises(JtfneError, match=r"'cells\.PV\.drive', which differs from cell to cell"):
        config.trainables([{"path": "cells.PV.drive", "bounds": (0, 9)}]).check()
