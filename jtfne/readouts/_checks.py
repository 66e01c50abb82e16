"""Helpers of declarations and their checks."""

from collections.abc import Callable, Iterator
from typing import Any

from jtfne._check import JtfneError


def as_kind_table(value: Any) -> Any:
    """Convert a bare kind to the table that declares it."""
    return {"kind": value} if isinstance(value, str) else value


def catch_error(build: Callable[[], Any], where: str) -> Iterator[str]:
    """Yield the error that `build` raises, if any, with the place in the config."""
    try:
        build()
    except JtfneError as error:
        yield f"{error} (for {where})"
