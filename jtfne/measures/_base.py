"""The interface of every measure: a number, or a curve over a grid, of one part of one readout."""

import abc
import dataclasses
import functools
import numbers
from typing import Any, ClassVar

import jax
import numpy as np
from numpy.typing import NDArray

from jtfne._check import describe_value, refuse

Grid = dict[str, NDArray[Any]]
Complaint = tuple[str, str]  # what is given, what is allowed

FIELDS = ("laminar", "areal", "head")
"""Kinds of rows of a field: channels along the depth of areas, one trace an area, sensors."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """Describes samples (n_trials, n_samples, n_rows): their clock and what their rows are.

    first_ms: time of the first sample. z_mm, channels: of each row, where it has any. counts:
    whether they are spikes in bins of step_ms. density: whether they are a current source density
    already.

    Examples
    --------
    >>> from jtfne.measures import Frame
    >>> frame = Frame(step_ms=0.5, n_samples=4, first_ms=0.5, z_mm=(0.0, 0.1))
    >>> frame.time_ms.tolist()
    [0.5, 1.0, 1.5, 2.0]
    """

    step_ms: float
    n_samples: int
    first_ms: float
    z_mm: tuple[float, ...] = ()
    channels: tuple[str, ...] = ()
    counts: bool = False
    density: bool = False

    @property
    def time_ms(self) -> NDArray[np.float64]:
        """The time of each sample, ms: (n_samples,)."""
        return np.round(self.first_ms + np.arange(self.n_samples) * self.step_ms, 9)


class Measure(abc.ABC):
    """A number, or a curve over a grid, of samples (n_trials, n_samples, n_rows).

    It is hashable, and all of it static.

    readouts: what it can be taken of: names of readouts, or kinds of their rows (FIELDS).
    takes_density: whether a current source density is among them. differentiable: whether its
    gradient by the samples is meant to be used. undefined: when its value is NaN. of_intervals:
    whether it takes intervals between spikes, (n_cells, n) ms with NaN where there is none, instead
    of samples. one_area: whether its rows must be the channels of one area. dims: of the curve,
    none for a number; averaged: those of a recorded curve over which its mean is taken.
    logarithmic: whether a curve lies straight between its points in its logarithm.

    Examples
    --------
    >>> from jtfne.measures import MEASURES, MeanRate, Measure
    >>> isinstance(MeanRate(), Measure), MeanRate().unit("ms"), MeanRate.readouts
    (True, 'Hz', ('spk',))
    >>> [name for name, measure in MEASURES.items() if measure.dims]
    ['PowerSpectrum', 'EvokedWaveform', 'CSDProfile', 'Topography']
    """

    readouts: ClassVar[tuple[str, ...]]
    differentiable: ClassVar[bool]
    undefined: ClassVar[str]
    takes_density: ClassVar[bool] = True
    of_intervals: ClassVar[bool] = False
    one_area: ClassVar[bool] = False
    dims: ClassVar[tuple[str, ...]] = ()
    averaged: ClassVar[tuple[str, ...]] = ()
    logarithmic: ClassVar[bool] = False

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Check the samples of every measure's `__call__`, also of a user's own measure.

        The check runs while JAX traces, not in the compiled program.
        """
        super().__init_subclass__(**keywords)
        if "__call__" not in vars(cls):
            return
        compute = cls.__call__

        @functools.wraps(compute)
        def check_and_compute(self: "Measure", x: jax.Array, frame: Frame) -> jax.Array:
            self._check_samples(x, frame)
            return compute(self, x, frame)

        cls.__call__ = check_and_compute  # type: ignore[method-assign]  # the same signature, checked first

    def __post_init__(self) -> None:
        """Refuse settings of a wrong type; `Config` checks their ranges, by `LIMITS`."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # all measures are dataclasses
            value = getattr(self, field.name)
            real = isinstance(value, numbers.Real) and not isinstance(value, bool | np.timedelta64)
            # Config tells 2.5 from 2
            fits = {bool: isinstance(value, bool), float: real, int: real}
            if isinstance(field.type, type) and not fits.get(field.type, True):
                allowed = "True or False" if field.type is bool else "a number"
                raise refuse(f"{field.name}={describe_value(value)}", allowed, type(self).__name__)

    def _check_samples(self, x: Any, frame: Any) -> None:
        """Raises: JtfneError unless `x` is an array of samples on the clock of `frame`."""
        where = type(self).__name__
        if not isinstance(frame, Frame):
            raise refuse(f"frame={describe_value(frame)}", "a Frame", where)
        dims = ("cell", "interval") if self.of_intervals else ("trial", "sample", "row")
        if not isinstance(x, np.ndarray | jax.Array) or len(x.shape) != len(dims):
            raise refuse(f"samples {describe_value(x)}", f"an array ({', '.join(dims)})", where)
        if not (
            np.issubdtype(x.dtype, np.floating)
            or np.issubdtype(x.dtype, np.integer)
            or x.dtype == np.bool_
        ):
            raise refuse(f"samples of dtype {x.dtype}", "real numbers", where)
        if 0 in x.shape or (not self.of_intervals and x.shape[1] != frame.n_samples):
            length = "" if self.of_intervals else f", with the frame's {frame.n_samples} samples"
            raise refuse(
                f"an array of shape {x.shape}",
                f"({', '.join(dims)}), one or more of each{length}",
                where,
            )

    @abc.abstractmethod
    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """The value of samples (n_trials, n_samples, n_rows): (), or the shape of `grid`."""

    @abc.abstractmethod
    def unit(self, of: str) -> str:
        """The unit of the value, for a readout whose unit is `of`."""

    @property
    def correlates(self) -> bool:
        """Whether curves are compared by correlation, regardless of size, not point by point."""
        return False

    def curve_unit(self, of: str) -> str | None:
        """The unit that a recorded curve must have, for a readout in `of`; None if any will do."""
        return None if self.correlates else self.unit(of)

    def bin_of(self, n_samples: int, step_ms: float) -> int:
        """Steps in one bin of spike counts, for a window of `n_samples` steps."""
        return 1

    def binned(self, frame: Frame) -> Frame:
        """The frame of the samples that the measure takes: spikes in bins instead of steps."""
        if not frame.counts:
            return frame
        every = self.bin_of(frame.n_samples, frame.step_ms)
        first_ms = frame.first_ms + (every - 1) * frame.step_ms
        n_bins, bin_ms = frame.n_samples // every, frame.step_ms * every
        return dataclasses.replace(frame, step_ms=bin_ms, n_samples=n_bins, first_ms=first_ms)

    def complaint(self, frame: Frame) -> Complaint | None:
        """Why samples with this frame do not fit the measure: (given, allowed), or None."""
        return None

    def placed(self, dim: str, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The coordinates of a dim in the form in which grid and recorded curve are compared."""
        return points

    def grid(self, frame: Frame) -> Grid:
        """The coordinates of the curve's points, by dim."""
        return {}

    def form(self, values: jax.Array) -> jax.Array:
        """Transform applied to both curves before they are compared (such as dB)."""
        return values
