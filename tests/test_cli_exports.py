"""What the command line makes of a finished run: a format that fails leaves the others be, and says
why.
"""

import functools
import json
import sys
import warnings

import mne
import numpy as np
import pytest

import jtfne
from jtfne import cli, interop
from jtfne.analysis.figures import save
from jtfne.cli import _write


@pytest.fixture
def call(monkeypatch, capsys):
    """Run `jtfne ARGS`: exit code, stdout, stderr."""

    def run_command(*args):
        monkeypatch.setattr(sys, "argv", ["jtfne", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run_command


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A run of 30 ms of an area, layer and label with awkward names."""
    config = (
        jtfne.Config()
        .areas(
            [{"name": "Sehrinde ä", "position_mm": [0.0, -60.0, 40.0], "normal": [0.0, -1.0, 0.0]}]
        )
        .layers([{"name": "$L_{4", "top": 0.0, "bottom": 1.0}])
        .cells({"E": 30, "PV": 10})
        .runtime(duration_ms=30.0, dt_ms=0.1)
        .probes(["spk", "lfp_proxy", "csd_proxy"])
    )
    flash = jtfne.Paradigm.pulse(
        target="E", start_ms=10.0, duration_ms=5.0, amplitude=9.0, label="bad $\\frac{ flash"
    )
    return config.stimuli(flash.stimuli).to_file(tmp_path_factory.mktemp("config") / "names.json")


@pytest.fixture(scope="module")
def folder(config, tmp_path_factory):
    """The run folder of it."""
    signals = jtfne.construct(jtfne.Config.from_file(config)).simulate()
    return signals.save(tmp_path_factory.mktemp("run") / "out")


def test_awkward_names_end_no_run_and_are_told(call, config, tmp_path):
    code, out, err = call("run", config, "-o", tmp_path / "out", "--json")
    assert code == 0, err
    assert {"lfp_proxy_raw.fif", "report.html", "figures/02_raster.png"} <= set(
        json.loads(out)["files"]
    )
    assert (
        "note on lfp_proxy_raw.fif: names of channels" in err
        and "'_bad $" in err
        and "error" not in err
    )
    raw = mne.io.read_raw_fif(tmp_path / "out/lfp_proxy_raw.fif", verbose="error")
    assert raw.ch_names[0] == "Sehrinde a:ch00"
    assert interop.from_raw(raw)["channel"].values[0] == "Sehrinde ä:ch00"
    assert raw.annotations.description.tolist() == ["_bad $\\frac{ flash"]


def test_a_format_that_fails_leaves_the_others_be(call, config, tmp_path, monkeypatch):
    def fail(*args, **more):
        raise UnicodeEncodeError("ascii", "ä", 0, 1, "not in range")

    monkeypatch.setattr(interop, "write_fif", fail)
    monkeypatch.setattr(save.cells, "rates", fail)
    code, out, err = call("run", config, "-o", tmp_path / "out", "--json")
    facts = json.loads(out)
    assert code == 1 and set(facts["failures"]) == {"lfp_proxy_raw.fif", "figures/03_rates.png"}
    assert (
        "error: lfp_proxy_raw.fif was not written: 'ascii' codec" in err and "Traceback" not in err
    )
    there = {path.name for path in (tmp_path / "out").rglob("*")}
    assert {"report.html", "02_raster.png", "manifest.json", "spikes.parquet"} <= there
    assert not {"lfp_proxy_raw.fif", "03_rates.png"} & there and not list(tmp_path.glob(".*"))
    assert jtfne.load(tmp_path / "out").recorded() == ("spk", "lfp_proxy", "csd_proxy")


def test_a_full_disk_is_no_matter_of_one_format_and_the_run_goes_on_later(
    call, config, tmp_path, monkeypatch
):
    def full(*args, **more):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(interop, "write_fif", full)
        code, _, err = call("run", config, "-o", tmp_path / "out")
    assert code == 1 and "No space left" in err and not (tmp_path / "out").exists()
    code, _, err = call("run", config, "-o", tmp_path / "out", "--resume")
    assert code == 0, err
    assert (tmp_path / "out/lfp_proxy_raw.fif").exists()


def test_export_writes_the_fields_that_it_can(call, folder, tmp_path, monkeypatch):
    write_fif = interop.write_fif

    def fail_on_csd(signals, readout, path):
        if readout == "csd_proxy":
            raise RuntimeError("no room for\na current")
        return write_fif(signals, readout, path)

    monkeypatch.setattr(interop, "write_fif", fail_on_csd)
    code, out, err = call("export", folder, "--to", "fif", "-o", tmp_path)
    assert code == 1 and "error: csd_proxy_raw.fif was not written: no room for a current" in err
    assert [path.name for path in tmp_path.iterdir()] == [
        "lfp_proxy_raw.fif"
    ] and "lfp_proxy_raw.fif" in out


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """A config of two conditions over 4 trials of 300 ms."""
    tone = jtfne.Paradigm.pulse(
        target="E", start_ms=0.0, duration_ms=3.0, amplitude=9.0, label="tone"
    )
    late = jtfne.Paradigm.pulse(
        target="E", start_ms=0.0, duration_ms=1.0, amplitude=9.0, label="late"
    )
    config = (
        jtfne.suite2_net1_config(30)
        .runtime(duration_ms=300.0)
        .probes(["spk", "lfp", "eeg", "lfp_proxy", {"kind": "vm", "interval_ms": 1.0}])
        .stimuli(
            [
                *tone.at(90.0).stimuli,
                *late.at(290.0).stimuli,
            ],
            n_trials=4,
            conditions=["standard", "deviant", "standard", "standard"],
        )
    )
    return config.to_file(tmp_path_factory.mktemp("task") / "task.toml")


# MNE's own, as it reads metadata
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
def test_all_trials_leave_as_fif_and_epochs_where_they_fit(call, task, tmp_path):
    """B1, B2: all trials end to end, conditions in names; a proxy is never named as its quantity."""
    code, out, err = call("run", task, "-o", tmp_path / "out", "--json")
    assert code == 0, err
    names = {name for name in json.loads(out)["files"] if name.endswith(".fif")}
    assert names == {
        "lfp_raw.fif",
        "lfp-epo.fif",
        "eeg_raw.fif",
        "eeg-epo.fif",
        "lfp_proxy_raw.fif",
    }
    raw = mne.io.read_raw_fif(tmp_path / "out/eeg_raw.fif", verbose="error")
    assert raw.n_times == 1200 and "deviant/tone" in raw.annotations.description
    epochs = mne.read_epochs(tmp_path / "out/eeg-epo.fif", verbose="error")
    assert set(epochs.event_id) == {"standard/tone", "deviant/tone"} and len(epochs) == 4
    assert len(epochs["deviant"]) == 1 and (epochs.tmin, epochs.tmax) == (-0.05, 0.2)
    # 'late' has no 200 ms left: told once, not of each file
    assert err.count("4 of 8 events are left out") == 1 and "'late'" in err
    signals = jtfne.load(tmp_path / "out")
    by_hand = interop.to_epochs(signals, "eeg", label="tone", window_ms=(-50.0, 200.0))
    np.testing.assert_array_equal(epochs.get_data(), by_hand.get_data())


# MNE's own, as it reads metadata
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
def test_events_at_one_sample_are_told_and_a_run_without_events_has_no_epochs(call, tmp_path):
    pulse = functools.partial(jtfne.Paradigm.pulse, target="E", start_ms=5.0, duration_ms=2.0)
    both = (pulse(amplitude=3.0, label="a") + pulse(amplitude=4.0, label="b")).stimuli
    config = jtfne.suite2_net1_config(20).runtime(duration_ms=20.0).probes(["spk", "lfp"])
    code, _, err = call(
        "run", config.stimuli(both).to_file(tmp_path / "a.toml"), "-o", tmp_path / "a"
    )
    assert code == 0 and "1 of 2 events are left out" in err and "'b'" in err
    epochs = mne.read_epochs(tmp_path / "a/lfp-epo.fif", verbose="error")
    assert epochs.event_id == {"a": 1} and (epochs.tmin, epochs.tmax) == (-0.005, 0.014)
    code, _, err = call("run", config.to_file(tmp_path / "b.toml"), "-o", tmp_path / "b")
    assert (code, err) == (0, "")
    assert (tmp_path / "b/lfp_raw.fif").exists() and not (tmp_path / "b/lfp-epo.fif").exists()


def test_trials_on_the_command_line_repeat_the_task(call, tmp_path):
    code, _, err = call(
        "run", "suite2_net1:n=20", "--duration-ms", 5, "--trials", 3, "-o", tmp_path / "out"
    )
    assert code == 0, err
    assert jtfne.load(tmp_path / "out").tree.attrs["n_trials"] == 3


def recordings(path):
    """Files that end as recordings do, and are none."""
    info = mne.create_info(["a", "b"], 1000.0, "eeg", verbose="error")
    epochs = mne.EpochsArray(np.zeros((2, 2, 50)), info, verbose="error")
    epochs.save(path / "some-epo.fif", verbose="error")
    epochs.average().save(path / "some-ave.fif", verbose="error")
    mne.io.RawArray(np.zeros((2, 500)), info, verbose="error").save(
        path / "whole_raw.fif", verbose="error"
    )
    whole = (path / "whole_raw.fif").read_bytes()
    (path / "cut_raw.fif").write_bytes(whole[: len(whole) // 2])
    (path / "odd_raw.fif").write_bytes(whole[:900] + bytes(200) + whole[1100:])
    for suffix in (".fif", ".nc", ".parquet"):
        (path / f"text{suffix}").write_text("not what it says\n" * 40, encoding="utf-8")
        (path / f"empty{suffix}").write_bytes(b"")
        (path / f"folder{suffix}").mkdir()
    return sorted(each for each in path.iterdir() if each.name != "whole_raw.fif")


def test_compare_refuses_what_is_no_recording_and_leaves_nothing(call, folder, tmp_path):
    before = sorted(folder.rglob("*"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        files = recordings(tmp_path)
    for path in (*files, tmp_path / "absent.fif", tmp_path / "whole_raw.txt"):
        code, out, err = call("compare", folder, path)
        assert code == 2 and err.startswith("error: ") and "(in " in err, (path, err)
        assert not out and err.count("\n") == 1, err
    assert sorted(folder.rglob("*")) == before
    code, _, err = call("compare", folder, tmp_path / "some-epo.fif", "-o", tmp_path / "mine")
    assert code == 2 and "channels without depths" in err and not (tmp_path / "mine").exists()


class Closed:
    """A stream that somebody closed."""

    def isatty(self):
        raise ValueError("I/O operation on closed file")


@pytest.mark.parametrize("stream", [None, Closed(), object()])
def test_nobody_needs_stderr(stream, monkeypatch):
    """It is None under pythonw, and anything at all in notebooks."""
    from jtfne import _terminal
    from jtfne.simulation._progress import show_progress
    from jtfne.trainer._progress import show_run_progress

    monkeypatch.setattr(sys, "stderr", stream)
    assert not _terminal.stderr_is_terminal() and not _terminal.shows_progress(None)
    assert not _terminal.shows_progress(False) and (
        stream is not None or not _terminal.shows_progress(True)
    )
    with show_progress(3, shown=None) as tick, show_run_progress("training", 3, shown=None) as told:
        tick(1)
        told.ran(1)
    with _write.show_work("drawing figures"):
        pass


def test_compare_takes_what_the_file_does_not_say(call, folder, tmp_path):
    lfp = jtfne.load(folder).get("lfp_proxy").isel(area=0, drop=True)
    bare = lfp.drop_vars("z_mm").drop_attrs()
    bare.to_netcdf(tmp_path / "bare.nc", engine="h5netcdf")
    depths = ",".join(str(depth_mm) for depth_mm in lfp["z_mm"].values)
    given = ["--onset-ms", "10", "--units", "a.u.", "--z-mm", depths, "--variable", "lfp_proxy"]
    chosen = ["--area", "Sehrinde ä", "--run-label", "bad $\\frac{ flash", "--readout", "lfp_proxy"]
    out = tmp_path / "out"
    code, _, err = call("compare", folder, tmp_path / "bare.nc", *given, *chosen, "-o", out)
    assert code == 0, err
    rows = {line.split()[1]: line.split()[-1] for line in _read_csv(out)}
    assert float(rows["csd_correlation"]) == pytest.approx(1.0)
    assert (out / "report.html").exists()
    fit = ["--kind", "spectra", "--band", "33", "450", "-o", tmp_path / "fit", "--json"]
    code, printed, err = call("compare", folder, tmp_path / "bare.nc", *given, *fit)
    assert code == 0, err
    distances = {row["feature"]: row["pair"] for row in json.loads(printed)["table"]}
    assert distances["log_spectral_distance"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.filterwarnings("ignore:names of")
def test_compare_takes_an_nwb_file_and_refuses_a_cut_one(call, tmp_path):
    """A run has no distance from its own export, in spikes and in potentials."""
    config = jtfne.suite2_net1_config(40).runtime(duration_ms=200.0).probes(["spk", "lfp"])
    folder = jtfne.construct(config).simulate().save(tmp_path / "run")
    code, printed, err = call("export", folder, "--to", "nwb", "-o", tmp_path / "nwb")
    assert code == 0, err
    path = tmp_path / "nwb" / "run.nwb"
    for readout, options, feature in (
        ("spk", (), "synchrony"),
        ("lfp", ("--kind", "spectra"), "log_spectral_distance"),
    ):
        out = tmp_path / readout
        words = ("--readout", readout, *options, "-o", out, "--json")
        code, printed, err = call("compare", folder, path, *words)
        assert code == 0 and (out / "report.html").exists(), err
        rows = {row["feature"]: row for row in json.loads(printed)["table"]}
        row = rows[feature]
        distance = row["pair"] if readout == "lfp" else row["simulated"] - row["recorded"]
        assert distance == pytest.approx(0.0, abs=1e-6)
    path.write_bytes(path.read_bytes()[:5000])
    code, out, err = call("compare", folder, path, "--readout", "spk")
    assert code == 2 and err.startswith("error: ") and err.count("\n") == 1, err


def _read_csv(folder):
    """The lines of a comparison, blanks in place of commas."""
    text = (folder / "comparison.csv").read_text(encoding="utf-8")
    return text.replace(",", " ").splitlines()[1:]


BAD_OPTIONS = {
    "kind of another readout": (["barrel", "--kind", "evoked"], "'evoked' of 'lfp_proxy'"),
    "kind that is none": (["barrel", "--kind", "spectral"], "'spectral'"),
    "band of no spectrum": (["barrel", "--band", "4", "40"], "--band for 'laminar'"),
    "all channels of no spectrum": (["barrel", "--all-channels"], "--all-channels for 'laminar'"),
    "band backwards": (["barrel", "--kind", "spectra", "--band", "40", "4"], "band_Hz=(40.0, 4.0)"),
    "one frequency": (["barrel", "--kind", "spectra", "--band", "40"], "--band"),
    "depths of text": (["bare.nc", "--z-mm", "0.1,deep"], "'deep' among the depths"),
    "depths of too few channels": (
        ["bare.nc", "--units", "V", "--z-mm", "0.1,0.2"],
        "a depth for each of",
    ),
    "no units": (["bare.nc", "--onset-ms", "10"], "a recording without units"),
    "no onset": (["whole.nc"], "recorded data do not say when the stimulus came"),
    "onset beside a recording that says it": (["barrel", "--onset-ms", "10"], "onset_ms=10.0"),
    "onset outside": (
        ["whole.nc", "--onset-ms", "5000"],
        "recorded data whose events, the first at 5000 ms",
    ),
    "unknown label": (["folder", "--label", "flush"], "unknown label 'flush'"),
    "unknown label of the run": (["barrel", "--run-label", "flush"], "unknown label 'flush'"),
    "unknown area": (["barrel", "--area", "V9"], "unknown area 'V9'"),
    "unknown readout": (["barrel", "--readout", "lfp_proxi"], "nearest: 'lfp_proxy'"),
    "readout that was not recorded": (["folder", "--readout", "eeg"], "eeg"),
    "spikes of a field": (["whole.nc", "--readout", "spk"], "error: got spikes of '"),
    "spikes by area": (["folder", "--readout", "spk", "--area", "V1"], "area='V1' for 'spk'"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_options_of_compare_that_do_not_fit_are_one_error(call, folder, tmp_path, case):
    words, message = BAD_OPTIONS[case]
    lfp = jtfne.load(folder).get("lfp_proxy").isel(area=0, drop=True)
    lfp.rename("lfp").to_netcdf(tmp_path / "whole.nc", engine="h5netcdf")
    lfp.rename("lfp").drop_attrs().to_netcdf(tmp_path / "bare.nc", engine="h5netcdf")
    paths = {"folder": folder, **{name: tmp_path / name for name in ("whole.nc", "bare.nc")}}
    recording = paths.get(words[0], words[0])
    code, out, err = call("compare", folder, recording, *words[1:], "-o", tmp_path / "out")
    assert code == 2 and message in err and "Traceback" not in err, err
    assert not out and not (tmp_path / "out").exists()
