"""pydantic's complaints in jtfne's one voice: one line a problem, each saying where."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pydantic

from jtfne._check import JtfneError, list_problems, one_of, refuse

HERE = "@"  # as `where` of an error that is raised inside a validator: the path is filled in outside
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
    """One thing refused: where it lies, and a message in which HERE stands for that place."""

    place: Place
    message: str


class ConfigError(JtfneError):
    """A declaration that is refused; `problems` keeps each place, so that the whole can name it in full."""

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


def refused(root: str, problems: Iterable[Problem]) -> ConfigError:
    """The error that lists `problems` found under `root`, one a line."""
    found = tuple(dict.fromkeys(problems))
    lines = (_placed(problem.message, root, problem.place) for problem in found)
    return ConfigError(list_problems(lines), found)


def problems_of(error: pydantic.ValidationError, tags: frozenset[str]) -> list[Problem]:
    """Every problem in a pydantic error, those found by a nested model too; `tags` of unions leave the path."""
    found: list[Problem] = []
    for line in error.errors(include_url=False):
        place = tuple(step for step in line["loc"] if step not in tags and step != "[key]")
        cause = line.get("ctx", {}).get("error")
        if isinstance(cause, ConfigError) and cause.problems:
            found += [Problem((*place, *inner.place), inner.message) for inner in cause.problems]
        elif isinstance(cause, ValueError):
            found += [Problem(place, message) for message in str(cause).splitlines()]
        else:
            found.append(Problem(place, _in_our_voice(line["type"], line["msg"], line.get("ctx", {}), line, place)))
    return found


def _in_our_voice(kind: str, text: str, about: dict[str, Any], line: Any, place: Place) -> str:
    """One pydantic complaint as `_check` would have said it."""
    name = next((step for step in reversed(place) if isinstance(step, str)), "value")
    if kind == "missing":
        return f"{name!r} is missing; allowed: a value for it (in {HERE})"
    if kind in ("union_tag_invalid", "literal_error", "enum"):
        known = re.findall(r"'([^']*)'", about.get("expected_tags") or about.get("expected", ""))
        given = about.get("tag", line["input"])
        return unknown(str(given), known, name="kind" if "tag" in about else name) or text
    if kind == "union_tag_not_found":
        return str(refuse(f"{name}={_short(line['input'])}", "a number or an object of a known kind", HERE))
    allowed = _ALLOWED.get(kind, text[:1].lower() + text[1:])
    return str(refuse(f"{name}={_short(line['input'])}", allowed.format(**about), HERE))


def unknown(value: str, allowed: Iterable[str], *, name: str, where: str = HERE) -> str | None:
    """What `one_of` has to say against `value`, or None if it is allowed."""
    try:
        one_of(value, allowed, name=name, where=where)
    except JtfneError as error:
        return str(error)
    return None


def duplicates(names: Sequence[str], *, name: str) -> None:
    """Raises: JtfneError if one of `names` comes twice."""
    seen: set[str] = set()
    for text in names:
        if text in seen:
            raise refuse(f"{name}={text!r}, given twice,", "each name once", HERE)
        seen.add(text)


def _placed(message: str, root: str, place: Place) -> str:
    """`message` with its place written out."""
    path = root
    for step in place:
        plain = isinstance(step, str) and step.isidentifier()
        path += f".{step}" if plain else f"[{step!r}]"
    return message.replace(f"(in {HERE}", f"(in {path}") if f"(in {HERE}" in message else message


def _short(value: object) -> str:
    """`value` as written, cut if long."""
    try:
        text = repr(value)
    except RecursionError:
        return f"a {type(value).__name__} nested too deep"
    return text if len(text) <= 80 else f"{text[:77]}..."
