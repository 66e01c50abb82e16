"""The command line changes one number, lists what there is, and writes a config to start from."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import jtfne
from jtfne import cli
from jtfne.cli._list import Parts


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `jtfne ARGS`: exit code, stdout, stderr."""

    def run_command(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["jtfne", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run_command


def test_a_new_config_runs_as_it_is_and_is_never_overwritten(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    code, out, _ = call("new", path)
    assert code == 0 and "jtfne run" in out
    assert "#" in path.read_text(encoding="utf-8")
    jtfne.Config.from_file(path).check()
    code, _, err = call("new", path)
    assert code == 2 and "which exists" in err and err.count("\n") == 1
    code, _, err = call("new", tmp_path / "mine.json")
    assert code == 2 and "ends in .toml" in err


def test_a_preset_becomes_a_file(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "column.toml"
    assert call("new", path, "--preset", "v1_column:n=600")[0] == 0
    assert jtfne.Config.from_file(path) == jtfne.presets.v1_column(n=600)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["run"]["dt_ms"] == 0.1
    code, _, err = call("new", tmp_path / "x.toml", "--preset", "v1_colunm")
    assert code == 2 and "nearest: 'v1_column'" in err and not (tmp_path / "x.toml").exists()


def test_run_takes_another_value_step_and_probes(call: Any, tmp_path: Path) -> None:
    words = ("run", "suite2_net1:n=20", "-o", tmp_path / "out", "--json", "--no-report")
    changes = ("--set", "cells.E.drive=6.5", "--set", "run.duration_ms=20", "--dt-ms", "0.05")
    code, out, err = call(*words, *changes, "--probes", "spk, vm")
    assert code == 0, err
    assert set(json.loads(out)["readouts"]) == {"spk", "vm"}
    config = jtfne.Config.from_file(tmp_path / "out" / "config.json")
    expected = (
        jtfne.suite2_net1_config(20)
        .set("cells.E.drive", 6.5)
        .runtime(duration_ms=20.0, dt_ms=0.05)
        .probes(["spk", "vm"])
    )
    assert config == expected
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert "report.html" not in left and "figures" not in left


BAD = {
    "no value": ("--set", "cells.E.drive", "PATH=VALUE"),
    "no path": ("--set", "=5", "PATH=VALUE"),
    "unknown path": ("--set", "cells.E.drvie=5", "nearest: 'cells.E.drive'"),
    "text for a number": ("--set", "run.dt_ms=fine", "dt_ms"),
    "broken JSON": ("--set", "run.dt_ms=[1", "--set run.dt_ms"),
    "NaN": ("--set", "run.dt_ms=nan", "dt_ms"),
    "unknown probe": ("--probes", "spk,eegg", "nearest: 'eeg'"),
    "with --from": ("--from", "manifest.json", "both CONFIG and --from"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_change_is_one_error_before_any_work(call: Any, tmp_path: Path, case: str) -> None:
    *words, message = BAD[case]
    code, out, err = call("run", "suite2_net1", "-o", tmp_path / "out", *words)
    assert code == 2 and message in err and not out and not (tmp_path / "out").exists(), err


def test_with_json_an_error_is_json_too(call: Any, tmp_path: Path) -> None:
    code, out, err = call("show", tmp_path / "nowhere", "--json")
    assert code == 2 and not out
    assert json.loads(err)["exit_code"] == 2 and "nowhere" in json.loads(err)["error"]


@pytest.mark.parametrize("parts", [part for part in Parts if part != Parts.paths])
def test_every_part_is_listed_with_a_line(call: Any, parts: Parts) -> None:
    code, out, _ = call("list", parts, "--json")
    listed = json.loads(out)
    assert code == 0 and len(listed) >= 5
    assert all(line and line.endswith((".", ":")) for line in listed.values()), listed
    code, _, err = call("list", parts, "v1_column")
    assert code == 2 and "CONFIG with paths alone" in err


def test_paths_are_those_that_set_takes(call: Any) -> None:
    code, out, _ = call("list", "paths", "suite2_net1", "--json")
    config = jtfne.suite2_net1_config()
    listed = json.loads(out)
    assert code == 0 and listed["gains.E->PV"] == "1"
    for path, value in listed.items():
        assert (
            config.diff(config.set(path, float(value))) or config.set(path, float(value)) == config
        )
    code, _, err = call("list", "paths")
    assert code == 2 and "jtfne list paths CONFIG" in err


def test_version_and_short_help(call: Any) -> None:
    assert call("--version") == (0, f"jtfne {jtfne.__version__}\n", "")
    code, out, _ = call("-h")
    assert code == 0 and "jtfne run v1_column" in out


def test_every_command_has_help_with_an_example(call: Any) -> None:
    for name in get_command(cli.app).commands:  # type: ignore[attr-defined]
        code, out, _ = call(name, "-h")
        plain = re.sub(r"\s+", " ", re.sub(r"[│╭╮╰╯─]", " ", out))
        assert code == 0 and f"jtfne {name} " in plain.split("Usage:", 1)[1].split("]", 1)[1], name


def test_a_sweep_prints_means_and_goes_on(call: Any, tmp_path: Path) -> None:
    words = ("sweep", "suite2_net1:n=20", "--duration-ms", 50, "-o", tmp_path / "swept", "--json")
    vary = ("--vary", "cells.E.drive=2,8", "--vary", "gains.E->PV=1", "--seed", 0, "--seed", 1)
    code, out, err = call(*words, *vary)
    assert code == 0, err
    rows = json.loads(out)["rows"]
    assert {row["cells.E.drive"] for row in rows} == {2.0, 8.0}
    rates = {row["cells.E.drive"]: row["rate_Hz"] for row in rows if row["cell_type"] == "E"}
    net = jtfne.construct(jtfne.suite2_net1_config(20).runtime(duration_ms=50.0))
    expected = jtfne.sweep(net, {"cells.E.drive": [2.0, 8.0], "gains.E->PV": [1.0]}, seeds=[0, 1])
    mean = expected["rate_Hz"].mean("seed").sel(cell_type="E").squeeze()
    assert list(rates.values()) == pytest.approx(mean.values.tolist())
    assert (tmp_path / "swept" / "sweep.nc").exists()
    assert call(*words, *vary)[0] == 2  # what is there is not overwritten
    assert call(*words, *vary, "--resume")[1] == out


@pytest.mark.parametrize("vary", ["cells.E.drive", "cells.E.drive=a", "cells.E.drvie=1", "="])
def test_a_sweep_of_nothing_is_refused(call: Any, tmp_path: Path, vary: str) -> None:
    code, out, err = call("sweep", "suite2_net1:n=20", "--vary", vary, "-o", tmp_path / "swept")
    assert code == 2 and err.startswith("error: ") and not out


def test_show_reads_a_training(call: Any, tmp_path: Path) -> None:
    config = (
        jtfne.suite2_net1_config(20)
        .runtime(duration_ms=50.0)
        .objective([{"measure": "MeanRate", "target": 5.0}])
        .trainables([{"path": "cells.E.drive", "bounds": (0.0, 8.0)}])
    )
    path = config.to_file(tmp_path / "c.toml")
    out = tmp_path / "trained"
    words = ("--optimizer", "RandomSearch", "--generations", 1, "-o", out)
    code, printed, err = call("train", path, *words)
    assert code == 0, err
    assert call("show", out) == (0, printed, "")
    assert json.loads(call("show", out, "--json")[1])["passed"] is True
    (out / "report.json").write_text("{}", encoding="utf-8")
    code, _, err = call("show", out)
    assert code == 2 and "the report of a training" in err


def test_a_run_is_replaced_if_asked_and_only_when_the_new_one_is_finished(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    run = ("run", "suite2_single_neuron", "--duration-ms", 20, "--no-report", "-o", folder)
    assert call(*run)[0] == 0
    first = (folder / "manifest.json").read_bytes()
    code, _, err = call(*run, "--seed", 5)
    assert code == 2 and "--overwrite replaces" in err

    notes = folder / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    code, _, err = call(*run, "--seed", 5, "--overwrite")
    assert code == 2 and "notes.txt', which the run did not make" in err
    notes.unlink()
    config = folder / "config.json"
    text = config.read_text(encoding="utf-8")
    config.write_text(text + " ", encoding="utf-8")
    code, _, err = call(*run, "--seed", 5, "--overwrite")
    assert code == 2 and "altered since the run" in err
    config.write_text(text, encoding="utf-8")

    code, _, err = call(*run, "--seed", 5, "--dt-ms", 0.3, "--overwrite")  # a refused run
    assert code == 2 and (folder / "manifest.json").read_bytes() == first
    assert call(*run, "--seed", 5, "--overwrite")[0] == 0
    assert jtfne.load(folder).manifest["config"]["run"]["seed"] == 5
    assert [path.name for path in tmp_path.iterdir()] == ["out"]

    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.tex").write_text("", encoding="utf-8")
    code, _, err = call("run", "suite2_single_neuron", "-o", other, "--overwrite")
    assert code == 2 and (other / "chapter.tex").exists() and "Traceback" not in err
