"""Whole runs and spike tables as files that other tools read; and back, identical."""

import json
import shutil

import duckdb
import h5py
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
import xarray as xr
from pyarrow import parquet

import jtfne
import runs
from jtfne import interop, run_folder

LABELS = ("area", "layer", "cell_type")
MAKES = [runs.named, runs.nameless, runs.silent]


# Spikes


@pytest.fixture(scope="module")
def spikes(tmp_path_factory):
    """The spikes of the named run as one Parquet file."""
    return interop.write_parquet(runs.named(), tmp_path_factory.mktemp("spikes") / "spikes.parquet")


@pytest.mark.parametrize("make", MAKES)
def test_the_arrow_table_is_the_events(make):
    signals = make()
    table, found = interop.to_arrow(signals), signals.get("spk")
    names = LABELS if "neurons" in signals.tree.children else ()
    assert table.column_names == ["trial", "time_ms", "neuron", *names]
    assert [str(field.type) for field in table.schema][:3] == ["int32", "double", "int32"]
    assert not any(field.nullable for field in table.schema) and not any(
        each.null_count for each in table.columns
    )
    assert table.schema.field("time_ms").metadata == {b"units": b"ms"}
    np.testing.assert_array_equal(table["time_ms"], found.values)
    for name in ("trial", "neuron", *names):
        np.testing.assert_array_equal(
            np.array(table[name].to_pylist(), found[name].dtype), found[name].values
        )
    for name in names:
        assert table.schema.field(name).type == pa.dictionary(pa.int16(), pa.string())
    about, node = table.schema.metadata, signals.tree["spk"]
    assert about[b"jtfne_schema"] == b"jtfne.spikes/1"
    assert {
        key: float(about[key.encode()]) for key in ("n_neurons", "n_trials", "dt_ms", "duration_ms")
    } == {key: node.attrs[key] for key in ("n_neurons", "n_trials", "dt_ms", "duration_ms")}
    assert interop.from_json(about[b"jtfne_manifest"].decode()) == signals.manifest
    pd.testing.assert_frame_equal(table.to_pandas(), signals.spikes)


@pytest.mark.parametrize("large", [1, 10**6])
@pytest.mark.parametrize("make", MAKES)
def test_parquet_gives_back_the_events(make, large, tmp_path):
    signals = make()
    path = interop.write_parquet(signals, tmp_path / "spikes", large=large)
    found = interop.from_parquet(str(path))
    xr.testing.assert_identical(found, signals.get("spk"))
    assert found.values.flags.writeable and found["neuron"].values.flags.writeable
    for name in found.coords:
        assert found[name].dtype.kind == signals.get("spk")[name].dtype.kind
    assert path.is_dir() is (large == 1 and make is runs.named)
    assert [each.name for each in tmp_path.iterdir()] == ["spikes"]
    with pytest.raises(jtfne.JtfneError, match="which exists"):
        interop.write_parquet(signals, path)


def test_a_table_is_written_twice_the_same(spikes, tmp_path):
    again = interop.write_parquet(runs.named(), tmp_path / "again.parquet")
    assert again.read_bytes() == spikes.read_bytes()
    assert parquet.read_table(spikes).equals(interop.to_arrow(runs.named()), check_metadata=True)


def test_duckdb_and_polars_count_as_pandas_does(spikes):
    expected = runs.named().spikes.groupby([*LABELS], observed=True).size()
    expected = {tuple(map(str, key)): int(count) for key, count in expected.items()}
    assert len(expected) == 24
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select area, layer, cell_type, count(*) from read_parquet(?) group by all",
            [str(spikes)],
        ).fetchall()
        keys = connection.execute(
            "select key, value from parquet_kv_metadata(?)", [str(spikes)]
        ).fetchall()
    assert {tuple(row[:3]): row[3] for row in rows} == expected
    assert json.loads(dict(keys)[b"jtfne_manifest"]) == runs.named().manifest
    grouped = polars.read_parquet(spikes).group_by(LABELS).len()
    assert {tuple(row[:3]): row[3] for row in grouped.rows()} == expected


def test_a_large_run_is_a_folder_of_trials(tmp_path):
    signals = runs.named()
    folder = interop.write_parquet(signals, tmp_path / "parts", large=1)
    assert sorted(each.name for each in folder.iterdir()) == ["trial=0", "trial=1"]
    for trial in (0, 1):
        (part,) = (folder / f"trial={trial}").iterdir()
        table = parquet.read_table(part, partitioning=None)
        np.testing.assert_array_equal(table["time_ms"], signals.get("spk", trial=trial).values)
        assert table.schema.metadata[b"n_trials"] == b"2"
    with duckdb.connect() as connection:
        query = (
            "select trial, count(*) from read_parquet(?, hive_partitioning = true) group by trial "
            "order by trial"
        )
        rows = connection.execute(query, [f"{folder}/*/*.parquet"]).fetchall()
    assert [count for _, count in rows] == [
        signals.get("spk", trial=trial).size for trial in (0, 1)
    ]


