"""What a gradient costs beside the run: memory and time at 500 cells from 1,000 to 8,000 steps.

python benchmarks/gradient_memory.py [--cells N]

Forward, backward with checkpoints (`jtfne.differentiable.arrays_of`), and backward through
`FlatNet.run`, which keeps every step. Memory is what the compiled program needs beside its
arguments and results; the fastest of three counts.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import jax

import jtfne
from _record import record
from jtfne.batch import with_values
from jtfne.differentiable import SpikeRows, arrays_of
from jtfne.surrogates import SuperSpike

KEY, EVERY, TURNS = jax.random.key(0), 10, 3


def checkpointed(drive_pA: jax.Array, flat: jtfne.FlatNet, n_steps: int) -> jax.Array:
    """The spikes of a run, counted."""
    values, recorders = {"circuit.drive_pA": drive_pA}, (SpikeRows(every=EVERY),)
    return arrays_of(flat, KEY, n_steps=n_steps, values=values, recorders=recorders)["spk"].sum()


def whole(drive_pA: jax.Array, flat: jtfne.FlatNet, n_steps: int) -> jax.Array:
    """The same without checkpoints."""
    changed = with_values(flat, {"circuit.drive_pA": drive_pA})
    chunk = changed.run(KEY, n_steps=n_steps, recorders=(SpikeRows(every=EVERY),))[1]
    spikes: jax.Array = chunk.recorded[0]["spk"].sum()
    return spikes


def measured(score: Callable[..., Any], flat: jtfne.FlatNet, n_steps: int) -> tuple[float, float]:
    """MiB that the compiled program needs, and seconds that it takes."""
    program = jax.jit(lambda drive_pA, flat: score(drive_pA, flat, n_steps))
    compiled = program.lower(flat.circuit.drive_pA, flat).compile()
    times = []
    for _ in range(TURNS):
        start = time.perf_counter()
        jax.block_until_ready(compiled(flat.circuit.drive_pA, flat))
        times.append(time.perf_counter() - start)
    return compiled.memory_analysis().temp_size_in_bytes / 2**20, min(times)


def main() -> None:
    """One line a number of steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=500)
    n_cells = parser.parse_args().cells
    flat = jtfne.construct(jtfne.suite2_net1_config(n_cells)).to_flat(surrogate=SuperSpike())
    for n_steps in (1000, 2000, 4000, 8000):
        numbers: dict[str, float] = {"cells": n_cells, "steps": n_steps}
        ways: dict[str, Callable[..., Any]] = {
            "forward": checkpointed,
            "backward": jax.grad(checkpointed),
            "unchecked": jax.grad(whole),
        }
        for name, score in ways.items():
            memory_MiB, wall_s = measured(score, flat, n_steps)
            numbers |= {f"{name}_MiB": round(memory_MiB, 1), f"{name}_s": round(wall_s, 3)}
        record("gradient_memory", **numbers)


if __name__ == "__main__":
    main()
