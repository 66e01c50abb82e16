"""Recordings come in with their own clock, channels, events and units: by MNE object or by file."""

from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
import xarray as xr

import jtfne
import runs
from jtfne import analysis, interop, measures
from jtfne._time import sample_ends_ms
from jtfne.recordings._mne import SUFFIXES

SAMPLING_Hz = 250.0
TYPES = {"Fz": "eeg", "Cz": "eeg", "Pz": "eeg", "M1": "mag", "G1": "grad", "EOG": "eog"}


def make_raw(seed: int = 0, n_times: int = 1000) -> mne.io.RawArray:
    """A recording of several types, with a bad channel and annotations of three kinds."""
    values = np.random.default_rng(seed).normal(size=(len(TYPES), n_times)) * 1e-6
    info = mne.create_info(list(TYPES), SAMPLING_Hz, list(TYPES.values()), verbose="error")
    raw = mne.io.RawArray(values, info, verbose="error")
    raw.info["bads"] = ["Pz"]
    onsets_s = [0.5, 1.0, 1.5, 2.0, 3.0]
    labels = ["BAD_blink", "tone", "deviant", "EDGE boundary", "tone"]
    raw.set_annotations(mne.Annotations(onsets_s, [0.1] * 5, labels))
    return raw


def test_a_sample_is_dated_by_its_end() -> None:
    raw = make_raw()
    recording = interop.from_raw(raw, "eeg")
    assert recording["time"].values[[0, -1]].tolist() == [4.0, 4000.0]
    cropped = interop.from_raw(raw.copy().crop(1.0, 2.0), "eeg")
    assert float(cropped["time"][0]) == 4.0, "the clock starts at the first sample"
    assert cropped.attrs["onset_ms"] == [0.0, 500.0]
    np.testing.assert_array_equal(sample_ends_ms([-0.05, 0.0, 0.001], 1000.0), [-49.0, 1.0, 2.0])


def test_bad_channels_are_left_out_unless_asked_for() -> None:
    raw = make_raw()
    assert interop.from_raw(raw)["channel"].values.tolist() == ["Fz", "Cz"]
    everything = interop.from_raw(raw, include_bads=True)
    assert everything["bad"].values.tolist() == [False, False, True]
    raw.info["bads"] = ["Fz", "Cz", "Pz"]
    with pytest.raises(jtfne.JtfneError, match="whose 3 channels are all bad"):
        interop.from_raw(raw)


def test_the_name_of_a_readout_chooses_the_type() -> None:
    raw = make_raw()
    meg = interop.from_raw(raw, "meg")
    assert meg["channel"].values.tolist() == ["M1", "G1"]
    assert meg["unit"].values.tolist() == ["T", "T/m"]
    assert interop.from_raw(raw, "meg", picks="mag").attrs["units"] == "T"
    assert interop.from_raw(raw, "x", picks=["Cz", "Fz"])["channel"].values.tolist() == ["Fz", "Cz"]
    with pytest.raises(jtfne.JtfneError, match=r"types eeg, grad, mag.* or picks="):
        interop.from_raw(raw, "lfp")
    with pytest.raises(jtfne.JtfneError, match=r"unknown pick 'Cx'.*nearest: 'Cz'"):
        interop.from_raw(raw, picks="Cx")
    with pytest.raises(jtfne.JtfneError, match=r"types eog.*one of eeg"):
        interop.from_raw(raw.copy().pick(["EOG"]))


def test_every_event_is_an_onset_and_bad_spans_are_none() -> None:
    recording = interop.from_raw(make_raw())
    assert recording.attrs["onset_ms"] == [1000.0, 1500.0, 3000.0]
    assert recording.attrs["labels"] == ["tone", "deviant", "tone"]
    assert interop.from_raw(make_raw(), label="deviant").attrs["onset_ms"] == 1500.0
    with pytest.raises(jtfne.JtfneError, match=r"unknown label 'tones'.*nearest: 'tone'"):
        interop.from_raw(make_raw(), label="tones")


def test_epochs_and_averages_are_those_of_mne(tmp_path: Path) -> None:
    raw = make_raw()
    events, event_id = mne.events_from_annotations(raw, verbose="error")
    options: dict[str, Any] = {"tmin": -0.1, "tmax": 0.2, "baseline": None, "verbose": "error"}
    epochs = mne.Epochs(raw, events, event_id, **options)
    array = interop.from_raw(epochs)
    assert array.dims == ("trial", "time", "channel") and array.attrs["onset_ms"] == 0.0
    assert array["label"].values.tolist() == ["tone", "deviant", "tone"]
    assert array["time"].values[[0, -1]].tolist() == [-96.0, 204.0]
    good = epochs.get_data(picks=["Fz", "Cz"], verbose="error")
    np.testing.assert_array_equal(array.transpose("trial", "channel", "time"), good)
    assert interop.from_raw(epochs, label="tone").sizes["trial"] == 2

    average = epochs["tone"].average()
    evoked = interop.from_raw(average)
    np.testing.assert_allclose(evoked, array.isel(trial=[0, 2]).mean("trial"), rtol=1e-12)
    assert evoked.attrs["n_epochs"] == 2

    for name, recording in (
        ("a-epo.fif", epochs),
        ("b_epochs.fif", epochs),
        ("c-ave.fif", average),
    ):
        recording.save(tmp_path / name, overwrite=False, verbose="error")
        back = interop.from_raw(tmp_path / name)
        np.testing.assert_allclose(back, interop.from_raw(recording), rtol=1e-6)
        loaded = analysis.load_recording(tmp_path / name, readout="eeg")
        np.testing.assert_array_equal(loaded, back)


