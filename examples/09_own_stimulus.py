"""A stimulus of your own: a frozen dataclass with the mean of its waveform over each step.

A current that begins at its amplitude and decays, as after a flash of light. Its charge is
amplitude times tau, whatever dt: 50 pA x 20 ms move an integrator of 100 pF by 10 mV.
"""

# expect: 10.00 +- 0.01

import dataclasses

import numpy as np

import jtfne


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decay(jtfne.stimuli.Stimulus):
    amplitude: float  # in the input unit of the target
    tau_ms: float = 20.0
    start_ms: float = 0.0

    def waveform(self, first_step, n_steps, dt_ms):
        edges_ms = np.arange(first_step, first_step + n_steps + 1) * dt_ms - self.start_ms
        integral_ms = -self.tau_ms * np.expm1(-np.maximum(edges_ms, 0.0) / self.tau_ms)
        return np.diff(integral_ms) / dt_ms


integrator = jtfne.emitters.LIF(tau_m_ms=1e9, c_m_pF=100.0, v_rest_mV=-70.0, v_th_mV=0.0)
config = (
    jtfne.Config()
    .runtime(dtype="float64", duration_ms=250.0)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 1})
    .emitters({"E": integrator})
    .cell_params({"E": {"v_init_mV": -70.0}})
    .stimuli([{"target": "E", "drive": Decay(amplitude=50.0, start_ms=30.0), "label": "flash"}])
    .probes(["vm"])
)
assert jtfne.Config.from_json(config.to_json()) == config  # as "__main__:Decay"
signals = jtfne.construct(config).simulate()
print(f"depolarized by {float(signals.get('vm')[-1, 0]) + 70.0:.2f} mV")
