"""Rules by which cells are connected, and how chances and weights fall with distance."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from jtfne._check import FINITE, NOT_NEGATIVE, POSITIVE, refuse
from jtfne._files import resolve_path
from jtfne.config.files.edge_tables import SONATA, read_columns, read_edge_file
from jtfne.config.files.sonata_edges import read_sonata_edges
from jtfne.pydantic_fields.array_field import Column, ColumnOf
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import Count, Flag, Positive, Share, as_kind_table
from jtfne.pydantic_fields.frozen import Frozen


class WiringRule(Frozen, ABC):
    """A rule that says which cells of two ends are connected."""

    @abstractmethod
    def estimate_edges(self, n_source: int, n_target: int) -> float:
        """How many edges the rule is expected to draw between so many cells.

        A float, since it may be beyond any integer that memory holds; only what the rule alone
        tells counts, so a rule by distance, which depends on places, says 0.
        """


class FixedProbability(WiringRule):
    """Each pair is connected with probability `p`, independently.

    Examples
    --------
    >>> from jtfne.config import FixedProbability
    >>> FixedProbability(p=0.1).estimate_edges(n_source=80, n_target=20)
    160.0
    """

    kind: Literal["FixedProbability"] = "FixedProbability"
    p: Share
    autapses: Flag = False

    def estimate_edges(self, n_source: int, n_target: int) -> float:
        """The share `p` of all pairs."""
        return self.p * float(n_source) * n_target


class FixedIndegree(WiringRule):
    """Each target has `n` sources, drawn with (`multapses`) or without replacement.

    Examples
    --------
    >>> from jtfne.config import FixedIndegree
    >>> FixedIndegree(n=10).estimate_edges(n_source=80, n_target=20)
    200.0
    """

    kind: Literal["FixedIndegree"] = "FixedIndegree"
    n: Count
    autapses: Flag = False
    multapses: Flag = True

    def estimate_edges(self, n_source: int, n_target: int) -> float:
        """`n` edges for each target."""
        return float(self.n) * n_target


class FixedOutdegree(WiringRule):
    """Each source has `n` targets, drawn with (`multapses`) or without replacement.

    Examples
    --------
    >>> from jtfne.config import FixedOutdegree
    >>> FixedOutdegree(n=10, multapses=False).estimate_edges(n_source=80, n_target=20)
    800.0
    """

    kind: Literal["FixedOutdegree"] = "FixedOutdegree"
    n: Count
    autapses: Flag = False
    multapses: Flag = True

    def estimate_edges(self, n_source: int, n_target: int) -> float:
        """`n` edges for each source."""
        return float(self.n) * n_source


class FixedTotal(WiringRule):
    """`n` pairs in all, drawn with (`multapses`) or without replacement.

    Examples
    --------
    >>> from jtfne.config import FixedTotal
    >>> FixedTotal(n=500).estimate_edges(n_source=80, n_target=20)
    500.0
    """

    kind: Literal["FixedTotal"] = "FixedTotal"
    n: Count
    autapses: Flag = False
    multapses: Flag = True

    def estimate_edges(self, n_source: int, n_target: int) -> float:
        """`n` edges."""
        return float(self.n)


class OneToOne(WiringRule):
    """Connects the first source to the first target, and so on; both ends have one size.

    Pairs of a cell with itself may be left out.

    Examples
    --------
    >>> from jtfne.config import OneToOne
    >>> OneToOne().estimate_edges(n_source=20, n_target=20)
    20.0
    """

    kind: Literal["OneToOne"] = "OneToOne"
    autapses: Flag = True

    def estimate_edges(self, n_source: int, n_target: int) -> float:
        """One edge for each cell of the smaller end."""
        return float(min(n_source, n_target))


class AllToAll(WiringRule):
    """Every pair.

    Examples
    --------
    >>> from jtfne.config import AllToAll
    >>> AllToAll().estimate_edges(n_source=80, n_target=20), AllToAll().autapses
    (1600.0, False)
    """

    kind: Literal["AllToAll"] = "AllToAll"
    autapses: Flag = False

    def estimate_edges(self, n_source: int, n_target: int) -> float:
        """All pairs."""
        return float(n_source) * n_target


class ExponentialDecay(Frozen):
    """A chance, or a weight, that falls with distance as exp(-d / length_mm).

    Examples
    --------
    >>> from jtfne.config import DistanceDecay, ExponentialDecay
    >>> DistanceDecay(p0=0.3, length_mm=0.1, profile=ExponentialDecay()).profile
    ExponentialDecay(kind='ExponentialDecay')
    >>> DistanceDecay(p0=0.3, length_mm=0.1).profile == ExponentialDecay()  # unless given
    True
    """

    kind: Literal["ExponentialDecay"] = "ExponentialDecay"


class GaussianDecay(Frozen):
    """A chance, or a weight, that falls with distance as exp(-d^2 / (2 length_mm^2)).

    Examples
    --------
    >>> from jtfne.config import GaussianDecay, WeightDecay
    >>> WeightDecay(length_mm=0.2, profile=GaussianDecay()).profile
    GaussianDecay(kind='GaussianDecay')
    """

    kind: Literal["GaussianDecay"] = "GaussianDecay"


Decay = Annotated[ExponentialDecay | GaussianDecay, Field(discriminator="kind")]


class DistanceDecay(WiringRule):
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
    profile: Annotated[
        Decay, BeforeValidator(as_kind_table, json_schema_input_type=Decay | str)
    ] = ExponentialDecay()
    lateral: Flag = False
    autapses: Flag = False

    def estimate_edges(self, n_source: int, n_target: int) -> float:
        """0: how many pairs lie close depends on the places of the cells."""
        return 0.0


class WeightDecay(Frozen):
    """Multiplies weights by `profile` at the distance of the two cells, which are of one area.

    `lateral` is as in DistanceDecay.

    Examples
    --------
    >>> WeightDecay(length_mm=0.2, profile="GaussianDecay").lateral
    False
    """

    length_mm: Positive
    profile: Annotated[
        Decay, BeforeValidator(as_kind_table, json_schema_input_type=Decay | str)
    ] = ExponentialDecay()
    lateral: Flag = False


class FromTable(WiringRule):
    """Edges listed one by one: ids of source and target, and weights and delays where given.

    Weights are in pA, nS or mV, delays in ms.

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

    def estimate_edges(self, n_source: int, n_target: int) -> float:
        """The rows of the table."""
        return float(len(self.source))

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
        return cls(**read_columns(table, connection, "FromTable.from_table"))

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        connection: str | None = None,
        types: str | Path | None = None,
        edge_type: int | None = None,
        nodes: Mapping[str, Sequence[int]] | None = None,
    ) -> Self:
        """Read the rule from a file with those columns: .csv, .parquet or a SONATA edge file (.h5).

        Of SONATA, `syn_weight` and `delay` are those of an edge, else those of its type; a weight
        is times `nsyns`, without weights an edge comes `nsyns` times. A rule holds edges of one
        kind: several types are read together only if their weights have one sign, and their model
        and its parameters are the same.

        Parameters
        ----------
        path : str or Path
        connection : str, optional
            Needed where there are several; in a SONATA file they are its edge populations.
        types : str or Path, optional
            SONATA's table of edge types, `edge_types.csv`.
        edge_type : int, optional
            Read the edges of this type only.
        nodes : dict of str to sequence of int, optional
            By node population the net's ids of its nodes, in their order, such as
            ``net.select(area="LGN")`` gives; without, the nodes' ids are those of the net.

        Raises
        ------
        JtfneError
            As `from_table`; for a file that cannot be read, edges of several kinds, and edges
            between node populations without `nodes`.
        """
        source = resolve_path(path, "FromTable.read")
        if source.suffix == SONATA:
            return cls(**read_sonata_edges(source, connection, types, edge_type, nodes))
        for name, value in (("types", types), ("edge_type", edge_type), ("nodes", nodes)):
            if value is not None:
                raise refuse(
                    f"{name}= with {source.name!r}", "a SONATA file, .h5", "FromTable.read"
                )
        return cls(**read_edge_file(source, connection))


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


AnyRule = Annotated[Rule, BeforeValidator(as_kind_table, json_schema_input_type=Rule | str)]
