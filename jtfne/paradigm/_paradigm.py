"""Paradigm: how inputs combine, and the tasks that they make."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from jtfne._arguments import check_names, check_table, describe_argument
from jtfne._check import names_methods, number, one_of, refuse, whole_number
from jtfne._html import render_object, render_table
from jtfne._keys import generator
from jtfne.config import Schedule, Stimulus
from jtfne.config.description import describe_task, join_facts, list_stimuli
from jtfne.paradigm._inputs import Inputs
from jtfne.paradigm._structures import (
    SEEDS,
    Timing,
    check_items,
    check_repeats,
    check_sizes,
    condition_order,
    odd_order,
    place_items,
    schedule_stimulus,
    share_trials,
    whole,
)


@names_methods
class Paradigm(Inputs):
    """Stimuli onto named cells, with labels that reach every export as events.

    Paradigms add (`a + b`), shift (`.at(t_ms)`) and repeat (`.trials(n)`); each gives a new one.
    Amplitudes are in the input unit of the cells that they reach (pA, or mV/ms for
    `Izhikevich2003`).

    Attributes
    ----------
    stimuli : tuple of Stimulus
        What is presented.
    n_trials : int
        How often.
    conditions : tuple of str
        The condition of each trial, or none.

    Examples
    --------
    >>> import jtfne
    >>> volley = jtfne.Paradigm.pulse(target={"layer": "L4"}, start_ms=100.0, duration_ms=5.0, amplitude=10.0)
    >>> len((volley + volley.at(200.0)).trials(3).stimuli)
    2
    """

    def __repr__(self) -> str:
        """Stimuli, trials and conditions, on one line."""
        return join_facts("Paradigm", describe_task(self))

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """Stimuli, trials and conditions, as notebooks show them."""
        table = render_table(("label", "kind", "target", "first onset (ms)"), list_stimuli(self))
        return render_object("Paradigm", describe_task(self), table)

    def __add__(self, other: "Paradigm") -> "Paradigm":
        """Both at once.

        Raises: JtfneError if they are for different numbers of trials, or name them differently,
        and for anything but a paradigm.
        """
        if not isinstance(other, Paradigm):
            raise refuse(
                f"{describe_argument(other)} added to a Paradigm",
                "a Paradigm",
                "Paradigm + Paradigm",
            )
        if self.n_trials != other.n_trials and 1 not in (self.n_trials, other.n_trials):
            problem = f"paradigms of {self.n_trials} and of {other.n_trials} trials"
            raise refuse(problem, "equal numbers of trials, or 1", "Paradigm + Paradigm")
        n_trials = max(self.n_trials, other.n_trials)
        first, second = self._over_trials(n_trials), other._over_trials(n_trials)
        if first.conditions and second.conditions and first.conditions != second.conditions:
            raise refuse("two sets of conditions", "one, or the same", "Paradigm + Paradigm")
        stimuli = (*first.stimuli, *second.stimuli)
        return Paradigm(
            stimuli=stimuli, n_trials=n_trials, conditions=first.conditions or second.conditions
        )

    def at(self, t_ms: float) -> "Paradigm":
        """The paradigm shifted by `t_ms`, earlier if negative.

        Raises: JtfneError for a time before the trial.

        Examples
        --------
        >>> import jtfne
        >>> tone = jtfne.Paradigm.pulse(target="E", start_ms=0.0, duration_ms=5.0, amplitude=10.0)
        >>> tone.at(100.0).stimuli[0].drive.start_ms
        100.0
        """
        t_ms = number(t_ms, name="t_ms", where="Paradigm.at")
        return self._replace_stimuli([_shift_stimulus(stimulus, t_ms) for stimulus in self.stimuli])

    def trials(self, n: int) -> "Paradigm":
        """The paradigm repeated `n` times, each trial with its own noise.

        Trials that differ are repeated as a block.

        Examples
        --------
        >>> import jtfne
        >>> tone = jtfne.Paradigm.pulse(target="E", start_ms=0.0, duration_ms=5.0, amplitude=10.0)
        >>> tone.trials(20).n_trials
        20
        """
        if not self.differs:
            return Paradigm(stimuli=self.stimuli, n_trials=n)
        n_presentations = 0
        for stimulus in self.stimuli:
            n_presentations += self.n_trials if stimulus.at is None else len(stimulus.at.onsets_ms)
        n = check_repeats(n, max(n_presentations, self.n_trials), "Paradigm.trials")
        stimuli = []
        for stimulus in self.stimuli:
            if stimulus.at is not None:
                stimulus = _reschedule(stimulus, _tile_schedule(stimulus.at, self.n_trials, n))
            stimuli.append(stimulus)
        return Paradigm(
            stimuli=tuple(stimuli), n_trials=self.n_trials * n, conditions=self.conditions * n
        )

    def coded(self, codes: Mapping[str, int]) -> "Paradigm":
        """The paradigm with other event codes for some labels.

        Raises: JtfneError for an unknown label.

        Examples
        --------
        >>> import jtfne
        >>> tone = jtfne.Paradigm.pulse(
        ...     target="E", start_ms=0.0, duration_ms=5.0, amplitude=10.0, label="tone")
        >>> tone.coded({"tone": 7}).stimuli[0].code
        7
        """
        check_table(codes, allowed="{label: code}", name="codes", where="Paradigm.coded")
        labels = list(dict.fromkeys(stimulus.label for stimulus in self.stimuli if stimulus.event))
        for label in codes:
            one_of(label, labels, name="label", where="Paradigm.coded")
        stimuli = []
        for stimulus in self.stimuli:
            code = codes.get(stimulus.label, stimulus.code)
            stimuli.append(Stimulus(**{**dict(stimulus), "code": code}))
        return self._replace_stimuli(stimuli)

    @classmethod
    def sequence(
        cls,
        items: Mapping[str, "Paradigm"],
        order: Sequence[str],
        *,
        timing: Timing,
        n_trials: int = 1,
        seed: int = 0,
    ) -> Self:
        """Items one after the other, each an event of its name.

        Parameters
        ----------
        items : dict of str to Paradigm
            What each item is, on a clock that starts at its onset.
        order : sequence of str
            Names of items, in the order of a trial.
        timing : Timing
            When they come.
        n_trials, seed : int
            How often; seed of the jitter, which is drawn anew for each trial.

        Examples
        --------
        >>> from jtfne.paradigm import Paradigm, Timing
        >>> a = Paradigm.pulse(target="E", start_ms=0.0, duration_ms=50.0, amplitude=10.0)
        >>> b = Paradigm.pulse(target="E", start_ms=0.0, duration_ms=50.0, amplitude=20.0)
        >>> task = Paradigm.sequence({"A": a, "B": b}, ["A", "A", "B"], timing=Timing(soa_ms=100.0))
        >>> [(each.label, each.at.onsets_ms) for each in task.stimuli if each.event]
        [('A', (0.0, 100.0)), ('B', (200.0,))]
        """
        where = "Paradigm.sequence"
        check_items(items, where=where)
        names = check_names(order, name="order", where=where)
        n = check_sizes(n_trials, len(names), seed, timing, where)
        return cls(
            stimuli=place_items(items, [names] * n, timing, seed=seed, name="sequence"), n_trials=n
        )

    @classmethod
    def oddball(
        cls,
        items: Mapping[str, "Paradigm"],
        mix: Mapping[str, float],
        *,
        timing: Timing,
        n: int | None = None,
        apart: int = 1,
        n_trials: int = 1,
        seed: int = 0,
    ) -> Self:
        """A stream of standards in which deviants come now and then.

        Parameters
        ----------
        items : dict of str to Paradigm
            The standard first, then one deviant or more.
        mix : dict of str to int or float
            How many of each in a trial; or probabilities, which make counts of `n` by largest
            remainder.
        timing : Timing
            When items come.
        n : int, optional
            Items of a trial, for probabilities.
        apart : int
            At least so many standards between two deviants.
        n_trials, seed : int
            How often; seed of order and jitter, which are drawn anew for each trial.

        Examples
        --------
        >>> from jtfne.paradigm import Paradigm, Timing
        >>> a = Paradigm.pulse(target="E", start_ms=0.0, duration_ms=50.0, amplitude=10.0)
        >>> b = Paradigm.pulse(target="E", start_ms=0.0, duration_ms=50.0, amplitude=20.0)
        >>> task = Paradigm.oddball({"A": a, "B": b}, {"A": 8, "B": 2}, timing=Timing(soa_ms=100.0))
        >>> [(each.label, len(each.at.onsets_ms)) for each in task.stimuli if each.event]
        [('A', 8), ('B', 2)]
        """
        where = "Paradigm.oddball"
        check_items(items, where=where)
        counts = share_trials(mix, n, list(items), where)
        n_trials = check_sizes(n_trials, sum(counts.values()), seed, timing, where)
        apart = whole(apart, name="apart", where=where)
        orders = []
        for trial in range(n_trials):
            random = generator(seed, "paradigm", "oddball", "order", "trial", str(trial))
            orders.append(odd_order(counts, apart, random, where))
        return cls(
            stimuli=place_items(items, orders, timing, seed=seed, name="oddball"), n_trials=n_trials
        )

    @classmethod
    def omission(
        cls,
        items: Mapping[str, "Paradigm"],
        order: Sequence[str],
        *,
        timing: Timing,
        omit: str,
        n_trials: int,
        n_omitted: int,
        seed: int = 0,
    ) -> Self:
        """A sequence whose item `omit` is left out in some trials.

        There it is the event "<omit> omitted".

        Trials are of condition "complete" or "omission".

        Parameters
        ----------
        items, order, timing, n_trials
            As for `sequence`.
        omit : str
            The item; its last place in `order`, if it has several.
        n_omitted : int
            In how many trials, exactly.
        seed : int
            Seed of the jitter, and of which trials.

        Examples
        --------
        >>> from jtfne.paradigm import Paradigm, Timing
        >>> a = Paradigm.pulse(target="E", start_ms=0.0, duration_ms=50.0, amplitude=10.0)
        >>> task = Paradigm.omission(
        ...     {"A": a}, ["A", "A"], timing=Timing(soa_ms=100),
        ...     omit="A", n_trials=10, n_omitted=2)
        >>> task.conditions.count("omission")
        2
        >>> sorted(each.label for each in task.stimuli if each.event)
        ['A', 'A omitted']
        """
        where = "Paradigm.omission"
        check_items(items, where=where)
        full_order = check_names(order, name="order", where=where)
        one_of(omit, dict.fromkeys(full_order), name="omit", where=where)
        n = check_sizes(n_trials, len(full_order), seed, timing, where)
        n_omitted = whole(n_omitted, most=n, name="n_omitted", where=where)
        omission_label, last = f"{omit} omitted", len(full_order) - 1 - full_order[::-1].index(omit)
        omission_trials = (
            generator(seed, "paradigm", "omission", "trials").permutation(n)[:n_omitted].tolist()
        )
        omission_order = (*full_order[:last], omission_label, *full_order[last + 1 :])
        orders, conditions = [full_order] * n, ["complete"] * n
        for trial in omission_trials:
            orders[trial], conditions[trial] = omission_order, "omission"
        stimuli = place_items(
            items, orders, timing, seed=seed, name="omission", left_out={omission_label: omit}
        )
        return cls(stimuli=stimuli, n_trials=n, conditions=tuple(conditions))

    @classmethod
    def by_condition(
        cls,
        paradigms: Mapping[str, "Paradigm"],
        *,
        order: Sequence[str] | None = None,
        counts: Mapping[str, int] | None = None,
        block: int = 1,
        seed: int = 0,
    ) -> Self:
        """A paradigm for each condition, one a trial.

        Parameters
        ----------
        paradigms : dict of str to Paradigm
            What each condition presents in a trial.
        order : sequence of str, optional
            The condition of each trial; or else
        counts : dict of str to int, optional
            trials of each condition, shuffled
        block : int
            in blocks of so many.
        seed : int
            Seed of the order.

        Examples
        --------
        >>> import jtfne
        >>> weak, strong = (
        ...     jtfne.Paradigm.pulse(target="E", start_ms=50.0, duration_ms=5.0, amplitude=size)
        ...     for size in (5.0, 20.0))
        >>> task = jtfne.Paradigm.by_condition(
        ...     {"weak": weak, "strong": strong}, order=["weak", "strong", "weak"])
        >>> task.n_trials, task.conditions
        (3, ('weak', 'strong', 'weak'))
        """
        where = "Paradigm.by_condition"
        check_items(paradigms, name="paradigms", where=where)
        whole_number(seed, SEEDS, name="seed", where=where)
        whole(block, least=1, name="block", where=where)
        if (order is None) == (counts is None):
            problem = "neither order nor counts" if counts is None else "order beside counts"
            raise refuse(problem, "one of the two", where)
        if order is not None and block != 1:
            raise refuse(
                f"block={block} beside order", "counts, whose trials are shuffled in blocks", where
            )
        if order is None:
            trials_by_condition = share_trials(counts, None, list(paradigms), where)
            order = condition_order(
                trials_by_condition,
                block,
                generator(seed, "paradigm", "by_condition", "order"),
                where,
            )
        order = check_names(order, name="order", where=where)
        stimuli: list[Stimulus] = []
        for condition in order:
            one_of(condition, paradigms, name="condition", where=where)
        for name, paradigm in paradigms.items():
            pairs = [(0.0, trial) for trial, condition in enumerate(order) if condition == name]
            if pairs:
                stimuli += [schedule_stimulus(item, pairs, where) for item in paradigm.stimuli]
        return cls(stimuli=tuple(stimuli), n_trials=len(order), conditions=tuple(order))

    def _replace_stimuli(self, stimuli: Sequence[Stimulus]) -> "Paradigm":
        """A paradigm with the same trials and conditions, but these stimuli."""
        return Paradigm(stimuli=tuple(stimuli), n_trials=self.n_trials, conditions=self.conditions)

    def _over_trials(self, n_trials: int) -> "Paradigm":
        """The paradigm, which has `n_trials` or is of one trial, presented in each of `n_trials`."""
        if self.n_trials == n_trials:
            return self
        stimuli = []
        for stimulus in self.stimuli:
            schedule = stimulus.at and Schedule(onsets_ms=stimulus.at.onsets_ms)
            stimuli.append(_reschedule(stimulus, schedule))
        return Paradigm(
            stimuli=tuple(stimuli), n_trials=n_trials, conditions=self.conditions * n_trials
        )


def _reschedule(stimulus: Stimulus, schedule: Schedule | None) -> Stimulus:
    """A copy of `stimulus` on this schedule."""
    return Stimulus(**{**dict(stimulus), "at": schedule})


def _shift_stimulus(stimulus: Stimulus, t_ms: float) -> Stimulus:
    """A copy of `stimulus`, `t_ms` later."""
    if stimulus.at is not None:
        onsets_ms = tuple(onset_ms + t_ms for onset_ms in stimulus.at.onsets_ms)
        return _reschedule(stimulus, Schedule(onsets_ms=onsets_ms, trials=stimulus.at.trials))
    drive: Any = stimulus.drive
    return Stimulus(**{**dict(stimulus), "drive": drive.shifted(t_ms)})


def _tile_schedule(schedule: Schedule, n_trials: int, n: int) -> Schedule:
    """A schedule of `n_trials`, repeated `n` times."""
    if schedule.trials is None:
        return schedule
    trials: list[int] = []
    for k in range(n):
        trials += [trial + k * n_trials for trial in schedule.trials]
    return Schedule(onsets_ms=schedule.onsets_ms * n, trials=tuple(trials))
