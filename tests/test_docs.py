"""The documentation is true: its Python runs page by page, and its TOML is a circuit."""

import ast
import re
import runpy
import textwrap
from pathlib import Path

import pytest
from PIL import Image

import jtfne

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:(?:   .*)?\n)+)", flags=re.MULTILINE)
FOLDERS = (DOCS, DOCS / "developing")
PAGES = sorted(
    path
    for folder in FOLDERS
    for path in folder.glob("*.rst")
    if BLOCK.search(path.read_text(encoding="utf-8"))
)
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
# Where the files of the repository lie; not what tools leave beside them.
CODE = ("analysis", "benchmarks", "docs", "examples", "fuzzing", "interop", "jtfne", "tests")
OURS = ("*.*", ".ci/*", *(f"{folder}/**/*.*" for folder in CODE))
TEXTS = {".cff", ".in", ".json", ".md", ".py", ".rst", ".toml", ".yaml"}
# documents of other projects, cited with the project's name
PUBLISHED = {"SONATA_DEVELOPER_GUIDE.md"}
FOR_CONTRIBUTORS = [CONTRIBUTING, *sorted((DOCS / "developing").glob("*.rst"))]


@pytest.mark.filterwarnings(
    "ignore:The inplace keyword:DeprecationWarning",  # of mne.read_epochs
    "ignore:Some starts and ends are equal:UserWarning",  # of pynapple, of trials that touch
)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(
        textwrap.dedent(block) for block in BLOCK.findall(page.read_text(encoding="utf-8"))
    )
    exec(compile(code, str(page), "exec"), {})


def test_the_toml_is_a_circuit_that_round_trips() -> None:
    config = jtfne.Config.from_file(ROOT / "jtfne/cli/circuit.toml")
    assert jtfne.Config.from_toml(config.to_toml()) == config
    assert jtfne.construct(config).n_neurons > 0


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_page_is_in_the_index(folder: Path) -> None:
    index = (folder / "index.rst").read_text(encoding="utf-8")
    pages = {path.stem for path in (*folder.glob("*.rst"), *folder.glob("*.md"))} - {"index"}
    assert pages == {line.strip() for line in index.splitlines() if line.strip() in pages}


def test_the_figure_of_tasks_shows_events_averages_and_their_difference() -> None:
    names = runpy.run_path(str(DOCS / "images/tasks.py"))
    left, right = names["figure"](names["run"](n_trials=3, n_cells=40)).axes
    assert sum(len(points.get_offsets()) for points in left.collections) == 6
    lines = {line.get_label(): line.get_ydata() for line in right.lines}
    assert (lines["difference"] == lines["second"] - lines["second omitted"]).all() and lines[
        "difference"
    ].any()


# What contributors read


def list_texts() -> list[Path]:
    """The text files of the repository."""
    return sorted(
        {
            path
            for pattern in OURS
            for path in ROOT.glob(pattern)
            if path.suffix in TEXTS and path.is_file()
        }
    )


def test_nothing_cites_a_document_that_is_not_here() -> None:
    """A document in capitals (`NAME.md`) that is cited is at the top; references are papers, or a
    page of docs/.
    """
    cited = re.compile(
        r"\b([A-Z][A-Z_]+[.]md)\b|\b((?:REFERENCES|INTEROP),? [0-9]\w?)|(shared/[A-Z]+)"
    )
    texts = list_texts()
    assert len(texts) > 300 and {"README.md", "noxfile.py"} <= {path.name for path in texts}
    here = {path.name for path in ROOT.glob("*.md")} | {"NAME.md", *PUBLISHED}
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts
        for match in cited.finditer(path.read_text(encoding="utf-8"))
        if match[0] not in here
    }
    assert found == set()


@pytest.mark.parametrize("page", FOR_CONTRIBUTORS, ids=lambda page: page.stem)
def test_paths_on_a_page_for_contributors_exist(page: Path) -> None:
    """NAME stands for a file that the reader makes."""
    named = re.compile(
        r"`((?:analysis|benchmarks|docs|examples|fuzzing|interop|jtfne|tests)/[\w./*-]+)`"
    )
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text) if page.suffix == ".md" else []
    paths = [path for path in (*named.findall(text), *links) if "NAME" not in path]
    assert [path for path in paths if not list(ROOT.glob(path.rstrip("/")))] == []


def test_contributing_lists_the_sessions_of_nox() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    sessions = {
        node.name
        for node in functions
        if any("nox.session" in ast.unparse(by) for by in node.decorator_list)
    }
    assert sessions >= {"tests", "lint"}
    assert (
        set(
            re.findall(
                r"^\| `nox -s (\w+)` \|", CONTRIBUTING.read_text(encoding="utf-8"), re.MULTILINE
            )
        )
        == sessions
    )


def test_the_quick_session_names_files_that_there_are() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    (names,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "QUICK_FILES"
    )
    assert len(names) > 10
    for name in names:
        path, _, test = name.partition("::")
        assert f"def {test}" in (ROOT / path).read_text(encoding="utf-8"), name


def test_the_picture_of_the_house_is_of_the_rooms_that_there_are() -> None:
    names = runpy.run_path(str(DOCS / "images/house.py"))
    house = names["read_house"]()
    with Image.open(names["PICTURE"]) as picture:
        assert picture.info["Description"] == names["describe"](house), (
            "run python docs/images/house.py"
        )
    drawn = {text.get_text() for text in names["draw"](house).axes[0].texts}
    assert {room for floor in house["floors"] for room in floor} <= drawn


def test_architecture_has_a_row_for_every_room() -> None:
    house = runpy.run_path(str(DOCS / "images/house.py"))["read_house"]()
    page = (DOCS / "developing/architecture.rst").read_text(encoding="utf-8")
    table = page.split("What each room is")[1].split("The way of a spike")[0]
    cells = re.findall(r"^   \* - (``.*``)$", table, flags=re.MULTILINE)
    rooms = [room for cell in cells for room in re.findall(r"``(\w+)``", cell)]
    assert sorted(rooms) == sorted(room for floor in house["floors"] for room in floor)


def test_every_declaration_has_an_entry_in_the_reference() -> None:
    """Types that are unions, tuples and tables of names are told in words, or elsewhere."""
    import jtfne.config

    page = (DOCS / "config_reference.rst").read_text(encoding="utf-8")
    entries = re.findall(r"jtfne\.config\.(\w+)", page)
    assert len(set(entries)) == len(entries)
    in_words = {"Rule", "Dist", "Source"}
    elsewhere = {"ALIASES", "PROBES", "SCHEMA_VERSIONS", "SOURCE_MAPS", "SOURCE_MODES"}
    assert set(entries) | in_words | elsewhere | {"Config", "Frozen"} == set(jtfne.config.__all__)


def test_the_page_of_readouts_is_the_catalogue() -> None:
    from jtfne.readouts import READOUTS

    page = (DOCS / "readouts.rst").read_text(encoding="utf-8")
    physical, proxies = page.split("\nProxies\n")
    rows = re.findall(r"^   \* - ``(\w+)``", page, flags=re.MULTILINE)
    assert sorted(rows) == sorted(READOUTS)
    for name, readout in READOUTS.items():
        part = proxies if readout.proxy else physical
        row = part.split(f"* - ``{name}``")[1].split("   * - ")[0]
        assert f"({', '.join(readout.dims)}), {readout.units}" in row
        assert all(f"``{alias}``" in row for alias in readout.aliases)
        assert (DOCS / f"images/readouts/{name}.png").stat().st_size < 60_000
