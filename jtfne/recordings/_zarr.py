"""Recordings in Zarr, of format 2 or 3: an xarray store, or the readout of a run."""

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jtfne import _json
from jtfne._check import UNREADABLE, JtfneError, describe_value, refuse
from jtfne._files import path_inside
from jtfne._stored import check_zarr, read_lenient_json, refuse_large
from jtfne.recordings._variables import read_variable

if TYPE_CHECKING:
    import xarray as xr

WHERE = "from_zarr"
BYTES_PER_NUMBER = 8
# Of format 3. What they decode to are bytes, numbers and text: none makes objects or runs code.
CODECS = (
    *("bytes", "blosc", "gzip", "zstd", "crc32c", "transpose", "vlen-utf8", "sharding_indexed"),
)
DATA_TYPES = (
    "bool",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *("float16", "float32", "float64"),
    *("string", "fixed_length_utf32", "numpy.timedelta64", "numpy.datetime64"),
)


def read_zarr(path: Path, readout: str, label: object = None) -> "xr.DataArray":
    """The variable named as the readout, or the only one, at the root or in the group of that name.

    Raises: JtfneError for a store that is broken, that declares more than numbers and text, or
    without such a variable, and for a plain array, which says no times.
    """
    import xarray as xr

    zarr_format = 3 if (path / "zarr.json").is_file() else 2
    check = check_zarr3 if zarr_format == 3 else check_zarr
    check(path)
    if _is_array(path):
        raise refuse(
            f"{path.name}, a plain array that does not say its times,",
            "an xarray store, or interop.from_array(zarr.open_array(path)[:], dims, "
            "sampling_Hz=..., units=...)",
            WHERE,
        )

    # what consolidated metadata say of an array is left alone: its own metadata were checked
    def open_group(group: str | None) -> xr.Dataset:
        return xr.open_dataset(
            path,
            group=group,
            engine="zarr",
            chunks=None,
            decode_timedelta=False,
            backend_kwargs={"consolidated": False, "zarr_format": zarr_format},
        )

    try:
        return read_variable(open_group, path, readout, WHERE)
    except JtfneError:
        raise
    except UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise refuse(
            f"{path.name}, which cannot be read ({reason}),", "a whole Zarr store", WHERE
        ) from error


def _is_array(path: Path) -> bool:
    """Whether a store is one array without a group around it."""
    if (path / "zarr.json").is_file():
        return read_lenient_json(path / "zarr.json").get("node_type") == "array"
    return (path / ".zarray").is_file()


def check_zarr3(store: Path) -> None:
    """Raises: JtfneError unless a Zarr store of format 3 holds only numbers and text that fit."""
    n_bytes = 0
    for path in sorted(store.rglob("*")):
        path_inside(store, path.relative_to(store).as_posix(), WHERE)  # no link leads out
        if path.name == "zarr.json":
            metadata = read_lenient_json(path)
            if metadata.get("node_type") == "array":
                place = f"{store}, array {path.parent.relative_to(store).as_posix()!r}"
                n_bytes += _check_array(metadata, place)
    refuse_large(n_bytes, str(store), WHERE)


def _check_array(metadata: Mapping[str, Any], where: str) -> int:
    """Bytes that an array declares.

    Raises: JtfneError for other types and codecs, and for broken metadata.
    """
    _json.refuse_deep(metadata, where)
    data_type = metadata.get("data_type")
    type_name = data_type.get("name") if isinstance(data_type, Mapping) else data_type
    if type_name not in DATA_TYPES:
        raise refuse(f"an array of {describe_value(type_name)}", "numbers or text", where)
    if metadata.get("storage_transformers"):
        raise refuse("an array with storage transformers", "an array without", where)
    _check_codecs(metadata.get("codecs"), where)
    shape = metadata.get("shape")
    is_shape = isinstance(shape, list) and all(
        isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in shape
    )
    if not is_shape or not isinstance(shape, list):
        raise refuse(f"shape {describe_value(shape)}", "sizes of at least 0", where)
    chunk_shape = _read_chunk_shape(metadata.get("chunk_grid"))
    if len(chunk_shape) != len(shape) or min(chunk_shape, default=1) < 1:
        raise refuse(
            f"shape {shape} in chunks {chunk_shape}", "a regular grid of chunks of 1 or more", where
        )
    refuse_large(prod(chunk_shape) * BYTES_PER_NUMBER, f"a chunk of {chunk_shape}", where)
    return prod(shape) * BYTES_PER_NUMBER


def _read_chunk_shape(chunk_grid: Any) -> list[int]:
    """The shape of the chunks of a regular grid; empty where there is none."""
    configuration = chunk_grid.get("configuration") if isinstance(chunk_grid, Mapping) else None
    shape = configuration.get("chunk_shape") if isinstance(configuration, Mapping) else None
    if not isinstance(shape, list) or not all(isinstance(size, int) for size in shape):
        return []
    return shape


def _check_codecs(codecs: Any, where: str) -> None:
    """Raises: JtfneError for a codec that is not of `CODECS`, those within shards too."""
    if not isinstance(codecs, list) or not codecs:
        raise refuse(f"codecs {describe_value(codecs)}", "a list of codecs", where)
    for codec in codecs:
        name = codec.get("name") if isinstance(codec, Mapping) else codec
        if name not in CODECS:
            raise refuse(f"codec {describe_value(name)}", f"one of {', '.join(CODECS)}", where)
        if name == "sharding_indexed":
            configuration = codec.get("configuration") if isinstance(codec, Mapping) else None
            parts = configuration if isinstance(configuration, Mapping) else {}
            _check_codecs(parts.get("codecs"), where)
            _check_codecs(parts.get("index_codecs"), where)
