"""What all declarations share: frozen, nothing unknown, errors in one voice; and parts as objects
with a `kind`.
"""

import contextlib
import dataclasses
import json
import math
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, get_args, get_type_hints

import jax
import numpy as np
import pydantic
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import core_schema

from jtfne._arguments import check_table
from jtfne._check import JtfneError, Limit, check_name, describe_value, refuse
from jtfne.config._errors import HERE, ConfigError, Problem, problems_of, refused, unknown
from jtfne.config._trains import TrainsField
from jtfne.emitters import Trains

_TAGS: set[str] = {"number", "each"}
_ANNOTATED: Any = Annotated  # for types that are put together as the program runs
_LITERAL: Any = Literal
_TUPLE: Any = tuple


@contextlib.contextmanager
def _translate_errors(root: str) -> Iterator[None]:
    """Context that turns pydantic's ValidationError into a ConfigError with paths from `root`."""
    try:
        yield
    except pydantic.ValidationError as error:
        raise refused(root, problems_of(error, frozenset(_TAGS))) from None
    except TypeError as error:
        # pydantic builds a declaration from a table by cls(**table), for which keys that are no
        # text are a TypeError.
        if "keywords must be strings" not in str(error):
            raise
        raise refuse("a table with a key that is no text", "{field: value}", root) from None


class Frozen(pydantic.BaseModel):
    """A declaration: it cannot be changed, refuses what it does not know, and says why as a
    JtfneError.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )

    def __init__(self, /, **data: Any) -> None:
        fields = type(self).model_fields
        messages = [unknown(key, fields, name="key") for key in data if key not in fields]
        if messages:
            raise refused(type(self).__name__, (Problem((), line) for line in messages if line))
        with _translate_errors(type(self).__name__):
            super().__init__(**data)

    def __hash__(self) -> int:
        return hash(json.dumps(self.model_dump(mode="json"), sort_keys=True))

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Note the `kind` of a member of a union, which pydantic puts into the path of an error."""
        kind = cls.model_fields.get("kind")
        if kind is not None and isinstance(kind.default, str):
            _TAGS.add(kind.default)

    @classmethod
    def model_validate(cls, obj: Any, **kwargs: Any) -> Self:
        """Build a declaration from a table. Raises: JtfneError if it is not valid."""
        with _translate_errors(cls.__name__):
            declaration = super().model_validate(obj, **kwargs)
        return declaration

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with the fields of `update` replaced and checked. Raises: JtfneError."""
        if update is None:
            return super().model_copy(deep=deep)
        where = f"{type(self).__name__}.model_copy"
        changes = check_table(update, allowed="{field: value}", name="update", where=where)
        set_fields = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self)(**{**set_fields, **changes})


def _refuse_old_name(name: str, instead: str, *, method: bool) -> Any:
    """A method that always raises JtfneError, to replace one of pydantic 1 that skips checks.

    name: the old name. instead: what to call. method: False for a class method.
    """

    def refuse_call(owner: Any, *args: Any, **kwargs: Any) -> Any:
        """Raises: JtfneError, always."""
        root = owner.__name__ if isinstance(owner, type) else type(owner).__name__
        raise refuse(f"{root}.{name}, an old name of pydantic's,", f"{instead}", f"{root}.{name}")

    return refuse_call if method else classmethod(refuse_call)


# pydantic keeps these names of its first version, deprecated: they would warn, skip checks, or give
# an empty object.
_OLD_METHODS = {
    "copy": "model_copy()",
    "dict": "to_dict() of a Config, or model_dump()",
    "json": "to_json() of a Config",
}
_OLD_CONSTRUCTORS = {
    "construct": "jtfne.construct(config) for a Net, or the class itself for a declaration",
    "parse_obj": "model_validate(table)",
    "parse_raw": "Config.from_json(text)",
    "parse_file": "Config.from_file(path)",
    "from_orm": "model_validate(table)",
    "validate": "model_validate(table)",
    "schema": "Config.json_schema()",
    "schema_json": "Config.json_schema()",
    "update_forward_refs": "nothing: there are none",
    "model_construct": "the class itself, which checks what it is given",
}
for _name, _instead in (*_OLD_METHODS.items(), *_OLD_CONSTRUCTORS.items()):
    setattr(Frozen, _name, _refuse_old_name(_name, _instead, method=_name in _OLD_METHODS))


class FrozenDict(dict[Any, Any]):
    """A dict that cannot be changed."""

    def __reduce__(self) -> tuple[type, tuple[dict[Any, Any]]]:
        """Pickle by the constructor, since items cannot be set one by one."""
        return type(self), (dict(self),)


def _refuse_change(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Raises: TypeError, always."""
    raise TypeError("a declaration cannot be changed; the verbs of Config give a new one")


for _verb in (
    "__setitem__",
    "__delitem__",
    "__ior__",
    "update",
    "pop",
    "popitem",
    "clear",
    "setdefault",
):
    setattr(FrozenDict, _verb, _refuse_change)


def plain(value: Any) -> Any:
    """Convert numbers and arrays of numpy, jax, pandas and xarray to Python's numbers and lists.

    A number of less than double precision is what it prints as: np.float32(0.1) is 0.1, not
    0.10000000149.
    """
    if type(value).__module__.partition(".")[0] in ("pandas", "xarray") and hasattr(
        value, "to_numpy"
    ):
        value = value.to_numpy()  # by the module's name, so that neither need be imported
    if isinstance(value, jax.Array) and not jax.numpy.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = np.asarray(value)
    if (
        isinstance(value, np.generic | np.ndarray)
        and value.dtype.kind == "f"
        and value.dtype.itemsize < 8
    ):
        value = np.asarray(value).astype(np.str_).astype(np.float64)
    if getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M"):
        return value  # dates and spans are no numbers; their empty ones would become None
    return (
        value.tolist() if isinstance(value, np.generic | np.ndarray | jax.Array | Trains) else value
    )


