"""A sinusoidal input."""

import dataclasses
from typing import ClassVar

import numpy as np

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit, names_fields
from jtfne.stimuli._base import Spanning, Waveform, span


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Sine(Spanning):
    """A sine, `amplitude` sin(2 pi f (t - start) + phase), from `start_ms` to `stop_ms`.

    `amplitude` is in the target's input unit.

    A step sees the mean of the sine over the step: (cos a - cos b) / (b - a) for phases a to b.

    Examples
    --------
    >>> from jtfne.stimuli import Sine
    >>> gamma = Sine(amplitude=5.0, frequency_Hz=40.0, stop_ms=25.0)  # one cycle
    >>> gamma.waveform(0, 30, 1.0).argmax().item(), gamma.events_ms(duration_ms=100.0)
    (6, [(0.0, 25.0)])
    """

    amplitude: float
    frequency_Hz: float
    phase_rad: float = 0.0
    start_ms: float = 0.0
    stop_ms: float | None = None

    frequency_fields: ClassVar[tuple[str, ...]] = ("frequency_Hz",)
    LIMITS: ClassVar[dict[str, Limit]] = {
        "amplitude": FINITE,
        "frequency_Hz": POSITIVE,
        "phase_rad": FINITE,
        "start_ms": NOT_NEGATIVE,
        "stop_ms": NOT_NEGATIVE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("start_ms", "stop_ms"),)

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,): the mean of the sine over each step, zero outside."""
        since_ms, share = span(first_step, n_steps, dt_ms, self.start_ms, self.stop_ms)
        length_ms = share * dt_ms  # of what lies inside
        turn = 2.0 * np.pi * self.frequency_Hz * 1e-3
        middle = turn * (since_ms + 0.5 * length_ms) + self.phase_rad
        # the same as the difference of cosines
        mean = np.sinc(self.frequency_Hz * 1e-3 * length_ms) * np.sin(middle)
        return mean * share
