"""Delays from distance, and the feedforward and feedback connections that need them."""

import numpy as np
import pytest

import jtfne
from jtfne.config import FromDistance

PLACES = {"V1": (-12.0, -54.0, 44.0), "V4": (-30.0, -51.0, 32.0)}
FAR_mm = np.linalg.norm(np.subtract(*PLACES.values()))


def net(*connections, delay_ms):
    """Two areas of two layers, 20 cells of E in each layer."""
    shared = {
        "mechanism": "AMPA",
        "weight": 3.0,
        "rule": {"kind": "FixedIndegree", "n": 5},
        "delay_ms": delay_ms,
    }
    edges = [{**shared, **each} for each in connections]
    cfg = (
        jtfne.Config()
        .runtime(seed=2)
        .areas([{"name": name, "position_mm": at} for name, at in PLACES.items()])
    )
    return jtfne.construct(
        cfg.layers(["L2/3", "L4"]).cells({"L2/3": {"E": 20}, "L4": {"E": 20}}).connections(edges)
    )


FORWARD = {"source": {"area": "V1", "layer": "L2/3"}, "target": {"area": "V4", "layer": "L4"}}
BACK = {"source": {"area": "V4", "layer": "L4"}, "target": {"area": "V1", "layer": "L2/3"}}


@pytest.mark.parametrize(("velocity_m_s", "offset_ms"), [(3.5, 0.5), (10.0, 0.0)])
def test_feedforward_and_feedback_take_the_way_between_areas(velocity_m_s, offset_ms):
    made = net(FORWARD, BACK, delay_ms=FromDistance(velocity_m_s=velocity_m_s, offset_ms=offset_ms))
    want_ms = offset_ms + FAR_mm / velocity_m_s
    for projection, (source, target) in zip(
        made.projections, ((FORWARD, "V4"), (BACK, "V1")), strict=True
    ):
        cells = made.neurons.iloc[np.unique(projection.target)]
        assert set(cells["area"]) == {target} and cells["layer"].nunique() == 1
        assert set(projection.source()) <= set(made.select(**source["source"]).tolist())
        np.testing.assert_array_equal(projection.delay_ms, np.float32(want_ms))
    steps = round(want_ms / 0.1)
    assert made.to_flat().circuit.delivery.ring.n_slots == steps + 1


def test_within_an_area_the_way_is_that_of_the_cells():
    delay_ms = FromDistance(velocity_m_s=0.3, offset_ms=0.4)
    made = net({"source": "E", "target": "E"}, delay_ms=delay_ms)
    (projection,) = made.projections
    source, target, places = projection.source(), projection.target, made.identity.position_mm
    area = made.neurons["area"].to_numpy()
    apart_mm = np.linalg.norm(places[source] - places[target], axis=1)
    apart_mm[area[source] != area[target]] = FAR_mm
    assert 0 < np.count_nonzero(apart_mm == FAR_mm) < apart_mm.size
    np.testing.assert_allclose(projection.delay_ms, 0.4 + apart_mm / 0.3, rtol=1e-6)
    assert projection.delay_ms.min() >= 0.4


def test_a_table_without_delays_takes_them_from_distance():
    rule = {"kind": "FromTable", "source": [0, 1], "target": [60, 61]}
    made = net({**FORWARD, "rule": rule}, delay_ms=FromDistance(velocity_m_s=2.0))
    np.testing.assert_array_equal(made.projections[0].delay_ms, np.float32(FAR_mm / 2.0))
    told = net(
        {**FORWARD, "rule": {**rule, "delay_ms": [1.0, 2.0]}},
        delay_ms=FromDistance(velocity_m_s=2.0),
    )
    assert told.projections[0].delay_ms.tolist() == [1.0, 2.0]


def test_blocks_do_not_tell(monkeypatch):
    from jtfne.wiring import _distance

    delay_ms = FromDistance(velocity_m_s=0.3, offset_ms=0.4)
    want = net({"source": "E", "target": "E"}, delay_ms=delay_ms)
    monkeypatch.setattr(_distance, "BLOCK", 7)
    assert net({"source": "E", "target": "E"}, delay_ms=delay_ms).edges.equals(want.edges)


RULES = [
    {"kind": "AllToAll"},
    {"kind": "FixedProbability", "p": 0.4},
    {"kind": "FixedTotal", "n": 300, "autapses": True},
    {"kind": "OneToOne"},
    {"kind": "DistanceDecay", "p0": 0.9, "length_mm": 0.5},
    {"kind": "FromTable", "source": [5, 0, 2], "target": [1, 3, 30]},
]
LOADS = {
    "ExponentialDecay": lambda d_mm: d_mm / 0.2,
    "GaussianDecay": lambda d_mm: d_mm**2 / (2.0 * 0.2**2),
}
HERE = {"source": {"area": "V1"}, "target": {"area": "V1"}}


@pytest.mark.parametrize("lateral", [False, True])
@pytest.mark.parametrize("profile", LOADS)
@pytest.mark.parametrize("weight", [3.0, {"kind": "LogNormal", "mean": 3.0, "sd": 1.0}])
@pytest.mark.parametrize("rule", RULES, ids=lambda each: each["kind"])
def test_weights_fall_with_distance_by_any_rule(monkeypatch, rule, weight, profile, lateral):
    """What is drawn without it, edge for edge, times the profile at the distance of its cells; in
    several blocks.
    """
    from jtfne.wiring import _distance

    monkeypatch.setattr(_distance, "BLOCK", 7)
    edge = {**HERE, "rule": rule, "weight": weight}
    (plain,) = net(edge, delay_ms=1.0).projections
    made = net(
        {**edge, "weight_decay": {"length_mm": 0.2, "profile": profile, "lateral": lateral}},
        delay_ms=1.0,
    )
    (fallen,) = made.projections
    np.testing.assert_array_equal(fallen.target, plain.target)
    places = made.identity.position_mm[:, : 2 if lateral else 3]
    apart_mm = np.linalg.norm(places[fallen.source()] - places[fallen.target], axis=1)
    want = plain.weight * np.exp(-LOADS[profile](apart_mm))
    np.testing.assert_allclose(fallen.weight, want, rtol=1e-6)
    assert fallen.n_edges >= 3 and (rule["kind"] == "OneToOne" or np.ptp(fallen.weight) > 0.1)


def test_a_weight_decay_is_written_and_read_only_where_there_is_one():
    plain, fallen = (
        net({**HERE, **each}, delay_ms=1.0).config
        for each in ({}, {"weight_decay": {"length_mm": 0.2}})
    )
    assert "weight_decay" not in plain.to_json() and plain.hash != fallen.hash
    assert (
        jtfne.Config.from_json(fallen.to_json())
        == fallen
        == jtfne.Config.from_toml(fallen.to_toml())
    )
