"""A streamed run holds a few chunks, not the run: its rows go to disk and come back, block by
block, bit by bit.
"""

import math
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne import _rows, partial_run, row_arrays, run_folder
from jtfne.simulation import _memory, estimate_memory, simulate

pytestmark = pytest.mark.as_users  # simulates for long

PROBES = (
    "spk",
    {"kind": "vm", "interval_ms": 0.2},
    {"kind": "source", "interval_ms": 0.1},
    "lfp_proxy",
    "csd_proxy",
    "eeg_proxy",
    "meg_proxy",
    "spectrolaminar_proxy",
    "emm_proxy",
    "rws",
    {"kind": "erws", "interval_ms": 0.1},
)
# on disk until they are asked for
STORED = ("vm", "source", "lfp_proxy", "csd_proxy", "eeg_proxy", "meg_proxy")
ASKED = {"trials": 2, "chunk_steps": 80}  # 300 steps: chunks of 80 and one of 60


def config(probes=PROBES, n=75, **run):
    """Two areas, a source of two parts, every readout."""
    return (
        jtfne.suite2_v1_v4_config(n)
        .runtime(**{"seed": 2, "duration_ms": 30.0, "dt_ms": 0.1, **run})
        .source("decomposed")
        .probes(list(probes))
    )


@pytest.fixture(scope="module")
def net():
    return jtfne.construct(config())


@pytest.fixture(scope="module")
def held(net):
    """The run in memory."""
    signals = simulate(net, **ASKED)
    assert {*signals.recorded()} >= {*STORED, "spk", "emm_proxy", "spectrolaminar_proxy"} and len(
        signals.spikes
    )
    return signals


def values_of(signals, name):
    return signals.tree[name].to_dataset()[name].variable._data


@pytest.mark.parametrize("block_bytes", [7000, 50000, 2**22])
def test_a_streamed_run_is_that_in_memory_whatever_its_blocks(
    net, held, tmp_path, monkeypatch, block_bytes
):
    """Blocks of 11 rows of vm, which divide neither a chunk nor the run, of more than a chunk, and
    of all rows.
    """
    monkeypatch.setattr(_rows, "BLOCK_BYTES", block_bytes)
    streamed = simulate(net, out=tmp_path / "run", **ASKED)
    for part in ("readouts", "tables", "spikes"):
        assert streamed.manifest[part] == held.manifest[part]
    for name in held.tree.children:
        xr.testing.assert_identical(
            streamed.tree[name].to_dataset().load(), held.tree[name].to_dataset()
        )
    assert jtfne.load(tmp_path / "run").manifest == streamed.manifest
    held_again = jtfne.Signals(held.tree, dict(held.manifest))
    for signals, name in ((held_again, "saved"), (streamed, "copied")):
        signals.save(tmp_path / name)
        assert signals.manifest["files"] == jtfne.load(tmp_path / "run").manifest["files"], (
            "the same bytes"
        )


QUERIES = [
    {},
    {"trial": 1},
    {"trial": 0, "layout": "node_time"},
    {"time": (5.0, 12.0)},
    {"trial": 0, "time": (0.0, 1.0), "layout": "time_node"},
    {"layout": "trial_time_node"},
    {"area": "V4"},
]
CELLS = [
    {"cell_type": "PV", "trial": 1},
    {"ids": [7, 3, 50], "time": (1.0, 29.0)},
    {"layer": ["L4"], "area": "V1"},
]


@pytest.mark.parametrize("query", [*QUERIES, *CELLS], ids=str)
def test_what_is_asked_for_is_read_and_is_the_askers_own(net, held, tmp_path, monkeypatch, query):
    monkeypatch.setattr(_rows, "BLOCK_BYTES", 50000)
    streamed = simulate(net, out=tmp_path / "run", **ASKED)
    for name in (
        ("vm", "source") if query in CELLS else STORED if "area" not in query else STORED[:4]
    ):
        found, want = streamed.get(name, **query), held.get(name, **query)
        xr.testing.assert_identical(found, want)
        assert type(found.variable._data) is np.ndarray and found.values.flags.writeable
        found.values[...] = 0.0
        xr.testing.assert_identical(streamed.get(name, **query), want)
        assert not isinstance(values_of(streamed, name), np.ndarray), "the signals hold none of it"
    assert streamed.summary().equals(held.summary()) and streamed.rates().equals(held.rates())


