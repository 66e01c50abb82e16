"""`spk`: spike events."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from jtfne._check import narrow_dtype
from jtfne.readouts._context import CellIdentity, ProbeContext
from jtfne.readouts._probe import Probe
from jtfne.readouts._readout import FigureSpec, Readout
from jtfne.readouts._recording import ReadoutNode, Recording


class Spikes(Readout):
    """`spk`: spike events.

    Examples
    --------
    >>> import jtfne
    >>> jtfne.Config().probes(["spikes"]).readouts.probes  # by an alias
    (Spikes(kind='Spikes'),)
    """

    kind: Literal["Spikes"] = "Spikes"
    readout: ClassVar[str] = "spk"
    aliases: ClassVar[tuple[str, ...]] = ("spikes", "spike", "raster")
    long_name: ClassVar[str] = "spike times"
    dims: ClassVar[tuple[str, ...]] = ("event",)
    coords: ClassVar[tuple[str, ...]] = ()
    units: ClassVar[str] = "ms"
    proxy: ClassVar[bool] = False
    needs_identity: ClassVar[bool] = False
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "02_raster": FigureSpec(
            "raster",
            "Spikes, cells sorted by layer and type; the shaded span is the stimulus.",
        ),
        "03_rates": FigureSpec(
            "rates",
            "Mean firing rate of each layer and type over the whole run.",
        ),
    }

    def build(self, context: ProbeContext) -> "SpikeProbe":
        """Return the probe of spikes."""
        return SpikeProbe(self, 1, {}, context.identity, context.n_cells)


@dataclasses.dataclass(frozen=True)
class SpikeProbe(Probe):
    """The probe of spikes, which the engine always keeps: it needs no recorder."""

    identity: CellIdentity | None
    n_cells: int

    def readout(self, recording: Recording) -> ReadoutNode:
        """Return time (ms), neuron (id) and trial of each spike."""
        spikes, dt_ms = recording.spikes, recording.dt_ms
        ids = spikes.row if self.identity is None else self.identity.ids[spikes.row]
        dims = self.declaration.dims
        values = {
            "time": (dims, np.round((spikes.step + 1) * dt_ms, 9)),
            "neuron": (dims, narrow_dtype(ids, np.int32, name="neuron", where="spk")),
            "trial": (dims, spikes.trial),
        }
        # silent cells and trials leave no events: their numbers are said here
        shape = {"n_neurons": self.n_cells, "n_trials": recording.n_trials}
        clock = {"dt_ms": dt_ms, "duration_ms": recording.n_steps * dt_ms}
        return ReadoutNode(self.name, values, {}, {**self.attrs(dt_ms), **shape, **clock})
