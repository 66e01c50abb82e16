"""Files from strangers: nothing in them runs, is followed out of their folder, or is believed."""

import base64
import gzip
import json
import os
import pickle
import shutil
import struct
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import jtfne
import runs
from contract_delivery import NET
from jtfne import _json, _stored, cli, interop, partial_run, reports, run_folder
from jtfne._files import path_inside
from jtfne.analysis import load_recording
from jtfne.chunk_files import ChunkFiles
from jtfne.trainer import open_parts


class Marker:
    """A pickle that makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers")
    jtfne.Signals(runs.silent().tree, dict(runs.silent().manifest)).save(folder / "run")
    NET.save(folder / "net")
    interop.to_netcdf(runs.silent(), folder / "signals.nc")
    return folder


@pytest.fixture
def run(originals, tmp_path):
    return Path(shutil.copytree(originals / "run", tmp_path / "run"))


@pytest.fixture
def net(originals, tmp_path):
    return Path(shutil.copytree(originals / "net", tmp_path / "net"))


def reseal_run(folder):
    """Make all hashes of a run folder fit what is in it now."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest = {name: value for name, value in manifest.items() if name != "sha256"}
    for entry in manifest["files"]:
        entry["sha256"] = run_folder.file_hash(folder / entry["path"])
    (folder / "manifest.json").write_bytes(run_folder.manifest_text(manifest))


def refused_everywhere(folder, message):
    """Every loader and command that takes a run folder refuses it with this message."""
    with pytest.raises(jtfne.JtfneError, match=message):
        jtfne.load(folder)
    for command in (
        ["show", str(folder)],
        ["export", str(folder), "--to", "netcdf", "-o", str(folder / "x")],
    ):
        with pytest.raises(jtfne.JtfneError, match=message):
            cli.app(command, standalone_mode=False)
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.from_zarr(folder / "signals.zarr")


# Codecs and types


@pytest.mark.parametrize("place", ["compressor", "filter", "consolidated only", "second file"])
def test_a_codec_that_executes_is_refused_before_it_decodes(run, tmp_path, place):
    """A chunk that is a pickle with a side effect, under numcodecs' pickle codec, with hashes that
    fit.
    """
    marker, codec = tmp_path / "marker", {"id": "pickle", "protocol": 5}
    array = run / "signals.zarr" / "neurons" / "x_mm"
    chunk = next(path for path in array.iterdir() if path.name[0].isdigit())
    chunk.write_bytes(pickle.dumps(Marker(marker)))
    store = run / "signals.zarr" / ".zmetadata"
    about = json.loads((array / ".zarray").read_text())
    about["compressor"], about["filters"] = (None, [codec]) if place == "filter" else (codec, None)
    whole = json.loads(store.read_text())
    whole["metadata"]["neurons/x_mm/.zarray"] = about
    if place != "second file":
        store.write_text(json.dumps(whole))
    if place != "consolidated only":
        (array / ".zarray").write_text(json.dumps(about))
    reseal_run(run)
    refused_everywhere(run, "codec 'pickle'; expected codecs that make bytes")
    assert not marker.exists()


@pytest.mark.parametrize("codec", ["json2", "msgpack2", "vlen-bytes", "categorize", "pickle"])
def test_objects_are_refused_but_text(tmp_path, codec):
    store = tmp_path / "store"
    zarr.open_group(store, mode="w", zarr_format=2).create_array("a", shape=(1,), dtype="f8")
    about = json.loads((store / "a" / ".zarray").read_text())
    (store / "a" / ".zarray").write_text(
        json.dumps({**about, "dtype": "|O", "filters": [{"id": codec}]})
    )
    with pytest.raises(jtfne.JtfneError, match="an array of object with filters"):
        _stored.check_zarr(store)


@pytest.mark.parametrize(
    ("shape", "chunks"), [([10**12], [10]), ([10], [10**12]), ([-1], [1]), ([1, 1], [1])]
)
def test_sizes_are_looked_at_before_memory_is_taken(tmp_path, shape, chunks):
    store = tmp_path / "store"
    zarr.open_group(store, mode="w", zarr_format=2).create_array("a", shape=(10,), dtype="f8")
    about = json.loads((store / "a" / ".zarray").read_text())
    (store / "a" / ".zarray").write_text(json.dumps({**about, "shape": shape, "chunks": chunks}))
    with pytest.raises(jtfne.JtfneError, match=r"GiB of memory that are free|sizes of at least 0"):
        _stored.check_zarr(store)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", shape=(10**12,), dtype="f8", chunks=(10**4,))
    with pytest.raises(jtfne.JtfneError, match="GiB of memory that are free"):
        _stored.check_hdf5(tmp_path / "a.h5")


def test_zarr_format_3_and_links_out_of_a_store_are_refused(tmp_path):
    zarr.open_group(tmp_path / "v3", mode="w", zarr_format=3).create_array(
        "a", shape=(1,), dtype="f8"
    )
    with pytest.raises(jtfne.JtfneError, match="of Zarr format 3"):
        _stored.check_zarr(tmp_path / "v3")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "0.0").symlink_to("/etc/passwd")
    with pytest.raises(jtfne.JtfneError, match="a link that leads out of its folder"):
        _stored.check_zarr(tmp_path / "store")


def npy(path, values):
    np.save(path, values, allow_pickle=True)


