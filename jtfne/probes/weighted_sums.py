"""LFP and EEG as weighted sums of synaptic currents onto excitatory cells."""

import dataclasses
from typing import Any

import jax
import numpy as np

from jtfne import _json
from jtfne._check import refuse
from jtfne._precision import precision
from jtfne.measures.weighted_sum import Weights, weighted_sum
from jtfne.probes._base import Array, ByArea, Readout, Recording, SourceRows, attrs
from jtfne.sources import BySign, Source
from jtfne.wiring import Identity, NetData

KINDS = {"nS": "conductances", "pA": "currents", "mV": "jumps"}
LONG_NAMES = {
    "rws": "LFP by weighted synaptic currents",
    "erws": "EEG by weighted synaptic currents",
}


def by_sign(
    net: NetData, receptors: tuple[tuple[str, ...], ...], signs: dict[str, int]
) -> tuple[BySign, str]:
    """Return the currents of a run by sign, and what synapses they are of, as text.

    Raises: JtfneError for mechanisms of both signs that share a row, since they decay alike, and
    one that has both.
    """
    for names in receptors:
        mixed_names = [name for name in names if not signs[name]]
        if mixed_names:
            problem = f"mechanism {mixed_names[0]!r} with weights of both signs"
            raise refuse(problem, "a mechanism for each sign", "a weighted sum of currents")
        opposite_names = [name for name in names if signs[name] != signs[names[0]]]
        if opposite_names:
            problem = (
                f"mechanisms {names[0]!r} and {opposite_names[0]!r}, which decay alike and so are "
                "one current,"
            )
            allowed = "declared source maps, which keep them apart, such as maps=open_field('E')"
            raise refuse(problem, allowed, "a weighted sum of currents")
    units = {net.config.circuit.mechanisms[names[0]].unit for names in receptors}
    kinds = [kind for unit, kind in KINDS.items() if unit in units]
    return BySign(tuple(signs[names[0]] for names in receptors)), " and ".join(kinds) or "none"


@dataclasses.dataclass(frozen=True)
class WeightedSumProbe:
    """The probe of `rws` or `erws`.

    The sum is made at the end, since delays reach over chunks. rows: (n_rows,), whose currents are
    summed. synapses: what these are of, as text.
    """

    name: str
    source: BySign
    synapses: str
    identity: Identity
    rows: Array
    weights: Weights
    every: int

    def recorder(self, source: Source) -> SourceRows:
        """Return a recorder of sums over the cells of each area.

        Excitation and inhibition are side by side.
        """
        ranges, maps = [], []
        for area_rows in self._by_area():
            first, last = (int(area_rows[0]), int(area_rows[-1]) + 1) if area_rows.size else (0, 0)
            counts = np.isin(np.arange(first, last), area_rows)[:, None].astype(np.float64)
            ranges.append((first, last))
            maps.append(jax.device_put(np.kron(np.eye(2), counts)))
        return SourceRows(self.source, {self.name: ByArea(tuple(ranges), tuple(maps))}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, time, area) a.u."""
        sums = recording.kept[self.name]
        areas = np.array(self.identity.areas)
        currents = np.moveaxis(sums.reshape(*sums.shape[:2], areas.size, 2), 1, -1)
        interval_ms = self.every * recording.dt_ms
        with precision(str(sums.dtype)):
            weighted_sums = weighted_sum(
                currents[:, :, 0], currents[:, :, 1], interval_ms, self.weights
            )
        values = np.moveaxis(np.array(weighted_sums), -1, 1)
        coords = {
            "time": (("time",), recording.time_ms(self.every)),
            "area": (("area",), np.array(self.identity.areas)),
        }
        attributes = attrs(
            self.name, LONG_NAMES[self.name], "a.u.", proxy=True, interval_ms=interval_ms
        )
        attributes["operator"] = _json.dumps(self.operator())
        return Readout(
            self.name, {self.name: (("trial", "time", "area"), values)}, coords, attributes
        )

    def operator(self) -> dict[str, Any]:
        """Return the weights, and the number of cells summed in each area."""
        return {
            "name": "weighted sum of synaptic currents",
            "units": ["pA", "a.u."],
            **dataclasses.asdict(self.weights),
            "synapses": self.synapses,
            "n_cells": [int(area_rows.size) for area_rows in self._by_area()],
        }

    def _by_area(self) -> list[Array]:
        """Return the rows of each area, in order."""
        rows = np.sort(self.rows)
        return [rows[self.identity.area[rows] == k] for k in range(len(self.identity.areas))]
