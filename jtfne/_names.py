"""Names that are safe in another format: what has a meaning there is written so that it has none.

Each format has its own commands: MNE drops what it cuts out around annotations that begin with
"bad" or "edge", takes a "/" in the name of an event for a hierarchy and ";" for the end of it; FIF
keeps channels in ASCII; HDF5 takes "/" for a group. `safe_name` is the one place that knows;
`original_name` undoes it.
"""

import re
import unicodedata
import urllib.parse
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jtfne._check import check_name, one_of, refuse

# What is percent-encoded, as in a URL; "/" becomes "|", which reads better, and so "|" is encoded.
# A "%" is, where it
# would be read as the start of a code.
_PERCENT = r"%(?=[0-9A-Fa-f]{2})"
_DOTS = r"^\.(?=\.?$)"  # "." and ".." are places, not names
ENCODED = {
    "mne_event": re.compile(rf"[|;\x00-\x1f\x7f-\x9f]|[^\x00-\xff]|{_PERCENT}|\{{(?=COLON\}})"),
    "hdf5": re.compile(rf"[|\x00]|{_PERCENT}|{_DOTS}"),
    "sonata": re.compile(rf"[\x00]|{_PERCENT}|^N(?=ULL$)"),
    "file": re.compile(rf'[|/\\:*?"<>\x00-\x1f\x7f]|{_PERCENT}|^\.|[ .]$'),
}
SLASHED = ("mne_event", "hdf5")  # formats in which "/" has a meaning, and "|" has none
# what MNE takes for a span to leave out, and what is written for it
BAD = re.compile(r"_*(bad|edge)", re.IGNORECASE)


def safe_name(name: str, format: str) -> str:
    """`name` as it is written in `format`, where it is a name and nothing else.

    Parameters
    ----------
    name : str
        Of an area, layer, cell type, condition or connection, or the label of a stimulus.
    format : {"mne_event", "hdf5", "sonata", "file"}
        ``mne_event``: annotations of a Raw, and each part of an event's name. ``hdf5``: a group.
        ``sonata``: a cell of a table of types, where NULL is nothing. ``file``: a file's name, on
        Windows too, which takes neither ``"/"`` nor ``"|"``.

    Returns
    -------
    str
        Most names as they are. ``"/"`` becomes ``"|"``; characters with a meaning, and in MNE those
        beyond Latin-1, are percent-encoded; before ``bad`` and ``edge`` in any case MNE gets a
        ``_``. Different names stay different.

    Examples
    --------
    >>> safe_name("BAD luck", "mne_event"), safe_name("left/right", "mne_event"), safe_name("L4->L5", "hdf5")
    ('_BAD luck', 'left|right', 'L4->L5')
    """
    pattern = ENCODED[one_of(format, ENCODED, name="format", where="safe_name")]
    text = pattern.sub(lambda match: _percent_encode(match[0]), name)
    if format in SLASHED:
        text = text.replace("/", "|")
    return f"_{text}" if format == "mne_event" and BAD.match(text) else text


def original_name(text: str, format: str) -> str:
    """The name that `safe_name` wrote as `text`.

    Examples
    --------
    >>> original_name(safe_name("bad|50%/日本", "mne_event"), "mne_event")
    'bad|50%/日本'
    """
    one_of(format, ENCODED, name="format", where="original_name")
    if format == "mne_event" and text.startswith("_") and BAD.match(text):
        text = text[1:]
    if format in SLASHED:
        text = text.replace("|", "/")
    return urllib.parse.unquote(text, errors="surrogatepass")


def _percent_encode(character: str) -> str:
    """The percent-encoding of a character, of those too that URLs leave as they are."""
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def channel_names(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Names of channels as FIF holds them, all different; and the original of each that changed.

    Letters beyond ASCII are transliterated: without their accents, or by their names, such as
    "alpha".

    Examples
    --------
    >>> written, originals = channel_names(["Sehé:0", "Sehe:0", "α"])
    >>> written, originals["alpha"]
    (['Sehe:0#2', 'Sehe:0', 'alpha'], 'α')
    """
    ascii_names = [_transliterate(name) for name in names]
    unchanged_names = {text for text, name in zip(ascii_names, names, strict=True) if text == name}
    name_of_text: dict[str, str] = {}
    for text, name in zip(ascii_names, names, strict=True):
        number, candidate = 1, text
        while candidate in name_of_text or (candidate != name and candidate in unchanged_names):
            number += 1
            candidate = f"{text}#{number}"
        name_of_text[candidate] = name
    return list(name_of_text), {text: name for text, name in name_of_text.items() if text != name}


def _transliterate(name: str) -> str:
    """`name` in printable ASCII."""
    parts = []
    for character in unicodedata.normalize("NFKD", name):
        if " " <= character <= "~":
            parts.append(character)
        elif not unicodedata.combining(character):
            parts.append(_letter(character))
    return "".join(parts).replace("{COLON}", "(COLON)")  # which MNE writes for ":"


def _letter(character: str) -> str:
    """ASCII for a character: the end of its Unicode name, such as "alpha", or its number."""
    match = re.fullmatch(
        r"\w+ (SMALL|CAPITAL) LETTER (?:SHARP |FINAL )?(\w+)(?: WITH .*)?",
        unicodedata.name(character, ""),
    )
    if match is None:
        return f"U+{ord(character):04X}"
    text = match[2].lower()
    text = "ss" if character in "ßẞ" else text
    return text if match[1] == "SMALL" else text.capitalize()


class RenamedWarning(UserWarning):
    """The warning that another format has to write names otherwise."""


def tell_renamed(names: Iterable[tuple[str, str]], what: str, stacklevel: int = 3) -> None:
    """Warn of names that another format has to write otherwise.

    pairs: the name, and what is written for it.
    """
    changed_names = [f"{name!r} as {text!r}" for name, text in dict.fromkeys(names) if name != text]
    if changed_names:
        listing = ", ".join(changed_names[:5]) + (
            f" and {len(changed_names) - 5} more" if len(changed_names) > 5 else ""
        )
        warnings.warn(
            f"{what} written so that they are names only: {listing}",
            RenamedWarning,
            stacklevel=stacklevel,
        )


def refuse_unwritable(tree: Any, where: str) -> None:
    """Raises: JtfneError for names and texts of a tree that files cannot hold.

    NUL ends a text in HDF5, and a lone surrogate is no text in UTF-8.
    """
    for node in tree.subtree:
        for name in (node.name, *node.variables):
            if name is not None:  # the root has none
                check_name(str(name), "the name of a node or variable", where)
                if str(name).startswith("."):  # Zarr's own files
                    raise refuse(f"the name {str(name)!r}", "a name without a dot in front", where)
        for name, variable in node.to_dataset(inherit=False).variables.items():
            if variable.dtype.kind not in "UOT":
                continue
            for text in np.unique(np.asarray(variable.values, str)):
                if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
                    description = f"{str(name)!r} of {node.path!r} with the text {str(text)!r}"
                    raise refuse(description, "texts without NUL and lone surrogates", where)
