"""A simulated signal beside a recorded one."""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from jtfne import recordings
from jtfne._check import FINITE, describe_value, names_arguments, number, one_of, refuse
from jtfne._files import replace_file, resolve_path
from jtfne.analysis import _inputs
from jtfne.analysis._distances import compare as compare
from jtfne.analysis.comparisons import (
    KINDS_OF_ROWS,
    Comparison,
    Source,
    choose_kind,
    list_comparable,
)
from jtfne.analysis.comparisons.laminar import LaminarComparison, average_response
from jtfne.analysis.csd import VOLTS
from jtfne.analysis.laminar import UNITS, BASELINE_ms, WINDOW_ms
from jtfne.analysis.laminar import LaminarFeatures as LaminarFeatures
from jtfne.analysis.recordings import is_run, load_recording
from jtfne.readouts import list_readouts, resolve_alias
from jtfne.recordings._mne import TYPES_IN_RECORDINGS
from jtfne.signals import Signals

WHERE = "analysis.compare_run"
DENSITIES = ("A/m^3", "V/m^2")  # units of a CSD, as MNE has it too


@names_arguments
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
        Onsets; ``attrs["onset_ms"]`` where left out. Responses to several onsets are averaged.
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

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import compare_laminar
    >>> lfp = xr.DataArray(
    ...     np.zeros((60, 6)), {"time": np.arange(60.0), "z_mm": ("channel", np.arange(6) * 0.1)},
    ...     ("time", "channel"), attrs={"onset_ms": 30.0})
    >>> lfp[35, 2] = -1.0
    >>> table = compare_laminar(lfp, lfp.roll(channel=1), window_ms=20.0)
    >>> row = table.set_index("feature").loc["sink_depth_mm"]
    >>> round(row["simulated"], 6), round(row["recorded"], 6)
    (0.2, 0.3)
    """
    where = "analysis.compare_laminar"
    kind = LaminarComparison(window_ms=window_ms, baseline_ms=baseline_ms)
    feature_values = []
    pairs: tuple[tuple[str, Any, float | None], ...] = (
        ("simulated", simulated, simulated_onset_ms),
        ("recorded", recorded, recorded_onset_ms),
    )
    for name, data, onset_ms in pairs:
        if recordings.is_recording(data):
            data = _inputs.array(data, "lfp", where)
        if not isinstance(data, xr.DataArray | LaminarFeatures):
            description = f"{name} data of type {type(data).__name__}"
            raise refuse(description, "an xarray.DataArray or LaminarFeatures", where)
        if isinstance(data, xr.DataArray):
            if onset_ms is not None:
                checked_ms = number(onset_ms, FINITE, name=f"{name}_onset_ms", where=where)
                data = data.assign_attrs(onset_ms=checked_ms)
            data, _ = average_response(Source(name, data, "lfp"), kind, where)
        feature_values.append(data.values())
    simulated_values, recorded_values = feature_values
    rows = []
    for name, unit in UNITS.items():
        rows.append((name, unit, simulated_values[name], recorded_values[name]))
    return pd.DataFrame(rows, columns=["feature", "unit", "simulated", "recorded"], dtype=object)


@names_arguments
def compare_run(
    signals: Signals,
    recording: str | Path | xr.DataArray | Any,
    *,
    readout: str | None = None,
    kind: Comparison[Any] | None = None,
    folder: str | Path,
    area: str | None = None,
    label: str | None = None,
) -> tuple[pd.DataFrame, list[Path]]:
    """Compare a run with a recording in a table, a figure and a page that holds both.

    Parameters
    ----------
    signals : Signals
    recording : str, Path, DataArray, mne.io.Raw, mne.Epochs or mne.Evoked
        As in `load_recording`, such as ``"barrel"``; the folder of another run too.
    readout : str, optional
        Which readout of the run. Left out, the first laminar one that it has, physical before
        proxy; of a run without, the first that can be compared.
    kind : LaminarComparison, EvokedComparison, SpikeComparison, SpectraComparison or \
