"""Volts and tesla in MNE: types, units, coils and places; and MNE's own forward solution gives the
same numbers.
"""

import json

import mne
import numpy as np
import pytest
from mne.io.constants import FIFF

import heads
import jtfne
import runs
from jtfne import interop

KINDS = {"eeg": "eeg", "lfp": "seeg", "csd": "csd", "dipole": "dipole"}
UNITS = {"eeg": FIFF.FIFF_UNIT_V, "seeg": FIFF.FIFF_UNIT_V, "mag": FIFF.FIFF_UNIT_T, "grad": FIFF.FIFF_UNIT_T_M,
         "csd": FIFF.FIFF_UNIT_V_M2, "dipole": FIFF.FIFF_UNIT_NONE}  # fmt: skip
SIGMA = 0.3


def rows(found):
    """Values as MNE has them: (channels, time), area before channel."""
    return found.transpose("time", ...).values.reshape(found.sizes["time"], -1).T.astype(np.float64)


def about(found):
    return json.loads(found.attrs["operator"])


def head_places_m(raw):
    """Where the channels stand in the head, helmets through dev_head_t."""
    places = np.array([channel["loc"][:3] for channel in raw.info["chs"]])
    if raw.info["chs"][0]["coord_frame"] == FIFF.FIFFV_COORD_DEVICE:
        return mne.transforms.apply_trans(raw.info["dev_head_t"], places)
    assert {channel["coord_frame"] for channel in raw.info["chs"]} == {FIFF.FIFFV_COORD_HEAD}
    return places


@pytest.mark.parametrize("name", [*KINDS, "meg"])
def test_physical_readouts_have_their_type_and_unit_and_values(name):
    signals = runs.named()
    raw, found = interop.to_raw(signals, name, trial=1), signals.get(name, trial=1)
    kinds = raw.get_channel_types()
    if name == "meg":
        assert kinds == [{"T": "mag", "T/m": "grad"}[unit] for unit in found["unit"].values]
        assert (kinds.count("mag"), kinds.count("grad")) == (102, 204)
    else:
        assert set(kinds) == {KINDS[name]}
    assert [channel["unit"] for channel in raw.info["chs"]] == [UNITS[kind] for kind in kinds]
    np.testing.assert_allclose(
        raw.get_data(), rows(found) / (SIGMA if name == "csd" else 1.0), rtol=1e-12
    )
    assert raw.get_data().any() and raw.annotations.description.tolist() == [
        "V4: on",
        "L4",
        "L4",
        "stimulus",
    ]
    if "area" in found.dims:
        assert (
            raw.ch_names[-1].startswith("V4")
            and len(raw.ch_names) == found.size // found.sizes["time"]
        )
    else:
        assert raw.ch_names == found["channel"].values.tolist()


@pytest.mark.parametrize("name", ["eeg", "meg"])
def test_sensors_stand_where_the_operator_had_them(name):
    signals = runs.named()
    raw, found = interop.to_raw(signals, name), signals.get(name)
    expected = np.stack([found[f"{axis}_mm"] for axis in "xyz"], axis=1) / 1e3
    np.testing.assert_allclose(head_places_m(raw), expected, atol=1e-6)
    if name == "eeg":
        positions = raw.get_montage().get_positions()
        assert positions["coord_frame"] == "head" and len(positions["ch_pos"]) == 64
        centre_m = 1e-3 * np.array(about(found)["centre_mm"])
        np.testing.assert_allclose(np.linalg.norm(expected - centre_m, axis=1), 0.09, rtol=1e-6)
    else:
        lift = raw.info["dev_head_t"]["trans"]
        np.testing.assert_allclose(lift, np.eye(4) + 0.04 * np.outer([0, 0, 1, 0], [0, 0, 0, 1]))
        coils = {channel["coil_type"] & 0xFFFF for channel in raw.info["chs"]}
        assert coils == {FIFF.FIFFV_COIL_VV_PLANAR_T1, FIFF.FIFFV_COIL_VV_MAG_T3}


@pytest.mark.parametrize("name", ["lfp", "csd", "dipole"])
def test_columns_stand_in_the_head_along_their_normals(name):
    signals = runs.named()
    raw, found = interop.to_raw(signals, name), signals.get(name)
    depths_mm = found["z_mm"].values if "channel" in found.dims else np.array([0.75])
    areas = {area.name: area for area in runs.config().circuit.areas}
    expected = [
        np.array(areas[area].position_mm) - depths_mm[:, None] * np.array(areas[area].normal)
        for area in found["area"].values
    ]
    np.testing.assert_allclose(1e3 * head_places_m(raw), np.concatenate(expected), atol=1e-3)


