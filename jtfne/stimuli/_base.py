"""What every stimulus offers: a waveform on the grid, its events, and a shift in time."""

from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

Waveform = npt.NDArray[np.float64]


class Stimulus(Protocol):
    """Something that happens on a clock; knows no cells. Times in ms since the start of a trial."""

    @property
    def start_ms(self) -> float:
        """Onset."""
        ...

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,), the value in each step [k dt, (k+1) dt), in units of the amplitude, or as a gate."""
        ...

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """(onset, duration) of each event within a trial of `duration_ms`."""
        ...

    def shifted(self, t_ms: float) -> Self:
        """The same stimulus, `t_ms` later."""
        ...


def window(first_step: int, n_steps: int, dt_ms: float, start_ms: float, stop_ms: float | None) -> Waveform:
    """1 in the steps from `start_ms` to before `stop_ms`, both rounded to the grid, else 0: (n_steps,)."""
    steps = np.arange(first_step, first_step + n_steps)
    last = np.inf if stop_ms is None else round(stop_ms / dt_ms)
    return ((steps >= round(start_ms / dt_ms)) & (steps < last)).astype(np.float64)
