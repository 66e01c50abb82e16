"""A recording is a target: of its own run the distance is 0, whatever it is kept in."""

import functools
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
import xarray as xr

import jtfne
from jtfne import analysis, interop
from jtfne.config import Metric
from jtfne.measures import (
    BandPower,
    CSDProfile,
    EvokedWaveform,
    PowerSpectrum,
    SpectrolaminarCrossover,
    Topography,
)

ONSET_ms, STEP_ms = 15.0, 0.3
# A readout that equals its target to the bit is refused as being its own run.
FACTOR = 1.0 + 1e-6


@functools.cache
def run() -> jtfne.Signals:
    """Two trials of one area with one event each, fields every 0.3 ms."""
    config = (
        jtfne.Config()
        .runtime(seed=1, duration_ms=60.0, dt_ms=0.1)
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells({"E": 20})
        .cell_params({"E": {"drive": 8.0, "noise": 1.0}})
        .probes(
            [
                "spk",
                {"kind": "lfp", "interval_ms": STEP_ms},
                {"kind": "eeg", "sites": ["Cz", "Oz", "Fz", "Pz"], "interval_ms": STEP_ms},
            ]
        )
    )
    flash = jtfne.Paradigm.pulse(
        target={"layer": "L4"}, start_ms=ONSET_ms, duration_ms=5.0, amplitude=5.0, label="flash é"
    )
    return jtfne.construct(config).simulate(flash.trials(2), progress=False)


def scale_data(recording: Any) -> Any:
    """A copy of what MNE has in memory, times FACTOR."""
    return recording.copy().apply_function(lambda values: values * FACTOR, picks="all")


def make_targets(folder: Path) -> dict[str, Any]:
    """The EEG of the run in every form in which it may be a target."""
    signals = run()
    window_ms = (-12.0, 42.0)
    epochs = interop.to_epochs(signals, "eeg", window_ms=window_ms)
    raw = interop.to_raw(signals, "eeg")
    average = epochs.average()
    average.data *= FACTOR
    array = (signals.get("eeg").astype(float) * FACTOR).assign_attrs(
        {**signals.get("eeg").attrs, "onset_ms": ONSET_ms}
    )
    targets = {
        "Raw": scale_data(raw),
        "Epochs": scale_data(epochs.load_data()),
        "Evoked": average,
        "DataArray": array,
        "average": analysis.evoked(array, window_ms=(-12.0, 42.0), baseline_ms=None),
    }
    targets["Raw"].save(folder / "a_raw.fif", fmt="double", verbose="error")
    targets["Epochs"].save(folder / "a-epo.fif", fmt="double", verbose="error")
    average.save(folder / "a-ave.fif", verbose="error")
    array.to_netcdf(folder / "a.nc", engine="h5netcdf")
    for name in ("a_raw.fif", "a-epo.fif", "a-ave.fif", "a.nc"):
        targets[name] = folder / name
    return targets


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """As `make_targets`."""
    return make_targets(tmp_path_factory.mktemp("targets"))


FORMS = (
    *("Raw", "Epochs", "Evoked", "DataArray", "average"),
    *("a_raw.fif", "a-epo.fif", "a-ave.fif", "a.nc"),
)


def score(metric: Metric) -> float:
    """The score of the run by one metric."""
    return jtfne.Objective([metric]).evaluate(run()).score


@pytest.mark.parametrize("form", FORMS)
def test_a_run_is_at_distance_0_from_its_own_recording(form: str, targets: dict[str, Any]) -> None:
    rms_V = float(run().get("eeg").std())
    waveform = EvokedWaveform(onset_ms=ONSET_ms)
    metric = Metric(measure=waveform, readout="eeg", target=targets[form], scale=rms_V)
    assert score(metric) < 1e-6
    shifted = EvokedWaveform(onset_ms=ONSET_ms + STEP_ms)
    late = Metric(measure=shifted, readout="eeg", target=targets[form], scale=rms_V)
    assert score(late) > 1e-5, "one sample off is told"
    topography = Topography(onset_ms=ONSET_ms)
    topographic = Metric(
        measure=topography, readout="eeg", target=targets[form], window_ms=(20.0, 50.0)
    )
    assert score(topographic) < 1e-6