def test_a_table_of_other_hands_is_taken_and_sorted(tmp_path):
    rows = {
        "neuron": [2, 1, 0],
        "time_ms": [1.5, 1.5, 9.0],
        "trial": [1, 1, 0],
        "layer": ["L4", "L5", "L4"],
    }
    parquet.write_table(pa.table(rows), tmp_path / "a.parquet")
    found = interop.from_parquet(tmp_path / "a.parquet")
    assert found.values.tolist() == [9.0, 1.5, 1.5] and found["neuron"].values.tolist() == [0, 1, 2]
    assert found["layer"].values.tolist() == ["L4", "L5", "L4"]
    sizes = {name: found.attrs[name] for name in ("n_neurons", "n_trials", "duration_ms")}
    assert sizes == {"n_neurons": 3, "n_trials": 2, "duration_ms": 9.0}, "of what is there"


def test_a_parquet_file_that_is_none_is_refused(spikes, tmp_path):
    parquet.write_table(pa.table({"time": [1.0]}), tmp_path / "other.parquet")
    (tmp_path / "short.parquet").write_bytes(spikes.read_bytes()[:-50])
    (tmp_path / "text.parquet").write_text("no")
    for name, message in (
        ("other", "without neuron, time_ms"),
        ("short", "cannot be read"),
        ("text", "cannot be read"),
        ("absent", "cannot be read"),
    ):
        with pytest.raises(jtfne.JtfneError, match=message):
            interop.from_parquet(tmp_path / f"{name}.parquet")


def test_spikes_that_were_not_recorded_are_not_written(tmp_path):
    signals = jtfne.Signals(
        runs.named().tree.filter(lambda node: node.name != "spk"), runs.named().manifest
    )
    for write in (interop.to_arrow, lambda each: interop.write_parquet(each, tmp_path / "a")):
        with pytest.raises(jtfne.JtfneError, match="'spk' was not recorded"):
            write(signals)
    assert not list(tmp_path.iterdir())


# The whole tree

FORMATS = {
    "netcdf": (interop.to_netcdf, interop.from_netcdf),
    "zarr": (interop.to_zarr, interop.from_zarr),
}


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("form", FORMATS)
def test_a_tree_comes_back_identical(form, make, tmp_path):
    write, read = FORMATS[form]
    signals = make()
    attrs = dict(signals.tree.attrs)
    path = write(signals, tmp_path / "new" / "signals")
    assert signals.tree.attrs == attrs, "writing changes nothing"
    for back in (read(path), read(str(path))):
        assert back.manifest == signals.manifest and back.tree.attrs == signals.tree.attrs
        assert (
            set(back.tree.children) == set(signals.tree.children)
            and back.recorded() == signals.recorded()
        )
        for name, node in signals.tree.children.items():
            found = back.tree[name].to_dataset()
            xr.testing.assert_identical(found, node.to_dataset())
            for variable in node.variables:
                assert found[variable].dtype.kind == node[variable].dtype.kind, (name, variable)
                assert (
                    found[variable].dtype.kind == "U"
                    or found[variable].dtype == node[variable].dtype
                )
                assert variable in found.indexes or found[variable].values.flags.writeable
        assert list(back.tree["events"].to_dataset()["label"].values) == list(
            signals.events["label"]
        )
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["signals"]
    with pytest.raises(jtfne.JtfneError, match="which exists"):
        write(signals, path)
    pd.testing.assert_frame_equal(back.summary(), signals.summary())


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_read_is_saved_and_written_again(form, tmp_path):
    write, read = FORMATS[form]
    back = read(write(runs.named(), tmp_path / "one"))
    back.save(tmp_path / "run")
    again = read(write(jtfne.load(tmp_path / "run"), tmp_path / "two"))
    for name, node in runs.named().tree.children.items():
        xr.testing.assert_identical(again.tree[name].to_dataset(), node.to_dataset())


