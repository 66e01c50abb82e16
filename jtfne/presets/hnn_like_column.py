"""A column after the Human Neocortical Neurosolver (HNN): two layers and evoked drives."""

import bisect
import itertools
import math
from typing import Any

from jtfne._check import NOT_NEGATIVE, in_range
from jtfne.config import AllToAll, Config, GaussianDecay, Selector, WeightDecay
from jtfne.config.source_maps import AtDepth, AtSoma, Between, SourceMap, closed_field
from jtfne.emitters import LIF, TwoCompartment
from jtfne.presets._arguments import preset
from jtfne.stimuli import Evoked
from jtfne.synapses import BiExponentialConductance

# The model of Jones et al. (2009), J. Neurophysiol. 102:3554-3572, as in Neymotin et al. (2020),
# eLife 9:e51214.
# Weights and drives: hnn-core@5ca983a, param/default.json; who connects to whom, and where:
# network_models.py@000021c;
# sections: params_default.py@000021c; where synapses lie, baskets, potentials at the start:
# cells_default.py@01f04b0.
LAYERS = {"L2": "L2/3", "L5": "L5"}
N_PYRAMIDS, N_BASKETS = 100, 35  # of each layer
RA_OHM_cm, G_uS_cm2, C_uF_cm2 = 200.0, 42.6, {"L2": 0.6195, "L5": 0.85}
V_REST_mV = {"L2": -71.46, "L5": -72.0}
# Length and diameter of sections, um: what is lumped with the soma, and the apical dendrite from
# there to the tuft.
PROXIMAL = {
    "L2": {"soma": (22.1, 23.4), "trunk": (59.5, 4.25), "oblique": (340.0, 3.91), "basal_1": (85.0, 4.25),
           "basal_2": (255.0, 2.72), "basal_3": (255.0, 2.72)},
    "L5": {"soma": (39.0, 28.9), "trunk": (102.0, 10.2), "oblique": (255.0, 5.1), "basal_1": (85.0, 6.8),
           "basal_2": (255.0, 8.5), "basal_3": (255.0, 8.5)},
}  # fmt: skip
APICAL = {"L2": ((306.0, 4.08), (238.0, 3.4)), "L5": ((680.0, 7.48), (680.0, 4.93), (425.0, 3.4))}
BASKET = (39.0, 20.0)
# Synapses: rise and decay, ms; reversal, mV. NMDA has no magnesium block there. "_tuft": on the
# apical dendrite.
KINETICS = {
    "AMPA": (0.5, 5.0, 0.0),
    "NMDA": (1.0, 20.0, 0.0),
    "GABA_A": (0.5, 5.0, -80.0),
    "GABA_B": (1.0, 20.0, -80.0),
}
TUFT = ("AMPA", "NMDA", "GABA_A")
# Source, target, mechanisms, nS, and the length by which weights fall with distance, in steps of
# the grid of pyramids.
WIRING = (
    ("L2_pyramidal", "L2_pyramidal", ("AMPA", "NMDA"), 0.5, 3.0),
    ("L5_pyramidal", "L5_pyramidal", ("AMPA", "NMDA"), 0.5, 3.0),
    ("L2_basket", "L2_pyramidal", ("GABA_A", "GABA_B"), 50.0, 50.0),
    ("L5_basket", "L5_pyramidal", ("GABA_A", "GABA_B"), 25.0, 70.0),
    ("L2_pyramidal", "L5_pyramidal", ("AMPA", "AMPA_tuft"), 0.25, 3.0),
    ("L2_basket", "L5_pyramidal", ("GABA_A_tuft",), 1.0, 50.0),
    ("L2_pyramidal", "L2_basket", ("AMPA",), 0.5, 3.0),
    ("L5_pyramidal", "L5_basket", ("AMPA",), 0.5, 3.0),
    ("L2_pyramidal", "L5_basket", ("AMPA",), 0.25, 3.0),
    ("L2_basket", "L2_basket", ("GABA_A",), 20.0, 20.0),
    ("L5_basket", "L5_basket", ("GABA_A",), 20.0, 20.0),
)
# Drives: mean and sd of the time of their one spike, ms; nS by target and mechanism.
DRIVES: dict[str, tuple[float, float, dict[tuple[str, str], float]]] = {
    "prox1": (26.61, 2.47, {("L2_basket", "AMPA"): 88.31, ("L2_pyramidal", "AMPA"): 15.25,
                            ("L5_basket", "AMPA"): 199.34, ("L5_pyramidal", "AMPA"): 8.65}),
    "dist1": (63.53, 3.85, {("L2_basket", "AMPA"): 6.562, ("L2_basket", "NMDA"): 19.482,
                            ("L2_pyramidal", "AMPA_tuft"): 0.007, ("L2_pyramidal", "NMDA_tuft"): 4.317,
                            ("L5_pyramidal", "AMPA_tuft"): 142.3, ("L5_pyramidal", "NMDA_tuft"): 80.074}),
    "prox2": (137.12, 8.33, {("L2_basket", "AMPA"): 0.003, ("L2_pyramidal", "AMPA"): 1438.84,
                             ("L5_basket", "AMPA"): 8.958, ("L5_pyramidal", "AMPA"): 684.013}),
}  # fmt: skip
DELAY_ms, PROXIMAL_DELAY_ms, DISTAL_DELAY_ms = 1.0, {"L2": 0.1, "L5": 1.0}, 0.1
# Ours, since HNN's cells have channels and ours do not: threshold; a soma that has fired stays
# depolarised, as one that
# is driven does, and fires every 20 ms at most. What pyramids get from within the column is a fifth
# of what HNN's get:
# in one compartment inhibition meets all of the excitation, where HNN's reaches the branches
# through their resistance.
V_TH_mV, V_RESET_mV, T_REF_ms, ONTO_PYRAMIDS = -50.0, -55.0, 20.0, 0.2
BASKET_MEMBRANE = {
    "tau_m_ms": 0.85 / 0.3,
    "v_rest_mV": -65.0,
    "v_th_mV": V_TH_mV,
    "v_reset_mV": -65.0,
    "t_ref_ms": 2.0,
}
SCALE = 3000.0  # cells of the cortex that one stands for: by which HNN multiplies its dipole
# As wide as the cortex that holds so many: 10^5 cells under a mm2, Carlo & Stevens (2013), PNAS
# 110:1488-1493. In depth
# somata lie within 0.1 mm.
RADIUS_mm, THICKNESS_mm, SPREAD_mm = (
    math.sqrt(SCALE * 2 * (N_PYRAMIDS + N_BASKETS) / (1e5 * math.pi)),
    2.6,
    0.1,
)
# of a grid that fills it: HNN's weights count in steps
PITCH_mm = RADIUS_mm * math.sqrt(math.pi / N_PYRAMIDS)


