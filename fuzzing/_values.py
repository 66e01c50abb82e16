"""Values that are odd in one way or another, and how a tree of values is mutated."""

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from hypothesis import strategies as st

NUMBERS = (
    0,
    -1,
    1,
    2,
    0.5,
    0.1,
    -0.0,
    1e-9,
    1e-300,
    5e-324,
    1e300,
    1e12,
    2**15,
    2**16,
    2**31,
    2**32,
    2**63,
    10**30,
)
NOT_FINITE = (math.nan, math.inf, -math.inf)
TEXTS = (
    "",
    " ",
    "E",
    "V1",
    "é",
    "神経",
    "a/b",
    "BAD_x",
    "edge",
    "$\\frac{x$",
    "\x00",
    "\ud800",
    "<b>",
    "x" * 300,
    "1",
)
NESTED = (
    [],
    [[]],
    {},
    [1.0],
    [0.0, math.nan],
    {"kind": "nonsense"},
    {"": None},
    ["E", "E"],
    [None],
    {"E": -1},
)
JSON_VALUES = (None, True, False, *NUMBERS, *NOT_FINITE, *TEXTS, *NESTED)
PYTHON_VALUES = (
    *JSON_VALUES,
    b"E",
    1 + 2j,
    object(),
    int,
    len,
    {1, 2},
    range(3),
    np.float16(0.1),
    np.float32(0.1),
    np.int8(3),
    np.uint64(2**63),
    np.array([]),
    np.zeros((2, 2)),
    np.array(["E"]),
    np.array([None, 1], object),
    np.ma.masked_array([1.0, 2.0], [True, False]),
    np.datetime64("2020-01-01"),
    pd.Series([1.0, 2.0]),
    pd.DataFrame({"E": [1.0]}),
    pd.NaT,
    pd.NA,
    xr.DataArray([1.0, 2.0], dims="time"),
    xr.Dataset(),
)


def json_values() -> st.SearchStrategy[Any]:
    """Draw a value that a JSON or TOML file may hold."""
    drawn = st.one_of(st.floats(), st.integers(), st.text(max_size=8), st.booleans())
    return st.one_of(st.sampled_from(JSON_VALUES), drawn)


DEEPEST = 50  # levels of a tree in which values are changed


def python_values() -> st.SearchStrategy[Any]:
    """Draw a value that a caller may pass."""
    drawn = st.one_of(st.floats(), st.integers(), st.text(max_size=8))
    return st.one_of(st.sampled_from(PYTHON_VALUES), st.sampled_from(PYTHON_VALUES), drawn)


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a tree of dicts and lists, but the root's.

    Values deeper than DEEPEST are left out: a nested list that was drawn may be deeper than the
    interpreter's stack.
    """
    if len(path) >= DEEPEST:
        return
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def value_in(tree: Any, path: tuple[Any, ...]) -> Any:
    """The value at a path."""
    for key in path:
        tree = tree[key]
    return tree


@st.composite
def mutated(draw: st.DrawFn, tree: Any, max_mutations: int = 2) -> tuple[Any, tuple[str, ...]]:
    """Draw a tree with up to `max_mutations` changes, and those in words."""
    tree = copy.deepcopy(tree)
    changes = []
    for _ in range(draw(st.integers(1, max_mutations))):
        paths = list(places(tree))
        if not paths:
            break
        changes.append(_mutate(draw, tree, draw(st.sampled_from(paths))))
    return tree, tuple(changes)


def _mutate(draw: st.DrawFn, tree: Any, path: tuple[Any, ...]) -> str:
    """Change the value at a path in place; say how."""
    parent, key = value_in(tree, path[:-1]), path[-1]
    old = parent[key]
    kinds = ["replace", "replace", "delete", "wrap", "unknown key", "repeat", "swap"]
    kind = draw(
        st.sampled_from([*kinds, "scale", "scale"] if isinstance(old, int | float) else kinds)
    )
    if kind == "delete":
        del parent[key]
    elif kind == "wrap":
        parent[key] = [old]
    elif kind == "unknown key" and isinstance(parent, dict):
        parent[f"{key}x"] = old
    elif kind == "repeat" and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(old))
    elif kind == "swap":
        parent[key] = copy.deepcopy(value_in(tree, draw(st.sampled_from(list(places(tree))))))
    elif kind == "scale":
        parent[key] = old * draw(st.sampled_from((-1, 0, 0.37, 1e-6, 1e6)))
    else:
        kind, parent[key] = "replace", draw(json_values())
    return f"{kind} {'.'.join(map(str, path))}: {old!r:.60} -> {parent[key] if kind != 'delete' else None!r:.60}"
