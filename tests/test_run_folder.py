"""A run folder is whole or not there, and what was altered is not read."""

import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import jtfne
import runs
from jtfne import run_folder


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A run folder of each run."""
    parent = tmp_path_factory.mktemp("originals")
    for make in (runs.named, runs.silent):
        jtfne.Signals(make().tree, dict(make().manifest)).save(parent / make.__name__)
    return parent


@pytest.fixture
def saved(originals, tmp_path):
    """The run folder of the named run, to damage."""
    return Path(shutil.copytree(originals / "named", tmp_path / "run"))


@pytest.fixture
def small(originals, tmp_path):
    """The run folder of the silent run, to damage."""
    return Path(shutil.copytree(originals / "silent", tmp_path / "run"))


def first_chunk(folder):
    """A chunk of the array in `folder`."""
    return next(path for path in sorted(folder.iterdir()) if path.name[0].isdigit())


@pytest.mark.parametrize("make", [runs.named, runs.nameless, runs.silent])
def test_what_is_saved_is_what_is_loaded(make, tmp_path):
    signals = jtfne.Signals(make().tree, dict(make().manifest))
    before = signals.manifest
    assert signals.save(tmp_path / "deep" / "run") == tmp_path / "deep" / "run"
    loaded = jtfne.load(str(tmp_path / "deep" / "run"))
    assert loaded.tree.attrs == signals.tree.attrs and set(loaded.tree.children) == set(
        signals.tree.children
    )
    for name, node in signals.tree.children.items():
        found = loaded.tree[name].to_dataset()
        xr.testing.assert_identical(found, node.to_dataset())
        for variable in node.variables:
            assert found[variable].dtype.kind == node[variable].dtype.kind, (name, variable)
            assert found[variable].attrs == node[variable].attrs
            assert variable in found.indexes or found[variable].values.flags.writeable
    assert loaded.manifest == signals.manifest and loaded.manifest == {
        **before,
        "files": loaded.manifest["files"],
    }
    assert sorted(path.name for path in (tmp_path / "deep" / "run").iterdir()) == [
        "manifest.json", "signals.zarr", "spikes.parquet"
    ]  # fmt: skip
    assert [each["path"] for each in loaded.manifest["files"]] == ["signals.zarr", "spikes.parquet"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"], (
        "no temporary name is left"
    )
    again = loaded.save(tmp_path / "again")
    assert jtfne.load(again).manifest["files"] == loaded.manifest["files"], "the same bytes twice"


def test_the_store_is_open_to_every_reader_and_leaves_spikes_to_parquet(saved):
    folder = saved
    with xr.open_datatree(folder / "signals.zarr", engine="zarr") as tree:
        xr.testing.assert_equal(tree["vm"]["vm"], runs.named().tree["vm"]["vm"])
        assert not tree["spk"].data_vars and tree["spk"].attrs == runs.named().tree["spk"].attrs


def test_an_empty_folder_is_taken_and_any_other_refused(tmp_path):
    signals = jtfne.Signals(runs.silent().tree, dict(runs.silent().manifest))
    (tmp_path / "run").mkdir()
    signals.save(tmp_path / "run")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "file").write_text("mine")
    for used in ("run", "file"):
        with pytest.raises(jtfne.JtfneError, match=f"{used}', which exists; expected"):
            signals.save(tmp_path / used)
    with pytest.raises(jtfne.JtfneError, match="which lies below a file"):
        signals.save(tmp_path / "file" / "run")
    assert {path: path.read_bytes() for path in before} == before
    assert {path.name for path in tmp_path.iterdir()} == {"run", "file"}


def test_a_relative_path_and_the_empty_folder_one_stands_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    signals = jtfne.Signals(runs.silent().tree, dict(runs.silent().manifest))
    signals.save("run")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    signals.save(".")
    assert jtfne.load(tmp_path / "here").manifest == jtfne.load(tmp_path / "run").manifest


def damaged(folder, how):
    """Do to a run folder what `how` says."""
    manifest = folder / "manifest.json"
    text = manifest.read_text()
    if how in ("events", "vm", "eeg_proxy"):
        node = {"events": "onset_ms", "vm": "vm", "eeg_proxy": "x_mm"}[how]
        chunk = first_chunk(folder / "signals.zarr" / how / node)
        broken = bytearray(chunk.read_bytes())
        broken[-1] ^= 1
        chunk.write_bytes(broken)
    elif how == "lost chunk":
        first_chunk(folder / "signals.zarr" / "vm" / "vm").unlink()
    elif how == "units":
        attrs = folder / "signals.zarr" / "eeg_proxy" / "eeg_proxy" / ".zattrs"
        attrs.write_text(attrs.read_text().replace("a.u.", "V"))
    elif how == "lost node":
        for path in sorted((folder / "signals.zarr" / "source").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (folder / "signals.zarr" / "source").rmdir()
    elif how == "lost store":
        (folder / "signals.zarr").rename(folder / "elsewhere")
    elif how == "lost spikes":
        (folder / "spikes.parquet").unlink()
    elif how == "spikes":
        broken = bytearray((folder / "spikes.parquet").read_bytes())
        broken[len(broken) // 2] ^= 1
        (folder / "spikes.parquet").write_bytes(broken)
    elif how == "short spikes":
        (folder / "spikes.parquet").write_bytes((folder / "spikes.parquet").read_bytes()[:-100])
    elif how == "lost manifest":
        manifest.unlink()
    elif how == "short manifest":
        manifest.write_text(text[: len(text) // 2])
    elif how == "binary manifest":
        manifest.write_bytes(b"\xff\xfe" + text.encode())
    elif how == "config":
        manifest.write_text(text.replace('"n": 150', '"n": 151').replace('"n": 75', '"n": 76'))
    elif how == "NaN":
        manifest.write_text(text.replace('"seed": 3', '"seed": NaN', 1))
    elif how == "twice":
        manifest.write_text(text.replace("{", '{"streams": [],', 1))
    else:
        manifest.write_text({"list": "[]", "bare": "{}"}[how])
    assert manifest.exists() is (how != "lost manifest")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("vm", "signals.zarr', which was cut short, altered or lost"),
        ("events", "signals.zarr', which was cut short, altered or lost"),
        ("eeg_proxy", "signals.zarr', which was cut short, altered or lost"),
        ("units", "signals.zarr', which was cut short, altered or lost"),
        ("lost chunk", "signals.zarr', which was cut short, altered or lost"),
        ("lost node", "signals.zarr', which was cut short, altered or lost"),
        ("lost store", "signals.zarr', which was cut short, altered or lost"),
        ("lost spikes", "spikes.parquet', which was cut short, altered or lost"),
        ("spikes", "spikes.parquet', which was cut short, altered or lost"),
        ("short spikes", "spikes.parquet', which was cut short, altered or lost"),
        ("lost manifest", "which has no manifest.json"),
        ("short manifest", "not JSON.*manifest.json"),
        ("binary manifest", "not UTF-8"),
        ("config", "a config that is not the one that ran"),
        ("NaN", "NaN; expected"),
        ("twice", "the key 'streams' given twice"),
        ("list", "no manifest of version 1"),
        ("bare", "no manifest of version 1"),
    ],
)
def test_what_was_altered_is_refused_in_one_line(how, message, saved):
    folder = saved
    before = (folder / "manifest.json").read_text()
    damaged(folder, how)
    if how in ("config", "NaN"):
        assert (folder / "manifest.json").read_text() != before
    with pytest.raises(jtfne.JtfneError, match=message) as raised:
        jtfne.load(folder)
    assert "expected" in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("files", {}),
        ("files", [3]),
        ("files", [{"sha256": ""}]),
        ("files", []),
        ("readouts", []),
        ("config", None),
    ],
)
def test_a_manifest_of_another_shape_is_refused(key, value, small):
    folder = small
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, key: value}))
    with pytest.raises(jtfne.JtfneError):
        jtfne.load(folder)


def test_a_readout_that_the_manifest_does_not_describe_is_refused(saved):
    folder = saved
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["readouts"]["vm"]["units"] = "V"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(jtfne.JtfneError, match="run/vm', which was cut short, altered or lost"):
        jtfne.load(folder)


def test_what_macos_leaves_in_a_folder_does_no_harm(small):
    folder = small
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "signals.zarr" / ".DS_Store").write_bytes(b"x")
    (folder / "report.html").write_text("a neighbour")
    assert jtfne.load(folder).manifest["run"]["dt_ms"] == 0.1


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("part", ["write_spikes", "write_tree", "_sync"])
def test_a_failure_while_writing_leaves_nothing(part, there, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    signals = jtfne.Signals(runs.silent().tree, dict(runs.silent().manifest))
    before = dict(signals.manifest)
    if there:
        (tmp_path / "run").mkdir()
    monkeypatch.setattr(run_folder, part, full)
    with pytest.raises(OSError, match="No space left"):
        signals.save(tmp_path / "run")
    assert [path.name for path in tmp_path.rglob("*")] == (["run"] if there else [])
    assert signals.manifest == before
    monkeypatch.undo()
    assert jtfne.load(signals.save(tmp_path / "run")).recorded() == signals.recorded()


def test_a_changed_tree_is_not_saved_under_the_manifest_of_another(tmp_path):
    tree = runs.silent().tree.copy(deep=True)
    signals = jtfne.Signals(tree, dict(runs.silent().manifest))
    tree["vm"]["vm"].values[0, 0, 0] += 1.0
    with pytest.raises(jtfne.JtfneError, match="a tree whose vm was changed after the run"):
        signals.save(tmp_path / "run")
    fewer = jtfne.Signals(
        runs.silent().tree.filter(lambda node: node.name != "vm"), signals.manifest
    )
    with pytest.raises(jtfne.JtfneError, match="a tree whose vm was changed"):
        fewer.save(tmp_path / "run")
    with pytest.raises(jtfne.JtfneError, match="signals without a manifest"):
        jtfne.Signals(runs.silent().tree).save(tmp_path / "run")
    with pytest.raises(jtfne.JtfneError, match=r"nan; expected.*\$.timings.run_s"):
        bad = {**runs.silent().manifest, "timings": {"run_s": float("nan")}}
        jtfne.Signals(runs.silent().tree, bad).save(tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_of_two_writers_at_once_one_wins_and_the_other_is_told(tmp_path, monkeypatch):
    both, outcomes, write = threading.Barrier(2), [], run_folder.write_tree

    def together(tree, path):
        both.wait()
        write(tree, path)

    def save():
        try:
            jtfne.Signals(runs.silent().tree, dict(runs.silent().manifest)).save(tmp_path / "run")
            outcomes.append("saved")
        except jtfne.JtfneError as error:
            outcomes.append(str(error))

    runs.silent()
    monkeypatch.setattr(run_folder, "write_tree", together)
    threads = [threading.Thread(target=save) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "saved" in outcomes and sum("which exists" in each for each in outcomes) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    jtfne.load(tmp_path / "run")


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path):
    with (
        pytest.raises(jtfne.JtfneError, match="which exists"),
        run_folder.write_beside(tmp_path / "file") as beside,
    ):
        beside.write_text("new")
        (tmp_path / "file").write_text("mine")
    assert (tmp_path / "file").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


# Hashes

ANY_ARRAY = arrays.arrays(
    st.sampled_from(["<f4", "<f8", "<i4", "<i8", "<u2", "|b1", "|i1"]),
    arrays.array_shapes(min_dims=0, max_dims=3, max_side=4),
)


@settings(max_examples=50)
@given(ANY_ARRAY)
def test_a_hash_is_of_values_not_of_memory(values):
    same = run_folder.array_hash(values)
    assert run_folder.array_hash(values.astype(values.dtype.newbyteorder(">"))) == same
    assert run_folder.array_hash(np.asfortranarray(values)) == same or values.ndim == 0
    padded = np.zeros((*values.shape, 2), values.dtype)
    padded[..., 0] = values
    assert run_folder.array_hash(padded[..., 0]) == same
    assert run_folder.array_hash(values[np.newaxis]) != same, "the shape counts"
    if values.size > 0:
        other = np.array(values)
        other.reshape(-1).view(np.uint8)[0] ^= 1
        assert run_folder.array_hash(other) != same, "every bit counts"


@settings(max_examples=50)
@given(st.lists(st.text(max_size=3), min_size=1, max_size=5))
def test_a_hash_of_text_is_of_its_letters_not_of_its_width(words):
    words = [word.rstrip("\0") for word in words]  # numpy's own text cannot end so
    same = run_folder.array_hash(np.array(words, object))
    assert (
        run_folder.array_hash(np.array(words))
        == run_folder.array_hash(np.array(words, "U9"))
        == same
    )
    assert run_folder.array_hash([*words[:-1], words[-1] + "x"]) != same
    assert run_folder.array_hash(np.array([words], object)) != same


@settings(max_examples=50)
@given(st.permutations(range(20)))
def test_rows_are_found_whatever_their_order(known):
    known = np.array(known)
    wanted = np.array([3, 3, 19, 0])
    np.testing.assert_array_equal(known[run_folder.locate_ids(known, wanted)], wanted)


def test_a_folder_is_hashed_with_its_names(tmp_path):
    hashes = set()
    for name, text in (("a", "1"), ("b", "1"), ("a", "2"), ("c/a", "1")):
        folder = tmp_path / str(len(hashes))
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text)
        os.utime(folder / name, (0, 0))
        hashes.add(run_folder.file_hash(folder))
    assert len(hashes) == 4
