"""A run on the devices of a mesh: each holds a share of the cells and runs the engine on it."""

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.sharding import NamedSharding

from jtfne import engine
from jtfne.delivery import ShardedDelivery, over, replicated_spec, stack_shards, unpack
from jtfne.runner._base import Spiking, start_run
from jtfne.runner._sharder import RecordedCells, Sharder


class MultiDeviceRunner:
    """Runs a circuit on the devices of the mesh over which its delivery is sharded.

    Every array leads with the axis of devices.
    """

    on_threads: ClassVar[bool] = False  # every device is busy with one

    def __init__(
        self,
        circuit: engine.Circuit,
        inputs: engine.Inputs,
        recorders: tuple[engine.Recorder, ...],
        dt_ms: float,
    ) -> None:
        delivery: Any = circuit.leading
        self._delivery: ShardedDelivery = delivery
        self._unsharded = dataclasses.replace(circuit, delivery=None, plastic=()), inputs
        self._recorders, self._dt_ms = recorders, dt_ms
        sharder = Sharder(self._delivery.layout, self._delivery.mesh)
        self._sharder = sharder
        self._circuit = sharder.shard_circuit(circuit)
        self._inputs = sharder.shard_inputs(inputs, circuit.n_cells)
        self._recorded_cells = tuple(sharder.select_recorded_cells(r.index) for r in recorders)

    def start(self, seed: np.uint32, trial: npt.NDArray[np.uint32]) -> engine.Carry:
        """Return the initial state of a trial, sharded over the devices."""
        circuit, inputs = self._unsharded
        state = self._sharder.shard_state(
            start_run(circuit, inputs, seed, trial), circuit, inputs, self._delivery.ring
        )
        return state._replace(plastic=self._sharder.start_plastic(self._circuit))

    def advance(
        self, state: engine.Carry, inputs_t: engine.InputChunk
    ) -> tuple[engine.Carry, engine.Chunk]:
        """Run the steps of `inputs_t` on all devices; `state` is donated."""
        result: tuple[engine.Carry, engine.Chunk] = _advance_over(
            self._circuit,
            self._inputs,
            self._recorders,
            self._recorded_cells,
            state,
            inputs_t,
            self._dt_ms,
        )
        return result

    def spikes(self, spike_bits: npt.NDArray[np.uint32]) -> Spiking:
        """Return (step, row) of every spike of a chunk; positions are in the order of rows."""
        step, position = unpack(spike_bits)
        return step, self._delivery.layout.row_of[position]

    def to_device(self, state: engine.Carry) -> engine.Carry:
        """Copy a state from host memory to the devices, each its shard."""
        on_devices: engine.Carry = jax.tree.map(
            lambda leaf: stack_shards(list(np.asarray(leaf)), self._delivery.mesh), state
        )
        return on_devices

    def count_nonfinite(self, state: engine.Carry) -> int:
        """Count the cells that are not finite, over all devices; the same in every process."""
        return int(_count_nonfinite(state.cells, self._sharder.mark_real_cells(self._circuit)))


def _advance_over_devices(
    circuit: engine.Circuit,
    inputs: engine.Inputs,
    recorders: tuple[engine.Recorder, ...],
    recorded_cells: tuple[RecordedCells, ...],
    state: engine.Carry,
    inputs_t: engine.InputChunk,
    dt_ms: float,
) -> tuple[engine.Carry, engine.Chunk]:
    """Run `engine.advance` on each device's cells.

    Rows are put into the order of cells before recorders finish them.
    """
    delivery: Any = circuit.leading
    mesh = delivery.mesh

    def run_shard(parts: Any, inputs_t: engine.InputChunk, dt_ms: jax.Array) -> Any:
        circuit, inputs, state, local = jax.tree.map(lambda leaf: leaf[0], parts)
        state, spike_bits, rows = engine.run_recorded(
            circuit, inputs, recorders, state, inputs_t, dt_ms, local
        )
        return jax.tree.map(lambda leaf: leaf[None], (state, rows)), spike_bits

    over_devices, on_each_device = over(mesh), replicated_spec()
    run = jax.shard_map(
        run_shard,
        mesh=mesh,
        in_specs=(over_devices, on_each_device, on_each_device),
        out_specs=(over_devices, on_each_device),
        check_vma=False,
    )
    parts = (circuit, inputs, state, tuple(selection.local for selection in recorded_cells))
    (state, rows), spike_bits = run(parts, inputs_t, jnp.asarray(dt_ms, circuit.drive_pA.dtype))
    outputs = []
    constrain: Any = jax.lax.with_sharding_constraint  # untyped
    for recorder, selection, row in zip(recorders, recorded_cells, rows, strict=True):
        side_by_side = jnp.moveaxis(row, 0, -2)
        cells = side_by_side.reshape(*side_by_side.shape[:-2], -1)[..., selection.positions]
        # Each device finishes all cells, as one device does, so that the bits are the same.
        outputs.append(recorder.finish(constrain(cells, NamedSharding(mesh, on_each_device))))
    return state, engine.Chunk(spike_bits, tuple(outputs))


@jax.jit
def _count_nonfinite(cells: tuple[Any, ...], real: tuple[jax.Array, ...]) -> jax.Array:
    """Count the cells that are not finite; copies that pad a device are left out."""
    return jnp.asarray(
        sum(
            (~jnp.isfinite(state.v_mV) & is_cell).sum()
            for state, is_cell in zip(cells, real, strict=True)
        )
    )


_advance_over = jax.jit(_advance_over_devices, donate_argnames=("state",))
