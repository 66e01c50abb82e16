"""The build: `jtfne/analysis` and `jtfne/interop` are symlinks in the repository, and real folders
in what is built.

A checkout without symlinks (`core.symlinks=false`, a zip from the web) has small text files in
their place, which a build would leave out without a word. Here each such file is taken as what it
is, a link, and the folder it names is packaged in its place; a build that cannot find the folders
fails with one sentence.
"""

import subprocess
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
WINGS = ("analysis", "interop")


def locate_wing(name: str) -> str:
    """The folder of a wing, relative to the root: `jtfne/NAME` where the link works, else `NAME`
    beside it.
    """
    for folder in (f"jtfne/{name}", name):
        if (ROOT / folder / "__init__.py").is_file():
            return folder
    raise SystemExit(
        f"error: no folder {name!r} with the code of jtfne.{name}: neither jtfne/{name} nor "
        f"{name} has one"
    )


def list_packages() -> tuple[list[str], dict[str, str]]:
    """The names of all packages, and the folders of those that do not lie under their names."""
    packages = find_packages(str(ROOT), include=["jtfne*"])
    folders: dict[str, str] = {}
    for wing in WINGS:
        folder = locate_wing(wing)
        if folder != f"jtfne/{wing}":
            inner = [
                f"jtfne.{wing}",
                *(f"jtfne.{wing}.{name}" for name in find_packages(str(ROOT / folder))),
            ]
            packages += inner
            folders |= {
                name: name.replace(f"jtfne.{wing}", folder, 1).replace(".", "/") for name in inner
            }
    return sorted(set(packages)), folders


class BuildInCheckout(build_py):
    """The build, with what git says of the checkout written down for the manifests of runs.

    In a build that is not made in a checkout, or without git, no such file is written.
    """

    def run(self) -> None:
        """Build, then write `jtfne/_git.txt` beside the modules."""
        super().run()
        if self.editable_mode or not (ROOT / ".git").exists():
            return
        command = ["git", "-C", str(ROOT), "describe", "--always", "--tags", "--dirty"]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return
        Path(self.build_lib, "jtfne", "_git.txt").write_text(answer.stdout, encoding="utf-8")


packages, package_dir = list_packages()
setup(packages=packages, package_dir=package_dir, cmdclass={"build_py": BuildInCheckout})
