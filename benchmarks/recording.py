"""What recording costs at 4,000 cells: 64 LFP channels computed inside the loop, and v_m of all cells at 1 ms.

The contract: 64 channels cost at most 10 % of the run. One process; runs with and without take turns, so that a slow
spell of the machine falls on both; the fastest of each counts.
"""

import time

import jtfne
from _circuits import circuit
from _measure import PROBES, SIMULATE, RUN_ms
from _record import record
from jtfne.config.readouts import Spikes

CIRCUITS, TURNS, LIMIT = ("cuba", "net1_4000"), 7, 0.1


def seconds(nets: dict[str, jtfne.Net]) -> dict[str, float]:
    """Wall time of the fastest `simulate` of each net, in turns, after one that compiles."""
    times: dict[str, list[float]] = {name: [] for name in nets}
    for turn in range(TURNS + 1):
        for name, net in nets.items():
            start = time.perf_counter()
            net.simulate(progress=False, **SIMULATE)
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: min(each) for name, each in times.items()}


def main() -> None:
    """Measure each circuit with each record, and the share that is added to spikes alone."""
    for name in CIRCUITS:
        config = circuit(name).runtime(duration_ms=RUN_ms)
        nets = {key: jtfne.construct(config.probes([Spikes(), *probes])) for key, probes in PROBES.items()}
        wall_s = seconds(nets)
        record(
            "recording",
            circuit=name,
            lfp_64_added=round(wall_s["lfp"] / wall_s["spk"] - 1.0, 3),
            lfp_64_limit=LIMIT,
            vm_added=round(wall_s["vm"] / wall_s["spk"] - 1.0, 3),
            **{f"{key}_s": round(value, 4) for key, value in wall_s.items()},
        )


if __name__ == "__main__":
    main()
