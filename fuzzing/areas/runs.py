"""Runs of a circuit whose numbers are mutated: what is accepted gives finite numbers."""

from typing import Any

from hypothesis import strategies as st

import jtfne
from fuzzing._values import NUMBERS, places, value_in
from fuzzing.areas._base import Described, require_finite, small_config

FACTORS = (-1.0, 0.0, 0.01, 0.37, 3.0, 100.0, 1e6)
MAX_CELLS, MAX_STEPS = 500, 2_000


def numbers_of(tree: Any) -> list[tuple[Any, ...]]:
    """The path of every number of a config that a run depends on."""
    paths = [path for path in places(tree) if path[0] in ("circuit", "run", "task", "readouts")]
    return [path for path in paths if type(value_in(tree, path)) in (int, float)]


class Runs(Described):
    """A mutated circuit is refused, or simulated to finite values."""

    name = "runs"

    def prepare(self) -> None:
        """Nothing is shared."""

    def cases(self) -> st.SearchStrategy[Any]:
        """A path, and the number there."""
        tree = small_config().model_dump(mode="json")
        paths = st.sampled_from(numbers_of(tree))

        def numbers_at(path: tuple[Any, ...]) -> st.SearchStrategy[Any]:
            scaled = st.sampled_from(FACTORS).map(lambda factor: value_in(tree, path) * factor)
            return st.tuples(st.just(path), st.one_of(scaled, scaled, st.sampled_from(NUMBERS)))

        return paths.flatmap(numbers_at)

    def run(self, context: None, case: Any) -> None:
        """Simulate the circuit with that number, if it is small."""
        path, value = case
        tree = small_config().model_dump(mode="json")
        value_in(tree, path[:-1])[path[-1]] = value
        config = jtfne.Config.model_validate(tree)
        config.check()
        n_cells = sum(population.n_cells for population in config.populations())
        if n_cells > MAX_CELLS or config.run.duration_ms / config.run.dt_ms > MAX_STEPS:
            return
        signals = jtfne.construct(config).simulate()
        for name in signals.recorded():
            require_finite(signals.get(name), f"{name} of a run")
