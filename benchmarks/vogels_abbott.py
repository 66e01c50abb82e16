"""Vogels & Abbott (2005), current-based, 4,000 cells, 80 synapses each: jtfne beside NEST on the same cores.

    python benchmarks/vogels_abbott.py

Needs the extra `bench` (nest-simulator). Nothing else should run: under load NEST's threads spin.
"""

import subprocess
import sys
import time

import jtfne
from _record import record
from jtfne.presets.vogels_abbott import CELL, N_E, N_I, DELAY_ms, P, WEIGHTS_pA, vogels_abbott

WARM_MS, RUN_MS, REPEATS = 200.0, 1000.0, 5

NEST = f"""
import nest, sys, time
nest.set_verbosity("M_ERROR")
nest.SetKernelStatus({{"resolution": 0.1, "local_num_threads": int(sys.argv[1]), "rng_seed": int(sys.argv[2])}})
cell = dict(tau_m={CELL.tau_m_ms}, C_m={CELL.c_m_pF}, E_L={CELL.v_rest_mV}, V_th={CELL.v_th_mV})
cell |= dict(V_reset={CELL.v_reset_mV}, t_ref={CELL.t_ref_ms}, tau_syn_ex=5., tau_syn_in=10.)
e, i = nest.Create("iaf_psc_exp", {N_E}, cell), nest.Create("iaf_psc_exp", {N_I}, cell)
(e + i).V_m = nest.random.uniform(-60., -50.)
rule = {{"rule": "pairwise_bernoulli", "p": {P}}}
nest.Connect(e, e + i, rule, {{"weight": {WEIGHTS_pA["E"]}, "delay": {DELAY_ms}}})
nest.Connect(i, e + i, rule, {{"weight": {WEIGHTS_pA["I"]}, "delay": {DELAY_ms}}})
nest.Simulate({WARM_MS})
for _ in range({REPEATS}):
    began = time.perf_counter()
    nest.Simulate({RUN_MS})
    took = time.perf_counter() - began
    print("RESULT", took, nest.local_spike_counter / {N_E + N_I} / {RUN_MS} * 1e3, flush=True)
"""


def ours() -> dict[str, float]:
    """Best of several runs of `simulate`: wall seconds for one second of activity, and the mean rate."""
    began = time.perf_counter()
    net = jtfne.construct(vogels_abbott().runtime(duration_ms=RUN_MS))
    built = time.perf_counter() - began
    began = time.perf_counter()
    net.simulate(duration_ms=WARM_MS, progress=False)
    first = time.perf_counter() - began
    took, rates = [], []
    for seed in range(REPEATS):
        began = time.perf_counter()
        signals = net.simulate(seed=seed, progress=False)
        took.append(time.perf_counter() - began)
        rates.append(signals.get("spikes").size / net.n_neurons / RUN_MS * 1e3)
    return {"wall_s": min(took), "rate_Hz": sum(rates) / REPEATS, "build_s": built, "first_call_s": first}


def nest(threads: int, seed: int = 1) -> dict[str, float]:
    """The same for NEST, in a process of its own."""
    command = [sys.executable, "-c", NEST, str(threads), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("RESULT")]
    return {"wall_s": min(float(took) for took, _ in rows), "rate_Hz": sum(float(rate) for _, rate in rows) / len(rows)}


def main() -> None:
    """Measure both, print the table, append the line."""
    figures = {"jtfne": ours(), "nest_1_thread": nest(1), "nest_2_threads": nest(2)}
    numbers: dict[str, float] = {}
    for name, figure in figures.items():
        numbers[f"{name}_us_per_step"] = round(figure["wall_s"] / (RUN_MS / 0.1) * 1e6, 2)
        numbers[f"{name}_rate_Hz"] = round(figure["rate_Hz"], 2)
        numbers[f"{name}_ratio"] = round(figure["wall_s"] / figures["jtfne"]["wall_s"], 2)
        print(f"{name:16}", *(f"{key.removeprefix(name + '_')} {numbers[key]}" for key in list(numbers)[-3:]))
    extra = {name: round(figures["jtfne"][name], 3) for name in ("build_s", "first_call_s")}
    record("vogels_abbott", **numbers, **extra)


if __name__ == "__main__":
    main()
