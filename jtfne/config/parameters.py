"""The numbers of a config that a Trainable, a sweep and `Config.set` can name, by path."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, Self

from jtfne._check import JtfneError, refuse
from jtfne.config.circuit import Circuit
from jtfne.config.labels import connection_labels
from jtfne.config.parameter_paths import (
    Place,
    find_place,
    get_value,
    list_places,
    overlap,
)
from jtfne.config.parameter_values import ConfigLike
from jtfne.config.tree_paths import find_keys, read_number

CONFIG = "config"  # the family of a number that stands nowhere but in the config
EXAMPLES = "'connections.E->PV.delay_ms', 'task.stimuli.tone.drive.amplitude' or 'run.dt_ms'"


@dataclasses.dataclass(frozen=True)
class Parameters:
    """The numbers of a complete config, by path.

    circuit: its circuit. make_tree: gives the config as JSON values; asked only for a path that is
    none of the circuit's own (`list_places`).
    """

    circuit: Circuit
    make_tree: Callable[[], dict[str, Any]]

    @classmethod
    def of(cls, config: ConfigLike) -> Self:
        """The numbers of `config`."""
        return cls(config.circuit, config.to_dict)

    @functools.cached_property
    def places(self) -> dict[str, Place]:
        """The places whose values are arrays of the circuit, by path."""
        return list_places(self.circuit)

    @functools.cached_property
    def _tree(self) -> dict[str, Any]:
        """The config as JSON values."""
        return self.make_tree()

    @functools.cached_property
    def _labels(self) -> tuple[str, ...]:
        """The labels of the connections."""
        return connection_labels(self.circuit.connections)

    def find(self, path: str, where: str) -> Place:
        """The Place of `path`; its family is CONFIG where only another config has another value.

        Raises: JtfneError for an unknown path, with the nearest one, and for what is no number.
        """
        if path in self.places:
            return self.places[path]
        tree = self._tree
        try:
            keys = find_keys(tree, path, self._labels, where)
        except JtfneError as error:
            first = path.partition(".")[0].partition("[")[0]
            if first in tree or any(first in tree[part] for part in ("run", "task", "readouts")):
                problem = f"path={path!r}, at which there is nothing,"
                raise refuse(problem, f"a number, such as {EXAMPLES}: {error}", where) from None
            return find_place(path, self.places, where)  # refuses it, with the nearest
        read_number(self._tree, keys, path, where)
        return Place(path, CONFIG, ".".join(map(str, keys)))

    def find_all(self, paths: Sequence[str], where: str) -> tuple[Place, ...]:
        """The places of `paths`. Raises: JtfneError as `find`, and where two share a number."""
        places: list[Place] = []
        for path in paths:
            place = self.find(path, where)
            for earlier in places:
                if overlap(earlier, place):
                    description = f"two paths to one number, {earlier.path!r} and {path!r},"
                    raise refuse(description, "one path to each number", where)
            places.append(place)
        return tuple(places)

    def value(self, place: Place) -> float | int | None:
        """The declared value of a parameter; None if it differs from cell to cell."""
        if place.family != CONFIG:
            return get_value(self.circuit, place)
        keys = find_keys(self._tree, place.path, self._labels, place.path)
        return read_number(self._tree, keys, place.path, place.path)