@preset
def hnn_like_column(
    seed: int = 0, prox1: float = 1.0, dist1: float = 1.0, prox2: float = 1.0
) -> Config:
    """A column of 270 cells whose evoked dipole is like that of HNN: P50, N100, P200.

    Only the polarities are those of the HNN model.

    Two layers of 100 pyramids (`TwoCompartment`) and 35 baskets (`LIF`). Proximal input at 27 ms
    drives the somata's end, current flows up the pyramids, and the dipole is positive; distal input
    at 64 ms reverses it; a second, strong proximal one at 137 ms makes it positive again. Rates and
    sizes are not those of HNN, whose cells have branches and channels:
    `docs/validation/hnn_like_column.rst` lists what differs. All cells begin at rest.

    The LFP, of -9 to 11 mV, is ten times what is recorded in cortex, and so is the dipole moment
    under a mm2 (11 nA m; 1 to 2 in Murakami & Okada 2015, NeuroImage 111:49-58): by HNN's factor of
    3,000, all 600,000 pyramids under 8.1 mm2 act together. `.source(scale=300.0)` has a tenth of
    them act, and gives an LFP of -0.9 to 1.1 mV.

    Parameters
    ----------
    seed : int
        Seed of places, wiring and of the times of the drives.
    prox1, dist1, prox2 : float
        Gain of each drive; 0 leaves it out, and with it the deflection that it makes.

    Returns
    -------
    Config
        170 ms at 0.025 ms; spikes, dipole, LFP, CSD, EEG and MEG.

    Examples
    --------
    >>> {each.cell_type: each.n_cells for each in hnn_like_column().populations()}["L5_pyramidal"]
    100
    """
    gains = {"prox1": prox1, "dist1": dist1, "prox2": prox2}
    for name, gain in gains.items():
        in_range(gain, NOT_NEGATIVE, name=name, where="preset hnn_like_column")
    layers, cells, emitters, cell_params = [], {}, {}, {}
    for k, name in LAYERS.items():
        apical_um = sum(length for length, _ in (PROXIMAL[k]["trunk"], *APICAL[k]))
        layers.append(_layer(name, 1e-3 * apical_um))
        cells[name] = {f"{k}_pyramidal": N_PYRAMIDS, f"{k}_basket": N_BASKETS}
        for kind, cell in _cells(k).items():
            emitters[f"{k}_{kind}"] = cell
        for kind, v_mV in _v_init_mV(k).items():
            cell_params[f"{k}_{kind}"] = {"v_init_mV": v_mV}
    connections: list[dict[str, Any]] = []
    for row in WIRING:
        connections += _edges(*row)
    stimuli: list[dict[str, Any]] = []
    for name, gain in gains.items():
        if gain:
            stimuli += _drive(name, gain)
    return (
        Config()
        .runtime(seed=seed, dt_ms=0.025, duration_ms=170.0)
        .areas(["S1"])
        .geometry(thickness_mm=THICKNESS_mm, radius_mm=RADIUS_mm)
        .layers(layers)
        .cells(cells)
        .emitters(emitters)
        .cell_params(cell_params)
        .mechanisms(_mechanisms())
        .connections(connections)
        .stimuli(stimuli)
        .source(maps=[*map(_map, LAYERS), *closed_field("L2_basket", "L5_basket")], scale=SCALE)
        .probes(["spk", "dipole", "lfp", "csd", "eeg", "meg"])
    )


