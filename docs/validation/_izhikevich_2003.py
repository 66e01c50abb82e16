"""The program that Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569-1572, prints, in numpy and
double precision.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
N_E, N_I = 800, 200
KIND = np.repeat([0, 1], [N_E, N_I])  # 0 excitatory, 1 inhibitory: (n_cells,)


class Cells(NamedTuple):
    """Parameters (n_cells,), and strength (n_cells, n_cells), source by target: what a spike adds
    to I for one step.
    """

    a: Floats
    b: Floats
    c: Floats
    d: Floats
    strength: Floats

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Cells":
        """As the program draws them: `re`, `ri` and `S`."""
        re, ri = rng.random(N_E), rng.random(N_I)
        towards_all = np.concatenate(
            [0.5 * rng.random((N_E, N_E + N_I)), -rng.random((N_I, N_E + N_I))]
        )
        return cls(
            a=np.concatenate([np.full(N_E, 0.02), 0.02 + 0.08 * ri]),
            b=np.concatenate([np.full(N_E, 0.2), 0.25 - 0.05 * ri]),
            c=np.concatenate([-65.0 + 15.0 * re**2, np.full(N_I, -65.0)]),
            d=np.concatenate([8.0 - 6.0 * re**2, np.full(N_I, 2.0)]),
            strength=towards_all,
        )


def fired(
    cells: Cells, v: Floats, u: Floats, thalamic: Floats, delay: int = 0
) -> npt.NDArray[np.bool_]:
    """Who is found at 30 mV or more at t = 1, 2, ... n ms, (n, n_cells), from v and u (n_cells,) at
    t = 0.

    thalamic: (n, n_cells), input in each step. delay: steps after which a spike acts; none in the
    program.
    """
    found = np.zeros(thalamic.shape, bool)
    waiting = [np.zeros(v.size)] * (delay + 1)
    for t, given in enumerate(thalamic):
        current = given + waiting.pop(0)
        for _ in range(2):
            v = v + 0.5 * (0.04 * v**2 + 5.0 * v + 140.0 - u + current)
        u = u + cells.a * (cells.b * v - u)
        found[t] = v >= 30.0
        waiting.append(cells.strength[found[t]].sum(axis=0))
        v, u = np.where(found[t], cells.c, v), np.where(found[t], u + cells.d, u)
    return found


def program(seed: int, n_ms: int, delay: int = 0) -> npt.NDArray[np.bool_]:
    """The program's spikes with cells, strengths and input of `seed`: (n_ms, n_cells)."""
    rng = np.random.default_rng(seed)
    cells = Cells.drawn(rng)
    v = np.full(KIND.size, -65.0)
    thalamic = np.where(KIND == 0, 5.0, 2.0) * rng.standard_normal((n_ms, KIND.size))
    return fired(cells, v, cells.b * v, thalamic, delay)


def rates_Hz(spikes: npt.NDArray[np.bool_]) -> Floats:
    """Mean rates of E and of I of spikes (n_ms, n_cells): (2,)."""
    return np.array([1e3 * spikes[:, k == KIND].mean() for k in (0, 1)])
