"""The dipole moment leaves as `mne.Dipole` and as hnn-core's text, and comes back."""

import sys
from pathlib import Path

import mne
import numpy as np
import pytest

import jtfne
import runs
from jtfne import analysis, cli, interop
from jtfne.recordings import HNN_COLUMNS

PLACES = {"V1": [-12.0, -54.0, 44.0], "Sehrinde ä": [-30.0, -51.0, 32.0], "slice": [0.0, 0.0, 0.0]}
INTERVAL_ms, DURATION_ms = 0.3, 30.0


@pytest.fixture(scope="module")
def signals() -> jtfne.Signals:
    """Two trials of three areas, one of them without a place in the head."""
    areas = []
    for name, position_mm in PLACES.items():
        areas.append({"name": name, **({"position_mm": position_mm} if any(position_mm) else {})})
    config = jtfne.Config().areas(areas).layers([{"name": "L4", "top": 0.0, "bottom": 1.0}])
    config = config.cells({"E": 20, "PV": 5}).runtime(seed=3, duration_ms=DURATION_ms, dt_ms=0.1)
    config = config.probes(["spk", {"kind": "Dipole", "interval_ms": INTERVAL_ms}])
    flash = jtfne.Paradigm.pulse(
        target="E", start_ms=10.0, duration_ms=5.0, amplitude=9.0, label="flash"
    )
    return jtfne.construct(config).simulate(flash.trials(2))


@pytest.fixture(scope="module")
def scalp() -> jtfne.Signals:
    """The dipole of one area, and the EEG that it makes."""
    config = jtfne.suite2_net1_config(40).runtime(seed=3, duration_ms=DURATION_ms)
    return jtfne.construct(config.probes(["dipole", "eeg"])).simulate()


def test_a_dipole_of_mne_is_the_moment_at_its_place(signals: jtfne.Signals) -> None:
    dipole = interop.to_mne_dipole(signals, "Sehrinde ä")
    moment_A_m = signals.get("dipole").sel(area="Sehrinde ä").values.astype(np.float64)
    assert moment_A_m.shape == (2, 100) and moment_A_m.any()
    np.testing.assert_array_equal(dipole.amplitude, moment_A_m.ravel())
    np.testing.assert_allclose(dipole.times, 3e-4 * np.arange(200), atol=1e-12)
    assert dipole.name == "Sehrinde ä" and (dipole.gof == 100.0).all()
    with pytest.warns(UserWarning, match="'Sehrinde ä' as 'Sehrinde a'"):
        raw = interop.to_raw(signals, "dipole")
    np.testing.assert_allclose(raw.times, dipole.times, atol=1e-9)
    np.testing.assert_array_equal(raw.get_data("Sehrinde a")[0], dipole.amplitude)
    one = interop.to_mne_dipole(signals, "Sehrinde ä", trial=1)
    np.testing.assert_array_equal(one.amplitude, moment_A_m[1])

    area = jtfne.config.Area(name="x", position_mm=PLACES["Sehrinde ä"])
    assert {tuple(row) for row in dipole.ori} == {area.normal}
    # half a cortex below the pia, at the area's place
    depth_mm = (np.array(PLACES["Sehrinde ä"]) - 1e3 * dipole.pos[0]) @ np.array(area.normal)
    thickness_mm = signals.manifest["config"]["circuit"]["geometry"]["thickness_mm"]
    assert depth_mm == pytest.approx(thickness_mm / 2)


@pytest.mark.parametrize("suffix", [".dip", ".bdip"])
def test_a_dipole_comes_back_from_its_file(
    suffix: str, signals: jtfne.Signals, tmp_path: Path
) -> None:
    # nA m with three decimals in a .dip: the moment of 25 cells is too small for them
    dipole = interop.to_mne_dipole(signals, "V1", trial=0)
    dipole = mne.Dipole(
        dipole.times, dipole.pos, 1e6 * dipole.amplitude, dipole.ori, dipole.gof, dipole.name
    )
    dipole.save(tmp_path / f"v1{suffix}", verbose="error")
    back = mne.read_dipole(tmp_path / f"v1{suffix}", verbose="error")
    moment_A_m = dipole.amplitude[:, None] * dipole.ori
    tolerance_A_m = 0.5e-12 * 1.01 if suffix == ".dip" else 1e-7 * np.abs(moment_A_m).max()
    assert np.abs(moment_A_m).max() > 100 * tolerance_A_m
    np.testing.assert_allclose(
        back.amplitude[:, None] * back.ori, moment_A_m, atol=tolerance_A_m, rtol=0.0
    )
    np.testing.assert_allclose(back.pos, dipole.pos, atol=5.1e-6)
    np.testing.assert_allclose(back.times, dipole.times, atol=5.1e-5)
    np.testing.assert_allclose(back.gof, 100.0)


