"""What `import jtfne`, and first uses of it, cost a fresh process beyond `import jax`.

The contract: `import jtfne` adds at most 1 s to `import jax`. Each case is the fastest of five
processes.
"""

import subprocess
import sys
import time

from _record import record

CASES = {
    "bare": "pass",
    "jax": "import jax",
    "jax_jtfne": "import jax, jtfne",
    "jtfne": "import jtfne",
    "config": "import jtfne; jtfne.Config",
    "construct": "import jtfne; jtfne.construct",
    "signals": "import jtfne; jtfne.Signals",
    "cli": "import jtfne.cli",
}
REPEATS = 5


def seconds(code: str) -> float:
    """Wall time of the fastest of `REPEATS` fresh interpreters running `code`."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    times_s = {name: seconds(code) for name, code in CASES.items()}
    added_s = times_s["jax_jtfne"] - times_s["jax"]
    record(
        "import_time",
        added_to_jax_s=round(added_s, 3),
        **{f"{name}_s": round(t, 3) for name, t in times_s.items()},
    )
