"""Runs areas of fuzzing in processes of their own, each under a watchdog, and counts the
verdicts.
"""

import collections
import dataclasses
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from fuzzing._verdicts import FAULTS, Verdict

ROOT = Path(__file__).parent.parent
HANG_S = 60.0  # of processor time without the end of a case; compiling a program takes up to 20 s
# on the clock: a busy machine gives a case little of its time, a deadlock takes none
IDLE_S = 240.0
START_S = 180.0  # until the first case
MEMORY_BYTES = 6 * 2**30
POLL_S = 0.2
ABORT_S = 10.0  # from the signal to abort to the end of the process
STACK_CHARACTERS = 4_000


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
        self.case_ns, self.processor_s = (
            0,
            0.0,
        )  # when the last case began, and time used until then

    def trouble(self) -> Verdict | None:
        """Whether the process hangs or takes too much memory."""
        try:
            process = psutil.Process(self.process.pid)
            used, resident = process.cpu_times(), process.memory_info().rss
        except psutil.NoSuchProcess:
            return None
        processor_s = used.user + used.system
        case_ns = self.current.stat().st_mtime_ns if self.current.exists() else 0
        if case_ns != self.case_ns:
            self.case_ns, self.processor_s = case_ns, processor_s
        if case_ns:
            is_over_time = processor_s - self.processor_s > HANG_S
            if is_over_time or time.time() - case_ns * 1e-9 > IDLE_S:
                return Verdict.hang
        if time.monotonic() > self.deadline_s + (IDLE_S if case_ns else 0.0):
            return Verdict.hang
        return Verdict.crash if resident > MEMORY_BYTES else None

    def case(self) -> str:
        """The case that was running."""
        return (
            self.current.read_text(encoding="utf-8", errors="replace")
            if self.current.exists()
            else ""
        )

    def stacks(self) -> str:
        """The end of what the process wrote: the stacks of its threads, if it was aborted."""
        return Path(self.output.name).read_text(encoding="utf-8", errors="replace")[
            -STACK_CHARACTERS:
        ]

    def stop(self) -> None:
        """End the process; it first writes where it stands, which `finish` keeps."""
        self.process.send_signal(signal.SIGABRT)  # the worker's faulthandler writes all stacks
        try:
            self.process.wait(timeout=ABORT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

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
                "message": self.stacks(),
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
                worker.stop()
            if has_ended or verdict is not None:
                worker.finish(tallies[worker.area], verdict)
                workers.remove(worker)
    return tallies
