"""The circuit of Garcia del Molino et al. (2017): E, PV, SST and VIP as spiking cells."""

import math

from jtfne._check import one_of
from jtfne.config import Config
from jtfne.emitters import LIF
from jtfne.presets._arguments import preset
from jtfne.stimuli import Constant
from jtfne.synapses import Exponential

# Garcia del Molino, Yang, Mejias & Wang (2017), eLife 6:e29742: membranes, and strength W, pA a Hz
# of the source, of a
# row (target) from a column (source).
TYPES = ("E", "PV", "SST", "VIP")
TAU_M_ms, G_L_nS = (28.8, 8.0, 16.0, 16.0), (6.25, 10.0, 5.0, 5.0)
V_L_mV, V_TH_mV, V_R_mV = -70.0, -50.0, -60.0
W_pA_PER_Hz = (
    (2.4167, -0.3329, -0.8039, 0.0),
    (2.9706, -3.4554, -2.1291, 0.0),
    (4.6440, 0.0, 0.0, -2.7896),
    (0.7162, 0.0, -0.1560, 0.0),
)
TOP_DOWN_pA = 10.0
# Ours, of each source: cells, synapses onto a cell (many and weak, as the rates of the source model
# are means) and how
# long they last. n synapses of w pA, each gone with tau, have a mean of n w tau a Hz: that is what
# W sets.
SIZES, INPUTS, TAU_SYN_ms = (1600, 400, 200, 200), (400, 200, 100, 100), (2.0, 5.0, 5.0, 5.0)
STEP_ms, DELAY_ms, ONSET_ms, STOP_ms = 0.1, 1.0, 1000.0, 2000.0
# Noise (sd of the free membrane) with which a LIF cell has, at the low baseline, the rate and the
# gain of the published
# curve, and currents that then hold each baseline: docs/validation/_garcia_del_molino_2017.py
# derives both.
NOISE_mV = (3.21, 2.85, 3.03, 3.18)
BACKGROUND_pA = {"low": (76.91, 181.23, 65.9, 60.1), "high": (115.52, 333.84, 12.07, 71.05)}


@preset
def garcia_del_molino_2017(baseline: str = "low", seed: int = 0) -> Config:
    """The circuit of Garcia del Molino et al. (2017) in 2,400 spiking cells.

    From 1 s on 10 pA more reach VIP.

    The published populations are rates. Here they are LIF cells with the published membranes, whose
    mean synaptic currents are the published W; noise and background currents are those at which
    such cells have the published rates and gains. What the model is for, its response reversal, is
    in the sign of what SST does: VIP suppresses it at the low baseline, and lets it rise at the
    high one, by way of E.

    Parameters
    ----------
    baseline : {"low", "high"}
        Rates of E, PV, SST and VIP before the top-down current: 1, 10, 3, 2 or 30, 50, 30, 20 Hz.
    seed : int
        Seed of wiring, of first potentials and noise.

    Returns
    -------
    Config
        2 s at 0.1 ms; spikes.

    Examples
    --------
    >>> [each.n_cells for each in garcia_del_molino_2017("high").populations()]
    [1600, 400, 200, 200]
    """
    background_pA = BACKGROUND_pA[
        one_of(baseline, BACKGROUND_pA, name="baseline", where="preset garcia_del_molino_2017")
    ]
    emitters, cell_params, mechanisms = {}, {}, {}
    for k, name in enumerate(TYPES):
        emitters[name] = _cell(k)
        cell_params[name] = {"drive": background_pA[k], "noise": _noise_pA(k)}
        mechanisms[name] = Exponential(tau_ms=TAU_SYN_ms[k], sign=1 if name == "E" else -1)
    return (
        Config()
        .runtime(seed=seed, dt_ms=STEP_ms, duration_ms=STOP_ms)
        .areas(["V1"])
        .layers([{"name": "all", "top": 0.0, "bottom": 1.0}])
        .cells(dict(zip(TYPES, SIZES, strict=True)))
        .emitters(emitters)
        .cell_params(cell_params)
        .mechanisms(mechanisms)
        .connections(_connections())
        .stimuli(
            [
                {
                    "target": "VIP",
                    "drive": Constant(amplitude=TOP_DOWN_pA, start_ms=ONSET_ms),
                    "label": "top-down",
                }
            ]
        )
        .probes(["spk"])
    )


def _connections() -> list[dict[str, object]]:
    """Synapses of each type onto each type, whose mean current is that of W."""
    connections: list[dict[str, object]] = []
    for target, row in zip(TYPES, W_pA_PER_Hz, strict=True):
        for k, source in enumerate(TYPES):
            if not row[k]:
                continue
            connection = {
                "source": source,
                "target": target,
                "mechanism": source,
                "rule": {"kind": "FixedIndegree", "n": INPUTS[k]},
                "weight": 1e3 * row[k] / (INPUTS[k] * TAU_SYN_ms[k]),
                "delay_ms": DELAY_ms,
            }
            connections.append(connection)
    return connections


def _cell(k: int) -> LIF:
    """The published membrane; it has no refractory time."""
    return LIF(
        c_m_pF=TAU_M_ms[k] * G_L_nS[k],
        tau_m_ms=TAU_M_ms[k],
        v_rest_mV=V_L_mV,
        v_th_mV=V_TH_mV,
        v_reset_mV=V_R_mV,
        t_ref_ms=0.0,
    )


def _noise_pA(k: int) -> float:
    """White noise of `NOISE_mV` as the sd of a normal number each ms: C sqrt(2 / (tau 1 ms))."""
    return NOISE_mV[k] * G_L_nS[k] * math.sqrt(2.0 * TAU_M_ms[k])
