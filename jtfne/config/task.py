"""How long, how finely, with which seed; and what happens meanwhile."""

from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from jtfne._check import Limit, refuse, whole_number
from jtfne._grid import nearest_fits, nearest_steps, whole_steps
from jtfne.pydantic_fields.custom_parts import OpenDeclared
from jtfne.pydantic_fields.errors import HERE, describe_unknown
from jtfne.pydantic_fields.field_types import (
    Count,
    Flag,
    Label,
    Name,
    NotNegative,
    Positive,
    Whole,
    numeric,
)
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.pydantic_fields.part_protocols import STIMULUS
from jtfne.pydantic_fields.selector_field import Selection
from jtfne.stimuli import STIMULI
from jtfne.stimuli import Stimulus as Drive

DTYPES = ("float32", "float64")
MOST_STEPS = 2**31 - 10**6
"""Steps of a trial: they are counted in 32 bits, and the last chunk may run past the end."""

MOST_CODE = 2**31 - 1
"""Of an event: FIF files hold codes in 32 bits."""


class Run(Frozen):
    """Seed, precision and clock of a run.

    Examples
    --------
    >>> from jtfne.config import Run
    >>> Run(duration_ms=100.0, dt_ms=0.05).n_steps, Run().dtype
    (2000, 'float32')
    """

    seed: Annotated[int, Field(strict=True, ge=0, le=2**32 - 1), numeric] = 0
    dtype: str = Field(default="float32", json_schema_extra={"enum": list(DTYPES)})
    duration_ms: Positive = 1000.0
    dt_ms: Positive = 0.1

    @field_validator("dtype")
    @classmethod
    def _check_dtype(cls, dtype: str) -> str:
        """Refuse a dtype that jtfne does not compute in."""
        problem = describe_unknown(dtype, DTYPES, name="dtype")
        if problem:
            raise ValueError(problem)
        return dtype

    @model_validator(mode="after")
    def _check_steps(self) -> "Run":
        """Refuse a dt that does not divide the duration, and too many steps to count in 32 bits."""
        if whole_steps(self.duration_ms, self.dt_ms) is None:
            description = f"dt_ms={self.dt_ms:.9g} with duration_ms={self.duration_ms:.9g}"
            fits = nearest_fits(self.duration_ms, self.dt_ms)
            raise refuse(
                description, f"a dt that divides the duration, as it does one of {fits} ms", HERE
            )
        if self.n_steps >= MOST_STEPS:
            raise refuse(
                f"{self.n_steps:,} steps of dt_ms={self.dt_ms:g}", f"less than {MOST_STEPS:,}", HERE
            )
        return self

    @property
    def n_steps(self) -> int:
        """Number of time steps of a trial."""
        return int(nearest_steps(self.duration_ms, self.dt_ms))


class Schedule(Frozen):
    """The onsets of a stimulus, ms, and the trial of each.

    Parameters
    ----------
    onsets_ms : sequence of float
        Times within a trial, ms.
    trials : sequence of int, optional
        Numbers of trials, from 0; left out, each onset is one of every trial.

    Examples
    --------
    >>> Schedule(onsets_ms=[100.0, 300.0, 120.0], trials=[0, 0, 2]).within(0)
    [100.0, 300.0]
    """

    onsets_ms: Annotated[tuple[NotNegative, ...], Field(min_length=1), numeric]
    trials: Annotated[tuple[Whole, ...], numeric] | None = None

    @model_validator(mode="after")
    def _check_lengths(self) -> "Schedule":
        """Refuse trials that are not as many as the onsets."""
        if self.trials is not None and len(self.trials) != len(self.onsets_ms):
            raise refuse(
                f"{len(self.onsets_ms)} onsets_ms and {len(self.trials)} trials",
                "equally many",
                HERE,
            )
        return self

    def within(self, trial: int) -> list[float]:
        """Onsets within one trial, ms."""
        if self.trials is None:
            return list(self.onsets_ms)
        return [
            onset_ms for onset_ms, k in zip(self.onsets_ms, self.trials, strict=True) if k == trial
        ]