def _layer(name: str, depth_mm: float) -> dict[str, Any]:
    """A layer whose somata lie about `depth_mm`: the apical dendrites reach the pia."""
    top, bottom = depth_mm - 0.5 * SPREAD_mm, depth_mm + 0.5 * SPREAD_mm
    return {"name": name, "top": top / THICKNESS_mm, "bottom": bottom / THICKNESS_mm}


def _map(k: str) -> SourceMap:
    """Where axial current of pyramids of layer `k` enters and returns: apical dendrite, soma."""
    dendrite = Between(
        first=AtSoma(above_mm=1e-3 * PROXIMAL[k]["trunk"][0]), last=AtDepth(depth=0.0)
    )
    return SourceMap(
        cells=Selector(cell_type=(f"{k}_pyramidal",)),
        mechanism=("axial",),
        enters=dendrite,
        returns=AtSoma(),
    )


def _area_um2(section: tuple[float, float]) -> float:
    """The membrane area of a section, given (length, diameter) in um."""
    return math.pi * section[0] * section[1]


def _r_MOhm(section: tuple[float, float]) -> float:
    """The axial resistance of a section along its length."""
    return 1e-2 * RA_OHM_cm * section[0] / (0.25 * math.pi * section[1] ** 2)


def _apical(k: str) -> tuple[float, float]:
    """Resistances, MOhm: from the soma to the apical membrane's middle, and on to the tuft's."""
    areas = [_area_um2(section) for section in APICAL[k]]
    ends = list(itertools.accumulate(areas))
    half_area = 0.5 * ends[-1]
    index = bisect.bisect_left(ends, half_area)
    share = 1.0 - (ends[index] - half_area) / areas[index]
    ohms = [_r_MOhm(section) for section in APICAL[k]]
    trunk_MOhm = _r_MOhm(PROXIMAL[k]["trunk"])
    to_middle_MOhm = trunk_MOhm + sum(ohms[:index]) + share * ohms[index]
    to_tuft_MOhm = trunk_MOhm + sum(ohms[:-1]) + 0.5 * ohms[-1]
    return to_middle_MOhm, to_tuft_MOhm - to_middle_MOhm


def _cells(k: str) -> dict[str, Any]:
    """Pyramid and basket of a layer: the membrane and the inside of HNN's sections, lumped."""
    soma = sum(map(_area_um2, PROXIMAL[k].values()))
    dendrite = sum(map(_area_um2, APICAL[k]))
    pyramid = TwoCompartment(
        c_s_pF=1e-2 * C_uF_cm2[k] * soma,
        c_d_pF=1e-2 * C_uF_cm2[k] * dendrite,
        g_s_nS=1e-5 * G_uS_cm2 * soma,
        g_d_nS=1e-5 * G_uS_cm2 * dendrite,
        g_c_nS=1e3 / _apical(k)[0],
        v_rest_mV=V_REST_mV[k],
        v_th_mV=V_TH_mV,
        v_reset_mV=V_RESET_mV,
        t_ref_ms=T_REF_ms,
        dendrite_share=0.0,
    )
    return {
        "pyramidal": pyramid,
        "basket": LIF(c_m_pF=1e-2 * C_uF_cm2["L5"] * _area_um2(BASKET), **BASKET_MEMBRANE),
    }


