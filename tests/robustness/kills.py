"""Kills in every phase that writes, and flipped bits in everything that is written:
`python tests/robustness/kills.py`.

A process that has imported all forks a child for each kill, before JAX has started anything. A
child ends itself by SIGKILL at a drawn operation on the file system (Python's audit events tell of
them), or its parent ends it after a drawn time. Then another child looks at what is there, and does
the same once more to its end: nothing may be lost but the chunk in flight, and what comes out must
be equal. A line of JSON for each kill and flip goes to `--log`.
"""

import argparse
import collections
import functools
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import jtfne
from jtfne import analysis, cli, interop, partial_run, run_folder
from jtfne._files import TEMPORARY
from jtfne.chunk_files import ChunkFiles
from jtfne.trainer import open_parts

LAZY = (
    "h5netcdf",
    "matplotlib.backends.backend_agg",
    "mne",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "xarray",
    "zarr",
)
EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree"}
TIMED = 0.3  # the share of kills that come after a time, not at an operation
LIMIT_s = 300.0  # for a child; longer is a hang, which counts as a fault
# of all kills: these start JAX; the others share the rest
SHARES = {"run": 0.06, "sweep": 0.02, "train": 0.02}


class Phase(NamedTuple):
    """What writes.

    target: what is there when it is done. write: makes it. read: what it holds, raises if it is not
    whole. prepare: lays into the folder what must be there before.
    """

    target: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    prepare: Callable[[Path], object] = str


def renew(folder: Path, phase: Phase) -> None:
    """Empty the folder in which a phase is to write."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    phase.prepare(folder)


class Room:
    """What all phases work on, made once: a config, a circuit, a finished run, a training."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signals: Any = None
        self.net: Any = None

    def prepare(self) -> None:
        """Run once, in a child, what the others read."""
        net = jtfne.construct(config())
        net.save(self.folder / "net")
        jtfne.simulate(net, progress=False).save(self.folder / "run")

    def open(self) -> None:
        """Read it, without JAX."""
        self.signals = jtfne.load(self.folder / "run")
        self.net = jtfne.Net.open(self.folder / "net")


def config() -> jtfne.Config:
    """40 noisy cells with delays of up to 8 ms, in two trials of 32 ms, and a score to tune."""
    rule = {"kind": "FixedProbability", "p": 0.4}
    edge = {"source": "E", "target": "PV", "mechanism": "AMPA", "weight": 150.0, "rule": rule}
    return (
        jtfne.Config()
        .runtime(seed=4, duration_ms=32.0)
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells({"E": 0.75, "PV": 0.25}, n=40)
        .cell_params({"E": {"drive": 8.0, "noise": 4.0}, "PV": {"drive": 6.0, "noise": 3.0}})
        .connections([edge | {"delay_ms": {"kind": "Uniform", "low": 0.5, "high": 8.0}}])
        .probes(["spk", "vm", "lfp_proxy"])
    )


def score_rate() -> Any:
    """An objective: that cells of type E fire at 8 Hz."""
    from jtfne.config import Metric
    from jtfne.measures import MeanRate
    from jtfne.objective import Objective

    return Objective([Metric(measure=MeanRate(), cells="E", target=8.0, scale=8.0, name="E")])


def hashes(signals: Any) -> Any:
    """What may not differ."""
    return {name: entry["sha256"] for name, entry in signals.manifest["readouts"].items()}


