"""Describes the circuits of `_agreement_circuits` to NEST.

NEST is wired from jtfne's own table of edges and started from jtfne's own initial state, so that
nothing random is left between the two.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

import jtfne
from docs.validation import _agreement_circuits as circuits
from docs.validation._agreement_circuits import SEED, DT_ms, cell_rows
from jtfne import _keys, engine
from jtfne._precision import precision
from jtfne.config import Config
from jtfne.presets.brunel import DELAY_ms, J_mV
from jtfne.synapses import ShortTerm

# A current that a generator of NEST sends reaches a cell after its delay.
GENERATOR_LATENCY_ms = DT_ms

Node = dict[str, Any]


def initial_states(net: jtfne.Net) -> dict[int, dict[str, float]]:
    """The state of each cell before the first step of trial 0, by its emitter's names."""
    states: dict[int, dict[str, float]] = {}
    with precision("float64"):
        circuit = net.to_flat().circuit
        keys = _keys.streams(_keys.key(SEED, "trial", "0"))
        carry = engine.start(circuit, engine.Inputs(jnp.zeros((0, net.n_neurons))), keys)
        for group, cells in zip(circuit.groups, carry.cells, strict=True):
            rows = np.arange(net.n_neurons) if group.index is None else np.asarray(group.index)
            for field, values in cells._asdict().items():
                for row, value in zip(rows.tolist(), np.asarray(values).tolist(), strict=True):
                    states.setdefault(row, {})[field] = value
    return states


# What NEST calls the cells and synapses of jtfne


def generator(times_ms: Any, *, earlier_ms: float = 0.0) -> Node:
    """A source of spikes, all `earlier_ms` before the times given."""
    times = np.round(np.asarray(times_ms, float) - earlier_ms, 9).tolist()
    return {"model": "spike_generator", "params": {"spike_times": times}}


def lif_params(emitter: Any, drive_pA: float, state: dict[str, float]) -> dict[str, float]:
    """What all of NEST's linear integrate-and-fire models share."""
    return {
        "C_m": emitter.c_m_pF,
        "E_L": emitter.v_rest_mV,
        "V_th": emitter.v_th_mV,
        "V_reset": emitter.v_reset_mV,
        "t_ref": emitter.t_ref_ms,
        "I_e": drive_pA,
        "V_m": state["v_mV"],
    }


def current_node(
    model: str, emitter: Any, drive_pA: float, state: dict[str, float], taus_ms: tuple[float, float]
):
    """`iaf_psc_exp` or `iaf_psc_alpha`."""
    params = lif_params(emitter, drive_pA, state) | {"tau_m": emitter.tau_m_ms}
    params |= {"tau_syn_ex": taus_ms[0], "tau_syn_in": taus_ms[1]}
    return {"model": model, "params": params}


def conductance_node(model: str, emitter: Any, state: dict[str, float], exc: Any, inh: Any) -> Node:
    """`iaf_cond_exp` or `iaf_cond_alpha`."""
    params = lif_params(emitter, 0.0, state) | {"g_L": emitter.c_m_pF / emitter.tau_m_ms}
    params |= {
        "tau_syn_ex": exc.tau_ms,
        "tau_syn_in": inh.tau_ms,
        "E_ex": exc.e_rev_mV,
        "E_in": inh.e_rev_mV,
    }
    return {"model": model, "params": params}


