"""Recorded spikes come in from any table, with the names and sizes that it says, or is told."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
import xarray as xr
from pyarrow import parquet

import jtfne
import runs
from jtfne import analysis, interop
from jtfne.config import Metric
from jtfne.emitters import SpikeSource
from jtfne.measures import CV, MeanRate

TABLE = {
    "neuron": [2, 0, 0, 2],
    "time_ms": [30.0, 10.0, 20.0, 5.0],
    "trial": [0, 1, 0, 0],
    "cell_type": ["PV", "E", "E", "PV"],
}


@pytest.mark.parametrize(
    "make",
    [dict, pd.DataFrame, pa.table, polars.DataFrame],
    ids=["dict", "pandas", "arrow", "polars"],
)
def test_any_table_is_taken_and_sorted(make: Any) -> None:
    spikes = interop.from_spikes(make(TABLE))
    assert spikes.values.tolist() == [5.0, 20.0, 30.0, 10.0]
    assert spikes["neuron"].values.tolist() == [2, 0, 2, 0]
    assert spikes["trial"].values.tolist() == [0, 0, 0, 1]
    assert spikes["cell_type"].values.tolist() == ["PV", "E", "PV", "E"]
    sizes = {name: spikes.attrs[name] for name in ("n_neurons", "n_trials", "duration_ms")}
    assert sizes == {"n_neurons": 3, "n_trials": 2, "duration_ms": 30.0}


def test_other_names_units_and_sizes_are_told() -> None:
    table = {"clusté 1": [0.0, 1.0], "stamp": [0.01, 0.02]}
    spikes = interop.from_spikes(
        table,
        columns={"neuron": "clusté 1", "time_s": "stamp"},
        n_neurons=4,
        n_trials=3,
        duration_ms=100.0,
    )
    assert spikes.values.tolist() == [10.0, 20.0] and spikes["neuron"].dtype == np.int64
    rates_Hz = analysis.rates(spikes, by=None)
    assert rates_Hz.shape == (3, 4) and rates_Hz.values[0].tolist() == [10.0, 10.0, 0.0, 0.0]
    assert interop.from_spikes({"cell": [1], "t_ms": [5.0]}).attrs["n_neurons"] == 2


def test_without_spikes_the_sizes_must_be_told() -> None:
    empty = pd.DataFrame({"neuron": [], "time_ms": []})
    with pytest.raises(jtfne.JtfneError, match=r"a table without spikes.*n_neurons="):
        interop.from_spikes(empty)
    spikes = interop.from_spikes(empty, n_neurons=5, n_trials=2, duration_ms=10.0)
    assert analysis.rates(spikes, by=None).values.tolist() == [[0.0] * 5] * 2


def rewrite(path: Path, kind: str, folder: Path) -> Path:
    """A file of spikes as pandas, polars or a CSV keep it: without the metadata of its schema."""
    target = folder / f"rewritten.{'csv' if kind == 'csv' else 'parquet'}"
    if kind == "polars":
        polars.read_parquet(path).write_parquet(target)
    elif kind == "pandas":
        pd.read_parquet(path).to_parquet(target)
    else:
        pd.read_parquet(path).to_csv(target, index=False)
    return target


@pytest.mark.parametrize("kind", ["pandas", "polars", "csv"])
def test_a_file_that_lost_its_metadata_is_read_with_the_names_of_its_rows(
    kind: str, tmp_path: Path
) -> None:
    signals = runs.named()
    own = interop.write_parquet(signals, tmp_path / "own.parquet")
    path = rewrite(own, kind, tmp_path)
    sizes = {"n_neurons": len(signals.neurons), "n_trials": 2, "duration_ms": 200.0}
    spikes = interop.from_spikes(path, **sizes)
    np.testing.assert_array_equal(spikes, signals.get("spk"))
    np.testing.assert_array_equal(spikes["layer"], signals.get("spk")["layer"])
    by_neuron = analysis.rates(spikes, by=None)
    np.testing.assert_allclose(by_neuron, analysis.rates(signals, by=None))
    by_layer = analysis.rates(spikes, by="layer")
    n_silent = len(signals.neurons) - len(np.unique(spikes["neuron"]))
    assert ("unlabelled" in by_layer["layer"].values) == (n_silent > 0)
    found = analysis.load_recording(path, readout="spk")
    assert found.attrs["duration_ms"] == spikes.values.max(), "the last spike, where nothing says"
    np.testing.assert_allclose(
        analysis.population_rate(spikes, bin_ms=10.0),
        analysis.population_rate(signals, bin_ms=10.0),
    )


@pytest.mark.parametrize("by", ["area", "layer", "cell_type", ["area", "cell_type"]])
def test_names_of_our_own_file_serve_by_and_silent_cells_count(by: Any, tmp_path: Path) -> None:
    signals = runs.named()
    path = interop.write_parquet(signals, tmp_path / "own.parquet")
    expected = analysis.rates(signals, by=by)
    for spikes in (path, str(path), interop.from_parquet(path), signals.get("spk")):
        xr.testing.assert_allclose(analysis.rates(spikes, by=by), expected)
    assert analysis.cv(path).sizes["neuron"] == len(signals.neurons)


def test_population_is_a_label_too() -> None:
    spikes = interop.from_spikes({**TABLE, "population": ["i", "e", "e", "i"]})
    by_population = analysis.rates(spikes, by="population")
    assert set(by_population["population"].values) == {"i", "e", "unlabelled"}
    mixed = interop.from_spikes({**TABLE, "population": ["i", "e", "e", "j"]})
    with pytest.raises(jtfne.JtfneError, match="neuron 2 with spikes of several populations"):
        analysis.rates(mixed, by="population")


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({"time_ms": [np.nan, 1.0, 2.0, 3.0]}, {}, "no finite numbers"),
        ({"neuron": [0.5, 1.0, 2.0, 3.0]}, {}, "a column neuron of other values"),
        ({"neuron": ["a", "b", "c", "d"]}, {}, "a column neuron of other values"),
        ({"trial": [-1, 0, 0, 0]}, {}, "a column trial of other values"),
        ({}, {"n_neurons": 2}, "whole numbers, 0 to 1"),
        ({}, {"n_neurons": 0}, "n_neurons=0"),
        ({}, {"duration_ms": -1.0}, "duration_ms=-1"),
        ({}, {"columns": {"neurone": "neuron"}}, "unknown columns 'neurone'.*nearest: 'neuron'"),
        ({}, {"columns": {"neuron": "cells"}}, r"columns\['neuron'\] 'cells'"),
        ({}, {"columns": "neuron"}, "columns='neuron'"),
        ({"neuron": [0]}, {}, "columns of shapes"),
    ],
)
def test_a_table_is_not_believed(
    change: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.from_spikes({**TABLE, **change}, **settings)


def test_a_table_without_neurons_or_times_names_what_it_has() -> None:
    with pytest.raises(jtfne.JtfneError, match=r"without time_ms.*columns=.*'stamp'"):
        interop.from_spikes({"cell": [1], "stamp": [0.5]})
    for source in (None, 3, [1.0], object, np.zeros((2, 2))):
        with pytest.raises(jtfne.JtfneError, match="spikes of type"):
            interop.from_spikes(source)


def test_what_the_file_says_stands(tmp_path: Path) -> None:
    path = interop.write_parquet(runs.named(), tmp_path / "own.parquet")
    with pytest.raises(jtfne.JtfneError, match="n_trials=3 of spikes whose file says 2"):
        interop.from_parquet(path, n_trials=3)
    table = parquet.read_table(path)
    for text in ("no json", '{"labels":["area"],"runs":[[0,5]]}', '{"labels":["a"],"runs":[]}'):
        changed = {**table.schema.metadata, b"neuron_labels": text.encode()}
        parquet.write_table(table.replace_schema_metadata(changed), tmp_path / "changed.parquet")
        with pytest.raises(jtfne.JtfneError):
            interop.from_parquet(tmp_path / "changed.parquet")
    huge = {**table.schema.metadata, b"neuron_labels": b'{"labels":[],"runs":[[0,2147483647]]}'}
    huge[b"n_neurons"] = b"2147483647"
    parquet.write_table(table.replace_schema_metadata(huge), tmp_path / "huge.parquet")
    with pytest.raises(jtfne.JtfneError, match="GiB"):
        analysis.rates(tmp_path / "huge.parquet")


def test_a_file_that_is_none_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "a.parquet").write_text("no")
    for name, message in (
        ("a.csv", "a.csv"),
        ("a.parquet", "cannot be read"),
        ("gone.csv", "gone.csv"),
        ("a.nc", "spikes of.*a.nc.*expected a file .parquet, .csv"),
    ):
        with pytest.raises(jtfne.JtfneError, match=message):
            analysis.rates(tmp_path / name)


def test_a_source_of_spikes_reads_files(tmp_path: Path) -> None:
    frame = pd.DataFrame({"cell": [1, 0, 1], "t_ms": [4.0, 2.0, 3.0]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    expected = [[2.0], [3.0, 4.0]]
    for source in (tmp_path / "a.csv", str(tmp_path / "a.parquet"), interop.from_spikes(frame)):
        assert SpikeSource.from_table(source).times_ms.tolist() == expected
    own = interop.write_parquet(runs.silent(), tmp_path / "own.parquet")
    assert SpikeSource.from_table(own).times_ms.tolist() == []
    for source, message in (
        ("spikes.h5", r"the file 'spikes.h5'.*a file .parquet or .csv"),
        ("gone.csv", "is not there"),
        (xr.DataArray([1.0]), "a table of type DataArray"),
        (5, "a table of type int"),
        (runs.named().get("spk"), "several trials"),
    ):
        with pytest.raises(jtfne.JtfneError, match=message) as refusal:
            SpikeSource.from_table(source)
        assert len(str(refusal.value)) < 400
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-30])
    with pytest.raises(jtfne.JtfneError, match=r"a.parquet, which cannot be read"):
        SpikeSource.from_table(tmp_path / "a.parquet")


def test_rates_of_recorded_spikes_are_targets_by_label() -> None:
    signals = runs.named()
    rates_Hz = analysis.rates(signals.get("spk"))
    metric = Metric(measure=MeanRate(), cells="PV", target=rates_Hz)
    assert metric.target == pytest.approx(float(rates_Hz.sel(cell_type="PV").mean()))
    result = jtfne.Objective([metric]).evaluate(signals)
    assert result.score == pytest.approx(0.0, abs=1e-12)
    irregularity = Metric(measure=CV(), target=analysis.cv(signals.get("spk")))
    assert jtfne.Objective([irregularity]).evaluate(signals).score < 1e-6
    with pytest.raises(jtfne.JtfneError, match=r"unknown cell_type 'PW'.*nearest: 'PV'"):
        Metric(measure=MeanRate(), cells="PW", target=rates_Hz)
