"""A run that is stopped, anywhere and anyhow, goes on to the same bits; and nothing else is taken
for it.
"""

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import jtfne
from jtfne import _files, chunk_files, cli, folder_index, partial_run, reports, run_folder
from jtfne.emitters import PoissonSource, SpikeSource, TwoCompartment
from jtfne.net import Net
from jtfne.simulation import _stream, simulate
from jtfne.synapses import BiExponentialConductance

HERE = Path(__file__).parent
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])}
PROBES = ("spk", "vm", "source", "lfp_proxy", "eeg_proxy", "spectrolaminar_proxy")
INPUT = jtfne.Paradigm.poisson(
    target="E", rate_Hz=800.0, weight_pA=40.0, start_ms=3.0
) + jtfne.Paradigm.pulse(target="PV", start_ms=5.0, duration_ms=4.0, amplitude=3.0)
CHUNKS = 4  # in each of two trials
ASKED = {"trials": 2, "chunk_steps": 80}  # whole blocks of eight samples of 1 ms
# axes of a chunk
ROWS = {"vm": 2, "source": 3, "lfp_proxy": 2, "eeg_proxy": 2, "spectrolaminar_proxy": 2}
RUN = [run_folder.MANIFEST, run_folder.SIGNALS, run_folder.SPIKES]


def config(**run):
    """40 noisy cells with Poisson input and delays up to 8 ms, so that a ring in mid-flight must be
    kept.
    """
    delay_ms = {"kind": "Uniform", "low": 0.5, "high": 8.0}
    edges = [("E", "PV", "AMPA", 150.0), ("PV", "E", "GABA_A", -80.0)]
    rule = {"kind": "FixedProbability", "p": 0.4}
    return (
        jtfne.Config()
        .runtime(**{"seed": 4, "duration_ms": 32.0, **run})
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells({"E": 0.75, "PV": 0.25}, n=40)
        .cell_params({"E": {"drive": 8.0, "noise": 4.0}, "PV": {"drive": 6.0, "noise": 3.0}})
        .connections(
            [
                {
                    "source": s,
                    "target": t,
                    "mechanism": m,
                    "weight": w,
                    "rule": rule,
                    "delay_ms": delay_ms,
                }
                for s, t, m, w in edges
            ]
        )
        .probes(list(PROBES))
    )


def hashes(signals):
    """What may not differ."""
    return {
        name: each["sha256"] for name, each in signals.manifest["readouts"].items()
    } | signals.manifest["tables"]


@pytest.fixture(scope="module")
def net():
    return jtfne.construct(config())


@pytest.fixture(scope="module")
def whole(net):
    """The run that nothing stops, in memory."""
    signals = simulate(net, INPUT, **ASKED)
    assert set(signals.spikes["trial"]) == {0, 1} and len(signals.spikes) > 50
    return hashes(signals)


class Stop(BaseException):
    """What ends a run here."""


def stopped(monkeypatch, out, net, *, after, error=Stop, **asked):
    """Leave the first `after` chunks of a run in `out`."""
    put = partial_run.PartialRun.write_chunk

    def failing(self, *args, **kwargs):
        if self.n_chunks == after:
            raise error
        put(self, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(partial_run.PartialRun, "write_chunk", failing)
        with pytest.raises(error):
            simulate(net, out=out, **{"paradigm": INPUT, **ASKED, **asked})


def row_files(number):
    """Where the rows of a chunk lie."""
    return [f"rows.zarr/{name}/{number}{'.0' * n_axes}" for name, n_axes in ROWS.items()]


def files_of(out):
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file()
    }


def test_a_streamed_run_leaves_what_save_does(net, whole, tmp_path):
    streamed = simulate(net, INPUT, out=tmp_path / "deep" / "run", **ASKED)
    kept = simulate(net, INPUT, **ASKED)
    kept.save(tmp_path / "saved")
    assert hashes(streamed) == hashes(kept) == whole
    assert sorted(path.name for path in (tmp_path / "deep" / "run").iterdir()) == RUN
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]
    loaded = jtfne.load(tmp_path / "deep" / "run")
    assert loaded.manifest == streamed.manifest
    assert loaded.manifest["files"] == jtfne.load(tmp_path / "saved").manifest["files"], (
        "the same bytes"
    )


