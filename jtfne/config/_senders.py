"""Checks of cell types that only send: nothing may be connected or applied to them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from jtfne._check import refuse
from jtfne.config._sizes import too_fast
from jtfne.config.circuit import Circuit
from jtfne.config.populations import INPUTS, base_emitter
from jtfne.emitters import SpikeSource, Trains, can_receive, has_method


def onto_senders(circuit: Circuit, types: Collection[str], what: str, where: str) -> Iterator[str]:
    """Yield an error if some of `types`, which `what` is applied to, only send spikes."""
    classes = {name: type(base_emitter(circuit, name)) for name in sorted(types)}
    sender_names = [
        f"{name!r} ({cls.__name__})" for name, cls in classes.items() if not can_receive(cls)
    ]
    if sender_names:
        description = f"{what} onto cells of type {', '.join(sender_names)}, which only send,"
        yield str(refuse(description, "a target of cells that receive, by its cell_type", where))


def onto_rigid(circuit: Circuit, types: Collection[str], what: str, where: str) -> Iterator[str]:
    """Yield an error if some of `types`, whose potential `what` moves, have no `jumped_pA`."""
    classes = {name: type(base_emitter(circuit, name)) for name in sorted(types)}
    rigid_names = [
        f"{name!r} ({cls.__name__})"
        for name, cls in classes.items()
        if can_receive(cls) and cls is not type(None) and not has_method(cls, "jumped_pA")
    ]
    if rigid_names:
        description = f"{what} of the membrane of cells of type {', '.join(rigid_names)}"
        yield str(
            refuse(
                description,
                "cells whose emitter has a method jumped_pA, or a mechanism of another kind",
                where,
            )
        )


def driven(emitter: Any, params: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield an error for drive or noise (not 0) of cells that only send spikes."""
    for name in INPUTS if not can_receive(emitter) else ():
        if np.any(params.get(name, 0.0)):
            yield str(
                refuse(
                    f"{name} of a {type(emitter).__name__}, which only sends,", "no input", where
                )
            )


def trained(circuit: Circuit, counts: Mapping[str, int], dt_ms: float | None) -> Iterator[str]:
    """Yield an error for more spike trains than cells, or more than one spike a step.

    counts: number of cells by type, where known.
    """
    for name, emitter in circuit.emitters.items():
        if dt_ms is not None:
            yield from too_fast(
                emitter, circuit.cell_params.get(name, {}), dt_ms, f"Config.circuit.emitters.{name}"
            )
        trains = emitter.times_ms if isinstance(emitter, SpikeSource) else None
        if not isinstance(trains, Trains):
            continue
        where, n_cells = f"Config.circuit.emitters.{name}", counts.get(name)
        if n_cells is not None and len(trains) > n_cells:
            yield str(
                refuse(f"{len(trains)} trains", f"one for each of the {n_cells} cells", where)
            )
        double_spike = None if dt_ms is None else trains.at_once(dt_ms)
        if double_spike is not None:
            description = (
                f"times_ms[{double_spike[0]}] with two spikes in one step, at {double_spike[1]:g} "
                "ms"
            )
            yield str(refuse(description, f"at most one in dt_ms={dt_ms:g}", where))
