"""Simulated beside recorded: planted features are found again, distances are those known
beforehand.
"""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from jtfne import JtfneError, Signals, analysis

DT_MS, SPACING_MM, ONSET_MS = 0.5, 0.1, 50.0
RISE_MS = 2.0


def density(
    sink_mm: float, source_mm: float, latency_ms: float, peak_ms: float, sd_mm: float
) -> xr.DataArray:
    """(time, channel) CSD: a Gaussian sink and source over depth, with a straight rise from latency
    to peak.
    """
    t_ms, z_mm = np.arange(0.0, 150.0, DT_MS), np.arange(24) * SPACING_MM
    since = t_ms - ONSET_MS
    course = np.interp(since, [latency_ms, peak_ms, peak_ms + 30.0], [0.0, 1.0, 0.0])
    depth = 0.6 * np.exp(-((z_mm - source_mm) ** 2) / (2 * sd_mm**2)) - np.exp(
        -((z_mm - sink_mm) ** 2) / (2 * sd_mm**2)
    )
    coords = {"time": t_ms, "channel": [f"ch{k:02d}" for k in range(24)], "z_mm": ("channel", z_mm)}
    return xr.DataArray(
        np.outer(course, depth), coords, ("time", "channel"), attrs={"units": "a.u."}
    )


def potential(csd: xr.DataArray) -> xr.DataArray:
    """The potential whose minus second difference is `csd` at the inner contacts, zero at the outer
    two.
    """
    n = csd.sizes["channel"]
    operator = 2 * np.eye(n - 2) - np.eye(n - 2, k=1) - np.eye(n - 2, k=-1)
    values = np.zeros(csd.shape)
    values[:, 1:-1] = np.linalg.solve(operator, csd.values[:, 1:-1].T).T
    return csd.copy(data=values)


@pytest.mark.parametrize("sd_mm", [0.15, 0.25])
@pytest.mark.parametrize(("sink_mm", "source_mm"), [(1.2, 0.4), (0.6, 1.5)])
@pytest.mark.parametrize(("latency_ms", "peak_ms"), [(4.0, 14.0), (10.0, 12.5)])
def test_planted_features_are_found(
    sink_mm: float, source_mm: float, latency_ms: float, peak_ms: float, sd_mm: float
) -> None:
    lfp = potential(density(sink_mm, source_mm, latency_ms, peak_ms, sd_mm))
    rng = np.random.default_rng(0)
    noisy = lfp + rng.normal(0.0, 1e-3, lfp.shape) / 2.5  # the CSD has sd 1e-3 or so
    for each in (lfp, lfp + 7.0, noisy):
        found = analysis.laminar_features(each, onset_ms=ONSET_MS)
        assert found.sink_depth_mm == pytest.approx(sink_mm, abs=1e-9)
        assert found.source_depth_mm == pytest.approx(source_mm, abs=SPACING_MM + 1e-9)
        assert found.order == ("source above sink" if source_mm < sink_mm else "sink above source")
        assert found.peak_latency_ms == pytest.approx(peak_ms, abs=DT_MS)
        # a straight rise is at 20 % after a fifth of it
        expected_ms = latency_ms + 0.2 * (peak_ms - latency_ms)
        assert expected_ms <= found.latency_ms <= expected_ms + DT_MS + 1e-9 or each is noisy
        assert found.latency_ms == pytest.approx(expected_ms, abs=2 * DT_MS)
        assert found.width_mm == pytest.approx(2.3548 * sd_mm, abs=SPACING_MM)


