"""Types of fields that declarations share: numbers with bounds, names, frozen tables."""

from collections.abc import Mapping
from typing import Annotated, Any

import jax
import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from jtfne._arguments import describe_argument
from jtfne._check import check_name, describe_value, refuse
from jtfne.emitters import Trains
from jtfne.pydantic_fields.errors import HERE


class FrozenDict(dict[Any, Any]):
    """A dict that cannot be changed."""

    def __reduce__(self) -> tuple[type, tuple[dict[Any, Any]]]:
        """Pickle by the constructor, since items cannot be set one by one."""
        return type(self), (dict(self),)


def _refuse_change(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Raises: TypeError, always."""
    raise TypeError("a declaration cannot be changed; the verbs of Config give a new one")


for _verb in (
    "__setitem__",
    "__delitem__",
    "__ior__",
    "update",
    "pop",
    "popitem",
    "clear",
    "setdefault",
):
    setattr(FrozenDict, _verb, _refuse_change)


def plain(value: Any) -> Any:
    """Convert numbers and arrays of numpy, jax, pandas and xarray to Python's numbers and lists.

    A number of less than double precision is what it prints as: np.float32(0.1) is 0.1, not
    0.10000000149.
    """
    if type(value).__module__.partition(".")[0] in ("pandas", "xarray") and hasattr(
        value, "to_numpy"
    ):
        value = value.to_numpy()  # by the module's name, so that neither need be imported
    if isinstance(value, jax.Array) and not jax.numpy.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = np.asarray(value)
    if (
        isinstance(value, np.generic | np.ndarray)
        and value.dtype.kind == "f"
        and value.dtype.itemsize < 8
    ):
        value = np.asarray(value).astype(np.str_).astype(np.float64)
    if getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M"):
        return value  # dates and spans are no numbers; their empty ones would become None
    return (
        value.tolist() if isinstance(value, np.generic | np.ndarray | jax.Array | Trains) else value
    )


def copy_table(data: Any, allowed: str) -> dict[str, Any]:
    """Copy a table as a dict. Raises: JtfneError for anything that is not one."""
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise refuse(describe_argument(data), allowed, HERE)
    return dict(data)


def as_kind_table(value: Any) -> Any:
    """Convert a bare kind to the table that declares it; return anything else unchanged."""
    return {"kind": value} if isinstance(value, str) else value


def _check_printable(name: str) -> str:
    """Return `name` unchanged. Raises: JtfneError for unprintable characters or outer blanks."""
    return check_name(name, "the name", HERE)


def _check_label(label: str) -> str:
    """Return `label` unchanged; it may be empty. Raises: JtfneError as `_check_printable`."""
    return check_name(label, "the label", HERE) if label else label


def refuse_tiny(value: float) -> float:
    """Return `value` unchanged. Raises: JtfneError below LEAST, by which float32 cannot divide."""
    if value < LEAST:
        raise refuse(describe_value(value), f"a finite number of at least {LEAST:g}", HERE)
    return value


MOST_COUNT = 2**53  # beyond it a count is no exact float64
MOST, LEAST = 1e30, 1e-30  # of any declared number: runs are in float32, which holds 1e-38 to 3e38
freeze = AfterValidator(FrozenDict)
numeric = BeforeValidator(plain)
Number = Annotated[float, Field(strict=True, ge=-MOST, le=MOST), numeric]
Positive = Annotated[float, Field(strict=True, gt=0, le=MOST), numeric, AfterValidator(refuse_tiny)]
NotNegative = Annotated[float, Field(strict=True, ge=0, le=MOST), numeric]
Share = Annotated[float, Field(strict=True, ge=0, le=1), numeric]
Whole = Annotated[int, Field(strict=True, ge=0, le=MOST_COUNT), numeric]
Count = Annotated[int, Field(strict=True, ge=1, le=MOST_COUNT), numeric]
Flag = Annotated[bool, Field(strict=True), numeric]
Name = Annotated[str, Field(strict=True, min_length=1), AfterValidator(_check_printable)]
Label = Annotated[str, Field(strict=True), AfterValidator(_check_label)]
Vector = Annotated[tuple[Number, Number, Number], numeric]
