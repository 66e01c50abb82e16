"""The sparse network of Brunel (2000), model A, in its four states."""

from typing import NamedTuple

from jtfne._check import one_of
from jtfne.config import Config
from jtfne.emitters import LIF
from jtfne.presets._arguments import preset
from jtfne.stimuli import Poisson
from jtfne.synapses import Delta

# Brunel (2000), J. Comput. Neurosci. 8:183-208, model A. Potentials count from rest, as there.
N_E, N_I, C_E, C_I = 10_000, 2_500, 1_000, 250
J_mV, DELAY_ms = 0.1, 1.5
CELL = LIF(c_m_pF=250.0, tau_m_ms=20.0, v_rest_mV=0.0, v_th_mV=20.0, v_reset_mV=10.0, t_ref_ms=2.0)
# the external rate an input that brings the mean to threshold
THRESHOLD_RATE_Hz = 20.0 / (J_mV * C_E * 20.0e-3)


class Case(NamedTuple):
    """Relative inhibition, and external rate in `THRESHOLD_RATE_Hz`; fig. 8 of the source."""

    g: float
    eta: float


CASES = {"A": Case(3.0, 2.0), "B": Case(6.0, 4.0), "C": Case(5.0, 2.0), "D": Case(4.5, 0.9)}


@preset
def brunel(case: str = "C", seed: int = 0) -> Config:
    """The network of Brunel (2000), model A: 10,000 E and 2,500 I cells, 1,250 inputs each.

    A synapse is a jump of 0.1 mV.

    Its state hangs on the strength of inhibition g and the external rate: A synchronous regular (g
    = 3), B fast oscillation of irregular cells (g = 6, four times threshold), C asynchronous
    irregular (g = 5), D slow oscillation (g = 4.5, below threshold).

    A jump acts on arrival, before the threshold of that step is tested: it takes 1.5 ms from a
    spike to the spike that it makes. No cell hears itself (no autapses). Where a simulator lets it,
    such jumps come 1.5 ms after the cell's own spike, within its refractory time of 2 ms, and are
    lost: the page of validation gives the rates of both kinds.

    Parameters
    ----------
    case : {"A", "B", "C", "D"}
        The state.
    seed : int
        Seed of wiring and of spikes from outside.

    Returns
    -------
    Config
        1 s at 0.1 ms; spikes.

    Examples
    --------
    >>> brunel("D").task.stimuli[0].drive.rate_Hz
    9000.0
    """
    g, eta = CASES[one_of(case, CASES, name="case", where="preset brunel")]
    connections = []
    for source, mechanism, inputs, weight_mV in (
        ("E", "exc", C_E, J_mV),
        ("I", "inh", C_I, -g * J_mV),
    ):
        connection = {
            "source": source,
            "target": {},
            "mechanism": mechanism,
            "rule": {"kind": "FixedIndegree", "n": inputs},
            "weight": weight_mV,
            "delay_ms": DELAY_ms,
        }
        connections.append(connection)
    background = Poisson(rate_Hz=eta * THRESHOLD_RATE_Hz * C_E, weight_mV=J_mV, mechanism="exc")
    return (
        Config()
        .runtime(seed=seed, dt_ms=0.1)
        .areas(["A"])
        .layers([{"name": "all", "top": 0.0, "bottom": 1.0}])
        .cells({"E": N_E, "I": N_I})
        .emitters({"E": CELL, "I": CELL})
        .mechanisms({"exc": Delta(sign=1), "inh": Delta(sign=-1)})
        .connections(connections)
        .stimuli([{"target": {}, "drive": background, "label": "background"}])
        .probes(["spk"])
    )