def test_the_average_by_our_analysis_is_that_of_mne() -> None:
    recording = interop.from_raw(make_raw(), label="tone")
    events, event_id = mne.events_from_annotations(make_raw(), verbose="error")
    average = mne.Epochs(
        make_raw(), events, {"tone": event_id["tone"]}, -0.1, 0.2, None, verbose="error"
    ).average()
    ours = analysis.evoked(recording, window_ms=(-100.0, 200.0), baseline_ms=None)
    theirs = interop.from_raw(average)
    common = np.intersect1d(ours["time"], theirs["time"])
    assert common.size >= 74
    np.testing.assert_allclose(
        ours.sel(time=common), theirs.sel(time=common), rtol=1e-9, atol=1e-20
    )


def test_a_run_meets_its_own_average_exactly() -> None:
    signals = runs.named()
    epochs = interop.to_epochs(signals, "eeg", label="L4", window_ms=(-20.0, 30.0))
    onset_ms = float(epochs.metadata["onset_ms"].iloc[0])
    average = epochs[f"onset_ms == {onset_ms}"].average()
    assert average.nave == signals.tree.attrs["n_trials"]
    waveform = measures.EvokedWaveform(onset_ms=onset_ms)
    average.data *= 1.0 + 1e-6  # what equals a readout of the run to the bit is refused
    metric = jtfne.config.Metric(measure=waveform, target=average, readout="eeg")
    table = jtfne.Objective([metric]).evaluate(signals).metrics
    assert float(table["value"].iloc[0]) < 1e-12


@pytest.mark.parametrize("suffix", [".fif", ".fif.gz"])
def test_a_laminar_fif_keeps_its_depths_apart_from_places_in_the_head(
    suffix: str, tmp_path: Path
) -> None:
    signals = runs.named()
    lfp = signals.get("lfp", trial=1)
    path = interop.write_fif(signals, "lfp", tmp_path / f"lfp_raw{suffix}", trial=1)
    back = analysis.load_recording(path, readout="lfp")
    depths_mm = np.tile(lfp["z_mm"], lfp.sizes["area"])
    np.testing.assert_allclose(back["z_mm"], depths_mm, atol=1e-9)
    height_mm = back["z_head_mm"].values
    assert np.abs(height_mm - depths_mm).min() > 10.0, "the head's z is not the depth"
    area = str(lfp["area"].values[0])
    rows = [str(name).startswith(f"{area}:") for name in back["channel"].values]
    ours = analysis.csd(lfp.isel(area=0))
    theirs = analysis.csd(back.isel(channel=np.flatnonzero(rows)))
    np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=1e-9 * float(np.abs(ours).max()))


def test_several_onsets_are_averaged_before_features_are_read_off() -> None:
    barrel = analysis.load_recording("barrel")
    twice = np.concatenate([barrel.values, barrel.values, 0.0 * barrel.values[:100]])
    coords = {"time": 0.5 * np.arange(len(twice)), "channel": barrel["channel"].values}
    recording = xr.DataArray(
        twice, {**coords, "z_mm": ("channel", barrel["z_mm"].values)}, barrel.dims
    ).assign_attrs(barrel.attrs)
    recording.attrs["onset_ms"] = [62.5, 62.5 + 125.0, 299.0]  # the last one is cut
    table = analysis.compare_laminar(recording, barrel).set_index("feature")
    for name in ("sink_depth_mm", "latency_ms", "peak_latency_ms"):
        assert table.loc[name, "simulated"] == pytest.approx(table.loc[name, "recorded"], abs=0.5)


def test_every_kind_of_file_that_is_cut_or_none_is_one_sentence(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"recording{suffix}"
        path.write_bytes(b"nothing of the kind")
        with pytest.raises(jtfne.JtfneError, match=f"recording{suffix}"):
            interop.from_raw(path)
    with pytest.raises(jtfne.JtfneError, match=r"the file.*expected one of \.fif"):
        interop.from_raw(tmp_path / "recording.xyz")
    with pytest.raises(jtfne.JtfneError, match="is not there"):
        interop.from_raw(tmp_path / "gone_raw.fif")
    with pytest.raises(jtfne.JtfneError, match="data of type ndarray"):
        interop.from_raw(np.zeros((2, 3)))
