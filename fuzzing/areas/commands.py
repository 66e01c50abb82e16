"""Command lines: every command with odd arguments, on good and bad folders; none ends in a traceback."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from typer.testing import CliRunner

import jtfne
from fuzzing._verdicts import Meaningless
from fuzzing.areas._base import Described, small_config
from jtfne import cli

WORDS = (
    "config.toml",
    "run",
    "empty",
    "nowhere",
    "garbage.json",
    "garbage.fif",
    "v1_column",
    "v1_column:n=-5",
    "pd14:scale=nan",
    "suite2_net1_config:n=10,n=20",
    "--json",
    "--to",
    "fif",
    "parquet",
    "netcdf",
    "zarr",
    "-o",
    "new",
    "--seed",
    "-1",
    "1e9",
    "nan",
    "--duration-ms",
    "0",
    "5",
    "--readout",
    "lfp_proxy",
    "--recording",
    "barrel",
    "--resume",
    "--from",
    "run/manifest.json",
    "--optimizer",
    "AGSDR",
    "config",
    "manifest",
    "é",
    "",
    "--nonsense",
)
COMMANDS = ("validate", "show", "export", "compare", "presets", "schema", "train", "run")


class Commands(Described):
    """A command ends with 0, or with 2 and one clear line; never with a traceback."""

    name = "commands"

    def prepare(self) -> Path:
        """A folder with a config, a run, an empty folder, and garbage."""
        folder = Path(tempfile.mkdtemp(prefix="jtfne-fuzz-commands-"))
        config = small_config()
        config.to_file(folder / "config.toml")
        jtfne.construct(config).simulate().save(folder / "run")
        (folder / "empty").mkdir()
        (folder / "garbage.json").write_text('{"schema_version": 3', encoding="utf-8")
        (folder / "garbage.fif").write_bytes(b"\x00\x01garbage" * 50)
        return folder

    def cases(self) -> st.SearchStrategy[Any]:
        """A command and up to five words."""
        words = st.lists(st.sampled_from(WORDS), max_size=5)
        # Whole runs, with figures, take ten seconds each: a run is named only with a word that ends it early.
        return st.tuples(st.sampled_from(COMMANDS), words).filter(ends_early)

    def run(self, context: Path, case: Any) -> None:
        """Run the command in a copy of the folder."""
        command, words = case
        with tempfile.TemporaryDirectory(prefix="jtfne-fuzz-") as place:
            copy = Path(place) / "here"
            shutil.copytree(context, copy)
            before = Path.cwd()
            os.chdir(copy)
            try:
                self._invoke([command, *words])
            finally:
                os.chdir(before)

    @staticmethod
    def _invoke(arguments: list[str]) -> None:
        """Run `jtfne ARGUMENTS` in this process."""
        result = CliRunner().invoke(cli.app, arguments)
        error = result.exception
        if error is not None and not isinstance(error, SystemExit):
            raise error
        if result.exit_code == 2 and not result.output.strip():
            raise Meaningless("exit 2: no word why")
        if result.exit_code not in (0, 2):
            raise Meaningless(f"exit {result.exit_code}: {result.output[:300]}")


def ends_early(case: tuple[str, list[str]]) -> bool:
    """Whether a command line asks for no long work: no training, and no run of a circuit that is valid."""
    command, words = case
    if command not in ("run", "train"):
        return True
    return not any(word in ("config.toml", "v1_column", "run/manifest.json") for word in words)
