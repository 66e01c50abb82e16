"""EEG, MEG and LFP leave as a BIDS dataset that the validator takes, and come back as they were."""

import csv
import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import mne
import mne_bids
import numpy as np
import pytest

import jtfne
from jtfne import analysis, cli, interop
from jtfne.interop import bids_folder
from jtfne.recordings import _bids

pytestmark = pytest.mark.filterwarnings("ignore:names of", "ignore:Converting data files")

N_TRIALS, DURATION_ms = 3, 60.0
DATATYPES = {"eeg": "eeg", "meg": "meg", "lfp": "ieeg"}
AREAS = [
    {"name": "Sehrinde ä", "position_mm": [-12.0, -54.0, 44.0]},
    {"name": "V4", "position_mm": [-30.0, -51.0, 32.0]},
]


def build_config(areas: list[dict[str, Any]], *probes: Any) -> jtfne.Config:
    """A few cells in one layer of each area, for 60 ms."""
    config = jtfne.Config().areas(areas).layers([{"name": "L4", "top": 0.0, "bottom": 1.0}])
    cells = config.cells({"E": 20, "PV": 5})
    return cells.runtime(seed=3, duration_ms=DURATION_ms, dt_ms=0.1).probes(list(probes))


@pytest.fixture(scope="module")
def signals() -> jtfne.Signals:
    """Three trials of two conditions, two areas, three kinds of fields at three rates."""
    config = build_config(
        AREAS,
        "spk",
        {"kind": "LFP", "interval_ms": 0.3, "n_channels": 4},
        {"kind": "EEG", "sites": ["Fz", "Cz", "Oz"]},
        {"kind": "MEG", "interval_ms": 0.5},
    )
    pulse = {"target": "E", "duration_ms": 5.0, "amplitude": 9.0}
    standard = jtfne.Paradigm.pulse(**pulse, start_ms=20.1, label="tone")
    deviant = jtfne.Paradigm.pulse(**pulse, start_ms=30.0, label='bad/Töne, "5"')
    task = jtfne.Paradigm.by_condition(
        {"std": standard, "dev": standard + deviant}, order=["std", "dev", "std"]
    )
    return jtfne.construct(config).simulate(task)


@pytest.fixture(scope="module")
def plain() -> jtfne.Signals:
    """One trial without events; one area without a place."""
    config = build_config([{"name": "slice"}], "spk", {"kind": "LFP", "n_channels": 3})
    return jtfne.construct(config).simulate()


