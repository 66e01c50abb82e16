"""Every public object has a runnable example in its own docstring; tests/test_doctests.py runs it.

`MISSING` lists the objects that have none yet. It may only shrink: an object without an example
that it does not list fails, and so does one with an example that it still lists.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pydantic
import pytest

MODULES = (
    "jtfne",
    "jtfne.analysis",
    "jtfne.analysis.figures",
    "jtfne.config",
    "jtfne.emitters",
    "jtfne.interop",
    "jtfne.measures",
    "jtfne.operators",
    "jtfne.optimizers",
    "jtfne.presets",
    "jtfne.readouts",
    "jtfne.stimuli",
    "jtfne.surrogates",
    "jtfne.synapses",
)
CLASSES = ("Config", "Net", "Paradigm", "Signals")  # of jtfne; their public methods count too

MISSING: list[str] = []
DOCS = Path(__file__).parents[1] / "docs"
REFERENCE = ("api.rst", "config_reference.rst")


def list_methods(cls: type) -> Iterator[tuple[str, object]]:
    """Yield name and function of every public method, but those that pydantic gives every model."""
    for name, member in inspect.getmembers_static(cls):
        function = getattr(member, "__func__", member)  # of a classmethod or a staticmethod
        is_own = inspect.isfunction(function) and not hasattr(pydantic.BaseModel, name)
        if is_own and not name.startswith("_"):
            yield name, function


def list_public_objects() -> dict[str, object]:
    """Every public class and function once, by its public name; then the methods."""
    objects: dict[int, tuple[str, object]] = {}
    for module_name in sorted(MODULES, key=lambda name: name.count("."), reverse=True):
        module = importlib.import_module(module_name)
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                objects.setdefault(id(value), (f"{module_name}.{name}", value))
    public = dict(objects.values())
    jtfne = importlib.import_module("jtfne")
    for class_name in CLASSES:
        for name, function in list_methods(getattr(jtfne, class_name)):
            public[f"jtfne.{class_name}.{name}"] = function
    return dict(sorted(public.items()))


def has_example(value: object) -> bool:
    """Whether the docstring of an object, its own and not an inherited one, has an example."""
    return ">>>" in (vars(value).get("__doc__") or getattr(value, "__doc__", None) or "")


PUBLIC = list_public_objects()


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_object_has_an_example_or_is_listed(name: str) -> None:
    assert has_example(PUBLIC[name]) == (name not in MISSING)


def test_every_public_object_has_a_page_in_the_reference() -> None:
    pages = "".join((DOCS / name).read_text(encoding="utf-8") for name in REFERENCE)
    entries = re.findall(r"^   (jtfne\.[\w.]+)$", pages, flags=re.MULTILINE)
    assert len(set(entries)) == len(entries)
    listed = set()
    for entry in entries:
        module_name, _, name = entry.rpartition(".")
        listed.add(id(getattr(importlib.import_module(module_name), name)))
    methods = tuple(f"jtfne.{name}." for name in CLASSES)  # on the page of their class
    missing = []
    for name, value in PUBLIC.items():
        if not name.startswith(methods) and id(value) not in listed:
            missing.append(name)
    assert missing == ["jtfne.config.Frozen"]  # what declarations derive from


def test_the_list_is_sorted_and_names_public_objects() -> None:
    assert sorted(set(MISSING)) == MISSING
    assert set(MISSING) <= set(PUBLIC)
