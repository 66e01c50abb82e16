"""Paradigms: every constructor and structure with odd arguments, moved, repeated, added and coded;
run if accepted.
"""

import inspect
from typing import Any

import numpy as np
from hypothesis import strategies as st

import jtfne
from fuzzing._values import python_values
from fuzzing.areas._base import Described, require_finite
from jtfne.paradigm import Timing

TARGET = {"cell_type": "E"}
BASE: dict[str, dict[str, Any]] = {
    "constant_dc": {"target": TARGET, "amplitude": 1.0, "start_ms": 0.0},
    "pulse": {"target": TARGET, "start_ms": 5.0, "duration_ms": 5.0, "amplitude": 2.0},
    "pulse_train": {
        "target": TARGET,
        "start_ms": 1.0,
        "duration_ms": 1.0,
        "period_ms": 2.0,
        "count": 3,
        "amplitude": 1.0,
    },
    "ramp": {"target": TARGET, "start_ms": 2.0, "duration_ms": 5.0, "amplitude": 1.0},
    "sine": {"target": TARGET, "amplitude": 1.0, "frequency_Hz": 50.0},
    "ornstein_uhlenbeck": {"target": TARGET, "sd": 1.0, "tau_ms": 5.0},
    "poisson": {"target": TARGET, "rate_Hz": 100.0, "weight_pA": 10.0},
    "spike_times": {"times_ms": [1.0, 5.0], "target": TARGET, "weight_pA": 10.0},
    "evoked": {"target": TARGET, "mean_ms": 8.0, "sd_ms": 1.0, "n_spikes": 2, "weight_pA": 10.0},
    "rhythmic": {
        "target": TARGET,
        "start_ms": 2.0,
        "stop_ms": 18.0,
        "rate_Hz": 100.0,
        "sd_ms": 1.0,
        "weight_pA": 10.0,
    },
    "from_array": {"values": [1.0, 0.0, 1.0], "dt_ms": 1.0, "target": TARGET},
}
STRUCTURES: dict[str, dict[str, Any]] = {
    "oddball": {"mix": {"A": 0.7, "B": 0.3}, "n": 4, "apart": 1, "n_trials": 2, "seed": 3},
    "sequence": {"order": ["A", "B", "A"], "n_trials": 2, "seed": 3},
    "omission": {"order": ["A", "B"], "omit": "B", "n_trials": 3, "n_omitted": 1, "seed": 3},
    "by_condition": {"order": ["A", "B"], "seed": 3},
}
BY_COUNTS = {"counts": {"A": 1, "B": 2}, "block": 1}
TIMING = {"soa_ms": 4.0, "start_ms": 1.0, "jitter_ms": 0.5, "cumulative": False, "overlap": True}
AFTER = ("at", "trials", "add", "coded", "nothing", "nothing", "nothing")
TIMES = st.floats(0.0, 20.0)
OPTIONAL = {
    name: [
        argument
        for argument, parameter in inspect.signature(
            getattr(jtfne.Paradigm, name)
        ).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    ]
    for name in BASE
}


class Paradigms(Described):
    """A paradigm is refused, or runs to finite potentials."""

    name = "paradigms"

    def prepare(self) -> jtfne.Net:
        """A net of ten cells."""
        config = (
            jtfne.Config()
            .runtime(duration_ms=20.0, dt_ms=0.5)
            .areas(["V1"])
            .layers(["L4"])
            .cells({"E": 0.5, "PV": 0.5}, n=10)
            .probes(["vm", "spk"])
        )
        return jtfne.construct(config)

    def cases(self) -> st.SearchStrategy[Any]:
        """A constructor, its arguments with an odd one, and what is done with the paradigm."""

        def arguments(name: str) -> st.SearchStrategy[Any]:
            odd = st.tuples(
                st.sampled_from(sorted({*BASE[name], *OPTIONAL[name]})),
                st.one_of(python_values(), TIMES, TIMES),
            )
            return st.tuples(st.just(name), odd, st.sampled_from(AFTER), python_values())

        def structures(name: str) -> st.SearchStrategy[Any]:
            timing = () if name == "by_condition" else TIMING
            arguments = sorted({*STRUCTURES[name], "items", *timing})
            if name == "by_condition":
                arguments += sorted(BY_COUNTS)
            odd = st.tuples(st.sampled_from(arguments), python_values())
            return st.tuples(st.just(name), odd, st.sampled_from(AFTER), python_values())

        constructors = st.sampled_from(sorted(BASE)).flatmap(arguments)
        return st.one_of(
            constructors, constructors, st.sampled_from(sorted(STRUCTURES)).flatmap(structures)
        )

    @staticmethod
    def _build(name: str, argument: str, value: Any) -> jtfne.Paradigm:
        """The paradigm of a constructor, or of a structure of two items, with one argument
        replaced.
        """
        if name in BASE:
            arguments = {**BASE[name], argument: value}
            if argument in ("weight_nS", "weight_mV"):
                del arguments["weight_pA"]
            return getattr(jtfne.Paradigm, name)(**arguments)
        pulse = {**BASE["pulse"], "start_ms": 0.0, "duration_ms": 1.0}
        items: Any = {
            "A": jtfne.Paradigm.pulse(**pulse, label="a"),
            "B": jtfne.Paradigm.sine(**{**BASE["sine"], "stop_ms": 2.0}),
        }
        arguments = dict(STRUCTURES[name])
        timing = dict(TIMING)
        if argument == "items":
            items = value
        elif argument in timing:
            timing[argument] = value
        else:
            arguments[argument] = value
        if name != "by_condition":
            arguments["timing"] = Timing(**timing)
        elif argument in BY_COUNTS:
            arguments = {**BY_COUNTS, argument: value}
        return getattr(jtfne.Paradigm, name)(items, **arguments)

    def run(self, context: jtfne.Net, case: Any) -> None:
        """Build the paradigm and simulate it."""
        name, (argument, value), after, operand = case
        paradigm = self._build(name, argument, value)
        if after == "at":
            paradigm = paradigm.at(operand)
        elif after == "trials":
            paradigm = paradigm.trials(operand)
        elif after == "add":
            paradigm = paradigm + operand
        elif after == "coded":
            paradigm = paradigm.coded(operand)
        if paradigm.n_trials > 3:
            return
        signals = context.simulate(paradigm)
        require_finite(signals.get("vm"), f"vm under {name}")
        if not np.isfinite(signals.events["onset_ms"].to_numpy(float)).all():
            raise AssertionError("an event without a time")
