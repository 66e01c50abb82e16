"""Any waveform, given as samples."""

import dataclasses
from typing import ClassVar

import numpy as np

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, Limit, names_fields
from jtfne._grid import without_rounding
from jtfne.stimuli._base import Stimulus, Waveform, steps_since


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Trace(Stimulus):
    """`amplitude` times `values`, each held for `dt_ms` from `start_ms`; zero before and after.

    A step sees the mean of the samples over the step: samples finer than the grid are averaged,
    coarser ones held.

    Examples
    --------
    >>> from jtfne.stimuli import Trace
    >>> recorded = Trace(values=(0.0, 1.0, 3.0), dt_ms=1.0)
    >>> recorded.waveform(0, 2, 2.0).tolist()  # coarser steps see means
    [0.5, 1.5]
    """

    values: tuple[float, ...]
    dt_ms: float
    start_ms: float = 0.0
    amplitude: float = 1.0

    LIMITS: ClassVar[dict[str, Limit]] = {
        "dt_ms": POSITIVE,
        "start_ms": NOT_NEGATIVE,
        "amplitude": FINITE,
    }

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,): the mean of the samples over each step."""
        samples_per_step = without_rounding(dt_ms / self.dt_ms)  # samples in a step
        steps_per_sample = without_rounding(self.dt_ms / dt_ms)  # steps in a sample
        edges = steps_since(first_step, n_steps + 1, dt_ms, self.start_ms)
        # each step lies within one sample
        if steps_per_sample.is_integer() and float(edges[0]).is_integer():
            return self._samples_at(np.floor(edges[:-1] / steps_per_sample))
        edges = np.clip(edges * samples_per_step, 0.0, len(self.values))
        return self._integrals(edges) / samples_per_step

    def _samples_at(self, place: Waveform) -> Waveform:
        """The samples with the numbers in `place`, 0 beyond their ends."""
        is_inside = (place >= 0.0) & (place < len(self.values))
        number = np.where(is_inside, place, 0.0).astype(np.int64)
        return np.where(is_inside, np.asarray(self.values)[number], 0.0)

    def _integrals(self, edges: Waveform) -> Waveform:
        """The integral of the samples, each 1 wide, from each of the edges (n + 1,) to the next:
        (n,).
        """
        first_value, stop_value = int(edges[0]), int(np.ceil(edges[-1]))
        values = np.array(
            [*self.values[first_value:stop_value], 0.0]
        )  # of a long trace only what lies between the edges
        begin, end = edges[:-1] - first_value, edges[1:] - first_value
        # Whole samples from `start` to before `stop`, and parts of the samples before and after;
        # or, where no edge of a sample lies in between, a part of one sample.
        start, stop = np.ceil(begin).astype(np.int64), np.floor(end).astype(np.int64)
        has_edge = stop >= start
        sums = np.add.reduceat(values, np.stack([start, stop], axis=1).ravel())[::2]
        # of an empty stretch `reduceat` gives its first value
        whole_samples = np.where(stop > start, sums, 0.0)
        left_part = (np.where(has_edge, start, end) - begin) * values[
            np.floor(begin).astype(np.int64)
        ]
        right_part = np.where(has_edge, end - stop, 0.0) * values[np.maximum(stop, 0)]
        return np.asarray(whole_samples + left_part + right_part, np.float64)

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """One event, as long as the samples last."""
        return [(self.start_ms, len(self.values) * self.dt_ms)]
