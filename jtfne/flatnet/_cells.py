"""Populations -> arrays over cells: emitters of one model merged, drive, noise, first potentials."""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne import _keys, engine
from jtfne.config import Population
from jtfne.emitters import Trains, join_trains


class CellModel(NamedTuple):
    """The populations of one cell model, and the rows of their cells; None for all rows."""

    populations: list[Population]
    rows: npt.NDArray[np.int64] | None


def group_by_model(populations: tuple[Population, ...]) -> tuple[CellModel, ...]:
    """The cell models of populations, in order of appearance.

    Emitters of one class are one model if their static fields agree too: these choose the program,
    not a number in it.
    """
    starts = np.cumsum([0, *(population.n_cells for population in populations)])
    indices_by_model: dict[Any, list[int]] = {}
    for k, population in enumerate(populations):
        model = (type(population.emitter), *_list_static_fields(population.emitter).values())
        indices_by_model.setdefault(model, []).append(k)
    if len(indices_by_model) == 1:
        return (CellModel(list(populations), None),)
    models = []
    for indices in indices_by_model.values():
        rows = np.concatenate([np.arange(starts[k], starts[k + 1]) for k in indices])
        models.append(CellModel([populations[k] for k in indices], rows))
    return tuple(models)


def build_groups(
    models: tuple[CellModel, ...], dtype: np.dtype[Any], dt_ms: float
) -> tuple[engine.Group, ...]:
    """The cells of each model as one group of the engine, in row order within it."""
    groups = []
    for model in models:
        emitter = _merge_emitters(model.populations, dtype, dt_ms)
        index = None if model.rows is None else jnp.asarray(model.rows, jnp.int32)
        groups.append(engine.Group(emitter, index))
    return tuple(groups)


def spread_input_pA(populations: tuple[Population, ...]) -> npt.NDArray[np.float64]:
    """The current of one input unit into each cell, in pA: (n_cells,)."""
    return np.concatenate(
        [population.per_cell(population.emitter.input_pA) for population in populations]
    )


def spread_over_cells(populations: tuple[Population, ...], name: str) -> npt.NDArray[np.float64]:
    """`drive` or `noise` of every cell, in pA: (n_cells,)."""
    parts = []
    for population in populations:
        parts.append(population.per_cell(getattr(population, name)))
    return np.concatenate(parts) * spread_input_pA(populations)


def name_cells(populations: tuple[Population, ...]) -> npt.NDArray[np.uint32]:
    """The name of each cell's random stream, (2, n_cells) words: population, and number in it."""
    parts = [np.zeros((2, 0), np.uint32)]
    for population in populations:
        labels = population.area, population.layer, population.cell_type
        parts.append(_keys.number_named_streams(*labels, n=population.n_cells))
    return np.concatenate(parts, axis=1)


def spread_first_potentials(
    populations: tuple[Population, ...], dtype: np.dtype[Any]
) -> jax.Array | None:
    """Potentials before the first step, (n_cells,), NaN where none is declared, or None for all."""
    if all(population.v_init_mV is None for population in populations):
        return None
    parts = []
    for population in populations:
        v_init_mV = np.nan if population.v_init_mV is None else population.v_init_mV
        parts.append(population.per_cell(v_init_mV))
    return jnp.asarray(np.concatenate(parts), dtype)


def _merge_emitters(populations: list[Population], dtype: np.dtype[Any], dt_ms: float) -> Any:
    """One emitter for all: a parameter is one number if populations agree, else one value a cell.

    Spike trains become steps of the grid.
    """
    emitter: Any = populations[0].emitter
    fields = _list_static_fields(emitter)
    for field in dataclasses.fields(emitter):
        if field.name in fields:
            continue
        values = [getattr(population.emitter, field.name) for population in populations]
        if isinstance(values[0], Trains):
            fields[field.name] = jnp.asarray(join_trains(values).table(dt_ms))
            continue
        if all(np.ndim(value) == 0 and value == values[0] for value in values):
            fields[field.name] = jnp.asarray(values[0], dtype)
            continue
        parts = [
            population.per_cell(value)
            for population, value in zip(populations, values, strict=True)
        ]
        fields[field.name] = jnp.asarray(np.concatenate(parts), dtype)
    return dataclasses.replace(emitter, **fields)


def _list_static_fields(emitter: Any) -> dict[str, Any]:
    """The fields of an emitter that are not traced, by name."""
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(emitter):
        if field.metadata.get("static"):
            fields[field.name] = getattr(emitter, field.name)
    return fields