@pytest.mark.parametrize("form", ["Raw", "Epochs", "DataArray", "a.nc"])
def test_single_trials_lose_the_baseline_that_the_run_loses(
    form: str, targets: dict[str, Any]
) -> None:
    rms_V = float(run().get("eeg").std())
    waveform = EvokedWaveform(onset_ms=ONSET_ms, baseline_ms=9.0)
    metric = Metric(measure=waveform, readout="eeg", target=targets[form], scale=rms_V)
    assert score(metric) < 1e-6
    plain = Metric(
        measure=EvokedWaveform(onset_ms=ONSET_ms), readout="eeg", target=targets[form], scale=rms_V
    )
    assert plain.target != metric.target


def test_our_average_is_that_of_mne_at_equal_times() -> None:
    signals = run()
    average = interop.from_raw(
        interop.to_evoked(signals, "eeg", window_ms=(-12.0, 42.0))["flash é"]
    )
    ours = analysis.evoked(signals, readout="eeg", window_ms=(-12.0, 42.0), baseline_ms=None)
    times_ms = np.intersect1d(ours["time"].values.round(6), average["time"].values.round(6))
    assert times_ms.size == ours["time"].size - 1, "all but the sample that ends at -12 ms"
    ours, average = ours.isel(time=slice(1, None)), average.isel(time=slice(0, times_ms.size))
    np.testing.assert_allclose(ours["time"], average["time"], atol=1e-9)
    np.testing.assert_allclose(ours, average, rtol=1e-9, atol=1e-18)


def test_a_spectrum_is_measured_of_the_recording_as_of_the_run(targets: dict[str, Any]) -> None:
    measure = PowerSpectrum(low_Hz=30, high_Hz=400, segment_ms=30.0, relative=False)
    for form in ("DataArray", "a.nc"):
        metric = Metric(measure=measure, readout="eeg", target=targets[form])
        assert score(metric) < 1e-6
    louder = targets["DataArray"] * 10.0
    louder.attrs = targets["DataArray"].attrs
    assert score(Metric(measure=measure, readout="eeg", target=louder)) == pytest.approx(
        400.0, rel=1e-3
    ), "20 dB, squared"
    power = BandPower(low_Hz=30, high_Hz=400, segment_ms=30.0)
    metric = Metric(measure=power, readout="eeg", target=targets["a.nc"])
    result = jtfne.Objective([metric]).evaluate(run()).metrics
    assert float(result["value"].iloc[0]) == pytest.approx(float(metric.target), rel=1e-5)
    in_uV = (targets["DataArray"] * 1e6).assign_attrs(units="uV")
    with pytest.raises(jtfne.JtfneError, match=r"a recording in 'uV'.*one in V"):
        Metric(measure=power, readout="eeg", target=in_uV)


def test_a_laminar_potential_is_a_target_of_its_density() -> None:
    lfp = run().get("lfp")
    target = (lfp.astype(float) * FACTOR).assign_attrs({**lfp.attrs, "onset_ms": ONSET_ms})
    metric = Metric(measure=CSDProfile(onset_ms=ONSET_ms), readout="lfp", target=target)
    assert score(metric) < 1e-6
    upside_down = target.assign_coords(z_mm=("channel", target["z_mm"].values[::-1].copy()))
    assert score(Metric(measure=CSDProfile(), readout="lfp", target=upside_down)) > 0.1
    by_area = Metric(
        measure=CSDProfile(onset_ms=ONSET_ms), readout="lfp", target=target, cells={"area": "V1"}
    )
    assert by_area.target == metric.target
    crossover = SpectrolaminarCrossover()
    assert "lfp" in jtfne.config.objective.list_measured(crossover)


