"""A wrong keyword, and a wrong name, gets one sentence with the nearest one."""

import copy
import importlib
import inspect
import pickle
from typing import Any

import pytest

import jtfne
from jtfne import (
    Config,
    JtfneError,
    Paradigm,
    emitters,
    measures,
    optimizers,
    readouts,
    stimuli,
    synapses,
)
from jtfne.emitters import LIF
from jtfne.optimizers import RandomSearch
from jtfne.synapses import Exponential

NET = jtfne.construct(jtfne.suite2_single_neuron_config("E").runtime(duration_ms=5.0))
WRONG: dict[str, tuple[Any, str, str, str]] = {
    "runtime": (Config().runtime, "duration", "duration_ms", "Config.runtime"),
    "runtime dt": (Config().runtime, "dt", "dt_ms", "Config.runtime"),
    "cells": (Config().cells, "mixture", "mix", "Config.cells"),
    "pulse": (Paradigm.pulse, "amplitude_pA", "amplitude", "Paradigm.pulse"),
    "poisson": (Paradigm.poisson, "rate", "rate_Hz", "Paradigm.poisson"),
    "sine": (Paradigm.sine, "freq", "frequency_Hz", "Paradigm.sine"),
    "at": (Paradigm().at, "t", "t_ms", "Paradigm.at"),
    "LIF": (LIF, "tau_m", "tau_m_ms", "LIF"),
    "Exponential": (Exponential, "tau", "tau_ms", "Exponential"),
    "RandomSearch": (RandomSearch, "nn", "n", "RandomSearch"),
    "construct": (jtfne.construct, "config", "cfg", "construct"),
    "simulate": (jtfne.simulate, "duration", "duration_ms", "simulate"),
    "net.simulate": (NET.simulate, "durations_ms", "duration_ms", "Net.simulate"),
    "get": (NET.simulate(progress=False).get, "cell_types", "cell_type", "Signals.get"),
    "sweep": (jtfne.sweep, "seed", "seeds", "sweep"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_keyword_is_told_with_the_nearest(case: str) -> None:
    function, given, nearest, where = WRONG[case]
    with pytest.raises(
        JtfneError, match=rf"unknown argument '{given}';.*nearest: '{nearest}' \(in {where}\)"
    ):
        function(**{given: 1.0})
    with pytest.raises(TypeError):  # as Python's own
        function(**{given: 1.0})


def list_user_functions() -> dict[str, Any]:
    """What users call: functions of the wings, presets, and the parts that a config names."""
    functions: dict[str, Any] = {}
    for module_name in ("analysis", "analysis.figures", "interop", "presets"):
        module = importlib.import_module(f"jtfne.{module_name}")
        for name in module.__all__:
            if inspect.isfunction(getattr(module, name)):
                functions[f"{module_name}.{name}"] = getattr(module, name)
    catalogues = {
        "stimuli": stimuli.STIMULI,
        "measures": measures.MEASURES,
        "emitters": emitters.EMITTERS,
        "synapses": synapses.SYNAPSES,
        "optimizers": optimizers.OPTIMIZERS,
        "readouts": readouts.READOUTS,
    }
    for kind, catalogue in catalogues.items():
        functions |= {f"{kind}.{name}": part for name, part in catalogue.items()}
    return functions


FUNCTIONS = list_user_functions()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_whatever_users_call_names_the_nearest_argument(name: str) -> None:
    names = [name for name in inspect.signature(FUNCTIONS[name]).parameters if len(name) > 3]
    misspelt = f"{names[-1]}_x" if names else "nothing_x"
    with pytest.raises(JtfneError, match=f"'{misspelt}'.*expected") as refusal:
        FUNCTIONS[name](**{misspelt: 1.0})
    assert not names or f"nearest: '{names[-1]}'" in str(refusal.value)


def test_a_lack_of_arguments_is_pythons_own_matter() -> None:
    with pytest.raises(TypeError, match="missing"):
        Paradigm.pulse()  # type: ignore[call-arg]


def test_signatures_and_objects_are_what_they_were() -> None:
    assert next(iter(inspect.signature(LIF).parameters)) == "c_m_pF"
    assert "duration_ms" in inspect.signature(Config.runtime).parameters
    assert pickle.loads(pickle.dumps(LIF(tau_m_ms=9.0))) == copy.deepcopy(LIF(tau_m_ms=9.0))


@pytest.mark.parametrize("name", ["step", "dc", "noise", "puls"])
def test_a_paradigm_that_is_none_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(
        AttributeError, match=rf"Paradigm has no '{name}'; it has.*constant_dc,.*pulse"
    ):
        getattr(Paradigm, name)
    assert not hasattr(Paradigm, name)


def test_of_two_that_are_equally_near_the_first_is_told() -> None:
    edge = {"source": "E", "target": "E", "mechanism": "GABA", "weight": -1.0, "rule": "AllToAll"}
    with pytest.raises(JtfneError, match="nearest: 'GABA_A'"):
        NET.config.connections([edge])


def test_tab_shows_what_a_user_needs() -> None:
    shown = {name for name in dir(NET.config) if not name.startswith("_")}
    assert {"set", "diff", "runtime", "add_probes", "to_toml", "circuit"} <= shown
    assert not any(name.startswith(("model_", "parse_")) for name in shown)
    assert not {"copy", "dict", "json", "construct", "validate"} & shown
