"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import jtfne

MODULES = ["jtfne", *(module.name for module in pkgutil.walk_packages(jtfne.__path__, "jtfne."))]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # an example may write a file
    result = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert result.failed == 0, (
        f"{result.failed} of {result.attempted} examples of {name} failed; see the captured output"
    )


def test_the_walk_finds_the_wings_and_there_are_examples() -> None:
    assert {"jtfne.analysis", "jtfne.interop", "jtfne.emitters.lif"} <= set(MODULES)
    finder = doctest.DocTestFinder()
    found = (finder.find(importlib.import_module(name)) for name in MODULES)
    assert sum(len(test.examples) for tests in found for test in tests) >= 20
