"""Variations of a config: another value at a path, and what differs between two configs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from jtfne._arguments import check_text
from jtfne._check import JtfneError
from jtfne.config.labels import connection_labels
from jtfne.config.parameter_paths import FAMILIES, find_place, list_places
from jtfne.config.parameter_values import ConfigLike, replace_values
from jtfne.config.tree_paths import find_keys, label_entries, set_in_tree

AnyConfig = TypeVar("AnyConfig", bound=ConfigLike)
WHERE = "Config.set"
ABSENT = "(absent)"
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
        places = list_places(config.circuit)
        if path in places:
            return replace_values(config, {places[path]: value})
        if not _is_in_tree(config, path):
            find_place(path, places, WHERE)  # refuses it, with the nearest
    changed: AnyConfig = set_in_tree(config, {path: value}, WHERE)
    return changed


def _is_in_tree(config: ConfigLike, path: str) -> bool:
    """Whether a path of several steps leads to a place in `to_dict()`."""
    if "." not in path:
        return False
    labels = connection_labels(config.circuit.connections)
    try:
        find_keys(config.to_dict(), path, labels, WHERE)
    except JtfneError:
        return False
    return True


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

    labels: the names of both lists at a path, where they are not those of `label_entries`.
    """
    if first == second:
        return
    tables: list[Any] = [first, second]
    form = "{path}.{name}" if path else "{name}"
    if all(isinstance(side, list) and _holds_tables(side) for side in tables):
        names = labels.get(path) or [label_entries(side) for side in tables]
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


def _shorten(value: Any) -> str:
    """`repr(value)`, with the middle left out where it is long."""
    text = value if value == ABSENT else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 15]} ... {text[-10:]}"