def test_columns_without_a_place_stand_side_by_side():
    cfg = (
        jtfne.suite2_four_celltype_config(0).areas(["Q7"]).runtime(duration_ms=5.0).probes(["lfp"])
    )
    signals = jtfne.construct(cfg).simulate(progress=False)
    places_m = head_places_m(interop.to_raw(signals, "lfp"))
    np.testing.assert_allclose(-1e3 * places_m[:, 2], signals.get("lfp")["z_mm"], atol=1e-4)


def mne_forward(raw, sphere, found):
    """MNE's own lead field of the areas' dipoles, along their normals: (n_channels, n_areas)."""
    where = about(found)
    source = mne.setup_volume_source_space(
        pos={"rr": 1e-3 * np.array(where["dipoles_mm"]), "nn": np.array(where["normals"])},
        verbose="error",
    )
    of = mne.make_forward_solution(
        raw.info, trans=None, src=source, bem=sphere, meg=found.name == "meg", eeg=found.name == "eeg", mindist=0.0,
        verbose="error",
    )  # fmt: skip
    return np.einsum(
        "cak,ak->ca",
        of["sol"]["data"].reshape(len(raw.ch_names), -1, 3),
        np.array(where["normals"]),
    )


@pytest.mark.parametrize(("name", "bound"), [("eeg", 5e-3), ("meg", 1e-6)])
def test_mne_gives_the_same_from_what_was_exported(name, bound):
    """From the info, the sphere and the moments alone; EEG within MNE's approximation."""
    signals = runs.named()
    raw, found = interop.to_raw(signals, name, trial=0), signals.get(name)
    moments = signals.get("dipole", trial=0).values.T.astype(np.float64)
    theirs, ours = (
        mne_forward(raw, interop.to_sphere(signals, name), found) @ moments,
        raw.get_data(),
    )
    if name == "eeg":
        theirs, ours = theirs - theirs.mean(0), ours - ours.mean(0)
    for kind in set(raw.get_channel_types()):
        mine = np.array(raw.get_channel_types()) == kind
        gap = np.linalg.norm(ours[mine] - theirs[mine]) / np.linalg.norm(theirs[mine])
        assert gap < bound + 1e-6, kind  # runs are float32


def test_the_sphere_is_that_of_the_readout():
    declared = {
        "kind": "eeg",
        "head": {"centre_mm": [0.0, 1.0, 45.0], "radii_mm": [80.0, 82.0, 86.0, 92.0]},
    }
    cfg = jtfne.suite2_net1_config(20).runtime(duration_ms=5.0).probes([declared, "meg"])
    signals = jtfne.construct(cfg).simulate(progress=False)
    sphere = interop.to_sphere(signals)
    np.testing.assert_allclose(sphere["r0"], [0.0, 0.001, 0.045])
    np.testing.assert_allclose(
        [layer["rad"] for layer in sphere["layers"]], [0.08, 0.082, 0.086, 0.092]
    )
    np.testing.assert_allclose(
        [layer["sigma"] for layer in sphere["layers"]], [0.3, 1.5, 0.015, 0.3]
    )
    bare = interop.to_sphere(signals, "meg")
    np.testing.assert_allclose(bare["r0"], [0.0, 0.0, 0.04])
    assert not bare["layers"]


def test_other_helmets_bring_their_own_coils():
    cfg = (
        jtfne.suite2_net1_config(20)
        .runtime(duration_ms=5.0)
        .probes([{"kind": "meg", "helmet": "ctf151"}])
    )
    signals = jtfne.construct(cfg).simulate(progress=False)
    raw, found = interop.to_raw(signals, "meg"), signals.get("meg")
    assert {channel["coil_type"] & 0xFFFF for channel in raw.info["chs"]} == {
        FIFF.FIFFV_COIL_CTF_GRAD
    }
    assert set(raw.get_channel_types()) == {"mag"} and raw.info["dev_head_t"]["trans"][2, 3] == 0.05
    expected = np.stack([found[f"{axis}_mm"] for axis in "xyz"], axis=1) / 1e3
    np.testing.assert_allclose(head_places_m(raw), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["eeg", "meg"])
