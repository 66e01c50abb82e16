"""The E, PV, SST, VIP motif of the presets: who connects to whom, how often, how strongly."""

from collections.abc import Iterable
from typing import Any

Row = tuple[str, str, str, int, float]  # source, target, mechanism, inputs of one cell, pA an input

# Inputs of one cell and pA an input. Who connects to whom: Pfeffer, Xue, He, Huang & Scanziani
# (2013), Nat. Neurosci.
# 16:1068-1076 (PV -> E, PV; SST -> E, PV, VIP and not SST; VIP -> SST); E -> all. Numbers are ours:
# few strong
# synapses stand for many weak ones, with unitary jumps w tau / C of 0.8 to 5 mV on 100 pF.
MOTIF: tuple[Row, ...] = (
    ("E", "E", "AMPA", 30, 40.0),
    ("E", "PV", "AMPA", 40, 120.0),
    ("E", "SST", "AMPA", 30, 60.0),
    ("E", "VIP", "AMPA", 30, 40.0),
    ("PV", "E", "GABA_A", 15, -100.0),
    ("PV", "PV", "GABA_A", 10, -100.0),
    ("SST", "E", "GABA_A", 8, -80.0),
    ("SST", "PV", "GABA_A", 5, -50.0),
    ("SST", "VIP", "GABA_A", 8, -80.0),
    ("VIP", "SST", "GABA_A", 10, -80.0),
)
FRACTIONS = {"E": 0.8, "PV": 0.1, "SST": 0.06, "VIP": 0.04}


def motif(
    place: dict[str, str], *, gain: float = 1.0, rows: Iterable[Row] = MOTIF
) -> list[dict[str, Any]]:
    """Connections of the motif among the cells at `place` (area, layer).

    Weights are multiplied by `gain` and spread by 10 %.
    """
    connections = []
    for source, target, mechanism, inputs, weight_pA in rows:
        source_cells = {**place, "cell_type": source}
        target_cells = {**place, "cell_type": target}
        connections.append(edge(source_cells, target_cells, mechanism, inputs, gain * weight_pA))
    return connections


def edge(
    source: dict[str, Any],
    target: dict[str, Any],
    mechanism: str,
    inputs: int,
    weight_pA: float,
    *,
    delay_ms: float | None = None,
) -> dict[str, Any]:
    """A connection of `inputs` synapses a target.

    Weights are normal, sd 10 %; delays 1.5 ms (E) or 0.8 ms, sd half of that.

    Spreads and delays: Potjans & Diesmann (2014), Cereb. Cortex 24:785-806, Table 5. A `delay_ms`
    that is given has an sd of a tenth.
    """
    mean_ms = (1.5 if weight_pA > 0 else 0.8) if delay_ms is None else delay_ms
    sd_ms = mean_ms / 2 if delay_ms is None else mean_ms / 10
    return {
        "source": source,
        "target": target,
        "mechanism": mechanism,
        "rule": {"kind": "FixedIndegree", "n": inputs},
        "weight": {"kind": "Normal", "mean": weight_pA, "sd": abs(weight_pA) / 10},
        "delay_ms": {"kind": "Normal", "mean": mean_ms, "sd": sd_ms, "low": 0.1},
    }
