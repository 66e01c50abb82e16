"""How much neurons or channels do together."""

from typing import Any

import numpy as np
import xarray as xr

from jtfne._check import POSITIVE, names_arguments, number, refuse
from jtfne.analysis._inputs import (
    Data,
    check_values,
    kernel,
    take_coords,
    values_last,
    zero_constants,
)
from jtfne.analysis._spikes import is_raster, read_spikes, refuse_large
from jtfne.measures import synchrony as measure
from jtfne.signals import Signals

PAIR_BYTES = 24  # a correlation as computed, clipped and copied


@names_arguments
def correlation(data: Data, *, bin_ms: float = 5.0) -> xr.DataArray:
    """Pearson correlation of all pairs of neurons or channels.

    Parameters
    ----------
    data : Signals or DataArray
        A run with spikes or a raster (counted in bins), or traces with dims time and ``neuron`` or
        ``channel``. ``attrs["readout"]`` says which; without it bool is spikes, and so are whole
        numbers over neurons that have no unit.
    bin_ms : float
        Bins for spike counts, ms; traces are taken as they are.

    Returns
    -------
    DataArray
        Dims (..., rows, ``other``), between -1 and 1; NaN where one of the two never varies.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import correlation
    >>> traces = xr.DataArray(
    ...     np.array([[0.0, 0.0], [1.0, -1.0], [0.0, 0.0]]), {"time": [1.0, 2.0, 3.0]},
    ...     ("time", "channel"), attrs={"units": "V"})
    >>> correlation(traces).values.round(3).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    traces, row_dim = _read_traces(data, bin_ms, "analysis.correlation")
    values, front = values_last(traces, row_dim, "time")
    n_pairs = values.size // values.shape[-1] * values.shape[-2]
    refuse_large(
        PAIR_BYTES * n_pairs,
        f"correlations of {values.shape[-2]} {row_dim}s",
        "analysis.correlation",
    )
    coords = take_coords(traces, (*front, row_dim))
    coords["other"] = (
        traces[row_dim].values if row_dim in traces.coords else np.arange(values.shape[-2])
    )
    r = kernel(measure.correlation, zero_constants(values))
    attrs = {"units": "1", "long_name": "correlation"}
    return xr.DataArray(
        r, dims=(*front, row_dim, "other"), coords=coords, attrs=attrs, name="correlation"
    )


@names_arguments
def synchrony(data: Data, *, bin_ms: float = 5.0) -> xr.DataArray:
    """Synchrony chi (Golomb 2007): 1 if all do the same, about 1 / sqrt(n) if independent.

    Parameters
    ----------
    data : Signals or DataArray
        As in `correlation`.
    bin_ms : float
        Bins for spike counts, ms.

    Returns
    -------
    DataArray
        Dims (trial,) or whatever else `data` had beside time and its rows; NaN where nothing moves,
        as in a silent run.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import synchrony
    >>> wave = np.sin(0.1 * np.arange(100.0))
    >>> traces = xr.DataArray(
    ...     np.stack([wave, wave], axis=1), {"time": np.arange(100.0)}, ("time", "channel"),
    ...     attrs={"units": "V"})
    >>> round(synchrony(traces).item(), 3)
    1.0
    """
    traces, row_dim = _read_traces(data, bin_ms, "analysis.synchrony")
    values, front = values_last(traces, "time", row_dim)
    attrs = {"units": "1", "long_name": "synchrony chi"}
    coords = take_coords(traces, front)
    return xr.DataArray(
        kernel(measure.synchrony, zero_constants(values, axis=-2)),
        dims=front,
        coords=coords,
        attrs=attrs,
        name="synchrony",
    )


def _read_traces(data: Any, bin_ms: float, where: str) -> tuple[xr.DataArray, str]:
    """The traces to correlate, or spike counts in bins, and the dim of their rows.

    Raises: JtfneError.
    """
    bin_ms = number(bin_ms, POSITIVE, name="bin_ms", where=where)
    if isinstance(data, Signals) or (isinstance(data, xr.DataArray) and is_raster(data)):
        spikes = read_spikes(data, where)
        if spikes.n_bins(bin_ms, where) < 2:
            raise refuse(
                f"bin_ms={bin_ms:g} of {spikes.duration_ms:g} ms", "two bins or more", where
            )
        coords: dict[str, object] = {"trial": spikes.trials, "neuron": spikes.neuron}
        coords |= {key: ("neuron", values) for key, values in spikes.labels.items()}
        return xr.DataArray(
            spikes.counts(bin_ms, where), dims=("trial", "time", "neuron"), coords=coords
        ), "neuron"
    traces = check_values(data, where, "time")
    if traces.sizes["time"] < 2:
        raise refuse("traces of 1 sample", "2 or more", where)
    for dim in ("neuron", "channel"):
        if dim in traces.dims:
            return traces, dim
    raise refuse(
        f"a DataArray with dims {tuple(map(str, data.dims))}",
        "dims that include 'neuron' or 'channel'",
        where,
    )
