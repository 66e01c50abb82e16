"""Fields as MNE objects: types, units, places, events; and back without loss."""

import mne
import numpy as np
import pytest
import xarray as xr
from mne.io.constants import FIFF

import jtfne
import runs
from jtfne import interop

SFREQ_Hz = dict.fromkeys(runs.FIELDS, 1000.0) | {"vm": 2000.0}
SCALED = {
    "eeg_proxy": ("eeg", FIFF.FIFF_UNIT_V),
    "meg_proxy": ("mag", FIFF.FIFF_UNIT_T),
    "lfp_proxy": ("seeg", FIFF.FIFF_UNIT_V),
    "csd_proxy": ("csd", FIFF.FIFF_UNIT_V_M2),
}


def rows(found):
    """Values as MNE has them: (channels, time), area before channel."""
    return found.transpose("time", ...).values.reshape(found.sizes["time"], -1).T.astype(np.float64)


def names(found):
    if "area" in found.dims:
        return [
            f"{area}:{channel}"
            for area in found["area"].values
            for channel in found["channel"].values
        ]
    if "neuron" in found.dims:
        return [f"n{each}" for each in found["neuron"].values]
    return found["channel"].values.tolist() if "channel" in found.dims else [found.name]


def places_m(found):
    """Head positions that the readout's coordinates stand for, or None."""
    if "x_mm" in found.coords:
        return np.stack([found[f"{axis}_mm"] for axis in "xyz"], axis=1) / 1e3
    if "channel" in found.dims:
        depth = np.tile(found["z_mm"].values, found.sizes["area"])
        shank = np.repeat(np.arange(found.sizes["area"]), found.sizes["channel"])
        return np.stack([shank * 10.0, np.zeros(depth.size), -depth], axis=1) / 1e3
    return None


