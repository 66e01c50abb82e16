"""Values that may differ from edge to edge: numbers, distributions, delays by distance."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, model_validator

from jtfne._check import refuse
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import NotNegative, Number, Positive, plain
from jtfne.pydantic_fields.frozen import Frozen


class Normal(Frozen):
    """Normal distribution; values outside [low, high] are drawn again.

    Examples
    --------
    >>> from jtfne.config import Connection, Normal
    >>> weight = Normal(mean=20.0, sd=4.0, low=0.0)
    >>> edge = Connection(
    ...     source="E", target="PV", mechanism="AMPA", rule="AllToAll", weight=weight)
    >>> edge.weight.low
    0.0
    """

    kind: Literal["Normal"] = "Normal"
    mean: Number
    sd: NotNegative
    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def _check_bounds(self) -> "Normal":
        """Refuse bounds that leave nothing."""
        _refuse_empty(self.low, self.high)
        return self


class LogNormal(Frozen):
    """Log-normal distribution by the mean and sd of the value itself, with the sign of the mean;
    else as Normal.

    Examples
    --------
    >>> from jtfne.config import Connection, LogNormal
    >>> weight = LogNormal(mean=20.0, sd=10.0)
    >>> edge = Connection(
    ...     source="E", target="E", mechanism="AMPA", rule="AllToAll", weight=weight)
    >>> edge.weight.mean
    20.0
    """

    kind: Literal["LogNormal"] = "LogNormal"
    mean: Number
    sd: NotNegative
    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def _check_bounds(self) -> "LogNormal":
        """Refuse bounds that leave nothing, and a mean without sign."""
        _refuse_empty(self.low, self.high)
        if self.mean == 0.0:
            raise refuse("mean=0.0", "a mean above or below zero", HERE)
        return self


class Uniform(Frozen):
    """Uniform distribution over [low, high].

    Examples
    --------
    >>> from jtfne.config import Connection, Uniform
    >>> delay = Uniform(low=0.5, high=1.5)
    >>> edge = Connection(
    ...     source="E", target="E", mechanism="AMPA", rule="AllToAll", weight=20.0, delay_ms=delay)
    >>> edge.delay_ms.high
    1.5
    """

    kind: Literal["Uniform"] = "Uniform"
    low: Number
    high: Number

    @model_validator(mode="after")
    def _check_bounds(self) -> "Uniform":
        """Refuse bounds that leave nothing."""
        _refuse_empty(self.low, self.high)
        return self


def _refuse_empty(low: float | None, high: float | None) -> None:
    """Check that low < high, where both are given. Raises: JtfneError."""
    if low is not None and high is not None and not low < high:
        raise refuse(f"low={low:g}, high={high:g}", "low below high", HERE)


Dist = Normal | LogNormal | Uniform


def _find_tag(value: Any) -> str | None:
    """Discriminator of the union: "number", or the `kind` of a table or object."""
    if isinstance(plain(value), int | float):
        return "number"
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) else None


Value = Annotated[
    Annotated[Number, Tag("number")]
    | Annotated[Normal, Tag("Normal")]
    | Annotated[LogNormal, Tag("LogNormal")]
    | Annotated[Uniform, Tag("Uniform")],
    Discriminator(_find_tag),
]


class FromDistance(Frozen):
    """A delay of offset_ms + distance / velocity_m_s.

    Within an area the distance is that of the two cells, from area to area that of the areas'
    `position_mm`, straight through the head. Within an area `offset_ms` (the synapse) is at least
    one step, since cells may touch.

    Examples
    --------
    >>> FromDistance(velocity_m_s=3.5, offset_ms=0.5).velocity_m_s
    3.5
    """

    kind: Literal["FromDistance"] = "FromDistance"
    velocity_m_s: Positive
    offset_ms: NotNegative = 0.0


Delay = Annotated[
    Annotated[Number, Tag("number")]
    | Annotated[Normal, Tag("Normal")]
    | Annotated[LogNormal, Tag("LogNormal")]
    | Annotated[Uniform, Tag("Uniform")]
    | Annotated[FromDistance, Tag("FromDistance")],
    Discriminator(_find_tag),
]
