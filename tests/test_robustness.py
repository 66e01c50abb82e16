"""A few kills and flipped bits of each kind; `tests/robustness/kills.py` does as many as one asks
for.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "robustness" / "kills.py"


def campaign(log, *arguments):
    """The lines that the script tells, run in a process of its own, which must not have started
    JAX.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(SCRIPT.parent.parent.parent), *sys.path]),
    }
    command = [sys.executable, str(SCRIPT), "--log", str(log), *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=7200)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_few_kills_leave_all_or_nothing(tmp_path):
    rows = campaign(
        tmp_path / "log",
        "--kills",
        20,
        "--flips",
        0,
        "--seed",
        1,
        "--phases",
        "config",
        "net",
        "save",
    )
    assert {row["phase"] for row in rows} == {"config", "net", "save"}
    assert sum(row["kills"] for row in rows) >= 3 and not any(row["fault"] for row in rows)


@pytest.mark.slow
def test_a_thousand_kills_and_five_hundred_flips(tmp_path):
    rows = campaign(tmp_path / "log", "--kills", 1000, "--flips", 500)
    assert sum(row.get("kills", 0) for row in rows) >= 900 and not any(
        row.get("fault") for row in rows
    )
    verdicts = [row["verdict"] for row in rows if "verdict" in row]
    assert len(verdicts) == 500 and "unseen" not in verdicts