@pytest.mark.parametrize("kind", ["objects", "record", "too long", "cut short", "no header"])
def test_npy_and_npz_hold_numbers_and_all_of_them(tmp_path, kind):
    path, marker = tmp_path / "a.npy", tmp_path / "marker"
    np.save(path, np.arange(4.0))
    data = path.read_bytes()
    if kind == "objects":
        npy(path, np.array([Marker(marker)], object))
    elif kind == "record":
        np.save(path, np.zeros(2, [("a", "f8")]))
    elif kind == "too long":
        path.write_bytes(
            data.replace(b"(4,)", b"(9" + b"9" * 12 + b",)").replace(b" " * 12, b"", 1)
        )
    else:
        path.write_bytes(data[:-8] if kind == "cut short" else b"\x93NUMPY\x01\x00" + b"\xff\xff")
    with pytest.raises(jtfne.JtfneError):
        _stored.map_npy(path)
    shutil.move(path, tmp_path / "leaf.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.write(tmp_path / "leaf.npy", "leaf.npy")
    with pytest.raises(jtfne.JtfneError):
        _stored.read_npz(tmp_path / "a.npz")
    assert not marker.exists()


def test_hdf5_that_leads_elsewhere_is_refused(tmp_path, originals):
    recipes = {
        "another file": lambda file: file.__setitem__("a", h5py.ExternalLink("/etc/passwd", "/a")),
        "in another file": lambda file: file.create_dataset(
            "a", (4,), "u1", external=[("/etc/passwd", 0, 4)]
        ),
        "type object": lambda file: file.create_dataset("a", (1,), h5py.ref_dtype),
        "dtype": lambda file: file.create_dataset("a", (1,), h5py.vlen_dtype(np.float64)),
    }
    layout = h5py.VirtualLayout((4,), "u1")
    layout[:] = h5py.VirtualSource("/etc/hosts", "a", (4,))
    recipes["lie in another file"] = lambda file: file.create_virtual_dataset("a", layout)
    for k, (message, make) in enumerate(recipes.items()):
        path = tmp_path / f"{k}.nc"
        with h5py.File(path, "w") as file:
            make(file)
        for read in (interop.from_netcdf, load_recording, jtfne.config.FromTable.read):
            named = path.with_suffix(".h5") if read == jtfne.config.FromTable.read else path
            shutil.copy(path, named) if named != path else None
            with pytest.raises(
                jtfne.JtfneError, match=message if message != "dtype" else "numbers or text"
            ):
                read(named)
    assert interop.from_netcdf(originals / "signals.nc").recorded() == runs.silent().recorded()


def test_parquet_extension_types_are_refused_before_arrow_reads_the_schema(tmp_path):
    extension = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(Marker(tmp_path / "m")),
    }
    field = pa.field("a", pa.int64(), metadata=extension)
    table = pa.table({"a": [1]}, schema=pa.schema([field]))
    parquet.write_table(table, tmp_path / "a.parquet")
    assert b"ARROW:extension:name" in base64.b64decode(
        parquet.read_metadata(tmp_path / "a.parquet").metadata[b"ARROW:schema"]
    )
    for read in (interop.from_parquet, load_recording, jtfne.config.FromTable.read):
        with pytest.raises(jtfne.JtfneError, match="extension type"):
            read(tmp_path / "a.parquet")
    parquet.write_table(pa.table({"a": [[1, 2]]}), tmp_path / "lists.parquet")
    with pytest.raises(jtfne.JtfneError, match="columns of numbers and text"):
        interop.from_parquet(tmp_path / "lists.parquet")
    assert not (tmp_path / "m").exists()


# FIF


@pytest.fixture(scope="module")
def fif_files(tmp_path_factory):
    """A recording of each kind in FIF, as MNE writes it; the first is split over files."""
    import mne

    folder = tmp_path_factory.mktemp("fif")
    info = mne.create_info(["a", "b"], 1000.0, "eeg")
    noise = np.random.default_rng(2).standard_normal((6, 2, 400)) * 1e-6
    epochs = mne.EpochsArray(noise, info, verbose="error")
    long = mne.io.RawArray(
        np.zeros((20, 36_000)), mne.create_info(20, 1000.0, "eeg"), verbose="error"
    )
    long.save(folder / "split_raw.fif", split_size="2MB", verbose="error")
    raw = mne.io.RawArray(noise[0], info, verbose="error")
    for suffix in (".fif", ".fif.gz"):
        raw.save(folder / f"one_raw{suffix}", verbose="error")
        epochs.save(folder / f"some-epo{suffix}", verbose="error")
        epochs.average().save(folder / f"mean-ave{suffix}", verbose="error")
    return folder


def test_fif_files_of_mne_are_read_as_before(fif_files):
    paths = [path for path in sorted(fif_files.iterdir()) if "split_raw-" not in path.name]
    assert len(paths) == 7 and (fif_files / "split_raw-1.fif").exists()  # split over several
    sizes = {path.name: interop.from_raw(path, picks="eeg").size for path in paths}
    assert sizes.pop("split_raw.fif") == 20 * 36_000
    for name, size in sizes.items():
        assert size == (6 if "epo" in name else 1) * 800


def list_fif_tags(data):
    """Place, kind, size of the tags of a FIF file, one after the other."""
    tags, place = [], 0
    while place < len(data):
        kind, _, size, _ = struct.unpack_from(">iIii", data, place)
        tags.append((place, kind, size))
        place += 16 + size
    return tags


