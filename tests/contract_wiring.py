"""One contract for all rules: as many edges as they say, drawn as they say, alike whatever draws
them, and refused.
"""

import dataclasses
import typing

import numpy as np
import pytest
from scipy import stats

import jtfne
import jtfne.net
from jtfne.config import Rule
from jtfne.config.rules import WiringRule
from jtfne.wiring import _distance, _rules

P_LEAST = 1e-4  # of a seeded test of chance
N = 24  # cells of a layer; E is in two, so that ends can be the same, or apart
N_DRAWS = 60
LISTED = {"source": [0, 3, 3, 7], "target": [30, 24, 24, 47], "weight": [1.0, 2.0, 3.0, 4.0]}


@dataclasses.dataclass(frozen=True)
class Row:
    """A rule with its fields; `total`, `indegree`, `outdegree` where they are exact; `p` where each
    pair has a chance.

    even: every pair is alike. repeats: pairs may come twice. autapses: the policy as written, for
    ends that are the same. wrong: fields that are refused.
    """

    kind: str
    fields: dict = dataclasses.field(default_factory=dict)
    total: int | None = None
    indegree: int | None = None
    outdegree: int | None = None
    p: float | None = None
    even: bool = True
    repeats: bool = False
    autapses: bool | None = False
    wrong: tuple = ()

    def __str__(self):
        return " ".join([self.kind, *(f"{name}={self.fields[name]}" for name in ("autapses", "multapses", "profile")
                                      if name in self.fields)])  # fmt: skip

    @property
    def rule(self):
        return {"kind": self.kind, **self.fields}


def both(row):
    """The row as it is, and with autapses the other way."""
    other = not row.autapses
    return [row, dataclasses.replace(row, fields={**row.fields, "autapses": other}, autapses=other)]


def degrees(kind, n, **exact):
    wrong = ({"n": 0}, {"n": -1}, {"n": 1.5}, {"m": 2})
    with_repeats = Row(kind, {"n": n}, repeats=True, wrong=wrong, **exact)
    distinct = dataclasses.replace(with_repeats, fields={"n": n, "multapses": False}, repeats=False)
    return [*both(with_repeats), *both(distinct)]


NO_SHARE = ({"p": -0.1}, {"p": 1.1}, {"p": np.nan}, {"q": 0.5})
NO_LENGTH = (
    {"length_mm": 0.0},
    {"length_mm": -1.0},
    {"p0": 2.0},
    {"profile": "Gauss"},
    {"profile": 3},
)
NO_TABLE = (
    {"source": [0]},
    {"source": [0, 1, 2, -3]},
    {"weight": [1.0, 2.0, 3.0, np.nan]},
    {"delay_ms": [0.0] * 4},
)
WIDE = {"p0": 0.3, "length_mm": 1e6}  # so long that every pair is alike
NARROW = {"p0": 0.8, "length_mm": 0.2}
CATALOGUE = (
    *both(Row("FixedProbability", {"p": 0.2}, p=0.2, wrong=NO_SHARE)),
    *degrees("FixedIndegree", 9, indegree=9, total=9 * N),
    *degrees("FixedOutdegree", 9, outdegree=9, total=9 * N),
    *degrees("FixedTotal", 150, total=150),
    *both(Row("OneToOne", autapses=True, total=N, even=False, wrong=({"n": 1}, {"autapses": 1}))),
    *both(Row("AllToAll", p=1.0, wrong=({"p": 0.1}, {"autapses": "no"}))),
    *both(Row("DistanceDecay", WIDE, p=0.3, wrong=NO_LENGTH)),
    *both(Row("DistanceDecay", {**WIDE, "profile": "GaussianDecay"}, p=0.3, wrong=NO_LENGTH)),
    *both(Row("DistanceDecay", NARROW, even=False, wrong=({"lateral": 1},))),
    *both(
        Row("DistanceDecay", {**NARROW, "profile": "GaussianDecay", "lateral": True}, even=False)
    ),
    Row("FromTable", LISTED, total=4, even=False, repeats=True, autapses=None, wrong=NO_TABLE),
)
each_row = pytest.mark.parametrize("row", CATALOGUE, ids=str)


def config(row, seed=0, same=False, **changed):
    """E of L2/3 (cells 0 .. 23) onto E of L4 (24 .. 47), or onto itself."""
    upper, lower = ({"layer": layer, "cell_type": "E"} for layer in ("L2/3", "L4"))
    edge = {
        "source": upper,
        "target": upper if same else lower,
        "mechanism": "AMPA",
        "weight": 2.0,
        "rule": row.rule,
    }
    made = jtfne.Config().runtime(seed=seed).areas(["V1"]).layers(["L2/3", "L4"]).cells(
        {"L2/3": {"E": N}, "L4": {"E": N}}
    )  # fmt: skip
    return made.connections([{**edge, **changed}])


def pairs(row, seed=0, same=False, **changed):
    """(source, target) of the edges, both counted from 0 within their end."""
    (made,) = jtfne.construct(config(row, seed, same, **changed)).projections
    return made.source(), made.target - (0 if same else N)


def test_the_catalogue_holds_every_rule():
    known = {cls.__name__ for cls in typing.get_args(typing.get_args(Rule)[0])}
    assert {row.kind for row in CATALOGUE} == known and len(known) == 8


