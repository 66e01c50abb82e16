"""Write the constructors of `Paradigm` from the stimuli: `python docs/developing/paradigm_constructors.py`.

Each stimulus of the catalogue has one, with the fields and defaults of its class, and `target` and
`label`. tests/test_paradigm.py compares the file with what this gives.
"""

import dataclasses
import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from jtfne import stimuli

FILE = Path(__file__).parents[2] / "jtfne/paradigm/_constructors.py"
OTHER_NAMES = {"Constant": "constant_dc"}
BY_HAND = ("Trace", "Marker")  # `from_array`, and parts of a sequence
POSITIONAL = {"SpikeTimes": ("times_ms", "cells")}  # tables, which come first
# a table of a file or of numpy is one as well
WIDER = {
    "tuple[float, ...]": "Sequence[float] | npt.NDArray[Any]",
    "tuple[int, ...] | None": "Sequence[int] | npt.NDArray[Any] | None",
}
# what an example gives beside the target, and what of the stimulus it shows
EXAMPLES = {
    "Constant": ("amplitude=5.0, start_ms=100.0", "drive.start_ms", "100.0"),
    "Pulse": (
        "start_ms=100.0, duration_ms=5.0, amplitude=20.0",
        "drive.events_ms(duration_ms=500.0)",
        "[(100.0, 5.0)]",
    ),
    "PulseTrain": (
        "start_ms=0.0, duration_ms=2.0, period_ms=25.0, count=40, amplitude=20.0",
        "len(drive.events_ms(duration_ms=1000.0))",
        "40",
    ),
    "Ramp": ("start_ms=50.0, duration_ms=200.0, amplitude=10.0", "drive.end", "1.0"),
    "Sine": ("amplitude=5.0, frequency_Hz=40.0", "drive.stop_ms is None", "True"),
    "Chirp": (
        "amplitude=5.0, duration_ms=1000.0, first_Hz=1.0, last_Hz=50.0",
        "drive.last_Hz",
        "50.0",
    ),
    "OrnsteinUhlenbeck": ("mean=3.0, sd=1.0, tau_ms=5.0", "drive.shared", "False"),
    "Poisson": ("rate_Hz=800.0, weight_pA=10.0", "drive.mechanism", "'AMPA'"),
    "SpikeTimes": ("times_ms=[5.0, 8.0], weight_pA=25.0", "drive.times_ms", "(5.0, 8.0)"),
    "Evoked": ("mean_ms=20.0, sd_ms=2.0, n_spikes=50, weight_nS=0.3", "drive.weight", "0.3"),
    "Rhythmic": (
        "start_ms=0.0, stop_ms=300.0, rate_Hz=10.0, sd_ms=5.0, weight_nS=0.3",
        "drive.n_bursts",
        "3",
    ),
}
INDENT = 8 * " "
HEADER = '''"""Constructors of paradigms with one stimulus, one a class of `jtfne.stimuli`.

Written by `python docs/developing/paradigm_constructors.py`: change the class of the stimulus, and
run that.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy.typing as npt

from jtfne._check import names_methods
from jtfne.config import Selector, Stimulus, Task

Target = Selector | dict[str, Any] | str


@names_methods
class Constructors(Task):
    """A constructor for each stimulus; `Paradigm` adds how paradigms combine."""

    @classmethod
    def _from_drive(cls, target: Target, drive: Any, label: str) -> Self:
        """A paradigm with this one stimulus."""
        return cls(
            stimuli=(Stimulus.model_validate({"target": target, "drive": drive, "label": label}),)
        )
'''


def snake_case(name: str) -> str:
    """The name of a class as that of a function: `PulseTrain` is `pulse_train`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def write_constructor(cls: type) -> str:
    """The source of the constructor of one class."""
    name = OTHER_NAMES.get(cls.__name__, snake_case(cls.__name__))
    positional = POSITIONAL.get(cls.__name__, ())
    arguments = {True: ["cls"], False: ["*", "target: Target"]}
    entries = [f'"kind": "{cls.__name__}"']
    for field in dataclasses.fields(cls):
        annotation = field.type if isinstance(field.type, str) else _name_type(field.type)
        default = "" if field.default is dataclasses.MISSING else f" = {field.default!r}"
        argument = f"{field.name}: {WIDER.get(annotation, annotation)}{default}"
        arguments[field.name in positional].append(argument)
        entries.append(f'"{field.name}": {field.name}')
    # a default may be followed by arguments without one only where these go by name alone
    signature = ", ".join([*arguments[True], *arguments[False], f'label: str = "{name}"'])
    example = write_example(name, *EXAMPLES[cls.__name__])
    documentation = wrap_paragraphs(cls.__doc__ or "").rstrip() + example
    return f'''
    @classmethod
    def {name}({signature},) -> Self:
        """{documentation}"""
        drive = {{{", ".join(entries)},}}
        return cls._from_drive(target, drive, label)
'''


def write_example(name: str, arguments: str, shown: str, output: str) -> str:
    """The section of a docstring that calls the constructor, and shows something of its drive."""
    lines = [
        "Examples",
        "--------",
        ">>> import jtfne",
        f">>> task = jtfne.Paradigm.{name}(",
        f'...     target="E", {arguments})',
        ">>> drive = task.stimuli[0].drive",
        f">>> {shown}",
        output,
    ]
    return "\n\n" + "".join(f"{INDENT}{line}\n" for line in lines) + INDENT


def wrap_paragraphs(text: str) -> str:
    """A docstring for an indentation of 8 columns, without its examples."""
    paragraphs = [part for part in inspect.cleandoc(text).split("\n\n") if ">>>" not in part]
    quotes, wrapped = '"""', []
    for paragraph in paragraphs:
        first_indent = INDENT + (quotes if not wrapped else "")
        wrapped.append(
            textwrap.fill(
                " ".join(paragraph.split()),
                99,
                initial_indent=first_indent,
                subsequent_indent=INDENT,
                break_long_words=False,
            )
        )
    documentation = "\n\n".join(wrapped).strip().removeprefix(quotes)
    return f"{documentation}\n{INDENT}" if "\n" in documentation else documentation


def _name_type(annotation: object) -> str:
    """A type as one writes it."""
    return annotation.__name__ if type(annotation) is type else str(annotation)


def write_source() -> str:
    """The source of the file, not formatted."""
    classes = [cls for name, cls in stimuli.STIMULI.items() if name not in BY_HAND]
    return HEADER + "".join(write_constructor(cls) for cls in classes)


def format_source(source: str) -> str:
    """The source as ruff formats the repository."""
    command = [sys.executable, "-m", "ruff", "format", "-q", f"--stdin-filename={FILE}", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    FILE.write_text(format_source(write_source()), encoding="utf-8")
