"""Distances between two arrays of one shape, with intervals from a bootstrap over time."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from jtfne import measures
from jtfne._check import NOT_NEGATIVE, Limit, names_arguments, number, refuse, whole_number
from jtfne._units import Floats
from jtfne.analysis._inputs import (
    MOST_DRAWS,
    Data,
    SPAN_ms,
    array,
    check_form,
    check_size,
    even_step,
    in_ms,
    kernel,
    values_last,
)
from jtfne.analysis.comparisons._base import Comparison, Source, check_kind
from jtfne.recordings import is_recording

WHERE = "analysis.compare"
FEWEST_BLOCKS = 4
FEWEST_SAMPLES = 8
DEFAULT_BLOCKS = 10
METRICS = ("rmse", "correlation", "log_spectral_distance")


@names_arguments
def compare(
    simulated: xr.DataArray,
    recorded: Data,
    kind: Comparison[Any] | None = None,
    *,
    block_ms: float | None = None,
    n_bootstrap: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Distances of two signals, or a table of another kind of comparison.

    Without a `kind`: RMS difference, correlation and log-spectral distance of two arrays of one
    size, with intervals. Data of other times, channels and sampling need a kind.

    Parameters
    ----------
    simulated : DataArray
    recorded : DataArray, str, path, mne.io.Raw, mne.Epochs or mne.Evoked
        As `load_recording` takes it. The same dims and sizes, with ``time`` of one step; samples
        are paired from the first of each. All other dims are paired by the names of their
        coordinate (channels without names by their depth), whatever their order. Where units
        differ, both are taken in sd from their mean, and spectra as shares of their power.
    kind : such as EvokedComparison(), optional
        How to compare, with its own settings; those below are for none.
    block_ms : float, optional
        Length of the blocks of time that are drawn again with replacement, longer than the signals
        remember; a tenth of the time if left out. What remains after the last whole block does not
        count.
    n_bootstrap : int
        Number of draws, up to 1,000,000.
    level : float
        Of the percentile intervals.
    seed : int
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        Columns metric, unit, value, low, high. The distance of spectra is the rms over frequencies
        above 0 (and over channels) of 10 log10 of their ratio, in dB. With a kind: columns group,
        feature, unit, simulated, recorded and pair, which has what belongs to both together.

    Raises
    ------
    JtfneError
        For shapes, steps or names that differ, signals that do not vary, or fewer than 4 blocks of
        8 samples.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import compare
    >>> t_ms = np.arange(1000.0)
    >>> wave = np.sin(0.1 * t_ms) + 0.1 * np.random.default_rng(0).normal(size=1000)
    >>> recorded = xr.DataArray(wave, {"time": t_ms}, ("time",), attrs={"units": "V"})
    >>> table = compare(2.0 * recorded.assign_attrs(units="V"), recorded, n_bootstrap=50)
    >>> table["metric"].tolist()
    ['rmse', 'correlation', 'log_spectral_distance']
    """
    n_bootstrap = whole_number(n_bootstrap, Limit(1, MOST_DRAWS), name="n_bootstrap", where=WHERE)
    level = number(level, Limit(0.0, 1.0, open_low=True, open_high=True), name="level", where=WHERE)
    seed = whole_number(seed, NOT_NEGATIVE, name="seed", where=WHERE)
    if block_ms is not None:
        block_ms = number(block_ms, SPAN_ms, name="block_ms", where=WHERE)
    if kind is not None:
        return _compare_by(kind, simulated, recorded)
    return _compare_pairs(
        simulated, recorded, block_ms, n_bootstrap=n_bootstrap, level=level, seed=seed
    )


def _compare_pairs(
    simulated: xr.DataArray,
    recorded: Data,
    block_ms: float | None,
    *,
    n_bootstrap: int,
    level: float,
    seed: int,
) -> pd.DataFrame:
    """The distances of `compare` without a kind, of arguments that are checked."""
    readout = getattr(simulated, "attrs", {}).get("readout", "lfp")
    recorded = array(recorded, str(readout), WHERE) if is_recording(recorded) else recorded
    simulated_rows, recorded_rows, dt_ms, unit = _pair_rows(simulated, recorded)
    n_blocks, length = _count_blocks(simulated_rows.shape[-1], dt_ms, block_ms)
    blocks = _Blocks(
        _cut_blocks(simulated_rows, n_blocks, length),
        _cut_blocks(recorded_rows, n_blocks, length),
        dt_ms,
        relative=unit == "sd",
    )
    rng = np.random.default_rng(seed)
    resampled_distances = []
    for _ in range(n_bootstrap):
        resampled_distances.append(blocks.distances(rng.integers(n_blocks, size=n_blocks)))
    percents = [50.0 * (1.0 - level), 50.0 * (1.0 + level)]
    low, high = np.percentile(resampled_distances, percents, axis=0)
    table = {
        "metric": list(METRICS),
        "unit": [unit, "1", "dB"],
        "value": blocks.distances(np.arange(n_blocks)),
        "low": low,
        "high": high,
    }
    return pd.DataFrame(table)


