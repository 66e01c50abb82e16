"""A simulator in a fresh process of its own, one after the other, and the table in which they stand
side by side.
"""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _circuits import circuit, described
from jtfne.config import LFPProxy, Spikes, Voltage

HERE = Path(__file__).parent
OUT = HERE.parent / "out"
DT_ms, WARM_ms, RUN_ms, REPEATS = 0.1, 200.0, 1000.0, 3
# each beside the spikes
PROBES = {"spk": (), "lfp": (LFPProxy(n_channels=64),), "vm": (Voltage(interval_ms=1.0),)}
SIMULATE: dict[str, Any] = {}  # keywords of our `simulate`, for whoever compares them


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One measurement: who simulates which circuit, recording spikes and what `record` adds, on how
    many threads.
    """

    circuit: str
    runner: str = "jtfne"
    record: str = "spk"
    threads: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What came out of a case; `ratio` is its wall time over ours with the same record, NaN where
    there is none.
    """

    case: Case
    simulator: str
    n_cells: int
    us_per_step: float
    build_s: float
    first_call_s: float
    peak_MiB: float
    rate_Hz: float

    def numbers(self) -> dict[str, float | str]:
        """As a benchmark records it."""
        fields = dataclasses.asdict(self)
        case = fields.pop("case")
        return case | {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in fields.items()
        }


def measure(
    case: Case, interpreter: str, *, run_ms: float = RUN_ms, repeats: int = REPEATS, seed: int = 1
) -> Result:
    """Run `case` in a fresh `interpreter`; what the simulator prints beside its answer is dropped,
    its stderr shown.
    """
    config = circuit(case.circuit)
    job = {
        "dt_ms": DT_ms,
        "warm_ms": WARM_ms,
        "run_ms": run_ms,
        "repeats": repeats,
        "seed": seed,
        "threads": case.threads,
    }
    if case.runner == "jtfne":
        job |= {
            "config": config.probes([Spikes(), *PROBES[case.record]]).to_json(),
            "simulate": SIMULATE,
        }
    else:
        job |= {"circuit": described(config), "record": case.record}
    answer = asked(case.runner, interpreter, job)
    wall_s = answer.pop("wall_s")
    n_cells = sum(each.n_cells for each in config.populations())
    return Result(case=case, n_cells=n_cells, us_per_step=wall_s / (run_ms / DT_ms) * 1e6, **answer)


def asked(runner: str, interpreter: str, job: dict[str, Any]) -> dict[str, Any]:
    """What `peers/run_RUNNER.py` answers to the `job` in a fresh `interpreter`."""
    command = [interpreter, str(HERE / "peers" / f"run_{runner}.py")]
    done = subprocess.run(
        command, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def interpreters(pairs: Sequence[str]) -> dict[str, str]:
    """NAME=PYTHON of each peer that is there, and this interpreter for jtfne."""
    return {"jtfne": sys.executable} | dict(pair.split("=", 1) for pair in pairs)


def ratio(result: Result, results: Sequence[Result]) -> str:
    """Its wall time over ours on the same circuit with the same record, on one device."""
    same = (
        each.us_per_step
        for each in results
        if each.case == Case(circuit=result.case.circuit, record=result.case.record)
    )
    ours = next(same, None)
    return "" if ours is None else f"{result.us_per_step / ours:.2f}"


def table(results: Sequence[Result]) -> list[list[str]]:
    """Rows of text, the header first."""
    names = {"spk": "spikes", "lfp": "+ 64 LFP", "vm": "+ v_m"}
    rows = [["circuit", "cells", "simulator", "threads", "recorded", "us/step", "x ours"]]
    rows[0] += ["build (s)", "first call (s)", "peak (MiB)", "rate (Hz)"]
    for each in results:
        rows.append(
            [each.case.circuit, f"{each.n_cells:,}", each.simulator, str(each.case.threads)]
        )
        rows[-1] += [names[each.case.record], f"{each.us_per_step:.1f}", ratio(each, results)]
        rows[-1] += [
            f"{each.build_s:.2f}",
            f"{each.first_call_s:.2f}",
            f"{each.peak_MiB:.0f}",
            f"{each.rate_Hz:.2f}",
        ]
    return rows


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up as text too: words to the left, numbers to the
    right.
    """
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    numeric = [all(_is_number(row[k]) for row in rows[1:]) for k in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        )
        + " |"
        for row in rows
    ]
    rule = "|" + "|".join(
        "-" * (w + 1) + (":" if right else "-") for w, right in zip(widths, numeric, strict=True)
    )
    return "\n".join([lines[0], rule + "|", *lines[1:]]) + "\n"


def show(rows: Sequence[Sequence[str]], file: Path) -> None:
    """Print the table, and leave it in `file` as Markdown."""
    text = aligned(rows)
    sys.stdout.write("\n" + text)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _is_number(text: str) -> bool:
    """Digits, with separators and a sign; an empty cell counts as one."""
    return text.replace(",", "").replace(".", "").replace("-", "").isdigit() or not text
