"""Checks of arguments that `Trainer` and `sweep` share."""

from collections.abc import Sequence
from typing import Any

from jtfne._arguments import check_flag, check_list, describe_argument
from jtfne._check import Limit, refuse, whole_number


def check_execution(*, resume: Any, progress: Any, client: Any, where: str) -> None:
    """Raises: JtfneError if `resume`, `progress` or `client` is of another type."""
    check_flag(resume, name="resume", where=where)
    if progress is not None:
        check_flag(progress, name="progress", where=where)
    if client is not None and (
        isinstance(client, type) or not callable(getattr(client, "submit", None))
    ):
        allowed = "an executor, such as a dask.distributed.Client, or None"
        raise refuse(f"client={describe_argument(client)}", allowed, where)


def check_seeds(argument: Sequence[int], where: str) -> tuple[int, ...]:
    """The seeds as a tuple. Raises: JtfneError for none, a repeated one, or one out of range."""
    entries = check_list(
        argument, allowed="a list of whole numbers in 0 .. 2**32 - 1", name="seeds", where=where
    )
    limit = Limit(low=0, high=2**32 - 1)
    seeds = tuple(
        whole_number(seed, limit, name="an entry of seeds", where=where) for seed in entries
    )
    if not seeds or len(set(seeds)) < len(seeds):
        raise refuse(f"seeds={describe_argument(argument)}", "at least one, each once", where)
    return seeds
