"""A column of a table: immutable numbers, equal to a tuple of them, at 8 bytes each."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
import pydantic
from numpy.typing import DTypeLike, NDArray
from pydantic_core import core_schema

from jtfne._check import Limit, refuse
from jtfne.pydantic_fields.errors import HERE

SHOWN = 6  # numbers that its text shows


class Column(Sequence[Any]):
    """Numbers, kept as a read-only `array`; it compares, hashes and reads as the tuple of them.

    >>> Column(np.array([1, 2])) == (1, 2), Column(np.arange(9))
    (True, (0, 1, 2, ..., 8))
    """

    __slots__ = ("array",)

    def __init__(self, array: NDArray[Any]) -> None:
        array = np.array(array)  # a copy of its own
        array.flags.writeable = False
        self.array = array

    @overload
    def __getitem__(self, key: int) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> "Column": ...
    def __getitem__(self, key: int | slice) -> Any:
        """One number for an int, a Column for a slice."""
        return Column(self.array[key]) if isinstance(key, slice) else self.array[key].item()

    def __len__(self) -> int:
        return int(self.array.size)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.array.tolist())

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """The numbers as a numpy array, (n,); read-only unless copied or converted."""
        if dtype is not None and np.dtype(dtype) != self.array.dtype:
            return self.array.astype(dtype)
        return self.array.copy() if copy else self.array

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Column):
            return np.array_equal(self.array, other.array)
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and self.array.tolist() == list(other)
        )

    def __hash__(self) -> int:
        return hash(tuple(self.array.tolist()))

    def __repr__(self) -> str:
        values = self.array[: SHOWN + 1].tolist()
        if len(values) <= SHOWN:
            return repr(tuple(values))
        return f"({', '.join(map(repr, values[:3]))}, ..., {self[-1]!r})"

    def __reduce__(self) -> tuple[type, tuple[NDArray[Any]]]:
        """Pickle by the constructor, since __slots__ leaves no __dict__."""
        return Column, (self.array,)


class ColumnOf(NamedTuple):
    """Marks a field that holds a Column of whole or real numbers within `limit`.

    None is allowed where it is optional.
    """

    dtype: type[np.int64] | type[np.float64]
    limit: Limit
    optional: bool = False

    def __get_pydantic_core_schema__(
        self, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validate the column as an array: one error for it, no Python object for each number."""
        write = core_schema.plain_serializer_function_ser_schema(_to_list)
        return core_schema.with_info_plain_validator_function(self._read, serialization=write)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """JSON schema: a list of numbers within the limit, or null if optional."""
        low = (
            {}
            if np.isinf(self.limit.low)
            else {"exclusiveMinimum" if self.limit.open_low else "minimum": 0}
        )
        kind = "integer" if self.dtype is np.int64 else "number"
        list_schema = {"type": "array", "items": {"type": kind, **low}}
        return {"anyOf": [list_schema, {"type": "null"}]} if self.optional else list_schema

    def _read(self, value: Any, info: core_schema.ValidationInfo) -> Column | None:
        """Convert `value` to a Column. Raises: JtfneError with the first number out of range."""
        if value is None and self.optional:
            return None
        if isinstance(value, Column) and value.array.dtype == self.dtype:
            array = value.array
        else:
            array = read_numbers(
                value, str(info.field_name), whole=self.dtype is np.int64, where=HERE
            )
        low, open_low = self.limit.low, self.limit.open_low
        is_wrong = ~np.isfinite(array) | (array <= low if open_low else array < low)
        if is_wrong.any():
            row, name = int(np.argmax(is_wrong)), info.field_name
            bound = "" if np.isinf(low) else f" {'above' if open_low else 'of at least'} {low:g}"
            kind = "whole numbers" if self.dtype is np.int64 else "finite numbers"
            raise refuse(
                f"{name}[{row}]={array[row].item()!r}{_describe_others(is_wrong)}",
                f"{kind}{bound}",
                HERE,
            )
        return (
            value
            if isinstance(value, Column) and array is value.array
            else Column(array.astype(self.dtype))
        )


def read_numbers(value: Any, name: str, *, whole: bool, where: str) -> NDArray[Any]:
    """Convert a column of a table, or a list, to an array of numbers, (n,).

    Raises: JtfneError where it is no list of numbers (whole ones, if need be), or a cell is empty.
    """
    kind = "whole numbers" if whole else "numbers"
    is_scalar = isinstance(value, str | bytes) or not hasattr(value, "__len__")
    array = np.asarray(None if is_scalar else value)
    is_empty = _find_empty(array)
    if is_empty.any():
        description = (
            f"{name} without a value in row {int(np.argmax(is_empty))}{_describe_others(is_empty)}"
        )
        raise refuse(description, f"{kind}, one in each row", where)
    if array.ndim == 1 and array.size == 0:
        return array.astype(np.int64)
    has_booleans = isinstance(value, list | tuple) and any(
        isinstance(number, bool | np.bool_) for number in value
    )
    if array.ndim != 1 or has_booleans or array.dtype.kind not in ("iu" if whole else "iuf"):
        description = (
            repr(value)
            if is_scalar or array.dtype.kind not in "iuf"
            else f"numbers of {array.dtype}"
        )
        raise refuse(
            f"{name}={description if len(description) <= 80 else description[:77] + '...'}",
            f"{kind}, one in each row",
            where,
        )
    return array


def _find_empty(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Mask (n,) of empty cells: NaN among numbers, None and pandas' NA among objects."""
    if array.ndim != 1:
        return np.zeros(0, np.bool_)
    if array.dtype.kind == "f":
        nans: NDArray[np.bool_] = np.isnan(array)
        return nans
    if array.dtype.kind == "O":
        return np.array(
            [cell is None or type(cell).__name__ == "NAType" or cell != cell for cell in array],
            np.bool_,
        )
    return np.zeros(0, np.bool_)


def _describe_others(is_wrong: NDArray[np.bool_]) -> str:
    """Text for the rows that are wrong besides the first, such as " and 2 others"."""
    n = int(np.count_nonzero(is_wrong)) - 1
    return f" and {n} other{'s' if n > 1 else ''}" if n else ""


def _to_list(value: Column | None) -> list[Any] | None:
    """The column as a list of JSON values."""
    return None if value is None else value.array.tolist()
