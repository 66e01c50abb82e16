"""Every public function given every wrong type ends in one clear JtfneError, before any work.

A row of DOORS is a call that is right; the names of a callable's arguments are read off its
signature, and each of WRONG is put in the place of each. A public name without a row fails
`test_every_public_callable_has_a_row`.
"""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import jtfne
from jtfne import config, optimizers, presets, simulation
from jtfne.paradigm import Timing
from jtfne.trainer import Trainer


class Thing:
    """An object of no meaning; as a value also the class itself."""


class Started(Exception):
    """Work has begun: no argument was refused."""


class Raising:
    """Stands for a package of which nothing is used before arguments are checked."""

    def __getattr__(self, name: str) -> Any:
        raise Started


# No argument of any public function may be one of these.
NEVER: dict[str, Any] = {
    "object": Thing(),
    "class": Thing,
    "bytes": b"x",
    "complex": 1j,
    "keys": {5: 5},
    "timestamp": pd.Timestamp("2020-01-01"),
    "objects": np.array([Thing()], object),
    "ragged": [[1.0], [1.0, 2.0]],
}
# These may be right for some arguments, and are refused well for all others.
OFTEN: dict[str, Any] = {
    "none": None,
    "text": "nonsense",
    "empty text": "",
    "zero": 0,
    "minus": -1,
    "half": 1.5,
    "nan": np.nan,
    "inf": np.inf,
    "true": True,
    "list": [],
    "list of none": [None],
    "dict": {},
    "set": {"a"},
    "array": np.array([1.0, 2.0]),
    "matrix": np.ones((2, 2)),
    "texts": np.array(["a"]),
    "float32": np.float32(0.1),
    "series": pd.Series([1.0, 2.0]),
    "frame": pd.DataFrame({"a": [1.0]}),
    "empty array": np.array([]),
    "masked array": np.ma.masked_array([1.0, 2.0], [True, False]),
    "DataArray": xr.DataArray([1.0, 2.0], dims="time"),
    "Dataset": xr.Dataset(),
    "not available": pd.NA,
    "no time": pd.NaT,
    "int class": int,
    "surrogate": "\ud800",
}


def nested(depth: int) -> Any:
    """A dict in a dict, so many levels deep."""
    table: Any = {"a": 1}
    for _ in range(depth):
        table = {"a": table}
    return table


# What is long or deep; a refusal of it is as short as any other.
LONG: dict[str, Any] = {
    "long list": list(range(20_000)),
    "long list of texts": [f"name {number}" for number in range(2_000)],
    "long text": "x" * 1_000_000,
    "long table": {f"name {number}": number for number in range(2_000)},
    "deep dict": nested(500),
    "bottomless dict": nested(20_000),
    "deep list": [[[[[[list(range(1000))]]]]]],
}
CFG = (
    jtfne.Config()
    .runtime(duration_ms=5.0, dt_ms=0.5)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 3, "PV": 1})
    .connections(
        [{"source": "E", "target": "PV", "mechanism": "AMPA", "weight": 1.0, "rule": "AllToAll"}]
    )
    .probes(["spk"])
    .objective([{"measure": "MeanRate", "target": 5.0}])
    .trainables([{"path": "cells.E.drive", "bounds": (0.0, 5.0)}])
)
NET = jtfne.construct(CFG)
P = jtfne.Paradigm
DC = P.constant_dc(target="E", amplitude=1.0)
PULSE = P.pulse(target="E", start_ms=0.0, duration_ms=1.0, amplitude=1.0)
ITEMS = {"a": PULSE, "b": PULSE}
TIMING = Timing(soa_ms=1.0)
KEY = jax.random.key(0)
OBJECTIVE = jtfne.Objective.of(CFG)
SEARCH = optimizers.RandomSearch(n=4)
SPIKES = {"weight_pA": 1.0, "mechanism": "AMPA"}
SIGNALS = jtfne.construct(CFG.probes(["spk", "vm"])).simulate(progress=False)
PATHS = {"path", "out", "folder"}  # checked by the functions that resolve paths, see test_files


def train(net: Any, out: Any, resume: Any, progress: Any, client: Any, **fields: Any) -> Any:
    """A training, whose fields are checked when it is asked to fit."""
    return Trainer(**fields).fit(net, out, resume=resume, progress=progress, client=client)


def started(*args: Any, **kwargs: Any) -> Any:
    """Stands for the first step of work."""
    raise Started