@pytest.mark.parametrize("suffix", [".fif", ".fif.gz"])
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (8, 2**31 - 1, "declares 2147483647 bytes"),
        (8, -5, "declares -5 bytes"),
        (12, 36, "goes on at 36"),
        (12, -2, "goes on at -2"),
    ],
)
def test_tags_of_fif_stay_within_the_file_and_lead_on(
    fif_files, tmp_path, suffix, field, value, message
):
    data = bytearray((fif_files / "one_raw.fif").read_bytes())
    for place, kind, _ in list_fif_tags(data)[2:]:
        changed = bytearray(data)
        struct.pack_into(">i", changed, place + field, value)
        path = tmp_path / f"a_raw{suffix}"
        path.write_bytes(gzip.compress(changed, 1) if suffix.endswith("gz") else changed)
        with pytest.raises(jtfne.JtfneError, match=f"tag {kind} at byte {place} {message}"):
            interop.from_raw(path)


def test_a_directory_a_matrix_and_a_gap_in_fif_are_not_believed(fif_files, tmp_path, monkeypatch):
    path = tmp_path / "a_raw.fif"
    data = (fif_files / "one_raw.fif").read_bytes()
    for entry, message in (
        ((200, 3, 2**31 - 1, 0), "lists 2147483647"),
        ((200, 3, 4, -9), "at -9"),
    ):
        changed = bytearray(data + struct.pack(">iIii", 102, 32, 16, -1))
        changed += struct.pack(">iIii", *entry)
        struct.pack_into(">i", changed, 36 + 16, len(data))
        path.write_bytes(changed)
        with pytest.raises(jtfne.JtfneError, match=message):
            interop.from_raw(path)
    last = list_fif_tags(data)[-1][0]
    matrix = struct.pack(">iIii", 3000, 0x40000004, 12, 0) + struct.pack(">iii", 2**30, 9, 2)
    path.write_bytes(data[:last] + matrix + data[last:])
    with pytest.raises(jtfne.JtfneError, match="a matrix of shape"):
        interop.from_raw(path)
    start, _, size = next(tag for tag in list_fif_tags(data) if tag[1] == 300)
    stop = start + 16 + size
    gap = struct.pack(">iIiii", 301, 3, 4, 0, 2**21)  # as many buffers are left out
    path.write_bytes(data[:stop] + gap + data[start:stop] + data[stop:])
    monkeypatch.setattr(_stored, "available_bytes", lambda: 2**20)
    with pytest.raises(jtfne.JtfneError, match="a recording, which declares"):
        interop.from_raw(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("split_raw.fif", "goes on in itself"),
        ("../../x_raw.fif", "a name inside"),
        ("a" * 300, "300"),
    ],
)
def test_a_split_fif_goes_on_in_another_file_of_its_folder(fif_files, tmp_path, name, message):
    data = (fif_files / "split_raw.fif").read_bytes()
    place, _, size = next(tag for tag in list_fif_tags(data) if tag[1] == 118)
    tag = struct.pack(">iIii", 118, 10, len(name), 0) + name.encode()
    (tmp_path / "split_raw.fif").write_bytes(data[:place] + tag + data[place + 16 + size :])
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.from_raw(tmp_path / "split_raw.fif")


def test_a_packed_fif_takes_no_more_than_there_is(fif_files, tmp_path, monkeypatch):
    monkeypatch.setattr(_stored, "available_bytes", lambda: 100)
    with pytest.raises(jtfne.JtfneError, match="of memory that are free"):
        interop.from_raw(fif_files / "one_raw.fif.gz")
    (tmp_path / "a_raw.fif.gz").write_bytes((fif_files / "one_raw.fif.gz").read_bytes()[:-40])
    monkeypatch.undo()
    with pytest.raises(jtfne.JtfneError, match=r"a_raw\.fif\.gz, which cannot be read"):
        interop.from_raw(tmp_path / "a_raw.fif.gz")


def test_an_unknown_kind_of_channel_in_fif_is_refused(fif_files, tmp_path):
    data = bytearray((fif_files / "one_raw.fif").read_bytes())
    place = next(place for place, kind, _ in list_fif_tags(data) if kind == 203)
    struct.pack_into(">i", data, place + 16 + 8, 5000)
    (tmp_path / "a_raw.fif").write_bytes(data)
    with pytest.raises(jtfne.JtfneError, match="Unknown channel type"):
        interop.from_raw(tmp_path / "a_raw.fif")


# Paths and links


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/../../b", "", "out/a", None, "a\0b"])
def test_names_in_a_folder_stay_inside(tmp_path, name):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "out").symlink_to(tmp_path)
    with pytest.raises(jtfne.JtfneError, match="a name inside"):
        path_inside(tmp_path / "run", name, "test")


def test_a_manifest_that_lists_other_files_and_a_folder_of_links_are_refused(run, net):
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["sha256"]
    manifest["files"].append({"path": "../../etc/passwd", "sha256": "0" * 64, "bytes": 1})
    (run / "manifest.json").write_bytes(run_folder.manifest_text(manifest))
    with pytest.raises(jtfne.JtfneError, match="a name inside"):
        jtfne.load(run)
    target = net / "projection_0000_target.npy"
    shutil.move(target, net.parent / "outside.npy")
    target.symlink_to(net.parent / "outside.npy")
    with pytest.raises(jtfne.JtfneError, match="a name inside"):
        jtfne.Net.open(net)


