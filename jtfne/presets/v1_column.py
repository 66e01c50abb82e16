"""A laminar column of mouse V1 with an evoked volley onto layer 4."""

from jtfne._check import Limit, in_range
from jtfne.config import Config
from jtfne.presets._arguments import preset
from jtfne.presets._motif import edge, motif
from jtfne.stimuli import Poisson

# Cells per mm2, inhibitory fraction, and (VIP, PV, SST) within inhibition: the biorealistic V1
# model of the Allen
# Institute, successor of Billeh et al. (2020), Neuron 106:388-403. Its layer 1 (1 % of cells, all
# Htr3a) is left out.
CELLS = {
    "L2/3": (37_100, 0.10, (0.4898, 0.2959, 0.2143)),
    "L4": (38_900, 0.11, (0.1524, 0.5524, 0.2952)),
    "L5": (23_000, 0.19, (0.0857, 0.4857, 0.4286)),
    "L6": (32_200, 0.07, (0.0833, 0.4583, 0.4583)),
}
# Depths below pia in um, same source (its layer 1 begins at 50 um); the column is 829 um thick.
DEPTHS_um = {"L2/3": (169, 357), "L4": (357, 505), "L5": (505, 665), "L6": (665, 829)}
THICKNESS_um = 829
# E of one layer onto E and PV of another, inputs a cell: the ascending and descending routes with
# the highest
# in-degrees in Potjans & Diesmann (2014), Table 5, in their order; numbers scaled to this column.
ROUTES = (("L4", "L2/3", 25), ("L2/3", "L5", 25), ("L5", "L6", 12), ("L6", "L4", 15))
# 80 thalamic afferents a cell at 100 Hz for 10 ms; a stand-in, strong enough that layer 4 answers
# as one.
VOLLEY = Poisson(rate_Hz=8000.0, weight_pA=60.0, mechanism="AMPA", start_ms=500.0, stop_ms=510.0)


@preset
def v1_column(n: int = 1200, seed: int = 0) -> Config:
    """A laminar column of mouse V1 for 1 s, with a volley onto layer 4 at 500 ms.

    It has E, PV, SST and VIP cells by layer.

    The volley stands for thalamic input: 10 ms of Poisson spikes onto E and PV of layer 4. Fields in
    SI units are those of these `n` cells alone, which a laminar probe sees well and a scalp hardly:
    `.source(scale=...)` has more cells of the cortex do as they do.

    Parameters
    ----------
    n : int
        Number of cells, 400 or more, spread over layers and types as in the Allen Institute's V1
        model.
    seed : int
        Seed of wiring, places and noise.

    Returns
    -------
    Config
        Spikes, potentials as means of 1 ms, sources, every field in SI units and as proxy.

    Examples
    --------
    >>> sum(p.n_cells for p in v1_column().populations())
    1200
    """
    # below, some type of some layer has no cell
    in_range(n, Limit(low=400), name="n", where="preset v1_column")
    return (
        Config()
        .runtime(seed=seed)
        .areas(["V1"])
        .layers(
            [
                {"name": name, "top": a / THICKNESS_um, "bottom": b / THICKNESS_um}
                for name, (a, b) in DEPTHS_um.items()
            ]
        )
        .geometry(thickness_mm=THICKNESS_um / 1000, radius_mm=0.25)
        .cells(_mix(), n=n)
        .connections(_connections())
        .stimuli(
            [
                {
                    "target": {"layer": "L4", "cell_type": ["E", "PV"]},
                    "drive": VOLLEY,
                    "label": "volley",
                }
            ]
        )
        .probes(["spk", {"kind": "vm", "interval_ms": 1.0}, "source", *_FIELDS, *_PROXIES])
    )


_FIELDS = ("lfp", "csd", "dipole", "eeg", "meg")
_PROXIES = ("lfp_proxy", "csd_proxy", "eeg_proxy", "meg_proxy", "spectrolaminar_proxy", "emm_proxy")


def _mix() -> dict[str, dict[str, float]]:
    """Fraction of all cells by layer and type."""
    total = sum(density for density, _, _ in CELLS.values())
    mix = {}
    for layer, (density, inhibitory, within) in CELLS.items():
        share = density / total
        kinds = dict(zip(("VIP", "PV", "SST"), within, strict=True))
        mix[layer] = {"E": share * (1 - inhibitory)}
        for name, part in kinds.items():
            mix[layer][name] = share * inhibitory * part / sum(within)
    return mix


def _connections() -> list[dict[str, object]]:
    """The motif in each layer, and E from layer to layer."""
    connections: list[dict[str, object]] = []
    for layer in CELLS:
        connections += motif({"layer": layer}, gain=0.8)
    for source, target, inputs in ROUTES:
        source_cells = {"layer": source, "cell_type": "E"}
        for cell_type in ("E", "PV"):
            target_cells = {"layer": target, "cell_type": cell_type}
            connections.append(edge(source_cells, target_cells, "AMPA", inputs, 40.0))
    return connections
