"""Paradigms of one input each: cells that receive it, waveform in time, and label."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from jtfne import _time, stimuli
from jtfne._check import refuse
from jtfne.paradigm._constructors import Constructors, Target

MILLISECONDS = ("ms", "msec", "millisecond", "milliseconds")


class Inputs(Constructors):
    """Constructors of paradigms with one input; `Paradigm` adds how paradigms combine."""

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

        A step of the run sees the mean of the samples over the step: `dt_ms` may be finer or
        coarser than that step.

        Raises: JtfneError unless it is one row of finite numbers.
        """
        try:
            if np.iscomplexobj(values):  # numpy would drop the imaginary part
                raise TypeError
            samples = np.asarray(values, np.float64)
        except (TypeError, ValueError):
            problem = f"a {type(values).__name__} that is no array of real numbers"
            raise refuse(problem, "shape (n_samples,), finite", "Paradigm.from_array") from None
        if samples.ndim != 1 or samples.size == 0 or not np.isfinite(samples).all():
            problem = f"an array of shape {samples.shape}" + (
                "" if np.isfinite(samples).all() else " with NaN or inf"
            )
            raise refuse(problem, "shape (n_samples,), finite", "Paradigm.from_array")
        drive = stimuli.Trace(
            values=tuple(samples.tolist()), dt_ms=dt_ms, amplitude=amplitude, start_ms=start_ms
        )
        return cls._from_drive(target, drive, label)

    @classmethod
    def from_dataarray(
        cls,
        recorded: Any,
        *,
        target: Target,
        amplitude: float = 1.0,
        start_ms: float = 0.0,
        label: str = "waveform",
    ) -> Self:
        """A recorded waveform: a DataArray over `time` in ms, evenly sampled.

        Raises: JtfneError for other dimensions, an uneven time axis, or one in another unit.
        """
        dt_ms = _even_step_ms(recorded)
        return cls.from_array(
            recorded.values,
            dt_ms=dt_ms,
            target=target,
            amplitude=amplitude,
            start_ms=start_ms,
            label=label,
        )


def _even_step_ms(recorded: Any) -> float:
    """The time step of a DataArray, ms. Raises: JtfneError without an even time axis in ms."""
    where = "Paradigm.from_dataarray"
    dims = tuple(getattr(recorded, "dims", ()))
    if dims != ("time",) or recorded.sizes["time"] < 2:
        problem = (
            f"dims {dims} of shape {recorded.shape}" if dims else f"a {type(recorded).__name__}"
        )
        raise refuse(problem, "a DataArray of dims ('time',), 2 samples or more", where)
    if "time" not in recorded.coords:
        raise refuse("a DataArray with no time coordinate", "one in ms", where)
    time = recorded["time"]
    if time.dtype.kind not in "iuf" or time.attrs.get("units", "ms") not in MILLISECONDS:
        problem = f"{time.attrs['units']!r}" if "units" in time.attrs else f"{time.dtype}"
        raise refuse(f"time in {problem}", "numbers of ms", where)
    time_ms = np.asarray(time, np.float64)
    steps_ms = np.diff(time_ms)
    dt_ms = float(steps_ms.mean())
    if not dt_ms > 0 or not _time.is_even(time_ms):
        raise refuse(
            f"a time axis with steps of {steps_ms.min():g} to {steps_ms.max():g} ms",
            "even steps",
            where,
        )
    return float(np.format_float_positional(dt_ms, precision=9, fractional=False))
