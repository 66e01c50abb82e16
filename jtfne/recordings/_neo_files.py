"""The files that Neo may read: those whose readers run nothing that a file holds."""

import importlib.util
from pathlib import Path
from typing import Any

from jtfne._check import JtfneError, import_extra, nearest, refuse
from jtfne._files import refuse_special, resolve_path
from jtfne.recordings._hdf5 import refuse_outside

WHERE = "from_neo"
# Reader of Neo by the suffix of a recording in one file.
FILE_READERS = {
    ".abf": "AxonIO",
    ".axgd": "AxographIO",
    ".axgx": "AxographIO",
    ".lsx": "AlphaOmegaIO",
    ".mpx": "AlphaOmegaIO",
    ".nev": "BlackrockIO",
    **{f".ns{k}": "BlackrockIO" for k in range(1, 7)},
    ".nex": "NeuroExplorerIO",
    ".plx": "PlexonIO",
    ".raw": "RawMCSIO",
    ".rec": "SpikeGadgetsIO",
    ".rhd": "IntanIO",
    ".rhs": "IntanIO",
    ".smr": "Spike2IO",
    ".trc": "MicromedIO",
    ".wcp": "WinWcpIO",
}
# Reader by the suffix of a file in the folder of a recording; the first that is there counts.
FOLDER_READERS = {
    ".oebin": "OpenEphysBinaryIO",
    ".continuous": "OpenEphysIO",
    ".meta": "SpikeGLXIO",
    ".ncs": "NeuralynxIO",
    ".tsq": "TdtIO",
}
SETTINGS = {"NixIO": {"mode": "ro"}}  # of readers that would open a file for writing too
SUFFIXES = (*FILE_READERS, *FOLDER_READERS, ".bin", ".nix")
# Why a file is not read, by suffix.
REFUSED = {
    ".pkl": "a pickle, which runs code when it is read",
    ".pickle": "a pickle, which runs code when it is read",
    ".mat": "MATLAB's, of which Neo builds objects; take its arrays to from_array",
    ".npy": "an array; take it to from_array",
    ".pl2": "for which Neo fetches a library and runs it",
    ".mcd": "for which Neo loads a library",
    ".nsn": "for which Neo loads a library",
    ".brw": "which may call for plugins",
    ".h5": "which may be of many kinds; NWB and NIX have their own suffixes",
    ".dat": "which may be of many kinds, and one reader evaluates its text",
}
MOST_FILES = 100_000  # of a recording's folder that are looked at


def read_block(path: Any) -> Any:
    """The lazy neo.Block of a file or folder that Neo reads.

    Raises: JtfneError for a kind of file that is not in SUFFIXES, one that is not there, is cut
    short, or cannot be read.
    """
    resolved = resolve_path(path, WHERE)
    suffix = resolved.suffix.lower()
    if suffix in REFUSED and not resolved.is_dir():
        raise refuse(f"the file {resolved.name!r}, {REFUSED[suffix]},", _list_suffixes(), WHERE)
    if not resolved.exists():
        raise refuse(f"{str(resolved)!r}, which is not there,", "a file or folder", WHERE)
    refuse_special(resolved, WHERE)
    source, reader_name = _choose_reader(resolved)
    neo = import_extra("neo", "neo", WHERE)
    if reader_name == "SpikeGLXIO":
        _check_spikeglx(source)
    try:
        if reader_name == "NixIO":
            refuse_outside(source, WHERE)
        reader = getattr(neo.io, reader_name)(str(source), **SETTINGS.get(reader_name, {}))
        return reader.read_block(lazy=reader.support_lazy)
    except JtfneError:
        raise
    except Exception as error:  # any: Neo's readers raise many kinds over a broken file
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise refuse(
            f"{resolved.name}, which neo.io.{reader_name} cannot read ({reason}),",
            "a whole recording",
            WHERE,
        ) from error


def _list_suffixes() -> str:
    """What may be read, for a message."""
    return f"a file or folder of {', '.join(SUFFIXES)}"


def _choose_reader(path: Path) -> tuple[Path, str]:
    """The file or folder to read, and the name of Neo's reader for it.

    Raises: JtfneError where there is none.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        suffixes = set()
        for number, child in enumerate(path.rglob("*")):
            suffixes.add(child.suffix.lower())
            if number >= MOST_FILES:
                break
        for folder_suffix, reader_name in FOLDER_READERS.items():
            if folder_suffix in suffixes:
                return path, reader_name
        raise refuse(f"the folder {path.name!r} of other files", _list_suffixes(), WHERE)
    if suffix in FILE_READERS:
        return path, FILE_READERS[suffix]
    if suffix == ".nix":
        if importlib.util.find_spec("nixio") is None:
            raise JtfneError(f"{WHERE} needs nixio for .nix; install it with: pip install nixio")
        return path, "NixIO"
    if suffix == ".bin" and path.with_suffix(".meta").is_file():
        suffix = ".meta"
    if suffix in FOLDER_READERS:
        return path.parent, FOLDER_READERS[suffix]
    close = nearest(suffix, SUFFIXES) if suffix else None
    hint = f"; nearest: {close!r}" if close else ""
    raise refuse(f"the file {path.name!r}", f"{_list_suffixes()}{hint}", WHERE)


def _check_spikeglx(folder: Path) -> None:
    """Raises: JtfneError for a .bin that is shorter than its .meta says; Neo would not tell."""
    for meta in sorted(folder.rglob("*.meta")):
        samples = meta.with_suffix(".bin")
        for line in meta.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition("=")
            if key.strip() != "fileSizeBytes" or not value.strip().isdigit():
                continue
            if samples.is_file() and samples.stat().st_size < int(value):
                raise refuse(
                    f"{samples.name} of {samples.stat().st_size} bytes, which was cut short,",
                    f"the {int(value)} bytes that {meta.name} declares",
                    WHERE,
                )
