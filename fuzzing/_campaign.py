"""Runs areas of fuzzing in processes of their own, each under a watchdog, and counts the verdicts."""

import collections
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from fuzzing._verdicts import FAULTS, Verdict

ROOT = Path(__file__).parent.parent
HANG_S = 60.0  # without the end of a case; compiling a program on a busy machine takes up to 20 s
START_S = 180.0  # until the first case
MEMORY_BYTES = 6 * 2**30
POLL_S = 0.2


@dataclasses.dataclass
class Tally:
    """The verdicts of an area, and a row for each fault."""

    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    faults: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    seeds: list[int] = dataclasses.field(default_factory=list)


class Worker:
    """A process that fuzzes one area with one seed, and what it has said so far."""

    def __init__(self, area: str, seed: int, seconds: float, folder: Path) -> None:
        self.area, self.seed = area, seed
        self.log = folder / f"{area}-{seed}.jsonl"
        self.current = folder / f"{area}-{seed}.current"
        self.output = (folder / f"{area}-{seed}.txt").open("w", encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "fuzzing._worker",
            area,
            str(seed),
            str(seconds),
            str(folder),
        ]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=self.output, stderr=subprocess.STDOUT
        )
        self.started_s = time.monotonic()
        self.deadline_s = self.started_s + seconds + START_S

    def trouble(self) -> Verdict | None:
        """Whether the process hangs or takes too much memory."""
        now_s = time.time()
        quiet_s = now_s - self.current.stat().st_mtime if self.current.exists() else 0.0
        if quiet_s > HANG_S or time.monotonic() > self.deadline_s:
            return Verdict.hang
        try:
            resident = psutil.Process(self.process.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return None
        return Verdict.crash if resident > MEMORY_BYTES else None

    def case(self) -> str:
        """The case that was running."""
        return (
            self.current.read_text(encoding="utf-8", errors="replace")
            if self.current.exists()
            else ""
        )

    def finish(self, tally: Tally, verdict: Verdict | None) -> None:
        """Add what the process said to `tally`, and its end if that was a fault."""
        self.output.close()
        if self.log.exists():
            for line in self.log.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                tally.counts[row["verdict"]] += row["count"]
                if row["verdict"] in FAULTS:
                    tally.faults.append({"area": self.area, "seed": self.seed, **row})
        code = self.process.returncode
        if verdict is None and code != 0:
            verdict = Verdict.crash
        if verdict is not None:
            tally.counts[verdict] += 1
            row = {
                "verdict": str(verdict),
                "signature": f"exit {code}",
                "case": self.case(),
                "count": 1,
            }
            tally.faults.append({"area": self.area, "seed": self.seed, **row})
        tally.seeds.append(self.seed)


def run(
    areas: list[str], *, minutes: float, seed: int, jobs: int, folder: Path
) -> dict[str, Tally]:
    """Fuzz `areas` in turns for `minutes`, `jobs` at once; the tally of each area.

    Each turn is a process with a seed of its own, so that a hang or a crash costs that turn only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    end_s = time.monotonic() + minutes * 60
    n_turns = max(1, round(minutes / 20))
    slice_s = minutes * 60 * jobs / (len(areas) * n_turns)
    waiting = collections.deque((area, seed + turn) for turn in range(n_turns) for area in areas)
    tallies = {area: Tally() for area in areas}
    workers: list[Worker] = []
    while waiting or workers:
        while waiting and len(workers) < jobs:
            area, own_seed = waiting.popleft()
            left_s = end_s - time.monotonic()
            if left_s > 1:
                workers.append(Worker(area, own_seed, min(slice_s, left_s), folder))
        time.sleep(POLL_S)
        for worker in list(workers):
            has_ended = worker.process.poll() is not None
            verdict = None if has_ended else worker.trouble()
            if verdict is not None:
                worker.process.kill()
                worker.process.wait()
            if has_ended or verdict is not None:
                worker.finish(tallies[worker.area], verdict)
                workers.remove(worker)
    return tallies
