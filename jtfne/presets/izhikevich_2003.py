"""The 1,000 randomly connected cells of Izhikevich (2003)."""

from typing import Any

from jtfne import _keys
from jtfne.config import AllToAll, Config, Uniform
from jtfne.emitters import Izhikevich2003
from jtfne.presets._arguments import preset
from jtfne.synapses import Exponential

# The program that Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569-1572, prints: in each step of
# 1 ms the potential
# in two half steps, then the recovery; thalamic input of 5 or 2 times a standard normal number a
# step.
N_E, N_I, STEP_ms = 800, 200, 1.0
NOISE = {"E": 5.0, "I": 2.0}  # mV/ms
# of a synapse, by its source: mV/ms for one step, uniform
STRENGTH = {"E": (0.0, 0.5), "I": (-1.0, 0.0)}
# A spike there adds its strength to I for one step. An exponential current of 1 us is over within
# its step, over which
# the emitter takes its exact mean: weight * tau / step. All that is left of it in the next is
# e^-1000.
TAU_SYN_ms = 1e-3
CELL = Izhikevich2003(half_steps=True)
PA_PER_STRENGTH = float(CELL.c_m_pF) * STEP_ms / TAU_SYN_ms


@preset
def izhikevich_2003(seed: int = 0) -> Config:
    """The network of Izhikevich (2003): 800 E and 200 I cells, all different, all connected.

    Its rhythms come from noise.

    Excitatory cells range from regular spiking to chattering, inhibitory ones from fast to
    low-threshold spiking. Delays are declared as 1 ms, the least that there is: a spike acts one
    step later than in the published program. Keep `dt_ms`.

    Parameters
    ----------
    seed : int
        Seed of the cells' parameters, of weights, first potentials and noise.

    Returns
    -------
    Config
        1 s at 1 ms; spikes.

    Examples
    --------
    >>> config = izhikevich_2003()
    >>> [(each.n_cells, each.noise) for each in config.populations()]
    [(800, 5.0), (200, 2.0)]
    >>> config.run.dt_ms
    1.0
    """
    connections = []
    for mechanism, (source, (low, high)) in zip(("exc", "inh"), STRENGTH.items(), strict=True):
        connection = {
            "source": source,
            "target": {},
            "mechanism": mechanism,
            "rule": AllToAll(autapses=True),
            "weight": Uniform(low=low * PA_PER_STRENGTH, high=high * PA_PER_STRENGTH),
            "delay_ms": STEP_ms,
        }
        connections.append(connection)
    return (
        Config()
        .runtime(seed=seed, dt_ms=STEP_ms)
        .areas(["A"])
        .layers([{"name": "all", "top": 0.0, "bottom": 1.0}])
        .cells({"E": N_E, "I": N_I})
        .emitters({"E": CELL, "I": CELL})
        .cell_params(_cells(seed))
        .mechanisms(
            {
                "exc": Exponential(tau_ms=TAU_SYN_ms, sign=1),
                "inh": Exponential(tau_ms=TAU_SYN_ms, sign=-1),
            }
        )
        .connections(connections)
        .probes(["spk"])
    )


def _cells(seed: int) -> dict[str, dict[str, Any]]:
    """Parameters of every cell, spread by r in [0, 1); E cells by r^2, towards regular spiking."""
    rng = _keys.generator(seed, "preset izhikevich_2003")
    r_e, r_i = rng.random(N_E), rng.random(N_I)
    return {
        "E": {
            "a": 0.02,
            "b": 0.2,
            "c_mV": -65.0 + 15.0 * r_e**2,
            "d": 8.0 - 6.0 * r_e**2,
            "noise": NOISE["E"],
        },
        "I": {
            "a": 0.02 + 0.08 * r_i,
            "b": 0.25 - 0.05 * r_i,
            "c_mV": -65.0,
            "d": 2.0,
            "noise": NOISE["I"],
        },
    }