def test_the_barrel_recording_is_a_target_as_it_is() -> None:
    barrel = analysis.load_recording("barrel")
    metric = Metric(measure=CSDProfile(onset_ms=10.0), readout="lfp", target=barrel)
    times_ms = metric.target.coords["time"]
    assert (times_ms[0], times_ms[-1]) == (-62.5, 62.0), "from the onset at 62.5 ms"
    assert len(metric.target.coords["z_mm"]) == 21


def test_several_onsets_are_averaged_as_far_as_each_reaches() -> None:
    wave = np.exp(-0.5 * ((np.arange(40) - 20) / 4.0) ** 2)
    values = np.concatenate([np.zeros(10), wave, wave, wave[:30]])
    recording = interop.from_array(
        values, ("time",), sampling_Hz=1000.0, units="V", channels=["Cz"], onset_ms=[20, 60, 100]
    )
    metric = Metric(measure=EvokedWaveform(), readout="eeg", target=recording)
    curve = metric.target
    assert (curve.coords["time"][0], curve.coords["time"][-1]) == (-19.0, 20.0)
    since_ms = np.array(curve.coords["time"])
    single = values[np.arange(since_ms.size)]
    inside = since_ms >= -9.0
    np.testing.assert_allclose(np.array(curve.values)[inside], single[inside], atol=1e-2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "average-ave.fif"}, r"target='average-ave.fif'.*pathlib.Path"),
        ({"target": Path("gone-ave.fif")}, "is not there"),
        ({"target": Path("a.npy")}, "interop.from_array"),
        ({"channels": ["Cx"]}, "unknown channel 'Cx'.*nearest: 'Cz'"),
        ({"measure": EvokedWaveform(baseline_ms=30.0)}, "baseline_ms=30 of a target from"),
    ],
)
def test_a_target_that_does_not_fit_is_refused(
    change: dict[str, Any], message: str, targets: dict[str, Any]
) -> None:
    settings = {"measure": EvokedWaveform(), "readout": "eeg", "target": targets["DataArray"]}
    with pytest.raises(jtfne.JtfneError, match=message):
        Metric(**{**settings, **change})


def test_onsets_outside_the_recording_are_refused() -> None:
    recording = interop.from_array(
        np.ones(50), ("time",), sampling_Hz=1000.0, units="V", onset_ms=[10.0, 70.0]
    )
    with pytest.raises(jtfne.JtfneError, match="onsets at 10 to 70 ms"):
        Metric(measure=EvokedWaveform(), readout="eeg", target=recording)


def test_a_config_keeps_the_curve_and_not_the_file(targets: dict[str, Any]) -> None:
    metric = Metric(measure=EvokedWaveform(), readout="eeg", target=targets["a.nc"])
    text = jtfne.Config().objective([metric]).to_json()
    assert "a.nc" not in text
    again = jtfne.Config.from_json(text).training.objective
    assert again is not None and again.metrics[0] == metric


def test_scale_stands_beside_the_source() -> None:
    with pytest.raises(jtfne.JtfneError, match=r"scale within source.*readouts\.scale"):
        jtfne.Config(readouts={"source": {"kind": "input_current", "scale": 1000.0}})


def test_a_mixed_recording_gives_the_channels_of_the_readout() -> None:
    info = mne.create_info(["Cz", "M"], 1000.0, ["eeg", "mag"], verbose="error")
    average = mne.EvokedArray(np.ones((2, 50)), info, tmin=-0.01, verbose="error")
    metric = Metric(measure=EvokedWaveform(), readout="eeg", target=average)
    assert metric.target.units == "V" and metric.target.coords["channel"] == ("Cz",)
    assert isinstance(analysis.load_recording(average, readout="meg"), xr.DataArray)
