"""Who connects to whom: selectors, rules, distributions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, refuse
from jtfne.config._tables import columns_in, columns_of
from jtfne.pydantic_fields.array_field import Column, ColumnOf
from jtfne.pydantic_fields.catalogue import Declared
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import (
    Count,
    Flag,
    Name,
    NotNegative,
    Number,
    Positive,
    Share,
    plain,
)
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.pydantic_fields.selector_field import Selection
from jtfne.synapses import PLASTICITIES, Plasticity


class Normal(Frozen):
    """Normal distribution; values outside [low, high] are drawn again."""

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
    """Uniform distribution over [low, high]."""

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


class FixedProbability(Frozen):
    """Each pair is connected with probability `p`, independently."""

    kind: Literal["FixedProbability"] = "FixedProbability"
    p: Share
    autapses: Flag = False


class FixedIndegree(Frozen):
    """Each target has `n` sources, drawn with (`multapses`) or without replacement."""

    kind: Literal["FixedIndegree"] = "FixedIndegree"
    n: Count
    autapses: Flag = False
    multapses: Flag = True


class FixedOutdegree(Frozen):
    """Each source has `n` targets, drawn with (`multapses`) or without replacement."""

    kind: Literal["FixedOutdegree"] = "FixedOutdegree"
    n: Count
    autapses: Flag = False
    multapses: Flag = True


class FixedTotal(Frozen):
    """`n` pairs in all, drawn with (`multapses`) or without replacement."""

    kind: Literal["FixedTotal"] = "FixedTotal"
    n: Count
    autapses: Flag = False
    multapses: Flag = True


class OneToOne(Frozen):
    """The first source to the first target, and so on; both ends of one size. Pairs of a cell with
    itself may go.
    """

    kind: Literal["OneToOne"] = "OneToOne"
    autapses: Flag = True


class AllToAll(Frozen):
    """Every pair."""

    kind: Literal["AllToAll"] = "AllToAll"
    autapses: Flag = False


class ExponentialDecay(Frozen):
    """A chance, or a weight, that falls with distance as exp(-d / length_mm)."""

    kind: Literal["ExponentialDecay"] = "ExponentialDecay"


class GaussianDecay(Frozen):
    """A chance, or a weight, that falls with distance as exp(-d^2 / (2 length_mm^2))."""

    kind: Literal["GaussianDecay"] = "GaussianDecay"


def _as_kind(value: Any) -> Any:
    """Convert a bare name to the table that declares it."""
    return {"kind": value} if isinstance(value, str) else value


Decay = Annotated[ExponentialDecay | GaussianDecay, Field(discriminator="kind")]


class DistanceDecay(Frozen):
    """Each pair of one area at distance d is connected with probability p0 times `profile` at d.

    Distances are those of the cells in space, or, if `lateral`, along the cortex only (depth
    aside). A column ends at its rim: nothing is wrapped around.

    Examples
    --------
    >>> DistanceDecay(p0=0.3, length_mm=0.1, profile="GaussianDecay", lateral=True).profile
    GaussianDecay(kind='GaussianDecay')
    """

    kind: Literal["DistanceDecay"] = "DistanceDecay"
    p0: Share
    length_mm: Positive
    profile: Annotated[Decay, BeforeValidator(_as_kind, json_schema_input_type=Decay | str)] = (
        ExponentialDecay()
    )
    lateral: Flag = False
    autapses: Flag = False


class WeightDecay(Frozen):
    """Weights times `profile` at the distance of the two cells, which are of one area; `lateral` as
    of DistanceDecay.

    Examples
    --------
    >>> WeightDecay(length_mm=0.2, profile="GaussianDecay").lateral
    False
    """

    length_mm: Positive
    profile: Annotated[Decay, BeforeValidator(_as_kind, json_schema_input_type=Decay | str)] = (
        ExponentialDecay()
    )
    lateral: Flag = False


class FromTable(Frozen):
    """Edges listed one by one: ids of source and target, and weights (pA, nS or mV) and delays (ms)
    where given.

    Examples
    --------
    >>> FromTable.from_table({"source": [0, 1], "target": [1, 2], "weight_pA": [5.0, 7.5]}).weight
    (5.0, 7.5)
    """

    kind: Literal["FromTable"] = "FromTable"
    source: Annotated[Column, ColumnOf(np.int64, NOT_NEGATIVE)]
    target: Annotated[Column, ColumnOf(np.int64, NOT_NEGATIVE)]
    weight: Annotated[Column | None, ColumnOf(np.float64, FINITE, optional=True)] = None
    delay_ms: Annotated[Column | None, ColumnOf(np.float64, POSITIVE, optional=True)] = None

    @model_validator(mode="after")
    def _check_lengths(self) -> "FromTable":
        """Refuse columns of different lengths, and none."""
        columns = {name: getattr(self, name) for name in ("source", "target", "weight", "delay_ms")}
        sizes = {name: len(column) for name, column in columns.items() if column is not None}
        if len(set(sizes.values())) > 1 or not len(self.source):
            description = ", ".join(f"{size} of {name}" for name, size in sizes.items())
            raise refuse(f"a table with {description}", "columns of one length, at least 1", HERE)
        return self

    @classmethod
    def from_table(cls, table: Any, *, connection: str | None = None) -> Self:
        """Build the rule from a DataFrame, an Arrow table or a mapping of columns.

        Columns are `source`, `target` and perhaps a weight and `delay_ms`. The weight is the column
        `weight_pA`, `weight_nS`, `weight_mV` or `weight`, in the unit of the connection's
        mechanism. Of a table with a column `connection`, such as `Net.edges`, the rows of one
        connection are taken. Raises: JtfneError for a column that is missing or of an unknown unit,
        an empty cell, or several connections.
        """
        return cls(**columns_of(table, connection, "FromTable.from_table"))

    @classmethod
    def read(cls, path: str | Path, *, connection: str | None = None) -> Self:
        """Read the rule from a file with those columns: .csv, .parquet or a SONATA edge file (.h5).

        `connection` is needed where there are several; in a SONATA file they are its edge
        populations. Raises: JtfneError as `from_table`, and for a file that cannot be read.
        """
        return cls(**columns_in(Path(path), connection))


Rule = Annotated[
    FixedProbability
    | FixedIndegree
    | FixedOutdegree
    | FixedTotal
    | OneToOne
    | AllToAll
    | DistanceDecay
    | FromTable,
    Field(discriminator="kind"),
]


AnyRule = Annotated[Rule, BeforeValidator(_as_kind, json_schema_input_type=Rule | str)]


class Connection(Frozen):
    """Synapses of one mechanism from the cells that `source` selects to those that `target`
    selects.

    Parameters
    ----------
    source, target : Selector or str
        A text is a cell type.
    mechanism : str
        AMPA, NMDA, GABA_A, GABA_B, or one that `Config.mechanisms` added.
    rule : rule
        FixedProbability, FixedIndegree, FixedOutdegree, FixedTotal, OneToOne, AllToAll,
        DistanceDecay or FromTable.
    weight : float or distribution
        pA added to the synaptic current at a spike, with the sign of the mechanism or of the
        source; nS added to the conductance of a mechanism that is one; mV by which a `Delta` moves
        v. May be left out where the table of a FromTable has weights.
    delay_ms : float, distribution or FromDistance
        At least one time step; a Normal or LogNormal needs `low`. A number is a whole number of
        steps; delays that differ by edge are rounded to the nearest step.
    plasticity : ShortTerm or PairSTDP, optional
        How these synapses change as the run goes (see `jtfne.synapses`); they do not if left out.
    weight_decay : WeightDecay, optional
        How weights, as drawn, fall with distance, by any rule but a table that has weights.

    Examples
    --------
    >>> edge = Connection(source="E", target="PV", mechanism="AMPA", rule=FixedProbability(p=0.1), weight=20.0)
    >>> edge.target.cell_type, edge.delay_ms
    (('PV',), 1.0)
    """

    source: Selection
    target: Selection
    mechanism: Name
    rule: AnyRule
    weight: Value = 0.0
    delay_ms: Delay = 1.0
    plasticity: Annotated[Plasticity, Declared(PLASTICITIES)] | None = None
    weight_decay: WeightDecay | None = None

    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out later fields that are None, so that older configs keep their hash."""
        table: dict[str, Any] = handler(self)
        later_fields = ("plasticity", "weight_decay")
        return {
            name: value
            for name, value in table.items()
            if name not in later_fields or value is not None
        }

    @model_validator(mode="after")
    def _check_weight(self) -> "Connection":
        """Refuse a connection without weights, and weight_decay on weights from a table."""
        has_table_weights = isinstance(self.rule, FromTable) and self.rule.weight is not None
        if "weight" not in self.model_fields_set and not has_table_weights:
            raise refuse(
                "no weight",
                "a number or distribution, pA (nS for a conductance, mV for a jump)",
                HERE,
            )
        if has_table_weights and self.weight_decay is not None:
            raise refuse("weight_decay with a table that has weights", "one of the two", HERE)
        return self
