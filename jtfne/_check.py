"""Every refusal in one voice: what was given, what is allowed, the nearest match, and where."""

import difflib
import functools
import importlib
import inspect
import math
import numbers
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt

# What the readers of netCDF, Zarr and Parquet raise over broken files.
UNREADABLE = (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, SystemError)


Callable_ = TypeVar("Callable_", bound=Callable[..., Any])
Class_ = TypeVar("Class_", bound=type)
LONGEST_LINE = 1000  # characters of a line of a refusal
LONGEST_MESSAGE = 2000  # characters of all lines
MOST_LINES = 12


class JtfneError(ValueError):
    """Input that jtfne refuses; the message says what was given, what is allowed and where.

    However long what was given is, the message is one that can be read: of a line beyond 1,000
    characters the middle is left out, and beyond 12 lines, or 2,000 characters, those at the end.

    Examples
    --------
    >>> import jtfne
    >>> try:
    ...     jtfne.Config().runtime(seed=-1)
    ... except jtfne.JtfneError as error:
    ...     print(error)
    got seed=-1; expected a finite number of at least 0 (in Config.run.seed)
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*(_shorten(text) if isinstance(text, str) else text for text in arguments))


def _shorten(message: str) -> str:
    """`message`, cut to `MOST_LINES` lines and `LONGEST_MESSAGE` characters.

    Lines are cut to `LONGEST_LINE` characters.
    """
    if len(message) <= LONGEST_LINE and message.count("\n") < MOST_LINES:
        return message
    half = LONGEST_LINE // 2 - len(" ... ")  # the end says what is allowed, and where
    lines = message.split("\n")
    kept_lines: list[str] = []
    n_left = LONGEST_MESSAGE - len("and 1000000 more lines")
    for line in lines:
        kept_line = line if len(line) <= LONGEST_LINE else f"{line[:half]} ... {line[-half:]}"
        n_left -= len(kept_line) + 1
        is_last = len(kept_lines) + 1 == len(lines)
        if n_left < 0 or (len(kept_lines) == MOST_LINES - 1 and not is_last):
            kept_lines.append(f"and {len(lines) - len(kept_lines)} more lines")
            break
        kept_lines.append(kept_line)
    return "\n".join(kept_lines)


class SynapticDoubleCountError(JtfneError):
    """Sources whose sum would count a term of the current balance twice."""


class Limit(NamedTuple):
    """The closed range of a number; `open_low` and `open_high` take the ends out of it."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __str__(self) -> str:
        """Interval notation, such as `(0, inf)`."""
        left_bracket = "(" if self.open_low or math.isinf(self.low) else "["
        right_bracket = ")" if self.open_high or math.isinf(self.high) else "]"
        return f"{left_bracket}{self.low:g}, {self.high:g}{right_bracket}"

    def holds(self, value: object) -> bool:
        """Whether `value` is a number, finite, and lies in the range; no other type raises."""
        value = _as_number(value)
        if value is None:
            return False
        is_above_low = value > self.low if self.open_low else value >= self.low
        is_below_high = value < self.high if self.open_high else value <= self.high
        return is_above_low and is_below_high


POSITIVE = Limit(low=0.0, open_low=True)
NOT_NEGATIVE = Limit(low=0.0)
FINITE = Limit()
LONGEST = 80  # characters of a value in a refusal
MOST_PROBLEMS = 10  # lines of a refusal, beside one that counts the others


def refuse(description: str, allowed: str, where: str) -> JtfneError:
    """The error to raise for what `description` says was given: what was expected, and where."""
    return JtfneError(f"got {description.rstrip(',')}; expected {allowed} (in {where})")


def list_problems(lines: Iterable[str]) -> str:
    """The text of a refusal of several problems, each on one line, once.

    Of very many, the first and how many more.

    >>> print(list_problems(f"problem {number}" for number in range(99)).splitlines()[-1])
    and 89 more problems
    """
    distinct = list(dict.fromkeys(lines))
    n_more = len(distinct) - MOST_PROBLEMS
    if n_more <= 1:  # a line more takes no more room than the line that would count it
        return "\n".join(distinct)
    return "\n".join([*distinct[:MOST_PROBLEMS], f"and {n_more} more problems"])


def altered(
    path: Path,
    part: str = "",
    *,
    allowed: str = "what its manifest's hash says",
    where: str = "reading",
) -> JtfneError:
    """The error for a file, or a `part` of it, that is not what was written."""
    return refuse(f"{part}{str(path)!r}, which was cut short, altered or lost,", allowed, where)


def nearest(value: str, allowed: Iterable[str]) -> str | None:
    """The closest of `allowed` to `value`, whatever the case, or None if nothing is close.

    What lacks only its end, such as a unit, is closest; of several that are equally close it is the
    first.

    >>> nearest("dt", ["dtype", "dt_ms"])
    'dt_ms'
    """
    by_fold: dict[str, str] = {}
    for name in allowed:
        by_fold.setdefault(name.casefold(), name)
    for fold, name in by_fold.items():
        if value and fold.startswith(f"{value.casefold()}_"):
            return name
    # difflib gives the last of equals
    matches = difflib.get_close_matches(value.casefold(), [*by_fold][::-1], n=1, cutoff=0.5)
    return by_fold[matches[0]] if matches else None


