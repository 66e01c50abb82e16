"""Edges from tables: every form gives the same, what a net wrote gives the net again, and what is
wrong is one line.
"""

import copy
import pickle

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne.config import FromTable
from jtfne.pydantic_fields.array_field import Column

COLUMNS = {
    "source": [3, 0, 0],
    "target": [1, 2, 2],
    "weight": [1.5, 2.5, 3.5],
    "delay_ms": [1.0, 2.0, 0.7],
}
WANT = FromTable(**COLUMNS)
RULES = [
    {"kind": "FixedProbability", "p": 0.3},
    {"kind": "FixedIndegree", "n": 3},
    {"kind": "FixedTotal", "n": 40, "autapses": True},
    {"kind": "AllToAll"},
]
WEIGHTS = [2.0, {"kind": "LogNormal", "mean": 20.0, "sd": 9.0}]
DELAYS = [0.7, {"kind": "Uniform", "low": 0.7, "high": 9.3}]


def config(*rules, weight=2.0, delay_ms=1.0, seed=0, dt_ms=0.1):
    """Two layers of two types; a connection for each of `rules`."""
    edges = [{"source": "E", "target": {"layer": "L4"}, "mechanism": "AMPA", "rule": each, "weight": weight,
              "delay_ms": delay_ms} for each in rules]  # fmt: skip
    made = (
        jtfne.Config()
        .runtime(seed=seed, dt_ms=dt_ms, duration_ms=70.0)
        .areas(["V1"])
        .layers(["L2/3", "L4"])
    )
    return made.cells({"E": 12, "PV": 6}).connections(edges)


def listed(cfg, edges):
    """`cfg` with each connection replaced by its edges, read back from a table."""
    labels = list(dict.fromkeys(edges["connection"].to_pylist()))
    rules = [FromTable.from_table(edges, connection=label) for label in labels]
    return cfg.connections([
        {"source": each.source, "target": each.target, "mechanism": each.mechanism, "rule": rule}
        for each, rule in zip(cfg.circuit.connections, rules, strict=True)
    ])  # fmt: skip


@given(
    rules=st.lists(st.sampled_from(RULES), min_size=1, max_size=3),
    weight=st.sampled_from(WEIGHTS),
    delay_ms=st.sampled_from(DELAYS),
    seed=st.integers(0, 99),
    dt_ms=st.sampled_from([0.1, 0.7]),
)
@settings(max_examples=25)
def test_edges_written_and_read_give_the_same_net(rules, weight, delay_ms, seed, dt_ms):
    """Also a delay of just one step, which float32 rounds down (0.7 ms is 0.69999999 there)."""
    cfg = config(*rules, weight=weight, delay_ms=delay_ms, seed=seed, dt_ms=dt_ms)
    net = jtfne.construct(cfg)
    again = jtfne.construct(listed(cfg, net.edges))
    assert again.edges.drop_columns("connection").equals(net.edges.drop_columns("connection"))
    back = jtfne.Config.from_json(again.config.to_json())
    assert back == again.config == jtfne.Config.from_toml(again.config.to_toml())
    assert back.hash == again.config.hash


def test_edges_of_a_file_give_the_same_net(tmp_path):
    cfg = config(RULES[0], weight=WEIGHTS[1], delay_ms=DELAYS[1])
    net = jtfne.construct(cfg)
    pq.write_table(net.edges, tmp_path / "edges.parquet")
    rule = FromTable.read(tmp_path / "edges.parquet")
    again = jtfne.construct(cfg.connections([{**dict(cfg.circuit.connections[0]), "rule": rule}]))
    assert again.edges.equals(net.edges)


@pytest.mark.parametrize(
    "form",
    [dict, pd.DataFrame, pa.table, lambda c: pd.DataFrame(c).convert_dtypes(),
     lambda c: {k: np.array(v) for k, v in c.items()}],
    ids=["lists", "pandas", "Arrow", "nullable pandas", "numpy"],
)  # fmt: skip
def test_every_form_of_a_table(form):
    found = FromTable.from_table(form(COLUMNS))
    assert found == WANT and hash(found) == hash(WANT)
    assert found.source == (3, 0, 0) and list(found.weight) == [1.5, 2.5, 3.5]