SpectrolaminarComparison, optional
        How. Left out: laminar readouts by their CSD, EEG, MEG and dipoles by their mean response
        to events, spikes by their statistics.
    folder : str or Path
        Where ``comparison.csv``, ``comparison.png`` and ``report.html`` go; what a comparison left
        there before is replaced.
    area : str, optional
        Which area of a laminar or areal readout; the first, or all areas of an areal one, if left
        out.
    label : str, optional
        Only events of the run that have this label count; all of them if left out. Those of the
        recording are chosen as it is loaded.

    Returns
    -------
    pandas.DataFrame, list of Path
        The table, with columns group, feature, unit, simulated, recorded and pair, which has what
        belongs to both together, such as a correlation; and the files written.

    Raises
    ------
    JtfneError
        For a run without events where they are needed, and whatever the recording, the readout and
        the kind do not allow.

    Examples
    --------
    >>> import jtfne
    >>> flash = jtfne.Paradigm.pulse(target="E", start_ms=50.0, duration_ms=5.0, amplitude=20.0)
    >>> net = jtfne.construct(jtfne.suite2_net1_config(20).probes(["lfp_proxy"]))
    >>> run = net.simulate(flash, duration_ms=150.0)
    >>> recorded = run["lfp_proxy"].isel(area=0, drop=True).assign_attrs(onset_ms=50.0)
    >>> [path.name for path in jtfne.analysis.compare_run(run, recorded, folder="comparison")[1]]
    ['comparison.csv', 'comparison.png', 'report.html']
    """
    from jtfne.analysis.figures._style import write
    from jtfne.analysis.report import write_comparison

    if not isinstance(signals, Signals):
        raise refuse(f"data of type {type(signals).__name__}", Signals, WHERE)
    if not isinstance(folder, str | os.PathLike):
        raise refuse(f"folder={describe_value(folder)}", "a path", WHERE)
    readout = choose_readout(signals, readout)
    kind = choose_kind(readout, kind, WHERE)
    _check_choices(readout, area, label)
    recorded = load_counterpart(recording, readout)
    target = resolve_path(folder, WHERE)
    simulated_source = Source("simulated", signals, readout, area, label)
    recorded_source = Source("recorded", recorded, readout, area)
    pair = kind.align(simulated_source, recorded_source)
    table = kind.tabulate(pair)
    figure = kind.draw(pair)
    target.mkdir(parents=True, exist_ok=True)  # once nothing is left that may be refused
    csv, png, page = (target / name for name in ("comparison.csv", "comparison.png", "report.html"))
    replace_file(csv, lambda stream: stream.write(table.to_csv(index=False).encode()))
    write(figure, png)
    facts = _describe_recording(recording, recorded, readout, kind)
    write_comparison(signals, page, png, table, caption=kind.caption, facts=facts)
    return table, [csv, png, page]


def load_counterpart(
    recording: Any, readout: str, variable: str | None = None, **settings: Any
) -> xr.DataArray:
    """The recording that a readout of a run is compared with, as `load_recording` reads it.

    variable: what the recording calls it; left out, the physical readout of the same channels
    (``lfp`` for ``lfp_proxy``), of a run's folder the readout itself.
    settings: of `load_recording`.
    An array is taken as it is.
    A recording in volts is a potential and one in A/m^3 a density, whatever it is called.
    Raises: JtfneError as `load_recording`.
    """
    if isinstance(recording, xr.DataArray):
        return recording
    if variable is None:
        is_of_run = isinstance(recording, str | os.PathLike) and is_run(recording)
        variable = readout if is_of_run else find_counterpart(readout)
    recorded: xr.DataArray = load_recording(recording, readout=variable, **settings)
    if isinstance(recording, str | os.PathLike):
        recorded = recorded.assign_attrs(recording=Path(recording).name)
    if list_readouts()[readout].row_kind() == "laminar":
        units = str(recorded.attrs.get("units"))
        if units in VOLTS:
            return recorded.assign_attrs(readout="lfp")
        if units in DENSITIES:
            return recorded.assign_attrs(readout="csd")
        return recorded.assign_attrs(readout=readout)
    return recorded


def find_counterpart(readout: str) -> str:
    """The physical readout with the channels of `readout`; itself where there is none.

    >>> find_counterpart("lfp_proxy"), find_counterpart("meg_proxy"), find_counterpart("spk")
    ('lfp', 'meg', 'spk')
    """
    readouts = list_readouts()
    mne_type = readouts[readout].mne_type
    for name, physical in readouts.items():
        if mne_type is None or physical.proxy or physical.mne_type is None:
            continue
        if mne_type in (physical.mne_type, *TYPES_IN_RECORDINGS.get(physical.mne_type, ())):
            return name
    return readout


def choose_readout(signals: Signals, readout: Any) -> str:
    """The name of `readout`; left out, of the first laminar one of a run, else of the first.

    Raises: JtfneError for one that cannot be compared, and for a run without any.
    """
    comparable = list_comparable()
    if readout is not None:
        name = resolve_alias(readout) if isinstance(readout, str) else readout
        return one_of(name, comparable, name="readout", where=WHERE)
    row_kinds = {name: list_readouts()[name].row_kind() for name in comparable}
    names = [name for name in comparable if name in signals.recorded()]
    names.sort(key=lambda name: row_kinds[name] != "laminar")  # keeps the order of the catalogue
    if not names:
        recorded_names = ", ".join(signals.recorded()) or "nothing"
        allowed = f"one with some of {', '.join(comparable)}"
        raise refuse(f"a run that recorded {recorded_names}", allowed, WHERE)
    return names[0]


def _check_choices(readout: str, area: str | None, label: str | None) -> None:
    """Raises: JtfneError for an area or a label that the readout has no use for."""
    row_kind = list_readouts()[readout].row_kind()
    if area is not None and row_kind not in ("laminar", "areal"):
        raise refuse(f"area={describe_value(area)} for {readout!r}", "no area", WHERE)
    if label is not None and KINDS_OF_ROWS[row_kind] == ("spikes",):
        raise refuse(f"label={describe_value(label)} for {readout!r}", "no label", WHERE)


def _describe_recording(
    recording: Any, recorded: xr.DataArray, readout: str, kind: Comparison[Any]
) -> dict[str, str]:
    """What the page says of the recording and of how it was compared, by name."""
    facts = {"readout": readout, "comparison": f"{kind!r}"}
    facts["recording"] = str(recorded.attrs.get("recording", type(recording).__name__))
    for name in ("units", "provenance", "meas_date", "reference", "sha256"):
        if name in recorded.attrs:
            facts[name] = str(recorded.attrs[name])
    return facts
