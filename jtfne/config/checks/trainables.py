"""Checks of trainables: their paths in the circuit, and bounds about the declared value."""

from collections.abc import Iterator, Sequence

from jtfne._check import JtfneError
from jtfne.config.circuit import Circuit
from jtfne.config.parameter_paths import Place, find_place, get_value, list_places
from jtfne.config.trainables import Trainable
from jtfne.pydantic_fields.errors import describe_refusal

ROUNDING = 1e-9  # relative; of a mean that was scaled


def check_trainables(
    circuit: Circuit, trainables: Sequence[Trainable], where: str = "Config.training.trainables"
) -> Iterator[str]:
    """Yield each error in the paths and bounds of trainables of a complete circuit."""
    places = list_places(circuit)
    places_so_far: set[Place] = set()
    for index, trainable in enumerate(trainables):
        entry_where = f"{where}[{index}]"
        try:
            place = find_place(trainable.path, places, entry_where)
        except JtfneError as error:
            yield str(error)
            continue
        if place in places_so_far:
            description = f"path={trainable.path!r}, given twice,"
            yield describe_refusal(description, "each path once", entry_where)
        places_so_far.add(place)
        yield from _check_value(trainable, get_value(circuit, place), entry_where)


def _check_value(trainable: Trainable, value: float | None, where: str) -> Iterator[str]:
    """Yield an error for a declared value that is not one number, or not within the bounds."""
    low, high = trainable.bounds
    if value is None:
        description = f"path={trainable.path!r}, which differs from cell to cell,"
        yield describe_refusal(description, "a path to one number", where)
    elif not low - ROUNDING * abs(low) <= value <= high + ROUNDING * abs(high):
        description = f"bounds=({low:g}, {high:g}) of {trainable.path!r}, which is {value:g},"
        yield describe_refusal(description, "bounds between which the declared value lies", where)
