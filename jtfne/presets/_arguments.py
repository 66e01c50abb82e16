"""Arguments of presets: checked or read by the type that the preset declares."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec

from jtfne._arguments import check_flag, check_text
from jtfne._check import (
    FINITE,
    Limit,
    describe_value,
    names_arguments,
    number,
    one_of,
    refuse,
    whole_number,
)
from jtfne.config import Config

P = ParamSpec("P")
SEEDS = Limit(low=0, high=2**32 - 1)
WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def preset(make: Callable[P, Config]) -> Callable[P, Config]:
    """Decorator: refuse arguments whose type is not the annotated one, before any work."""
    signature = inspect.signature(make)
    where = f"preset {make.__name__}"

    @functools.wraps(make)
    def make_checked(*args: P.args, **kwargs: P.kwargs) -> Config:
        arguments = signature.bind(*args, **kwargs).arguments
        for name, value in arguments.items():
            arguments[name] = _check_argument(signature.parameters[name], value, where)
        return make(**arguments)  # type: ignore[call-arg]

    return names_arguments(make_checked)


def read_argument(parameter: inspect.Parameter, text: str, where: str) -> Any:
    """The value of `text`, from a command line, by the declared type. Raises: JtfneError."""
    kind = parameter.annotation
    if kind is bool:
        return WORDS[one_of(text.casefold(), WORDS, name=parameter.name, where=where)]
    try:
        return kind(text)
    except ValueError:
        words = {int: "a whole number", float: "a number"}[kind]
        raise refuse(f"{parameter.name}={describe_value(text)}", words, where) from None


def _check_argument(parameter: inspect.Parameter, value: Any, where: str) -> Any:
    """`value`, if it is of the declared type. Raises: JtfneError."""
    name, kind = parameter.name, parameter.annotation
    if kind is bool:
        return check_flag(value, name=name, where=where)
    if kind is str:
        return check_text(value, name=name, where=where)
    if kind is int:
        return whole_number(
            value,
            SEEDS if name == "seed" else Limit(low=1, high=MOST_CELLS),
            name=name,
            where=where,
        )
    return number(value, FINITE, name=name, where=where)


MOST_CELLS = 10_000_000  # that a preset makes: some have a value of their own for each cell
