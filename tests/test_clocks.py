"""Clocks, names and kinds: what an array says of itself decides, in analyses, recordings and
objectives alike.
"""

import itertools
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne import JtfneError, _time, analysis
from jtfne._precision import precision
from jtfne.config import Curve, Metric
from jtfne.measures import CV, EvokedWaveform, FanoFactor, spectrolaminar, spectrum
from jtfne.objective import Axes, Objective

RNG = np.random.default_rng(8)


def raster(n_steps: int = 100, dt_ms: float = 1.0, **attrs: Any) -> xr.DataArray:
    coords = {"time": np.arange(1, n_steps + 1) * dt_ms, "neuron": np.arange(4)}
    return xr.DataArray(RNG.random((n_steps, 4)) < 0.2, coords, ("time", "neuron"), attrs=attrs)


def noise(n: int = 400, names: tuple[str, ...] = ("Fz", "Cz", "Oz")) -> xr.DataArray:
    coords = {"time": np.arange(1.0, n + 1), "channel": list(names)}
    return xr.DataArray(
        RNG.normal(size=(n, len(names))), coords, ("time", "channel"), attrs={"units": "V"}
    )


# ---- units of time


@settings(max_examples=60)
@given(
    step_us=st.integers(1, 10**6),
    first_us=st.integers(-(10**9), 10**9),
    n=st.integers(2, 50),
    unit=st.sampled_from(["s", "ms", "us", "seconds", "msec", "µs"]),
)
def test_a_time_axis_is_the_same_in_every_unit(
    step_us: int, first_us: int, n: int, unit: str
) -> None:
    time_us = first_us + step_us * np.arange(n)
    expected_ms = time_us / 1e3
    numbers = expected_ms / _time.MS_PER_UNIT[unit]
    np.testing.assert_allclose(
        _time.axis_to_ms(numbers, unit, where="test"), expected_ms, rtol=1e-12, atol=1e-9
    )
    as_timedelta = time_us.astype("timedelta64[us]")
    np.testing.assert_allclose(
        _time.axis_to_ms(as_timedelta, where="test"), expected_ms, rtol=1e-12, atol=1e-9
    )


@pytest.mark.parametrize(
    ("values", "units", "words"),
    [
        ([0.0, 1.0], "fortnights", "time in units 'fortnights'.*'s', 'ms' or 'us'"),
        ([0.0, 1.0], "", "time in units ''"),
        ([0.0, 1.0], 5, "time in units 5"),
        ([0.0, np.nan], None, "not finite"),
        (np.array([0, "NaT"], "timedelta64[ms]"), None, "not finite"),
        (np.array([0, 1], "timedelta64[M]"), None, "fixed length"),
        (np.array(["2026-01-01", "2026-01-02"], "datetime64[ns]"), None, "time as dates"),
        (["a", "b"], None, "time of dtype"),
        ([1j, 2j], None, "time of dtype"),
        ([0.0, 1.0, 1.0], None, "time that goes from 1 to 1 ms"),
        ([3.0, 2.0], "s", "time that goes from 3000 to 2000 ms"),
        ([[0.0, 1.0]], None, r"time of shape \(1, 2\)"),
    ],
)
def test_axes_that_say_nothing_or_look_wrong_are_refused(
    values: Any, units: Any, words: str
) -> None:
    with pytest.raises(JtfneError, match=words):
        _time.axis_to_ms(values, units, where="test")


def test_seconds_in_single_precision_are_the_ms_that_were_meant():
    seconds = (np.arange(1, 2001) * 1e-3).astype(np.float32)
    times_ms = _time.axis_to_ms(seconds, "s", where="here")
    restored_ms = _time.restore_even(times_ms, 1e3 * _time.rounding_error(seconds))
    np.testing.assert_allclose(np.diff(restored_ms), 1.0, rtol=0.0, atol=1e-12)


def test_a_long_axis_in_single_precision_is_even() -> None:
    time_ms = np.arange(1, 200_001) * 0.1
    x = xr.DataArray(np.zeros(time_ms.size), {"time": time_ms.astype(np.float32)}, "time")
    read = analysis._inputs.in_ms(x, "test")
    np.testing.assert_allclose(read["time"], time_ms, atol=2e-3)
    assert analysis._inputs.even_step(read, "time", "test") == pytest.approx(0.1, rel=1e-6)


def test_a_sine_peaks_at_its_frequency_whatever_the_unit() -> None:
    time_ms = np.arange(1.0, 2001.0)
    wave = xr.DataArray(
        np.sin(2 * np.pi * 0.01 * time_ms),
        {"time": ("time", time_ms / 1e3, {"units": "s"})},
        "time",
    )
    assert float(analysis.psd(wave).idxmax("frequency")) == 10.0
    as_timedelta = wave.assign_coords(time=(time_ms * 1e6).astype("timedelta64[ns]"))
    assert float(analysis.psd(as_timedelta).idxmax("frequency")) == 10.0


