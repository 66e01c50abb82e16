"""
Gradients through spikes
========================

**Question: can I follow the slope of an objective instead of sampling it, although a spike is a
step?**

A surrogate gives the step a smooth slope for the way back, and nothing else changes: the forward pass
has the same spikes. We look at one such slope, compare its sign with a difference of two runs, and let
Adam descend. You will see a circuit of 100 cells come near two rates within some twenty steps, and then
wander in the noise of 200 ms of spikes.
"""

# %%
# The circuit as a pure function: a key and values in, arrays out, to ``jit`` and differentiate.
import jax
import jax.numpy as jnp
import numpy as np
import optax

import jtfne
from jtfne import optimizers
from jtfne.analysis import figures
from jtfne.differentiable import SpikeRows, arrays_of
from jtfne.surrogates import SuperSpike

config = jtfne.suite2_net1_config(100).runtime(duration_ms=200.0).probes(["spk"])
net = jtfne.construct(config)
flat = net.to_flat(surrogate=SuperSpike())


@jax.jit
def score_and_slope(drive_pA, flat):
    def score(drive_pA):
        values = {"circuit.drive_pA": drive_pA}
        arrays = arrays_of(
            flat, jax.random.key(0), n_steps=500, values=values, recorders=(SpikeRows(every=10),)
        )
        rate_Hz = arrays["spk"].sum() / (100 * 0.05)  # spikes of 100 cells in 50 ms
        return (rate_Hz - 20.0) ** 2

    return jax.value_and_grad(score)(drive_pA)


score, slope = score_and_slope(flat.circuit.drive_pA, flat)
print(
    f"score {float(score):.1f}; slopes of {slope.shape[0]} drives, {int((slope != 0).sum())} of them not 0"
)

# %%
# The score is the squared distance from 20 Hz. More drive brings the circuit nearer, so the sum of the
# slopes must be below 0; two runs say the same.
more, _ = score_and_slope(flat.circuit.drive_pA + 20.0, flat)
print(
    f"sum of the slopes: {float(slope.sum()):+.2f}; difference of two runs: {float(more - score):+.1f}"
)

# %%
# By hand no more: ``Trainer`` with ``Gradient`` does this for the objective and the trainables of any
# config. Each candidate runs twice, as events, which score it, and with slopes.
aims = [
    {"measure": "MeanRate", "cells": "E", "target": 8.0, "scale": 0.8, "name": "E"},
    {"measure": "MeanRate", "cells": "PV", "target": 15.0, "scale": 1.5, "name": "PV"},
]
trainables = [
    {"path": "cells.E.drive", "bounds": (0.0, 10.0)},
    {"path": "cells.PV.drive", "bounds": (0.0, 10.0)},
]
far = config.set("cells.E.drive", 6.0).set("cells.PV.drive", 4.0)  # E 12 Hz, PV 24 Hz
tuned = jtfne.construct(far.objective(aims).trainables(trainables))
trainer = jtfne.Trainer(optimizer=optimizers.Gradient(transform=optax.adam(0.03)), budget=25)
result = trainer.fit(tuned, progress=False)
print(result)

# %%
# The descent.
figures.training_history(result)

# %%
# What the history holds: the value and the slope of each path, step by step.
columns = [name for name in result.history.columns if name.startswith(("cells.", "slope"))]
print(result.history[["score", *columns]].iloc[::6].round(3).to_string())

# %%
# When is a gradient the right tool? With many numbers to tune, and a start from which the slope leads
# on. A circuit that is silent has no slope, and a metric such as the CV has none at all; an optimizer
# that searches by scores, such as ``AGSDR`` or ``CMAES``, does without.
best = result.best_net.simulate(seed=3).rates().set_index("cell_type")["rate_Hz"]
print(best.round(1).to_string())
assert np.isfinite(best).all() and jnp.isfinite(slope).all()