def glif_node(emitter: Any, state: dict[str, float]) -> Node:
    """`glif_psc` at level 1, 2 or 3, by what the emitter has."""
    params: dict[str, Any] = {
        "C_m": emitter.c_m_pF,
        "g": emitter.g_nS,
        "E_L": emitter.e_l_mV,
        "V_th": emitter.v_th_mV,
        "t_ref": emitter.t_ref_ms,
        "V_m": state["v_mV"],
        "spike_dependent_threshold": False,
        "after_spike_currents": False,
        "adapting_threshold": False,
    }
    if hasattr(emitter, "reset_fraction"):
        params |= {
            "spike_dependent_threshold": True,
            "th_spike_add": emitter.th_add_mV,
            "th_spike_decay": 1.0 / emitter.tau_th_ms,
            "voltage_reset_fraction": emitter.reset_fraction,
            "voltage_reset_add": emitter.reset_add_mV,
            "V_reset": emitter.e_l_mV,
        }
    else:
        params["V_reset"] = emitter.v_reset_mV
    if hasattr(emitter, "amp_1_pA"):
        params |= {
            "after_spike_currents": True,
            "asc_init": [0.0, 0.0],
            "asc_decay": [1.0 / emitter.tau_1_ms, 1.0 / emitter.tau_2_ms],
            "asc_amps": [emitter.amp_1_pA, emitter.amp_2_pA],
            "asc_r": [1.0, 1.0],
        }
    return {"model": "glif_psc", "params": params}


def adex_node(emitter: Any, drive_pA: float, state: dict[str, float]) -> Node:
    """`aeif_psc_exp`, whose integrator is adaptive."""
    return {
        "model": "aeif_psc_exp",
        "params": {
            "C_m": emitter.c_m_pF,
            "g_L": emitter.g_nS,
            "E_L": emitter.v_rest_mV,
            "V_th": emitter.v_t_mV,
            "Delta_T": emitter.delta_mV,
            "a": emitter.a_nS,
            "tau_w": emitter.tau_w_ms,
            "b": emitter.b_pA,
            "V_reset": emitter.v_reset_mV,
            "V_peak": emitter.v_peak_mV,
            "t_ref": 0.0,
            "I_e": drive_pA,
            "V_m": state["v_mV"],
            "w": state["w_pA"],
            "gsl_error_tol": 1e-10,
        },
    }


def izhikevich_node(emitter: Any, drive: float, state: dict[str, float]) -> Node:
    """`izhikevich`, which takes Euler steps as jtfne does."""
    return {
        "model": "izhikevich",
        "params": {
            "a": emitter.a,
            "b": emitter.b,
            "c": emitter.c_mV,
            "d": emitter.d,
            "V_th": emitter.v_peak_mV,
            "I_e": drive,
            "V_m": state["v_mV"],
            "U_m": state["u"],
        },
    }


def hodgkin_huxley_node(emitter: Any, drive_pA: float, state: dict[str, float]) -> Node:
    """`hh_cond_exp_traub`, whose integrator is adaptive."""
    return {
        "model": "hh_cond_exp_traub",
        "params": {
            "C_m": emitter.c_m_pF,
            "g_L": emitter.g_l_nS,
            "g_Na": emitter.g_na_nS,
            "g_K": emitter.g_k_nS,
            "E_L": emitter.e_l_mV,
            "E_Na": emitter.e_na_mV,
            "E_K": emitter.e_k_mV,
            "V_T": emitter.v_t_mV,
            "I_e": drive_pA,
            "V_m": state["v_mV"],
            "Act_m": state["m"],
            "Inact_h": state["h"],
            "Act_n": state["n"],
        },
    }


def short_term_synapse(rule: ShortTerm) -> dict[str, Any]:
    """`tsodyks2_synapse` at rest, before its first spike."""
    params = {
        "U": rule.u,
        "u": rule.u,
        "x": 1.0,
        "tau_rec": rule.tau_rec_ms,
        "tau_fac": rule.tau_facil_ms,
    }
    return {"synapse": "tsodyks2_synapse", "params": params}


def stdp_synapse(rule: Any) -> dict[str, Any]:
    """`stdp_synapse` with additive changes; its tau_minus belongs to the target."""
    params = {
        "Wmax": rule.w_max,
        "lambda": rule.a_plus,
        "alpha": rule.a_minus / rule.a_plus,
        "tau_plus": rule.tau_plus_ms,
        "mu_plus": 0.0,
        "mu_minus": 0.0,
    }
    return {"synapse": "stdp_synapse", "params": params}