@pytest.mark.parametrize("unit", ["seconds", "timedelta"])
def test_recordings_come_back_in_ms(tmp_path: Path, unit: str) -> None:
    wave = noise(50)
    axes = {
        "seconds": ("time", wave["time"].values / 1e3, {"units": "s"}),
        "timedelta": ("time", (wave["time"].values * 1e6).astype("timedelta64[ns]")),
    }
    wave.assign_coords(time=axes[unit]).to_netcdf(tmp_path / "lfp.nc", engine="h5netcdf")
    read = analysis.load_recording(tmp_path / "lfp.nc")
    np.testing.assert_allclose(read["time"], wave["time"])
    assert read["time"].attrs["units"] == "ms"
    again = wave.assign_coords(time=("time", wave["time"].values, {"units": "beats"}))
    again.to_netcdf(tmp_path / "beats.nc", engine="h5netcdf")
    with pytest.raises(JtfneError, match="time in units 'beats'"):
        analysis.load_recording(tmp_path / "beats.nc")


def test_a_recorded_curve_in_seconds_is_that_in_ms() -> None:
    values, time_ms = RNG.normal(size=40), np.arange(1.0, 41.0)
    in_ms = xr.DataArray(values, {"time": time_ms}, "time")
    in_s = xr.DataArray(values, {"time": ("time", time_ms / 1e3, {"units": "s"})}, "time")
    curves = [
        Metric(measure=EvokedWaveform(), readout="eeg_proxy", target=x).target
        for x in (in_ms, in_s)
    ]
    assert isinstance(curves[0], Curve) and curves[0] == curves[1]
    with pytest.raises(JtfneError, match="time in units 'beats'"):
        Metric(measure=EvokedWaveform(), readout="eeg_proxy", target=in_ms.assign_coords(
            time=("time", time_ms, {"units": "beats"})))  # fmt: skip


# ---- the clock of a part


def test_a_part_of_a_run_keeps_its_clock_its_trial_and_its_rates() -> None:
    signals = jtfne.construct(jtfne.suite2_net1_config(40)).simulate(duration_ms=300, trials=2)
    part = signals.get("spk", layout="trial_time_node", time=(100, 200), trial=1)
    assert part.any()
    by_bin = analysis.population_rate(part, bin_ms=20)
    assert by_bin["time"].values.tolist() == [120.0, 140.0, 160.0, 180.0, 200.0]
    assert by_bin["trial"].values.tolist() == [1]
    whole = analysis.population_rate(signals, bin_ms=20)
    np.testing.assert_array_equal(by_bin.values[0], whole.sel(trial=1, time=by_bin["time"]).values)
    intervals = analysis.isi(part)
    assert ((intervals["time"] > 100.0) & (intervals["time"] <= 200.0)).all() and set(
        intervals["trial"].values
    ) <= {1}
    table = signals.spikes.query("trial == 1 and 150 < time_ms <= 200")
    assert analysis.rates(part, by=None, window_ms=(150, 200)).sum().item() == pytest.approx(
        len(table) / 0.05
    )
    with pytest.raises(JtfneError, match="a window within 100 to 200 ms"):
        analysis.rates(part, window_ms=(0, 50))


def test_data_shorter_than_a_bin_are_one_bin_of_their_own_length() -> None:
    spikes = xr.DataArray(
        np.ones((3, 2), bool), {"time": [1.0, 2.0, 3.0], "neuron": [0, 1]}, ("time", "neuron")
    )
    spikes[1] = False
    by_bin = analysis.population_rate(spikes, bin_ms=5.0)
    assert by_bin.values.tolist() == [[pytest.approx(2000.0 / 3.0)]]
    assert by_bin["time"].values.tolist() == [3.0] and by_bin.attrs["interval_ms"] == 3.0
    for function in (analysis.correlation, analysis.synchrony):
        with pytest.raises(JtfneError, match="bin_ms=5 of 3 ms; expected two bins or more"):
            function(spikes, bin_ms=5.0)


# ---- spikes and traces


@pytest.mark.parametrize(
    "function", [analysis.rates, analysis.cv, analysis.isi, analysis.population_rate]
)
def test_traces_are_no_spikes(function: Any) -> None:
    counts = raster()
    for trace in (
        counts.astype(float) * 0.7,
        counts.astype(np.int16).assign_attrs(units="mV"),
        counts.astype(int).assign_attrs(readout="vm"),
        counts.assign_attrs(readout="source"),
        counts.astype(np.int16).rename(neuron="channel"),
    ):
        with pytest.raises(JtfneError, match="expected spikes: attrs"):
            function(trace)
    with pytest.raises(JtfneError, match="values are not all counts"):
        function((counts * 0.7).assign_attrs(readout="spk"))
    with pytest.raises(JtfneError, match="values are not all counts"):
        function(-counts.astype(int))


def test_what_declares_spikes_is_counted_and_what_does_not_is_a_trace() -> None:
    counts = raster()
    expected = analysis.rates(counts, by=None)
    for spikes in (
        counts.astype(np.int16),
        counts.astype(float).assign_attrs(readout="spk"),
        counts.astype(np.uint8),
    ):
        xr.testing.assert_equal(analysis.rates(spikes, by=None), expected)
    lfp = noise().copy(data=np.round(100 * noise().values).astype(np.int16))
    np.testing.assert_allclose(analysis.correlation(lfp), analysis.correlation(lfp.astype(float)))


