"""Fields that hold an object of a catalogue of parts: dataclasses, each declared by its `kind`."""

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args, get_type_hints

import jax
import pydantic
from pydantic import AfterValidator, Field
from pydantic_core import core_schema

from jtfne._check import JtfneError, Limit, describe_value, refuse
from jtfne.emitters import Trains
from jtfne.pydantic_fields.errors import HERE, ConfigError, Problem, build_error
from jtfne.pydantic_fields.field_types import MOST, Flag, Name, numeric, plain, refuse_tiny
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.pydantic_fields.spike_trains_field import TrainsField

_ANNOTATED: Any = Annotated  # for types that are put together as the program runs
_LITERAL: Any = Literal
_TUPLE: Any = tuple
_TRAINS = Annotated[Trains, TrainsField()]


def _make_annotation(hint: Any, limit: Limit) -> Any:
    """The pydantic type for a dataclass field of type `hint`, with numbers restricted to `limit`.

    A field that may be a jax array takes one number here.
    """
    members = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    value_type, *_ = [member for member in members if member not in (jax.Array, type(None))]
    # a number, or each number of a list
    number_type = int if int in (value_type, *get_args(value_type)) else float
    low: float | None
    high: float | None
    if number_type is int:
        low = limit.low if math.isfinite(limit.low) else None
        high = limit.high if math.isfinite(limit.high) else None
    else:
        low, high = max(limit.low, -MOST), min(limit.high, MOST)
    bounds: Any = {"gt" if limit.open_low else "ge": low, "lt" if limit.open_high else "le": high}
    number: Any = _ANNOTATED[number_type, Field(strict=True, **bounds), numeric]
    if number_type is float and low == 0.0 and limit.open_low:
        number = _ANNOTATED[number, AfterValidator(refuse_tiny)]
    list_type = _ANNOTATED[_TUPLE[number, ...], Field(min_length=1), numeric]
    kind = (
        number
        if value_type in (float, int)
        else {str: Name, bool: Flag, Trains: _TRAINS}.get(value_type, list_type)
    )
    return kind | None if type(None) in members else kind


def mirror(cls: Any, kind: str) -> type[Frozen]:
    """The pydantic model of a dataclass: same fields, defaults and LIMITS, and a field `kind`."""
    hints = get_type_hints(cls)
    limits: Mapping[str, Limit] = getattr(cls, "LIMITS", {})
    fields: dict[str, Any] = {"kind": (_LITERAL[kind], kind)}
    for field in dataclasses.fields(cls):
        default = ... if field.default is dataclasses.MISSING else plain(field.default)
        fields[field.name] = (
            _make_annotation(hints[field.name], limits.get(field.name, Limit())),
            default,
        )
    return pydantic.create_model(cls.__name__, __base__=Frozen, __doc__=cls.__doc__, **fields)


def _check_agreement(part: Any) -> None:
    """Check the rules between fields of a part: EITHER, BELOW, PAIRED and SIZES of its class.

    EITHER: exactly one of the pair is given. BELOW: the first is less than the second.
    PAIRED: equal lengths. SIZES: a number is within its bound. Raises: JtfneError.
    """
    for pair in getattr(type(part), "EITHER", ()):
        values = {name: getattr(part, name) for name in pair}
        if sum(value is not None for value in values.values()) != 1:
            texts = [f"{name}={describe_value(value)}" for name, value in values.items()]
            description = " with ".join(texts)
            raise refuse(description, "exactly one of them", HERE)
    for low, high in getattr(type(part), "BELOW", ()):
        low_value, high_value = getattr(part, low), getattr(part, high)
        if low_value is not None and high_value is not None and not low_value < high_value:
            raise refuse(f"{low}={low_value!r}", f"less than {high}={high_value!r}", HERE)
    for pair in getattr(type(part), "PAIRED", ()):
        values = {name: getattr(part, name) for name in pair}
        lengths = {name: len(value) for name, value in values.items() if value is not None}
        if len(set(lengths.values())) > 1:
            description = " and ".join(f"{n} {name}" for name, n in lengths.items())
            raise refuse(description, "equally many", HERE)
    for name, maximum in getattr(type(part), "SIZES", ()):
        size = getattr(part, name)
        if size > maximum:
            raise refuse(
                f"a {type(part).__name__} of {name}={size:,}", f"at most {maximum:,}", HERE
            )


def build_part(cls: Any, model: Any) -> Any:
    """Build an object of `cls` from its validated mirror. Raises: JtfneError if fields disagree."""
    part = cls(
        **{name: getattr(model, name) for name in type(model).model_fields if name != "kind"}
    )
    _check_agreement(part)
    return part


class Declared:
    """Marks a field that holds a dataclass of `catalogue`.

    It is read from an object of it, or from a table with its `kind`.

    A table without is of kind `default`, if there is one. Everything follows from the dataclass and
    its LIMITS: what is accepted, what is written, and the JSON schema. later: fields that are
    written only where they are not None, so that configs keep the hash that they had before there
    were any.
    """

    def __init__(
        self, catalogue: Mapping[str, Any], default: str | None = None, later: tuple[str, ...] = ()
    ) -> None:
        self.catalogue = dict(catalogue)
        self.default = default
        self.later = later
        self.mirrors = {name: mirror(cls, name) for name, cls in catalogue.items()}

    def __get_pydantic_core_schema__(
        self, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Pydantic schema: make a table of the value, validate it by its mirror, build it."""
        models = {name: handler.generate_schema(model) for name, model in self.mirrors.items()}
        first_model = next(iter(models.values()))
        union = (
            first_model
            if len(models) == 1
            else core_schema.tagged_union_schema(models, discriminator="kind")
        )
        read = core_schema.no_info_before_validator_function(self.table, union)
        write = core_schema.plain_serializer_function_ser_schema(self.table)
        return core_schema.no_info_after_validator_function(self.object, read, serialization=write)

    def table(self, value: Any) -> Any:
        """Convert an object of the catalogue, or a bare kind, to a table; copy a table as it is."""
        name = type(value).__name__
        if dataclasses.is_dataclass(value) and self.catalogue.get(name) is type(value):
            table = {"kind": name}
            for field in dataclasses.fields(value):
                field_value = plain(getattr(value, field.name))
                if field_value is not None or field.name not in self.later:
                    table[field.name] = field_value
            return table
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, Mapping):
            raise refuse(
                f"a {type(value).__name__}",
                f"one of {', '.join(self.catalogue)}, or its table",
                HERE,
            )
        if self.default is not None:
            value = {"kind": self.default, **value}
        if len(self.catalogue) > 1 and not isinstance(value.get("kind"), str):
            raise refuse(
                "a table without 'kind'",
                f"'kind' one of {', '.join(map(repr, self.catalogue))}",
                HERE,
            )
        return dict(value)

    def object(self, model: Any) -> Any:
        """Build the object from its validated mirror. Raises: JtfneError if fields disagree."""
        return build_part(self.catalogue[model.kind], model)

    def check(self, part: Any) -> Any:
        """Validate `part`, an object of the catalogue, and return a new one. Raises: JtfneError."""
        return self.object(self.mirrors[type(part).__name__](**self.table(part)))

    def list_errors(self, part: Any, where: str) -> list[str]:
        """The errors of an object, one line each, with `where` as its place in the config."""
        try:
            self.check(part)
        except ConfigError as error:
            return str(build_error(where, error.problems)).splitlines()
        except JtfneError as error:
            return str(build_error(where, [Problem((), str(error))])).splitlines()
        return []
