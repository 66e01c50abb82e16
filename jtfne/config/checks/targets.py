"""Checks of the cells that connections and stimuli act on."""

from collections.abc import Collection, Iterator

from jtfne.config.circuit import Circuit
from jtfne.config.populations import base_emitter
from jtfne.emitters import can_receive, has_method
from jtfne.pydantic_fields.errors import describe_refusal


def check_targets(
    circuit: Circuit, cell_types: Collection[str], action: str, where: str
) -> Iterator[str]:
    """Yield an error if some of `cell_types` only send spikes, so that no input reaches them.

    action: what is applied to them, such as "a connection".
    """
    senders = []
    for cell_type in sorted(cell_types):
        emitter_class = type(base_emitter(circuit, cell_type))
        if not can_receive(emitter_class):
            senders.append(f"{cell_type!r} ({emitter_class.__name__})")
    if senders:
        yield describe_refusal(
            f"{action} onto cells of type {', '.join(senders)}, which only send,",
            "a target of cells that receive, by its cell_type",
            where,
        )


def check_jump_targets(circuit: Circuit, cell_types: Collection[str], where: str) -> Iterator[str]:
    """Yield an error if some of `cell_types` cannot jump in potential: they have no `jumped_pA`."""
    rigid_types = []
    for cell_type in sorted(cell_types):
        emitter = base_emitter(circuit, cell_type)
        receives = emitter is not None and can_receive(emitter)
        if receives and not has_method(emitter, "jumped_pA"):
            rigid_types.append(f"{cell_type!r} ({type(emitter).__name__})")
    if rigid_types:
        yield describe_refusal(
            f"a jump of the membrane of cells of type {', '.join(rigid_types)}",
            "cells whose emitter has a method jumped_pA, or a mechanism of another kind",
            where,
        )
