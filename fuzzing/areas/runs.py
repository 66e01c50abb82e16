"""Runs of a circuit whose numbers are mutated: what is accepted gives finite numbers."""

from typing import Any

from hypothesis import strategies as st

import jtfne
from fuzzing._values import NUMBERS, places, value_in
from fuzzing.areas._base import Described, require_finite, small_config
from fuzzing.areas._circuits import CIRCUITS

FACTORS = (-1.0, 0.0, 0.01, 0.37, 3.0, 100.0, 1e6)
MAX_CELLS, MAX_STEPS, MAX_TRIALS = 500, 2_000, 200
MAKERS = {"small": small_config, **CIRCUITS}


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
        """The name of a circuit, a path, and the number there."""
        trees = {name: make().model_dump(mode="json") for name, make in MAKERS.items()}

        def numbers_at(place: tuple[str, tuple[Any, ...]]) -> st.SearchStrategy[Any]:
            old = value_in(trees[place[0]], place[1])
            scaled = st.sampled_from(FACTORS).map(lambda factor: type(old)(old * factor))
            return st.tuples(st.just(place), st.one_of(scaled, scaled, st.sampled_from(NUMBERS)))

        places_of = {name: numbers_of(tree) for name, tree in trees.items()}
        names = st.sampled_from(sorted(trees))
        drawn = names.flatmap(
            lambda name: st.tuples(st.just(name), st.sampled_from(places_of[name]))
        )
        return drawn.flatmap(numbers_at)

    def run(self, context: None, case: Any) -> None:
        """Simulate the circuit with that number, if it is small."""
        (name, path), value = case
        tree = MAKERS[name]().model_dump(mode="json")
        value_in(tree, path[:-1])[path[-1]] = value
        config = jtfne.Config.model_validate(tree)
        config.check()
        n_cells = sum(population.n_cells for population in config.populations())
        n_steps = config.run.duration_ms / config.run.dt_ms
        if n_cells > MAX_CELLS or n_steps > MAX_STEPS or config.task.n_trials > MAX_TRIALS:
            return
        signals = jtfne.construct(config).simulate()
        for readout in signals.recorded():
            require_finite(signals.get(readout), f"{readout} of a run")
