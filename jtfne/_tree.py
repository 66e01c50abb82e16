"""Dataclasses as pytrees whose structures differ where their classes do."""

import dataclasses
from typing import Any, TypeVar

import jax

T = TypeVar("T")


def register(cls: type[T]) -> type[T]:
    """Make a frozen dataclass a pytree: its fields are children, those with `metadata={"static": True}` are not.

    As `jax.tree_util.register_dataclass`, under which however (jax 0.10) the structures of two classes with equally
    many fields are equal: where their hashes meet in a cache, `jit` runs the program of the other class. A tree is
    rebuilt from its fields, not by its constructor, which may ask for other things than it keeps.
    """
    fields = [(each.name, bool(each.metadata.get("static"))) for each in dataclasses.fields(cls)]  # type: ignore[arg-type]
    traced, static = ([name for name, fixed in fields if fixed is kind] for kind in (False, True))

    def flatten(tree: Any) -> tuple[list[Any], tuple[Any, ...]]:
        """Traced fields, and static ones."""
        return [getattr(tree, name) for name in traced], tuple(getattr(tree, name) for name in static)

    def flatten_with_keys(tree: Any) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        """As `flatten`, each traced field with its name."""
        children, fixed = flatten(tree)
        return [(jax.tree_util.GetAttrKey(name), x) for name, x in zip(traced, children, strict=True)], fixed

    def unflatten(fixed: tuple[Any, ...], children: Any) -> T:
        """The dataclass again, past its constructor."""
        tree = object.__new__(cls)
        for name, value in (*zip(traced, children, strict=True), *zip(static, fixed, strict=True)):
            object.__setattr__(tree, name, value)
        return tree

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls
