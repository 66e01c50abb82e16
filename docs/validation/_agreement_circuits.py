"""The circuits of docs/validation/agreement.rst that jtfne and NEST run, as jtfne declares them."""

import dataclasses
from typing import Any

import numpy as np

from jtfne.config import Config
from jtfne.emitters import (
    GLIF1,
    GLIF2,
    GLIF3,
    LIF,
    AdEx,
    HodgkinHuxley,
    Izhikevich2003,
    SpikeSource,
)
from jtfne.presets import brunel
from jtfne.stimuli import Constant, Poisson, SpikeTimes
from jtfne.synapses import Alpha, AlphaConductance, Conductance, Exponential, PairSTDP, ShortTerm

DT_ms = 0.1
SEED = 5
N_SOURCES = 12


def random_trains(
    n_trains: int, rate_Hz: float, duration_ms: float, seed: int
) -> list[list[float]]:
    """Poisson-like trains on the grid, at most one spike a step, none in the last 20 ms."""
    random = np.random.default_rng(seed)
    first_step, last_step = 20, round((duration_ms - 20.0) / DT_ms)
    chance = rate_Hz * DT_ms * 1e-3
    trains = []
    for _ in range(n_trains):
        steps = first_step + np.flatnonzero(random.random(last_step - first_step) < chance)
        trains.append(np.round(steps * DT_ms, 9).tolist())
    return trains


def base_config(cells: dict[str, int], emitters: dict[str, Any], duration_ms: float) -> Config:
    """A circuit in double precision whose spikes and potentials are recorded at every step."""
    return (
        Config()
        .runtime(seed=SEED, dtype="float64", duration_ms=duration_ms, dt_ms=DT_ms)
        .areas(["V1"])
        .layers(["L4"])
        .cells(cells)
        .emitters(emitters)
        .probes(["spk", "vm"])
    )


def cell_rows(config: Config) -> dict[str, list[int]]:
    """The rows of each cell type. Types are in the order of the circuit, not of the declaration."""
    rows: dict[str, list[int]] = {}
    first = 0
    for population in config.populations():
        rows[population.cell_type] = list(range(first, first + population.n_cells))
        first += population.n_cells
    return rows


def sources_between(config: Config, first: int, last: int) -> dict[str, Any]:
    """The selector of sources `first` to before `last`."""
    return {"cell_type": "source", "ids": cell_rows(config)["source"][first:last]}


def edge(
    source: Any, target: str, mechanism: str, weight: float, delay_ms: float, **more: Any
) -> dict[str, Any]:
    """A connection from every source to every cell of the target's type."""
    return {
        "source": source,
        "target": target,
        "mechanism": mechanism,
        "weight": weight,
        "delay_ms": delay_ms,
        "rule": "AllToAll",
        **more,
    }


LONGEST_REFRACTORY_ms = 4.0
CURRENT_MECHANISMS = {
    "exc": Exponential(tau_ms=2.0, sign=1),
    "inh": Exponential(tau_ms=8.0, sign=-1),
    "alpha": Alpha(tau_ms=1.5, sign=1),
}
CELL = LIF(
    c_m_pF=250.0, tau_m_ms=10.0, v_rest_mV=-65.0, v_th_mV=-50.0, v_reset_mV=-65.0, t_ref_ms=2.0
)
QUIET = dataclasses.replace(CELL, v_th_mV=-20.0)  # a threshold that is never reached
DEPRESSING = ShortTerm(u=0.5, tau_rec_ms=200.0)
FACILITATING = ShortTerm(u=0.1, tau_rec_ms=100.0, tau_facil_ms=500.0)
DELAYS_ms = (0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 15.9, 20.0)
# NEST's glif_psc gets a current from a generator only, which starts after the run does.
GLIF_CURRENTS_pA = {"glif1": 400.0, "glif2": 500.0, "glif3": 600.0}
GLIF_ONSET_ms = 5.0
CURRENT_ms = 300.0