def _check_printable(name: str) -> str:
    """Return `name` unchanged. Raises: JtfneError for unprintable characters or outer blanks."""
    return check_name(name, "the name", HERE)


def _check_label(label: str) -> str:
    """Return `label` unchanged; it may be empty. Raises: JtfneError as `_check_printable`."""
    return check_name(label, "the label", HERE) if label else label


def _refuse_tiny(value: float) -> float:
    """Return `value` unchanged. Raises: JtfneError below LEAST, by which float32 cannot divide."""
    if value < LEAST:
        raise refuse(f"{describe_value(value)}", f"a finite number of at least {LEAST:g}", HERE)
    return value


MOST_COUNT = 2**53  # beyond it a count is no exact float64
MOST, LEAST = 1e30, 1e-30  # of any declared number: runs are in float32, which holds 1e-38 to 3e38
freeze = AfterValidator(FrozenDict)
numeric = BeforeValidator(plain)
Number = Annotated[float, Field(strict=True, ge=-MOST, le=MOST), numeric]
Positive = Annotated[
    float, Field(strict=True, gt=0, le=MOST), numeric, AfterValidator(_refuse_tiny)
]
NotNegative = Annotated[float, Field(strict=True, ge=0, le=MOST), numeric]
Share = Annotated[float, Field(strict=True, ge=0, le=1), numeric]
Whole = Annotated[int, Field(strict=True, ge=0, le=MOST_COUNT), numeric]
Count = Annotated[int, Field(strict=True, ge=1, le=MOST_COUNT), numeric]
Flag = Annotated[bool, Field(strict=True), numeric]
Name = Annotated[str, Field(strict=True, min_length=1), AfterValidator(_check_printable)]
Label = Annotated[str, Field(strict=True), AfterValidator(_check_label)]
_TRAINS = Annotated[Trains, TrainsField()]
Vector = Annotated[tuple[Number, Number, Number], numeric]


def _make_annotation(hint: Any, limit: Limit) -> Any:
    """The pydantic type for a dataclass field of type `hint`, with numbers restricted to `limit`.

    A field that may be a jax array takes one number here.
    """
    members = [
        member
        for member in (get_args(hint) if isinstance(hint, types.UnionType) else (hint,))
        if member != jax.Array
    ]
    value_type = next(member for member in members if member is not type(None))
    # a number, or each number of a list
    number_type = int if int in (value_type, *get_args(value_type)) else float
    if number_type is int:
        low, high = (bound if math.isfinite(bound) else None for bound in limit[:2])
    else:
        low, high = max(limit.low, -MOST), min(limit.high, MOST)
    bounds: Any = {"gt" if limit.open_low else "ge": low, "lt" if limit.open_high else "le": high}
    number: Any = _ANNOTATED[number_type, Field(strict=True, **bounds), numeric]
    if number_type is float and low == 0.0 and limit.open_low:
        number = _ANNOTATED[number, AfterValidator(_refuse_tiny)]
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
        if sum(getattr(part, name) is not None for name in pair) != 1:
            description = " with ".join(
                f"{name}={describe_value(getattr(part, name))}" for name in pair
            )
            raise refuse(description, "exactly one of them", HERE)
    for low, high in getattr(type(part), "BELOW", ()):
        low_value, high_value = getattr(part, low), getattr(part, high)
        if low_value is not None and high_value is not None and not low_value < high_value:
            raise refuse(f"{low}={low_value!r}", f"less than {high}={high_value!r}", HERE)
    for pair in getattr(type(part), "PAIRED", ()):
        lengths = [len(getattr(part, name)) for name in pair if getattr(part, name) is not None]
        if len(set(lengths)) > 1:
            raise refuse(
                " and ".join(f"{n} {name}" for n, name in zip(lengths, pair, strict=True)),
                "equally many",
                HERE,
            )
    for name, maximum in getattr(type(part), "SIZES", ()):
        size = getattr(part, name)
        if size > maximum:
            raise refuse(
                f"a {type(part).__name__} of {name}={size:,}", f"at most {maximum:,}", HERE
            )


def made(cls: Any, model: Any) -> Any:
    """Build an object of `cls` from its validated mirror. Raises: JtfneError if fields disagree."""
    part = cls(
        **{name: getattr(model, name) for name in type(model).model_fields if name != "kind"}
    )
    _check_agreement(part)
    return part


class Declared:
    """Marks a field that holds a dataclass of `catalogue`: read from the object, or from a table
    with its `kind`.

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
            fields = (
                (field.name, plain(getattr(value, field.name)))
                for field in dataclasses.fields(value)
            )
            return {
                "kind": name,
                **{
                    field_name: v
                    for field_name, v in fields
                    if v is not None or field_name not in self.later
                },
            }
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
        return made(self.catalogue[model.kind], model)

    def checked(self, part: Any) -> Any:
        """Validate `part`, an object of the catalogue, and return a new one. Raises: JtfneError."""
        return self.object(self.mirrors[type(part).__name__](**self.table(part)))

    def complaints(self, part: Any, where: str) -> list[str]:
        """The errors of an object, one line each, with `where` as its place in the config."""
        try:
            self.checked(part)
        except ConfigError as error:
            return str(refused(where, error.problems)).splitlines()
        except JtfneError as error:
            return str(refused(where, [Problem((), str(error))])).splitlines()
        return []
