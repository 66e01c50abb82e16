"""Tables of edges, as columns: DataFrames, Arrow, CSV, Parquet and SONATA's HDF5."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jtfne._check import UNREADABLE, JtfneError, describe_value, one_of, refuse
from jtfne._stored import read_csv, read_parquet
from jtfne.pydantic_fields.array_field import read_numbers

WEIGHTS = ("weight_pA", "weight_nS", "weight_mV", "weight")  # a weight's column, by its unit
KNOWN = (*WEIGHTS, "delay_ms")
OURS = ("weight", "delay")  # a column that begins so is read, or refused; others may be there
SUFFIXES = (".csv", ".parquet", ".h5")
SONATA = ".h5"


def read_columns(table: Any, connection: str | None, where: str) -> dict[str, Any]:
    """The columns `source`, `target`, and perhaps `weight` and `delay_ms` of a table, each (n,).

    connection: takes only its rows, from a table with a column `connection`.
    Raises: JtfneError for a column that is missing or of an unknown unit, an empty cell, or
    several connections of which none is named.
    """
    names = [str(name) for name in getattr(table, "column_names", table)]
    for name in ("source", "target"):
        one_of(name, names, name="column", where=where)
    for name in names:
        if name.startswith(OURS):
            one_of(name, KNOWN, name="column", where=where)
    rows = _select_rows(table, names, connection, where)
    columns = {
        "source": _read_numbers(table, "source", rows, where),
        "target": _read_numbers(table, "target", rows, where),
    }
    weight_name = _find_weights(table, names, rows, where)
    if weight_name is not None:
        columns["weight"] = _read_numbers(table, weight_name, rows, where)
    if "delay_ms" in names:
        columns["delay_ms"] = _read_numbers(table, "delay_ms", rows, where)
    return columns


def _find_weights(
    table: Any, names: Sequence[str], rows: NDArray[Any] | slice, where: str
) -> str | None:
    """The name of the column of weights; None if there is none. Raises: JtfneError for several."""
    weight_names = [name for name in WEIGHTS if name in names]
    if len(weight_names) <= 1:
        return weight_names[0] if weight_names else None
    # as `Net.edges` has them: a column is empty where no weight has its unit
    weights = {name: np.asarray(table[name], np.float64)[rows] for name in weight_names}
    filled_names = [name for name in weight_names if not np.isnan(weights[name]).all()]
    if len(filled_names) > 1:
        raise refuse(f"a table with {' and '.join(filled_names)}", "weights in one column", where)
    return filled_names[0] if filled_names else None


def _read_numbers(table: Any, name: str, rows: NDArray[Any] | slice, where: str) -> NDArray[Any]:
    """The numbers of one column. Raises: JtfneError for an empty cell, or what is no number."""
    column = table[name] if isinstance(rows, slice) else np.asarray(table[name])[rows]
    return read_numbers(column, name, whole=name in ("source", "target"), where=where)


def _select_rows(
    table: Any, names: Sequence[str], connection: str | None, where: str
) -> NDArray[Any] | slice:
    """The rows of `connection` as indices; a full slice if the table holds one connection.

    Raises: JtfneError for several connections of which none is named.
    """
    if "connection" not in names:
        if connection is not None:
            raise refuse(
                f"connection={describe_value(connection)} of a table without that column",
                "a column 'connection'",
                where,
            )
        return slice(None)
    codes, labels = _encode_texts(table["connection"], where)
    if connection is None and len(labels) > 1:
        listing = ", ".join(map(repr, labels[:5])) + (", ..." if len(labels) > 5 else "")
        raise refuse(
            f"a table of {len(labels)} connections", f"connection= one of {listing}", where
        )
    if connection is None:
        return slice(None)
    return np.flatnonzero(
        codes == labels.index(one_of(connection, labels, name="connection", where=where))
    )


def _encode_texts(column: Any, where: str) -> tuple[NDArray[Any], list[str]]:
    """Encode a column of texts: codes (n,), and the text of each code. Raises: JtfneError."""
    import pyarrow as pa

    array = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column)
    if isinstance(array, pa.ChunkedArray):
        array = array.unify_dictionaries().combine_chunks()
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    if array.null_count:
        raise refuse("connection without a value in some row", "a text in each row", where)
    used_codes, codes = np.unique(array.indices.to_numpy(), return_inverse=True)
    return codes, [str(array.dictionary[int(code)]) for code in used_codes]


def read_edge_file(path: Path, connection: str | None) -> dict[str, Any]:
    """Read the columns of `read_columns` from a file: .csv or .parquet.

    Raises: JtfneError for another kind of file, or one that cannot be read.
    """
    one_of(path.suffix, SUFFIXES, name="suffix", where=str(path))
    if not path.is_file():
        raise refuse(
            f"{str(path)!r}, which is no file,", f"a file: {', '.join(SUFFIXES)}", "FromTable.read"
        )
    try:
        table = read_csv(path) if path.suffix == ".csv" else read_parquet(path, str(path))
    except JtfneError:
        raise
    except UNREADABLE as error:
        raise refuse(
            f"{str(path)!r}, which cannot be read ({error}),", "a whole file", "FromTable.read"
        ) from error
    return read_columns(table, connection, str(path))
