"""Kinds of comparison: one and the same signal has no distance, planted differences are found, and
a run is its own exported file.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import runs
from jtfne import JtfneError, Signals, analysis, interop
from jtfne.analysis.compare import choose_readout, find_counterpart, load_counterpart
from jtfne.analysis.comparisons import KINDS, KINDS_OF_ROWS, Comparison, choose_kind
from jtfne.analysis.comparisons._align import canonical_name, resample
from jtfne.analysis.comparisons.spikes import measure_ks_distance
from jtfne.readouts import list_readouts
from test_compare import run as make_laminar_run

RNG = np.random.default_rng(7)
FS_HZ = 250.0


def table_by_feature(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of all channels or units, by feature."""
    return table[table["group"] == "all"].set_index("feature")


def response(times_ms: Any) -> Any:
    """A planted response at times from its event, ms: a wave that peaks at 60 ms."""
    since = np.asarray(times_ms) - 60.0
    return np.exp(-((since / 20.0) ** 2)) - 0.6 * np.exp(-(((since - 60.0) / 30.0) ** 2))


def make_eeg(
    names: list[str],
    sampling_Hz: float,
    duration_ms: float,
    onsets_ms: list[float],
    noise: float = 0.0,
    units: str = "V",
) -> xr.DataArray:
    """EEG in which the k-th channel has k + 1 times the planted response after each onset."""
    n_steps = round(duration_ms * sampling_Hz / 1e3)
    starts_ms = np.arange(n_steps) * 1e3 / sampling_Hz
    course = sum(response(starts_ms - onset_ms) for onset_ms in onsets_ms)
    sizes = np.array([(-1.0) ** k * (k + 1.0) for k in range(len(names))])
    values = np.outer(course, sizes) + noise * RNG.normal(size=(n_steps, len(names)))
    return interop.from_array(
        1e-6 * values,
        ("time", "channel"),
        sampling_Hz=sampling_Hz,
        units=units,
        channels=names,
        onset_ms=onsets_ms,
        readout="eeg",
    )


def make_raw(eeg: xr.DataArray, annotations: mne.Annotations) -> mne.io.RawArray:
    """An array of EEG as MNE has it."""
    step_ms = float(eeg["time"][1] - eeg["time"][0])
    names = [str(name) for name in eeg["channel"].values]
    info = mne.create_info(names, 1e3 / step_ms, "eeg", verbose="error")
    raw = mne.io.RawArray(eeg.values.T, info, verbose="error")
    return raw.set_annotations(annotations)


# ---- the catalogue


def test_every_row_of_the_catalogue_names_kinds_that_exist() -> None:
    row_kinds = {readout.row_kind() for readout in list_readouts().values()}
    assert set(KINDS_OF_ROWS) <= row_kinds
    for kinds in KINDS_OF_ROWS.values():
        assert kinds and set(kinds) <= set(KINDS)
    assert {name for kinds in KINDS_OF_ROWS.values() for name in kinds} == set(KINDS)
    for name, cls in KINDS.items():
        assert cls.name == name and cls.caption.endswith(".") and getattr(analysis, cls.__name__)


