"""A script of plain MNE, which knows nothing of jtfne, finds V1 in the files that a run leaves."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import jtfne
from jtfne import interop
from jtfne.presets import v1_v4
from jtfne.stimuli import Poisson

SCRIPT = Path(__file__).parent / "mne_script.py"
ONSET_ms, TRIAL_ms, N_TRIALS = 200.0, 240.0, 60


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """What the script prints of `v1_v4` with an early volley, and where V1's dipole is by the manifest."""
    volley = Poisson(
        rate_Hz=8000.0, weight_pA=60.0, mechanism="AMPA", start_ms=ONSET_ms, stop_ms=ONSET_ms + 10.0
    )
    target = {"area": "V1", "layer": "L4", "cell_type": ["E", "PV"]}
    config = (
        v1_v4(150, evoked=False)
        .runtime(duration_ms=TRIAL_ms)
        .stimuli([{"target": target, "drive": volley, "label": "volley"}], n_trials=N_TRIALS)
        .probes(["eeg", "meg"])
    )
    folder = tmp_path_factory.mktemp("script") / "run"
    signals = jtfne.construct(config).simulate(progress=False)
    signals.save(folder)
    for name in ("eeg", "meg"):  # as `jtfne run` leaves them
        interop.write_fif(signals, name, folder / f"{name}_raw.fif")
    command = [sys.executable, "-W", "error", str(SCRIPT), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    head = json.loads((folder / "manifest.json").read_text())["operators"]["eeg"]
    return json.loads(done.stdout), np.array(head["dipoles_mm"][head["areas"].index("V1")])


def test_the_script_knows_nothing_of_jtfne():
    lines = SCRIPT.read_text(encoding="utf-8").split('"""')[2]
    assert "jtfne" not in lines and "import mne" in lines


@pytest.mark.parametrize("readout", ["eeg", "meg"])
def test_the_dipole_is_within_5_mm_of_its_declared_place(places, readout):
    found, declared_mm = places[0][readout], places[1]
    assert found["n_epochs"] == N_TRIALS and 5.0 <= found["peak_ms"] <= 12.0
    assert found["goodness"] > 90.0
    assert np.linalg.norm(np.array(found["dipole_mm"]) - declared_mm) < 5.0
    # the nearest point of the grid is 6 mm off
    assert np.linalg.norm(np.array(found["map_mm"]) - declared_mm) < 15.0


def test_spectra_and_wavelets_show_what_the_circuit_does(places):
    for found in places[0].values():
        assert 0.0 < found["peak_Hz"] < 100.0 and found["gamma_ratio"] > 1.0
