"""Recordings in NWB files, read with h5py alone: no code and no class comes from a file."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne import _time
from jtfne._check import JtfneError, check_name, describe_value, names_arguments, one_of, refuse
from jtfne._files import refuse_special, resolve_path
from jtfne._names import safe_name
from jtfne._units import Floats
from jtfne.readouts import find_readout, resolve_alias
from jtfne.recordings._events import describe_onsets, describe_onsets_in_trials
from jtfne.recordings._hdf5 import (
    iterate_groups,
    open_member,
    read_number,
    read_numbers,
    read_text,
    read_values,
)
from jtfne.recordings._nwb_tables import read_column, read_events, read_trials, read_units
from jtfne.recordings._si_units import convert_unit

if TYPE_CHECKING:
    import h5py
    import xarray as xr

WHERE = "from_nwb"
ELECTRICAL = "ElectricalSeries"
ELECTRODES = "general/extracellular_ephys/electrodes"
NAME_COLUMNS = ("channel_name", "label", "electrode_name")
# Columns of electrodes that are the depth below the pia if their description says so, in mm a unit.
DEPTH_COLUMNS = {"depth_um": 1e-3, "depth_mm": 1.0, "depth": 1e-3}
SURFACE_WORDS = ("pia", "cortical surface", "brain surface", "surface of the cortex")
UM_PER_mm = 1e3


@names_arguments
def from_nwb(
    path: str | os.PathLike[str],
    readout: str = "lfp",
    *,
    series: str | None = None,
    depth: str | None = None,
    events: str | None = None,
    label: str | Sequence[str] | None = None,
) -> "xr.DataArray":
    """A series, or the spikes, of an NWB file as the DataArray that `Signals.get` would give.

    Parameters
    ----------
    path : str or Path
        A file of NWB 2 in HDF5. Nothing that lies in another file is read, and no code of the file
        is run, so that files with extensions need no package.
    readout : str
        What to call it: ``lfp``, ``eeg``, ... or any name. ``spk`` gives the units' spikes.
    series : str, optional
        Name or path of an ElectricalSeries or TimeSeries. Left out: the series named as the
        readout; for ``lfp`` the only ElectricalSeries; or the only series that there is.
    depth : str, optional
        The column of the electrodes' table, in um, that is their depth below the pia, such as
        ``"rel_y"``. Left out, a column ``depth``, ``depth_um`` or ``depth_mm`` counts if its
        description names the pia or the cortical surface; `x`, `y`, `z` and `rel_x`, ... are never
        taken for it unasked.
    events : str, optional
        The table of events or intervals whose rows are stimuli, or "table.column" for another time
        than the start. Left out: the only table of events, or the trials.
    label : str or sequence of str, optional
        Only events of these labels.

    Returns
    -------
    xarray.DataArray
        (time, channel) in SI units, `conversion` and `offset` applied. Times in ms on the file's
        clock, each sample at the time that the file gives it, as `to_nwb` writes them. A series
        that is even within each trial only is (trial, time, channel), times from the start of the
        trial. ``z_mm`` is the depth below the pia, where known, ``area`` the location.
        ``attrs["onset_ms"]`` and ``attrs["labels"]`` tell the events.
        Spikes are events, as of `from_parquet`: trials that stand end to end from time 0, equally
        long, are its trials; otherwise there is one.

    Raises
    ------
    JtfneError
        For a file that is cut short or no NWB 2, several series to choose from, uneven times,
        another quantity than the readout's, and what a name does not find.

    Examples
    --------
    >>> from_nwb("session.h5", "lfp")
    Traceback (most recent call last):
    jtfne._check.JtfneError: got the file 'session.h5'; expected a file of NWB 2, *.nwb (in from_nwb)
    """
    check_name(readout, "the readout", WHERE)
    for name, value in (("series", series), ("depth", depth), ("events", events)):
        if value is not None and not isinstance(value, str):
            raise refuse(f"{name}={describe_value(value)}", "a name", WHERE)
    resolved = resolve_path(path, WHERE)
    if resolved.suffix.lower() != ".nwb":
        raise refuse(f"the file {str(path)!r}", "a file of NWB 2, *.nwb", WHERE)
    if not resolved.is_file():
        refuse_special(resolved, WHERE)
        state = "is no file" if resolved.exists() else "is not there"
        raise refuse(f"{str(resolved)!r}, which {state},", "a file", WHERE)
    try:
        return _read_file(resolved, readout, series, depth, events, label)
    except JtfneError:
        raise
    except Exception as error:  # any: h5py raises many kinds over a broken file
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise refuse(
            f"{resolved.name}, which cannot be read ({reason}),", "a whole NWB file", WHERE
        ) from error


def _read_file(
    path: Path,
    readout: str,
    series: str | None,
    depth: str | None,
    events: str | None,
    label: str | Sequence[str] | None,
) -> "xr.DataArray":
    """As `from_nwb`, of a file that is there."""
    import h5py

    where = path.name
    with h5py.File(path, "r") as file:
        version = read_text(file, "nwb_version")
        if not version.startswith("2"):
            kind = f"of NWB {version}" if version else "without nwb_version"
            raise refuse(f"a file {kind}", "a file of NWB 2", where)
        if resolve_alias(readout) == "spk":
            for name, value in (("series", series), ("depth", depth), ("label", label)):
                if value is not None:
                    description = f"{name}={describe_value(value)} for spikes"
                    raise refuse(description, "series, depth and label for a series", WHERE)
            return read_units(file, where)
        group = _choose_series(file, readout, series, where)
        recording = _read_series(file, group, readout, depth, where)
        onsets_ms, labels = read_events(file, events, where)
        if "trial" in recording.dims:
            return _add_onsets_in_trials(recording, file, onsets_ms, labels, label, where)
        return recording.assign_attrs(describe_onsets(onsets_ms, labels, label, where))


def _choose_series(file: "h5py.File", readout: str, series: str | None, where: str) -> "h5py.Group":
    """The group of the series to read. Raises: JtfneError where it is not clear which."""
    groups = _list_series(file, where)
    if series is not None:
        wanted_path = series.strip("/")
        candidates = [path for path in groups if wanted_path in (path, path.rpartition("/")[2])]
        if not candidates:
            series_names = [path.rpartition("/")[2] for path in groups]
            one_of(series, series_names, name="series", where=where)
    else:
        name = safe_name(readout, "file")
        candidates = [path for path in groups if path.rpartition("/")[2] == name]
        if not candidates and resolve_alias(readout) == "lfp":
            for path, group in groups.items():
                if read_text(group, "neurodata_type") == ELECTRICAL:
                    candidates.append(path)
        candidates = candidates or list(groups)
    if len(candidates) == 1:
        return groups[candidates[0]]
    listing = ", ".join(repr(path) for path in groups) or "none"
    raise refuse(
        f"a file with the series {listing}", "series= of from_nwb with the path of one", where
    )


def _list_series(file: "h5py.File", where: str) -> dict[str, "h5py.Group"]:
    """The series of a file that have numbers over time, and perhaps channels, by path."""
    import h5py

    groups = {}
    for path, group in iterate_groups(file, where):
        link = group.get("data", getlink=True)
        if link is None or isinstance(link, h5py.ExternalLink):
            continue
        if "starting_time" not in group and "timestamps" not in group:
            continue
        data = open_member(group, "data", where)
        if isinstance(data, h5py.Dataset) and data.dtype.kind in "iuf" and data.ndim in (1, 2):
            groups[path] = group
    return groups


def _read_series(
    file: "h5py.File", group: "h5py.Group", readout: str, depth: str | None, where: str
) -> "xr.DataArray":
    """A series with times, channels and units."""
    import xarray as xr

    data = open_member(group, "data", where)
    values = read_numbers(data, where)
    values = values.reshape(values.shape[0], -1)
    n_times, n_channels = values.shape
    if n_times == 0 or n_channels == 0:
        raise refuse(f"{group.name} of shape {values.shape}", "one sample or more", where)
    unit, unit_factor = convert_unit(read_text(data, "unit"), readout, where)
    factors: Any = read_number(data, "conversion", 1.0, where) * unit_factor
    offset = read_number(data, "offset", 0.0, where) * unit_factor
    per_channel = open_member(group, "channel_conversion", where)
    if per_channel is not None:
        factors = factors * read_numbers(per_channel, where)
        if factors.shape != (n_channels,):
            raise refuse(
                f"a channel_conversion of shape {factors.shape}", f"({n_channels},)", where
            )
    if np.any(factors != 1.0):
        values = values * factors
    if offset != 0.0:
        values = values + offset
    dim, coords = _read_channels(file, group, n_channels, depth, where)
    catalogued = find_readout(readout)
    is_own_unit = catalogued is not None and unit == catalogued.units
    attrs: dict[str, Any] = {
        "readout": readout,
        "proxy": int(catalogued.proxy) if catalogued and is_own_unit else int(unit == "a.u."),
    }
    if unit is not None:
        attrs["units"] = unit
    if read_text(group, "description"):
        attrs["long_name"] = read_text(group, "description")
    times_ms = _read_times(group, n_times, where)
    if _is_even(times_ms):
        coords["time"] = ("time", times_ms, {"units": "ms"})
        return xr.DataArray(values, coords, ("time", dim), readout, attrs)
    times_of_trial_ms, rows = _split_by_trial(file, times_ms, where)
    coords["time"] = ("time", times_of_trial_ms, {"units": "ms"})
    coords["trial"] = np.arange(rows.shape[0])
    return xr.DataArray(values[rows], coords, ("trial", "time", dim), readout, attrs)


def _read_times(group: "h5py.Group", n_times: int, where: str) -> Floats:
    """The time of each sample, ms. Raises: JtfneError where they do not fit the samples."""
    timestamps = open_member(group, "timestamps", where)
    if timestamps is not None:
        times_s = read_numbers(timestamps, where)
        if times_s.shape != (n_times,):
            raise refuse(f"{times_s.size} timestamps of {n_times} samples", "one each", where)
        return _time.axis_to_ms(times_s, "s", where=where, name="timestamps")
    start = open_member(group, "starting_time", where)
    start_s = read_numbers(start, where)
    rate_Hz = read_number(start, "rate", 0.0, where)
    if start_s.size != 1 or not rate_Hz > 0.0:
        raise refuse(f"{group.name} with a rate of {rate_Hz:g} Hz", "a rate above 0", where)
    times_s = float(start_s.ravel()[0]) + np.arange(n_times) / rate_Hz
    return _time.axis_to_ms(times_s, "s", where=where, name="starting_time")


def _is_even(times_ms: Floats) -> bool:
    """Whether times are evenly spaced; one alone is."""
    return times_ms.size < 2 or _time.is_even(times_ms)


def _split_by_trial(
    file: "h5py.File", times_ms: Floats, where: str
) -> tuple[Floats, NDArray[np.int64]]:
    """The times within a trial, ms, and the row of each trial's samples (n_trials, n_times).

    Raises: JtfneError unless all trials have the same even times from their start.
    """
    trials = read_trials(file, where)
    uneven = refuse(
        f"times with steps of {np.diff(times_ms).min():g} to {np.diff(times_ms).max():g} ms",
        "even steps, in all or within each trial alike",
        where,
    )
    if trials is None or trials.start_ms.size == 0:
        raise uneven
    rows_of_trial = []
    for start_ms, stop_ms in zip(trials.start_ms, trials.stop_ms, strict=True):
        rows_of_trial.append(np.flatnonzero(_time.in_window(times_ms, start_ms, stop_ms)))
    if len({rows.size for rows in rows_of_trial}) > 1 or rows_of_trial[0].size == 0:
        raise uneven
    rows = np.stack(rows_of_trial)
    relative_ms = np.round(times_ms[rows] - trials.start_ms[:, None], _time.DECIMALS)
    step_ms = np.ptp(relative_ms[0]) / max(rows.shape[1] - 1, 1)
    spread_ms = np.abs(relative_ms - relative_ms[0]).max()
    if not _is_even(relative_ms[0]) or spread_ms > _time.TOLERANCE * step_ms + 1e-9:
        raise uneven
    return relative_ms[0], rows


def _add_onsets_in_trials(
    recording: "xr.DataArray",
    file: "h5py.File",
    onsets_ms: list[float],
    labels: list[str],
    label: str | Sequence[str] | None,
    where: str,
) -> "xr.DataArray":
    """`recording` of trials with the onsets within a trial, where all trials have the same."""
    trials = read_trials(file, where)
    if trials is None:
        return recording
    times_ms = np.array(onsets_ms, np.float64)
    events_of_trial = []
    for start_ms, stop_ms in zip(trials.start_ms, trials.stop_ms, strict=True):
        # an event belongs to the trial in which it begins: [start, stop)
        is_inside = (times_ms >= start_ms - _time.CLOCK_ms) & (times_ms < stop_ms - _time.CLOCK_ms)
        rows = np.flatnonzero(is_inside)
        onsets_in_trial_ms = np.round(times_ms[rows] - start_ms, 6).tolist()
        labels_in_trial = [labels[row] for row in rows]
        events_of_trial.append(list(zip(onsets_in_trial_ms, labels_in_trial, strict=True)))
    return recording.assign_attrs(describe_onsets_in_trials(events_of_trial, label, where))


def _read_channels(
    file: "h5py.File", group: "h5py.Group", n_channels: int, depth: str | None, where: str
) -> tuple[str, dict[str, Any]]:
    """The dim of a series' channels, and its coordinates: names, areas, depths.

    Raises: JtfneError for electrodes that are not as many, or have no such depth.
    """
    region = open_member(group, "electrodes", where)
    if region is not None:
        rows = read_numbers(region, where).astype(np.int64)
        table = region.attrs.get("table")
        electrodes = file[table] if table else open_member(file, ELECTRODES, where)
        return "channel", _describe_electrodes(electrodes, rows, n_channels, depth, where)
    if depth is not None:
        raise refuse(f"depth={depth!r} of a series without electrodes", "no depth", where)
    own_table = open_member(group.parent, f"{group.name.rpartition('/')[2]}_channels", where)
    if own_table is None:
        return "channel", {"channel": [f"ch{k}" for k in range(n_channels)]}
    columns: dict[str, NDArray[Any]] = {}
    for name in own_table:
        values = None if name == "id" else read_column(own_table, name, where)
        if values is not None and values.size == n_channels:
            columns[name] = values
    if "neuron" not in columns and "area" in columns:
        columns.setdefault("channel", columns["area"])  # of a readout with one row an area
    dim = "channel" if "channel" in columns else "neuron"
    coords: dict[str, Any] = {dim: columns.pop(dim, np.arange(n_channels))}
    for name, values in columns.items():
        attrs = {"units": "mm"} if name.endswith("_mm") else {}
        coords[name] = (dim, values, attrs)
    return dim, coords


def _describe_electrodes(
    electrodes: Any, rows: NDArray[np.int64], n_channels: int, depth: str | None, where: str
) -> dict[str, Any]:
    """Coordinates of channels by the rows of the table of electrodes that they are.

    Raises: JtfneError as `_read_channels`.
    """
    ids = read_values(open_member(electrodes, "id", where), where)
    if rows.shape != (n_channels,) or rows.min() < 0 or rows.max() >= ids.size:
        raise refuse(
            f"{n_channels} channels of {rows.size} electrodes out of {ids.size}",
            "an electrode for each channel",
            where,
        )
    coords: dict[str, Any] = {"channel": [f"e{identifier}" for identifier in ids[rows]]}
    for column in NAME_COLUMNS:
        names = read_column(electrodes, column, where)
        if names is not None and np.unique(names[rows].astype(str)).size == n_channels:
            coords["channel"] = names[rows].astype(str)
            break
    areas = read_column(electrodes, "location", where)
    if areas is not None and areas.dtype.kind == "U":
        coords["area"] = ("channel", areas[rows])
    depths_mm = _read_depths(electrodes, depth, where)
    if depths_mm is not None and np.isfinite(depths_mm[rows]).all():
        coords["z_mm"] = ("channel", depths_mm[rows], {"units": "mm"})
    return coords


def _read_depths(electrodes: Any, depth: str | None, where: str) -> Floats | None:
    """Depth below the pia of all electrodes, mm; None where no column is that.

    Raises: JtfneError for a column that is not there, or holds no numbers.
    """
    if depth is not None:
        dataset = open_member(electrodes, depth, where)
        if dataset is None:
            columns = [name for name in electrodes if name not in ("id", "group", "group_name")]
            one_of(depth, columns, name="depth", where=where)
        factor = DEPTH_COLUMNS.get(depth, 1.0 / UM_PER_mm)
        return np.round(read_numbers(dataset, where) * factor, _time.DECIMALS)
    for column, factor in DEPTH_COLUMNS.items():
        dataset = open_member(electrodes, column, where)
        if dataset is None:
            continue
        description = read_text(dataset, "description").lower()
        if any(word in description for word in SURFACE_WORDS):
            return np.round(read_numbers(dataset, where) * factor, _time.DECIMALS)
    return None