@pytest.mark.parametrize("after", range(2 * CHUNKS))
def test_stopped_at_any_chunk_it_resumes_to_the_same_bits(net, whole, tmp_path, monkeypatch, after):
    out = tmp_path / "run"
    stopped(monkeypatch, out, net, after=after)
    assert out.exists() == (after > 0), "a run without a chunk leaves nothing"
    if after:
        kept = {
            f"partial/{name}"
            for k in range(after)
            for name in [f"spikes_{k:08d}.parquet", *row_files(k)]
        }
        about = {
            f"partial/rows.zarr/{name}/{file}" for name in ROWS for file in (".zarray", ".zattrs")
        }
        # a trial starts afresh
        state = {f"partial/carry_{after - 1:08d}.npz"} if after % CHUNKS else set()
        assert set(files_of(out)) == {
            "partial/index.json",
            "partial/rows.zarr/.zgroup",
            *about,
            *kept,
            *state,
        }
        with pytest.raises(jtfne.JtfneError, match=r"manifest\.json"):
            jtfne.load(out)
    # its own chunks stay
    assert hashes(simulate(net, INPUT, out=out, **{**ASKED, "chunk_steps": 1000})) == whole
    assert sorted(path.name for path in out.iterdir()) == RUN
    assert hashes(jtfne.load(out)) == whole


def test_stopped_again_and_again(net, whole, tmp_path, monkeypatch):
    for after in range(1, 2 * CHUNKS):
        stopped(monkeypatch, tmp_path / "run", net, after=after)
    assert hashes(simulate(net, INPUT, out=tmp_path / "run", **ASKED)) == whole


def test_double_precision_resumes_as_well(tmp_path, monkeypatch):
    net = jtfne.construct(config(dtype="float64"))
    stopped(monkeypatch, tmp_path / "run", net, after=2)
    assert hashes(simulate(net, INPUT, out=tmp_path / "run", **ASKED)) == hashes(
        simulate(net, INPUT, **ASKED)
    )


def sourced():
    """Cells of two compartments that only spike sources drive, drawn ones and recorded ones, onto
    soma and dendrite.
    """
    tapes = [[0.5 + cell + 3.0 * k for k in range(10)] for cell in range(5)]
    edges = [("drawn", "tuft", 6.0), ("taped", "soma", 25.0)]
    rule = {"kind": "FixedIndegree", "n": 4}
    kinetics = {"tau_rise_ms": 0.5, "tau_decay_ms": 5.0, "e_rev_mV": 0.0}
    return (
        jtfne.Config()
        .runtime(seed=4, duration_ms=32.0)
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 20, "drawn": 10, "taped": 5})
        .emitters(
            {
                "E": TwoCompartment(),
                "drawn": PoissonSource(rate_Hz=200.0),
                "taped": SpikeSource(times_ms=tapes),
            }
        )
        .mechanisms(
            {
                name: BiExponentialConductance(**kinetics, dendrite_share=share)
                for name, share in (("soma", 0.0), ("tuft", 1.0))
            }
        )
        .connections(
            [
                {"source": s, "target": "E", "mechanism": m, "weight": w, "rule": rule}
                for s, m, w in edges
            ]
        )
        .probes(["spk", "vm", "dipole"])
    )


@pytest.mark.parametrize("after", [1, 5])
def test_spike_sources_resume_to_the_same_bits(tmp_path, monkeypatch, after):
    """Neither what is drawn nor what is replayed hangs on where a run went on."""
    net = jtfne.construct(sourced())
    whole = simulate(net, trials=2, chunk_steps=80)
    fired = whole.spikes.groupby("cell_type", observed=True).size()
    assert set(fired.index) == {"E", "drawn", "taped"} and fired.min() > 20
    stopped(monkeypatch, tmp_path / "run", net, after=after, paradigm=None)
    resumed = simulate(net, out=tmp_path / "run", trials=2, chunk_steps=80)
    assert hashes(resumed) == hashes(whole)
    assert np.ptp(whole.get("dipole").values) > 0.0


