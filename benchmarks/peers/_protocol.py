"""What the runners of this folder share; the standard library alone, since each has an environment
of its own.

A runner reads one JSON object from stdin (`circuit`, `warm_ms`, `run_ms`, `repeats`, `threads`,
`record`) and ends with one line of JSON on stdout. Simulators may print whatever they like before
it.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any


def read() -> dict[str, Any]:
    """The job: what to simulate, how long, how often."""
    job: dict[str, Any] = json.loads(sys.stdin.read())
    return job


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Wall seconds of `call()`, and what it returned."""
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def answer(
    simulator: str, build_s: float, first_call_s: float, runs: Sequence[tuple[float, float]]
) -> None:
    """Print the measurement. `runs` holds wall seconds and mean rate (Hz) of each repeat; the
    fastest counts.

    The first call lasts `warm_ms` of the model's time and includes what is compiled on first use.
    """
    line = {
        "simulator": simulator,
        "build_s": build_s,
        "first_call_s": first_call_s,
        "wall_s": min(took for took, _ in runs),
        "rate_Hz": sum(rate for _, rate in runs) / len(runs),
        "peak_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(line), flush=True)