def current_config() -> Config:
    """Cells that receive a constant current, synapses, delays, or short-term plasticity."""
    trains = random_trains(N_SOURCES, 40.0, CURRENT_ms, seed=1)
    lif_kinds = ("dc", "exp", "alpha", "delays", "depress", "facilitate")
    emitters: dict[str, Any] = {"source": SpikeSource(times_ms=trains)} | dict.fromkeys(
        lif_kinds, CELL
    )
    # A refractory time on the grid; the published 3.75 ms is not.
    emitters |= {
        "glif1": GLIF1(t_ref_ms=3.7),
        "glif2": GLIF2(t_ref_ms=3.7),
        "glif3": GLIF3(t_ref_ms=3.7),
    }
    cells = {name: N_SOURCES if name == "source" else 1 for name in emitters}
    config = base_config(cells, emitters, CURRENT_ms)
    half = sources_between(config, 0, N_SOURCES // 2)
    rest = sources_between(config, N_SOURCES // 2, N_SOURCES)
    connections = [
        edge(half, "exp", "exc", 512.0, 1.5),
        edge(rest, "exp", "inh", -128.0, 0.8),
        edge("source", "alpha", "alpha", 128.0, 1.5),
        edge("source", "depress", "exc", 256.0, 1.5, plasticity=DEPRESSING),
        edge("source", "facilitate", "exc", 256.0, 1.5, plasticity=FACILITATING),
    ]
    for source, delay_ms in enumerate(DELAYS_ms):
        one_source = sources_between(config, source, source + 1)
        connections.append(edge(one_source, "delays", "exc", 256.0, delay_ms))
    drives = {"dc": 500.0, "exp": 330.0}
    currents = [
        {
            "target": name,
            "drive": Constant(amplitude=amplitude, start_ms=GLIF_ONSET_ms),
            "label": name,
        }
        for name, amplitude in GLIF_CURRENTS_pA.items()
    ]
    return (
        config.cell_params({name: {"drive": drive} for name, drive in drives.items()})
        .mechanisms(CURRENT_MECHANISMS)
        .connections(connections)
        .stimuli(currents)
    )


MEMBRANE_ms = 300.0
# Steps of 0.1 ms in ten parts, so that what is left between the two is small.
ADEX = AdEx(substeps=10)
HH = HodgkinHuxley(substeps=10)


def membrane_config() -> Config:
    """Cells whose equations have no closed form, under a constant current or conductances."""
    trains = random_trains(N_SOURCES, 40.0, MEMBRANE_ms, seed=2)
    emitters: dict[str, Any] = {
        "source": SpikeSource(times_ms=trains),
        "cond": QUIET,
        "cond_alpha": QUIET,
        "adex": ADEX,
        "izhikevich": Izhikevich2003(),
        "hh": HH,
    }
    cells = {name: N_SOURCES if name == "source" else 1 for name in emitters}
    config = base_config(cells, emitters, MEMBRANE_ms)
    half = sources_between(config, 0, N_SOURCES // 2)
    rest = sources_between(config, N_SOURCES // 2, N_SOURCES)
    drives = {"adex": 800.0, "izhikevich": 10.0, "hh": 400.0}
    return (
        config.cell_params({name: {"drive": drive} for name, drive in drives.items()})
        .mechanisms(
            {
                "exc": Conductance(tau_ms=2.0, e_rev_mV=0.0),
                "inh": Conductance(tau_ms=5.0, e_rev_mV=-80.0),
                "exc_alpha": AlphaConductance(tau_ms=1.0, e_rev_mV=0.0),
                "inh_alpha": AlphaConductance(tau_ms=3.0, e_rev_mV=-80.0),
            }
        )
        .connections(
            [
                edge(half, "cond", "exc", 4.0, 1.5),
                edge(rest, "cond", "inh", 8.0, 0.8),
                edge(half, "cond_alpha", "exc_alpha", 4.0, 1.5),
                edge(rest, "cond_alpha", "inh_alpha", 8.0, 0.8),
            ]
        )
    )


NETWORK_ms = 1000.0


def network_config() -> Config:
    """240 excitatory and 60 inhibitory cells, randomly wired, under a current and 60 sources."""
    trains = random_trains(60, 30.0, NETWORK_ms, seed=3)
    indegree = {"kind": "FixedIndegree", "n": 20}
    delays = {"kind": "Uniform", "low": 0.5, "high": 3.0}
    connections = [
        edge("source", "E", "exc", 150.0, 1.0) | {"rule": {"kind": "FixedIndegree", "n": 6}},
        edge("source", "I", "exc", 150.0, 1.0) | {"rule": {"kind": "FixedIndegree", "n": 6}},
    ]
    for target in ("E", "I"):
        connections.append(
            edge("E", target, "exc", 90.0, 1.0) | {"rule": indegree, "delay_ms": delays}
        )
        connections.append(
            edge("I", target, "inh", -120.0, 1.0) | {"rule": indegree, "delay_ms": delays}
        )
    cells = {"source": 60, "E": 240, "I": 60}
    emitters = {"source": SpikeSource(times_ms=trains), "E": CELL, "I": CELL}
    return (
        base_config(cells, emitters, NETWORK_ms)
        .cell_params({"E": {"drive": 330.0}, "I": {"drive": 330.0}})
        .mechanisms({name: CURRENT_MECHANISMS[name] for name in ("exc", "inh")})
        .connections(connections)
        .probes(["spk"])
    )


STDP = PairSTDP(w_max=64.0, a_plus=0.02, a_minus=0.03, tau_plus_ms=15.0, tau_minus_ms=30.0)
STDP_ms, STDP_DELAY_ms = 600.0, 1.0
TEACHER_pA = 2.0**23  # one spike of the teacher makes the target fire
# NEST changes a weight when its source spikes: a last spike of each source shows the last state.
STDP_LAST_ms = 590.0


def plastic_config() -> Config:
    """Synapses under pair STDP from 12 trains onto one cell, which another train makes fire."""
    before = [[*train, STDP_LAST_ms] for train in random_trains(N_SOURCES, 20.0, STDP_ms, seed=4)]
    (after,) = random_trains(1, 25.0, STDP_ms, seed=5)
    obedient = LIF(c_m_pF=250.0, tau_m_ms=0.05, v_th_mV=-50.0, v_reset_mV=-65.0, t_ref_ms=0.0)
    emitters = {
        "source": SpikeSource(times_ms=before),
        "teacher": SpikeSource(times_ms=[after]),
        "cell": obedient,
    }
    return (
        base_config({"source": N_SOURCES, "teacher": 1, "cell": 1}, emitters, STDP_ms)
        .mechanisms({"exc": Exponential(tau_ms=0.01, sign=1)})
        .connections(
            [
                edge("source", "cell", "exc", 32.0, STDP_DELAY_ms, plasticity=STDP),
                edge("teacher", "cell", "exc", TEACHER_pA, 1.0),
            ]
        )
        .probes(["spk"])
    )


JUMP_ms = 300.0


def jump_config() -> Config:
    """One cell of the preset `brunel` under 40 trains of jumps, near threshold."""
    preset = brunel("C")
    trains = random_trains(40, 350.0, JUMP_ms, seed=6)
    exc = preset.circuit.connections[0]
    emitter = preset.populations()[0].emitter
    return (
        base_config(
            {"source": 40, "cell": 1},
            {"source": SpikeSource(times_ms=trains), "cell": emitter},
            JUMP_ms,
        )
        .mechanisms({"exc": preset.circuit.mechanisms["exc"]})
        .connections([edge("source", "cell", exc.mechanism, exc.weight, exc.delay_ms)])
    )


STIMULUS_ms = 100.0
STIMULUS_TIMES_ms = (10.0, 12.5, 30.0, 30.1, 47.7, 80.0)


def stimulus_config() -> Config:
    """One cell that a table of spike times reaches, without a delay."""
    stimulus = {
        "target": "cell",
        "drive": SpikeTimes(times_ms=STIMULUS_TIMES_ms, weight_pA=256.0, mechanism="exc"),
        "label": "spikes",
    }
    return (
        base_config({"cell": 1}, {"cell": CELL}, STIMULUS_ms)
        .mechanisms({"exc": CURRENT_MECHANISMS["exc"]})
        .stimuli([stimulus])
    )


POISSON_ms, POISSON_CELLS = 100.0, 1000
POISSON_RATE_Hz, POISSON_WEIGHT_pA = 2000.0, 40.0


def poisson_config() -> Config:
    """A thousand cells that never fire, each under a Poisson train of its own."""
    quiet = dataclasses.replace(CELL, v_th_mV=0.0)
    drive = Poisson(rate_Hz=POISSON_RATE_Hz, weight_pA=POISSON_WEIGHT_pA, mechanism="exc")
    return (
        base_config({"cell": POISSON_CELLS}, {"cell": quiet}, POISSON_ms)
        .mechanisms({"exc": CURRENT_MECHANISMS["exc"]})
        .stimuli([{"target": "cell", "drive": drive, "label": "poisson"}])
        .probes(["vm"])
    )


CONFIGS = {
    "current": current_config,
    "membrane": membrane_config,
    "network": network_config,
    "plastic": plastic_config,
    "jump": jump_config,
    "stimulus": stimulus_config,
    "poisson": poisson_config,
}
