"""What happens when: stimuli on a clock, trials, labelled events."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from jtfne import stimuli
from jtfne._check import refuse
from jtfne.config import Frozen, Selector, Stimulus

Target = Selector | dict[str, Any] | str


class Paradigm(Frozen):
    """Stimuli onto named cells, with labels that reach every export as events.

    Paradigms add (`a + b`), shift (`.at(t_ms)`) and repeat (`.trials(n)`); each gives a new one. Amplitudes
    are in the input unit of the cells that they reach (pA, or mV/ms for `Izhikevich2003`).

    Attributes
    ----------
    stimuli : tuple of Stimulus
        What is presented in each trial.
    n_trials : int
        How often.

    Examples
    --------
    >>> import jtfne
    >>> volley = jtfne.Paradigm.pulse(target={"layer": "L4"}, start_ms=100.0, duration_ms=5.0, amplitude=10.0)
    >>> len((volley + volley.at(200.0)).trials(3).stimuli)
    2
    """

    stimuli: tuple[Stimulus, ...] = ()
    n_trials: int = Field(default=1, ge=1)

    @classmethod
    def constant_dc(
        cls, *, target: Target, amplitude: float, start_ms: float = 0.0, label: str = "constant_dc"
    ) -> Self:
        """A constant input from `start_ms` to the end of the trial."""
        return cls._one(target, stimuli.Constant(amplitude=amplitude, start_ms=start_ms), label)

    @classmethod
    def pulse(
        cls, *, target: Target, start_ms: float, duration_ms: float, amplitude: float, label: str = "pulse"
    ) -> Self:
        """One rectangular pulse."""
        drive = stimuli.Pulse(start_ms=start_ms, duration_ms=duration_ms, amplitude=amplitude)
        return cls._one(target, drive, label)

    @classmethod
    def pulse_train(
        cls,
        *,
        target: Target,
        start_ms: float,
        duration_ms: float,
        period_ms: float,
        count: int,
        amplitude: float,
        label: str = "pulse_train",
    ) -> Self:
        """`count` pulses of `duration_ms`, one every `period_ms`; each is an event."""
        drive = stimuli.PulseTrain(
            start_ms=start_ms, duration_ms=duration_ms, period_ms=period_ms, count=count, amplitude=amplitude
        )
        return cls._one(target, drive, label)

    @classmethod
    def poisson(
        cls,
        *,
        target: Target,
        rate_Hz: float,
        weight_pA: float,
        mechanism: str = "AMPA",
        start_ms: float = 0.0,
        stop_ms: float | None = None,
        shared: bool = False,
        label: str = "poisson",
    ) -> Self:
        """Poisson spikes onto a mechanism: a train of its own for each target, or one that all share."""
        drive = stimuli.Poisson(
            rate_Hz=rate_Hz,
            weight_pA=weight_pA,
            mechanism=mechanism,
            start_ms=start_ms,
            stop_ms=stop_ms,
            shared=shared,
        )
        return cls._one(target, drive, label)

    @classmethod
    def from_array(
        cls,
        values: Sequence[float] | npt.NDArray[Any],
        *,
        dt_ms: float,
        target: Target,
        amplitude: float = 1.0,
        start_ms: float = 0.0,
        label: str = "waveform",
    ) -> Self:
        """Any waveform (n_samples,): each sample, times `amplitude`, is held for `dt_ms`.

        Raises: JtfneError unless it is one row of finite numbers.
        """
        samples = np.asarray(values, np.float64)
        if samples.ndim != 1 or samples.size == 0 or not np.isfinite(samples).all():
            given = f"an array of shape {samples.shape}" + ("" if np.isfinite(samples).all() else " with NaN or inf")
            raise refuse(given, "shape (n_samples,), finite", "Paradigm.from_array")
        drive = stimuli.Trace(values=tuple(samples.tolist()), dt_ms=dt_ms, amplitude=amplitude, start_ms=start_ms)
        return cls._one(target, drive, label)

    @classmethod
    def from_dataarray(
        cls, recorded: Any, *, target: Target, amplitude: float = 1.0, start_ms: float = 0.0, label: str = "waveform"
    ) -> Self:
        """A recorded waveform: a DataArray over `time` in ms, evenly sampled.

        Raises: JtfneError for other dimensions or an uneven time axis.
        """
        if tuple(recorded.dims) != ("time",) or recorded.sizes["time"] < 2:
            given = f"dims {tuple(recorded.dims)} of shape {recorded.shape}"
            raise refuse(given, "dims ('time',), 2 samples or more", "Paradigm.from_dataarray")
        steps_ms = np.diff(np.asarray(recorded["time"], np.float64))
        dt_ms = float(steps_ms.mean())
        if dt_ms <= 0 or not np.allclose(steps_ms, dt_ms, rtol=1e-6, atol=0.0):
            given = f"a time axis with steps of {steps_ms.min():g} to {steps_ms.max():g} ms"
            raise refuse(given, "even steps", "Paradigm.from_dataarray")
        dt_ms = float(np.format_float_positional(dt_ms, precision=9, fractional=False))
        return cls.from_array(
            recorded.values, dt_ms=dt_ms, target=target, amplitude=amplitude, start_ms=start_ms, label=label
        )

    def __add__(self, other: "Paradigm") -> "Paradigm":
        """Both at once. Raises: JtfneError if they are for different numbers of trials."""
        if not isinstance(other, Paradigm):
            return NotImplemented
        if self.n_trials != other.n_trials and 1 not in (self.n_trials, other.n_trials):
            given = f"paradigms of {self.n_trials} and of {other.n_trials} trials"
            raise refuse(given, "equal numbers of trials, or 1", "Paradigm + Paradigm")
        return Paradigm(stimuli=(*self.stimuli, *other.stimuli), n_trials=max(self.n_trials, other.n_trials))

    def at(self, t_ms: float) -> "Paradigm":
        """The same, `t_ms` later."""
        moved = tuple(
            Stimulus(target=each.target, drive=each.drive.shifted(t_ms), label=each.label) for each in self.stimuli
        )
        return Paradigm(stimuli=moved, n_trials=self.n_trials)

    def trials(self, n: int) -> "Paradigm":
        """The same, `n` times, each trial with its own noise."""
        return Paradigm(stimuli=self.stimuli, n_trials=n)

    @classmethod
    def _one(cls, target: Target, drive: Any, label: str) -> Self:
        """A paradigm of one stimulus."""
        return cls(stimuli=(Stimulus.model_validate({"target": target, "drive": drive, "label": label}),))