def test_signals_know_their_folder_from_anywhere_and_say_when_it_is_gone(
    net, held, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    streamed = simulate(net, out="run", **ASKED)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    xr.testing.assert_identical(streamed.get("vm"), held.get("vm"))
    block = tmp_path / "run" / "signals.zarr" / "vm" / "vm" / "1.0.0"
    found = block.read_bytes()
    for broken in (None, found[:-20]):
        block.unlink(missing_ok=True)
        if broken:
            block.write_bytes(broken)
        with pytest.raises(jtfne.JtfneError, match="vm/vm', which was cut short, altered or lost"):
            streamed.get("vm")
        xr.testing.assert_identical(streamed.get("vm", trial=0), held.get("vm", trial=0))
    (tmp_path / "run").rename(tmp_path / "moved")
    with pytest.raises(jtfne.JtfneError, match="lfp_proxy', which was cut short, altered or lost"):
        streamed.get("lfp_proxy")
    assert streamed.spikes.equals(held.spikes)


def test_a_run_that_grows_can_be_read_as_zarr(net, held, tmp_path, monkeypatch):
    put = partial_run.PartialRun.write_chunk

    def stopping(self, *args, **kwargs):
        if self.n_chunks == 6:
            raise KeyboardInterrupt
        put(self, *args, **kwargs)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(partial_run.PartialRun, "write_chunk", stopping)
        simulate(net, out=tmp_path / "run", **ASKED)
    vm = zarr.open_group(tmp_path / "run" / "partial" / "rows.zarr", mode="r")["vm"]
    assert vm.shape == (8, 40, 150)  # 4 chunks of 80 steps in each of two trials
    want = held.get("vm").values
    np.testing.assert_array_equal(vm[:3].reshape(120, -1), want[0, :120])
    np.testing.assert_array_equal(vm[3, :30], want[0, 120:])
    np.testing.assert_array_equal(vm[4:6].reshape(80, -1), want[1, :80])
    assert np.isnan(vm[6:]).all(), "what is to come"
    with xr.open_zarr(tmp_path / "run" / "partial" / "rows.zarr", consolidated=False) as opened:
        assert opened["source"].shape == (8, 80, 2, 150) and opened["source"].dims[0] == "chunk"


# Memory

PEAK = textwrap.dedent(
    """
    import re, resource, sys
    from pathlib import Path
    import jtfne
    from jtfne.simulation import simulate
    out, duration_ms = sys.argv[1], float(sys.argv[2])
    probes = ["spk", "vm", {"kind": "source", "interval_ms": 0.1}]
    net = jtfne.construct(jtfne.suite2_net1_config(500).connections([]).probes(probes))
    signals = simulate(net, duration_ms=duration_ms, dt_ms=0.1, chunk_steps=200, out=None if out == "-" else out)
    shapes = [signals.manifest["readouts"][name]["shape"] for name in ("vm", "source")]
    status = Path("/proc/self/status")  # of this program alone; ru_maxrss counts what it was forked from as well
    high = re.search(r"VmHWM:\\s*(\\d+)", status.read_text()) if status.exists() else None
    peak = int(high[1]) if high else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak, *(a * b * c * 4 for a, b, c in shapes))
    """
)


def peak_of(out, duration_ms):
    """Peak memory of a fresh process that simulates, and the bytes of what it records."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-c", PEAK, str(out), str(duration_ms)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    peak, *recorded = map(int, done.stdout.split())
    return peak * (1 if sys.platform == "darwin" else 1024), sum(recorded)


def test_peak_memory_does_not_grow_with_the_length_of_a_streamed_run(tmp_path):
    """Eight times the length: 224 MB more to record, and a fifth of that at most to hold.

    That is for the times of all samples, 16 bytes a step beside 4000, and for what the allocator
    keeps of blocks.
    """
    (short, short_bytes), (long, long_bytes) = (
        peak_of(tmp_path / str(ms), ms) for ms in (800.0, 6400.0)
    )
    more_bytes = long_bytes - short_bytes
    assert more_bytes == 2 * 56000 * 500 * 4
    assert long - short < more_bytes / 5
    held, held_bytes = peak_of("-", 6400.0)
    assert held - short > held_bytes / 2, "this test can see what is held"


def test_what_fits_on_disk_is_not_refused_for_lack_of_memory(tmp_path, monkeypatch):
    small = jtfne.construct(config(["vm"]))
    free = estimate_memory(small, out=tmp_path / "run", chunk_steps=50).new_bytes
    monkeypatch.setattr(_memory, "available_bytes", lambda: free)
    with pytest.raises(jtfne.JtfneError, match=r"what would make it fit:.*out="):
        simulate(small, chunk_steps=50)
    with pytest.raises(jtfne.JtfneError, match=r"what would make it fit:.*a smaller chunk_steps"):
        simulate(small, out=tmp_path / "run", chunk_steps=300)
    assert not list(tmp_path.iterdir())
    assert simulate(small, out=tmp_path / "run", chunk_steps=50).get("vm").sizes["time"] == 300


@pytest.mark.parametrize("name", ["emm_proxy", "spectrolaminar_proxy"])
def test_what_is_made_of_whole_recordings_is_counted_whole(tmp_path, name):
    both = jtfne.construct(config(["lfp_proxy", name]))
    short, long = (
        estimate_memory(both, duration_ms=ms, trials=2, out=tmp_path).parts for ms in (100.0, 200.0)
    )
    kept = both.simulate(duration_ms=2.0).tree["lfp_proxy"]["lfp_proxy"].nbytes // 2  # of one row
    row_bytes = {"emm_proxy": 8, "spectrolaminar_proxy": kept}[name]
    assert (short["recordings"], long["recordings"]) == (2 * 100 * row_bytes, 2 * 200 * row_bytes)


# Rows


class Given:
    """Rows that are in memory."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, values.dtype

    def read(self, trial, start, stop):
        assert 0 <= start < stop <= self.shape[1]
        return self.values[trial, start:stop].copy()


def keys(size):
    """An index of an axis: a number, a slice or several numbers in any order."""
    numbers = st.integers(-size, size - 1)
    return (
        numbers
        | st.slices(size)
        | st.lists(numbers, max_size=4).map(lambda each: np.array(each, int))
    )


@settings(max_examples=200)
@given(st.data(), st.sampled_from([(), (3,), (2, 3)]), st.sampled_from([1, 40, 10**6]))
def test_any_part_of_rows_is_that_of_the_whole(data, rest, block_bytes):
    values = np.arange(2 * 11 * math.prod(rest), dtype=np.float32).reshape(2, 11, *rest)
    key, want = tuple(data.draw(keys(size)) for size in values.shape), values
    for axis, each in reversed([*enumerate(key)]):
        want = want[(slice(None),) * axis + (each,)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_rows, "BLOCK_BYTES", block_bytes)
        np.testing.assert_array_equal(_rows.read_part(Given(values), key), want, strict=True)
        np.testing.assert_array_equal(_rows.whole(Given(values)), values, strict=True)
        twice = _rows.MappedRows(
            Given(values), lambda kept: 2.0 * kept.reshape(*kept.shape[:2], -1)
        )
        np.testing.assert_array_equal(_rows.whole(twice), twice.change(values), strict=True)
        lazy = row_arrays.variable(tuple("abcd"[: values.ndim]), Given(values), {})
        if want.size:  # xarray 2026.9 fails over an empty slice backwards
            np.testing.assert_array_equal(
                lazy.isel(dict(zip("abcd", key, strict=False))).values, want
            )


@settings(max_examples=50)
@given(
    st.integers(1, 3),
    st.integers(0, 9),
    st.sampled_from([(), (5,), (2, 3), (0,)]),
    st.sampled_from(["<f4", ">f8", "?"]),
)
def test_a_hash_and_a_mean_do_not_depend_on_blocks(n_trials, n_rows, rest, dtype):
    values = np.random.default_rng(n_rows).normal(size=(n_trials, n_rows, *rest)).astype(dtype)
    dims = ("trial", "time", "x", "y")[: values.ndim]
    dataset = xr.Dataset({"v": (dims, values)}, {"trial": ("trial", np.arange(n_trials))})
    lazy = dataset.assign(v=row_arrays.variable(dims, Given(values), {}))
    hashes, means, seen = set(), [], []
    for block_bytes in (1, 30, 10**6):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(_rows, "BLOCK_BYTES", block_bytes)
            hashes |= {
                run_folder.dataset_hash(dataset),
                run_folder.dataset_hash(lazy, lambda *each: seen.append(each)),
            }
            means.append(run_folder.mean(lazy["v"].variable))
    assert hashes == {run_folder.dataset_hash(dataset)}
    assert sum(each.size for name, each in seen if name == "v") == 3 * values.size
    np.testing.assert_allclose(
        means, values.mean(dtype=np.float64) if values.size else np.nan, rtol=1e-6, atol=1e-9
    )