def _compare_by(kind: Any, simulated: Any, recorded: Any) -> pd.DataFrame:
    """The table of a kind of comparison of two arrays or recordings.

    Raises: JtfneError for what is no kind, and a run whose readout nobody names.
    """
    kind = check_kind(kind, WHERE)
    sources = []
    for name, data in (("simulated", simulated), ("recorded", recorded)):
        if is_recording(data):
            data = array(data, kind.readout, WHERE)
        if not isinstance(data, xr.DataArray):
            allowed = "an xarray.DataArray or a recording; of a run: compare_run"
            raise refuse(f"{name} data of type {type(data).__name__}", allowed, WHERE)
        readout = data.attrs.get("readout", data.name)
        sources.append(Source(name, data, str(readout)))
    # The simulated side says what the rows of both are.
    catalogued = [source.readout for source in sources if source.row_kind != "other"]
    readout = catalogued[0] if catalogued else kind.readout
    simulated_source, recorded_source = (
        dataclasses.replace(source, readout=readout) for source in sources
    )
    table: pd.DataFrame = kind.tabulate(kind.align(simulated_source, recorded_source))
    return table


class _Blocks:
    """What each block of time adds to the distances: a draw of blocks is then a mere sum.

    simulated, recorded: (n_blocks, n_rows, n_samples).
    """

    def __init__(
        self, simulated: Floats, recorded: Floats, dt_ms: float, *, relative: bool
    ) -> None:
        """Keep sums and spectra of each block; `relative` takes spectra as shares of power."""
        axes = (1, 2)
        self.squares: Floats = ((simulated - recorded) ** 2).mean(axis=axes)
        x = simulated - simulated.mean(axis=(0, 2), keepdims=True)
        y = recorded - recorded.mean(axis=(0, 2), keepdims=True)
        products = ((x * x).sum(axis=axes), (y * y).sum(axis=axes), (x * y).sum(axis=axes))
        self.products: Floats = np.stack(products, axis=-1)
        segment_ms = simulated.shape[-1] * dt_ms
        spectra = []
        for values in (simulated, recorded):
            _, power = kernel(measures.spectrum.psd, values, dt_ms, segment_ms)
            spectra.append(power[..., 1:])
        self.spectra: Floats = np.stack(spectra)
        self.relative = relative

    def distances(self, block_indices: NDArray[np.int64]) -> tuple[float, float, float]:
        """rmse, correlation and log-spectral distance over the blocks at `block_indices`."""
        simulated_square, recorded_square, cross_product = self.products[block_indices].sum(axis=0)
        power = self.spectra[:, block_indices].mean(axis=1)
        if self.relative:
            power = power / power.sum(axis=-1, keepdims=True)
        has_power = (power > 0.0).all(axis=0)
        decibels = 10.0 * np.log10(power[0][has_power] / power[1][has_power])
        return (
            float(np.sqrt(self.squares[block_indices].mean())),
            float(cross_product / np.sqrt(simulated_square * recorded_square))
            if simulated_square > 0.0 and recorded_square > 0.0
            else float("nan"),
            float(np.sqrt((decibels**2).mean())) if decibels.size else float("nan"),
        )


