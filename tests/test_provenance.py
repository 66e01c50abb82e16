"""A manifest says which code ran: a hash of jtfne's files, and what git calls the checkout."""

import shutil
import subprocess
from pathlib import Path

import pytest

from jtfne.reports import bit_conditions, software
from jtfne.reports._source import GIT_FILE, PACKAGE, describe_checkout, hash_files

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git repository with a package of two files, committed and tagged."""
    if shutil.which("git") is None:
        pytest.fail("these tests need git")
    package = tmp_path / "repository" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("A = 1\n")
    (package / "b.py").write_text("B = 2\n")
    for words in (
        "init -q",
        "add .",
        "-c user.name=a -c user.email=a@b commit -qm first",
        "tag v0.9.0",
    ):
        subprocess.run(["git", *words.split()], cwd=package.parent, check=True, timeout=60)
    return package


def test_the_hash_is_that_of_the_files_and_their_names(tmp_path: Path, checkout: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(checkout, copy)
    assert hash_files(copy) == hash_files(checkout)
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "b.cpython-311.pyc").write_bytes(b"compiled")
    hash_files.cache_clear()
    assert hash_files(copy) == hash_files(checkout)

    windows = tmp_path / "windows"
    shutil.copytree(checkout, windows)
    (windows / "b.py").write_bytes(b"B = 2\r\n")
    assert hash_files(windows) == hash_files(checkout)

    changed = tmp_path / "changed"
    shutil.copytree(checkout, changed)
    (changed / "b.py").write_text("B = 3\n")
    renamed = tmp_path / "renamed"
    shutil.copytree(checkout, renamed)
    (renamed / "b.py").rename(renamed / "c.py")
    assert len({hash_files(folder) for folder in (checkout, changed, renamed)}) == 3


def test_the_hash_covers_the_wings(tmp_path: Path) -> None:
    package = tmp_path / "jtfne"
    junk = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, package, symlinks=False, ignore=junk)  # as in a wheel: real folders
    assert hash_files(package) == hash_files()
    (package / "analysis" / "_distances.py").write_text("")
    hash_files.cache_clear()
    assert hash_files(package) != hash_files()


def test_git_describes_a_checkout(checkout: Path) -> None:
    assert describe_checkout(checkout) == "v0.9.0"
    (checkout / "b.py").write_text("B = 3\n")
    describe_checkout.cache_clear()
    assert describe_checkout(checkout) == "v0.9.0-dirty"


def test_a_build_keeps_what_git_said(checkout: Path) -> None:
    (checkout / GIT_FILE).write_text("v0.9.0-3-gabcdef0\n")
    assert describe_checkout(checkout) == "v0.9.0-3-gabcdef0"


def test_no_checkout_has_no_description(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    assert describe_checkout(tmp_path / "package") is None


def test_a_checkout_that_git_cannot_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    assert str(describe_checkout(tmp_path / "package")).startswith("unknown (fatal: ")


def test_bits_hang_on_the_files_not_on_the_commit() -> None:
    assert software()["jtfne_files"] == hash_files() == bit_conditions()["jtfne_files"]
    assert "jtfne_git" not in bit_conditions()
    if (ROOT / ".git").exists():
        assert software()["jtfne_git"] == describe_checkout()
