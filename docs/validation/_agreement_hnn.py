"""Rows of docs/validation/agreement.rst about hnn-core, and NEURON, which it runs on.

hnn-core's cells have dendrites, jtfne's one or two compartments: its dipoles have no counterpart
that should be equal. What is compared is what both define alike: drives, field operators, the CSD
estimate and the synapse.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

import jtfne
from docs.validation import _agreement_circuits as circuits
from docs.validation._agreement import Row
from docs.validation._agreement_circuits import SEED, DT_ms
from docs.validation._agreement_fields import SIGMA_S_m, contacts_um, segments_um
from docs.validation._agreement_nest_job import initial_states
from jtfne.config import Config
from jtfne.emitters import SpikeSource
from jtfne.measures.csd import SecondDifference
from jtfne.operators import LineSource, PointSource
from jtfne.stimuli import Evoked, Rhythmic
from jtfne.synapses import BiExponentialConductance

PEER = "hnn-core"
Floats = npt.NDArray[np.float64]

EVOKED = {"seed": 31, "mean_ms": 63.5, "sd_ms": 3.85, "n_spikes": 50}
RHYTHMIC = {
    "seed": 32,
    "start_ms": 50.0,
    "stop_ms": 950.0,
    "rate_Hz": 10.0,
    "sd_ms": 20.0,
    "n_spikes": 2,
    "isi_ms": 10.0,
}
SPACING_um, N_CONTACTS = 100.0, 16
CELL_ms, DELAY_ms = 100.0, 1.0
EXC = BiExponentialConductance(tau_rise_ms=0.5, tau_decay_ms=5.0, e_rev_mV=0.0)
INH = BiExponentialConductance(tau_rise_ms=1.0, tau_decay_ms=20.0, e_rev_mV=-80.0)
EXC_TIMES_ms, INH_TIMES_ms = (10.0, 12.0, 30.0, 31.0, 60.0), (20.0, 33.0, 58.0)
EXC_WEIGHT_nS, INH_WEIGHT_nS = 4.0, 6.0

ROWS: tuple[Row, ...] = (
    Row(
        name="hnn evoked",
        peer=PEER,
        quantity="times of 50 spikes of ``Evoked`` from the same random numbers; ``_create_gauss``",
        tolerance=1e-9,
        reason="mean + sd x normal draw on both sides; rounding",
    ),
    Row(
        name="hnn rhythmic",
        peer=PEER,
        quantity="spike times of ``Rhythmic`` doublets at 10 Hz from the same random numbers; ``_create_bursty_input``",
        tolerance=1e-9,
        reason="bursts jittered whole, centred on their time; rounding",
    ),
    Row(
        name="hnn points",
        peer=PEER,
        quantity="``PointSource``; ``_transfer_resistance`` by points",
        tolerance=1e-6,
        reason="NEURON keeps places in float32",
    ),
    Row(
        name="hnn lines",
        peer=PEER,
        quantity="``LineSource``, one segment a section; ``_transfer_resistance`` by lines",
        tolerance=1e-5,
        reason="NEURON keeps places in float32",
    ),
    Row(
        name="hnn csd",
        peer=PEER,
        quantity="``SecondDifference`` over sigma at the inner contacts; ``calculate_csd2d``",
        tolerance=1e-9,
        reason="the same sums; rounding",
    ),
    Row(
        name="hnn exp2syn",
        peer=PEER,
        kind="potential",
        quantity="``LIF`` with ``BiExponentialConductance`` synapses of both kinds, v; NEURON's ``Exp2Syn`` on a "
        "passive compartment, CVODE to 1e-10",
        tolerance=1e-4,
        reason="jtfne holds conductances at their mean over 0.1 ms (order 2)",
    ),
)


def potential_mV() -> Floats:
    """Any potentials over depth and time, (n_contacts, 40)."""
    return np.random.default_rng(33).normal(size=(N_CONTACTS, 40))


def cell_config() -> Config:
    """A passive cell under excitatory and inhibitory conductances."""
    emitters = {
        "cell": circuits.QUIET,
        "exc": SpikeSource(times_ms=[EXC_TIMES_ms]),
        "inh": SpikeSource(times_ms=[INH_TIMES_ms]),
    }
    return (
        circuits.base_config(dict.fromkeys(emitters, 1), emitters, CELL_ms)
        .mechanisms({"exc": EXC, "inh": INH})
        .connections(
            [
                circuits.edge("exc", "cell", "exc", EXC_WEIGHT_nS, DELAY_ms),
                circuits.edge("inh", "cell", "inh", INH_WEIGHT_nS, DELAY_ms),
            ]
        )
    )


def synapse_job(
    synapse: BiExponentialConductance, times_ms: tuple[float, ...], weight_nS: float
) -> dict[str, Any]:
    """A synapse as the peer is told it."""
    return {
        "tau_rise_ms": synapse.tau_rise_ms,
        "tau_decay_ms": synapse.tau_decay_ms,
        "e_rev_mV": synapse.e_rev_mV,
        "times_ms": list(times_ms),
        "weight_nS": weight_nS,
        "delay_ms": DELAY_ms,
    }


def job() -> dict[str, Any]:
    """What `_agreement_peer_hnn.py` is sent."""
    starts, ends = segments_um()
    config = cell_config()
    (row,) = circuits.cell_rows(config)["cell"]
    return {
        "evoked": EVOKED,
        "rhythmic": RHYTHMIC,
        "field": {
            "starts_um": starts.tolist(),
            "ends_um": ends.tolist(),
            "contacts_um": contacts_um().tolist(),
            "sigma_S_m": SIGMA_S_m,
        },
        "csd": {"potential_mV": potential_mV().tolist(), "spacing_um": SPACING_um},
        "cell": {
            "c_m_pF": circuits.QUIET.c_m_pF,
            "tau_m_ms": circuits.QUIET.tau_m_ms,
            "v_rest_mV": circuits.QUIET.v_rest_mV,
            "v_first_mV": initial_states(jtfne.construct(config))[row]["v_mV"],
            "duration_ms": CELL_ms,
            "dt_ms": DT_ms,
            "synapses": [
                synapse_job(EXC, EXC_TIMES_ms, EXC_WEIGHT_nS),
                synapse_job(INH, INH_TIMES_ms, INH_WEIGHT_nS),
            ],
        },
    }


def drive_times(drive: Evoked | Rhythmic, seed: int) -> list[float]:
    """The spike times of one afferent, sorted, from the older generator that hnn-core draws
    from.
    """
    random: Any = np.random.RandomState(seed)
    return sorted(drive.trains(1, random)[1].tolist())


def inner_csd() -> Floats:
    """Minus the second difference over depth, mV/um^2."""
    depths_mm = 1e-3 * SPACING_um * np.arange(1, N_CONTACTS + 1)
    matrix = SecondDifference().matrix(depths_mm, sigma_S_m=1.0)  # (A/m^3)/V: V/m^2 at 1 S/m
    return matrix @ potential_mV() * 1e-12  # a potential over um^2 is 1e-12 of that over m^2


def compute_ours(name: str) -> Any:
    """jtfne's side of a row."""
    starts, ends = segments_um()
    if name == "hnn evoked":
        settings = {key: value for key, value in EVOKED.items() if key != "seed"}
        return drive_times(Evoked(**settings, weight_pA=1.0), EVOKED["seed"])
    if name == "hnn rhythmic":
        settings = {key: value for key, value in RHYTHMIC.items() if key != "seed"}
        return drive_times(Rhythmic(**settings, weight_pA=1.0), RHYTHMIC["seed"])
    if name == "hnn points":
        return (
            1e-3
            * PointSource(1e-3 * contacts_um(), 0.5e-3 * (starts + ends), SIGMA_S_m, 1e-3).matrix
        )
    if name == "hnn lines":
        return (
            1e-3
            * LineSource(1e-3 * contacts_um(), 1e-3 * starts, 1e-3 * ends, SIGMA_S_m, 1e-3).matrix
        )
    if name == "hnn csd":
        return inner_csd()
    config = cell_config()
    (row,) = circuits.cell_rows(config)["cell"]
    signals = jtfne.construct(config).simulate(seed=SEED, progress=False)
    return np.asarray(signals.get("vm", layout="node_time").values[row], np.float64)


def stored_values(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """hnn-core's side of all rows, by name, as agreement.json keeps it; v at every fifth step."""
    values = {row.name: answer[row.name] for row in ROWS}
    values["hnn csd"] = values["hnn csd"][1:-1]
    stored: dict[str, dict[str, Any]] = {
        name: {"values": numbers} for name, numbers in values.items()
    }
    steps = list(range(5, round(CELL_ms / DT_ms) + 1, 5))
    course = values["hnn exp2syn"]
    stored["hnn exp2syn"] = {"values": [course[step - 1] for step in steps], "steps": steps}
    return stored


def read(row: Row, steps: list[int] | None = None) -> Any:
    """jtfne's side of a row, at the steps that are kept of a course."""
    values = compute_ours(row.name)
    return values if steps is None else values[np.asarray(steps) - 1]