def assert_placed(raw, found):
    """Each channel's loc is the readout's coordinates, helmets through dev_head_t."""
    expected = places_m(found)
    loc = np.array([channel["loc"] for channel in raw.info["chs"]])
    if expected is None:
        assert not np.nan_to_num(loc[:, :3]).any()
        return
    frames = {channel["coord_frame"] for channel in raw.info["chs"]}
    if raw.get_channel_types(unique=True) == ["mag"]:
        helmet = mne.channels.read_meg_canonical_info("neuromag")
        at = [helmet["ch_names"].index(name) for name in raw.ch_names]
        np.testing.assert_allclose(loc, [helmet["chs"][k]["loc"] for k in at], atol=1e-6)
        assert frames == {FIFF.FIFFV_COORD_DEVICE}
        loc = mne.transforms.apply_trans(raw.info["dev_head_t"], loc[:, :3])
    else:
        assert frames == {
            FIFF.FIFFV_COORD_HEAD if raw.filenames[0] is None else FIFF.FIFFV_COORD_UNKNOWN
        }
    np.testing.assert_allclose(loc[:, :3], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("trial", [0, 1])
@pytest.mark.parametrize("name", runs.FIELDS)
def test_an_uncalibrated_readout_is_misc(name, trial):
    signals = runs.named()
    raw, found = interop.to_raw(signals, name, trial=trial), signals.get(name, trial=trial)
    assert raw.get_channel_types() == ["misc"] * len(raw.ch_names)
    assert {channel["unit"] for channel in raw.info["chs"]} == {FIFF.FIFF_UNIT_NONE}
    assert raw.ch_names == names(found) and raw.info["sfreq"] == SFREQ_Hz[name]
    assert raw.times[0] == 0.0 and raw.first_samp == 0
    np.testing.assert_allclose(raw.times * 1e3, found["time"] - found["time"][0], atol=1e-9)
    np.testing.assert_array_equal(raw.get_data(), rows(found))
    assert_placed(raw, found)
    assert (
        signals.manifest["config_sha256"] in raw.info["description"]
        and name in raw.info["description"]
    )


@pytest.mark.parametrize("trial", [0, 1])
@pytest.mark.parametrize("name", SCALED)
def test_a_scale_makes_it_physical(name, trial):
    signals, (kind, unit) = runs.named(), SCALED[name]
    raw, found = (
        interop.to_raw(signals, name, trial=trial, scale=2e-9),
        signals.get(name, trial=trial),
    )
    assert raw.get_channel_types() == [kind] * len(raw.ch_names) and raw.ch_names == names(found)
    assert {channel["unit"] for channel in raw.info["chs"]} == {unit}
    np.testing.assert_allclose(raw.get_data(), rows(found) * 2e-9, rtol=1e-15)
    assert_placed(raw, found)
    if kind in ("eeg", "seeg"):
        positions = raw.get_montage().get_positions()
        assert positions["coord_frame"] == "head"
        np.testing.assert_allclose(
            np.array(list(positions["ch_pos"].values())), places_m(found), atol=1e-6
        )
    if kind != "csd":
        assert raw.compute_psd(fmax=100.0, n_fft=100, verbose="error").shape[0] == len(raw.ch_names)


def test_the_helmet_stands_on_the_head():
    raw = interop.to_raw(runs.named(), "meg_proxy", scale=1e-15)
    lift = raw.info["dev_head_t"]["trans"]
    np.testing.assert_allclose(lift, np.eye(4) + 0.04 * np.outer([0, 0, 1, 0], [0, 0, 0, 1]))
    assert {channel["coil_type"] for channel in raw.info["chs"]} <= {
        FIFF.FIFFV_COIL_VV_MAG_T1, FIFF.FIFFV_COIL_VV_MAG_T2, FIFF.FIFFV_COIL_VV_MAG_T3
    }  # fmt: skip


@pytest.mark.parametrize("trial", [0, 1])
def test_stimuli_are_annotations(trial):
    signals = runs.named()
    raw = interop.to_raw(signals, "eeg_proxy", trial=trial)
    table = signals.events.query("trial == @trial")
    assert len(raw.annotations) == 4
    np.testing.assert_allclose(raw.annotations.onset, table["onset_ms"] / 1e3)
    np.testing.assert_allclose(raw.annotations.duration, table["duration_ms"] / 1e3)
    assert raw.annotations.description.tolist() == ["V4: on", "L4", "L4", "stimulus"]
    events, ids = mne.events_from_annotations(raw, verbose="error")
    assert events[:, 0].tolist() == [40, 40, 100, 150] and set(ids) == {"V4: on", "L4", "stimulus"}


def test_an_event_in_the_part_of_a_sample_is_cut_to_what_is_there():
    signals = runs.named()
    short = signals.tree.copy(deep=True)
    short["emm_proxy"] = xr.DataTree(
        signals.tree["emm_proxy"].to_dataset().isel(time=slice(0, 120))
    )
    raw = interop.to_raw(jtfne.Signals(short), "emm_proxy", trial=0)
    assert raw.annotations.onset.tolist() == [0.04, 0.04, 0.1]
    short["emm_proxy"] = xr.DataTree(
        signals.tree["emm_proxy"].to_dataset().isel(time=slice(0, 102))
    )
    raw = interop.to_raw(jtfne.Signals(short), "emm_proxy", trial=0)
    np.testing.assert_allclose(raw.annotations.duration, [0.0025, 0.005, 0.002])


@pytest.mark.parametrize("name", runs.FIELDS)
def test_fif_keeps_every_bit(name, tmp_path):
    signals = runs.named()
    raw = interop.to_raw(signals, name, trial=1)
    path = interop.write_fif(signals, name, tmp_path / f"{name}_raw.fif", trial=1)
    read = mne.io.read_raw_fif(path, preload=True, verbose="error")
    np.testing.assert_array_equal(read.get_data(), raw.get_data())
    assert read.ch_names == raw.ch_names and read.info["sfreq"] == raw.info["sfreq"]
    assert read.get_channel_types() == raw.get_channel_types()
    assert read.info["description"] == raw.info["description"]
    assert read.annotations.description.tolist() == raw.annotations.description.tolist()
    np.testing.assert_allclose(read.annotations.onset, raw.annotations.onset, atol=1e-6)
    np.testing.assert_allclose(read.annotations.duration, raw.annotations.duration, atol=1e-6)
    assert_placed(read, signals.get(name, trial=1))
    with pytest.raises(jtfne.JtfneError, match="which exists"):
        interop.write_fif(signals, name, path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("scale", [None, 1e-6])
@pytest.mark.parametrize("name", runs.FIELDS)
def test_from_raw_gives_back_what_to_raw_took(name, scale, tmp_path):
    if scale is not None and name not in SCALED:
        name, scale = "eeg_proxy", 1.0
    signals = runs.named()
    found, raw = signals.get(name, trial=1), interop.to_raw(signals, name, trial=1, scale=scale)
    units = {"eeg": "V", "mag": "T", "seeg": "V", "csd": "V/m^2", "misc": "a.u."}[
        raw.get_channel_types()[0]
    ]
    path = tmp_path / "back_raw.fif"
    raw.save(path, fmt="double", verbose="error")
    for each in (raw, mne.io.read_raw_fif(path, verbose="error")):
        back = interop.from_raw(each, name)
        assert (
            back.dims == ("time", "channel") and back.name == name and back.attrs["units"] == units
        )
        np.testing.assert_array_equal(back["time"], found["time"])
        assert back["channel"].values.tolist() == names(found)
        np.testing.assert_allclose(
            back.values, rows(found).T * (1.0 if scale is None else scale), rtol=1e-15
        )
        expected = places_m(found)
        unit = "mm" if name in ("eeg_proxy", "meg_proxy") else "head_mm"
        assert (f"x_{unit}" in back.coords) == (expected is not None)
        if expected is not None:
            at = np.stack([back[f"{axis}_{unit}"] for axis in "xyz"], axis=1)
            np.testing.assert_allclose(at, expected * 1e3, atol=1e-3)
        if name in ("lfp_proxy", "csd_proxy"):  # depth below the pia is not height in the head
            depths_mm = np.tile(found["z_mm"], found.sizes["area"])
            np.testing.assert_allclose(back["z_mm"], depths_mm, atol=1e-9)
        assert back.values.flags.writeable


def test_from_raw_knows_units_of_recordings():
    def units(kinds):
        info = mne.create_info([f"c{k}" for k in range(len(kinds))], 100.0, kinds, verbose="error")
        return interop.from_raw(
            mne.io.RawArray(np.ones((len(kinds), 5)), info, verbose="error")
        ).attrs["units"]

    assert [units([kind]) for kind in ("eeg", "ecog", "dbs", "grad", "mag", "misc")] == [
        "V", "V", "V", "T/m", "T", "a.u."
    ]  # fmt: skip
    assert units(["eeg", "mag"]) == "V", "one type at a time, that of the readout's name"


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("vm", {"scale": 1e-3}, "scale=0.001 for 'vm'"),
        ("source", {"scale": 1.0}, "for 'source'"),
        ("emm_proxy", {"scale": 1.0}, "for 'emm_proxy'"),
        ("eeg_proxy", {"scale": 0.0}, "scale=0.0.*finite number"),
        ("eeg_proxy", {"scale": float("nan")}, "scale=nan"),
        ("eeg_proxy", {"scale": "1e-6"}, "scale='1e-6'.*finite number"),
        ("eeg_proxy", {"trial": 2}, "trial=2"),
        ("spectrolaminar_proxy", {}, "over area, channel, frequency.*a readout over time"),
        ("spk", {}, "over event.*a readout over time"),
        ("eog", {}, "unknown readout 'eog'"),
    ],
)
def test_what_is_no_recording_is_refused(name, asked, message):
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.to_raw(runs.named(), name, **asked)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1.0, 2.0, 4.0], "steps of 1 to 2 ms"),
        ([3.0, 2.0, 1.0], "steps of -1"),
        ([1.0, np.nan, 3.0], "steps of nan"),
    ],
)
def test_uneven_time_is_refused(times, message):
    tree = runs.named().tree.copy(deep=True)
    short = tree["emm_proxy"].to_dataset().isel(time=slice(0, 3)).assign_coords(time=times)
    tree["emm_proxy"] = xr.DataTree(short)
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.to_raw(jtfne.Signals(tree), "emm_proxy")
    tree["emm_proxy"] = xr.DataTree(short.isel(time=[0]))
    with pytest.raises(jtfne.JtfneError, match="1 samples"):
        interop.to_raw(jtfne.Signals(tree), "emm_proxy")