@pytest.mark.parametrize(
    "name", ["index.json.tmp", ".lock", "part_00000000.json", "state_00000000.npz", "sweep.nc.tmp"]
)
def test_a_sweep_writes_through_no_link(tmp_path, name):
    mine, out = tmp_path / "mine", tmp_path / "out"
    mine.write_text("mine")
    out.mkdir()
    (out / name).symlink_to(mine)
    with pytest.raises(jtfne.JtfneError, match=r"which is a link|holds other files"):
        jtfne.sweep(NET, {"gains.A->B": [1.0]}, out=out)
    with pytest.raises(jtfne.JtfneError), open_parts(out, {}, resume=True, where="test"):
        pass
    assert mine.read_text() == "mine" and [path.name for path in out.iterdir()] == [name]


@pytest.mark.parametrize(
    "name",
    [".lock", "partial", "partial/rows.zarr", "partial/index.json", "partial/index.json.tmp"],
)
def test_a_run_writes_through_no_link(tmp_path, name):
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    (out / "partial").mkdir(parents=True)
    if name == "partial":
        (out / "partial").rmdir()
    (out / name).symlink_to(outside)
    with pytest.raises(jtfne.JtfneError, match="which is a link"):
        NET.simulate(duration_ms=20.0, out=out)
    assert not list(outside.iterdir())


