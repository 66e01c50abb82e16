"""Parts of classes in no catalogue: accepted as objects, written by the name of their class."""

import contextlib
import contextvars
import dataclasses
import functools
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pydantic
from pydantic_core import core_schema

from jtfne._check import JtfneError, describe_value, refuse
from jtfne.pydantic_fields.catalogue import Declared, build_part, mirror
from jtfne.pydantic_fields.errors import HERE, Problem, build_error
from jtfne.pydantic_fields.field_types import plain
from jtfne.pydantic_fields.part_protocols import PartProtocol


class OpenDeclared(Declared):
    """A `Declared` that also takes objects of classes from outside its catalogue.

    Such a class is a dataclass with all that `protocol` asks for. Its objects are written with the
    `kind` "module:Class", and read where the program has imported that module. A file makes it
    import one only within `code_allowed(True)`, which a caller asks for by `allow_code=True`.
    """

    def __init__(
        self,
        catalogue: Mapping[str, Any],
        protocol: PartProtocol,
        default: str | None = None,
        later: tuple[str, ...] = (),
    ) -> None:
        super().__init__(catalogue, default, later)
        self.protocol = protocol

    def __get_pydantic_core_schema__(
        self, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Pydantic schema: validate by the catalogue, unless the class comes from outside it."""
        catalogue_schema = super().__get_pydantic_core_schema__(source, handler)
        write = core_schema.plain_serializer_function_ser_schema(self.table)
        return core_schema.no_info_wrap_validator_function(
            self._read_object, catalogue_schema, serialization=write
        )

    def table(self, value: Any) -> Any:
        """As `Declared`, also for an object of a class from outside the catalogue."""
        if not self._is_outside(value):
            return super().table(value)
        return {
            "kind": name_class(type(value)),
            **{name: plain(field_value) for name, field_value in _get_fields(value).items()},
        }

    def check(self, part: Any) -> Any:
        """As `Declared`, also for an object of a class from outside the catalogue."""
        return (
            self._build(type(part), self.table(part))
            if self._is_outside(part)
            else super().check(part)
        )

    def _read_object(self, value: Any, catalogued: Callable[[Any], Any]) -> Any:
        """Build the object that `value` declares; `catalogued` validates the catalogue's."""
        if self._is_outside(value):
            return self.check(value)
        kind = value.get("kind") if isinstance(value, Mapping) else value
        if not isinstance(kind, str) or ":" not in kind:
            return catalogued(value)
        cls = find_class(kind, self.protocol, self.catalogue)
        return self._build(cls, value if isinstance(value, Mapping) else {"kind": kind})

    def _build(self, cls: Any, table: Mapping[str, Any]) -> Any:
        """Build an object of a class from outside from its table.

        Raises: JtfneError if the class lacks something, or a value is out of its LIMITS.
        """
        self.protocol.check_class(cls)
        part = build_part(cls, _mirror(cls)(**table))
        self.protocol.check_object(part)
        return part

    def _is_outside(self, value: Any) -> bool:
        """Whether `value` is an object of a class that is not in the catalogue."""
        outside = not isinstance(value, type) and self.catalogue.get(
            type(value).__name__
        ) is not type(value)
        return dataclasses.is_dataclass(value) and outside


def find_class(kind: str, protocol: PartProtocol, catalogue: Iterable[str]) -> Any:
    """The class that `kind` ("module:Class") names.

    Raises: JtfneError unless its module has been imported, or may be (`code_allowed`).
    """
    target = find_named(kind, catalogue)
    if not isinstance(target, type) or not dataclasses.is_dataclass(target):
        module, _, path = kind.partition(":")
        description = (
            f"kind={describe_value(kind)}, but module {module!r} has no dataclass {path!r},"
        )
        raise refuse(description, f"the 'module:Class' of {protocol.described_class}", HERE)
    return target


def find_named(kind: str, catalogue: Iterable[str]) -> Any:
    """The object that `kind` ("module:Class") names; None if the module has none of that name.

    Raises: JtfneError unless the module has been imported, or may be (`code_allowed`).
    """
    module, _, path = kind.partition(":")
    if module not in sys.modules and _code_allowed.get():
        _import_module(module, kind)
    if module not in sys.modules:
        kinds = ", ".join(map(repr, catalogue))
        imported_class = "a 'module:Class' of a module that is imported before"
        way_to_allow = (
            f"or allow_code=True (--allow-code), which runs module {module!r} to take its "
            f"class {path!r}"
        )
        raise refuse(
            f"kind={describe_value(kind)}", f"{kinds}; {imported_class}; {way_to_allow}", HERE
        )
    target: Any = sys.modules[module]
    # by `vars`, so that no property, and no `__getattr__` of a module, runs
    for name in path.split("."):
        target = vars(target).get(name) if hasattr(target, "__dict__") else None
    return target


def read_object(kind: str, protocol: PartProtocol, catalogue: Iterable[str], where: str) -> Any:
    """An object of a class from outside with its defaults, by the name of the class.

    Raises: JtfneError as `find_class`, and for a class that lacks something, in `where`.
    """
    try:
        cls = find_class(kind, protocol, catalogue)
        protocol.check_class(cls)
        required_names = [
            field.name
            for field in dataclasses.fields(cls)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]
        if required_names:
            raise refuse(f"a {cls.__name__} of no {required_names[0]}", "one with defaults", HERE)
        part = cls()
        protocol.check_object(part)
    except JtfneError as error:
        raise build_error(where, [Problem((), str(error))]) from None
    return part


_code_allowed: contextvars.ContextVar[bool] = contextvars.ContextVar("code_allowed", default=False)


@contextlib.contextmanager
def code_allowed(allowed: bool) -> Iterator[None]:
    """Context that allows or forbids declarations to import the modules that they name.

    Only the caller can allow it, never a file. Raises: JtfneError unless `allowed` is a bool.
    """
    if not isinstance(allowed, bool):
        raise refuse(f"allow_code={describe_value(allowed)}", "True or False", "reading")
    token = _code_allowed.set(allowed)
    try:
        yield
    finally:
        _code_allowed.reset(token)


def _import_module(module: str, kind: str) -> None:
    """Import the module of `kind`. Raises: JtfneError for a bad name, or if the import fails."""
    if not all(part.isidentifier() for part in module.split(".")):
        raise refuse(
            f"kind={describe_value(kind)}", "'module:Class' with the dotted name of a module", HERE
        )
    try:
        importlib.import_module(module)
    except Exception as error:
        description = f"kind={describe_value(kind)}, whose module cannot be imported ({type(error).__name__}: {error}),"
        raise refuse(description, "an installed module", HERE) from error


def name_class(cls: type) -> str:
    """The name of a class in a file, "module:Class"."""
    return f"{cls.__module__}:{cls.__qualname__}"


def name_kind(cls: type) -> str:
    """The `kind` of a class: its name if it is one of jtfne, "module:Class" if it is a user's."""
    is_own = cls.__module__.partition(".")[0] == "jtfne"
    return cls.__name__ if is_own else name_class(cls)


def _get_fields(part: Any) -> dict[str, Any]:
    """The fields of a dataclass object, by name."""
    return {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}


_mirror = functools.cache(lambda cls: mirror(cls, name_class(cls)))
