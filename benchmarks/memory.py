"""Peak memory of 1 s and of 10 s with LFP and spikes only: it must not grow with cells x steps.

python benchmarks/memory.py [--cells N]
"""

import argparse
import json
import subprocess
import sys

from _record import record

RUN = """
import json, resource, sys
import jtfne
n, duration_ms = int(sys.argv[1]), float(sys.argv[2])
cfg = jtfne.suite2_net1_config(n).runtime(duration_ms=duration_ms, dt_ms=0.1).probes(["spk", "lfp_proxy"])
signals = jtfne.construct(cfg).simulate(progress=False)
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, int(signals.get("spikes").size)]))
"""


def peak_MiB(n_cells: int, duration_ms: float) -> tuple[float, int]:
    """Peak resident memory of a fresh process, and its spikes."""
    command = [sys.executable, "-c", RUN, str(n_cells), str(duration_ms)]
    peak, spikes = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )
    return peak, spikes


def main() -> None:
    """Measure both beside what a dense recording would take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=4000)
    n_cells = parser.parse_args().cells
    numbers: dict[str, float] = {"cells": n_cells}
    for seconds in (1, 10):
        peak, spikes = peak_MiB(n_cells, 1e3 * seconds)
        numbers |= {f"peak_{seconds}_s_MiB": round(peak), f"spikes_{seconds}_s": spikes}
        numbers[f"cells_x_steps_{seconds}_s_MiB"] = round(n_cells * seconds * 1e4 * 4 / 2**20)
    record("memory", **numbers)


if __name__ == "__main__":
    main()