def _pair_rows(simulated: Any, recorded: Any) -> tuple[Floats, Floats, float, str]:
    """Both signals as (n_rows, n_steps) with rows paired, their step in ms and their unit.

    Raises: JtfneError where they cannot be compared.
    """
    for name, data in (("simulated", simulated), ("recorded", recorded)):
        if not isinstance(data, xr.DataArray):
            raise refuse(f"{name} data of type {type(data).__name__}", "an xarray.DataArray", WHERE)
        check_form(data, WHERE, "time")
    if set(simulated.dims) != set(recorded.dims):
        description = (
            f"dimensions {tuple(map(str, simulated.dims))} and {tuple(map(str, recorded.dims))}"
        )
        raise refuse(description, "the same dimensions", WHERE)
    aligned_recording = recorded.transpose(*simulated.dims)
    if simulated.shape != aligned_recording.shape:
        raise refuse(
            f"sizes {dict(simulated.sizes)} and {dict(aligned_recording.sizes)}",
            "the same sizes",
            WHERE,
        )
    dt_ms = even_step(in_ms(simulated, WHERE), "time", WHERE)
    recorded_dt_ms = even_step(in_ms(aligned_recording, WHERE), "time", WHERE)
    if abs(dt_ms - recorded_dt_ms) > 1e-3 * abs(dt_ms):
        raise refuse(
            f"steps of {dt_ms:g} and {recorded_dt_ms:g} ms",
            "one step: resample one of the two",
            WHERE,
        )
    for dim in simulated.dims:
        if dim != "time":
            aligned_recording = _reorder_like(simulated, aligned_recording, str(dim))
    simulated_rows = _rows_by_time(simulated)
    recorded_rows = _rows_by_time(aligned_recording)
    for name, values in (("simulated", simulated_rows), ("recorded", recorded_rows)):
        if np.isfinite(values).all():
            check_size(values, WHERE)
            if values.std() > 0.0:
                continue
        raise refuse(
            f"{name} data that are not finite or never vary", "finite data that vary", WHERE
        )
    unit = str(simulated.attrs.get("units", "a.u."))
    if unit == str(aligned_recording.attrs.get("units", "a.u.")):
        return simulated_rows, recorded_rows, dt_ms, unit
    return _z_scores(simulated_rows), _z_scores(recorded_rows), dt_ms, "sd"


def _rows_by_time(data: xr.DataArray) -> Floats:
    """The values as (n_rows, n_samples)."""
    values, _ = values_last(data, "time")
    return values.reshape(-1, values.shape[-1])


def _z_scores(values: Floats) -> Floats:
    """The values minus their mean, in standard deviations, both over all rows."""
    scores: Floats = (values - values.mean()) / values.std()
    return scores


def _reorder_like(simulated: xr.DataArray, recorded: xr.DataArray, dim: str) -> xr.DataArray:
    """`recorded` with the entries of one dim in their order in `simulated`, matched by name.

    Raises: JtfneError where one has names and the other has none, where names differ, and for a
    name given twice.
    """
    simulated_names, recorded_names = _list_names(simulated, dim), _list_names(recorded, dim)
    if simulated_names is None and recorded_names is None:
        return recorded
    if simulated_names is None or recorded_names is None:
        nameless_side = "simulated" if simulated_names is None else "recorded"
        raise refuse(
            f"{dim} without names in the {nameless_side} data alone",
            f"a coordinate {dim!r} in both",
            WHERE,
        )
    for name, names in (("simulated", simulated_names), ("recorded", recorded_names)):
        if len(set(names)) < len(names):
            raise refuse(f"{name} data with a {dim} given twice", "each name once", WHERE)
    missing_names = [name for name in simulated_names if name not in set(recorded_names)]
    if missing_names:
        description = f"recorded data without the {dim} {', '.join(map(str, missing_names[:5]))}"
        raise refuse(
            description,
            f"the same names in both; they have {', '.join(map(str, recorded_names[:8]))}",
            WHERE,
        )
    return recorded.isel({dim: [recorded_names.index(name) for name in simulated_names]})


def _list_names(data: xr.DataArray, dim: str) -> list[Any] | None:
    """Names of the entries of a dim, or the depths of nameless channels; None without either."""
    if dim in data.coords:
        return [str(name) for name in data[dim].values.tolist()]
    if dim == "channel" and "z_mm" in data.coords and data["z_mm"].dims == ("channel",):
        return [f"at {depth_mm:.6g} mm" for depth_mm in data["z_mm"].values.tolist()]
    return None


def _count_blocks(n_steps: int, dt_ms: float, block_ms: float | None) -> tuple[int, int]:
    """Number of blocks, and samples of each.

    Raises: JtfneError if they are too few or too short.
    """
    length = (
        max(n_steps // DEFAULT_BLOCKS, FEWEST_SAMPLES)
        if block_ms is None
        else round(block_ms / dt_ms)
    )
    n_blocks = n_steps // length if length >= FEWEST_SAMPLES else 0
    if n_blocks < FEWEST_BLOCKS:
        description = f"block_ms={length * dt_ms:g} in {n_steps * dt_ms:g} ms"
        allowed = (
            f"{FEWEST_BLOCKS} blocks or more of {FEWEST_SAMPLES} samples "
            f"({FEWEST_SAMPLES * dt_ms:g} ms) or more"
        )
        raise refuse(description, allowed, WHERE)
    return n_blocks, length


def _cut_blocks(rows: Floats, n_blocks: int, length: int) -> Floats:
    """Blocks of time, (n_blocks, n_rows, length), of (n_rows, n_steps); the rest is left out."""
    return np.moveaxis(rows[:, : n_blocks * length].reshape(rows.shape[0], n_blocks, length), 0, 1)
