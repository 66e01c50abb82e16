"""Rates, intervals and counts of spikes."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from jtfne import _time
from jtfne._check import POSITIVE, Limit, names_arguments, number, refuse, whole_number
from jtfne.analysis._inputs import Data, kernel, pair
from jtfne.analysis._spikes import Spikes, read_spikes
from jtfne.measures import rate


@names_arguments
def rates(
    data: Data,
    *,
    by: str | Sequence[str] | None = "cell_type",
    window_ms: tuple[float, float] | None = None,
) -> xr.DataArray:
    """Mean firing rates.

    Parameters
    ----------
    data : Signals or DataArray
        A run with spikes, or a raster with dims (time, neuron), with or without trial.
    by : str, sequence of str or None
        ``"area"``, ``"layer"`` or ``"cell_type"``, or several of them (dim ``population``); None
        keeps each neuron.
    window_ms : tuple of float, optional
        Start and end of the time that counts, ms on the clock of `data`; all of it if left out.

    Returns
    -------
    DataArray
        Hz, dims (trial, the groups).

    Raises
    ------
    JtfneError
        For what is no spikes: a trace, or an array that declares neither spikes nor counts.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import rates
    >>> raster = xr.DataArray(
    ...     np.zeros((1000, 2), bool), {"time": np.arange(1.0, 1001.0)}, ("time", "neuron"))
    >>> raster[::100, 0] = True
    >>> rates(raster, by=None).values.tolist()  # Hz
    [[10.0, 0.0]]
    """
    where = "analysis.rates"
    spikes = read_spikes(data, where)
    start_ms, stop_ms = spikes.start_ms, spikes.stop_ms
    if window_ms is not None:
        start_ms, stop_ms = pair(window_ms, name="window_ms", where=where)
        slack_ms = _time.CLOCK_ms
        if start_ms < spikes.start_ms - slack_ms or stop_ms > spikes.stop_ms + slack_ms:
            allowed = f"a window within {spikes.start_ms:g} to {spikes.stop_ms:g} ms"
            raise refuse(f"window_ms={window_ms}", allowed, where)
    inside = _time.in_window(spikes.time_ms, start_ms, stop_ms)
    if window_ms is None:
        inside[:] = True
    n_rows = spikes.neuron.size
    flat = spikes.trial[inside] * n_rows + spikes.row[inside]
    counts = np.bincount(flat, minlength=spikes.n_trials * n_rows).reshape(spikes.n_trials, n_rows)
    values = kernel(rate.rate, counts.astype(np.float64), stop_ms - start_ms)
    attrs = {"units": "Hz", "long_name": "firing rate"}
    if by is None:
        return xr.DataArray(
            values,
            dims=("trial", "neuron"),
            coords=_neuron_coords(spikes),
            attrs=attrs,
            name="rate",
        )
    code, dim, coords = spikes.groups(by, where)
    sizes = np.bincount(code)
    means = np.stack([np.bincount(code, weights=row) / sizes for row in values])
    coords["trial"] = spikes.trials
    return xr.DataArray(means, dims=("trial", dim), coords=coords, attrs=attrs, name="rate")


@names_arguments
def population_rate(
    data: Data, *, bin_ms: float = 5.0, by: str | Sequence[str] | None = None
) -> xr.DataArray:
    """Firing rate over time, averaged over all neurons or over groups of them.

    Parameters
    ----------
    data : Signals or DataArray
        A run with spikes, or a raster with dims (time, neuron), with or without trial.
    bin_ms : float
        Width of the bins, ms; what is left of the run after the last whole bin is not counted. Data
        shorter than a bin are one bin of their own length.
    by : str, sequence of str or None
        Groups, as in `rates`.

    Returns
    -------
    DataArray
        Hz, dims (trial, time) and the groups; time is the end of each bin, ms on the clock of
        `data`; ``attrs["interval_ms"]`` is the width of the bins.

    Raises
    ------
    JtfneError
        As `rates`.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import population_rate
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50.0)
    >>> rate = population_rate(signals, bin_ms=10.0, by="cell_type")
    >>> rate.attrs["units"], dict(rate.sizes)
    ('Hz', {'trial': 1, 'time': 5, 'cell_type': 4})
    """
    where = "analysis.population_rate"
    spikes = read_spikes(data, where)
    width_ms = min(number(bin_ms, POSITIVE, name="bin_ms", where=where), spikes.duration_ms)
    code, dim, coords = (
        (np.zeros(spikes.neuron.size, np.int64), "all", {})
        if by is None
        else spikes.groups(by, where)
    )
    counts = spikes.counts(width_ms, where, code) / np.bincount(code)
    values = kernel(rate.rate, counts, width_ms)
    end_ms = np.round(spikes.start_ms + (np.arange(counts.shape[1]) + 1) * width_ms, _time.DECIMALS)
    coords |= {"trial": spikes.trials, "time": end_ms}
    attrs = {"units": "Hz", "long_name": "population rate", "interval_ms": width_ms}
    rates_by_bin = xr.DataArray(
        values, dims=("trial", "time", dim), coords=coords, attrs=attrs, name="population_rate"
    )
    rates_by_bin["time"].attrs["units"] = "ms"
    return rates_by_bin.isel(all=0) if by is None else rates_by_bin


@names_arguments
def isi(data: Data) -> xr.DataArray:
    """Interspike intervals, ms, over the dimension ``interval``.

    Its coordinates are ``neuron``, ``trial`` and ``time`` (of its end).

    Parameters
    ----------
    data : Signals or DataArray
        A run with spikes, or a raster with dims (time, neuron), with or without trial. ``time`` is
        on its clock.

    Raises
    ------
    JtfneError
        As `rates`.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import isi
    >>> raster = xr.DataArray(
    ...     np.zeros((100, 1), bool), {"time": np.arange(1.0, 101.0)}, ("time", "neuron"))
    >>> raster[[10, 30, 60], 0] = True
    >>> isi(raster).values.tolist()
    [20.0, 30.0]
    """
    return _compute_intervals(read_spikes(data, "analysis.isi"))


def _compute_intervals(spikes: Spikes) -> xr.DataArray:
    """Interspike intervals, ms, with the coordinates of `isi`; none spans two trials."""
    order = np.lexsort((spikes.time_ms, spikes.row, spikes.trial))
    time_ms, row, trial = spikes.time_ms[order], spikes.row[order], spikes.trial[order]
    same_train = (np.diff(row) == 0) & (np.diff(trial) == 0)
    coords = {
        "neuron": ("interval", spikes.neuron[row[1:][same_train]]),
        "trial": ("interval", spikes.trials[trial[1:][same_train]]),
        "time": ("interval", time_ms[1:][same_train]),
    }
    attrs = {"units": "ms", "long_name": "interspike interval"}
    return xr.DataArray(
        np.diff(time_ms)[same_train], dims="interval", coords=coords, attrs=attrs, name="isi"
    )


@names_arguments
def cv(data: Data, *, min_intervals: int = 2) -> xr.DataArray:
    """Coefficient of variation of each neuron's interspike intervals; about 1 for Poisson trains.

    Parameters
    ----------
    data : Signals or DataArray
        A run with spikes, or a raster with dims (time, neuron), with or without trial.
    min_intervals : int
        Neurons with fewer intervals (all trials together) are NaN.

    Returns
    -------
    DataArray
        Dims (neuron,); intervals of all trials are pooled, none spans two trials.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import cv
    >>> raster = xr.DataArray(
    ...     np.zeros((100, 1), bool), {"time": np.arange(1.0, 101.0)}, ("time", "neuron"))
    >>> raster[::20, 0] = True
    >>> cv(raster).values.tolist()  # a clock
    [0.0]
    """
    where = "analysis.cv"
    min_intervals = whole_number(min_intervals, Limit(low=2), name="min_intervals", where=where)
    spikes = read_spikes(data, where)
    intervals = _compute_intervals(spikes)
    row = np.searchsorted(np.sort(spikes.neuron), intervals["neuron"].values)
    row = np.argsort(spikes.neuron)[row]
    counts = np.bincount(row, minlength=spikes.neuron.size)
    order = np.argsort(row, kind="stable")
    # One row of intervals for each neuron, padded with zeros that the mask leaves out.
    column = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    interval_rows = np.zeros((counts.size, max(int(counts.max(initial=0)), 1)))
    interval_rows[row[order], column] = intervals.values[order]
    values = kernel(rate.cv, interval_rows, np.arange(interval_rows.shape[1]) < counts[:, None])
    values[counts < min_intervals] = np.nan
    coords = {name: coord for name, coord in _neuron_coords(spikes).items() if name != "trial"}
    attrs = {"units": "1", "long_name": "CV of interspike intervals"}
    return xr.DataArray(values, dims="neuron", coords=coords, attrs=attrs, name="cv")


@names_arguments
def fano_factor(data: Data, *, window_ms: float = 100.0) -> xr.DataArray:
    """Variance over mean of each neuron's spike counts, over windows and trials.

    It is 1 for a Poisson train and 0 for a clock.

    Parameters
    ----------
    data : Signals or DataArray
        A run with spikes, or a raster with dims (time, neuron), with or without trial.
    window_ms : float
        Width of the counting windows, ms, which follow each other without a gap; at least two must
        fit in all.

    Returns
    -------
    DataArray
        Dims (neuron,); NaN for silent neurons.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import fano_factor
    >>> raster = xr.DataArray(
    ...     np.zeros((100, 1), bool), {"time": np.arange(1.0, 101.0)}, ("time", "neuron"))
    >>> raster[::20, 0] = True
    >>> fano_factor(raster, window_ms=20.0).values.tolist()  # a clock
    [0.0]
    """
    where = "analysis.fano_factor"
    spikes = read_spikes(data, where)
    window_ms = number(window_ms, POSITIVE, name="window_ms", where=where)
    if spikes.n_bins(window_ms, where) * spikes.n_trials < 2:
        allowed = f"two windows or more in {spikes.n_trials} x {spikes.duration_ms:g} ms"
        raise refuse(f"window_ms={window_ms:g}", allowed, where)
    counts = spikes.counts(window_ms, where)
    windows = counts.reshape(-1, counts.shape[-1])
    coords = {name: coord for name, coord in _neuron_coords(spikes).items() if name != "trial"}
    attrs = {"units": "1", "long_name": "Fano factor", "window_ms": window_ms}
    values = kernel(rate.fano_factor, windows.T)
    return xr.DataArray(values, dims="neuron", coords=coords, attrs=attrs, name="fano_factor")


def _neuron_coords(spikes: Spikes) -> dict[str, object]:
    """Coordinates of a result with one value a neuron: trials, ids and labels."""
    labels = {key: ("neuron", values) for key, values in spikes.labels.items()}
    return {"trial": spikes.trials, "neuron": spikes.neuron, **labels}