def test_features_do_not_depend_on_scale_unit_order_of_channels_or_clock() -> None:
    lfp = potential(density(1.2, 0.4, 4.0, 15.0, 0.2))
    expected = analysis.laminar_features(lfp, onset_ms=ONSET_MS).values()
    volts = (lfp * 1e-3).assign_attrs(units="V")
    later = lfp.assign_coords(time=lfp["time"] + 1000.0)
    upside_down = lfp.isel(channel=slice(None, None, -1))
    trials = xr.concat([lfp * 0.5, lfp * 1.5], dim="trial").assign_attrs(lfp.attrs)
    for each, onset_ms in (
        (volts, ONSET_MS),
        (later, 1000 + ONSET_MS),
        (upside_down, ONSET_MS),
        (trials, ONSET_MS),
    ):
        found = analysis.laminar_features(each, onset_ms=onset_ms)
        assert found.values() == pytest.approx(expected)
        assert float(found.csd["time"][0]) == -ONSET_MS, "the CSD's clock starts at the onset"
    assert analysis.laminar_features(volts, onset_ms=ONSET_MS).csd.attrs["units"] == "A/m^3"


def test_a_csd_is_taken_as_it_is() -> None:
    planted = density(1.2, 0.4, 4.0, 14.0, 0.2).assign_attrs(readout="csd_proxy")
    found = analysis.laminar_features(planted, onset_ms=ONSET_MS)
    assert (found.sink_depth_mm, found.csd.sizes["channel"]) == (pytest.approx(1.2), 24)


def test_laminar_features_refuse() -> None:
    lfp = potential(density(1.2, 0.4, 4.0, 14.0, 0.2))
    for onset_ms in (0.0, 0.5, 500.0):
        with pytest.raises(
            JtfneError,
            match=r"2 samples or more before it and 1 after, in data from 0 to 149\.5 ms",
        ):
            analysis.laminar_features(lfp, onset_ms=onset_ms)
    with pytest.raises(JtfneError, match="no sink"):
        analysis.laminar_features(0.0 * lfp, onset_ms=ONSET_MS)
    with pytest.raises(JtfneError, match="select one area"):
        analysis.laminar_features(lfp.expand_dims("area"), onset_ms=ONSET_MS)
    with pytest.raises(JtfneError, match="finite values"):
        analysis.laminar_features(lfp.where(lfp["time"] > 1.0), onset_ms=ONSET_MS)
    with pytest.raises(JtfneError, match="window_ms=0"):
        analysis.laminar_features(lfp, onset_ms=ONSET_MS, window_ms=0.0)


def test_the_barrel_response_has_a_deep_sink_under_a_source() -> None:
    recorded = analysis.load_recording("barrel")
    table = analysis.compare_laminar(recorded, recorded)
    assert list(table.columns) == ["feature", "unit", "simulated", "recorded"]
    rows = table.set_index("feature")
    assert rows.loc["sink_depth_mm", "recorded"] == pytest.approx(0.5, abs=0.1)
    assert rows.loc["order", "recorded"] == "source above sink"
    assert (
        0.0 <= rows.loc["latency_ms", "recorded"] < rows.loc["peak_latency_ms", "recorded"] < 15.0
    )
    assert 0.1 < rows.loc["width_mm", "recorded"] < 0.5
    assert (table["simulated"] == table["recorded"]).all()


def test_compare_laminar_needs_the_onsets() -> None:
    lfp = potential(density(1.2, 0.4, 4.0, 14.0, 0.2))
    recorded = analysis.load_recording("barrel")
    table = analysis.compare_laminar(lfp, recorded, simulated_onset_ms=ONSET_MS)
    assert table.set_index("feature").loc["sink_depth_mm", "simulated"] == pytest.approx(1.2)
    with pytest.raises(JtfneError, match="the simulated data do not say when the stimulus came"):
        analysis.compare_laminar(lfp, recorded)


def noise(seed: int, units: str = "V", n: int = 2000) -> xr.DataArray:
    """(time, channel 2) white noise of sd 1."""
    values = np.random.default_rng(seed).normal(size=(n, 2))
    coords = {"time": np.arange(1.0, n + 1), "channel": ["Fz", "Cz"]}
    return xr.DataArray(values, coords, ("time", "channel"), attrs={"units": units})


