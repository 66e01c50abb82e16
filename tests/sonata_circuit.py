"""A SONATA circuit of a few cells, written by hand, that a test changes before it is read."""

import json

import h5py
import numpy as np

NODE_TYPES = {
    "V1": [
        "node_type_id pop_name model_type model_template dynamics_params",
        "7 exc point_neuron nest:iaf_psc_exp exc.json",
        '3 "inh ü" point_neuron nest:iaf_psc_delta NULL',
    ],
    "LGN": ["node_type_id pop_name model_type", "0 exc virtual"],
}
NODES = {"V1": [7, 3, 7, 3, 7], "LGN": [0, 0, 0]}
EDGE_TYPES = [
    "edge_type_id syn_weight delay dynamics_params model_template",
    "10 2.0 1.5 plain.json static_synapse",
    "11 -0.5 0.8 NULL static_synapse",
    "12 0.25 2.0 NULL NULL",
]
# source, target, type, number of synapses
EDGES = {
    "V1_to_V1": ("V1", "V1", [(0, 2, 10, 1), (2, 0, 10, 3), (1, 0, 11, 2), (3, 4, 11, 0)]),
    "LGN_to_V1": ("LGN", "V1", [(0, 0, 10, 2), (2, 1, 12, 4), (1, 3, 12, 1)]),
}
SPIKES = [(0, 5.0), (2, 3.0), (0, 1.0)]
CONFIG = {
    "manifest": {"$BASE_DIR": "${configdir}", "$NETWORK_DIR": "$BASE_DIR/net"},
    "target_simulator": "NEST",
    "run": {"tstop": 20.0, "dt": 0.1},
    "components": {
        "point_neuron_models_dir": "$BASE_DIR/cells",
        "synaptic_models_dir": "$BASE_DIR/cells",
    },
    "networks": {
        "nodes": [
            {
                "nodes_file": f"$NETWORK_DIR/{name}.h5",
                "node_types_file": f"$NETWORK_DIR/{name}_types.csv",
            }
            for name in NODES
        ],
        "edges": [
            {
                "edges_file": "$NETWORK_DIR/edges.h5",
                "edge_types_file": "$NETWORK_DIR/edge_types.csv",
            }
        ],
    },
    "inputs": {
        "retina": {
            "input_type": "spikes",
            "module": "h5",
            "input_file": "spikes.h5",
            "node_set": "LGN",
        }
    },
}


def write_edges(path, populations=None, *, with_nsyns=True, attributes=None):
    """Edge populations as bmtk writes them; attributes: datasets of group 0, by name."""
    with h5py.File(path, "w") as file:
        for name, (source, target, rows) in (populations or EDGES).items():
            columns = np.array(rows, np.int64).reshape(-1, 4).T
            group = file.create_group(f"edges/{name}")
            for end, nodes, ids in (("source", source, columns[0]), ("target", target, columns[1])):
                group[f"{end}_node_id"] = ids.astype(np.uint64)
                group[f"{end}_node_id"].attrs["node_population"] = nodes
            group["edge_type_id"] = columns[2].astype(np.uint32)
            group["edge_group_id"] = np.zeros(columns.shape[1], np.uint16)
            group["edge_group_index"] = np.arange(columns.shape[1], dtype=np.uint32)
            group.create_group("0")
            if with_nsyns:
                group["0/nsyns"] = columns[3].astype(np.uint32)
            for attribute, values in (attributes or {}).items():
                group[f"0/{attribute}"] = values
    return path


def write_spikes(path, spikes=SPIKES, population="LGN", units="ms"):
    """A file of spikes: (node, time)."""
    with h5py.File(path, "w") as file:
        group = file.create_group(f"spikes/{population}")
        group["node_ids"] = np.array([node for node, _ in spikes], np.uint64)
        group["timestamps"] = np.array([time for _, time in spikes], np.float64)
        group["timestamps"].attrs["units"] = units
    return path


def write_circuit(folder):
    """The circuit in a new folder; returns the path of its config."""
    (folder / "net").mkdir(parents=True)
    (folder / "cells").mkdir()
    for name, type_ids in NODES.items():
        with h5py.File(folder / f"net/{name}.h5", "w") as file:
            group = file.create_group(f"nodes/{name}")
            group["node_type_id"] = np.array(type_ids, np.uint64)
            group["node_id"] = np.arange(len(type_ids), dtype=np.uint64)
            group["node_group_id"] = np.zeros(len(type_ids), np.uint32)
            group["node_group_index"] = np.arange(len(type_ids), dtype=np.uint64)
            group.create_group("0")
        write_lines(folder / f"net/{name}_types.csv", NODE_TYPES[name])
    write_edges(folder / "net/edges.h5")
    write_lines(folder / "net/edge_types.csv", EDGE_TYPES)
    write_json(folder / "cells/exc.json", {"E_L": -65.0, "tau_syn_ex": 3.0, "I_e": 10.0})
    write_json(folder / "cells/plain.json", {})
    write_spikes(folder / "spikes.h5")
    return write_json(folder / "circuit_config.json", CONFIG)


def write_lines(path, lines):
    """A text file of these lines."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_json(path, value):
    """A JSON file."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