def _v_init_mV(k: str) -> dict[str, float]:
    """Initial potentials of a layer's cells: at rest, so that no axial current flows."""
    return {"pyramidal": V_REST_mV[k], "basket": BASKET_MEMBRANE["v_rest_mV"]}


def _mechanisms() -> dict[str, BiExponentialConductance]:
    """The synapses, at the soma's end of a pyramid or on its apical dendrite."""
    mechanisms = {}
    for share, names in ((0.0, KINETICS), (1.0, TUFT)):
        for name in names:
            rise_ms, decay_ms, e_rev_mV = KINETICS[name]
            mechanisms[f"{name}_tuft" if share else name] = BiExponentialConductance(
                tau_rise_ms=rise_ms, tau_decay_ms=decay_ms, e_rev_mV=e_rev_mV, dendrite_share=share
            )
    return mechanisms


def _effective_nS(target: str, mechanism: str, g_nS: float) -> float:
    """Conductance that a compartment sees from synapses of `g_nS` on its branches.

    It is g / (1 + g r) behind a resistance r, summed over branches. Excitation near the soma lies
    on three branches (the oblique and two basal dendrites), on the tuft on one. Inhibition is at
    the soma: between it and the branches lie the half ways along trunk and basal dendrite, which
    all baskets and both receptors share.
    """
    k, kind = target.split("_")
    if kind == "basket":
        return g_nS
    ohms = {name: _r_MOhm(section) for name, section in PROXIMAL[k].items()}
    if mechanism.endswith("tuft"):
        return g_nS / (1.0 + 1e-3 * g_nS * _apical(k)[1])
    if mechanism.startswith("GABA"):
        half_ways = 2.0 / ohms["basal_1"] + 2.0 / ohms["trunk"]
        return g_nS / (1.0 + 1e-3 * g_nS * 2 * N_BASKETS / half_ways)
    ways = (ohms["basal_1"] + 0.5 * ohms["basal_2"],) * 2 + (ohms["trunk"] + 0.5 * ohms["oblique"],)
    return sum(g_nS / (1.0 + 1e-3 * g_nS * r_MOhm) for r_MOhm in ways)


def _edges(
    source: str, target: str, mechanisms: tuple[str, ...], g_nS: float, steps: float
) -> list[dict[str, Any]]:
    """Connections of one row of the wiring: all to all, weights times exp(-d^2 / steps^2)."""
    decay = WeightDecay(
        length_mm=steps * PITCH_mm / math.sqrt(2.0), profile=GaussianDecay(), lateral=True
    )
    gain = ONTO_PYRAMIDS if target.endswith("pyramidal") else 1.0
    return [
        {
            "source": source,
            "target": target,
            "mechanism": name,
            "rule": AllToAll(),
            "weight": gain * _effective_nS(target, name, g_nS),
            "weight_decay": decay,
            "delay_ms": DELAY_ms,
        }
        for name in mechanisms
    ]


def _drive(name: str, gain: float) -> list[dict[str, Any]]:
    """One volley: one spike for each cell, shared by AMPA and NMDA; one event."""
    mean_ms, sd_ms, weights_nS = DRIVES[name]
    is_proximal = name.startswith("prox")
    stimuli: list[dict[str, Any]] = []
    for (target, mechanism), g_nS in weights_nS.items():
        delay_ms = PROXIMAL_DELAY_ms[target[:2]] if is_proximal else DISTAL_DELAY_ms
        evoked = Evoked(
            mean_ms=mean_ms + delay_ms,
            sd_ms=sd_ms,
            weight_nS=gain * _effective_nS(target, mechanism, g_nS),
            mechanism=mechanism,
            stream=f"{name} {target}",
        )
        is_event = not stimuli  # one event a volley, whatever its targets
        stimuli.append({"target": target, "label": name, "event": is_event, "drive": evoked})
    return stimuli
