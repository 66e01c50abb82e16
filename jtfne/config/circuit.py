"""What the circuit is made of: areas, layers, a column's size, cells, and how cells are chosen by
name.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from jtfne._arguments import describe_argument
from jtfne._check import check_name, refuse
from jtfne.config._defaults import AREAS, LAYERS, UNPLACED, placed_at
from jtfne.config.connections import Connection
from jtfne.emitters import EMITTERS, Emitter
from jtfne.pydantic_fields.custom_parts import OpenDeclared
from jtfne.pydantic_fields.errors import HERE, describe_unknown, refuse_duplicates
from jtfne.pydantic_fields.field_types import (
    Count,
    FrozenDict,
    Name,
    NotNegative,
    Number,
    Share,
    Vector,
    freeze,
    numeric,
    plain,
)
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.pydantic_fields.part_protocols import EMITTER, SYNAPSE
from jtfne.synapses import RECEPTORS, SYNAPSES, Synapse


def _as_name_table(value: Any) -> Any:
    """Convert a bare name to the table that declares it."""
    return {"name": value} if isinstance(value, str) else value


def _as_table(data: Any, allowed: str) -> dict[str, Any]:
    """Copy a table as a dict. Raises: JtfneError for anything that is not one."""
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise refuse(describe_argument(data), allowed, HERE)
    return dict(data)


class Area(Frozen):
    """A cortical area, which holds one column.

    Parameters
    ----------
    name : str
        Well-known names (V1, V2, V4, MT, IT, PFC, FEF, A1, M1, S1) know where they lie in the head.
    position_mm : tuple of float
        Where the column's axis meets the pia: x right, y front, z up, head coordinates.
    normal : tuple of float
        Which way the column points, from white matter to pia; scaled to unit length. Outward, away
        from (0, 0, 40) mm, where only a position is given.

    Examples
    --------
    >>> Area(name="V1").position_mm
    (-12.0, -54.0, 44.0)
    >>> Area(name="here", position_mm=(0, -60, 50), normal=(0, -2, 0)).normal
    (0.0, -1.0, 0.0)
    """

    name: Name
    position_mm: Vector = UNPLACED.position_mm
    normal: Vector = UNPLACED.normal

    @model_validator(mode="before")
    @classmethod
    def _fill_in_place(cls, data: Any) -> Any:
        """Fill in the place of a well-known name, and scale the normal."""
        data = _as_table(data, "a name, an Area or its table")
        place = AREAS.get(str(data.get("name")), UNPLACED)
        where = plain(data.get("position_mm", place.position_mm))
        if "normal" not in data and _is_point(where) and tuple(where) != place.position_mm:
            place = placed_at(where)
        normal = plain(data.get("normal", place.normal))
        return {**place._asdict(), **data, "normal": _normalize(normal)}

    @model_validator(mode="after")
    def _in_mm(self) -> "Area":
        """Refuse a position outside any head, which cannot be in mm, and a normal of zero."""
        if math.hypot(*self.position_mm) > 200.0:
            raise refuse(
                f"position_mm={self.position_mm}",
                "a place within 200 mm of the origin of the head",
                HERE,
            )
        if not any(self.normal):
            raise refuse(f"normal={self.normal}", "a direction: three numbers, not all zero", HERE)
        return self

    @property
    def placed(self) -> bool:
        """Whether the position in the head is known."""
        return self.position_mm != UNPLACED.position_mm


def _is_point(value: Any) -> bool:
    """Whether `value` is three finite numbers."""
    numbers = isinstance(value, list | tuple) and all(
        isinstance(number, int | float) for number in value
    )
    return numbers and len(value) == 3 and math.isfinite(math.hypot(*value))


def _normalize(normal: Any) -> Any:
    """Scale `normal` to unit length; anything that is no direction is returned unchanged."""
    if not _is_point(normal):
        return normal
    length = math.hypot(*normal)
    if length == 0.0 or abs(length - 1.0) < 1e-9:
        return normal
    return tuple(component / length for component in normal)


class Layer(Frozen):
    """A cortical layer: a range of relative depth, 0 at the pia and 1 at the white matter.

    Parameters
    ----------
    name : str
        Well-known names (L1, L2/3, L4, L5, L6, and L2, L3, L5/6, L5A, L5B, L6A, L6B) know their
        depths.
    top, bottom : float
        Needed for any other name.

    Examples
    --------
    >>> Layer(name="L4").top < Layer(name="L5").top
    True
    """

    name: Name
    top: Share = 0.0
    bottom: Share = 1.0

    @model_validator(mode="before")
    @classmethod
    def _fill_in_depth(cls, data: Any) -> Any:
        """Fill in the depths of a well-known name."""
        data = _as_table(data, "a name, a Layer or its table")
        depths = LAYERS.get(str(data.get("name")))
        if depths:
            return {"top": depths[0], "bottom": depths[1], **data}
        if isinstance(data.get("name"), str) and not {"top", "bottom"} <= set(data):
            raise ValueError(
                describe_unknown(data["name"], LAYERS, name="a layer without top and bottom, name")
            )
        return data

    @model_validator(mode="after")
    def _check_thickness(self) -> "Layer":
        """Refuse a layer without thickness."""
        if not self.top < self.bottom:
            raise refuse(
                f"top={self.top:g}, bottom={self.bottom:g}",
                "top above bottom (a lesser depth)",
                HERE,
            )
        return self


class Geometry(Frozen):
    """Size of the columns: cortical thickness and radius, mm."""

    thickness_mm: Annotated[float, Field(strict=True, gt=0, le=10), numeric] = 1.5
    radius_mm: Annotated[float, Field(strict=True, gt=0, le=100), numeric] = 0.25


# area, layer, cell type ("" for every area or layer), count or fraction
Leaf = tuple[str, str, str, float]


def _freeze_mix(mix: Mapping[str, Any]) -> FrozenDict:
    """Copy a mix with every level as a FrozenDict."""
    return FrozenDict({k: _freeze_mix(v) if isinstance(v, Mapping) else v for k, v in mix.items()})


class Cells(Frozen):
    """How many cells of which type.

    Parameters
    ----------
    n : int, optional
        Cells in each area, 100 unless given; counts carry their own.
    mix : dict
        ``{type: fraction}`` (floats that sum to 1) or ``{type: count}`` (ints), for each area; or
        the same for each ``{layer: mix}`` or ``{area: {layer: mix}}``. Fractions over several
        layers: each layer's sum to 1, and layers share ``n`` by thickness, or all of an area's sum
        to 1.
    unit : {"fraction", "count"}
        Read off the numbers unless given.
    """

    mix: Annotated[dict[str, Any], AfterValidator(_freeze_mix)]
    n: Count | None = None
    unit: str = Field(default="", json_schema_extra={"enum": ["", "fraction", "count"]})

    @model_validator(mode="before")
    @classmethod
    def _infer_unit(cls, data: Any) -> Any:
        """Fill in `unit` by the type of the numbers: float for fractions, int for counts."""
        data = _as_table(data, "{'mix': ..., 'n': ...}")
        numbers = [number for *_, number in _list_leaves(data.get("mix"))]
        if data.get("unit") in ("", None):
            kinds = {type(number) for number in numbers}
            if kinds == {int, float}:
                raise refuse(
                    "a mix of whole numbers and fractions",
                    "counts (ints) or fractions (floats)",
                    HERE,
                )
            data["unit"] = "count" if kinds == {int} else "fraction"
        problem = describe_unknown(str(data["unit"]), ("fraction", "count"), name="unit")
        if problem:
            raise ValueError(problem)
        if data["unit"] == "count" and any(number != int(number) for number in numbers):
            raise refuse("a count that is not whole", "whole numbers", HERE)
        return {
            **data,
            "mix": _convert_numbers(data["mix"], int if data["unit"] == "count" else float),
        }

    @model_validator(mode="after")
    def _check_sums(self) -> "Cells":
        """Refuse fractions that do not sum to 1, and counts that are not `n`."""
        for place, group in _group_by_area(self.mix).items():
            total = sum(group)
            if not total:
                raise refuse(f"a mix without cells{place}", "at least one cell", HERE)
            if self.unit == "count" and self.n is not None and total != self.n:
                raise refuse(
                    f"n={self.n} with counts that sum to {total}{place}", "no n, or that sum", HERE
                )
        if self.unit == "fraction":
            _refuse_wrong_sums(self.mix)
        return self

    @property
    def per_area(self) -> int:
        """Number of cells of an area, which fractions are taken of."""
        return 100 if self.n is None else self.n

    def leaves(self) -> list[Leaf]:
        """Each number of the mix as (area, layer, cell type, number); "" stands for all."""
        return list(_list_leaves(self.mix))


def _list_leaves(mix: Any, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Yield each number of a mix as (area, layer, cell type, number). Raises: JtfneError."""
    if not isinstance(mix, Mapping) or not mix:
        raise refuse(
            f"{mix!r}{_describe_path(path)}",
            "{type: fraction or count}, for each layer or area if need be",
            HERE,
        )
    depths = {isinstance(entry, Mapping) for entry in mix.values()}
    if len(depths) > 1 or len(path) > 2:
        raise refuse(
            f"a mix with types beside layers{_describe_path(path)}",
            "{type: ...}, {layer: ...} or {area: ...}",
            HERE,
        )
    for name, entry in mix.items():
        check_name(name, "the name", HERE)
        if isinstance(entry, Mapping):
            yield from _list_leaves(entry, (*path, name))
            continue
        value = plain(entry)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 <= value < math.inf
        ):
            raise refuse(
                f"{name}={entry!r}{_describe_path(path)}", "a fraction or a count, 0 or more", HERE
            )
        area, layer = ("", "", *path)[-2:]
        yield area, layer, name, value