@pytest.fixture(autouse=True)
def without_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """No run, training or sweep begins, and no program is compiled."""
    from jtfne import net, sweeps
    from jtfne.flatnet import _flatnet
    from jtfne.trainer import _trainer

    monkeypatch.setattr(simulation._simulate, "prepare_run", started)
    monkeypatch.setattr(simulation._simulate, "plan_probes", started)
    monkeypatch.setattr(_trainer._Fit, "prepare", started)
    monkeypatch.setattr(sweeps.CandidateRunner, "prepare", started)
    monkeypatch.setattr(_flatnet.engine, "start", started)
    monkeypatch.setattr(_flatnet, "lay_out_rows", started)
    monkeypatch.setattr(net, "place_cells", started)
    monkeypatch.setattr(optimizers.cma_es, "update_stats", started)
    monkeypatch.setattr(optimizers.CMAES, "_search", started)
    monkeypatch.setattr(optimizers.gsdr, "jnp", Raising())
    monkeypatch.setattr(optimizers._base, "_ask_program", started)
    monkeypatch.setattr(optimizers._base, "_tell_program", started)


def search_rows() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """The methods of each optimizer, and its settings."""
    rows: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {}
    for name, kind in optimizers.OPTIMIZERS.items():
        search: Any = kind()
        state = search.init(KEY, [0.0, 0.0], [1.0, 1.0])
        k = search.n_candidates(2)
        settings = {field.name: getattr(search, field.name) for field in dataclasses.fields(search)}
        told = {
            "candidates": np.zeros((k, 2)),
            "scores": np.arange(k),
            "gradients": np.ones((k, 2)),
        }
        bounds = {"lower": [0.0, 0.0], "upper": [1.0, 1.0], "start": [0.5, 0.5]}
        rows |= {
            name: (
                lambda kind=kind, **given: kind(**given).init(KEY, [0.0, 0.0], [1.0, 1.0]),
                settings,
            ),
            f"{name}.init": (search.init, {"key": KEY, **bounds}),
            f"{name}.ask": (search.ask, {"state": state}),
            f"{name}.tell": (search.tell, {"state": state, **told}),
            f"{name}.best": (search.best, {"state": state}),
        }
    return rows


