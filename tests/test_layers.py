"""Each file knows its room: it imports only from rooms below its own, and heavy packages only where
they are used.
"""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOORS = (
    "_check _system _units",
    "_files",
    "_arguments _cores _grid _html _json _keys _mne_units _names _precision _rows _terminal _time _tree",
    "_stored",
    "_sonata_files",
    "delivery emitters geometry measures noise operators optimizers stimuli surrogates synapses",
    "pydantic_fields",
    "readouts",
    "recordings",
    "config",
    "paradigm presets sonata_circuits wiring",
    "plastic",
    "engine",
    "runner",
    "flatnet",
    "batch",
    "differentiable",
    "sources",
    "probes",
    "row_arrays",
    "run_folder",
    "chunk_files",
    "folder_index",
    "net_folder partial_run",
    "reports",
    "signals",
    "simulation",
    "net",
    "objective",
    "analysis interop",
    "candidates",
    "trainer",
    "sweeps",
    "cli",
    "__main__",
)
# `engine` lies below `flatnet`, which offers it as `FlatNet.run`; the engine itself knows no names.
# The wings read signals, recorded or simulated alike; they know no engine.
WING = "geometry measures readouts recordings reports run_folder signals"
ONLY = {
    "analysis": [*WING.split(), "objective"],
    "interop": [*WING.split(), "sonata_circuits"],
}
ROOMS = [floor.split() for floor in FLOORS]
GROUND = {room for floor in ROOMS[:5] for room in floor}
FILES = sorted(
    path
    for folder in ("jtfne", "analysis", "interop")
    for path in ROOT.glob(f"{folder}/**/*.py")
    if path != ROOT / "jtfne/__init__.py"
    and not (ROOT / "jtfne/analysis" in path.parents or ROOT / "jtfne/interop" in path.parents)
)
LAZY = {
    "cmaes",
    "duckdb",
    "elephant",
    "h5netcdf",
    "h5py",
    "hdmf",
    "matplotlib",
    "mne",
    "mne_bids",
    "neo",
    "optax",
    "polars",
    "pyarrow",
    "pynwb",
    "quantities",
    "specparam",
    "zarr",
}
LABELS = {"pandas", "xarray"}
LABEL_ROOMS = {
    *("analysis", "interop", "objective", "recordings", "row_arrays", "run_folder", "signals")
}


def room_of(path: Path) -> str:
    """The room of a file: its name under jtfne/, or the wing's."""
    parts = path.relative_to(ROOT).parts
    return parts[1 if parts[0] == "jtfne" else 0].removesuffix(".py")


def may_enter(room: str) -> set[str]:
    """The rooms from which a file of `room` may import."""
    floor = next(index for index, rooms in enumerate(ROOMS) if room in rooms)
    below = {name for rooms in ROOMS[:floor] for name in rooms}
    return {room} | (below & {*GROUND, *ONLY[room]} if room in ONLY else below)


def names_of(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of what an import statement imports."""
    if isinstance(node, ast.Import):
        yield from ((node.lineno, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        source = "." * node.level + (node.module or "")
        yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Every import of a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from names_of(node)


def at_import(body: list[ast.stmt]) -> Iterator[tuple[int, str]]:
    """The imports that run when the file is imported: not those inside functions or
    `if TYPE_CHECKING`.
    """
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield from names_of(node)
        for field in ("body", "orelse", "finalbody"):
            yield from at_import(getattr(node, field, []))


def test_the_rooms_are_those_that_exist() -> None:
    assert {room_of(path) for path in FILES} == {room for floor in ROOMS for room in floor}


def check_direction(path: Path) -> None:
    """Fail if a file imports from a room that its own may not enter."""
    room = room_of(path)
    for line, name in imported(path):
        top, *rest = name.split(".")
        assert top not in ("", "analysis", "interop"), (
            f"{path}:{line}: write `from jtfne.x import y`"
        )
        # the command line is a user
        if top != "jtfne" or rest == ["__version__"] or (room == "cli" and not rest):
            continue
        assert rest and rest[0] in may_enter(room), f"{path}:{line}: {room} may not import {name}"


def test_imports_point_down() -> None:
    for path in FILES:
        check_direction(path)


def name_module(path: Path) -> str:
    """The dotted name of a file, of the wings as users import them."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "jtfne" else ("jtfne", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_file_comes_back_to_itself() -> None:
    graph: dict[str, set[str]] = {name_module(path): set() for path in FILES}
    fronts = {name_module(path) for path in FILES if path.name == "__init__.py"}
    for path in FILES:
        module = name_module(path)
        for _, name in imported(path):
            source = name if name in graph else name.rpartition(".")[0]
            # a file that takes a sibling from its folder's front takes it from the sibling
            if source in graph and not (source in fronts and module.startswith(f"{source}.")):
                graph[module].add(source)
    order = list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names a circle
    assert order.index("jtfne.engine") < order.index("jtfne.net") < order.index("jtfne.cli")


def check_weight(path: Path) -> None:
    """Fail if importing a file imports a heavy package."""
    room = room_of(path)
    for line, name in at_import(ast.parse(path.read_text(encoding="utf-8")).body):
        top = name.split(".")[0]
        assert top not in LAZY, f"{path}:{line}: import {top} inside the function that needs it"
        assert top not in LABELS or room in LABEL_ROOMS, (
            f"{path}:{line}: {top} stays in {sorted(LABEL_ROOMS)}"
        )


def test_heavy_packages_load_where_they_are_used() -> None:
    for path in FILES:
        check_weight(path)


def test_the_rules_catch_what_they_forbid() -> None:
    assert may_enter("interop") == {*GROUND, *WING.split(), "sonata_circuits", "interop"}
    assert not {"wiring", "paradigm"} - may_enter("flatnet")
    assert not {"flatnet", "probes"} & may_enter("engine")
    assert "net" not in may_enter("simulation"), "what is done with a net is known above it"
    assert "paradigm" not in may_enter("wiring"), "rooms of one floor do not know each other"
    code = (
        "import a\nif TYPE_CHECKING:\n import b\ndef f():\n import c\ntry:\n    from d import "
        "e\nfinally:\n    g()\n"
    )
    assert [name for _, name in at_import(ast.parse(code).body)] == ["a", "d.e"]
