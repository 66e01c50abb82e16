"""What is known about systems and interpreters other than the one that runs these tests."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import jtfne
from jtfne import _files, _system

ROOT = Path(__file__).parent.parent
FOLDERS = ("jtfne", "analysis", "interop")
POSIX_ONLY = ("fcntl", "grp", "posix", "pwd", "resource", "termios")
# Names of `os` that Windows lacks, or that mean something else there.
POSIX_NAMES = {
    "O_NOFOLLOW", "O_NONBLOCK", "fork", "fsync", "geteuid", "getuid", "kill", "mkfifo", "open",
    "sched_getaffinity", "statvfs", "sysconf", "uname",
}  # fmt: skip
# Where they are used, behind a question whether the system has them.
GUARDED = {
    "_system.py": {"open", "fsync", "resource"},
    "_files.py": {"fsync"},
    "_cores.py": {"sched_getaffinity"},
    "chunk_files.py": {"fsync"},
}

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
for name in sys.argv[1].split(","):
    if name != "posix":  # the interpreter itself is built on it
        sys.modules[name] = None
import jtfne
names = [module.name for module in pkgutil.walk_packages(jtfne.__path__, "jtfne.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
for name in jtfne.__all__:
    getattr(jtfne, name)
print(len(names))
"""


def list_sources() -> list[Path]:
    """The modules of the package, each once."""
    return sorted(
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if ROOT / "jtfne/analysis" not in path.parents
        and ROOT / "jtfne/interop" not in path.parents
    )


def test_every_module_imports_without_what_only_posix_has() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING, ",".join(POSIX_ONLY)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 200


def test_what_only_posix_has_is_used_in_one_place() -> None:
    for path in list_sources():
        allowed = GUARDED.get(path.name, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = {alias.name for alias in node.names} - allowed
                assert not modules & set(POSIX_ONLY), f"{path}:{node.lineno}"
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os":
                forbidden = POSIX_NAMES - allowed
                assert node.attr not in forbidden, f"{path}:{node.lineno}: os.{node.attr}"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                is_doc = "\n" in node.value
                assert is_doc or not node.value.startswith("/tmp"), f"{path}:{node.lineno}"


def test_text_is_read_and_written_in_utf_8() -> None:
    """Windows has another encoding where none is named."""
    for path in list_sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            function = ast.unparse(node.func)
            words = {word.arg for word in node.keywords}
            if function.endswith((".read_text", ".write_text")) or function == "open":
                assert "encoding" in words or (function == "open" and _is_binary(node)), (
                    f"{path}:{node.lineno}: {function} without encoding="
                )


def _is_binary(call: ast.Call) -> bool:
    """Whether a call of `open` names a binary mode."""
    return any(isinstance(arg, ast.Constant) and "b" in str(arg.value) for arg in call.args[1:])


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of files on Windows, where nothing that is open is renamed or removed."""
    monkeypatch.setattr(_system, "IS_WINDOWS", True)
    monkeypatch.setattr(_files, "IS_WINDOWS", True)
    replace, unlink = Path.replace, Path.unlink

    def refuse_open(path: Path) -> None:
        """Whatever these functions hold open is locked."""
        if not path.is_file():
            return
        handle = os.open(path, os.O_RDONLY)
        is_free = _system.try_lock(handle)
        os.close(handle)
        if not is_free:
            raise PermissionError(13, "used by another process", str(path))

    def replace_closed(path: Path, target: Path) -> Path:
        refuse_open(path)
        return replace(path, target)

    def unlink_closed(path: Path, missing_ok: bool = False) -> None:
        refuse_open(path)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "replace", replace_closed)
    monkeypatch.setattr(Path, "unlink", unlink_closed)


def test_files_that_are_open_are_neither_renamed_nor_removed(
    windows: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _files.replace_file(tmp_path / "a", lambda stream: stream.write(b"new"))
    assert (tmp_path / "a").read_bytes() == b"new"
    with pytest.raises(ZeroDivisionError):
        _files.replace_file(tmp_path / "a", lambda stream: 1 / 0)
    with _files.temporary_folder(tmp_path) as folder:
        _files.sweep_temporary(tmp_path)
        assert folder.exists()
    new = tmp_path / "new"
    with (
        _files.hold_folder(new, "test"),
        pytest.raises(jtfne.JtfneError, match="in use"),
        _files.hold_folder(new, "test"),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_run_is_written_the_way_of_windows(windows: None, tmp_path: Path) -> None:
    net = jtfne.construct(jtfne.suite2_single_neuron_config("PV"))
    streamed = net.simulate(duration_ms=20.0, out=tmp_path / "run")
    kept = net.simulate(duration_ms=20.0)
    kept.save(tmp_path / "saved")
    net.save(tmp_path / "net")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net", "run", "saved"]
    for signals in (streamed, jtfne.load(tmp_path / "run")):
        assert signals.manifest["readouts"] == kept.manifest["readouts"]