RUN = {
    "paradigm": DC,
    "seed": 0,
    "duration_ms": 5.0,
    "dt_ms": 0.5,
    "trials": 1,
    "progress": False,
    "delivery": None,
}
ESTIMATE = {name: value for name, value in RUN.items() if name not in ("seed", "progress")}
LAYOUT = {"dt_ms": 0.5, "mechanisms": (), "tracked": True, "delivery": None}
SOME = {"target": "E", "label": "x"}
DOORS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "Config": (jtfne.Config, {"schema_version": "0.1.0", "circuit": {}, "run": {}, "task": {}, "readouts": {}}),
    "Config.runtime": (CFG.runtime, {"seed": 0, "dtype": "float32", "duration_ms": 5.0, "dt_ms": 0.5}),
    "Config.areas": (CFG.areas, {"areas": ["V1"]}),
    "Config.layers": (CFG.layers, {"layers": ["L4"]}),
    "Config.geometry": (CFG.geometry, {"thickness_mm": 1.5, "radius_mm": 0.2, "layers": {"L4": (0.1, 0.2)}}),
    "Config.cells": (CFG.cells, {"mix": {"E": 3, "PV": 1}, "n": 4}),
    "Config.cell_params": (CFG.cell_params, {"params": {"E": {"drive": 1.0}}}),
    "Config.emitters": (CFG.emitters, {"emitters": {"E": "LIF"}}),
    "Config.mechanisms": (CFG.mechanisms, {"mechanisms": {}}),
    "Config.connections": (CFG.connections, {"connections": [], "gains": {"E->PV": 1.0}}),
    "Config.probes": (CFG.probes, {"probes": ["spk"]}),
    "Config.add_connections": (CFG.add_connections, {"connections": []}),
    "Config.add_probes": (CFG.add_probes, {"probes": ["vm"]}),
    "Config.add_stimuli": (CFG.add_stimuli, {"stimuli": []}),
    "Config.set": (CFG.set, {"path": "cells.E.drive", "value": 1.0}),
    "Config.diff": (CFG.diff, {"other": CFG}),
    "Config.describe": (CFG.describe, {}),
    "Config.source": (CFG.source, {"mode": "input_current", "maps": [], "scale": 1.0}),
    "Config.stimuli": (CFG.stimuli, {"stimuli": [], "n_trials": 1, "conditions": []}),
    "Config.objective": (CFG.objective, {"metrics": [{"measure": "MeanRate", "target": 5.0}], "gates": []}),
    "Config.trainables": (CFG.trainables, {"trainables": []}),
    "Config.from_json": (CFG.from_json, {"text": CFG.to_json()}),
    "Config.from_toml": (CFG.from_toml, {"text": CFG.to_toml()}),
    "Config.model_copy": (CFG.model_copy, {"update": {}}),
    "construct": (jtfne.construct, {"cfg": CFG}),
    "simulate": (jtfne.simulate, {"net": NET, **RUN, "chunk_steps": 10}),
    "Net.simulate": (NET.simulate, RUN),
    "estimate_memory": (simulation.estimate_memory, {"net": NET, **ESTIMATE, "chunk_steps": 10}),
    "Net": (jtfne.Net, {"config": CFG, "identity": NET.identity, "projections": (), "n_neurons": 4}),
    "Net.select": (NET.select, {"area": "V1", "layer": "L4", "cell_type": "E", "ids": [0]}),
    "Net.select_with": (NET.select_with, {"selector": config.Selector()}),
    "Net.to_flat": (NET.to_flat, {**LAYOUT, "surrogate": None}),
    "Net.has_flat": (NET.has_flat, LAYOUT),
    "FlatNet.of": (jtfne.FlatNet.of, {"net": NET, **LAYOUT}),
    "FlatNet.run": (NET.to_flat().run, {"key": KEY, "n_steps": 2, "inputs": None, "clock": None, "recorders": ()}),
    "Paradigm": (P, {"stimuli": (), "n_trials": 1, "conditions": ()}),
    "Paradigm.constant_dc": (P.constant_dc, {**SOME, "amplitude": 1.0, "start_ms": 0.0}),
    "Paradigm.pulse": (P.pulse, {**SOME, "start_ms": 0.0, "duration_ms": 1.0, "amplitude": 1.0}),
    "Paradigm.pulse_train": (
        P.pulse_train,
        {**SOME, "start_ms": 0.0, "duration_ms": 1.0, "period_ms": 2.0, "count": 2, "amplitude": 1.0},
    ),
    "Paradigm.poisson": (
        P.poisson, {**SOME, **SPIKES, "rate_Hz": 9.0, "start_ms": 0.0, "stop_ms": 1.0, "shared": False}
    ),
    "Paradigm.ramp": (
        P.ramp, {**SOME, "start_ms": 0.0, "duration_ms": 1.0, "amplitude": 1.0, "begin": 0.0, "end": 1.0}
    ),
    "Paradigm.chirp": (
        P.chirp,
        {**SOME, "amplitude": 1.0, "duration_ms": 2.0, "first_Hz": 1.0, "last_Hz": 9.0, "phase_rad": 0.0,
         "start_ms": 0.0},
    ),
    "Paradigm.sine": (
        P.sine,
        {**SOME, "amplitude": 1.0, "frequency_Hz": 9.0, "phase_rad": 0.0, "start_ms": 0.0, "stop_ms": 1.0},
    ),
    "Paradigm.ornstein_uhlenbeck": (
        P.ornstein_uhlenbeck,
        {**SOME, "sd": 1.0, "tau_ms": 1.0, "mean": 0.0, "start_ms": 0.0, "stop_ms": 1.0,
         "shared": False, "stream": "s"},
    ),
    "Paradigm.spike_times": (P.spike_times, {**SOME, **SPIKES, "times_ms": [1.0], "cells": [0]}),
    "Paradigm.evoked": (
        P.evoked,
        {**SOME, **SPIKES, "mean_ms": 2.0, "sd_ms": 0.0, "n_spikes": 1, "synchronous": False, "stream": "s"},
    ),
    "Paradigm.rhythmic": (
        P.rhythmic,
        {
            **SOME, **SPIKES, "start_ms": 0.0, "stop_ms": 4.0, "rate_Hz": 1e3, "sd_ms": 0.0, "n_spikes": 1,
            "isi_ms": 1.0, "n_afferents": 1, "synchronous": False, "stream": "s",
        },
    ),
    "Paradigm.from_array": (
        P.from_array, {**SOME, "values": [1.0], "dt_ms": 0.5, "amplitude": 1.0, "start_ms": 0.0}
    ),
    "Paradigm.from_dataarray": (P.from_dataarray, {**SOME, "recorded": None, "amplitude": 1.0, "start_ms": 0.0}),
    "Paradigm.sequence": (
        P.sequence, {"items": ITEMS, "order": ["a", "b"], "timing": TIMING, "n_trials": 1, "seed": 0}
    ),
    "Paradigm.oddball": (
        P.oddball,
        {"items": ITEMS, "mix": {"a": 0.75, "b": 0.25}, "timing": TIMING, "n": 8, "apart": 1, "n_trials": 1, "seed": 0},
    ),
    "Paradigm.omission": (
        P.omission,
        {
            "items": ITEMS, "order": ["a", "b"], "timing": TIMING, "omit": "b", "n_trials": 2, "n_omitted": 1,
            "seed": 0,
        },
    ),
    "Paradigm.by_condition": (
        P.by_condition, {"paradigms": ITEMS, "order": None, "counts": {"a": 1, "b": 1}, "block": 1, "seed": 0}
    ),
    "Paradigm.at": (PULSE.at, {"t_ms": 1.0}),
    "Paradigm.trials": (PULSE.trials, {"n": 2}),
    "Paradigm.coded": (PULSE.coded, {"codes": {"pulse": 1}}),
    "Timing": (Timing, {"soa_ms": 1.0, "start_ms": 0.0, "jitter_ms": 0.0, "cumulative": False, "overlap": False}),
    "Objective": (jtfne.Objective, {"metrics": [{"measure": "MeanRate", "target": 5.0}], "gates": []}),
    "Objective.of": (jtfne.Objective.of, {"config": CFG}),
    "Objective.score_arrays": (OBJECTIVE.score_arrays, {"arrays": {}, "axes": {}}),
    "Trainer": (
        train,
        {
            "objective": OBJECTIVE, "trainables": CFG.training.trainables, "optimizer": SEARCH, "paradigm": DC,
            "seeds": (0,), "budget": 8, "stop_when_passed": False, "surrogate": None, "net": NET, "out": None,
            "resume": True,
            "progress": False, "client": None,
        },
    ),
    "sweep": (
        jtfne.sweep,
        {
            "net": NET, "values": {"cells.E.drive": [1.0, 2.0]}, "seeds": (0,), "of": None, "paradigm": DC,
            "resume": True, "progress": False, "client": None,
        },
    ),
    "minimize": (
        optimizers.minimize,
        {"optimizer": optimizers.CMAES(), "function": max, "key": KEY, "lower": [0.0], "upper": [1.0], "budget": 9},
    ),
    "correlation_factor": (
        optimizers.correlation_factor, {"before": np.ones((4, 2)), "after": np.ones((4, 2)), "shift": 1}
    ),
    "Signals": (jtfne.Signals, {"tree": SIGNALS.tree, "manifest": dict(SIGNALS.manifest)}),
    "Signals.keys": (SIGNALS.keys, {}),
    "Signals.get": (
        SIGNALS.get,
        {"name": "vm", "layout": "time_node", "area": None, "layer": None, "cell_type": None, "ids": None, "trial": 0,
         "time": (0.0, 5.0)},
    ),
    "Signals.get spikes": (
        SIGNALS.get, {"name": "spk", "layout": "event", "ids": None, "trial": 0, "time": (0.0, 5.0)}
    ),
    "Signals.to_dataframe": (SIGNALS.to_dataframe, {"name": "spk"}),
    "Metric": (config.Metric, dict(OBJECTIVE.metrics[0])),
    "Gate": (config.Gate, {"measure": "MeanRate", "condition": {"kind": "Below", "value": 5.0}}),
    "Trainable": (config.Trainable, dict(CFG.training.trainables[0])),
    "Area": (config.Area, {"name": "V1", "position_mm": (0.0, 0.0, 0.0), "normal": (0.0, 0.0, 1.0)}),
    "Layer": (config.Layer, {"name": "L4", "top": 0.1, "bottom": 0.2}),
    "Selector": (config.Selector, {"area": "V1", "layer": "L4", "cell_type": "E", "ids": [0]}),
    "Connection": (config.Connection, dict(CFG.circuit.connections[0])),
    **{
        name: (make, {key: each.default for key, each in inspect.signature(make).parameters.items()})
        for name, make in presets.PRESETS.items()
    },
    **search_rows(),
}  # fmt: skip
ACCEPTED = (Started, TypeError)
# any function may be given; what it does is the caller's
CALLABLES_OF_USERS = {"function", "of", "inner"}


