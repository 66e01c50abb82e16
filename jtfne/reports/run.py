"""The manifest of a run: what ran, from which config, on what, and the hash of every readout."""

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import _json, run_folder
from jtfne._check import JtfneError, refuse
from jtfne._rows import Array
from jtfne.reports._base import machine, software

if TYPE_CHECKING:
    import xarray as xr

MANIFEST_VERSION = "1"
RUN_SETTINGS = ("seed", "duration_ms", "dt_ms", "trials")  # without these no run is repeated
TABLES = ("events", "neurons")


def run_manifest(
    tree: "xr.DataTree",
    *,
    config: dict[str, Any],
    config_sha256: str,
    paradigm: list[dict[str, Any]],
    run: dict[str, Any],
    streams: list[str],
    source: dict[str, Any],
    operators: dict[str, Any],
    timings: dict[str, float],
) -> dict[str, Any]:
    """The manifest of `tree`, as strict JSON values; all arguments must be JSON-ready.

    Raises: JtfneError that names the field if one is not.
    """
    names = [name for name in tree.children if name not in TABLES]
    manifest: dict[str, Any] = {
        "manifest_version": MANIFEST_VERSION,
        "software": software(),
        "platform": machine(),
        "config": config,
        "config_sha256": config_sha256,
        "paradigm": paradigm,
        "run": run,
        "streams": streams,
        "source": source,
        "operators": operators,
        "readouts": {name: _describe_readout(name, tree[name].to_dataset()) for name in names},
        "tables": {
            name: _hash_node(name, tree[name].to_dataset())
            for name in TABLES
            if name in tree.children
        },
        "timings": {name: round(value, 6) for name, value in timings.items()},
        "files": [],
    }
    if "spk" in names:
        manifest["spikes"] = {
            "count": int(tree["spk"].sizes["event"]),
            "sha256": manifest["readouts"]["spk"]["sha256"],
        }
    _json.dumps(manifest)
    return manifest


def altered_nodes(tree: "xr.DataTree", manifest: dict[str, Any]) -> list[str]:
    """Names of the nodes that differ between `tree` and `manifest`, or are in only one."""
    entries = {
        **manifest["readouts"],
        **{name: {"sha256": digest} for name, digest in manifest["tables"].items()},
    }
    return sorted(
        name
        for name in {*entries, *tree.children}
        if name not in entries
        or name not in tree.children
        or not _matches_entry(entries[name], name, tree[name].to_dataset())
    )


def _matches_entry(entry: dict[str, Any], name: str, dataset: "xr.Dataset") -> bool:
    """Whether a node is equal to its entry in a manifest."""
    if run_folder.dataset_hash(dataset) != entry["sha256"]:
        return False
    return name in TABLES or _describe_readout(name, dataset) == entry


def _describe_readout(name: str, dataset: "xr.Dataset") -> dict[str, Any]:
    """Dims, shape, dtype, units and hash of a readout.
    Raises: JtfneError if a value is not finite.
    """
    values = dataset["time" if name == "spk" else name]
    return {
        "dims": [str(dim) for dim in values.dims],
        "shape": [int(n) for n in values.shape],
        "dtype": str(values.dtype),
        "units": str(dataset.attrs["units"]),
        "proxy": bool(dataset.attrs["proxy"]),
        "sha256": _hash_node(name, dataset),
    }


class NotFiniteError(JtfneError):
    """A recording holds NaN or infinity: the run failed, and would fail again."""


def _hash_node(node: str, dataset: "xr.Dataset") -> str:
    """The hash of a node. Raises: NotFiniteError that names a variable which is not finite."""

    def look(name: str, values: Array) -> None:
        if values.dtype.kind in "fc" and not np.isfinite(values).all():
            message = str(
                refuse(
                    f"{name!r} of {node!r}, which holds NaN or infinity,",
                    "finite numbers",
                    "the manifest",
                )
            )
            raise NotFiniteError(message)

    return run_folder.dataset_hash(dataset, look)


def manifest_schema() -> dict[str, Any]:
    """The published JSON Schema of a manifest."""
    text = (
        resources.files("jtfne.reports")
        .joinpath("manifest.schema.json")
        .read_text(encoding="utf-8")
    )
    schema: dict[str, Any] = json.loads(text)
    return schema


