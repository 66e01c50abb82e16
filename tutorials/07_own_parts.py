"""
Writing your own cell, synapse and readout
==========================================

**Question: my cell model, my receptor, my signal is not in the catalogue. What do I write, and where
do I put it?**

A class each, anywhere in your own code: no fork, no registration file. Each part is checked against
a closed form here. You will see a cell that fires on the step that arithmetic says, a receptor that
conducts as its gate says, and a readout with a unit and a dimension of its own.
"""

# %%
# A cell is a frozen dataclass with ``init`` and ``step``; ``balance`` says where its current goes, so
# that its field can be computed. This one integrates its input and does nothing else: 100 pA on 100 pF
# are 0.1 mV a step of 0.1 ms.
import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jtfne
from jtfne.analysis import figures
from jtfne.emitters import Balance


class State(NamedTuple):
    v_mV: jnp.ndarray


@jtfne.emitters.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Integrator:
    c_m_pF: float = 100.0
    v_th_mV: float = 19.95

    input_unit: ClassVar[str] = "pA"
    input_pA: ClassVar[float] = 1.0

    def init(self, uniform):
        return State(0.0 * uniform)  # all cells alike; `uniform` in [0, 1) would spread them

    def step(self, state, i_pA, syn, dt_ms):
        start_mV = self._start_mV(state)
        v_mV = start_mV + dt_ms / self.c_m_pF * (i_pA + syn.mean_at_pA(start_mV, dt_ms))
        return State(v_mV), v_mV >= self.v_th_mV

    def balance(self, before, after, i_pA, syn, dt_ms):
        start_mV = self._start_mV(before)
        capacitive = self.c_m_pF * (after.v_mV - start_mV) / dt_ms
        return Balance(capacitive, 0.0 * start_mV, -syn.mean_at_pA(start_mV, dt_ms), -i_pA)

    def _start_mV(self, state):
        return jnp.where(state.v_mV >= self.v_th_mV, 0.0, state.v_mV)  # traces show v before it


# %%
# It stands in a config as any other. 200 steps to the threshold: a spike every 20 ms, 25 in 500 ms.
config = (
    jtfne.Config()
    .runtime(seed=1, dtype="float64", duration_ms=500.0)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 1})
    .emitters({"E": Integrator()})
    .cell_params({"E": {"drive": 100.0}})
    .probes(["spk", "vm"])
)
signals = jtfne.construct(config).simulate()
times_ms = signals.get("spk").values
print(len(times_ms), "spikes; intervals of", np.unique(np.diff(times_ms).round(6)), "ms")
figures.vm(signals)

# %%
# A synapse says its time constants, its reversal potential and, if it has one, its gate. GABA-A
# receptors that rectify outward conduct less where the membrane is low.


@jtfne.synapses.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class RectifyingConductance(jtfne.synapses.Synapse):
    tau_ms: float = 8.0
    e_rev_mV: float = -70.0
    v_half_mV: float = -50.0  # half of the conductance is open there
    width_mV: float = 5.0

    unit: ClassVar[str] = "nS"
    gate_fields: ClassVar[tuple[str, ...]] = ("v_half_mV", "width_mV")

    @property
    def taus_ms(self):
        return (self.tau_ms,)  # (rise, decay) for a course that rises

    def gate(self, v_mV):
        return 1.0 / (1.0 + jnp.exp(-(v_mV - self.v_half_mV) / self.width_mV))


# %%
# A leak that holds the membrane at -60 mV shows the current alone: 10 nS times -10 mV times the open
# share 1 / (1 + e^2) are -11.9 pA.
clamp = jtfne.emitters.LIF(tau_m_ms=1e-3, c_m_pF=100.0, v_rest_mV=-60.0, v_th_mV=1e3)
clamped = (
    jtfne.Config()
    .runtime(dtype="float64", duration_ms=20.0)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 1})
    .emitters({"E": clamp})
    .mechanisms({"GABA_A": RectifyingConductance()})
    .probes([{"kind": "source", "interval_ms": 0.1}])
)
spike = jtfne.Paradigm.spike_times([10.0], target="E", weight_nS=10.0, mechanism="GABA_A")
source_pA = jtfne.construct(clamped).simulate(spike).get("source").values[:, 0]
print(f"{-source_pA.max():.2f} pA; by hand {-100.0 / (1.0 + np.exp(2.0)):.2f} pA before it decays")

# %%
# A readout says its name, dims and unit, and builds the probe that records it. This one is the mean
# source current of each area; the field operators of your own are written alike.
from jtfne.readouts import FieldProbe, Readout


@jtfne.emitters.register
@dataclasses.dataclass(frozen=True)
class AreaMean:
    weights: jax.Array  # (n_cells, n_areas)

    def __call__(self, rows):  # (n_rows, n_parts, n_cells) pA, inside the loop
        return rows.sum(1) @ self.weights


class AreaCurrent(Readout):
    interval_ms: float = 1.0  # a setting, as in {"kind": ..., "interval_ms": 0.5}

    readout: ClassVar[str] = "area_current"
    long_name: ClassVar[str] = "mean source current, outward positive"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "area")
    coords: ClassVar[tuple[str, ...]] = ("area",)
    units: ClassVar[str] = "pA"
    proxy: ClassVar[bool] = False

    def build(self, context):
        cells = context.cells
        in_area = cells.area[:, None] == np.arange(len(cells.areas))
        part = AreaMean(jax.device_put(in_area / in_area.sum(0)))
        coords = {"area": (("area",), np.array(cells.areas))}
        return FieldProbe.build(self, context, part, coords, {"name": "mean over the cells"})


# %%
# An input of 1 is 100 pA for this cell, and a current that is injected has the opposite sign as a
# source: a drive of 1 with a pulse of 2 on it goes from -100 pA to -300 pA and back. The figure shows
# the distance from the mean before the pulse.
recorded = jtfne.suite2_single_neuron_config("E").runtime(duration_ms=50.0)
recorded = recorded.cell_params({"E": {"drive": 1.0, "noise": 0.0}}).probes(["spk", AreaCurrent()])
pulse = jtfne.Paradigm.pulse(target="E", start_ms=20.0, duration_ms=10.0, amplitude=2.0)
stepped = jtfne.construct(recorded).simulate(pulse)
current = stepped.get("area_current")
print(
    current.dims, current.attrs["units"], "from", float(current[10, 0]), "to", float(current[25, 0])
)
figures.traces(stepped, readout="area_current")

# %%
# A config file names such a part as ``module:Class``, and imports it only where the reader says so:
# ``Config.from_file(path, allow_code=True)``. The page *extending* has the other kinds: stimuli,
# measures, optimizers.
