"""The analyses: labels, units and refusals around the kernels, and numbers that are known
beforehand.
"""

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from jtfne import JtfneError, Signals, analysis
from jtfne.recordings import _barrel

CLOCK_ROW, POISSON_ROW, SILENT_ROW = 0, 1, 2
DURATION_MS = 20_000.0


def run() -> Signals:
    """Two trials of a clock (every 10 ms), a Poisson train (50 Hz) and a silent cell."""
    rng = np.random.default_rng(0)
    parts = []
    for trial in (0, 1):
        clock = np.arange(10.0, DURATION_MS + 1, 10.0)
        poisson = np.sort(rng.uniform(0.0, DURATION_MS, rng.poisson(50.0 * DURATION_MS / 1e3)))
        times = np.concatenate([clock, poisson])
        rows = np.repeat([CLOCK_ROW, POISSON_ROW], [clock.size, poisson.size])
        order = np.lexsort((rows, times))
        parts.append((times[order], rows[order], np.full(times.size, trial)))
    time, neuron, trial = (np.concatenate(column) for column in zip(*parts, strict=True))
    about = {
        "readout": "spk", "units": "ms", "proxy": 0, "n_neurons": 3, "n_trials": 2, "dt_ms": 0.1,
        "duration_ms": DURATION_MS, "interval_ms": 0.1, "long_name": "spike times",
    }  # fmt: skip
    spk = xr.Dataset(
        {
            "time": ("event", time),
            "neuron": ("event", neuron.astype(np.int32)),
            "trial": ("event", trial),
        },
        attrs=about,
    )
    labels = {"area": ["V1"] * 3, "layer": ["L2/3", "L2/3", "L4"], "cell_type": ["E", "PV", "E"]}
    places = {name: ("neuron", np.zeros(3)) for name in ("x_mm", "y_mm", "z_mm")}
    neurons = xr.Dataset(
        {**{name: ("neuron", values) for name, values in labels.items()}, **places},
        {"neuron": np.arange(3)},
    )
    tree = xr.DataTree.from_dict({"spk": spk, "neurons": neurons})
    tree.attrs = {"n_trials": 2, "dt_ms": 0.1, "duration_ms": DURATION_MS}
    return Signals(tree)


@pytest.fixture(scope="module")
def signals() -> Signals:
    return run()


def sine(f_Hz: float = 10.0, n: int = 4000) -> xr.DataArray:
    """(trial 2, time, channel 3): a sine of amplitude 1, 2 and 3, in V."""
    t_ms = np.arange(1, n + 1.0)
    wave = np.sin(2 * np.pi * f_Hz * t_ms * 1e-3)[:, None] * np.array([1.0, 2.0, 3.0])
    coords = {
        "time": t_ms,
        "channel": ["a", "b", "c"],
        "z_mm": ("channel", [0.3, 0.2, 0.1]),
        "trial": [0, 1],
    }
    return xr.DataArray(
        np.stack([wave, wave]), coords, ("trial", "time", "channel"), "lfp", {"units": "V"}
    )


def test_rates_of_cells_and_of_populations(signals: Signals) -> None:
    of_cells = analysis.rates(signals, by=None)
    assert of_cells.dims == ("trial", "neuron") and of_cells.attrs["units"] == "Hz"
    np.testing.assert_allclose(of_cells[:, CLOCK_ROW], 100.0)
    np.testing.assert_allclose(of_cells[:, POISSON_ROW], 50.0, atol=5.0)
    of_types = analysis.rates(signals, by=["area", "layer", "cell_type"])
    assert of_types["population"].values.tolist() == ["V1 L2/3 E", "V1 L2/3 PV", "V1 L4 E"]
    np.testing.assert_allclose(of_types[:, 0], 100.0)
    np.testing.assert_allclose(analysis.rates(signals, by="cell_type").sel(cell_type="E"), 50.0)


def test_population_rate_over_time(signals: Signals) -> None:
    found = analysis.population_rate(signals, bin_ms=20.0, by="cell_type").sel(cell_type="E")
    np.testing.assert_allclose(found, 50.0)  # two spikes of one of two cells in each 20 ms
    assert found["time"].values[:2].tolist() == [20.0, 40.0]
    everyone = analysis.population_rate(signals, bin_ms=100.0)
    assert everyone.dims == ("trial", "time")
    np.testing.assert_allclose(everyone.mean(), 50.0, atol=2.0)


def test_intervals_variation_and_fano_factor(signals: Signals) -> None:
    isi = analysis.isi(signals)
    np.testing.assert_allclose(isi[isi["neuron"] == CLOCK_ROW], 10.0)
    cv = analysis.cv(signals)
    assert float(cv[CLOCK_ROW]) == pytest.approx(0.0, abs=1e-9)
    assert float(cv[POISSON_ROW]) == pytest.approx(1.0, abs=0.07)  # 3 / sqrt(2000 intervals)
    assert np.isnan(cv[SILENT_ROW])
    fano = analysis.fano_factor(signals, window_ms=100.0)
    assert float(fano[CLOCK_ROW]) == pytest.approx(0.0, abs=1e-9)
    assert float(fano[POISSON_ROW]) == pytest.approx(1.0, abs=0.22)  # 3 sqrt(2 / 400 windows)


