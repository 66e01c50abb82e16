"""The documentation is true: its Python runs page by page, and its TOML is a circuit."""

import re
import runpy
import textwrap
from pathlib import Path

import pytest

import jtfne

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:(?:   .*)?\n)+)", flags=re.MULTILINE)
PAGES = sorted(path for path in DOCS.glob("*.rst") if BLOCK.search(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(textwrap.dedent(block) for block in BLOCK.findall(page.read_text(encoding="utf-8")))
    exec(compile(code, str(page), "exec"), {})


def test_the_toml_is_a_circuit_that_round_trips() -> None:
    config = jtfne.Config.from_file(DOCS / "circuit.toml")
    assert jtfne.Config.from_toml(config.to_toml()) == config
    assert jtfne.construct(config).n_neurons > 0


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "index.rst").read_text(encoding="utf-8")
    pages = {path.stem for path in (*DOCS.glob("*.rst"), *DOCS.glob("*.md"))} - {"index"}
    assert pages == {line.strip() for line in index.splitlines() if line.strip() in pages}


def test_the_figure_of_tasks_shows_events_averages_and_their_difference() -> None:
    names = runpy.run_path(str(DOCS / "images/tasks.py"))
    left, right = names["figure"](names["run"](n_trials=3, n_cells=40)).axes
    assert sum(len(points.get_offsets()) for points in left.collections) == 6
    lines = {line.get_label(): line.get_ydata() for line in right.lines}
    assert (lines["difference"] == lines["second"] - lines["second omitted"]).all() and lines["difference"].any()
