"""The config of a circuit: which files it is made of, all of them in its own folder."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jtfne import _json
from jtfne._check import JtfneError, describe_value, one_of, refuse
from jtfne._files import read_text, resolve_path

# The keys of each part. What is not read changes no spike: names of outputs, how to run.
KEYS = (
    *("manifest", "network", "networks", "simulation", "components", "run", "inputs", "output"),
    *("reports", "conditions", "node_sets", "node_sets_file", "target_simulator", "version"),
    *("metadata", "config_path", "config_dir"),
)
NETWORK_KEYS = ("nodes", "edges")
ENTRY_KEYS = {
    "nodes": ("nodes_file", "node_types_file", "populations"),
    "edges": ("edges_file", "edge_types_file", "populations"),
}
VARIABLE = re.compile(r"\$\{?(\w+)\}?")
HERE = ("configdir", "workingdir")  # variables that bmtk sets itself
MOST_DEPTH = 20  # of variables in each other
MOST_FILES = 10_000  # entries of a network


@dataclasses.dataclass(frozen=True)
class NetworkFiles:
    """One entry of a network: its HDF5 file, and its table of types if it has one."""

    data: Path
    types: Path | None


@dataclasses.dataclass(frozen=True)
class InputEntry:
    """One entry of the inputs: its name, its settings and the file of its spikes, if it has one."""

    name: str
    settings: Mapping[str, Any]
    path: Path | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class CircuitFiles:
    """What the config of a circuit says, with every path resolved.

    components : folders of parameter files by their keys, such as point_neuron_models_dir.
    """

    path: Path
    nodes: tuple[NetworkFiles, ...]
    edges: tuple[NetworkFiles, ...]
    components: Mapping[str, Path]
    run: Mapping[str, Any]
    inputs: tuple[InputEntry, ...]
    node_sets: Mapping[str, Any]
    target_simulator: str

    def read_params(self, component: str, name: str, where: str) -> dict[str, Any]:
        """The object of the JSON file `name` in the folder of a component.

        Raises: JtfneError if the config names no such folder, or the file is not in it.
        """
        if component not in self.components:
            description = f"dynamics_params {name!r} without a folder of them"
            raise refuse(description, f"{component} in components of {self.path.name}", where)
        folder = self.components[component]
        path = _resolve_inside(str(folder / name), folder, where)
        return _read_object(path, where)


def is_circuit(table: Any) -> bool:
    """Whether the value of a JSON text is the config of a SONATA circuit."""
    return isinstance(table, dict) and ("networks" in table or "network" in table)


def read_circuit(path: str | Path) -> CircuitFiles:
    """The files of a circuit_config.json, or of a simulation's config that names one.

    Variables of the manifest are replaced, and paths count from the folder of the config. Raises:
    JtfneError for a file that is no such config, unknown keys, and paths that lead out of that
    folder.
    """
    where = str(path)
    config_path = resolve_path(path, "from_sonata")
    if not config_path.is_file():
        raise refuse(f"{where!r}, which is no file,", "a circuit_config.json", "from_sonata")
    table = _read_object(config_path, where)
    root = config_path.parent
    table = _merge_parts(table, root, where)
    if "networks" not in table:
        raise refuse("a config without networks", "the circuit_config.json of SONATA", where)
    for key in table:
        one_of(key, KEYS, name="key", where=where)
    reader = _PathReader(root, _read_manifest(table, where), where)
    networks = _check_table(table["networks"], "networks", where)
    for key in networks:
        one_of(key, NETWORK_KEYS, name="key of networks", where=where)
    node_sets = _check_table(table.get("node_sets", {}), "node_sets", where)
    if "node_sets_file" in table:
        node_sets_path = reader.resolve(table["node_sets_file"])
        node_sets = {**_read_object(node_sets_path, where), **node_sets}
    return CircuitFiles(
        path=config_path,
        nodes=_list_files(networks, "nodes", reader),
        edges=_list_files(networks, "edges", reader),
        components=_list_components(table, reader),
        run=_check_table(table.get("run", {}), "run", where),
        inputs=_list_inputs(table, reader),
        node_sets=node_sets,
        target_simulator=str(table.get("target_simulator", "")),
    )


def _read_object(path: Path, where: str) -> dict[str, Any]:
    """The object of a JSON file. Raises: JtfneError for a file that is none, or another value."""
    if not path.is_file():
        raise refuse(f"{str(path)!r}, which is no file,", "a JSON file", where)
    return _check_table(_json.loads(read_text(path), where=str(path)), path.name, where)


def _check_table(value: Any, name: str, where: str) -> dict[str, Any]:
    """`value`. Raises: JtfneError unless it is an object of JSON."""
    if not isinstance(value, dict):
        raise refuse(f"{name}={describe_value(value)}", "an object of JSON", where)
    return value


def _merge_parts(table: dict[str, Any], root: Path, where: str) -> dict[str, Any]:
    """A config with the parts that it names as files: `network` and `simulation`.

    What it says itself counts; their manifests, whose paths count from their own folder, have to be
    beside it. Raises: JtfneError for a file in another folder.
    """
    merged: dict[str, Any] = {}
    for key in ("network", "simulation"):
        if key not in table:
            continue
        variables = _read_manifest(table, where)
        part_path = _PathReader(root, variables, where).resolve(table[key])
        if part_path.parent != root:
            description = f"{key} {describe_value(table[key])} in another folder"
            raise refuse(description, f"a file beside {Path(where).name}", where)
        part = _read_object(part_path, str(part_path))
        merged |= (
            {"manifest": {}}
            | part
            | {"manifest": {**merged.get("manifest", {}), **part.get("manifest", {})}}
        )
    own = {name: value for name, value in table.items() if name not in ("network", "simulation")}
    own_manifest = _check_table(own.get("manifest", {}), "manifest", where)
    return merged | own | {"manifest": {**merged.get("manifest", {}), **own_manifest}}


def _read_manifest(table: Mapping[str, Any], where: str) -> dict[str, str]:
    """The variables of the manifest by their names without "$".

    Raises: JtfneError for a value that is no text.
    """
    variables: dict[str, str] = dict.fromkeys(HERE, ".")
    for name, value in _check_table(table.get("manifest", {}), "manifest", where).items():
        if not isinstance(value, str):
            raise refuse(f"manifest {name}={describe_value(value)}", "a path", where)
        variables[name.strip("${}")] = value
    return variables


class _PathReader:
    """Resolves the paths of a config: its variables, and that they stay in its folder."""

    def __init__(self, root: Path, variables: Mapping[str, str], where: str) -> None:
        self.root, self.variables, self.where = root, variables, where

    def resolve(self, text: object) -> Path:
        """The path that a text of the config means.

        Raises: JtfneError for what is no text, an unknown variable, and a path out of the folder.
        """
        if not isinstance(text, str) or not text or "\0" in text:
            raise refuse(f"the path {describe_value(text)}", "a path", self.where)
        path = text
        for _ in range(MOST_DEPTH):
            match = VARIABLE.search(path)
            if match is None:
                return _resolve_inside(path, self.root, self.where)
            name = one_of(match[1], self.variables, name="variable", where=self.where)
            path = path[: match.start()] + self.variables[name] + path[match.end() :]
        raise refuse(f"the path {text!r}, whose variables name each other,", "a path", self.where)


def _resolve_inside(path: str, folder: Path, where: str) -> Path:
    """The path, which counts from `folder`, with links followed.

    Raises: JtfneError if it leads out of the folder.
    """
    resolved = resolve_path(folder / path, where)
    if not resolved.is_relative_to(folder.resolve()):
        raise refuse(f"the path {path!r}", f"a path in the folder {str(folder)!r}", where)
    return resolved


def _list_files(
    networks: Mapping[str, Any], kind: str, reader: _PathReader
) -> tuple[NetworkFiles, ...]:
    """The files of nodes, or of edges."""
    entries = networks.get(kind, [])
    if not isinstance(entries, list) or len(entries) > MOST_FILES:
        raise refuse(f"networks.{kind}={describe_value(entries)}", "a list of files", reader.where)
    files = []
    for entry in entries:
        data_key, types_key, _ = ENTRY_KEYS[kind]
        table = _check_table(entry, f"an entry of {kind}", reader.where)
        for key in table:
            one_of(key, ENTRY_KEYS[kind], name=f"key of {kind}", where=reader.where)
        types = table.get(types_key)
        files.append(
            NetworkFiles(
                reader.resolve(table.get(data_key)),
                None if types in (None, "NULL", "") else reader.resolve(types),
            )
        )
    return tuple(files)


def _list_components(table: Mapping[str, Any], reader: _PathReader) -> dict[str, Path]:
    """The folders of components that lie in the config's folder.

    Others may be named, for cells with a morphology; a file that is looked for there is refused.
    """
    components = {}
    for name, text in _check_table(table.get("components", {}), "components", reader.where).items():
        try:
            components[name] = reader.resolve(text)
        except JtfneError:
            if name in ("point_neuron_models_dir", "synaptic_models_dir"):
                raise
    return components


def _list_inputs(table: Mapping[str, Any], reader: _PathReader) -> tuple[InputEntry, ...]:
    """The inputs, each with the file that it reads."""
    inputs = []
    for name, entry in _check_table(table.get("inputs", {}), "inputs", reader.where).items():
        settings = _check_table(entry, f"input {name!r}", reader.where)
        if settings.get("enabled", True) is False:
            continue
        text = settings.get("input_file")
        inputs.append(InputEntry(name, settings, None if text is None else reader.resolve(text)))
    return tuple(inputs)
