"""From a cold start to the first result: the README's first example in a fresh process, compilation
included.

The contract: at most 5 s, without a compilation cache. The fastest of three processes.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

from _record import record

README = Path(__file__).parent.parent / "README.md"
REPEATS, LIMIT_S = 3, 5.0


def main() -> None:
    """Run the example as it stands; it must print its shape."""
    (example, *_) = re.findall(
        r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", example], stdout=subprocess.PIPE, text=True, check=True
        )
        times.append(time.perf_counter() - start)
    record(
        "first_result", wall_s=round(min(times), 2), limit_s=LIMIT_S, printed=done.stdout.strip()
    )


if __name__ == "__main__":
    main()
