"""What every stimulus offers: a waveform on the grid, its events, and a shift in time."""

import dataclasses
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from jtfne._check import FINITE, NOT_NEGATIVE, Limit

Waveform = npt.NDArray[np.float64]
Trains = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


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


class Weighted:
    """What stimuli by spikes share: each spike adds `weight_pA` to a current of a mechanism, `weight_nS` to a
    conductance, or moves the membrane by `weight_mV`."""

    weight_pA: float | None
    weight_nS: float | None
    weight_mV: float | None

    WEIGHTS: ClassVar[dict[str, Limit]] = {"weight_pA": FINITE, "weight_nS": NOT_NEGATIVE, "weight_mV": FINITE}
    EITHER: ClassVar[tuple[tuple[str, ...], ...]] = (("weight_pA", "weight_nS", "weight_mV"),)

    @property
    def weight(self) -> float:
        """The weight, in the unit in which it was given."""
        return next(weight for weight in (self.weight_pA, self.weight_nS, self.weight_mV) if weight is not None)


class Spanning:
    """What stimuli share that last from `start_ms` to `stop_ms`, or to the end of the trial where that is None."""

    start_ms: float
    stop_ms: float | None

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """One event: the time during which there is input."""
        stop_ms = duration_ms if self.stop_ms is None else self.stop_ms
        return [(self.start_ms, stop_ms - self.start_ms)]

    def shifted(self, t_ms: float) -> Self:
        """The same, `t_ms` later."""
        stop_ms = None if self.stop_ms is None else self.stop_ms + t_ms
        own: Any = self  # a dataclass, as each of these is
        moved: Self = dataclasses.replace(own, start_ms=self.start_ms + t_ms, stop_ms=stop_ms)
        return moved


class Afferents(Stimulus, Protocol):
    """A stimulus by spikes at given times, or at times drawn at the start of each trial."""

    @property
    def mechanism(self) -> str:
        """The receptor."""
        ...

    @property
    def stream(self) -> str | None:
        """The name of its stream, if it has one."""
        ...

    @property
    def weight(self) -> float:
        """pA, nS or mV a spike."""
        ...

    @property
    def shared(self) -> bool:
        """Whether all targets see one train."""
        ...

    def trains(self, n_trains: int, random: np.random.Generator) -> Trains:
        """Train (n_spikes,) and time in ms (n_spikes,) of each spike, of `n_trains` drawn alike."""
        ...


def counts_of(spikes: Trains, first_step: int, n_steps: int, dt_ms: float, n_trains: int) -> npt.NDArray[np.int16]:
    """How many spikes of each train fall into each step, times rounded to the grid: (n_steps, n_trains).

    Spikes beyond these steps are left out.
    """
    train, t_ms = spikes
    step = np.rint(t_ms / dt_ms).astype(np.int64) - first_step
    here = (step >= 0) & (step < n_steps)
    found: Any = np.bincount(step[here] * n_trains + train[here], minlength=n_steps * n_trains)
    return np.asarray(found, np.int16).reshape(n_steps, n_trains)


def steps_ms(first_step: int, n_steps: int, dt_ms: float, start_ms: float) -> Waveform:
    """When each step begins, in ms from the step at which `start_ms` lies: (n_steps,)."""
    since = np.arange(first_step, first_step + n_steps) - round(start_ms / dt_ms)
    return np.asarray(since * dt_ms, np.float64)


def window(first_step: int, n_steps: int, dt_ms: float, start_ms: float, stop_ms: float | None) -> Waveform:
    """1 in the steps from `start_ms` to before `stop_ms`, both rounded to the grid, else 0: (n_steps,)."""
    steps = np.arange(first_step, first_step + n_steps)
    last = np.inf if stop_ms is None else round(stop_ms / dt_ms)
    return ((steps >= round(start_ms / dt_ms)) & (steps < last)).astype(np.float64)
