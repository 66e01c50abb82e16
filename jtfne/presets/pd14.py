"""The cortical microcircuit of Potjans & Diesmann (2014), at full and at reduced scale."""

from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import Limit, in_range, one_of
from jtfne._units import Floats
from jtfne.config import Config
from jtfne.emitters import LIF
from jtfne.presets._arguments import preset
from jtfne.stimuli import Constant, Poisson
from jtfne.synapses import Exponential

Ints = npt.NDArray[np.int64]

# Potjans & Diesmann (2014), Cereb. Cortex 24:785-806, Tables 4 and 5: cells of 1 mm2, inputs from
# outside, probability
# that a cell of the row (target) has at least one synapse from a cell of the column (source).
POPULATIONS = tuple(
    (layer, cell_type) for layer in ("L2/3", "L4", "L5", "L6") for cell_type in ("E", "I")
)
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
K_EXT = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
PROBABILITY = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
PSP_mV, G, RATE_EXT_Hz, TAU_SYN_ms = 0.15, -4.0, 8.0, 0.5
DELAY_ms = {"E": (1.5, 0.75), "I": (0.75, 0.375)}  # mean, sd
WEIGHT_SPREAD = 0.1
CELL = LIF(
    c_m_pF=250.0, tau_m_ms=10.0, v_rest_mV=-65.0, v_th_mV=-50.0, v_reset_mV=-65.0, t_ref_ms=2.0
)
# Rates at full scale, which set the mean input that fewer synapses lack: the published NEST
# implementation,
# INM-6/microcircuit-PD14-model, `full_mean_rates`.
FULL_RATES_Hz = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])
# 1 mm2 of cortex; layers as deep as in Hagen et al. (2016), Cereb. Cortex 26:4461-4496, which
# jtfne's names stand for.
THICKNESS_mm, RADIUS_mm = 1.4917, 0.56419


@preset
def pd14(scale: float = 1.0, drive: str = "poisson", seed: int = 55) -> Config:
    """The cortical microcircuit of Potjans & Diesmann (2014): four layers, 77,169 cells.

    Each layer has E and I cells; there are 3 x 10^8 synapses.

    `scale` cuts cells and synapses a cell alike. Weights then grow by 1/sqrt(scale) and a current
    makes up for the lost mean input, which keeps mean and variance of the input at the full-scale
    rates but not correlations (van Albada, Helias & Diesmann 2015, PLoS Comput. Biol. 11:e1004490):
    smaller circuits fire less.

    Parameters
    ----------
    scale : float
        0.01 to 1.
    drive : {"poisson", "dc"}
        What stands for the rest of the brain: Poisson spikes at 8 Hz an input, or their mean as a
        current. Below a scale of about 0.2 the current alone leaves most of the circuit silent.
    seed : int
        Seed of wiring, places and spikes from outside.

    Returns
    -------
    Config
        1 s at 0.1 ms; spikes.

    Examples
    --------
    >>> config = pd14(scale=0.1)
    >>> sum(each.n_cells for each in config.populations())
    7717
    >>> sum(each.rule.n for each in config.circuit.connections)
    2988807
    """
    in_range(scale, Limit(low=0.01, high=1.0), name="scale", where="preset pd14")
    one_of(drive, ("poisson", "dc"), name="drive", where="preset pd14")
    mix: dict[str, dict[str, int]] = {}
    for (layer, cell_type), n in zip(POPULATIONS, SIZES, strict=True):
        mix.setdefault(layer, {})[cell_type] = round(float(n) * scale)
    return (
        Config()
        .runtime(seed=seed)
        .areas(["V1"])
        .layers(["L2/3", "L4", "L5", "L6"])
        .geometry(thickness_mm=THICKNESS_mm, radius_mm=RADIUS_mm)
        .cells(mix)
        .emitters({"E": CELL, "I": CELL})
        .mechanisms(
            {
                "exc": Exponential(tau_ms=TAU_SYN_ms, sign=1),
                "inh": Exponential(tau_ms=TAU_SYN_ms, sign=-1),
            }
        )
        .connections(_connections(scale))
        .stimuli(_stimuli(scale, drive))
        .probes(["spk"])
    )


