"""A simulated signal beside a recorded one."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from jtfne import recordings
from jtfne._check import FINITE, JtfneError, describe_value, number, one_of, refuse
from jtfne._files import replace_file, resolve_path
from jtfne.analysis import _inputs
from jtfne.analysis._distances import compare as compare
from jtfne.analysis.evoked import average
from jtfne.analysis.laminar import UNITS, BASELINE_ms, WINDOW_ms, laminar_features
from jtfne.analysis.laminar import LaminarFeatures as LaminarFeatures
from jtfne.readouts import list_readouts
from jtfne.signals import Signals


def compare_laminar(
    simulated: _inputs.Data | LaminarFeatures,
    recorded: _inputs.Data | LaminarFeatures,
    *,
    simulated_onset_ms: float | None = None,
    recorded_onset_ms: float | None = None,
    window_ms: float = WINDOW_ms,
    baseline_ms: float = BASELINE_ms,
) -> pd.DataFrame:
    """Features of two laminar responses side by side, both computed by `laminar_features`.

    Parameters
    ----------
    simulated, recorded : DataArray, str, path, mne.io.Raw, mne.Epochs, mne.Evoked or LaminarFeatures
        Laminar potentials (time, channel), in memory or as `load_recording` reads them, or what
        `laminar_features` gave for them.
    simulated_onset_ms, recorded_onset_ms : float, optional
        Onsets; ``attrs["onset_ms"]`` where left out.
    window_ms, baseline_ms : float
        As in `laminar_features`.

    Returns
    -------
    pandas.DataFrame
        Columns feature, unit, simulated, recorded.

    Raises
    ------
    JtfneError
        Where an onset is neither given nor in the attributes, and as `laminar_features` does.
    """
    feature_values = []
    pairs: tuple[tuple[str, Any, float | None], ...] = (
        ("simulated", simulated, simulated_onset_ms),
        ("recorded", recorded, recorded_onset_ms),
    )
    for name, data, onset_ms in pairs:
        if recordings.is_recording(data):
            data = _inputs.array(data, "lfp", "analysis.compare_laminar")
        if not isinstance(data, xr.DataArray | LaminarFeatures):
            description = f"{name} data of type {type(data).__name__}"
            raise refuse(
                description, "an xarray.DataArray or LaminarFeatures", "analysis.compare_laminar"
            )
        if isinstance(data, xr.DataArray):
            if onset_ms is None:
                data, onset_ms = _average_onsets(data, name, window_ms, baseline_ms)
            data = laminar_features(
                data, onset_ms=onset_ms, window_ms=window_ms, baseline_ms=baseline_ms
            )
        feature_values.append(data.values())
    simulated_values, recorded_values = feature_values
    rows = []
    for name, unit in UNITS.items():
        rows.append((name, unit, simulated_values[name], recorded_values[name]))
    return pd.DataFrame(rows, columns=["feature", "unit", "simulated", "recorded"], dtype=object)


def compare_run(
    signals: Signals,
    recording: str | Path | xr.DataArray | Any,
    *,
    readout: str = "lfp_proxy",
    folder: str | Path,
    area: str | None = None,
) -> tuple[pd.DataFrame, list[Path]]:
    """Compare a run with a recording in a table and, for laminar readouts, a figure.

    Laminar readouts are averaged over trials around the run's first event and compared by
    `compare_laminar`; EEG and MEG by `compare`, over the channels that both have and the time of
    the shorter one.

    Parameters
    ----------
    signals : Signals
    recording : str, Path, DataArray, mne.io.Raw, mne.Epochs or mne.Evoked
        As in `load_recording`, such as ``"barrel"``.
    readout : str
        Which readout of the run.
    folder : str or Path
        Where ``comparison.csv`` and ``comparison.png`` go.
    area : str, optional
        Which area of a laminar readout; the first if left out.

    Returns
    -------
    pandas.DataFrame, list of Path
        The table and the files written.

    Raises
    ------
    JtfneError
        For a run without events, and whatever the recording and the readout do not allow.
    """
    where = "analysis.compare_run"
    if not isinstance(signals, Signals):
        raise refuse(f"data of type {type(signals).__name__}", Signals, where)
    if not isinstance(folder, str | os.PathLike):
        raise refuse(f"folder={describe_value(folder)}", "a path", where)
    kinds = {name: cls.row_kind() for name, cls in list_readouts().items()}
    comparable = [name for name, kind in kinds.items() if kind in ("laminar", "head")]
    readout = one_of(readout, comparable, name="readout", where=where)
    # of a file with channels of several types those that the readout stands for
    physical = "lfp" if kinds[readout] == "laminar" else readout.removesuffix("_proxy")
    recorded = _inputs.array(recording, physical, where)
    target = resolve_path(folder, where)
    csv = target / "comparison.csv"
    if kinds[readout] == "head":
        table = compare(*_select_common(signals.get(readout), recorded, where))
        target.mkdir(parents=True, exist_ok=True)
        replace_file(csv, lambda stream: stream.write(table.to_csv(index=False).encode()))
        return table, [csv]
    from jtfne.analysis import figures
    from jtfne.analysis.figures._style import write

    simulated, onset_ms = evoked_laminar(signals, readout, area)
    simulated_features = laminar_features(simulated, onset_ms=onset_ms)
    recorded, recorded_onset_ms = _average_onsets(recorded, "recorded", WINDOW_ms, BASELINE_ms)
    recorded_features = laminar_features(recorded, onset_ms=recorded_onset_ms)
    table = compare_laminar(simulated_features, recorded_features)
    figure = figures.laminar_comparison(simulated_features, recorded_features)
    target.mkdir(parents=True, exist_ok=True)  # once nothing is left that may be refused
    replace_file(csv, lambda stream: stream.write(table.to_csv(index=False).encode()))
    png = target / "comparison.png"
    write(figure, png)
    return table, [csv, png]


def evoked_laminar(
    signals: Signals, readout: str = "lfp_proxy", area: str | None = None
) -> tuple[xr.DataArray, float]:
    """A laminar readout of one area, (time, channel), mean over trials; and the first onset, ms.

    Raises: JtfneError if there is no event, or it comes at different times in different trials.
    """
    where = "analysis.compare_run"
    laminar_data = signals.get(readout)
    areas = [str(name) for name in laminar_data["area"].values]
    chosen_area = areas[0] if area is None else one_of(area, areas, name="area", where=where)
    laminar_data = laminar_data.isel(area=areas.index(chosen_area))
    events = signals.events
    if events.empty:
        raise refuse(
            "a run without events",
            "a run with a stimulus that has an onset, such as a Pulse",
            where,
        )
    first_onsets_ms = events.groupby("trial")["onset_ms"].min().to_numpy(np.float64)
    if np.ptp(first_onsets_ms) > 1e-6:
        description = (
            f"first events at {first_onsets_ms.min():g} to {first_onsets_ms.max():g} ms of their "
            "trials"
        )
        raise refuse(description, "the same onset in each trial; select one trial", where)
    if "trial" in laminar_data.dims:
        laminar_data = laminar_data.mean("trial", keep_attrs=True)
    return laminar_data.transpose("time", "channel"), float(first_onsets_ms[0])


def _average_onsets(
    data: xr.DataArray, name: str, window_ms: float, baseline_ms: float
) -> tuple[xr.DataArray, float]:
    """`data` and its onset, ms; the mean around its onsets, with onset 0, where it has several.

    Events whose window or baseline leaves the data do not count, as in `mne.Epochs`.
    Raises: JtfneError where no onset is known, and where none has its whole window.
    """
    where = "analysis.compare_laminar"
    if "onset_ms" not in data.attrs:
        raise JtfneError(
            f"the {name} data do not say when the stimulus came; give {name}_onset_ms=, or an "
            "attribute onset_ms (.nc), metadata onset_ms (.parquet) or an annotation (.fif) (in "
            f"{where})"
        )
    onsets_ms = [
        number(time_ms, FINITE, name=f"{name} onset_ms", where=where)
        for time_ms in np.ravel(data.attrs["onset_ms"]).tolist()
    ]
    if len(onsets_ms) == 1:
        return data, onsets_ms[0]
    source = _inputs.check_values(data, where, "time")
    step_ms = _inputs.even_step(source, "time", where)
    first_ms, last_ms = float(source["time"][0]), float(source["time"][-1])
    # a sample more on either side: an onset may lie between two samples
    start_ms, stop_ms = -baseline_ms - step_ms, window_ms + 2.0 * step_ms
    whole = [
        (-1, time_ms)
        for time_ms in onsets_ms
        if first_ms <= time_ms + start_ms and time_ms + stop_ms <= last_ms
    ]
    if not whole:
        raise refuse(
            f"{len(onsets_ms)} onsets of the {name} data, none with {baseline_ms:g} ms before and "
            f"{window_ms:g} ms after it,",
            f"one within {first_ms:g} to {last_ms:g} ms",
            where,
        )
    return average(source, whole, (start_ms, stop_ms), None, where), 0.0


def _select_common(
    simulated: xr.DataArray, recorded: xr.DataArray, where: str
) -> tuple[xr.DataArray, xr.DataArray]:
    """Both signals, cut to the channels that they share and to the time of the shorter.

    Raises: JtfneError if they share no channel.
    """
    _inputs.check_form(recorded, where, "time", "channel")
    if "trial" in simulated.dims:
        simulated = simulated.mean("trial", keep_attrs=True)
    simulated_names = simulated["channel"].values.tolist()
    recorded_names = recorded["channel"].values.tolist()
    names = [name for name in simulated_names if name in recorded_names]
    if not names:
        allowed = f"one with some of {', '.join(map(str, simulated_names))}"
        raise refuse(f"a recording with channels {recorded_names}", allowed, where)
    n_steps = min(simulated.sizes["time"], recorded.sizes["time"])
    return _cut_to(simulated, names, n_steps), _cut_to(recorded, names, n_steps)


def _cut_to(data: xr.DataArray, names: list[str], n_steps: int) -> xr.DataArray:
    """The first `n_steps` samples of the channels `names`, (time, channel)."""
    return data.sel(channel=names).isel(time=slice(n_steps)).transpose("time", "channel")
