"""What campaigns of the fuzzer found, by the case that showed it; the seed stands in
docs/developing/robustness.rst.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xarray as xr
import zarr
from pyarrow import parquet

import jtfne
from jtfne import _json, _stored, analysis, interop, run_folder
from jtfne.measures.icsd import DeltaICSD, SplineICSD, StepICSD
from jtfne.paradigm import Timing
from jtfne.reports import check_manifest

CELLS = (
    jtfne.Config()
    .runtime(duration_ms=20.0, dt_ms=0.5)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 3})
    .probes(["spk"])
)
PULSE = jtfne.Paradigm.pulse(target="E", start_ms=0.0, duration_ms=1.0, amplitude=1.0)


def test_presentations_are_counted_by_onset_where_trials_are_repeated() -> None:
    items, mix = {"a": PULSE, "b": PULSE}, {"a": 0.75, "b": 0.25}
    task = jtfne.Paradigm.oddball(items, mix=mix, timing=Timing(soa_ms=1.0), n=1024)
    with pytest.raises(jtfne.JtfneError, match="n=1024 of 2048 presentations; expected"):
        task.trials(1024)
    assert task.trials(4).n_trials == 4


def test_a_metric_of_a_probe_off_the_grid_takes_no_memory() -> None:
    band = {"kind": "BandPower", "low_Hz": 100.0, "high_Hz": 200.0}
    config = CELLS.objective([{"measure": band, "readout": "lfp_proxy", "target": 1.0}])
    with pytest.raises(jtfne.JtfneError, match="interval_ms=1e-09"):
        config.probes(["spk", {"kind": "lfp_proxy", "interval_ms": 1e-9}])


def test_a_manifest_with_half_a_character_is_refused_as_altered() -> None:
    tree = xr.DataTree()
    tree.attrs = {"jtfne_manifest": "{\udcba}", "jtfne_manifest_sha256": "0" * 64}
    with pytest.raises(jtfne.JtfneError, match="not what its hash says"):
        run_folder.without_manifest(tree)


def test_a_cell_model_in_place_of_the_mechanisms_is_refused_in_a_few_lines() -> None:
    model = {"kind": "GLIF3", **{f"c_{number}_pF": 1.0 * number for number in range(20)}}
    with pytest.raises(jtfne.JtfneError) as caught:
        CELLS.mechanisms(model)
    assert len(str(caught.value).splitlines()) <= 12 and len(str(caught.value)) <= 2000


def test_more_cells_than_rows_can_count_are_refused_before_any_array() -> None:
    with pytest.raises(jtfne.JtfneError, match=r"S=9223372036854775808.* 0 to 2147483647"):
        CELLS.cells({"S": 2**63}).check()


@pytest.mark.parametrize(
    "make",
    [
        lambda: analysis.KernelCSD(n_sources=10**9),
        lambda: analysis.csd(potentials(), analysis.SplineICSD(step_mm=1e-9)),
        lambda: analysis.csd(potentials(), analysis.KernelCSD(step_mm=1e-9)),
    ],
)
def test_sizes_without_meaning_are_refused_with_the_limit(make) -> None:
    with pytest.raises(jtfne.JtfneError, match=r"100000|1e\+05"):
        make()


def potentials() -> xr.DataArray:
    """A potential (time, channel) that varies."""
    values = np.random.default_rng(1).normal(size=(30, 6))
    coords = {"time": np.arange(30.0), "z_mm": ("channel", 0.1 * np.arange(6))}
    return xr.DataArray(values, coords, ("time", "channel"), attrs={"units": "V"})


@pytest.mark.parametrize("analysis_of_trace", ["psd", "coherence", "compare", "evoked"])
def test_times_beyond_all_time_are_refused(analysis_of_trace: str) -> None:
    """1.8e308 ms is a float, but no number of samples (seed 1000)."""
    trace = xr.DataArray(
        np.random.default_rng(1).normal(size=(400, 2)),
        {"time": ("time", np.arange(400.0) / 4.0, {"units": "ms"}), "channel": ["a", "b"]},
        ("time", "channel"),
        attrs={"units": "mV"},
    )
    data = [trace, trace] if analysis_of_trace == "compare" else [trace]
    names = {"evoked": "onset_ms", "compare": "block_ms"}
    argument = names.get(analysis_of_trace, "segment_ms")
    with pytest.raises(jtfne.JtfneError, match=f"{argument}=1.7976931348623157e\\+308"):
        getattr(analysis, analysis_of_trace)(*data, **{argument: sys.float_info.max})


def test_a_masked_onset_is_no_onset() -> None:
    onsets_ms = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    trace = xr.DataArray(
        np.zeros((40, 1)),
        {"time": ("time", np.arange(40.0), {"units": "ms"}), "channel": ["a"]},
        ("time", "channel"),
        attrs={"units": "mV"},
    )
    with pytest.raises(jtfne.JtfneError, match="onset_ms="):
        analysis.evoked(trace, onset_ms=onsets_ms, window_ms=(0.0, 5.0))


def test_a_manifest_without_a_setting_of_its_run_repeats_none() -> None:
    """Seed 50, as the next three."""
    manifest = dict(jtfne.construct(CELLS).simulate().manifest)
    manifest["run"] = {name: manifest["run"][name] for name in ("seed", "duration_ms", "trials")}
    with pytest.raises(jtfne.JtfneError, match="a run without dt_ms"):
        check_manifest(manifest)


def test_half_a_character_has_no_canonical_form() -> None:
    with pytest.raises(jtfne.JtfneError, match="whole in UTF-8"):
        _json.sha256({"kind": "\ud800"})


def test_a_label_in_zarr_that_is_no_text_is_refused(tmp_path: Path) -> None:
    trace = potentials().assign_coords(channel=["a", "bc", "d", "e", "f", "g"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # consolidated metadata are no part of the format yet
        trace.to_dataset(name="lfp").to_zarr(tmp_path / "lfp.zarr", zarr_format=2)
    about = tmp_path / "lfp.zarr" / "channel" / ".zarray"
    (tmp_path / "lfp.zarr" / "channel" / "0").write_bytes(b"\xff" * 48)
    about.write_text(
        json.dumps({**json.loads(about.read_text()), "compressor": None, "filters": None})
    )
    with pytest.raises(jtfne.JtfneError, match=r"text in UTF-8|cannot be read"):
        interop.from_zarr(tmp_path / "lfp.zarr", "lfp")


def test_channels_of_bids_without_names_are_refused(tmp_path: Path) -> None:
    signals = jtfne.construct(CELLS.probes([{"kind": "LFP", "n_channels": 3}])).simulate()
    interop.to_bids(signals, tmp_path / "bids")
    (table,) = (tmp_path / "bids").rglob("*_channels.tsv")
    table.write_text(table.read_text().replace("name", "nome", 1))
    with pytest.raises(jtfne.JtfneError, match="without a column 'name'"):
        interop.from_bids(tmp_path / "bids")


def write_samples(path: Path, metadata: dict[bytes, bytes]) -> Path:
    """A table of samples in Parquet, with this metadata."""
    frame = pd.DataFrame({"time": np.arange(4.0), "channel": ["a"] * 4, "lfp": np.ones(4)})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    parquet.write_table(table.replace_schema_metadata(metadata), path)
    return path


@pytest.mark.parametrize("metadata", [{b"units": b"\xd6"}, {b"units": b"V", b"onset_ms": b"soon"}])
def test_metadata_of_parquet_that_are_no_text_or_number_are_refused(
    tmp_path: Path, metadata: dict[bytes, bytes]
) -> None:
    """Seed 1100, as the next two."""
    with pytest.raises(jtfne.JtfneError, match="text in UTF-8, or a number"):
        interop.from_parquet(write_samples(tmp_path / "lfp.parquet", metadata), "lfp")


def test_metadata_of_parquet_that_nobody_reads_may_be_anything(tmp_path: Path) -> None:
    path = write_samples(tmp_path / "lfp.parquet", {b"units": b"V", b"\xff": b"\xd6"})
    assert interop.from_parquet(path, "lfp").attrs["units"] == "V"


def test_a_dataset_is_no_list_of_ids() -> None:
    signals = jtfne.construct(CELLS).simulate()
    with pytest.raises(jtfne.JtfneError, match="ids="):
        signals.get("spk", ids=xr.Dataset())


def test_spikes_after_the_last_whole_interval_are_not_counted() -> None:
    """Seed 1402: an interval that does not divide the duration."""
    config = CELLS.probes(["spk", {"kind": "emm_proxy", "interval_ms": 3.0}])
    signals = jtfne.construct(config.cell_params({"E": {"drive": 90.0}})).simulate(PULSE)
    last_ms = float(signals.get("spk").values.max())
    cost = signals.get("emm_proxy")
    assert last_ms > 18.0 and cost["time"].values.tolist() == [3.0, 6.0, 9.0, 12.0, 15.0, 18.0]
    assert np.isfinite(cost.values).all()


def test_a_dataset_is_no_row_of_depths_or_onsets() -> None:
    """Seed 1302."""
    recording = interop.from_array(np.ones((5, 2)), ("time", "channel"), sampling_Hz=1e3, units="V")
    with pytest.raises(jtfne.JtfneError, match="z_mm="):
        analysis.load_recording(recording, z_mm=xr.Dataset())  # type: ignore[arg-type]
    with pytest.raises(jtfne.JtfneError, match="onset_ms="):
        interop.from_array(np.ones(5), ("time",), sampling_Hz=1e3, units="V", onset_ms=xr.Dataset())


@pytest.mark.parametrize("method", [DeltaICSD, StepICSD, SplineICSD])
def test_discs_that_are_points_have_no_inverse(method: type[Any]) -> None:
    """Seed 1200, as the next one."""
    with pytest.raises(jtfne.JtfneError, match="whose matrix has no inverse"):
        method(diameter_mm=1e-303).matrix([0.1, 0.2, 0.3, 0.4], sigma_S_m=0.3)


@pytest.mark.parametrize("dtype", ["<f,", "4.f8(", "x", None, ["<f8"], "1,,2"])
def test_a_type_in_zarr_that_is_none_is_refused(tmp_path: Path, dtype: object) -> None:
    """numpy reads a text with a comma or bracket as Python, and raises SyntaxError."""
    zarr.open_group(tmp_path / "a", mode="w", zarr_format=2).create_array(
        "a", shape=(3,), dtype="f8"
    )
    about = tmp_path / "a" / "a" / ".zarray"
    about.write_text(json.dumps({**json.loads(about.read_text()), "dtype": dtype}))
    with pytest.raises(jtfne.JtfneError):
        _stored.check_zarr(tmp_path / "a")
