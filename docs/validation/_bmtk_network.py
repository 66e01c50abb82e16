"""Builds a network with bmtk and simulates it with PointNet on NEST; needs bmtk and NEST alone.

    python docs/validation/_bmtk_network.py FOLDER

Leaves in FOLDER the SONATA files that bmtk wrote, `circuit_config.json`, and what NEST made of
them: `spikes.h5`, the spikes of one run as bmtk wrote them, and `rates.json`, the rate of each cell
type in that run and in those from other input spikes of the same rates. `nox -s bmtk` runs it on
tests/bmtk_network, where tests/test_sonata_bmtk.py reads it.
"""

import contextlib
import importlib.metadata
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nest
import numpy as np
from bmtk.builder.networks import NetworkBuilder
from bmtk.simulator import pointnet
from bmtk.utils.reports.spike_trains import SpikeTrains

DT_ms, DURATION_ms = 0.1, 1000.0
INPUT_SEEDS = (1, 2, 3, 4, 5)  # the spikes of the first lie in FOLDER
N_INPUTS, INPUT_RATE_Hz = 30, 30.0
CELLS: dict[str, dict[str, Any]] = {
    "glif3.json": {
        "C_m": 60.0,
        "g": 4.0,
        "E_L": -75.0,
        "V_m": -75.0,
        "V_reset": -75.0,
        "V_th": -52.0,
        "t_ref": 3.0,
        "tau_syn": [5.5, 8.5],
        "asc_init": [0.0, 0.0],
        "asc_decay": [0.003, 0.1],
        "asc_amps": [-6.0, -60.0],
        "after_spike_currents": True,
    },
    "iaf_exp.json": {"C_m": 120.0, "tau_m": 12.0, "E_L": -68.0, "tau_syn_in": 6.0, "I_e": 110.0},
    "iaf_alpha.json": {"C_m": 200.0, "tau_m": 15.0, "V_m": -65.0, "tau_syn_ex": 3.0, "I_e": 170.0},
}
SYNAPSES: dict[str, dict[str, Any]] = {
    "port_1.json": {"receptor_type": 1},
    "port_2.json": {"receptor_type": 2},
    "plain.json": {},
}


def build_nodes() -> dict[str, NetworkBuilder]:
    """Two populations of point neurons and a virtual one, which sends to both."""
    random = np.random.default_rng(11)
    v1 = NetworkBuilder("V1")
    for n_cells, name, ei, template, params in (
        (40, "e4", "e", "nest:glif_psc", "glif3.json"),
        (12, "pv", "i", "nest:iaf_psc_exp", "iaf_exp.json"),
    ):
        v1.add_nodes(
            N=n_cells,
            pop_name=name,
            ei=ei,
            model_type="point_neuron",
            model_template=template,
            dynamics_params=params,
            x=random.uniform(-100.0, 100.0, n_cells),
            y=random.uniform(-100.0, 100.0, n_cells),
            z=random.uniform(300.0, 500.0, n_cells),
        )
    lm = NetworkBuilder("LM area")
    lm.add_nodes(
        N=20,
        pop_name="e23",
        ei="e",
        model_type="point_neuron",
        model_template="nest:iaf_psc_alpha",
        dynamics_params="iaf_alpha.json",
    )
    lgn = NetworkBuilder("LGN")
    lgn.add_nodes(N=N_INPUTS, pop_name="tON", ei="e", model_type="virtual")
    return {"V1": v1, "LM area": lm, "LGN": lgn}


def count_synapses(n_edges: int, most: int, seed: int) -> Any:
    """A rule of bmtk: 1 to `most` synapses from each of `n_edges` sources on average, else none."""
    random = np.random.default_rng(seed)

    def draw_synapses(sources: Any, target: Any) -> list[int | None]:
        """Synapses from each source onto one target."""
        is_connected = random.random(len(sources)) < n_edges / len(sources)
        numbers = random.integers(1, most + 1, len(sources))
        return [int(n) if yes else None for n, yes in zip(numbers, is_connected, strict=True)]

    return draw_synapses


