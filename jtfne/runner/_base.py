"""What a runner is, and the program that makes the state before the first step."""

from typing import ClassVar, Protocol

import jax
import numpy as np
import numpy.typing as npt

from jtfne import engine

Spiking = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


class Runner(Protocol):
    """A circuit with its inputs and recorders, ready to run."""

    on_threads: ClassVar[bool]  # whether trials may run side by side, each on a thread of its own

    def start(self, seed: np.uint32, trial: npt.NDArray[np.uint32]) -> engine.Carry:
        """Return the initial state of a trial; `trial` is its stream code, from `_keys.codes`."""
        ...

    def advance(
        self, state: engine.Carry, inputs_t: engine.InputChunk
    ) -> tuple[engine.Carry, engine.Chunk]:
        """Run the steps of `inputs_t`. `state` is donated: do not use it afterwards."""
        ...

    def spikes(self, spike_bits: npt.NDArray[np.uint32]) -> Spiking:
        """Return (step, row) of every spike in the packed bits of a chunk (n_steps, n_words)."""
        ...

    def to_device(self, state: engine.Carry) -> engine.Carry:
        """Copy a state from host memory to this runner's device or devices."""
        ...

    def count_nonfinite(self, state: engine.Carry) -> int:
        """Count the cells whose membrane potential is not finite."""
        ...


def start_run(
    circuit: engine.Circuit,
    inputs: engine.Inputs,
    seed: np.uint32,
    trial: npt.NDArray[np.uint32],
) -> engine.Carry:
    """Return the state before the first step of a trial; `trial` is its stream code."""
    state: engine.Carry = _start_from(
        circuit, inputs, engine.draw_words_on_host(circuit, inputs, seed, trial)
    )
    return state


# One program, run once: it takes a quarter of the time to compile if it is not optimized. Nor does
# XLA then contract a product and a sum into one rounding: the bits are those of `engine.start` op
# by op.
_start_from = jax.jit(engine.start_from, compiler_options={"xla_backend_optimization_level": 0})
