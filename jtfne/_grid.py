"""Times on the grid: the only place where milliseconds become steps of dt.

- A span that is declared (a run, an interval, a bin, a fixed delay) is a whole number of steps, or
  refused.
- A refractory time is rounded up, as NEST does it: no cell fires sooner than its parameter says.
- A time that is drawn, tabled or recorded (spikes of stimuli, delays by distribution, distance or
  table) is rounded to the nearest step.
- The course of a current is not rounded: each step gets its mean over the step (`jtfne.stimuli`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

# Of a time in steps: what float32 loses of the time and of dt, and again in their ratio (2**-24
# each), and some more.
FLOAT32_SHARE = 2.0**-22
MOST_SLACK = 0.25  # of a step, however late the time
# of a step: spans that are declared are exact numbers, but may have passed through float32
DECLARED_SLACK = 1e-3
ROUNDING = 1e-12  # of a time in steps: what a few operations in float64 lose


def whole_steps(span_ms: float, dt_ms: float) -> int | None:
    """How many steps of `dt_ms` make `span_ms`, or None if no whole number of at least 1 does."""
    steps = round(span_ms / dt_ms)
    slack = min(FLOAT32_SHARE * steps, DECLARED_SLACK)
    return steps if steps >= 1 and abs(span_ms / dt_ms - steps) <= slack else None


def nearest_fits(span_ms: float, dt_ms: float) -> str:
    """The whole numbers of steps around `span_ms`, as text for an error, such as `0.2 or 0.3`."""
    n_below = int(np.floor(span_ms / dt_ms))
    return " or ".join(
        f"{round(steps * dt_ms, 9):.9g}" for steps in (n_below, n_below + 1) if steps >= 1
    )


def nearest_steps(t_ms: Any, dt_ms: float) -> npt.NDArray[np.int64]:
    """The step of the grid that is nearest to each of `t_ms`, an array of any shape."""
    steps: npt.NDArray[np.int64] = np.rint(np.asarray(t_ms, np.float64) / dt_ms).astype(np.int64)
    return steps


def steps_up(t_ms: Any, dt_ms: Any, xp: Any = np) -> Any:
    """Times in steps, rounded up, as floats of the shape of `t_ms`.

    A time that float32 put just behind the grid counts as on it.

    xp: the module whose arrays these are, numpy or jax.numpy; the latter may be traced.
    """
    steps = xp.asarray(t_ms) / dt_ms
    return xp.ceil(steps - xp.minimum(FLOAT32_SHARE * steps, MOST_SLACK))


def steps_down(t_ms: Any, dt_ms: float) -> npt.NDArray[np.int64]:
    """Times in steps, rounded down; one that float32 put before the grid is on it."""
    steps = np.asarray(t_ms, np.float64) / dt_ms
    slack = np.minimum(FLOAT32_SHARE * steps, MOST_SLACK)
    down: npt.NDArray[np.int64] = np.floor(steps + slack).astype(np.int64)
    return down


def length_in_steps(start_ms: float, stop_ms: float, dt_ms: float) -> float:
    """From start to stop in steps, not put on the grid, but freed of rounding errors of float64."""
    return without_rounding((stop_ms - start_ms) / dt_ms, max(abs(start_ms), abs(stop_ms)) / dt_ms)


def place_on_grid(t_ms: float, dt_ms: float) -> tuple[int, float]:
    """The step in which `t_ms` lies, and how far into it, as a share of the step in [0, 1)."""
    steps = without_rounding(t_ms / dt_ms)
    step = int(np.floor(steps))
    return step, steps - step


def without_rounding(steps: float, scale: float = 1.0) -> float:
    """`steps`, or the whole number from which it differs by a rounding error of float64.

    scale: the largest number of steps that went into it.
    """
    if not np.isfinite(steps):
        return steps
    nearest_whole = round(steps)
    return (
        float(nearest_whole)
        if abs(steps - nearest_whole) <= ROUNDING * max(1.0, abs(steps), scale)
        else steps
    )