# The circuits as NEST is told them


def edges_for_nest(net: jtfne.Net, config: Config) -> list[dict[str, Any]]:
    """jtfne's edges, with signs: NEST tells inhibition by them, of conductances too."""
    table = net.edges.to_pandas()
    unit = "weight_nS" if "weight_nS" in table and table["weight_nS"].notna().all() else "weight_pA"
    inhibitory = table["mechanism"].astype(str).str.startswith("inh").to_numpy()
    signs = np.where(inhibitory, -1.0, 1.0)
    weights = signs * np.abs(table[unit].to_numpy().astype(np.float64))
    delays_ms = np.round(
        np.rint(table["delay_ms"].to_numpy().astype(np.float64) / DT_ms) * DT_ms, 9
    )
    columns = zip(
        table["source"].tolist(),
        table["target"].tolist(),
        weights.tolist(),
        delays_ms.tolist(),
        strict=True,
    )
    return [
        {"source": source, "target": target, "weight": weight, "delay_ms": delay_ms}
        for source, target, weight, delay_ms in columns
    ]


def source_nodes(
    config: Config, *, cell_type: str = "source", earlier_ms: float = 0.0
) -> list[Node]:
    """A generator for each train of a type of sources."""
    trains = config.circuit.emitters[cell_type].times_ms.tolist()
    return [generator(train, earlier_ms=earlier_ms) for train in trains]


def nodes_by_row(config: Config, nodes: dict[str, list[Node]]) -> list[Node]:
    """All nodes in the order of jtfne's rows, so that its edges hold for NEST as they are."""
    placed = {
        row: node
        for name, rows in cell_rows(config).items()
        for row, node in zip(rows, nodes[name], strict=True)
    }
    return [placed[row] for row in range(len(placed))]


def add_parrots(config: Config, nodes: list[Node], edges: list[dict[str, Any]]) -> list[int]:
    """Append a parrot for each source, fed by a generator of its own; the parrots' indices.

    NEST lets no generator drive a plastic synapse. A parrot repeats a spike when it arrives, one
    step after it was sent, so these generators send one step earlier.
    """
    feeders = source_nodes(config, earlier_ms=DT_ms)
    n_sources, first = len(feeders), len(nodes)
    nodes += [{"model": "parrot_neuron", "params": {}} for _ in feeders]
    nodes += feeders
    edges.extend(
        {"source": first + n_sources + k, "target": first + k, "weight": 1.0, "delay_ms": DT_ms}
        for k in range(n_sources)
    )
    return list(range(first, first + n_sources))


def describe_current(
    config: Config, net: jtfne.Net, states: dict[int, dict[str, float]]
) -> dict[str, Any]:
    """Sources and linear cells, of which two have synapses under short-term plasticity."""
    rows = cell_rows(config)
    taus_ms = {name: synapse.tau_ms for name, synapse in circuits.CURRENT_MECHANISMS.items()}
    nodes = {"source": source_nodes(config)}
    for population in config.populations():
        name, emitter, drive_pA = population.cell_type, population.emitter, population.drive
        state = states[rows[name][0]]
        if name.startswith("glif"):
            nodes[name] = [glif_node(emitter, state)]
        elif name == "alpha":
            taus = taus_ms["alpha"], taus_ms["alpha"]
            nodes[name] = [current_node("iaf_psc_alpha", emitter, drive_pA, state, taus)]
        elif name != "source":
            taus = taus_ms["exc"], taus_ms["inh"]
            nodes[name] = [current_node("iaf_psc_exp", emitter, drive_pA, state, taus)]
    placed, edges = nodes_by_row(config, nodes), edges_for_nest(net, config)
    parrots = add_parrots(config, placed, edges)
    rules = {rows["depress"][0]: circuits.DEPRESSING, rows["facilitate"][0]: circuits.FACILITATING}
    for edge in edges:
        if edge["target"] in rules:
            parrot = parrots[rows["source"].index(edge["source"])]
            edge |= short_term_synapse(rules[edge["target"]]) | {"source": parrot}
    for name, amplitude_pA in circuits.GLIF_CURRENTS_pA.items():
        edges.append(
            {"source": len(placed), "target": rows[name][0], "weight": 1.0, "delay_ms": DT_ms}
        )
        start_ms = round(circuits.GLIF_ONSET_ms - GENERATOR_LATENCY_ms, 9)
        placed.append(
            {"model": "dc_generator", "params": {"amplitude": amplitude_pA, "start": start_ms}}
        )
    traced = [row for name, cells in rows.items() if name != "source" for row in cells]
    return {"nodes": placed, "edges": edges, "traced": traced}


