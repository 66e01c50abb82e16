"""Copies of a config with other values of its parameters, and their check at the bounds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from jtfne._check import JtfneError, refuse
from jtfne.config.circuit import Circuit
from jtfne.config.connections import Connection
from jtfne.config.distributions import Dist
from jtfne.config.parameter_paths import (
    FAMILIES,
    Place,
    is_number,
    mean_weight,
    read_cell_values,
    select_cells,
)
from jtfne.config.rules import FromTable
from jtfne.config.tree_paths import set_in_tree


class ConfigLike(Protocol):
    """What is asked of a Config here, which is declared above."""

    @property
    def circuit(self) -> Circuit:
        """The circuit."""
        ...

    def mechanisms(self, mechanisms: Mapping[str, Any]) -> Self:
        """Set synapses by name."""
        ...

    def cell_params(self, params: Mapping[str, Mapping[str, Any]]) -> Self:
        """Set parameters of cell types."""
        ...

    def connections(
        self, connections: Sequence[Any] | None = None, gains: Mapping[str, float] | None = None
    ) -> Self:
        """Set connections and gains."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The config as JSON values."""
        ...

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """Build a config of such values."""
        ...


AnyConfig = TypeVar("AnyConfig", bound=ConfigLike)


def replace_values(config: AnyConfig, values: Mapping[Place, float]) -> AnyConfig:
    """Copy a config with other values of parameters. Raises: JtfneError for a bad value."""
    in_tree = {place.path: value for place, value in values.items() if place.family not in FAMILIES}
    if in_tree:
        config = set_in_tree(config, in_tree, "a value by its path")
    circuit = config.circuit
    gains = dict(circuit.gains)
    connections = list(circuit.connections)
    mechanisms = dict(circuit.mechanisms)
    params = {name: dict(fields) for name, fields in circuit.cell_params.items()}
    for place, value in values.items():
        if place.family == "gains":
            gains[place.name] = value
        elif place.family == "connections":
            connections[place.at] = _replace_mean_weight(connections[place.at], value)
        elif place.family == "cells":
            fields = params.setdefault(place.name, {})
            fields[place.field] = _replace_cell_values(circuit, place, fields, value)
        elif place.family == "mechanisms":
            mechanism: Any = mechanisms[place.name]
            mechanisms[place.name] = dataclasses.replace(mechanism, **{place.field: value})
    families = {place.family for place in values}
    if "mechanisms" in families:
        config = config.mechanisms(mechanisms)
    if "cells" in families:
        config = config.cell_params(params)
    if {"gains", "connections"} & families:
        config = config.connections(connections, gains)
    return config


def _replace_cell_values(
    circuit: Circuit, place: Place, fields: Mapping[str, Any], value: float
) -> Any:
    """`value` for all cells of a type, or the values of all with those of a part replaced.

    fields: the parameters of the type so far.
    """
    if not (place.area or place.layer):
        return value
    values = np.array(read_cell_values(circuit, place))
    if place.field in fields:
        values[:] = fields[place.field]
    values[select_cells(circuit, place)] = value
    return values.tolist()


def _replace_mean_weight(connection: Connection, value: float) -> Connection:
    """Copy a connection with another mean weight; its distribution or table is scaled."""
    if is_number(connection):
        return connection.model_copy(update={"weight": value})
    factor, rule, weight = value / mean_weight(connection), connection.rule, connection.weight
    if isinstance(rule, FromTable) and rule.weight is not None:
        rule_fields = {**_get_fields(rule), "weight": rule.weight.array * factor}
        return connection.model_copy(update={"rule": FromTable(**rule_fields)})
    if factor == 0.0 or isinstance(weight, int | float):
        return connection.model_copy(update={"weight": value})
    return connection.model_copy(update={"weight": _scale_distribution(weight, factor)})


def _get_fields(model: Any) -> dict[str, Any]:
    """The fields of a declaration, by name."""
    return {name: getattr(model, name) for name in type(model).model_fields}


def _scale_distribution(distribution: Dist, factor: float) -> Dist:
    """Multiply every number of a distribution by `factor` > 0."""
    numbers: dict[str, Any] = {}
    for name, value in _get_fields(distribution).items():
        if isinstance(value, int | float):
            numbers[name] = value * factor
    return type(distribution)(**numbers)


class Bounded(Protocol):
    """Anything with a path and bounds, such as a Trainable."""

    @property
    def path(self) -> str:
        """Path of the parameter."""
        ...

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and greatest value."""
        ...


def check_bounds(config: ConfigLike, parameters: Mapping[Place, Bounded], where: str) -> None:
    """Check each parameter at either bound, with all others at the opposite one.

    A circuit refuses a value beyond a limit, or one above another value, so these corners cover all
    combinations within the bounds. Raises: JtfneError if the circuit is refused at one of them.
    """
    for tested_place, tested in parameters.items():
        for side in (0, 1):
            values: dict[Place, float] = {}
            for place, parameter in parameters.items():
                values[place] = parameter.bounds[side if place == tested_place else 1 - side]
            try:
                replace_values(config, values)
            except JtfneError as error:
                listing = ", ".join(
                    f"{parameters[place].path}={value:g}" for place, value in values.items()
                )
                raise refuse(
                    f"bounds of {tested.path!r}, at which {listing}", str(error), where
                ) from error
