"""Tutorials begin with a question, are scripts of text and code, and name what there is."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TUTORIALS = sorted((ROOT / "tutorials").glob("[0-9][0-9]_*.py"))


def test_there_are_seven_and_a_page_that_holds_them() -> None:
    assert [path.name[:2] for path in TUTORIALS] == [f"{k:02d}" for k in range(1, 8)]
    assert "tutorials/index" in (ROOT / "docs/index.rst").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_asks_a_question_first_and_says_what_one_will_see(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    title, rule, blank, question, *_ = docstring.splitlines()
    assert set(rule) == {"="} and len(rule) == len(title) and not blank
    assert question.startswith("**Question: ") and "?" in docstring and "You will see" in docstring
    assert text.count("# %%") >= 6
    words = len(re.findall(r"\w+", text))
    assert words < 2000, "ten minutes of reading"


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_every_name_of_jtfne_that_a_tutorial_imports_is_public(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("jtfne"):
            module = importlib.import_module(str(node.module))
            assert "._" not in str(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name) and not alias.name.startswith("_"), alias.name


@pytest.mark.slow
def test_the_first_tutorial_runs_as_a_notebook() -> None:
    pytest.importorskip("sphinx_gallery", reason="the group docs is not installed")
    execute = importlib.import_module("tutorials.execute")
    assert execute.execute(TUTORIALS[0]) == []