def test_stopped_while_the_run_folder_is_written(net, whole, tmp_path, monkeypatch):
    def failing(*args):
        raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(partial_run, "write_run", failing)
        with pytest.raises(Stop):
            simulate(net, INPUT, out=tmp_path / "run", **ASKED)
    monkeypatch.setattr(_stream.engine, "advance_jit", failing)  # nothing is left to simulate
    assert hashes(simulate(net, INPUT, out=tmp_path / "run", **ASKED)) == whole


OTHERS = {
    "seed": {"seed": 5},
    "trials": {"trials": 3},
    "duration_ms": {"duration_ms": 30.0},
    "dt_ms": {"dt_ms": 0.05},
    "paradigm_sha256": {"paradigm": INPUT.at(1.0)},
    "config_sha256": {"net": lambda net: jtfne.construct(net.config.probes(["spk"]))},
    "dtype": {"net": lambda net: jtfne.construct(config(dtype="float64"))},
    "net_sha256": {"net": lambda net: Net(net.config, net.identity, net.projections[:1])},
}


@pytest.mark.parametrize("differs", OTHERS)
def test_another_run_is_refused_by_name(net, tmp_path, monkeypatch, differs):
    out = tmp_path / "run"
    stopped(monkeypatch, out, net, after=3)
    before = files_of(out)
    asked = {"paradigm": INPUT, **ASKED, **OTHERS[differs]}
    other = asked.pop("net", lambda net: net)(net)
    with pytest.raises(
        jtfne.JtfneError, match=f"holds a part of another run.*{differs}:.* there,.* here"
    ):
        simulate(other, **asked, out=out)
    assert files_of(out) == before


def test_another_version_of_the_folder_is_refused(net, tmp_path, monkeypatch):
    stopped(monkeypatch, tmp_path / "run", net, after=3)
    before = files_of(tmp_path)
    monkeypatch.setattr(partial_run, "VERSION", "99")
    with pytest.raises(jtfne.JtfneError, match="version of the folder: '2' there, '99' here"):
        simulate(net, INPUT, out=tmp_path / "run", **ASKED)
    assert files_of(tmp_path) == before


def test_another_version_is_refused(net, tmp_path, monkeypatch):
    stopped(monkeypatch, tmp_path / "run", net, after=3)
    monkeypatch.setattr(jtfne, "__version__", "99.0")
    with pytest.raises(jtfne.JtfneError, match=r"jtfne: '.*' there, '99\.0' here"):
        simulate(net, INPUT, out=tmp_path / "run", **ASKED)


def test_other_code_under_the_same_version_is_refused(net, tmp_path, monkeypatch):
    stopped(monkeypatch, tmp_path / "run", net, after=3)
    monkeypatch.setattr(reports._base, "hash_files", lambda: "0123456789abcdef")
    with pytest.raises(jtfne.JtfneError, match=r"jtfne_files: '.*' there, '0123456789abcdef' here"):
        simulate(net, INPUT, out=tmp_path / "run", **ASKED)


def test_anything_but_a_part_of_a_run_is_refused(net, tmp_path):
    simulate(net, INPUT, out=tmp_path / "finished", **ASKED)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    before = files_of(tmp_path)
    for name, said in {
        "finished": "holds a finished run; expected a new folder; jtfne.load",
        "notes": "holds other files",
        "notes/mine.txt": "is a file",
        "notes/mine.txt/run": "below a file",
    }.items():
        with pytest.raises(jtfne.JtfneError, match=said):
            simulate(net, INPUT, out=tmp_path / name, **ASKED)
    assert files_of(tmp_path) == before
    (tmp_path / "empty").mkdir()
    simulate(net, INPUT, out=str(tmp_path / "empty"), **ASKED)
    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == RUN


ALTERED = {
    "rows.zarr/vm/1.0.0": "chunk 1 of '.*partial'",
    "rows.zarr/source/0.0.0.0": "chunk 0 of '.*partial'",
    "spikes_00000002.parquet": "chunk 2 of '.*partial'",
    "carry_00000002.npz": "carry_00000002.npz'",
    "index.json": "index.json'",
}


