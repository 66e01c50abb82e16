"""Rectangular pulses: one, or a train."""

import dataclasses
from typing import ClassVar, Self

import numpy as np

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit
from jtfne.stimuli._base import Waveform, window


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pulse:
    """`amplitude`, in the target's input unit, for `duration_ms` from `start_ms`."""

    start_ms: float
    duration_ms: float
    amplitude: float

    LIMITS: ClassVar[dict[str, Limit]] = {"start_ms": NOT_NEGATIVE, "duration_ms": POSITIVE, "amplitude": FINITE}

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,): 1 within the pulse, else 0."""
        return window(first_step, n_steps, dt_ms, self.start_ms, self.start_ms + self.duration_ms)

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """The pulse."""
        return [(self.start_ms, self.duration_ms)]

    def shifted(self, t_ms: float) -> Self:
        """The same, `t_ms` later."""
        return dataclasses.replace(self, start_ms=self.start_ms + t_ms)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PulseTrain:
    """`count` pulses of `duration_ms`, one every `period_ms` from `start_ms`."""

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
        """(n_steps,): 1 within a pulse, else 0."""
        each = (window(first_step, n_steps, dt_ms, on, on + width) for on, width in self.events_ms(np.inf))
        return sum(each, start=np.zeros(n_steps))

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """Each pulse."""
        return [(self.start_ms + k * self.period_ms, self.duration_ms) for k in range(self.count)]

    def shifted(self, t_ms: float) -> Self:
        """The same, `t_ms` later."""
        return dataclasses.replace(self, start_ms=self.start_ms + t_ms)