def _describe_path(path: tuple[str, ...]) -> str:
    """Text for a place in a mix, such as " for V1/L4"."""
    return f" for {'/'.join(path)}" if path else ""


def _convert_numbers(mix: Mapping[str, Any], number: type) -> dict[str, Any]:
    """Copy a mix with every number converted to the type `number`."""
    return FrozenDict(
        {
            k: _convert_numbers(v, number) if isinstance(v, Mapping) else number(plain(v))
            for k, v in mix.items()
        }
    )


def _group_by_area(mix: Mapping[str, Any]) -> dict[str, list[float]]:
    """Group the numbers of a mix by area, keyed by the text of `_describe_path`."""
    groups: dict[str, list[float]] = {}
    for area, _, _, value in _list_leaves(mix):
        groups.setdefault(_describe_path((area,)) if area else "", []).append(value)
    return groups


def _refuse_wrong_sums(mix: Mapping[str, Any]) -> None:
    """Check that fractions sum to 1 in each area or in each of its layers. Raises: JtfneError."""
    for place, group in _group_by_area(mix).items():
        layers: dict[str, float] = {}
        for area, layer, _, value in _list_leaves(mix):
            if (_describe_path((area,)) if area else "") == place:
                layers[layer] = layers.get(layer, 0.0) + value
        if not is_one(sum(group)) and not all(is_one(total) for total in layers.values()):
            description = ", ".join(
                f"{total:g}{f' in {layer}' if layer else ''}" for layer, total in layers.items()
            )
            raise refuse(
                f"a mix whose fractions sum to {description}{place}",
                "a sum of 1 (counts are ints)",
                HERE,
            )


