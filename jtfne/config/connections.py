"""Connections: who connects to whom."""

from typing import Annotated, Any

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from jtfne._check import refuse
from jtfne.config.distributions import Delay, Value
from jtfne.config.rules import AnyRule, FromTable, WeightDecay
from jtfne.pydantic_fields.catalogue import Declared
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import Name
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.pydantic_fields.selector_field import Selection
from jtfne.synapses import PLASTICITIES, Plasticity


class Connection(Frozen):
    """Synapses of one mechanism from the cells of `source` to those of `target`.

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
    >>> from jtfne.config import FixedProbability
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