def test_a_forward_brings_its_own_sensors(name, tmp_path):
    area = jtfne.config.Area(name="V1")
    dipole_mm = np.array([area.position_mm]) - 0.75 * np.array([area.normal])
    path = tmp_path / "head-fwd.fif"
    info = heads.eeg_info() if name == "eeg" else heads.meg_info()
    mne.write_forward_solution(path, heads.forward(info, dipole_mm), verbose="error")
    probe = {"kind": name, "head": {"kind": "Forward", "path": str(path)}}
    cfg = jtfne.suite2_four_celltype_config(0).runtime(duration_ms=20.0).probes([probe])
    signals = jtfne.construct(cfg).simulate(progress=False)
    raw, found = interop.to_raw(signals, name), signals.get(name)
    np.testing.assert_array_equal(raw.get_data(), rows(found))
    assert raw.ch_names == info["ch_names"] and raw.get_channel_types() == info.get_channel_types()
    expected = np.stack([found[f"{axis}_mm"] for axis in "xyz"], axis=1) / 1e3
    np.testing.assert_allclose(head_places_m(raw), expected, atol=1e-6)
    if name == "meg":
        assert [c["coil_type"] for c in raw.info["chs"]] == [c["coil_type"] for c in info["chs"]]
        np.testing.assert_allclose(
            [c["loc"] for c in raw.info["chs"]], [c["loc"] for c in info["chs"]], atol=1e-6
        )
        path.write_bytes(b"another")
        with pytest.raises(
            jtfne.JtfneError, match="which is gone or not what the run was made with"
        ):
            interop.to_raw(signals, name)
    with pytest.raises(jtfne.JtfneError, match=r"by the forward.* a head of Spheres"):
        interop.to_sphere(signals, name)


@pytest.mark.parametrize("name", [*KINDS, "meg"])
def test_fif_and_epochs_keep_it_all(name, tmp_path):
    signals = runs.named()
    raw = interop.to_raw(signals, name, trial=1)
    path = interop.write_fif(signals, name, tmp_path / f"{name}_raw.fif", trial=1)
    read = mne.io.read_raw_fif(path, preload=True, verbose="error")
    np.testing.assert_array_equal(read.get_data(), raw.get_data())
    assert read.get_channel_types() == raw.get_channel_types() and read.ch_names == raw.ch_names
    np.testing.assert_allclose(
        [c["loc"][:3] for c in read.info["chs"]], [c["loc"][:3] for c in raw.info["chs"]], atol=1e-6
    )
    back = interop.from_raw(read, name)
    assert (
        back.attrs["units"]
        == {"eeg": "V", "lfp": "V", "csd": "V/m^2", "dipole": "A m", "meg": "mixed"}[name]
    )
    if name == "meg":
        np.testing.assert_array_equal(back["unit"], signals.get("meg")["unit"])
    epochs = interop.to_epochs(signals, name, label="L4", window_ms=(-20.0, 30.0))
    assert len(epochs) == 4 and epochs.get_channel_types() == raw.get_channel_types()
    np.testing.assert_allclose(epochs.get_data(copy=False)[2], raw.get_data()[:, 20:71], rtol=1e-12)
    (evoked,) = interop.to_evoked(signals, name, label="L4", window_ms=(-20.0, 30.0)).values()
    np.testing.assert_allclose(
        evoked.data, epochs.get_data(copy=False).mean(0), rtol=1e-9, atol=0.0
    )


def test_what_has_its_unit_takes_no_scale_and_what_has_no_head_no_sphere():
    signals = runs.named()
    for name in (*KINDS, "meg"):
        with pytest.raises(jtfne.JtfneError, match=f"scale=2.0 for '{name}'"):
            interop.to_raw(signals, name, scale=2.0)
    with pytest.raises(jtfne.JtfneError, match=r"unknown readout 'lfp'; expected 'eeg', 'meg'"):
        interop.to_sphere(signals, "lfp")
    with pytest.raises(jtfne.JtfneError, match="'eeg' was not recorded"):
        interop.to_sphere(runs.silent())


@pytest.mark.parametrize("name", ["rws", "erws"])
def test_weighted_sums_stay_misc(name):
    raw = interop.to_raw(runs.named(), name)
    assert set(raw.get_channel_types()) == {"misc"} and raw.ch_names == ["V1", "V4"]