@pytest.mark.parametrize("name", ALTERED)
@pytest.mark.parametrize("how", ["altered", "cut short", "lost"])
def test_what_is_not_as_it_was_written_is_refused(net, tmp_path, monkeypatch, name, how):
    out = tmp_path / "run"
    stopped(monkeypatch, out, net, after=3)
    path = out / "partial" / name
    found = path.read_bytes()
    if how == "lost" and name == "index.json":
        path.write_text("{}")
    elif how == "lost":
        path.unlink()
    else:
        path.write_bytes(
            found[:-9]
            if how == "cut short"
            else found[:-41] + bytes([found[-41] ^ 1]) + found[-40:]
        )
    before = files_of(out)
    named = f"{name}'" if how == "lost" else ALTERED[name]
    with pytest.raises(jtfne.JtfneError, match=f"{named}, which was cut short, altered or lost"):
        simulate(net, INPUT, out=out, **ASKED)
    assert files_of(out) == before


@pytest.mark.parametrize("after", [1, 3])
def test_a_part_that_lost_its_index_is_refused_if_it_holds_more_than_a_chunk(
    net, whole, tmp_path, monkeypatch, after
):
    out = tmp_path / "run"
    stopped(monkeypatch, out, net, after=after)
    (out / "partial" / "index.json").unlink()
    before = files_of(out)
    if after == 1:  # as a kill within the first chunk leaves it
        assert hashes(simulate(net, INPUT, out=out, **ASKED)) == whole
        return
    with pytest.raises(
        jtfne.JtfneError, match=r"index\.json', which was cut short, altered or lost"
    ):
        simulate(net, INPUT, out=out, **ASKED)
    assert files_of(out) == before


@pytest.mark.parametrize("with_index", [True, False])
@pytest.mark.parametrize(
    "name", ["thesis.txt", "index.json.bak", "chunk_00000000.npz", "rows.zarr.old/vm"]
)
def test_a_foreign_folder_called_partial_is_refused(net, tmp_path, monkeypatch, with_index, name):
    out = tmp_path / "run"
    if with_index:
        stopped(monkeypatch, out, net, after=1)
    (out / "partial" / name).parent.mkdir(parents=True, exist_ok=True)
    (out / "partial" / name).write_text("mine")
    before = files_of(out)
    with pytest.raises(jtfne.JtfneError, match="partial', which holds other files"):
        simulate(net, INPUT, out=out, **ASKED)
    (out / "manifest.json").write_text("{}")
    with pytest.raises(jtfne.JtfneError, match="holds a finished run"):
        simulate(net, INPUT, out=out, **ASKED)
    (out / "manifest.json").unlink()
    assert files_of(out) == before


def test_what_a_kill_left_unlisted_is_cleared(net, whole, tmp_path, monkeypatch):
    out = tmp_path / "run"
    stopped(monkeypatch, out, net, after=3)
    unlisted = ["spikes_00000003.parquet", "carry_00000003.npz", "index.json.tmp", *row_files(3)]
    for name in (*unlisted, f"{row_files(4)[0]}.tmp"):
        (out / "partial" / name).write_bytes(b"torn")
    (out / "partial" / ".finished.abc").mkdir()
    (out / "signals.zarr").mkdir()  # it was killed between two renames
    (out / ".lock").touch()
    assert hashes(simulate(net, INPUT, out=out, **ASKED)) == whole
    assert sorted(path.name for path in out.iterdir()) == RUN


AT_FIRST = (".zgroup", ".zarray", "0.0.0", "spikes_00000000", "carry_00000000", "index.json")
LATER = ("3.0.0", "6.0.0.0", "spikes_00000003", "carry_00000005", "index.json")


