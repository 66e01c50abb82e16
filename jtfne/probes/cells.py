"""Probes of single cells: spikes, membrane potential, source current."""

import dataclasses
import operator
from typing import Any

import jax
import numpy as np

from jtfne._check import narrow_dtype
from jtfne._rows import Rows
from jtfne.probes._base import (
    Array,
    Keep,
    Readout,
    Recording,
    SourceRows,
    VoltageRows,
    attrs,
    neuron_coords,
)
from jtfne.sources import Source
from jtfne.wiring import Identity


@dataclasses.dataclass(frozen=True)
class SpikeProbe:
    """The probe of spikes, as events."""

    identity: Identity | None
    n_cells: int
    name: str = "spk"
    every: int = 1

    def recorder(self, source: Source) -> None:
        """None: the engine always keeps spikes."""

    def readout(self, recording: Recording) -> Readout:
        """Return time (ms), neuron (id) and trial of each spike."""
        spikes, dt_ms = recording.spikes, recording.dt_ms
        ids = spikes.row if self.identity is None else self.identity.ids[spikes.row]
        dims = ("event",)
        values = {
            "time": (dims, np.round((spikes.step + 1) * dt_ms, 9)),
            "neuron": (dims, narrow_dtype(ids, np.int32, name="neuron", where="spk")),
            "trial": (dims, spikes.trial),
        }
        attributes = attrs(self.name, "spike times", "ms", proxy=False, interval_ms=dt_ms)
        shape = {"n_neurons": self.n_cells, "n_trials": recording.n_trials}
        return Readout(
            self.name,
            values,
            {},
            {**attributes, **shape, "dt_ms": dt_ms, "duration_ms": recording.n_steps * dt_ms},
        )

    def operator(self) -> None:
        """None: spikes need none."""


@dataclasses.dataclass(frozen=True)
class VoltageProbe:
    """The probe of the membrane potential of `rows` (all cells if None)."""

    identity: Identity | None
    n_cells: int
    every: int
    rows: Array | None
    name: str = "vm"

    def recorder(self, source: Source) -> VoltageRows:
        """Return a recorder of the cells' v_m_mV."""
        return VoltageRows(
            self.name,
            None if self.rows is None else jax.device_put(self.rows.astype(np.int32)),
            self.every,
        )

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, time, neuron) mV."""
        dims = ("trial", "time", "neuron")
        coords = {
            "time": (("time",), recording.time_ms(self.every)),
            **neuron_coords(self.identity, self.n_cells, self.rows),
        }
        attributes = attrs(
            self.name,
            "membrane potential",
            "mV",
            proxy=False,
            interval_ms=self.every * recording.dt_ms,
        )
        return Readout(
            self.name, {self.name: (dims, recording.rows(self.name))}, coords, attributes
        )

    def operator(self) -> None:
        """None: a potential is read directly."""


@dataclasses.dataclass(frozen=True)
class SourceProbe:
    """The probe of the declared source of every cell."""

    identity: Identity | None
    n_cells: int
    every: int
    parts: tuple[str, ...]
    kind: str
    name: str = "source"

    def recorder(self, source: Source) -> SourceRows:
        """Return a recorder that keeps the rows themselves."""
        return SourceRows(source, {self.name: Keep()}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, time, neuron) pA, outward positive.

        A source of several parts has each of them beside the sum.
        """
        dims = ("trial", "time", "neuron")
        values: dict[str, tuple[tuple[str, ...], Array | Rows]] = {}
        values[self.name] = (dims, recording.rows(self.name, lambda rows: rows.sum(2)))
        for k, part in enumerate(self.parts if len(self.parts) > 1 else ()):
            values[f"{self.name}_{part}"] = (
                dims,
                recording.rows(self.name, operator.itemgetter(np.s_[:, :, k])),
            )
        coords = {
            "time": (("time",), recording.time_ms(self.every)),
            **neuron_coords(self.identity, self.n_cells, None),
        }
        long_name = f"source current ({self.kind}), outward positive"
        attributes = attrs(
            self.name, long_name, "pA", proxy=False, interval_ms=self.every * recording.dt_ms
        )
        return Readout(self.name, values, coords, attributes)

    def operator(self) -> dict[str, Any] | None:
        """None: a source is read directly."""
        return None
