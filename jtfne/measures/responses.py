"""Measures of responses to a stimulus: a waveform, a CSD over depth and time, a sensor map."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jtfne._check import NOT_NEGATIVE, Limit, names_fields
from jtfne._time import CLOCK_ms, in_baseline
from jtfne.measures import csd
from jtfne.measures._base import FIELDS, Complaint, Frame, Grid, Measure


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class EvokedWaveform(Measure):
    """Response over time from `onset_ms`, mean over trials, less the mean of its baseline.

    It is that of channels, or of an area.

    The baseline is the last `baseline_ms` before the onset. Compared point by point in the
    readout's unit; with `shape_only`, by correlation, whatever the units.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.measures import EvokedWaveform, Frame
    >>> eeg = np.array([[[1.0], [1.0], [4.0], [2.0]]])  # one trial, four samples, one channel
    >>> frame = Frame(step_ms=10.0, n_samples=4, first_ms=10.0, channels=("Cz",))
    >>> EvokedWaveform(onset_ms=20.0, baseline_ms=20.0)(eeg, frame).tolist()
    [[0.0], [0.0], [3.0], [1.0]]
    """

    LIMITS: ClassVar[dict[str, Limit]] = {"onset_ms": NOT_NEGATIVE, "baseline_ms": NOT_NEGATIVE}
    readouts: ClassVar[tuple[str, ...]] = FIELDS
    differentiable: ClassVar[bool] = True
    undefined: ClassVar[str] = "a channel is not finite, or, with shape_only, never moves"
    one_area: ClassVar[bool] = True
    dims: ClassVar[tuple[str, ...]] = ("time", "channel")
    onset_ms: float = 0.0
    baseline_ms: float = 0.0
    shape_only: bool = False

    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """Samples (n_trials, n_samples, n_channels) -> (n_samples, n_channels)."""
        return _response(x, frame, self.onset_ms, self.baseline_ms)

    def unit(self, of: str) -> str:
        """The readout's unit, or "r" if compared by correlation."""
        return "r" if self.shape_only else of

    @property
    def correlates(self) -> bool:
        """True with `shape_only`."""
        return self.shape_only

    def complaint(self, frame: Frame) -> Complaint | None:
        """Refuse an onset after the samples, or a baseline that is not within them."""
        return _check_baseline(frame, self.onset_ms, self.baseline_ms)

    def grid(self, frame: Frame) -> Grid:
        """Time from the onset, ms, and names of channels."""
        return {
            "time": frame.time_ms - self.onset_ms,
            "channel": np.array(frame.channels, dtype=str),
        }


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class CSDProfile(Measure):
    """Current source density over depth and time from `onset_ms`, less the mean of its baseline.

    It is the mean over trials.

    Minus the second difference of a potential, at the inner contacts; a CSD is taken as it is.
    Compared by correlation over depth and time, so that it is the order of sinks and sources, in
    depth and in time, that counts: 1 - r is 0 where they are the same, 2 where sinks and sources
    are exchanged. With `relative_depth` depths are shares of each probe's span, for columns of
    different thickness. Source: Nicholson & Freeman (1975), J. Neurophysiol. 38:356-368.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.measures import CSDProfile, Frame
    >>> lfp = np.array([[[0.0, 0.0, 0.0], [0.0, -1.0, 0.0]]])  # (trial, sample, depth)
    >>> frame = Frame(step_ms=10.0, n_samples=2, first_ms=10.0, z_mm=(0.0, 0.1, 0.2))
    >>> csd = CSDProfile()(lfp, frame)
    >>> csd.shape, bool(csd[1, 0] < 0.0)  # a sink
    ((2, 1), True)
    """

    LIMITS: ClassVar[dict[str, Limit]] = {"onset_ms": NOT_NEGATIVE, "baseline_ms": NOT_NEGATIVE}
    readouts: ClassVar[tuple[str, ...]] = ("laminar",)
    differentiable: ClassVar[bool] = True
    undefined: ClassVar[str] = "the density never changes"
    one_area: ClassVar[bool] = True
    dims: ClassVar[tuple[str, ...]] = ("time", "z_mm")
    onset_ms: float = 0.0
    baseline_ms: float = 0.0
    relative_depth: bool = False

    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """Samples (n_trials, n_samples, n_channels) -> (n_samples, n_depths)."""
        response = _response(x, frame, self.onset_ms, self.baseline_ms)
        return response if frame.density else csd.csd(response, _spacing_mm(frame))

    def unit(self, of: str) -> str:
        """The unit "r" of a correlation."""
        return "r"

    @property
    def correlates(self) -> bool:
        """True: profiles are compared by correlation."""
        return True

    def complaint(self, frame: Frame) -> Complaint | None:
        """Refuse an onset after the samples, or a baseline that is not within them."""
        return _check_baseline(frame, self.onset_ms, self.baseline_ms)

    def grid(self, frame: Frame) -> Grid:
        """Time from the onset, ms, and depths, mm."""
        z = np.asarray(frame.z_mm, np.float64)
        if not frame.density:
            _spacing_mm(frame)
            z = z[1:-1]
        return {"time": frame.time_ms - self.onset_ms, "z_mm": z}

    def placed(self, dim: str, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Depths as shares of their span with `relative_depth`; other coordinates unchanged."""
        return (
            (points - points.min()) / np.ptp(points)
            if self.relative_depth and dim == "z_mm"
            else points
        )


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Topography(Measure):
    """Map over sensors, mean over trials and the window, less the mean of the baseline.

    The baseline is `baseline_ms` before `onset_ms`.

    Compared by the correlation C of the two maps, each less its mean over sensors, so that neither
    size nor reference counts: 1 - C is half the squared global map dissimilarity. Source: Murray et
    al. (2008), Brain Topogr. 20:249-264.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.measures import Frame, Topography
    >>> eeg = np.array([[[1.0, 3.0], [3.0, 5.0]]])  # one trial, two samples, two sensors
    >>> frame = Frame(step_ms=10.0, n_samples=2, first_ms=10.0, channels=("Cz", "Oz"))
    >>> Topography()(eeg, frame).tolist()
    [2.0, 4.0]
    """

    LIMITS: ClassVar[dict[str, Limit]] = {"onset_ms": NOT_NEGATIVE, "baseline_ms": NOT_NEGATIVE}
    readouts: ClassVar[tuple[str, ...]] = ("head",)
    differentiable: ClassVar[bool] = True
    undefined: ClassVar[str] = "the map is flat"
    dims: ClassVar[tuple[str, ...]] = ("channel",)
    averaged: ClassVar[tuple[str, ...]] = ("time",)
    onset_ms: float = 0.0
    baseline_ms: float = 0.0

    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """Samples (n_trials, n_samples, n_channels) -> (n_channels,)."""
        samples_after = np.flatnonzero(frame.time_ms >= self.onset_ms - CLOCK_ms)
        return jnp.mean(_response(x, frame, self.onset_ms, self.baseline_ms)[samples_after], axis=0)

    def unit(self, of: str) -> str:
        """The unit "r" of a correlation."""
        return "r"

    @property
    def correlates(self) -> bool:
        """True: maps are compared by correlation."""
        return True

    def complaint(self, frame: Frame) -> Complaint | None:
        """Refuse an onset after the samples, or a baseline that is not within them."""
        return _check_baseline(frame, self.onset_ms, self.baseline_ms)

    def grid(self, frame: Frame) -> Grid:
        """Names of the sensors."""
        return {"channel": np.array(frame.channels, dtype=str)}


def _find_baseline_samples(frame: Frame, onset_ms: float, baseline_ms: float) -> NDArray[np.int64]:
    """Indices of the samples in the baseline."""
    return np.flatnonzero(in_baseline(frame.time_ms, baseline_ms, onset_ms))


def _response(x: jax.Array, frame: Frame, onset_ms: float, baseline_ms: float) -> jax.Array:
    """Mean over trials minus the baseline mean, if there is a baseline: (n_samples, n_rows)."""
    mean = jnp.mean(x, axis=0)
    if baseline_ms == 0.0:
        return mean
    return mean - jnp.mean(mean[_find_baseline_samples(frame, onset_ms, baseline_ms)], axis=0)


def _check_baseline(frame: Frame, onset_ms: float, baseline_ms: float) -> Complaint | None:
    """Complaint about an onset after the samples, or a baseline that is not within them."""
    start_ms, stop_ms = frame.first_ms - frame.step_ms, float(frame.time_ms[-1])
    if onset_ms > stop_ms + CLOCK_ms or (
        baseline_ms and onset_ms - baseline_ms < start_ms - CLOCK_ms
    ):
        problem = f"onset_ms={onset_ms:g} with baseline_ms={baseline_ms:g}"
        allowed = (
            f"an onset before the end of the window, {start_ms:g} to {stop_ms:g} ms, and a "
            "baseline within it"
        )
        return problem, allowed
    if baseline_ms and _find_baseline_samples(frame, onset_ms, baseline_ms).size == 0:
        return (
            f"baseline_ms={baseline_ms:g} of samples every {frame.step_ms:g} ms",
            "a baseline that holds one",
        )
    return None


def _spacing_mm(frame: Frame) -> float:
    """The distance between contacts. Raises: JtfneError for fewer than 3, or uneven ones."""
    z = csd.depths(np.array(frame.z_mm), even=True, where="CSDProfile")
    return float(z[-1] - z[0]) / (z.size - 1)
