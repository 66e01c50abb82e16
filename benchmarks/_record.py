"""Where the numbers of a benchmark go: one line of JSON on stdout, and the same line at the end of
a file.
"""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import jtfne

RECORDS = Path(__file__).parent.parent / "out" / "benchmarks.jsonl"


def record(name: str, **numbers: float | str) -> None:
    """Print and append the `numbers` of benchmark `name`, with what they depend on."""
    line = json.dumps(
        {
            "benchmark": name,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "jtfne": jtfne.__version__,
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
            # above about 0.3 at the start: not an idle machine
            "load_1min": round(os.getloadavg()[0], 2),
            **numbers,
        },
        allow_nan=False,
    )
    RECORDS.parent.mkdir(parents=True, exist_ok=True)
    with RECORDS.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    sys.stdout.write(line + "\n")
