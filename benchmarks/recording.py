"""What recording costs at 4,000 cells: 64 LFP channels computed inside the loop, and v_m of all
cells at 1 ms.

The contract: 64 channels cost at most 10 % of the run. One process; runs with and without take
turns, so that a slow spell of the machine falls on both; the fastest of each counts. Runs of two
lengths tell what a step costs from what a run costs once, such as its labels.
"""

import time
from collections.abc import Mapping

import jtfne
from _circuits import circuit
from _measure import PROBES, SIMULATE, DT_ms
from _record import record
from jtfne.config import Spikes

CIRCUITS, LIMIT = ("cuba", "net1_4000", "coba"), 0.1
TURNS = {1_000.0: 9, 10_000.0: 5}  # by the length of a run, ms, the shorter first


def seconds(nets: dict[str, jtfne.Net], run_ms: float) -> dict[str, float]:
    """Wall time of the fastest `simulate` of each net for `run_ms`, in turns, after one that
    compiles.
    """
    times: dict[str, list[float]] = {name: [] for name in nets}
    for turn in range(TURNS[run_ms] + 1):
        for name, net in nets.items():
            start = time.perf_counter()
            net.simulate(duration_ms=run_ms, progress=False, **SIMULATE)
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: min(each) for name, each in times.items()}


def added(wall_s: Mapping[str, float]) -> dict[str, float]:
    """The share that each record adds to spikes alone."""
    return {
        f"{name}_added": round(each / wall_s["spk"] - 1.0, 3)
        for name, each in wall_s.items()
        if name != "spk"
    }


def parts(wall_s: Mapping[float, Mapping[str, float]]) -> dict[str, float]:
    """Of each record, us a step and the seconds that a run takes of no steps, by its two lengths
    (ms).
    """
    (short, brief), (long, lasting) = wall_s.items()
    found = {}
    for name in brief:
        each_ms_s = (lasting[name] - brief[name]) / (long - short)
        found |= {
            f"{name}_us_per_step": round(1e6 * each_ms_s * DT_ms, 2),
            f"{name}_once_s": round(brief[name] - each_ms_s * short, 4),
        }
    return found


def measured(name: str, nets: dict[str, jtfne.Net], **about: float | str) -> None:
    """Record what the nets, one of them `spk`, take: a line for each length, and one for both."""
    wall_s = {run_ms: seconds(nets, run_ms) for run_ms in TURNS}
    for run_ms, each in wall_s.items():
        record(
            name,
            run_ms=run_ms,
            **about,
            **added(each),
            **{f"{key}_s": round(s, 4) for key, s in each.items()},
        )
    record(name, **about, **parts(wall_s))


def main() -> None:
    """Measure each circuit with each record."""
    for name in CIRCUITS:
        config = circuit(name)
        nets = {
            key: jtfne.construct(config.probes([Spikes(), *probes]))
            for key, probes in PROBES.items()
        }
        measured("recording", nets, circuit=name, lfp_limit=LIMIT)


if __name__ == "__main__":
    main()
