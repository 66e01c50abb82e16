"""The catalogue by name, and the field of a config that takes a readout of it or from outside."""

import functools
import inspect
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import pydantic
from pydantic import BeforeValidator, Field, WrapSerializer, WrapValidator
from pydantic_core import core_schema

from jtfne._check import refuse
from jtfne.pydantic_fields.custom_parts import find_named, name_class
from jtfne.pydantic_fields.errors import HERE, describe_unknown
from jtfne.readouts._readout import Readout
from jtfne.readouts.csd import CSD
from jtfne.readouts.csd_proxy import CSDProxy
from jtfne.readouts.dipole import Dipole
from jtfne.readouts.eeg import EEG
from jtfne.readouts.eeg_proxy import EEGProxy
from jtfne.readouts.emm_proxy import EMMProxy
from jtfne.readouts.lfp import LFP
from jtfne.readouts.lfp_proxy import LFPProxy
from jtfne.readouts.meg import MEG
from jtfne.readouts.meg_proxy import MEGProxy
from jtfne.readouts.source import SourceProbe
from jtfne.readouts.spectrolaminar_proxy import SpectrolaminarProxy
from jtfne.readouts.spikes import Spikes
from jtfne.readouts.voltage import Voltage
from jtfne.readouts.weighted_sums import ERWS, RWS

CATALOGUE: tuple[type[Readout], ...] = (
    Spikes,
    Voltage,
    SourceProbe,
    LFP,
    CSD,
    Dipole,
    EEG,
    MEG,
    LFPProxy,
    CSDProxy,
    SpectrolaminarProxy,
    EMMProxy,
    EEGProxy,
    MEGProxy,
    RWS,
    ERWS,
)
READOUTS: dict[str, type[Readout]] = {cls.readout: cls for cls in CATALOGUE}
ALIASES: dict[str, str] = {alias: cls.readout for cls in CATALOGUE for alias in cls.aliases}
_KINDS: dict[str, type[Readout]] = {cls.__name__: cls for cls in CATALOGUE}
_ANNOTATED: Any = Annotated  # for types that are put together as the program runs


def list_readouts() -> dict[str, type[Readout]]:
    """Return the readouts by name: the catalogue, then classes from outside that are imported.

    Of two classes from outside that have one name, as when a notebook's cell is run again, the
    later one.
    """
    outside = {cls.readout: cls for cls in _iterate_subclasses(Readout) if _is_complete(cls)}
    return {**READOUTS, **{name: cls for name, cls in outside.items() if name not in READOUTS}}


def find_readout(name: str) -> type[Readout] | None:
    """Return the readout of that name or alias, None if there is none."""
    return list_readouts().get(resolve_alias(name))


def resolve_alias(name: str) -> str:
    """Return the name of the readout that `name` is an alias of; any other text as it is."""
    if name in READOUTS or name in ALIASES:
        return ALIASES.get(name, name)
    aliases = {alias: cls.readout for cls in list_readouts().values() for alias in cls.aliases}
    return aliases.get(name, name)


def _iterate_subclasses(cls: Any) -> Iterator[type[Readout]]:
    """Yield every class below `cls`, earlier ones first."""
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _iterate_subclasses(subclass)


def _is_complete(cls: type[Readout]) -> bool:
    """Whether `cls` is a readout, and not what several of them share."""
    return hasattr(cls, "readout") and not inspect.isabstract(cls)


def _is_outside(value: Any) -> bool:
    """Whether `value` is a readout of a class that is not in the catalogue."""
    return isinstance(value, Readout) and READOUTS.get(value.readout) is not type(value)


def _as_table(value: Any) -> Any:
    """Convert a readout's name or alias, bare or as `kind`, to the table of its declaration."""
    table = {"kind": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        return value
    kind = str(table.get("kind", "nothing"))
    if kind not in _KINDS:
        name = resolve_alias(kind)
        problem = describe_unknown(name, list_readouts(), name="probe")
        if problem:
            raise ValueError(problem)
        kind = list_readouts()[name].__name__
    return {**table, "kind": kind}


def _read_outside(value: Any, read_catalogued: Callable[[Any], Any]) -> Any:
    """Return the readout that `value` declares; `read_catalogued` reads those of the catalogue."""
    if _is_outside(value):
        return _check_outside(value)
    kind = value.get("kind") if isinstance(value, Mapping) else value
    cls: Any = None
    if isinstance(kind, str) and ":" in kind:
        cls = find_named(kind, _KINDS)
        if not (isinstance(cls, type) and issubclass(cls, Readout) and _is_complete(cls)):
            allowed = "the 'module:Class' of a subclass of jtfne.readouts.Readout"
            raise refuse(f"kind={kind!r}, which is no readout,", allowed, HERE)
    elif isinstance(kind, str) and kind not in _KINDS:
        name = resolve_alias(kind)
        cls = None if name in READOUTS else list_readouts().get(name)
    if cls is None:
        return read_catalogued(value)
    settings = value if isinstance(value, Mapping) else {}
    return _check_outside(cls(**{key: entry for key, entry in settings.items() if key != "kind"}))


def _check_outside(readout: Readout) -> Readout:
    """Return a readout from outside. Raises: JtfneError if its name is one of the catalogue."""
    names = [readout.readout, *readout.aliases]
    taken = [name for name in names if name in READOUTS or name in ALIASES]
    if taken:
        problem = f"{type(readout).__name__}, a readout called {taken[0]!r} as one of jtfne,"
        raise refuse(problem, "a name of its own", HERE)
    return readout


def _write(value: Any, write_catalogued: Callable[[Any], Any]) -> Any:
    """Return the table of a readout; one from outside has the `kind` "module:Class"."""
    if not _is_outside(value):
        return write_catalogued(value)
    return {"kind": name_class(type(value)), **value.model_dump(mode="json")}


class _ReadoutField:
    """Marks a field that holds a readout: an object, a name, or a table with its `kind`."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Pydantic schema: a union by `kind`, and around it what takes classes from outside."""
        union = functools.reduce(operator.or_, CATALOGUE)
        catalogued = _ANNOTATED[union, Field(discriminator="kind")]
        return handler.generate_schema(
            _ANNOTATED[
                catalogued,
                BeforeValidator(_as_table, union | str),
                WrapValidator(_read_outside),
                WrapSerializer(_write),
            ]
        )


AnyReadout = Annotated[Readout, _ReadoutField()]
