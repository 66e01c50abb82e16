"""Paths to the numbers of a circuit that may be tuned or swept: list them, read them, set them."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from jtfne._check import JtfneError, nearest, refuse
from jtfne.config._cross import Known
from jtfne.config._gains import pairs_of
from jtfne.config._labels import connection_labels
from jtfne.config.circuit import Circuit
from jtfne.config.connections import Connection, Dist, FromTable, Uniform
from jtfne.config.populations import INPUTS, base_emitter, counts_of, default_input
from jtfne.config.trainables import Trainable
from jtfne.emitters import Trains, can_receive

if TYPE_CHECKING:
    from jtfne.config.config import Config

FAMILIES = ("gains", "connections", "cells", "mechanisms")
ROUNDING = 1e-9  # of a mean that was scaled
SHOWN = 12  # known paths that a message lists


@dataclasses.dataclass(frozen=True)
class Place:
    """The parameter that a path names.

    family: one of FAMILIES. name: pair of cell types, connection, cell type or mechanism.
    at: index of the connection, -1 for other families.
    """

    path: str = dataclasses.field(compare=False)  # not compared: a connection may have two paths
    family: str
    name: str
    field: str = ""
    at: int = -1


def places_of(circuit: Circuit) -> dict[str, Place]:
    """Map each path of a complete circuit to its Place, in order of family."""
    places = [
        *_list_gain_paths(circuit),
        *_list_weight_paths(circuit),
        *_list_cell_paths(circuit),
        *_list_mechanism_paths(circuit),
    ]
    return {place.path: place for place in places}


def _list_gain_paths(circuit: Circuit) -> Iterator[Place]:
    """Yield the gain of each pair of cell types that a connection joins."""
    declared = Known(circuit)
    for pair in pairs_of(
        [
            (declared.types(connection.source), declared.types(connection.target))
            for connection in circuit.connections
        ]
    ):
        yield Place(f"gains.{pair}", "gains", pair)


def _list_weight_paths(circuit: Circuit) -> Iterator[Place]:
    """Yield the weight of each connection; also by its ends alone where no other has them."""
    labels = connection_labels(circuit.connections)
    ends = [label.rpartition(":")[0] for label in labels]
    for index, (label, ends_label) in enumerate(zip(labels, ends, strict=True)):
        yield Place(f"connections.{label}.weight", "connections", label, "weight", index)
        if ends.count(ends_label) == 1:
            yield Place(f"connections.{ends_label}.weight", "connections", label, "weight", index)


def _list_cell_paths(circuit: Circuit) -> Iterator[Place]:
    """Yield drive, noise and the traced numbers of the emitter of each cell type."""
    for cell_type in sorted({name for *_, name in counts_of(circuit)}):
        emitter: Any = base_emitter(circuit, cell_type)
        traced = [
            field.name for field in dataclasses.fields(emitter) if not field.metadata.get("static")
        ]
        numbers = [name for name in traced if not isinstance(getattr(emitter, name), Trains)]
        for name in (*(INPUTS if can_receive(emitter) else ()), *numbers):
            yield Place(f"cells.{cell_type}.{name}", "cells", cell_type, name)


def _list_mechanism_paths(circuit: Circuit) -> Iterator[Place]:
    """Yield the traced numbers of each mechanism."""
    for name, mechanism in circuit.mechanisms.items():
        fields: Any = mechanism
        for field in dataclasses.fields(fields):
            if not field.metadata.get("static") and getattr(mechanism, field.name) is not None:
                yield Place(f"mechanisms.{name}.{field.name}", "mechanisms", name, field.name)


def place_of(path: str, places: Mapping[str, Place], where: str) -> Place:
    """The Place of `path`. Raises: JtfneError for an unknown path, with the nearest one."""
    if path in places:
        return places[path]
    family = path.partition(".")[0]
    candidates = [candidate for candidate in places if places[candidate].family == family] or list(
        places
    )
    nearest_path = nearest(path, candidates)
    listing = ", ".join(map(repr, candidates[:SHOWN])) + (
        f", ... ({len(candidates)} in all)" if len(candidates) > SHOWN else ""
    )
    hint = f"; nearest: {nearest_path!r}" if nearest_path else ""
    raise JtfneError(
        f"path={path!r} is not allowed; allowed: {listing or 'nothing'}{hint} (in {where})"
    )


def value_at(circuit: Circuit, place: Place) -> float | None:
    """The declared value of a parameter; None if it differs from cell to cell."""
    if place.family == "gains":
        return float(circuit.gains.get(place.name, 1.0))
    if place.family == "connections":
        return mean_weight(circuit.connections[place.at])
    if place.family == "mechanisms":
        return float(getattr(circuit.mechanisms[place.name], place.field))
    params = circuit.cell_params.get(place.name, {})
    default = default_input if place.field in INPUTS else _get_emitter_field
    value: Any = (
        params[place.field] if place.field in params else default(circuit, place.name, place.field)
    )
    return float(value) if np.ndim(value) == 0 else None


def _get_emitter_field(circuit: Circuit, cell_type: str, field: str) -> Any:
    """A field of the emitter of a cell type."""
    return getattr(base_emitter(circuit, cell_type), field)


def mean_weight(connection: Connection) -> float:
    """The mean weight of a connection: as declared, or that of its table."""
    rule, weight = connection.rule, connection.weight
    if isinstance(rule, FromTable) and rule.weight is not None:
        return float(np.mean(rule.weight.array))
    if isinstance(weight, Uniform):
        return 0.5 * (weight.low + weight.high)
    return float(weight) if isinstance(weight, int | float) else weight.mean


def is_constant(connection: Connection) -> bool:
    """Whether all synapses of a connection are declared to have one weight."""
    return _is_number(connection) and connection.weight_decay is None


def _is_number(connection: Connection) -> bool:
    """Whether the weight is declared as a number, perhaps one that falls with distance."""
    has_table_weights = (
        isinstance(connection.rule, FromTable) and connection.rule.weight is not None
    )
    return not has_table_weights and isinstance(connection.weight, int | float)


def _set_mean_weight(connection: Connection, value: float) -> Connection:
    """Copy a connection with another mean weight; its distribution or table is scaled."""
    if _is_number(connection):
        return connection.model_copy(update={"weight": value})
    factor, rule, weight = value / mean_weight(connection), connection.rule, connection.weight
    if isinstance(rule, FromTable) and rule.weight is not None:
        rule_fields = {**_get_fields(rule), "weight": rule.weight.array * factor}
        return connection.model_copy(update={"rule": FromTable(**rule_fields)})
    if factor == 0.0 or isinstance(weight, int | float):
        return connection.model_copy(update={"weight": value})
    return connection.model_copy(update={"weight": _scale_weights(weight, factor)})


def _get_fields(model: Any) -> dict[str, Any]:
    """The fields of a declaration, by name."""
    return {name: getattr(model, name) for name in type(model).model_fields}


def _scale_weights(weight: Dist, factor: float) -> Dist:
    """Multiply every number of a distribution by `factor` > 0."""
    numbers: dict[str, Any] = {
        name: number * factor
        for name, number in _get_fields(weight).items()
        if isinstance(number, int | float)
    }
    return type(weight)(**numbers)


def with_values(config: "Config", values: Mapping[Place, float]) -> "Config":
    """Copy a config with other values of parameters. Raises: JtfneError for a bad value."""
    circuit = config.circuit
    gains, connections, mechanisms = (
        dict(circuit.gains),
        list(circuit.connections),
        dict(circuit.mechanisms),
    )
    params = {name: dict(fields) for name, fields in circuit.cell_params.items()}
    for place, value in values.items():
        if place.family == "gains":
            gains[place.name] = value
        elif place.family == "connections":
            connections[place.at] = _set_mean_weight(connections[place.at], value)
        elif place.family == "cells":
            params.setdefault(place.name, {})[place.field] = value
        else:
            mechanism: Any = mechanisms[place.name]
            mechanisms[place.name] = dataclasses.replace(mechanism, **{place.field: value})
    families = {place.family for place in values}
    config = config.mechanisms(mechanisms) if "mechanisms" in families else config
    config = config.cell_params(params) if "cells" in families else config
    return config.connections(connections, gains) if {"gains", "connections"} & families else config


def misdeclared(config: "Config", trainables: tuple[Trainable, ...], where: str) -> Iterator[str]:
    """Yield each error in the paths and bounds of trainables."""
    places = places_of(config.circuit)
    by_place: dict[Place, Trainable] = {}
    for index, trainable in enumerate(trainables):
        entry_where = f"{where}[{index}]"
        try:
            place = place_of(trainable.path, places, entry_where)
        except JtfneError as error:
            yield str(error)
            continue
        if place in by_place:
            yield str(
                refuse(f"path={trainable.path!r}, given twice,", "each path once", entry_where)
            )
        by_place[place] = trainable
        yield from _check_value(trainable, value_at(config.circuit, place), entry_where)


def _check_value(trainable: Trainable, value: float | None, where: str) -> Iterator[str]:
    """Yield an error for a declared value that is not one number, or not within the bounds."""
    low, high = trainable.bounds
    if value is None:
        description = f"path={trainable.path!r}, which differs from cell to cell,"
        yield str(refuse(description, "a path to one number", where))
    elif not low - ROUNDING * abs(low) <= value <= high + ROUNDING * abs(high):
        description = f"bounds=({low:g}, {high:g}) of {trainable.path!r}, which is {value:g},"
        yield str(refuse(description, "bounds between which the declared value lies", where))


class Ranged(Protocol):
    """Anything with a path and bounds, such as a Trainable."""

    @property
    def path(self) -> str:
        """Path of the parameter."""
        ...

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and greatest value."""
        ...


def at_bounds(config: "Config", ranged: Mapping[Place, Ranged], where: str) -> None:
    """Check each parameter at either bound, with all others at the opposite one.

    A circuit refuses a value beyond a limit, or one above another value, so these corners cover all
    combinations within the bounds. Raises: JtfneError if the circuit is refused at one of them.
    """
    for place, entry in ranged.items():
        for side in (0, 1):
            values = {
                other_place: other_entry.bounds[side if other_place == place else 1 - side]
                for other_place, other_entry in ranged.items()
            }
            try:
                with_values(config, values)
            except JtfneError as error:
                listing = ", ".join(
                    f"{other_entry.path}={value:g}" for other_entry, value in values.items()
                )
                raise refuse(
                    f"bounds of {entry.path!r}, at which {listing}", str(error), where
                ) from error