class UnknownArgumentError(JtfneError, TypeError):
    """A keyword that a function does not take."""


def names_arguments(function: Callable_) -> Callable_:
    """A decorator: a keyword that the function does not take is refused with the nearest one.

    >>> @names_arguments
    ... def run(dt_ms): ...
    >>> run(dt=5)
    Traceback (most recent call last):
    jtfne._check.UnknownArgumentError: unknown argument 'dt'; expected 'dt_ms'; nearest: 'dt_ms' (in run)
    """
    parameters = inspect.signature(function).parameters
    kinds = {parameter.kind for parameter in parameters.values()}
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return function
    own_name = function.__name__
    is_method = next(iter(parameters), None) in ("self", "cls")
    names = [name for name in parameters if name not in ("self", "cls")]
    known = frozenset(names)

    @functools.wraps(function)
    def call(*positional: Any, **keywords: Any) -> Any:
        if not known.issuperset(keywords):
            where = own_name
            if is_method and positional:
                first = positional[0]
                owner = first if isinstance(first, type) else type(first)
                where = owner.__name__ + ("" if own_name == "__init__" else f".{own_name}")
            unknown = next(name for name in keywords if name not in known)
            closest = nearest(unknown, names)
            hint = f"; nearest: {closest!r}" if closest else ""
            listing = ", ".join(map(repr, names)) or "no argument"
            raise UnknownArgumentError(
                f"unknown argument {unknown!r}; expected {listing}{hint} (in {where})"
            )
        return function(*positional, **keywords)

    return cast(Callable_, call)


def names_methods(cls: Class_) -> Class_:
    """A class decorator: `names_arguments` for every public method that the class defines."""
    for name, member in list(vars(cls).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, classmethod):
            setattr(cls, name, classmethod(names_arguments(member.__func__)))
        elif inspect.isfunction(member):
            setattr(cls, name, names_arguments(member))
    return cls


def names_fields(cls: Class_) -> Class_:
    """A class decorator: `names_arguments` for the constructor, above that of `dataclasses`."""
    cls.__init__ = names_arguments(cls.__init__)  # type: ignore[misc]
    return cls


def check_name(name: Any, subject: str, where: str) -> str:
    """`name`, if every file format and every screen can hold it as it is.

    Names of areas, layers, cell types, conditions and the like, and labels of stimuli, all pass
    through here. Control characters and NUL end a text or begin a command in some formats, a lone
    surrogate is no Unicode text, and a blank at an end is lost by readers that strip.

    Raises
    ------
    JtfneError
        For anything but a text of printable characters without a blank at either end.

    Examples
    --------
    >>> check_name("V1 äußerlich", "the name", "Config.circuit")
    'V1 äußerlich'
    """
    if not isinstance(name, str) or not name or name != name.strip() or not name.isprintable():
        raise refuse(
            f"{subject} {describe_value(name)}",
            "printable characters, no blank at either end",
            where,
        )
    return name


def one_of(value: object, allowed: Iterable[str], *, name: str, where: str) -> str:
    """`value`, if it is one of `allowed`.

    Raises: JtfneError, with the allowed values and the nearest of them; also for what is no text.
    >>> one_of("L23", ["L2/3", "L4"], name="layer", where="Config.circuit")
    Traceback (most recent call last):
    jtfne._check.JtfneError: unknown layer 'L23'; expected 'L2/3', 'L4'; nearest: 'L2/3' (in Config.circuit)
    """
    choices = list(allowed)
    # `in` alone asks an array which of its values is meant
    if isinstance(value, str) and value in choices:
        return value
    choices_text = ", ".join(repr(choice) for choice in choices) or "nothing"
    close = nearest(value, choices) if isinstance(value, str) else None
    hint = f"; nearest: {close!r}" if close else ""
    subject = "unknown {} {}" if isinstance(value, str) else "got {}={}"
    problem = subject.format(name, describe_value(value))
    raise JtfneError(f"{problem}; expected {choices_text}{hint} (in {where})")


def in_range(value: float, limit: Limit, *, name: str, where: str) -> float:
    """`value`, if it is a finite number within `limit`.

    Text, arrays, None and True are refused alike.

    Raises: JtfneError.
    >>> in_range("5", POSITIVE, name="bin_ms", where="rates")
    Traceback (most recent call last):
    jtfne._check.JtfneError: got bin_ms='5'; expected a finite number in (0, inf) (in rates)
    """
    if not limit.holds(value):
        raise refuse(f"{name}={describe_value(value)}", f"a finite number in {limit}", where)
    return value


