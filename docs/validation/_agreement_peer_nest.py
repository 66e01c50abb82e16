"""Runs circuits in NEST for docs/validation/agreement.py; needs NEST and NumPy alone.

Reads one JSON object from stdin, {"circuits": {name: circuit}}, and ends with one line of JSON on
stdout. A circuit:

dt_ms, duration_ms : float
nodes : list of {"model", "params"}
    NEST's name of a model and its parameters. A `spike_generator` is a source of spikes.
edges : list of {"source", "target", "weight", "delay_ms"}, perhaps with "synapse" and "params"
    Indices of nodes; the name of a synapse model and its parameters where it is not static.
traced : list of int
    Nodes whose membrane potential is recorded at the end of every step.
last : list of int
    Nodes whose membrane potential is read after the run.

The answer has, for each circuit, `v_mV` (one list per traced node), `last_mV` (one number per node
of `last`), `spikes` ([node, time in ms], sorted) and `weights` (of the edges that are not static,
in their order).
"""

import json
import sys
from typing import Any

import nest
import numpy as np


def build_nodes(nodes: list[dict[str, Any]]) -> list[Any]:
    """One NEST node for each description."""
    return [nest.Create(node["model"], params=node["params"]) for node in nodes]


def connect_static(nodes: list[Any], edges: list[dict[str, Any]]) -> None:
    """Make all edges that are not plastic in one call."""
    if not edges:
        return
    ids = np.array([node.global_id for node in nodes])
    nest.Connect(
        ids[[edge["source"] for edge in edges]],
        ids[[edge["target"] for edge in edges]],
        "one_to_one",
        {
            "weight": np.array([edge["weight"] for edge in edges], float),
            "delay": np.array([edge["delay_ms"] for edge in edges], float),
        },
    )


def connect_plastic(nodes: list[Any], edges: list[dict[str, Any]]) -> None:
    """Make plastic edges one by one, each of its own model and parameters.

    NEST lets no device drive such a synapse, so a generator sends through a parrot, which repeats
    each spike after `dt`; the description of the circuit has that parrot as a node.
    """
    for edge in edges:
        spec = {
            "synapse_model": edge["synapse"],
            "weight": edge["weight"],
            "delay": edge["delay_ms"],
        }
        nest.Connect(
            nodes[edge["source"]], nodes[edge["target"]], "one_to_one", spec | edge["params"]
        )


def read_weight(nodes: list[Any], edge: dict[str, Any]) -> float:
    """The weight of a plastic edge as it stands now."""
    connection = nest.GetConnections(
        nodes[edge["source"]], nodes[edge["target"]], synapse_model=edge["synapse"]
    )
    return float(connection.get("weight"))


def run_circuit(circuit: dict[str, Any]) -> dict[str, Any]:
    """Build one circuit in a fresh kernel, run it, and collect what was asked."""
    nest.ResetKernel()
    nest.SetKernelStatus({"resolution": circuit["dt_ms"], "rng_seed": circuit.get("seed", 1)})
    nodes = build_nodes(circuit["nodes"])
    plastic = [edge for edge in circuit["edges"] if "synapse" in edge]
    connect_static(nodes, [edge for edge in circuit["edges"] if "synapse" not in edge])
    connect_plastic(nodes, plastic)
    recorder = nest.Create("spike_recorder")
    sources = ("spike_generator", "dc_generator", "poisson_generator")
    for node, described in zip(nodes, circuit["nodes"], strict=True):
        if described["model"] not in sources:
            nest.Connect(node, recorder)
    meters = []
    for index in circuit["traced"]:
        meter = nest.Create(
            "multimeter", params={"interval": circuit["dt_ms"], "record_from": ["V_m"]}
        )
        nest.Connect(meter, nodes[index], syn_spec={"delay": circuit["dt_ms"]})
        meters.append(meter)
    # The last sample of a multimeter is delivered one step later.
    nest.Simulate(circuit["duration_ms"] + circuit["dt_ms"])
    n_steps = round(circuit["duration_ms"] / circuit["dt_ms"])
    index_of = {int(node.global_id): index for index, node in enumerate(nodes)}
    events = recorder.events
    spikes = sorted(
        (index_of[int(sender)], round(float(time_ms), 9))
        for sender, time_ms in zip(events["senders"], events["times"], strict=True)
        if time_ms < circuit["duration_ms"] + 0.5 * circuit["dt_ms"]
    )
    return {
        "v_mV": [np.asarray(meter.events["V_m"])[:n_steps].tolist() for meter in meters],
        "last_mV": [float(nodes[index].V_m) for index in circuit["last"]],
        "spikes": spikes,
        "weights": [read_weight(nodes, edge) for edge in plastic],
    }


def main() -> None:
    """Run every circuit of the job."""
    job = json.loads(sys.stdin.read())
    nest.verbosity = nest.VerbosityLevel.ERROR
    results = {name: run_circuit(circuit) for name, circuit in job["circuits"].items()}
    print(json.dumps({"version": nest.__version__, "circuits": results}), flush=True)


if __name__ == "__main__":
    main()
