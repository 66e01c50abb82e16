"""Recordings that ship with other packages are read in place, unaltered, and say what is unknown."""

import hashlib
import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import jtfne
from jtfne import analysis, measures
from jtfne.recordings import NAMED, _named


def test_ecog_beta_has_a_beta_rhythm_and_says_what_nobody_knows() -> None:
    ecog = analysis.load_recording("ecog_beta", readout="ecog")
    assert ecog.name == "ecog" and ecog.sizes == {"time": 88_889, "channel": 1}
    assert ecog["time"].values[[0, -1]].tolist() == [1.0, 88_889.0]
    assert ecog.attrs["units"] == "unknown" and ecog.attrs["proxy"] == 0
    for words in ("pacpy", "neither whose it is", "nor the unit", "notch at 60 Hz"):
        assert words in ecog.attrs["provenance"]
    power = analysis.psd(ecog, segment_ms=2000.0).isel(channel=0)
    beta = power.sel(frequency=slice(10.0, 40.0))
    whitened = beta * beta["frequency"]
    assert 15.0 <= float(beta["frequency"][int(whitened.values.argmax())]) <= 19.0
    notch = power.sel(frequency=60.0, method="nearest")
    assert notch < 0.1 * power.sel(frequency=56.0, method="nearest")
    residue = power.sel(frequency=120.0, method="nearest")
    assert residue > 2.0 * power.sel(frequency=118.0, method="nearest")


def test_grasshopper_has_spikes_that_analyses_take() -> None:
    spikes = analysis.load_recording("grasshopper", readout="spk")
    assert spikes.dims == ("event",)
    np.testing.assert_allclose(analysis.rates(spikes, by=None).values.ravel(), [92.9, 86.8])
    counts = [int((spikes["trial"] == trial).sum()) for trial in (0, 1)]
    assert counts == [929, 868]
    first_ms = spikes.isel(event=slice(0, 3)).values.tolist()
    assert first_ms == [6.7, 9.9, 13.9]
    intervals = analysis.isi(spikes)
    assert intervals.sizes["interval"] == sum(counts) - 2
    assert "Locusta migratoria" in spikes.attrs["provenance"]
    assert "no unit" in spikes.attrs["provenance"]
    assert spikes["stimulus"].values[[0, -1]].tolist() == ["200 Hz", "800 Hz"]


def test_grasshopper_has_the_sound_that_was_played() -> None:
    sound = analysis.load_recording("grasshopper", readout="stimulus")
    assert sound.sizes == {"trial": 2, "time": 200_000, "channel": 1}
    assert sound["time"].values[[0, -1]].tolist() == [0.05, 10_000.0]
    assert float(sound[0, 0, 0]) == 0.242911 and float(sound[1, -1, 0]) > 0.0
    assert sound["stimulus"].values.tolist() == ["200 Hz", "800 Hz"]
    assert sound.attrs["units"] == "unknown"
    # 6 to 7 ms before a spike the sound is louder by a standard deviation: what a receptor is for
    spikes = analysis.load_recording("grasshopper", readout="spk")
    for trial, delay_ms in enumerate((6.0, 7.0)):
        times_ms = spikes.values[spikes["trial"].values == trial]
        values = sound.values[trial, :, 0]
        steps = np.rint((times_ms[times_ms > delay_ms] - delay_ms) / 0.05).astype(int)
        assert 0.8 < (values[steps].mean() - values.mean()) / values.std() < 1.2
    with pytest.raises(jtfne.JtfneError, match=r"unknown readout 'lfp'.*'spk', 'stimulus'"):
        analysis.load_recording("grasshopper")


def install_package(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, file: str, content: bytes
) -> None:
    """Make `name` a package that pip installed with one file beside its modules."""
    site = folder / "lib" / "site-packages"
    facts = site / f"{name}-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (facts / "RECORD").write_text(f"{name}/__init__.py,,\n../../share/{name}/{file},,\n")
    (site / name).mkdir()
    (site / name / "__init__.py").write_text("raise SystemExit('imported')\n")
    path = folder / "share" / name / file
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    monkeypatch.syspath_prepend(str(site))


