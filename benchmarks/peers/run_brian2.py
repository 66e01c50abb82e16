"""Vogels & Abbott's networks in brian2: one group of LIF cells, two kinds of exponential synapse,
Cython.
"""

import tempfile
from typing import Any

import brian2 as b2
from _protocol import answer, read, timed
from brian2 import ms, mV, nS, pA, pF

CURRENTS = """
dv/dt = (v_rest - v) / tau_m + (I_exc + I_inh) / c_m : volt (unless refractory)
dI_exc/dt = -I_exc / tau_exc : amp
dI_inh/dt = -I_inh / tau_inh : amp
"""
CONDUCTANCES = """
dv/dt = (v_rest - v) / tau_m + (g_exc * (e_exc - v) + g_inh * (e_inh - v)) / c_m : volt (unless refractory)
dg_exc/dt = -g_exc / tau_exc : siemens
dg_inh/dt = -g_inh / tau_inh : siemens
"""


def build(circuit: dict[str, Any], dt_ms: float, record: str) -> tuple[b2.Network, b2.SpikeMonitor]:
    """The network and its spikes; all cells are alike, excitatory ones first. Poisson input is on
    from the start.
    """
    b2.defaultclock.dt = dt_ms * ms
    cell, exc, inh = (
        circuit["cells"][0]["emitter"],
        *(circuit["mechanisms"][name] for name in ("exc", "inh")),
    )
    counts = [each["n_cells"] for each in circuit["cells"]]
    conducting = "e_rev_mV" in exc
    unit, variable = (nS, "g") if conducting else (pA, "I")
    names = {
        "v_rest": cell["v_rest_mV"] * mV,
        "tau_m": cell["tau_m_ms"] * ms,
        "c_m": cell["c_m_pF"] * pF,
    }
    names |= {"v_th": cell["v_th_mV"] * mV, "v_reset": cell["v_reset_mV"] * mV}
    names |= {"tau_exc": exc["tau_ms"] * ms, "tau_inh": inh["tau_ms"] * ms}
    if conducting:
        names |= {"e_exc": exc["e_rev_mV"] * mV, "e_inh": inh["e_rev_mV"] * mV}
    group = b2.NeuronGroup(
        sum(counts),
        CONDUCTANCES if conducting else CURRENTS,
        threshold="v > v_th",
        reset="v = v_reset",
        refractory=cell["t_ref_ms"] * ms,
        method="exponential_euler" if conducting else "exact",
        namespace=names,
    )
    group.v = "v_reset + (v_th - v_reset) * rand()"
    parts = [group]
    bounds = [0, counts[0], sum(counts)]
    for each in circuit["connections"]:
        (k,) = each["source"]
        mechanism = each["mechanism"]
        on_pre = f"{variable}_{mechanism} += w_{mechanism}"
        synapses = b2.Synapses(
            group[bounds[k] : bounds[k + 1]],
            group,
            on_pre=on_pre,
            namespace={f"w_{mechanism}": each["weight"] * unit},
        )
        synapses.connect(p=each["rule"]["p"])
        synapses.delay = each["delay_ms"] * ms
        parts.append(synapses)
    for k, each in enumerate(circuit["cells"]):
        for rain in each["poisson"]:
            part, target = (
                group[bounds[k] : bounds[k] + rain["n_cells"]],
                f"{variable}_{rain['mechanism']}",
            )
            parts.append(
                b2.PoissonInput(
                    part, target, 1, rain["rate_Hz"] * b2.Hz, weight=rain["weight"] * unit
                )
            )
    spikes = b2.SpikeMonitor(group)
    parts.append(spikes)
    if record == "vm":
        parts.append(b2.StateMonitor(group, "v", record=True, dt=1 * ms))
    return b2.Network(parts), spikes


def warm_up(network: b2.Network, job: dict[str, Any]) -> None:
    """The first `warm_ms`; Poisson input, where there is some, stops before their end."""
    stops_ms = [rain["stop_ms"] for each in job["circuit"]["cells"] for rain in each["poisson"]]
    kick_ms = max(stops_ms, default=0.0)
    if kick_ms:
        network.run(kick_ms * ms)
        for part in network.objects:
            if isinstance(part, b2.PoissonInput):
                part.active = False
    network.run((job["warm_ms"] - kick_ms) * ms)


def main() -> None:
    """Build, warm up, time the repeats; code is compiled anew, in a cache of this process."""
    job = read()
    with tempfile.TemporaryDirectory() as cache:
        b2.prefs.codegen.target = "cython"
        b2.prefs.codegen.runtime.cython.cache_dir = cache
        b2.seed(job["seed"])
        build_s, (network, spikes) = timed(
            lambda: build(job["circuit"], job["dt_ms"], job["record"])
        )
        first_s, _ = timed(lambda: warm_up(network, job))
        runs, n_cells = [], spikes.source.N
        for _ in range(job["repeats"]):
            before = spikes.num_spikes
            took_s, _ = timed(lambda: network.run(job["run_ms"] * ms))
            runs.append((took_s, (spikes.num_spikes - before) / n_cells / job["run_ms"] * 1e3))
        answer(f"brian2 {b2.__version__}", build_s, first_s, runs)


if __name__ == "__main__":
    main()
