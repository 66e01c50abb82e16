"""An input whose frequency sweeps: the ZAP current, which shows resonance."""

import dataclasses
from typing import ClassVar

import numpy as np

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit, names_fields
from jtfne.stimuli._base import Stimulus, Waveform, cover_steps

# Nodes and weights on [0, 1] of the quadrature of a step, in which a frequency that dt resolves
# turns by half a cycle at most: 8 nodes are exact there to 1e-14.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
NODES, WEIGHTS = 0.5 * (_NODES + 1.0), 0.5 * _WEIGHTS


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Chirp(Stimulus):
    """A sine whose frequency goes evenly from `first_Hz` to `last_Hz`.

    `amplitude` is in the target's input unit; it lasts `duration_ms` from `start_ms` on.

    phase(t) = phase_rad + 2 pi (first t + (last - first) t^2 / (2 duration)), t since the start.
    Zero before and after. A step sees the mean over the step. Source: Puil, Gimbarzevsky & Miura
    (1986), J. Neurophysiol. 55:995-1016 (the ZAP current).

    Examples
    --------
    >>> from jtfne.stimuli import Chirp
    >>> zap = Chirp(amplitude=20.0, duration_ms=1000.0, first_Hz=1.0, last_Hz=50.0)
    >>> zap.waveform(0, 10000, 0.1).shape, zap.events_ms(duration_ms=2000.0)
    ((10000,), [(0.0, 1000.0)])
    """

    amplitude: float
    duration_ms: float
    first_Hz: float
    last_Hz: float
    phase_rad: float = 0.0
    start_ms: float = 0.0

    frequency_fields: ClassVar[tuple[str, ...]] = ("first_Hz", "last_Hz")
    LIMITS: ClassVar[dict[str, Limit]] = {
        "amplitude": FINITE,
        "duration_ms": POSITIVE,
        "first_Hz": NOT_NEGATIVE,
        "last_Hz": NOT_NEGATIVE,
        "phase_rad": FINITE,
        "start_ms": NOT_NEGATIVE,
    }

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,): the mean of the sweep over each step, zero outside."""
        since_ms, share = cover_steps(first_step, n_steps, dt_ms, self.start_ms, self.duration_ms)
        t_s = 1e-3 * (since_ms[:, None] + share[:, None] * dt_ms * NODES)  # (n_steps, n_nodes)
        rate_Hz_per_s = (self.last_Hz - self.first_Hz) / (1e-3 * self.duration_ms)
        cycles = self.first_Hz * t_s + 0.5 * rate_Hz_per_s * t_s**2
        sweep = np.sin(2.0 * np.pi * cycles + self.phase_rad)
        # a sum over the nodes of each step alone: a matrix product rounds by where it is cut
        return np.asarray((sweep * WEIGHTS).sum(axis=1) * share, np.float64)

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """The sweep."""
        return [(self.start_ms, self.duration_ms)]
