"""How long, how finely, with which seed; and what happens meanwhile."""

from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from jtfne._check import refuse
from jtfne.config._base import Declared, Frozen, Positive, numeric
from jtfne.config._errors import HERE, unknown
from jtfne.config.connections import Selection
from jtfne.stimuli import STIMULI
from jtfne.stimuli import Stimulus as Drive

DTYPES = ("float32", "float64")


def steps_of(span_ms: float, dt_ms: float) -> int | None:
    """How many steps of `dt_ms` make `span_ms` (to 1e-9 of it), or None if no whole number does."""
    steps = round(span_ms / dt_ms)
    return steps if steps >= 1 and abs(span_ms / dt_ms - steps) <= 1e-9 * steps else None


class Run(Frozen):
    """Seed, precision and clock of a run."""

    seed: Annotated[int, Field(strict=True, ge=0, le=2**32 - 1), numeric] = 0
    dtype: str = Field(default="float32", json_schema_extra={"enum": list(DTYPES)})
    duration_ms: Positive = 1000.0
    dt_ms: Positive = 0.1

    @field_validator("dtype")
    @classmethod
    def _known_dtype(cls, dtype: str) -> str:
        """Refuse a dtype that jtfne does not compute in."""
        wrong = unknown(dtype, DTYPES, name="dtype")
        if wrong:
            raise ValueError(wrong)
        return dtype

    @model_validator(mode="after")
    def _whole_steps(self) -> "Run":
        """Refuse a dt that does not divide the duration."""
        if steps_of(self.duration_ms, self.dt_ms) is None:
            raise refuse(
                f"dt_ms={self.dt_ms:g} with duration_ms={self.duration_ms:g}", "a dt that divides the duration", HERE
            )
        return self

    @property
    def n_steps(self) -> int:
        """Number of time steps."""
        return round(self.duration_ms / self.dt_ms)


class Stimulus(Frozen):
    """A drive onto the cells that `target` selects.

    Parameters
    ----------
    target : Selector or str
        A text is a cell type.
    drive : stimulus
        One of `jtfne.stimuli`: Constant, Pulse, PulseTrain, Poisson, Trace. Amplitudes are in the input unit of the
        target's emitter.
    label : str
        Names its events.

    Examples
    --------
    >>> from jtfne.stimuli import Pulse
    >>> Stimulus(target="E", drive=Pulse(start_ms=100, duration_ms=5, amplitude=10), label="flash").drive.amplitude
    10.0
    """

    target: Selection
    drive: Annotated[Drive, Declared(STIMULI)]
    label: str = ""


class Task(Frozen):
    """What happens while the circuit runs."""

    stimuli: tuple[Stimulus, ...] = ()


def end_ms(drive: Any, duration_ms: float) -> tuple[float, float]:
    """First onset and last end of the events of a drive in a trial of `duration_ms`."""
    events = drive.events_ms(duration_ms)
    return min(onset for onset, _ in events), max(onset + length for onset, length in events)
