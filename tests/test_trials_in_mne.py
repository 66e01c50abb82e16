"""All trials of a run reach MNE: end to end, with boundaries, conditions, codes and a whole head."""

from pathlib import Path

import mne
import numpy as np
import pytest

import jtfne
from jtfne import interop

pytestmark = pytest.mark.filterwarnings("ignore:names of events")  # "left/bad" is "left|bad"

N_TRIALS, DURATION_MS = 4, 60.0


@pytest.fixture(scope="module")
def signals() -> jtfne.Signals:
    """Four trials of two conditions, with a label that is no name in MNE."""
    pulse = {"target": "E", "duration_ms": 5.0, "amplitude": 4.0}
    standard = jtfne.Paradigm.pulse(**pulse, start_ms=20.0, label="tone")
    deviant = jtfne.Paradigm.pulse(**pulse, start_ms=30.0, label="left/bad")
    task = jtfne.Paradigm.by_condition(
        {"std": standard, "dev": standard + deviant}, order=["std", "dev", "dev", "std"]
    )
    config = (
        jtfne.suite2_net1_config(40)
        .runtime(seed=3, duration_ms=DURATION_MS)
        .probes(["spk", "lfp", "eeg", "meg", "eeg_proxy"])
    )
    return jtfne.construct(config).simulate(task)


def test_trials_stand_end_to_end(signals: jtfne.Signals) -> None:
    raw = interop.to_raw(signals, "eeg")
    parts = [interop.to_raw(signals, "eeg", trial=k) for k in range(N_TRIALS)]
    n_times = parts[0].n_times
    assert raw.n_times == N_TRIALS * n_times
    for k, part in enumerate(parts):
        np.testing.assert_array_equal(
            raw.get_data(start=k * n_times, stop=(k + 1) * n_times), part.get_data()
        )
        assert not any("boundary" in text for text in part.annotations.description)
    joints = [text == "BAD boundary" for text in raw.annotations.description]
    np.testing.assert_allclose(
        raw.annotations.onset[joints], 1e-3 * DURATION_MS * np.arange(1, N_TRIALS)
    )
    joined = mne.concatenate_raws([part.copy() for part in parts], verbose="error")
    assert sorted(joined.annotations.description) == sorted(raw.annotations.description)
    np.testing.assert_allclose(
        np.sort(joined.annotations.onset), np.sort(raw.annotations.onset), atol=1.1e-3
    )


@pytest.mark.parametrize("readout", ["eeg", "lfp", "eeg_proxy"])
def test_events_keep_condition_trial_and_code(
    readout: str, signals: jtfne.Signals, tmp_path: Path
) -> None:
    with pytest.warns(UserWarning, match=r"'left/bad' as 'left\|bad'"):
        path = interop.write_fif(signals, readout, tmp_path / f"{readout}_raw.fif")
    raw = mne.io.read_raw_fif(path, verbose="error")
    with pytest.warns(UserWarning, match="names of events"):
        event_id = interop.event_id(signals)
    assert set(event_id) == {"std/tone", "dev/tone", "dev/left|bad"}
    events, found_id = mne.events_from_annotations(raw, event_id, verbose="error")
    assert found_id == event_id
    with pytest.warns(UserWarning, match="names of events"):
        epochs = interop.to_epochs(signals, readout, window_ms=(-10.0, 20.0))
    np.testing.assert_array_equal(events, epochs.events)
    cut = mne.Epochs(raw, events, event_id, -0.010, 0.020, None, preload=True, picks="all")
    np.testing.assert_allclose(
        cut.get_data(copy=False), epochs.get_data(copy=False), rtol=1e-12, atol=0.0
    )
    facts = [extra for extra in raw.annotations.extras if extra]
    table = signals.events
    assert [fact["trial"] for fact in facts] == table["trial"].tolist()
    assert [fact["condition"] for fact in facts] == table["condition"].tolist()
    assert [fact["label"] for fact in facts] == table["label"].tolist()

    recording = interop.from_raw(path, readout)
    onsets_ms = table["onset_ms"] + DURATION_MS * table["trial"]
    np.testing.assert_allclose(recording.attrs["onset_ms"], onsets_ms)
    assert recording.attrs["labels"] == table["label"].tolist()


def test_fiducials_lie_where_the_head_meets_its_axes(signals: jtfne.Signals) -> None:
    on_axis_m = 1e-3 * np.sqrt(90.0**2 - 40.0**2)
    expected_m = {"nasion": [0, on_axis_m, 0], "lpa": [-on_axis_m, 0, 0], "rpa": [on_axis_m, 0, 0]}
    for readout in ("eeg", "meg", "lfp", "eeg_proxy"):
        montage = interop.to_raw(signals, readout, trial=0).get_montage()
        info = interop.to_raw(signals, readout, trial=0).info
        cardinal = [point["r"] for point in info["dig"] if point["kind"] == 1]
        np.testing.assert_allclose(
            sorted(map(tuple, cardinal)), sorted(map(tuple, expected_m.values())), atol=1e-7
        )
        if montage is not None:
            places_m = montage.get_positions()
            for name, place_m in expected_m.items():
                np.testing.assert_allclose(places_m[name], place_m, atol=1e-7)


def test_meg_has_a_head_that_mne_can_fit(signals: jtfne.Signals) -> None:
    raw = interop.to_raw(signals, "meg", trial=0)
    sphere = mne.make_sphere_model("auto", "auto", raw.info, verbose="error")
    np.testing.assert_allclose(sphere["r0"], [0.0, 0.0, 0.040], atol=1e-4)
    assert sphere.radius == pytest.approx(0.090, abs=1e-4)
    raw.info["bads"] = raw.ch_names[:1]
    raw.interpolate_bads(verbose="error")
    assert raw.info["bads"] == []


def test_a_run_without_events_has_no_event_id() -> None:
    silent = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=5.0)
    with pytest.raises(jtfne.JtfneError, match="a run without events"):
        interop.event_id(silent)
    assert len(interop.to_raw(silent, "eeg_proxy").annotations) == 0
