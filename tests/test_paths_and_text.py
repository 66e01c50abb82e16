"""Where paths lead, how files come to be, and what text is read."""

import contextlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
import runs
from contract_delivery import NET
from jtfne import _files, _json, cli, interop, run_folder
from jtfne.chunk_files import write_durably
from jtfne.config import FromTable
from jtfne.emitters import SpikeSource


def signals():
    """A small run to write."""
    return jtfne.Signals(runs.silent().tree, dict(runs.silent().manifest))


WRITERS = {
    "Signals.save": lambda path: signals().save(path),
    "Net.save": lambda path: NET.save(path),
    "to_zarr": lambda path: interop.to_zarr(signals(), path),
    "to_sonata": lambda path: interop.to_sonata(signals(), path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_link_to_an_empty_folder_is_followed_and_a_home_is_found(name, tmp_path, monkeypatch):
    write, home = WRITERS[name], tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link")
    assert any((tmp_path / "real").iterdir()) and (tmp_path / "link").is_symlink()
    write("~/deep/out")
    assert any((home / "deep" / "out").iterdir()) and not Path("~").exists()
    assert not [path for path in tmp_path.rglob("*") if _files.TEMPORARY.fullmatch(path.name)]


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_mounted_is_filled(name, tmp_path, monkeypatch):
    """A folder that can be neither renamed nor removed; the index comes last."""
    out = tmp_path / "mounted"
    (out / "lost+found").mkdir(parents=True)
    monkeypatch.setattr(run_folder, "is_mounted", lambda path: path == out)
    WRITERS[name](out)
    assert len(list(out.iterdir())) > 1 and (out / "lost+found").exists()
    assert not [path for path in out.iterdir() if _files.TEMPORARY.fullmatch(path.name)]


def test_a_mount_point_is_known_by_the_kernel():
    assert _files.is_mounted(Path("/")) and _files.is_mounted(Path("/proc"))
    assert not _files.is_mounted(Path(__file__).parent)


@pytest.mark.parametrize("how", ["link", "mounted", "killed while it is moved"])
def test_a_run_goes_where_its_folder_is(how, tmp_path, monkeypatch, capsys):
    real, out = tmp_path / "real", tmp_path / "out"
    config = jtfne.suite2_single_neuron_config("PV").runtime(duration_ms=5.0).probes(["vm"])
    file = config.to_file(tmp_path / "config.toml")
    real.mkdir()
    out.symlink_to(real)
    command = ["run", str(file), "-o", str(out), "--json"]
    if how != "link":
        monkeypatch.setattr(run_folder, "is_mounted", lambda path: path == real)
    if how == "killed while it is moved":
        rename = Path.rename

        def stop(self, target):
            if Path(target) == real / "signals.zarr":
                raise KeyboardInterrupt
            return rename(self, target)

        with monkeypatch.context() as patched, pytest.raises(SystemExit) as stopped:
            patched.setattr(Path, "rename", stop)
            cli.app(command)
        assert stopped.value.code == 130 and "--resume" in capsys.readouterr().err
        with pytest.raises(jtfne.JtfneError):
            jtfne.load(real)
        command.append("--resume")
    cli.app(command, standalone_mode=False)
    assert {path.name for path in real.iterdir()} == {
        "config.json", "figures", "manifest.json", "report.html", "signals.zarr"
    }  # fmt: skip
    assert jtfne.load(out).recorded() == ("vm",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "out", "real"]


PATHS = (
    5,
    None,
    True,
    3.5,
    b"bytes",
    ["a"],
    "",
    "a\0b",
    "a" * 300,
    "~nobody-of-this-name/a",
    "\ud800",
)


@pytest.mark.parametrize("path", PATHS, ids=repr)
def test_what_is_no_path_is_refused_in_one_voice(path):
    doors = (
        jtfne.load,
        jtfne.Net.open,
        jtfne.Config.from_file,
        jtfne.Config().to_file,
        signals().save,
        NET.save,
        lambda path: jtfne.sweep(NET, {"gains.A->B": [1.0]}, out=path),
        lambda path: NET.simulate(duration_ms=20.0, out=path),
    )
    for door in doors[:-2] if path is None else doors:
        with pytest.raises(jtfne.JtfneError, match="; expected "):
            door(path)


# Files


@pytest.mark.parametrize("umask", [0o022, 0o027])
def test_what_is_written_has_the_mode_that_the_umask_leaves(tmp_path, umask):
    before = os.umask(umask)
    try:
        jtfne.suite2_single_neuron_config("PV").to_file(tmp_path / "a.toml")
        for name, write in WRITERS.items():
            write(tmp_path / name)
        write_durably({tmp_path / "index.json": lambda stream: stream.write(b"{}")})
        if umask == 0o027:
            jtfne.analysis.figures.save_all(signals(), tmp_path / "figures")
    finally:
        os.umask(before)
    for path in tmp_path.rglob("*"):
        allowed = (0o777 if path.is_dir() else 0o666) & ~umask
        assert path.stat().st_mode & 0o777 == allowed, path


def test_a_file_is_replaced_whole_and_no_link_is_written_through(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "a").symlink_to(tmp_path / "mine")
    _files.replace_file(tmp_path / "a", lambda stream: stream.write(b"new"))
    assert (tmp_path / "mine").read_text() == "mine" and (tmp_path / "a").read_text() == "new"
    with pytest.raises(FileExistsError):
        _files.create_file(tmp_path / "mine")
    (tmp_path / "b").symlink_to(tmp_path / "nothing")
    with pytest.raises(OSError):
        _files.create_file(tmp_path / "b")
    (tmp_path / "folder").mkdir()
    (tmp_path / "to").symlink_to(tmp_path / "folder")
    _files.remove(tmp_path / "to")
    assert (tmp_path / "folder").exists() and not os.path.lexists(tmp_path / "to")


def test_what_a_killed_process_leaves_is_swept_and_what_is_in_use_is_not(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from jtfne import _files\n"
        "with _files.temporary_folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'a').write_text('a'); _files.create_temporary(Path(sys.argv[1])); "
        "os._exit(9)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=environment, check=False, timeout=120
    )
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 2 and all(_files.TEMPORARY.fullmatch(name) for name in left)
    with _files.temporary_folder(tmp_path) as held:
        _files.sweep_temporary(tmp_path)
        assert list(tmp_path.iterdir()) == [held]
    assert not list(tmp_path.iterdir())


# Text

TEXT = '{"a": "é"}'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_with_and_without_a_mark(encoding):
    assert _json.loads(_files.decode_text(TEXT.encode(encoding), "a")) == {"a": "é"}


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-16", "UTF-16"), ("utf-16-le", "byte 0x00 at offset 1"), ("utf-16-be", "byte 0x00 at offset 0"),
     ("utf-32", "UTF-32"), ("latin-1", "byte 0xe9 at offset 7")],
)  # fmt: skip
def test_other_encodings_are_refused_by_the_byte(encoding, told, tmp_path):
    data = TEXT.encode(encoding)
    files = {
        "a.json": jtfne.Config.from_file,
        "a.toml": jtfne.Config.from_file,
        "a.csv": FromTable.read,
    }
    for name, read in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(jtfne.JtfneError, match=told):
            read(tmp_path / name)
    for name, read in (("manifest.json", jtfne.load), ("net.json", jtfne.Net.open)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(jtfne.JtfneError):
            read(tmp_path)


def test_a_config_and_a_table_with_a_mark_are_read(tmp_path):
    config = jtfne.suite2_single_neuron_config("PV")
    for name, text in (("a.json", config.to_json()), ("a.toml", config.to_toml())):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
        assert jtfne.Config.from_file(tmp_path / name) == config
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfsource,target\r\n0,1\r\n")
    assert list(FromTable.read(tmp_path / "a.csv").target) == [1]


DEEP = {
    "a.json": ("[" * 100_000, '{"a":' * 100_000, '{"a": ' + "9" * 5000 + "}", "[" * 101 + "]" * 101),
    "a.toml": ("a = " + "[" * 100_000, "a = " + "9" * 5000, "a = " + "[" * 101 + "]" * 101, "a = {b = " * 5000),
}  # fmt: skip


@pytest.mark.parametrize(("name", "number"), [(name, k) for name in DEEP for k in range(4)])
def test_deep_text_and_long_numbers_are_one_clear_error(name, number, tmp_path):
    (tmp_path / name).write_text(DEEP[name][number])
    with pytest.raises(jtfne.JtfneError, match="; expected ") as raised:
        jtfne.Config.from_file(tmp_path / name)
    assert len(str(raised.value)) < 1000


def test_deep_values_are_not_written():
    value: list[object] = []
    value.append(value)
    for refuse in (_json.dumps, _json.sha256):
        with pytest.raises(jtfne.JtfneError, match="nested more than 100 deep"):
            refuse({"a": value})


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    """As a JSON and as a TOML config: never another error."""
    for loads in (lambda text: _json.loads(text), tomllib.loads):
        with contextlib.suppress(ValueError):
            loads(_files.decode_text(data, "a"))


# Small


def test_tables_come_back_with_their_columns_in_order(tmp_path):
    before = runs.named()
    after = jtfne.load(jtfne.Signals(before.tree, dict(before.manifest)).save(tmp_path / "run"))
    for name in ("neurons", "events", "spikes"):
        assert getattr(after, name).equals(getattr(before, name)), name
    assert list(before.neurons) == ["neuron", "area", "layer", "cell_type", "x_mm", "y_mm", "z_mm"]
    for name in before.recorded():
        assert list(after.to_dataframe(name)) == list(before.to_dataframe(name)), name
    assert after.rates().equals(before.rates()) and after.summary().equals(before.summary())


def test_ids_far_apart_make_no_train_for_each_id_between():
    with pytest.raises(jtfne.JtfneError, match=r"a cell of id 1000000000.*cells=\[...\]"):
        SpikeSource.from_table({"cell": [0, 10**9], "t_ms": [1.0, 2.0]})
    picked = SpikeSource.from_table({"cell": [0, 10**9], "t_ms": [1.0, 2.0]}, cells=[10**9, 0])
    assert picked.times_ms.tolist() == [[2.0], [1.0]]
    many = SpikeSource.from_table(
        {"cell": [9_000_000, 0, 9_000_000], "t_ms": [2.0, 3.0, 1.0]}
    ).times_ms
    assert len(many) == 9_000_001 and many.of_cells(9_000_000, 1).tolist() == [[1.0, 2.0]]
    assert not many.t_ms.flags.writeable and np.array_equal(many.sizes[[0, 1, -1]], [1, 0, 2])


@pytest.mark.parametrize(
    "place", ["run.seed", "timings.run_s", "files.bytes", "software.jtfne", "a key"]
)
def test_any_value_of_a_manifest_that_was_altered_is_found(place, tmp_path):
    folder = signals().save(tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    if place == "a key":
        text = (folder / "manifest.json").read_text().replace('"sha256": "', '"sha257": "').encode()
    else:
        outer, inner = place.split(".")
        part = manifest[outer][0] if outer == "files" else manifest[outer]
        part[inner] = "0.0.9" if inner == "jtfne" else part[inner] + 1
        text = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(text)
    with pytest.raises(jtfne.JtfneError):
        jtfne.load(folder)
