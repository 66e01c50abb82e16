"""Strict JSON, without NaN, duplicate keys and numpy types; and its canonical form for hashes."""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jtfne._check import JtfneError, describe_value, refuse
from jtfne._files import read_text

MAX_DIGITS = 4000  # of a whole number; Python reads 4,300
MAX_DEPTH = 100  # of lists and objects in each other
SEAL = "sha256"  # the key under which a file holds the hash of all its other keys


def dumps(value: Any, *, indent: int | None = None) -> str:
    """`value` as JSON text with sorted keys.

    Raises: JtfneError that names the field which is not finite, not JSON, or whose key is not a
    string.
    >>> dumps({"b": 1.5, "a": [True, None]})
    '{"a":[true,null],"b":1.5}'
    """
    _refuse_strangers(value, "$")
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(
        value,
        allow_nan=False,
        sort_keys=True,
        ensure_ascii=False,
        separators=separators,
        indent=indent,
    )


def loads(text: str, *, where: str = "JSON") -> Any:
    """The value of a JSON text.

    Raises: JtfneError for NaN, Infinity, a key given twice, or broken syntax.
    """

    def constant(name: str) -> Any:
        """Refuse NaN and Infinity."""
        raise refuse(name, "finite numbers", where)

    def number(text: str) -> float:
        """A number that float64 can hold."""
        if not math.isfinite(float(text)):  # such as 1e999
            raise refuse(text, "finite numbers", where)
        return float(text)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """The object of `pairs`. Refuses equal keys, of which json would keep the last."""
        keys = [key for key, _ in pairs]
        repeated_keys = sorted({key for key in keys if keys.count(key) > 1})
        if repeated_keys:
            raise refuse(f"the key {repeated_keys[0]!r} given twice", "each key once", where)
        return dict(pairs)

    def whole_number(text: str) -> int:
        """A whole number of as many digits as Python reads."""
        if len(text) > MAX_DIGITS:
            raise refuse(f"a number of {len(text)} digits", f"at most {MAX_DIGITS}", where)
        return int(text)

    try:
        value = json.loads(
            text,
            parse_constant=constant,
            parse_float=number,
            parse_int=whole_number,
            object_pairs_hook=unique,
        )
    except json.JSONDecodeError as error:
        raise refuse(f"a text that is not JSON ({error})", "JSON", where) from None
    except RecursionError:
        raise refuse(
            "a text nested more deeply than Python reads", f"a depth of {MAX_DEPTH} or less", where
        ) from None
    refuse_deep(value, where)
    return value


def refuse_deep(value: Any, where: str) -> None:
    """Raises: JtfneError for lists and objects nested deeper than MAX_DEPTH, or in a circle."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        next_level: list[Any] = []
        for container in level:
            if isinstance(container, Mapping):
                next_level.extend(
                    inner
                    for inner in container.values()
                    if isinstance(inner, Mapping | list | tuple)
                )
            elif isinstance(container, list | tuple):
                next_level.extend(
                    inner for inner in container if isinstance(inner, Mapping | list | tuple)
                )
        level = next_level
        if not level:
            return
    raise refuse(
        f"a value nested more than {MAX_DEPTH} deep", f"a depth of {MAX_DEPTH} or less", where
    )


def seal(value: Mapping[str, Any]) -> dict[str, Any]:
    """`value` with the hash of all of it under SEAL, so that a file of it can be checked by itself.

    >>> unseal(seal({"a": 1})), unseal({**seal({"a": 1}), "a": 2})
    ({'a': 1}, None)
    """
    return {**value, SEAL: _digest(value)}


def unseal(value: Any) -> dict[str, Any] | None:
    """The value inside a sealed object, without SEAL; None if its hash does not fit."""
    if not isinstance(value, dict) or SEAL not in value:
        return None
    inner = {name: entry for name, entry in value.items() if name != SEAL}
    return inner if value[SEAL] == _digest(inner) else None


def read_sealed(path: Path, refusal: JtfneError) -> dict[str, Any]:
    """The object of a file that `seal` guards. Raises: `refusal` if it is not what was written."""
    try:
        value = unseal(loads(read_text(path), where=str(path)))
    except ValueError as error:
        raise refusal from error
    if value is None:
        raise refusal
    return value


def canonical(value: Any) -> bytes:
    """The RFC 8785 form of `value`. Raises: JtfneError as `dumps`."""
    import rfc8785

    _refuse_strangers(value, "$")
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError as error:
        raise refuse(
            f"a whole number ({error})", "less than 2**53, or a string", "canonical JSON"
        ) from None
    except rfc8785.CanonicalizationError as error:  # half a character, such as a lone surrogate
        raise refuse(f"a text ({error})", "text that is whole in UTF-8", "canonical JSON") from None


def sha256(value: Any) -> str:
    """SHA-256 of the canonical form, hexadecimal.

    >>> sha256({"a": 1}) == sha256({"a": 1.0})
    True
    """
    return hashlib.sha256(canonical(value)).hexdigest()


def _digest(value: Mapping[str, Any]) -> str:
    """SHA-256 of `value` as JSON."""
    return hashlib.sha256(dumps(value).encode(errors="surrogatepass")).hexdigest()


def _refuse_strangers(value: Any, path: str, depth: int = 0) -> None:
    """Raises: JtfneError for the first thing in `value` that strict JSON cannot hold."""
    if depth > MAX_DEPTH:
        raise refuse(
            f"a value nested more than {MAX_DEPTH} deep",
            f"a depth of {MAX_DEPTH} or less",
            path[:80],
        )
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if type(key) is not str:
                raise JtfneError(
                    f"got key {describe_value(key)} of {type(key).__name__}; expected str (in {path})"
                )
            _refuse_strangers(inner, f"{path}.{key}", depth + 1)
    elif type(value) in (list, tuple):
        for index, inner in enumerate(value):
            _refuse_strangers(inner, f"{path}[{index}]", depth + 1)
    elif type(value) is float and not math.isfinite(value):
        raise refuse(f"{describe_value(value)}", "a finite number", path)
    elif value is not None and type(value) not in (str, bool, int, float):
        raise refuse(
            f"a {type(value).__module__}.{type(value).__name__}",
            "str, int, float, bool, None, list, dict",
            path,
        )