class Stimulus(Frozen):
    """A drive onto the cells that `target` selects.

    Parameters
    ----------
    target : Selector or str
        A text is a cell type.
    drive : stimulus
        One of `jtfne.stimuli`: a current in the input unit of the target's emitter, spikes through
        a mechanism, or a Marker, an event only; or of a class of your own, derived from
        `jtfne.stimuli.Stimulus`.
    label : str
        Names its events.
    event : bool
        Whether it leaves events; the parts of an item of a sequence do not, its marker does.
    code : int, optional
        Number of its events; by default the smallest that is free, labels in order of their first
        stimulus.
    at : Schedule, optional
        When it is presented, times of the drive counted from each onset; left out, once in every
        trial, from its start.

    Examples
    --------
    >>> from jtfne.stimuli import Pulse
    >>> Stimulus(target="E", drive=Pulse(start_ms=100, duration_ms=5, amplitude=10), label="flash").drive.amplitude
    10.0
    """

    target: Selection
    drive: Annotated[Drive, OpenDeclared(STIMULI, STIMULUS, later=("weight_mV",))]
    label: Label = ""
    event: Flag = True
    code: Annotated[Count, Field(le=MOST_CODE)] | None = None
    at: Schedule | None = None

    def list_presentations(self, trial: int) -> list[Any]:
        """One drive for each presentation in a trial, shifted to its onset."""
        if self.at is None:
            return [self.drive]
        drive: Any = self.drive
        return [drive.shifted(onset_ms) for onset_ms in self.at.within(trial)]


class Task(Frozen):
    """What happens while the circuit runs.

    Parameters
    ----------
    stimuli : sequence of Stimulus
    n_trials : int
        How often, each trial with its own noise.
    conditions : sequence of str
        The condition of each trial; none, or one for each.

    Examples
    --------
    >>> Task(n_trials=2, conditions=["complete", "omission"]).differs
    True
    """

    stimuli: tuple[Stimulus, ...] = ()
    n_trials: Count = 1
    conditions: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _check_trials(self) -> "Task":
        """Refuse conditions or onsets of other trials than there are, and ambiguous event codes."""
        if self.conditions and len(self.conditions) != self.n_trials:
            raise refuse(
                f"{len(self.conditions)} conditions with n_trials={self.n_trials}",
                "one for each trial",
                HERE,
            )
        for index, stimulus in enumerate(self.stimuli):
            last = (
                max(stimulus.at.trials, default=0)
                if stimulus.at is not None and stimulus.at.trials is not None
                else 0
            )
            if last >= self.n_trials:
                description = f"stimuli[{index}] in trial {last} with n_trials={self.n_trials}"
                raise refuse(description, f"trials 0 .. {self.n_trials - 1}", HERE)
        assign_codes(self.stimuli)
        return self

    @property
    def differs(self) -> bool:
        """Whether trials differ in their conditions or stimuli."""
        return bool(self.conditions) or any(
            stimulus.at is not None and stimulus.at.trials is not None for stimulus in self.stimuli
        )

    def conditions_of(self, n_trials: int) -> tuple[str, ...]:
        """The condition of each of `n_trials`, "" where none is declared.
        Raises: JtfneError for no count.

        Examples
        --------
        >>> Task(n_trials=2).conditions_of(2)
        ('', '')
        >>> Task(n_trials=2, conditions=["complete", "omission"]).conditions_of(2)
        ('complete', 'omission')
        """
        n_trials = whole_number(
            n_trials, Limit(low=1, high=MOST_STEPS), name="n_trials", where="conditions_of"
        )
        return self.conditions or ("",) * n_trials


def assign_codes(stimuli: tuple[Stimulus, ...]) -> dict[str, int]:
    """Map the label of each stimulus with events or a code to its event code.

    Raises: JtfneError if a label has two codes, or a code two labels.
    """
    codes: dict[str, int] = {}
    # the way back, so that thousands of labels are checked in one pass
    label_of_code: dict[int, str] = {}
    for stimulus in stimuli:
        if stimulus.code is None:
            continue
        if codes.setdefault(stimulus.label, stimulus.code) != stimulus.code:
            raise refuse(
                f"label {stimulus.label!r} with codes {codes[stimulus.label]} and {stimulus.code}",
                "one code",
                HERE,
            )
        other_label = label_of_code.setdefault(stimulus.code, stimulus.label)
        if other_label != stimulus.label:
            raise refuse(
                f"code={stimulus.code} of {other_label!r} and of {stimulus.label!r}",
                "a code for each label",
                HERE,
            )
    next_code = 1
    for stimulus in stimuli:
        if not stimulus.event or stimulus.label in codes:
            continue
        while next_code in label_of_code:
            next_code += 1
        codes[stimulus.label] = next_code
        next_code += 1
    return codes


def span_ms(stimulus: Stimulus, duration_ms: float) -> tuple[float, float, float]:
    """First onset, last onset and last end, ms, of the events of a stimulus in a trial."""
    drive: Any = stimulus.drive
    onsets_ms = (0.0,) if stimulus.at is None else stimulus.at.onsets_ms
    events = [event for at_ms in onsets_ms for event in drive.shifted(at_ms).events_ms(duration_ms)]
    starts = [onset for onset, _ in events]
    return min(starts), max(starts), max(onset + length for onset, length in events)
