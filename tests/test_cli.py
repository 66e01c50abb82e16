"""The command line as a user meets it: what it leaves, prints and refuses."""

import json
import os
import subprocess
import sys

import mne
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import jtfne
from jtfne import cli
from jtfne.config import FixedTotal
from jtfne.delivery._choice import SHARDED_FROM

SMALL = "suite2_four_celltype"
FIELDS = ("lfp", "csd", "dipole", "eeg", "meg")
CHANNELS = {
    "lfp": (16, {"seeg"}),
    "csd": (16, {"csd"}),
    "dipole": (1, {"dipole"}),
    "eeg": (64, {"eeg"}),
    "meg": (306, {"mag", "grad"}),
    "eeg_proxy": (21, {"misc"}),
    "meg_proxy": (102, {"misc"}),
    "lfp_proxy": (16, {"misc"}),
}


@pytest.fixture
def call(monkeypatch, capsys):
    """Run `jtfne ARGS`: exit code, stdout, stderr."""

    def called(*args):
        monkeypatch.setattr(sys, "argv", ["jtfne", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return called


@pytest.fixture(scope="module")
def column(tmp_path_factory):
    """A short run of the main job, as a process of its own."""
    out = tmp_path_factory.mktemp("cli") / "out"
    command = [
        sys.executable,
        "-m",
        "jtfne",
        "run",
        "v1_column:n=600",
        "--duration-ms",
        "560",
        "-o",
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # silent in a pipe
    assert "report.html" in done.stdout
    return out


def test_run_leaves_what_it_promises(column):
    there = {path.name for path in column.iterdir()}
    promised = {
        "signals.zarr",
        "spikes.parquet",
        "manifest.json",
        "config.json",
        "report.html",
        "figures",
    }
    raws = {f"{name}_raw.fif" for name in (*FIELDS, "lfp_proxy", "eeg_proxy", "meg_proxy")}
    assert there == promised | raws | {f"{name}-epo.fif" for name in FIELDS}
    figures = {path.stem for path in (column / "figures").glob("*.png")}
    assert {"05_lfp", "06_csd", "07_lfp_psd", "08_dipole", "09_eeg", "10_meg_mag", "11_meg_grad",
            "15_lfp_proxy", "21_lfp_proxy_psd"} <= figures  # fmt: skip
    report = (column / "report.html").read_text(encoding="utf-8")
    assert report.index("Fields in SI units") < report.index('id="09_eeg"')
    assert report.index('id="11_meg_grad"') < report.index("<h2>Proxies</h2>")
    assert not list(column.parent.glob(".*"))  # nothing left beside it


# MNE's own, as it reads metadata
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
def test_mne_reads_the_fields(column):
    for name, (n_channels, types) in CHANNELS.items():
        raw = mne.io.read_raw_fif(column / f"{name}_raw.fif", verbose="error")
        assert set(raw.get_channel_types(unique=True)) == types and len(raw.ch_names) == n_channels
        assert raw.info["sfreq"] == 1000.0 and raw.n_times == 560
        assert list(raw.annotations.description) == ["volley"] and raw.annotations.onset[0] == 0.5
    for name in FIELDS:  # volts and tesla as recorded, and epochs that are those of the Raw
        raw = mne.io.read_raw_fif(column / f"{name}_raw.fif", verbose="error")
        epochs = mne.read_epochs(column / f"{name}-epo.fif", verbose="error")
        assert (epochs.event_id, epochs.tmin, epochs.tmax) == ({"volley": 1}, -0.05, 0.059)
        np.testing.assert_array_equal(epochs.get_data()[0], raw.get_data()[:, 450:])
        assert 0.0 < np.ptp(raw.get_data()[0]) < 1e-2 or name == "csd"


def test_a_run_can_be_loaded_and_shown(column, call):
    signals = jtfne.load(column)
    assert signals.neurons.shape[0] == 600
    code, out, _ = call("show", column)
    assert code == 0 and "lfp_proxy" in out and "volley" in out and "rate_Hz" in out
    code, out, _ = call("show", column, "--json")
    assert json.loads(out)["readouts"]["vm"] == [1, 560, 600]


def test_a_repeat_is_identical(column, call, tmp_path):
    code, out, _ = call("run", "--from", column / "manifest.json", "-o", tmp_path / "again")
    assert code == 0 and "identical" in out
    changed = json.loads((column / "manifest.json").read_text())
    changed["run"]["seed"] += 1
    (tmp_path / "manifest.json").write_text(json.dumps(changed))
    code, out, _ = call("run", "--from", tmp_path / "manifest.json", "-o", tmp_path / "other")
    assert code == 1 and "differs in" in out and "spk" in out


@pytest.mark.parametrize(
    ("to", "names"),
    [
        (
            "fif",
            {f"{name}_proxy_raw.fif" for name in ("csd", "eeg", "lfp", "meg")}
            | {f"{name}{end}" for name in FIELDS for end in ("_raw.fif", "-epo.fif")},
        ),
        ("parquet", {"spikes.parquet"}),
        ("netcdf", {"signals.nc"}),
        ("zarr", {"signals.zarr"}),
        ("sonata", {"sonata"}),
        ("nwb", {"run.nwb"}),
    ],
)
def test_export(column, call, tmp_path, to, names):
    code, out, _ = call("export", column, "--to", to, "-o", tmp_path)
    assert code == 0 and {path.name for path in tmp_path.iterdir()} == names
    assert all(name in out for name in names)
    code, _, err = call("export", column, "--to", to, "-o", tmp_path)
    assert code == 2 and "exists" in err  # never overwritten


def test_compare_with_the_recording(column, call, tmp_path):
    code, out, _ = call(
        "compare",
        column,
        "--recording",
        "barrel",
        "--readout",
        "lfp_proxy",
        "-o",
        tmp_path,
        "--json",
    )
    assert code == 0
    table = {row["feature"]: row for row in json.loads(out)["table"]}
    assert {"sink_depth_mm", "order", "latency_ms", "width_mm"} <= set(table), table
    assert 0.357 <= table["sink_depth_mm"]["simulated"] <= 0.505  # layer 4 of the preset
    # the deepest sink is at 0.5 mm, contacts 0.1 mm apart
    assert abs(table["sink_depth_mm"]["recorded"] - 0.5) < 0.11
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"comparison.csv", "comparison.png", "report.html"}


@pytest.mark.parametrize("suffix", ["fif", "nc", "parquet"])
def test_compare_with_a_file_of_the_same_run(column, call, tmp_path, suffix):
    """Its own LFP, read back from a file as if it were a recording, has its own features."""
    path = column / "lfp_proxy_raw.fif"
    lfp = jtfne.load(column).get("lfp_proxy").isel(area=0, drop=True).assign_attrs(onset_ms=500.0)
    if suffix == "nc":
        path = tmp_path / "mine.nc"
        lfp.to_netcdf(path, engine="h5netcdf")
    elif suffix == "parquet":
        path = tmp_path / "mine.parquet"
        rows = lfp.to_dataframe("value").reset_index()
        table = pa.Table.from_pandas(
            rows[["time", "channel", "z_mm", "value"]], preserve_index=False
        )
        pq.write_table(table.replace_schema_metadata({"units": "a.u.", "onset_ms": "500.0"}), path)
    code, out, err = call(
        "compare", column, path, "--readout", "lfp_proxy", "-o", tmp_path / "out", "--json"
    )
    assert code == 0, err
    rows = json.loads(out)["table"]
    assert rows and all(
        row["simulated"] == row["recorded"] for row in rows if row["feature"] == "order"
    )
    for row in rows:
        if row["feature"] == "csd_correlation":
            assert row["pair"] > 0.999, row
        elif row["feature"] != "order":
            assert abs(row["simulated"] - row["recorded"]) < 1e-3, row


def test_validate_and_schema(call, tmp_path):
    code, out, _ = call("validate", SMALL, "--json")
    assert code == 0 and json.loads(out)["hash"] == jtfne.suite2_four_celltype_config(seed=0).hash
    path = jtfne.suite2_net1_config(200).to_file(tmp_path / "net1.toml")
    code, out, _ = call("validate", path)
    assert code == 0 and "cells: 200" in out
    for what in ("config", "manifest"):
        code, out, _ = call("schema", what)
        assert code == 0 and json.loads(out)["$schema"].startswith("https://json-schema.org")


def test_presets(call):
    code, out, _ = call("presets", "--json")
    assert code == 0 and set(json.loads(out)) == set(jtfne.presets.PRESETS)
    code, out, _ = call("presets", "suite2_net1")
    assert code == 0 and "n: int = 1000" in out and "800 cells   Izhikevich2003, drive 3.5" in out


def test_preset_arguments(call):
    code, out, _ = call("validate", "suite2_net1:n=300", "--json")
    assert code == 0 and json.loads(out)["cells"] == 300


BAD = {
    "unknown preset": (["run", "v1_colum"], ["'v1_colum'", "nearest: 'v1_column'"]),
    "unknown argument": (["run", "suite2_net1:m=3"], ["unknown argument 'm'", "'n'"]),
    "argument of a wrong type": (["run", "suite2_net1:n=many"], ["n='many'", "a whole number"]),
    "too small": (["run", "v1_column:n=10"], ["n=10", "[400, inf)"]),
    "no config": (["run"], ["neither CONFIG nor --from"]),
    "both": (["run", SMALL, "--from", "m.json"], ["both CONFIG and --from"]),
    "missing file": (["run", "nothing.toml"], ["nothing.toml", "no file"]),
    "missing manifest": (["run", "--from", "nothing.json"], ["nothing.json"]),
    "seed": (["run", SMALL, "--seed", "-1"], ["seed", "-1", "0"]),
    "duration": (["run", SMALL, "--duration-ms", "0.25"], ["duration_ms=0.25", "divides"]),
    "trials": (["run", SMALL, "--trials", "0"], ["0", "1"]),
    "trials of a repeat": (["run", "--from", "m.json", "--trials", "2"], ["or --set with --from"]),
    "no run folder": (["show", "."], ["manifest.json"]),
    "unknown format": (["export", ".", "--to", "mat"], ["mat", "parquet"]),
    "unknown schema": (["schema", "confg"], ["'confg'", "nearest: 'config'"]),
    "no recording": (["compare", "."], ["no RECORDING"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_error(case, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args, said = BAD[case]
    code, out, err = call(*args)
    assert code == 2 and out == "" and "Traceback" not in err
    for text in said:
        assert text in err, err
    assert not list(tmp_path.iterdir())


def test_another_run_is_not_overwritten(column, call):
    before = (column / "manifest.json").read_bytes()
    code, _, err = call("run", SMALL, "-o", column)
    assert code == 2 and "not empty" in err
    assert (column / "manifest.json").read_bytes() == before


def test_a_broken_config_file_says_where(call, tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text('schema_version = "0.1.0"\n[run]\nsed = 3\n')
    code, _, err = call("validate", path)
    assert code == 2 and "sed" in err and "seed" in err


def test_help_is_quick():
    """`--help` loads neither jax nor xarray."""
    code = (
        "import sys; sys.argv = ['jtfne', '--help']\nfrom jtfne import cli\ntry: "
        "cli.main()\nexcept SystemExit: pass\n"
    )
    code += "print([name for name in ('jax', 'xarray', 'mne', 'pandas') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


@pytest.mark.as_users
def test_devices_change_no_bit(tmp_path):
    """A circuit that is large enough to be sharded runs on both cores with the bits of one; more
    devices than cores are refused.
    """
    config = jtfne.suite2_net1_config(SHARDED_FROM).runtime(duration_ms=10.0).probes(["spk", "vm"])
    few = {"rule": FixedTotal(n=5000)}  # synapses, so that wiring takes no time
    sparse = [connection.model_copy(update=few) for connection in config.circuit.connections]
    path = config.connections(sparse).to_file(tmp_path / "large.json")
    n_cores, hashes = len(os.sched_getaffinity(0)), {}

    def run(n_devices):
        out = tmp_path / f"on_{n_devices}"
        options = ["run", path, "--json", "-o", out, "--devices", n_devices]
        command = [sys.executable, "-m", "jtfne", *map(str, options)]
        env = {**os.environ, "JAX_PLATFORMS": "cpu"}
        return out, subprocess.run(command, capture_output=True, text=True, env=env)

    for n_devices in (1, min(2, n_cores)):
        out, done = run(n_devices)
        assert done.returncode == 0, done.stderr
        manifest = json.loads((out / "manifest.json").read_text())
        hashes[n_devices] = {name: entry["sha256"] for name, entry in manifest["readouts"].items()}
    assert len({json.dumps(entry) for entry in hashes.values()}) == 1
    _, done = run(n_cores + 1)
    assert done.returncode == 2 and f"1 to {n_cores}" in done.stderr


@pytest.fixture
def aimed(tmp_path):
    """A small circuit with an objective and trainables, as a file."""
    from jtfne.measures import MeanRate
    from jtfne.objective import Below

    config = (
        jtfne.suite2_net1_config(40)
        .runtime(duration_ms=60.0)
        .objective(
            [{"measure": MeanRate(), "cells": "E", "target": 8.0}],
            [{"measure": MeanRate(), "cells": "E", "condition": Below(1e3)}],
        )
        .trainables([{"path": "cells.E.drive", "bounds": (0.0, 9.0)}])
    )
    return config.to_file(tmp_path / "aimed.toml")


def test_train_leaves_the_best_config_and_its_history(call, aimed, tmp_path):
    out = tmp_path / "out"
    command = ("train", aimed, "-o", out, "--optimizer", "RandomSearch", "--generations", 1)
    code, told, err = call(*command)
    assert (code, err) == (0, "") and "all gates hold" in told and "cells.E.drive:" in told
    there = {path.name for path in out.iterdir()}
    assert {"best_config.json", "history.csv", "report.json", "training.png", "index.json"} <= there
    best = jtfne.Config.from_file(out / "best_config.json")
    report = json.loads((out / "report.json").read_text())
    assert best.circuit.cell_params["E"]["drive"] == report["best"]["values"]["cells.E.drive"]
    code, _, err = call(*command)
    assert code == 2 and "--resume" not in err and "resume=True" in err
    code, told, _ = call(*command, "--resume", "--json")
    assert code == 0 and json.loads(told)["n_generations"] == 1


def test_train_takes_an_optimizer_that_needs_gradients(call, aimed, tmp_path, monkeypatch):
    from jtfne.trainer._gradients import ScoreGradient, ScoreGradients

    monkeypatch.setattr(
        ScoreGradients,
        "compute",
        lambda self, x, seed: ScoreGradient(1.0, {"E": 1.0}, np.array([-1.0])),
    )  # not compiled
    out = tmp_path / "out"
    code, told, err = call("train", aimed, "-o", out, "--optimizer", "Gradient", "--generations", 2)
    assert (code, err) == (0, "") and "all gates hold" in told
    report = json.loads((out / "report.json").read_text())
    assert report["n_generations"] == 2 and report["surrogate"]["kind"] == "SuperSpike"
    assert report["best"]["values"]["cells.E.drive"] != report["start"]["cells.E.drive"]


def test_train_says_by_its_code_that_no_gate_held(call, aimed, tmp_path):
    config = jtfne.Config.from_file(aimed)
    gates = [
        each.model_copy(update={"condition": jtfne.objective.Below(-1.0)})
        for each in config.training.objective.gates
    ]
    path = config.objective(config.training.objective.metrics, gates).to_file(
        tmp_path / "never.json"
    )
    code, told, _ = call(
        "train", path, "-o", tmp_path / "never", "--optimizer", "RandomSearch", "--generations", 1
    )
    assert code == 1 and "NO candidate passed all gates" in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((SMALL,), "a config without objective"),
        (("{aimed}", "--optimizer", "AGDSR"), "nearest: 'AGSDR'"),
        (("{aimed}", "--optimizer", "Random"), "nearest: 'RandomSearch'"),
        (("{aimed}", "--generations", 0), "budget=0"),
        (("nothing.toml",), "no file"),
    ],
)
def test_train_refuses_what_cannot_be_trained(call, aimed, tmp_path, given, told):
    code, _, err = call(
        "train", *(str(each).format(aimed=aimed) for each in given), "-o", tmp_path / "out"
    )
    assert code == 2 and told in err and "Traceback" not in err
    assert not (tmp_path / "out").exists()
