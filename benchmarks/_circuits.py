"""The circuits that are compared: Configs of jtfne, and the same numbers as plain JSON for the
peers.
"""

from typing import Any

import jtfne
from jtfne.config import Config
from jtfne.presets import pd14, vogels_abbott

# of Vogels & Abbott's 4,000 cells at p = 0.02, kept when the number of cells changes
IN_DEGREE = 80


def scaled(n_cells: int) -> Config:
    """Vogels & Abbott's current-based network with `n_cells`, a fifth of them inhibitory, each with
    `IN_DEGREE` inputs.

    The number of inputs is fixed, not drawn, so that building costs every simulator as much as it
    has synapses.
    """
    config, n_i = vogels_abbott(), IN_DEGREE // 5
    connections = [each.model_dump() for each in config.circuit.connections]
    for each, n in zip(connections, (IN_DEGREE - n_i, n_i), strict=True):
        each["rule"] = {"kind": "FixedIndegree", "n": n, "autapses": True, "multapses": True}
    return config.cells({"E": n_cells - n_cells // 5, "I": n_cells // 5}).connections(connections)


def circuit(name: str) -> Config:
    """The circuit `name`: `cuba`, `coba`, `scaled_CELLS`, `pd14_DRIVE_SCALE` or `net1_CELLS`;
    spikes recorded.
    """
    kind, *rest = name.split("_")
    if kind == "pd14":
        return pd14(scale=float(rest[1]), drive=rest[0])
    if kind == "net1":
        return jtfne.suite2_net1_config(int(rest[0])).probes(["spk"])
    return scaled(int(rest[0])) if kind == "scaled" else vogels_abbott(kind=kind)


def described(config: Config) -> dict[str, Any]:
    """`config` for those who know no jtfne: populations in order, each with its input, and
    connections by index.

    First potentials are uniform between reset and threshold, as in jtfne; mechanisms are "exc" and
    "inh". Poisson input is onto the first `n_cells` of its population.
    """
    words = config.to_dict()
    declared, populations = words["circuit"], config.populations()
    cells = [
        {
            "n_cells": each.n_cells,
            "emitter": declared["emitters"].get(each.cell_type),
            "current_pA": 0.0,
            "poisson": [],
        }
        for each in populations
    ]
    for stimulus in words["task"]["stimuli"]:
        drive = stimulus["drive"]
        for k in _chosen(stimulus["target"], populations):
            if drive["kind"] == "Poisson":
                n_cells = _first_cells(stimulus["target"]["ids"], populations, k)
                weight = drive.get("weight_pA") or drive["weight_nS"]
                cells[k]["poisson"] += (
                    [drive | {"weight": weight, "n_cells": n_cells}] if n_cells else []
                )
            else:
                cells[k]["current_pA"] += drive["amplitude"]
    chosen = (
        {end: _chosen(each[end], populations) for end in ("source", "target")}
        for each in declared["connections"]
    )
    connections = [each | ends for each, ends in zip(declared["connections"], chosen, strict=True)]
    return {
        "cells": cells,
        "mechanisms": {
            each["mechanism"]: declared["mechanisms"][each["mechanism"]] for each in connections
        },
        "connections": connections,
        "n_cells": sum(each.n_cells for each in populations),
    }


def _chosen(selector: dict[str, Any], populations: Any) -> list[int]:
    """Indices of the populations that a selector of area, layer and cell type means."""
    keys = ("area", "layer", "cell_type")
    return [
        k
        for k, each in enumerate(populations)
        if all(selector[key] is None or getattr(each, key) in selector[key] for key in keys)
    ]


def _first_cells(ids: list[int] | None, populations: Any, k: int) -> int:
    """How many of population `k` the `ids` mean, which have to be its first; all of it without
    ids.
    """
    before, n_cells = sum(each.n_cells for each in populations[:k]), populations[k].n_cells
    mine = (
        range(before, before + n_cells)
        if ids is None
        else sorted(set(ids) & set(range(before, before + n_cells)))
    )
    if list(mine) != list(range(before, before + len(mine))):
        raise ValueError(
            f"ids {mine} are not the first of their population, and peers are told no others"
        )
    return len(mine)
