"""A synapse of your own: its time constants, and a gate that says which share of it is open.

GABA-A receptors that rectify outward: they conduct less where the membrane is low. A membrane
that a strong leak clamps at -60 mV sees g (e_rev - v) times the open share there.
"""

# expect: -11.85 +- 0.01

import dataclasses
from typing import ClassVar

import jax.numpy as jnp

import jtfne


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


clamp = jtfne.emitters.LIF(tau_m_ms=1e-3, c_m_pF=100.0, v_rest_mV=-60.0, v_th_mV=1e3)
config = (
    jtfne.Config()
    .runtime(dtype="float64", duration_ms=20.0)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 1})
    .emitters({"E": clamp})
    .mechanisms({"GABA_A": RectifyingConductance()})
    .probes([{"kind": "source", "interval_ms": 0.1}])
)
assert jtfne.Config.from_json(config.to_json()) == config  # as "__main__:RectifyingConductance"
spike = jtfne.Paradigm.spike_times([10.0], target="E", weight_nS=10.0, mechanism="GABA_A")
source_pA = jtfne.construct(config).simulate(spike).get("source").values[:, 0]
print(f"peak of the current: {-source_pA.max():.2f} pA")  # 10 nS x -10 mV x 0.12, mean of a step
