"""The rate model of Garcia del Molino et al. (2017), eLife 6:e29742, and the mean field of LIF
cells in its place.

Everything is of E, PV, SST and VIP in this order.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from jtfne.measures.meanfield import ZETA_HALF, siegert
from jtfne.presets.garcia_del_molino_2017 import (
    INPUTS,
    TYPES,
    ONSET_ms,
    STEP_ms,
    STOP_ms,
    TAU_SYN_ms,
)
from jtfne.signals import Signals

Floats = npt.NDArray[np.float64]
# As published, and as in OpenSourceBrain/del-Molino2017, Python/delMolino.py.
TAU_M_ms, G_L_nS = np.array([28.8, 8.0, 16.0, 16.0]), np.array([6.25, 10.0, 5.0, 5.0])
V_L_mV, V_TH_mV, V_R_mV, SIGMA_V_mV, TAU_RATE_ms = -70.0, -50.0, -60.0, 1.0, 2.0
W_pA_PER_Hz = np.array(  # row: onto
    [
        [2.4167, -0.3329, -0.8039, 0.0],
        [2.9706, -3.4554, -2.1291, 0.0],
        [4.6440, 0.0, 0.0, -2.7896],
        [0.7162, 0.0, -0.1560, 0.0],
    ]
)
BASELINES_Hz = {"low": np.array([1.0, 10.0, 3.0, 2.0]), "high": np.array([30.0, 50.0, 30.0, 20.0])}
BACKGROUND_pA = {  # "high": the reproduction's, the paper prints none
    "low": np.array([115.03, 233.66, 94.31, 89.91]),
    "high": np.array([147.2512, 386.7281, 40.2657, 98.4368]),
}
# of simulated rates; what is left out at the start and after the onset
BIN_ms, SETTLED_ms = 20.0, 300.0
ONTO_VIP = np.array([0.0, 0.0, 0.0, 1.0])
# Fluctuations that are independent from step to step meet a threshold that is looked at once a step
# as if it lay
# higher by this many of their sd a step: Broadie, Glasserman & Kou (1997), Math. Finance 7:325-349.
PER_STEP = -ZETA_HALF / np.sqrt(2.0 * np.pi)


def phi_Hz(i_pA: Floats) -> Floats:
    """The published rate at a steady input of `i_pA` (4,)."""
    x_mV = V_L_mV + i_pA / G_L_nS - V_TH_mV
    rate: Floats = 1e3 * x_mV / (TAU_M_ms * (V_TH_mV - V_R_mV) * -np.expm1(-x_mV / SIGMA_V_mV))
    return rate


def gain_Hz_per_pA(i_pA: Floats) -> Floats:
    """How much `phi_Hz` gives for a pA more."""
    slope: Floats = (phi_Hz(i_pA + 1e-3) - phi_Hz(i_pA - 1e-3)) / 2e-3
    return slope


def course_Hz(background_pA: Floats, top_down_pA: Floats, start_Hz: Floats, n_ms: int) -> Floats:
    """Rates of the published model at the end of each of `n_ms`, (n_ms, 4), in steps of 0.1 ms."""
    rate_Hz, found = start_Hz, np.zeros((n_ms, 4))
    for t in range(n_ms):
        for _ in range(10):
            total_pA = background_pA + top_down_pA + W_pA_PER_Hz @ rate_Hz
            rate_Hz = rate_Hz + 0.1 / TAU_RATE_ms * (phi_Hz(total_pA) - rate_Hz)
        found[t] = rate_Hz
    return found


def response_Hz(baseline: str, top_down_pA: float = 10.0) -> Floats:
    """What a current onto VIP changes in the published model: (4,)."""
    background = BACKGROUND_pA[baseline]
    before = course_Hz(background, 0.0 * ONTO_VIP, BASELINES_Hz[baseline], 500)[-1]
    return np.asarray(
        course_Hz(background, top_down_pA * ONTO_VIP, before, 500)[-1] - before, np.float64
    )


class MeanField(NamedTuple):
    """LIF cells with the published membranes, white noise of `sd_mV` (4,), of the free membrane,
    and our synapses.
    """

    sd_mV: Floats

    def rate_Hz(self, k: int, i_pA: float, rates_Hz: Floats) -> float:
        """Of population k at a mean input of `i_pA`, where all fire at `rates_Hz`: Siegert."""
        tau_ms, n, tau_syn_ms = TAU_M_ms[k], np.array(INPUTS), np.array(TAU_SYN_ms)
        jump_mV = 1e3 * W_pA_PER_Hz[k] / n / (TAU_M_ms[k] * G_L_nS[k])
        # what the synapses pass
        shot_mV2 = tau_ms / 1e3 * n * jump_mV**2 * rates_Hz * tau_ms / (tau_ms + tau_syn_ms)
        white_mV = np.sqrt(2.0) * self.sd_mV[k]
        seen_mV = V_TH_mV - V_L_mV + PER_STEP * white_mV * np.sqrt(STEP_ms / tau_ms)
        sigma_mV = np.sqrt(white_mV**2 + shot_mV2.sum())
        return siegert(
            i_pA / G_L_nS[k], sigma_mV, tau_ms, float(seen_mV), V_R_mV - V_L_mV, 0.0
        ).item()

    def input_pA(self, k: int, rates_Hz: Floats) -> float:
        """The mean input at which population k fires at its own of `rates_Hz`."""
        return float(
            brentq(
                lambda i_pA: self.rate_Hz(k, i_pA, rates_Hz) - rates_Hz[k], -400.0, 800.0, xtol=1e-6
            )
        )

    def gain_Hz_per_pA(self, k: int, rates_Hz: Floats) -> float:
        """There, what a pA more gives."""
        at_pA = self.input_pA(k, rates_Hz)
        return (
            self.rate_Hz(k, at_pA + 0.1, rates_Hz) - self.rate_Hz(k, at_pA - 0.1, rates_Hz)
        ) / 0.2

    def background_pA(self, rates_Hz: Floats) -> Floats:
        """What the cells need from outside to fire at `rates_Hz`, (4,)."""
        return np.array([self.input_pA(k, rates_Hz) for k in range(4)]) - W_pA_PER_Hz @ rates_Hz

    def settled_Hz(self, background_pA: Floats, start_Hz: Floats) -> Floats:
        """Where the rates come to rest, (4,)."""
        rates_Hz = start_Hz
        for _ in range(1000):
            total_pA = background_pA + W_pA_PER_Hz @ rates_Hz
            missing = (
                np.array([self.rate_Hz(k, total_pA[k], rates_Hz) for k in range(4)]) - rates_Hz
            )
            if np.abs(missing).max() < 1e-6:
                break
            rates_Hz = rates_Hz + 0.1 * missing
        return rates_Hz


def noise_of_the_gain_mV() -> Floats:
    """White noise with which LIF cells have, at the low baseline, the published rates and the
    published gains: (4,).
    """
    rates_Hz = BASELINES_Hz["low"]
    wanted = gain_Hz_per_pA(BACKGROUND_pA["low"] + W_pA_PER_Hz @ rates_Hz)
    return np.array(
        [
            brentq(
                lambda sd_mV, k=k: (
                    MeanField(np.full(4, sd_mV)).gain_Hz_per_pA(k, rates_Hz) - wanted[k]
                ),
                1.5,
                8.0,
            )
            for k in range(4)
        ]
    )


def binned_Hz(signals: Signals) -> Floats:
    """Rates of a run of the preset in bins of 20 ms, (n_bins, 4)."""
    kind = (
        signals.neurons["cell_type"]
        .map({name: k for k, name in enumerate(TYPES)})
        .to_numpy(np.int64)
    )
    events = signals.tree["spk"].to_dataset()
    of_spikes = kind[events["neuron"].values]
    edges_ms = np.arange(0.0, STOP_ms + BIN_ms, BIN_ms) + 1e-3  # a bin holds its end
    counts = [np.histogram(events["time"].values[of_spikes == k], edges_ms)[0] for k in range(4)]
    rates: Floats = np.transpose(counts) / np.bincount(kind) / BIN_ms * 1e3
    return rates


def before_and_change_Hz(course: Floats) -> tuple[Floats, Floats]:
    """Mean rates before the top-down current, and what they change by, both (4,): without the first
    0.3 s of each.
    """
    onset, settled = int(ONSET_ms / BIN_ms), int(SETTLED_ms / BIN_ms)
    before = course[settled:onset].mean(axis=0)
    return before, course[onset + settled :].mean(axis=0) - before
