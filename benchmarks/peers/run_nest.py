"""A circuit of exponential LIF cells in NEST, current- or conductance-based, any of the rules that
the presets use.
"""

from typing import Any

import nest
from _protocol import answer, read, timed


def cells(population: dict[str, Any], mechanisms: dict[str, Any]) -> nest.NodeCollection:
    """The cells of a population, first potentials uniform from reset to threshold, with their
    current.
    """
    emitter, exc, inh = population["emitter"], mechanisms["exc"], mechanisms["inh"]
    values = {
        "C_m": emitter["c_m_pF"],
        "E_L": emitter["v_rest_mV"],
        "V_th": emitter["v_th_mV"],
        "V_reset": emitter["v_reset_mV"],
        "t_ref": emitter["t_ref_ms"],
        "tau_syn_ex": exc["tau_ms"],
        "tau_syn_in": inh["tau_ms"],
        "I_e": population["current_pA"],
    }
    if "e_rev_mV" in exc:
        model = "iaf_cond_exp"
        values |= {
            "g_L": emitter["c_m_pF"] / emitter["tau_m_ms"],
            "E_ex": exc["e_rev_mV"],
            "E_in": inh["e_rev_mV"],
        }
    else:
        model = "iaf_psc_exp"
        values |= {"tau_m": emitter["tau_m_ms"]}
    made = nest.Create(model, population["n_cells"], values)
    made.V_m = nest.random.uniform(emitter["v_reset_mV"], emitter["v_th_mV"])
    return made


def value(spec: Any, sign: int = 0, low: float | None = None) -> Any:
    """A number, or NEST's normal distribution cut at `low` and where the sign would change."""
    if not isinstance(spec, dict):
        return spec
    floor = low if low is not None else (0.0 if sign > 0 else -float("inf"))
    ceiling = 0.0 if sign < 0 else float("inf")
    return nest.math.redraw(nest.random.normal(spec["mean"], spec["sd"]), floor, ceiling)


def rule_of(rule: dict[str, Any]) -> dict[str, Any]:
    """NEST's name for a rule of jtfne."""
    if rule["kind"] == "FixedTotal":
        return {"rule": "fixed_total_number", "N": rule["n"]}
    if rule["kind"] == "FixedIndegree":
        return {"rule": "fixed_indegree", "indegree": rule["n"]}
    return {"rule": "pairwise_bernoulli", "p": rule["p"]}


def build(circuit: dict[str, Any], dt_ms: float) -> list[nest.NodeCollection]:
    """All cells, their input from outside, and their synapses."""
    made = [cells(each, circuit["mechanisms"]) for each in circuit["cells"]]
    for population, group in zip(circuit["cells"], made, strict=True):
        for rain in population["poisson"]:
            span = {"start": rain["start_ms"], "stop": rain["stop_ms"] or float("inf")}
            generator = nest.Create("poisson_generator", params={"rate": rain["rate_Hz"]} | span)
            nest.Connect(
                generator,
                group[: rain["n_cells"]],
                syn_spec={"weight": rain["weight"], "delay": 1.5},
            )
    for each in circuit["connections"]:
        sign = -1 if each["mechanism"] == "inh" else 1
        size = value(each["weight"], sign)
        # conductances too: NEST reads the sign
        signed = size if isinstance(size, nest.Parameter) else sign * abs(size)
        spec = {"weight": signed, "delay": value(each["delay_ms"], low=0.5 * dt_ms)}
        sources = sum((made[k] for k in each["source"][1:]), made[each["source"][0]])
        targets = sum((made[k] for k in each["target"][1:]), made[each["target"][0]])
        nest.Connect(sources, targets, rule_of(each["rule"]), spec)
    return made


def main() -> None:
    """Build, warm up, time the repeats."""
    job = read()
    circuit = job["circuit"]
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.SetKernelStatus(
        {"resolution": job["dt_ms"], "local_num_threads": job["threads"], "rng_seed": job["seed"]}
    )
    build_s, made = timed(lambda: build(circuit, job["dt_ms"]))
    n_cells = sum(len(group) for group in made)
    recorder = nest.Create("spike_recorder")
    for group in made:
        nest.Connect(group, recorder)
    if job["record"] == "vm":
        meter = nest.Create("multimeter", params={"interval": 1.0, "record_from": ["V_m"]})
        for group in made:
            nest.Connect(meter, group)
    first_s, _ = timed(lambda: nest.Simulate(job["warm_ms"]))
    runs = []
    for _ in range(job["repeats"]):
        recorder.n_events = 0
        took_s, _ = timed(lambda: nest.Simulate(job["run_ms"]))
        runs.append((took_s, recorder.n_events / n_cells / job["run_ms"] * 1e3))
    answer(f"NEST {nest.__version__}", build_s, first_s, runs)


if __name__ == "__main__":
    main()
