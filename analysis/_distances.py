"""Distances between two arrays of the same shape, with intervals from a bootstrap over blocks of time."""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from jtfne import measures
from jtfne._check import refuse
from jtfne.analysis._inputs import Floats, even_step, kernel, need, values_last

WHERE = "analysis.compare"
FEWEST_BLOCKS = 4
FEWEST_SAMPLES = 8
DEFAULT_BLOCKS = 10


def compare(
    simulated: xr.DataArray,
    recorded: xr.DataArray,
    *,
    block_ms: float | None = None,
    n_bootstrap: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Root mean square difference, correlation and log-spectral distance of two signals, with bootstrap intervals.

    Parameters
    ----------
    simulated, recorded : DataArray
        The same dims and sizes, with ``time`` in ms of one step. Where units differ, both are taken in sd from their
        mean, and spectra as shares of their power.
    block_ms : float, optional
        Length of the blocks of time that are drawn again with replacement, longer than the signals remember; a tenth
        of the time if left out. What remains after the last whole block does not count.
    n_bootstrap : int
        Number of draws.
    level : float
        Of the percentile intervals.
    seed : int
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        Columns metric, unit, value, low, high. The distance of spectra is the rms over frequencies above 0 (and over
        channels) of 10 log10 of their ratio, in dB.

    Raises
    ------
    JtfneError
        For shapes or steps that differ, signals that do not vary, or fewer than 4 blocks of 8 samples.
    """
    ours, theirs, dt_ms, unit = _alike(simulated, recorded)
    n_blocks, length = _blocks(ours.shape[-1], dt_ms, block_ms)
    if n_bootstrap < 1 or not 0.0 < level < 1.0:
        raise refuse(f"n_bootstrap={n_bootstrap}, level={level}", "1 draw or more, a level between 0 and 1", WHERE)
    blocks = _Blocks(_cut(ours, n_blocks, length), _cut(theirs, n_blocks, length), dt_ms, relative=unit == "sd")
    values = blocks.distances(np.arange(n_blocks))
    rng = np.random.default_rng(seed)
    drawn = np.array([blocks.distances(rng.integers(n_blocks, size=n_blocks)) for _ in range(n_bootstrap)])
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(drawn, [tail, 100.0 - tail], axis=0)
    table = {
        "metric": ["rmse", "correlation", "log_spectral_distance"],
        "unit": [unit, "1", "dB"],
        "value": values,
        "low": low,
        "high": high,
    }
    return pd.DataFrame(table)


class _Blocks:
    """What each block of time adds to the distances. ours, theirs: (n_blocks, n_rows, n_samples)."""

    def __init__(self, ours: Floats, theirs: Floats, dt_ms: float, *, relative: bool) -> None:
        """Sums and spectra, a block each; `relative` spectra are shares of their power."""
        axes = (1, 2)
        self.squares: Floats = ((ours - theirs) ** 2).mean(axis=axes)
        centred = [each - each.mean(axis=(0, 2), keepdims=True) for each in (ours, theirs)]
        pairs = ((0, 0), (1, 1), (0, 1))
        self.products: Floats = np.stack([(centred[i] * centred[j]).sum(axis=axes) for i, j in pairs], axis=-1)
        length = ours.shape[-1]
        spectra = [kernel(measures.spectrum.psd, each, dt_ms, length * dt_ms)[1][..., 1:] for each in (ours, theirs)]
        self.spectra: Floats = np.stack(spectra)
        self.relative = relative

    def distances(self, drawn: NDArray[np.int64]) -> tuple[float, float, float]:
        """rmse, correlation and log-spectral distance of the blocks `drawn`."""
        of_ours, of_theirs, of_both = self.products[drawn].sum(axis=0)
        power = self.spectra[:, drawn].mean(axis=1)
        if self.relative:
            power = power / power.sum(axis=-1, keepdims=True)
        there = (power > 0.0).all(axis=0)
        decibels = 10.0 * np.log10(power[0][there] / power[1][there])
        return (
            float(np.sqrt(self.squares[drawn].mean())),
            float(of_both / np.sqrt(of_ours * of_theirs)) if of_ours > 0.0 and of_theirs > 0.0 else float("nan"),
            float(np.sqrt((decibels**2).mean())) if decibels.size else float("nan"),
        )


def _alike(simulated: xr.DataArray, recorded: xr.DataArray) -> tuple[Floats, Floats, float, str]:
    """Both as (n_rows, n_steps), their step and unit. Raises: JtfneError where they cannot be compared."""
    need(simulated, "time", where=WHERE)
    if set(simulated.dims) != set(recorded.dims):
        raise refuse(f"dimensions {simulated.dims} and {recorded.dims}", "the same dimensions", WHERE)
    aligned = recorded.transpose(*simulated.dims)
    if simulated.shape != aligned.shape:
        raise refuse(f"sizes {dict(simulated.sizes)} and {dict(aligned.sizes)}", "the same sizes", WHERE)
    steps = [even_step(each, "time", WHERE) for each in (simulated, aligned)]
    if abs(steps[0] - steps[1]) > 1e-3 * abs(steps[0]):
        raise refuse(f"steps of {steps[0]:g} and {steps[1]:g} ms", "one step: resample one of the two", WHERE)
    rows = [values_last(each, "time")[0] for each in (simulated, aligned)]
    rows = [each.reshape(-1, each.shape[-1]) for each in rows]
    for name, each in zip(("simulated", "recorded"), rows, strict=True):
        if not np.isfinite(each).all() or not each.std() > 0.0:
            raise refuse(f"{name} data that are not finite or never vary", "finite data that vary", WHERE)
    units = [str(each.attrs.get("units", "a.u.")) for each in (simulated, aligned)]
    if units[0] == units[1]:
        return rows[0], rows[1], steps[0], units[0]
    ours, theirs = ((each - each.mean()) / each.std() for each in rows)
    return ours, theirs, steps[0], "sd"


def _blocks(n_steps: int, dt_ms: float, block_ms: float | None) -> tuple[int, int]:
    """How many blocks there are, and of how many samples. Raises: JtfneError if they are too few or too short."""
    length = max(n_steps // DEFAULT_BLOCKS, FEWEST_SAMPLES) if block_ms is None else round(block_ms / dt_ms)
    n_blocks = n_steps // length if length >= FEWEST_SAMPLES else 0
    if n_blocks < FEWEST_BLOCKS:
        given = f"block_ms={length * dt_ms:g} in {n_steps * dt_ms:g} ms"
        allowed = f"{FEWEST_BLOCKS} blocks or more of {FEWEST_SAMPLES} samples ({FEWEST_SAMPLES * dt_ms:g} ms) or more"
        raise refuse(given, allowed, WHERE)
    return n_blocks, length


def _cut(rows: Floats, n_blocks: int, length: int) -> Floats:
    """(n_rows, n_steps) -> (n_blocks, n_rows, length)."""
    return np.moveaxis(rows[:, : n_blocks * length].reshape(rows.shape[0], n_blocks, length), 0, 1)