@pytest.mark.parametrize("full_at", [*(f"first {name}" for name in AT_FIRST), *LATER])
def test_a_full_disk_loses_no_chunk(net, whole, tmp_path, monkeypatch, full_at):
    out, write, n_listed_here = tmp_path / "run", chunk_files.write_durably, []
    early, name = full_at.startswith("first "), full_at.removeprefix("first ")

    def torn(stream):
        stream.write(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full(writes):
        if early or len(n_listed_here) >= 3:
            writes = {
                path: torn if path.name.startswith(name) else write
                for path, write in writes.items()
            }
        write(writes)
        n_listed_here.extend(path for path in writes if path.name == "index.json")

    with monkeypatch.context() as patched:
        for module in (chunk_files, folder_index):
            patched.setattr(module, "write_durably", full)
        with pytest.raises(
            OSError, match=r"No space left on device; the \d chunks before are kept"
        ) as refused:
            simulate(net, INPUT, out=out, **ASKED)
    assert refused.value.errno == errno.ENOSPC and f"the {len(n_listed_here)} chunks" in str(
        refused.value
    )
    assert n_listed(out) == len(n_listed_here) >= (0 if early else 3)
    assert early or not list(out.rglob("*.tmp"))
    assert hashes(simulate(net, INPUT, out=out, **ASKED)) == whole


@pytest.mark.parametrize(
    "part", ["write_spikes", "write_tree", "_describe_file", "_sync", "rename"]
)
def test_a_disk_that_is_full_in_the_end_loses_nothing(net, whole, tmp_path, monkeypatch, part):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out, rename = tmp_path / "run", Path.rename
    with monkeypatch.context() as patched:
        if part == "rename":  # into its place, of the second of three
            at = out / run_folder.SPIKES
            patched.setattr(
                Path, "rename", lambda self, to: full() if to == at else rename(self, to)
            )
        else:
            patched.setattr(run_folder, part, full)
        with pytest.raises(OSError, match="No space left on device; the 8 chunks before are kept"):
            simulate(net, INPUT, out=out, **ASKED)
    assert n_listed(out) == 2 * CHUNKS
    monkeypatch.setattr(_stream.engine, "advance_jit", full)  # nothing is left to simulate
    assert hashes(simulate(net, INPUT, out=out, **ASKED)) == whole
    assert hashes(jtfne.load(out)) == whole


LIMITED = textwrap.dedent(
    """
    import resource, sys
    import jtfne
    from test_resume import ASKED, INPUT, config
    from jtfne.simulation import simulate
    net = jtfne.construct(config(duration_ms=128.0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    simulate(net, INPUT, **ASKED, out=sys.argv[1])
    """
)


def test_a_kernel_that_refuses_to_write_on_loses_no_chunk(tmp_path, monkeypatch):
    """A limit on the size of a file: less than a chunk's rows take, or what `partial/` takes, which
    the end passes.
    """
    net = jtfne.construct(config(duration_ms=128.0))
    whole = hashes(simulate(net, INPUT, **ASKED))
    stopped(monkeypatch, tmp_path / "seen", net, after=15)
    largest = max(map(len, files_of(tmp_path / "seen").values()))
    assert largest < 4 * 40 * 1280 / 2, (
        "less than a block of vm in the end, if that is compressed by half"
    )
    for limit_bytes, n_kept in ((4 * 40 * 80 - 1, 0), (largest + 1000, 32)):
        out = tmp_path / str(limit_bytes)
        command = [sys.executable, "-c", LIMITED, str(out), str(limit_bytes)]
        # The limit holds for bytecode too, which Python would store cut short and others would read.
        env = ENV | {"PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        assert (
            done.returncode == 1
            and f"File too large; the {n_kept} chunks before are kept" in done.stderr
        )
        assert n_listed(out) == n_kept and out.exists() == (n_kept > 0)
        assert hashes(simulate(net, INPUT, out=out, **ASKED)) == whole


def test_a_full_disk_in_the_middle_of_a_file_leaves_the_old_one(tmp_path):
    (tmp_path / "index.json").write_text("old")

    def half(stream):
        stream.write(b"new, in ")
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        chunk_files.write_durably(
            {tmp_path / "new": lambda stream: stream.write(b"new"), tmp_path / "index.json": half}
        )
    assert files_of(tmp_path) == {"index.json": b"old"}


def test_a_run_away_leaves_nothing_to_resume(tmp_path):
    at_the_end = config().connections([]).probes(["spk"]).runtime(dt_ms=1.0, duration_ms=300.0)
    at_the_end = at_the_end.cell_params({"E": {"a": 3.0, "drive": 20.0}})
    in_a_field = config().cell_params({"E": {"drive": 1e30}})
    for wild, said in (
        (at_the_end, "potential of.* is not finite"),
        (in_a_field, "holds NaN or infinity"),
    ):
        with pytest.raises(jtfne.JtfneError, match=said):
            simulate(jtfne.construct(wild), INPUT, out=tmp_path / "run", **ASKED)
    assert not list(tmp_path.iterdir())


def test_a_folder_in_use_is_refused(net, whole, tmp_path, monkeypatch):
    out = tmp_path / "run"
    stopped(monkeypatch, out, net, after=3)
    before = files_of(out)
    with _files.hold_folder(out, "test"):
        with pytest.raises(jtfne.JtfneError, match="in use"):
            simulate(net, INPUT, out=out, **ASKED)
        holder = "import sys; from pathlib import Path; from jtfne import _files\n"
        holder += "with _files.hold_folder(Path(sys.argv[1]), 'test'): print('mine')"
        command = [sys.executable, "-c", holder, str(out)]
        other = subprocess.run(command, env=ENV, capture_output=True, text=True)
        assert other.returncode == 1 and "in use" in other.stderr
    assert files_of(out) == before
    assert subprocess.run(command, env=ENV, capture_output=True, text=True).stdout == "mine\n"
    assert hashes(simulate(net, INPUT, out=out, **ASKED)) == whole


EVERY_STEP = textwrap.dedent(
    """
    import os, sys
    from pathlib import Path
    import numpy as np
    import xarray as xr
    from jtfne import partial_run, run_folder

    root, run = Path(sys.argv[1]), {"seed": 1}
    def arrays(k): return {"rows": np.arange(k, k + 5.0), "wide": np.arange(k, k + 8.0).reshape(4, 2)}
    def spikes(k): return {"step": np.arange(k), "row": np.arange(k, dtype=np.int32)}
    vm = xr.Dataset({"vm": (("trial", "time"), [[1.0, 2.0]])})
    tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs={"n_trials": 1}), "vm": vm})

    def write(out, acknowledged, dies_at):
        calls = []
        def dying(call):
            def called(*args, **kwargs):
                calls.append(call)
                if len(calls) == dies_at:
                    os._exit(9)
                return call(*args, **kwargs)
            return called
        for name in ("fsync", "rename", "replace", "unlink", "mkdir"):
            setattr(os, name, dying(getattr(os, name)))
        with partial_run.open_partial_run(out, run, 7) as partial:
            for k in range(partial.n_chunks, 3):
                partial.write_chunk(arrays(k), spikes(k), arrays(-k) if k < 2 else None, of=3)
                acknowledged.write_text(str(k + 1))
            partial.finish(tree, {"files": []})
        os._exit(0)

    dies_at, statuses = 0, []
    while 0 not in statuses:
        dies_at += 1
        out, acknowledged = root / str(dies_at), root / f"{dies_at}.txt"
        child = os.fork()
        if child == 0:
            write(out, acknowledged, dies_at)
        statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        n_acknowledged = int(acknowledged.read_text() or 0) if acknowledged.exists() else 0
        if (out / "manifest.json").exists():
            assert n_acknowledged == 3
            continue
        with partial_run.open_partial_run(out, run, 99) as partial:
            assert n_acknowledged <= partial.n_chunks <= n_acknowledged + 1
            assert partial.chunk_steps == (7 if partial.n_chunks else 99)
            for k in range(partial.n_chunks):
                for name, values in arrays(k).items():
                    np.testing.assert_array_equal(partial.files.rows(name, k, 1, 4), values[1:4])
            found = partial.files.spikes(partial.n_chunks)
            for name, values in found.items():
                want = np.concatenate([spikes(k)[name] for k in range(partial.n_chunks)])
                np.testing.assert_array_equal(values, want)
            if 0 < partial.n_chunks < 3:
                np.testing.assert_array_equal(partial.carry()["rows"], arrays(-partial.n_chunks + 1)["rows"])
            for k in range(partial.n_chunks, 3):
                partial.write_chunk(arrays(k), spikes(k), None, of=3)
            partial.finish(tree, {"files": []})
        assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "signals.zarr"]
        run_folder.read_run(out, run_folder.read_manifest(out))
    assert statuses.count(9) == len(statuses) - 1, statuses
    print(len(statuses))
    """
)


def test_a_process_that_dies_at_any_call_to_the_disk_loses_one_chunk_at_most(tmp_path):
    """Every fsync, rename and unlink of a whole run in turn is the last thing that a process
    does.
    """
    done = subprocess.run(
        [sys.executable, "-c", EVERY_STEP, str(tmp_path)], env=ENV, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40


CHILD = textwrap.dedent(
    """
    import sys
    import jtfne
    from test_resume import INPUT, config
    from jtfne.simulation import simulate
    net = jtfne.construct(config(duration_ms=200.0))
    print("ready", flush=True)
    simulate(net, INPUT, trials=2, chunk_steps=20, out=sys.argv[1])
    """
)


def killed(out, delay_s):
    """Run CHILD, and kill it `delay_s` after its first new chunk; whether it was still alive."""
    began = n_listed(out)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(out)], env=ENV, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline() == "ready\n"
        while child.poll() is None and n_listed(out) == began:
            time.sleep(0.002)
        time.sleep(delay_s)
    finally:
        child.kill()
        code = child.wait()
        child.stdout.close()
    assert code in (0, -9)
    return code == -9


def n_listed(out):
    """The chunks that are listed, -1 when the run is finished."""
    if (out / run_folder.MANIFEST).exists():
        return -1
    path = out / "partial" / "index.json"
    try:
        return len(json.loads(path.read_text())["chunks"])
    except FileNotFoundError:
        return 0


@pytest.mark.parametrize(
    ("n_kills", "longest_s"), [(3, 0.15), pytest.param(40, 1.5, marks=pytest.mark.slow)]
)
def test_killed_at_random_moments_it_ends_with_the_same_hashes(tmp_path, n_kills, longest_s):
    """Real processes, SIGKILL; each goes on from where the last was killed, and a finished run
    begins a new folder.
    """
    net, draw = jtfne.construct(config(duration_ms=200.0)), random.Random(n_kills)
    whole = hashes(simulate(net, INPUT, trials=2))
    out, kills, seen = tmp_path / "run", 0, 0
    for _ in range(n_kills * 3):
        alive = killed(out, draw.uniform(0.0, longest_s))
        kills += alive
        found = n_listed(out)
        assert found == -1 or found > seen, "no listed chunk is ever lost"
        seen = found
        if kills == n_kills:
            break
        if found == -1:
            assert hashes(jtfne.load(out)) == whole
            shutil.rmtree(out)
            seen = 0
    assert kills == n_kills
    if seen != -1:
        assert hashes(simulate(net, INPUT, trials=2, out=out)) == whole
    assert hashes(jtfne.load(out)) == whole


def killed_at_the_end(out, delay_s, sign):
    """Run CHILD where all chunks are listed, and kill it `delay_s` after a file like `sign`;
    whether it was in time.
    """
    before = {*out.glob("partial/.jtfne-*.tmp")}
    (out / partial_run.LOCK).unlink(missing_ok=True)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(out)], env=ENV, stdout=subprocess.PIPE, text=True
    )
    try:
        while child.poll() is None and not {*out.glob(sign)} - before:
            time.sleep(0.001)
        time.sleep(delay_s)
    finally:
        child.kill()
        code = child.wait()
        child.stdout.close()
    assert code in (0, -9)
    return code == -9


