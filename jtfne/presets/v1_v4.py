"""V1 and V4: gamma travels feedforward, alpha and beta travel back."""

from typing import Any

from jtfne._check import NOT_NEGATIVE, Limit, in_range
from jtfne.config import (
    AtDepth,
    AtSoma,
    Between,
    Config,
    FromDistance,
    SourceMap,
    closed_field,
)
from jtfne.presets._arguments import preset
from jtfne.presets._motif import MOTIF, edge, motif
from jtfne.stimuli import Poisson

AREAS = ("V1", "V4")
# Who makes which rhythm, and which way it travels: Mejias, Murray, Kennedy & Wang (2016), Sci. Adv.
# 2:e1601335. All
# numbers that cite nothing are ours, found by looking at spectra.
SHARES = {"L2/3": 0.4, "L4": 0.2, "L5/6": 0.4}  # of an area's cells
SUPERFICIAL = {"E": 0.80, "PV": 0.12, "SST": 0.04, "VIP": 0.04}
MIXES = {
    "L2/3": SUPERFICIAL,
    "L4": SUPERFICIAL,
    "L5/6": {"E": 0.80, "PV": 0.06, "SST": 0.10, "VIP": 0.04},
}
# What differs from the motif: mechanism, inputs of a cell, pA. Gamma comes of E and PV, with AMPA
# of 2 ms and GABA_A of
# 5 ms; alpha and beta come of E and SST, with NMDA and GABA_B of 20 ms.
GAMMA = {("E", "E"): ("AMPA", 30, 25.0), ("SST", "E"): ("GABA_A", 8, -40.0)}
BETA = {
    ("E", "PV"): ("AMPA", 40, 60.0),
    ("PV", "E"): ("GABA_A", 15, -50.0),
    ("PV", "PV"): ("GABA_A", 10, -50.0),
    ("E", "SST"): ("NMDA", 60, 10.0),
    ("SST", "E"): ("GABA_B", 8, -80.0),
}
CHANGES = {"L2/3": GAMMA, "L4": GAMMA, "L5/6": BETA}
E_DRIVE = {"L2/3": 9.5, "L4": 4.5, "L5/6": 5.5}  # mV/ms, of which 3.5 is the default of E
# E of one layer onto E and PV of the next, 20 inputs a cell. Up to layer 2/3 strong, down from
# there weak, so that what
# arrives by the feedforward path does not set the deep rhythm.
WITHIN = (("L4", "L2/3", 40.0), ("L2/3", "L5/6", 15.0))
# From area to area: layers, target type, mechanism, pA, 20 inputs a cell. Layers: Felleman & Van
# Essen (1991), Cereb.
# Cortex 1:1-47. Feedforward by AMPA, feedback by NMDA: Self, Kooijmans, Super, Lamme & Roelfsema
# (2012), PNAS
# 109:11031-11036; that NMDA passes no gamma follows from its decay.
FORWARD = (("L2/3", "L4", "E", "AMPA", 140.0), ("L2/3", "L4", "PV", "AMPA", 98.0))
BACK = (("L5/6", "L2/3", "E", "NMDA", 15.0), ("L5/6", "L5/6", "E", "NMDA", 30.0))
# 22 mm take 6.2 ms: Schmidt, Bakker, Hilgetag, Diesmann & van Albada (2018), Brain Struct. Funct.
# 223:1409-1435.
DELAY = FromDistance(velocity_m_s=3.5)
# 80 thalamic afferents a cell at 100 Hz for 10 ms, as in `v1_column`.
VOLLEY = Poisson(rate_Hz=8000.0, weight_pA=60.0, mechanism="AMPA", start_ms=500.0, stop_ms=510.0)

# GABA_B is of SST cells alone, Martinotti cells, which inhibit the apical dendrites of pyramids:
# Silberberg & Markram (2007), Neuron 53:735-746. It leaves by the way that NMDA comes in.
_APICAL = Between(first=AtSoma(), last=AtDepth(depth=0.0))
_MAPS = (
    SourceMap(mechanism=("NMDA", "GABA_B"), enters=_APICAL, returns=AtSoma()),
    *closed_field("PV", "SST", "VIP"),
)
_FIELDS = ("lfp", "csd", "dipole", "eeg", "meg")
_PROXIES = ("lfp_proxy", "csd_proxy", "eeg_proxy", "meg_proxy")