def connect(
    networks: dict[str, NetworkBuilder],
    source: tuple[str, Any],
    target: tuple[str, Any],
    **edge: Any,
) -> None:
    """Add one edge type to the target's network."""
    rule = count_synapses(edge.pop("n_edges"), edge.pop("most"), edge.pop("seed"))
    networks[target[0]].add_edges(
        source=networks[source[0]].nodes(**source[1]),
        target=networks[target[0]].nodes(**target[1]),
        connection_rule=rule,
        iterator="all_to_one",
        model_template="static_synapse",
        **edge,
    )


def build_edges(networks: dict[str, NetworkBuilder]) -> None:
    """Edge types of both signs, within and between the populations."""
    e4, pv, e23 = ({"pop_name": name} for name in ("e4", "pv", "e23"))
    exc, inh, plain = "port_1.json", "port_2.json", "plain.json"
    for number, (source, target, n_edges, most, weight, delay, params) in enumerate(
        (
            (("LGN", {}), ("V1", e4), 6, 3, 28.0, 2.0, exc),
            (("LGN", {}), ("V1", pv), 6, 3, 40.0, 1.5, plain),
            (("LGN", {}), ("LM area", e23), 4, 2, 32.0, 3.0, plain),
            (("V1", e4), ("V1", e4), 4, 3, 4.0, 1.5, exc),
            (("V1", e4), ("V1", pv), 5, 3, 30.0, 1.0, plain),
            (("V1", pv), ("V1", e4), 3, 2, -8.0, 0.8, inh),
            (("V1", pv), ("V1", pv), 2, 2, -25.0, 0.8, plain),
            (("V1", e4), ("LM area", e23), 5, 2, 25.0, 4.3, plain),
            (("LM area", e23), ("V1", e4), 2, 1, 5.0, 5.1, exc),
        )
    ):
        connect(
            networks,
            source,
            target,
            n_edges=n_edges,
            most=most,
            seed=number,
            syn_weight=weight,
            delay=delay,
            dynamics_params=params,
        )


def draw_input(path: Path, seed: int) -> None:
    """Write Poisson spikes of the virtual cells, on the grid and one a step at most."""
    random = np.random.default_rng(seed)
    trains = SpikeTrains(population="LGN")
    n_steps = round(DURATION_ms / DT_ms)
    for node_id in range(N_INPUTS):
        # NEST takes no spike at 0 ms, and not two in a step
        steps = 1 + np.flatnonzero(random.random(n_steps - 1) < INPUT_RATE_Hz * DT_ms * 1e-3)
        trains.add_spikes(node_ids=node_id, timestamps=np.round(steps * DT_ms, 6), population="LGN")
    trains.to_sonata(str(path))


def describe_circuit(folder: Path, names: list[str]) -> dict[str, Any]:
    """The circuit and the simulation as one config, in terms of its folder."""
    nodes, edges = [], []
    for path in sorted((folder / "network").glob("*.h5")):
        kind = "nodes" if path.stem.endswith("nodes") else "edges"
        entry = {
            f"{kind}_file": f"$NETWORK_DIR/{path.name}",
            f"{kind[:-1]}_types_file": f"$NETWORK_DIR/{path.stem[:-1]}_types.csv",
        }
        (nodes if kind == "nodes" else edges).append(entry)
    return {
        "manifest": {"$BASE_DIR": ".", "$NETWORK_DIR": "$BASE_DIR/network"},
        "target_simulator": "NEST",
        "run": {"tstop": DURATION_ms, "dt": DT_ms},
        "components": {
            "point_neuron_models_dir": "$BASE_DIR/cells",
            "synaptic_models_dir": "$BASE_DIR/synapses",
        },
        "networks": {"nodes": nodes, "edges": edges},
        "inputs": {
            "thalamus": {
                "input_type": "spikes",
                "module": "h5",
                "input_file": "$BASE_DIR/lgn_spikes.h5",
                "node_set": {"population": "LGN"},
            }
        },
        "output": {"output_dir": "$BASE_DIR/output", "spikes_file": "spikes.h5"},
    }


