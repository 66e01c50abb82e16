"""Rectangular pulses: one, or a train."""

import dataclasses
from typing import ClassVar

import numpy as np

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit, names_fields
from jtfne._grid import without_rounding
from jtfne.stimuli._base import Stimulus, Waveform, cover_steps, steps_since


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Pulse(Stimulus):
    """`amplitude`, in the target's input unit, for `duration_ms` from `start_ms`.

    Examples
    --------
    >>> from jtfne.stimuli import Pulse
    >>> flash = Pulse(start_ms=1.0, duration_ms=2.5, amplitude=20.0)
    >>> flash.waveform(first_step=0, n_steps=5, dt_ms=1.0).tolist()
    [0.0, 1.0, 1.0, 0.5, 0.0]
    """

    start_ms: float
    duration_ms: float
    amplitude: float

    LIMITS: ClassVar[dict[str, Limit]] = {
        "start_ms": NOT_NEGATIVE,
        "duration_ms": POSITIVE,
        "amplitude": FINITE,
    }

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """The share of each step that the pulse covers: (n_steps,)."""
        return cover_steps(first_step, n_steps, dt_ms, self.start_ms, self.duration_ms)[1]

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """The pulse."""
        return [(self.start_ms, self.duration_ms)]


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class PulseTrain(Stimulus):
    """`count` pulses of `duration_ms`, one every `period_ms` from `start_ms`.

    Examples
    --------
    >>> from jtfne.stimuli import PulseTrain
    >>> flicker = PulseTrain(start_ms=0.0, duration_ms=2.0, period_ms=25.0, count=3, amplitude=20.0)
    >>> flicker.events_ms(duration_ms=100.0)
    [(0.0, 2.0), (25.0, 2.0), (50.0, 2.0)]
    """

    start_ms: float
    duration_ms: float
    period_ms: float
    count: int
    amplitude: float

    LIMITS: ClassVar[dict[str, Limit]] = {
        "start_ms": NOT_NEGATIVE,
        "duration_ms": POSITIVE,
        "period_ms": POSITIVE,
        "count": Limit(low=1, high=100_000),  # each is an event of its own
        "amplitude": FINITE,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("duration_ms", "period_ms"),)

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """The share of each step that pulses cover: (n_steps,).

        There may be several pulses in one step.
        """
        edges = steps_since(first_step, n_steps + 1, dt_ms, self.start_ms)
        return np.diff(self._sum_coverage(edges, dt_ms))

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """Each pulse."""
        return [(self.start_ms + k * self.period_ms, self.duration_ms) for k in range(self.count)]

    def _sum_coverage(self, since: Waveform, dt_ms: float) -> Waveform:
        """How many steps pulses cover before each of `since`, in steps from the first onset."""
        width, period = (
            without_rounding(length_ms / dt_ms) for length_ms in (self.duration_ms, self.period_ms)
        )
        since = np.maximum(since, 0.0)
        # pulses that have begun, but for the last
        n_pulses = np.minimum(np.floor(since / period), self.count)
        last_width = np.where(
            n_pulses < self.count, np.minimum(since - n_pulses * period, width), 0.0
        )
        return np.asarray(n_pulses * width + last_width, np.float64)
