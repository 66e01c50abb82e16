"""Measures of spikes: rate, regularity and synchrony."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from jtfne._check import POSITIVE, Limit, names_fields
from jtfne._grid import nearest_fits, nearest_steps, whole_steps
from jtfne.measures import rate, synchrony
from jtfne.measures._base import Complaint, Frame, Measure


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class MeanRate(Measure):
    """Mean firing rate of all cells, silent ones too, over trials and the window, Hz.

    >>> MeanRate()(jnp.ones((1, 5, 2)), Frame(step_ms=100.0, n_samples=5, first_ms=100.0, counts=True)).item()
    10.0
    """

    readouts: ClassVar[tuple[str, ...]] = ("spk",)
    differentiable: ClassVar[bool] = True
    undefined: ClassVar[str] = "a count is not finite"

    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """Counts (n_trials, n_bins, n_cells) -> Hz."""
        return jnp.mean(rate.rate(jnp.sum(x, axis=-2), frame.n_samples * frame.step_ms))

    def unit(self, of: str) -> str:
        """The unit Hz."""
        return "Hz"

    def bin_of(self, n_samples: int, step_ms: float) -> int:
        """All steps of the window: one bin."""
        return n_samples


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class CV(Measure):
    """Mean coefficient of variation of interspike intervals, over cells with `min_intervals`.

    0 for a clock, about 1 for Poisson trains. Intervals of all trials are pooled, none spans two.
    Spike times move in steps, so it has no gradient. Source: Softky & Koch (1993), J. Neurosci.
    13:334-350.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.measures import CV, Frame
    >>> frame = Frame(step_ms=0.1, n_samples=1000, first_ms=0.1, counts=True)
    >>> intervals_ms = np.array([[10.0, 10.0, 10.0], [5.0, 15.0, np.nan]])  # of two cells
    >>> CV()(intervals_ms, frame).item()
    0.25
    """

    LIMITS: ClassVar[dict[str, Limit]] = {"min_intervals": Limit(low=2)}
    readouts: ClassVar[tuple[str, ...]] = ("spk",)
    differentiable: ClassVar[bool] = False
    undefined: ClassVar[str] = "no cell has enough intervals"
    of_intervals: ClassVar[bool] = True
    min_intervals: int = 2

    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """Intervals (n_cells, n) ms, NaN where there is none -> their CV."""
        # An infinite interval marks a raster with NaN; it stays, so that the mean is NaN too.
        is_interval = ~jnp.isnan(x)
        cv_of_cells = rate.cv(jnp.where(is_interval, x, 0.0), is_interval)
        return jnp.mean(cv_of_cells, where=jnp.sum(is_interval, axis=-1) >= self.min_intervals)

    def unit(self, of: str) -> str:
        """The unit "1": a CV has none."""
        return "1"


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class FanoFactor(Measure):
    """Variance over mean of spike counts in windows of `bin_ms`, mean over cells that fire.

    Windows and trials are pooled.

    1 for Poisson trains, 0 for clocks. Source: Churchland et al. (2010), Nat. Neurosci. 13:369-378.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.measures import FanoFactor, Frame
    >>> counts = np.array([[[2.0], [4.0], [2.0], [4.0]]])  # one trial, four bins, one cell
    >>> round(FanoFactor()(counts, Frame(step_ms=100.0, n_samples=4, first_ms=100.0)).item(), 3)
    0.444
    """

    LIMITS: ClassVar[dict[str, Limit]] = {"bin_ms": POSITIVE}
    readouts: ClassVar[tuple[str, ...]] = ("spk",)
    differentiable: ClassVar[bool] = True
    undefined: ClassVar[str] = "no cell fires"
    bin_ms: float = 100.0

    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """Counts (n_trials, n_bins, n_cells) -> Fano factor."""
        counts = x.reshape(-1, x.shape[-1]).T
        # true for NaN as well, which must not pass for silence
        fires = jnp.sum(counts, axis=-1) != 0
        n_firing = jnp.sum(fires)
        mean = jnp.sum(jnp.where(fires, rate.fano_factor(counts), 0.0)) / jnp.maximum(n_firing, 1)
        return jnp.where(n_firing > 0, mean, jnp.nan)

    def unit(self, of: str) -> str:
        """The unit "1": a ratio of counts has none."""
        return "1"

    def bin_of(self, n_samples: int, step_ms: float) -> int:
        """Steps in a bin of `bin_ms`."""
        return max(1, int(nearest_steps(self.bin_ms, step_ms)))

    def complaint(self, frame: Frame) -> Complaint | None:
        """Refuse bins off the grid, or fewer than two of them."""
        return _check_bins(self.bin_ms, frame)


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Synchrony(Measure):
    """Synchrony chi of spike counts in bins of `bin_ms`, mean over trials.

    1 when all cells do the same, about 1 / sqrt(n_cells) when they are independent. Source: Golomb
    (2007), Scholarpedia 2(1):1347.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.measures import Frame, Synchrony
    >>> counts = np.tile([[0.0], [1.0], [0.0], [1.0]], (1, 1, 3))  # three cells that do the same
    >>> round(Synchrony()(counts, Frame(step_ms=5.0, n_samples=4, first_ms=5.0)).item(), 3)
    1.0
    """

    LIMITS: ClassVar[dict[str, Limit]] = {"bin_ms": POSITIVE}
    readouts: ClassVar[tuple[str, ...]] = ("spk",)
    differentiable: ClassVar[bool] = True
    undefined: ClassVar[str] = "no count changes"
    bin_ms: float = 5.0

    def __call__(self, x: jax.Array, frame: Frame) -> jax.Array:
        """Counts (n_trials, n_bins, n_cells) -> chi."""
        return jnp.mean(synchrony.synchrony(x))

    def unit(self, of: str) -> str:
        """The unit "1": chi has none."""
        return "1"

    def bin_of(self, n_samples: int, step_ms: float) -> int:
        """Steps in a bin of `bin_ms`."""
        return max(1, int(nearest_steps(self.bin_ms, step_ms)))

    def complaint(self, frame: Frame) -> Complaint | None:
        """Refuse bins off the grid, or fewer than two of them."""
        return _check_bins(self.bin_ms, frame)


def _check_bins(bin_ms: float, frame: Frame) -> Complaint | None:
    """Complaint if `bin_ms` is not a multiple of the step, or fewer than two bins fit."""
    steps = whole_steps(bin_ms, frame.step_ms)
    if steps is None:
        fits = nearest_fits(bin_ms, frame.step_ms)
        return (
            f"bin_ms={bin_ms:g} with steps of {frame.step_ms:g} ms",
            f"a multiple of the step, such as {fits} ms",
        )
    if 2 * steps > frame.n_samples:
        return f"bin_ms={bin_ms:g} in {frame.n_samples * frame.step_ms:g} ms", "two bins or more"
    return None