def test_distances_of_the_same_are_none() -> None:
    table = analysis.compare(noise(0), noise(0).transpose("channel", "time")).set_index("metric")
    np.testing.assert_allclose(
        table.loc["rmse", ["value", "low", "high"]].astype(float), 0.0, atol=1e-12
    )
    np.testing.assert_allclose(
        table.loc["correlation", ["value", "low", "high"]].astype(float), 1.0
    )
    np.testing.assert_allclose(
        table.loc["log_spectral_distance", ["value", "low", "high"]].astype(float), 0.0, atol=1e-9
    )


def test_distances_known_beforehand() -> None:
    x, y = noise(0), noise(1)
    table = analysis.compare(x, (2.0 * x).assign_attrs(units="V")).set_index("metric")
    assert table.loc["log_spectral_distance", "value"] == pytest.approx(20 * np.log10(2.0))
    assert (
        table.loc["rmse", "value"] == pytest.approx(1.0, rel=0.05)
        and table.loc["rmse", "unit"] == "V"
    )
    apart = analysis.compare(x, y).set_index("metric")
    assert apart.loc["rmse", "value"] == pytest.approx(np.sqrt(2.0), rel=0.05)
    assert apart.loc["correlation", "low"] < 0.0 < apart.loc["correlation", "high"]
    assert (apart["low"] <= apart["high"]).all()
    half = (x + y).assign_attrs(units="V")
    assert analysis.compare(x, half).set_index("metric").loc[
        "correlation", "value"
    ] == pytest.approx(0.5**0.5, abs=0.03)


def test_other_units_are_compared_by_shape() -> None:
    table = analysis.compare(
        noise(0, "a.u."), (3.0 * noise(0) + 5.0).assign_attrs(units="V")
    ).set_index("metric")
    assert table.loc["rmse", "unit"] == "sd"
    np.testing.assert_allclose(
        table.loc[["rmse", "log_spectral_distance"], "value"].astype(float), 0.0, atol=1e-9
    )


def test_the_intervals_hold_what_they_say_and_repeat() -> None:
    """The 95 % interval of the correlation of independent noise holds 0 in about 95 of 100 data
    sets.
    """
    first = analysis.compare(noise(0), noise(1), seed=3)
    assert first.equals(analysis.compare(noise(0), noise(1), seed=3))
    assert not first.equals(analysis.compare(noise(0), noise(1), seed=4))
    held = 0
    for seed in range(40):
        table = analysis.compare(
            noise(2 * seed, n=640), noise(2 * seed + 1, n=640), block_ms=32.0, n_bootstrap=200
        )
        row = table.set_index("metric").loc["correlation"]
        held += row["low"] <= 0.0 <= row["high"]
    assert held >= 33  # fewer has a chance below 1 in 100 at 93 %


def test_distances_refuse_what_does_not_match() -> None:
    x = noise(0)
    with pytest.raises(JtfneError, match="the same sizes"):
        analysis.compare(x, x.isel(time=slice(100)))
    with pytest.raises(JtfneError, match="the same dimensions"):
        analysis.compare(x, x.isel(channel=0))
    with pytest.raises(JtfneError, match="resample one of the two"):
        analysis.compare(x, x.assign_coords(time=2.0 * x["time"]))
    with pytest.raises(JtfneError, match="4 blocks or more of 8 samples"):
        analysis.compare(x.isel(time=slice(20)), x.isel(time=slice(20)))
    with pytest.raises(JtfneError, match="recorded data that are not finite or never vary"):
        analysis.compare(x, 0.0 * x)


