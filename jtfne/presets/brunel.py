"""The sparse network of Brunel (2000), model A, in its four states."""

from typing import NamedTuple

from jtfne._check import one_of
from jtfne.config import Config
from jtfne.emitters import LIF
from jtfne.presets._arguments import preset
from jtfne.stimuli import Poisson
from jtfne.synapses import Exponential

# Brunel (2000), J. Comput. Neurosci. 8:183-208, model A. Potentials count from rest, as there.
N_E, N_I, C_E, C_I = 10_000, 2_500, 1_000, 250
J_mV, DELAY_ms = 0.1, 1.5
CELL = LIF(c_m_pF=250.0, tau_m_ms=20.0, v_rest_mV=0.0, v_th_mV=20.0, v_reset_mV=10.0, t_ref_ms=2.0)
THRESHOLD_RATE_Hz = 20.0 / (J_mV * C_E * 20.0e-3)  # the external rate an input that brings the mean to threshold
# The synapses of the model are jumps: a current of 1 us, which the emitter integrates exactly, is one to 5e-5 of it
# (tau_syn / tau_m). What arrives at t moves the membrane in the step that starts there, and a spike is dated to the end
# of its step; but a jump crosses threshold at t itself. The step by which each spike is late is taken off the delay.
TAU_SYN_ms, STEP_ms = 1e-3, 0.1
JUMP_pA = J_mV * 250.0 / TAU_SYN_ms


class Case(NamedTuple):
    """Relative strength of inhibition, and external rate relative to `THRESHOLD_RATE_Hz`; fig. 8 of the source."""

    g: float
    eta: float


CASES = {"A": Case(3.0, 2.0), "B": Case(6.0, 4.0), "C": Case(5.0, 2.0), "D": Case(4.5, 0.9)}


@preset
def brunel(case: str = "C", seed: int = 0) -> Config:
    """The network of Brunel (2000), model A: 10,000 E and 2,500 I cells, 1,250 inputs each, jumps of 0.1 mV.

    Its state hangs on the strength of inhibition g and the external rate: A synchronous regular (g = 3), B fast
    oscillation of irregular cells (g = 6, four times threshold), C asynchronous irregular (g = 5), D slow
    oscillation (g = 4.5, below threshold).

    Delays are declared as 1.4 ms, the 1.5 ms of the source less the step of 0.1 ms after which a jump is seen to have
    made a spike; keep `dt_ms`.

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
    kinds = (("E", "exc", C_E, JUMP_pA), ("I", "inh", C_I, -g * JUMP_pA))
    background = Poisson(rate_Hz=eta * THRESHOLD_RATE_Hz * C_E, weight_pA=JUMP_pA, mechanism="exc")
    return (
        Config()
        .runtime(seed=seed, dt_ms=STEP_ms)
        .areas(["A"])
        .layers([{"name": "all", "top": 0.0, "bottom": 1.0}])
        .cells({"E": N_E, "I": N_I})
        .emitters({"E": CELL, "I": CELL})
        .mechanisms({"exc": Exponential(tau_ms=TAU_SYN_ms, sign=1), "inh": Exponential(tau_ms=TAU_SYN_ms, sign=-1)})
        .connections(
            [
                {
                    "source": source,
                    "target": {},
                    "mechanism": mechanism,
                    "rule": {"kind": "FixedIndegree", "n": inputs},
                    "weight": weight_pA,
                    "delay_ms": DELAY_ms - STEP_ms,
                }
                for source, mechanism, inputs, weight_pA in kinds
            ]
        )
        .stimuli([{"target": {}, "drive": background, "label": "background"}])
        .probes(["spk"])
    )