@pytest.mark.parametrize("name", DOORS)
def test_wrong_types_end_in_one_clear_error(name: str) -> None:
    call, base = DOORS[name]
    for argument in base:
        if argument in PATHS or argument in CALLABLES_OF_USERS:
            continue
        for kind, value in {**NEVER, **OFTEN}.items():
            try:
                call(**{**base, argument: value})
            except jtfne.JtfneError as error:
                assert len(str(error).splitlines()) <= 12, f"{name}({argument}={kind}): {error}"
                assert "expected" in str(error) or "missing" in str(error), (
                    f"{name}({argument}={kind}): {error}"
                )
            except Started:
                assert kind in OFTEN, f"{name}({argument}={kind}) was taken"
            except Exception as error:
                raise AssertionError(
                    f"{name}({argument}={kind}) ends in {type(error).__name__}: {error}"
                ) from error
            else:
                assert kind in OFTEN, f"{name}({argument}={kind}) was taken"


@pytest.mark.parametrize("name", DOORS)
def test_a_refusal_of_something_long_can_be_read(name: str) -> None:
    call, base = DOORS[name]
    for argument in base:
        if argument in CALLABLES_OF_USERS:
            continue
        for kind, value in LONG.items():
            try:
                call(**{**base, argument: value})
            except jtfne.JtfneError as error:
                lines = str(error).splitlines()
                assert len(lines) <= 12 and len(max(lines, key=len)) <= 1000, (name, argument, kind)
            except Started:
                pass
            except Exception as error:
                raise AssertionError(
                    f"{name}({argument}={kind}) ends in {type(error).__name__}: {str(error)[:200]}"
                ) from error


