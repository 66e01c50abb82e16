"""The structure of a task: which item comes when, in which trial.

Random streams are told apart by seed and name.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from jtfne._arguments import check_instance, check_table, describe_argument
from jtfne._check import NOT_NEGATIVE, Limit, one_of, refuse, whole_number
from jtfne._keys import generator
from jtfne.config import Frozen, Schedule, Selector, Stimulus, Task
from jtfne.config.populations import largest_remainder
from jtfne.pydantic_fields.field_types import Flag, NotNegative, Positive, plain
from jtfne.stimuli import Marker

Onsets = npt.NDArray[np.float64]


class Timing(Frozen):
    """When the items of a sequence come.

    Parameters
    ----------
    soa_ms : float
        From one onset to the next.
    start_ms : float
        The first onset in a trial.
    jitter_ms : float
        Each onset is moved by a number drawn evenly from -jitter to +jitter.
    cumulative : bool
        Jitter the intervals instead, so that a late item makes all that follow late; the first
        comes on time.
    overlap : bool
        Whether an item may begin before the last has ended.

    Examples
    --------
    >>> Timing(soa_ms=200.0, start_ms=50.0).onsets_ms(3, seed=0, name="tones", trial=0).tolist()
    [50.0, 250.0, 450.0]
    """

    soa_ms: Positive
    start_ms: NotNegative = 0.0
    jitter_ms: NotNegative = 0.0
    cumulative: Flag = False
    overlap: Flag = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Refuse jitter that could move an item before its trial, or make an interval negative."""
        most, name = (self.soa_ms, "soa_ms") if self.cumulative else (self.start_ms, "start_ms")
        if self.jitter_ms > most:
            raise refuse(f"jitter_ms={self.jitter_ms:g}", f"at most {name}={most:g}", "@")
        return self

    def onsets_ms(self, n: int, *, seed: int, name: str, trial: int) -> Onsets:
        """The onsets of `n` items in a trial, ms (n,)."""
        jitter_ms = (
            generator(seed, "paradigm", name, "jitter", "trial", str(trial)).uniform(-1.0, 1.0, n)
            * self.jitter_ms
        )
        if self.cumulative:
            jitter_ms = np.concatenate([np.zeros(min(n, 1)), np.cumsum(jitter_ms[1:])])
        onsets_ms: Onsets = self.start_ms + self.soa_ms * np.arange(n) + jitter_ms
        return onsets_ms


# of all items in all trials: some hundred bytes and several microseconds each
MOST_PRESENTATIONS = 1_000_000
SEEDS = Limit(low=0, high=2**32 - 1)


def check_items(items: Any, *, name: str = "items", where: str) -> Mapping[str, Task]:
    """`items`, if it is a dict of label to Paradigm. Raises: JtfneError."""
    allowed = "{label: Paradigm}"
    check_table(items, allowed=allowed, name=name, where=where)
    for label, item in items.items():
        check_instance(item, Task, allowed="a Paradigm", name=f"{name}[{label!r}]", where=where)
    table: Mapping[str, Task] = items
    return table


def check_sizes(n_trials: Any, n_items: int, seed: Any, timing: Any, where: str) -> int:
    """The number of trials.

    Raises: JtfneError for arguments of another type, and for a task of more presentations than can
    be held.
    """
    check_instance(
        timing, Timing, allowed="a jtfne.paradigm.Timing(soa_ms=...)", name="timing", where=where
    )
    whole_number(seed, SEEDS, name="seed", where=where)
    trials = whole_number(n_trials, Limit(low=1), name="n_trials", where=where)
    if trials * n_items > MOST_PRESENTATIONS:
        problem = f"{trials} trials of {n_items} items, {trials * n_items:.3g} presentations,"
        raise refuse(problem, f"at most {MOST_PRESENTATIONS}", where)
    return trials


