"""Paradigms of one input each: cells that receive it, waveform in time, and label."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from jtfne import _time, stimuli
from jtfne._check import names_methods, refuse
from jtfne.paradigm._constructors import Constructors, Target

PA_PER_UNIT = {"pA": 1.0, "nA": 1e3, "uA": 1e6, "µA": 1e6, "A": 1e12}


@names_methods
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

        Examples
        --------
        >>> import numpy as np
        >>> import jtfne
        >>> noise = np.random.default_rng(0).normal(size=500)
        >>> task = jtfne.Paradigm.from_array(noise, dt_ms=0.5, target="E", amplitude=10.0)
        >>> task.stimuli[0].drive.events_ms(duration_ms=1000.0)
        [(0.0, 250.0)]
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
        """A recorded waveform: a DataArray over `time`, evenly sampled.

        Time is in ``time.attrs["units"]``, ms unless it says so. A current in ``attrs["units"]`` of
        nA, uA or A is converted to pA; other values, times `amplitude`, are in the unit of the
        cells' input.

        Raises: JtfneError for other dimensions, and an uneven time axis.

        Examples
        --------
        >>> import numpy as np
        >>> import xarray as xr
        >>> import jtfne
        >>> times = xr.DataArray(np.arange(5) * 0.5, dims="time", attrs={"units": "ms"})
        >>> recorded = xr.DataArray(np.ones(5), {"time": times}, ("time",), attrs={"units": "nA"})
        >>> drive = jtfne.Paradigm.from_dataarray(recorded, target="E").stimuli[0].drive
        >>> drive.dt_ms, drive.values[0]  # pA
        (0.5, 1000.0)
        """
        dt_ms = _even_step_ms(recorded)
        factor = PA_PER_UNIT.get(str(recorded.attrs.get("units")), 1.0)
        return cls.from_array(
            recorded.values if factor == 1.0 else np.asarray(recorded.values) * factor,
            dt_ms=dt_ms,
            target=target,
            amplitude=amplitude,
            start_ms=start_ms,
            label=label,
        )


def _even_step_ms(recorded: Any) -> float:
    """The time step of a DataArray, ms. Raises: JtfneError without an even time axis."""
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
    units = time.attrs.get("units")
    time_ms = _time.times_to_ms(time.values, units, where=where)
    _time.refuse_seconds(time.values, units, where=where)
    steps_ms = np.diff(time_ms)
    dt_ms = float(steps_ms.mean())
    if not dt_ms > 0 or not _time.is_even(time_ms):
        raise refuse(
            f"a time axis with steps of {steps_ms.min():g} to {steps_ms.max():g} ms",
            "even steps",
            where,
        )
    return float(np.format_float_positional(dt_ms, precision=9, fractional=False))
