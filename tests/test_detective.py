"""A column that was simulated is found again by MNE alone, as docs/detective.rst has it, at reduced
size.
"""

import functools

import numpy as np
import pytest

from docs.validation._detective import (
    NOISE,
    Found,
    Truth,
    average,
    errors,
    looked_for,
    recording,
    simulated,
    truth_of,
)
from jtfne.signals import Signals

pytestmark = pytest.mark.as_users  # simulates for long


@functools.cache
def signals() -> Signals:
    """60 trials of a circuit of a third of its size."""
    return simulated(n_per_area=150, n_trials=60)


@functools.cache
def found(readout: str, noise: float) -> Found:
    return looked_for(signals(), readout, noise)


def truth() -> Truth:
    return truth_of(signals())


@pytest.mark.parametrize("readout", ["eeg", "meg"])
def test_v1_is_found_without_noise(readout: str) -> None:
    """Issue 6: within 2 mm and 5 degrees; what is left is V4's own activity, which 60 trials do not
    average away.
    """
    error_mm, angle_deg, map_mm = errors(found(readout, 0.0), truth(), readout)
    assert error_mm < 2.0 and angle_deg < 5.0 and map_mm < 15.0


@pytest.mark.parametrize("readout", ["eeg", "meg"])
def test_v1_is_found_with_the_noise_of_sensors(readout: str) -> None:
    """Issue 6: within 6 mm at 0.2 uV and 5 fT, here those of the average; the map within 15 mm."""
    error_mm, _, map_mm = errors(found(readout, 1.0), truth(), readout)
    assert error_mm < 6.0 and map_mm < 15.0
    assert found(readout, 1.0).goodness < found(readout, 0.0).goodness


def test_the_moment_is_that_of_v1_when_v4_does_not_answer_yet() -> None:
    """EEG sees all of it; MEG what is tangential of it, to the part that V4 is of V1 at that
    time.
    """
    moments = signals().get("dipole").mean("trial")
    moments = moments - moments.sel(time=slice(450.0, 500.0)).mean("time")
    at_s = found("eeg", 0.0).at_s
    now = moments.isel(time=round(500.0 + 1e3 * at_s)).values
    assert abs(now[0]) > 10e-9 and abs(now[1]) < 0.1 * abs(now[0]), (
        "nA m that a head can show, and V1 alone"
    )
    known = truth()
    out = (known.place_mm - known.centre_mm) / np.linalg.norm(known.place_mm - known.centre_mm)
    tangential = np.sqrt(1.0 - (known.normal @ out) ** 2)
    share = abs(now[1] / now[0])
    np.testing.assert_allclose(
        np.linalg.norm(found("eeg", 0.0).moment), abs(now[0]), rtol=share + 0.02
    )
    meg = found("meg", 0.0)
    now = moments.isel(time=round(500.0 + 1e3 * meg.at_s)).values
    np.testing.assert_allclose(
        np.linalg.norm(meg.moment), abs(now[0]) * tangential, rtol=share + 0.02
    )


@pytest.mark.parametrize("readout", ["eeg", "meg"])
def test_the_noise_is_what_it_says(readout: str) -> None:
    clean, noisy = (average(recording(signals(), readout, noise)) for noise in (0.0, 1.0))
    for kind in set(clean.get_channel_types()):
        mine = np.array(clean.get_channel_types()) == kind
        left = (noisy.data - clean.data)[mine]
        # of samples less their baseline: 50 more samples add a fiftieth; the mean over sites takes
        # a 64th
        assert left.std() == pytest.approx(NOISE[kind], rel=0.05)
