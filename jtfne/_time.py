"""Time axes in milliseconds: the one place that reads a unit of time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jtfne._check import describe_value, refuse
from jtfne._units import Floats

MS_PER_UNIT = {
    **dict.fromkeys(("ns", "nsec", "nanosecond", "nanoseconds"), 1e-6),
    # micro sign and Greek mu
    **dict.fromkeys(("us", "µs", "μs", "usec", "microsecond", "microseconds"), 1e-3),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1.0),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1e3),
    **dict.fromkeys(("min", "minute", "minutes"), 6e4),
}
UNITS = "'s', 'ms' or 'us'"
SHORTEST_STEP_ms = 0.01  # of a recording: 100 kHz; what is shorter is in seconds unless it says ms
DECIMALS = 9  # of a ms: what is left of 0.007 s * 1000 beyond these is rounding
TOLERANCE = 1e-4  # of a step: single precision, which FIF files hold places in, is finer
CLOCK_ms = 1e-6  # how far a time may be off a multiple of the step, or a window, by rounding


def times_to_ms(values: Any, units: Any = None, *, where: str, name: str = "time") -> Floats:
    """Times in ms, float64, of any shape.

    From numbers in `units`, or from timedelta64, whose dtype says its unit.

    units: that of numbers, such as ``attrs["units"]`` of a time axis; ms where it is None.
    Raises: JtfneError for an unknown unit, dates, and what is no finite number.

    >>> times_to_ms([0.001, 0.002], "s", where="psd").tolist()
    [1.0, 2.0]
    >>> times_to_ms(np.array([1000, 2000], "timedelta64[us]"), where="psd").tolist()
    [1.0, 2.0]
    """
    array = np.asarray(values)
    if array.dtype.kind == "M":
        description = f"{name} as dates (dtype {array.dtype})"
        raise refuse(
            description, f"times since a start, such as {name} - {name}[0], or numbers in ms", where
        )
    if array.dtype.kind not in ("i", "u", "f", "m"):
        raise refuse(f"{name} of dtype {array.dtype}", "numbers in ms, or timedelta64", where)
    if array.dtype.kind == "m":
        if np.datetime_data(array.dtype)[0] in ("Y", "M", "generic"):
            raise refuse(
                f"{name} of dtype {array.dtype}",
                "timedelta64 of a fixed length, such as [ms]",
                where,
            )
        times_ms = np.where(np.isnat(array), np.nan, array / np.timedelta64(1, "ms"))
    else:
        times_ms = array.astype(np.float64) * _ms_per(units, where, name)
    if not np.isfinite(times_ms).all():
        raise refuse(f"{name} with values that are not finite", "finite times", where)
    if units is not None or array.dtype.kind == "m":
        times_ms = np.round(times_ms, DECIMALS)
    return np.asarray(times_ms, np.float64)


def _ms_per(units: Any, where: str, name: str) -> float:
    """How many ms a number of `units` is."""
    if units is None:
        return 1.0
    if not isinstance(units, str) or units.strip() not in MS_PER_UNIT:
        raise refuse(f"{name} in units {describe_value(units)}", f"{name} in {UNITS}", where)
    return MS_PER_UNIT[units.strip()]


def axis_to_ms(values: Any, units: Any = None, *, where: str, name: str = "time") -> Floats:
    """A time axis (n,) in ms, rising from sample to sample, converted as by `times_to_ms`.

    Raises: JtfneError, also for times that fall or repeat.
    """
    times_ms = times_to_ms(values, units, where=where, name=name)
    if times_ms.ndim != 1:
        raise refuse(f"{name} of shape {times_ms.shape}", "one time for each sample", where)
    refuse_seconds(values, units, where=where, name=name)
    falls = np.flatnonzero(np.diff(times_ms) <= 0.0)
    if falls.size:
        before_ms, after_ms = times_ms[falls[0]], times_ms[falls[0] + 1]
        raise refuse(
            f"{name} that goes from {before_ms:g} to {after_ms:g} ms", "times that grow", where
        )
    return times_ms


def refuse_seconds(
    values: Any, units: Any = None, *, where: str, name: str = "time", allowed: str | None = None
) -> None:
    """Raises: JtfneError for a time axis (n,) without a unit that looks like one in seconds.

    allowed: where its unit is to be said; its attributes unless given.
    """
    times = np.asarray(values)
    if units is not None or times.dtype.kind != "f" or times.size < 2:
        return
    step = abs(float(times[-1]) - float(times[0])) / (times.size - 1)
    if 0.0 < step < SHORTEST_STEP_ms:
        raise refuse(
            f"{name} in steps of {step:g} without a unit, which looks like seconds,",
            f"{name}.attrs['units'] of {UNITS}" if allowed is None else allowed,
            where,
        )


def even_step(values: NDArray[Any], *, where: str, name: str) -> float:
    """The step of evenly spaced values (n,).
    Raises: JtfneError for uneven ones, and fewer than 2.
    """
    if values.size < 2:
        raise refuse(f"{name} with {values.size} value", "2 or more, evenly spaced", where)
    step = _mean_step(values)
    if step == 0.0 or not is_even(values):
        raise refuse(f"{name} that is not evenly spaced", "one step throughout", where)
    return step


def is_even(values: NDArray[Any]) -> bool:
    """Whether 2 or more numbers are evenly spaced: times, depths, frequencies."""
    return _even_within(values, TOLERANCE * abs(_mean_step(values)) + 1e-9)


def in_window(time_ms: Any, start_ms: float, stop_ms: float) -> NDArray[np.bool_]:
    """Which times lie in a window (start, stop], to within rounding.

    A sample or a spike is dated by the end of its step, so that windows that follow each other
    share nothing.
    """
    times_ms = np.asarray(time_ms)
    return np.asarray((times_ms > start_ms + CLOCK_ms) & (times_ms <= stop_ms + CLOCK_ms))


def in_baseline(time_ms: Any, baseline_ms: float, onset_ms: float) -> NDArray[np.bool_]:
    """Which times lie in the baseline [onset - baseline, onset), to within rounding."""
    since_ms = np.asarray(time_ms) - onset_ms
    return np.asarray((since_ms >= -baseline_ms - CLOCK_ms) & (since_ms < -CLOCK_ms))


def restore_even(times_ms: Floats, rounding_ms: float) -> Floats:
    """The even axis (n,) that rounding made `times_ms`, or `times_ms` itself if there is none.

    rounding_ms: how far each time may be off.
    Half a million steps of 0.1 ms in float32 are off by 2 % of a step: even all the same.
    """
    if rounding_ms == 0.0 or times_ms.size < 2:
        return times_ms
    step = _mean_step(times_ms)
    # two neighbours are off by a rounding each; beyond a twentieth of a step the axis says too
    # little
    if not _even_within(times_ms, min(2.0 * rounding_ms, 0.05 * step)):
        return times_ms
    step = _shortest_decimal(step, 2.0 * rounding_ms / (times_ms.size - 1))
    return np.asarray(times_ms[0] + step * np.arange(times_ms.size), np.float64)


def _shortest_decimal(step: float, slack: float) -> float:
    """The number of fewest decimals within `slack` of `step`; `step` itself if there is none.

    It is the step as it was before rounding.

    >>> _shortest_decimal(0.9999999768, 1e-7), _shortest_decimal(1 / 3, 1e-12)
    (1.0, 0.3333333333333333)
    """
    for decimals in range(DECIMALS + 1):
        rounded = round(step, decimals)
        if rounded > 0.0 and abs(rounded - step) <= slack:
            return rounded
    return step


def _mean_step(values: NDArray[Any]) -> float:
    """The mean distance of neighbours."""
    return float(values[-1] - values[0]) / (values.size - 1)


def _even_within(values: NDArray[Any], slack: float) -> bool:
    """Whether all neighbours are equally far apart, to within `slack`."""
    return bool(np.all(np.abs(np.diff(values) - _mean_step(values)) <= slack))


def rounding_error(values: Any) -> float:
    """The rounding error of the largest of `values` in their dtype; 0 for float64 and integers."""
    array = np.asarray(values)
    if array.size == 0 or array.dtype.kind != "f" or array.dtype.itemsize >= 8:
        return 0.0
    return float(np.spacing(np.abs(array).max()))


def sample_ends_ms(times_s: Any, sampling_Hz: float) -> NDArray[np.float64]:
    """The end of each sample in ms, from the start of it in s, as MNE has it."""
    return np.round((np.asarray(times_s, np.float64) * sampling_Hz + 1.0) / sampling_Hz * 1e3, 9)
