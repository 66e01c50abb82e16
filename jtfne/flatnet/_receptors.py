"""The rows of the synaptic currents: which mechanisms share one, and what the engine knows of it."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jtfne._check import one_of
from jtfne.config import Config
from jtfne.config.source_maps import find_sign, list_current_tags
from jtfne.pydantic_fields.selector_field import Selector
from jtfne.stimuli import SYNAPTIC
from jtfne.synapses import RiseState, Synapse
from jtfne.wiring import NetData


def mechanisms_of(config: Config) -> tuple[str, ...]:
    """The mechanisms through which stimuli send spikes."""
    return tuple(
        stimulus.drive.mechanism
        for stimulus in config.task.stimuli
        if isinstance(stimulus.drive, SYNAPTIC)
    )


def find_receptor_row(mechanism: str, receptors: tuple[tuple[str, ...], ...]) -> int:
    """The row of the synaptic currents that holds `mechanism`."""
    return next(row for row, names in enumerate(receptors) if mechanism in names)


def list_receptors(
    net: NetData, mechanisms: Iterable[str], *, shared: bool
) -> tuple[tuple[str, ...], ...]:
    """The mechanisms of each row of the synaptic currents: those in use, and `mechanisms`.

    shared: mechanisms that decay alike have one row, unless declared source maps tell them apart; a
    probe does not. Raises: JtfneError for an unknown one.
    """
    synapse_by_name, maps = net.config.circuit.mechanisms, net.config.readouts.maps
    rows: dict[Any, list[str]] = {}
    names_in_use = [projection.mechanism for projection in net.projections]
    for name in dict.fromkeys([*names_in_use, *mechanisms]):
        mechanism = synapse_by_name[
            one_of(name, synapse_by_name, name="mechanism", where="FlatNet")
        ]
        sign = find_sign(mechanism) if maps else 0
        tags = list_current_tags(name, sign)
        holds_by_map = tuple(source_map.holds(*tags) for source_map in maps)
        # Defaults go by the sign; a declared map of all cells leaves nothing to them
        is_mapped = any(
            source_map.cells == Selector() and holds
            for source_map, holds in zip(maps, holds_by_map, strict=True)
        )
        map_key = (0 if is_mapped else sign, *holds_by_map)
        rows.setdefault((_kinetics(mechanism), map_key) if shared else name, []).append(name)
    return tuple(map(tuple, rows.values()))


def _kinetics(mechanism: Synapse) -> tuple[Any, ...]:
    """Key under which synapses share one row of state: class and parameters, without the sign.

    Inputs of synapses with equal keys may be added up as they arrive.
    """
    key: list[Any] = [type(mechanism)]
    for field in dataclasses.fields(mechanism):  # type: ignore[arg-type]  # every synapse is one
        value = getattr(mechanism, field.name)
        is_number = value is not None and not field.metadata.get("static")
        if field.name != "sign":
            key.append(float(value) if is_number else value)
    return tuple(key)


def build_receptor_fields(synapses: list[Synapse], dtype: np.dtype[Any]) -> dict[str, Any]:
    """Fields of `engine.Circuit` that describe receptors: one row each, then the second rows."""
    taus_ms, rise_taus_ms, rise_states = [], [], []
    conductive, jumps, e_rev_mV, gates, shares = [], [], [], [], []
    for k, synapse in enumerate(synapses):
        taus_ms.append(synapse.taus_ms[0])
        if len(synapse.taus_ms) > 1:
            rise_taus_ms.append(synapse.taus_ms[1])
            rise_states.append(RiseState(k, synapse.equal_taus))
        is_conductance = synapse.unit == "nS"
        conductive.append(is_conductance)
        e_rev_mV.append(synapse.e_rev_mV if is_conductance else 0.0)
        gates.append(_make_gate(synapse, dtype))
        jumps.append(synapse.unit == "mV")
        shares.append(synapse.dendrite_share)
    has_share = any(share is not None for share in shares)
    return {
        "tau_syn_ms": jnp.asarray([*taus_ms, *rise_taus_ms], dtype),
        "e_rev_mV": jnp.asarray(e_rev_mV, dtype) if any(conductive) else None,
        "conductive": tuple(conductive) if any(conductive) else (),
        "gates": tuple(gates) if any(gate is not None for gate in gates) else (),
        "jumps": tuple(jumps) if any(jumps) else (),
        "rise_states": tuple(rise_states),
        "dendrite_share": _convert_shares(shares, dtype) if has_share else None,
    }


def _make_gate(synapse: Synapse, dtype: np.dtype[Any]) -> Synapse | None:
    """The synapse with the fields that its gate reads as arrays, no others; None without a gate."""
    if not synapse.gate_fields:
        return None
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(synapse):  # type: ignore[arg-type]  # every synapse is one
        if field.metadata.get("static"):
            continue
        is_read = field.name in synapse.gate_fields
        fields[field.name] = jnp.asarray(getattr(synapse, field.name), dtype) if is_read else None
    return dataclasses.replace(synapse, **fields)  # type: ignore[type-var]


def _convert_shares(shares: list[jax.Array | float | None], dtype: np.dtype[Any]) -> jax.Array:
    """`dendrite_share` of each receptor, NaN where the cell's own value applies."""
    return jnp.asarray([np.nan if share is None else share for share in shares], dtype)