def test_correlation_and_synchrony_of_traces() -> None:
    found = analysis.correlation(sine())
    np.testing.assert_allclose(found, 1.0)
    assert found.dims == ("trial", "channel", "other")
    assert found["other"].values.tolist() == ["a", "b", "c"]
    same = sine().copy(data=np.repeat(sine().values[..., :1], 3, axis=-1))
    np.testing.assert_allclose(analysis.synchrony(same), 1.0)


def test_the_spectrum_carries_labels_and_units() -> None:
    power = analysis.psd(sine(f_Hz=12.0))
    assert power.dims == ("trial", "channel", "frequency")
    assert (power.attrs["units"], power["frequency"].attrs["units"]) == ("(V)^2/Hz", "Hz")
    assert power["z_mm"].values.tolist() == [0.3, 0.2, 0.1]
    assert set(power["frequency"].values[power.argmax("frequency").values].ravel().tolist()) == {
        12.0
    }
    band = analysis.band_power(power, 10.0, 14.0)
    np.testing.assert_allclose(band, [[0.5, 2.0, 4.5]] * 2, rtol=0.01)
    assert (band.dims, band.attrs["units"]) == (("trial", "channel"), "(V)^2")


def test_the_spectrum_refuses() -> None:
    with pytest.raises(JtfneError, match="dims that include 'time'"):
        analysis.psd(sine().isel(time=0))
    with pytest.raises(JtfneError, match="evenly spaced"):
        analysis.psd(sine().isel(time=[0, 1, 5]))
    with pytest.raises(JtfneError, match="2 samples or more"):
        analysis.psd(sine(), segment_ms=1.0)
    with pytest.raises(
        JtfneError,
        match=r"the band 2000 to 3000 Hz; expected 0 to 500 Hz,.* Nyquist",
    ):
        analysis.band_power(analysis.psd(sine()), 2000.0, 3000.0)


@pytest.mark.parametrize(
    ("units", "scale", "expected", "expected_units"),
    [
        ("V", 1e-3, 60_000.0, "A/m^3"),
        ("mV", 1.0, 60_000.0, "A/m^3"),
        ("uV", 1e3, 60_000.0, "A/m^3"),
        ("a.u.", 1.0, 2.0, "a.u."),
    ],
)
def test_csd_of_potentials_and_of_proxies(
    units: str, scale: float, expected: float, expected_units: str
) -> None:
    values = scale * np.array([[0.0, 1.0, 0.0, -1.0, 0.0]])
    coords = {"time": [1.0], "z_mm": ("channel", np.arange(1, 6) * 0.1)}
    lfp = xr.DataArray(values, coords, ("time", "channel"), attrs={"units": units})
    for each in (lfp, lfp.isel(channel=slice(None, None, -1)), lfp.transpose("channel", "time")):
        found = analysis.csd(each)
        assert found.dims == each.dims and found.attrs["units"] == expected_units
        np.testing.assert_allclose(found.values.ravel(), [expected, 0.0, -expected], atol=1e-6)
        np.testing.assert_allclose(found["z_mm"], [0.2, 0.3, 0.4])


def test_csd_refuses_what_has_no_even_depths() -> None:
    with pytest.raises(JtfneError, match="channels without depths"):
        analysis.csd(sine().drop_vars("z_mm"))
    with pytest.raises(JtfneError, match="evenly spaced"):
        analysis.csd(sine().assign_coords(z_mm=("channel", [0.1, 0.2, 0.5])))
    with pytest.raises(JtfneError, match="3 or more"):
        analysis.csd(sine().isel(channel=[0, 1]))
    with pytest.raises(JtfneError, match="a conductivity above 0"):
        analysis.csd(sine(), sigma_S_m=0.0)


def test_spectrolaminar_map_and_flip() -> None:
    found = analysis.spectrolaminar(sine(), max_frequency_Hz=100.0)
    assert found.dims == ("channel", "frequency") and found["frequency"].values[
        [0, -1]
    ].tolist() == [1.0, 100.0]
    np.testing.assert_allclose(found.sel(frequency=10.0), [1 / 9, 4 / 9, 1.0])
    depth, f_Hz = np.linspace(0.0, 1.0, 24)[:, None], np.arange(1.0, 151.0)
    low = np.exp(-((f_Hz - 18) ** 2) / 72) * np.exp(-((depth - 0.75) ** 2) / 0.125)
    high = np.exp(-((f_Hz - 95) ** 2) / 1800) * np.exp(-((depth - 0.25) ** 2) / 0.08)
    coords = {"z_mm": ("channel", np.arange(24) * 0.1), "frequency": f_Hz}
    power = xr.DataArray(f_Hz**-1.5 * (1 + 2 * low + 1.5 * high), coords, ("channel", "frequency"))
    flipped = analysis.flip(power)
    assert flipped.goodness == pytest.approx(1.2427, abs=5e-5) and flipped.crossover == 11
    assert analysis.flip(power.isel(channel=slice(None, None, -1))) == flipped, (
        "the depths count, not the order"
    )
    with pytest.raises(JtfneError, match="select one area and trial"):
        analysis.flip(power.expand_dims("area"))
    with pytest.raises(JtfneError, match=r"0.7 mm or more"):
        analysis.flip(power.isel(channel=slice(5)))