def describe_membrane(
    config: Config, net: jtfne.Net, states: dict[int, dict[str, float]]
) -> dict[str, Any]:
    """Sources, and a cell for each kind of membrane."""
    rows, mechanisms = cell_rows(config), config.circuit.mechanisms
    populations = {population.cell_type: population for population in config.populations()}
    emitter = {name: population.emitter for name, population in populations.items()}
    drive = {name: population.drive for name, population in populations.items()}
    state = {name: states[rows[name][0]] for name in populations}
    pair = mechanisms["exc"], mechanisms["inh"]
    alpha_pair = mechanisms["exc_alpha"], mechanisms["inh_alpha"]
    nodes = {
        "source": source_nodes(config),
        "cond": [conductance_node("iaf_cond_exp", emitter["cond"], state["cond"], *pair)],
        "cond_alpha": [
            conductance_node(
                "iaf_cond_alpha", emitter["cond_alpha"], state["cond_alpha"], *alpha_pair
            )
        ],
        "adex": [adex_node(emitter["adex"], drive["adex"], state["adex"])],
        "izhikevich": [
            izhikevich_node(emitter["izhikevich"], drive["izhikevich"], state["izhikevich"])
        ],
        "hh": [hodgkin_huxley_node(emitter["hh"], drive["hh"], state["hh"])],
    }
    traced = [row for name, cells in rows.items() if name != "source" for row in cells]
    return {
        "nodes": nodes_by_row(config, nodes),
        "edges": edges_for_nest(net, config),
        "traced": traced,
    }


def describe_network(
    config: Config, net: jtfne.Net, states: dict[int, dict[str, float]]
) -> dict[str, Any]:
    """Sources and 300 `iaf_psc_exp`, with every edge of jtfne's table."""
    taus = tuple(config.circuit.mechanisms[name].tau_ms for name in ("exc", "inh"))
    nodes = {"source": source_nodes(config)}
    for population in config.populations():
        name, emitter, drive_pA = population.cell_type, population.emitter, population.drive
        if name != "source":
            nodes[name] = [
                current_node("iaf_psc_exp", emitter, drive_pA, states[row], taus)
                for row in cell_rows(config)[name]
            ]
    return {
        "nodes": nodes_by_row(config, nodes),
        "edges": edges_for_nest(net, config),
        "traced": [],
    }


