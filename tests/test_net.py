"""construct: named cells, edges by the declared rules, and how cells are chosen."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jtfne
from jtfne import JtfneError
from jtfne.config import (
    AllToAll,
    Connection,
    DistanceDecay,
    FixedIndegree,
    FixedOutdegree,
    FixedProbability,
    FixedTotal,
    FromTable,
    Normal,
    OneToOne,
    Selector,
    Uniform,
    WeightDecay,
)
from jtfne.net import Net, connection_labels, construct, identity_from_labels, select_rows

E, PV = Selector(cell_type="E"), Selector(cell_type="PV")
MIX = {"L2/3": {"E": 40, "PV": 10}, "L4": {"E": 30, "PV": 20}}


def config(*connections, seed=5, mix=MIX, n=100, areas=("V1", "V4")):
    return (
        jtfne.Config()
        .runtime(seed=seed)
        .areas(list(areas))
        .layers(["L2/3", "L4"])
        .cells(mix, n=n)
        .connections(list(connections))
    )


def connect(source, target, rule, mechanism="AMPA", weight=20.0, delay_ms=1.5):
    return Connection(
        source=source,
        target=target,
        mechanism=mechanism,
        rule=rule,
        weight=weight,
        delay_ms=delay_ms,
    )


RANDOM = connect(
    E,
    PV,
    FixedProbability(p=0.2),
    weight=Normal(mean=20.0, sd=5.0),
    delay_ms=Uniform(low=0.5, high=3.0),
)
INHIBITION = connect(PV, E, FixedIndegree(n=7), "GABA_A", weight=-30.0)


@pytest.fixture(scope="module")
def net():
    return construct(config(RANDOM, INHIBITION))


def edges_of(projection):
    return projection.indptr, projection.target, projection.weight, projection.delay_ms


# identity


def test_rows_follow_the_populations(net):
    populations = net.config.populations()
    assert net.n_neurons == sum(each.n_cells for each in populations) == 200
    start = 0
    for each in populations:
        rows = net.select(area=each.area, layer=each.layer, cell_type=each.cell_type)
        assert rows.tolist() == list(range(start, start + each.n_cells))
        assert rows.dtype == np.int32
        start += each.n_cells


def test_neurons_is_a_row_a_cell(net):
    table = net.neurons
    assert list(table.columns) == ["neuron", "area", "layer", "cell_type", "x_mm", "y_mm", "z_mm"]
    assert table["neuron"].tolist() == list(range(200))
    l4 = table[table["layer"] == "L4"]
    assert len(l4) == 100
    layer = {each.name: each for each in net.config.circuit.layers}["L4"]
    thickness_mm = net.config.circuit.geometry.thickness_mm
    assert l4["z_mm"].between(layer.top * thickness_mm, layer.bottom * thickness_mm).all()
    assert np.hypot(table["x_mm"], table["y_mm"]).max() <= net.config.circuit.geometry.radius_mm


def test_places_of_a_population_are_its_own():
    alone, both = construct(config(areas=["V1"])), construct(config(areas=["V4", "V1"]))
    np.testing.assert_array_equal(
        alone.identity.position_mm, both.identity.position_mm[both.select(area="V1")]
    )


def test_areas_are_not_copies_of_each_other(net):
    v1, v4 = (net.identity.position_mm[net.select(area=name)] for name in ("V1", "V4"))
    assert not np.any(v1 == v4)


# determinism and streams


def test_same_config_same_net(net):
    again, other = (
        construct(config(RANDOM, INHIBITION)),
        construct(config(RANDOM, INHIBITION, seed=6)),
    )
    for one, two in zip(net.projections, again.projections, strict=True):
        for a, b in zip(edges_of(one), edges_of(two), strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(net.identity.position_mm, again.identity.position_mm)
    assert not np.array_equal(net.projections[1].target, other.projections[1].target)
    assert not np.array_equal(net.identity.position_mm, other.identity.position_mm)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_adding_a_connection_changes_no_other(net, place):
    connections = [RANDOM, INHIBITION]
    connections.insert(place, connect(E, E, FixedTotal(n=50)))
    more = construct(config(*connections))
    labels = connection_labels(more.config.circuit.connections)
    for before, label in zip(net.projections, ("E->PV:AMPA", "PV->E:GABA_A"), strict=True):
        after = more.projections[labels.index(label)]
        for a, b in zip(edges_of(before), edges_of(after), strict=True):
            np.testing.assert_array_equal(a, b)


def test_edges_do_not_depend_on_weights(net):
    heavier = connect(E, PV, FixedProbability(p=0.2), weight=Normal(mean=99.0, sd=1.0))
    np.testing.assert_array_equal(
        construct(config(heavier)).projections[0].target, net.projections[0].target
    )


def test_weights_and_delays_are_drawn_apart():
    dists = {"weight": Normal(mean=20.0, sd=1.0), "delay_ms": Normal(mean=20.0, sd=1.0, low=1.0)}
    (made,) = construct(config(connect(E, PV, AllToAll(), **dists))).projections
    correlation = np.corrcoef(made.weight, made.delay_ms)[0, 1]
    assert abs(correlation) < 4 / np.sqrt(made.n_edges)


def test_gains_scale_the_weights_of_their_pair_and_no_others():
    spread = Normal(mean=20.0, sd=4.0)
    some = [
        connect(Selector(), "PV", FixedProbability(p=0.2), weight=spread),
        connect("E", "E", FixedTotal(n=40)),
    ]
    before, after = config(*some), config(*some).connections(gains={"E->PV": 1.5, "E->E": 0.5})
    net, changed = construct(before), construct(after)
    from_e = np.isin(net.projections[0].source(), net.select(cell_type="E"))
    want = np.where(from_e, np.float32(1.5), np.float32(1.0)) * net.projections[0].weight
    np.testing.assert_array_equal(changed.projections[0].weight, want)
    assert from_e.any() and not from_e.all()
    assert changed.projections[1].weight.tolist() == [10.0]
    for old, new in zip(net.projections, changed.projections, strict=True):
        np.testing.assert_array_equal(old.target, new.target)
    assert before.hash == config(*some).connections(gains={}).hash != after.hash


def test_twin_connections_are_drawn_apart():
    net = construct(config(RANDOM, RANDOM))
    one, two = net.projections
    assert connection_labels(net.config.circuit.connections) == ("E->PV:AMPA", "E->PV:AMPA#2")
    assert not np.array_equal(one.target, two.target)


def test_labels_tell_selectors():
    source = Selector(area="V1", layer=("L2/3", "L4"), cell_type="E")
    (label,) = connection_labels([connect(source, Selector(), AllToAll())])
    assert label == "V1/L2/3+L4/E->all:AMPA"


# edges


def test_memory_is_12_bytes_an_edge():
    net = construct(config(RANDOM, INHIBITION, mix={"E": 0.5, "PV": 0.5}, n=1000))
    varied, constant = net.projections
    assert sum(each.nbytes for each in edges_of(varied)[1:]) == 12 * varied.n_edges
    assert sum(each.nbytes for each in edges_of(constant)[1:]) == 4 * constant.n_edges + 8
    assert varied.indptr.nbytes == 8 * (net.n_neurons + 1)


def test_building_takes_the_edges_and_a_bounded_work_area():
    """20,000 cells, 2 million edges: their 24 MB, and blocks of 2**19 edges beside them."""
    dists = {"weight": Normal(mean=20.0, sd=5.0), "delay_ms": Uniform(low=0.5, high=3.0)}
    cfg = config(
        connect(E, E, FixedProbability(p=0.005), **dists), mix={"E": 1.0}, n=20_000, areas=["V1"]
    )
    tracemalloc.start()
    net = construct(cfg)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert net.n_edges == pytest.approx(2_000_000, rel=0.01)
    assert peak < 12 * net.n_edges + 8 * 8 * 2**19


def test_edges_is_an_arrow_table(net):
    table = net.edges
    assert table.num_rows == net.n_edges == sum(each.n_edges for each in net.projections)
    types = [
        table.schema.field(name).type for name in ("source", "target", "weight_pA", "delay_ms")
    ]
    assert types == [pa.int32(), pa.int32(), pa.float32(), pa.float32()]
    assert pa.types.is_dictionary(table.schema.field("mechanism").type)
    frame = table.to_pandas()
    excitation, inhibition = (frame[frame["mechanism"] == name] for name in ("AMPA", "GABA_A"))
    assert set(excitation["connection"]) == {"E->PV:AMPA"}
    assert np.isin(excitation["source"], net.select(cell_type="E")).all()
    assert np.isin(excitation["target"], net.select(cell_type="PV")).all()
    assert excitation["weight_pA"].min() > 0
    assert excitation["delay_ms"].between(0.5, 3.0).all()
    assert set(inhibition["weight_pA"]) == {-30.0}
    assert set(inhibition["delay_ms"]) == {1.5}
    assert (
        np.bincount(inhibition["target"], minlength=200)[net.select(cell_type="E")].tolist()
        == [7] * 140
    )


def test_a_net_without_connections_has_an_empty_table():
    net = construct(config())
    assert net.n_edges == 0
    assert net.edges.num_rows == 0
    assert net.summary().populations["mean_in_degree"].tolist() == [0.0] * 8


def test_summary_counts(net):
    summary = net.summary().populations
    assert summary["n_neurons"].sum() == 200
    of_e = summary[summary["cell_type"] == "E"]
    assert set(of_e["mean_in_degree"]) == {7.0}
    assert (summary["n_neurons"] * summary["mean_out_degree"]).sum() == pytest.approx(net.n_edges)


@pytest.mark.parametrize(
    ("rule", "n_edges"),
    [
        (AllToAll(), 140 * 139),
        (AllToAll(autapses=True), 140 * 140),
        (FixedOutdegree(n=3), 420),
        (FixedIndegree(n=139, multapses=False), 140 * 139),
        (FixedTotal(n=1000), 1000),
        (OneToOne(), 140),
        (FixedProbability(p=1.0), 140 * 139),
    ],
    ids=lambda each: getattr(each, "kind", None),
)
def test_counts_through_config(rule, n_edges):
    assert construct(config(connect(E, E, rule))).n_edges == n_edges


def test_part_of_the_cells_at_both_ends():
    """Autapses are found where the ends overlap, though rows differ from numbers within an end."""
    (made,) = construct(config(connect(Selector(layer="L4"), E, AllToAll()))).projections
    assert made.n_edges == 100 * 140 - 60
    assert not np.any(made.source() == made.target)


def test_one_to_one_pairs_in_the_order_asked():
    rule = connect(Selector(ids=(7, 3, 5)), Selector(ids=(150, 160, 155)), OneToOne())
    (made,) = construct(config(rule)).projections
    assert list(zip(made.source().tolist(), made.target.tolist(), strict=True)) == [
        (3, 160),
        (5, 155),
        (7, 150),
    ]


def test_one_to_one_refuses_unequal_ends():
    with pytest.raises(JtfneError, match="140 cells to 60"):
        construct(config(connect(E, PV, OneToOne())))


def test_distance_decay_stays_in_its_area():
    rule = DistanceDecay(p0=0.5, length_mm=0.1)
    here = Selector(area="V1", cell_type="E")
    assert construct(config(connect(here, here, rule))).n_edges > 100
    with pytest.raises(JtfneError, match="'V1', 'V4'"):
        construct(config(connect(here, E, rule)))
    with pytest.raises(JtfneError, match="weight_decay between cells of areas 'V1', 'V4'"):
        construct(
            config(
                connect(here, E, AllToAll()).model_copy(
                    update={"weight_decay": WeightDecay(length_mm=0.1)}
                )
            )
        )


def test_too_many_distinct_sources_are_refused_with_the_place():
    with pytest.raises(JtfneError, match=r"connections\[1\]"):
        construct(
            config(
                RANDOM, connect(PV, E, FixedIndegree(n=61, multapses=False), "GABA_A", weight=-1.0)
            )
        )


def test_from_table_keeps_what_is_given():
    table = FromTable(
        source=(5, 0, 5), target=(41, 42, 40), weight=(3.0, 1.0, 2.0), delay_ms=(2.0, 1.0, 1.5)
    )
    (made,) = construct(config(connect(E, PV, table))).projections
    rows = zip(
        *(each.tolist() for each in (made.source(), made.target, made.weight, made.delay_ms)),
        strict=True,
    )
    assert list(rows) == [(0, 42, 1.0, 1.0), (5, 40, 2.0, 1.5), (5, 41, 3.0, 2.0)]


def test_from_table_without_weights_takes_the_connections():
    (made,) = construct(
        config(connect(E, PV, FromTable(source=(5, 0), target=(41, 42)), weight=4.0))
    ).projections
    assert made.weight.tolist() == [4.0]
    assert made.delay_ms.tolist() == [1.5]


@pytest.mark.parametrize(("source", "target"), [((45,), (41,)), ((5,), (6,)), ((200,), (41,))])
def test_from_table_refuses_ids_outside_the_selection(source, target):
    with pytest.raises(JtfneError, match="FromTable"):
        construct(config(connect(E, PV, FromTable(source=source, target=target))))


# selection


def test_select_takes_scalars_and_lists_and_all_keys_hold(net):
    v1_e = net.select(area="V1", cell_type=["E"])
    assert v1_e.tolist() == [*range(40), *range(50, 80)]
    assert net.select(cell_type=["PV", "E"]).tolist() == list(range(200))
    assert net.select().size == 200
    assert net.select_with(Selector(area="V1", cell_type="E")).tolist() == v1_e.tolist()


def test_ids_come_back_in_the_order_asked(net):
    assert net.select(ids=[9, 3, 120]).tolist() == [9, 3, 120]
    assert net.select(ids=np.int64(9)).tolist() == [9]
    assert net.select(ids=[120, 9, 3], area="V1").tolist() == [9, 3]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"layer": "L23"}, "unknown layer 'L23'; expected 'L2/3', 'L4'; nearest: 'L2/3'"),
        ({"cell_type": ["E", "SOM"]}, "unknown cell_type 'SOM'; expected 'E', 'PV'"),
        ({"area": 3}, "area=3"),
        ({"area": []}, "matches no cell"),
        ({"ids": [3], "cell_type": "PV"}, "matches no cell"),
        ({"ids": []}, "matches no cell"),
        (
            {"ids": [3, 200]},
            r"ids=\[200\]; expected the ids of the 200 cells, 0 .. 199",
        ),
        ({"ids": [3, 9, 3]}, "ids=3, given twice; expected each once"),
        ({"cell_type": ["E", "E"]}, "cell_type='E', given twice"),
        ({"ids": [-1]}, r"ids=\[-1\]"),
        ({"ids": [1.0]}, "integers"),
        ({"ids": [True]}, "integers"),
    ],
)
def test_select_refuses(net, keys, message):
    with pytest.raises(JtfneError, match=message):
        net.select(**keys)


def test_a_net_without_identity_does_not_guess():
    bare = Net(config(), None, n_neurons=10)
    assert bare.n_neurons == 10
    assert bare.edges.num_rows == 0
    for ask in (
        bare.select,
        lambda: bare.select(ids=[1]),
        lambda: bare.select(cell_type="E"),
        lambda: bare.neurons,
    ):
        with pytest.raises(JtfneError, match="without identity"):
            ask()


def test_a_net_has_one_number_of_neurons(net):
    with pytest.raises(JtfneError, match="one number of neurons"):
        Net(net.config, net.identity, n_neurons=3)


def test_construct_refuses_what_is_no_config():
    with pytest.raises(JtfneError, match=r"cfg=\{\}; expected a jtfne.Config"):
        construct({})


NAMES = {"area": ("V1", "V4"), "layer": ("L1", "L4", "L6"), "cell_type": ("E", "PV", "SST")}


@st.composite
def labelled_cells(draw):
    """Labels of up to 30 cells in any order, with ids in any order."""
    n = draw(st.integers(1, 30))
    columns = {
        name: draw(st.lists(st.sampled_from(known), min_size=n, max_size=n))
        for name, known in NAMES.items()
    }
    return columns, draw(st.permutations(range(100, 100 + n)))


@given(
    cells=labelled_cells(),
    asked=st.fixed_dictionaries(
        {},
        optional={
            n: st.lists(st.sampled_from(k), max_size=3, unique=True) for n, k in NAMES.items()
        },
    ),
    picks=st.none() | st.lists(st.integers(100, 129), max_size=6, unique=True),
)
def test_select_equals_a_plain_loop(cells, asked, picks):
    columns, ids = cells
    identity = identity_from_labels(
        **columns, position_mm=np.zeros((len(ids), 3)), ids=np.array(ids)
    )

    def holds(row):
        return all(columns[name][row] in names for name, names in asked.items())

    unknown = any(each not in columns[name] for name, names in asked.items() for each in names)
    missing = picks is not None and not set(picks) <= set(ids)
    order = range(len(ids)) if picks is None else [ids.index(each) for each in picks if each in ids]
    want = [row for row in order if holds(row)]
    if unknown or missing or not want:
        with pytest.raises(JtfneError):
            select_rows(identity, **asked, ids=picks)
    else:
        assert select_rows(identity, **asked, ids=picks).tolist() == want
