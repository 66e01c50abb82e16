"""An omission task: two beeps, of which the second is left out in a third of the trials; its epochs
by condition.
"""

# expect: 10 +- 6 ms: the mean of the volley, give or take 2 sd and the decay of AMPA

import numpy as np

import jtfne
from jtfne.paradigm import Timing

excitation = {"source": "E", "target": {}, "mechanism": "AMPA", "weight": 10.0}
inhibition = {"source": "PV", "target": {}, "mechanism": "GABA_A", "weight": -20.0}
connections = [
    {**excitation, "rule": {"kind": "FixedProbability", "p": 0.1}},
    {**inhibition, "rule": {"kind": "FixedProbability", "p": 0.2}},
]
config = (
    jtfne.Config()
    .runtime(seed=6, duration_ms=300.0, dt_ms=0.1)
    .areas(["A1"])
    .layers(["L2/3", "L4"])
    .cells({"E": 0.8, "PV": 0.2}, n=100)
    .connections(connections)
    .probes(["spk", "eeg_proxy"])
)
volley = jtfne.Paradigm.evoked(
    target={"layer": "L4"}, mean_ms=10.0, sd_ms=2.0, n_spikes=4, weight_pA=400.0
)
task = jtfne.Paradigm.omission(
    {"first": volley, "second": volley},
    ["first", "second"],
    timing=Timing(soa_ms=120.0, start_ms=60.0, jitter_ms=5.0),
    omit="second",
    n_trials=30,
    n_omitted=10,
    seed=1,
)
signals = jtfne.construct(config).simulate(task)
epochs = jtfne.interop.to_epochs(
    signals,
    "eeg_proxy",
    label=("second", "second omitted"),
    window_ms=(-50, 100),
    baseline_ms=(-50, 0),
)
n_epochs = epochs.metadata.groupby("condition").size().to_dict()
print(n_epochs, "epochs of type", set(epochs.get_channel_types()))
complete, omission = (epochs[name].average(picks="all") for name in ("complete", "omission"))
difference = complete.data - omission.data  # (channels, time)
power = np.sqrt((difference**2).mean(axis=0))
peak_ms = round(1e3 * complete.times[power.argmax()])
print(f"the difference wave is largest at {peak_ms} ms after the expected onset")
