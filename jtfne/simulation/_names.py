"""What a stimulus draws from: a stream told by its kind, label, target and onset, whatever else is presented."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from jtfne import config as words


def in_order(presented: tuple[words.Stimulus, ...]) -> tuple[words.Stimulus, ...]:
    """`presented` in an order that hangs on what each is, not on where it stands: A + B is B + A to the bit."""
    told = [(name_of(each), _onset(each), each) for each in presented]
    names = [(name, onset) for name, onset, _ in told]
    alike = len(set(names)) < len(names)  # what they are in full is written out only where it must tell them apart
    told.sort(key=lambda entry: (entry[0], entry[1], _content(entry[2]) if alike else ""))
    return tuple(stimulus for _, _, stimulus in told)


def name_of(stimulus: words.Stimulus) -> str:
    """Kind, label and target; or the name that a stimulus gives its stream, which others may share."""
    drive: Any = stimulus.drive
    stream = getattr(drive, "stream", None)
    own = ["kind", type(drive).__name__, stimulus.label, *_target(stimulus.target)]
    return json.dumps(own) if stream is None else str(stream)


def streams_of(presented: tuple[words.Stimulus, ...]) -> Iterator[str]:
    """The name of the one stream of each stimulus of a trial: with its first onset, and which it is of those alike.

    presented: in the order of `in_order`. Stimuli that name one stream share it.
    """
    seen: dict[str, int] = {}
    for each in presented:
        drive: Any = each.drive
        if getattr(drive, "stream", None) is not None:
            yield name_of(each)
            continue
        name = json.dumps([name_of(each), _onset(each)])
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else json.dumps([name, seen[name]])


def _onset(stimulus: words.Stimulus) -> str:
    """When it first comes, ms, and in which trial if it is not in all."""
    drive, at = stimulus.drive, stimulus.at
    start_ms = float(getattr(drive, "start_ms", 0.0))
    if at is None:
        return f"{start_ms:.9g}"
    trials = (0,) * len(at.onsets_ms) if at.trials is None else at.trials
    trial, onset_ms = min(zip(trials, at.onsets_ms, strict=True))
    return f"{start_ms + onset_ms:.9g}" if at.trials is None else f"{trial}: {start_ms + onset_ms:.9g}"


def _target(target: words.Selector) -> list[Any]:
    """The cells chosen, however their names were ordered."""
    names = [sorted(each) if each else None for each in (target.area, target.layer, target.cell_type)]
    ids = None if target.ids is None else np.sort(np.asarray(target.ids, np.int64)).astype("<i8")
    return [*names, None if ids is None else hashlib.sha256(ids.tobytes()).hexdigest()]


def _content(stimulus: words.Stimulus) -> str:
    """All that a stimulus is, but for how its events are told."""
    return stimulus.model_dump_json(exclude={"event", "code"})
