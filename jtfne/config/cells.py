"""Numbers of cells by type, layer and area."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from jtfne._check import check_name, describe_value, refuse
from jtfne.pydantic_fields.errors import HERE, describe_unknown
from jtfne.pydantic_fields.field_types import Count, FrozenDict, copy_table, plain
from jtfne.pydantic_fields.frozen import Frozen

MOST_CELLS = 2**31 - 1  # rows of cells are counted in int32
# area, layer, cell type ("" for every area or layer), count or fraction
Leaf = tuple[str, str, str, float]


def _freeze_mix(mix: Mapping[str, Any]) -> FrozenDict:
    """Copy a mix with every level as a FrozenDict."""
    return FrozenDict({k: _freeze_mix(v) if isinstance(v, Mapping) else v for k, v in mix.items()})


class Cells(Frozen):
    """How many cells of which type.

    Parameters
    ----------
    n : int, optional
        Cells in each area, 100 unless given; counts carry their own.
    mix : dict
        ``{type: fraction}`` (floats that sum to 1) or ``{type: count}`` (ints), for each area; or
        the same for each ``{layer: mix}`` or ``{area: {layer: mix}}``. Fractions over several
        layers: each layer's sum to 1, and layers share ``n`` by thickness, or all of an area's sum
        to 1.
    unit : {"fraction", "count"}
        Read off the numbers unless given.

    Examples
    --------
    >>> from jtfne.config import Cells
    >>> Cells(mix={"E": 0.8, "PV": 0.2}).per_area, Cells(mix={"E": 40, "PV": 10}).unit
    (100, 'count')
    >>> Cells(mix={"L4": {"E": 30}, "L5": {"E": 20, "PV": 5}}).leaves()[1]
    ('', 'L5', 'E', 20)
    """

    mix: Annotated[dict[str, Any], AfterValidator(_freeze_mix)]
    n: Count | None = None
    unit: str = Field(default="", json_schema_extra={"enum": ["", "fraction", "count"]})

    @model_validator(mode="before")
    @classmethod
    def _infer_unit(cls, data: Any) -> Any:
        """Fill in `unit` by the type of the numbers: float for fractions, int for counts."""
        data = copy_table(data, "{'mix': ..., 'n': ...}")
        numbers = [number for *_, number in _list_leaves(data.get("mix"))]
        if data.get("unit") in ("", None):
            kinds = set(map(type, numbers))
            if kinds == {int, float}:
                raise refuse(
                    "a mix of whole numbers and fractions",
                    "counts (ints) or fractions (floats)",
                    HERE,
                )
            data["unit"] = "count" if kinds == {int} else "fraction"
        problem = describe_unknown(str(data["unit"]), ("fraction", "count"), name="unit")
        if problem:
            raise ValueError(problem)
        if data["unit"] == "count" and any(number != int(number) for number in numbers):
            raise refuse("a count that is not whole", "whole numbers", HERE)
        return {
            **data,
            "mix": _convert_numbers(data["mix"], int if data["unit"] == "count" else float),
        }

    @model_validator(mode="after")
    def _check_sums(self) -> "Cells":
        """Refuse fractions that do not sum to 1, and counts that are not `n`."""
        for place, group in _group_by_area(self.mix).items():
            total = sum(group)
            if not total:
                raise refuse(f"a mix without cells{place}", "at least one cell", HERE)
            if self.unit == "count" and self.n is not None and total != self.n:
                raise refuse(
                    f"n={self.n} with counts that sum to {total}{place}", "no n, or that sum", HERE
                )
        if self.unit == "fraction":
            _refuse_wrong_sums(self.mix)
        return self

    @property
    def per_area(self) -> int:
        """Number of cells of an area, which fractions are taken of."""
        return 100 if self.n is None else self.n

    def leaves(self) -> list[Leaf]:
        """Each number of the mix as (area, layer, cell type, number); "" stands for all."""
        return list(_list_leaves(self.mix))


def _list_leaves(mix: Any, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Yield each number of a mix as (area, layer, cell type, number). Raises: JtfneError."""
    if not isinstance(mix, Mapping) or not mix:
        raise refuse(
            f"{describe_value(mix)}{_describe_path(path)}",
            "{type: fraction or count}, for each layer or area if need be",
            HERE,
        )
    depths = {isinstance(entry, Mapping) for entry in mix.values()}
    if len(depths) > 1 or len(path) > 2:
        raise refuse(
            f"a mix with types beside layers{_describe_path(path)}",
            "{type: ...}, {layer: ...} or {area: ...}",
            HERE,
        )
    for name, entry in mix.items():
        check_name(name, "the name", HERE)
        if isinstance(entry, Mapping):
            yield from _list_leaves(entry, (*path, name))
            continue
        value = plain(entry)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 <= value <= MOST_CELLS
        ):
            raise refuse(
                f"{name}={describe_value(entry)}{_describe_path(path)}",
                f"a fraction or a count, 0 to {MOST_CELLS}",
                HERE,
            )
        area, layer = ("", "", *path)[-2:]
        yield area, layer, name, value


def _describe_path(path: tuple[str, ...]) -> str:
    """Text for a place in a mix, such as " for V1/L4"."""
    return f" for {'/'.join(path)}" if path else ""


def _convert_numbers(mix: Mapping[str, Any], number: type) -> dict[str, Any]:
    """Copy a mix with every number converted to the type `number`."""
    converted_mix = {}
    for name, entry in mix.items():
        if isinstance(entry, Mapping):
            converted_mix[name] = _convert_numbers(entry, number)
        else:
            converted_mix[name] = number(plain(entry))
    return FrozenDict(converted_mix)


def _group_by_area(mix: Mapping[str, Any]) -> dict[str, list[float]]:
    """Group the numbers of a mix by area, keyed by the text of `_describe_path`."""
    groups: dict[str, list[float]] = {}
    for area, _, _, value in _list_leaves(mix):
        groups.setdefault(_describe_path((area,)) if area else "", []).append(value)
    return groups


def _refuse_wrong_sums(mix: Mapping[str, Any]) -> None:
    """Check that fractions sum to 1 in each area or in each of its layers. Raises: JtfneError."""
    for place, group in _group_by_area(mix).items():
        layers: dict[str, float] = {}
        for area, layer, _, value in _list_leaves(mix):
            if (_describe_path((area,)) if area else "") == place:
                layers[layer] = layers.get(layer, 0.0) + value
        if not is_one(sum(group)) and not all(is_one(total) for total in layers.values()):
            sums = [f"{total:g} in {layer}" for layer, total in layers.items() if layer]
            description = ", ".join(sums) or f"{layers['']:g}"
            raise refuse(
                f"a mix whose fractions sum to {description}{place}",
                "a sum of 1 (counts are ints)",
                HERE,
            )


def is_one(total: float) -> bool:
    """Whether a sum of fractions is 1 within 1e-6."""
    return abs(total - 1.0) < 1e-6
