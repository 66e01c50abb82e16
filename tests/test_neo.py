"""A run as a Neo block, and what Neo holds or reads: signals, spike trains, events, files."""

from pathlib import Path

import neo
import numpy as np
import pytest
import quantities as pq

import jtfne
import runs
from jtfne import analysis, interop
from jtfne.readouts import LFP, Dipole, EEGProxy, Voltage

N_TRIALS, DURATION_MS = 3, 60.0


@pytest.fixture(scope="module")
def signals() -> jtfne.Signals:
    """Three trials of two conditions, potentials every 0.3 ms, some cells silent."""
    pulse = {"target": "E", "duration_ms": 5.0, "amplitude": 9.0}
    standard = jtfne.Paradigm.pulse(**pulse, start_ms=20.0, label="tone ü")
    deviant = jtfne.Paradigm.pulse(**pulse, start_ms=30.0, label="left/bad")
    task = jtfne.Paradigm.by_condition(
        {"std": standard, "dev": standard + deviant}, order=["std", "dev", "std"]
    )
    config = (
        jtfne.suite2_net1_config(30)
        .runtime(seed=3, duration_ms=DURATION_MS, dt_ms=0.1)
        .probes(["spk", Voltage(interval_ms=0.3), LFP(n_channels=4), Dipole(), "meg", EEGProxy()])
    )
    return jtfne.construct(config).simulate(task)


@pytest.fixture(scope="module")
def block(signals: jtfne.Signals) -> neo.Block:
    """The block of them."""
    return interop.to_neo(signals)


@pytest.mark.parametrize("readout", ["vm", "lfp", "dipole", "eeg_proxy"])
def test_a_readout_comes_back_as_it_was(
    readout: str, signals: jtfne.Signals, block: neo.Block
) -> None:
    data, recording = signals.get(readout), interop.from_neo(block, readout)
    assert recording.dims == ("trial", "time", "channel")
    np.testing.assert_array_equal(recording.values, data.values.reshape(recording.shape))
    np.testing.assert_allclose(recording["time"], data["time"], rtol=0.0, atol=1e-9)
    for name in ("units", "proxy", "long_name"):
        assert recording.attrs[name] == data.attrs[name]
    if "z_mm" in data.coords:
        np.testing.assert_array_equal(recording["z_mm"], data["z_mm"])
    one = interop.from_neo(block.segments[1], readout)
    assert one.dims == ("time", "channel")
    assert one.attrs["onset_ms"] == [20.0, 30.0] and one.attrs["labels"] == ["tone ü", "left/bad"]
    assert "onset_ms" not in recording.attrs  # the trials have other events
    assert interop.from_neo(block, readout, label="tone ü").attrs["onset_ms"] == 20.0


def test_units_are_those_of_the_readout(signals: jtfne.Signals, block: neo.Block) -> None:
    units = {signal.name: signal.units for signal in block.segments[0].analogsignals}
    assert units["lfp"] == pq.V and units["vm"] == pq.mV and units["meg_mag"] == pq.T
    assert units["dipole"] == pq.A * pq.m and units["meg_grad"] == pq.T / pq.m
    assert units["eeg_proxy"] == pq.dimensionless
    mag = interop.from_neo(block, "meg", signal="meg_mag")
    meg = signals.get("meg")
    kept = np.flatnonzero(meg["unit"] == "T")
    assert (
        mag.attrs["units"] == "T"
        and mag["channel"].values.tolist() == meg["channel"].values[kept].tolist()
    )
    np.testing.assert_array_equal(mag.values, meg.values[..., kept])