def test_eeg_alpha_is_read_where_its_package_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # dyconnmap is 36 MB, and no test installs it: a file of its form stands in
    values = np.random.default_rng(0).normal(size=(14, 1280))
    stream = io.BytesIO()
    np.save(stream, values)
    content = stream.getvalue()
    install_package(monkeypatch, tmp_path, "dyconnmap", _named.EEG_FILE, content)
    with pytest.raises(jtfne.JtfneError, match="another SHA-256"):
        analysis.load_recording("eeg_alpha", readout="eeg")
    monkeypatch.setattr(_named, "EEG_SHA256", hashlib.sha256(content).hexdigest())
    eeg = analysis.load_recording("eeg_alpha", readout="eeg")
    np.testing.assert_array_equal(eeg, values.T)
    assert eeg["time"].values[[0, -1]].tolist() == [7.8125, 10_000.0]
    assert "reference or the unit" in eeg.attrs["provenance"]
    assert "dyconnmap" not in sys.modules, "its code is not run"
    (tmp_path / "share" / "dyconnmap" / _named.EEG_FILE).unlink()
    with pytest.raises(jtfne.JtfneError, match=r"the package dyconnmap without examples/data"):
        analysis.load_recording("eeg_alpha", readout="eeg")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("barrel", 'needs elephant; install it with: pip install "jtfne[realdata]"'),
        ("ecog_beta", 'needs pacpy; install it with: pip install "jtfne[recordings]"'),
        ("eeg_alpha", 'needs dyconnmap; install it with: pip install "dyconnmap"'),
        ("grasshopper", 'needs nitime; install it with: pip install "jtfne[recordings]"'),
    ],
)
def test_a_missing_package_is_one_sentence(
    name: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(jtfne.JtfneError) as refusal:
        analysis.load_recording(name, readout="spk")
    assert line in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["ecog_beta", "grasshopper"])
def test_an_altered_file_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read_bytes(path)[:-1] + b"!")
    with pytest.raises(jtfne.JtfneError, match="with another SHA-256"):
        analysis.load_recording(name, readout="spk")


def test_packages_are_not_imported() -> None:
    script = (
        "import sys, json, jtfne.analysis as a\n"
        "a.load_recording('ecog_beta'), a.load_recording('grasshopper', readout='spk')\n"
        "print(json.dumps([name in sys.modules for name in ('pacpy', 'nitime')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300
    )
    assert json.loads(done.stdout) == [False, False]


def test_names_stand_alone_and_are_listed() -> None:
    assert list(NAMED) == ["barrel", "ecog_beta", "eeg_alpha", "grasshopper"]
    with pytest.raises(jtfne.JtfneError, match=r"units='V' beside 'ecog_beta'"):
        analysis.load_recording("ecog_beta", units="V")
    with pytest.raises(jtfne.JtfneError, match=r"'grasshopper'.*nearest: 'ecog_beta'"):
        analysis.load_recording("ecog_bta")


def test_what_has_no_unit_is_compared_in_shape_alone() -> None:
    ecog = analysis.load_recording("ecog_beta", readout="lfp").isel(time=slice(0, 4000))
    config = jtfne.suite2_net1_config(40).runtime(seed=3, duration_ms=300.0).probes(["lfp"])
    signals = jtfne.construct(config).simulate()
    options = {"low_Hz": 10.0, "high_Hz": 100.0, "segment_ms": 100.0}
    shape = measures.PowerSpectrum(**options)
    metric = jtfne.config.Metric(measure=shape, target=ecog, readout="lfp")
    table = jtfne.Objective([metric]).evaluate(signals).metrics
    assert np.isfinite(float(table["value"].iloc[0])) and float(table["value"].iloc[0]) > 0.0
    level = measures.PowerSpectrum(relative=False, **options)
    with pytest.raises(jtfne.JtfneError, match=r"unknown.*a measure of shape alone"):
        metric = jtfne.config.Metric(measure=level, target=ecog, readout="lfp")
        jtfne.Objective([metric]).evaluate(signals)