def test_a_readout_takes_the_kinds_of_its_rows() -> None:
    assert choose_kind("lfp", None, "x").name == choose_kind("csd_proxy", None, "x").name
    assert choose_kind("dipole", None, "x").name == choose_kind("meg", None, "x").name == "evoked"
    with pytest.raises(JtfneError, match=r"'evoked' of 'lfp'.* 'laminar', 'spectra', 'spectrol"):
        choose_kind("lfp", analysis.EvokedComparison(), "x")
    with pytest.raises(JtfneError, match="unknown readout 'vm'; expected"):
        choose_kind("vm", None, "x")
    wrong_kind: Any = "evoked"
    with pytest.raises(JtfneError, match="kind of type str"):
        choose_kind("eeg", wrong_kind, "x")
    counterparts = {"csd_proxy": "csd", "meg_proxy": "meg", "eeg": "eeg", "rate": "rate"}
    for name, physical in counterparts.items():
        assert find_counterpart(name) == physical


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (analysis.EvokedComparison, {"window_ms": (0.0, 100.0)}),
        (analysis.EvokedComparison, {"band_Hz": (40.0, 4.0)}),
        (analysis.EvokedComparison, {"band_Hz": (-4.0, 4.0)}),
        (analysis.EvokedComparison, {"segment_ms": 0.0}),
        (analysis.LaminarComparison, {"window_ms": -1.0}),
        (analysis.SpikeComparison, {"by": "colour"}),
        (analysis.SpikeComparison, {"n_draws": 0}),
        (analysis.SpectraComparison, {"most_peaks": -1}),
        (analysis.SpectraComparison, {"all_channels": "yes"}),
        (analysis.SpectrolaminarComparison, {"relative_depth": 1}),
    ],
)
def test_settings_that_are_none_are_refused(cls: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(JtfneError, match=next(iter(settings))):
        cls(**settings)


# ---- a signal beside itself


def test_a_signal_is_no_distance_from_itself() -> None:
    eeg = make_eeg(["Fz", "Cz", "Pz"], FS_HZ, 4000.0, [1000.0, 2500.0], noise=0.3)
    rows = table_by_feature(analysis.compare(eeg, eeg, analysis.EvokedComparison()))
    assert rows.loc["rmse", "pair"] == 0.0 and rows.loc["log_spectral_distance", "pair"] == 0.0
    assert rows.loc["correlation", "pair"] == pytest.approx(1.0, abs=1e-12)
    assert rows.loc["map_correlation", "pair"] == pytest.approx(1.0, abs=1e-12)
    assert rows.loc["peak_latency_ms", "simulated"] == pytest.approx(60.0, abs=8.0)
    assert rows.loc["n_epochs", ["simulated", "recorded"]].tolist() == [2, 2]
    rows = table_by_feature(analysis.compare(eeg, eeg, analysis.SpectraComparison()))
    assert rows.loc["log_spectral_distance", "pair"] == 0.0
    assert rows.loc["exponent", "simulated"] == rows.loc["exponent", "recorded"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The FIF of each field of a run of 2 trials and 2 areas, and its spikes."""
    folder = tmp_path_factory.mktemp("files")
    signals = runs.named()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "V4: on" has a colon
        for readout in ("lfp", "csd", "csd_proxy", "eeg", "meg", "eeg_proxy", "dipole"):
            interop.write_fif(signals, readout, folder / f"{readout}_raw.fif")
    interop.write_parquet(signals, folder / "spikes.parquet")
    return folder


@pytest.mark.parametrize(
    ("readout", "area"),
    [("lfp", "V1"), ("csd", None), ("csd_proxy", "V4"), ("eeg", None), ("meg", None),
     ("eeg_proxy", None), ("dipole", None), ("dipole", "V4")],
)  # fmt: skip
def test_a_run_is_its_own_exported_file(readout: str, area: str | None, files: Path) -> None:
    """Trials end to end, with boundaries, are the trials of the run; so are channels by area."""
    folder = files / f"{readout}-{area}"
    path = files / f"{readout}_raw.fif"
    table, written = analysis.compare_run(
        runs.named(), path, readout=readout, folder=folder, area=area
    )
    assert [file.name for file in written] == ["comparison.csv", "comparison.png", "report.html"]
    rows = table.set_index(["group", "feature"])
    correlations = rows.index.get_level_values("feature").isin(["correlation", "csd_correlation"])
    assert len(rows[correlations]) == (2 if readout == "meg" else 1)
    for correlation in rows[correlations]["pair"]:
        assert correlation == pytest.approx(1.0, abs=1e-6)
    for (group, feature), row in rows.iterrows():
        if feature == "log_spectral_distance":
            assert row["pair"] < 1e-6
        elif feature == "rmse":
            scale = 1.0 if row["unit"] == "sd" else rows.loc[(group, "peak_rms"), "simulated"]
            assert row["pair"] < 1e-6 * scale
        elif pd.notna(row["simulated"]) and isinstance(row["simulated"], float | int):
            assert row["simulated"] == pytest.approx(row["recorded"], rel=1e-4), feature
    page = written[2].read_text(encoding="utf-8")
    assert path.name in page and "Simulated and recorded" in page and "jtfne compare" in page


@pytest.mark.parametrize(
    "kind", [analysis.SpectraComparison(), analysis.SpectrolaminarComparison()]
)
def test_its_spectra_are_those_of_its_file(kind: Comparison[Any], files: Path) -> None:
    table, written = analysis.compare_run(
        runs.named(), files / "lfp_raw.fif", readout="lfp", kind=kind, folder=files / kind.name
    )
    rows = table_by_feature(table)
    distance = "rmse" if kind.name == "spectrolaminar" else "log_spectral_distance"
    assert rows.loc[distance, "pair"] == pytest.approx(0.0, abs=1e-9)
    assert written[1].read_bytes().startswith(b"\x89PNG")


def test_its_spikes_are_those_of_its_file(files: Path) -> None:
    table, _ = analysis.compare_run(
        runs.named(), files / "spikes.parquet", readout="spikes", folder=files / "spk"
    )
    assert list(dict.fromkeys(table["group"])) == ["all", "E", "PV", "SST", "VIP"]
    for row in table.itertuples():
        if str(row.feature).endswith("ks_distance"):
            assert row.pair == 0.0 or row.pair is None
        elif row.feature != "fano_window_ms":
            assert row.simulated == pytest.approx(row.recorded, rel=1e-9), row.feature
    rates = table[table["feature"] == "rate"].set_index("group")["simulated"]
    expected = analysis.rates(runs.named()).mean("trial").to_series()
    assert rates["PV"] == pytest.approx(expected["PV"])


# ---- evoked


def test_a_slow_recording_of_other_times_and_channels_is_brought_beside_the_run() -> None:
    """A volley at 500 of 600 ms at 1000 Hz, and stimuli at 1, 2, 3, 4 s of 5 s at 128 Hz."""
    simulated = make_eeg(["Fz", "T7", "Pz", "Oz"], 1000.0, 700.0, [500.0], noise=0.02)
    recorded = make_eeg(
        ["EOG", "fz", "T3", "PZ"], 128.0, 5000.0, [1000.0, 2000.0, 3000.0, 4000.0], noise=0.02
    )
    # the same responses in the channels of both
    recorded[:, 1:] = recorded[:, 1:] / np.array([-2.0, 3.0, -4.0]) * np.array([1.0, -2.0, 3.0])
    kind = analysis.EvokedComparison()
    rows = table_by_feature(analysis.compare(simulated, recorded, kind))
    assert rows.loc["correlation", "pair"] > 0.98
    assert rows.loc["n_channels", "pair"] == 3 and rows.loc["step_ms", "pair"] == 7.8125
    assert rows.loc["n_epochs", ["simulated", "recorded"]].tolist() == [1, 4]
    latencies_ms = rows.loc["peak_latency_ms", ["simulated", "recorded"]]
    assert latencies_ms["simulated"] == latencies_ms["recorded"] == pytest.approx(62.5, abs=7.9)
    assert rows.loc["band_high", "pair"] <= 0.8 * 64.0
    with pytest.raises(JtfneError, match=r"up to 51.* which the coarser sampling of 7.8125 ms"):
        analysis.compare(simulated, recorded, analysis.EvokedComparison(band_Hz=(4.0, 60.0)))
    narrow = analysis.compare(simulated, recorded, analysis.EvokedComparison(band_Hz=(2.0, 20.0)))
    assert table_by_feature(narrow).loc["band_high", "pair"] <= 20.0


def test_resampling_keeps_what_the_coarser_sampling_holds_and_nothing_else() -> None:
    starts_ms = np.arange(4000.0)
    for frequency_Hz, is_kept in ((10.0, True), (200.0, False)):
        wave = np.sin(2e-3 * np.pi * frequency_Hz * starts_ms)[:, None]
        fine = interop.from_array(wave, ("time", "channel"), sampling_Hz=1000.0, units="V")
        coarse = resample(fine, 7.8125, "x")
        assert float(coarse["time"][0]) == 7.8125  # its first sample begins where that of 1 ms does
        inner = coarse.isel(time=slice(40, -40), channel=0)
        expected = np.sin(2e-3 * np.pi * frequency_Hz * (inner["time"].values - 7.8125))
        np.testing.assert_allclose(inner, expected if is_kept else 0.0, atol=6e-3)
    with pytest.raises(JtfneError, match="ratio is one of whole numbers"):
        resample(fine, 30000.0, "x")


def test_channels_go_by_their_names() -> None:
    same = [("T3", "t7"), ("EEG Fp1-REF", "FP1"), ("Fc5.", "FC5"), ("MEG 0113", "meg0113")]
    for first, second in same:
        assert canonical_name(first) == canonical_name(second)
    assert canonical_name("T5") == "p7" and canonical_name("O1") != canonical_name("O2")
    eeg = make_eeg(["T3", "T7"], FS_HZ, 2000.0, [500.0])
    with pytest.raises(JtfneError, match="'T3' and 'T7'"):
        analysis.compare(eeg, eeg, analysis.EvokedComparison())
    other = eeg.assign_coords(channel=["äußerer Kanal", "B"])
    named = eeg.assign_coords(channel=["T3", "Cz"])
    with pytest.raises(JtfneError, match=r"channels äußerer Kanal, B.* some of T3, Cz"):
        analysis.compare(named, other, analysis.EvokedComparison())
    twice = analysis.compare(other, other, analysis.EvokedComparison())
    assert table_by_feature(twice).loc["correlation", "pair"] == pytest.approx(1.0)


def test_the_reference_of_eeg_does_not_matter() -> None:
    eeg = make_eeg(["Fz", "Cz", "Pz"], FS_HZ, 2000.0, [500.0], noise=0.1)
    referenced = (eeg - eeg.isel(channel=1, drop=True)).assign_attrs(eeg.attrs)
    rows = table_by_feature(analysis.compare(eeg, referenced, analysis.EvokedComparison()))
    assert rows.loc["rmse", "pair"] < 1e-15
    assert rows.loc["correlation", "pair"] == pytest.approx(1.0)


def test_events_in_bad_spans_and_across_boundaries_do_not_count(tmp_path: Path) -> None:
    eeg = make_eeg(["Fz", "Cz"], FS_HZ, 6000.0, [1000.0, 3000.0, 5000.0], noise=0.1)
    events = mne.Annotations([1.0, 3.0, 3.05, 5.0], [0, 0, 0.2, 0], ["a", "a", "BAD_blink", "b"])
    raw = make_raw(eeg, events)
    spoilt = interop.from_raw(raw, "eeg")
    assert spoilt.attrs["bad_starts_ms"] == [3050.0] and spoilt.attrs["bad_stops_ms"] == [3250.0]
    kind = analysis.EvokedComparison()
    rows = table_by_feature(analysis.compare(raw, raw, kind))
    assert rows.loc["n_epochs", "recorded"] == 2
    raw.save(tmp_path / "a_raw.fif", verbose="error")
    rows = table_by_feature(analysis.compare(eeg, tmp_path / "a_raw.fif", kind))
    assert rows.loc["n_epochs", ["simulated", "recorded"]].tolist() == [3, 2]
    joined = mne.concatenate_raws([make_raw(eeg, events), raw.copy()], verbose="error")
    rows = table_by_feature(analysis.compare(joined, raw, kind))
    assert rows.loc["n_epochs", ["simulated", "recorded"]].tolist() == [4, 2]
    assert rows.loc["correlation", "pair"] == pytest.approx(1.0)
    unmarked = make_raw(eeg, mne.Annotations([], [], []))
    with pytest.raises(JtfneError, match="the recorded data do not say when the stimulus came"):
        analysis.compare(eeg, unmarked, kind)


def test_epochs_and_averages_of_mne_are_sides_too() -> None:
    eeg = make_eeg(["Fz", "Cz"], FS_HZ, 6000.0, [1000.0, 3000.0, 5000.0], noise=0.1)
    raw = make_raw(eeg, mne.Annotations([], [], []))
    events = np.array([[round(FS_HZ * second), 0, 1] for second in (1, 3, 5)])
    epochs = mne.Epochs(raw, events, tmin=-0.2, tmax=0.6, baseline=None, verbose="error")
    kind = analysis.EvokedComparison()
    for source, n_epochs in ((epochs, 3), (epochs.average(), 1)):
        rows = table_by_feature(analysis.compare(eeg, source, kind))
        assert rows.loc["n_epochs", "recorded"] == n_epochs
        assert rows.loc["correlation", "pair"] == pytest.approx(1.0, abs=1e-9)


def test_an_event_need_not_lie_on_a_sample() -> None:
    n_steps = 1000
    ramp = np.arange(n_steps)[:, None] * np.array([1.0, 2.0]) + 5.0
    lines = [
        interop.from_array(
            ramp + 0.5 * np.sin(np.arange(n_steps))[:, None],
            ("time", "channel"),
            sampling_Hz=1000.0,
            units="V",
            channels=["A", "B"],
            onset_ms=onset_ms,
            readout="lfp_x",
        )
        for onset_ms in (400.0, 400.25)
    ]
    rows = table_by_feature(analysis.compare(*lines, analysis.EvokedComparison()))
    # less its baseline, a ramp is the same ramp wherever it starts
    assert rows.loc["correlation", "pair"] > 0.99999 and rows.loc["rmse", "pair"] < 0.3


def test_events_by_label() -> None:
    signals = runs.named()
    kind = analysis.EvokedComparison()
    eeg = signals.get("eeg").isel(trial=0).assign_attrs(onset_ms=100.0)
    # 40 and 100 ms in each of 2 trials; what comes at 150 ms has no 60 ms after it
    for label, n_epochs in (("L4", 4), ("V4: on", 2), (None, 4)):
        source = analysis.comparisons.Source("simulated", signals, "eeg", None, label)
        recorded = analysis.comparisons.Source("recorded", eeg, "eeg")
        pair = analysis.EvokedComparison(window_ms=(-20.0, 60.0)).align(source, recorded)
        rows = table_by_feature(kind.tabulate(pair))
        assert rows.loc["n_epochs", "simulated"] == n_epochs, label


# ---- laminar


def test_depths_units_and_onset_may_be_given(tmp_path: Path) -> None:
    barrel = analysis.load_recording("barrel")
    bare = barrel.drop_vars("z_mm").assign_attrs(barrel.attrs)
    del bare.attrs["units"], bare.attrs["onset_ms"]
    bare.to_netcdf(tmp_path / "bare.nc", engine="h5netcdf")
    depths_mm = barrel["z_mm"].values.tolist()
    recorded = load_counterpart(
        str(tmp_path / "bare.nc"), "csd_proxy", units="V", onset_ms=62.5, z_mm=depths_mm
    )
    assert recorded.attrs["readout"] == "lfp", "volts are a potential, whatever they are beside"
    signals = make_laminar_run()
    expected, _ = analysis.compare_run(signals, "barrel", folder=tmp_path / "a", area="V4")
    table, _ = analysis.compare_run(signals, recorded, folder=tmp_path / "b", area="V4")
    assert table.equals(expected)
    rows = table_by_feature(table)
    assert -1.0 <= rows.loc["csd_correlation", "pair"] < 0.9


def test_a_density_beside_a_potential_is_refused(tmp_path: Path) -> None:
    signals = runs.named()
    lfp = signals.get("lfp").isel(trial=0, area=0)
    for kind in (analysis.SpectraComparison(), analysis.SpectrolaminarComparison()):
        with pytest.raises(JtfneError, match="a current source density beside a potential"):
            analysis.compare_run(signals, lfp, readout="csd", kind=kind, folder=tmp_path)
    assert not list(tmp_path.iterdir())


# ---- spikes


def make_spikes(rate_Hz: float, n_units: int, classes: list[str] | None = None) -> xr.DataArray:
    """Poisson trains of 20 s."""
    counts = RNG.poisson(rate_Hz * 20.0, n_units)
    units = np.repeat(np.arange(n_units), counts)
    columns = {"unit": units, "t_s": RNG.uniform(0.0, 20.0, units.size)}
    if classes is not None:
        columns["cell_type"] = np.array(classes)[units]
    return interop.from_spikes(columns, n_neurons=n_units, duration_ms=20000.0)


def test_statistics_of_poisson_trains() -> None:
    classes = ["E"] * 20 + ["PV"] * 10
    slow, fast = make_spikes(5.0, 30, classes), make_spikes(20.0, 12, ["E"] * 8 + ["SOM"] * 4)
    table = analysis.compare(slow, fast, analysis.SpikeComparison())
    assert list(dict.fromkeys(table["group"])) == ["all", "E"], "classes of both sides"
    rows = table_by_feature(table)
    assert rows.loc["n_units", ["simulated", "recorded"]].tolist() == [30, 12]
    assert rows.loc["rate", "simulated"] == pytest.approx(5.0, rel=0.1)
    assert rows.loc["rate", "recorded"] == pytest.approx(20.0, rel=0.1)
    assert rows.loc["rate_ks_distance", "pair"] == 1.0
    for feature in ("cv_isi", "fano_factor"):
        assert rows.loc[feature, "simulated"] == pytest.approx(1.0, abs=0.15)
    # chi of independent trains is 1 / sqrt(n): of 12 units on both sides, though one has 30
    for side in ("simulated", "recorded"):
        assert rows.loc["synchrony", side] == pytest.approx(12**-0.5, rel=0.15)
        assert abs(rows.loc["count_correlation", side]) < 0.02


def test_equal_trains_are_wholly_synchronous() -> None:
    times_ms = RNG.uniform(0.0, 1000.0, 50)
    table = {"neuron": np.repeat([0, 1, 2], 50), "time_ms": np.tile(times_ms, 3)}
    spikes = interop.from_spikes(table, duration_ms=1000.0)
    rows = table_by_feature(analysis.compare(spikes, spikes, analysis.SpikeComparison()))
    assert rows.loc["synchrony", "simulated"] == pytest.approx(1.0)
    assert rows.loc["count_correlation", "recorded"] == pytest.approx(1.0)


def test_silence_has_a_rate_and_nothing_else(tmp_path: Path) -> None:
    empty: dict[str, Any] = {"neuron": np.zeros(0, np.int64), "time_ms": np.zeros(0)}
    silent = interop.from_spikes(empty, n_neurons=4, n_trials=1, duration_ms=1000.0)
    rows = table_by_feature(
        analysis.compare(make_spikes(5.0, 3), silent, analysis.SpikeComparison())
    )
    assert rows.loc["rate", "recorded"] == 0.0 and rows.loc["rate_ks_distance", "pair"] == 1.0
    for feature in ("cv_isi", "fano_factor", "synchrony", "count_correlation"):
        assert rows.loc[feature, "recorded"] is None
    assert rows.loc["cv_isi_ks_distance", "pair"] is None
    written = analysis.compare_run(runs.named(), silent, readout="spk", folder=tmp_path)[1]
    assert written[1].stat().st_size > 0


def test_a_class_that_was_asked_for_must_be_there() -> None:
    bare, labelled = make_spikes(5.0, 3), make_spikes(5.0, 3, ["E", "E", "PV"])
    with pytest.raises(JtfneError, match="by='cell_type' for recorded units without it"):
        analysis.compare(labelled, bare, analysis.SpikeComparison(by="cell_type"))
    other = make_spikes(5.0, 2, ["RS", "FS"])
    with pytest.raises(JtfneError, match="cell_type E, PV and FS, RS"):
        analysis.compare(labelled, other, analysis.SpikeComparison(by="cell_type"))
    table = analysis.compare(labelled, other, analysis.SpikeComparison())
    assert set(table["group"]) == {"all"}
    assert measure_ks_distance(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])) == 0.0


# ---- spectra


def make_power_law(exponent: float, peak_Hz: float, n_channels: int, size: float) -> xr.DataArray:
    """60 s of noise whose power falls as f^-exponent, with a peak; (time, channel) at 500 Hz."""
    n_steps = 30_000
    f_Hz = np.fft.rfftfreq(n_steps, 1.0 / 500.0)
    power = np.zeros(f_Hz.size)
    power[1:] = f_Hz[1:] ** -exponent
    power *= 1.0 + 8.0 * np.exp(-0.5 * ((f_Hz - peak_Hz) / 1.5) ** 2)
    phases = RNG.normal(size=(f_Hz.size, n_channels)) + 1j * RNG.normal(
        size=(f_Hz.size, n_channels)
    )
    values = np.fft.irfft(np.sqrt(power)[:, None] * phases, n_steps, axis=0)
    return interop.from_array(
        size * values / values.std(), ("time", "channel"), sampling_Hz=500.0, units="V"
    )


def test_the_fit_finds_the_planted_exponent_and_peak() -> None:
    first = make_power_law(1.0, 10.0, 3, 1e-6)
    second = make_power_law(2.0, 20.0, 1, 1e-4)
    table = analysis.compare(first, second, analysis.SpectraComparison(band_Hz=(2.0, 100.0)))
    rows = table_by_feature(table)
    assert rows.loc["exponent", "simulated"] == pytest.approx(1.0, abs=0.1)
    assert rows.loc["exponent", "recorded"] == pytest.approx(2.0, abs=0.1)
    assert rows.loc["peak_frequency", "simulated"] == pytest.approx(10.0, abs=0.5)
    assert rows.loc["peak_frequency", "recorded"] == pytest.approx(20.0, abs=0.5)
    height_dB = 10.0 * np.log10(9.0)
    assert rows.loc["peak_above_aperiodic", "simulated"] == pytest.approx(height_dB, abs=2.0)
    assert "offset" in rows.index, "volts on both sides"
    doubled = (2.0 * first).assign_attrs(first.attrs)
    rows = table_by_feature(analysis.compare(first, doubled, analysis.SpectraComparison()))
    assert rows.loc["log_spectral_distance", "pair"] == pytest.approx(20.0 * np.log10(2.0))
    offsets = rows.loc["offset"]
    assert offsets["recorded"] - offsets["simulated"] == pytest.approx(2 * np.log10(2.0), abs=1e-6)
    rows = table_by_feature(
        analysis.compare(first.assign_attrs(units="a.u."), doubled, analysis.SpectraComparison())
    )
    assert rows.loc["log_spectral_distance", "pair"] == pytest.approx(0.0, abs=1e-9)
    assert "offset" not in rows.index, "arbitrary units have no size"


def test_channels_without_names_have_spectra_all_the_same() -> None:
    eeg = make_power_law(1.0, 10.0, 3, 1e-6).assign_attrs(readout="eeg").rename("eeg")
    named = eeg.assign_coords(channel=["Fz", "Cz", "Pz"])
    with pytest.raises(JtfneError, match="channels ch00, ch01, ch02"):
        analysis.compare(named, eeg, analysis.SpectraComparison())
    rows = table_by_feature(
        analysis.compare(named, eeg, analysis.SpectraComparison(all_channels=True))
    )
    assert rows.loc["log_spectral_distance", "pair"] == pytest.approx(0.0, abs=1e-9)


def test_without_specparam_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "specparam", None)
    lfp = make_power_law(1.0, 10.0, 1, 1.0)
    with pytest.raises(JtfneError, match=r'pip install "jtfne\[spectra\]"') as caught:
        analysis.compare(lfp, lfp, analysis.SpectraComparison())
    assert "\n" not in str(caught.value)


def test_spectra_that_cannot_be_fitted_are_refused() -> None:
    short = make_power_law(1.0, 10.0, 1, 1.0).isel(time=slice(30))
    with pytest.raises(JtfneError, match=r"frequencies.* apart"):
        analysis.compare(short, short, analysis.SpectraComparison(band_Hz=(1.0, 60.0)))
    flat = (0.0 * short).assign_attrs(short.attrs)
    with pytest.raises(JtfneError, match="recorded data without power"):
        analysis.compare(short, flat, analysis.SpectraComparison(band_Hz=(1.0, 250.0)))


# ---- spectrolaminar maps


def make_probe(n_channels: int, spacing_mm: float, first_mm: float = 0.1) -> xr.DataArray:
    """20 s at 500 Hz: slow power grows with relative depth, fast power falls."""
    depths_mm = first_mm + spacing_mm * np.arange(n_channels)
    share = np.linspace(0.0, 1.0, n_channels)
    n_steps = 10_000
    f_Hz = np.fft.rfftfreq(n_steps, 1.0 / 500.0)
    is_slow = (f_Hz > 8.0) & (f_Hz < 30.0)
    is_fast = (f_Hz > 50.0) & (f_Hz < 160.0)
    power = 0.05 + np.outer(is_slow, share) + np.outer(is_fast, 1.0 - share)
    phases = RNG.normal(size=power.shape) + 1j * RNG.normal(size=power.shape)
    values = np.fft.irfft(np.sqrt(power) * phases, n_steps, axis=0)
    return interop.from_array(
        values, ("time", "channel"), sampling_Hz=500.0, units="V", z_mm=depths_mm.tolist()
    )


def test_maps_agree_and_their_crossover_is_found() -> None:
    first, second = make_probe(16, 0.1), make_probe(16, 0.1)
    rows = table_by_feature(analysis.compare(first, second, analysis.SpectrolaminarComparison()))
    assert rows.loc["correlation", "pair"] > 0.8 and rows.loc["rmse", "pair"] < 0.3
    for side in ("simulated", "recorded"):
        assert abs(rows.loc["flip_goodness", side]) > 0.265
        assert rows.loc["crossover_mm", side] == pytest.approx(0.85, abs=0.25)
    upside_down = second.assign_coords(z_mm=1.7 - second["z_mm"])
    rows = table_by_feature(
        analysis.compare(first, upside_down, analysis.SpectrolaminarComparison())
    )
    assert rows.loc["correlation", "pair"] < 0.2


def test_probes_of_two_lengths_are_compared_by_shares_of_depth() -> None:
    first, thick = make_probe(16, 0.1), make_probe(16, 0.2)
    plain, relative = (
        table_by_feature(analysis.compare(first, thick, kind)).loc["correlation", "pair"]
        for kind in (
            analysis.SpectrolaminarComparison(),
            analysis.SpectrolaminarComparison(relative_depth=True),
        )
    )
    assert relative > 0.8 and relative > plain
    apart = make_probe(16, 0.1, first_mm=5.0)
    with pytest.raises(JtfneError, match=r"3 depths or more in common; or relative_depth=True"):
        analysis.compare(first, apart, analysis.SpectrolaminarComparison())
    with pytest.raises(JtfneError, match="channels without depths"):
        analysis.compare(first, apart.drop_vars("z_mm"), analysis.SpectrolaminarComparison())


# ---- runs


def test_the_readout_of_a_run_that_names_none() -> None:
    signals = runs.named()
    assert choose_readout(signals, None) == "lfp", "laminar, physical before proxy"
    assert choose_readout(make_laminar_run(), None) == "lfp_proxy"
    assert choose_readout(signals, "raster") == "spk"
    assert choose_readout(runs.nameless(), None) == "spk"
    without = Signals(xr.DataTree.from_dict({"vm": signals.tree["vm"].to_dataset()}))
    with pytest.raises(JtfneError, match="a run that recorded vm"):
        choose_readout(without, None)


def test_choices_that_a_readout_has_no_use_for_are_refused(tmp_path: Path) -> None:
    signals = runs.named()
    eeg = signals.get("eeg").isel(trial=0).assign_attrs(onset_ms=40.0)
    with pytest.raises(JtfneError, match="area='V1' for 'eeg'"):
        analysis.compare_run(signals, eeg, readout="eeg", folder=tmp_path, area="V1")
    spikes = signals.get("spk")
    with pytest.raises(JtfneError, match="label='L4' for 'spk'"):
        analysis.compare_run(signals, spikes, readout="spk", folder=tmp_path, label="L4")
    with pytest.raises(JtfneError, match=r"unknown label 'L5'; expected.*nearest: 'L4'"):
        analysis.compare_run(signals, eeg, readout="eeg", folder=tmp_path, label="L5")
    with pytest.raises(JtfneError, match="simulated data of type Signals"):
        simulated: Any = signals
        analysis.compare(simulated, eeg, analysis.EvokedComparison())
    assert not list(tmp_path.iterdir())


def test_a_second_comparison_replaces_the_first(tmp_path: Path) -> None:
    signals = make_laminar_run()
    for area in ("V4", "V4"):
        _, files = analysis.compare_run(signals, "barrel", folder=tmp_path, area=area)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in files)
