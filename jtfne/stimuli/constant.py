"""A constant input from an onset to the end of the trial."""

import dataclasses
from typing import ClassVar

from jtfne._check import FINITE, NOT_NEGATIVE, Limit, names_fields
from jtfne.stimuli._base import Stimulus, Waveform, window


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Constant(Stimulus):
    """`amplitude`, in the target's input unit, from `start_ms` on.

    Examples
    --------
    >>> from jtfne.stimuli import Constant
    >>> Constant(amplitude=50.0, start_ms=1.5).waveform(first_step=0, n_steps=4, dt_ms=1.0).tolist()
    [0.0, 0.5, 1.0, 1.0]
    """

    amplitude: float
    start_ms: float = 0.0

    LIMITS: ClassVar[dict[str, Limit]] = {"amplitude": FINITE, "start_ms": NOT_NEGATIVE}

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,): 0, then 1; in the step of the onset what is left of it."""
        return window(first_step, n_steps, dt_ms, self.start_ms, None)