def test_export_and_compare_take_no_link_out_of_the_folder(run, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    for command, words in (("export", ["--to", "netcdf"]), ("compare", ["barrel"])):
        (run / command).symlink_to(outside)
        with pytest.raises(jtfne.JtfneError, match="a name inside"):
            cli.app([command, str(run), *words], standalone_mode=False)
    assert not list(outside.iterdir())


@pytest.mark.parametrize("where", ["carry", "state"])
def test_an_index_names_no_file_to_remove(tmp_path, where):
    """What is replaced is removed by the name that the index gives: it must be one of ours."""
    mine = tmp_path / "mine.npz"
    np.savez(mine, a=np.zeros(1))
    entry = {"path": "../../mine.npz", "sha256": run_folder.file_hash(mine)}
    out = tmp_path / "deep" / "out"
    if where == "carry":
        (out / "partial").mkdir(parents=True)
        chunk = ChunkFiles(out / "partial", {}).write(0, {}, {"neuron": np.zeros(1, np.int32)}, {})
        index = {
            "version": "2",
            "run": {},
            "chunk_steps": 1,
            "arrays": {},
            "chunks": [chunk],
            "carry": entry,
        }
        (out / "partial" / "index.json").write_text(_json.dumps(_json.seal(index)))
        with (
            pytest.raises(jtfne.JtfneError, match="altered"),
            partial_run.open_partial_run(out, {}, 1),
        ):
            pass
    else:
        out.mkdir(parents=True)
        index = {"version": "1", "about": {}, "notes": {}, "parts": [], "state": entry}
        (out / "index.json").write_text(_json.dumps(_json.seal(index)))
        with (
            pytest.raises(jtfne.JtfneError, match="altered"),
            open_parts(out, {}, resume=True, where="test"),
        ):
            pass
    assert mine.exists()


# Numbers of a net folder and of spikes


def reseal_net(folder, **index):
    """Make all hashes of a net folder fit what is in it now."""
    old = json.loads((folder / "net.json").read_text())
    old = {name: value for name, value in old.items() if name != "sha256"} | index
    old["files"] = {name: run_folder.file_hash(folder / name) for name in old["files"]}
    (folder / "net.json").write_text(_json.dumps(_json.seal(old)))


def first(value):
    """Put `value` at the first place of an array."""

    def change(array):
        array = array.copy()
        array.ravel()[0] = value
        return array

    return change


HARMS = {
    "negative target": ("projection_0000_target", first(-5), "targets from -5"),
    "target out of range": ("projection_0000_target", first(10**6), "targets from"),
    "targets of int64": ("projection_0000_target", lambda array: array.astype(np.int64), "int32 and shape"),
    "targets out of order": ("projection_0000_target", lambda array: array[::-1].copy(), "targets out of order"),
    "fewer targets": ("projection_0000_target", lambda array: array[:-1], "indptr that does not count the edges"),
    "delay of -50 ms": ("projection_0000_delay_ms", first(-50.0), "delays of -50"),
    "delay of NaN": ("projection_0000_delay_ms", first(np.nan), "NaN or infinite"),
    "delay of 3e8 steps": ("projection_0000_delay_ms", first(1e30), "delays of"),
    "delay of 0": ("projection_0000_delay_ms", first(0.0), "at least one step"),
    "fewer delays": ("projection_0000_delay_ms", lambda array: np.repeat(array[:1], 3), "float32 and shape"),
    "weight of the wrong sign": ("projection_0000_weight", lambda array: -array, "weights of"),
    "weights of both signs": ("projection_0000_weight", lambda array: np.tile(array[:1], 2), "float32 and shape"),
    "infinite weight": ("projection_0000_weight", first(np.inf), "NaN or infinite"),
    "weight beyond any declared": ("projection_0000_weight", first(3e38), r"at most 1e\+30"),
    "weights in two dimensions": ("projection_0000_weight", lambda array: array[None], "float32 and shape"),
    "indptr that falls": ("projection_0000_indptr", lambda array: array[::-1].copy(), "indptr that does not count"),
    "indptr too short": ("projection_0000_indptr", lambda array: array[:-1], "int64 and shape"),
    "indptr from 1": ("projection_0000_indptr", first(1), "indptr that does not count"),
    "indptr of floats": ("projection_0000_indptr", lambda array: array.astype(np.float64), "int64 and shape"),
    "code out of range": ("cells_cell_type", first(99), "cell_type of cells from"),
    "place of NaN": ("cells_position_mm", first(np.nan), "NaN or infinite"),
    "id given twice": ("cells_ids", first(1), "given twice"),
    "negative id": ("cells_ids", first(-1), "negative"),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_a_net_folder_is_not_believed(net, harm):
    file, change, message = HARMS[harm]
    path = net / f"{file}.npy"
    np.save(path, change(np.load(path)))
    reseal_net(net)
    with pytest.raises(jtfne.JtfneError, match=message):
        jtfne.Net.open(net)


ONE_WAY = {
    "source": {"layer": "L2/3"},
    "target": {"layer": "L4"},
    "mechanism": "AMPA",
    "weight": 1.0,
}
RULES = {
    "FixedProbability": {"p": 0.5},
    "FixedIndegree": {"n": 2},
    "FixedOutdegree": {"n": 2},
    "FixedTotal": {"n": 9},
    "OneToOne": {},
    "AllToAll": {},
    "DistanceDecay": {"p0": 0.9, "length_mm": 10.0},
    "FromTable": {"source": [0, 1, 2], "target": [6, 7, 11]},
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("end", ["source", "target"])
def test_edges_of_cells_that_a_connection_does_not_select_are_refused(tmp_path, rule, end):
    config = (
        jtfne.Config()
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells({"L2/3": {"E": 6}, "L4": {"E": 6}})
    )
    edge = {**ONE_WAY, "rule": {"kind": rule, **RULES[rule]}}
    folder = tmp_path / "net"
    jtfne.construct(config.connections([edge])).save(folder)
    assert jtfne.Net.open(folder).n_edges > 0
    path = folder / f"projection_0000_{'target' if end == 'target' else 'indptr'}.npy"
    array = np.load(path)
    if end == "target":
        array[0] = 3  # a cell of L2/3, before all others of its row
    else:
        last_source = int(np.flatnonzero(np.diff(array))[-1])
        array[last_source + 1 : 8] = array[last_source]  # its edges start at cell 7, of L4
    np.save(path, array)
    reseal_net(folder)
    stray_id = 3 if end == "target" else 7
    with pytest.raises(jtfne.JtfneError, match=f"cell of id {stray_id}; expected.*`{end}`"):
        jtfne.Net.open(folder)


@pytest.mark.parametrize(
    "index",
    [{"n_neurons": 5}, {"names": {"areas": ["V1"]}}, {"projections": [{"connection": 99, "mechanism": "AMPA"}]},
     {"projections": [{"connection": 0, "mechanism": "none"}]}, {"projections": ["a"]}, {"n_neurons": "5"}],
)  # fmt: skip
def test_an_index_of_a_net_is_not_believed(net, index):
    reseal_net(net, **index)
    with pytest.raises(jtfne.JtfneError):
        jtfne.Net.open(net)


def test_every_byte_of_an_index_is_checked(net):
    path = net / "net.json"
    for version in ("0.0.9", "9.9.9"):
        path.write_text(
            path.read_text().replace(f'"jtfne": "{jtfne.__version__}"', f'"jtfne": "{version}"')
        )
    with pytest.raises(jtfne.JtfneError, match=r"net\.json"):
        jtfne.Net.open(net)


@settings(max_examples=30)
@given(data=st.data())
def test_any_flipped_bit_of_an_array_of_a_net_opens_to_something_sound(
    data, originals, tmp_path_factory
):
    """Whatever one bit makes of an array, with hashes that fit: refused, or within all bounds."""
    folder = Path(shutil.copytree(originals / "net", tmp_path_factory.mktemp("flip") / "net"))
    path = folder / data.draw(st.sampled_from(sorted(each.name for each in folder.glob("*.npy"))))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    reseal_net(folder)
    try:
        opened_net = jtfne.Net.open(folder)
    except jtfne.JtfneError:
        return
    for each in opened_net.projections:
        assert (
            not each.n_edges or 0 <= each.target.min() <= each.target.max() < opened_net.n_neurons
        )
        assert (
            np.isfinite(each.weight).all()
            and (each.delay_ms > 0).all()
            and each.indptr[-1] == each.n_edges
        )


STRAYS = {"neuron": (99999, -1), "trial": (7, -1), "time_ms": (1e9, -4.0, float("inf"))}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in STRAYS for value in STRAYS[name]]
)
def test_spikes_of_what_a_run_does_not_have_are_refused(name, value):
    columns = {
        "neuron": np.arange(3),
        "trial": np.array([0, 1, 1]),
        "time_ms": np.array([0.1, 2.0, 5.0]),
    }
    attrs = {"n_neurons": 3, "n_trials": 2, "dt_ms": 0.1, "duration_ms": 5.0}

    def check():
        spikes = {
            "time" if key == "time_ms" else key: ("event", column)
            for key, column in columns.items()
        }
        reports.check_tree(xr.DataTree.from_dict({"spk": xr.Dataset(spikes, attrs=attrs)}))

    check()
    columns[name][-1] = value
    with pytest.raises(jtfne.JtfneError, match=r"spikes? (of|at)"):
        check()


# Pipes, whose reading never ends


def pipe_in_place_of(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


def test_a_pipe_is_not_read(run, net, tmp_path):
    for name in ("spk.nc", "spk.parquet", "edges.h5", "edges.csv", "a_raw.fif"):
        pipe_in_place_of(tmp_path / name)
    pipe_in_place_of(run / "signals.zarr" / "neurons" / "x_mm" / ".zarray")
    pipe_in_place_of(net / "cells_ids.npy")
    for read in (
        lambda: interop.from_netcdf(tmp_path / "spk.nc"),
        lambda: interop.from_parquet(tmp_path / "spk.parquet"),
        lambda: load_recording(tmp_path / "spk.parquet"),
        lambda: load_recording(tmp_path / "spk.nc"),
        lambda: load_recording(tmp_path / "a_raw.fif"),
        lambda: jtfne.config.FromTable.read(tmp_path / "edges.h5"),
        lambda: jtfne.config.FromTable.read(tmp_path / "edges.csv"),
        lambda: jtfne.config.FromTable.read(tmp_path / "spk.parquet"),
        lambda: jtfne.Config.from_file(pipe_in_place_of(tmp_path / "a.toml")),
        lambda: interop.from_zarr(run / "signals.zarr"),
        lambda: jtfne.load(run),
        lambda: jtfne.Net.open(net),
        lambda: _stored.read_npz(pipe_in_place_of(tmp_path / "a.npz")),
        lambda: _stored.map_npy(pipe_in_place_of(tmp_path / "a.npy")),
    ):
        with pytest.raises(jtfne.JtfneError):
            read()


# Content of Parquet and netCDF files that others wrote


@pytest.mark.parametrize(
    ("metadata", "columns", "message"),
    [
        ({}, {"time_ms": ["a", "b"]}, "time_ms"),
        ({}, {"time_ms": [1.0, np.nan]}, "time_ms"),
        ({}, {"neuron": [0.5, 1.0]}, "neuron"),
        ({}, {"neuron": [-1, 1]}, "neuron"),
        ({}, {"neuron": [None, 1]}, "neuron"),
        ({}, {"trial": ["a", "b"]}, "trial"),
        ({"n_neurons": "1"}, {}, "whole numbers, 0 to 0"),
        ({"n_neurons": "many"}, {}, "n_neurons"),
        ({"n_trials": "-1"}, {}, "n_trials"),
        ({"dt_ms": "nan"}, {}, "dt_ms"),
    ],
)
def test_a_table_of_spikes_is_not_believed(tmp_path, metadata, columns, message):
    table = pa.table({"trial": [0, 0], "time_ms": [1.0, 2.0], "neuron": [0, 1], **columns})
    parquet.write_table(table.replace_schema_metadata(metadata), tmp_path / "spk.parquet")
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.from_parquet(tmp_path / "spk.parquet")


@pytest.mark.parametrize(
    ("columns", "metadata", "message"),
    [
        ({"value": ["a", "b", "c", "d"]}, {}, "'value' has no numbers"),
        ({"value": [True, False, True, False]}, {}, "'value' has no numbers"),
        ({"z_mm": ["a"] * 4}, {}, "'z_mm' has no numbers"),
        ({"z_mm": [0.1, 0.2, 0.1, 0.3]}, {}, "several depths of one channel"),
        ({"z_mm": [np.nan] * 4}, {}, "not finite"),
        ({}, {"onset_ms": "nan"}, "onset_ms"),
        ({}, {"units": " "}, "units"),
    ],
)
def test_a_table_of_samples_is_not_believed(tmp_path, columns, metadata, message):
    samples = {
        "time": [1.0, 1.0, 2.0, 2.0],
        "channel": ["a", "b", "a", "b"],
        "value": [1.0, 2.0, 3.0, 4.0],
    }
    table = pa.table({**samples, **columns}).replace_schema_metadata({"units": "V", **metadata})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(jtfne.JtfneError, match=message):
        load_recording(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.assign_attrs(proxy="yes"), "proxy"),
        (lambda x: x.assign_attrs(onset_ms="soon"), "onset_ms"),
        (lambda x: x.assign_attrs(onset_ms=[1.0, float("nan")]), "onset_ms"),
        (lambda x: x.assign_attrs(units=5), "units"),
        (lambda x: x.astype(str), "dtype"),
        (lambda x: x.assign_coords(channel=["a", "a"]), "two channels of the name 'a'"),
        (lambda x: x.isel(channel=[]), "without channels"),
        (lambda x: x.assign_coords(z_mm=("channel", ["a", "b"])), "z_mm"),
    ],
)
def test_a_recording_in_netcdf_is_not_believed(tmp_path, change, message):
    coords = {"time": [1.0, 2.0, 3.0], "channel": ["a", "b"]}
    array = xr.DataArray(np.ones((3, 2)), coords, ("time", "channel"), "lfp", {"units": "V"})
    change(array).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(jtfne.JtfneError, match=message):
        load_recording(tmp_path / "a.nc")