def test_evoked_average_is_that_of_the_trials() -> None:
    t_ms = np.arange(1.0, 301.0)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 300))
    lfp = xr.DataArray(
        values, {"trial": np.arange(4), "time": t_ms}, ("trial", "time"), attrs={"onset_ms": 101.0}
    )
    found = analysis.evoked(lfp, window_ms=(-50.0, 100.0), baseline_ms=(-50.0, 0.0))
    mean = values.mean(axis=0)
    np.testing.assert_allclose(found, mean[50:200] - mean[50:100].mean())
    assert found["time"].values[[0, -1]].tolist() == [-50.0, 99.0]


def test_the_barrel_recording() -> None:
    found = analysis.load_recording("barrel")
    assert (found.dims, found.shape, found.attrs["units"]) == (("time", "channel"), (250, 23), "V")
    assert found["z_mm"].values[[0, 1, -1]].tolist() == [0.1, 0.2, 2.3]
    assert (
        found.attrs["onset_ms"] == 62.5
        and "CSDplotter/elephant test recording" in found.attrs["provenance"]
    )
    assert float(found.max()) == pytest.approx(3.35e-3, rel=0.01)
    density = analysis.csd(found)
    deepest = density.isel(density.argmin(...))
    assert (density.attrs["units"], float(deepest["z_mm"])) == ("A/m^3", 0.5)
    assert float(abs(density).max()) == pytest.approx(4.3e4, rel=0.01)


def test_the_barrel_recording_is_read_without_elephant() -> None:
    code = (
        "import sys\nfrom jtfne import "
        "analysis\nanalysis.load_recording('barrel')\nprint('elephant' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.split() == ["False"]


def test_an_altered_barrel_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_barrel, "BARREL_SHA256", hashlib.sha256(b"another").hexdigest())
    with pytest.raises(JtfneError, match="SHA-256"):
        analysis.load_recording("barrel")


def test_without_elephant_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(JtfneError, match=r'pip install "jtfne\[realdata\]"'):
        analysis.load_recording("barrel")


@pytest.mark.parametrize("suffix", [".nc", ".parquet", ".fif"])
def test_recordings_come_back_from_files(tmp_path: Path, suffix: str) -> None:
    wave = sine(n=500).isel(trial=0, drop=True)
    path = tmp_path / f"lfp_raw{suffix}"
    if suffix == ".nc":
        wave.to_netcdf(path, engine="h5netcdf")
    elif suffix == ".parquet":
        wave.to_dataframe("value").reset_index().to_parquet(path)
    else:
        import mne

        info = mne.create_info(wave["channel"].values.tolist(), 1000.0, "seeg")
        raw = mne.io.RawArray(wave.values.T, info, verbose="error")
        raw.set_annotations(mne.Annotations([0.1], [0.0], ["whisker"])).save(
            path, fmt="double", verbose="error"
        )
    found = analysis.load_recording(path, **({"units": "V"} if suffix == ".parquet" else {}))
    np.testing.assert_allclose(found.transpose("time", "channel"), wave, atol=1e-12)
    assert found["channel"].values.tolist() == ["a", "b", "c"] and found.attrs["units"] == "V"
    if suffix == ".fif":
        assert found.attrs["onset_ms"] == pytest.approx(100.0)
    else:
        np.testing.assert_allclose(found["z_mm"], wave["z_mm"])


def test_recordings_that_are_not_there_or_not_whole_are_refused(tmp_path: Path) -> None:
    with pytest.raises(JtfneError, match=r"expected 'barrel'.*; nearest: 'barrel'"):
        analysis.load_recording("barel")
    with pytest.raises(JtfneError, match="which is not there"):
        analysis.load_recording(tmp_path / "gone.nc")
    table = pd.DataFrame({"time": [1.0, 1.0, 2.0], "channel": ["a", "b", "a"], "value": 0.0})
    table.to_parquet(tmp_path / "holes.parquet")
    with pytest.raises(JtfneError, match="samples missing or given twice"):
        analysis.load_recording(tmp_path / "holes.parquet")
    table.drop(columns="value").to_parquet(tmp_path / "no.parquet")
    with pytest.raises(JtfneError, match="without the column 'value'"):
        analysis.load_recording(tmp_path / "no.parquet")


def test_no_figure_library_is_loaded_until_a_figure_is_drawn() -> None:
    code = (
        "import sys\nimport jtfne.analysis\nprint('matplotlib' in sys.modules, 'mne' in "
        "sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.split() == ["False", "False"]


def test_an_unknown_analysis_lists_those_known() -> None:
    with pytest.raises(AttributeError, match="no attribute 'pds'; public names: DeltaICSD, "):
        _ = analysis.pds
