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
