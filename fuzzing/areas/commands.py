"""Command lines: every command with odd arguments, on good and bad folders; none ends in a
traceback.
"""

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

VALUES = (
    "config.toml",
    "run",
    "run/",
    "run/manifest.json",
    "run/signals.zarr",
    "link",
    "empty",
    "nowhere",
    "new",
    "new/deep/er",
    ".",
    "/dev/null",
    "garbage.json",
    "garbage.fif",
    "code.toml",
    "latin.toml",
    "v1_column",
    "v1_column:n=-5",
    "v1_column:",
    ":n=5",
    "pd14:scale=nan",
    "suite2_net1_config:n=10,n=20",
    "fif",
    "parquet",
    "netcdf",
    "zarr",
    "sonata",
    "-1",
    "0",
    "1",
    "5",
    "2.5",
    "1e9",
    "99999999999999999999",
    "nan",
    "inf",
    "lfp_proxy",
    "spk",
    "vm",
    "barrel",
    "AGSDR",
    "Gradient",
    "agsdr",
    "config",
    "manifest",
    "new.toml",
    "paths",
    "probes",
    "cells.E.drive=6",
    "cells.E.drive=1,2",
    "run.dt_ms=",
    "x=y=z",
    "spk,eeg",
    "é",
    "\u0000",
    "",
    " ",
)
OPTIONS: dict[str, tuple[str, ...]] = {
    "validate": ("--set", "--allow-code", "--json"),
    "list": ("--allow-code", "--json"),
    "new": ("--preset",),
    "sweep": ("--vary", "-o", "--seed", "--resume", "--json"),
    "show": ("--allow-code", "--json"),
    "export": ("--to", "-o", "--allow-code"),
    "compare": (
        "--recording",
        "--readout",
        "--kind",
        "--area",
        "--band",
        "--label",
        "--run-label",
        "--onset-ms",
        "--z-mm",
        "--units",
        "--variable",
        "-o",
        "--json",
    ),
    "presets": ("--json",),
    "schema": (),
    "train": (
        "-o",
        "--optimizer",
        "--generations",
        "--seed",
        "--duration-ms",
        "--until-passed",
        "--resume",
        "--allow-code",
        "--json",
    ),
    "run": (
        "-o",
        "--seed",
        "--duration-ms",
        "--dt-ms",
        "--probes",
        "--set",
        "--from",
        "--resume",
        "--devices",
        "--allow-code",
        "--json",
    ),
}
FLAGS = ("--allow-code", "--json", "--resume", "--until-passed", "--nonsense")
LONG = ("config.toml", "v1_column", "v1_column:", "run/manifest.json")


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
        (folder / "link").symlink_to(folder / "empty")
        text = (folder / "config.toml").read_text(encoding="utf-8")
        (folder / "latin.toml").write_bytes(text.replace("V1", "Größe").encode("latin-1"))
        (folder / "code.toml").write_text(
            text + '[circuit.emitters.E]\nkind = "nowhere.module:Cell"\n', encoding="utf-8"
        )
        (folder / "garbage.json").write_text('{"schema_version": 3', encoding="utf-8")
        (folder / "garbage.fif").write_bytes(b"\x00\x01garbage" * 50)
        return folder

    def cases(self) -> st.SearchStrategy[Any]:
        """A command, up to two arguments, and up to four of its options with a value."""
        values = st.sampled_from(VALUES)
        good = st.sampled_from(("config.toml", "run", "v1_column"))

        def lines(command: str) -> st.SearchStrategy[Any]:
            names = st.sampled_from((*OPTIONS[command], "--nonsense"))
            option = names.flatmap(
                lambda name: st.tuples(st.just(name), *(() if name in FLAGS else (values,)))
            )
            parts = st.tuples(
                st.lists(st.one_of(good, values), max_size=2).map(tuple),
                st.lists(option, max_size=4).map(lambda pairs: sum(pairs, ())),
            )
            return st.tuples(st.just(command), parts.map(lambda both: [*both[0], *both[1]]))

        # Whole runs, with figures, take ten seconds each: few are drawn, and all of these are
        # short.
        return st.sampled_from(sorted(OPTIONS)).flatmap(lines).filter(ends_early)

    def run(self, context: Path, case: Any) -> None:
        """Run the command in a copy of the folder."""
        command, words = case
        with tempfile.TemporaryDirectory(prefix="jtfne-fuzz-") as place:
            copy = Path(place) / "here"
            shutil.copytree(context, copy, symlinks=True)
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
    """Whether a command line asks for no long work: no run or training of a circuit that is valid
    and long.
    """
    command, words = case
    if command not in ("run", "train", "sweep"):
        return True
    if not any(word in LONG for word in words):
        return True
    return "-1" in words or "nan" in words or "--nonsense" in words or "" in words
