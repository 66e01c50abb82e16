"""Epochs by condition and label: what MNE would cut out of the Raw of each trial, and the same
after a FIF file.
"""

import mne
import numpy as np
import pandas as pd
import pytest

import jtfne
import runs
from jtfne import interop
from jtfne.paradigm import Timing

P = jtfne.Paradigm
TONE = P.pulse(target="E", start_ms=0.0, duration_ms=10.0, amplitude=5.0)
TASK = P.omission(
    {"tone": TONE, "cue": TONE},
    ["cue", "tone"],
    timing=Timing(soa_ms=40.0, start_ms=30.0, jitter_ms=4.0),
    omit="tone",
    n_trials=5,
    n_omitted=2,
)
WINDOW_ms = (-20.0, 30.0)


@pytest.fixture(scope="module")
def signals():
    cfg = (
        jtfne.suite2_net1_config(40)
        .runtime(duration_ms=120.0)
        .probes(["spk", "eeg_proxy", "lfp_proxy", "meg_proxy"])
    )
    return jtfne.construct(cfg).simulate(TASK)


@pytest.mark.parametrize(("name", "scale"), [("eeg_proxy", None), ("lfp_proxy", None), ("eeg_proxy", 1e-9),
                                             ("meg_proxy", 1e-15)])  # fmt: skip
def test_epochs_are_those_that_mne_cuts_from_each_raw(signals, name, scale):
    epochs = interop.to_epochs(signals, name, window_ms=WINDOW_ms, scale=scale)
    k = 0
    for trial in range(5):
        raw = interop.to_raw(signals, name, trial=trial, scale=scale)
        events, ids = mne.events_from_annotations(raw, verbose="error")
        cut = mne.Epochs(
            raw, events, ids, -0.02, 0.03, baseline=None, preload=True, picks="all", verbose="error"
        )
        n = len(cut)
        np.testing.assert_array_equal(
            epochs.get_data(copy=False)[k : k + n], cut.get_data(copy=False)
        )
        np.testing.assert_allclose(epochs.times, cut.times, atol=1e-12)
        k += n
    assert k == len(epochs) == 10
    assert epochs.get_channel_types() == raw.get_channel_types() and epochs.ch_names == raw.ch_names
    assert (epochs.get_channel_types(unique=True) == ["misc"]) == (scale is None), (
        "a proxy is never volts"
    )


def test_names_are_conditions_and_labels_and_metadata_is_the_table(signals):
    epochs = interop.to_epochs(signals, "eeg_proxy", window_ms=WINDOW_ms)
    counts = {name: len(epochs[name]) for name in epochs.event_id}
    assert counts == {
        "complete/cue": 3,
        "complete/tone": 3,
        "omission/cue": 2,
        "omission/tone omitted": 2,
    }
    assert len(epochs["omission"]) == 4 and len(epochs["cue"]) == 5
    codes = {name: code % 10 for name, code in epochs.event_id.items()}
    assert codes == {
        "complete/cue": 2,
        "complete/tone": 1,
        "omission/cue": 2,
        "omission/tone omitted": 3,
    }
    assert len(set(epochs.event_id.values())) == 4
    assert epochs.metadata.equals(signals.events)
    only = interop.to_epochs(
        signals, "eeg_proxy", label=("tone", "tone omitted"), window_ms=WINDOW_ms
    )
    assert set(only.metadata["label"]) == {"tone", "tone omitted"} and len(only) == 5


def test_baseline_is_subtracted_from_proxies_too_and_evoked_are_means(signals):
    given = {"window_ms": WINDOW_ms, "baseline_ms": (-20.0, -1.0)}
    epochs = interop.to_epochs(signals, "eeg_proxy", **given)
    plain = interop.to_epochs(signals, "eeg_proxy", window_ms=WINDOW_ms).get_data(copy=False)
    want = plain - plain[..., :20].mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(epochs.get_data(copy=False), want, atol=1e-9 * np.abs(plain).max())
    evoked = interop.to_evoked(signals, "eeg_proxy", **given)
    assert {name: each.nave for name, each in evoked.items()} == {
        name: len(epochs[name]) for name in epochs.event_id
    }
    for name, each in evoked.items():
        np.testing.assert_allclose(
            each.data, epochs[name].get_data(copy=False).mean(axis=0), rtol=1e-12, atol=1e-9
        )


# MNE's own, as it reads metadata
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
def test_a_fif_file_gives_epochs_and_annotations_back(signals, tmp_path):
    epochs = interop.to_epochs(signals, "eeg_proxy", window_ms=WINDOW_ms)
    epochs.save(tmp_path / "task-epo.fif", fmt="double", verbose="error")
    back = mne.read_epochs(tmp_path / "task-epo.fif", verbose="error")
    np.testing.assert_array_equal(back.get_data(copy=False), epochs.get_data(copy=False))
    assert back.event_id == epochs.event_id
    of_json = {
        "check_dtype": False,
        "check_index_type": False,
        "check_column_type": False,
        "atol": 1e-10,
        "rtol": 0,
    }
    # MNE writes 10 decimals
    pd.testing.assert_frame_equal(back.metadata, epochs.metadata, **of_json)
    interop.write_fif(signals, "eeg_proxy", tmp_path / "task_raw.fif", trial=1)
    raw = mne.io.read_raw_fif(tmp_path / "task_raw.fif", verbose="error")
    table = signals.events.query("trial == 1")
    names = [f"{row.condition}/{row.label}" for row in table.itertuples()]
    assert raw.annotations.description.tolist() == names
    np.testing.assert_allclose(raw.annotations.onset * 1e3, table["onset_ms"], atol=1e-3)


def test_a_saved_run_gives_the_same_epochs(signals, tmp_path):
    loaded = jtfne.load(signals.save(tmp_path / "run"))
    one, two = (
        interop.to_epochs(each, "eeg_proxy", window_ms=WINDOW_ms) for each in (signals, loaded)
    )
    np.testing.assert_array_equal(one.get_data(copy=False), two.get_data(copy=False))
    assert one.event_id == two.event_id and one.metadata.equals(two.metadata)


def test_a_paradigm_without_conditions_has_its_labels():
    epochs = interop.to_epochs(runs.named(), "lfp_proxy", label="L4", window_ms=(-20.0, 20.0))
    assert set(epochs.event_id) == {"L4"} and len(epochs) == 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"label": "tone omited"}, "unknown label 'tone omited'.*nearest: 'tone omitted'"),
        (
            {"window_ms": (-60.0, 20.0)},
            "around 'cue' at.* of trial 0, and.* more; expected",
        ),
        ({"window_ms": (20.0, 20.0)}, "a start before the end"),
        ({"baseline_ms": (-40.0, 0.0)}, r"baseline_ms=\(-40.0, 0.0\).*within -20 to 30 ms"),
        ({"scale": 0.0}, "scale=0.0"),
    ],
)
def test_what_is_refused(signals, given, message):
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.to_epochs(signals, "eeg_proxy", **{"window_ms": WINDOW_ms, **given})


def test_runs_without_events_or_with_two_at_once_are_refused():
    with pytest.raises(jtfne.JtfneError, match="a run without events"):
        interop.to_epochs(runs.silent(), "vm")
    with pytest.raises(jtfne.JtfneError, match=r"at 40 ms of one trial.*choose by label="):
        interop.to_epochs(runs.named(), "lfp_proxy", window_ms=(-20.0, 20.0))
