"""A simulated signal beside a recorded one."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from jtfne._check import JtfneError, one_of, refuse
from jtfne.analysis._distances import compare as compare
from jtfne.analysis.laminar import UNITS, laminar_features
from jtfne.analysis.laminar import LaminarFeatures as LaminarFeatures
from jtfne.analysis.recordings import load_recording

if TYPE_CHECKING:
    from jtfne.signals import Signals

LAMINAR = ("lfp_proxy", "csd_proxy")
TRACES = ("eeg_proxy", "meg_proxy")


def compare_laminar(
    simulated: xr.DataArray | LaminarFeatures,
    recorded: xr.DataArray | LaminarFeatures,
    *,
    simulated_onset_ms: float | None = None,
    recorded_onset_ms: float | None = None,
    window_ms: float = 50.0,
    baseline_ms: float = 20.0,
) -> pd.DataFrame:
    """Features of two laminar responses side by side, both read off by `laminar_features`.

    Parameters
    ----------
    simulated, recorded : DataArray or LaminarFeatures
        Laminar potentials (time, channel), or what `laminar_features` gave for them.
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
    found = []
    for name, data, onset_ms in (
        ("simulated", simulated, simulated_onset_ms),
        ("recorded", recorded, recorded_onset_ms),
    ):
        if isinstance(data, xr.DataArray):
            at_ms = _onset_of(data, name) if onset_ms is None else onset_ms
            data = laminar_features(data, onset_ms=at_ms, window_ms=window_ms, baseline_ms=baseline_ms)
        found.append(data.values())
    rows = [(name, UNITS[name], *(each[name] for each in found)) for name in UNITS]
    return pd.DataFrame(rows, columns=["feature", "unit", "simulated", "recorded"], dtype=object)


def compare_run(
    signals: "Signals",
    recording: str | Path | xr.DataArray,
    *,
    readout: str = "lfp_proxy",
    folder: str | Path,
    area: str | None = None,
) -> tuple[pd.DataFrame, list[Path]]:
    """A run beside a recording, as a table and, for laminar readouts, a figure.

    Laminar readouts are averaged over trials around the run's first event and compared by `compare_laminar`; EEG and
    MEG by `compare`, over the channels that both have and the time of the shorter one.

    Parameters
    ----------
    signals : Signals
    recording : str, Path or DataArray
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
    one_of(readout, (*LAMINAR, *TRACES), name="readout", where=where)
    recorded = recording if isinstance(recording, xr.DataArray) else load_recording(recording)
    target = Path(folder)
    csv = target / "comparison.csv"
    if readout in TRACES:
        table = compare(*_common(signals.get(readout), recorded, where))
        target.mkdir(parents=True, exist_ok=True)
        table.to_csv(csv, index=False)
        return table, [csv]
    from jtfne.analysis import figures
    from jtfne.analysis.figures._style import write

    simulated, onset_ms = evoked_laminar(signals, readout, area)
    ours = laminar_features(simulated, onset_ms=onset_ms)
    theirs = laminar_features(recorded, onset_ms=_onset_of(recorded, "recorded"))
    table = compare_laminar(ours, theirs)
    figure = figures.laminar_comparison(ours, theirs)
    target.mkdir(parents=True, exist_ok=True)  # once nothing is left that may be refused
    table.to_csv(csv, index=False)
    png = target / "comparison.png"
    write(figure, png)
    return table, [csv, png]


def evoked_laminar(
    signals: "Signals", readout: str = "lfp_proxy", area: str | None = None
) -> tuple[xr.DataArray, float]:
    """A run's laminar readout of one area, (time, channel), mean over trials; and when its first event starts, ms.

    Raises: JtfneError if there is no event, or it comes at different times in different trials.
    """
    where = "analysis.compare_run"
    found = signals.get(readout)
    areas = [str(each) for each in found["area"].values]
    chosen = areas[0] if area is None else one_of(area, areas, name="area", where=where)
    found = found.isel(area=areas.index(chosen))
    events = signals.events
    if events.empty:
        raise refuse("a run without events", "a run with a stimulus that has an onset, such as a Pulse", where)
    first = events.groupby("trial")["onset_ms"].min().to_numpy(np.float64)
    if np.ptp(first) > 1e-6:
        given = f"first events at {first.min():g} to {first.max():g} ms of their trials"
        raise refuse(given, "the same onset in each trial; select one trial", where)
    if "trial" in found.dims:
        found = found.mean("trial", keep_attrs=True)
    return found.transpose("time", "channel"), float(first[0])


def _onset_of(data: xr.DataArray, name: str) -> float:
    """`attrs["onset_ms"]`. Raises: JtfneError where it is missing."""
    if "onset_ms" not in data.attrs:
        raise JtfneError(
            f"the {name} data do not say when the stimulus came; give {name}_onset_ms=, or an attribute onset_ms "
            "(.nc), metadata onset_ms (.parquet) or an annotation (.fif) (in analysis.compare_laminar)"
        )
    return float(data.attrs["onset_ms"])


def _common(simulated: xr.DataArray, recorded: xr.DataArray, where: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Both over the channels that they share and the time of the shorter. Raises: JtfneError if they share none."""
    if "trial" in simulated.dims:
        simulated = simulated.mean("trial", keep_attrs=True)
    names = [name for name in simulated["channel"].values.tolist() if name in recorded["channel"].values.tolist()]
    if not names:
        allowed = f"one with some of {', '.join(map(str, simulated['channel'].values.tolist()))}"
        raise refuse(f"a recording with channels {recorded['channel'].values.tolist()}", allowed, where)
    n_steps = min(simulated.sizes["time"], recorded.sizes["time"])
    ours, theirs = (
        each.sel(channel=names).isel(time=slice(n_steps)).transpose("time", "channel") for each in (simulated, recorded)
    )
    return ours, theirs
