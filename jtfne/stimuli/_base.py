"""What every stimulus offers: a waveform on the grid, its events, and a shift in time."""

import dataclasses
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from jtfne._check import FINITE, NOT_NEGATIVE, Limit, narrow_dtype
from jtfne._grid import length_in_steps, place_on_grid, without_rounding

TIME = Limit(low=0.0, high=1e12)
"""Times within a trial, ms: 30 years, far below where a float has no millisecond."""
MANY = Limit(low=1, high=1_000_000)
"""Spikes that one train may be made of."""
Waveform = npt.NDArray[np.float64]
Trains = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


class Stimulus:
    """An input or event over time, whatever its target. Times in ms since the start of a trial.

    The base of every stimulus, also of a user's own. A subclass is a frozen dataclass. One whose
    input is a current has the fields `amplitude`, in the target's input unit, and `start_ms`, and
    `waveform`; what it leaves out is as this class has it.

    frequency_fields: the fields that are frequencies of its waveform, Hz, which dt must resolve.

    Examples
    --------
    >>> import dataclasses
    >>> import numpy as np
    >>> from jtfne.stimuli import Stimulus
    >>> @dataclasses.dataclass(frozen=True, kw_only=True)
    ... class Step(Stimulus):
    ...     amplitude: float
    ...     start_ms: float = 0.0
    ...     def waveform(self, first_step, n_steps, dt_ms):
    ...         times_ms = dt_ms * np.arange(first_step, first_step + n_steps)
    ...         return (times_ms >= self.start_ms).astype(float)
    ...
    >>> Step(amplitude=5.0, start_ms=2.0).waveform(0, 4, 1.0).tolist()
    [0.0, 0.0, 1.0, 1.0]
    >>> Step(amplitude=5.0).shifted(10.0).events_ms(duration_ms=100.0)
    [(10.0, 90.0)]
    """

    frequency_fields: ClassVar[tuple[str, ...]] = ()
    # Annotated without a value: a dataclass would take one as the default of the field.
    start_ms: Any

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """The mean of the stimulus over each step [k dt, (k+1) dt): (n_steps,).

        It is in units of the amplitude, or the share of the step in which there is input.

        Nothing is rounded to the grid: the sum times dt is the integral of the stimulus, whatever
        dt is.
        """
        raise NotImplementedError

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """(onset, duration) of each event within a trial of `duration_ms`: one, to its end."""
        return [(self.start_ms, duration_ms - self.start_ms)]

    def shifted(self, t_ms: float) -> Self:
        """The same stimulus, `t_ms` later."""
        stimulus: Any = self  # a dataclass, as each of these is
        copy: Self = dataclasses.replace(stimulus, start_ms=self.start_ms + t_ms)
        return copy


class Weighted(Stimulus):
    """The weight of stimuli by spikes.

    Each spike adds `weight_pA` to a current of a mechanism or `weight_nS` to a conductance, or
    moves the membrane by `weight_mV`.
    """

    weight_pA: float | None
    weight_nS: float | None
    weight_mV: float | None

    WEIGHTS: ClassVar[dict[str, Limit]] = {
        "weight_pA": FINITE,
        "weight_nS": NOT_NEGATIVE,
        "weight_mV": FINITE,
    }
    EITHER: ClassVar[tuple[tuple[str, ...], ...]] = (("weight_pA", "weight_nS", "weight_mV"),)

    @property
    def weight(self) -> float:
        """The weight, in the unit in which it was given."""
        return next(
            weight
            for weight in (self.weight_pA, self.weight_nS, self.weight_mV)
            if weight is not None
        )


class Spanning(Stimulus):
    """Stimuli that last from `start_ms` to `stop_ms`, or to the trial's end where that is None.

    Examples
    --------
    >>> from jtfne.stimuli import Sine, Spanning
    >>> tone = Sine(amplitude=5.0, frequency_Hz=40.0, start_ms=10.0, stop_ms=60.0)
    >>> isinstance(tone, Spanning), tone.events_ms(duration_ms=100.0)
    (True, [(10.0, 50.0)])
    >>> tone.shifted(20.0).stop_ms
    80.0
    """

    stop_ms: float | None

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """One event: the time during which there is input."""
        stop_ms = duration_ms if self.stop_ms is None else self.stop_ms
        return [(self.start_ms, stop_ms - self.start_ms)]

    def shifted(self, t_ms: float) -> Self:
        """The same stimulus, `t_ms` later."""
        stop_ms = None if self.stop_ms is None else self.stop_ms + t_ms
        stimulus: Any = self  # a dataclass, as each of these is
        copy: Self = dataclasses.replace(stimulus, start_ms=self.start_ms + t_ms, stop_ms=stop_ms)
        return copy


