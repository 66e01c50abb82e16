"""The wheel holds what the tree holds: the wings inside jtfne, the data files, and nothing beside
them.
"""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

import jtfne

ROOT = Path(__file__).parent.parent
DATA = (".json", ".md", ".typed", ".toml")
WINGS = ("analysis", "interop")
# The requirement that brings a module of another name.
PART_OF = {
    "hdmf": "pynwb",
    "mne_bids": "mne-bids",
    "pydantic_core": "pydantic",  # each release of pydantic requires exactly one of its core
    "quantities": "neo",
}


def copy_tree(tree: Path, *, linked: bool) -> None:
    """Copy what a wheel is built of to `tree`.

    linked: whether the copy has the symlinks of the repository, or small text files in their place,
    as a checkout with core.symlinks=false and a zip from the web have.
    """
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, tree)
    junk = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in ("jtfne", *WINGS):
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=junk)
    if not linked:
        for wing in WINGS:
            (tree / "jtfne" / wing).unlink()
            (tree / "jtfne" / wing).write_text(f"../{wing}", encoding="utf-8")


def build_wheel(tree: Path, *, linked: bool, committed: bool = False) -> set[str]:
    """Names in a wheel built offline from a copy of the tree in `tree`, so that no build/ is left
    here.

    linked: as of `copy_tree`. committed: whether the copy is a git checkout.
    """
    copy_tree(tree, linked=linked)
    author = "-c user.name=a -c user.email=a@b"
    for words in ("init -q", "add .", f"{author} commit -qm first") if committed else ():
        subprocess.run(["git", *words.split()], cwd=tree, check=True, timeout=60)
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tree / "dist"),
        str(tree),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tree)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (tree / "dist").glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel of the tree."""
    return build_wheel(tmp_path_factory.mktemp("tree"), linked=True)


def test_a_checkout_without_symlinks_builds_the_same_wheel(
    wheel_names: set[str], tmp_path: Path
) -> None:
    names = build_wheel(tmp_path, linked=False, committed=True)
    assert names == wheel_names | {"jtfne/_git.txt"}  # for manifests: what git says of the checkout


def test_a_clone_without_symlinks_is_what_the_tests_make(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    command = ["git", "-c", "core.symlinks=false", "clone", "--quiet", str(ROOT), str(clone)]
    subprocess.run(command, check=True, timeout=300)
    for wing in WINGS:
        link = clone / "jtfne" / wing
        assert link.is_file() and not link.is_symlink()
        assert link.read_text(encoding="utf-8") == f"../{wing}"


@pytest.mark.parametrize("wing", WINGS)
def test_a_checkout_without_symlinks_that_is_not_installed_says_what_to_do(
    wing: str, tmp_path: Path
) -> None:
    copy_tree(tmp_path, linked=False)
    # Where these tests run from an editable install, its finder would find the wings.
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "sys.meta_path = [f for f in sys.meta_path if '__editable__' not in repr(f)]; "
        f"import jtfne; print(jtfne.Config.__module__); jtfne.{wing}"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1 and done.stdout == "jtfne.config.config\n"
    assert done.stderr.endswith(
        f"ModuleNotFoundError: no module jtfne.{wing}: this checkout has no symbolic links; "
        "`python -m pip install -e .` in it makes the package whole\n"
    )


def tree_names() -> set[str]:
    """Modules and data files of the package as the wheel should name them."""
    names = set()
    for folder, prefix in (("jtfne", ""), ("analysis", "jtfne/"), ("interop", "jtfne/")):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in (".py", *DATA) and "__pycache__" not in path.parts:
                names.add(prefix + path.relative_to(ROOT).as_posix())
    return names


def test_wheel_holds_the_tree_and_nothing_else(wheel_names: set[str]) -> None:
    packed = {name for name in wheel_names if ".dist-info/" not in name}
    assert packed == tree_names()


def test_wheel_has_one_top_level_package(wheel_names: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"jtfne"}


def test_wheel_carries_types_schemas_and_licence(wheel_names: set[str]) -> None:
    assert "jtfne/py.typed" in wheel_names
    assert "jtfne/signals_schema.md" in wheel_names
    assert any(name.endswith("licenses/LICENSE") for name in wheel_names)


@pytest.mark.parametrize("wing", WINGS)
def test_wings_are_relative_links(wing: str) -> None:
    link = ROOT / "jtfne" / wing
    assert link.is_symlink()
    assert str(link.readlink()) == f"../{wing}"


def test_the_last_release_is_that_of_the_changelog_and_the_citation() -> None:
    (said,) = re.findall(
        r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest, *_ = re.findall(r"^## \[(\d\S*)\] - \d{4}-\d\d-\d\d$", changelog, flags=re.MULTILINE)
    assert said == newest
    version = Version(jtfne.__version__)
    # between releases the version is the next one's, in development
    assert version == Version(said) or (version.is_devrelease and version > Version(said))


def test_every_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (name for names in project["optional-dependencies"].values() for name in names)
    declared = {re.split(r"[<>=\[]", name)[0] for name in (*project["dependencies"], *extras)}
    used = set()
    for folder in ("jtfne", "analysis", "interop"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    used |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    used.add(node.module.split(".")[0])
    used -= {"jtfne", *sys.stdlib_module_names}
    assert {PART_OF.get(name, name) for name in used} <= declared


def test_each_dependency_has_its_reason_in_the_docs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs/dependencies.rst").read_text(encoding="utf-8")
    rows = set(re.findall(r"^   \* - (\S+)\n     - (\d\S*)$", reasons, flags=re.MULTILINE))
    assert {tuple(name.split(">=")) for name in project["dependencies"]} == rows
