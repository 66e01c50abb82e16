"""Check what a file declares before it is decoded: only numbers and text, and no more than fits.

Files may come from strangers. A codec, a type or a link that could run code, read another file or
ask for more memory than there is, is refused by name; what is left are arrays of numbers and text.
"""

import base64
import gzip
import io
import json
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from jtfne import _json
from jtfne._check import JtfneError, refuse
from jtfne._cores import available_bytes
from jtfne._files import path_inside, read_text, refuse_special
from jtfne._rows import Array

if TYPE_CHECKING:
    import h5py
    import pyarrow as pa

Stream = IO[bytes] | io.BufferedReader | gzip.GzipFile
WHERE = "reading"
NUMBERS = "biuf"  # kinds of numpy's dtypes: bool, whole numbers, floating point
# Codecs of Zarr that turn bytes into bytes; those that make objects (pickle, json2, msgpack2) are
# not among them.
ZARR_COMPRESSORS = ("blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd")
ZARR_FILTERS = ("shuffle",)
# What numpy raises over the text of a header, which is a literal of Python.
UNREADABLE_HEADER = (
    ValueError,
    SyntaxError,
    TypeError,
    KeyError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,
)
UNREADABLE_ZIP = (
    zipfile.BadZipFile,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    KeyError,
    struct.error,
)
UNREADABLE_GZIP = (OSError, EOFError, zlib.error)
ZARR_TEXT = "vlen-utf8"  # makes str of an array of objects, and nothing else
# Filters of HDF5 that are part of it or of h5py: deflate, shuffle, fletcher32, szip, nbit,
# scaleoffset, lzf.
HDF5_FILTERS = (1, 2, 3, 4, 5, 6, 32000)
HDF5_DEPTH = 32  # of groups in each other
# Tags of FIF: a header of four numbers, then the tag's data.
FIF_HEADER = struct.Struct(">iIii")  # kind, type, size of the data, place of the next tag
FIF_DIRECTORY_POINTER, FIF_DIRECTORY, FIF_BLOCK_START = 101, 102, 104
FIF_ROLE_OF_FILE, FIF_NAME_OF_FILE = 115, 118  # of a file that this one refers to
FIF_NEXT_FILE = 2  # the role of the file that goes on where a split recording ends
FIF_MATRIX, FIF_DENSE_MATRIX = 0xFFFF0000, 0x40000000  # part of a type, and its value
FILE_NAME_BYTES = 255  # the longest name that file systems take
PIECE_BYTES = 1 << 20  # of what is unpacked to count its bytes


def refuse_large(n_bytes: int, subject: str, where: str = WHERE) -> None:
    """Raises: JtfneError if a file declares more than the memory that is free."""
    free_bytes = available_bytes()
    if n_bytes > free_bytes:
        description = f"{subject}, which declares {n_bytes / 2**30:.3g} GiB,"
        raise refuse(
            description,
            f"what fits in the {free_bytes / 2**30:.3g} GiB of memory that are free",
            where,
        )


