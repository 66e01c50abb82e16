"""Trainables: numbers of a circuit that may be tuned, by path, with bounds and a search scale."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from jtfne._check import refuse
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import Name, Number, as_kind_table, numeric
from jtfne.pydantic_fields.frozen import Frozen


class Linear(Frozen):
    """A step of the search adds to the value.

    Examples
    --------
    >>> from jtfne.config import Linear, Trainable
    >>> drive = Trainable(path="cells.E.drive", bounds=(0.0, 10.0))
    >>> drive.transform == Linear(), drive.search_bounds
    (True, (0.0, 10.0))
    """

    kind: Literal["Linear"] = "Linear"

    def to_search_scale(self, value: float) -> float:
        """The point of the search for `value`."""
        return value

    def value(self, searched: Any, sign: float, xp: Any = math) -> Any:
        """The value at a point of the search."""
        return searched


class Log(Frozen):
    """A scale on which a step of the search multiplies the value.

    For bounds of one sign; a negative value stays negative.

    Examples
    --------
    >>> from jtfne.config import Trainable
    >>> gain = Trainable(path="gains.E->PV", bounds=(0.25, 4.0), transform="Log")
    >>> low, high = gain.search_bounds
    >>> round(gain.value(0.5 * (low + high)), 6)
    1.0
    """

    kind: Literal["Log"] = "Log"

    def to_search_scale(self, value: float) -> float:
        """The point of the search for `value`: log of its absolute value."""
        return math.log(abs(value))

    def value(self, searched: Any, sign: float, xp: Any = math) -> Any:
        """The value at a point of the search. xp: module with `exp` (math, numpy or jax.numpy)."""
        return sign * xp.exp(searched)


Transform = Annotated[Linear | Log, Field(discriminator="kind")]


class Trainable(Frozen):
    """A number of a circuit that may be tuned within bounds.

    Parameters
    ----------
    path : str
        ``gains.E->PV``, a factor on all weights from one cell type to another (1 unless declared);
        ``connections.E->PV.weight``, the weight of one connection in its own unit: of a
        distribution or a table the mean, with which all of its weights are scaled;
        ``connections.E->PV:NMDA.weight`` where several have the same ends; ``cells.E.drive``,
        ``cells.E.noise``, ``cells.E.tau_m_ms`` and any other number of the cell model;
        ``mechanisms.AMPA.tau_ms`` and any other number of a synapse. Cells of one layer or area
        alone: ``cells.L4.E.drive``, ``cells.V1.E.drive``, ``cells.V1.L4.E.drive``, where a type has
        several. And any other number of the config but whole ones, by the path that `Config.set`
        takes: ``task.stimuli.tone.drive.amplitude``, ``connections.E->PV.delay_ms`` (rounded to
        multiples of dt), ``connections.E->PV.rule.p``, ``readouts.scale``; each candidate is then a
        config of its own, prepared and, where it needs other edges, wired anew, which costs time.
    bounds : (float, float)
        The least and the greatest value; what is declared lies between them.
    transform : Linear or Log
        In which scale it is searched.

    Examples
    --------
    >>> gain = Trainable(path="gains.E->PV", bounds=(0.25, 4.0), transform="Log")
    >>> gain.search_bounds == (-gain.search_bounds[1], gain.search_bounds[1]), round(gain.value(0.0), 6)
    (True, 1.0)
    """

    path: Name
    bounds: Annotated[tuple[Number, Number], numeric]
    transform: Annotated[
        Transform, BeforeValidator(as_kind_table, json_schema_input_type=Transform | str)
    ] = Linear()

    @model_validator(mode="after")
    def _check_bounds(self) -> "Trainable":
        """Refuse bounds that leave nothing, or that have no logarithm."""
        low, high = self.bounds
        if not low < high:
            raise refuse(
                f"bounds=({low:g}, {high:g}) of {self.path!r}",
                "the lower bound below the upper",
                HERE,
            )
        if isinstance(self.transform, Log) and low * high <= 0.0:
            description = f"bounds=({low:g}, {high:g}) of {self.path!r} with Log"
            raise refuse(description, "bounds of one sign, neither of them 0; or Linear", HERE)
        return self

    @property
    def search_bounds(self) -> tuple[float, float]:
        """The bounds as points of the search, the lower first."""
        low, high = sorted(map(self.transform.to_search_scale, self.bounds))
        return low, high

    def to_search_scale(self, value: float) -> float:
        """The point of the search for `value`."""
        return self.transform.to_search_scale(value)

    def free(self, searched: Any, xp: Any = math) -> Any:
        """Like `value` without clipping, so that the gradient survives at a bound."""
        return self.transform.value(searched, math.copysign(1.0, self.bounds[1]), xp)

    def value(self, searched: Any, xp: Any = math) -> Any:
        """The value at a point of the search, clipped to the bounds against rounding.

        xp: math, or the module of the arrays in `to_search_scale` (numpy or jax.numpy).
        """
        value = self.free(searched, xp)
        low, high = self.bounds
        return min(max(value, low), high) if xp is math else xp.clip(value, low, high)