@pytest.fixture(scope="module")
def dataset(signals: jtfne.Signals, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of `signals`. Shared by tests: not to be changed."""
    folder = tmp_path_factory.mktemp("bids") / "dataset"
    assert interop.to_bids(signals, folder) == folder
    return folder


def validate(root: Path) -> list[dict[str, Any]]:
    """What the validator of the standard says of a dataset."""
    validator = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent))
    done = subprocess.run(
        [validator or "bids-validator-deno", str(root), "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    issues: list[dict[str, Any]] = json.loads(done.stdout)["issues"]["issues"]
    return issues


def refuse_more_than_advice(issues: list[dict[str, Any]]) -> None:
    """Fail for an error, and for a warning of anything but keys that are recommended, and authors."""
    assert issues, "the validator always recommends something"
    for issue in issues:
        is_advice = issue["code"].endswith(("_KEY_RECOMMENDED", "_AUTHORS"))
        assert is_advice and issue["severity"] == "warning", issue


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table of the standard."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_validator_takes_it(dataset: Path) -> None:
    refuse_more_than_advice(validate(dataset))
    assert not [*dataset.rglob("*.lock"), *dataset.rglob(".*")]
    description = json.loads((dataset / "dataset_description.json").read_text(encoding="utf-8"))
    assert description["DatasetType"] == "raw" and "Authors" not in description
    assert description["GeneratedBy"] == [{"Name": "jtfne", "Version": jtfne.__version__}]
    assert "Nobody was recorded" in (dataset / "README").read_text(encoding="utf-8")
    assert [row["participant_id"] for row in read_rows(dataset / "participants.tsv")] == [
        "sub-sim3"
    ]
    assert read_rows(dataset / "participants.tsv")[0]["age"] == "n/a"


@pytest.mark.parametrize("readout", DATATYPES)
def test_a_recording_comes_back_as_it_was(
    readout: str, signals: jtfne.Signals, dataset: Path
) -> None:
    expected = interop.from_raw(interop.to_raw(signals, readout), readout)
    back = interop.from_bids(dataset, datatype=DATATYPES[readout])
    rtol = 1e-12 if readout == "meg" else 1e-6  # FIF in double, BrainVision in single precision
    largest = float(np.abs(expected).max())
    assert largest > 0.0
    np.testing.assert_allclose(back, expected, rtol=rtol, atol=rtol * largest)
    assert back.dims == expected.dims and back.name == readout
    assert back["channel"].values.tolist() == expected["channel"].values.tolist()
    np.testing.assert_allclose(back["time"], expected["time"], rtol=0.0, atol=1e-8)
    assert back.attrs["units"] == expected.attrs["units"]
    assert back.attrs["labels"] == expected.attrs["labels"]
    assert set(expected.attrs["labels"]) == {"tone", 'bad/Töne, "5"'}
    np.testing.assert_allclose(back.attrs["onset_ms"], expected.attrs["onset_ms"], atol=1e-6)
    assert set(back.coords) == set(expected.coords)
    for name, coordinate in expected.coords.items():
        if coordinate.dtype.kind == "f":
            np.testing.assert_allclose(back[name], coordinate, atol=1e-4)
    assert (back.attrs["subject"], back.attrs["task"]) == ("sim3", "simulation")
    only_tones = interop.from_bids(dataset, datatype=DATATYPES[readout], label="tone")
    assert len(only_tones.attrs["onset_ms"]) == N_TRIALS


def test_times_are_those_of_the_run(signals: jtfne.Signals, dataset: Path) -> None:
    lfp = signals.get("lfp", trial=0)
    back = interop.from_bids(dataset, datatype="ieeg")
    np.testing.assert_allclose(back["time"][: lfp.sizes["time"]], lfp["time"], atol=1e-5)
    assert back.sizes["time"] == N_TRIALS * lfp.sizes["time"]
    assert back["channel"].values[0] == "Sehrinde ä:ch00"
    np.testing.assert_allclose(back["z_mm"], np.tile(lfp["z_mm"], 2), atol=1e-9)


def test_events_have_condition_trial_and_code(signals: jtfne.Signals, dataset: Path) -> None:
    codes = interop.event_id(signals)
    for datatype in DATATYPES.values():
        rows = read_rows(next(dataset.glob(f"sub-sim3/{datatype}/*_events.tsv")))
        boundaries = [row for row in rows if "boundary" in row["trial_type"]]
        onsets_s = [float(row["onset"]) for row in boundaries[::2]]
        np.testing.assert_allclose(onsets_s, [0.06, 0.12], atol=1e-6)
        events = [row for row in rows if row not in boundaries]
        table = signals.events
        assert [row["condition"] for row in events] == table["condition"].tolist()
        assert [int(row["trial"]) for row in events] == table["trial"].tolist()
        assert [row["label"] for row in events] == table["label"].tolist()
        assert [int(row["value"]) for row in events] == [codes[row["trial_type"]] for row in events]


@pytest.mark.parametrize("readout", DATATYPES)
def test_mne_bids_users_get_events_and_epochs(
    readout: str, signals: jtfne.Signals, dataset: Path
) -> None:
    path = mne_bids.BIDSPath(
        root=dataset, subject="sim3", task="simulation", datatype=DATATYPES[readout]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MNE has no frame "Other"
        raw, codes = mne_bids.read_raw_bids(path, return_event_dict=True, verbose="error")
    assert codes == interop.event_id(signals)
    assert "BAD boundary" in raw.annotations.description
    events, _ = mne.events_from_annotations(raw, codes, verbose="error")
    expected, _ = mne.events_from_annotations(interop.to_raw(signals, readout), codes, verbose=40)
    np.testing.assert_array_equal(events, expected)
    epochs = mne.Epochs(
        raw, events, {"std/tone": codes["std/tone"]}, -0.01, 0.02, None, preload=True, verbose=40
    )
    assert len(epochs) == 2 and epochs.get_data(copy=False).any()
    assert raw.info["line_freq"] is None


def test_ieeg_has_a_frame_that_the_standard_takes(
    signals: jtfne.Signals, plain: jtfne.Signals, dataset: Path, tmp_path: Path
) -> None:
    rows = read_rows(dataset / "sub-sim3/ieeg/sub-sim3_electrodes.tsv")
    expected_m = interop.from_raw(interop.to_raw(signals, "lfp"), "lfp")
    places_mm = [[float(row[axis]) for axis in "xyz"] for row in rows]
    expected_mm = [expected_m[f"{axis}_head_mm"].values for axis in "xyz"]
    np.testing.assert_allclose(np.transpose(places_mm), expected_mm, atol=1e-5)
    assert [row["group"] for row in rows] == ["Sehrinde ä"] * 4 + ["V4"] * 4

    interop.to_bids(plain, tmp_path / "plain", line_freq_Hz=50)
    refuse_more_than_advice(validate(tmp_path / "plain"))
    back = interop.from_bids(tmp_path / "plain")
    assert back.attrs["task"] == "rest" and back.attrs["line_freq_Hz"] == 50.0
    assert "onset_ms" not in back.attrs and "x_head_mm" not in back.coords
    np.testing.assert_allclose(back["z_mm"], plain.get("lfp")["z_mm"], atol=1e-9)
    assert not list((tmp_path / "plain").rglob("*_events.*"))


def test_a_second_run_is_another_subject_or_run(
    signals: jtfne.Signals, plain: jtfne.Signals, tmp_path: Path
) -> None:
    folder = tmp_path / "both"
    interop.to_bids(plain, folder)
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(jtfne.JtfneError, match=r"sub-sim3_task-rest_ieeg,.* already.*run="):
        interop.to_bids(plain, folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files

    interop.to_bids(plain, folder, run=2)
    interop.to_bids(signals, folder, readouts="eeg", subject="two", session="a")
    for path, content in files.items():
        is_table = path.name.endswith(bids_folder.SHARED_TABLES)
        assert path.read_bytes() == content or is_table, path
    names = [row["participant_id"] for row in read_rows(folder / "participants.tsv")]
    assert names == ["sub-sim3", "sub-two"]
    assert len(read_rows(folder / "sub-sim3/sub-sim3_scans.tsv")) == 2
    assert not [*folder.rglob("*.lock"), *folder.rglob(".*")]
    refuse_more_than_advice(validate(folder))
    assert interop.from_bids(folder, subject="sim3", run="02").attrs["run"] == "02"
    assert interop.from_bids(folder, session="a").name == "eeg"
    with pytest.raises(jtfne.JtfneError, match=r"with 3 such recordings, sub-sim3_.*subject="):
        interop.from_bids(folder)
    with pytest.raises(jtfne.JtfneError, match=r"coordsystem.json unlike the one that both holds"):
        interop.to_bids(signals, folder, readouts="lfp", subject="sim3", run=3)
    assert not list(folder.rglob("*run-03*")), "nothing is written by halves"


def test_what_is_no_dataset_stays_as_it_is(plain: jtfne.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(jtfne.JtfneError, match="which exists and is no BIDS dataset"):
        interop.to_bids(plain, folder)
    (folder / "dataset_description.json").write_text("[]", encoding="utf-8")
    with pytest.raises(jtfne.JtfneError, match="which exists and is no BIDS dataset"):
        interop.to_bids(plain, folder)
    with pytest.raises(jtfne.JtfneError, match="exists"):
        interop.to_bids(plain, folder / "mine.txt")
    assert sorted(path.name for path in folder.iterdir()) == [
        "dataset_description.json",
        "mine.txt",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"readouts": "spk"}, r"unknown readout 'spk'.*'eeg', 'meg', 'lfp'"),
        ({"readouts": []}, r"readouts=\[\]"),
        ({"subject": "sub-1"}, r"subject='sub-1'.*letters and digits"),
        ({"session": ""}, r"session=''"),
        ({"task": "two words"}, r"task='two words'"),
        ({"run": 0}, r"run=0"),
        ({"run": "1"}, r"run='1'"),
        ({"line_freq_Hz": -50.0}, r"line_freq_Hz=-50"),
    ],
)
def test_names_are_those_of_the_standard(
    options: dict[str, Any], message: str, signals: jtfne.Signals, tmp_path: Path
) -> None:
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.to_bids(signals, tmp_path / "new", **options)
    assert not list(tmp_path.iterdir())


def test_a_run_without_fields_is_refused(tmp_path: Path) -> None:
    config = build_config([{"name": "V1"}], "spk", "eeg_proxy")
    with pytest.raises(jtfne.JtfneError, match=r"recorded spk, eeg_proxy.*one of eeg, meg, lfp"):
        interop.to_bids(jtfne.construct(config).simulate(), tmp_path / "new")


def test_bad_channels_and_foreign_frames(dataset: Path, tmp_path: Path) -> None:
    folder = tmp_path / "foreign"
    shutil.copytree(dataset, folder)
    channels = folder / "sub-sim3/eeg/sub-sim3_task-simulation_channels.tsv"
    lines = channels.read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2].replace("\tgood", "\tbad")
    channels.write_text("\n".join(lines), encoding="utf-8")
    assert interop.from_bids(folder, datatype="eeg")["channel"].values.tolist() == ["Fz", "Oz"]
    everything = interop.from_bids(folder, datatype="eeg", include_bads=True)
    assert everything["bad"].values.tolist() == [False, True, False]

    system = folder / "sub-sim3/ieeg/sub-sim3_coordsystem.json"
    facts = {"iEEGCoordinateSystem": "ACPC", "iEEGCoordinateUnits": "mm"}
    system.write_text(json.dumps(facts), encoding="utf-8")
    back = interop.from_bids(folder, datatype="ieeg")
    assert back.attrs["space"] == "ACPC" and "x_head_mm" not in back.coords
    rows = read_rows(folder / "sub-sim3/ieeg/sub-sim3_electrodes.tsv")
    np.testing.assert_allclose(back["x_space_mm"], [float(row["x"]) for row in rows], atol=1e-4)

    events = folder / "sub-sim3/eeg/sub-sim3_task-simulation_events.tsv"
    text = "onset\tduration\ttrial_type\tlabel\n0.01\t0\tgo\tcue 7\n0.02\tn/a\tstop\tn/a\n"
    events.write_text(text, encoding="utf-8")
    assert interop.from_bids(folder, datatype="eeg").attrs["labels"] == ["go", "stop"]


def cut(path: Path) -> None:
    """Leave the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_broken_datasets_are_one_clear_error(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(jtfne.JtfneError, match=r"without dataset_description.json"):
        interop.from_bids(dataset / "sub-sim3")
    with pytest.raises(jtfne.JtfneError, match=r"with 3 such recordings"):
        interop.from_bids(dataset)
    for options, message in (
        ({"datatype": "nirs"}, r"unknown datatype 'nirs'.*'eeg', 'meg', 'ieeg'"),
        ({"subject": "sim4"}, r"unknown subject 'sim4'.*nearest: 'sim3'"),
        ({"task": "rest"}, r"unknown task 'rest'.*'simulation'"),
        ({"run": 1}, r"unknown run '1'.*nothing"),
        ({"subject": []}, r"subject=\[\]"),
        ({"datatype": "eeg", "label": "tune"}, r"unknown label 'tune'.*nearest: 'tone'"),
    ):
        with pytest.raises(jtfne.JtfneError, match=message):
            interop.from_bids(dataset, **options)
    folder = tmp_path / "broken"
    shutil.copytree(dataset, folder)
    cut(folder / "sub-sim3/meg/sub-sim3_task-simulation_meg.fif")
    cut(folder / "sub-sim3/eeg/sub-sim3_task-simulation_eeg.vhdr")
    (folder / "sub-sim3/ieeg/sub-sim3_task-simulation_channels.tsv").unlink()
    (folder / "sub-sim3/ieeg/sub-sim3_task-simulation_events.tsv").write_text("onset\nx\n")
    for datatype in DATATYPES.values():
        with pytest.raises(jtfne.JtfneError, match=r"task-simulation_"):
            interop.from_bids(folder, datatype=datatype)


@pytest.mark.parametrize("package", ["mne_bids", "pybv"])
def test_a_missing_package_is_one_sentence(
    package: str, signals: jtfne.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = bids_folder.importlib.util.find_spec
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(
        bids_folder.importlib.util,
        "find_spec",
        lambda name, *rest: None if name == package else find_spec(name, *rest),
    )
    with pytest.raises(jtfne.JtfneError, match=r'needs.*pip install "jtfne\[bids\]"'):
        interop.to_bids(signals, tmp_path / "new")
    if package == "mne_bids":
        with pytest.raises(jtfne.JtfneError, match=r'needs mne-bids;.*"jtfne\[bids\]"'):
            interop.from_bids(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_command_line_writes_one_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = build_config([{"name": "V1"}], "spk", {"kind": "EEG", "sites": ["Cz"]})
    jtfne.construct(config).simulate().save(tmp_path / "run")
    arguments = ["jtfne", "export", str(tmp_path / "run"), "--to", "bids", "-o", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    for code in (0, 2):  # the second time it is there already
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert int(end.value.code or 0) == code
    assert "which bids holds already" in capsys.readouterr().err
    assert interop.from_bids(tmp_path / "bids")["channel"].values.tolist() == ["Cz"]
    refuse_more_than_advice(validate(tmp_path / "bids"))


def test_entities_are_read_from_names() -> None:
    assert _bids.read_entities("sub-a_ses-1_task-x_run-02_split-01_meg.fif") == {
        "sub": "a",
        "ses": "1",
        "task": "x",
        "run": "02",
        "split": "01",
    }


def test_a_dataset_is_a_recording_by_its_path(signals: jtfne.Signals, tmp_path: Path) -> None:
    dataset = interop.to_bids(signals, tmp_path / "bids")
    for readout, datatype in (("eeg", "eeg"), ("lfp", "ieeg")):
        recording = analysis.load_recording(dataset, readout=readout)
        expected = interop.from_bids(dataset, datatype=datatype)
        np.testing.assert_array_equal(recording, expected)
        assert recording.name == readout
    with pytest.raises(jtfne.JtfneError, match="spikes of"):
        analysis.load_recording(dataset, readout="spk")
