"""Checks of cell types that only send: nothing may be connected or applied to them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from jtfne._check import refuse
from jtfne.config.circuit import Circuit
from jtfne.config.populations import INPUTS, base_emitter


def onto_senders(circuit: Circuit, types: Collection[str], what: str, where: str) -> Iterator[str]:
    """`what` that reaches cells of `types` that only send."""
    found = {name: type(base_emitter(circuit, name)) for name in sorted(types)}
    deaf = [f"{name!r} ({cls.__name__})" for name, cls in found.items() if not getattr(cls, "receives", True)]
    if deaf:
        given = f"{what} onto cells of type {', '.join(deaf)}, which only send,"
        yield str(refuse(given, "a target of cells that receive, by its cell_type", where))


def driven(emitter: Any, given: Mapping[str, Any], where: str) -> Iterator[str]:
    """Drive or noise of cells that only send; 0 is none."""
    for name in INPUTS if not getattr(type(emitter), "receives", True) else ():
        if np.any(given.get(name, 0.0)):
            yield str(refuse(f"{name} of a {type(emitter).__name__}, which only sends,", "no input", where))