def check_repeats(n: Any, n_once: int, where: str) -> int:
    """`n` repeats of `n_once` presentations. Raises: JtfneError if these are too many."""
    repeats = whole_number(n, Limit(low=1), name="n", where=where)
    if repeats * n_once > MOST_PRESENTATIONS:
        problem = f"n={repeats} of {n_once} presentations"
        raise refuse(problem, f"at most {MOST_PRESENTATIONS} presentations in all", where)
    return repeats


def place_items(
    items: Mapping[str, Task],
    orders: Sequence[Sequence[str]],
    timing: Timing,
    *,
    seed: int,
    name: str,
    left_out: Mapping[str, str] | None = None,
) -> tuple[Stimulus, ...]:
    """The stimuli of `items`, trial by trial in `orders`; each presentation is one event.

    The event has the label of the item. left_out: label in an order -> the item that it replaces;
    only the event is presented.
    Raises: JtfneError for an unknown item, one that does not end or that differs by trial, and for
    items that overlap.
    """
    where, omissions = f"Paradigm.{name}", dict(left_out or {})
    if not items or not any(orders):
        raise refuse("a task without items", "at least one", where)
    length_ms = {label: _length_ms(label, item, where) for label, item in items.items()}
    for label, item_left_out in omissions.items():
        length_ms[label] = length_ms[item_left_out]
    presentations: dict[str, list[tuple[float, int]]] = {label: [] for label in length_ms}
    for trial, order in enumerate(orders):
        onsets_ms = timing.onsets_ms(len(order), seed=seed, name=name, trial=trial)
        for k, label in enumerate(order):
            one_of(label, presentations, name="item", where=where)
            presentations[label].append((float(onsets_ms[k]), trial))
            next_onset_ms = onsets_ms[k + 1] if k + 1 < len(order) else np.inf
            if not timing.overlap and onsets_ms[k] + length_ms[label] > next_onset_ms + 1e-9:
                gap_ms = next_onset_ms - onsets_ms[k]
                item_text = f"item {label!r} of {length_ms[label]:g} ms"
                problem = f"{item_text} with the next {gap_ms:g} ms after it"
                raise refuse(
                    problem, "an end before the next onset, or Timing(overlap=True)", where
                )
    stimuli: list[Stimulus] = []
    for label, pairs in presentations.items():
        if pairs:
            mark = Marker(duration_ms=length_ms[label])
            stimuli.append(
                Stimulus(target=Selector(), drive=mark, label=label, at=_schedule(pairs))
            )
            for part in items[label].stimuli if label in items else ():
                scheduled_part = schedule_stimulus(part, pairs, where)
                stimuli.append(scheduled_part.model_copy(update={"event": False}))
    return tuple(stimuli)


def schedule_stimulus(
    stimulus: Stimulus, pairs: Sequence[tuple[float, int]], where: str
) -> Stimulus:
    """`stimulus` repeated at each (onset, trial), on top of its own onsets.

    Raises: JtfneError if its trials differ.
    """
    if stimulus.at is not None and stimulus.at.trials is not None:
        raise refuse(
            f"{stimulus.label!r}, whose trials differ,", "what is the same in every trial", where
        )
    own_onsets_ms = (0.0,) if stimulus.at is None else stimulus.at.onsets_ms
    all_pairs: list[tuple[float, int]] = []
    for onset_ms, trial in pairs:
        all_pairs += [(onset_ms + own_onset_ms, trial) for own_onset_ms in own_onsets_ms]
    return stimulus.model_copy(update={"at": _schedule(all_pairs)})


def _schedule(pairs: Sequence[tuple[float, int]]) -> Schedule:
    """The schedule of (onset, trial) pairs."""
    onsets_ms, trials = zip(*pairs, strict=True)
    return Schedule(onsets_ms=onsets_ms, trials=trials)


