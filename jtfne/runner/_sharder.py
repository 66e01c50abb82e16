"""Arrays over cells -> arrays over devices and the cells of each."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
import numpy.typing as npt
from jax.sharding import NamedSharding

from jtfne import engine
from jtfne.delivery import Layout, list_own_devices, replicated_spec, stack_shards


class RecordedCells(NamedTuple):
    """The cells that a recorder keeps, by device.

    local: int32 (n_devices, n), their rows on each device, or None for all. positions: (n_kept,),
    where each of them stands in what the devices keep, one after the other.
    """

    local: jax.Array | None
    positions: jax.Array


class Sharder:
    """Shards arrays over cells over the devices of a mesh."""

    def __init__(self, layout: Layout, mesh: Any) -> None:
        self._layout, self._mesh = layout, mesh
        self._here = list_own_devices(mesh)

    def shard_cells(self, rows: Any) -> jax.Array:
        """Shard the last axis: (..., n_cells) -> (n_devices, ..., n_local)."""
        values = np.asarray(rows)
        return self._stack_devices(lambda k: values[..., self._layout.rows[k]])

    def replicate(self, value: Any) -> jax.Array:
        """Replicate an array: one copy on each device."""
        copy = np.asarray(value)
        return self._stack_devices(lambda k: copy)

    def mark_real_cells(self, circuit: engine.Circuit) -> tuple[jax.Array, ...]:
        """Return which places of each group of a sharded circuit hold a cell, not a copy.

        (n_devices, n) for each group.
        """
        is_real = self._layout.real[self._layout.positions]
        masks = []
        for group in circuit.groups:
            mask = is_real
            if group.index is not None:  # the same rows on every device
                mask = is_real[:, np.asarray(group.index.addressable_data(0))[0]]
            masks.append(self._stack_devices(mask.__getitem__))
        return tuple(masks)

    def shard_group(self, model: engine.Group, part: Any) -> Any:
        """Shard a pytree of arrays over the cells of a group; numbers are replicated."""
        ranks = self._ranks(model.index)
        return jax.tree.map(
            lambda leaf: (
                self._shard_by_rank(ranks, leaf) if np.ndim(leaf) else self.replicate(leaf)
            ),
            part,
        )

    def shard_circuit(self, circuit: engine.Circuit) -> engine.Circuit:
        """Shard every array of a circuit but its delivery, which is sharded already."""
        groups = []
        for group in circuit.groups:
            index = None
            if group.index is not None:
                index = self.replicate(self._local_rows(group.index).astype(np.int32))
            groups.append(engine.Group(self.shard_group(group, group.emitter), index))
        return dataclasses.replace(
            circuit,
            groups=tuple(groups),
            tau_syn_ms=self.replicate(circuit.tau_syn_ms),
            e_rev_mV=None if circuit.e_rev_mV is None else self.replicate(circuit.e_rev_mV),
            gates=jax.tree.map(self.replicate, circuit.gates),
            dendrite_share=None
            if circuit.dendrite_share is None
            else self.replicate(circuit.dendrite_share),
            plastic=tuple(
                plastic_delivery.with_rule(jax.tree.map(self.replicate, plastic_delivery.rule))
                for plastic_delivery in circuit.plastic
            ),
            drive_pA=self.shard_cells(circuit.drive_pA),
            noise_pA=None if circuit.noise_pA is None else self.shard_cells(circuit.noise_pA),
            v_init_mV=None if circuit.v_init_mV is None else self.shard_cells(circuit.v_init_mV),
            n_cells=self._layout.n_local,
            cell_names=None,  # all that they name is drawn before it is sharded
        )

    def _shard_rows(self, flat: Any, n_cells: int) -> jax.Array:
        """Shard flat rows over all cells into flat rows over the cells of each device."""
        rows = np.asarray(flat).reshape(-1, n_cells)
        return self._stack_devices(lambda k: rows[:, self._layout.rows[k]].reshape(-1))

    def start_plastic(self, circuit: engine.Circuit) -> tuple[Any, ...]:
        """Return the initial states of a circuit's plastic deliveries, the same on every device."""
        return tuple(
            jax.tree.map(self.replicate, plastic_delivery.start(circuit.drive_pA.dtype))
            for plastic_delivery in circuit.plastic
        )

    def shard_inputs(self, inputs: engine.Inputs, n_cells: int) -> engine.Inputs:
        """Shard the stimuli.

        Poisson spikes are drawn for all cells of a device, also for those that never get any.
        """
        return engine.Inputs(
            self.shard_cells(inputs.patterns_pA),
            tuple(self._spread_poisson(poisson_input, n_cells) for poisson_input in inputs.poisson),
            tuple(map(self._shard_fluctuation, inputs.fluctuations)),
            tuple(map(self._shard_trains, inputs.trains)),
        )

    def _shard_fluctuation(self, fluctuation: engine.Fluctuation) -> engine.Fluctuation:
        """Shard a fluctuating current by cell; time constant and stream are replicated."""
        return engine.Fluctuation(
            self.shard_cells(fluctuation.sd_pA),
            self.replicate(fluctuation.tau_ms),
            self.replicate(fluctuation.stream),
            fluctuation.shared,
        )

    def _shard_trains(self, trains: engine.SpikeTrains) -> engine.SpikeTrains:
        """Shard spikes at given times by target."""
        return engine.SpikeTrains(
            self.shard_cells(trains.weight), self.shard_cells(trains.train), trains.receptor
        )

    def shard_state(
        self, state: engine.Carry, circuit: engine.Circuit, inputs: engine.Inputs, ring: Any
    ) -> engine.Carry:
        """Shard a state before the first step; ring: the ring buffer of one device."""
        dtype, n_cells = circuit.drive_pA.dtype, circuit.n_cells
        cells = [
            self.shard_group(group, group_state)
            for group, group_state in zip(circuit.groups, state.cells, strict=True)
        ]
        poisson = []
        for poisson_input, poisson_state in zip(inputs.poisson, state.poisson, strict=True):
            place: Callable[[Any], jax.Array] = self.replicate
            if not poisson_input.shared:
                ranks = self._target_ranks(poisson_input, n_cells)
                place = functools.partial(self._shard_by_rank, ranks)
            poisson.append(jax.tree.map(place, poisson_state))
        fluctuations = []
        for fluctuation, ou_state in zip(inputs.fluctuations, state.fluctuations, strict=True):
            place = self.shard_cells
            if fluctuation.shared:
                place = self.replicate
            fluctuations.append(jax.tree.map(place, ou_state))
        return engine.Carry(
            step=self.replicate(state.step),
            cells=tuple(cells),
            syn=self._shard_rows(state.syn, n_cells),
            second_rows=None
            if state.second_rows is None
            else self._shard_rows(state.second_rows, n_cells),
            ring=self._stack_devices(lambda k: np.zeros(ring.size, dtype)),
            noise=None if state.noise is None else jax.tree.map(self.shard_cells, state.noise),
            poisson=tuple(poisson),
            fluctuations=tuple(fluctuations),
        )

    def select_recorded_cells(self, index: jax.Array | None) -> RecordedCells:
        """Return which cells each device keeps for a recorder of the cells `index`."""
        rows = np.arange(self._layout.position_of.size) if index is None else np.asarray(index)
        device, local = self._layout.locate(self._layout.position_of[rows])
        if index is None:
            return RecordedCells(None, self._replicate_index(device * self._layout.n_local + local))
        counts = np.bincount(device, minlength=self._layout.n_devices)
        order = np.argsort(device, kind="stable")
        rank = np.empty(rows.size, np.int64)
        rank[order] = np.arange(rows.size) - np.repeat(np.cumsum(counts) - counts, counts)
        local_rows = np.zeros((self._layout.n_devices, counts.max()), np.int32)
        local_rows[device, rank] = local
        return RecordedCells(
            self._stack_devices(lambda k: local_rows[k]),
            self._replicate_index(device * counts.max() + rank),
        )

    def _spread_poisson(
        self, poisson_input: engine.PoissonInput, n_cells: int
    ) -> engine.PoissonInput:
        """Spread a Poisson input over all cells; where it does not reach, its weight is zero."""
        ranks = self._target_ranks(poisson_input, n_cells)
        is_target = ranks >= 0
        weight = np.asarray(poisson_input.weight)
        weights = np.where(
            is_target, weight[np.where(is_target, ranks, 0)] if weight.size > 1 else weight[0], 0.0
        )
        table = np.asarray(poisson_input.thresholds)
        is_shared = poisson_input.shared or table.shape[1] == 1
        return engine.PoissonInput(
            targets=None,
            thresholds=self.replicate(table)
            if is_shared
            else self._stack_devices(lambda k: table[:, ranks[k]]),
            weight=self._stack_devices(lambda k: weights[k].astype(weight.dtype)),
            receptor=poisson_input.receptor,
            shared=poisson_input.shared,
        )

    def _target_ranks(
        self, poisson_input: engine.PoissonInput, n_cells: int
    ) -> npt.NDArray[np.int64]:
        """Return the number of the target at each place, -1 where none is: (n_devices, n_local)."""
        rank = np.full(n_cells, -1, np.int64)
        rank[
            slice(None) if poisson_input.targets is None else np.asarray(poisson_input.targets)
        ] = np.arange(poisson_input.n_targets(n_cells))
        return rank[self._layout.rows]

    def _ranks(self, index: jax.Array | None) -> npt.NDArray[np.int64]:
        """Return which cell of a group stands at each place of the group: (n_devices, n)."""
        if index is None:
            return self._layout.rows
        rank = np.zeros(self._layout.position_of.size, np.int64)
        rank[np.asarray(index)] = np.arange(np.size(index))
        return rank[self._layout.rows[:, self._local_rows(index)]]

    def _local_rows(self, index: jax.Array) -> npt.NDArray[np.int64]:
        """Return the rows of a group on a device, the same on every device."""
        in_group = np.zeros(self._layout.position_of.size, bool)
        in_group[np.asarray(index)] = True
        return np.flatnonzero(in_group[self._layout.rows[0]])

    def _shard_by_rank(self, ranks: npt.NDArray[np.int64], rows: Any) -> jax.Array:
        """Shard rows (n,) by their ranks."""
        values = np.asarray(rows)
        return self._stack_devices(lambda k: values[ranks[k]])

    def _replicate_index(self, positions: npt.NDArray[np.int64]) -> jax.Array:
        """Replicate an index, so that all devices of all processes know it."""
        values = positions.astype(np.int32)
        sharding = NamedSharding(self._mesh, replicated_spec())
        return jax.make_array_from_callback(values.shape, sharding, lambda part: values[part])

    def _stack_devices(self, part: Any) -> jax.Array:
        """Build an array over the mesh from the part of each device."""
        return stack_shards([np.asarray(part(k)) for k in self._here], self._mesh)