def contents(folder):
    """Path within `folder` -> bytes of each file."""
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("n_kills", "longest_s"), [(2, 0.2), pytest.param(30, 1.0, marks=pytest.mark.slow)]
)
def test_killed_while_the_run_folder_is_written_it_ends_with_the_same_hashes(
    tmp_path, monkeypatch, n_kills, longest_s
):
    """As above, but each process finds all chunks, has the end to do, and is killed at a random
    moment of it.
    """
    net, draw = jtfne.construct(config(duration_ms=200.0)), random.Random(n_kills)
    whole, out, kills = hashes(simulate(net, INPUT, trials=2)), tmp_path / "run", 0

    def stop(*args):
        raise Stop

    with monkeypatch.context() as patched, pytest.raises(Stop):
        patched.setattr(partial_run, "write_run", stop)
        simulate(net, INPUT, trials=2, chunk_steps=20, out=out)
    chunks = contents(out / "partial")
    shutil.copytree(out, tmp_path / "kept")
    for k in range(n_kills * 3):
        kills += killed_at_the_end(
            out, draw.uniform(0.0, longest_s), (".lock", "partial/.jtfne-*.tmp")[k % 2]
        )
        if n_listed(out) == -1:  # the manifest was there before the kill
            assert hashes(jtfne.load(out)) == whole
            shutil.rmtree(out)
            shutil.copytree(tmp_path / "kept", out)
        else:
            there = contents(out / "partial")
            assert chunks.items() <= there.items(), "no chunk is touched before the run is whole"
        if kills == n_kills:
            break
    assert kills == n_kills
    assert hashes(simulate(net, INPUT, trials=2, out=out)) == whole
    assert sorted(path.name for path in out.iterdir()) == RUN