@each_row
def test_counts(row):
    """Exact where the rule says how many; binomial where each pair has a chance."""
    source, target = pairs(row)
    if row.total is not None:
        assert source.size == row.total
    if row.outdegree is not None:
        assert np.bincount(source, minlength=N).tolist() == [row.outdegree] * N
    if row.indegree is not None:
        assert np.bincount(target, minlength=N).tolist() == [row.indegree] * N
    if row.p is not None:
        assert stats.binomtest(source.size, N * N, row.p).pvalue > P_LEAST
    assert (
        source.size > 0
        and source.min() >= 0
        and source.max() < N
        and target.min() >= 0
        and target.max() < N
    )


@each_row
def test_the_estimate_of_memory_is_the_number_of_edges(row):
    """Within chance of what is drawn; a rule by distance, which depends on places, says 0."""
    (connection,) = config(row).circuit.connections
    n_estimated = connection.rule.estimate_edges(N, N)
    if row.kind == "DistanceDecay":
        assert n_estimated == 0.0
    elif row.total is not None:
        assert n_estimated == row.total
    else:
        assert n_estimated == row.p * N * N


def test_a_rule_that_estimates_no_edges_cannot_be_made():
    class Nearest(WiringRule):
        pass

    with pytest.raises(TypeError, match="estimate_edges"):
        Nearest()


@each_row
def test_edges_are_sorted_and_repeat_only_where_allowed(row):
    source, target = pairs(row)
    key = source.astype(np.int64) * N + target
    assert np.all(np.diff(key) >= 0)
    assert (np.unique(key).size < key.size) == row.repeats


@each_row
def test_autapses_only_where_allowed(row):
    """The same cells at both ends; a table's own ids are all it may name."""
    if row.autapses is None:
        row = dataclasses.replace(row, fields={**LISTED, "target": [0, 1, 2, 7]}, autapses=True)
    drawn = [pairs(row, seed, same=True) for seed in range(12)]
    assert (sum(int((source == target).sum()) for source, target in drawn) > 0) == row.autapses


@each_row
def test_pairs_are_alike(row):
    """Chi-square over pairs of 60 seeds; where pairs are not alike, they are the same set, or fall
    with distance.
    """
    count = np.zeros((N, N))
    for seed in range(N_DRAWS):
        np.add.at(count, pairs(row, seed), 1)
    if row.even:
        expected = count.sum() / N**2
        share = expected / N_DRAWS if not row.repeats else 0.0
        chi2 = np.sum((count - expected) ** 2) / max(expected * (1.0 - share), 1e-9)
        assert stats.chi2.sf(chi2, N**2 - 1) > P_LEAST
    elif row.total is not None:
        assert set(np.unique(count)) <= {0, N_DRAWS, 2 * N_DRAWS}
    else:
        found = _near_and_far(row)
        assert found[0] > 2.0 * found[1]


def _near_and_far(row):
    """How often a pair is connected, among the nearest and the farthest third of all pairs, along
    the cortex or not.
    """
    found = np.zeros(2)
    for seed in range(8):
        net = jtfne.construct(config(row, seed, same=True))
        places = net.identity.position_mm[:N, : 2 if row.fields.get("lateral") else 3]
        far_mm = np.linalg.norm(places[:, None] - places, axis=2)
        low, high = np.quantile(far_mm[far_mm > 0.0], [1 / 3, 2 / 3])
        (made,) = net.projections
        mine = far_mm[made.source(), made.target]
        found += [np.sum((mine > 0.0) & (mine < low)), np.sum(mine > high)]
    return found


@each_row
def test_the_seed_decides_and_nothing_else(row, monkeypatch):
    """The same edges on one thread and on several, and beside other connections; others with
    another seed.
    """
    want = pairs(row, 3)
    for n_threads in (1, 4):
        monkeypatch.setattr(jtfne.net, "n_cores", lambda n=n_threads: n)
        np.testing.assert_array_equal(pairs(row, 3), want)
    cfg = config(row, 3)
    other = {"source": "E", "target": "E", "mechanism": "NMDA", "weight": 1.0, "rule": "AllToAll"}
    beside = jtfne.construct(cfg.connections([other, *cfg.circuit.connections])).projections[1]
    np.testing.assert_array_equal((beside.source(), beside.target - N), want)
    again = pairs(row, 4)
    same = want[0].size == again[0].size and np.array_equal(want, again)
    assert same == (row.kind in ("AllToAll", "OneToOne", "FromTable"))


@each_row
def test_blocks_bound_the_work_and_keep_the_law(row, monkeypatch):
    """Drawn in blocks of 30 edges, all counts hold still."""
    monkeypatch.setattr(_rules, "BLOCK", 30)
    monkeypatch.setattr(_distance, "BLOCK", 30)
    monkeypatch.setattr(_distance, "SPLIT", 4)
    test_counts(row)
    test_edges_are_sorted_and_repeat_only_where_allowed(row)


@each_row
def test_round_trip(row):
    cfg = config(row)
    for back in (jtfne.Config.from_json(cfg.to_json()), jtfne.Config.from_toml(cfg.to_toml())):
        assert back == cfg and back.hash == cfg.hash
        for one, other in zip(
            pairs(row), pairs(row, rule=back.circuit.connections[0].rule), strict=True
        ):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("row", "wrong"),
    [(row, wrong) for row in CATALOGUE for wrong in row.wrong],
    ids=lambda each: str(each)[:60],
)
def test_bad_fields_are_refused(row, wrong):
    with pytest.raises(jtfne.JtfneError, match=r"in Config.circuit.connections\[0\].rule"):
        config(row, rule={**row.rule, **wrong})
