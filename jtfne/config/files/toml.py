"""A small TOML writer: one table a section, everything below it inline. tomllib reads."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from jtfne import _json
from jtfne._check import refuse

_WIDTH = 100


def loads(text: str, where: str) -> dict[str, Any]:
    """The table of a TOML text.

    Raises: JtfneError for broken syntax, long numbers, and tables nested too deeply.
    """
    try:
        table = tomllib.loads(text)
    # TOMLDecodeError, and Python's limit on the digits of a whole number
    except ValueError as error:
        raise refuse(f"this text ({error})", "TOML", where) from None
    except RecursionError:
        allowed = f"a depth of {_json.MAX_DEPTH} or less"
        raise refuse("a text nested more deeply than Python reads", allowed, where) from None
    _json.refuse_deep(table, where)
    return table


def dumps(data: Mapping[str, Any]) -> str:
    """`data`, a mapping of strings to numbers, texts, lists and mappings, as TOML.

    None is left out.

    >>> print(dumps({"a": 1, "b": {"c": ["x", 2.0], "d": None}}), end="")
    a = 1
    <BLANKLINE>
    [b]
    c = ["x", 2.0]
    """
    lines, section_lines = [], []
    for name, value in _list_entries(data):
        if not isinstance(value, Mapping):
            lines.append(f"{_format_key(name)} = {_format_value(value)}")
            continue
        section_lines += ["", f"[{_format_key(name)}]"]
        for entry_name, entry in _list_entries(value):
            section_lines.append(f"{_format_key(entry_name)} = {_format_item(entry)}")
    # what lies in no section has to come before the first
    return "\n".join(lines + section_lines) + "\n"


def _list_entries(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The (key, value) pairs of a table without those that are None."""
    return [(name, value) for name, value in table.items() if value is not None]


def _format_item(value: Any) -> str:
    """Write a value; a long list with one entry a line."""
    text = _format_value(value)
    if len(text) <= _WIDTH or not isinstance(value, list | tuple):
        return text
    return "[\n" + "".join(f"  {_format_value(entry)},\n" for entry in value) + "]"


def _format_value(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, Mapping):
        entries = []
        for name, entry in _list_entries(value):
            entries.append(f"{_format_key(name)} = {_format_value(entry)}")
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_format_value(entry) for entry in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _format_text(value) if isinstance(value, str) else repr(value)


def _format_key(name: str) -> str:
    """Write a key, quoted if need be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _format_text(name)


def _format_text(text: str) -> str:
    """Write a TOML basic string: JSON's escapes, and that of DEL (0x7f), which TOML needs too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
