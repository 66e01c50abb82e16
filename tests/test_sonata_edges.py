"""FromTable.read of SONATA edges: types, numbers of synapses, and node populations are told apart;
what one rule cannot hold is one clear error.
"""

import numpy as np
import pytest

import jtfne
from jtfne.config import FromTable
from sonata_circuit import EDGE_TYPES, write_edges, write_lines

NODES = {"V1": [10, 11, 12, 13, 14], "LGN": [0, 1, 2]}


@pytest.fixture(scope="module")
def edges(tmp_path_factory):
    """Edges within V1 and from LGN, whose weights stand in the table of types."""
    return write_edges(tmp_path_factory.mktemp("edges") / "edges.h5")


@pytest.fixture(scope="module")
def types(tmp_path_factory):
    """The table of types: 10 and 12 excite, 11 inhibits."""
    return write_lines(tmp_path_factory.mktemp("types") / "edge_types.csv", EDGE_TYPES)


def read(path, **arguments):
    """The rule as lists: source, target, weight, delay."""
    rule = FromTable.read(path, **arguments)
    return [
        None if column is None else list(column)
        for column in (rule.source, rule.target, rule.weight, rule.delay_ms)
    ]


def test_a_type_gives_weight_and_delay_and_synapses_scale_the_weight(edges, types):
    excitatory = read(edges, connection="V1_to_V1", types=types, edge_type=10)
    assert excitatory == [[0, 2], [2, 0], [2.0, 6.0], [1.5, 1.5]]


def test_an_edge_without_synapses_is_none(edges, types):
    inhibitory = read(edges, connection="V1_to_V1", types=types, edge_type=11)
    assert inhibitory == [[1], [0], [-1.0], [0.8]]


def test_without_weights_an_edge_comes_as_often_as_it_has_synapses(edges):
    assert read(edges, connection="V1_to_V1", edge_type=10) == [
        [0, 2, 2, 2],
        [2, 0, 0, 0],
        None,
        None,
    ]


def test_populations_are_mapped_to_ids_of_the_net(edges, types):
    rule = read(edges, connection="LGN_to_V1", types=types, edge_type=12, nodes=NODES)
    assert rule == [[2, 1], [11, 13], [1.0, 0.25], [2.0, 2.0]]
    within = read(edges, connection="V1_to_V1", types=types, edge_type=11, nodes=NODES)
    assert within[:2] == [[11], [10]]


def test_a_weight_of_the_edge_counts_more_than_that_of_its_type(tmp_path, types):
    path = write_edges(
        tmp_path / "e.h5",
        {"V1_to_V1": ("V1", "V1", [(0, 1, 10, 1), (1, 0, 10, 1)])},
        attributes={"syn_weight": [4.0, 5.0]},
    )
    assert read(path, types=types) == [[0, 1], [1, 0], [4.0, 5.0], [1.5, 1.5]]


def test_types_of_one_kind_are_read_together(tmp_path):
    table = write_lines(
        tmp_path / "t.csv", ["edge_type_id syn_weight delay", "0 1.0 1.0", "1 2.0 3.0"]
    )
    path = write_edges(
        tmp_path / "e.h5", {"a": ("V1", "V1", [(0, 1, 1, 1), (1, 0, 0, 1)])}, with_nsyns=False
    )
    assert read(path, types=table) == [[0, 1], [1, 0], [2.0, 1.0], [3.0, 1.0]]