@pytest.mark.parametrize("form", ["text", "dictionary", "categories"])
def test_rows_of_one_connection(form):
    names = ["a", "b", "a"]
    table = pa.table({**COLUMNS, "connection": names})
    if form == "dictionary":
        table = table.set_column(4, "connection", table["connection"].dictionary_encode())
    if form == "categories":
        table = pd.DataFrame({**COLUMNS, "connection": pd.Categorical(names)})
    found = FromTable.from_table(table, connection="a")
    assert found == FromTable(source=(3, 0), target=(1, 2), weight=(1.5, 3.5), delay_ms=(1.0, 0.7))
    with pytest.raises(
        jtfne.JtfneError, match=r"a table of 2 connections.* connection= one of 'a', 'b'"
    ):
        FromTable.from_table(table)
    with pytest.raises(jtfne.JtfneError, match="unknown connection 'c'; expected 'a', 'b'"):
        FromTable.from_table(table, connection="c")
    with pytest.raises(jtfne.JtfneError, match="connection='a' of a table without that column"):
        FromTable.from_table(COLUMNS, connection="a")


def sonata(
    path,
    *,
    groups=True,
    populations=("a",),
    nodes=("v1", "v1"),
    leave=(),
    attributes=("syn_weight", "delay"),
):
    """A SONATA file of the edges above; with `groups`, in two of them and each in an order of its
    own.
    """
    with h5py.File(path, "w") as file:
        for name in populations:
            edges = file.create_group(f"edges/{name}")
            for end, population in zip(("source", "target"), nodes, strict=True):
                edges[f"{end}_node_id"] = np.array(COLUMNS[end], np.uint64)
                edges[f"{end}_node_id"].attrs["node_population"] = population
            values = {
                "syn_weight": np.array(COLUMNS["weight"]),
                "delay": np.array(COLUMNS["delay_ms"]),
            }
            edges["edge_type_id"] = np.zeros(3, np.int64)
            if not groups:
                for each in attributes:
                    edges[f"0/{each}"] = values[each]
            else:
                edges["edge_group_id"], edges["edge_group_index"] = [1, 0, 1], [1, 0, 0]
                for each in attributes:
                    edges[f"0/{each}"], edges[f"1/{each}"] = values[each][[1]], values[each][[2, 0]]
            for each in leave:
                del edges[each]
    return path


@pytest.mark.parametrize("groups", [False, True])
def test_sonata(tmp_path, groups):
    assert FromTable.read(sonata(tmp_path / "e.h5", groups=groups)) == WANT
    path = sonata(tmp_path / "two.h5", groups=groups, populations=("a", "b"))
    assert FromTable.read(path, connection="b") == WANT
    bare = FromTable.read(sonata(tmp_path / "bare.h5", groups=groups, attributes=()))
    assert (bare.source, bare.weight, bare.delay_ms) == ((3, 0, 0), None, None)