def write_folder(folder: Path) -> None:
    """Everything but what NEST makes of it."""
    networks = build_nodes()
    build_edges(networks)
    for network in networks.values():
        network.build()
        network.save(output_dir=str(folder / "network"))
    for name, files in (("cells", CELLS), ("synapses", SYNAPSES)):
        (folder / name).mkdir()
        for file_name, params in files.items():
            text = json.dumps(params, indent=1) + "\n"
            (folder / name / file_name).write_text(text, encoding="utf-8")
    draw_input(folder / "lgn_spikes.h5", INPUT_SEEDS[0])
    config = describe_circuit(folder, list(networks))
    text = json.dumps(config, indent=2) + "\n"
    (folder / "circuit_config.json").write_text(text, encoding="utf-8")


def simulate(folder: Path, spikes_path: Path) -> None:
    """Run the network by PointNet and write its spikes, as bmtk writes spikes."""
    with contextlib.chdir(folder):  # bmtk takes "." of a manifest for where it runs
        configure = pointnet.Config.from_json("circuit_config.json")
        configure.build_env()
        network = pointnet.PointNetwork.from_config(configure)
        simulation = pointnet.PointSimulator.from_config(configure, network)
        # bmtk's own recorder reads a file that NEST 3.10 has not yet written to the end.
        recorder = nest.Create("spike_recorder")
        nest.Connect(network.gid_map.gids, recorder)
        simulation.run()
    trains = SpikeTrains()
    for sender, time_ms in zip(recorder.events["senders"], recorder.events["times"], strict=True):
        cell = network.gid_map.get_pool_id(int(sender))
        trains.add_spike(
            node_id=cell.node_id, timestamp=round(float(time_ms), 6), population=cell.population
        )
    trains.to_sonata(str(spikes_path))


def measure_rates(path: Path) -> dict[str, float]:
    """Spikes a second and cell of each type, by its population and name."""
    spikes = SpikeTrains.load(str(path)).to_dataframe()
    rates = {}
    for population, name, first, n_cells in (
        ("V1", "e4", 0, 40),
        ("V1", "pv", 40, 12),
        ("LM area", "e23", 0, 20),
    ):
        is_cell = (spikes["population"] == population) & spikes["node_ids"].between(
            first, first + n_cells - 1
        )
        rates[f"{population}/{name}"] = float(is_cell.sum()) / n_cells / DURATION_ms * 1e3
    return rates


def main() -> None:
    """Build, simulate once for each seed of the input, and write what came out."""
    target = Path(sys.argv[1]).resolve()
    rates = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "network"
        folder.mkdir()
        write_folder(folder)
        for seed in INPUT_SEEDS:
            (folder / "lgn_spikes.h5").unlink()
            draw_input(folder / "lgn_spikes.h5", seed)
            spikes_path = Path(scratch) / f"spikes_{seed}.h5"
            simulate(folder, spikes_path)
            rates.append(measure_rates(spikes_path))
        shutil.copy(Path(scratch) / f"spikes_{INPUT_SEEDS[0]}.h5", folder / "spikes.h5")
        (folder / "lgn_spikes.h5").unlink()
        draw_input(folder / "lgn_spikes.h5", INPUT_SEEDS[0])
        shutil.rmtree(folder / "output")
        facts = {
            "made by": "nox -s bmtk (docs/validation/_bmtk_network.py)",
            "versions": {
                "bmtk": importlib.metadata.version("bmtk"),
                "nest-simulator": nest.__version__,
            },
            "input_seeds": INPUT_SEEDS,
            "rates_Hz": rates,
        }
        text = json.dumps(facts, indent=2) + "\n"
        (folder / "rates.json").write_text(text, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target)


if __name__ == "__main__":
    main()
