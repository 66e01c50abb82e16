"""The four suite2 circuits: small, quick, every cell type fires."""

from jtfne._check import Limit, one_of, whole_number
from jtfne.config import Config
from jtfne.presets._arguments import preset
from jtfne.presets._motif import FRACTIONS, edge, motif

CELL_TYPES = ("E", "PV", "SST", "VIP")
PROBES = ("spk", "vm", "source", "lfp_proxy", "csd_proxy")


@preset
def suite2_four_celltype_config(seed: int = 0) -> Config:
    """100 cells of V1, layer 2/3: E, PV, SST and VIP with the recurrent motif of Pfeffer et al.
    (2013).

    Parameters
    ----------
    seed : int
        Seed of wiring, places and noise.

    Returns
    -------
    Config
        1 s at 0.1 ms; spikes, potentials, sources and laminar proxies.

    Examples
    --------
    >>> suite2_four_celltype_config(seed=0).circuit.cells.n
    100
    """
    return (
        Config()
        .runtime(seed=seed)
        .areas(["V1"])
        .layers(["L2/3"])
        .cells(FRACTIONS, n=100)
        .connections(motif({}))
        .probes(PROBES)
    )


@preset
def suite2_single_neuron_config(cell_type: str = "E") -> Config:
    """One cell of a type, at its default drive, without synapses.

    Parameters
    ----------
    cell_type : str
        E, PV, SST or VIP.

    Returns
    -------
    Config
        1 s at 0.1 ms; spikes, potential and source.

    Examples
    --------
    >>> suite2_single_neuron_config("PV").populations()[0].cell_type
    'PV'
    """
    one_of(cell_type, CELL_TYPES, name="cell_type", where="preset suite2_single_neuron_config")
    return (
        Config()
        .areas(["V1"])
        .layers(["L2/3"])
        .cells({cell_type: 1}, n=1)
        .probes(("spk", "vm", "source"))
    )


@preset
def suite2_net1_config(n: int = 1000) -> Config:
    """`n` cells of V1, layer 2/3, with the recurrent motif.

    The number of inputs of a cell does not grow with `n`.

    Parameters
    ----------
    n : int
        Number of cells.

    Returns
    -------
    Config
        1 s at 0.1 ms; spikes, laminar, EEG and MEG proxies.

    Examples
    --------
    >>> sum(p.n_cells for p in suite2_net1_config(500).populations())
    500
    """
    return (
        Config()
        .areas(["V1"])
        .layers(["L2/3"])
        .cells(FRACTIONS, n=n)
        .connections(motif({}))
        .probes(("spk", "lfp_proxy", "csd_proxy", "eeg_proxy", "meg_proxy"))
    )


@preset
def suite2_v1_v4_config(n_per_area: int = 200) -> Config:
    """V1 and V4, layers 2/3, 4 and 5: the motif in each layer.

    Feedforward and feedback connections join the areas.

    Feedforward runs from E of V1's layer 2/3 to layer 4 of V4, feedback from E of V4's layer 5 to
    layer 2/3 of V1, after Felleman & Van Essen (1991), Cereb. Cortex 1:1-47; delays of 8 ms are
    those of a distance of 28 mm at the 3.5 mm/ms of Schmidt et al. (2018), Brain Struct. Funct.
    223:1409-1435.

    Parameters
    ----------
    n_per_area : int
        Number of cells in each area; 100 or more keep every type in every layer.

    Returns
    -------
    Config
        1 s at 0.1 ms; spikes, laminar, EEG and MEG proxies.

    Examples
    --------
    >>> [area.name for area in suite2_v1_v4_config().circuit.areas]
    ['V1', 'V4']
    """
    min_cells = 75  # below, some type of some layer has no cell
    whole_number(
        n_per_area, Limit(low=min_cells), name="n_per_area", where="preset suite2_v1_v4_config"
    )
    layers, areas = ("L2/3", "L4", "L5"), ("V1", "V4")
    connections = []
    for area in areas:
        for layer in layers:
            connections += motif({"area": area, "layer": layer})
    for area in areas:
        connections += _ascending(area)
    feedforward_source = {"area": "V1", "layer": "L2/3", "cell_type": "E"}
    for cell_type in ("E", "PV"):
        target = {"area": "V4", "layer": "L4", "cell_type": cell_type}
        connections.append(edge(feedforward_source, target, "AMPA", 20, 60.0, delay_ms=8.0))
    feedback_source = {"area": "V4", "layer": "L5", "cell_type": "E"}
    for cell_type in ("E", "SST", "VIP"):
        target = {"area": "V1", "layer": "L2/3", "cell_type": cell_type}
        connections.append(edge(feedback_source, target, "AMPA", 15, 40.0, delay_ms=8.0))
    mix_of_layer = {name: share / 3 for name, share in FRACTIONS.items()}
    return (
        Config()
        .areas(areas)
        .layers(layers)
        .cells(dict.fromkeys(layers, mix_of_layer), n=n_per_area)
        .connections(connections)
        .probes(("spk", "lfp_proxy", "csd_proxy", "eeg_proxy", "meg_proxy"))
    )


def _ascending(area: str) -> list[dict[str, object]]:
    """Connections within an area from layer 4 to layer 2/3, and from there to layer 5."""
    steps = (("L4", "L2/3"), ("L2/3", "L5"))
    connections = []
    for source, target in steps:
        source_cells = {"area": area, "layer": source, "cell_type": "E"}
        for cell_type in ("E", "PV"):
            target_cells = {"area": area, "layer": target, "cell_type": cell_type}
            connections.append(edge(source_cells, target_cells, "AMPA", 20, 40.0))
    return connections
