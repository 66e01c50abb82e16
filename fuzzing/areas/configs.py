"""Configs by mutation: dicts as they come from a JSON or TOML file."""

import copy
from typing import Any

from hypothesis import strategies as st

import jtfne
from fuzzing._values import mutated
from fuzzing._verdicts import Meaningless
from fuzzing.areas._base import small_config
from fuzzing.areas._circuits import CIRCUITS
from jtfne.presets import PRESETS

MAX_CELLS = 2_000
SMALL_PRESETS = (
    "hnn_like_column",
    "v1_column",
    "suite2_four_celltype_config",
    "garcia_del_molino_2017",
)


class Configs:
    """A mutated config is refused, or checked, hashed, written, read back and wired."""

    name = "configs"

    def prepare(self) -> dict[str, Any]:
        """The hash of each config that is mutated."""
        return {
            name: jtfne.Config.model_validate(tree).hash for name, tree in self._trees().items()
        }

    @staticmethod
    def _trees() -> dict[str, dict[str, Any]]:
        configs = {
            "small": small_config(),
            **{name: make() for name, make in CIRCUITS.items()},
            **{name: PRESETS[name]() for name in SMALL_PRESETS if name in PRESETS},
        }
        return {name: config.model_dump(mode="json") for name, config in configs.items()}

    def cases(self) -> st.SearchStrategy[Any]:
        """A name, and the config of that name with a change or two."""
        trees = self._trees()
        names = st.sampled_from(["small", *CIRCUITS, *CIRCUITS, *trees])
        return names.flatmap(lambda name: st.tuples(st.just(name), mutated(trees[name])))

    def describe(self, case: Any) -> str:
        """The name of the config, and what was changed."""
        name, (_, changes) = case
        return f"{name}: {'; '.join(changes)}"

    def run(self, context: dict[str, Any], case: Any) -> None:
        """Validate, check, hash, write and read the config; wire it if it is small."""
        name, (tree, changes) = case
        config = jtfne.Config.model_validate(copy.deepcopy(tree))
        config.check()
        if jtfne.Config.from_json(config.to_json()) != config:
            raise Meaningless("round trip: a config that JSON changes")
        if config.hash == context[name] and len(changes) == 1 and changes[0].startswith("unknown"):
            raise Meaningless("ignored: an unknown key")
        if sum(population.n_cells for population in config.populations()) <= MAX_CELLS:
            net = jtfne.construct(config)
            if len(net.neurons) == 0:
                raise Meaningless("empty: a net without cells")
