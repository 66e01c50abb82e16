"""Paradigms: every constructor with odd arguments, moved, repeated and added, and run where accepted."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

import jtfne
from fuzzing._values import python_values
from fuzzing.areas._base import Described, require_finite

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
AFTER = ("at", "trials", "add", "nothing", "nothing", "nothing")
TIMES = st.floats(0.0, 20.0)


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
                st.sampled_from(sorted(BASE[name])), st.one_of(python_values(), TIMES, TIMES)
            )
            return st.tuples(st.just(name), odd, st.sampled_from(AFTER), python_values())

        return st.sampled_from(sorted(BASE)).flatmap(arguments)

    def run(self, context: jtfne.Net, case: Any) -> None:
        """Build the paradigm and simulate it."""
        name, (argument, value), after, operand = case
        paradigm = getattr(jtfne.Paradigm, name)(**{**BASE[name], argument: value})
        if after == "at":
            paradigm = paradigm.at(operand)
        elif after == "trials":
            paradigm = paradigm.trials(operand)
        elif after == "add":
            paradigm = paradigm + operand
        if paradigm.n_trials > 3:
            return
        signals = context.simulate(paradigm)
        require_finite(signals.get("vm"), f"vm under {name}")
        if not np.isfinite(signals.events["onset_ms"].to_numpy(float)).all():
            raise AssertionError("an event without a time")