@pytest.mark.parametrize("readout", ["", " ", "time", "z_mm", "a\0"])
def test_a_readout_has_a_name_of_its_own(readout):
    with pytest.raises(jtfne.JtfneError, match="readout"):
        load_recording("barrel", readout=readout)


# Code

OWN = """
import pathlib
pathlib.Path({marker!r}).mkdir()
"""


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A config that names a class of a module whose import leaves a mark."""
    (tmp_path / "stranger_cells.py").write_text(OWN.format(marker=str(tmp_path / "marker")))
    monkeypatch.syspath_prepend(tmp_path)
    config = json.loads(jtfne.suite2_single_neuron_config("PV").to_json())
    config["circuit"]["emitters"] = {"PV": {"kind": "stranger_cells:Cell"}}
    yield config
    sys.modules.pop("stranger_cells", None)


def test_a_module_is_imported_only_when_the_caller_says_so(stranger, tmp_path, run, net):
    path, marker, text = tmp_path / "a.json", tmp_path / "marker", json.dumps(stranger)
    out = str(tmp_path / "out")
    path.write_text(text)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest |= {"config": stranger, "config_sha256": _json.sha256(stranger)}
    del manifest["sha256"]
    (run / "manifest.json").write_bytes(run_folder.manifest_text(manifest))
    reseal_net(net, config=stranger)
    told = (
        r"allow_code=True \(--allow-code\), which runs module 'stranger_cells' to take its class "
        r"'Cell'"
    )
    for refused in (
        lambda: jtfne.Config.from_json(text),
        lambda: jtfne.Config.from_file(path),
        lambda: jtfne.Config(**stranger),
        lambda: jtfne.Net.open(net),
        lambda: cli.app(["validate", str(path)], standalone_mode=False),
        lambda: cli.app(["run", str(path), "-o", out], standalone_mode=False),
        lambda: cli.app(["train", str(path), "-o", out], standalone_mode=False),
        lambda: cli.app(
            ["run", "--from", str(run / "manifest.json"), "-o", str(tmp_path / "out")],
            standalone_mode=False,
        ),
    ):
        with pytest.raises(jtfne.JtfneError, match=told):
            refused()
    jtfne.load(run)
    for command in (
        ["show", str(run)],
        ["export", str(run), "--to", "netcdf", "-o", str(tmp_path / "x")],
    ):
        cli.app(command, standalone_mode=False)
    assert not marker.exists() and not (tmp_path / "out").exists()
    for allowed in (
        lambda: jtfne.Config.from_file(path, allow_code=True),
        lambda: jtfne.load(run, allow_code=True),
        lambda: jtfne.Net.open(net, allow_code=True),
        lambda: cli.app(["validate", str(path), "--allow-code"], standalone_mode=False),
    ):
        with pytest.raises(
            jtfne.JtfneError, match="module 'stranger_cells' has no dataclass 'Cell'"
        ):
            allowed()
        assert marker.exists(), "its code ran"
        marker.rmdir()
        sys.modules.pop("stranger_cells")


@pytest.mark.parametrize(
    "kind", ["../evil:Cell", "os.path:", ".evil:Cell", "no_such_module_anywhere:Cell", "a b:Cell"]
)
def test_what_is_no_module_is_refused_though_code_may_run(kind):
    config = json.loads(jtfne.suite2_single_neuron_config("PV").to_json())
    config["circuit"]["emitters"] = {"PV": {"kind": kind}}
    with pytest.raises(jtfne.JtfneError, match="kind="):
        jtfne.Config.from_json(json.dumps(config), allow_code=True)


# A circuit that runs, trains and sweeps in a moment.
SMALL = (
    jtfne.Config()
    .runtime(duration_ms=5.0, dt_ms=0.5)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 3, "PV": 1})
    .connections(
        [{"source": "E", "target": "PV", "mechanism": "AMPA", "weight": 1.0, "rule": "AllToAll"}]
    )
    .probes(["spk"])
    .stimuli(jtfne.Paradigm.constant_dc(target="E", amplitude=1.0).stimuli)
    .objective([{"measure": "MeanRate", "target": 5.0}])
    .trainables([{"path": "cells.E.drive", "bounds": (0.0, 5.0)}])
)
SEARCH = jtfne.optimizers.RandomSearch(n=4)
OUTSIDE = {"kind": "stranger_cells:Cell"}
# Where a config may name a class from outside the catalogues.
PLACES = {
    "cell model": ("circuit", "emitters", "E"),
    "synapse": ("circuit", "mechanisms", "AMPA"),
    "stimulus": ("task", "stimuli", 0, "drive"),
    "measure": ("training", "objective", "metrics", 0, "measure"),
    "readout": ("readouts", "probes", 0),
    "wiring": ("circuit", "connections", 0, "rule"),
}


def put(table, path, value):
    """Put `value` into nested tables and lists, at a path of keys and places."""
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A finished run, an interrupted one, a training, a sweep and a net, all of SMALL."""
    folder = tmp_path_factory.mktemp("folders")
    SMALL.to_file(folder / "config.json")
    net = jtfne.construct(SMALL)
    net.save(folder / "net")
    cli.app(["run", str(folder / "config.json"), "-o", str(folder / "run")], standalone_mode=False)
    jtfne.Trainer(optimizer=SEARCH, budget=4).fit(net, folder / "training", progress=False)
    jtfne.sweep(net, {"cells.E.drive": [1.0]}, out=folder / "sweep", progress=False)
    with (
        pytest.MonkeyPatch.context() as patched,
        pytest.raises(KeyboardInterrupt),
    ):
        patched.setattr(partial_run, "write_run", interrupt)
        net.simulate(jtfne.Paradigm(**dict(SMALL.task)), out=folder / "partial")
    assert (folder / "partial" / "partial" / "index.json").exists()
    return folder


