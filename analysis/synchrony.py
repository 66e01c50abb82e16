"""How much neurons or channels do together."""

import numpy as np
import xarray as xr

from jtfne._check import refuse
from jtfne.analysis._inputs import LABELS, Data, coords_of, is_raster, kernel, need, spikes_of, values_last
from jtfne.measures import synchrony as measure
from jtfne.signals import Signals


def correlation(data: Data, *, bin_ms: float = 5.0) -> xr.DataArray:
    """Pearson correlation of all pairs of neurons or channels.

    Parameters
    ----------
    data : Signals or DataArray
        A run with spikes or a raster (counted in bins), or traces with dims time and ``neuron`` or ``channel``.
    bin_ms : float
        Bins for spike counts, ms; traces are taken as they are.

    Returns
    -------
    DataArray
        Dims (..., rows, ``other``), between -1 and 1; NaN where one of the two never varies.
    """
    traces, row_dim = _traces(data, bin_ms, "analysis.correlation")
    values, front = values_last(traces, row_dim, "time")
    coords = coords_of(traces, (*front, row_dim))
    coords["other"] = traces[row_dim].values if row_dim in traces.coords else np.arange(values.shape[-2])
    found = kernel(measure.correlation, values)
    attrs = {"units": "1", "long_name": "correlation"}
    return xr.DataArray(found, dims=(*front, row_dim, "other"), coords=coords, attrs=attrs, name="correlation")


def synchrony(data: Data, *, bin_ms: float = 5.0) -> xr.DataArray:
    """Synchrony chi: 1 when all do the same, about 1 / sqrt(n) when they are independent (Golomb 2007).

    Parameters
    ----------
    data : Signals or DataArray
        As in `correlation`.
    bin_ms : float
        Bins for spike counts, ms.

    Returns
    -------
    DataArray
        Dims (trial,) or whatever else `data` had beside time and its rows.
    """
    traces, row_dim = _traces(data, bin_ms, "analysis.synchrony")
    values, front = values_last(traces, "time", row_dim)
    attrs = {"units": "1", "long_name": "synchrony chi"}
    coords = coords_of(traces, front)
    return xr.DataArray(kernel(measure.synchrony, values), dims=front, coords=coords, attrs=attrs, name="synchrony")


def _traces(data: Data, bin_ms: float, where: str) -> tuple[xr.DataArray, str]:
    """What to correlate, and the dim of its rows: traces, or spike counts in bins."""
    if isinstance(data, Signals) or is_raster(data):
        spikes = spikes_of(data, where)
        coords: dict[str, object] = {"trial": np.arange(spikes.n_trials), "neuron": spikes.neuron}
        coords |= {key: ("neuron", spikes.labels[key]) for key in LABELS if key in spikes.labels}
        return xr.DataArray(spikes.counts(bin_ms), dims=("trial", "time", "neuron"), coords=coords), "neuron"
    need(data, "time", where=where)
    for dim in ("neuron", "channel"):
        if dim in data.dims:
            return data, dim
    raise refuse(f"a DataArray with dims {data.dims}", "dims that include 'neuron' or 'channel'", where)