def _length_ms(label: str, item: Task, where: str) -> float:
    """Time from an item's onset to its last end.

    Raises: JtfneError if it does not end, or presents nothing.
    """
    if not item.stimuli or item.n_trials > 1:
        problem = f"item {label!r} of {len(item.stimuli)} stimuli and {item.n_trials} trials"
        raise refuse(problem, "a paradigm with a stimulus, of one trial", where)
    ends = []
    for stimulus in item.stimuli:
        for drive in stimulus.list_presentations(0):
            ends += [onset + length for onset, length in drive.events_ms(np.inf)]
    if not np.isfinite(max(ends)):
        raise refuse(f"item {label!r}, which does not end,", "stimuli with an end", where)
    return float(max(ends))


def share_trials(
    mix: Mapping[str, Any] | None, n: int | None, labels: Sequence[str], where: str
) -> dict[str, int]:
    """Counts by label: `mix` itself, or `n` shared by its probabilities (largest remainder).

    Raises: JtfneError for an unknown label, probabilities that do not sum to 1, or counts beside
    `n`.
    """
    mix = check_table(mix, allowed="{label: count or probability}", name="mix", where=where)
    for label, share in mix.items():
        one_of(label, labels, name="item", where=where)
        if not NOT_NEGATIVE.holds(share):
            raise refuse(
                f"{label}={describe_argument(share)}",
                "a count, or a probability from 0 to 1",
                where,
            )
    shares = [plain(mix.get(label, 0)) for label in labels]
    if n is not None:
        n = whole_number(n, Limit(low=1, high=MOST_PRESENTATIONS), name="n", where=where)
    if all(isinstance(share, int) for share in shares):
        if sum(shares) > MOST_PRESENTATIONS:
            raise refuse(
                f"counts that sum to {sum(shares):.3g}", f"at most {MOST_PRESENTATIONS}", where
            )
        if n is not None and n != sum(shares):
            raise refuse(
                f"n={n} with counts that sum to {sum(shares)}", "n of probabilities only", where
            )
        return {label: int(share) for label, share in zip(labels, shares, strict=True)}
    if abs(sum(shares) - 1.0) > 1e-9:
        raise refuse(f"probabilities that sum to {sum(shares):g}", "a sum of 1", where)
    total = whole(n, least=1, name="n of probabilities", where=where)
    return dict(zip(labels, largest_remainder(total, shares), strict=True))


def whole(value: Any, *, least: int = 0, most: int | None = None, name: str, where: str) -> int:
    """`value` as an int from `least` to `most`. Raises: JtfneError."""
    return whole_number(
        value,
        Limit(low=least, high=MOST_PRESENTATIONS if most is None else most),
        name=name,
        where=where,
    )


def odd_order(
    counts: Mapping[str, int], apart: int, random: np.random.Generator, where: str
) -> list[str]:
    """A random order of labels: `counts` of each, at least `apart` standards between deviants.

    The first label of `counts` is the standard. Every such order is equally likely.
    Raises: JtfneError if there is none.
    """
    standard, *others = counts
    deviants: list[str] = []
    for label in others:
        deviants += [label] * counts[label]
    n, n_free = sum(counts.values()), sum(counts.values()) - apart * max(len(deviants) - 1, 0)
    if n_free < len(deviants):
        problem = f"{len(deviants)} deviants in {n} items with {apart} standards between two"
        raise refuse(problem, f"{len(deviants) + apart * (len(deviants) - 1)} items or more", where)
    places = np.sort(random.permutation(n_free)[: len(deviants)]) + apart * np.arange(len(deviants))
    order = [standard] * n
    for place, k in zip(places, random.permutation(len(deviants)), strict=True):
        order[place] = deviants[k]
    return order


def condition_order(
    counts: Mapping[str, int], block: int, random: np.random.Generator, where: str
) -> list[str]:
    """Conditions in blocks of `block` trials, in random order.

    Raises: JtfneError if counts are no multiple of `block`.
    """
    for label, count in counts.items():
        if count % block:
            raise refuse(f"{count} trials of {label!r} in blocks of {block}", "whole blocks", where)
    blocks: list[str] = []
    for label, count in counts.items():
        blocks += [label] * (count // block)
    order: list[str] = []
    for k in random.permutation(len(blocks)):
        order += [blocks[k]] * block
    return order
