"""Manifests as strict JSON."""

from typing import Any

from jtfne import _json
from jtfne._check import names_arguments, refuse


@names_arguments
def to_json(manifest: dict[str, Any]) -> str:
    """Strict JSON of a manifest: sorted keys, no NaN, no Infinity.

    Parameters
    ----------
    manifest : dict
        As in `Signals.manifest`.

    Returns
    -------
    str

    Raises
    ------
    JtfneError
        For a value that is not finite or not JSON; names the field.

    Examples
    --------
    >>> to_json({"run": {"seed": 7}})
    '{"run":{"seed":7}}'
    """
    if not isinstance(manifest, dict):
        raise refuse(f"data of type {type(manifest).__name__}", "a manifest, a dict", "to_json")
    return _json.dumps(manifest)


@names_arguments
def from_json(text: str) -> dict[str, Any]:
    """The manifest in a JSON text.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict

    Raises
    ------
    JtfneError
        For NaN, Infinity, a key given twice, broken syntax, and for what is no object.

    Examples
    --------
    >>> from_json('{"run":{"seed":7}}')
    {'run': {'seed': 7}}
    """
    if not isinstance(text, str):
        raise refuse(f"data of type {type(text).__name__}", "a manifest, a JSON text", "from_json")
    manifest = _json.loads(text, where="manifest")
    if not isinstance(manifest, dict):
        raise refuse(f"a {type(manifest).__name__}", "a manifest, an object", "manifest")
    return manifest
