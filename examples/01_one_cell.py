"""One leaky integrate-and-fire cell under a constant current, against its closed form.

Towards v_inf = v_rest + R i, from reset to threshold, takes tau ln((v_inf - v_reset) / (v_inf -
v_th)) = 13.86 ms; on a grid of 0.1 ms that is 13.9 ms, and the cell holds for 2 ms before.
"""

# expect: 15.9 +- 1e-6

import numpy as np

import jtfne

cell = jtfne.emitters.LIF(
    c_m_pF=250.0, tau_m_ms=10.0, v_rest_mV=-65.0, v_th_mV=-50.0, v_reset_mV=-65.0, t_ref_ms=2.0
)
config = (
    jtfne.Config()
    .runtime(seed=1, dtype="float64", duration_ms=500.0, dt_ms=0.1)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 1})
    .emitters({"E": cell})
    .cell_params({"E": {"drive": 500.0}})  # pA, the input unit of a LIF cell
    .probes(["spk"])
)
signals = jtfne.construct(config).simulate()
times_ms = signals.spikes["time_ms"].to_numpy()
print(f"{len(times_ms)} spikes, mean interval {np.diff(times_ms).mean():.6f} ms")
