"""An event without input."""

import dataclasses
from typing import ClassVar

import numpy as np

from jtfne._check import NOT_NEGATIVE, Limit, names_fields
from jtfne.stimuli._base import Stimulus, Waveform


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Marker(Stimulus):
    """A label in time and nothing else: an omitted item, a cue, the start of a block.

    Examples
    --------
    >>> from jtfne.stimuli import Marker
    >>> cue = Marker(start_ms=100.0, duration_ms=20.0)
    >>> cue.events_ms(duration_ms=1000.0), cue.waveform(0, 3, 0.1).any().item()
    ([(100.0, 20.0)], False)
    """

    start_ms: float = 0.0
    duration_ms: float = 0.0

    LIMITS: ClassVar[dict[str, Limit]] = {"start_ms": NOT_NEGATIVE, "duration_ms": NOT_NEGATIVE}

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,): zero."""
        return np.zeros(n_steps)

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """The mark."""
        return [(self.start_ms, self.duration_ms)]
