"""A run as an NWB file, and NWB files of others: values, clock, units, depths, labels, events."""

import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

import jtfne
import runs
from jtfne import _json, analysis, interop
from jtfne.config import Area
from jtfne.readouts import EEG, LFP, Dipole, LFPProxy, Voltage

N_TRIALS, DURATION_MS = 3, 60.0
AREAS = ("V1 ä/1", "b c")  # names that are no names in HDF5
RENAMED = "ignore:names of areas"
pytestmark = pytest.mark.filterwarnings(RENAMED)


@pytest.fixture(scope="module")
def signals() -> jtfne.Signals:
    """Three trials of two areas, under two conditions; steps of 0.3, 0.7 (which leaves gaps), 1 ms."""
    pulse = {"target": "E", "duration_ms": 5.0, "amplitude": 9.0}
    standard = jtfne.Paradigm.pulse(**pulse, start_ms=20.0, label="tone")
    deviant = jtfne.Paradigm.pulse(**pulse, start_ms=30.0, label="left/bad")
    task = jtfne.Paradigm.by_condition(
        {"std": standard, "dev ü": standard + deviant}, order=["std", "dev ü", "std"]
    )
    places = ((0.0, -60.0, 40.0), (0.0, 60.0, 40.0))
    config = (
        jtfne.Config()
        .areas(
            [Area(name=name, position_mm=place) for name, place in zip(AREAS, places, strict=True)]
        )
        .layers(["L4"])
        .cells({"E": 6, "PV": 2})
        .runtime(seed=3, duration_ms=DURATION_MS, dt_ms=0.1)
        .probes(
            [
                "spk",
                Voltage(interval_ms=0.3),
                LFP(n_channels=4),
                Dipole(),
                EEG(sites=("Fz",)),
                LFPProxy(interval_ms=0.7),
                "meg",
                "emm_proxy",
                "spectrolaminar_proxy",
            ]
        )
    )
    return jtfne.construct(config).simulate(task)


