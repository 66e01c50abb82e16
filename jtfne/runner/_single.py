"""A run on one device."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne import engine
from jtfne.delivery import unpack
from jtfne.runner._base import Spiking, start_run


@dataclasses.dataclass(frozen=True)
class SingleDeviceRunner:
    """Runs a circuit on one device."""

    circuit: engine.Circuit
    inputs: engine.Inputs
    recorders: tuple[engine.Recorder, ...]
    dt_ms: float

    on_threads: ClassVar[bool] = True

    def start(self, seed: np.uint32, trial: npt.NDArray[np.uint32]) -> engine.Carry:
        """Return the initial state of a trial."""
        state: engine.Carry = start_run(self.circuit, self.inputs, seed, trial)
        return state

    def advance(
        self, state: engine.Carry, inputs_t: engine.InputChunk
    ) -> tuple[engine.Carry, engine.Chunk]:
        """Run the steps of `inputs_t`; `state` is donated."""
        result: tuple[engine.Carry, engine.Chunk] = engine.advance_jit(
            self.circuit, self.inputs, self.recorders, state, inputs_t, self.dt_ms
        )
        return result

    def spikes(self, spike_bits: npt.NDArray[np.uint32]) -> Spiking:
        """Return (step, row) of every spike of a chunk."""
        return unpack(spike_bits)

    def to_device(self, state: engine.Carry) -> engine.Carry:
        """Copy a state from host memory to the device."""
        on_device: engine.Carry = jax.tree.map(jnp.array, state)
        return on_device

    def count_nonfinite(self, state: engine.Carry) -> int:
        """Count the cells whose membrane potential is not finite."""
        return sum(int((~np.isfinite(np.asarray(state.v_mV))).sum()) for state in state.cells)
