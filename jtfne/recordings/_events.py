"""Onsets and labels of events as the attributes of a recording."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jtfne._check import describe_value, one_of, refuse


def describe_onsets(
    onsets_ms: Sequence[float], labels: Sequence[str], label: Any, where: str
) -> dict[str, Any]:
    """The attributes `onset_ms` (one, or a list of several) and `labels`; none without events.

    label: only events of this label, or of one of several, count; None takes all.
    Raises: JtfneError for labels that no event has.
    """
    rows = range(len(labels))
    if label is not None:
        wanted_labels = [label] if isinstance(label, str) else label
        if not isinstance(wanted_labels, Sequence) or not wanted_labels:
            raise refuse(f"label={describe_value(label)}", "a label, or several in a list", where)
        for text in wanted_labels:
            one_of(text, sorted(set(labels)), name="label", where=where)
        kept_rows = [row for row, text in enumerate(labels) if text in wanted_labels]
    else:
        kept_rows = list(rows)
    if not kept_rows:
        return {}
    times_ms = np.round([onsets_ms[row] for row in kept_rows], 6).tolist()
    return {
        "onset_ms": times_ms[0] if len(times_ms) == 1 else times_ms,
        "labels": [str(labels[row]) for row in kept_rows],
    }


def describe_onsets_in_trials(
    events_of_trial: Sequence[Sequence[tuple[float, str]]], label: Any, where: str
) -> dict[str, Any]:
    """As `describe_onsets`, of (onset in ms, label) within each trial; none where trials differ.

    Raises: JtfneError for labels that no event has.
    """
    all_events = [event for events in events_of_trial for event in events]
    describe_onsets(
        [onset for onset, _ in all_events], [text for _, text in all_events], label, where
    )
    attrs_of_trial = []
    for events in events_of_trial:
        wanted_labels = {text for _, text in events}
        if label is not None:
            wanted_labels &= {label} if isinstance(label, str) else set(label)
        chosen_events = [event for event in events if event[1] in wanted_labels]
        onsets_ms = [onset_ms for onset_ms, _ in chosen_events]
        labels = [text for _, text in chosen_events]
        attrs_of_trial.append(describe_onsets(onsets_ms, labels, None, where))
    is_same = all(attrs == attrs_of_trial[0] for attrs in attrs_of_trial)
    return attrs_of_trial[0] if is_same else {}
