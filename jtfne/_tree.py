"""Dataclasses as pytrees whose structures differ where their classes do."""

import dataclasses
from typing import Any, TypeVar

import jax

from jtfne._check import names_arguments

T = TypeVar("T")


def register(cls: type[T]) -> type[T]:
    """Make a frozen dataclass a pytree whose children are its fields.

    Fields with `metadata={"static": True}` are not children.

    `jax.tree_util.register_dataclass` does the same, but (jax 0.10) there the structures of two
    classes with equally many fields are equal: if their hashes meet in a cache, `jit` runs the
    program of the other class. A tree is rebuilt from its fields, not by its constructor, whose
    arguments may differ.

    Examples
    --------
    >>> import dataclasses
    >>> import jax
    >>> from jtfne.emitters import register
    >>> @register
    ... @dataclasses.dataclass(frozen=True, kw_only=True)
    ... class Cell:
    ...     tau_ms: float
    ...     substeps: int = dataclasses.field(default=1, metadata={"static": True})
    ...
    >>> jax.tree.map(lambda leaf: 2.0 * leaf, Cell(tau_ms=10.0))
    Cell(tau_ms=20.0, substeps=1)
    """
    cls.__init__ = names_arguments(cls.__init__)  # type: ignore[method-assign]
    traced_names: list[str] = []
    static_names: list[str] = []
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        names = static_names if field.metadata.get("static") else traced_names
        names.append(field.name)

    def flatten(tree: Any) -> tuple[list[Any], tuple[Any, ...]]:
        """Traced fields, and static ones."""
        traced_values = [getattr(tree, name) for name in traced_names]
        return traced_values, tuple([getattr(tree, name) for name in static_names])

    def flatten_with_keys(tree: Any) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        """Traced fields with their names, and static ones."""
        children, static_values = flatten(tree)
        keys = map(jax.tree_util.GetAttrKey, traced_names)
        return list(zip(keys, children, strict=True)), static_values

    def unflatten(static_values: tuple[Any, ...], children: Any) -> T:
        """Rebuild the dataclass without its constructor."""
        tree = object.__new__(cls)
        for name, value in (
            *zip(traced_names, children, strict=True),
            *zip(static_names, static_values, strict=True),
        ):
            object.__setattr__(tree, name, value)
        return tree

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls
