"""What a run records: probes by readout, and the source that fields are made of."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from jtfne._check import SynapticDoubleCountError, one_of, refuse
from jtfne.config.fields import Physical, Sensors
from jtfne.config.source_maps import SourceMap
from jtfne.config.weighted_sums import WeightedSum
from jtfne.pydantic_fields.errors import HERE, describe_unknown, refuse_duplicates
from jtfne.pydantic_fields.field_types import NotNegative, Positive, numeric
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.pydantic_fields.selector_field import Selection, Selector


class Spikes(Frozen):
    """`spk`: spike events."""

    kind: Literal["Spikes"] = "Spikes"
    readout: ClassVar[str] = "spk"


class Voltage(Frozen):
    """`vm`: membrane potential, mV, at every step or every `interval_ms`, of the `cells`
    selected.
    """

    kind: Literal["Voltage"] = "Voltage"
    readout: ClassVar[str] = "vm"
    interval_ms: Positive | None = None
    cells: Selection = Selector()


class SourceProbe(Frozen):
    """`source`: the declared source of each neuron, pA, as means over `interval_ms`."""

    kind: Literal["SourceProbe"] = "SourceProbe"
    readout: ClassVar[str] = "source"
    interval_ms: Positive = 1.0


class _Laminar(Frozen):
    """What probes on a laminar shank share: contacts from pia to white matter, and the width of
    their kernel.
    """

    interval_ms: Positive = 1.0
    n_channels: Annotated[int, Field(strict=True, ge=3, le=1000), numeric] = 16
    kernel_mm: Positive = 0.1


class LFPProxy(_Laminar):
    """`lfp_proxy`: sources seen through a Gaussian kernel over depth, per area; a.u."""

    kind: Literal["LFPProxy"] = "LFPProxy"
    readout: ClassVar[str] = "lfp_proxy"


class CSDProxy(_Laminar):
    """`csd_proxy`: minus the second depth difference of `lfp_proxy`; a.u."""

    kind: Literal["CSDProxy"] = "CSDProxy"
    readout: ClassVar[str] = "csd_proxy"


class SpectrolaminarProxy(_Laminar):
    """`spectrolaminar_proxy`: relative power over depth and frequency, up to `max_frequency_Hz`."""

    kind: Literal["SpectrolaminarProxy"] = "SpectrolaminarProxy"
    readout: ClassVar[str] = "spectrolaminar_proxy"
    max_frequency_Hz: Positive = 150.0

    @model_validator(mode="after")
    def _check_frequency(self) -> "SpectrolaminarProxy":
        """Refuse frequencies that the interval cannot show."""
        if self.max_frequency_Hz > 500.0 / self.interval_ms:
            allowed = (
                f"at most {500.0 / self.interval_ms:g}, half the rate of samples every "
                f"{self.interval_ms:g} ms"
            )
            raise refuse(f"max_frequency_Hz={self.max_frequency_Hz:g}", allowed, HERE)
        return self


class EMMProxy(_Laminar):
    """`emm_proxy`: activity, source and field, each by its maximum, averaged with `weights`."""

    kind: Literal["EMMProxy"] = "EMMProxy"
    readout: ClassVar[str] = "emm_proxy"
    weights: tuple[NotNegative, NotNegative, NotNegative] = (1.0, 1.0, 1.0)

    @model_validator(mode="after")
    def _check_weights(self) -> "EMMProxy":
        """Refuse weights that are all 0."""
        if not any(self.weights):
            raise refuse(f"weights={self.weights}", "at least one above 0", HERE)
        return self


class EEGProxy(Frozen):
    """`eeg_proxy`: area sources projected onto named sites; a.u."""

    kind: Literal["EEGProxy"] = "EEGProxy"
    readout: ClassVar[str] = "eeg_proxy"
    interval_ms: Positive = 1.0
    sites: Sensors = None


class MEGProxy(Frozen):
    """`meg_proxy`: area currents projected onto named magnetometers; a.u."""

    kind: Literal["MEGProxy"] = "MEGProxy"
    readout: ClassVar[str] = "meg_proxy"
    interval_ms: Positive = 1.0
    sensors: Sensors = None


Proxy = LFPProxy | CSDProxy | SpectrolaminarProxy | EMMProxy | EEGProxy | MEGProxy
Probe = Spikes | Voltage | SourceProbe | Physical | Proxy | WeightedSum
_PROBES: tuple[type[Probe], ...] = get_args(Probe)
PROBES: dict[str, type[Probe]] = {cls.readout: cls for cls in _PROBES}
ALIASES: dict[str, str] = {
    **dict.fromkeys(("spikes", "spike", "raster"), "spk"),
    **dict.fromkeys(("V_m", "v_m", "voltage"), "vm"),
    **dict.fromkeys(("src", "sources"), "source"),
    "lfp_like": "lfp_proxy",
    "csd_like": "csd_proxy",
}


def _as_probe(value: Any) -> Any:
    """Convert a readout's name or alias, bare or as `kind`, to the table of its probe."""
    table = {"kind": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        return value
    kinds = {cls.__name__: cls for cls in PROBES.values()}
    kind = str(table.get("kind", "nothing"))
    if kind not in kinds:
        problem = describe_unknown(ALIASES.get(kind, kind), PROBES, name="probe")
        if problem:
            raise ValueError(problem)
        kind = PROBES[ALIASES.get(kind, kind)].__name__
    return {**table, "kind": kind}


AnyProbe = Annotated[
    Annotated[Probe, Field(discriminator="kind")], BeforeValidator(_as_probe, Probe | str)
]


class InputCurrent(Frozen):
    """Synaptic and external current: equal and opposite to capacitive and ionic."""

    kind: Literal["input_current"] = "input_current"
    terms: ClassVar[tuple[str, ...]] = ("synaptic", "external")


class TotalMembraneCurrent(Frozen):
    """Capacitive, ionic and synaptic current."""

    kind: Literal["total_membrane_current"] = "total_membrane_current"
    terms: ClassVar[tuple[str, ...]] = ("capacitive", "ionic", "synaptic")


class Decomposed(Frozen):
    """Capacitive and ionic current, and synaptic current kept apart."""

    kind: Literal["decomposed"] = "decomposed"
    terms: ClassVar[tuple[str, ...]] = ("capacitive", "ionic", "synaptic")


class SynapticCurrent(Frozen):
    """Synaptic current only."""

    kind: Literal["synaptic_current"] = "synaptic_current"
    terms: ClassVar[tuple[str, ...]] = ("synaptic",)


class SpikeProxy(Frozen):
    """Spikes, of unit charge."""

    kind: Literal["spike_proxy"] = "spike_proxy"
    terms: ClassVar[tuple[str, ...]] = ("spikes",)


Source = InputCurrent | TotalMembraneCurrent | Decomposed | SynapticCurrent | SpikeProxy
SOURCE_MODES: tuple[type[Source], ...] = (
    InputCurrent, TotalMembraneCurrent, Decomposed, SynapticCurrent, SpikeProxy
)  # fmt: skip


def _as_source(value: Any) -> Any:
    """Convert the bare name of a source mode to the table that declares it."""
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
                "allowed: one mode a run "
                "(in Config.source)"
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
    """

    probes: tuple[AnyProbe, ...] = ()
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
        physical = [probe.readout for probe in self.probes if isinstance(probe, Physical)]
        if physical and not {"synaptic", "external"} & set(self.source.terms):
            modes = ", ".join(repr(cls().kind) for cls in SOURCE_MODES if "synaptic" in cls.terms)
            description = (
                f"source {self.source.kind!r}, which has no return current, with probe "
                f"{physical[0]!r}"
            )
            raise refuse(description, modes, HERE)
        return self
