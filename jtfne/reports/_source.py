"""Which code ran: a hash of jtfne's own files, and what git says of the checkout they lie in."""

import functools
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
GIT_FILE = "_git.txt"  # what setup.py writes into a build that is made in a checkout
GIT_TIMEOUT_s = 10.0


@functools.cache
def hash_files(package: Path = PACKAGE) -> str:
    """Hash the Python files of jtfne: 16 digits of SHA-256, equal for a checkout and its build.

    Line ends do not count. Cached, since loaded code does not change with its files.
    """
    digest = hashlib.sha256()
    for path in sorted(_list_modules(package), key=lambda path: path.relative_to(package).parts):
        name = path.relative_to(package).as_posix()
        text = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{name}\0{len(text)}\0".encode())
        digest.update(text)
    return digest.hexdigest()[:16]


def _list_modules(package: Path) -> Iterator[Path]:
    """Yield every Python file of a package, those behind the links to the wings too."""
    for folder, _, names in os.walk(package, followlinks=True):
        for name in names:
            if name.endswith(".py"):
                yield Path(folder, name)


@functools.cache
def describe_checkout(package: Path = PACKAGE) -> str | None:
    """Describe the git checkout that jtfne runs or was built from: tag, commits since, commit.

    "-dirty" follows where files that git knows were changed. None outside a checkout; where git
    cannot read it, "unknown" and git's reason.
    """
    written = package / GIT_FILE
    if written.is_file():
        return written.read_text(encoding="utf-8").strip()
    if not (package.parent / ".git").exists():
        return None
    command = ["git", "-C", str(package.parent), "describe", "--always", "--tags", "--dirty"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=GIT_TIMEOUT_s, check=True
        )
    except subprocess.CalledProcessError as error:
        return f"unknown ({error.stderr.strip().splitlines()[0]})" if error.stderr else "unknown"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown ({type(error).__name__})"
    return answer.stdout.strip()
