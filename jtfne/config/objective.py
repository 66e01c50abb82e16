"""Objectives: metrics with targets, and gates that must hold."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from jtfne._check import NOT_NEGATIVE, Limit, names_fields, one_of, refuse
from jtfne.config.recorded_targets import read_target
from jtfne.measures import MEASURES, Measure
from jtfne.measures._base import FIELDS
from jtfne.pydantic_fields.catalogue import Declared
from jtfne.pydantic_fields.curve_field import Curve, as_curve
from jtfne.pydantic_fields.custom_parts import OpenDeclared
from jtfne.pydantic_fields.errors import HERE, refuse_duplicates
from jtfne.pydantic_fields.field_types import Name, NotNegative, Number, Positive, numeric, plain
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.pydantic_fields.part_protocols import MEASURE
from jtfne.pydantic_fields.selector_field import Names, Selection, Selector
from jtfne.readouts import list_readouts, resolve_alias


@names_fields
@dataclasses.dataclass(frozen=True)
class Above:
    """More than `value`.

    Examples
    --------
    >>> from jtfne.config import Above
    >>> str(Above(5.0)), Above(5.0).holds(5.0), Above(5.0).holds(6.0)
    ('above 5', False, True)
    """

    value: float

    def holds(self, x: float) -> bool:
        """Whether `x` meets the condition; NaN never does."""
        return x > self.value

    def __str__(self) -> str:
        return f"above {self.value:g}"


@names_fields
@dataclasses.dataclass(frozen=True)
class Below:
    """Less than `value`.

    Examples
    --------
    >>> from jtfne.config import Below
    >>> str(Below(40.0)), Below(40.0).holds(float("nan"))
    ('below 40', False)
    """

    value: float

    def holds(self, x: float) -> bool:
        """Whether `x` meets the condition; NaN never does."""
        return x < self.value

    def __str__(self) -> str:
        return f"below {self.value:g}"


@names_fields
@dataclasses.dataclass(frozen=True)
class InRange:
    """From `low` to `high`, ends included.

    Examples
    --------
    >>> from jtfne.config import InRange
    >>> str(InRange(1.0, 5.0)), InRange(1.0, 5.0).holds(5.0)
    ('1 to 5', True)
    """

    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("low", "high"),)
    low: float
    high: float

    def holds(self, x: float) -> bool:
        """Whether `x` meets the condition; NaN never does."""
        return self.low <= x <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@names_fields
@dataclasses.dataclass(frozen=True)
class Equal:
    """`value`, to `within`.

    Examples
    --------
    >>> from jtfne.config import Equal
    >>> str(Equal(10.0, within=0.5)), Equal(10.0, within=0.5).holds(10.4)
    ('equal to 10 within 0.5', True)
    """

    LIMITS: ClassVar[dict[str, Limit]] = {"within": NOT_NEGATIVE}
    value: float
    within: float = 0.0

    def holds(self, x: float) -> bool:
        """Whether `x` meets the condition; NaN never does."""
        return abs(x - self.value) <= self.within

    def __str__(self) -> str:
        return f"equal to {self.value:g}" + (f" within {self.within:g}" if self.within else "")


Condition = Above | Below | InRange | Equal
CONDITIONS: dict[str, Any] = {cls.__name__: cls for cls in (Above, Below, InRange, Equal)}


def _as_target(value: Any) -> Any:
    """Convert two numbers to the table of an InRange, arrays and lists to that of a Curve."""
    if getattr(value, "dims", ()):  # an array with names, which a list would lose
        return as_curve(value)
    value = plain(value)
    if isinstance(value, bool | int | float | str | Mapping | Curve | InRange):
        return value
    if isinstance(value, list | tuple) and len(value) == 2:
        return {"kind": "InRange", "low": value[0], "high": value[1]}
    return as_curve(value)


def _find_tag(value: Any) -> str | None:
    """Discriminator of the union: "number", or the kind of a table or object; None if neither."""
    if isinstance(value, bool | int | float):
        return "number"
    if isinstance(value, str):
        return value
    kind = value.get("kind") if isinstance(value, Mapping) else type(value).__name__
    return kind if isinstance(kind, str) else None


Target = Annotated[
    Annotated[Number, Tag("number")]
    | Annotated[InRange, Declared({"InRange": InRange}), Tag("InRange")]
    | Annotated[Curve, Tag("Curve")],
    Discriminator(_find_tag),
    BeforeValidator(_as_target),
]
Window = Annotated[tuple[NotNegative, Positive], numeric] | None


def list_measured(measure: Measure) -> list[str]:
    """Return the names of the readouts that `measure` can be taken of."""
    names: list[str] = []
    readouts = list_readouts()
    for name_or_kind in measure.readouts:
        if name_or_kind not in FIELDS:
            names.append(name_or_kind)
            continue
        for name, readout in readouts.items():
            fits = measure.takes_density or not readout.density
            if readout.row_kind() == name_or_kind and fits:
                names.append(name)
    return names


class ObjectiveTerm(Frozen):
    """A measure of a part of a readout."""

    measure: Annotated[Measure, OpenDeclared(MEASURES, MEASURE)]
    readout: str | None = None
    cells: Selection = Selector()
    channels: Names = None
    window_ms: Window = None
    name: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _resolve_alias(cls, data: Any) -> Any:
        """Replace an alias of a readout by its name."""
        name = data.get("readout") if isinstance(data, Mapping) else None
        return {**data, "readout": resolve_alias(name)} if isinstance(name, str) else data

    @model_validator(mode="after")
    def _check_selection(self) -> Self:
        """Refuse a readout that the measure cannot use, and selectors that the readout lacks."""
        measure = self.measure
        kind = type(measure).__name__
        readouts = list_measured(measure)
        if self.readout is None and len(readouts) > 1:
            raise refuse(
                f"a {kind} without readout",
                f"readout one of {', '.join(map(repr, readouts))}",
                HERE,
            )
        if self.readout is not None and self.readout not in readouts:
            one_of(self.readout, list_readouts(), name="readout", where=HERE)
            raise refuse(f"a {kind} of {self.readout!r}", ", ".join(map(repr, readouts)), HERE)
        selector_keys = [
            key
            for key in ("area", "layer", "cell_type", "ids")
            if getattr(self.cells, key) is not None
        ]
        of_cells, of_areas = self.row_kind == "spikes", self.row_kind == "areal"
        allowed = {"area"} if self.row_kind in ("laminar", "areal") else set()
        wrong_keys = [] if of_cells else [key for key in selector_keys if key not in allowed]
        if wrong_keys:
            selectors = [*(["area"] if allowed else []), *([] if of_areas else ["channels"])]
            raise refuse(f"cells by {wrong_keys[0]} of {self.of!r}", " and ".join(selectors), HERE)
        if self.channels is not None and (of_cells or of_areas):
            raise refuse(
                f"channels of {self.of!r}", "cells" if of_cells else "cells={'area': ...}", HERE
            )
        if self.window_ms is not None and not self.window_ms[0] < self.window_ms[1]:
            raise refuse(
                f"window_ms={self.window_ms}", "(start, stop) in ms, start before stop", HERE
            )
        return self

    @property
    def of(self) -> str:
        """Name of the readout that is measured."""
        return self.readout or list_measured(self.measure)[0]

    @property
    def row_kind(self) -> str:
        """What the rows of the readout are, as `jtfne.readouts.Readout.row_kind` says it."""
        return list_readouts()[self.of].row_kind()

    @property
    def is_density(self) -> bool:
        """Whether the readout is a current source density already."""
        return list_readouts()[self.of].density

    @property
    def selector(self) -> str:
        """Text of the selected cells or channels; empty for all."""
        parts = [
            *(getattr(self.cells, key) or () for key in ("area", "layer", "cell_type")),
            self.channels or (),
        ]
        words = [", ".join(map(str, part)) for part in parts if part]
        words += [f"{len(self.cells.ids)} ids"] if self.cells.ids else []
        return " ".join(words)

    @property
    def label(self) -> str:
        """Its name; without one, its measure, changed settings, readout, selection and window."""
        if self.name is not None:
            return self.name
        measure: Any = self.measure
        values = {field.name: getattr(measure, field.name) for field in dataclasses.fields(measure)}
        changed_names = [
            field.name
            for field in dataclasses.fields(measure)
            if values[field.name] != field.default
        ]
        settings = ", ".join(f"{name}={values[name]}" for name in changed_names)
        window = (
            "" if self.window_ms is None else f"{self.window_ms[0]:g} to {self.window_ms[1]:g} ms"
        )
        words = [f"{type(measure).__name__}({settings})" if settings else type(measure).__name__]
        return " ".join([*words, self.of, *filter(None, (self.selector, window))])


class Metric(ObjectiveTerm):
    """A measure of a readout, and what it should be; its distance from that is part of the score.

    Parameters
    ----------
    measure : measure
        One of `jtfne.measures`, as MeanRate(); or of a class of your own, derived from
        `jtfne.measures.Measure`.
    target : float, (float, float), InRange, Curve or a recording
        A value, a range, or a curve: a list or an xarray.DataArray. Or a recording, of which the
        measure is taken: the pathlib.Path of a file, an mne.io.Raw, mne.Epochs or mne.Evoked, or an
        xarray.DataArray over time, with ``attrs["onset_ms"]``. Or what `jtfne.analysis.rates` and
        `cv` give of recorded spikes, of which the cells selected by name are taken.
    readout : str, optional
        What it is a measure of; of spikes if it is one of these alone.
    cells : Selector or str, optional
        Which cells of spikes, or which area of a readout that has areas.
    channels : sequence of str, optional
        Which channels.
    window_ms : (float, float), optional
        Samples and spikes with ``start < t <= stop``, ms from the start of the trial.
    weight : float
        Of its distance in the score.
    scale : float
        Distance that counts as 1, in the unit of the measure; of curves compared by correlation, by
        its square.
    name : str, optional
        What tables call it.

    Examples
    --------
    >>> from jtfne.measures import MeanRate
    >>> Metric(measure=MeanRate(), cells="PV", target=[10.0, 20.0]).target
    InRange(low=10.0, high=20.0)
    """

    target: Target
    weight: NotNegative = 1.0
    scale: Positive = 1.0

    @field_validator("target", mode="before")
    @classmethod
    def _read_recording(cls, value: Any, info: ValidationInfo) -> Any:
        """Convert a recording to what the measure gives of it."""
        settings = info.data
        if not {"measure", "readout", "cells", "channels"} <= set(settings):
            return value  # one of these is refused already
        measure: Measure = settings["measure"]
        readouts = [settings["readout"]] if settings["readout"] else list_measured(measure)
        return read_target(value, measure, readouts[0], settings["cells"], settings["channels"])

    @model_validator(mode="after")
    def _check_target(self) -> Self:
        """Refuse a target of another form than the measure: number or curve, and its dimensions."""
        measure = self.measure
        kind = type(measure).__name__
        if not isinstance(self.target, Curve):
            if measure.dims:
                raise refuse(
                    f"target={self.target} of a {kind}",
                    f"a curve over {', '.join(measure.dims)}",
                    HERE,
                )
            return self
        if not measure.dims:
            raise refuse(f"a curve as target of a {kind}", "a number or a range", HERE)
        if not self.target.dims and len(measure.dims) == 1:
            return self
        optional_dims = {"channel"} if len(measure.dims) > 1 else set()  # that of the only one
        missing_dims = {*measure.dims} - {*self.target.dims, *self.target.coords} - optional_dims
        channel_dims = (
            {"channel"} if "z_mm" in self.target.coords and "z_mm" in measure.dims else set()
        )
        extra_dims = {*self.target.dims} - {*measure.dims, *measure.averaged} - channel_dims
        if missing_dims or extra_dims:
            description = (
                f"a curve over {', '.join(self.target.dims) or 'nothing'} as target of a {kind}"
            )
            raise refuse(description, f"one over {', '.join(measure.dims)}", HERE)
        return self


class Gate(ObjectiveTerm):
    """A measure that must meet a condition, whatever the score; one that is not finite never does.

    Parameters
    ----------
    measure, readout, cells, channels, window_ms, name
        As of `Metric`; the measure is a number.
    condition : Above, Below, InRange or Equal

    Examples
    --------
    >>> from jtfne.measures import MeanRate
    >>> Gate(measure=MeanRate(), condition=Below(40.0)).label
    'MeanRate spk'
    """

    condition: Annotated[Condition, Declared(CONDITIONS)]

    @model_validator(mode="after")
    def _check_measure(self) -> Self:
        """Refuse a measure that gives a curve, since conditions are on numbers."""
        measure = self.measure
        if measure.dims:
            numbers = [name for name, measure_class in MEASURES.items() if not measure_class.dims]
            raise refuse(
                f"a gate on a {type(measure).__name__}, a curve,",
                f"one of {', '.join(numbers)}",
                HERE,
            )
        return self


class Targets(Frozen):
    """An objective: metrics, whose distances sum to the score, and gates.

    Examples
    --------
    >>> from jtfne.config import Targets
    >>> target = {"measure": "MeanRate", "cells": "E", "target": [1.0, 5.0]}
    >>> gate = {"measure": "Synchrony", "condition": {"kind": "Below", "value": 0.5}}
    >>> [metric.label for metric in Targets(metrics=[target], gates=[gate]).metrics]
    ['MeanRate spk E']
    """

    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)]
    gates: tuple[Gate, ...] = ()

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        """Refuse two metrics or gates with the same label, and metrics that all have weight 0."""
        for part in (self.metrics, self.gates):
            refuse_duplicates([aim.label for aim in part], name="name")
        if not any(metric.weight for metric in self.metrics):
            raise refuse("metrics that all have weight 0", "at least one above 0", HERE)
        return self
