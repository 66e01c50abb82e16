"""`python tutorials/execute.py [NAME ...]`: execute tutorials as notebooks, and say how long each took.

Ends with 1 where a cell fails, or writes a warning.
"""

import sys
import tempfile
import time
from pathlib import Path

import nbclient
import nbformat
from sphinx_gallery.py_source_parser import split_code_and_text_blocks

HERE = Path(__file__).parent


def list_tutorials() -> list[Path]:
    """The tutorials, in order."""
    return sorted(HERE.glob("[0-9][0-9]_*.py"))


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """The notebook of a tutorial: cells of text, and of code."""
    _, blocks = split_code_and_text_blocks(str(path))
    cells = []
    for kind, content, _ in blocks:
        make_cell = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        cells.append(make_cell(content.strip("\n")))
    return nbformat.v4.new_notebook(cells=cells)


def execute(path: Path) -> list[str]:
    """Execute a tutorial in an empty folder; return what was wrong."""
    notebook = read_notebook(path)
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute()
        except nbclient.exceptions.CellExecutionError as error:
            return [str(error)]
    problems = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream" and "Warning" in output["text"]:
                problems.append(output["text"])
    return problems


def main(names: list[str]) -> int:
    """Execute the tutorials of these names, or all."""
    n_failed = 0
    for path in list_tutorials():
        if names and path.stem not in names:
            continue
        start_s = time.perf_counter()
        problems = execute(path)
        n_failed += bool(problems)
        print(
            f"{path.stem}: {time.perf_counter() - start_s:.0f} s", *problems, sep="\n", flush=True
        )
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
