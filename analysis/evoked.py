"""Averages around events."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from jtfne._check import JtfneError, refuse
from jtfne.analysis._inputs import TOLERANCE, Data, array, even_step, need
from jtfne.signals import Signals

Window = tuple[float, float]


def onsets(
    data: Data, onset_ms: float | Sequence[float] | None, label: str | None, where: str
) -> list[tuple[int, float]]:
    """(trial, onset in ms) of each event. Raises: JtfneError where nothing says when the events were.

    trial is a trial's label; -1 stands for every trial.
    """
    if onset_ms is not None:
        return [(-1, float(each)) for each in np.atleast_1d(np.asarray(onset_ms, np.float64))]
    if isinstance(data, Signals):
        table = data.events
        kept = table if label is None else table[table["label"] == label]
        if len(kept):
            return [(int(t), float(at)) for t, at in zip(kept["trial"], kept["onset_ms"], strict=True)]
        known = sorted({repr(str(each)) for each in table["label"]})
        raise refuse(
            f"label={label!r}", f"an event of the run: {', '.join(known) or 'it has none'}; or onset_ms=", where
        )
    if "onset_ms" in data.attrs:
        return [(-1, float(each)) for each in np.atleast_1d(np.asarray(data.attrs["onset_ms"], np.float64))]
    raise JtfneError(f"no onset is known; give onset_ms=, or an array with attrs['onset_ms'] (in {where})")


def evoked(
    data: Data,
    *,
    onset_ms: float | Sequence[float] | None = None,
    label: str | None = None,
    window_ms: Window = (-50.0, 200.0),
    baseline_ms: Window | None = (-50.0, 0.0),
    readout: str = "lfp_proxy",
) -> xr.DataArray:
    """Mean over events and trials, from which the mean of a baseline is subtracted.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array with an evenly spaced ``time`` in ms, with or without trial.
    onset_ms : float or sequence of float, optional
        Onsets within each trial, ms. Left out: the events of the run, or ``attrs["onset_ms"]`` of the array.
    label : str, optional
        Only events of this label.
    window_ms, baseline_ms : tuple of float
        Start and end from the onset, ms, start included. ``baseline_ms=None`` subtracts nothing.
    readout : str
        Which readout of a run.

    Returns
    -------
    DataArray
        As `data` without trial; ``time`` in ms from the onset, ``attrs["n_epochs"]`` averaged.
    """
    where = "analysis.evoked"
    source = array(data, readout, where)
    return average(source, onsets(data, onset_ms, label, where), window_ms, baseline_ms, where)


def average(
    source: xr.DataArray, at: Sequence[tuple[int, float]], window_ms: Window, baseline_ms: Window | None, where: str
) -> xr.DataArray:
    """`evoked` of an array and its (trial, onset in ms) events."""
    need(source, "time", where=where)
    dt_ms = even_step(source, "time", where)
    time_ms = np.asarray(source["time"].values, np.float64)
    first, last = (round(edge / dt_ms) for edge in window_ms)
    if last <= first:
        raise refuse(f"window_ms={window_ms}", f"a start before the end, {dt_ms:g} ms apart or more", where)
    epochs = []
    for trial, at_ms in at:
        zero = int(np.ceil((at_ms - time_ms[0]) / dt_ms - TOLERANCE))  # the first sample at or after the onset
        if zero + first < 0 or zero + last > time_ms.size:
            allowed = f"a window within {-zero * dt_ms:g} to {(time_ms.size - zero) * dt_ms:g} ms of the onset"
            raise refuse(f"window_ms={window_ms} around {at_ms:g} ms", allowed, where)
        part = source.isel(time=slice(zero + first, zero + last))
        epochs.append(_one(part, trial).assign_coords(time=np.arange(first, last) * dt_ms))
    mean = xr.concat(epochs, dim="epoch", coords="minimal", compat="override").mean("epoch")
    n_epochs = sum(source.sizes.get("trial", 1) if trial < 0 else 1 for trial, _ in at)
    mean.attrs = {**source.attrs, "n_epochs": n_epochs, "onset_ms": 0.0}
    mean["time"].attrs.update(units="ms", long_name="time from onset")
    return mean if baseline_ms is None else _from_baseline(mean, baseline_ms, where)


def _one(part: xr.DataArray, trial: int) -> xr.DataArray:
    """One trial of `part`, or its mean over trials where the event is in each."""
    if "trial" not in part.dims:
        return part
    return part.mean("trial") if trial < 0 else part.sel(trial=trial, drop=True)


def _from_baseline(mean: xr.DataArray, baseline_ms: Window, where: str) -> xr.DataArray:
    """`mean` less its mean over the baseline. Raises: JtfneError where the baseline holds no sample."""
    time_ms = np.asarray(mean["time"].values, np.float64)
    inside = np.flatnonzero((time_ms >= baseline_ms[0] - TOLERANCE) & (time_ms < baseline_ms[1] - TOLERANCE))
    if inside.size == 0 or baseline_ms[0] < time_ms[0] - TOLERANCE:
        raise refuse(f"baseline_ms={baseline_ms}", f"a baseline within {time_ms[0]:g} to {time_ms[-1]:g} ms", where)
    return (mean - mean.isel(time=inside).mean("time")).assign_attrs(mean.attrs)
