"""The self-sustained network of Vogels & Abbott (2005)."""

from jtfne._check import one_of
from jtfne.config import Config
from jtfne.emitters import LIF
from jtfne.synapses import Exponential

# Vogels & Abbott (2005), J. Neurosci. 25:10786-10795, as the current-based benchmark of Brette et al. (2007), J.
# Comput. Neurosci. 23:349-398 (1.62 and -9 mV). Rest lies 1 mV above threshold: the network needs no input.
N_E, N_I, P = 3_200, 800, 0.02
WEIGHTS_pA = {"E": 16.2, "I": -90.0}
DELAY_ms = 0.8
CELL = LIF(c_m_pF=200.0, tau_m_ms=20.0, v_rest_mV=-49.0, v_th_mV=-50.0, v_reset_mV=-60.0, t_ref_ms=5.0)


def vogels_abbott(kind: str = "cuba", seed: int = 1) -> Config:
    """The network of Vogels & Abbott (2005): 4,000 cells that keep themselves firing, 80 inputs each.

    Parameters
    ----------
    kind : {"cuba"}
        Current-based synapses.
    seed : int
        Seed of wiring and of the first potentials.

    Returns
    -------
    Config
        1 s at 0.1 ms; spikes.

    Examples
    --------
    >>> [each.n_cells for each in vogels_abbott().populations()]
    [3200, 800]
    """
    one_of(kind, ("cuba",), name="kind", where="preset vogels_abbott")
    names = {"E": "exc", "I": "inh"}
    return (
        Config()
        .runtime(seed=seed)
        .areas(["A"])
        .layers([{"name": "all", "top": 0.0, "bottom": 1.0}])
        .cells({"E": N_E, "I": N_I})
        .emitters({"E": CELL, "I": CELL})
        .mechanisms({"exc": Exponential(tau_ms=5.0, sign=1), "inh": Exponential(tau_ms=10.0, sign=-1)})
        .connections(
            [
                {
                    "source": source,
                    "target": {},
                    "mechanism": names[source],
                    "rule": {"kind": "FixedProbability", "p": P, "autapses": True},
                    "weight": weight_pA,
                    "delay_ms": DELAY_ms,
                }
                for source, weight_pA in WEIGHTS_pA.items()
            ]
        )
        .probes(["spk"])
    )