WRONG_FILES = {
    "two populations": (
        {"populations": ("a", "b")},
        "2 edge populations.* connection= one of 'a', 'b'",
    ),
    "no ids": ({"leave": ("target_node_id",)}, "unknown dataset 'target_node_id'; expected"),
    "two kinds of nodes": (
        {"nodes": ("lgn", "v1")},
        "between node populations 'lgn', 'v1'.* one node population",
    ),
    "a group without weights": ({"leave": ("1/syn_weight",)}, r"groups \[1\] without 'syn_weight'"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_sonata_that_does_not_serve_is_one_clear_error(tmp_path, case):
    made, message = WRONG_FILES[case]
    with pytest.raises(jtfne.JtfneError, match=message) as error:
        FromTable.read(sonata(tmp_path / "e.h5", **made))
    assert len(str(error.value).splitlines()) == 1 and "e.h5" in str(error.value)


@pytest.mark.parametrize("suffix", [".h5", ".parquet"])
def test_files_that_are_none(tmp_path, suffix):
    path = tmp_path / f"e{suffix}"
    with pytest.raises(jtfne.JtfneError, match="which is no file"):
        FromTable.read(path)
    path.write_bytes(b"something else")
    with pytest.raises(jtfne.JtfneError, match="cannot be read"):
        FromTable.read(path)


WRONG_CELLS = {
    "empty, numpy": (
        {"source": [0.0, np.nan, np.nan]},
        r"source without a value in row 1 and 1 other",
    ),
    "empty, Arrow": (
        pa.table({"source": [0, None, 2], "target": [1, 1, 1]}),
        "source without a value in row 1",
    ),
    "empty, pandas": (
        pd.DataFrame({"source": pd.array([0, None, 2], "Int64"), "target": 1}),
        "source without a value in row 1",
    ),
    "empty weight": ({"weight": [1.0, None, 2.0]}, "weight without a value in row 1"),
    "negative id": (
        {"target": [1, -2, -3]},
        r"target\[1\]=-2 and 1 other.* whole numbers of at least 0",
    ),
    "half an id": ({"source": [0.5, 1.0, 2.0]}, "source=numbers of float64.* whole numbers"),
    "text": ({"source": ["a", "b", "c"]}, r"source=\['a', 'b', 'c'\]"),
    "truth": ({"source": [True, 1, 2]}, "source=.* whole numbers"),
    "delay zero": ({"delay_ms": [1.0, 0.0, 1.0]}, r"delay_ms\[1\]=0.0.* above 0"),
    "weight inf": ({"weight": [np.inf, 1.0, 2.0]}, r"weight\[0\]=inf.* finite"),
    "unit": ({"weight_uS": [1.0, 2.0, 3.0]}, "unknown column 'weight_uS'.* nearest: 'weight_"),
    "unit of a delay": (
        {"delay": [1.0, 2.0, 3.0]},
        "unknown column 'delay'.* nearest: 'delay_ms'",
    ),
}


@pytest.mark.parametrize("case", WRONG_CELLS)
def test_cells_that_do_not_serve_are_one_clear_error(case):
    changed, message = WRONG_CELLS[case]
    table = (
        {"source": [0, 1, 2], "target": [1, 1, 1], **changed}
        if isinstance(changed, dict)
        else changed
    )
    with pytest.raises(jtfne.JtfneError, match=message) as error:
        FromTable.from_table(table)
    assert len(str(error.value).splitlines()) == 1


def test_unknown_cells_are_one_clear_error():
    table = FromTable(source=[0, 77, 99], target=[6, 6, 6], weight=[1.0] * 3)
    with pytest.raises(jtfne.JtfneError, match=r"ids=\[77, 99\];.* 0 \.\. 17.*FromTable.source"):
        jtfne.construct(config(table))
    others = FromTable(source=[0], target=[1], weight=[1.0])
    with pytest.raises(jtfne.JtfneError, match=r"ids=\[1\];.* that the selector chooses"):
        jtfne.construct(config(others))


def test_a_column_is_a_tuple_that_takes_less_room():
    column = Column(np.arange(9))
    assert (
        column == tuple(range(9))
        and column == list(range(9))
        and column != (1, 2)
        and column != "012345678"
    )
    assert hash(column) == hash(tuple(range(9))) and column[-1] == 8 and column[2:4] == (2, 3)
    assert repr(column) == "(0, 1, 2, ..., 8)" and repr(column[:2]) == "(0, 1)"
    assert pickle.loads(pickle.dumps(column)) == column == copy.deepcopy(column)
    assert np.asarray(column, np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        column.array[0] = 5
    given_array = np.arange(3)
    rule = FromTable(source=given_array, target=given_array)
    given_array[0] = 7
    assert rule.source == (0, 1, 2)
