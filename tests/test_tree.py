"""Parts of a model as pytrees: classes are told apart, since `jit` knows a program by its
structure.
"""

import dataclasses
import itertools
from pathlib import Path

import jax
import jax.numpy as jnp

from jtfne._tree import register
from jtfne.emitters import EMITTERS, Izhikevich2003
from jtfne.optimizers import OPTIMIZERS
from jtfne.sources import SOURCES
from jtfne.synapses import PLASTICITIES, SYNAPSES

PARTS = [
    *(kind() for kind in EMITTERS.values()),
    Izhikevich2003(half_steps=True),
    *(kind() for kind in SOURCES.values()),
    *(kind() for kind in OPTIMIZERS.values()),
    *(
        kind(**{each.name: 1.0 for each in dataclasses.fields(kind)})
        for kind in (*SYNAPSES.values(), *PLASTICITIES.values())
    ),
]


def test_no_two_parts_have_one_structure():
    for first, second in itertools.combinations(PARTS, 2):
        assert jax.tree.structure(first) != jax.tree.structure(second), (first, second)


def test_every_room_registers_its_classes_here():
    files = [
        path
        for path in (Path(__file__).parent.parent / "jtfne").rglob("*.py")
        if path.name != "_tree.py"
    ]
    assert len(files) > 50
    assert not [path for path in files if "register_dataclass" in path.read_text(encoding="utf-8")]


@register
@dataclasses.dataclass(frozen=True)
class Pair:
    x: jax.Array
    name: str = dataclasses.field(metadata={"static": True})
    y: float = 2.0


def test_fields_are_children_unless_static():
    pair = Pair(jnp.ones(2), "p")
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(pair)]
    assert paths == [".x", ".y"]
    twice = jax.tree.map(lambda x: 2 * x, pair)
    assert (twice.name, twice.y, twice.x.tolist()) == ("p", 4.0, [2.0, 2.0])
    assert jax.tree.structure(pair) != jax.tree.structure(Pair(jnp.ones(2), "q"))
    assert jax.jit(lambda each: each)(pair).name == "p"