@pytest.mark.parametrize("form", FORMATS)
def test_a_long_manifest_and_none(form, tmp_path):
    write, read = FORMATS[form]
    # an HDF5 header holds 64 KiB
    long = {**runs.silent().manifest, "streams": ["a stream of its own"] * 20_000}
    assert read(write(jtfne.Signals(runs.silent().tree, long), tmp_path / "long")).manifest == long
    assert read(write(jtfne.Signals(runs.silent().tree), tmp_path / "none")).manifest == {}


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_is_none_is_refused(form, tmp_path):
    read = FORMATS[form][1]
    with pytest.raises(jtfne.JtfneError, match="cannot be read"):
        read(tmp_path / "absent")
    (tmp_path / "text").write_text("no")
    with pytest.raises(jtfne.JtfneError, match="cannot be read"):
        read(tmp_path / "text")
    other = xr.DataTree(xr.Dataset({"a": ("x", np.arange(3))}))
    other.to_netcdf(tmp_path / "other", engine="h5netcdf") if form == "netcdf" else other.to_zarr(
        tmp_path / "other", zarr_format=2
    )
    with pytest.raises(jtfne.JtfneError, match="a tree without jtfne_manifest"):
        read(tmp_path / "other")


def test_a_netcdf_file_cut_short_or_altered_is_refused(tmp_path):
    path = interop.to_netcdf(runs.named(), tmp_path / "signals.nc")
    (tmp_path / "short.nc").write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(jtfne.JtfneError, match="cannot be read"):
        interop.from_netcdf(tmp_path / "short.nc")
    for place, node in (
        ("vm/vm", "vm"),
        ("events/onset_ms", "events"),
        ("eeg_proxy/x_mm", "eeg_proxy"),
    ):
        shutil.copy(path, tmp_path / "altered.nc")
        with h5py.File(tmp_path / "altered.nc", "r+") as file:
            file[place][0] = file[place][0] + 1
        with pytest.raises(
            jtfne.JtfneError, match=f"altered.nc/{node}', which was cut short, altered or lost"
        ):
            interop.from_netcdf(tmp_path / "altered.nc")
    with h5py.File(tmp_path / "altered.nc", "r+") as file:
        del file["vm"]
    with pytest.raises(jtfne.JtfneError, match="altered or lost"):
        interop.from_netcdf(tmp_path / "altered.nc")


def test_a_zarr_store_that_lost_a_chunk_or_a_node_is_refused(tmp_path):
    path = interop.to_zarr(runs.named(), tmp_path / "signals.zarr")
    (path / "vm" / "vm" / "0.0.0").rename(tmp_path / "chunk")
    with pytest.raises(
        jtfne.JtfneError, match=r"zarr/vm', which was cut short, altered or lost|cannot be read"
    ):
        interop.from_zarr(path)
    (path / "vm" / "vm" / "0.0.0").write_bytes((tmp_path / "chunk").read_bytes()[:-3])
    with pytest.raises(jtfne.JtfneError, match=r"altered or lost|cannot be read"):
        interop.from_zarr(path)
    shutil.copy(tmp_path / "chunk", path / "vm" / "vm" / "0.0.0")
    assert interop.from_zarr(path).manifest == runs.named().manifest
    shutil.rmtree(path / "source")
    with pytest.raises(jtfne.JtfneError, match=r"altered or lost|cannot be read"):
        interop.from_zarr(path)


@pytest.mark.parametrize("form", FORMATS)
def test_a_failure_leaves_nothing(form, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_folder, "_sync", full)
    with pytest.raises(OSError, match="No space left"):
        FORMATS[form][0](runs.silent(), tmp_path / "signals")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", FORMATS)
def test_a_manifest_that_json_cannot_hold_is_refused(form, tmp_path):
    signals = jtfne.Signals(
        runs.silent().tree, {**runs.silent().manifest, "timings": {"run_s": float("nan")}}
    )
    with pytest.raises(jtfne.JtfneError, match=r"\$.timings.run_s"):
        FORMATS[form][0](signals, tmp_path / "signals")
    assert not list(tmp_path.iterdir())


def test_other_tools_read_the_netcdf_file(tmp_path):
    path = interop.to_netcdf(runs.named(), tmp_path / "signals.nc")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["vm/vm"][()], runs.named().tree["vm"]["vm"].values)
        assert json.loads(file.attrs["jtfne_manifest"]) == runs.named().manifest
    with xr.open_dataset(path, group="eeg_proxy", engine="h5netcdf") as dataset:
        assert dataset["eeg_proxy"].sel(channel="Oz").attrs["units"] == "a.u."


def test_trials_without_a_spike_are_one_empty_file(tmp_path):
    tree = runs.named().tree.copy()
    tree["spk"] = xr.DataTree(runs.named().tree["spk"].to_dataset().isel(event=slice(0, 0)))
    path = interop.write_parquet(jtfne.Signals(tree), tmp_path / "none", large=0)
    xr.testing.assert_identical(interop.from_parquet(path), jtfne.Signals(tree).get("spk"))
    assert interop.from_parquet(path).attrs["n_trials"] == 2
