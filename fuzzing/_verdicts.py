"""What may become of a case, and which of that is a fault."""

import dataclasses
import enum
import re
import traceback
from pathlib import Path

from jtfne import JtfneError

MAX_MESSAGE_LINES = 12
MAX_MESSAGE_CHARACTERS = 2_000  # a list of all known sensors is long, and wanted
ROOMS = ("jtfne", "analysis", "interop")
# Python itself says clearly which argument a call lacks or has too many of.
CALL_ERROR = re.compile(
    r"unexpected keyword argument|required (positional|keyword)|positional arguments? but"
)
FILE_ERRORS = (
    FileNotFoundError,
    FileExistsError,
    NotADirectoryError,
    IsADirectoryError,
    PermissionError,
)


class Verdict(enum.StrEnum):
    """The class of a case."""

    refused_well = "refused well"
    accepted = "accepted and meaningful"
    refused_obscurely = "refused obscurely"
    meaningless = "accepted, but NaN or ignored"
    hang = "hang"
    crash = "crash"


FAULTS = (Verdict.refused_obscurely, Verdict.meaningless, Verdict.hang, Verdict.crash)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The verdict on a case, and for a fault what tells it from others (`signature`)."""

    verdict: Verdict
    signature: str = ""
    message: str = ""


class Meaningless(Exception):
    """Raised by an area where what was accepted is NaN, ignored, or not what was asked for."""


def is_clear(error: BaseException) -> bool:
    """Whether an error tells a user what is wrong with what was given."""
    message = str(error)
    if isinstance(error, JtfneError):
        is_short = len(message.splitlines()) <= MAX_MESSAGE_LINES
        return bool(message.strip()) and is_short and len(message) <= MAX_MESSAGE_CHARACTERS
    if isinstance(error, TypeError):
        return CALL_ERROR.search(message) is not None
    return isinstance(error, FILE_ERRORS) and error.filename is not None


def place_of_error(error: BaseException) -> str:
    """File and function of the last frame of jtfne that the error went through."""
    places = [
        f"{Path(frame.filename).name}:{frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if any(room in Path(frame.filename).parts for room in ROOMS)
    ]
    return places[-1] if places else "outside"


def judge(error: BaseException) -> Outcome:
    """The verdict on a case that ended in `error`."""
    if is_clear(error):
        return Outcome(Verdict.refused_well)
    is_meaningless = isinstance(error, Meaningless)
    verdict = Verdict.meaningless if is_meaningless else Verdict.refused_obscurely
    place = str(error).split(":")[0] if is_meaningless else place_of_error(error)
    return Outcome(
        verdict, f"{type(error).__name__} at {place}", str(error)[:MAX_MESSAGE_CHARACTERS]
    )
