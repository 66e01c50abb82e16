"""Every example runs as a plain script and ends by printing the number that it promises.

An example says what it prints in one comment line, `# expect: VALUE` or
`# expect: VALUE +- TOLERANCE`; the last number of its last line of output is compared.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.as_users  # simulates for long

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
EXPECT = re.compile(rf"^# expect: ({NUMBER})(?: \+- ({NUMBER}))?(?:.*)?$", flags=re.MULTILINE)


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_prints_its_number(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60, "an example holds one idea"
    ((value, tolerance),) = EXPECT.findall(text)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    command = [sys.executable, "-W", "error", str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=tmp_path, env=env
    )
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert float(re.findall(NUMBER, last)[-1]) == pytest.approx(
        float(value), abs=float(tolerance or 0), rel=0
    ), last
