"""
Tuning a circuit: rates, a spectrum, a recorded CSD
===================================================

**Question: which drives and weights make my circuit fire, sound and look as the recording says?**

We say what a recording showed, what may be changed and within which bounds, and let an optimizer
search. You will see rates reached within some sixty candidates; a second aim, less gamma power, that
pulls against them; and a recorded current source density that can be a third.
"""

# %%
# The circuit: 100 cells of four types. E fires at 8 Hz and PV at some 12.
import jtfne
from jtfne import optimizers
from jtfne.analysis import figures
from jtfne.config import Metric
from jtfne.measures import BandPower, MeanRate

config = jtfne.suite2_net1_config(100).runtime(duration_ms=300.0).probes(["spk", "lfp_proxy"])
signals = jtfne.construct(config).simulate()
rates_Hz = signals.rates().set_index("cell_type")["rate_Hz"]
print(rates_Hz.round(1).to_string())

# %%
# The aim: E at 4 Hz, PV at 10 Hz. A term of the score is the squared distance in units of ``scale``.
rates = [
    Metric(measure=MeanRate(), cells="E", target=4.0, scale=0.5, name="E"),
    Metric(measure=MeanRate(), cells="PV", target=10.0, scale=1.0, name="PV"),
]

# %%
# What may be changed, by path. ``jtfne list paths suite2_net1`` prints all of them.
trainables = [
    {"path": "cells.E.drive", "bounds": (0.0, 10.0)},
    {"path": "gains.E->PV", "bounds": (0.25, 4.0), "transform": "Log"},
]
net = jtfne.construct(config.objective(rates).trainables(trainables))

# %%
# The search: 63 candidates, each run with two seeds and scored by the mean. The circuit is compiled
# once; candidates differ in their arrays alone.
result = jtfne.Trainer(optimizer=optimizers.AGSDR(), seeds=(0, 1), budget=63).fit(
    net, progress=False
)
print(result)

# %%
# Scores by generation; the line is the best so far.
figures.training_history(result)

# %%
# The best circuit is a circuit like any other. With a seed that the search has not seen:
fresh = result.best_net.simulate(seed=7).rates().set_index("cell_type")["rate_Hz"]
print(fresh.round(1).to_string())

# %%
# A second aim: less power between 30 and 60 Hz. Its target is half of what this circuit has; the terms
# add, each in units of its own scale.
band = BandPower(low_Hz=30.0, high_Hz=60.0)
first = result.best_net.simulate(seed=0)
probe = jtfne.Objective([Metric(measure=band, readout="lfp_proxy", target=1.0)])
power = probe.evaluate(first).to_dict()["metrics"][0]["value"]
both = [
    *rates,
    Metric(measure=band, readout="lfp_proxy", target=0.5 * power, scale=0.1 * power, name="gamma"),
]
again = jtfne.construct(result.best_config.objective(both))
second = jtfne.Trainer(optimizer=optimizers.AGSDR(), seeds=(0, 1), budget=63).fit(
    again, progress=False
)
print(second)

# %%
# The two aims pull against each other: fewer spikes make less power, and the search ends in between,
# with rates below what was asked for and power above it. The figure says how far each term is from its
# target; the scales say what a compromise costs.
figures.objective(jtfne.Objective.of(second.best_config).evaluate(second.best_net.simulate(seed=0)))

# %%
# A recording as the aim: the whisker response of rat barrel cortex that ships with elephant (extra
# ``realdata``). Its current source density has an early sink in the middle of the cortex.
from jtfne import analysis

barrel = analysis.load_recording("barrel")
print(barrel.dims, barrel.attrs["units"], "onset at", barrel.attrs["onset_ms"], "ms")
figures.laminar(analysis.csd(barrel, analysis.DeltaICSD(diameter_mm=0.5)))

# %%
# As a target it is one more metric: ``Metric(measure=CSDProfile(...), readout="csd", target=barrel)``,
# the measure being taken of the recording and of the run alike. The validation page *fits* tunes a
# column to this sink with a larger budget, and says how far it came.
