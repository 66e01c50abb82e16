"""
A column, from a sketch to the EEG
==================================

**Question: what does an EEG cap see when a volley of spikes reaches layer 4 of one column of visual
cortex?**

We declare a small column, connect it, let a volley arrive, and record spikes, potentials between the
layers, and the EEG of a whole cap. You will see which cells answer, where current enters and leaves
them, and some nanovolts on the scalp: one column is small.
"""

# %%
# A circuit is declared, not programmed. Each method of a ``Config`` returns a new one; what is left
# out has a default. Here: one area, three layers from the pia down, 400 cells, four fifths of them
# excitatory. E and PV are names that jtfne knows; each has a neuron model of its own.
import jtfne
from jtfne.analysis import figures

config = (
    jtfne.Config()
    .runtime(seed=1, duration_ms=300.0, dt_ms=0.1)
    .areas(["V1"])
    .layers(["L2/3", "L4", "L5"])
    .cells({"E": 0.8, "PV": 0.2}, n=400)
)
config

# %%
# Who connects to whom: a source, a target, a receptor, a rule, and a weight in pA. A selector may
# name a cell type, a layer, an area, or any mix of them.
to_l23 = {"source": {"layer": "L4", "cell_type": "E"}, "target": {"layer": "L2/3"}}
to_l5 = {"source": {"layer": "L2/3", "cell_type": "E"}, "target": {"layer": "L5"}}
config = config.connections(
    [
        {"source": "E", "target": "PV", "mechanism": "AMPA", "weight": 10.0,
         "rule": {"kind": "FixedProbability", "p": 0.1}},
        {"source": "PV", "target": "E", "mechanism": "GABA_A", "weight": -20.0,
         "rule": {"kind": "FixedProbability", "p": 0.3}},
        {**to_l23, "mechanism": "AMPA", "weight": 25.0, "delay_ms": 2.0,
         "rule": {"kind": "FixedProbability", "p": 0.3}},
        {**to_l5, "mechanism": "AMPA", "weight": 25.0, "delay_ms": 2.0,
         "rule": {"kind": "FixedProbability", "p": 0.3}},
    ]
)  # fmt: skip

# %%
# What happens: a volley into layer 4. Each of its cells gets 6 spikes around 150 ms, give or take
# 3 ms; the event stands at their mean.
volley = jtfne.Paradigm.evoked(
    target={"layer": "L4"}, mean_ms=150.0, sd_ms=3.0, n_spikes=6, weight_pA=500.0, label="volley"
)

# %%
# What is recorded: spikes, the potential along a probe with contacts from pia to white matter, its
# current source density, and the EEG. ``net`` is the circuit with every synapse drawn;
# ``print(net.summary())`` tells how many each cell has.
config = config.probes(["spk", "vm", "lfp", "csd", "eeg"])
net = jtfne.construct(config)
signals = net.simulate(volley)
signals

# %%
# Every readout is an xarray with names on its axes and a unit.
lfp = signals.get("lfp", area="V1")
print(lfp.dims, lfp.attrs["units"])
print(signals.rates().round(1).to_string(index=False))

# %%
# The spikes, cells sorted by depth. Layer 4 answers the volley at once; the layers that hear of it from
# there hardly change, since 25 pA from some 30 cells is little beside their noise.
figures.raster(signals)

# %%
# The current source density, blue where current enters the cells (sinks). Unless you say otherwise,
# excitation of E cells enters along the apical dendrite, from the soma up to the pia, and returns at
# the soma; PV cells, whose dendrites go everywhere, make no field. So the volley is a sink above
# layer 4 and a source in it. ``Config.source(maps=...)`` says otherwise.
figures.laminar(signals, readout="csd")

# %%
# On the scalp the volley is a small wave. The figure chooses the unit that suits its size.
figures.traces(signals, readout="eeg")

# %%
# Its map at the time when the channels differ most: a column in the back of the head makes a field
# in the back of the head.
figures.topography(signals, readout="eeg")

# %%
# How large is it, and when? A real evoked potential has microvolts, since it stands for millions of
# cells; 400 cells make far less. ``Config.source(scale=...)`` says for how many cells each of ours
# stands.
eeg = signals.get("eeg")
after = eeg.sel(time=slice(150.0, 250.0)) - eeg.sel(time=slice(100.0, 150.0)).mean("time")
peak = abs(after).max("channel")
print(
    f"largest: {1e9 * float(peak.max()):.2f} nV, {float(peak.idxmax('time')) - 150.0:.0f} ms after the onset"
)

# %%
# Next: the same as an MNE object, with its electrodes and events, for whatever your pipeline does.
raw = jtfne.interop.to_raw(signals, "eeg")
print(raw)
print(raw.annotations)