def test_more_than_a_fif_file_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(interop.mne_raw, "FIF_BYTES", 1000)
    with pytest.raises(jtfne.JtfneError, match="GB in one FIF file"):
        interop.write_fif(runs.named(), "eeg_proxy", tmp_path / "x_raw.fif")
    assert not list(tmp_path.iterdir())


def test_potentials_of_a_net_without_identity_are_exported(tmp_path):
    raw = interop.to_raw(runs.nameless(), "vm")
    np.testing.assert_array_equal(raw.get_data(), runs.nameless().get("vm").values.T)
    assert (
        raw.ch_names[:2] == ["n0", "n1"]
        and len(raw.annotations) == 0
        and raw.info["sfreq"] == 10000.0
    )
    path = interop.write_fif(runs.nameless(), "vm", tmp_path / "vm_raw.fif")
    np.testing.assert_array_equal(
        mne.io.read_raw_fif(path, verbose="error").get_data(), raw.get_data()
    )


def test_fif_keeps_what_float32_could_not(tmp_path):
    raw = interop.to_raw(runs.named(), "eeg_proxy", scale=1e-6 / 3)
    assert (raw.get_data() != raw.get_data().astype(np.float32)).any()
    path = interop.write_fif(runs.named(), "eeg_proxy", tmp_path / "eeg_raw.fif", scale=1e-6 / 3)
    np.testing.assert_array_equal(
        mne.io.read_raw_fif(path, verbose="error").get_data(), raw.get_data()
    )
