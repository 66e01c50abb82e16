"""Recorded data as the DataArrays that every analysis takes; of a run's folder too."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from jtfne import recordings
from jtfne._check import describe_value, names_arguments, one_of, refuse
from jtfne.run_folder import MANIFEST
from jtfne.signals import Signals, load

WHERE = "analysis.load_recording"


@names_arguments
def load_recording(
    source: Any,
    *,
    readout: str = "lfp",
    z_mm: Sequence[float] | None = None,
    onset_ms: float | None = None,
    units: str | None = None,
    label: str | Sequence[str] | None = None,
) -> xr.DataArray:
    """A recording by name, from a file or from memory, as the DataArray that analyses take.

    Parameters
    ----------
    source : str, path, mne.io.Raw, mne.Epochs, mne.Evoked or DataArray
        ``"barrel"``: the whisker-evoked laminar recording that ships with elephant
        (``pip install "jtfne[realdata]"``); ``"ecog_beta"``, a channel of ECoG of pacpy, and
        ``"grasshopper"``, spikes (``readout="spk"``) and sound (``readout="stimulus"``) of nitime
        (``pip install "jtfne[recordings]"``); ``"eeg_alpha"``, scalp EEG of dyconnmap (``pip
        install dyconnmap``). Or a file: one that MNE reads (FIF of raw data, epochs
        or an average, EDF, BDF, BrainVision, EEGLAB, ..., as `jtfne.interop.from_raw` takes them),
        ``.nc`` or ``.zarr`` (a DataArray, or a Dataset or group with a variable named as the
        readout) or ``.parquet`` (one row a sample: time, channel, the value named as the readout or
        ``value``, and optionally trial and z_mm). Or the folder of a run. Or what MNE or xarray has
        in memory; bare numbers by `jtfne.interop.from_array`. A ``.txt`` is a dipole moment, where
        its head says so (`jtfne.interop.write_dipole_text`).
    readout : str
        Which variable to take, and the name of the result; ``"spk"`` takes spikes, of a file as
        `jtfne.interop.from_spikes` reads it.
    z_mm : sequence of float, optional
        Depth of each channel, mm, where the source does not hold it.
    onset_ms : float, optional
        When the stimulus came, ms, where the source does not say. Annotations of MNE all count, but
        for those that mark bad spans.
    units : str, optional
        Unit of the values, such as ``"V"``, where the source does not say.
    label : str or sequence of str, optional
        Only annotations or epochs of these labels, of what MNE reads.

    Returns
    -------
    DataArray
        ``time`` in ms, whatever unit of time the source names, and ``channel``,
        with ``units``, ``readout`` and, where known, ``z_mm`` and ``onset_ms``.

    Raises
    ------
    JtfneError
        For an unknown name or kind of file, a file that is missing, cut short or altered, or one
        without the readout.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import load_recording
    >>> lfp = xr.DataArray(
    ...     np.zeros((10, 2)), {"time": np.arange(10.0)}, ("time", "channel"), "lfp",
    ...     attrs={"units": "V"})
    >>> recorded = load_recording(lfp, z_mm=[0.2, 0.4])
    >>> recorded.dims, recorded["z_mm"].values.tolist()
    (('time', 'channel'), [0.2, 0.4])
    """
    if isinstance(source, str | os.PathLike) and is_run(source):
        array = take_readout(load(Path(source)), readout, label)
        if "channel" not in array.dims:  # of neurons or areas, which say all of this themselves
            return array
        source, label = array, None
    return recordings.load_recording(
        source, readout=readout, z_mm=z_mm, onset_ms=onset_ms, units=units, label=label
    )


def is_run(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to the folder of a run."""
    try:
        return (Path(path).expanduser() / MANIFEST).is_file()
    except (OSError, ValueError, RuntimeError):  # no path that a file system takes
        return False


def take_readout(
    signals: Signals, readout: str, label: str | Sequence[str] | None = None
) -> xr.DataArray:
    """A readout of a run as a recording: one area without its dim, with the onsets of its events.

    label: only events of these count. Onsets that differ from trial to trial are left out.
    Raises: JtfneError for a readout that was not recorded, and a label that no event has.
    """
    recording = signals.get(readout)
    if recording.sizes.get("area") == 1:
        recording = recording.isel(area=0)
    events = signals.events
    if label is not None:
        labels: Any = [label] if isinstance(label, str) else label
        if not isinstance(labels, Sequence) or not labels:
            raise refuse(f"label={describe_value(label)}", "a label, or several in a list", WHERE)
        for text in labels:
            one_of(text, sorted(set(events["label"])), name="label", where=WHERE)
        events = events[events["label"].isin(list(labels))]
    rows_of_trial = []
    for trial in range(int(signals.tree.attrs["n_trials"])):
        rows = events[events["trial"] == trial]
        rows_of_trial.append((rows["onset_ms"].tolist(), rows["label"].tolist()))
    onsets_ms, texts = rows_of_trial[0]
    if not onsets_ms or any(rows != rows_of_trial[0] for rows in rows_of_trial):
        return recording
    onset_ms = onsets_ms[0] if len(onsets_ms) == 1 else onsets_ms
    return recording.assign_attrs(onset_ms=onset_ms, labels=texts)