def test_spike_trains_and_events(signals: jtfne.Signals, block: neo.Block) -> None:
    spikes, expected = interop.from_neo(block, "spk"), signals.get("spk")
    assert spikes.equals(expected)
    sizes = [len(train) for segment in block.segments for train in segment.spiketrains]
    assert min(sizes) == 0 and sum(sizes) == expected.size and len(sizes) == 30 * N_TRIALS
    assert spikes.attrs["duration_ms"] == DURATION_MS and spikes.attrs["n_trials"] == N_TRIALS
    by_type = analysis.rates(spikes, by="cell_type")
    np.testing.assert_array_equal(by_type, analysis.rates(signals, by="cell_type"))
    segment, train = block.segments[1], block.segments[1].spiketrains[4]
    assert (float(train.t_start), float(train.t_stop)) == (0.0, DURATION_MS)
    labels = signals.neurons.iloc[4]
    for name in ("area", "layer", "cell_type"):
        assert train.annotations[name] == labels[name]
    (event,) = segment.events
    assert (
        event.labels.tolist() == ["tone ü", "left/bad"]
        and segment.annotations["condition"] == "dev"
    )
    assert event.array_annotations["code"].tolist() == [1, 2]
    alone = interop.from_neo(list(segment.spiketrains), "spk")
    assert alone.attrs["n_trials"] == 1 and alone.size == int((expected["trial"] == 1).sum())
    assert interop.from_neo(train, "spk").attrs["n_neurons"] == 1


@pytest.mark.filterwarnings("default")  # of elephant and quantities
def test_elephant_counts_the_same_rates(signals: jtfne.Signals, block: neo.Block) -> None:
    from elephant.statistics import mean_firing_rate

    rates_Hz = []
    for segment in block.segments:
        trains = segment.spiketrains
        rates_Hz.append([float(mean_firing_rate(train).rescale("Hz")) for train in trains])
    own_Hz = analysis.rates(signals, by=None)
    axis = own_Hz.dims.index("neuron")
    means_Hz = own_Hz.values.mean(axis=tuple(k for k in range(own_Hz.ndim) if k != axis))
    np.testing.assert_allclose(np.mean(rates_Hz, axis=0), means_Hz, rtol=1e-12)


def test_runs_without_events_and_without_names() -> None:
    silent = interop.to_neo(runs.silent())
    assert len(silent.segments[0].events) == 0
    spikes = interop.from_neo(silent, "spk")
    assert (spikes.size, spikes.attrs["duration_ms"]) == (0, 20.0)
    nameless = interop.from_neo(interop.to_neo(runs.nameless()), "spk")
    assert nameless.equals(runs.nameless().get("spk"))


def test_signals_of_others_are_read_in_si_units() -> None:
    signal = neo.AnalogSignal(
        np.arange(12.0).reshape(6, 2), units="uV", sampling_rate=0.5 * pq.kHz, t_start=1.0 * pq.s,
        array_annotations={"channel_names": ["a", "b"]}, name="LFP",
    )  # fmt: skip
    recording = interop.from_neo(signal)
    assert recording.attrs["units"] == "V" and recording["channel"].values.tolist() == ["a", "b"]
    np.testing.assert_allclose(recording["time"], 1002.0 + 2.0 * np.arange(6))
    np.testing.assert_allclose(recording, 1e-6 * np.arange(12.0).reshape(6, 2))
    segment = neo.Segment()
    segment.analogsignals += [signal, signal.rescale("mV")]
    segment.events.append(neo.Event([1.002] * pq.s, labels=["go"]))
    assert interop.from_neo(segment, signal=1).attrs["onset_ms"] == 1002.0
    block = neo.Block()
    longer = neo.Segment()
    longer.analogsignals.append(
        neo.AnalogSignal(np.ones((7, 2)), units="V", sampling_rate=1 * pq.Hz)
    )
    block.segments += [segment, longer]
    trains = [
        neo.SpikeTrain([1.0], units="s", t_stop=2.0),
        neo.SpikeTrain([], units="s", t_stop=3.0),
    ]
    segment.spiketrains += trains
    longer.spiketrains += trains[:1]
    for call, message in (
        (lambda: interop.from_neo(segment), r"signals 0: 'LFP', 1: 'LFP'.*signal= of from_neo"),
        (lambda: interop.from_neo(segment, signal=2), "signal=2 of 2"),
        (lambda: interop.from_neo(segment, signal="lpf"), "nearest: 'LFP'"),
        (lambda: interop.from_neo(block, signal=0), r"shapes \(6, 2\), \(7, 2\)"),
        (lambda: interop.from_neo(block, "spk"), "2, 1 spike trains"),
        (lambda: interop.from_neo(signal, "meg"), "'meg' of a recording in 'V'"),
        (lambda: interop.from_neo(neo.Block()), "without segments"),
        (lambda: interop.from_neo(signal, "spk"), "'spk' of data of type AnalogSignal"),
        (lambda: interop.from_neo(segment, signal=1, label="stop"), "unknown label 'stop'"),
        (lambda: interop.from_neo(segment, "spk", label="go"), "for spikes"),
        (lambda: interop.from_neo(signal, signal=True), "signal=True"),
    ):
        with pytest.raises(jtfne.JtfneError, match=message):
            call()