def synapse_counts() -> Ints:
    """Synapses at full scale, (8, 8) target by source: they leave 1 - C of all pairs unconnected.

    Logarithms as the published implementations take them: rounding costs 2 synapses of 3 x 10^8
    beside `log1p`.
    """
    n_pairs = np.outer(SIZES, SIZES).astype(np.float64)
    return np.rint(np.log(1.0 - PROBABILITY) / np.log(1.0 - 1.0 / n_pairs)).astype(np.int64)


def weights_pA() -> Floats:
    """Mean weights at full scale, (8, 8) target by source; from L4 E to L2/3 E they are doubled."""
    weights = np.where(np.arange(8) % 2 == 0, 1.0, G) * _weight_pA() * np.ones((8, 8))
    weights[0, 2] *= 2.0
    return weights


def current_pA(scale: float, drive: str) -> Floats:
    """Constant current of each population, (8,): a constant drive, and what makes up for scale."""
    mean_pA = 1e-3 * TAU_SYN_ms * _weight_pA() * K_EXT * RATE_EXT_Hz
    recurrent_pA = 1e-3 * TAU_SYN_ms * (weights_pA() * synapse_counts()) @ FULL_RATES_Hz / SIZES
    missing_share = 1.0 - np.sqrt(scale)
    current: Floats = missing_share * recurrent_pA + (
        mean_pA if drive == "dc" else missing_share * mean_pA
    )
    return current


def _weight_pA() -> float:
    """Jump of the synaptic current whose potential peaks at `PSP_mV`."""
    tau_m, c_m = float(CELL.tau_m_ms), float(CELL.c_m_pF)
    ratio, gap = tau_m / TAU_SYN_ms, TAU_SYN_ms - tau_m
    peak_mV_per_pA = (
        tau_m * TAU_SYN_ms / (c_m * gap) * (ratio ** (tau_m / gap) - ratio ** (TAU_SYN_ms / gap))
    )
    return float(PSP_mV / peak_mV_per_pA)


def _connections(scale: float) -> list[dict[str, Any]]:
    """The connections of all pairs of populations that have synapses at this scale.

    Each has a fixed number of synapses, drawn with replacement.
    """
    counts, weights = synapse_counts(), weights_pA() / np.sqrt(scale)
    connections = []
    for target, source in np.argwhere(PROBABILITY > 0.0):
        n = round(float(counts[target, source]) * scale * scale)
        layer, cell_type = POPULATIONS[source]
        mean_ms, sd_ms = DELAY_ms[cell_type]
        weight = float(weights[target, source])
        connection = {
            "source": {"layer": layer, "cell_type": cell_type},
            "target": dict(zip(("layer", "cell_type"), POPULATIONS[target], strict=True)),
            "mechanism": "exc" if cell_type == "E" else "inh",
            "rule": {"kind": "FixedTotal", "n": n, "autapses": True, "multapses": True},
            "weight": {"kind": "Normal", "mean": weight, "sd": WEIGHT_SPREAD * abs(weight)},
            "delay_ms": {"kind": "Normal", "mean": mean_ms, "sd": sd_ms, "low": 0.1},
        }
        connections += [connection] if n else []
    return connections


def _stimuli(scale: float, drive: str) -> list[dict[str, Any]]:
    """Poisson input of each population, if that is the drive, and its constant current, if any."""
    stimuli = []
    for population, k_ext, current in zip(
        POPULATIONS, K_EXT, current_pA(scale, drive), strict=True
    ):
        target = dict(zip(("layer", "cell_type"), population, strict=True))
        if drive == "poisson":
            rate_Hz = round(float(k_ext) * scale) * RATE_EXT_Hz
            poisson = Poisson(
                rate_Hz=rate_Hz, weight_pA=_weight_pA() / np.sqrt(scale), mechanism="exc"
            )
            stimuli.append({"target": target, "drive": poisson, "label": "background"})
        if current:
            stimuli.append(
                {"target": target, "drive": Constant(amplitude=float(current)), "label": "current"}
            )
    return stimuli
