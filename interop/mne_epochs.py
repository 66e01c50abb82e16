"""Fields as MNE Epochs and Evoked: an epoch for each event, named by condition and label."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne._check import names_arguments, one_of, refuse
from jtfne.interop._inputs import check_path, check_scale, check_signals, check_window, open_beside
from jtfne.interop.mne_events import list_events, name_events, sort_by_code
from jtfne.interop.mne_physical import factor_to_mne
from jtfne.interop.mne_raw import FIF_BYTES, channels_by_time, raw_without_events
from jtfne.signals import Signals

if TYPE_CHECKING:
    import mne
    import pandas as pd

Window = tuple[float, float]
WINDOW_ms: Window = (-50.0, 200.0)


@names_arguments
def to_epochs(
    signals: Signals,
    readout: str,
    *,
    label: str | Sequence[str] | None = None,
    window_ms: Window = WINDOW_ms,
    baseline_ms: Window | None = None,
    scale: float | None = None,
) -> "mne.EpochsArray":
    """A field readout around each event, of every trial, as `mne.EpochsArray`.

    Parameters
    ----------
    signals : Signals
    readout, scale
        As for `to_raw`; so are channels, types and units.
    label : str or several, optional
        Events of these labels only.
    window_ms, baseline_ms : tuple of float
        Start and end from the onset in ms, end included. The mean over the baseline is subtracted,
        if one is given.

    Returns
    -------
    mne.EpochsArray
        `event_id` names each "condition/label", or the label where no conditions are declared, so
        that ``epochs["omission"]`` selects; numbers are the label's code plus 0, 10, 20, ... (100,
        ... where codes have two digits) by condition. `metadata` is the table of events, labels as
        they are; in names, which MNE splits at "/", a label's own "/" is "|", and so on as in
        `to_raw`. Time 0 is the sample nearest to the onset.

    Raises
    ------
    JtfneError
        As `to_raw`; without such events; for a window beyond the trial, and a baseline beyond the
        window.

    Examples
    --------
    >>> import jtfne
    >>> flash = jtfne.Paradigm.pulse(target="E", start_ms=20, duration_ms=5, amplitude=5.0, label="flash")
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(50)).simulate(flash.trials(3), duration_ms=50)
    >>> to_epochs(signals, "eeg_proxy", window_ms=(-10, 20)).event_id
    {'flash': 1}
    """
    check_signals(signals, "to_epochs")
    scale = check_scale(scale, "to_epochs")
    window_ms = check_window(window_ms, "window_ms", "to_epochs")
    events = _select_events(signals, label)
    first_raw = raw_without_events(signals, readout, [int(events["trial"].iloc[0])], scale)
    span = _window_samples(window_ms, float(first_raw.info["sfreq"]))
    onset_samples = _locate_onsets(events, float(first_raw.info["sfreq"]))
    _refuse_beyond(events, onset_samples, span, first_raw.n_times, window_ms)
    _refuse_at_once(events, onset_samples)
    names, codes = name_events(events)
    events = events.assign(name=names, number=codes)
    return _build_epochs(signals, readout, events, first_raw, span, baseline_ms, scale)


@names_arguments
def write_epochs(signals: Signals, readout: str, path: str | Path) -> Path:
    """Write a field readout around each event as a FIF file of MNE epochs, in double precision.

    From 50 ms before to 200 ms after each event. Events whose trial does not hold all of that are
    left out, as `mne.Epochs` leaves them out; where no trial holds it, the epochs of all events are
    as long as all of them allow. No baseline is subtracted.

    Parameters
    ----------
    signals, readout
        As `to_epochs`.
    path : str or Path
        A file that does not exist yet; its name should end in `-epo.fif`.

    Returns
    -------
    Path

    Raises
    ------
    JtfneError
        As `to_epochs`, if the file exists, and for more than the 2 GB that a FIF file holds.

    Warns
    -----
    UserWarning
        Where events are left out: those near the ends of trials, and all but the first of those at
        one sample, by which MNE tells epochs apart.

    Examples
    --------
    >>> import jtfne, pathlib, tempfile
    >>> flash = jtfne.Paradigm.pulse(target="E", start_ms=20, duration_ms=5, amplitude=5.0, label="flash")
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(50)).simulate(flash.trials(3), duration_ms=50)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "eeg_proxy-epo.fif"
    >>> write_epochs(signals, "eeg_proxy", path).name
    'eeg_proxy-epo.fif'
    """
    where = "write_epochs"
    check_signals(signals, where)
    path = check_path(path, where)
    if not path.name.endswith((".fif", ".fif.gz")):
        raise refuse(f"the name {str(path)!r}", "one that ends in .fif or .fif.gz", where)
    events = _select_events(signals, None)
    names, codes = name_events(events)  # of all events, as `event_id` and annotations have them
    events = events.assign(name=names, number=codes)
    first_raw = raw_without_events(signals, readout, [int(events["trial"].iloc[0])], None)
    events, span = _choose_events(events, float(first_raw.info["sfreq"]), first_raw.n_times)
    n_bytes = 8 * len(events) * len(first_raw.ch_names) * (span[1] - span[0] + 1)
    if n_bytes > FIF_BYTES:
        raise refuse(f"{n_bytes / 1e9:.1f} GB in one FIF file", "2 GB: choose by label=", where)
    epochs = _build_epochs(signals, readout, events, first_raw, span, None, None)
    with open_beside(path, where) as beside:
        epochs.save(beside, fmt="double", verbose="error")
    return path


def _choose_events(
    events: "pd.DataFrame", sampling_Hz: float, n_times: int
) -> "tuple[pd.DataFrame, tuple[int, int]]":
    """The events to cut, and the first and last sample of each from its onset, as `write_epochs`.

    Warns of events that are left out.
    """
    # An onset in the last half sample of a trial has no sample of its own
    onset_samples = np.minimum(_locate_onsets(events, sampling_Hz), n_times - 1)
    start, stop = _window_samples(WINDOW_ms, sampling_Hz)
    is_inside = (onset_samples + start >= 0) & (onset_samples + stop < n_times)
    if not is_inside.any():
        start = max(start, -int(onset_samples.min()))
        stop = min(stop, n_times - 1 - int(onset_samples.max()))
        is_inside[:] = True
    keys = events["trial"].to_numpy() * n_times + onset_samples
    _, first = np.unique(keys, return_index=True)
    is_first = np.isin(np.arange(len(keys)), first)
    for is_kept, reason in (
        (is_inside, f"need {WINDOW_ms[0]:g} to {WINDOW_ms[1]:g} ms around them in their trial"),
        (is_first, "are at one sample with another, and MNE has one event a sample"),
    ):
        labels = ", ".join(dict.fromkeys(map(repr, events["label"][~is_kept])))
        if labels:
            warnings.warn(
                f"{int((~is_kept).sum())} of {len(events)} events are left out, which {reason}: "
                f"{labels}",
                UserWarning,
                stacklevel=3,
            )
    return events[is_inside & is_first].reset_index(drop=True), (start, stop)


def _locate_onsets(events: "pd.DataFrame", sampling_Hz: float) -> NDArray[np.int64]:
    """The sample of each onset within its trial, (n_events,)."""
    return np.rint(events["onset_ms"].to_numpy() * sampling_Hz / 1e3).astype(np.int64)


def _build_epochs(
    signals: Signals,
    readout: str,
    events: "pd.DataFrame",
    first_raw: "mne.io.BaseRaw",
    span: tuple[int, int],
    baseline_ms: Window | None,
    scale: float | None,
) -> "mne.EpochsArray":
    """The epochs of `events`, in `span` of samples from each onset.

    events: with the name and number of each. first_raw: of one trial.
    """
    import mne

    sampling_Hz, n_times = float(first_raw.info["sfreq"]), first_raw.n_times
    onset_samples = np.minimum(_locate_onsets(events, sampling_Hz), n_times - 1)
    trial = events["trial"].to_numpy()
    samples = _cut_epochs(signals, readout, trial, onset_samples, span) * factor_to_mne(
        signals.get(readout, trial=int(trial[0])), scale
    )
    if baseline_ms is not None:
        baseline_ms = check_window(baseline_ms, "baseline_ms", "to_epochs")
        samples -= _average_baseline(samples, span[0], sampling_Hz, baseline_ms)
    codes = events["number"].to_numpy()
    table = np.column_stack([trial * n_times + onset_samples, np.zeros_like(onset_samples), codes])
    options: dict[str, Any] = {
        "event_id": sort_by_code(events["name"].tolist(), codes),
        "metadata": events.drop(columns=["name", "number"]),
        "proj": False,
        "verbose": "error",
    }
    return mne.EpochsArray(samples, first_raw.info, table, span[0] / sampling_Hz, **options)


def _window_samples(window_ms: Window, sampling_Hz: float) -> tuple[int, int]:
    """Start and end of the window in samples from the onset.

    Raises: JtfneError if it holds none.
    """
    start, stop = (round(edge * sampling_Hz / 1e3) for edge in window_ms)
    if stop <= start:
        raise refuse(
            f"window_ms={window_ms}", "a start before the end, 1 sample apart or more", "to_epochs"
        )
    return start, stop


def _cut_epochs(
    signals: Signals,
    readout: str,
    trial: NDArray[np.int64],
    onset_samples: NDArray[np.int64],
    span: tuple[int, int],
) -> NDArray[np.float64]:
    """The samples in `span` around the onset of each event, (n_events, n_channels, n_times)."""
    rows_by_trial = {}
    for number in np.unique(trial).tolist():
        rows_by_trial[number] = channels_by_time(signals.get(readout, trial=number))
    start, stop = span
    epochs = []
    for number, onset_sample in zip(trial.tolist(), onset_samples, strict=True):
        epochs.append(rows_by_trial[number][:, onset_sample + start : onset_sample + stop + 1])
    return np.stack(epochs)


@names_arguments
def to_evoked(
    signals: Signals,
    readout: str,
    *,
    label: str | Sequence[str] | None = None,
    window_ms: Window = WINDOW_ms,
    baseline_ms: Window | None = None,
    scale: float | None = None,
) -> "dict[str, mne.Evoked]":
    """The mean over the epochs of each name that `to_epochs` gives, `misc` channels included.

    Parameters
    ----------
    signals, readout, label, window_ms, baseline_ms, scale
        As for `to_epochs`.

    Returns
    -------
    dict of str to mne.Evoked
        Name ("condition/label", or the label) -> its average; `nave` says of how many.

    Raises
    ------
    JtfneError
        As `to_epochs`.

    Examples
    --------
    >>> import jtfne
    >>> flash = jtfne.Paradigm.pulse(
    ...     target="E", start_ms=20, duration_ms=5, amplitude=5.0, label="flash")
    >>> net = jtfne.construct(jtfne.suite2_net1_config(20))
    >>> signals = net.simulate(flash.trials(3), duration_ms=50)
    >>> evoked = to_evoked(signals, "eeg_proxy", window_ms=(-10, 20))
    >>> list(evoked), evoked["flash"].nave
    (['flash'], 3)
    """
    epochs = to_epochs(
        signals, readout, label=label, window_ms=window_ms, baseline_ms=baseline_ms, scale=scale
    )
    means: list[mne.Evoked] = epochs.average(picks="all", by_event_type=True)
    return {mean.comment: mean for mean in means}


def _select_events(signals: Signals, label: str | Sequence[str] | None) -> "pd.DataFrame":
    """The events of the labels asked for, or all.

    Raises: JtfneError if there is none, or a label is unknown.
    """
    events = list_events(signals)
    if events.empty:
        raise refuse("a run without events", "a paradigm with stimuli", "to_epochs")
    if label is None:
        return events
    labels: Any = [label] if isinstance(label, str) else label
    if not isinstance(labels, Sequence | np.ndarray) or len(labels) == 0:
        raise refuse(f"label={label!r}", "a label, or several in a list", "to_epochs")
    for name in labels:
        one_of(name, sorted(set(events["label"])), name="label", where="to_epochs")
    return events[events["label"].isin(labels)].reset_index(drop=True)


def _average_baseline(
    samples: np.ndarray[Any, Any], start: int, sampling_Hz: float, baseline_ms: Window
) -> np.ndarray[Any, Any]:
    """The mean of each epoch over the baseline.
    Raises: JtfneError if the baseline leaves the window.
    """
    first_sample, last_sample = (round(edge * sampling_Hz / 1e3) - start for edge in baseline_ms)
    if not 0 <= first_sample <= last_sample < samples.shape[-1]:
        span_ms = [sample * 1e3 / sampling_Hz for sample in (start, start + samples.shape[-1] - 1)]
        allowed = f"a baseline within {span_ms[0]:g} to {span_ms[1]:g} ms"
        raise refuse(f"baseline_ms={baseline_ms}", allowed, "to_epochs")
    return np.asarray(samples[..., first_sample : last_sample + 1].mean(axis=-1, keepdims=True))


def _refuse_beyond(
    events: "pd.DataFrame",
    onset_samples: np.ndarray[Any, Any],
    edges: tuple[int, int],
    n_times: int,
    window_ms: Window,
) -> None:
    """Raises: JtfneError if a window leaves its trial."""
    rows_beyond = np.flatnonzero(
        (onset_samples + edges[0] < 0) | (onset_samples + edges[1] >= n_times)
    )
    if rows_beyond.size:
        event = events.iloc[int(rows_beyond[0])]
        description = (
            f"window_ms={window_ms} around {event['label']!r} at {event['onset_ms']:g} ms of "
            f"trial {event['trial']}"
        )
        raise refuse(
            f"{description}, and {rows_beyond.size - 1} more,",
            "windows within the trial, or label=",
            "to_epochs",
        )


def _refuse_at_once(events: "pd.DataFrame", onset_samples: NDArray[np.int64]) -> None:
    """Raises: JtfneError if two events share a sample: MNE tells epochs apart by it."""
    places = np.column_stack([events["trial"].to_numpy(), onset_samples])
    shared, counts = np.unique(places, axis=0, return_counts=True)
    if (counts > 1).any():
        doubles = events[(places == shared[counts > 1][0]).all(axis=1)]
        description = (
            f"events {', '.join(map(repr, doubles['label']))} at {doubles['onset_ms'].iloc[0]:g} "
            "ms of one trial"
        )
        raise refuse(description, "one event a sample; choose by label=", "to_epochs")