def write_spikeglx(folder: Path, counts: np.ndarray) -> Path:
    """The two files that SpikeGLX writes of an analog input of two channels at 2 kHz."""
    folder.mkdir()
    samples = folder / "rat_g0_t0.nidq.bin"
    samples.write_bytes(counts.astype("<i2").tobytes())
    meta = {
        "typeThis": "nidq",
        "nSavedChans": "2",
        "fileName": "D:/data/rat_g0_t0.nidq.bin",
        "fileSizeBytes": str(counts.size * 2),
        "firstSample": "0",
        "niSampRate": "2000",
        "niAiRangeMax": "5",
        "niMNGain": "200",
        "niMAGain": "1",
        "snsMnMaXaDw": "2,0,0,0",
        "~snsChanMap": "(0,2,2)(MN0;0:0)(MN1;1:1)",
    }
    text = "".join(f"{key}={value}\n" for key, value in meta.items())
    samples.with_suffix(".meta").write_text(text, encoding="utf-8")
    return samples


def test_a_spikeglx_recording(tmp_path: Path) -> None:
    counts = np.arange(-40, 40).reshape(40, 2)
    path = write_spikeglx(tmp_path / "rat", counts)
    for source in (path, path.with_suffix(".meta"), path.parent):
        recording = interop.from_neo(source)
        np.testing.assert_allclose(recording, counts * 5.0 / 32768.0 / 200.0, rtol=1e-6)
        np.testing.assert_allclose(recording["time"], 0.5 * np.arange(1, 41))
        assert recording["channel"].values.tolist() == ["MN0", "MN1"]
    loaded = analysis.load_recording(path, z_mm=[0.1, 0.2])
    assert loaded.attrs["units"] == "V" and loaded["z_mm"].values.tolist() == [0.1, 0.2]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(jtfne.JtfneError, match=r"100 bytes, which was cut short.*160 bytes"):
        interop.from_neo(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.pkl", "a pickle, which runs code"),
        ("a.pickle", "a pickle, which runs code"),
        ("a.mat", "from_array"),
        ("a.pl2", "fetches a library"),
        ("a.dat", "evaluates its text"),
        ("a.xyz", "a file or folder of"),
        ("a.ns9", "nearest: '.ns"),
        ("a.plx", r"which neo.io.PlexonIO cannot read"),
        ("a.abf", r"which neo.io.AxonIO cannot read"),
        ("absent.plx", "is not there"),
    ],
)
def test_what_is_not_read_is_told(name: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if not name.startswith("absent"):
        path.write_bytes(b"no recording")
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.from_neo(path)


def test_a_folder_of_other_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    with pytest.raises(jtfne.JtfneError, match=r"the folder.* of other files"):
        interop.from_neo(tmp_path)


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "neo", None)
    with pytest.raises(jtfne.JtfneError, match=r'pip install "jtfne\[neo\]"'):
        interop.to_neo(runs.silent())
