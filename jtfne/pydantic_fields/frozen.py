"""The base class of all declarations: frozen, nothing unknown, errors in one voice."""

import contextlib
import functools
import inspect
import json
import operator
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Self

import pydantic
from pydantic import ConfigDict

from jtfne._arguments import check_table
from jtfne._check import nearest, refuse
from jtfne.pydantic_fields.errors import Problem, build_error, collect_problems, describe_unknown

_TAGS: set[str] = {"number", "each"}


@contextlib.contextmanager
def _translate_errors(root: str) -> Iterator[None]:
    """Context that turns pydantic's ValidationError into a ConfigError with paths from `root`."""
    try:
        yield
    except pydantic.ValidationError as error:
        raise build_error(root, collect_problems(error, frozenset(_TAGS))) from None
    except TypeError as error:
        # pydantic builds a declaration from a table by cls(**table), for which keys that are no
        # text are a TypeError.
        if "keywords must be strings" not in str(error):
            raise
        raise refuse("a table with a key that is no text", "{field: value}", root) from None


class Derived:
    """Cached result beside the fields of a config; all are equal, so only fields are compared."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Derived)

    def __hash__(self) -> int:
        return 0


class _ReadableSignature:
    """The signature of a declaration: names, types and defaults, without validators.

    pydantic's own holds each validator's repr, which fills the help of a notebook.
    """

    def __get__(self, instance: object, owner: "type[Frozen]") -> inspect.Signature:
        parameters = []
        for name, field in owner.model_fields.items():
            default = inspect.Parameter.empty
            if not field.is_required():
                default = field.get_default(call_default_factory=True)
            parameters.append(
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=default,
                    annotation=_without_validators(field.annotation),
                )
            )
        return inspect.Signature(parameters)


_READABLE: Any = _ReadableSignature()


def _without_validators(annotation: Any) -> Any:
    """A type without the metadata of `Annotated`, at any depth."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _without_validators(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return functools.reduce(operator.or_, map(_without_validators, arguments))
    if origin in (tuple, list, dict):
        return origin[tuple(map(_without_validators, arguments))]
    return annotation


if typing.TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _ModelType
else:
    _ModelType = type(pydantic.BaseModel)


class NoAttributeError(AttributeError):
    """An attribute that a class, the first argument, does not have: its name is the second.

    Its text is made when it is read: `hasattr` and `getattr` with a default raise it in every run,
    and the nearest name takes longer than all else that they do.
    """

    def __str__(self) -> str:
        """What the class has, and the nearest name."""
        cls, name = self.args
        names = [known for known in dir(cls) if is_own_name(known)]
        closest = nearest(name, names)
        hint = f"; nearest: {closest!r}" if closest else ""
        return f"{cls.__name__} has no {name!r}; it has {', '.join(names)}{hint}"


class _HelpfulType(_ModelType):
    """The type of declarations: an attribute that a class does not have is told with the nearest."""

    def __getattr__(cls, name: str) -> Any:
        try:
            return super().__getattr__(name)  # type: ignore[misc]
        except AttributeError:
            if name.startswith("_"):
                raise
        raise NoAttributeError(cls, name)


def is_own_name(name: str) -> bool:
    """Whether an attribute of a declaration is ours: none of pydantic's, old or new."""
    return not name.startswith(("_", "model_", "parse_")) and name not in _OLD_NAMES


class Frozen(pydantic.BaseModel, metaclass=_HelpfulType):
    """An immutable declaration that refuses unknown fields, with a JtfneError that says why.

    Examples
    --------
    >>> from jtfne.pydantic_fields.field_types import Positive
    >>> class Cable(Frozen):
    ...     length_mm: Positive
    ...     radius_mm: Positive = 0.01
    ...
    >>> Cable(length_mm=2.0)
    Cable(length_mm=2.0, radius_mm=0.01)
    >>> Cable(length_mm=2.0) == Cable(length_mm=2.0, radius_mm=0.01)
    True
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )

    def __init__(self, /, **data: Any) -> None:
        fields = type(self).model_fields
        messages = [describe_unknown(key, fields, name="key") for key in data if key not in fields]
        if messages:
            raise build_error(type(self).__name__, (Problem((), line) for line in messages if line))
        with _translate_errors(type(self).__name__):
            super().__init__(**data)

    def __hash__(self) -> int:
        return hash(json.dumps(self.model_dump(mode="json"), sort_keys=True))

    def __dir__(self) -> list[str]:
        """The names that a user needs; pydantic's are there, but not shown."""
        names = super().__dir__()
        return [name for name in names if name.startswith("__") or is_own_name(name)]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Note the `kind` of a member of a union, which pydantic puts into the path of an error;
        and let the signature be one that a person reads.
        """
        cls.__signature__ = _READABLE
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
_OLD_NAMES = frozenset((*_OLD_METHODS, *_OLD_CONSTRUCTORS))
for _name, _instead in (*_OLD_METHODS.items(), *_OLD_CONSTRUCTORS.items()):
    setattr(Frozen, _name, _refuse_old_name(_name, _instead, method=_name in _OLD_METHODS))
