"""The manifest of a run: what ran, from which config, on what, and the hash of every readout."""

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import _json, run_folder
from jtfne._check import JtfneError, refuse
from jtfne.reports._base import machine, software

if TYPE_CHECKING:
    import xarray as xr

MANIFEST_VERSION = "1"


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
    """The manifest of `tree`, strict JSON; all arguments JSON-ready.

    Raises: JtfneError that names the field if one is not.
    """
    names = [name for name in tree.children if name not in ("events", "neurons")]
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
        "readouts": {name: _about(name, tree[name].to_dataset()) for name in names},
        "timings": {name: round(value, 6) for name, value in timings.items()},
        "files": [],
    }
    if "spk" in names:
        manifest["spikes"] = {"count": int(tree["spk"].sizes["event"]), "sha256": manifest["readouts"]["spk"]["sha256"]}
    _json.dumps(manifest)
    return manifest


def _about(name: str, dataset: "xr.Dataset") -> dict[str, Any]:
    """Dims, shape, dtype, units and hash of a readout. Raises: JtfneError if a value is not finite."""
    values = dataset["time" if name == "spk" else name]
    if not np.isfinite(values.values).all():
        raise JtfneError(
            f"readout {name!r} holds values that are not finite; allowed: finite numbers (in the manifest)"
        )
    return {
        "dims": [str(dim) for dim in values.dims],
        "shape": [int(n) for n in values.shape],
        "dtype": str(values.dtype),
        "units": str(dataset.attrs["units"]),
        "proxy": bool(dataset.attrs["proxy"]),
        "sha256": run_folder.dataset_hash(dataset),
    }


def manifest_schema() -> dict[str, Any]:
    """The published JSON Schema of a manifest."""
    text = resources.files("jtfne.reports").joinpath("manifest.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def check_manifest(manifest: Any) -> dict[str, Any]:
    """`manifest`, if a run can be repeated from it.

    Raises: JtfneError if it is not a manifest of a version known here, or its config is not the one that it hashed.
    """
    if not isinstance(manifest, dict) or manifest.get("manifest_version") != MANIFEST_VERSION:
        raise refuse("a file that is no manifest of version 1", "a manifest.json that jtfne wrote", "manifest")
    missing = [name for name in manifest_schema()["required"] if name not in manifest]
    if missing:
        raise refuse(f"a manifest without {', '.join(missing)}", "a manifest.json that jtfne wrote", "manifest")
    if _json.sha256(manifest["config"]) != manifest["config_sha256"]:
        raise refuse("a config that is not the one that ran", "the config whose hash is config_sha256", "manifest")
    return manifest


def differing_readouts(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Readouts whose hashes differ between two manifests, or that only one of them has."""
    hashes = [{name: each["sha256"] for name, each in manifest["readouts"].items()} for manifest in (before, after)]
    return sorted(name for name in {*hashes[0], *hashes[1]} if hashes[0].get(name) != hashes[1].get(name))