@pytest.fixture(scope="module")
def path(signals: jtfne.Signals, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return interop.to_nwb(signals, tmp_path_factory.mktemp("nwb") / "run.nwb")


@pytest.mark.parametrize("readout", ["vm", "lfp", "dipole", "eeg", "meg", "emm_proxy"])
def test_a_readout_comes_back_as_it_was(readout: str, signals: jtfne.Signals, path: Path) -> None:
    data, recording = signals.get(readout), interop.from_nwb(path, readout)
    times_ms = DURATION_MS * np.arange(N_TRIALS)[:, None] + data["time"].values
    np.testing.assert_allclose(recording["time"], times_ms.ravel(), rtol=0.0, atol=1e-9)
    np.testing.assert_array_equal(
        recording.values, data.values.astype(np.float32).reshape(recording.shape)
    )
    for name in ("units", "proxy", "readout", "long_name"):
        assert recording.attrs[name] == data.attrs[name]
    table = signals.events
    np.testing.assert_allclose(
        recording.attrs["onset_ms"], table["onset_ms"] + DURATION_MS * table["trial"]
    )
    assert (
        recording.attrs["labels"] == table["label"].tolist()
        and "left/bad" in table["label"].tolist()
    )


def test_channels_keep_areas_depths_and_places(signals: jtfne.Signals, path: Path) -> None:
    lfp, data = interop.from_nwb(path), signals.get("lfp")
    assert lfp["channel"].values[[0, -1]].tolist() == ["V1 ä/1:ch00", "b c:ch03"]
    assert lfp["area"].values.tolist() == [AREAS[0]] * 4 + [AREAS[1]] * 4
    np.testing.assert_array_equal(lfp["z_mm"], np.tile(data["z_mm"], 2))
    column = lfp.isel(channel=np.flatnonzero(lfp["area"] == AREAS[1]))
    own = data.sel(area=AREAS[1]).isel(trial=0)
    np.testing.assert_allclose(
        analysis.csd(column.isel(time=slice(0, 60))).values, analysis.csd(own).values, rtol=1e-4,
        atol=1e-6 * float(abs(analysis.csd(own)).max()),
    )  # fmt: skip
    vm, potentials = interop.from_nwb(path, "vm"), signals.get("vm")
    for name in ("neuron", "area", "layer", "cell_type", "z_mm"):
        assert vm[name].dims == ("neuron",)
        np.testing.assert_array_equal(vm[name], potentials[name])
    meg, field = interop.from_nwb(path, "meg"), signals.get("meg")
    for name in ("channel", "unit", "x_mm", "y_mm", "z_mm"):
        np.testing.assert_array_equal(meg[name], field[name])
    assert interop.from_nwb(path, "eeg").sizes["channel"] == 1


def test_trials_with_gaps_between_them_stay_trials(signals: jtfne.Signals, path: Path) -> None:
    data, recording = signals.get("lfp_proxy"), interop.from_nwb(path, "lfp_proxy")
    assert recording.dims == ("trial", "time", "channel") and recording.attrs["units"] == "a.u."
    np.testing.assert_allclose(recording["time"], data["time"], rtol=0.0, atol=1e-9)
    np.testing.assert_array_equal(
        recording.values, data.values.astype(np.float32).reshape(recording.shape)
    )
    assert "onset_ms" not in recording.attrs  # the trials have other events
    tones = interop.from_nwb(path, "lfp_proxy", label="tone")
    assert tones.attrs["onset_ms"] == 20.0 and tones.attrs["labels"] == ["tone"]


def test_spikes_come_back_with_silent_cells_and_trials(signals: jtfne.Signals, path: Path) -> None:
    spikes, expected = interop.from_nwb(path, "spk"), signals.get("spk")
    assert spikes.equals(expected)
    for name in ("n_neurons", "n_trials", "duration_ms", "dt_ms", "units"):
        assert spikes.attrs[name] == expected.attrs[name]
    n_spiking = np.unique(expected["neuron"]).size
    assert 0 < n_spiking < spikes.attrs["n_neurons"] == 16
    np.testing.assert_array_equal(analysis.rates(spikes, by=None), analysis.rates(signals, by=None))
    by_type = analysis.rates(path, by=["area", "cell_type"])  # silent cells have their labels too
    np.testing.assert_array_equal(by_type, analysis.rates(signals, by=["area", "cell_type"]))


def test_the_tables_of_the_file(signals: jtfne.Signals, path: Path) -> None:
    import pynwb

    with pynwb.NWBHDF5IO(str(path), "r") as stream:
        file = stream.read()
        assert file.session_start_time.isoformat() == "2000-01-01T00:00:00+00:00"
        assert file.file_create_date == [file.session_start_time]
        trials = file.trials.to_dataframe()
        assert trials["condition"].tolist() == ["std", "dev ü", "std"]
        np.testing.assert_allclose(trials["onset"], [0.020, 0.080, 0.140])
        np.testing.assert_allclose(trials["stop_time"], [0.060, 0.120, 0.180])
        assert trials["code"].tolist() == [1, 1, 1]
        stimuli = file.events["stimuli"].to_dataframe()
        for name in ("label", "code", "trial", "condition"):
            assert stimuli[name].tolist() == signals.events[name].tolist()
        np.testing.assert_allclose(stimuli["duration"], signals.events["duration_ms"] / 1e3)
        units = file.units.to_dataframe()
        cells = signals.neurons
        for name in ("area", "layer", "cell_type"):
            assert units[name].tolist() == cells[name].tolist()
        assert units["population"].iloc[0] == f"{AREAS[0]} {cells['layer'][0]} E"
        assert file.units.resolution == 1e-4
        np.testing.assert_allclose(units["obs_intervals"].iloc[3], [[0.0, 0.180]])
        electrodes = file.electrodes.to_dataframe()
        assert electrodes["location"].unique().tolist() == list(AREAS)
        np.testing.assert_allclose(electrodes["depth_um"][:4], 1e3 * signals.get("lfp")["z_mm"])
        assert "below the pia, um" in file.electrodes["depth_um"].description
        series = file.processing["ecephys"]["LFP"]["lfp"]
        assert (series.unit, series.starting_time, series.rate) == ("volts", 0.001, 1000.0)
        assert series.data.dtype == np.float32
        potential = file.processing["ecephys"]["vm"]
        assert (potential.unit, potential.conversion) == ("V", 1e-3)
        assert file.processing["ecephys"]["lfp_proxy"].unit == "a.u."
        assert "spectrolaminar_proxy" not in file.processing["ecephys"].data_interfaces
        assert _json.loads(file.notes, where="notes") == signals.manifest
        assert file.identifier == _json.sha256(signals.manifest)


def list_content(path: Path) -> dict[str, str]:
    """Every attribute and dataset of a file, as text."""
    content = {}

    def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
        for key, value in item.attrs.items():
            content[f"{name}@{key}"] = str(value)
        if isinstance(item, h5py.Dataset):
            content[name] = str(item[()])

    with h5py.File(path) as file:
        add("", file)
        file.visititems(add)
    return content


def test_one_run_gives_one_file_and_overwrites_none(
    signals: jtfne.Signals, path: Path, tmp_path: Path
) -> None:
    again = interop.to_nwb(signals, tmp_path / "again.nwb")
    assert list_content(again) == list_content(path)
    with pytest.raises(jtfne.JtfneError, match="exists"):
        interop.to_nwb(signals, again)
    with pytest.raises(jtfne.JtfneError, match=r"ends in \.nwb"):
        interop.to_nwb(signals, tmp_path / "run.h5")
    assert [child.name for child in tmp_path.iterdir()] == ["again.nwb"]


@pytest.mark.filterwarnings("default")
def test_the_inspector_and_pynapple_and_neo_take_the_file(
    signals: jtfne.Signals, tmp_path: Path
) -> None:
    import neo
    import nwbinspector
    import pynapple

    # of 102 magnetometers and 204 gradiometers there are more than of samples, which looks odd
    tree = signals.tree.copy()
    del tree["meg"]
    path = interop.to_nwb(jtfne.Signals(tree, signals.manifest), tmp_path / "run.nwb")
    messages = list(nwbinspector.inspect_nwbfile(nwbfile_path=str(path)))
    worst = [
        message for message in messages if message.importance.name != "BEST_PRACTICE_SUGGESTION"
    ]
    assert worst == []

    data = pynapple.load_file(str(path))
    units, expected = data["units"], signals.spikes
    assert len(units) == 16
    for neuron in range(16):
        rows = expected[expected["neuron"] == neuron]
        times_s = (rows["time_ms"] + DURATION_MS * rows["trial"]).to_numpy() / 1e3
        np.testing.assert_allclose(units[neuron].t, times_s, atol=1e-9)
    assert units["cell_type"].tolist() == signals.neurons["cell_type"].tolist()
    lfp = data["lfp"]
    np.testing.assert_allclose(lfp.t, np.arange(1, 181) / 1e3)
    np.testing.assert_array_equal(lfp.values, interop.from_nwb(path).values.astype(np.float32))
    assert data["trials"]["condition"].tolist() == ["std", "dev ü", "std"]

    (block,) = neo.io.NWBIO(str(path)).read_all_blocks()
    trains = block.segments[0].spiketrains
    assert len(trains) == 16 and float(trains[0].t_stop) == pytest.approx(0.180)
    np.testing.assert_allclose(trains[3].magnitude, units[3].t)


def test_runs_without_events_and_without_names(tmp_path: Path) -> None:
    silent = interop.to_nwb(runs.silent(), tmp_path / "silent.nwb")
    spikes = interop.from_nwb(silent, "spk")
    assert (spikes.size, spikes.attrs["n_neurons"], spikes.attrs["duration_ms"]) == (0, 1, 20.0)
    nameless = interop.to_nwb(runs.nameless(), tmp_path / "nameless.nwb")
    assert interop.from_nwb(nameless, "spk").equals(runs.nameless().get("spk"))
    with h5py.File(nameless) as file:
        assert "area" not in file["units"] and "events" not in file


def write_session(path: Path, **changes: object) -> Path:
    """A session as a rig might write it: int16 counts, trials apart, a start at 12.5 s."""
    import datetime

    import pynwb
    from pynwb.ecephys import ElectricalSeries

    file = pynwb.NWBFile("a session", "id", datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    device = file.create_device("probe", description="a probe")
    group = file.create_electrode_group(
        "shank", description="a shank", location="VISp", device=device
    )
    depth_name, depth_text = changes.get("depth", ("depth", "um below the cortical surface"))
    file.add_electrode_column(depth_name, depth_text)
    for k in range(3):
        file.add_electrode(
            group=group, location="VISp", rel_y=100.0 * k, **{depth_name: 50.0 + 100.0 * k}
        )
    region = file.create_electrode_table_region([2, 0], "two of three")
    counts = np.arange(40, dtype=np.int16).reshape(20, 2)
    times = changes.get("times", {"starting_time": 12.5, "rate": 500.0})
    file.add_acquisition(
        ElectricalSeries(
            name="raw data",
            data=counts,
            electrodes=region,
            conversion=2e-6,
            offset=1e-5,
            channel_conversion=[1.0, 3.0],
            **times,
        )
    )
    file.add_trial_column("stim_on", "onset")
    file.add_trial_column("trial_type", "go or nogo")
    file.add_trial(start_time=12.5, stop_time=12.51, stim_on=12.505, trial_type="go")
    file.add_trial(start_time=12.52, stop_time=12.53, stim_on=np.nan, trial_type="nogo")
    file.add_unit_column("brain_area", "area")
    file.add_unit(spike_times=[12.501, 12.52], brain_area="VISp")
    file.add_unit(spike_times=[], brain_area="CA1")
    with pynwb.NWBHDF5IO(str(path), "w") as stream:
        stream.write(file)
    return path


def test_a_session_of_a_rig(tmp_path: Path) -> None:
    path = write_session(tmp_path / "session.nwb")
    lfp = interop.from_nwb(path)
    assert lfp.dims == ("time", "channel") and lfp.attrs["units"] == "V"
    np.testing.assert_allclose(lfp["time"], 12500.0 + 2.0 * np.arange(20))
    counts = np.arange(40).reshape(20, 2)
    np.testing.assert_allclose(lfp, counts * 2e-6 * np.array([1.0, 3.0]) + 1e-5)
    assert lfp["channel"].values.tolist() == ["e2", "e0"]
    np.testing.assert_allclose(lfp["z_mm"], [0.25, 0.05])
    assert lfp.attrs["onset_ms"] == [12500.0, 12520.0] and lfp.attrs["labels"] == ["go", "nogo"]
    stimuli = interop.from_nwb(path, events="trials.stim_on")
    assert (stimuli.attrs["onset_ms"], stimuli.attrs["labels"]) == (12505.0, ["go"])
    assert interop.from_nwb(path, label="nogo").attrs["onset_ms"] == 12520.0
    np.testing.assert_allclose(interop.from_nwb(path, depth="rel_y")["z_mm"], [0.2, 0.0])
    assert interop.from_nwb(path, "eeg", series="acquisition/raw data").name == "eeg"
    spikes = interop.from_nwb(path, "spk")
    assert spikes.values.tolist() == [12501.0, 12520.0] and spikes["area"].values[0] == "VISp"
    assert (spikes.attrs["n_neurons"], spikes.attrs["n_trials"]) == (2, 1)
    assert spikes.attrs["duration_ms"] == 12530.0


def test_what_is_read_is_a_recording_and_a_source(
    signals: jtfne.Signals, path: Path, tmp_path: Path
) -> None:
    lfp = analysis.load_recording(path)
    assert lfp.equals(interop.from_nwb(path)) and lfp.attrs["units"] == "V"
    tones = analysis.load_recording(path, readout="dipole", label="tone")
    assert tones["channel"].values.tolist() == list(AREAS) and len(tones.attrs["onset_ms"]) == 3
    assert analysis.load_recording(path, readout="spk").equals(signals.get("spk"))
    session = write_session(tmp_path / "session.nwb")
    source = jtfne.emitters.SpikeSource.from_table(interop.from_nwb(session, "spk"))
    assert source.times_ms.tolist()[0] == [12501.0, 12520.0]


def test_what_is_no_depth_below_the_pia_is_not_taken_for_it(tmp_path: Path) -> None:
    tip = write_session(tmp_path / "tip.nwb", depth=("depth", "um above the tip"))
    assert "z_mm" not in interop.from_nwb(tip).coords
    np.testing.assert_allclose(interop.from_nwb(tip, depth="depth")["z_mm"], [0.25, 0.05])


def test_uneven_times_and_wrong_names_are_told(tmp_path: Path, path: Path) -> None:
    jumps = 12.5 + 0.002 * np.arange(20) + 0.001 * (np.arange(20) > 9)
    uneven = write_session(tmp_path / "uneven.nwb", times={"timestamps": jumps})
    for call, message in (
        (lambda: interop.from_nwb(uneven), r"steps of 2 to 3 ms.*even steps"),
        (lambda: interop.from_nwb(path, series="lpf"), r"unknown series 'lpf'.*nearest: 'lfp'"),
        (lambda: interop.from_nwb(path, "rate"), r"a file with the series.*series="),
        (lambda: interop.from_nwb(path, "eeg", series="dipole"), r"'eeg' of a recording in 'A m'"),
        (lambda: interop.from_nwb(path, depth="deth_um"), r"nearest: 'depth_um'"),
        (lambda: interop.from_nwb(path, "vm", depth="depth_um"), "without electrodes"),
        (lambda: interop.from_nwb(path, label="tune"), r"unknown label 'tune'.*nearest: 'tone'"),
        (
            lambda: interop.from_nwb(path, events="trial"),
            r"unknown events 'trial'.*nearest: 'trials'",
        ),
        (lambda: interop.from_nwb(path, events="trials.oset"), r"nearest: 'onset'"),
        (lambda: interop.from_nwb(path, "spk", series="lfp"), "for spikes"),
        (lambda: interop.from_nwb(path, 3), "the readout 3"),
        (lambda: interop.from_nwb(path, depth=3), "depth=3"),
    ):
        with pytest.raises(jtfne.JtfneError, match=message):
            call()


def test_broken_and_foreign_files_end_in_one_sentence(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 1000):
        cut = tmp_path / "cut.nwb"
        cut.write_bytes(whole[:size])
        with pytest.raises(jtfne.JtfneError, match="cannot be read"):
            interop.from_nwb(cut)
    with h5py.File(tmp_path / "other.nwb", "w") as file:
        file["x"] = 1.0
    with pytest.raises(jtfne.JtfneError, match="without nwb_version"):
        interop.from_nwb(tmp_path / "other.nwb")
    with pytest.raises(jtfne.JtfneError, match="is not there"):
        interop.from_nwb(tmp_path / "absent.nwb")


def test_nothing_outside_the_file_is_opened(path: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = np.ones((180, 8))
    series = "processing/ecephys/LFP/lfp"
    links = {
        "link": h5py.ExternalLink(str(tmp_path / "secret.h5"), "data"),
        "circle": h5py.SoftLink(f"/{series}/timestamps"),
    }
    for name, link in links.items():
        copy = tmp_path / f"{name}.nwb"
        copy.write_bytes(path.read_bytes())
        with h5py.File(copy, "r+") as file:
            if name == "link":
                del file[f"{series}/data"]
                file[f"{series}/data"] = link
            else:
                file[f"{series}/timestamps"] = link
        with pytest.raises(jtfne.JtfneError):
            interop.from_nwb(copy, series="lfp")
    outside = tmp_path / "outside.nwb"
    outside.write_bytes(path.read_bytes())
    (tmp_path / "raw.bin").write_bytes(np.ones(1440, np.float32).tobytes())
    with h5py.File(outside, "r+") as file:
        old = file[f"{series}/data"]
        attrs = dict(old.attrs)
        del file[f"{series}/data"]
        new = file[series].create_dataset(
            "data", (180, 8), np.float32, external=[(str(tmp_path / "raw.bin"), 0, 5760)]
        )
        new.attrs.update(attrs)
    with pytest.raises(jtfne.JtfneError, match="another file"):
        interop.from_nwb(outside)
    huge = tmp_path / "huge.nwb"
    huge.write_bytes(path.read_bytes())
    with h5py.File(huge, "r+") as file:
        del file[f"{series}/data"]
        file[series].create_dataset("data", (2**50, 8), np.float32, chunks=(1024, 8))
    with pytest.raises(jtfne.JtfneError, match="GiB"):
        interop.from_nwb(huge)


def test_a_missing_package_is_one_sentence(
    signals: jtfne.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynwb", None)
    with pytest.raises(jtfne.JtfneError, match=r'pip install "jtfne\[nwb\]"'):
        interop.to_nwb(signals, tmp_path / "run.nwb")
