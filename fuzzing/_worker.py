"""One process of a campaign: draws cases of one area until its time is over, and writes verdicts as
JSON lines.
"""

import collections
import faulthandler
import json
import math
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import psutil
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as with_seed
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.errors import FlakyStrategyDefinition

from fuzzing._campaign import MEMORY_BYTES
from fuzzing._verdicts import FAULTS, Outcome, Verdict, judge
from fuzzing.areas import AREAS, Area

CASES_A_ROUND = 200
DATABASE = Path(__file__).parent.parent / "out" / "fuzz" / "database"


class FaultFound(AssertionError):
    """Tells hypothesis that a case is worth keeping in its database."""


class Judge:
    """Runs cases of an area, counts verdicts, and keeps the first case of each kind of fault."""

    def __init__(self, area: Area, current: Path | None = None) -> None:
        self.area, self.current = area, current
        self.context = area.prepare()
        self.counts: collections.Counter[str] = collections.Counter()
        self.faults: dict[str, dict[str, Any]] = {}

    def run(self, case: Any) -> Outcome:
        """The verdict on `case`; warnings are not faults, since they say what is odd."""
        if self.current is not None:
            self.current.write_text(
                self.area.describe(case)[:4000], encoding="utf-8", errors="backslashreplace"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.area.run(self.context, case)
            outcome = Outcome(Verdict.accepted)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - judging any error is what this is for
            outcome = judge(error)
        if outcome.verdict not in FAULTS:
            self.counts[outcome.verdict] += 1
        else:
            self._keep(case, outcome)
        return outcome

    def _keep(self, case: Any, outcome: Outcome) -> None:
        """Count a fault; raise FaultFound if it is the first of its signature."""
        if outcome.signature in self.faults:
            self.faults[outcome.signature]["count"] += 1
            return
        row = {
            "verdict": str(outcome.verdict),
            "signature": outcome.signature,
            "message": outcome.message,
        }
        self.faults[outcome.signature] = {
            **row,
            "case": self.area.describe(case)[:1500],
            "count": 1,
        }
        raise FaultFound(outcome.signature)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each class of verdict that is no fault, and for each fault."""
        return [{"verdict": name, "count": count} for name, count in self.counts.items()] + list(
            self.faults.values()
        )


def fuzz(
    judge_: Judge, seed: int, n_cases: int, *, database: Path | None = None, end_s: float = math.inf
) -> None:
    """Draw and judge `n_cases` cases of an area, none after `end_s` on the monotonic clock.

    The same seed draws the same cases.
    """
    stored = (
        None if database is None else DirectoryBasedExampleDatabase(database / judge_.area.name)
    )

    @with_seed(seed)
    @settings(
        max_examples=n_cases,
        deadline=None,
        derandomize=False,
        database=stored,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.reuse, Phase.generate),
    )
    @given(judge_.area.cases())
    def draw_cases(case: Any) -> None:
        if time.monotonic() < end_s:
            judge_.run(case)

    try:
        draw_cases()
    except (FaultFound, FlakyStrategyDefinition):  # the latter is no word on jtfne: a round ends
        return
    except BaseExceptionGroup as errors:
        if errors.split(FaultFound)[1] is not None:
            raise


def limit_memory() -> None:
    """Let this process see a machine of MEMORY_BYTES, the size at which a campaign ends it."""
    see_machine, process = psutil.virtual_memory, psutil.Process()

    def see_small_machine() -> Any:
        machine = see_machine()
        free_bytes = max(MEMORY_BYTES - process.memory_info().rss, 0)
        return machine._replace(available=min(machine.available, free_bytes))

    psutil.virtual_memory = see_small_machine


def main(name: str, seed: int, seconds: float, folder: Path) -> None:
    """Fuzz the area `name` for `seconds`."""
    limit_memory()
    faulthandler.enable()  # a crash, or the campaign's SIGABRT, leaves the stacks in the output
    log = folder / f"{name}-{seed}.jsonl"
    judge_ = Judge(AREAS[name], folder / f"{name}-{seed}.current")
    end_s = time.monotonic() + seconds
    n_round = 0
    while time.monotonic() < end_s:
        fuzz(judge_, seed * 10_000 + n_round, CASES_A_ROUND, database=DATABASE, end_s=end_s)
        n_round += 1
        lines = "".join(json.dumps(row) + "\n" for row in judge_.rows())
        log.write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))