# ---- names


def test_channels_are_paired_by_name() -> None:
    x, y = noise(), noise()
    expected = analysis.compare(x, y, n_bootstrap=3)
    assert analysis.compare(x, y[:, ::-1], n_bootstrap=3).equals(expected)
    nameless = [
        data.drop_vars("channel").assign_coords(z_mm=("channel", [0.1, 0.2, 0.3]))
        for data in (x, y)
    ]
    assert analysis.compare(nameless[0], nameless[1][:, ::-1], n_bootstrap=3).equals(expected)
    for other, words in (
        (y.assign_coords(channel=["Fz", "Cz", "Pz"]), "recorded data without the channel Oz"),
        (y.drop_vars("channel"), "channel without names in the recorded data alone"),
        (y.assign_coords(channel=["Fz", "Cz", "Cz"]), "recorded data with a channel given twice"),
    ):
        with pytest.raises(JtfneError, match=words):
            analysis.compare(x, other)


# ---- gaps


def test_a_gap_is_told_by_channel_and_time() -> None:
    x = noise()
    x[7, 1] = np.nan
    for function in (
        analysis.psd,
        analysis.coherence,
        analysis.multitaper,
        analysis.spectrolaminar,
    ):
        with pytest.raises(
            JtfneError, match=r"1 of 1200 values that are not finite,.* time 8\.0, channel Cz"
        ):
            function(x)


def test_kernels_do_not_take_a_gap_for_silence() -> None:
    power = np.ones((10, 12))
    power[3] = np.nan
    assert np.isnan(spectrolaminar.relative_power(power)).all()
    with pytest.raises(ValueError, match="not finite"):
        spectrolaminar.flip(power, np.arange(12.0) * 12 + 10, np.arange(10) * 0.1)
    x = RNG.normal(size=(2, 200))
    x[0, 5] = np.nan
    assert np.isnan(spectrum.coherence(x[0], x[1], 1.0, 50.0)[1]).all()
    with pytest.raises(JtfneError, match="potentials that are not finite"):
        analysis.KernelCSD().fitted(np.array([1.0, np.nan, 0.0]), [0.1, 0.2, 0.3])


@pytest.mark.parametrize("measure", [CV(), FanoFactor(bin_ms=10.0)])
def test_a_gap_in_one_cell_makes_a_score_not_finite(measure: Any) -> None:
    spikes = np.tile((np.arange(100) % 7 == 0)[:, None], (1, 3)).astype(float)
    axes = {"spk": Axes(step_ms=1.0, n_samples=100, labels={"neuron": np.arange(3)})}
    objective = Objective([Metric(measure=measure, target=1.0)])
    with precision("float64"):
        assert np.isfinite(objective.score_arrays({"spk": jnp.asarray(spikes)}, axes)[0])
        spikes[4, 1] = np.nan
        assert not np.isfinite(objective.score_arrays({"spk": jnp.asarray(spikes)}, axes)[0])


# ---- bands and onsets


def test_neighbouring_bands_share_no_bin() -> None:
    power = analysis.psd(noise(1000), 100.0)  # multiples of 10 Hz
    parts = [analysis.band_power(power, low, low + 10.0) for low in np.arange(0.0, 510.0, 10.0)]
    whole = analysis.band_power(power, 0.0, 510.0)
    np.testing.assert_allclose(sum(parts), whole)
    edges = np.round(np.arange(0.0, 1.1, 0.1), 9)
    bins = [
        spectrum.in_band(np.arange(11) * 0.1, low, high).sum()
        for low, high in itertools.pairwise(edges)
    ]
    assert bins == [1] * 10, "0.30000000000000004 Hz lies on the edge of 0.3 Hz"


@pytest.mark.parametrize(
    "onset_ms", [[], np.nan, [10.0, np.inf], "10", None, {}, [[10.0]], np.array([])]
)
def test_onsets_that_are_none_are_refused(onset_ms: Any) -> None:
    with pytest.raises(JtfneError, match="onset"):
        analysis.evoked(noise(), onset_ms=onset_ms)


def test_a_label_that_nothing_reads_is_refused() -> None:
    with pytest.raises(JtfneError, match=r"label='a'.* events of a run only"):
        analysis.evoked(noise(), onset_ms=100.0, label="a")


def test_a_comparison_that_is_refused_leaves_no_folder(tmp_path: Path) -> None:
    garbage = tmp_path / "lfp_raw.fif"
    garbage.write_bytes(b"not a FIF file")
    config = jtfne.suite2_single_neuron_config("PV").probes(["spk", "lfp"])
    signals = jtfne.construct(config).simulate(duration_ms=20)
    with pytest.raises(JtfneError, match=r"lfp_raw\.fif, which cannot be read"):
        analysis.compare_run(signals, garbage, folder=tmp_path / "compare")
    assert not (tmp_path / "compare").exists()
