"""Averages around events."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from jtfne._check import describe_value, names_arguments, number, refuse
from jtfne.analysis._inputs import TOLERANCE, Data, TIME_ms, Window, array, even_step, pair, read
from jtfne.signals import Signals


def onsets(
    data: Signals | xr.DataArray,
    onset_ms: float | Sequence[float] | None,
    label: str | None,
    where: str,
) -> list[tuple[int, float]]:
    """(trial, onset in ms) of each event.
    Raises: JtfneError where nothing says when the events were.

    trial is a trial's label; -1 stands for every trial.
    """
    if label is not None and not isinstance(label, str):
        raise refuse(f"label={describe_value(label)}", "the label of an event", where)
    if label is not None and (onset_ms is not None or not isinstance(data, Signals)):
        raise refuse(
            f"label={label!r}", "a label for the events of a run only, without onset_ms", where
        )
    if onset_ms is not None:
        return [(-1, time_ms) for time_ms in _check_onsets(onset_ms, "onset_ms", where)]
    if isinstance(data, Signals):
        return _select_events(data, label, where)
    if "onset_ms" in data.attrs:
        onsets_ms = _check_onsets(data.attrs["onset_ms"], "attrs['onset_ms']", where)
        return [(-1, time_ms) for time_ms in onsets_ms]
    raise refuse("data without an onset", "onset_ms=, or an array with attrs['onset_ms']", where)


def _check_onsets(onset_ms: Any, name: str, where: str) -> list[float]:
    """A list of one onset or several, ms. Raises: JtfneError for none, or one out of all time."""
    is_list = isinstance(onset_ms, list | tuple | np.ndarray) and np.ndim(onset_ms) == 1
    times_ms = list(onset_ms) if is_list else [onset_ms]
    if not times_ms:
        raise refuse(f"{name}={describe_value(onset_ms)}", "one onset or more, ms", where)
    return [number(time_ms, TIME_ms, name=name, where=where) for time_ms in times_ms]


def _select_events(signals: Signals, label: str | None, where: str) -> list[tuple[int, float]]:
    """(trial, onset in ms) of the events of a run that have `label`, or of all.
    Raises: JtfneError for none.
    """
    if "events" not in signals.tree.children:
        raise refuse("a run without a table of events", "onset_ms=", where)
    table = signals.events
    events = table if label is None else table[table["label"] == label]
    if len(events):
        return list(zip(events["trial"].tolist(), events["onset_ms"].tolist(), strict=True))
    labels = ", ".join(sorted(map(repr, set(table["label"].astype(str)))))
    raise refuse(
        f"label={label!r}", f"an event of the run: {labels or 'it has none'}; or onset_ms=", where
    )


@names_arguments
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
        One onset or more within each trial, ms on the clock of `data`.
        Left out: the events of the run, or ``attrs["onset_ms"]`` of the array.
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

    Raises
    ------
    JtfneError
        Without an onset, for windows that reach beyond the data, uneven times and values that are
        not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import evoked
    >>> eeg = xr.DataArray(np.ones(1000), {"time": np.arange(1000.0)}, ("time",))
    >>> eeg[[250, 550]] = 3.0
    >>> response = evoked(eeg, onset_ms=[200.0, 500.0])
    >>> response.attrs["n_epochs"], response.sel(time=50.0).item()  # less the baseline
    (2, 2.0)
    """
    where = "analysis.evoked"
    if not isinstance(data, Signals):
        data = array(data, readout, where)  # a recording comes with its onsets
    source = read(data, readout, where, "time")
    return average(source, onsets(data, onset_ms, label, where), window_ms, baseline_ms, where)


def average(
    source: xr.DataArray,
    events: Sequence[tuple[int, float]],
    window_ms: Window,
    baseline_ms: Window | None,
    where: str,
) -> xr.DataArray:
    """Mean of `source`, as `read` gives it, around events (trial, onset in ms); trial -1: in all.

    Raises: JtfneError as `evoked`.
    """
    dt_ms = even_step(source, "time", where)
    time_ms = np.asarray(source["time"].values, np.float64)
    if "trial" in source.coords and np.unique(source["trial"].values).size < source["trial"].size:
        raise refuse("trials of which two have one name", "a name for each trial", where)
    first_ms, last_ms = pair(window_ms, name="window_ms", where=where)
    first_offset, last_offset = round(first_ms / dt_ms), round(last_ms / dt_ms)
    if last_offset <= first_offset:
        raise refuse(
            f"window_ms={window_ms}", f"a start before the end, {dt_ms:g} ms apart or more", where
        )
    epochs, n_epochs = [], 0
    for trial, onset_ms in events:
        # The first sample at or after the onset; the tolerance is for onsets on the grid.
        zero = int(np.ceil((onset_ms - time_ms[0]) / dt_ms - TOLERANCE))
        if zero + first_offset < 0 or zero + last_offset > time_ms.size:
            allowed = (
                f"a window within {-zero * dt_ms:g} to {(time_ms.size - zero) * dt_ms:g} ms of "
                "the onset"
            )
            raise refuse(f"window_ms={window_ms} around {onset_ms:g} ms", allowed, where)
        n_epochs += source.sizes.get("trial", 1) if trial < 0 else 1
        window = source.isel(time=slice(zero + first_offset, zero + last_offset))
        epochs.append(
            _select_trial(window, trial).assign_coords(
                time=np.arange(first_offset, last_offset) * dt_ms
            )
        )
    mean = xr.concat(epochs, dim="epoch", coords="minimal", compat="override").mean("epoch")
    mean.attrs = {**source.attrs, "n_epochs": n_epochs, "onset_ms": 0.0}
    mean["time"].attrs.update(units="ms", long_name="time from onset")
    return mean if baseline_ms is None else _subtract_baseline(mean, baseline_ms, where)


def _select_trial(part: xr.DataArray, trial: int) -> xr.DataArray:
    """One trial of `part`; its mean over trials where `trial` is below 0, for an event in each."""
    if "trial" not in part.dims:
        return part
    if trial < 0:
        return part.mean("trial")
    return part.sel(trial=trial, drop=True) if "trial" in part.coords else part.isel(trial=trial)


def _subtract_baseline(mean: xr.DataArray, baseline_ms: Window, where: str) -> xr.DataArray:
    """`mean` minus its mean over the baseline.

    Raises: JtfneError where the baseline holds no sample.
    """
    baseline_ms = pair(baseline_ms, name="baseline_ms", where=where)
    time_ms = np.asarray(mean["time"].values, np.float64)
    in_baseline = np.flatnonzero(
        (time_ms >= baseline_ms[0] - TOLERANCE) & (time_ms < baseline_ms[1] - TOLERANCE)
    )
    if in_baseline.size == 0 or baseline_ms[0] < time_ms[0] - TOLERANCE:
        raise refuse(
            f"baseline_ms={baseline_ms}",
            f"a baseline within {time_ms[0]:g} to {time_ms[-1]:g} ms",
            where,
        )
    return (mean - mean.isel(time=in_baseline).mean("time")).assign_attrs(mean.attrs)
