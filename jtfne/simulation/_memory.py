"""How much memory a run will take, told before it starts."""

import dataclasses
import math
import os
from typing import Any

import jax

from jtfne import engine
from jtfne._check import JtfneError
from jtfne.flatnet import FlatNet


def kept_bytes(
    flat: FlatNet, drive: Any, recorders: tuple[engine.Recorder, ...], *, n_steps: int, n_trials: int
) -> int:
    """Bytes of all that the recorders will keep, from the shapes alone."""
    if not recorders:
        return 0
    block = math.lcm(*(each.every for each in recorders))

    def one_block(circuit: engine.Circuit) -> tuple[Any, ...]:
        circuit = dataclasses.replace(circuit, delivery=None)  # what is kept does not depend on it
        keys = {name: jax.random.key(0) for name in ("initial state", "noise", "stimulus")}
        carry = engine.start(circuit, drive.inputs, keys)
        return engine.advance(circuit, drive.inputs, recorders, carry, drive.clock(0, block), flat.dt_ms)[1].recorded

    shapes = jax.tree.leaves(jax.eval_shape(one_block, flat.circuit))
    one: int = sum(math.prod(leaf.shape) * int(leaf.dtype.itemsize) for leaf in shapes)
    return one * math.ceil(n_steps / block) * n_trials


def refuse_if_too_large(n_bytes: int, *, n_cells: int, duration_ms: float, n_trials: int) -> None:
    """Raises: JtfneError if recordings of `n_bytes`, held twice while they are joined, exceed what is free."""
    free = available_bytes()
    if 2 * n_bytes <= free:
        return
    raise JtfneError(
        f"recordings of {n_bytes / 2**30:.1f} GiB ({n_cells} cells, {duration_ms:g} ms, {n_trials} trials) do not fit; "
        f"allowed: half of the {free / 2**30:.1f} GiB that are free; what would make it fit: a longer interval_ms, "
        f"fewer probes or cells, or a duration below {duration_ms * free / (2 * n_bytes):g} ms (in simulate)"
    )


def available_bytes() -> int:
    """Memory that the machine can still give, by its own account."""
    try:
        with open("/proc/meminfo") as lines:
            found = {line.split(":")[0]: line.split()[1] for line in lines}
        return int(found["MemAvailable"]) * 1024
    except (FileNotFoundError, KeyError):  # not Linux: all pages that the system has
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