def number(value: object, limit: Limit = FINITE, *, name: str, where: str) -> float:
    """`value` as a float; what is allowed is as `in_range` says. Raises: JtfneError."""
    return float(in_range(value, limit, name=name, where=where))  # type: ignore[arg-type]  # it checks the type


def whole_number(value: object, limit: Limit = FINITE, *, name: str, where: str) -> int:
    """`value` as an int, if it is a whole number within `limit`; 5.0 is not taken for 5.
    Raises: JtfneError.

    >>> whole_number(2.5, Limit(low=1), name="n_draws", where="flip_null")
    Traceback (most recent call last):
    jtfne._check.JtfneError: got n_draws=2.5; expected a whole number in [1, inf) (in flip_null)
    """
    integer = _as_number(value)
    if not isinstance(integer, int) or not limit.holds(integer):
        raise refuse(f"{name}={describe_value(value)}", f"a whole number in {limit}", where)
    return integer


def _as_number(value: object) -> int | float | None:
    """`value` as a Python number if it is a real one that a float can hold, else None.

    An array without dimensions, as numpy and JAX give for one number, is a number; True and False
    are not.
    """
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        if getattr(value, "shape", None) != () or getattr(dtype, "kind", "") not in ("i", "u", "f"):
            return None  # timedelta64 too, which numpy derives from its integers
        if getattr(value, "mask", False):
            return None  # the entry of a masked array that is masked
        value = value.item()  # type: ignore[attr-defined]  # what has dtype and shape has it
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    try:
        number_read = float(value)
    except (OverflowError, ValueError):
        return None
    if not math.isfinite(number_read):
        return None
    return int(value) if isinstance(value, numbers.Integral) else number_read


def describe_value(value: Any) -> str:
    """`value` in one line for an error: text and numbers as written, arrays by type and shape."""
    shape = getattr(value, "shape", None)
    if shape is not None and (len(shape) if isinstance(shape, tuple) else 0) > 0:
        return f"{_with_article(type(value).__name__)} of shape {shape}"
    try:
        text = repr(value)
    # integers of more than 4,300 digits, lists nested too deep
    except (ValueError, RecursionError):
        return _with_article(type(value).__name__)
    if "\n" in text or " at 0x" in text:
        return _with_article(type(value).__name__)
    if len(text) > LONGEST:
        return f"{text[:LONGEST]}... ({_with_article(type(value).__name__)})"
    return text


def _with_article(noun: str) -> str:
    """`noun` with "a" or "an" before it."""
    noun = "array" if noun == "ndarray" else noun
    return f"{'an' if noun[:1].lower() in ('a', 'e', 'i', 'o', 'u') else 'a'} {noun}"


def narrow_dtype(values: Any, dtype: Any, *, name: str, where: str) -> npt.NDArray[Any]:
    """`values` as an array of `dtype`: integers as they are, floats rounded.

    Numpy's `astype` wraps an integer that does not fit, 65,536 in 16 bits to 0, and makes a float
    infinite. Every array that is made narrower goes through here, unless what it holds cannot be
    too large by construction. Raises: JtfneError for a number that is out of the range of `dtype`,
    or not whole where it must be.

    >>> narrow_dtype([1, 32_767], np.int16, name="count", where="here").tolist()
    [1, 32767]
    """
    array = np.asarray(values)
    if np.dtype(dtype).kind == "f":
        largest = float(np.finfo(dtype).max)
        is_too_large = (
            np.isfinite(array) & (np.abs(array) > largest)
            if array.dtype.itemsize > np.dtype(dtype).itemsize
            else None
        )
        if is_too_large is not None and is_too_large.any():
            raise refuse(
                f"{name}={array[is_too_large].ravel()[0]:g}",
                f"at most {largest:.2g} in {np.dtype(dtype)}",
                where,
            )
        return array.astype(dtype)
    limits = np.iinfo(dtype)
    if array.size and not np.can_cast(array.dtype, dtype):
        low, high = array.min(), array.max()
        if not (limits.min <= low and high <= limits.max):  # NaN fails both comparisons
            extreme = low if not limits.min <= low else high
            raise refuse(
                f"{name}={extreme}", f"whole numbers from {limits.min} to {limits.max}", where
            )
        if array.dtype.kind == "f" and not np.array_equal(array, np.floor(array)):
            raise refuse(f"{name}={array[array != np.floor(array)][0]}", "whole numbers", where)
    return array.astype(dtype)


def import_extra(package: str, extra: str, where: str) -> Any:
    """The package that an extra of jtfne installs, imported.

    Raises: JtfneError where it is not installed.

    >>> import_extra("no_such_package", "nwb", "to_nwb")
    Traceback (most recent call last):
    jtfne._check.JtfneError: to_nwb needs no_such_package; install it with: pip install "jtfne[nwb]"
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.partition(".")[0]:
            raise
        raise JtfneError(
            f'{where} needs {package}; install it with: pip install "jtfne[{extra}]"'
        ) from None