def phases(room: Room) -> dict[str, Phase]:
    """Every phase by name."""

    def tune(folder: Path) -> object:
        path = {"path": "cells.E.drive", "bounds": (2.0, 12.0)}
        search = jtfne.optimizers.RandomSearch(n=2)
        trainer = jtfne.Trainer(score_rate(), optimizer=search, trainables=[path], budget=6)
        return trainer.fit(jtfne.construct(config()), folder / "out", progress=False)

    def lay_run(folder: Path) -> None:
        shutil.copytree(room.folder / "run", folder / ".out.partial")

    def finish(folder: Path) -> None:
        """The end of `jtfne run`: FIF files, figures and the report of a run that is whole."""
        path = config().to_file(folder / "config.json")
        cli.app(
            ["run", str(path), "-o", str(folder / "out"), "--resume", "--json"],
            standalone_mode=False,
        )

    def read_fif(path: Path) -> object:
        import mne

        return mne.io.read_raw_fif(path, verbose="error").get_data().shape

    def names_in(path: Path) -> object:
        return sorted(each.relative_to(path).as_posix() for each in path.rglob("*"))

    def read_pngs(path: Path) -> object:
        assert all(each.read_bytes().endswith(b"IEND\xaeB`\x82") for each in path.glob("*.png")), (
            "a PNG cut short"
        )
        return names_in(path)

    def read_html(path: Path) -> object:
        assert path.read_text().endswith("</html>\n"), "a report cut short"
        return True

    def read_sweep(path: Path) -> object:
        import xarray as xr

        with xr.open_dataset(path / "sweep.nc", engine="h5netcdf") as dataset:
            return dataset["rate_Hz"].values.tolist()

    def read_training(path: Path) -> object:
        return (path / "history.csv").read_text()

    def run(folder: Path) -> object:
        net = jtfne.construct(config())
        return jtfne.simulate(net, trials=2, chunk_steps=80, out=folder / "out", progress=False)

    def vary(folder: Path) -> object:
        values = {"cells.E.drive": [2.0, 4.0, 8.0]}
        return jtfne.sweep(
            jtfne.construct(config()), values, [0, 1, 2, 3], out=folder / "out", progress=False
        )

    def read_end(path: Path) -> object:
        return hashes(jtfne.load(path)), names_in(path / "figures")

    signals, net = room.signals, room.net
    return {
        "save": Phase("out", signals.save, lambda path: hashes(jtfne.load(path))),
        "net": Phase("out", net.save, lambda path: jtfne.Net.open(path).n_edges),
        "config": Phase(
            "a.toml", lambda p: config().to_file(p), lambda path: jtfne.Config.from_file(path).hash
        ),
        "netcdf": Phase(
            "a.nc",
            lambda p: interop.to_netcdf(signals, p),
            lambda p: hashes(interop.from_netcdf(p)),
        ),
        "zarr": Phase(
            "a", lambda p: interop.to_zarr(signals, p), lambda p: hashes(interop.from_zarr(p))
        ),
        "parquet": Phase(
            "a", lambda p: interop.write_parquet(signals, p), lambda p: interop.from_parquet(p).size
        ),
        "sonata": Phase("a", lambda p: interop.to_sonata(signals, p, net=net), names_in),
        "fif": Phase("a_raw.fif", lambda p: interop.write_fif(signals, "lfp_proxy", p), read_fif),
        "figures": Phase("a", lambda p: analysis.figures.save_all(signals, p), read_pngs),
        "report": Phase("a.html", lambda p: analysis.write_report(signals, p, []), read_html),
        "end of jtfne run": Phase("out", lambda p: finish(p.parent), read_end, lay_run),
        "run": Phase(
            "out/manifest.json",
            lambda p: run(p.parent.parent),
            lambda p: hashes(jtfne.load(p.parent)),
        ),
        "sweep": Phase(
            "out/sweep.nc", lambda p: vary(p.parent.parent), lambda p: read_sweep(p.parent)
        ),
        "train": Phase(
            "out/history.csv", lambda p: tune(p.parent.parent), lambda p: read_training(p.parent)
        ),
    }


