"""Tables of node types and edge types: CSV with blanks between columns, NULL where nothing is."""

import csv
import io
import math
from pathlib import Path

from jtfne._check import refuse
from jtfne._files import read_text

NULL = "NULL"
TypeRow = dict[str, str]  # attribute -> text; attributes that are NULL are left out


def read_types(path: Path, id_column: str) -> dict[int, TypeRow]:
    """The attributes of each type of a table, by its id.

    id_column: `node_type_id` or `edge_type_id`. Raises: JtfneError for a file that is none, a table
    without that column, a row that is not whole, or an id that is no number or given twice.
    """
    if not path.is_file():
        raise refuse(f"{str(path)!r}, which is no file,", "a table of types, .csv", "SONATA")
    try:
        rows = list(csv.reader(io.StringIO(read_text(path)), delimiter=" ", strict=True))
    except csv.Error as error:
        raise refuse(f"a table that cannot be read ({error})", "a whole table", str(path)) from None
    rows = [row for row in rows if row]
    names = rows[0] if rows else []
    if id_column not in names or len(set(names)) < len(names):
        description = f"columns {', '.join(map(repr, names[:10])) or 'of no name'}"
        allowed = f"{id_column!r} among names that differ, with one blank between them"
        raise refuse(description, allowed, str(path))
    table: dict[int, TypeRow] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            description = f"row {number} of {len(row)} values"
            raise refuse(description, f"{len(names)}, one for each column", str(path))
        values = dict(zip(names, row, strict=True))
        type_id = _read_id(values.pop(id_column), id_column, str(path))
        if type_id in table:
            raise refuse(f"{id_column} {type_id} given twice", "each type once", str(path))
        table[type_id] = {name: text for name, text in values.items() if text != NULL}
    return table


def read_number(row: TypeRow, name: str, where: str) -> float | None:
    """The number of an attribute of a type; None if it has none. Raises: JtfneError for a text."""
    if name not in row:
        return None
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise refuse(f"{name} {row[name]!r} of a type", "a finite number", where)
    return value


def _read_id(text: str, name: str, where: str) -> int:
    """A type's id. Raises: JtfneError for what is no whole number."""
    try:
        return int(text)
    except ValueError:
        raise refuse(f"{name} {text!r}", "a whole number", where) from None