def map_npy(path: Path) -> Array:
    """The array of a .npy file, memory-mapped and read-only.
    Raises: JtfneError unless it holds numbers, all of them.

    An array without elements, which cannot be mapped, is read.
    """
    refuse_special(path, WHERE)
    with path.open("rb") as stream:
        n_bytes, n_elements = _npy_bytes(stream, str(path))
        if n_bytes != path.stat().st_size - stream.tell():
            raise refuse(
                f"{str(path)!r}, whose header does not fit its size,", "a whole .npy file", WHERE
            )
    array: Array = np.load(path, mmap_mode="r" if n_elements else None, allow_pickle=False)
    return array


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays of an .npz file that `numpy.savez` wrote.
    Raises: JtfneError unless they hold numbers, all of them.
    """
    refuse_special(path, WHERE)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if (
                    member.compress_type != zipfile.ZIP_STORED
                    or member.file_size > path.stat().st_size
                ):
                    raise refuse(
                        f"{member.filename!r} of {str(path)!r}",
                        "arrays that are not compressed",
                        WHERE,
                    )
                with archive.open(member) as stream:
                    n_bytes, _ = _npy_bytes(stream, f"{member.filename!r} of {path}")
                    if n_bytes != member.file_size - stream.tell():
                        raise refuse(f"{member.filename!r} of {str(path)!r}", "whole arrays", WHERE)
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except UNREADABLE_ZIP as error:
        raise refuse(
            f"{str(path)!r}, which cannot be read ({error}),", "a whole .npz file", WHERE
        ) from error


def check_zarr(store: Path) -> None:
    """Raises: JtfneError unless a Zarr store of format 2 holds only numbers and text.

    So must be what their codecs decode to.
    """
    if not store.is_dir():
        raise refuse(
            f"{str(store)!r}, which cannot be read (no folder),", "a Zarr store of format 2", WHERE
        )
    root, total = store.resolve(), 0
    for path in store.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise refuse(
                f"{str(path)!r}, a link that leads out of its folder,",
                f"files in {str(store)!r}",
                WHERE,
            )
        refuse_special(path, WHERE)
        if path.name == "zarr.json":
            raise refuse(
                f"{str(path)!r}, of Zarr format 3,",
                "a store of format 2, as jtfne writes it",
                WHERE,
            )
        if path.name == ".zarray":
            total += _check_zarr_array(
                read_lenient_json(path), path.parent.relative_to(store).as_posix(), store
            )
        elif path.name == ".zmetadata":
            consolidated = read_lenient_json(path).get("metadata")
            entries = consolidated.items() if isinstance(consolidated, dict) else []
            for name, entry in entries:
                if str(name).split("/")[-1] == ".zarray":
                    _check_zarr_array(entry, str(name).removesuffix(".zarray").strip("/"), store)
    refuse_large(total, str(store))


def check_hdf5(path: Path) -> None:
    """Raises: JtfneError unless an HDF5 or netCDF-4 file holds only numbers and text.

    All of them must be in the file itself.

    Refused: external and virtual data and links to other files, references and objects of other
    kinds, filters from plugins.
    """
    import h5py

    refuse_special(path, WHERE)
    with h5py.File(path, "r") as file:
        total = sum(check_dataset(dataset, path) for dataset in _datasets(file, path, 0, set()))
    refuse_large(total, str(path))


def check_parquet(path: Path, where: str = WHERE) -> None:
    """Raises: JtfneError unless a Parquet file holds only columns of numbers and text that fit.

    Extension types, which some versions of pyarrow load by unpickling, are looked for before Arrow
    reads the schema.
    """
    from pyarrow import parquet

    refuse_special(path, where)
    metadata = parquet.read_metadata(path)
    schema = (metadata.metadata or {}).get(b"ARROW:schema", b"")
    if b"ARROW:extension:name" in schema or b"ARROW:extension:name" in base64.b64decode(
        schema, validate=False
    ):
        raise refuse(
            f"{str(path)!r} with a column of an extension type",
            "columns of numbers and text",
            where,
        )
    groups = [metadata.row_group(k) for k in range(metadata.num_row_groups)]
    declared_bytes = sum(group.total_byte_size for group in groups)
    # A column of one value takes a few bytes for any number of rows; in memory each takes eight.
    refuse_large(
        max(declared_bytes, 8 * metadata.num_rows * metadata.num_columns), str(path), where
    )
    for field in parquet.read_schema(path):
        if not _is_plain(field.type):
            raise refuse(
                f"column {field.name!r} of type {field.type}", "columns of numbers and text", where
            )


def check_fif(path: Path, where: str = WHERE) -> None:
    """Raises: JtfneError unless the tags of a FIF file, and of the files that it goes on in, follow
    one another within the file.

    Where a tag leads backwards MNE would read without end; what a size declares it takes from
    memory. Only the headers are read; a .fif.gz is unpacked, piece by piece.
    """
    checked_paths: set[Path] = set()
    next_path: Path | None = path
    while next_path is not None and next_path.is_file():
        if next_path.resolve() in checked_paths:
            raise refuse(f"{str(next_path)!r}, which goes on in itself,", "another file", where)
        checked_paths.add(next_path.resolve())
        refuse_special(next_path, where)
        next_name = _check_fif_tags(next_path, where)
        next_path = None if next_name is None else path_inside(next_path.parent, next_name, where)


def read_parquet(path: Path, where: str = WHERE) -> "pa.Table":
    """The table of a Parquet file, checked first. Raises: JtfneError as `check_parquet`."""
    from pyarrow import parquet

    check_parquet(path, where)
    with parquet.ParquetFile(path) as file:
        return file.read()


def read_csv(path: Path) -> "pa.Table":
    """The table of a CSV file. Raises: JtfneError for text that is not UTF-8."""
    import pyarrow as pa
    from pyarrow import csv

    return csv.read_csv(pa.BufferReader(read_text(path).encode()))


def _check_fif_tags(path: Path, where: str) -> str | None:
    """The name of the file that a FIF file goes on in, None if it does not.
    Raises: JtfneError for a tag that is not within the file.
    """
    is_packed = path.suffix.lower() == ".gz"
    try:
        with gzip.open(path) if is_packed else path.open("rb") as stream:
            n_bytes = _count_bytes(stream, path, where) if is_packed else path.stat().st_size
            return _follow_fif_tags(stream, n_bytes, path.name, where)
    except UNREADABLE_GZIP as error:
        description = f"{path.name}, which cannot be read ({error}),"
        raise refuse(description, "a whole FIF file", where) from error


def _count_bytes(stream: Stream, path: Path, where: str) -> int:
    """How many bytes a packed file has, which is read to its end.
    Raises: JtfneError as soon as they are more than the memory that is free.
    """
    n_bytes, n_free_bytes = 0, available_bytes()
    while piece := stream.read(PIECE_BYTES):
        n_bytes += len(piece)
        if n_bytes > n_free_bytes:
            refuse_large(n_bytes, str(path), where)
    return n_bytes


def _follow_fif_tags(stream: Stream, n_bytes: int, name: str, where: str) -> str | None:
    """As `_check_fif_tags`, for an open file of `n_bytes`."""
    position, role, next_name, directory_position = 0, FIF_NEXT_FILE, None, 0
    while position + FIF_HEADER.size <= n_bytes:  # as MNE, end where no header is left
        stream.seek(position)
        kind, type_code, size, next_position = FIF_HEADER.unpack(stream.read(FIF_HEADER.size))
        data_stop = position + FIF_HEADER.size + size
        if size < 0 or data_stop > n_bytes:
            description = f"{name}, whose tag {kind} at byte {position} declares {size} bytes,"
            raise refuse(description, f"tags within the {n_bytes} bytes of the file", where)
        if next_position < -1 or 0 < next_position < data_stop:
            description = f"{name}, whose tag {kind} at byte {position} goes on at {next_position},"
            raise refuse(description, "a tag that comes after it", where)
        if type_code & FIF_MATRIX == FIF_DENSE_MATRIX and size:
            _check_fif_matrix(stream, data_stop, size, f"{name}, tag {kind}", where)
        elif kind == FIF_DIRECTORY_POINTER and size >= 4:
            (directory_position,) = struct.unpack(">i", stream.read(4))
        elif kind == FIF_BLOCK_START:
            role = FIF_NEXT_FILE  # what a block is for unless it says so
        elif kind == FIF_ROLE_OF_FILE and size >= 4:
            (role,) = struct.unpack(">i", stream.read(4))
        elif kind == FIF_NAME_OF_FILE and role == FIF_NEXT_FILE:
            if size > FILE_NAME_BYTES:
                description = f"{name}, which goes on in a file with a name of {size} bytes,"
                raise refuse(description, f"at most {FILE_NAME_BYTES}", where)
            next_name = stream.read(size).decode("latin-1")
        if next_position == -1:
            break
        position = next_position or data_stop
    # Last, for what is packed is unpacked again when it is read backwards.
    if 0 < directory_position <= n_bytes - FIF_HEADER.size:  # else MNE follows the tags
        _check_fif_directory(stream, directory_position, n_bytes, name, where)
    return next_name


def _check_fif_matrix(stream: Stream, data_stop: int, size: int, name: str, where: str) -> None:
    """Raises: JtfneError for a matrix with more elements than its tag has bytes.

    Its shape and the number of its dimensions are its last numbers.
    """
    stream.seek(data_stop - min(size, 16))
    numbers = np.frombuffer(stream.read(min(size, 16) // 4 * 4), ">i4").tolist()
    n_dimensions = numbers[-1] if numbers else 0
    shape = numbers[-1 - n_dimensions : -1] if 1 <= n_dimensions < len(numbers) else [-1]
    if min(shape) < 0 or math.prod(shape) > size:
        description = f"{name}, a matrix of shape {shape[::-1]} in {size} bytes,"
        raise refuse(description, "a matrix of at most 3 dimensions that fits its tag", where)


def _check_fif_directory(
    stream: Stream, position: int, n_bytes: int, name: str, where: str
) -> None:
    """Raises: JtfneError if the directory at `position` lists tags that are not within the file."""
    stream.seek(position)
    kind, _, size, _ = FIF_HEADER.unpack(stream.read(FIF_HEADER.size))
    if kind != FIF_DIRECTORY or not 0 <= size <= n_bytes - position - FIF_HEADER.size:
        description = f"{name}, whose directory at byte {position} is none,"
        raise refuse(description, "the place of a directory", where)
    entries = stream.read(size // FIF_HEADER.size * FIF_HEADER.size)
    for kind, _, entry_size, place in FIF_HEADER.iter_unpack(entries):
        if entry_size < 0 or place < 0 or place + FIF_HEADER.size + entry_size > n_bytes:
            description = f"{name}, whose directory lists {entry_size} bytes of {kind} at {place},"
            raise refuse(description, f"tags within the {n_bytes} bytes of the file", where)


def _npy_bytes(stream: IO[bytes], where: str) -> tuple[int, int]:
    """Bytes and number of the elements that a .npy header declares.
    Raises: JtfneError unless they are numbers.
    """
    try:
        version = npy.read_magic(stream)
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(
            version
        )
        if read_header is None:
            raise refuse(f"version {version} of .npy", "version 1.0 or 2.0", where)
        shape, _, dtype = read_header(stream)
    except JtfneError:
        raise
    except UNREADABLE_HEADER as error:
        raise refuse(f"a header that cannot be read ({error})", "a .npy file", where) from None
    if dtype.kind not in NUMBERS or any(size < 0 for size in shape):
        raise refuse(f"an array of {dtype} and shape {shape}", "an array of numbers", where)
    n_elements = math.prod(shape)
    return n_elements * dtype.itemsize, n_elements


def read_lenient_json(path: Path) -> dict[str, Any]:
    """The object of a metadata file; as Zarr does, it takes NaN, and the last of equal keys."""
    try:
        value = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise refuse(
            f"{str(path)!r}, which cannot be read ({str(error)[:200]}),", "JSON", WHERE
        ) from None
    _json.refuse_deep(value, str(path))
    return value if isinstance(value, dict) else {}


def _check_zarr_array(metadata: Any, name: str, store: Path) -> int:
    """Bytes that an array declares.

    Raises: JtfneError for objects, other codecs, and broken metadata.
    """
    where = f"{store}, array {name!r}"
    metadata = metadata if isinstance(metadata, dict) else {}
    try:
        dtype = np.dtype(str(metadata["dtype"]))
        shape, chunks = ([int(size) for size in metadata[key]] for key in ("shape", "chunks"))
    except (KeyError, TypeError, ValueError, SyntaxError) as error:
        raise refuse(
            f"metadata without dtype, shape and chunks ({error})",
            "an array of Zarr format 2",
            where,
        ) from None
    codecs = [metadata.get("compressor"), *(metadata.get("filters") or [])]
    names = [codec.get("id") if isinstance(codec, dict) else codec for codec in codecs]
    is_text = dtype.kind == "O" and names[1:] == [ZARR_TEXT]
    if dtype.kind not in f"{NUMBERS}US" and not is_text:
        raise refuse(
            f"an array of {dtype} with filters {names[1:]!r}",
            "an array of numbers or of text",
            where,
        )
    allowed = (*ZARR_COMPRESSORS, None)
    unknown_codecs = [codec for codec in names[:1] if codec not in allowed]
    unknown_codecs += [codec for codec in names[1:] if codec not in ZARR_FILTERS and not is_text]
    if unknown_codecs:
        description = f"codec {unknown_codecs[0]!r}"
        raise refuse(
            description,
            f"codecs that make bytes: {', '.join((*ZARR_COMPRESSORS, *ZARR_FILTERS))}",
            where,
        )
    if min([*shape, *chunks], default=0) < 0 or len(shape) != len(chunks):
        raise refuse(f"shape {shape} in chunks {chunks}", "sizes of at least 0", where)
    refuse_large(math.prod(chunks) * dtype.itemsize, f"a chunk of {chunks}", where)
    return int(math.prod(shape) * dtype.itemsize)


def _datasets(
    group: "h5py.Group", path: Path, depth: int, visited_addresses: set[Any]
) -> "Iterator[h5py.Dataset]":
    """All datasets of a file, each once.
    Raises: JtfneError for a link to another file and for groups too deep.
    """
    import h5py

    if depth > HDF5_DEPTH:
        raise refuse(f"groups more than {HDF5_DEPTH} deep", "fewer", str(path))
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise refuse(f"{name!r}, a link to another file,", "data in the file itself", str(path))
        if isinstance(link, h5py.SoftLink):
            continue  # leads to what is looked at under its own name, or nowhere
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in visited_addresses:
            continue
        visited_addresses.add(address)
        if isinstance(item, h5py.Dataset):
            yield item
        elif isinstance(item, h5py.Group):
            yield from _datasets(item, path, depth + 1, visited_addresses)


def check_dataset(dataset: "h5py.Dataset", path: Path) -> int:
    """Bytes that a dataset takes in memory.
    Raises: JtfneError unless it holds numbers or text, in the file itself.
    """
    import h5py

    where = f"{path}, {dataset.name}"
    is_text = h5py.check_string_dtype(dataset.dtype) is not None
    if dataset.dtype.kind not in f"{NUMBERS}S" and not is_text:
        raise refuse(f"a dataset of type {dataset.dtype}", "numbers or text", where)
    if dataset.is_virtual or dataset.external:
        raise refuse(
            "a dataset whose values lie in another file", "values in the file itself", where
        )
    properties = dataset.id.get_create_plist()
    for k in range(properties.get_nfilters()):
        code = properties.get_filter(k)[0]
        if code not in HDF5_FILTERS:
            raise refuse(
                f"HDF5 filter {code}", f"filters {', '.join(map(str, HDF5_FILTERS))}", where
            )
    shape: Iterable[int] = dataset.shape or ()
    return int(math.prod(shape) * dataset.dtype.itemsize)


def _is_plain(kind: "pa.DataType") -> bool:
    """Whether a column of this type holds numbers or text."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    tests = (
        types.is_integer,
        types.is_floating,
        types.is_boolean,
        types.is_string,
        types.is_large_string,
    )
    return any(is_kind(kind) for is_kind in (*tests, types.is_null))


__all__ = [
    "check_dataset",
    "check_fif",
    "check_hdf5",
    "check_parquet",
    "check_zarr",
    "map_npy",
    "read_csv",
    "read_lenient_json",
    "read_npz",
    "read_parquet",
    "refuse_large",
]
