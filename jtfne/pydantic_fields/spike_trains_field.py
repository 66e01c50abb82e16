"""Trains of spikes as a field: lists of lists of times in ms."""

from typing import Any

import numpy as np
import pydantic
from pydantic_core import core_schema

from jtfne._check import JtfneError, refuse
from jtfne.emitters import Trains
from jtfne.pydantic_fields.errors import HERE


class TrainsField:
    """Marks a field that holds Trains: finite times of at least 0, each train sorted."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Pydantic schema: validate all trains by one function."""
        write = core_schema.plain_serializer_function_ser_schema(Trains.tolist)
        return core_schema.with_info_plain_validator_function(_read_trains, serialization=write)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """JSON schema: lists of lists of numbers."""
        return {
            "type": "array",
            "items": {"type": "array", "items": {"type": "number", "minimum": 0}},
        }


def _read_trains(value: Any, info: core_schema.ValidationInfo) -> Trains:
    """Convert `value` to Trains. Raises: JtfneError with the first time that is not allowed."""
    name = info.field_name
    rows: Any = value if isinstance(value, list | tuple) else [None]
    try:
        trains = value if isinstance(value, Trains) else Trains(rows)
    except JtfneError:
        description = repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:77]}..."
        raise refuse(
            f"{name}={description}", "a list of trains, each a list of times in ms", HERE
        ) from None
    cell = np.repeat(np.arange(len(trains)), trains.sizes)
    t_ms = trains.t_ms
    wrong_rows = np.flatnonzero(~np.isfinite(t_ms) | (t_ms < 0))
    if wrong_rows.size:
        description = f"{name}[{cell[wrong_rows[0]]}] with {float(t_ms[wrong_rows[0]])!r}"
        raise refuse(description, "finite times of at least 0 ms", HERE)
    late_rows = np.flatnonzero((np.diff(t_ms) < 0) & (np.diff(cell) == 0))
    if late_rows.size:
        description = (
            f"{name}[{cell[late_rows[0]]}] with {t_ms[late_rows[0] + 1]:g} after "
            f"{t_ms[late_rows[0]]:g}"
        )
        raise refuse(description, "times in order", HERE)
    return trains
