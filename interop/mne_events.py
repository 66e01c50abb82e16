"""Events as MNE has them: annotations of a Raw, names and numbers of epochs."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._check import names_arguments, refuse
from jtfne._names import safe_name, tell_renamed
from jtfne.interop._inputs import check_signals
from jtfne.signals import Signals

if TYPE_CHECKING:
    import mne
    import pandas as pd

# What MNE writes where recordings were joined: no epoch, filter or spectrum goes across.
BOUNDARIES = ("BAD boundary", "EDGE boundary")


@names_arguments
def event_id(signals: Signals) -> dict[str, int]:
    """The number of each event's name, as `to_epochs` has them and annotations are named.

    Parameters
    ----------
    signals : Signals
        A run with events.

    Returns
    -------
    dict of str to int
        "condition/label", or the label where no conditions are declared -> the label's code, plus
        10, 20, ... (100, ... where codes have two digits) for the second condition and so on. For
        `mne.events_from_annotations`, which otherwise numbers names by the alphabet.

    Raises
    ------
    JtfneError
        For a run without events.

    Examples
    --------
    >>> import jtfne, mne
    >>> flash = jtfne.Paradigm.pulse(target="E", start_ms=20, duration_ms=5, amplitude=5.0, label="flash")
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(50)).simulate(flash.trials(3), duration_ms=50)
    >>> raw = jtfne.interop.to_raw(signals, "eeg_proxy")
    >>> events, _ = mne.events_from_annotations(raw, event_id(signals), verbose="error")
    >>> events[:, 0].tolist(), event_id(signals)
    ([20, 70, 120], {'flash': 1})
    """
    events = list_events(check_signals(signals, "event_id"))
    if events.empty:
        raise refuse("a run without events", "a paradigm with stimuli", "event_id")
    names, codes = name_events(events)
    return sort_by_code(names, codes)


def sort_by_code(names: Sequence[str], codes: "np.ndarray[Any, Any]") -> dict[str, int]:
    """The code of each name, in the order of the codes."""
    return dict(sorted(zip(names, codes.tolist(), strict=True), key=lambda pair: pair[1]))


def list_events(signals: Signals) -> "pd.DataFrame":
    """The table of events, each with a label, a code and a condition ("" where none is declared)."""
    events = signals.events
    if "code" not in events:  # a run of jtfne 0.1.0
        code_of_label = {name: k for k, name in enumerate(dict.fromkeys(events["label"]), 1)}
        events = events.assign(code=events["label"].map(code_of_label), condition="")
    return events.assign(label=[name or "stimulus" for name in events["label"]])


def list_conditions(signals: Signals) -> list[str]:
    """The condition of each trial, "" where none is declared; of trials without events too."""
    n_trials = int(signals.tree.attrs["n_trials"])
    for readout in signals.recorded():
        coords = signals.tree[readout].coords
        if "condition" in coords:
            return [str(name) for name in coords["condition"].values]
    events = list_events(signals)  # a run of spikes alone
    condition_of_trial = dict(zip(events["trial"], events["condition"], strict=True))
    return [str(condition_of_trial.get(trial, "")) for trial in range(n_trials)]


def name_events(events: "pd.DataFrame") -> tuple[list[str], np.ndarray[Any, Any]]:
    """Name and number of each event, by condition and label; "/" stands between the two only."""
    pairs = list(zip(events["condition"], events["label"], strict=True))
    condition_index, _ = events["condition"].factorize()  # in order of appearance
    step = 10 ** len(str(int(events["code"].max())))
    codes = events["code"].to_numpy() + step * condition_index
    safe_names = {}
    for name in itertools.chain.from_iterable(pairs):
        safe_names[name] = safe_name(name, "mne_event")
    tell_renamed(safe_names.items(), "names of events", stacklevel=5)
    names = []
    for condition, label in pairs:
        safe_label = safe_names[label]
        names.append(f"{safe_names[condition]}/{safe_label}" if condition else safe_label)
    # "" and "stimulus" have one name, and MNE drops events without a name
    code_of_name: dict[str, int] = {}
    for name, code in zip(names, codes.tolist(), strict=True):
        code_of_name.setdefault(name, code)
    return names, np.array([code_of_name[name] for name in names])


def annotate(signals: Signals, trials: Sequence[int], trial_s: float) -> "mne.Annotations":
    """The events of `trials`, end to end, and the boundaries between them, as annotations.

    Each is named as in `event_id`, with its trial, code, condition and, where it is written
    otherwise, label in `extras`. trial_s: length of a trial, whole samples.
    """
    import mne

    all_events = list_events(signals)
    names, codes = name_events(all_events) if len(all_events) else ([], np.zeros(0, int))
    events = all_events.assign(name=names, number=codes)
    onsets_s: list[float] = []
    durations_s: list[float] = []
    texts: list[str] = []
    extras: list[dict[str, Any]] = []
    for k, trial in enumerate(trials):
        if k > 0:
            onsets_s += [k * trial_s] * len(BOUNDARIES)
            durations_s += [0.0] * len(BOUNDARIES)
            texts += BOUNDARIES
            extras += [{} for _ in BOUNDARIES]
        within = events["onset_ms"] < trial_s * 1e3 - 1e-6
        for event in events[(events["trial"] == trial) & within].to_dict("records"):
            onset_s = float(event["onset_ms"]) / 1e3
            onsets_s.append(k * trial_s + onset_s)
            durations_s.append(min(float(event["duration_ms"]) / 1e3, trial_s - onset_s))
            texts.append(str(event["name"]))
            facts: dict[str, Any] = {"trial": int(event["trial"]), "code": int(event["number"])}
            if event["condition"]:
                facts["condition"] = str(event["condition"])
            if event["name"] != event["label"]:
                facts["label"] = str(event["label"])
            extras.append(facts)
    return mne.Annotations(onsets_s, durations_s, texts, extras=extras)