REFUSED = {
    "types of both signs": (
        {"connection": "V1_to_V1", "types": True},
        (
            r"edges of 2 types, 10 \(static_synapse, plain.json, weights 2\), "
            r"11 \(static_synapse, weights -0.5\).*expected edge_type= one of them"
        ),
    ),
    "types of other parameters": (
        {"connection": "LGN_to_V1", "types": True, "nodes": NODES},
        r"edges of 2 types, 10 \(static_synapse, plain.json, weights 2\), 12 \(weights 0.25\)",
    ),
    "types without a table": (
        {"connection": "V1_to_V1"},
        r"edges of 2 types, 10 \(no weights\),.* expected types= their table, or edge_type=",
    ),
    "an unknown type": (
        {"connection": "V1_to_V1", "types": True, "edge_type": 12},
        r"edge_type=12; expected 10, 11",
    ),
    "an unknown population": (
        {"connection": "V1_to_V2", "types": True},
        r"unknown edge population 'V1_to_V2';.* nearest: 'V1_to_V1'",
    ),
    "between populations": (
        {"connection": "LGN_to_V1", "types": True, "edge_type": 10},
        r"between node populations 'LGN', 'V1'.* or nodes=\{population: ids\}",
    ),
    "a population without ids": (
        {"connection": "LGN_to_V1", "types": True, "edge_type": 10, "nodes": {"V1": [0] * 5}},
        r"nodes without 'LGN', the population of each source",
    ),
    "too few ids": (
        {"connection": "V1_to_V1", "types": True, "edge_type": 10, "nodes": {"V1": [0, 1]}},
        r"node 2 of 'V1'; expected one of the 2 in nodes",
    ),
    "ids that are none": (
        {"connection": "V1_to_V1", "types": True, "edge_type": 10, "nodes": {"V1": "abcde"}},
        r"nodes\['V1'\]",
    ),
    "nodes that are none": (
        {"connection": "V1_to_V1", "types": True, "edge_type": 10, "nodes": 3},
        r"nodes=3; expected",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_rule_cannot_hold_is_one_clear_error(edges, types, case):
    arguments, message = REFUSED[case]
    arguments = {**arguments, **({"types": types} if "types" in arguments else {})}
    with pytest.raises(jtfne.JtfneError, match=message) as error:
        FromTable.read(edges, **arguments)
    assert len(str(error.value).splitlines()) == 1


TABLES = {
    "no such column": (["id syn_weight", "10 1.0"], "columns 'id', 'syn_weight'.* 'edge_type_id'"),
    "no header": ([], "columns of no name"),
    "a short row": (["edge_type_id delay", "10"], "row 2 of 1 values"),
    "an id twice": (["edge_type_id", "10", "10"], "edge_type_id 10 given twice"),
    "an id that is none": (["edge_type_id", "ten"], "edge_type_id 'ten'"),
    "a weight that is none": (
        ["edge_type_id syn_weight", "10 heavy", "11 1.0"],
        "syn_weight 'heavy' of a type",
    ),
    "a part of the types": (
        ["edge_type_id syn_weight", "10 1.0", "11 NULL"],
        "edge type 11 without 'syn_weight'",
    ),
    "a type that is missing": (["edge_type_id", "10"], "edges of type 11, which the table"),
    "an open quote": (["edge_type_id delay", '10 "1.0'], "cannot be read"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_of_types_that_does_not_serve_is_one_clear_error(edges, tmp_path, case):
    lines, message = TABLES[case]
    table = write_lines(tmp_path / "t.csv", lines)
    with pytest.raises(jtfne.JtfneError, match=message):
        FromTable.read(edges, connection="V1_to_V1", types=table, edge_type=11)


def test_other_suffixes_take_no_types(tmp_path):
    (tmp_path / "e.csv").write_text("source,target\n0,1\n")
    with pytest.raises(jtfne.JtfneError, match=r"edge_type= with 'e.csv'"):
        FromTable.read(tmp_path / "e.csv", edge_type=3)


def test_a_file_cut_short_is_one_clear_error(edges, tmp_path):
    data = edges.read_bytes()
    for share in (0.0, 0.1, 0.5, 0.9):
        (tmp_path / "cut.h5").write_bytes(data[: int(share * len(data))])
        with pytest.raises(jtfne.JtfneError, match="cannot be read"):
            FromTable.read(tmp_path / "cut.h5", connection="V1_to_V1", edge_type=10)


def test_weights_of_both_signs_in_one_type_are_refused(tmp_path, types):
    path = write_edges(
        tmp_path / "e.h5",
        {"V1_to_V1": ("V1", "V1", [(0, 1, 10, 1), (1, 0, 10, 1)])},
        attributes={"syn_weight": np.array([1.0, -1.0])},
    )
    with pytest.raises(jtfne.JtfneError, match=r"weights from -1 to 1.* weights of one sign"):
        FromTable.read(path, types=types)
