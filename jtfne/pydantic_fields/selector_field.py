"""Fields that choose cells by what they are."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from jtfne._check import refuse
from jtfne.pydantic_fields.errors import HERE, refuse_duplicates
from jtfne.pydantic_fields.field_types import Name, Whole, plain
from jtfne.pydantic_fields.frozen import Frozen


def _as_tuple(value: Any) -> Any:
    """Convert one name or id to a tuple of it; return several unchanged."""
    value = plain(value)
    return (value,) if isinstance(value, str | int) else value


Names = Annotated[
    tuple[Name, ...] | None,
    Field(min_length=1),
    BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...] | None),
]


class Selector(Frozen):
    """Cells chosen by area, layer, type or id: AND between the keys, OR within one.

    Without any key it chooses all cells.

    Where a selector is expected, a bare text is a cell type. Names are kept as tuples.

    Examples
    --------
    >>> Selector(layer="L4", cell_type=["E", "PV"]).cell_type
    ('E', 'PV')
    """

    area: Names = None
    layer: Names = None
    cell_type: Names = None
    ids: Annotated[
        tuple[Whole, ...] | None,
        Field(min_length=1),
        BeforeValidator(_as_tuple, json_schema_input_type=int | tuple[int, ...] | None),
    ] = None

    @model_validator(mode="after")
    def _check_names(self) -> "Selector":
        """Refuse a name given twice."""
        for key in ("area", "layer", "cell_type"):
            refuse_duplicates(getattr(self, key) or (), name=key)
        if self.ids and len(set(self.ids)) < len(self.ids):
            raise refuse("ids with one given twice", "each id once", HERE)
        return self


def _as_selector(value: Any) -> Any:
    """Convert a bare text to a selector of that cell type."""
    return {"cell_type": value} if isinstance(value, str) else value


Selection = Annotated[
    Selector, BeforeValidator(_as_selector, json_schema_input_type=Selector | str)
]
