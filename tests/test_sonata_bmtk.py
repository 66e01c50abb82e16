"""A network that bmtk built and simulated with PointNet on NEST, run from the same files.

`nox -s bmtk` makes tests/bmtk_network anew (docs/validation/_bmtk_network.py).
"""

import json
from pathlib import Path

import numpy as np
import pytest

import jtfne
from jtfne import interop
from jtfne._sonata_files import read_spikes

NETWORK = Path(__file__).parent / "bmtk_network"
CELLS = {"V1": ("e4", "pv"), "LM area": ("e23",)}  # in the order of their nodes
DT_ms = 0.1


@pytest.fixture(scope="module")
def signals():
    """The run of the network in double precision."""
    config = interop.from_sonata(NETWORK / "circuit_config.json")
    return jtfne.construct(config.runtime(dtype="float64")).simulate(progress=False)


def list_steps(node_id, time_ms):
    """The spikes as pairs of node and step."""
    steps = np.rint(np.asarray(time_ms) / DT_ms).astype(int).tolist()
    return sorted(zip(np.asarray(node_id).tolist(), steps, strict=True))


@pytest.mark.parametrize("population", CELLS)
def test_every_spike_comes_in_the_step_of_nests(signals, population):
    neurons, spikes = signals.neurons, signals.spikes
    node_of_row = {}
    for cell_type in CELLS[population]:
        is_cell = (neurons["area"] == population) & (neurons["cell_type"] == cell_type)
        for row in neurons["neuron"][is_cell]:
            node_of_row[row] = len(node_of_row)
    in_population = spikes[spikes["neuron"].isin(list(node_of_row))]
    nodes = [node_of_row[row] for row in in_population["neuron"]]
    expected = read_spikes(NETWORK / "spikes.h5", population)
    assert list_steps(nodes, in_population["time_ms"]) == list_steps(
        expected.node_id, expected.t_ms
    )
    assert expected.t_ms.size > 500


def test_rates_lie_within_the_spread_of_nests_seeds(signals):
    rates_Hz = json.loads((NETWORK / "rates.json").read_text())["rates_Hz"]
    ours = signals.rates().set_index(["area", "cell_type"])["rate_Hz"]
    for population, cell_types in CELLS.items():
        for cell_type in cell_types:
            spread = [rates[f"{population}/{cell_type}"] for rates in rates_Hz]
            assert min(spread) <= ours[population, cell_type] <= max(spread)
            assert min(spread) > 20.0
