"""
An omission task, to MNE's epochs and a difference wave
=======================================================

**Question: a tone is left out in a third of the trials. How does the simulated EEG differ, and how
do I get it as the** ``mne.Epochs`` **that my scripts already analyse?**

We simulate 30 trials of two tones, the second of which is sometimes omitted, and take the EEG through
MNE: epochs by condition, averages, a difference wave with its map. You will see a response to the
tone and none to its absence: this circuit expects nothing, and the difference wave is the response
itself.
"""

# %%
# A small auditory column of two layers. ``eeg`` is in volts, computed from the currents of all cells
# in a four-sphere head.
import jtfne
from jtfne.paradigm import Timing

config = (
    jtfne.Config()
    .runtime(seed=6, duration_ms=300.0, dt_ms=0.1)
    .areas(["A1"])
    .layers(["L2/3", "L4"])
    .cells({"E": 0.8, "PV": 0.2}, n=100)
    .connections(
        [
            {"source": "E", "target": {}, "mechanism": "AMPA", "weight": 10.0,
             "rule": {"kind": "FixedProbability", "p": 0.1}},
            {"source": "PV", "target": {}, "mechanism": "GABA_A", "weight": -20.0,
             "rule": {"kind": "FixedProbability", "p": 0.2}},
        ]
    )
    .probes(["spk", "eeg"])
)  # fmt: skip

# %%
# A tone is a volley into layer 4. The task presents two of them 120 ms apart, jittered by 5 ms, and
# leaves the second out in 10 of 30 trials. Orders, jitter and noise are drawn by the seed.
tone = jtfne.Paradigm.evoked(
    target={"layer": "L4"}, mean_ms=10.0, sd_ms=2.0, n_spikes=4, weight_pA=400.0
)
task = jtfne.Paradigm.omission(
    {"first": tone, "second": tone},
    ["first", "second"],
    timing=Timing(soa_ms=120.0, start_ms=60.0, jitter_ms=5.0),
    omit="second",
    n_trials=30,
    n_omitted=10,
    seed=1,
)
signals = jtfne.construct(config).simulate(task)
print(signals.events.groupby("label").size())

# %%
# From here on it is MNE. The omitted tone is an event at the time when it would have come, so both
# conditions have epochs around the same moment.
epochs = jtfne.interop.to_epochs(
    signals,
    "eeg",
    label=("second", "second omitted"),
    window_ms=(-50, 100),
    baseline_ms=(-50, 0),
)
epochs

# %%
# Metadata say which trial and condition each epoch is of.
print(epochs.metadata.groupby("condition").size())

# %%
# Averages by condition, and their difference: MNE's own functions.
import mne

complete, omission = (epochs[name].average() for name in ("complete", "omission"))
difference = mne.combine_evoked([complete, omission], weights=[1, -1])
picture = difference.plot_joint(times="peaks", title="complete - omission", show=False)

# %%
# When is the difference largest, and how large is it beside the noise that is left? The standard
# error of the mean over epochs says.
import numpy as np

field_nV = 1e9 * difference.data
size_nV = np.sqrt((field_nV**2).mean(axis=0))
before = difference.times < 0.0
print(
    f"largest {1e3 * difference.times[size_nV.argmax()]:.0f} ms after the onset: {size_nV.max():.3f} nV"
)
print(f"before the onset: {size_nV[before].mean():.3f} nV")

# %%
# A paired comparison needs no statistics at all: a stimulus that is added or left out moves no draw
# of any other, so the same seed with and without the second tone differs by the tone alone.
pair = {}
for name, paradigm in {
    "with": tone.at(60.0) + tone.at(180.0),
    "without": tone.at(60.0),
}.items():
    pair[name] = jtfne.construct(config).simulate(paradigm, seed=3).get("eeg", ids=["Cz"])
gap = abs(pair["with"] - pair["without"]).squeeze()
first_ms = float(gap["time"][np.flatnonzero(gap.values)[0]])
print(f"the two runs are equal to the last bit until {first_ms:.0f} ms")
