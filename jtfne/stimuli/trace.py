"""Any waveform, given as samples."""

import dataclasses
from typing import ClassVar, Self

import numpy as np

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit
from jtfne.stimuli._base import Waveform


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trace:
    """`amplitude` times `values`, each held for `dt_ms` from `start_ms`; zero before and after."""

    values: tuple[float, ...]
    dt_ms: float
    start_ms: float = 0.0
    amplitude: float = 1.0

    LIMITS: ClassVar[dict[str, Limit]] = {"dt_ms": POSITIVE, "start_ms": NOT_NEGATIVE, "amplitude": FINITE}

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,): the sample in force at the start of each step."""
        steps = np.arange(first_step, first_step + n_steps) - round(self.start_ms / dt_ms)
        sample = np.floor(steps * (dt_ms / self.dt_ms) + 1e-9).astype(np.int64)
        inside = (sample >= 0) & (sample < len(self.values))
        return np.where(inside, np.asarray(self.values)[np.clip(sample, 0, len(self.values) - 1)], 0.0)

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """One event, as long as the samples last."""
        return [(self.start_ms, len(self.values) * self.dt_ms)]

    def shifted(self, t_ms: float) -> Self:
        """The same, `t_ms` later."""
        return dataclasses.replace(self, start_ms=self.start_ms + t_ms)