# Rows are named by the class; these are data, doors of other contract tests, or need no arguments.
ELSEWHERE = {
    "JtfneError", "__version__", "analysis", "emitters", "interop", "presets", "synapses", "Configuration", "Model",
    "FlatModel", "load", "FlatNet", "suite2_four_celltype_config", "suite2_net1_config",
    "suite2_single_neuron_config", "suite2_v1_v4_config",
}  # fmt: skip
METHODS_ELSEWHERE = {
    "Config": {"from_file", "to_file", "check", "populations", "readout_names", "to_dict", "to_json", "to_toml",
               "json_schema"},
    "Net": {"save", "open", "summary", "degrees", "remembered", "remembers"},
    "FlatNet": {"to_net", "with_learned_weights", "learned"},
    "Paradigm": {"presented", "conditions_of"},
    "Objective": {"evaluate"},
    "Signals": {"recorded", "summary", "rates", "save"},
}  # fmt: skip


def test_every_public_callable_has_a_row() -> None:
    assert set(jtfne.__all__) - ELSEWHERE <= set(DOORS)
    assert set(optimizers.OPTIMIZERS) <= set(DOORS) and set(presets.PRESETS) <= set(DOORS)
    for name, elsewhere in METHODS_ELSEWHERE.items():
        owner = getattr(jtfne, name)
        own = [
            each
            for base in owner.__mro__
            if base.__module__.startswith("jtfne")
            for each in vars(base)
        ]
        from_pydantic = {each for each in own if each.startswith("model_")}
        methods = {
            each for each in own if not each.startswith("_") and callable(getattr(owner, each))
        }
        from jtfne.pydantic_fields.frozen import _OLD_CONSTRUCTORS, _OLD_METHODS

        lacking = methods - elsewhere - from_pydantic - {*_OLD_METHODS, *_OLD_CONSTRUCTORS}
        assert lacking <= {row.partition(".")[2] for row in DOORS if row.startswith(f"{name}.")}, (
            lacking
        )


@pytest.mark.parametrize("name", DOORS)
def test_the_call_that_a_row_changes_is_right(name: str) -> None:
    call, base = DOORS[name]
    if name in ("Paradigm.from_dataarray", "Objective.score_arrays", "minimize"):
        # their base lacks what only a run has: the refusal of the other arguments comes first
        return
    try:
        call(**base)
    except Started:
        return
