"""What happens when: stimuli on a clock, trials, labelled events."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from jtfne import stimuli
from jtfne._check import refuse
from jtfne.config import Frozen, Selector, Stimulus

Target = Selector | dict[str, Any] | str
MILLISECONDS = ("ms", "msec", "millisecond", "milliseconds")


def _plain(n: Any) -> Any:
    """A whole number of numpy as Python's own."""
    return n.item() if isinstance(n, np.integer) else n


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
    n_trials: Annotated[int, Field(strict=True, ge=1), BeforeValidator(_plain)] = 1

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
        weight_pA: float | None = None,
        weight_nS: float | None = None,
        mechanism: str = "AMPA",
        start_ms: float = 0.0,
        stop_ms: float | None = None,
        shared: bool = False,
        label: str = "poisson",
    ) -> Self:
        """Poisson spikes onto a mechanism: a train of its own for each target, or one that all share.

        Each spike adds `weight_pA` to a current, or `weight_nS` to a conductance.
        """
        drive = stimuli.Poisson(
            rate_Hz=rate_Hz,
            weight_pA=weight_pA,
            weight_nS=weight_nS,
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
        try:
            samples = np.asarray(values, np.float64)
        except (TypeError, ValueError):
            given = f"a {type(values).__name__} that is no array of numbers"
            raise refuse(given, "shape (n_samples,), finite", "Paradigm.from_array") from None
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

        Raises: JtfneError for other dimensions, an uneven time axis, or one in another unit.
        """
        dt_ms = _even_step_ms(recorded)
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


def _even_step_ms(recorded: Any) -> float:
    """The step of the time axis of a DataArray. Raises: JtfneError if it has none, or not an even one in ms."""
    where = "Paradigm.from_dataarray"
    dims = tuple(getattr(recorded, "dims", ()))
    if dims != ("time",) or recorded.sizes["time"] < 2:
        given = f"dims {dims} of shape {recorded.shape}" if dims else f"a {type(recorded).__name__}"
        raise refuse(given, "a DataArray of dims ('time',), 2 samples or more", where)
    if "time" not in recorded.coords:
        raise refuse("a DataArray with no time coordinate", "one in ms", where)
    time = recorded["time"]
    if time.dtype.kind not in "iuf" or time.attrs.get("units", "ms") not in MILLISECONDS:
        given = f"{time.attrs['units']!r}" if "units" in time.attrs else f"{time.dtype}"
        raise refuse(f"time in {given}", "numbers of ms", where)
    steps_ms = np.diff(np.asarray(time, np.float64))
    dt_ms = float(steps_ms.mean())
    if not dt_ms > 0 or not np.allclose(steps_ms, dt_ms, rtol=1e-6, atol=0.0):
        raise refuse(f"a time axis with steps of {steps_ms.min():g} to {steps_ms.max():g} ms", "even steps", where)
    return float(np.format_float_positional(dt_ms, precision=9, fractional=False))
