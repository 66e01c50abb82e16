"""What a runner is, and the program that makes the state before the first step."""

import functools
from typing import ClassVar, Protocol

import jax
import numpy as np
import numpy.typing as npt

from jtfne import _keys, engine

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


@functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
def start_run(
    circuit: engine.Circuit, inputs: engine.Inputs, seed: jax.Array, trial: jax.Array
) -> engine.Carry:
    """Return the state before the first step.

    One program, run once: it takes a quarter of the time to compile if it is not optimized. Nor
    does XLA then contract a product and a sum into one rounding: the bits are those of
    `engine.start` op by op.
    """
    return engine.start(circuit, inputs, _keys.streams(_keys.fold_names(seed, trial)))
