"""The readouts of a run, and the source that fields are made of."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from jtfne._check import SynapticDoubleCountError, one_of, refuse
from jtfne.config.source_maps import SourceMap
from jtfne.pydantic_fields.errors import HERE, refuse_duplicates
from jtfne.pydantic_fields.field_types import Positive
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.readouts import AnyReadout


class InputCurrent(Frozen):
    """Synaptic and external current: equal and opposite to capacitive and ionic.

    Examples
    --------
    >>> import jtfne
    >>> jtfne.Config().readouts.source
    InputCurrent(kind='input_current')
    >>> jtfne.Config().readouts.source.terms
    ('synaptic', 'external')
    """

    kind: Literal["input_current"] = "input_current"
    terms: ClassVar[tuple[str, ...]] = ("synaptic", "external")


class TotalMembraneCurrent(Frozen):
    """Capacitive, ionic and synaptic current.

    Examples
    --------
    >>> import jtfne
    >>> jtfne.Config().source("total_membrane_current").readouts.source.terms
    ('capacitive', 'ionic', 'synaptic')
    """

    kind: Literal["total_membrane_current"] = "total_membrane_current"
    terms: ClassVar[tuple[str, ...]] = ("capacitive", "ionic", "synaptic")


class Decomposed(Frozen):
    """Capacitive and ionic current, and synaptic current kept apart.

    Examples
    --------
    >>> import jtfne
    >>> jtfne.Config().source("decomposed").readouts.source.terms
    ('capacitive', 'ionic', 'synaptic')
    """

    kind: Literal["decomposed"] = "decomposed"
    terms: ClassVar[tuple[str, ...]] = ("capacitive", "ionic", "synaptic")


class SynapticCurrent(Frozen):
    """Synaptic current only.

    Examples
    --------
    >>> import jtfne
    >>> jtfne.Config().source("synaptic_current").readouts.source.terms
    ('synaptic',)
    """

    kind: Literal["synaptic_current"] = "synaptic_current"
    terms: ClassVar[tuple[str, ...]] = ("synaptic",)


class SpikeProxy(Frozen):
    """Spikes, of unit charge.

    Examples
    --------
    >>> import jtfne
    >>> jtfne.Config().source("spike_proxy").readouts.source.terms
    ('spikes',)
    """

    kind: Literal["spike_proxy"] = "spike_proxy"
    terms: ClassVar[tuple[str, ...]] = ("spikes",)


Source = InputCurrent | TotalMembraneCurrent | Decomposed | SynapticCurrent | SpikeProxy
SOURCE_MODES: tuple[type[Source], ...] = (
    InputCurrent, TotalMembraneCurrent, Decomposed, SynapticCurrent, SpikeProxy
)  # fmt: skip

BESIDE_SOURCE = ("scale", "maps")  # what `Config.source` takes with the mode, and keeps beside it


def _as_source(value: Any) -> Any:
    """Convert the bare name of a source mode to the table that declares it.

    Raises: JtfneError for a scale or maps in it, which stand beside it.
    """
    if isinstance(value, Mapping):
        for key in BESIDE_SOURCE:
            if key in value:
                raise refuse(f"{key} within source", f"readouts.{key}, beside it", HERE)
    return {"kind": value} if isinstance(value, str) else value


def only_source(modes: Sequence[Any]) -> Any:
    """The one mode in `modes`.

    Raises: SynapticDoubleCountError if the terms of two of them overlap, so that a current would be
    summed twice; JtfneError for none, and for several that do not overlap.
    """
    if len(modes) == 1:
        return modes[0]
    terms = {cls.model_fields["kind"].default: set(cls.terms) for cls in SOURCE_MODES}
    kinds = [
        one_of(_name_mode(mode), terms, name="source", where="Config.source") for mode in modes
    ]
    for first, second in itertools.combinations(kinds, 2):
        overlap = sorted(terms[first] & terms[second])
        if overlap:
            raise SynapticDoubleCountError(
                f"sources {first!r} and {second!r} would count {', '.join(overlap)} twice; "
                "expected one mode a run (in Config.source)"
            )
    raise refuse(f"{len(kinds)} source modes", "one mode a run", "Config.source")


def _name_mode(mode: Any) -> str:
    """The name of a source mode that is a text, a table or an object."""
    return str(mode.get("kind") if isinstance(mode, Mapping) else getattr(mode, "kind", mode))


AnySource = Annotated[
    Annotated[Source, Field(discriminator="kind")], BeforeValidator(_as_source, Source | str)
]


class Readouts(Frozen):
    """What a run records: one probe a readout, and what fields are made of.

    Attributes
    ----------
    probes : tuple of Probe
    source : Source
        The mode: which terms of the cells' currents.
    maps : tuple of SourceMap
        Where physical readouts have currents enter and return; of several that fit, the last.
        Before them come `SOURCE_MAPS`. Mechanisms that they tell apart are kept apart in the
        circuit, even if they decay alike.
    scale : float
        Real cells that each simulated one stands for, which all do as it does: a factor of physical
        readouts.

    Examples
    --------
    >>> import jtfne
    >>> cfg = jtfne.Config().probes(["spk", "lfp"]).source("synaptic_current", scale=50.0)
    >>> [probe.readout for probe in cfg.readouts.probes], cfg.readouts.scale
    (['spk', 'lfp'], 50.0)
    """

    probes: tuple[AnyReadout, ...] = ()
    source: AnySource = InputCurrent()
    maps: tuple[SourceMap, ...] = ()
    scale: Positive = 1.0

    @model_validator(mode="after")
    def _check_names(self) -> "Readouts":
        """Refuse two probes of one readout."""
        refuse_duplicates([probe.readout for probe in self.probes], name="probes")
        return self

    @model_validator(mode="after")
    def _check_return_current(self) -> "Readouts":
        """Refuse physical readouts of a source without return current."""
        physical = [probe.readout for probe in self.probes if probe.needs_maps]
        if physical and not {"synaptic", "external"} & set(self.source.terms):
            modes = ", ".join(repr(cls().kind) for cls in SOURCE_MODES if "synaptic" in cls.terms)
            description = (
                f"source {self.source.kind!r}, which has no return current, with probe "
                f"{physical[0]!r}"
            )
            raise refuse(description, modes, HERE)
        return self
