"""Translation of pydantic's errors into JtfneErrors: one line a problem, with its place."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pydantic

from jtfne._check import JtfneError, describe_value, list_problems, one_of, refuse

# as `where` of an error that is raised inside a validator: the path is filled in outside
HERE = "@"
Place = tuple[str | int, ...]

_ALLOWED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
    "string_unicode": "printable characters, no blank at either end",
    "string_too_short": "a text that is not empty",
    "string_pattern_mismatch": "printable characters, no blank at either end",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
    "greater_than": "a finite number above {gt:g}",
    "greater_than_equal": "a finite number of at least {ge:g}",
    "less_than": "a finite number below {lt:g}",
    "less_than_equal": "a finite number of at most {le:g}",
    "too_short": "at least {min_length} entries, not {actual_length}",
    "too_long": "at most {max_length} entries, not {actual_length}",
}


class Problem(NamedTuple):
    """One error: its place, and a message in which HERE stands for that place."""

    place: Place
    message: str


class ConfigError(JtfneError):
    """Error of a declaration; `problems` keeps places, which an outer declaration prepends to."""

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


def build_error(root: str, problems: Iterable[Problem]) -> ConfigError:
    """Build the ConfigError that lists `problems`, one a line, with paths that start at `root`."""
    distinct_problems = tuple(dict.fromkeys(problems))
    lines = (_fill_in_place(problem.message, root, problem.place) for problem in distinct_problems)
    return ConfigError(list_problems(lines), distinct_problems)


def collect_problems(error: pydantic.ValidationError, tags: frozenset[str]) -> list[Problem]:
    """The problems in a pydantic error, with those of nested models.

    tags: discriminators of unions, which pydantic puts into paths and which are taken out.
    """
    problems: list[Problem] = []
    for line in error.errors(include_url=False):
        place = tuple(step for step in line["loc"] if step not in tags and step != "[key]")
        cause = line.get("ctx", {}).get("error")
        if isinstance(cause, ConfigError) and cause.problems:
            problems += [Problem((*place, *inner.place), inner.message) for inner in cause.problems]
        elif isinstance(cause, ValueError):
            problems += [Problem(place, message) for message in str(cause).splitlines()]
        else:
            problems.append(
                Problem(
                    place,
                    _translate_problem(line["type"], line["msg"], line.get("ctx", {}), line, place),
                )
            )
    return problems


def _translate_problem(
    kind: str, text: str, context: dict[str, Any], line: Any, place: Place
) -> str:
    """Reword one error of pydantic in the form of `_check.refuse`.

    kind, text, context: pydantic's `type`, `msg` and `ctx`. line: the whole entry.
    """
    name = next((step for step in reversed(place) if isinstance(step, str)), "value")
    if kind == "missing":
        return f"{name!r} is missing; expected a value for it (in {HERE})"
    if kind in ("union_tag_invalid", "literal_error", "enum"):
        allowed_names = re.findall(
            r"'([^']*)'", context.get("expected_tags") or context.get("expected", "")
        )
        value = context.get("tag", line["input"])
        return (
            describe_unknown(str(value), allowed_names, name="kind" if "tag" in context else name)
            or text
        )
    if kind == "union_tag_not_found":
        return str(
            refuse(
                f"{name}={_shorten(line['input'])}", "a number or an object of a known kind", HERE
            )
        )
    allowed = _ALLOWED.get(kind, text[:1].lower() + text[1:])
    return str(refuse(f"{name}={_shorten(line['input'])}", allowed.format(**context), HERE))


def describe_refusal(description: str, allowed: str, where: str) -> str:
    """The message of `refuse`: `description` was given, `allowed` expected."""
    return str(refuse(description, allowed, where))


def describe_unknown(
    value: str, allowed: Iterable[str], *, name: str, where: str = HERE
) -> str | None:
    """The message of `one_of` if `value` is not allowed, else None."""
    try:
        one_of(value, allowed, name=name, where=where)
    except JtfneError as error:
        return str(error)
    return None


def refuse_duplicates(names: Sequence[str], *, name: str) -> None:
    """Raises: JtfneError if one of `names` comes twice."""
    earlier_names: set[str] = set()
    for text in names:
        if text in earlier_names:
            raise refuse(f"{name}={describe_value(text)}, given twice,", "each name once", HERE)
        earlier_names.add(text)


def _fill_in_place(message: str, root: str, place: Place) -> str:
    """Replace HERE in `message` by the path of `place`, from `root`."""
    path = root
    for step in place:
        plain = isinstance(step, str) and step.isidentifier()
        path += f".{step}" if plain else f"[{step!r}]"
    return message.replace(f"(in {HERE}", f"(in {path}") if f"(in {HERE}" in message else message


def _shorten(value: object) -> str:
    """The repr of `value`, cut to 80 characters."""
    try:
        text = repr(value)
    except RecursionError:
        return f"a {type(value).__name__} nested too deep"
    return text if len(text) <= 80 else f"{text[:77]}..."