def test_the_field_of_a_dipole_by_mne_is_the_eeg_of_the_run(scalp: jtfne.Signals) -> None:
    eeg = interop.to_raw(scalp, "eeg")
    dipole = interop.to_mne_dipole(scalp)
    unit = mne.Dipole([0.0], dipole.pos[:1], [1e-9], dipole.ori[:1], [100.0], verbose="error")
    sphere = interop.to_sphere(scalp)
    forward, _ = mne.make_forward_dipole(unit, sphere, eeg.info, verbose="error")
    expected_V = forward["sol"]["data"][:, :1] * dipole.amplitude
    differences_V = eeg.get_data() - eeg.get_data().mean(axis=0)
    differences_V -= expected_V - expected_V.mean(axis=0)
    assert np.abs(differences_V).max() < 0.01 * np.abs(expected_V).max()


def test_an_area_without_a_place_is_refused(signals: jtfne.Signals) -> None:
    with pytest.raises(jtfne.JtfneError, match=r"'slice', which has no place in the head"):
        interop.to_mne_dipole(signals, "slice")
    with pytest.raises(jtfne.JtfneError, match=r"3 areas without area=.*V1, Sehrinde ä, slice"):
        interop.to_mne_dipole(signals)
    with pytest.raises(jtfne.JtfneError, match=r"unknown area 'V2'.*'V1'"):
        interop.to_mne_dipole(signals, "V2")
    with pytest.raises(jtfne.JtfneError, match=r"unknown readout 'dipole'.*'spk'"):
        interop.to_mne_dipole(runs.silent())


def test_the_text_of_hnn_core_there_and_back(signals: jtfne.Signals, tmp_path: Path) -> None:
    path = interop.write_dipole_text(signals, tmp_path / "dpl.txt", area="Sehrinde ä", trial=1)
    moment = signals.get("dipole", trial=1).sel(area="Sehrinde ä")
    columns = np.loadtxt(path)  # which is what hnn_core.read_dipole calls
    assert columns.shape == (100, 2)
    np.testing.assert_allclose(columns[:, 0], moment["time"], atol=1e-6)
    np.testing.assert_allclose(columns[:, 1], 1e9 * moment.values.astype(np.float64), rtol=1e-9)
    assert path.read_text(encoding="utf-8").isascii()

    back = interop.from_dipole_text(path)
    np.testing.assert_allclose(back.sel(channel="agg"), moment, rtol=1e-6)
    np.testing.assert_allclose(back["time"], moment["time"], atol=1e-6)
    assert back.attrs["units"] == "A m"
    assert (back.attrs["area"], back.attrs["trial"]) == ("Sehrinde ä", 1)
    loaded = analysis.load_recording(path, readout="dipole")
    np.testing.assert_array_equal(loaded, back)
    assert loaded.attrs["proxy"] == 0
    power = analysis.psd(loaded, segment_ms=15.0)
    assert np.isfinite(power).all()