def is_one(total: float) -> bool:
    """Whether a sum of fractions is 1 within 1e-6."""
    return abs(total - 1.0) < 1e-6


AnyEmitter = Annotated[Emitter, OpenDeclared(EMITTERS, EMITTER)]
Mechanism = Annotated[
    Synapse,
    OpenDeclared(SYNAPSES, SYNAPSE, default="Exponential", later=("dendrite_share",)),
]


def _find_tag(value: Any) -> str:
    """Discriminator of the union: "each" for a sequence, else "number"."""
    return "each" if isinstance(plain(value), list | tuple) else "number"


def _refuse_empty(values: tuple[float, ...]) -> tuple[float, ...]:
    """Refuse an empty sequence; `min_length` would add its own error to that of a bad value."""
    if not values:
        raise refuse(
            "a sequence without values", "a number, or one for each cell of the type", HERE
        )
    return values


Param = Annotated[
    Annotated[Number, Tag("number")]
    | Annotated[
        tuple[Number, ...],
        Field(fail_fast=True),
        numeric,
        AfterValidator(_refuse_empty),
        Tag("each"),
    ],
    Discriminator(_find_tag),
]


def _add_built_in(mechanisms: Any) -> Any:
    """Add the built-in mechanisms to the declared ones, which replace those of the same name."""
    return {**RECEPTORS, **mechanisms} if isinstance(mechanisms, Mapping) else mechanisms