@pytest.fixture
def call(monkeypatch, capsys):
    """Run `jtfne ARGS`: exit code and what it printed."""

    def called(*args):
        monkeypatch.setattr(sys, "argv", ["jtfne", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    return called


def test_the_command_line_resumes(call, tmp_path, monkeypatch):
    path = config(duration_ms=300.0).to_file(tmp_path / "circuit.toml")
    asked = ("run", path, "-o", tmp_path / "out")
    room, put = tmp_path / ".out.partial", partial_run.PartialRun.write_chunk
    whole = hashes(jtfne.construct(jtfne.Config.from_file(path)).simulate())

    def full(self, *args, **kwargs):
        if self.n_chunks == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(self, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(partial_run.PartialRun, "write_chunk", full)
        code, said = call(*asked)
    assert code == 1 and "No space left" in said and "Traceback" not in said
    assert not (tmp_path / "out").exists() and n_listed(room) == 2
    for other in (asked, (*asked, "--seed", "9")):
        code, said = call(*other)
        assert code == 2 and "--resume" in said and ".out.partial" in said
    code, said = call(*asked, "--seed", "9", "--resume")
    assert code == 2 and "another run" in said and "seed: 4 there, 9 here" in said

    def no_figures(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(jtfne.analysis, "write_report", no_figures)
        assert call(*asked, "--resume")[0] == 1
    assert n_listed(room) == -1 and (room / "figures").is_dir()
    code, said = call(*asked, "--seed", "9", "--resume")
    assert code == 2 and "another run" in said
    code, said = call(*asked, "--resume")
    assert code == 0 and "report.html" in said, said
    assert {path.name for path in tmp_path.iterdir()} == {"circuit.toml", "out"}
    assert hashes(jtfne.load(tmp_path / "out")) == whole
    there = {path.name for path in (tmp_path / "out").iterdir()}
    assert there == {
        *RUN,
        "config.json",
        "figures",
        "report.html",
        "eeg_proxy_raw.fif",
        "lfp_proxy_raw.fif",
    }
    code, said = call(*asked, "--resume")
    assert code == 2 and "not empty" in said


def test_resume_without_a_part_begins_a_run(call, tmp_path):
    path = config().probes(["spk", "vm"]).to_file(tmp_path / "circuit.toml")
    code, said = call("run", path, "-o", tmp_path / "out", "--resume")
    assert code == 0, said
    np.testing.assert_array_equal(
        jtfne.load(tmp_path / "out").get("vm"),
        jtfne.construct(jtfne.Config.from_file(path)).simulate().get("vm"),
    )
