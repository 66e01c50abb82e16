"""Paths into the tree of a config: any value of `to_dict()`, by keys, numbers and labels."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jtfne._check import describe_value, nearest, refuse
from jtfne.config.labels import connection_labels
from jtfne.config.parameter_paths import FAMILIES
from jtfne.pydantic_fields.custom_parts import code_allowed

STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
PARTS = ("circuit", "task", "readouts")  # a path may begin within one of these
LABEL_KEYS = ("label", "name", "kind")
SHOWN = 12  # known keys that a message lists

Keys = tuple[str | int, ...]


def find_keys(tree: Mapping[str, Any], path: str, labels: Sequence[str], where: str) -> Keys:
    """The keys and indices that lead to `path` in the tree of a config.

    labels: those of the connections. Entries of lists go by number, label, name or kind.
    Raises: JtfneError for an unknown path, with the nearest key.
    """
    steps = [number or name for number, name in STEP.findall(path)]
    if not steps:
        raise refuse("an empty path", "such as 'cells.E.drive' or 'run.dt_ms'", where)
    if steps[0] not in tree:
        parts = [part for part in PARTS if steps[0] in tree[part]]
        steps = [*parts[:1], *steps]
    labels_by_place = {"circuit.connections": labels}
    node: Any = tree
    keys: list[str | int] = []
    for depth, step in enumerate(steps):
        place = ".".join(steps[:depth])
        keys.append(_find_key(node, step, place, labels_by_place.get(place), where))
        if depth < len(steps) - 1:
            node = node[keys[-1]]
    return tuple(keys)


def read_number(tree: Mapping[str, Any], keys: Keys, path: str, where: str) -> float | int:
    """The number at these keys. Raises: JtfneError for anything else there."""
    node: Any = tree
    for key in keys:
        node = node[key]
    if isinstance(node, bool) or not isinstance(node, int | float):
        problem = f"path={path!r}, at which there is {describe_value(node)},"
        inner = [f"{path}.{name}" for name in node] if isinstance(node, dict) else []
        hint = f", such as {', '.join(inner)}" if inner else ""
        raise refuse(problem, f"a path to a number{hint}", where)
    return node


def set_in_tree(config: Any, values: Mapping[str, Any], where: str) -> Any:
    """Copy a config with other values at paths of its tree. Raises: JtfneError.

    A whole float becomes an int where an int is declared.
    """
    tree = config.to_dict()
    labels = connection_labels(config.circuit.connections)
    for path, value in values.items():
        keys = find_keys(tree, path, labels, where)
        node: Any = tree
        for key in keys[:-1]:
            node = node[key]
        old_value = node.get(keys[-1]) if isinstance(node, dict) else node[keys[-1]]
        is_count = isinstance(old_value, int) and not isinstance(old_value, bool)
        if is_count and isinstance(value, float) and value.is_integer():
            value = int(value)
        node[keys[-1]] = value
    with code_allowed(True):  # the parts of one's own exist already
        return type(config).model_validate(tree)


def label_entries(entries: Sequence[Any]) -> list[str]:
    """A name for each entry of a list: its label, name or kind, with #2, #3 where it comes again."""
    names: list[str] = []
    for number, entry in enumerate(entries):
        labels = [entry[key] for key in LABEL_KEYS if isinstance(entry, dict) and entry.get(key)]
        name = str(labels[0]) if labels else str(number)
        count = sum(earlier.partition("#")[0] == name for earlier in names)
        names.append(name if not count else f"{name}#{count + 1}")
    return names


def _find_key(
    node: Any, key: str, path: str, labels: Sequence[str] | None, where: str
) -> str | int:
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
        names = list(labels or label_entries(node))
        if key in names:
            return names.index(key)
        # the ends of a connection are enough where no other has them
        ends = [name.rpartition(":")[0] for name in names]
        if labels and ends.count(key) == 1:
            return ends.index(key)
    place = path or "a config"
    if not names:
        raise refuse(f"{key!r} in {place}, which is {describe_value(node)},", "its value", where)
    if not path:
        names += FAMILIES
    listing = ", ".join(map(repr, names[:SHOWN]))
    if len(names) > SHOWN:
        listing += f", ... ({len(names)} in all)"
    closest = nearest(key, names)
    hint = f"; nearest: {closest!r}" if closest else ""
    raise refuse(f"{key!r} in {place}", f"{listing}{hint}", where)