def interrupt(*args, **kwargs):
    """What Ctrl-C does."""
    raise KeyboardInterrupt


@pytest.fixture
def strange_folders(folders, tmp_path, monkeypatch):
    """A function that copies the folders, with a class from outside at one place of each config.

    Hashes fit. The import of its module makes the folder `marker`.
    """
    (tmp_path / "stranger_cells.py").write_text(OWN.format(marker=str(tmp_path / "marker")))
    monkeypatch.syspath_prepend(tmp_path)

    def copy(place):
        target = Path(shutil.copytree(folders, tmp_path / "folders"))
        config = json.loads(SMALL.to_json())
        put(config, PLACES[place], OUTSIDE)
        (target / "config.json").write_text(json.dumps(config))
        reseal_net(target / "net", config=config)
        manifest = json.loads((target / "run" / "manifest.json").read_text())
        stimuli = config["task"]["stimuli"]
        manifest |= {"config": config, "config_sha256": _json.sha256(config), "paradigm": stimuli}
        (target / "run" / "config.json").write_text(json.dumps(config))
        del manifest["sha256"]
        (target / "run" / "manifest.json").write_bytes(run_folder.manifest_text(manifest))
        for name, key in (("training", "optimizer"), ("sweep", "of")):
            change_index(target / name / "index.json", "about", key, value=OUTSIDE)
        change_index(target / "partial" / "partial" / "index.json", "run", "config", value=config)
        return target

    yield copy
    sys.modules.pop("stranger_cells", None)