def run(*, events: int = 1, trials: int = 2) -> Signals:
    """A run with a planted laminar response in its second area, and EEG noise."""
    lfp = potential(density(1.2, 0.4, 4.0, 14.0, 0.2))
    values = np.stack(
        [np.stack([0.0 * lfp.values, lfp.values * (1 + k)], axis=1) for k in range(trials)]
    )
    about = {
        "units": "a.u.",
        "proxy": 1,
        "readout": "lfp_proxy",
        "interval_ms": DT_MS,
        "long_name": "laminar LFP proxy",
    }
    coords = {
        "trial": np.arange(trials), "time": lfp["time"].values, "area": ["V1", "V4"],
        "channel": lfp["channel"].values, "z_mm": ("channel", lfp["z_mm"].values),
    }  # fmt: skip
    laminar = xr.Dataset(
        {"lfp_proxy": (("trial", "time", "area", "channel"), values, about)}, coords, about
    )
    eeg = noise(5, "a.u.").expand_dims(trial=trials)
    table = {
        "onset_ms": np.full(events * trials, ONSET_MS), "duration_ms": np.full(events * trials, 5.0),
        "label": np.full(events * trials, "flash"), "trial": np.repeat(np.arange(trials), events),
    }  # fmt: skip
    nodes = {
        "lfp_proxy": laminar,
        "eeg_proxy": eeg.to_dataset(name="eeg_proxy").assign_attrs(about),
        "events": xr.Dataset({name: ("event", column) for name, column in table.items()}),
    }
    tree = xr.DataTree.from_dict(nodes)
    tree.attrs = {"n_trials": trials, "dt_ms": DT_MS, "duration_ms": 150.0}
    return Signals(tree)


def test_a_run_beside_the_barrel_recording(tmp_path: Path) -> None:
    table, files = analysis.compare_run(run(), "barrel", folder=tmp_path / "compare", area="V4")
    rows = table.set_index("feature")
    assert rows.loc["sink_depth_mm"].tolist() == ["all", "mm", pytest.approx(1.2), 0.5, None]
    assert rows.loc["peak_latency_ms", "simulated"] == pytest.approx(14.0, abs=DT_MS)
    names = ["comparison.csv", "comparison.png", "report.html"]
    assert [path.name for path in files] == names
    assert all(path.stat().st_size > 0 for path in files)
    head = files[0].read_text(encoding="utf-8").splitlines()[0]
    assert head == "group,feature,unit,simulated,recorded,pair"
    page = files[2].read_text(encoding="utf-8")
    assert "Simulated and recorded" in page and "<td>sink_depth_mm</td>" in page
    assert "divided by its own peak" in page and "data:image/png;base64" in page
    assert "LaminarComparison(window_ms=50.0" in page and "rat barrel cortex" in page


def test_a_run_beside_an_eeg_recording(tmp_path: Path) -> None:
    recorded = noise(6, n=1500).isel(channel=[1]).assign_attrs(onset_ms=[200.0, 700.0])
    path = tmp_path / "eeg.nc"
    recorded.to_netcdf(path, engine="h5netcdf")
    table, files = analysis.compare_run(run(), path, readout="eeg_proxy", folder=tmp_path)
    rows = table.set_index("feature")
    assert abs(rows.loc["correlation", "pair"]) < 0.5 and rows.loc["rmse", "unit"] == "sd"
    assert rows.loc["n_epochs", ["simulated", "recorded"]].tolist() == [2, 2]
    assert rows.loc["n_channels", "pair"] == 1
    assert [file.name for file in files] == ["comparison.csv", "comparison.png", "report.html"]
    with pytest.raises(JtfneError, match="expected one with some of Fz, Cz"):
        analysis.compare_run(
            run(), recorded.assign_coords(channel=["Oz"]), readout="eeg_proxy", folder=tmp_path
        )


def test_compare_run_refuses(tmp_path: Path) -> None:
    with pytest.raises(JtfneError, match=r"simulated data do not say when.* a run without events"):
        analysis.compare_run(run(events=0), "barrel", folder=tmp_path)
    with pytest.raises(JtfneError, match="unknown area 'V5'; expected 'V1', 'V4'"):
        analysis.compare_run(run(), "barrel", folder=tmp_path, area="V5")
    with pytest.raises(JtfneError, match="no sink"):
        # nothing happens in V1, the first area
        analysis.compare_run(run(), "barrel", folder=tmp_path)
    with pytest.raises(JtfneError, match="unknown readout 'vm'; expected"):
        analysis.compare_run(run(), "barrel", readout="vm", folder=tmp_path)
