"""What distinguishes one training or sweep from another, as JSON values."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jtfne import _json
from jtfne.candidates import CandidateRunner
from jtfne.pydantic_fields.custom_parts import name_kind
from jtfne.reports import bit_conditions


def circuit_provenance(runs: CandidateRunner) -> dict[str, Any]:
    """What the bits of runs depend on besides values and seeds: software, machine, circuit."""
    return {
        **bit_conditions(),
        "config_sha256": _json.sha256(runs.spec.config),
        "net_sha256": runs.spec.net_sha256,
    }


def to_json_values(value: Any) -> Any:
    """An object's settings as JSON values that are equal in every process.

    Without addresses; closures by the content of their cells.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value if not isinstance(value, float) or np.isfinite(value) else repr(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        settings = {"kind": name_kind(type(value))}
        for field in dataclasses.fields(value):
            settings[field.name] = to_json_values(getattr(value, field.name))
        return settings
    if isinstance(value, Mapping):
        return {str(key): to_json_values(entry) for key, entry in value.items()}
    if isinstance(value, Sequence):
        return [to_json_values(entry) for entry in value]
    if hasattr(value, "__array__"):
        return np.asarray(value).tolist()
    if callable(value) and hasattr(value, "__qualname__"):
        closure = getattr(value, "__closure__", None) or ()
        cells = [to_json_values(cell.cell_contents) for cell in closure]
        return [value.__qualname__, *cells] if cells else value.__qualname__
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