def change_index(path, *keys, value):
    """Put a value into an index, whose hash fits again."""
    index = json.loads(path.read_text())
    del index["sha256"]
    put(index, keys, value)
    path.write_text(_json.dumps(_json.seal(index)))


def command(*words):
    """Run a command of jtfne, as far as it goes."""
    cli.app([str(word) for word in words], standalone_mode=False)


# What opens a config or a folder, given a copy of `folders`.
OPENERS = {
    "Config.from_file": lambda folder: jtfne.Config.from_file(folder / "config.json"),
    "Config.from_json": lambda folder: jtfne.Config.from_json((folder / "config.json").read_text()),
    "Config": lambda folder: jtfne.Config(**json.loads((folder / "config.json").read_text())),
    "Net.open": lambda folder: jtfne.Net.open(folder / "net"),
    "load": lambda folder: jtfne.load(folder / "run").summary(),
    "validate": lambda folder: command("validate", folder / "config.json"),
    "run": lambda folder: command("run", folder / "config.json", "-o", folder / "new"),
    "run --resume": lambda folder: command(
        "run", folder / "config.json", "-o", folder / "partial", "--resume"
    ),
    "run --resume, finished": lambda folder: command(
        "run", folder / "config.json", "-o", folder / "run", "--resume"
    ),
    "run --from": lambda folder: command(
        "run", "--from", folder / "run" / "manifest.json", "-o", folder / "new"
    ),
    "train": lambda folder: command("train", folder / "config.json", "-o", folder / "new"),
    "train --resume": lambda folder: command(
        "train", folder / "config.json", "-o", folder / "training", "--resume"
    ),
    "train --optimizer": lambda folder: command(
        "train", folders_config(folder), "-o", folder / "new", "--optimizer", OUTSIDE["kind"]
    ),
    "Trainer.fit, resumed": lambda folder: jtfne.Trainer(optimizer=SEARCH, budget=4).fit(
        jtfne.construct(SMALL), folder / "training", resume=True, progress=False
    ),
    "sweep, resumed": lambda folder: jtfne.sweep(
        jtfne.construct(SMALL), {"cells.E.drive": [1.0]}, out=folder / "sweep", progress=False
    ),
    "simulate, resumed": lambda folder: jtfne.construct(SMALL).simulate(out=folder / "partial"),
    "show": lambda folder: command("show", folder / "run"),
    "export": lambda folder: command("export", folder / "run", "--to", "netcdf"),
    "compare": lambda folder: command("compare", folder / "run", "barrel"),
}
READ_AS_DATA = ("load", "show", "export")  # these open a run folder without building its config


def folders_config(folder):
    """A config that names nothing from outside."""
    SMALL.to_file(folder / "plain.json")
    return folder / "plain.json"


@pytest.mark.parametrize("place", PLACES)
def test_no_command_and_no_loader_imports_what_a_file_names(strange_folders, tmp_path, place):
    folder, marker = strange_folders(place), tmp_path / "marker"
    for name, open_it in OPENERS.items():
        if name in READ_AS_DATA:
            open_it(folder)
        else:
            with pytest.raises(jtfne.JtfneError):
                open_it(folder)
        assert not marker.exists() and "stranger_cells" not in sys.modules, name
    assert not (folder / "new").exists()


@pytest.mark.parametrize("place", sorted(PLACES.keys() - {"wiring"}))  # whose catalogue is closed
def test_what_a_file_names_is_imported_where_the_caller_says_so(strange_folders, tmp_path, place):
    folder, marker = strange_folders(place), tmp_path / "marker"
    for open_it in (
        lambda: jtfne.Config.from_file(folder / "config.json", allow_code=True),
        lambda: jtfne.Net.open(folder / "net", allow_code=True),
        lambda: command("validate", folder / "config.json", "--allow-code"),
        lambda: command("run", folder / "config.json", "-o", folder / "new", "--allow-code"),
        lambda: command("train", folder / "config.json", "-o", folder / "new", "--allow-code"),
        lambda: command(
            "run", "--from", folder / "run" / "manifest.json", "-o", folder / "new", "--allow-code"
        ),
        lambda: command("show", folder / "run", "--allow-code"),
    ):
        with pytest.raises(jtfne.JtfneError, match="'stranger_cells"):
            open_it()
        marker.rmdir()  # its code ran
        sys.modules.pop("stranger_cells")
