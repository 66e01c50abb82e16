"""Strict JSON: no NaN, no duplicate keys, nothing that only numpy understands; and the canonical form for hashes."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from jtfne._check import JtfneError, refuse


def dumps(value: Any, *, indent: int | None = None) -> str:
    """`value` as JSON text with sorted keys.

    Raises: JtfneError that names the field which is not finite, not JSON, or whose key is not a string.
    >>> dumps({"b": 1.5, "a": [True, None]})
    '{"a":[true,null],"b":1.5}'
    """
    _refuse_strangers(value, "$")
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(value, allow_nan=False, sort_keys=True, ensure_ascii=False, separators=separators, indent=indent)


def loads(text: str, *, where: str = "JSON") -> Any:
    """The value of a JSON text. Raises: JtfneError for NaN, Infinity, a key given twice, or broken syntax."""

    def constant(name: str) -> Any:
        """Refuse NaN and Infinity."""
        raise refuse(name, "finite numbers", where)

    def number(text: str) -> float:
        """A number that float64 can hold."""
        if not math.isfinite(float(text)):  # such as 1e999
            raise refuse(text, "finite numbers", where)
        return float(text)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """An object, of which json would keep the last of equal keys."""
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise refuse(f"the key {twice[0]!r} given twice", "each key once", where)
        return dict(pairs)

    try:
        return json.loads(text, parse_constant=constant, parse_float=number, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise refuse(f"a text that is not JSON ({error})", "JSON", where) from None


def canonical(value: Any) -> bytes:
    """The RFC 8785 form of `value`. Raises: JtfneError as `dumps`."""
    import rfc8785

    _refuse_strangers(value, "$")
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError as error:
        raise refuse(f"a whole number ({error})", "less than 2**53, or a string", "canonical JSON") from None


def sha256(value: Any) -> str:
    """SHA-256 of the canonical form, hexadecimal.

    >>> sha256({"a": 1}) == sha256({"a": 1.0})
    True
    """
    return hashlib.sha256(canonical(value)).hexdigest()


def _refuse_strangers(value: Any, path: str) -> None:
    """Raises: JtfneError for the first thing in `value` that strict JSON cannot hold."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if type(key) is not str:
                raise JtfneError(f"key {key!r} of {type(key).__name__} is not allowed; allowed: str (in {path})")
            _refuse_strangers(inner, f"{path}.{key}")
    elif type(value) in (list, tuple):
        for index, inner in enumerate(value):
            _refuse_strangers(inner, f"{path}[{index}]")
    elif type(value) is float and not math.isfinite(value):
        raise refuse(f"{value!r}", "a finite number", path)
    elif value is not None and type(value) not in (str, bool, int, float):
        raise refuse(
            f"a {type(value).__module__}.{type(value).__name__}", "str, int, float, bool, None, list, dict", path
        )