def check_manifest(manifest: Any) -> dict[str, Any]:
    """`manifest` without its own seal, if a run can be repeated from it.

    Raises: JtfneError if it is not a manifest of a version known here, or its config is not the one
    that it hashed.
    """
    allowed = "a manifest.json that jtfne wrote"
    if not isinstance(manifest, dict) or manifest.get("manifest_version") != MANIFEST_VERSION:
        raise refuse("a file that is no manifest of version 1", allowed, "manifest")
    schema = manifest_schema()
    unknown_names = sorted(set(manifest) - set(schema["properties"]))
    if unknown_names:
        raise refuse(f"a manifest with {', '.join(map(repr, unknown_names))}", allowed, "manifest")
    missing_names = [name for name in schema["required"] if name not in manifest]
    if missing_names:
        raise refuse(f"a manifest without {', '.join(missing_names)}", allowed, "manifest")
    kinds = {"object": dict, "array": list}
    for name, property_schema in schema["properties"].items():
        if name in manifest and not isinstance(
            manifest[name], kinds.get(property_schema.get("type", ""), object)
        ):
            raise refuse(f"{name!r} of {type(manifest[name]).__name__}", allowed, "manifest")
    missing_settings = [name for name in RUN_SETTINGS if name not in manifest["run"]]
    if missing_settings:
        raise refuse(f"a run without {', '.join(missing_settings)}", allowed, "manifest")
    entries = [
        *manifest["files"],
        *manifest.get("derived", []),
        *({"path": name, **_dict_or_empty(entry)} for name, entry in manifest["readouts"].items()),
    ]
    if not all({"path", "sha256"} <= _dict_or_empty(entry).keys() for entry in entries):
        raise refuse("a file or readout without its hash", allowed, "manifest")
    if _json.sha256(manifest["config"]) != manifest["config_sha256"]:
        raise refuse(
            "a config that is not the one that ran",
            "the config whose hash is config_sha256",
            "manifest",
        )
    if _json.SEAL not in manifest:
        return manifest
    return {name: value for name, value in manifest.items() if name != _json.SEAL}


def check_tree(tree: "xr.DataTree") -> None:
    """Raises: JtfneError for spikes of cells, trials or times that the run does not have.

    All other code indexes by them.
    """
    if "spk" not in tree.children or not tree["spk"].to_dataset().sizes.get("event"):
        return
    spikes, where = tree["spk"].to_dataset(), "spikes of a run"
    try:
        n_neurons, n_trials = (int(spikes.attrs[name]) for name in ("n_neurons", "n_trials"))
        dt_ms, duration_ms = (float(spikes.attrs[name]) for name in ("dt_ms", "duration_ms"))
        neuron, trial, time_ms = (spikes[name].values for name in ("neuron", "trial", "time"))
    except (KeyError, TypeError, ValueError) as error:
        raise refuse(
            f"spikes without {error}", "neuron, trial, time and the sizes of the run", where
        ) from error
    if neuron.dtype.kind not in "iu" or trial.dtype.kind not in "iu" or time_ms.dtype.kind != "f":
        raise refuse(
            f"spikes of {neuron.dtype}, {trial.dtype} and {time_ms.dtype}",
            "ids, trials and times",
            where,
        )
    has_names = "neurons" in tree.children
    ids = np.asarray(
        tree["neurons"].to_dataset()["neuron"].values if has_names else np.arange(n_neurons)
    )
    if not np.isin(neuron, ids).all():
        raise refuse(
            f"a spike of neuron {neuron[~np.isin(neuron, ids)][0]}", "neurons of the run", where
        )
    if not 0 <= trial.min() <= trial.max() < n_trials:
        raise refuse(
            f"spikes of trials {trial.min()} to {trial.max()}", f"0 to {n_trials - 1}", where
        )
    if not 0.5 * dt_ms < time_ms.min() <= time_ms.max() < duration_ms + 0.5 * dt_ms:
        problem = f"spikes at {time_ms.min():g} to {time_ms.max():g} ms"
        raise refuse(problem, f"the ends of steps, {dt_ms:g} to {duration_ms:g} ms", where)


def _dict_or_empty(value: Any) -> dict[str, Any]:
    """`value` if it is a dict, else an empty one."""
    return value if isinstance(value, dict) else {}


def differing_readouts(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of readouts whose hashes differ between two manifests, or that only one has."""
    hashes = [
        {name: entry["sha256"] for name, entry in manifest["readouts"].items()}
        for manifest in (before, after)
    ]
    return sorted(
        name for name in {*hashes[0], *hashes[1]} if hashes[0].get(name) != hashes[1].get(name)
    )