class Afferents(Weighted):
    """A stimulus by spikes at given times, or at times drawn at the start of each trial.

    mechanism: the receptor.

    Examples
    --------
    >>> from jtfne.stimuli import Afferents, SpikeTimes
    >>> volley = SpikeTimes(times_ms=(5.0, 8.0), weight_pA=20.0)
    >>> isinstance(volley, Afferents), volley.mechanism, volley.shared, volley.weight
    (True, 'AMPA', True, 20.0)
    """

    mechanism: str

    @property
    def stream(self) -> str | None:
        """The name of its stream, if it has one."""
        return None

    @property
    def shared(self) -> bool:
        """Whether all targets see one train."""
        raise NotImplementedError

    @property
    def n_of_train(self) -> int:
        """How many spikes are drawn for one train."""
        raise NotImplementedError

    def trains(self, n_trains: int, random: np.random.Generator) -> Trains:
        """Train (n_spikes,) and time in ms (n_spikes,) of each spike, of `n_trains` drawn alike."""
        raise NotImplementedError


def count_spikes(
    spikes: Trains, first_step: int, n_steps: int, dt_ms: float, n_trains: int
) -> npt.NDArray[np.int32]:
    """How many spikes of each train act from the start of each step on: (n_steps, n_trains).

    A spike acts from the time of the grid that is nearest to its own. Spikes beyond these steps are
    left out.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.stimuli import count_spikes
    >>> spikes = np.array([0, 1, 1]), np.array([0.2, 0.2, 0.31])  # trains, times in ms
    >>> count_spikes(spikes, first_step=0, n_steps=4, dt_ms=0.1, n_trains=2).tolist()
    [[0, 0], [0, 0], [1, 1], [0, 1]]
    """
    train, t_ms = spikes
    step = np.rint(t_ms / dt_ms) - first_step
    # compared as floats, since a time far off fits no integer
    is_in_span = (step >= 0) & (step < n_steps)
    place = step[is_in_span].astype(np.int64) * n_trains + train[is_in_span]
    counts = np.bincount(place, minlength=n_steps * n_trains)
    return narrow_dtype(counts, np.int32, name="spikes in a step", where="stimuli").reshape(
        n_steps, n_trains
    )


def cover_steps(
    first_step: int, n_steps: int, dt_ms: float, start_ms: float, length_ms: float
) -> tuple[Waveform, Waveform]:
    """The part of each step that lies between `start_ms` and `length_ms` later.

    Returns
    -------
    since_ms : (n_steps,)
        From `start_ms` to where that part of the step begins.
    share : (n_steps,)
        How much of the step it is, from 0 to 1; in all they are `length_ms / dt_ms`.
    """
    return _cover_steps(first_step, n_steps, dt_ms, start_ms, without_rounding(length_ms / dt_ms))


def window(
    first_step: int, n_steps: int, dt_ms: float, start_ms: float, stop_ms: float | None
) -> Waveform:
    """The share of each step that lies between `start_ms` and `stop_ms`, or the end of the trial:
    (n_steps,).
    """
    return span(first_step, n_steps, dt_ms, start_ms, stop_ms)[1]


def span(
    first_step: int, n_steps: int, dt_ms: float, start_ms: float, stop_ms: float | None
) -> tuple[Waveform, Waveform]:
    """The part of each step up to `stop_ms` (None: the trial's end); returns as `cover_steps`.

    Examples
    --------
    >>> from jtfne.stimuli import span
    >>> since_ms, share = span(first_step=0, n_steps=4, dt_ms=1.0, start_ms=0.5, stop_ms=3.0)
    >>> since_ms.tolist(), share.tolist()
    ([0.0, 0.5, 1.5, 2.5], [0.5, 1.0, 1.0, 0.0])
    """
    length = np.inf if stop_ms is None else length_in_steps(start_ms, stop_ms, dt_ms)
    return _cover_steps(first_step, n_steps, dt_ms, start_ms, length)


def steps_since(first_step: int, n_steps: int, dt_ms: float, start_ms: float) -> Waveform:
    """Time from `start_ms` to the start of each step, in steps: (n_steps,).

    Whole numbers if `start_ms` is on the grid.
    """
    step, fraction = place_on_grid(start_ms, dt_ms)
    return np.asarray(np.arange(first_step, first_step + n_steps) - step - fraction, np.float64)


def _cover_steps(
    first_step: int, n_steps: int, dt_ms: float, start_ms: float, length: float
) -> tuple[Waveform, Waveform]:
    """The part of each step within `length` steps of `start_ms`; returns as `cover_steps`."""
    begin = steps_since(first_step, n_steps, dt_ms, start_ms)
    end = begin + 1.0
    overlap = np.minimum(end, length) - np.maximum(begin, 0.0)
    # A step that is covered whole has exactly 1, not the difference of two large numbers.
    share = np.where((begin >= 0.0) & (end <= length), 1.0, np.maximum(overlap, 0.0))
    return np.maximum(begin, 0.0) * dt_ms, share
