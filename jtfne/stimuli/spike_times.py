"""Spikes at given times onto a receptor."""

import dataclasses
from typing import ClassVar, Self

import numpy as np

from jtfne._check import Limit, names_fields
from jtfne.stimuli._base import TIME, Afferents, Trains, Waveform, Weighted, count_spikes


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class SpikeTimes(Afferents):
    """A table of spikes onto `mechanism`: each at `times_ms`, onto the cell of that id in `cells`.

    Without `cells`, each spike reaches all targets. Each adds `weight_pA` to a current, or
    `weight_nS` to a conductance, or moves the membrane by `weight_mV`; it acts from its own time
    on, rounded to the nearest step.

    Examples
    --------
    >>> from jtfne.stimuli import SpikeTimes
    >>> recorded = SpikeTimes(times_ms=(1.0, 1.0, 3.0), cells=(0, 4, 0), weight_pA=25.0)
    >>> recorded.waveform(0, 5, 1.0).tolist(), recorded.shared
    ([0.0, 2.0, 0.0, 1.0, 0.0], False)
    """

    times_ms: tuple[float, ...]
    cells: tuple[int, ...] | None = None
    weight_pA: float | None = None
    weight_nS: float | None = None
    weight_mV: float | None = None
    mechanism: str = "AMPA"

    LIMITS: ClassVar[dict[str, Limit]] = {
        "times_ms": TIME,
        "cells": Limit(low=0, high=2**31 - 1),
        **Weighted.WEIGHTS,
    }
    PAIRED: ClassVar[tuple[tuple[str, str], ...]] = (("times_ms", "cells"),)

    @property
    def start_ms(self) -> float:
        """When the first spike comes."""
        return min(self.times_ms)

    @property
    def shared(self) -> bool:
        """Whether all targets see one train."""
        return self.cells is None

    @property
    def n_of_train(self) -> int:
        """Spikes of the train that all share; those of a table are listed, not drawn."""
        return len(self.times_ms) if self.cells is None else 0

    def trains(self, n_trains: int, random: np.random.Generator) -> Trains:
        """Train and time of each spike; the train is the id of the cell, or 0 if all share one."""
        train = np.zeros(len(self.times_ms)) if self.cells is None else np.array(self.cells)
        return train.astype(np.int64), np.array(self.times_ms, np.float64)

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,): how many spikes act from each step on, over all cells."""
        shared_train = np.zeros(len(self.times_ms), np.int64), np.array(self.times_ms, np.float64)
        return count_spikes(shared_train, first_step, n_steps, dt_ms, 1)[:, 0].astype(np.float64)

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """One event, from the first spike to the last."""
        return [(self.start_ms, max(self.times_ms) - self.start_ms)]

    def shifted(self, t_ms: float) -> Self:
        """The same, `t_ms` later."""
        return dataclasses.replace(
            self, times_ms=tuple(time_ms + t_ms for time_ms in self.times_ms)
        )
