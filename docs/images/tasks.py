"""Draws docs/images/tasks.png, the figure of the page on tasks: `python docs/images/tasks.py`."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import jtfne
from jtfne.paradigm import Timing

COLOURS = {"first": "0.6", "second": "tab:blue", "second omitted": "tab:red"}


def run(n_trials: int = 60, n_cells: int = 200) -> jtfne.Signals:
    """Two volleys a trial onto layer 4, of which the second is left out in every third trial."""
    rule = {"kind": "FixedProbability", "p": 0.1}
    config = (
        jtfne.Config()
        .runtime(seed=6, duration_ms=300.0)
        .areas(["A1"])
        .layers(["L2/3", "L4"])
        .cells({"E": 0.8, "PV": 0.2}, n=n_cells)
        .connections(
            [
                {"source": "E", "target": {}, "mechanism": "AMPA", "weight": 10.0, "rule": rule},
                {
                    "source": "PV",
                    "target": {},
                    "mechanism": "GABA_A",
                    "weight": -20.0,
                    "rule": rule,
                },
            ]
        )
        .probes(["spk", "lfp_proxy"])
    )
    volley = jtfne.Paradigm.evoked(
        target={"layer": "L4"}, mean_ms=10.0, sd_ms=2.0, n_spikes=4, weight_pA=400.0
    )
    task = jtfne.Paradigm.omission(
        {"first": volley, "second": volley},
        ["first", "second"],
        timing=Timing(soa_ms=120.0, start_ms=60.0, jitter_ms=15.0),
        omit="second",
        n_trials=n_trials,
        n_omitted=n_trials // 3,
        seed=1,
    )
    return jtfne.construct(config).simulate(task, progress=False)


def figure(signals: jtfne.Signals) -> Figure:
    """The events of each trial, and the averages by condition with their difference."""
    drawn, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.4), layout="constrained")
    for label, rows in signals.events.groupby("label"):
        left.scatter(
            rows["onset_ms"], rows["trial"], s=9, marker="s", color=COLOURS[label], label=label
        )
    n_trials = int(signals.tree.attrs["n_trials"])
    left.set(
        xlabel="time in trial (ms)",
        ylabel="trial",
        xlim=(0, 300),
        ylim=(-1, 1.2 * n_trials),
        title="events",
    )
    left.legend(loc="upper center", ncols=3, fontsize="small")
    evoked = jtfne.interop.to_evoked(
        signals,
        "lfp_proxy",
        label=("second", "second omitted"),
        window_ms=(-40, 100),
        baseline_ms=(-40, 0),
    )
    complete, omission = evoked["complete/second"], evoked["omission/second omitted"]
    channel = int(np.argmax(np.ptp(complete.data - omission.data, axis=1)))
    traces = {"second": complete.data, "second omitted": omission.data}
    for label, data in traces.items():
        right.plot(1e3 * complete.times, data[channel], color=COLOURS[label], label=label)
    right.plot(
        1e3 * complete.times, (complete.data - omission.data)[channel], "k--", label="difference"
    )
    right.axvline(0.0, color="0.8", zorder=0)
    right.set(
        xlabel="time from the expected onset (ms)",
        ylabel="lfp_proxy (a.u.)",
        title=complete.ch_names[channel],
    )
    right.legend(fontsize="small")
    return drawn


if __name__ == "__main__":
    figure(run()).savefig(Path(__file__).with_suffix(".png"), dpi=110)
