"""A catalogue of readouts by name, and the field of a config that takes one of it or from outside."""

import functools
import inspect
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import pydantic
from pydantic import BeforeValidator, Field, WrapSerializer, WrapValidator
from pydantic_core import core_schema

from jtfne._check import refuse
from jtfne.pydantic_fields.custom_parts import find_named, name_class
from jtfne.pydantic_fields.errors import HERE, describe_unknown
from jtfne.readouts._readout import Readout

STATED = ("readout", "long_name", "dims", "coords", "units", "proxy")  # by every class
_ANNOTATED: Any = Annotated  # for types that are put together as the program runs


class Catalogue:
    """The readouts of jtfne, and those from outside that a program has imported.

    Attributes
    ----------
    classes : tuple of type
        Those of jtfne, in the order in which signals list them.
    by_name, aliases, kinds : dict
        Name -> class, alias -> name, name of the class (`kind` in files) -> class.
    """

    def __init__(self, classes: Sequence[type[Readout]]) -> None:
        self.classes = tuple(classes)
        self.by_name = {cls.readout: cls for cls in classes}
        self.aliases = {alias: cls.readout for cls in classes for alias in cls.aliases}
        self.kinds = {cls.__name__: cls for cls in classes}

    def list_readouts(self) -> dict[str, type[Readout]]:
        """Return the readouts by name: those of jtfne, then classes from outside.

        Of two classes from outside that have one name, as when a notebook's cell is run again, the
        later one.
        """
        readouts = dict(self.by_name)
        for cls in _iterate_subclasses(Readout):
            if _is_complete(cls) and cls.readout not in self.by_name:
                readouts[cls.readout] = cls
        return readouts

    def find_readout(self, name: str) -> type[Readout] | None:
        """Return the readout of that name or alias, None if there is none."""
        return self.list_readouts().get(self.resolve_alias(name))

    def resolve_alias(self, name: str) -> str:
        """Return the name of the readout that `name` is an alias of; any other text as it is."""
        if name in self.by_name or name in self.aliases:
            return self.aliases.get(name, name)
        for cls in self.list_readouts().values():
            if name in cls.aliases:
                return cls.readout
        return name

    def is_outside(self, value: Any) -> bool:
        """Whether `value` is a readout of a class that is not in the catalogue."""
        return isinstance(value, Readout) and self.kinds.get(type(value).__name__) is not type(
            value
        )


class ReadoutField:
    """Marks a field that holds a readout: an object, a name, or a table with its `kind`."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def __get_pydantic_core_schema__(
        self, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Pydantic schema: a union by `kind`, and around it what takes classes from outside."""
        union: Any = functools.reduce(operator.or_, self.catalogue.classes)
        return handler.generate_schema(
            _ANNOTATED[
                _ANNOTATED[union, Field(discriminator="kind")],
                BeforeValidator(self._as_table, union | str),
                WrapValidator(self._read),
                WrapSerializer(self._write),
            ]
        )

    def _as_table(self, value: Any) -> Any:
        """Convert a readout's name or alias, bare or as `kind`, to the table of its declaration."""
        table = {"kind": value} if isinstance(value, str) else value
        if not isinstance(table, Mapping):
            return value
        if "kind" not in table:
            readouts = ", ".join(map(repr, self.catalogue.list_readouts()))
            raise refuse("a probe without kind", f"one of {readouts} as its kind", HERE)
        kind = str(table["kind"])
        if kind not in self.catalogue.kinds:
            name = self.catalogue.resolve_alias(kind)
            problem = describe_unknown(name, self.catalogue.list_readouts(), name="probe")
            if problem:
                raise ValueError(problem)
            kind = self.catalogue.by_name[name].__name__
        return {**table, "kind": kind}

    def _read(self, value: Any, read_catalogued: Callable[[Any], Any]) -> Any:
        """Return the readout that `value` declares; `read_catalogued` reads those of jtfne."""
        if self.catalogue.is_outside(value):
            return self._check_outside(value)
        kind = value.get("kind") if isinstance(value, Mapping) else value
        cls = self._find_outside(kind) if isinstance(kind, str) else None
        if cls is None:
            return read_catalogued(value)
        settings = dict(value) if isinstance(value, Mapping) else {}
        settings.pop("kind", None)
        return self._check_outside(cls(**settings))

    def _find_outside(self, kind: str) -> type[Readout] | None:
        """Return the class from outside that `kind` names: "module:Class", or its readout's name.

        Raises: JtfneError for a "module:Class" that is no readout, or may not be imported.
        """
        if ":" not in kind:
            name = self.catalogue.resolve_alias(kind)
            is_own = kind in self.catalogue.kinds or name in self.catalogue.by_name
            return None if is_own else self.catalogue.list_readouts().get(name)
        cls = find_named(kind, self.catalogue.kinds)
        if not (isinstance(cls, type) and issubclass(cls, Readout)) or inspect.isabstract(cls):
            allowed = "the 'module:Class' of a subclass of jtfne.readouts.Readout"
            raise refuse(f"kind={kind!r}, which is no readout,", allowed, HERE)
        return cls

    def _check_outside(self, readout: Readout) -> Readout:
        """Return a readout from outside.

        Raises: JtfneError if it does not say what it is, or its name is one of jtfne's.
        """
        missing_names = [name for name in STATED if not hasattr(type(readout), name)]
        if missing_names:
            problem = f"{type(readout).__name__} without {', '.join(missing_names)}"
            raise refuse(problem, f"a readout with class attributes {', '.join(STATED)}", HERE)
        for name in (readout.readout, *readout.aliases):
            if name in self.catalogue.by_name or name in self.catalogue.aliases:
                problem = f"{type(readout).__name__}, called {name!r} as a readout of jtfne,"
                raise refuse(problem, "a name of its own", HERE)
        return readout

    def _write(self, value: Any, write_catalogued: Callable[[Any], Any]) -> Any:
        """Return the table of a readout; one from outside has the `kind` "module:Class"."""
        if not self.catalogue.is_outside(value):
            return write_catalogued(value)
        return {**value.model_dump(mode="json"), "kind": name_class(type(value))}


def _iterate_subclasses(cls: Any) -> Iterator[type[Readout]]:
    """Yield every class below `cls`, earlier ones first."""
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _iterate_subclasses(subclass)


def _is_complete(cls: type[Readout]) -> bool:
    """Whether `cls` is a readout that says what it is, and not what several of them share."""
    return all(hasattr(cls, name) for name in STATED) and not inspect.isabstract(cls)
