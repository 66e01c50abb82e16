"""A cell model of your own: a registered dataclass with init, step and balance.

A perfect integrator, C v' = i. Under 100 pA on 100 pF it gains 0.1 mV a step of 0.1 ms, and passes
a threshold of 19.95 mV at 20 ms and every 20 ms from there: 25 spikes in 500 ms.
"""

# expect: 25

import dataclasses
from typing import ClassVar, NamedTuple

import jax.numpy as jnp

import jtfne
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


config = (
    jtfne.Config()
    .runtime(seed=1, dtype="float64", duration_ms=500.0)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 1})
    .emitters({"E": Integrator()})
    .cell_params({"E": {"drive": 100.0}})
    .probes(["spk"])
)
assert jtfne.Config.from_json(config.to_json()) == config  # as "__main__:Integrator"
print(f"spikes: {len(jtfne.construct(config).simulate().spikes)}")
