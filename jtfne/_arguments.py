"""Checks of arguments of public functions: their types are those that docstrings say.

Called at the top of a function, before any work. Numbers are checked by `_check.number` and
`_check.whole_number`, paths by the functions that resolve them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from jtfne._check import describe_value, one_of, refuse

Value = TypeVar("Value")


def check_instance(value: Value, kind: Any, *, allowed: str, name: str, where: str) -> Value:
    """`value`, if it is an object of class `kind`. allowed: what to give, in words.
    Raises: JtfneError.

    >>> check_instance(5, str, allowed="a text", name="label", where="Paradigm")
    Traceback (most recent call last):
    jtfne._check.JtfneError: got label=5; expected a text (in Paradigm)
    """
    if not isinstance(value, kind):
        raise refuse(f"{name}={describe_argument(value)}", allowed, where)
    return value


def check_flag(value: Any, *, name: str, where: str) -> bool:
    """`value` as a bool, if it is True or False (numpy's count); 1, 0 and texts are refused.
    Raises: JtfneError.
    """
    if (
        getattr(value, "shape", None) == ()
        and getattr(getattr(value, "dtype", None), "kind", "") == "b"
    ):
        value = value.item()
    if not isinstance(value, bool):
        raise refuse(f"{name}={describe_argument(value)}", "True or False", where)
    return value


def check_text(value: Any, *, name: str, where: str) -> str:
    """`value`, if it is a text. Raises: JtfneError."""
    text: str = check_instance(value, str, allowed="a text", name=name, where=where)
    return text


def check_list(value: Any, *, allowed: str, name: str, where: str) -> tuple[Any, ...]:
    """The entries of a list, tuple or array.

    A text, which would be read letter by letter, and a table are refused.

    Raises: JtfneError.
    """
    is_single = isinstance(value, str | bytes | Mapping | type) or not isinstance(value, Iterable)
    if is_single or getattr(value, "shape", (0,)) == () or len(getattr(value, "shape", (0,))) > 1:
        raise refuse(f"{name}={describe_argument(value)}", allowed, where)
    if isinstance(value, set | frozenset):
        raise refuse(f"{name}={describe_argument(value)}, which has no order,", allowed, where)
    return tuple(value)


def check_names(value: Any, *, name: str, where: str) -> tuple[str, ...]:
    """The texts of a list. Raises: JtfneError for anything else, a single text too."""
    names = check_list(value, allowed="a list of names", name=name, where=where)
    for text in names:
        check_instance(text, str, allowed="texts", name=f"an entry of {name}", where=where)
    return names


def list_names(names: Any, *, name: str, where: str) -> tuple[Any, ...]:
    """`names`, one or several, as a tuple; a set, whose order does not matter, in order.

    Raises: JtfneError for anything else, and for a name given twice: what has a row twice counts
    it twice in all that is computed from it.
    """
    if isinstance(names, str):
        return (names,)
    if isinstance(names, set | frozenset):
        names = sorted(names, key=str)
    listed = check_list(names, allowed="a name or several names", name=name, where=where)
    refuse_repeats([label for label in listed if isinstance(label, str)], name=name, where=where)
    return listed


def refuse_repeats(values: Sequence[Any], *, name: str, where: str) -> None:
    """Raises: JtfneError for a value given twice."""
    for value, count in Counter(values).items():
        if count > 1:
            raise refuse(f"{name}={describe_value(value)}, given twice,", "each once", where)


def match_labels(
    labels: Any,
    choices: Sequence[str],
    *,
    name: str,
    where: str,
    known: Sequence[str] | None = None,
) -> npt.NDArray[np.bool_]:
    """Which of the labels (n,) are among `choices`: (n,).

    known: the labels that a choice may have; those in `labels` if left out.
    Raises: JtfneError for another choice, with the nearest label.

    >>> match_labels(["L4", "L2/3", "L4"], ["L4"], name="layer", where="select").tolist()
    [True, False, True]
    """
    texts = np.asarray(labels).astype(str)
    known_labels = list(dict.fromkeys(texts.tolist())) if known is None else known
    for choice in choices:
        one_of(choice, known_labels, name=name, where=where)
    return np.isin(texts, list(choices))


def check_table(value: Any, *, allowed: str, name: str, where: str) -> Mapping[str, Any]:
    """`value`, if it is a dict whose keys are texts. Raises: JtfneError."""
    if not isinstance(value, Mapping):
        raise refuse(f"{name}={describe_argument(value)}", allowed, where)
    for key in value:
        check_instance(
            key, str, allowed=f"texts, as in {allowed}", name=f"a key of {name}", where=where
        )
    return value


def describe_argument(value: Any) -> str:
    """`value` in one line for an error, as `describe_value`; a class by its name, as a class."""
    return (
        f"{value.__name__}, a class and no object,"
        if isinstance(value, type)
        else describe_value(value)
    )
