"""Variations of a config: another value at a path, and what differs between two configs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from jtfne._arguments import check_text
from jtfne._check import describe_value, nearest, refuse
from jtfne.config.labels import connection_labels
from jtfne.config.parameter_paths import FAMILIES, find_place, list_places
from jtfne.config.parameter_values import ConfigLike, replace_values
from jtfne.pydantic_fields.custom_parts import code_allowed

AnyConfig = TypeVar("AnyConfig", bound=ConfigLike)
WHERE = "Config.set"
STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
LABEL_KEYS = ("label", "name", "kind")
ABSENT = "(absent)"
SHOWN = 12  # known keys that a message lists
LONGEST = 60  # characters of a value that is printed


class ConfigDifference(dict[str, tuple[Any, Any]]):
    """What differs between two configs: path -> value of the first, value of the second; it prints as a table."""

    def __repr__(self) -> str:
        """A line for each path."""
        if not self:
            return "no difference"
        width = max(map(len, self))
        lines = []
        for path, (first, second) in self.items():
            lines.append(f"{path:{width}}  {_shorten(first)} -> {_shorten(second)}")
        return "\n".join(lines)


def set_value(config: AnyConfig, path: str, value: Any) -> AnyConfig:
    """Copy a config with another value at `path`: that of a Trainable, or the place in `to_dict()`.

    Entries of lists are found by their number, label, name or kind.
    Raises: JtfneError for an unknown path, with the nearest one, and for a bad value.
    """
    check_text(path, name="path", where=WHERE)
    if is_parameter(path):
        place = find_place(path, list_places(config.circuit), WHERE)
        return replace_values(config, {place: value})
    tree = config.to_dict()
    labels = {"circuit.connections": connection_labels(config.circuit.connections)}
    node: Any = tree
    keys = [number or name for number, name in STEP.findall(path)]
    if not keys:
        raise refuse("an empty path", "such as 'cells.E.drive' or 'run.dt_ms'", WHERE)
    for depth, key in enumerate(keys):
        place_name = ".".join(keys[:depth])
        step = _find_key(node, key, place_name, labels.get(place_name))
        if depth == len(keys) - 1:
            node[step] = value
        else:
            node = node[step]
    with code_allowed(True):  # the parts of one's own exist already
        return type(config).model_validate(tree)


def is_parameter(path: str) -> bool:
    """Whether a path names a parameter of a complete circuit, as that of a Trainable does."""
    return path.partition(".")[0] in FAMILIES


def merge_tables(old: Mapping[str, Any], new: Any, depth: int = 1) -> Any:
    """`old` with the entries of `new`; to a depth of 2, the entries of an entry merge as well.

    What is no table is left to the check of the field.
    """
    if not isinstance(new, Mapping):
        return new
    merged = dict(old)
    for name, entry in new.items():
        inner = merged.get(name)
        merges = depth > 1 and isinstance(inner, Mapping)
        merged[name] = merge_tables(inner, entry, depth - 1) if merges and inner else entry
    return merged


def compare_configs(config: ConfigLike, other: ConfigLike) -> ConfigDifference:
    """What differs: path -> (value of `config`, value of `other`)."""
    sides = (config, other)
    labels = {
        "circuit.connections": [connection_labels(side.circuit.connections) for side in sides]
    }
    return ConfigDifference(_compare(config.to_dict(), other.to_dict(), "", labels))


def _compare(
    first: Any, second: Any, path: str, labels: Mapping[str, Sequence[Sequence[str]]]
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Each path at which two values differ, and both; entries of lists of tables by their names.

    labels: the names of both lists at a path, where they are not those of `_label_entries`.
    """
    if first == second:
        return
    tables: list[Any] = [first, second]
    form = "{path}.{name}" if path else "{name}"
    if all(isinstance(side, list) and _holds_tables(side) for side in tables):
        names = labels.get(path) or [_label_entries(side) for side in tables]
        for side in (0, 1):
            tables[side] = dict(zip(names[side], tables[side], strict=True))
        form = "{path}[{name}]"
    if not all(isinstance(side, dict) for side in tables):
        yield path, (first, second)
        return
    for name in dict.fromkeys([*tables[0], *tables[1]]):
        inner = [side.get(name, ABSENT) for side in tables]
        yield from _compare(inner[0], inner[1], form.format(path=path, name=name), labels)


def _holds_tables(entries: Sequence[Any]) -> bool:
    """Whether all entries of a list are tables."""
    return all(isinstance(entry, dict) for entry in entries)


def _label_entries(entries: Sequence[Any]) -> list[str]:
    """A name for each entry of a list: its label, name or kind, with #2, #3 where it comes again."""
    names: list[str] = []
    for number, entry in enumerate(entries):
        labels = [entry[key] for key in LABEL_KEYS if isinstance(entry, dict) and entry.get(key)]
        name = str(labels[0]) if labels else str(number)
        count = sum(earlier.partition("#")[0] == name for earlier in names)
        names.append(name if not count else f"{name}#{count + 1}")
    return names


def _find_key(node: Any, key: str, path: str, labels: Sequence[str] | None) -> Any:
    """The key or index in a table or list that a step of a path names.

    Raises: JtfneError with the keys that exist.
    """
    names: list[str] = []
    if isinstance(node, dict):
        if key in node:
            return key
        names = [str(name) for name in node]
    elif isinstance(node, list):
        if key.isdecimal() and int(key) < len(node):
            return int(key)
        names = list(labels or _label_entries(node))
        if key in names:
            return names.index(key)
    where = path or "a config"
    if not names:
        raise refuse(f"{key!r} in {where}, which is {describe_value(node)},", "its value", WHERE)
    if not path:
        names += FAMILIES
    listing = ", ".join(map(repr, names[:SHOWN]))
    if len(names) > SHOWN:
        listing += f", ... ({len(names)} in all)"
    closest = nearest(key, names)
    hint = f"; nearest: {closest!r}" if closest else ""
    raise refuse(f"{key!r} in {where}", f"{listing}{hint}", WHERE)


def _shorten(value: Any) -> str:
    """`repr(value)`, with the middle left out where it is long."""
    text = value if value == ABSENT else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 15]} ... {text[-10:]}"
