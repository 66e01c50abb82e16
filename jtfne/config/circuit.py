"""The parts of a circuit: areas, layers, the size of columns, cells."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
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

from jtfne._arguments import check_table, describe_argument
from jtfne._check import one_of, refuse
from jtfne.config.cells import Cells
from jtfne.config.connections import Connection
from jtfne.config.defaults import AREAS, LAYERS, UNPLACED, place_at
from jtfne.emitters import EMITTERS, Emitter
from jtfne.pydantic_fields.custom_parts import OpenDeclared
from jtfne.pydantic_fields.errors import HERE, describe_unknown, refuse_duplicates
from jtfne.pydantic_fields.field_types import (
    FrozenDict,
    Name,
    NotNegative,
    Number,
    Share,
    Vector,
    copy_table,
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
        data = copy_table(data, "a name, an Area or its table")
        name = data.get("name")
        place = AREAS.get(name, UNPLACED) if isinstance(name, str) else UNPLACED
        where = plain(data.get("position_mm", place.position_mm))
        if "normal" not in data and _is_point(where) and tuple(where) != place.position_mm:
            place = place_at(where)
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
        data = copy_table(data, "a name, a Layer or its table")
        name = data.get("name")
        depths = LAYERS.get(name) if isinstance(name, str) else None
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
    """Size of the columns: cortical thickness and radius, mm.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.config import Geometry
    >>> jtfne.Config().geometry(radius_mm=0.5).circuit.geometry == Geometry(radius_mm=0.5)
    True
    """

    thickness_mm: Annotated[float, Field(strict=True, gt=0, le=10), numeric] = 1.5
    radius_mm: Annotated[float, Field(strict=True, gt=0, le=100), numeric] = 0.25


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

    Examples
    --------
    >>> import jtfne
    >>> circuit = jtfne.suite2_net1_config(20).circuit
    >>> [area.name for area in circuit.areas], sorted(circuit.mechanisms)
    (['V1'], ['AMPA', 'GABA_A', 'GABA_B', 'NMDA'])
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


def move_layers(layers: Sequence[Layer], depths: Mapping[str, Any]) -> list[Any] | None:
    """The layers with other depths, (top, bottom) by name; None if there are none.

    Raises: JtfneError for an unknown layer, and for what is no pair.
    """
    allowed, where = "{layer: (top, bottom)}", "Config.geometry"
    check_table(depths, allowed=allowed, name="layers", where=where)
    layer_names = [layer.name for layer in layers]
    for name, pair in depths.items():
        one_of(name, layer_names, name="layer", where=where)
        is_text = isinstance(pair, str | bytes)
        if is_text or not isinstance(pair, Sequence | np.ndarray) or len(pair) != 2:
            raise refuse(f"{name}={describe_argument(pair)}", "(top, bottom)", where)
    moved_layers: list[Any] = []
    for layer in layers:
        if layer.name in depths:
            top, bottom = depths[layer.name]
            moved_layers.append({"name": layer.name, "top": top, "bottom": bottom})
        else:
            moved_layers.append(layer)
    return moved_layers if depths else None
