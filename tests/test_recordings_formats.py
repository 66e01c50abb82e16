"""Whatever a recording is kept in, it comes in with the same values, times, units and names."""

import datetime
import functools
import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pyarrow as pa
import pytest
import xarray as xr
import zarr
from pyarrow import parquet

import jtfne
import runs
from jtfne import analysis, interop
from jtfne.recordings import FORMATS

STEP_ms = 0.3
CHANNELS = ["Fz links", "Größe", "µ"]


def make_recording() -> xr.DataArray:
    """Two trials of three channels every 0.3 ms, with onsets, depths and names of all sorts."""
    values = np.random.default_rng(0).normal(size=(2, 200, 3))
    return interop.from_array(
        values,
        ("trial", "time", "channel"),
        sampling_Hz=1e3 / STEP_ms,
        units="uV",
        channels=CHANNELS,
        z_mm=[0.1, 0.2, 0.4],
        onset_ms=[15.0, 30.0],
    )


def write_zarr(recording: xr.DataArray, path: Path, version: int) -> Path:
    """A store of xarray of the given Zarr format."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of texts and consolidated metadata in format 3
        recording.to_dataset(name="lfp").to_zarr(path, zarr_format=version)
    return path


def write_parquet(recording: xr.DataArray, path: Path, **renamed: str) -> Path:
    """A tidy table, one row a sample."""
    frame = recording.drop_attrs().to_dataframe("value").reset_index().rename(columns=renamed)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    parquet.write_table(table.replace_schema_metadata({"units": "uV"}), path)
    return path


def in_seconds(recording: xr.DataArray, **attrs: str) -> xr.DataArray:
    """`recording` with its times in s."""
    return recording.assign_coords(time=("time", recording["time"].values / 1e3, attrs))


WRITERS: dict[str, Callable[[xr.DataArray, Path], Any]] = {
    "a.nc": lambda x, path: x.to_netcdf(path, engine="h5netcdf"),
    "seconds.nc": lambda x, path: in_seconds(x, units="s").to_netcdf(path, engine="h5netcdf"),
    "a.zarr": lambda x, path: write_zarr(x, path, 3),
    "b.zarr": lambda x, path: write_zarr(x, path, 2),
    "seconds.zarr": lambda x, path: write_zarr(in_seconds(x, units="s"), path, 3),
    "a.parquet": write_parquet,
    "ms.parquet": lambda x, path: write_parquet(x, path, time="time_ms"),
    "seconds.parquet": lambda x, path: write_parquet(in_seconds(x), path, time="time_s"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_of_others_comes_back_with_times_units_names_and_depths(
    name: str, tmp_path: Path
) -> None:
    recording = make_recording()
    WRITERS[name](recording, tmp_path / name)
    back = analysis.load_recording(tmp_path / name).transpose(*recording.dims)
    np.testing.assert_array_equal(back, recording)
    np.testing.assert_allclose(back["time"], recording["time"], atol=1e-9)
    assert back["time"].attrs["units"] == "ms" and back.attrs["units"] == "uV"
    assert back["channel"].values.tolist() == CHANNELS
    np.testing.assert_array_equal(back["z_mm"], recording["z_mm"])
    if not name.endswith(".parquet"):
        assert back.attrs["onset_ms"] == [15.0, 30.0]
    spectrum = analysis.psd(tmp_path / name, segment_ms=30.0)
    np.testing.assert_allclose(
        spectrum.transpose("trial", "channel", ...),
        analysis.psd(recording, segment_ms=30.0).transpose("trial", "channel", ...),
    )


def test_interop_reads_the_same_as_load_recording(tmp_path: Path) -> None:
    recording = make_recording()
    store = write_zarr(recording, tmp_path / "a.zarr", 3)
    xr.testing.assert_identical(interop.from_zarr(store, "lfp"), analysis.load_recording(store))
    table = write_parquet(recording, tmp_path / "a.parquet")
    xr.testing.assert_identical(interop.from_parquet(table, "lfp"), analysis.load_recording(table))
    with pytest.raises(jtfne.JtfneError, match="n_trials=2 of samples"):
        interop.from_parquet(table, "lfp", n_trials=2)
    with pytest.raises(jtfne.JtfneError, match=r"Zarr format 3.*from_zarr\(path, readout\)"):
        interop.from_zarr(store)


def test_the_times_of_a_run_are_those_of_each_of_its_files(tmp_path: Path) -> None:
    signals = runs.named()
    eeg = signals.get("eeg")
    signals.save(tmp_path / "run")
    interop.to_netcdf(signals, tmp_path / "own.nc")
    interop.to_zarr(signals, tmp_path / "own.zarr")
    for name in ("run", "own.nc", "own.zarr"):
        back = analysis.load_recording(tmp_path / name, readout="eeg")
        np.testing.assert_array_equal(back, eeg)
        np.testing.assert_array_equal(back["time"], eeg["time"])
        assert back["channel"].values.tolist() == eeg["channel"].values.tolist()
    one_trial = interop.write_fif(signals, "eeg", tmp_path / "eeg_raw.fif", trial=1)
    back = analysis.load_recording(one_trial, readout="eeg")
    np.testing.assert_allclose(back["time"], eeg["time"], atol=1e-9)
    np.testing.assert_allclose(back, eeg.sel(trial=1), rtol=1e-12)
    whole = interop.write_fif(signals, "eeg", tmp_path / "all_raw.fif")
    times_ms = analysis.load_recording(whole, readout="eeg")["time"].values
    n_times = eeg.sizes["time"]
    np.testing.assert_allclose(times_ms[n_times:] - times_ms[n_times - 1], eeg["time"], atol=1e-6)
    values = interop.from_array(
        eeg.values, eeg.dims, sampling_Hz=1e3 / float(eeg["time"][0]), units="V"
    )
    np.testing.assert_array_equal(values["time"], eeg["time"])


def test_a_run_folder_is_a_recording_with_the_onsets_of_its_events(tmp_path: Path) -> None:
    signals = runs.named()
    folder = signals.save(tmp_path / "run")
    recording = analysis.load_recording(folder, readout="lfp_proxy")
    onsets_ms = signals.events.query("trial == 0")["onset_ms"].tolist()
    assert recording.attrs["onset_ms"] == onsets_ms
    by_label = analysis.load_recording(folder, readout="lfp_proxy", label="V4: on")
    assert by_label.attrs["onset_ms"] == 40.0 and by_label.attrs["labels"] == ["V4: on"]
    assert analysis.load_recording(folder, readout="vm").dims == signals.get("vm").dims
    np.testing.assert_allclose(
        analysis.rates(folder), analysis.rates(signals), err_msg="silent cells count too"
    )
    with pytest.raises(jtfne.JtfneError, match=r"unknown label 'V4: off'.*nearest: 'V4: on'"):
        analysis.load_recording(folder, readout="lfp_proxy", label="V4: off")
    with pytest.raises(jtfne.JtfneError, match="'meeg'"):
        analysis.load_recording(folder, readout="meeg")


def make_raw() -> mne.io.RawArray:
    """Two EEG channels, a magnetometer and two events."""
    values = np.random.default_rng(1).normal(size=(3, 600)) * 1e-6
    info = mne.create_info(["Cz", "Pz", "M"], 500.0, ["eeg", "eeg", "mag"], verbose="error")
    raw = mne.io.RawArray(values, info, verbose="error")
    return raw.set_annotations(mne.Annotations([0.3, 0.7], [0.0, 0.0], ["a", "b"]))


def test_what_mne_has_in_memory_is_taken_everywhere(tmp_path: Path) -> None:
    raw = make_raw()
    events = np.array([[150, 0, 1], [350, 0, 2]])
    epochs = mne.Epochs(raw, events, tmin=-0.1, tmax=0.2, baseline=None, verbose="error")
    average = epochs.average()
    for source in (raw, epochs, average):
        array = interop.from_raw(source, "eeg")
        loaded = analysis.load_recording(source, readout="eeg")
        np.testing.assert_array_equal(loaded, array)
        np.testing.assert_array_equal(loaded["time"], array["time"])
        spectrum = analysis.psd(source, readout="eeg", segment_ms=100.0)
        np.testing.assert_array_equal(spectrum, analysis.psd(array, segment_ms=100.0))
    loaded = analysis.load_recording(raw, readout="meg", label="b")
    assert loaded.attrs["units"] == "T" and loaded.attrs["onset_ms"] == pytest.approx(700.0)
    array = interop.from_raw(raw, "eeg").assign_attrs(readout="eeg")
    raw.save(tmp_path / "a_raw.fif", fmt="double", verbose="error")
    noisy = array + 1e-7 * np.random.default_rng(2).normal(size=array.shape)
    noisy.attrs = array.attrs
    expected = analysis.compare(noisy, array, n_bootstrap=3)
    for recorded in (raw, tmp_path / "a_raw.fif", str(tmp_path / "a_raw.fif")):
        found = analysis.compare(noisy, recorded, n_bootstrap=3)
        np.testing.assert_allclose(found["value"], expected["value"], rtol=1e-9)


def test_when_and_against_what_it_was_recorded_comes_along(tmp_path: Path) -> None:
    raw = make_raw()
    assert not {"meas_date", "reference"} & set(interop.from_raw(raw, "eeg").attrs)
    raw.set_meas_date(datetime.datetime(2024, 5, 1, 12, 30, tzinfo=datetime.UTC))
    custom = raw.copy().set_eeg_reference(["Cz"], verbose="error")
    average = raw.copy().set_eeg_reference("average", projection=True, verbose="error")
    for source, reference in ((custom, "custom"), (average, "average")):
        recording = interop.from_raw(source, "eeg")
        assert recording.attrs["meas_date"] == "2024-05-01T12:30:00+00:00"
        assert recording.attrs["reference"] == reference
        recording.to_netcdf(tmp_path / f"{reference}.nc", engine="h5netcdf")
        json.dumps(recording.attrs, allow_nan=False)
    assert "reference" not in interop.from_raw(average, "meg").attrs


def test_a_laminar_recording_is_compared_from_memory_or_by_path(tmp_path: Path) -> None:
    barrel = analysis.load_recording("barrel")
    barrel.to_netcdf(tmp_path / "barrel.nc", engine="h5netcdf")
    expected = analysis.compare_laminar(barrel, barrel)
    found = analysis.compare_laminar("barrel", tmp_path / "barrel.nc")
    np.testing.assert_array_equal(found["recorded"], expected["recorded"])
    np.testing.assert_array_equal(found["simulated"], expected["simulated"])


def test_a_caller_says_what_an_array_does_not() -> None:
    bare = make_recording().drop_attrs().drop_vars("z_mm")
    with pytest.raises(jtfne.JtfneError, match="without units"):
        analysis.load_recording(bare)
    loaded = analysis.load_recording(bare, units="V", z_mm=[3, 2, 1], onset_ms=5)
    assert loaded.attrs["units"] == "V" and loaded.attrs["onset_ms"] == 5.0
    assert loaded["z_mm"].values.tolist() == [3.0, 2.0, 1.0] and bare.attrs == {}
    with pytest.raises(jtfne.JtfneError, match="label='a' beside a DataArray"):
        analysis.load_recording(bare, units="V", label="a")


def test_times_without_a_unit_that_look_like_seconds_are_refused(tmp_path: Path) -> None:
    array = in_seconds(make_recording())
    for call in (
        lambda: analysis.psd(array),
        lambda: analysis.load_recording(array),
        lambda: jtfne.config.Metric(
            measure=jtfne.measures.EvokedWaveform(), readout="lfp", target=array[0]
        ),
    ):
        with pytest.raises(jtfne.JtfneError, match=r"looks like seconds.*attrs\['units'\] of 's'"):
            call()
    path = write_parquet(array, tmp_path / "a.parquet")
    with pytest.raises(jtfne.JtfneError, match=r"looks like seconds.*a column time_s"):
        analysis.load_recording(path)
    frame = make_raw().pick("eeg").to_data_frame(long_format=True)
    frame.rename(columns={"time": "time_s"}).to_parquet(tmp_path / "mne.parquet")
    back = analysis.load_recording(tmp_path / "mne.parquet", units="uV")
    assert float(back["time"][-1]) == pytest.approx(1198.0) and back.sizes["channel"] == 2
    fast = make_recording().assign_coords(time=("time", np.arange(200) * 5e-3, {"units": "ms"}))
    assert analysis.psd(fast, segment_ms=0.5).sizes["frequency"] > 1, "what says ms is ms"


@pytest.mark.parametrize(
    ("dims", "shape"),
    [(("time",), (50,)), (("channel", "time"), (2, 50)), (("time", "trial"), (50, 4))],
)
def test_an_array_of_any_order_is_trial_time_channel(
    dims: tuple[str, ...], shape: tuple[int, ...]
) -> None:
    values = np.arange(np.prod(shape)).reshape(shape)
    array = interop.from_array(values, dims, sampling_Hz=250.0, units="V", start_ms=-100.0)
    expected = ("trial", "time", "channel") if "trial" in dims else ("time", "channel")
    assert array.dims == expected and array["time"].values[[0, -1]].tolist() == [-96.0, 100.0]
    np.testing.assert_array_equal(array.transpose(*dims, ...).values.reshape(shape), values)
    assert array["channel"].values[0] == "ch00" and array.attrs["proxy"] == 0
    assert not np.shares_memory(array.values, values)


GOOD: dict[str, Any] = {
    "values": np.ones((5, 2)),
    "dims": ("time", "channel"),
    "sampling_Hz": 100.0,
    "units": "V",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": "lfp.npy"}, r"values='lfp.npy'.*numpy.load\(path, allow_pickle=False\)"),
        ({"values": Path("lfp.npy")}, r"allow_pickle=False"),
        ({"values": [[1.0], [2.0, 3.0]]}, "values of dtype object"),
        ({"values": np.ones((5, 2)) * 1j}, "values of dtype complex128"),
        ({"values": np.ones((0, 2))}, r"shape \(0, 2\)"),
        ({"dims": ("time",)}, r"an array of shape \(5, 2\)"),
        ({"dims": "time"}, "dims='time'"),
        ({"dims": ("times", "channel")}, "unknown dims 'times'.*nearest: 'time'"),
        ({"dims": ("channel", "trial")}, "'time' and others"),
        ({"sampling_Hz": 0.0}, "sampling_Hz=0"),
        ({"sampling_Hz": None}, "sampling_Hz=None"),
        ({"units": None}, "units=None"),
        ({"units": " "}, "units"),
        ({"channels": ["a"]}, "2 names, one for each"),
        ({"channels": ["a", "a"]}, "two channels of the name 'a'"),
        ({"z_mm": [0.1]}, "1 z_mm for 2 channels"),
        ({"z_mm": ["a", "b"]}, "z_mm="),
        ({"onset_ms": np.nan}, "onset_ms="),
        ({"onset_ms": []}, "onset_ms="),
        ({"readout": "a\0"}, "readout"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(jtfne.JtfneError, match=message) as refusal:
        interop.from_array(**{**GOOD, **change})
    assert str(refusal.value).endswith("(in from_array)")


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".txt", ".mat"])
def test_bare_numbers_are_sent_to_from_array(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"a{suffix}").write_text("1,2\n")
    with pytest.raises(jtfne.JtfneError, match=r"without a clock.*interop\.from_array\("):
        analysis.load_recording(tmp_path / f"a{suffix}")
    with pytest.raises(jtfne.JtfneError, match=r"shape \(2, 3\).*interop\.from_array\("):
        analysis.load_recording(np.zeros((2, 3)))


def test_every_format_that_is_cut_or_none_is_one_sentence(tmp_path: Path) -> None:
    for row in FORMATS:
        for suffix in row.suffixes:
            path = tmp_path / f"recording{suffix}"
            path.write_bytes(b"nothing of the kind")
            readout = "lfp" if row.read is not None else "spk"
            with pytest.raises(jtfne.JtfneError, match=r"recording|needs nixio for \.nix"):
                analysis.load_recording(path, readout=readout)
            with pytest.raises(jtfne.JtfneError, match="is not there"):
                analysis.load_recording(tmp_path / f"gone{suffix}", readout=readout)


def test_a_plain_array_in_zarr_says_no_times(tmp_path: Path) -> None:
    for version in (2, 3):
        path = tmp_path / f"{version}.zarr"
        zarr.create_array(path, shape=(4, 2), dtype="f8", zarr_format=version)
        with pytest.raises(jtfne.JtfneError, match=r"a plain array.*interop\.from_array\("):
            analysis.load_recording(path)


def change_metadata(change: Callable[[dict[str, Any]], Any], path: Path) -> None:
    """Change the metadata of the array `lfp`, and those of it that are consolidated."""
    file = path / "lfp" / "zarr.json"
    metadata = json.loads(file.read_text())
    change(metadata)
    file.write_text(json.dumps(metadata))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(codecs=[{"name": "numcodecs.pickle"}]), "codec 'numcodecs.pickle'"),
        (lambda m: m.update(codecs=[]), "a list of codecs"),
        (
            lambda m: m.update(
                codecs=[
                    {
                        "name": "sharding_indexed",
                        "configuration": {"codecs": [{"name": "evil"}], "index_codecs": []},
                    }
                ]
            ),
            "codec 'evil'",
        ),
        (lambda m: m.update(data_type="variable_length_bytes"), "numbers or text"),
        (lambda m: m.update(shape=[10**9, 10**9, 3]), "GiB"),
        (lambda m: m.update(shape=[-1]), "sizes of at least 0"),
        (lambda m: m["chunk_grid"]["configuration"].update(chunk_shape=[0, 0, 0]), "chunks"),
        (lambda m: m.update(storage_transformers=[{"name": "a"}]), "storage transformers"),
    ],
)
def test_a_store_of_format_3_is_not_believed(
    change: Callable[[dict[str, Any]], Any], message: str, tmp_path: Path
) -> None:
    path = write_zarr(make_recording(), tmp_path / "a.zarr", 3)
    change_metadata(change, path)
    with pytest.raises(jtfne.JtfneError, match=message):
        analysis.load_recording(path)


def test_a_store_that_leads_elsewhere_or_lacks_a_chunk_is_told(tmp_path: Path) -> None:
    path = write_zarr(make_recording(), tmp_path / "a.zarr", 3)
    (path / "link").symlink_to("/etc")
    with pytest.raises(jtfne.JtfneError, match="a name inside"):
        analysis.load_recording(path)
    (path / "link").unlink()
    with pytest.raises(jtfne.JtfneError, match=re.escape("variable 'csd'")):
        analysis.load_recording(write_zarr_of_two(tmp_path / "two.zarr"), readout="csd")
    chunk = next(file for file in (path / "lfp" / "c").rglob("*") if file.is_file())
    chunk.write_bytes(chunk.read_bytes()[:10])
    with pytest.raises(jtfne.JtfneError, match="cannot be read"):
        analysis.load_recording(path)


def write_zarr_of_two(path: Path) -> Path:
    """A store with two variables, of which none is called for by itself."""
    recording = make_recording().drop_attrs()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        xr.Dataset({"lfp": recording, "other": recording}).to_zarr(path, zarr_format=3)
    return path


@functools.cache
def wrong_sources() -> tuple[Any, ...]:
    """What is no recording of samples."""
    return (None, 3, b"a.nc", [1.0], {}, object(), xr.Dataset(), "a\0.nc", "")


def test_what_is_no_recording_is_refused() -> None:
    for source in wrong_sources():
        with pytest.raises(jtfne.JtfneError, match=r"expected.*\(in "):
            analysis.load_recording(source)
        with pytest.raises(jtfne.JtfneError, match=r"expected.*\(in "):
            analysis.psd(source)


def test_words_for_units_become_their_symbols(tmp_path: Path) -> None:
    values = np.ones((2, 5))
    for word, symbol in {"microvolts": "uV", "Volts": "V", "millivolt": "mV", "uV": "uV"}.items():
        recording = interop.from_array(values, ("channel", "time"), sampling_Hz=1e3, units=word)
        assert recording.attrs["units"] == symbol
        bare = recording.assign_attrs(units=word)
        assert analysis.load_recording(bare).attrs["units"] == symbol
    other = interop.from_array(values, ("channel", "time"), sampling_Hz=1e3, units="z-score")
    assert other.attrs["units"] == "z-score"


def test_markers_of_brainvision_that_are_no_stimuli(tmp_path: Path) -> None:
    """It writes the kind before the text: Comment/BAD_muscle."""
    raw = mne.io.RawArray(np.zeros((2, 2000)), mne.create_info(2, 1e3, "eeg"), verbose="error")
    texts = ["tone", "BAD_muscle", "tone", "edge boundary"]
    raw.set_annotations(mne.Annotations([0.2, 0.5, 0.9, 1.4], [0.0, 0.1, 0.0, 0.0], texts))
    mne.export.export_raw(tmp_path / "a.vhdr", raw, fmt="brainvision", verbose="error")
    recording = analysis.load_recording(tmp_path / "a.vhdr", readout="eeg")
    assert recording.attrs["onset_ms"] == [200.0, 900.0]
    assert recording.attrs["bad_starts_ms"] == [500.0, 1400.0]
