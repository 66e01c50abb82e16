"""Names of the random streams of stimuli.

A stream is named by kind, label, target and onset, whatever else is presented.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from jtfne import config as declared


def sort_stimuli(presented: tuple[declared.Stimulus, ...]) -> tuple[declared.Stimulus, ...]:
    """Sort stimuli by what each is, not by where it stands: A + B is B + A to the bit."""
    keyed_stimuli = [
        (name_stimulus(stimulus), _format_onset(stimulus), stimulus) for stimulus in presented
    ]
    names = {(name, onset) for name, onset, _ in keyed_stimuli}
    # what they are in full is written out only where it must tell them apart
    has_duplicates = len(names) < len(keyed_stimuli)
    keyed_stimuli.sort(
        key=lambda entry: (entry[0], entry[1], _write_whole(entry[2]) if has_duplicates else "")
    )
    return tuple(stimulus for _, _, stimulus in keyed_stimuli)


def name_stimulus(stimulus: declared.Stimulus) -> str:
    """Return kind, label and target as text; or the stimulus's own stream name, if it has one."""
    drive: Any = stimulus.drive
    stream = getattr(drive, "stream", None)
    parts = ["kind", type(drive).__name__, stimulus.label, *_list_target(stimulus.target)]
    return json.dumps(parts) if stream is None else str(stream)


def list_stream_names(presented: tuple[declared.Stimulus, ...]) -> Iterator[str]:
    """Yield the name of each stimulus's stream in a trial.

    It has the first onset, and a number among equal stimuli. presented: in the order of
    `sort_stimuli`. Stimuli that name one stream share it.
    """
    name_counts: dict[str, int] = {}
    for stimulus in presented:
        drive: Any = stimulus.drive
        if getattr(drive, "stream", None) is not None:
            yield name_stimulus(stimulus)
            continue
        name = json.dumps([name_stimulus(stimulus), _format_onset(stimulus)])
        name_counts[name] = name_counts.get(name, 0) + 1
        yield name if name_counts[name] == 1 else json.dumps([name, name_counts[name]])


def _format_onset(stimulus: declared.Stimulus) -> str:
    """Return when it first comes, ms, and in which trial if it is not in all."""
    drive, schedule = stimulus.drive, stimulus.at
    start_ms = float(getattr(drive, "start_ms", 0.0))
    if schedule is None:
        return f"{start_ms:.9g}"
    trials = (0,) * len(schedule.onsets_ms) if schedule.trials is None else schedule.trials
    trial, onset_ms = min(zip(trials, schedule.onsets_ms, strict=True))
    return (
        f"{start_ms + onset_ms:.9g}"
        if schedule.trials is None
        else f"{trial}: {start_ms + onset_ms:.9g}"
    )


def _list_target(target: declared.Selector) -> list[Any]:
    """Return the selected cells, however their names were ordered."""
    sorted_labels = [
        sorted(labels) if labels else None
        for labels in (target.area, target.layer, target.cell_type)
    ]
    ids = None if target.ids is None else np.sort(np.asarray(target.ids, np.int64)).astype("<i8")
    return [*sorted_labels, None if ids is None else hashlib.sha256(ids.tobytes()).hexdigest()]


def _write_whole(stimulus: declared.Stimulus) -> str:
    """Return the whole stimulus as JSON, but for how its events are named."""
    return stimulus.model_dump_json(exclude={"event", "code"})
