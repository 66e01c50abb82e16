"""Selections: `Signals.get`, `net.select`, tables and saving, with odd names, selectors, windows
and paths.
"""

import contextlib
import tempfile
from typing import Any

from hypothesis import strategies as st

import jtfne
from fuzzing._values import python_values
from fuzzing._verdicts import Meaningless
from fuzzing.areas._base import Described, require_finite, small_config

ARGUMENTS = ("layout", "area", "layer", "cell_type", "ids", "trial", "time")
GOOD = {
    "layout": ("time_node", "node_time", "trial_time_node", "event"),
    "area": ("V1", ["V1", "V4"]),
    "layer": ("L2/3", "L4"),
    "cell_type": ("E", ["PV"]),
    "ids": (0, [3, 1], ["0"]),
    "trial": (0, 1),
    "time": ((0, 10), (5.0, 20.0)),
}


class Selections(Described):
    """A selection is refused, or gives finite values, some of them."""

    name = "selections"

    def prepare(self) -> tuple[jtfne.Net, jtfne.Signals]:
        """A net, and two trials of it."""
        net = jtfne.construct(small_config())
        return net, net.simulate(trials=2)

    def cases(self) -> st.SearchStrategy[Any]:
        """A readout, and one to three selectors."""
        readouts = st.sampled_from(
            ["spk", "vm", "lfp_proxy", "csd_proxy", "eeg_proxy", "spikes", "V_m"]
        )
        names = st.one_of(readouts, readouts, readouts, python_values())

        def selector(argument: str) -> st.SearchStrategy[Any]:
            window = st.tuples(st.floats(-5, 25), st.floats(-5, 25))
            good = st.sampled_from(GOOD[argument])
            odd = st.one_of(python_values(), window) if argument == "time" else python_values()
            return st.tuples(st.just(argument), st.one_of(good, odd))

        selectors = st.lists(st.sampled_from(ARGUMENTS).flatmap(selector), min_size=1, max_size=3)
        return st.tuples(
            st.sampled_from(
                ("get", "get", "get", "select", "to_dataframe", "save", "save net", "open", "load")
            ),
            names,
            selectors,
        )

    def run(self, context: tuple[jtfne.Net, jtfne.Signals], case: Any) -> None:
        """Select."""
        net, signals = context
        door, name, selectors = case
        selected = dict(selectors)
        if door == "select":
            rows = net.select(
                **{
                    key: selected[key]
                    for key in ("area", "layer", "cell_type", "ids")
                    if key in selected
                }
            )
            if len(rows) == 0:
                raise Meaningless("select: no rows")
        elif door == "to_dataframe":
            signals.to_dataframe(name)
        elif door in ("save", "save net", "open", "load"):
            self._use_folder(net, signals, door, name)
        else:
            data = signals.get(name, **selected)
            require_finite(data, "get")
            if data.size == 0 and str(name) not in ("spk", "spikes"):
                raise Meaningless("get: nothing selected")

    @staticmethod
    def _use_folder(net: jtfne.Net, signals: jtfne.Signals, door: str, name: Any) -> None:
        """Write to, or read from, a path that may be odd; what was written must be read back."""
        with tempfile.TemporaryDirectory(prefix="jtfne-fuzz-") as folder, contextlib.chdir(folder):
            if door == "open":
                jtfne.Net.open(name)
            elif door == "load":
                jtfne.load(name)
            elif door == "save net":
                net.save(name)
                if jtfne.Net.open(name).config != net.config:
                    raise Meaningless("save net: another config")
            else:
                signals.save(name)
                if jtfne.load(name).recorded() != signals.recorded():
                    raise Meaningless("save: other readouts")