def in_child(work: Callable[[], object], kill_after_s: float | None = None) -> tuple[int, Any]:
    """Exit status (-9 if killed) and what `work` gave, done in a fork; ended after LIMIT_s."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        code, silence = 1, Path(os.devnull).open("w")  # noqa: SIM115 (open until the child ends)
        try:
            sys.stdout = sys.stderr = silence
            text = json.dumps(work(), default=str)
            code = 0
        except BaseException as error:  # noqa: BLE001 (whatever ends a child is told to its parent)
            text = json.dumps(f"{type(error).__name__}: {error}"[:2000])
        os.write(write, text.encode()[:60_000])
        os._exit(code)
    os.close(write)
    began_s, status = time.monotonic(), None
    while status is None:
        done, raw = os.waitpid(child, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(raw)
        elif time.monotonic() - began_s > (LIMIT_s if kill_after_s is None else kill_after_s):
            os.kill(child, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        else:
            time.sleep(0.002)
    with os.fdopen(read, "rb") as stream:
        data = stream.read()
    return status, json.loads(data) if data and status != -9 else None


def finish_quietly(write: Callable[[Path], object], folder: Path) -> None:
    """Write, and give nothing back."""
    write(folder)


def counted(write: Callable[[Path], object], path: Path, kill_at: int) -> int:
    """Operations on the file system of `write`, killed at operation number `kill_at` if there is
    one.
    """
    seen, around = [0], str(path.parent)

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and (event != "open" or around in str(arguments[0])):
            seen[0] += 1
            if seen[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)
    write(path)
    return seen[0]


def n_kept(folder: Path) -> int:
    """Chunks, or parts, that are listed."""
    for name in ("out/partial/index.json", "out/index.json"):
        if (folder / name).exists():
            index = json.loads((folder / name).read_text())
            return len(index.get("chunks", index.get("parts", [])))
    return 0


def kill(
    phase: Phase, folder: Path, n_events: int, took_s: float, draw: random.Random, whole: Any
) -> dict[str, Any]:
    """Kill a phase up to eight times, then let it end. What came of it, `fault` empty if all is
    well.
    """
    path = folder / phase.target
    outcome: dict[str, Any] = {"kills": 0, "fault": "", "at": []}
    for _ in range(draw.randint(1, 8)):
        before = n_kept(folder)
        if draw.random() < TIMED:
            after_s = draw.uniform(0.0, took_s)
            outcome["at"].append(f"{after_s:.3f} s")
            status, told = in_child(functools.partial(finish_quietly, phase.write, path), after_s)
        else:
            number = draw.randint(1, n_events)
            outcome["at"].append(f"operation {number} of {n_events}")
            status, told = in_child(functools.partial(counted, phase.write, path, number))
        outcome["kills"] += status == -9
        if status not in (-9, 0):
            outcome["fault"] = f"ended with {told}"
        hidden = {each.name for each in folder.glob(".*") if not TEMPORARY.fullmatch(each.name)} - {
            ".out.partial"
        }
        if hidden:
            outcome["fault"] = f"left {sorted(hidden)}"
        if path.exists():
            break  # done; whether it is whole is looked at below
        if n_kept(folder) < before:
            outcome["fault"] = f"{before - n_kept(folder)} parts lost"
    if not path.exists():
        status, told = in_child(functools.partial(finish_quietly, phase.write, path))
        if status:
            outcome["fault"] = f"does not go on: {told}"
        left = [each.name for each in folder.iterdir() if TEMPORARY.fullmatch(each.name)]
        if left:
            outcome["fault"] = f"not swept: {left}"
    status, seen = in_child(functools.partial(phase.read, path))
    if status or seen != whole:
        outcome["fault"] = outcome["fault"] or f"differs: {seen}"
    return outcome


def kill_all(
    room: Room, chosen: list[str], n_kills: int, seed: int, tell: Callable[[dict[str, Any]], None]
) -> None:
    """The share that the chosen phases have of `n_kills` kills over all phases."""
    draw, table = random.Random(seed), phases(room)
    cheap = [name for name in table if name not in SHARES]
    for name in chosen or list(table):
        phase = table[name]
        wanted = n_kills * SHARES.get(name, (1 - sum(SHARES.values())) / len(cheap))
        folder = room.folder / "work"
        path = folder / phase.target
        renew(folder, phase)
        # compiles, where programs are kept
        in_child(functools.partial(finish_quietly, phase.write, path))
        renew(folder, phase)
        began_s = time.monotonic()
        status, n_events = in_child(functools.partial(counted, phase.write, path, -1))
        took_s = time.monotonic() - began_s
        unread, whole = in_child(functools.partial(phase.read, path))
        if status or unread:
            tell({"phase": name, "fault": f"does not run: {n_events} {whole}"})
            continue
        done = 0
        while done < wanted:
            renew(folder, phase)
            outcome = kill(phase, folder, n_events, took_s, draw, whole)
            # a phase that is over before each kill must not go on for ever
            done += max(outcome["kills"], 0.2)
            tell({"phase": name, **outcome})


def flip_all(room: Room, n_flips: int, seed: int, tell: Callable[[dict[str, Any]], None]) -> None:
    """Flip a bit, or cut a file short, in each kind of folder in turn; found, harmless or
    unseen.
    """
    draw, folder = random.Random(seed), room.folder / "work"
    table = phases(room)
    sources = room.folder / "sources"
    for name in ("end of jtfne run", "net", "train", "sweep"):
        phase = table[name]
        renew(sources / name, phase)
        status, told = in_child(
            functools.partial(finish_quietly, phase.write, sources / name / phase.target)
        )
        assert status == 0, f"{name}: {told}"
    (sources / "partial").mkdir()
    in_child(
        functools.partial(
            counted, table["run"].write, sources / "partial" / table["run"].target, 120
        )
    )
    assert (sources / "partial" / "out" / "partial" / "index.json").exists(), "killed too early"

    def check_run(path: Path) -> Any:
        signals = jtfne.load(path / "out")
        altered = run_folder.find_altered(path / "out", signals.manifest)
        assert not altered, f"altered: {altered}"
        return [hashes(signals), signals.manifest]

    def check_parts(path: Path) -> Any:
        about = json.loads((path / "out" / "index.json").read_text())["about"]
        with open_parts(path / "out", about, resume=True, where="flip") as parts:
            return [
                parts.rows,
                [np.asarray(leaf).tolist() for leaf in parts.state or []],
                parts.notes,
            ]

    def check_partial(path: Path) -> Any:
        index = json.loads((path / "out" / "partial" / "index.json").read_text())
        partial = partial_run.PartialRun(path / "out", index["run"], 80)
        carry = {name: array.tolist() for name, array in partial.carry().items()}
        return [carry, partial.n_chunks, ChunkFiles.to_json(partial.files)]

    checks: dict[str, Callable[[Path], Any]] = {
        "end of jtfne run": check_run,
        "net": lambda path: [
            jtfne.Net.open(path / "out").n_edges,
            jtfne.Net.open(path / "out").config.hash,
        ],
        "train": check_parts,
        "sweep": check_parts,
        "partial": check_partial,
    }
    wholes = {name: in_child(functools.partial(checks[name], sources / name)) for name in checks}
    for k in range(n_flips):
        name = list(checks)[k % len(checks)] if k % 2 else "end of jtfne run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(sources / name, folder)
        inner = folder / "out"
        files = sorted(path for path in inner.rglob("*") if path.is_file() and path.stat().st_size)
        path = draw.choice(files)
        content = bytearray(path.read_bytes())
        place = draw.randrange(len(content))
        if draw.random() < 0.15:
            content, how = content[:place], f"cut at {place} of {len(content)}"
        else:
            content[place] ^= 1 << draw.randrange(8)
            how = f"bit of byte {place} of {len(content)}"
        path.write_bytes(content)
        status, seen = in_child(functools.partial(checks[name], folder))
        verdict = (
            "found"
            if status == 1
            else "harmless"
            if [status, seen] == list(wholes[name])
            else "unseen"
        )
        file = path.relative_to(inner).as_posix()
        tell(
            {"folder": name, "file": file, "how": how, "verdict": verdict, "told": str(seen)[:200]}
        )


def main(arguments: list[str] | None = None) -> int:
    """Run it; the exit code is 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--flips", type=int, default=500)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--phases", nargs="*", default=[], help="all if left out")
    parser.add_argument("--log", type=Path, default=Path("kills.jsonl"))
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")  # that a process with threads forks: none of them is at work
    counts: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder, asked.log.open("w") as log:
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(Path(folder) / "programs")
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
        import jax

        jax.config.update("jax_compilation_cache_dir", str(Path(folder) / "programs"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)

        def tell(row: dict[str, Any]) -> None:
            log.write(json.dumps(row) + "\n")
            log.flush()
            name = row.get("phase", row.get("folder"))
            counts[f"{name}: kills"] += row.get("kills", 0)
            counts[f"{name}: {row.get('verdict', 'faults' if row.get('fault') else 'well')}"] += 1

        room = Room(Path(folder))
        status, told = in_child(lambda: room.prepare())
        assert status == 0, told
        room.open()
        for name in LAZY:  # else each child would load them anew
            importlib.import_module(name)
        if asked.flips:
            flip_all(room, asked.flips, asked.seed, tell)
        if asked.kills:
            kill_all(room, asked.phases, asked.kills, asked.seed, tell)
    for name, count in sorted(counts.items()):
        print(f"{name} {count}")
    return int(any(name.endswith(("faults", "unseen")) for name in counts))


if __name__ == "__main__":
    sys.exit(main())