def test_files_of_hnn_core_are_read(tmp_path: Path) -> None:
    path = tmp_path / "dpl.txt"
    # as hnn_core.Dipole.write leaves it: no head, 3 and 4 decimals, the sum and both layers
    path.write_text(
        "0.000\t0.0000\t0.0000\t0.0000\n0.025\t-1.5000\t-1.0000\t-0.5000\n0.050\t2.0000\t0.5000\t1.5000\n"
    )
    dipole = interop.from_dipole_text(path)
    assert dipole["channel"].values.tolist() == ["agg", "L2", "L5"]
    np.testing.assert_allclose(dipole.sel(channel="L5"), [0.0, -0.5e-9, 1.5e-9], rtol=1e-12)
    np.testing.assert_allclose(dipole["time"], [0.0, 0.025, 0.05])
    # bare numbers, of which nothing says that they are a dipole moment
    with pytest.raises(jtfne.JtfneError, match=r"bare numbers without a clock.*from_array"):
        analysis.load_recording(path, readout="dipole")
    titled = tmp_path / "titled.txt"
    titled.write_text(f"# {HNN_COLUMNS[0]}\t{HNN_COLUMNS[1]}\n1.0\t2.0\n2.0\t3.0\n")
    assert analysis.load_recording(titled, readout="dipole").sizes == {"time": 2, "channel": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"dpl.txt without numbers"),
        ("1 2 3\n2 3 4\n", r"3 columns of numbers"),
        ("1 2\n2 x\n", r"cannot be read \(.*'x'"),
        ("1 2\n2\n", r"cannot be read"),
        ("1 2\n2 nan\n", r"not finite"),
        ("2 2\n1 2\n", r"goes from 2 to 1 ms"),
    ],
)
def test_broken_text_is_one_clear_error(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "dpl.txt"
    path.write_text(text)
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.from_dipole_text(path)


def test_what_cannot_be_written_is_refused(signals: jtfne.Signals, tmp_path: Path) -> None:
    with pytest.raises(jtfne.JtfneError, match=r"2 trials without trial=.*trial=0 to 1"):
        interop.write_dipole_text(signals, tmp_path / "a.txt", area="V1")
    with pytest.raises(jtfne.JtfneError, match=r"ends in .txt"):
        interop.write_dipole_text(signals, tmp_path / "a.csv", area="V1", trial=0)
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(jtfne.JtfneError, match="exists"):
        interop.write_dipole_text(signals, tmp_path / "a.txt", area="V1", trial=0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(jtfne.JtfneError, match="is not there"):
        interop.from_dipole_text(tmp_path / "b.txt")
    with pytest.raises(jtfne.JtfneError, match="is a folder"):
        interop.from_dipole_text(tmp_path)


def test_the_command_line_writes_every_area_and_trial(
    signals: jtfne.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    signals.save(tmp_path / "run")
    runs.silent().save(tmp_path / "silent")
    for folder, code in (("run", 0), ("silent", 2)):
        arguments = ["jtfne", "export", str(tmp_path / folder), "--to", "dipole"]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert int(end.value.code or 0) == code
    assert "unknown readout 'dipole'; expected" in capsys.readouterr().err
    paths = sorted((tmp_path / "run" / "export").iterdir())
    assert len(paths) == 6 and paths[0].name == "dipole_Sehrinde ä_trial0.txt"
    assert interop.from_dipole_text(paths[-1]).attrs["trial"] == 1


def test_a_raw_of_dipoles_keeps_type_and_unit(signals: jtfne.Signals, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="'Sehrinde ä' as 'Sehrinde a'"):
        path = interop.write_fif(signals, "dipole", tmp_path / "dipole_raw.fif")
    raw = mne.io.read_raw_fif(path, preload=True, verbose="error")
    assert set(raw.get_channel_types()) == {"dipole"}
    # no data type of MNE, no more than `misc` is: it wants picks, and takes the type
    with pytest.raises(ValueError, match="yielded no channels"):
        raw.copy().filter(None, 100.0, verbose="error")
    raw.copy().filter(None, 500.0, picks="dipole", verbose="error")
    assert raw.compute_psd(picks="dipole", verbose="error").get_data("all").shape[0] == 3
    back = interop.from_raw(path, "dipole")
    assert back.attrs["units"] == "A m"
    assert back["channel"].values.tolist() == list(PLACES)
    expected = signals.get("dipole", trial=0)
    np.testing.assert_allclose(back[: expected.sizes["time"]], expected, rtol=1e-12)


def test_a_raw_says_which_run_it_is(scalp: jtfne.Signals, tmp_path: Path) -> None:
    raw = interop.to_raw(scalp, "eeg")
    raw.save(tmp_path / "eeg_raw.fif", verbose="error")
    for info in (raw.info, mne.io.read_info(tmp_path / "eeg_raw.fif", verbose="error")):
        assert info["subject_info"]["his_id"] == "sim-3"
        assert info["device_info"]["type"] == "jtfne"
        assert scalp.manifest["config_sha256"] in info["description"]
        assert info["meas_date"] is None and info["line_freq"] is None
        assert info["experimenter"] is None
