"""Checks of trainables: their paths in the circuit, and bounds about the declared value."""

from collections.abc import Iterator, Sequence

from jtfne._check import JtfneError
from jtfne.config.parameter_paths import Place, overlap
from jtfne.config.parameters import CONFIG, Parameters
from jtfne.config.trainables import Trainable
from jtfne.pydantic_fields.errors import describe_refusal

ROUNDING = 1e-9  # relative; of a mean that was scaled


def check_trainables(
    parameters: Parameters,
    trainables: Sequence[Trainable],
    where: str = "Config.training.trainables",
) -> Iterator[str]:
    """Yield each error in the paths and bounds of trainables of a complete config."""
    places_so_far: list[Place] = []
    for index, trainable in enumerate(trainables):
        entry_where = f"{where}[{index}]"
        try:
            place = parameters.find(trainable.path, entry_where)
        except JtfneError as error:
            yield str(error)
            continue
        for earlier in places_so_far:
            if earlier == place:
                description = f"path={trainable.path!r}, given twice,"
                yield describe_refusal(description, "each path once", entry_where)
            elif overlap(earlier, place):
                description = (
                    f"path={trainable.path!r} with {earlier.path!r}, which share a number,"
                )
                yield describe_refusal(description, "one path to each number", entry_where)
        places_so_far.append(place)
        value = parameters.value(place)
        if place.family == CONFIG and isinstance(value, int):
            description = f"path={trainable.path!r}, which is a whole number,"
            allowed = "a path to any other number; `jtfne.sweep` takes whole ones"
            yield describe_refusal(description, allowed, entry_where)
            continue
        yield from _check_value(trainable, value, entry_where)


def _check_value(trainable: Trainable, value: float | None, where: str) -> Iterator[str]:
    """Yield an error for a declared value that is not one number, or not within the bounds."""
    low, high = trainable.bounds
    if value is None:
        description = f"path={trainable.path!r}, which differs from cell to cell,"
        yield describe_refusal(description, "a path to one number", where)
    elif not low - ROUNDING * abs(low) <= value <= high + ROUNDING * abs(high):
        description = f"bounds=({low:g}, {high:g}) of {trainable.path!r}, which is {value:g},"
        yield describe_refusal(description, "bounds between which the declared value lies", where)