def describe_plastic(
    config: Config, net: jtfne.Net, states: dict[int, dict[str, float]]
) -> dict[str, Any]:
    """Parrots under STDP onto a cell that a teacher makes fire.

    NEST counts a delay as the dendrite's: a spike of the target reaches the synapse one delay after
    it was fired. jtfne counts the spikes as they are fired, so the teacher acts one delay earlier
    in NEST.
    """
    rows = cell_rows(config)
    (cell,) = rows["cell"]
    tau_ms = config.circuit.mechanisms["exc"].tau_ms
    target = current_node(
        "iaf_psc_exp", config.circuit.emitters["cell"], 0.0, states[cell], (tau_ms, tau_ms)
    )
    target["params"]["tau_minus"] = circuits.STDP.tau_minus_ms
    nodes = {
        "source": source_nodes(config),
        "teacher": source_nodes(config, cell_type="teacher", earlier_ms=circuits.STDP_DELAY_ms),
        "cell": [target],
    }
    placed, edges = nodes_by_row(config, nodes), edges_for_nest(net, config)
    edges.sort(key=lambda edge: edge["source"])
    parrots = add_parrots(config, placed, edges)
    for edge in edges:
        if edge["source"] in rows["source"]:
            parrot = parrots[rows["source"].index(edge["source"])]
            edge |= stdp_synapse(circuits.STDP) | {"source": parrot}
    return {"nodes": placed, "edges": edges, "traced": []}


def describe_jump(
    config: Config, net: jtfne.Net, states: dict[int, dict[str, float]]
) -> dict[str, Any]:
    """`iaf_psc_delta` with the numbers of Brunel (2000), whatever the preset makes of them."""
    rows = cell_rows(config)
    (cell,) = rows["cell"]
    emitter = config.circuit.emitters["cell"]
    params = lif_params(emitter, 0.0, states[cell]) | {"tau_m": emitter.tau_m_ms}
    nodes = {"source": source_nodes(config), "cell": [{"model": "iaf_psc_delta", "params": params}]}
    edges = [
        {"source": source, "target": cell, "weight": J_mV, "delay_ms": DELAY_ms}
        for source in rows["source"]
    ]
    return {"nodes": nodes_by_row(config, nodes), "edges": edges, "traced": [cell]}


def describe_stimulus(
    config: Config, net: jtfne.Net, states: dict[int, dict[str, float]]
) -> dict[str, Any]:
    """A generator one step ahead, since the shortest delay of NEST is a step."""
    tau_ms = config.circuit.mechanisms["exc"].tau_ms
    node = current_node(
        "iaf_psc_exp", config.circuit.emitters["cell"], 0.0, states[0], (tau_ms, tau_ms)
    )
    drive = config.task.stimuli[0].drive
    nodes = [node, generator(drive.times_ms, earlier_ms=DT_ms)]
    edges = [{"source": 1, "target": 0, "weight": drive.weight_pA, "delay_ms": DT_ms}]
    return {"nodes": nodes, "edges": edges, "traced": [0]}


def describe_poisson(
    config: Config, net: jtfne.Net, states: dict[int, dict[str, float]]
) -> dict[str, Any]:
    """One generator, which sends each of its targets a train of its own."""
    tau_ms = config.circuit.mechanisms["exc"].tau_ms
    cells = range(net.n_neurons)
    emitter, drive = config.circuit.emitters["cell"], config.task.stimuli[0].drive
    nodes = [
        current_node("iaf_psc_exp", emitter, 0.0, states[row], (tau_ms, tau_ms)) for row in cells
    ]
    nodes.append({"model": "poisson_generator", "params": {"rate": drive.rate_Hz}})
    edges = [
        {"source": net.n_neurons, "target": row, "weight": drive.weight_pA, "delay_ms": DT_ms}
        for row in cells
    ]
    return {"nodes": nodes, "edges": edges, "traced": [], "last": list(cells)}


DESCRIBE = {
    "current": describe_current,
    "membrane": describe_membrane,
    "network": describe_network,
    "plastic": describe_plastic,
    "jump": describe_jump,
    "stimulus": describe_stimulus,
    "poisson": describe_poisson,
}


def job() -> dict[str, Any]:
    """What `_agreement_peer_nest.py` is sent."""
    described = {}
    for name, describe in DESCRIBE.items():
        config = circuits.CONFIGS[name]()
        net = jtfne.construct(config)
        circuit = describe(config, net, initial_states(net))
        described[name] = (
            {"last": []} | circuit | {"dt_ms": DT_ms, "duration_ms": config.run.duration_ms}
        )
    return {"circuits": described}
