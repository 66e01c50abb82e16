"""The self-sustained networks of Vogels & Abbott (2005), current-based and conductance-based."""

from typing import Any, NamedTuple

from jtfne._check import one_of
from jtfne.config import Config
from jtfne.emitters import LIF
from jtfne.presets._arguments import preset
from jtfne.stimuli import Poisson
from jtfne.synapses import Conductance, Exponential, Synapse

# Vogels & Abbott (2005), J. Neurosci. 25:10786-10795, as benchmarks 2 (current-based: 1.62 and -9
# mV; rest lies 1 mV
# above threshold, and the network needs no input) and 1 (conductance-based) of Brette et al.
# (2007), J. Comput.
# Neurosci. 23:349-398.
N_E, N_I, P = 3_200, 800, 0.02
DELAY_ms = 0.8
CELL = LIF(
    c_m_pF=200.0, tau_m_ms=20.0, v_rest_mV=-49.0, v_th_mV=-50.0, v_reset_mV=-60.0, t_ref_ms=5.0
)
# The second rests at -60 mV, 10 nS of leak being C / tau, and something must set it going. Brette
# et al. ask for random
# stimulation during the first 50 ms; how much of it: NEST's example Brette_et_al_2007/coba.sli.
KICKED, KICK_Hz, KICK_ms = 50, 300.0, 50.0


class Kind(NamedTuple):
    """Cell, synapses of E and I cells, and their weights (of the synapses' unit)."""

    cell: LIF
    exc: Synapse
    inh: Synapse
    w_exc: float
    w_inh: float


KINDS = {
    "cuba": Kind(
        CELL, Exponential(tau_ms=5.0, sign=1), Exponential(tau_ms=10.0, sign=-1), 16.2, -90.0
    ),
    "coba": Kind(
        LIF(
            c_m_pF=200.0,
            tau_m_ms=20.0,
            v_rest_mV=-60.0,
            v_th_mV=-50.0,
            v_reset_mV=-60.0,
            t_ref_ms=5.0,
        ),
        Conductance(tau_ms=5.0, e_rev_mV=0.0),
        Conductance(tau_ms=10.0, e_rev_mV=-80.0),
        6.0,
        67.0,
    ),
}


@preset
def vogels_abbott(kind: str = "cuba", seed: int = 1) -> Config:
    """The networks of Vogels & Abbott (2005): 4,000 cells that keep themselves firing.

    Each has 80 inputs.

    Parameters
    ----------
    kind : {"cuba", "coba"}
        Synapses are currents, and there is no input; or conductances, and Poisson spikes at 300 Hz
        onto 50 E cells set the network going in the first 50 ms. In about one wiring of five it
        falls silent soon after: take another seed, or a stronger kick.
    seed : int
        Seed of wiring, of the first potentials and of the spikes from outside.

    Returns
    -------
    Config
        1 s at 0.1 ms; spikes.

    Examples
    --------
    >>> [each.n_cells for each in vogels_abbott().populations()]
    [3200, 800]
    >>> vogels_abbott("coba").circuit.mechanisms["inh"].e_rev_mV
    -80.0
    """
    network = KINDS[one_of(kind, KINDS, name="kind", where="preset vogels_abbott")]
    connections = []
    for source, mechanism, weight in (("E", "exc", network.w_exc), ("I", "inh", network.w_inh)):
        connection = {
            "source": source,
            "target": {},
            "mechanism": mechanism,
            "rule": {"kind": "FixedProbability", "p": P, "autapses": True},
            "weight": weight,
            "delay_ms": DELAY_ms,
        }
        connections.append(connection)
    return (
        Config()
        .runtime(seed=seed)
        .areas(["A"])
        .layers([{"name": "all", "top": 0.0, "bottom": 1.0}])
        .cells({"E": N_E, "I": N_I})
        .emitters({"E": network.cell, "I": network.cell})
        .mechanisms({"exc": network.exc, "inh": network.inh})
        .connections(connections)
        .stimuli(_kick(network.w_exc) if kind == "coba" else [])
        .probes(["spk"])
    )


def _kick(weight_nS: float) -> list[dict[str, Any]]:
    """Poisson spikes onto the first E cells, as strong as those of other cells."""
    poisson = Poisson(rate_Hz=KICK_Hz, weight_nS=weight_nS, mechanism="exc", stop_ms=KICK_ms)
    return [
        {
            "target": {"cell_type": "E", "ids": list(range(KICKED))},
            "drive": poisson,
            "label": "kick",
        }
    ]