class Circuit(Frozen):
    """The declared circuit.

    Attributes
    ----------
    areas : tuple of Area
    layers : tuple of Layer
        Pia first.
    geometry : Geometry
    cells : Cells or None
    emitters : dict of str to emitter
        By cell type; E, PV, SST and VIP need none.
    cell_params : dict of str to dict
        By cell type: fields of its emitter, `drive`, `noise` and `v_init_mV`, the potential before
        the first step; each a number, or one for each cell of the type.
    mechanisms : dict of str to a synapse of `jtfne.synapses`
        The built-in ones (AMPA, NMDA, GABA_A, GABA_B) and those added.
    connections : tuple of Connection
    gains : dict of str to float
        By pair of cell types, such as E->PV: a factor on all weights from the one to the other; 1
        unless given.
    """

    areas: tuple[
        Annotated[Area, BeforeValidator(_as_name_table, json_schema_input_type=Area | str)], ...
    ] = ()
    layers: tuple[
        Annotated[Layer, BeforeValidator(_as_name_table, json_schema_input_type=Layer | str)], ...
    ] = ()
    geometry: Geometry = Geometry()
    cells: Cells | None = None
    emitters: Annotated[dict[Name, AnyEmitter], freeze] = Field(default_factory=FrozenDict)
    cell_params: Annotated[dict[Name, Annotated[dict[str, Param], freeze]], freeze] = Field(
        default_factory=FrozenDict
    )
    mechanisms: Annotated[dict[Name, Mechanism], BeforeValidator(_add_built_in), freeze] = Field(
        default_factory=lambda: FrozenDict(RECEPTORS)
    )
    connections: tuple[Connection, ...] = ()
    gains: Annotated[dict[Name, NotNegative], freeze] = Field(default_factory=FrozenDict)

    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out empty gains, so that configs from before gains existed keep their hash."""
        table: dict[str, Any] = handler(self)
        return {name: value for name, value in table.items() if name != "gains" or value}

    @model_validator(mode="after")
    def _check_names(self) -> "Circuit":
        """Refuse names given twice, and layers that overlap or are out of order."""
        refuse_duplicates([area.name for area in self.areas], name="areas")
        refuse_duplicates([layer.name for layer in self.layers], name="layers")
        for upper, lower in zip(self.layers, self.layers[1:], strict=False):
            if upper.bottom > lower.top + 1e-9:
                description = (
                    f"layer {lower.name!r} ({lower.top:g} .. {lower.bottom:g}) below {upper.name!r}"
                )
                description += f" ({upper.top:g} .. {upper.bottom:g})"
                raise refuse(description, "layers from the pia down, which do not overlap", HERE)
        return self