@preset
def v1_v4(
    n_per_area: int = 450,
    seed: int = 0,
    feedforward: float = 1.0,
    feedback: float = 1.0,
    evoked: bool = True,
) -> Config:
    """V1 and V4, of three layers each: gamma travels from V1 to V4, alpha and beta from V4 to V1.

    Superficial layers oscillate at 40 Hz, by E and PV, deep ones at 16 Hz, by E and SST. Rates by
    layer: E 9 to 22 Hz, PV 11 to 37, SST 15 to 20, VIP 7 to 10. V1's layer 2/3 projects to V4's
    layer 4; V4's layer 5/6 projects to V1's layers 2/3 and 5/6. Either can be cut, and the rhythm
    that it carries is then no longer shared, after Bastos et al. (2015), Neuron 85:390-401, and van
    Kerkoerle et al. (2014), PNAS 111:14332-14341. Fields in SI units are those of these
    cells alone; `.source(scale=...)` has more cells of the cortex do as they do.

    Parameters
    ----------
    n_per_area : int
        Number of cells in each area, 150 or more.
    seed : int
        Seed of wiring, places and noise.
    feedforward, feedback : float
        Gain of the synapses from V1 to V4, and of those from V4 to V1; 0 is a lesion. All else
        stays as it was drawn.
    evoked : bool
        Whether a volley of thalamic input, 10 ms of Poisson spikes, arrives in layer 4 of V1 at 500
        ms.

    Returns
    -------
    Config
        1 s at 0.1 ms; spikes, and laminar, EEG and MEG fields, in SI units and as proxies.

    Examples
    --------
    >>> cut = v1_v4(feedback=0.0)
    >>> [area.name for area in cut.circuit.areas], sum(p.n_cells for p in cut.populations())
    (['V1', 'V4'], 900)
    """
    where = "preset v1_v4"
    # below, some type of some layer has no cell
    in_range(n_per_area, Limit(low=150), name="n_per_area", where=where)
    in_range(feedforward, NOT_NEGATIVE, name="feedforward", where=where)
    in_range(feedback, NOT_NEGATIVE, name="feedback", where=where)
    mix = {}
    for layer, share in SHARES.items():
        mix[layer] = {name: share * part for name, part in MIXES[layer].items()}
    config = (
        Config()
        .runtime(seed=seed)
        .areas(AREAS)
        .layers(list(SHARES))
        .cells(mix, n=n_per_area)
        .connections(
            [
                *_within(),
                *_between(feedforward, "V1", "V4", FORWARD),
                *_between(feedback, "V4", "V1", BACK),
            ]
        )
        .source(maps=_MAPS)
        .probes(("spk", *_FIELDS, *_PROXIES))
    )
    drive: list[float] = []
    for population in config.populations():
        if population.cell_type == "E":
            drive += [E_DRIVE[population.layer]] * population.n_cells
    config = config.cell_params({"E": {"drive": drive}})
    target = {"area": "V1", "layer": "L4", "cell_type": ["E", "PV"]}
    return (
        config.stimuli([{"target": target, "drive": VOLLEY, "label": "volley"}])
        if evoked
        else config
    )


def _within() -> list[dict[str, Any]]:
    """The motif in each layer, with its changes, and E from layer to layer."""
    connections = []
    for area in AREAS:
        for layer, changes in CHANGES.items():
            rows = [
                (source, target, *changes.get((source, target), parameters))
                for source, target, *parameters in MOTIF
            ]
            connections += motif({"area": area, "layer": layer}, rows=rows)
        for source, target, weight_pA in WITHIN:
            e = {"area": area, "layer": source, "cell_type": "E"}
            for cell_type in ("E", "PV"):
                onto = {"area": area, "layer": target, "cell_type": cell_type}
                connections.append(edge(e, onto, "AMPA", 20, weight_pA))
    return connections


def _between(
    gain: float, source: str, target: str, paths: tuple[tuple[str, str, str, str, float], ...]
) -> list[dict[str, Any]]:
    """Connections of E of one area onto another, weights times `gain`; 0 leaves them inert."""
    connections = []
    for source_layer, target_layer, cell_type, mechanism, weight_pA in paths:
        source_cells = {"area": source, "layer": source_layer, "cell_type": "E"}
        target_cells = {"area": target, "layer": target_layer, "cell_type": cell_type}
        connection = edge(source_cells, target_cells, mechanism, 20, weight_pA)
        connection["weight"] = 0.0
        if gain:
            mean_pA = gain * weight_pA
            connection["weight"] = {"kind": "Normal", "mean": mean_pA, "sd": mean_pA / 10}
        connection["delay_ms"] = DELAY
        connections.append(connection)
    return connections
