"""Any waveform, given as samples."""

import dataclasses
from typing import ClassVar, Self

import numpy as np

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit
from jtfne._grid import without_rounding
from jtfne.stimuli._base import Waveform, steps_since


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trace:
    """`amplitude` times `values`, each held for `dt_ms` from `start_ms`; zero before and after.

    A step sees the mean of the samples over the step: samples finer than the grid are averaged, coarser ones held.
    """

    values: tuple[float, ...]
    dt_ms: float
    start_ms: float = 0.0
    amplitude: float = 1.0

    LIMITS: ClassVar[dict[str, Limit]] = {"dt_ms": POSITIVE, "start_ms": NOT_NEGATIVE, "amplitude": FINITE}

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,): the mean of the samples over each step."""
        ratio = without_rounding(dt_ms / self.dt_ms)  # samples in a step
        held = without_rounding(self.dt_ms / dt_ms)  # steps in a sample
        edges = steps_since(first_step, n_steps + 1, dt_ms, self.start_ms)
        if held.is_integer() and float(edges[0]).is_integer():  # each step lies within one sample
            return self._samples_at(np.floor(edges[:-1] / held))
        edges = np.clip(edges * ratio, 0.0, len(self.values))
        return self._integrals(edges) / ratio

    def _samples_at(self, place: Waveform) -> Waveform:
        """The samples with the numbers in `place`, 0 beyond their ends."""
        inside = (place >= 0.0) & (place < len(self.values))
        number = np.where(inside, place, 0.0).astype(np.int64)
        return np.where(inside, np.asarray(self.values)[number], 0.0)

    def _integrals(self, edges: Waveform) -> Waveform:
        """The integral of the samples, each 1 wide, from each of the edges (n + 1,) to the next: (n,)."""
        low, high = int(edges[0]), int(np.ceil(edges[-1]))
        values = np.array([*self.values[low:high], 0.0])  # of a long trace only what lies between the edges
        begin, end = edges[:-1] - low, edges[1:] - low
        # Whole samples from `first` to before `last`, and parts of the samples before and after; or, where no edge of a
        # sample lies in between, a part of one sample.
        first, last = np.ceil(begin).astype(np.int64), np.floor(end).astype(np.int64)
        cut = last >= first
        sums = np.add.reduceat(values, np.stack([first, last], axis=1).ravel())[::2]
        whole = np.where(last > first, sums, 0.0)  # of an empty stretch `reduceat` gives its first value
        before = (np.where(cut, first, end) - begin) * values[np.floor(begin).astype(np.int64)]
        after = np.where(cut, end - last, 0.0) * values[np.maximum(last, 0)]
        return np.asarray(whole + before + after, np.float64)

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """One event, as long as the samples last."""
        return [(self.start_ms, len(self.values) * self.dt_ms)]

    def shifted(self, t_ms: float) -> Self:
        """The same, `t_ms` later."""
        return dataclasses.replace(self, start_ms=self.start_ms + t_ms)
