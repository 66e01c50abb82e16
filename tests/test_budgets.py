"""Files and functions stay small; one over budget does a second thing, which wants its own name."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("jtfne", "analysis", "interop")
FILES = sorted({path.resolve() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")})
FILE_LINES, FUNCTION_LINES = 500, 80
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def over_budget(path: Path) -> Iterator[str]:
    """What of a file is too long, with its number of lines."""
    text = path.read_text(encoding="utf-8")
    n_lines = len(text.splitlines())
    if n_lines > FILE_LINES:
        yield f"{path}: {n_lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, FUNCTIONS) and node.end_lineno - node.lineno >= FUNCTION_LINES:
            yield f"{path}:{node.lineno}: {node.name} has {node.end_lineno - node.lineno + 1} lines"


def undocumented(path: Path) -> Iterator[str]:
    """The public functions and classes of a file, and public methods of those, that have no
    docstring.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not ast.get_docstring(tree):
        yield f"{path}: no docstring"
    classes = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    for owner in (tree, *classes):
        for node in owner.body:
            is_public = isinstance(node, (ast.ClassDef, *FUNCTIONS)) and not node.name.startswith(
                "_"
            )
            if is_public and not ast.get_docstring(node):
                yield f"{path}:{node.lineno}: {node.name} has no docstring"


def test_files_and_functions_are_within_budget() -> None:
    assert [message for path in FILES for message in over_budget(path)] == []


def test_public_things_are_documented() -> None:
    assert [message for path in FILES for message in undocumented(path)] == []
