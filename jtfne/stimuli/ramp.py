"""An input that rises or falls along a line."""

import dataclasses
from typing import ClassVar

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit, names_fields
from jtfne.stimuli._base import Stimulus, Waveform, cover_steps


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Ramp(Stimulus):
    """A line from `begin` to `end` times `amplitude`, in the target's input unit.

    It lasts `duration_ms` from `start_ms` on.

    Zero before and after. A step sees the mean of the line over the step, so that the charge is the
    same for any dt.

    Examples
    --------
    >>> from jtfne.stimuli import Ramp
    >>> Ramp(start_ms=0.0, duration_ms=4.0, amplitude=20.0).waveform(0, 5, 1.0).tolist()
    [0.125, 0.375, 0.625, 0.875, 0.0]
    """

    start_ms: float
    duration_ms: float
    amplitude: float
    begin: float = 0.0
    end: float = 1.0

    LIMITS: ClassVar[dict[str, Limit]] = {
        "start_ms": NOT_NEGATIVE,
        "duration_ms": POSITIVE,
        "amplitude": FINITE,
        "begin": FINITE,
        "end": FINITE,
    }

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """The line at the middle of what the ramp covers of each step: (n_steps,).

        Times the share of the step that it covers.
        """
        since_ms, share = cover_steps(first_step, n_steps, dt_ms, self.start_ms, self.duration_ms)
        middle_ms = since_ms + 0.5 * share * dt_ms
        return share * (self.begin + (self.end - self.begin) * middle_ms / self.duration_ms)

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """The ramp."""
        return [(self.start_ms, self.duration_ms)]
